/** The books of one connection: which are whole, whose snapshot is awaited, and which are to be asked for anew, and when. */
import type { Need } from '../providers/adapter.ts'
import { isWaiting, keyOf, type Asks } from './asks.ts'
import type { BookPicture, BookState } from './books.ts'

/** A book that was asked for and has no snapshot yet. */
type Expected = {
  /** When it was asked for, confirmed or answered last. */
  since: number
  /** How often it was asked for anew in vain. */
  tries: number
  /** Its snapshot is on its way by REST, which has time limits of its own and always ends in an answer or a failure. */
  fetching: boolean
  /** Deltas came that could not be used: the provider speaks, and only the snapshot is lost. */
  dropped: boolean
}

/** What befell a book, over all connections that carried it. */
export type Record = {
  /** How often it was asked for anew. */
  resyncs: number
  /** Since when it is to be healed. */
  brokenAt?: number | undefined
  /** Its last damage, why it was one, and after how long it was whole again. */
  damage?: { at: number; cause: string; healedAfter?: number }
}

/** All by symbol. They die with the connection; only the records go on. */
export type Shelf = {
  records: Map<string, Record>
  /** What readers were told last: it must not stand as good when it no longer is. */
  shown: Map<string, BookPicture>
  books: Map<string, BookState>
  /** Those that the frame in hand has changed. */
  touched: Set<string>
  expected: Map<string, Expected>
  /** When a book is to be asked for anew. */
  resyncs: Map<string, number>
  damages: Map<string, { times: number; at: number }>
}

/** A snapshot comes with the confirmation or right after the first delta. */
const PATIENCE = 5_000
/** What speaks without a snapshot is asked at least this often; what is mute altogether may be thin, and is asked more rarely. */
const LONGEST = 30_000
const LONGEST_MUTE = 300_000
/** After a snapshot by REST that failed or was none. */
const RETRY = 1_000
/** A book that was whole for this long is resynchronised at once again. */
const FORGIVEN = 30_000

export const openShelf = (records: Shelf['records'] = new Map()): Shelf => ({
  records,
  shown: new Map(),
  books: new Map(),
  touched: new Set(),
  expected: new Map(),
  resyncs: new Map(),
  damages: new Map()
})

export function expectSnapshot({ expected }: Shelf, symbol: string, now: number): void {
  const known = expected.get(symbol)
  if (known) {
    known.since = now
    known.dropped = false
  } else expected.set(symbol, { since: now, tries: 0, fetching: false, dropped: false })
}

/** The book is whole. */
export function arrived({ expected, resyncs }: Shelf, symbol: string): void {
  expected.delete(symbol)
  resyncs.delete(symbol)
}

export function leave(shelf: Shelf, symbol: string): void {
  arrived(shelf, symbol)
  shelf.books.delete(symbol)
  shelf.shown.delete(symbol)
  shelf.records.delete(symbol)
}

/** Something befell it; until `healed` its time to heal runs. */
export function broken({ records }: Shelf, symbol: string, cause: string, now: number): Record {
  const record = records.get(symbol) ?? { resyncs: 0 }
  records.set(symbol, record)
  record.brokenAt ??= now
  record.damage = { at: now, cause }
  return record
}

export function healed({ records }: Shelf, symbol: string, now: number): void {
  const record = records.get(symbol)
  if (record?.brokenAt === undefined) return
  if (record.damage) record.damage.healedAfter = now - record.brokenAt
  record.brokenAt = undefined
}

/** The patience begins anew once the provider has confirmed the subscription. */
export function confirmed({ expected }: Shelf, symbol: string, now: number): void {
  const waiting = expected.get(symbol)
  if (waiting) waiting.since = now
}

export function fetching({ expected }: Shelf, { purpose, symbol }: Need, is: boolean): void {
  const waiting = purpose === 'book' && symbol !== undefined ? expected.get(symbol) : undefined
  if (waiting) waiting.fetching = is
}

/** A call for a snapshot has ended: without one, and without another call on its way, it is tried again, ever more slowly. */
export function fetched({ expected, resyncs }: Shelf, { purpose, symbol }: Need, now: number): void {
  const waiting = purpose === 'book' && symbol !== undefined ? expected.get(symbol) : undefined
  if (waiting && !waiting.fetching && !resyncs.has(symbol!))
    resyncs.set(symbol!, now + Math.min(LONGEST, RETRY * 2 ** waiting.tries++))
}

/** The book is thrown away and, unless its adapter repairs it, asked for anew: at once the first time, then ever more slowly. */
export function damage(shelf: Shelf, symbol: string, now: number, ownRepair: boolean, cause: string): void {
  broken(shelf, symbol, cause, now).resyncs++
  const last = shelf.damages.get(symbol)
  const times = last && now - last.at < FORGIVEN ? last.times + 1 : 0
  shelf.damages.set(symbol, { times, at: now })
  shelf.books.delete(symbol)
  expectSnapshot(shelf, symbol, now)
  if (!ownRepair) shelf.resyncs.set(symbol, times === 0 ? now : now + Math.min(LONGEST, 250 * 2 ** times))
}

/** Lets those be asked for anew whose snapshot is long in coming; returns of how many of them only deltas came. */
export function expire({ expected, resyncs }: Shelf, asks: Asks, now: number): number {
  let lost = 0
  for (const [symbol, waiting] of expected) {
    const ask = asks.all.get(keyOf({ kind: 'book', symbol }))
    if (!ask || ask.state === 'refused') expected.delete(symbol)
    // Until it is confirmed the ask itself has a deadline.
    else if (!isWaiting(ask) && !waiting.fetching && !resyncs.has(symbol)) {
      const patience = Math.min(waiting.dropped ? LONGEST : LONGEST_MUTE, PATIENCE * 2 ** waiting.tries)
      if (now - waiting.since < patience) continue
      waiting.tries++
      resyncs.set(symbol, now)
      if (waiting.dropped) lost++
    }
  }
  return lost
}

/** Takes the symbols that are to be asked for anew now. */
export function takeResyncs({ resyncs }: Shelf, now: number): Set<string> {
  const due = new Set<string>()
  for (const [symbol, at] of resyncs) if (at <= now) due.add(symbol)
  for (const symbol of due) resyncs.delete(symbol)
  return due
}
