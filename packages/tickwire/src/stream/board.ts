/** What the live table knows: the newest of each topic, how it moved, who it is from, and what happened beside it. Pure. */
import { parseTopic, type Status, type TopicResult } from '@tickwire/protocol'
import { priceOf, type Streamed } from './fields.ts'

export type Row = {
  asked: string
  topic: string
  event?: Streamed
  /** It flashes for a moment: when that began, by our clock. */
  moved?: { at: number; isUp: boolean }
  /** Instead of values: why there are none. */
  words: string
  /** Nobody leads for it. */
  isOrphan?: boolean
}

export type Board = {
  rows: Row[]
  /** `open`, and what the status line says. */
  isOpen: boolean
  words: string
  mode: string
  url: string
  /** The server's clock less ours, milliseconds. */
  offset: number
  /** The newest at the end. */
  notes: string[]
  counts: { events: number; gaps: number; lost: number; failovers: number }
  /** Events of the last seconds, by second. */
  seconds: Map<number, number>
}

const KEPT_NOTES = 5
const RATE_OVER = 5

export const createBoard = (topics: readonly string[], url: string): Board => ({
  rows: topics.map((topic) => ({ asked: topic, topic, words: 'waiting for the first' })),
  isOpen: false,
  words: 'connecting',
  mode: '',
  url,
  offset: 0,
  notes: [],
  counts: { events: 0, gaps: 0, lost: 0, failovers: 0 },
  seconds: new Map()
})

export function onEvent(board: Board, event: Streamed, now: number): void {
  const row = board.rows.find(({ topic }) => topic === event.topic)
  if (!row) return
  const [before, after] = [row.event && priceOf(row.event), priceOf(event)]
  if (before !== undefined && after !== undefined && before !== after) row.moved = { at: now, isUp: after > before }
  row.event = event
  board.counts.events++
  const second = Math.floor(now / 1_000)
  board.seconds.set(second, (board.seconds.get(second) ?? 0) + 1)
  for (const old of board.seconds.keys()) if (old < second - RATE_OVER) board.seconds.delete(old)
}

/** Events per second over the last whole seconds. */
export function rateOf({ seconds }: Board, now: number): number {
  const current = Math.floor(now / 1_000)
  let sum = 0
  for (const [second, count] of seconds) if (second < current && second >= current - RATE_OVER) sum += count
  return sum / RATE_OVER
}

/** Leaders are told per instrument and kind; one provider's own topic has none. */
export function onStatus(board: Board, { instrument, kind, leader, cause }: Status): void {
  for (const row of board.rows) {
    const topic = parseTopic(row.topic)
    if ('code' in topic || topic.instrument !== instrument || topic.provider !== undefined) continue
    // Candles are folded from trades.
    if (topic.kind === kind || (topic.kind === 'candle' && kind === 'trade')) row.isOrphan = leader === undefined
  }
  if (cause !== 'first' && cause !== 'unsubscribed') board.counts.failovers++
}

/** What the server says to each topic asked for; two spellings of one instrument become one row. */
export function onResult(board: Board, result: TopicResult): void {
  const row = board.rows.find(({ asked }) => asked === result.asked)
  if (!row) return
  if (!result.ok) {
    row.words = result.message
    return
  }
  if (board.rows.some((other) => other !== row && other.topic === result.topic))
    board.rows = board.rows.filter((other) => other !== row)
  row.topic = result.topic
  if (result.upstream === 'pending') row.words = 'asked for: no provider has sent it yet'
}

export function onNote(board: Board, note: string): void {
  board.notes.push(note)
  if (board.notes.length > KEPT_NOTES) board.notes.shift()
}

/** Since it happened, by the provider's clock; where that cannot be right, since the server heard of it. */
export const ageOf = ({ offset }: Board, { time, received, clock }: Streamed, now: number): number =>
  Math.max(0, now + offset - (clock === undefined ? time : received))

/** Why it may not be what the market says now. */
export function staleness(board: Board, row: Row, now: number, staleAfter: number): string | undefined {
  if (!board.isOpen) return 'offline'
  if (row.isOrphan) return 'no source'
  const { event } = row
  if (event?.type === 'book' && event.state !== undefined && event.state !== 'valid') return event.state
  return event !== undefined && ageOf(board, event, now) > staleAfter ? 'stale' : undefined
}
