/** A queue of outgoing frames that never lets more than `limit` pass within any second. */
export type Pace = {
  limit: number
  /** Replies and pings: they overtake subscriptions. */
  urgent: string[]
  queue: string[]
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
export function takeDue(pace: Pace, now: number): string[] {
  if (pace.urgent.length === 0 && pace.queue.length === 0) return []
  const due: string[] = []
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
