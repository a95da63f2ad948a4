/** How one client behaves: whether it keeps to the rate and to the protocol, and when it has strained both too long. */
import { createBucket, type Limits } from './limits.ts'
import type { Place } from './quotas.ts'

export function createConduct({ messages, strikes }: Limits, opened: number, place?: Place) {
  const inTime = createBucket(messages, opened)
  let overRate = 0
  let badInARow = 0
  return {
    /** For each message that comes in. */
    came(now: number): 'in time' | 'too soon' | 'flood' {
      overRate = inTime(now) ? 0 : overRate + 1
      if (overRate > strikes) return 'flood'
      // Others of this address or user may have used up what they have together: that is not this client's strike.
      return overRate === 0 && place?.isInTime(now) !== false ? 'in time' : 'too soon'
    },
    /** Whether it was of the protocol. Returns false once too many in a row were not. */
    judge(bad: boolean): boolean {
      badInARow = bad ? badInARow + 1 : 0
      return badInARow < strikes
    }
  }
}
