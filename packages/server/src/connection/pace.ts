/** A queue of what goes out to a provider, that never lets more than `limit` pass within any second. */
import type { Outgoing } from '../providers/adapter.ts'

export type Pace = {
  limit: number
  /** Replies and pings: they overtake subscriptions. */
  urgent: Outgoing[]
  queue: Outgoing[]
  /** When the last `limit` frames were sent, oldest first. */
  sent: number[]
}

export const openPace = (framesPerSecond: number): Pace => ({
  limit: Math.max(1, Math.floor(framesPerSecond)),
  urgent: [],
  queue: [],
  sent: []
})

/** Takes the frames that may be sent now. */
export function takeDue(pace: Pace, now: number): Outgoing[] {
  if (pace.urgent.length === 0 && pace.queue.length === 0) return []
  const due: Outgoing[] = []
  while (pace.urgent.length > 0 || pace.queue.length > 0) {
    if (pace.sent.length >= pace.limit) {
      if (now - pace.sent[0]! < 1_000) break
      pace.sent.shift()
    }
    pace.sent.push(now)
    due.push((pace.urgent.shift() ?? pace.queue.shift())!)
  }
  return due
}
