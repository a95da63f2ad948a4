/** What each channel of Coinbase's socket says of its products. */
import type { Interval, Level } from '@tickwire/protocol'
import type { BookDelta, Meaning } from './adapter.ts'
import { bookTime } from './coinbase.levels.ts'
import { traded } from './coinbase.rest.ts'
import { follow, settle, type Forming } from './forming.ts'
import { parseTime } from './time.ts'
import * as values from './values.ts'

/** The candles channel has buckets of five minutes and no others. */
export const BUCKET: Interval = '5m'

/** An empty list may be written as null. */
function listed(rows: Row[] | null | undefined): readonly Row[] {
  if (rows === undefined) throw new TypeError('no rows')
  return rows ?? []
}

export function levelTwo(m: Message, event: Event, received: number): readonly Meaning[] {
  const symbol = event.product_id
  if (typeof symbol !== 'string') return [values.refused('book: no symbol'), { type: 'gap', kind: 'book', cause: 'sequence' }]
  const updates = listed(event.updates)
  const bids: Level[] = []
  const asks: Level[] = []
  for (const row of updates) {
    const price = values.number(row.price_level)
    const size = values.number(row.new_quantity)
    const side = row.side === 'bid' ? bids : row.side === 'offer' ? asks : undefined
    if (!side || !values.isPrice(price) || !values.isSize(size)) {
      // Its number was counted, so nothing but this would tell that the book has a hole.
      return [values.refused('book: impossible level'), { type: 'gap', kind: 'book', symbol, cause: 'sequence' }]
    }
    side.push([price, size])
  }
  const time = bookTime(updates.at(-1)?.event_time, m.timestamp, received)
  const delta: BookDelta = { type: 'delta', symbol, time, snapshot: event.type === 'snapshot', bids, asks }
  if (m.sequence_num !== undefined) delta.sequence = m.sequence_num
  return [delta]
}

/** `side` is the maker's: 73 of 78 recorded trades are SELL above the middle or BUY below it. Snapshots are history. */
export function marketTrades(event: Event): readonly Meaning[] {
  const history = event.type === 'snapshot'
  const trades = listed(event.trades).map((row) => {
    const meaning = traded(row)
    if (history && meaning.type === 'trade') meaning.backfill = true
    return meaning
  })
  return values.oldestFirst(trades)
}

export function tickers(m: Message): readonly Meaning[] {
  const time = parseTime(m.timestamp)
  const { number } = values
  const meanings: Meaning[] = []
  for (const event of m.events!) {
    for (const row of listed(event.tickers)) {
      const day = {
        high: row.high_24_h,
        low: row.low_24_h,
        volume: row.volume_24_h,
        changePercent: row.price_percent_chg_24_h
      }
      // Never traded.
      if (row.price !== '' && number(row.price) !== 0) meanings.push(values.ticker(row.product_id, time, number(row.price), day))
      // A product without offers has empty texts there, and `ticker_batch` no such fields.
      if (!row.best_bid || !row.best_ask || !row.best_bid_quantity || !row.best_ask_quantity) continue
      const [bid, bidSize] = [number(row.best_bid), number(row.best_bid_quantity)]
      const quote = values.quote(row.product_id, time, bid, bidSize, number(row.best_ask), number(row.best_ask_quantity))
      if (quote) meanings.push(quote)
    }
  }
  return meanings
}

/** Seconds as text; no row says that its bucket is final: a later start does. */
export function candles(m: Message, event: Event, forming: Forming): readonly Meaning[] {
  const time = parseTime(m.timestamp)
  const found = listed(event.candles).map((row) => {
    const { product_id: symbol, open, high, low, close, volume } = row
    const start = values.number(row.start) * 1000
    return values.candle({ symbol, interval: BUCKET, start, time, open, high, low, close, volume, closed: false })
  })
  const good = found.filter((meaning) => meaning.type === 'candle')
  const followed = event.type === 'snapshot' ? settle(forming, good) : good.flatMap((c) => follow(forming, c))
  return [...followed, ...found.filter((meaning) => meaning.type === 'refused')]
}

type Row = Record<string, unknown>
export type Event = {
  type?: string
  product_id?: string
  updates?: Row[] | null
  trades?: Row[] | null
  tickers?: Row[] | null
  candles?: Row[] | null
  subscriptions?: Record<string, string[] | null>
}
export type Message = {
  channel?: string
  type?: string
  message?: unknown
  timestamp?: unknown
  sequence_num?: number
  events?: Event[]
}
