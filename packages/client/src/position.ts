/** Where the client stands in one topic, and what that says about the next event: new, seen before, or after a hole. */
import type { Position } from '@tickwire/protocol'

export type Lane = {
  topic: string
  epoch: string
  /** Highest sequence handed to the program (or announced as lost). */
  seen: number
  /** The sequence that must come next where every event counts; anything higher means a hole. */
  next: number
  /** Joined on the current connection: events that arrive without it belong to an earlier life and are dropped. */
  live: boolean
}

/** Holes mean loss only where nothing is ever conflated. */
const everyEventCounts = (topic: string): boolean => topic.startsWith('trade:') || topic.startsWith('gap:')

/** The snapshot has the position's own sequence, so it must pass; without one (an empty topic) the next event is 1. */
export function join(lane: Lane, position: Position): void {
  lane.epoch = position.epoch
  lane.seen = Math.max(0, position.seq - 1)
  lane.next = position.seq + 1
  lane.live = true
}

/** The server sends exactly what was missed: all is as if the connection had never been cut. */
export function resume(lane: Lane): void {
  lane.next = lane.seen + 1
  lane.live = true
}

export type Verdict = { fresh: false } | { fresh: true; hole?: { from: number; to: number } }
const SEEN: Verdict = { fresh: false }
const FRESH: Verdict = { fresh: true }

export function admit(lane: Lane, seq: number): Verdict {
  if (!lane.live || seq <= lane.seen) return SEEN
  const expected = lane.next
  lane.seen = seq
  lane.next = seq + 1
  return seq > expected && everyEventCounts(lane.topic) ? { fresh: true, hole: { from: expected, to: seq - 1 } } : FRESH
}

/** The server said it dropped these: known missing, so no hole. */
export function forgo(lane: Lane, to: number): void {
  lane.seen = Math.max(lane.seen, to)
  lane.next = Math.max(lane.next, to + 1)
}
