/**
 * Order books as a fold of deltas. Both sides are kept sorted with the best level at the END of the array, because
 * nearly all changes happen near the touch, where inserting and deleting then move only a few entries.
 */
import { crc32 } from 'node:zlib'
import type { Book, Level } from '@tickwire/protocol'
import type { BookDelta } from '../providers/adapter.ts'

export type Levels = Level[]

export type BookState = {
  /** Ascending: the best bid is last. */
  bids: Levels
  /** Descending: the best ask is last. */
  asks: Levels
  /** False until the first snapshot; deltas before it are not applied. */
  complete: boolean
  time: number
  sequence?: number
  /** The last delta carried a checksum and it fitted. */
  verified: boolean
  /** It stands where nothing but a change that was lost unseen could make it wrong: see `proves` in shown.ts. */
  proven: boolean
  /** When it last agreed with a checksum, or with a snapshot in an audit. */
  checked?: number
  /** Since when the best bid is not below the best ask; undefined while it is. */
  crossedSince?: number | undefined
}

/** What is told of a book, still under the provider's symbol. */
export type BookPicture = Omit<Book, 'instrument' | 'provider' | 'received' | 'confidence'> & { symbol: string }

/** What became of a delta. After `checksum` and `impossible` the book is no longer to be trusted. */
export type Applied = 'ok' | 'incomplete' | 'checksum' | 'crossed' | 'impossible'

export const openBook = (): BookState => ({ bids: [], asks: [], complete: false, time: 0, verified: false, proven: false })

const possible = ([price, size]: Level): boolean => Number.isFinite(price) && price > 0 && Number.isFinite(size) && size >= 0

/** Folds one delta into the book, in place. */
export function applyDelta(book: BookState, delta: BookDelta): Applied {
  if (!delta.bids.every(possible) || !delta.asks.every(possible)) return 'impossible'
  if (delta.snapshot) {
    book.bids = sorted(delta.bids, 1)
    book.asks = sorted(delta.asks, -1)
    book.complete = true
  } else {
    if (!book.complete) return 'incomplete'
    for (const level of delta.bids) put(book.bids, level, 1)
    for (const level of delta.asks) put(book.asks, level, -1)
  }
  if (delta.depth !== undefined) {
    truncate(book.bids, delta.depth)
    truncate(book.asks, delta.depth)
  }
  book.time = delta.time
  if (delta.sequence !== undefined) book.sequence = delta.sequence
  const { checksum } = delta
  book.verified = checksum !== undefined
  if (checksum && checksumOf(book, checksum.priceDecimals, checksum.sizeDecimals) !== checksum.value) return 'checksum'
  const bid = book.bids.at(-1)
  const ask = book.asks.at(-1)
  if (bid && ask && bid[0] >= ask[0]) {
    book.crossedSince ??= delta.time
    return 'crossed'
  }
  book.crossedSince = undefined
  return 'ok'
}

/** The best `n` levels of a side, best first. */
export function top(levels: readonly Level[], n: number): Level[] {
  const count = Math.min(n, levels.length)
  const best = Array<Level>(count)
  for (let i = 0, from = levels.length - 1; i < count; i++) best[i] = levels[from - i]!
  return best
}

/** `way` is 1 for bids (ascending) and -1 for asks. Of two rows at one price the later one counts. */
function sorted(levels: readonly Level[], way: 1 | -1): Levels {
  const rows = levels.toSorted((a, b) => (a[0] - b[0]) * way)
  return rows.filter((row, i) => row[0] !== rows[i + 1]?.[0] && row[1] !== 0)
}

function put(levels: Levels, level: Level, way: 1 | -1): void {
  const price = level[0] * way
  let low = 0
  let high = levels.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (levels[middle]![0] * way < price) low = middle + 1
    else high = middle
  }
  const found = low < levels.length && levels[low]![0] === level[0]
  if (level[1] === 0) {
    if (found) removeAt(levels, low)
  } else if (found) levels[low] = level
  else insertAt(levels, low, level)
}

/** Below this many moved entries a plain loop beats `splice`, which allocates its result. */
const NEAR = 48

function insertAt(levels: Levels, at: number, level: Level): void {
  if (levels.length - at > NEAR) {
    levels.splice(at, 0, level)
    return
  }
  levels.push(level)
  for (let i = levels.length - 1; i > at; i--) levels[i] = levels[i - 1]!
  levels[at] = level
}

function removeAt(levels: Levels, at: number): void {
  if (levels.length - at > NEAR) {
    levels.splice(at, 1)
    return
  }
  for (let i = at, last = levels.length - 1; i < last; i++) levels[i] = levels[i + 1]!
  levels.pop()
}

function truncate(levels: Levels, depth: number): void {
  if (levels.length > depth) levels.splice(0, levels.length - depth)
}

/** CRC32 over the ten best asks, then bids. */
export function checksumOf(book: Pick<BookState, 'bids' | 'asks'>, priceDecimals: number, sizeDecimals: number): number {
  const priceScale = 10 ** priceDecimals
  const sizeScale = 10 ** sizeDecimals
  let text = ''
  for (const side of [book.asks, book.bids]) {
    for (let i = side.length - 1, end = Math.max(0, side.length - 10); i >= end; i--) {
      const [price, size] = side[i]!
      text += digits(price, priceDecimals, priceScale) + digits(size, sizeDecimals, sizeScale)
    }
  }
  return crc32(text)
}

/** The digits of a decimal without point and leading zeros: exactly the scaled integer, as long as a double can hold it. */
function digits(value: number, decimals: number, scale: number): string {
  const scaled = Math.round(value * scale)
  return scaled <= Number.MAX_SAFE_INTEGER ? String(scaled) : value.toFixed(decimals).replace('.', '').replace(/^0+/, '')
}
