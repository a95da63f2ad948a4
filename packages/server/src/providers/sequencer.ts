/**
 * Books whose updates are numbered ranges on a snapshot from REST: keep updates back, fetch the snapshot, drop what is in
 * it already; the first update applied must reach over its end, and each later one must begin where the last ended.
 */
import type { BookDelta, Meaning, Need } from './adapter.ts'

/** An update that covers the numbers `first` to `final`. */
export type Update = { first: number; final: number; delta: BookDelta }

/** Where a book stands: at `last`, or (-1) waiting for its snapshot, which was asked for at `askedAt`. */
type Sequence = { last: number; fresh: boolean; kept: Update[]; askedAt: number }
export type Sequences = Map<string, Sequence>

/** At ten updates a second a minute and a half: past that the older half goes, and a newer snapshot is asked for. */
const KEPT = 1_000
const ASK_AGAIN = 15_000

const waiting = (update: Update, now: number): Sequence => ({ last: -1, fresh: false, kept: [update], askedAt: now })

/** What an update means: its delta, nothing yet, or a gap and the need of a snapshot. */
export function advance(books: Sequences, update: Update, now: number, snapshot: (symbol: string) => Need): readonly Meaning[] {
  const { symbol } = update.delta
  const book = books.get(symbol)
  if (!book) {
    books.set(symbol, waiting(update, now))
    return [snapshot(symbol)]
  }
  if (book.last < 0) {
    book.kept.push(update)
    if (book.kept.length > KEPT) book.kept.splice(0, KEPT / 2)
    if (now - book.askedAt < ASK_AGAIN) return []
    book.askedAt = now
    return [snapshot(symbol)]
  }
  if (update.final <= book.last) return []
  const expected = book.last + 1
  if (book.fresh ? update.first > expected : update.first !== expected) {
    books.set(symbol, waiting(update, now))
    return [{ type: 'gap', kind: 'book', symbol, expected, got: update.first, cause: 'sequence' }, snapshot(symbol)]
  }
  book.last = update.final
  book.fresh = false
  return [update.delta]
}

/** The snapshot has come: it and what was kept back that is newer, or the need of a newer one. */
export function begin(books: Sequences, start: BookDelta, now: number, snapshot: (symbol: string) => Need): readonly Meaning[] {
  const { symbol } = start
  const book = books.get(symbol)
  if (!book || book.last >= 0) return []
  const last = start.sequence!
  const { kept } = book
  // Older than what was kept back: the numbers in between are unknown.
  if (kept[0] && last + 1 < kept[0].first) {
    book.askedAt = now
    return [snapshot(symbol)]
  }
  books.set(symbol, { last, fresh: true, kept: [], askedAt: now })
  return [start, ...kept.flatMap((update) => advance(books, update, now, snapshot))]
}
