/** The library's unified objects as events. Their numbers are doubles, and any field may be missing. */
import { INTERVALS, type Interval } from '@tickwire/protocol'
import type { Meaning } from './adapter.ts'
import { follow, type Forming } from './forming.ts'
import { epoch, parseTime } from './time.ts'
import * as values from './values.ts'

export type Row = Record<string, unknown>
/** Of whom a row speaks, and how it is to be read. */
export type Place = {
  symbol: string
  venue?: string
  makerSide: boolean
  /** Base units in one contract; 1 of a pair. */
  lot: number
}

/** `timestamp` is cut to milliseconds; `datetime` keeps what the exchange wrote. Without either, it happened when it was heard. */
export function timeOf({ timestamp, datetime }: Row, received: number): number {
  const time = timestamp === undefined || timestamp === null ? NaN : epoch(timestamp)
  const exact = parseTime(datetime)
  if (Number.isNaN(time)) {
    if (timestamp !== undefined && timestamp !== null) return NaN
    return Number.isNaN(exact) ? received : exact
  }
  return Math.abs(exact - time) <= 1 ? exact : time
}

/** Contracts as base units, without the noise of the product. */
const sized = (size: unknown, lot: number): number => {
  const number = values.number(size)
  return lot === 1 ? number : Number((number * lot).toPrecision(15))
}

const TURNED: Readonly<Record<string, 'buy' | 'sell'>> = { buy: 'sell', sell: 'buy' }

export function traded(row: Row, { symbol, venue, makerSide, lot }: Place, received: number): Meaning {
  const time = timeOf(row, received)
  const price = values.number(row.price)
  const size = sized(row.amount, lot)
  const side = row.side === 'buy' || row.side === 'sell' ? row.side : undefined
  const taker = side === undefined ? 'unknown' : makerSide ? TURNED[side]! : side
  const numbered = (typeof row.id === 'string' && row.id !== '') || typeof row.id === 'number'
  const event = numbered ? values.trade(symbol, row.id, time, price, size, taker) : values.print(symbol, time, price, size)
  if (event.type !== 'trade') return event
  return { ...event, side: taker, ...(venue === undefined ? {} : { venue }) }
}

/** Nothing where it holds no last price: some exchanges' tickers are best prices alone. */
export function tick(row: Row, { symbol }: Place, received: number): readonly Meaning[] {
  const last = row.last ?? row.close
  if (last === undefined || last === null) return []
  const day = {
    open: row.open,
    high: row.high,
    low: row.low,
    volume: row.baseVolume,
    change: row.change,
    changePercent: row.percentage,
    prevClose: row.previousClose
  }
  return [values.ticker(symbol, timeOf(row, received), values.number(last), day)]
}

/** Nothing where a price or a size is missing. */
export function quoted(row: Row, { symbol, lot }: Place, received: number): readonly Meaning[] {
  const { bid, bidVolume, ask, askVolume } = row
  if ([bid, bidVolume, ask, askVolume].some((value) => value === undefined || value === null)) return []
  const time = timeOf(row, received)
  const event = values.quote(symbol, time, values.number(bid), sized(bidVolume, lot), values.number(ask), sized(askVolume, lot))
  return event === undefined ? [] : [event]
}

/** The whole top of the book each time; levels may hold more than price and size. */
export function order(row: Row, { symbol, lot }: Place, received: number): Meaning {
  const bids = values.levels(row.bids ?? [])
  const asks = values.levels(row.asks ?? [])
  const time = timeOf(row, received)
  if (symbol === '') return values.refused('book: no symbol')
  if (!bids || !asks) return values.refused('book: impossible level')
  if (Number.isNaN(time)) return values.refused('book: impossible time')
  const scaled = (levels: typeof bids) => (lot === 1 ? levels : levels.map(([price, size]) => [price, sized(size, lot)] as const))
  const { nonce } = row
  const sequence = typeof nonce === 'number' && Number.isFinite(nonce) ? { sequence: nonce } : {}
  return { type: 'delta', symbol, time, snapshot: true, bids: scaled(bids), asks: scaled(asks), ...sequence }
}

const isInterval = (text: unknown): text is Interval => (INTERVALS as readonly unknown[]).includes(text)

/** No row says that it is final: it is when a later one comes. */
export function candles(
  rows: unknown,
  interval: unknown,
  { symbol }: Place,
  received: number,
  forming: Forming
): readonly Meaning[] {
  if (!isInterval(interval)) return [values.refused('candle: an interval of an unknown length')]
  if (!Array.isArray(rows)) return [values.refused('a frame of an unknown shape')]
  return (rows as unknown[]).flatMap((row): readonly Meaning[] => {
    const event = candle(row, interval, symbol, received)
    return event.type === 'candle' ? follow(forming, event) : [event]
  })
}

function candle(row: unknown, interval: Interval, symbol: string, received: number) {
  const [start, open, high, low, close, volume] = Array.isArray(row) ? (row as unknown[]) : []
  return values.candle({
    symbol,
    interval,
    start: epoch(start),
    time: received,
    open,
    high,
    low,
    close,
    volume,
    closed: false
  })
}

/** Past candles; those of futures count contracts as their exchange does, and so does the library. */
export const pastCandle = (row: unknown, interval: Interval, symbol: string): values.CandleParts => {
  const [start, open, high, low, close, volume] = Array.isArray(row) ? (row as unknown[]) : []
  return { symbol, interval, start: epoch(start), time: 0, open, high, low, close, volume, closed: false }
}
