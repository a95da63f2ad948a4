/**
 * Books whose updates are numbered ranges on a snapshot from REST: keep updates back, fetch the snapshot, drop what is in
 * it already; the first update applied must reach over its end, and each later one must begin where the last ended.
 */
import type { BookDelta, Meaning, Need } from './adapter.ts'

/** An update that covers the numbers `first` to `final`; where it names the one before it, that one's end is `previous`. */
export type Update = { first: number; final: number; previous?: number; delta: BookDelta }

/** Where a book stands: at `last`, or (-1) waiting for its snapshot, which was asked for at `askedAt`. */
type Sequence = { last: number; time: number; fresh: boolean; kept: Update[]; askedAt: number; skippedFrom?: number }
export type Sequences = Map<string, Sequence>

/** At ten updates a second a minute and a half: past that the older half goes, and a newer snapshot is asked for. */
const KEPT = 1_000
const ASK_AGAIN = 15_000
const LAG = 5_000

const waiting = (update: Update, now: number): Sequence => ({ last: -1, time: 0, fresh: false, kept: [update], askedAt: now })

/** What an update means: its delta, nothing yet, or a gap and the need of a snapshot. */
export function advance(books: Sequences, update: Update, now: number, snapshot: (symbol: string) => Need): readonly Meaning[] {
  const { symbol } = update.delta
  const book = books.get(symbol)
  if (!book) {
    books.set(symbol, waiting(update, now))
    return [snapshot(symbol)]
  }
  if (book.last < 0) {
    // A numbering begun anew: with those from before, no snapshot would ever be new enough.
    if (isAnew(update, book.kept.at(-1))) book.kept = []
    book.kept.push(update)
    if (book.kept.length > KEPT) book.kept.splice(0, KEPT / 2)
    if (now - book.askedAt < ASK_AGAIN) return []
    book.askedAt = now
    return [snapshot(symbol)]
  }
  const old = isOld(update, book)
  if (old) {
    if (!book.fresh) return []
    // A stream lags by seconds behind its snapshot; longer, and its numbers have begun anew below it.
    book.skippedFrom ??= now
    if (now - book.skippedFrom < LAG) return []
  }
  if (old || !continues(update, book)) {
    books.set(symbol, waiting(update, now))
    const { previous } = update
    const [expected, got] = previous === undefined ? [book.last + 1, update.first] : [book.last, previous]
    return [{ type: 'gap', kind: 'book', symbol, expected, got, cause: 'sequence' }, snapshot(symbol)]
  }
  book.last = update.final
  book.time = update.delta.time
  book.fresh = false
  return [update.delta]
}

const isAnew = ({ final, delta }: Update, before: Update | undefined): boolean =>
  before !== undefined && final <= before.final && delta.time > before.delta.time

/**
 * What a chained update ends with may be in the snapshot already and yet be the first to apply. Later on only what was said
 * before is old: a lower number at a later time is a numbering begun anew, and without a resync nothing would ever be newer.
 */
const isOld = ({ final, previous, delta }: Update, { last, time, fresh }: Sequence): boolean =>
  fresh ? (previous === undefined ? final <= last : final < last) : final <= last && delta.time <= time

function continues({ first, previous }: Update, { last, fresh }: Sequence): boolean {
  if (previous !== undefined) return previous === last || (fresh && first <= last)
  return fresh ? first <= last + 1 : first === last + 1
}

/** The snapshot has come: it and what was kept back that is newer, or the need of a newer one. */
export function begin(books: Sequences, start: BookDelta, now: number, snapshot: (symbol: string) => Need): readonly Meaning[] {
  const { symbol } = start
  const book = books.get(symbol)
  if (!book || book.last >= 0) return []
  const last = start.sequence!
  const { kept } = book
  // Older than what was kept back: the numbers in between are unknown.
  if (kept[0] && last + 1 < kept[0].first && kept[0].previous !== last) {
    book.askedAt = now
    return [snapshot(symbol)]
  }
  books.set(symbol, { last, time: start.time, fresh: true, kept: [], askedAt: now })
  return [start, ...kept.flatMap((update) => advance(books, update, now, snapshot))]
}
