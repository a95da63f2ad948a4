/** Reading what providers write: every number is checked before it becomes part of an event. */
import { INTERVAL_MS, type Interval, type Level } from '@tickwire/protocol'
import type { Frame, Meaning } from './adapter.ts'
import { isTime } from './time.ts'

type Of<Type extends Meaning['type']> = Extract<Meaning, { type: Type }>

/** Unary plus takes '', null, true, [], ' ' and '0x10' for numbers; only digits written as text or number are. */
export const number = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' && isDecimal(value) ? +value : NaN
/** By its first characters, as this runs for each number of each frame: `+`, `-`, `.` or a digit, and no letter after a leading 0. */
const isDecimal = (text: string): boolean => {
  const first = text.charCodeAt(0)
  return first >= 43 && first <= 57 && (first !== 48 || !(text.charCodeAt(1) > 57))
}

/** The bounds hold every real market (1e-18 to 1e15) and stop what only a broken or hostile sender writes: 5e-324, 1e308. */
export const isPrice = (price: number): boolean => price >= 1e-18 && price <= 1e15
export const isSize = (size: number): boolean => size >= 0 && size <= 1e18

export const refused = (reason: string): Meaning => ({ type: 'refused', reason })

/** Text for a person out of whatever a provider wrote. */
export const say = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'no reason given'))
export const rejected = (symbol: string | undefined, reason: string): Meaning =>
  symbol === undefined ? { type: 'reject', reason } : { type: 'reject', symbol, reason }

/** A frame as text, whether it came so or as bytes. */
export const textOf = (frame: Frame): string => (typeof frame === 'string' ? frame : new TextDecoder().decode(frame))

/** What a decode returns for a frame it could not read to the end. */
export const unreadable = (frame: Frame): readonly Meaning[] => {
  const start = textOf(frame).trimStart()[0]
  return [refused(start === '{' || start === '[' ? 'a frame of an unknown shape, or cut short' : 'not JSON')]
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `[["0.3521","672.0"], ...]`; undefined when any of it is not a level. */
export function levels(rows: unknown): Level[] | undefined {
  if (rows === undefined || rows === null) return []
  if (!Array.isArray(rows)) return undefined
  const found: Level[] = []
  for (const row of rows as unknown[][]) {
    const price = number(row[0])
    const size = number(row[1])
    if (!isPrice(price) || !isSize(size)) return undefined
    found.push([price, size])
  }
  return found
}

/** A book as REST has it now; its number is told only where it is one of the stream's. */
export function wholeBook(symbol: string | undefined, time: number, bids: unknown, asks: unknown): Meaning {
  const [bid, ask] = [levels(bids), levels(asks)]
  if (symbol === undefined || !bid || !ask) return refused('book: not a snapshot')
  return { type: 'delta', symbol, time, snapshot: true, bids: bid, asks: ask }
}

export function trade(
  symbol: unknown,
  id: unknown,
  time: number,
  price: number,
  size: number,
  side: Of<'trade'>['side']
): Meaning {
  const wrong = wrongIn(symbol, time, price, size)
  if (wrong !== undefined) return refused(wrong)
  if ((typeof id !== 'string' && typeof id !== 'number') || id === '') return refused('trade: no id')
  return { type: 'trade', symbol: symbol as string, id: typeof id === 'string' ? id : String(id), time, price, size, side }
}

/** A trade of a provider that numbers none: no two of them are ever the same. */
export function print(symbol: unknown, time: number, price: number, size: number): Of<'trade'> | Of<'refused'> {
  const wrong = wrongIn(symbol, time, price, size)
  if (wrong !== undefined) return { type: 'refused', reason: wrong }
  return { type: 'trade', symbol: symbol as string, time, price, size, side: 'unknown' }
}

function wrongIn(symbol: unknown, time: number, price: number, size: number): string | undefined {
  if (!isPrice(price)) return 'trade: impossible price'
  if (!isSize(size) || size === 0) return 'trade: impossible size'
  if (!isTime(time)) return 'trade: impossible time'
  return typeof symbol !== 'string' || symbol === '' ? 'trade: no symbol' : undefined
}

/** Codes of conditions as text; absent where there are none. */
export function codes(list: unknown): readonly string[] | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined
  const isText = list.every((code) => typeof code === 'string')
  return isText ? list : list.filter((code) => typeof code === 'string' || typeof code === 'number').map(String)
}

export type IndexParts = Partial<Record<'open' | 'high' | 'low' | 'prevClose' | 'change' | 'changePercent', unknown>>
/** The value of an index; a statistic that is no number is left out. */
export function index(symbol: unknown, time: number, value: number, more: IndexParts = {}): Meaning {
  if (!Number.isFinite(value)) return refused('index: impossible value')
  if (!isTime(time)) return refused('index: impossible time')
  if (typeof symbol !== 'string' || symbol === '') return refused('index: no symbol')
  const event: Of<'index'> = { type: 'index', symbol, time, value }
  for (const key of ['open', 'high', 'low', 'prevClose', 'change', 'changePercent'] as const) {
    const n = number(more[key])
    if (Number.isFinite(n)) event[key] = n
  }
  return event
}

export type StoryParts = {
  symbol?: string
  id: unknown
  time: number
  received: number
  headline: unknown
  symbols: readonly unknown[]
} & Partial<Record<'summary' | 'url' | 'author' | 'source' | 'image', unknown>> & {
    categories?: readonly unknown[]
    updated?: number
    sentiment?: number
    sentiments?: Record<string, number>
  }

const LONGEST_TEXT = 10_000
const wording = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, LONGEST_TEXT) : undefined

/** A story; one without a time is dated by its arrival and says so, one from the future happened now. */
export function story(parts: StoryParts): Meaning {
  const { received, updated, sentiment, sentiments, categories, symbols } = parts
  const headline = wording(parts.headline)
  const id = typeof parts.id === 'number' ? String(parts.id) : wording(parts.id)
  if (headline === undefined || id === undefined) return refused('news: no headline or no id')
  const dated = isTime(parts.time)
  const time = dated ? Math.min(parts.time, received) : received
  const event: Of<'news'> = {
    type: 'news',
    symbol: '*',
    id,
    time,
    headline,
    symbols: symbols.filter((s): s is string => typeof s === 'string')
  }
  if (!dated) event.undated = true
  for (const key of ['summary', 'url', 'author', 'source', 'image'] as const) {
    const text = wording(parts[key])
    if (text !== undefined) event[key] = text
  }
  const named = categories?.flatMap((c) => wording(c) ?? [])
  if (named && named.length > 0) event.categories = named
  if (updated !== undefined && isTime(updated) && updated > time) event.updated = updated
  if (sentiment !== undefined && Math.abs(sentiment) <= 1) event.sentiment = sentiment
  if (sentiments && Object.keys(sentiments).length > 0) event.sentiments = sentiments
  return event
}

/** Nothing when a side is empty (price 0 or absent): a quote has both. */
export function quote(
  symbol: unknown,
  time: number,
  bid: number,
  bidSize: number,
  ask: number,
  askSize: number
): Meaning | undefined {
  if (bid === 0 || ask === 0) return undefined
  if (!isPrice(bid) || !isPrice(ask)) return refused('quote: impossible price')
  if (!isSize(bidSize) || !isSize(askSize)) return refused('quote: impossible size')
  if (!isTime(time)) return refused('quote: impossible time')
  if (typeof symbol !== 'string' || symbol === '') return refused('quote: no symbol')
  return { type: 'quote', symbol, time, bid, bidSize, ask, askSize }
}

export type DayStatistics = Partial<
  Record<'open' | 'high' | 'low' | 'volume' | 'change' | 'changePercent' | 'prevClose', unknown>
>

/** A statistic that is missing or 0 where 0 means "none" is left out. */
export function ticker(symbol: unknown, time: number, last: number, day: DayStatistics): Meaning {
  if (!isPrice(last)) return refused('ticker: impossible price')
  if (!isTime(time)) return refused('ticker: impossible time')
  if (typeof symbol !== 'string' || symbol === '') return refused('ticker: no symbol')
  const event: Of<'ticker'> = { type: 'ticker', symbol, time, last }
  const open = number(day.open)
  if (isPrice(open)) event.open = open
  const high = number(day.high)
  if (isPrice(high)) event.high = high
  const low = number(day.low)
  if (isPrice(low)) event.low = low
  if (high < low) return refused('ticker: high below low')
  const volume = number(day.volume)
  if (isSize(volume)) event.volume = volume
  const change = number(day.change)
  if (Math.abs(change) <= 1e15) event.change = change
  const changePercent = number(day.changePercent)
  if (Math.abs(changePercent) <= 1e15) event.changePercent = changePercent
  const prevClose = number(day.prevClose)
  if (isPrice(prevClose)) event.prevClose = prevClose
  return event
}

/** Open and close within low and high, but for the last digits of a sender that computes with floats of 32 bits. */
export const isWithin = (low: number, high: number, ...prices: readonly number[]): boolean =>
  low <= high && prices.every((price) => price >= low * (1 - FLOAT) && price <= high * (1 + FLOAT))
const FLOAT = 1e-6

export type CandleParts = {
  symbol: unknown
  interval: Interval
  start: number
  time: number
  open: unknown
  high: unknown
  low: unknown
  close: unknown
  volume: unknown
  trades?: unknown
  closed: boolean
  revision?: number
}

export function candle(parts: CandleParts): Of<'candle'> | Of<'refused'> {
  const { symbol, interval, start, time, closed, revision = 0 } = parts
  const open = number(parts.open)
  const high = number(parts.high)
  const low = number(parts.low)
  const close = number(parts.close)
  const volume = number(parts.volume)
  if (!isPrice(open) || !isPrice(high) || !isPrice(low) || !isPrice(close) || !isWithin(low, high, open, close))
    return { type: 'refused', reason: 'candle: impossible price' }
  if (!isSize(volume)) return { type: 'refused', reason: 'candle: impossible volume' }
  if (!isTime(start) || !isTime(time)) return { type: 'refused', reason: 'candle: impossible time' }
  if (typeof symbol !== 'string' || symbol === '') return { type: 'refused', reason: 'candle: no symbol' }
  const event: Of<'candle'> = { type: 'candle', symbol, time, interval, start, open, high, low, close, volume, closed, revision }
  const trades = number(parts.trades)
  if (isSize(trades)) event.trades = trades
  return event
}

/** Past candles from REST: the one that `received` falls into is still forming. */
export function pastCandles(rows: readonly CandleParts[], received: number): readonly Meaning[] {
  const candles: Of<'candle'>[] = []
  const bad: Meaning[] = []
  for (const row of rows) {
    const end = row.start + INTERVAL_MS[row.interval]
    const closed = end <= received
    const event = candle({ ...row, time: closed ? end : received, closed })
    if (event.type === 'candle') candles.push(event)
    else bad.push(event)
  }
  return [...candles.sort((a, b) => a.start - b.start), ...bounded(bad)]
}

/** Digits after the point of an increment: '0.01' → 2, 1e-8 → 8, '1' → 0. */
export function decimalsOf(increment: unknown): number | undefined {
  const value = number(increment)
  if (!isPrice(value)) return undefined
  const [digits = '', exponent = '0'] = String(value).split('e')
  return Math.max(0, (digits.split('.')[1] ?? '').length - +exponent)
}

/** Trades of one frame in the order of their happening: some providers list the newest first. */
export function oldestFirst(list: readonly Meaning[]): readonly Meaning[] {
  if (list.length < 2) return list
  const trades = bounded(list)
  const first = trades[0]
  const last = trades.at(-1)
  if (first?.type !== 'trade' || last?.type !== 'trade') return trades
  const backwards = first.time === last.time ? Number(first.id) > Number(last.id) : first.time > last.time
  return backwards ? trades.toReversed() : trades
}

/** Refusals of one frame that are told one by one; the rest is a count, so that a huge list of nonsense costs nobody a million. */
const TOLD = 100

/** All that is no refusal, the first refusals, and how many more there are. */
export function bounded(meanings: readonly Meaning[]): readonly Meaning[] {
  if (meanings.length <= TOLD) return meanings
  let refusals = 0
  const kept = meanings.filter(({ type }) => type !== 'refused' || refusals++ < TOLD)
  return refusals > TOLD ? [...kept, refused('further rows of a frame that held many wrong ones')] : kept
}

/** What all rows mean; most frames hold one row, which then costs no further list. */
export function each<Row>(rows: readonly Row[], mean: (row: Row) => readonly Meaning[]): readonly Meaning[] {
  // A text can be walked too, letter by letter.
  const isList: boolean = Array.isArray(rows)
  if (!isList) return [refused('a frame of an unknown shape')]
  if (rows.length === 1) return mean(rows[0]!)
  const all: Meaning[] = []
  for (const row of rows) for (const meaning of mean(row)) all.push(meaning)
  return bounded(all)
}
