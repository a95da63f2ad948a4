/** Market events as the three data types of the stream. A figure that nobody gave is null, never zero. Pure. */
import { topicName, type Book, type DataKind, type Index, type Level, type Published, type Ticker } from '@tickwire/protocol'
import type { Desk } from './dialect.ts'
import { iso } from './fiml.messages.ts'
import { priceUpdate, type Pictures as Prices, type Update as PriceUpdate } from './fiml.updates.ts'
import { rangeOf } from './range.ts'

export const DATA_TYPES = ['SymbolUpdate', 'DepthUpdate', 'IndexUpdate'] as const
export type DataType = (typeof DATA_TYPES)[number]

/** The last events of one instrument, as far as they were heard. */
export type Pictures = Omit<Prices, 'candle'> & { book?: Published<Book>; index?: Published<Index> }

const KINDS: Record<DataType, readonly DataKind[]> = {
  SymbolUpdate: ['trade', 'quote', 'ticker', 'index'],
  DepthUpdate: ['book'],
  IndexUpdate: ['index', 'ticker']
}
export const topicsOf = (type: DataType, instrument: string): string[] => KINDS[type].map((kind) => topicName(kind, instrument))

/** Levels of a side that are sent. */
const LEVELS = 20

/** Trades that came late or set no price (odd lots) are not the last price. */
export function hear(pictures: Pictures, event: Published): boolean {
  if (event.type === 'trade' && (event.ineligible || event.backfill)) return false
  if (!['trade', 'quote', 'ticker', 'index', 'book'].includes(event.type)) return false
  ;(pictures as Record<string, Published>)[event.type] = event
  return true
}

export function picturesOf(desk: Desk, topics: readonly string[]): Pictures {
  const pictures: Pictures = {}
  for (const topic of topics) {
    const event = desk.last(topic)
    if (event) hear(pictures, event)
  }
  return pictures
}

/** An index has a value where others have a last price. */
const tickerOf = ({ value, type: _type, ...index }: Published<Index>): Published<Ticker> => ({
  ...index,
  type: 'ticker',
  last: value
})

type Rung = { price: number; quantity: number }
export type Update = { symbol: string; [field: string]: string | number | boolean | null | readonly Rung[] }

/** `close` is the close of the day before, as brokers here name it. */
function symbolUpdate(symbol: string, { trade, quote, index, ...more }: Pictures, lite: boolean): Update | undefined {
  const ticker = more.ticker ?? (index && tickerOf(index))
  const made = priceUpdate(symbol, { ...(trade && { trade }), ...(quote && { quote }), ...(ticker && { ticker }) }, false)
  if (!made) return undefined
  const { price: ltp = null, change = null, change_percent = null, volume = null } = made
  if (lite) return { symbol, ltp }
  const best = { bid: quote?.bid ?? null, ask: quote?.ask ?? null }
  const day = { open: ticker?.open ?? null, ...rangeOf(ticker, trade), close: ticker?.prevClose ?? null }
  const prices = { ltp, ...day, ...best, change, change_percent }
  return { symbol, ...prices, volume, ...originOf(made), confidence: made['confidence'] ?? null }
}

function indexUpdate(symbol: string, { index, ticker }: Pictures): Update | undefined {
  const day = index ? tickerOf(index) : ticker
  const made = day && priceUpdate(symbol, { ticker: day }, false)
  if (!made) return undefined
  const { price: ltp = null, change = null, change_percent = null } = made
  return { symbol, ltp, change, change_percent, ...originOf(made) }
}

const originOf = (made: PriceUpdate) => ({ timestamp: made['timestamp'] ?? null, provider: made['provider'] ?? null })

const rungs = (side: readonly Level[]): Rung[] => side.slice(0, LEVELS).map(([price, quantity]) => ({ price, quantity }))

const depthUpdate = (symbol: string, { book }: Pictures): Update | undefined =>
  book && { symbol, bid: rungs(book.bids), ask: rungs(book.asks), timestamp: iso(book.time), provider: book.provider }

export function updateOf(type: DataType, symbol: string, pictures: Pictures, lite = false): Update | undefined {
  if (type === 'DepthUpdate') return depthUpdate(symbol, pictures)
  return type === 'IndexUpdate' ? indexUpdate(symbol, pictures) : symbolUpdate(symbol, pictures, lite)
}

/** What must differ for an update to be news. */
export const gist = ({ timestamp: _timestamp, confidence: _confidence, ...rest }: Update): string => JSON.stringify(rest)
