/** Where the client stands in one topic, and what that says about the next event: new, seen before, or after a hole. */
import {
  COUNTED_KINDS,
  digestAfter,
  isPureState,
  type Contract,
  type Kind,
  type Position,
  type Published
} from '@tickwire/protocol'

export type Lane = {
  topic: string
  epoch: string
  /** Highest sequence handed to the program (or announced as lost). */
  seen: number
  /** The sequence that must come next where every event counts; anything higher means a hole. */
  next: number
  /** Of all events before `next`; absent after a loss, until the server tells it. */
  digest?: number | undefined
  /** Where the server stood when we came back, and its digest of that: compared when we are there. */
  told?: { seq: number; digest: number | undefined } | undefined
  /** Up to here the server's digest and ours agreed. */
  proven: number
  /** As the server put it into force. */
  contract?: Contract | undefined
  /** Joined on the current connection: events that arrive without it belong to an earlier life and are dropped. */
  live: boolean
}

/** Holes mean loss only where nothing is ever conflated. */
const everyEventCounts = ({ topic, contract }: Lane): boolean =>
  contract ? contract.delivery === 'every' : topic.startsWith('trade:') || topic.startsWith('gap:')

export const createLane = (topic: string): Lane => ({ topic, epoch: '', seen: 0, next: 1, proven: 0, live: false })

/** The snapshot has the position's own sequence, so it must pass; without one (an empty topic) the next event is 1. */
export function join(lane: Lane, position: Position): void {
  lane.epoch = position.epoch
  lane.seen = Math.max(0, position.seq - 1)
  lane.next = position.seq + 1
  lane.digest = position.digest
  lane.told = undefined
  lane.proven = position.seq
  lane.live = true
}

/**
 * The server sends exactly what was missed: all is as if the connection had never been cut. Of state what was missed has been replaced:
 * the newest, at its position, follows alone.
 */
export function resume(lane: Lane, { seq, digest }: Position): void {
  // A digest that came with a snapshot is of that, not of what we have.
  if (lane.seen !== lane.next - 1) lane.digest = undefined
  lane.next = lane.seen + 1
  lane.told = { seq, digest }
  lane.live = true
  arrive(lane)
}

/** From where the server stood as it agreed to give each event, each counts; what came before was conflated, or too old. */
export function goOnFrom(lane: Lane, { seq, digest }: Position): void {
  if (seq < lane.next) return
  lane.next = seq + 1
  lane.digest = digest
  lane.proven = seq
}

const isNewest = ({ told }: Lane, event: Published): boolean =>
  told?.seq === event.seq && isPureState(event) && !COUNTED_KINDS.has(event.type as Kind)

export const positionOf = ({ epoch, seen, next, digest }: Lane): Position =>
  digest === undefined || seen !== next - 1 ? { epoch, seq: seen } : { epoch, seq: seen, digest }

type Span = { from: number; to: number }
/** `hole`: what the server owes; `broken`: the digests part, so that something in the span is missing, doubled or out of order. */
export type Verdict = { fresh: boolean; hole?: Span; broken?: Span }
const SEEN: Verdict = { fresh: false }
const FRESH: Verdict = { fresh: true }

export function admit(lane: Lane, event: Published): Verdict {
  const { seq } = event
  if (!lane.live || seq <= lane.seen) return SEEN
  const expected = lane.next
  lane.seen = seq
  // The snapshot is part of the digest it came with.
  if (seq < expected) return FRESH
  lane.next = seq + 1
  const hasJumped = seq > expected
  const isHole = hasJumped && everyEventCounts(lane) && !isNewest(lane, event)
  lane.digest = hasJumped || lane.digest === undefined ? undefined : digestAfter(lane.digest, event)
  const broken = arrive(lane)
  if (isHole) return { fresh: true, hole: { from: expected, to: seq - 1 } }
  return broken ? { fresh: true, broken } : FRESH
}

/** Where the server stood when we came back: its digest is compared with ours, or taken where we have none. */
function arrive(lane: Lane): Span | undefined {
  const { told, digest } = lane
  if (told === undefined || lane.seen < told.seq) return undefined
  lane.told = undefined
  if (lane.seen > told.seq || told.digest === undefined) return undefined
  const broken = compare(lane, told.digest)
  return digest === undefined ? undefined : broken
}

/** The server says where we stand. Returns what cannot be vouched for. */
export function check(lane: Lane, seq: number, digest: number): Span | undefined {
  if (!lane.live) return undefined
  const here = lane.next - 1
  if (here === seq && lane.digest !== undefined) return compare(lane, digest)
  const known = lane.digest !== undefined
  const span = { from: lane.proven + 1, to: Math.max(here, seq) }
  lane.seen = Math.max(lane.seen, seq)
  lane.next = lane.seen + 1
  lane.digest = lane.seen === seq ? digest : undefined
  lane.proven = lane.seen
  return known ? span : undefined
}

function compare(lane: Lane, digest: number): Span | undefined {
  const span = { from: lane.proven + 1, to: lane.next - 1 }
  const same = lane.digest === digest
  lane.digest = digest
  lane.proven = lane.next - 1
  return same ? undefined : span
}

/** The server said it dropped these: known missing, so no hole. */
export function forgo(lane: Lane, to: number): void {
  lane.seen = Math.max(lane.seen, to)
  lane.next = Math.max(lane.next, to + 1)
  lane.digest = undefined
}
