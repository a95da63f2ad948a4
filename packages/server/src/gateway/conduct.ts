/** How one client behaves: whether it keeps to the rate and to the protocol, and when it has strained both too long. */
import { createBucket, type Limits } from './limits.ts'

export function createConduct({ messages, strikes }: Limits, opened: number) {
  const inTime = createBucket(messages, opened)
  let overRate = 0
  let badInARow = 0
  return {
    /** For each message that comes in. */
    came(now: number): 'in time' | 'too soon' | 'flood' {
      overRate = inTime(now) ? 0 : overRate + 1
      return overRate === 0 ? 'in time' : overRate > strikes ? 'flood' : 'too soon'
    },
    /** Whether it was of the protocol. Returns false once too many in a row were not. */
    judge(bad: boolean): boolean {
      badInARow = bad ? badInARow + 1 : 0
      return badInARow < strikes
    }
  }
}
