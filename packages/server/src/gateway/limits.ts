/** What one client may ask for, and a token bucket to hold it to a rate. */
export type Limits = {
  /** Greatest inbound message, bytes; a dialect may allow less. */
  message: number
  /** Topics that one session may hold. */
  topics: number
  /** Inbound messages per second of one session, and how many it may save up. */
  messages: { perSecond: number; burst: number }
  /** Messages over the rate, or of no known form, in a row, before the connection is closed (1008, 4500). */
  strikes: number
  connections: number
  /** Topics in the address of one SSE stream: every event carries the positions of all of them. */
  sseTopics: number
  /** WebSocket pings, and for how long after one nothing at all may be heard. Both are looked at only twice a second. */
  heartbeat: { interval: number; deadline: number }
  /** From connecting to a valid token, where one is needed. */
  authWithin: number
  /** Events replayed to one subscribe; past it a topic is given its last value and `recovered: false`. */
  replay: number
}

/** How often clients are looked after: who is silent, who may no longer be here. */
export const BEAT = 500

export const LIMITS: Limits = {
  message: 64 * 1024,
  topics: 1_000,
  messages: { perSecond: 100, burst: 400 },
  strikes: 100,
  connections: 20_000,
  sseTopics: 100,
  heartbeat: { interval: 11_000, deadline: 7_500 },
  authWithin: 5_000,
  replay: 5_000
}

/** Returns true while the rate is kept. */
export function createBucket({ perSecond, burst }: { perSecond: number; burst: number }, now: number) {
  let tokens = burst
  let at = now
  return (now: number): boolean => {
    tokens = Math.min(burst, tokens + (Math.max(0, now - at) / 1_000) * perSecond)
    at = now
    if (tokens < 1) return false
    tokens--
    return true
  }
}
