/** Market events as FIML updates. A figure that nobody gave is null, never zero. Pure. */
import type { Book, Candle, Level, News, Published, Quote, Ticker, Trade } from '@tickwire/protocol'
import { iso } from './fiml.messages.ts'
import { storyOf } from './stories.ts'

/** The last events of one instrument, as far as they were heard. */
export type Pictures = {
  trade?: Published<Trade>
  quote?: Published<Quote>
  ticker?: Published<Ticker>
  candle?: Published<Candle>
  book?: Published<Book>
}

type Value = string | number | boolean | null
type Rung = { price: number; quantity: number }
/** Of prices: flat. */
export type Update = { symbol: string; [field: string]: Value }
export type Row = { symbol: string | null; [field: string]: Value | readonly string[] | readonly Rung[] }

/** Cuts the noise of a subtraction of doubles: 0.30000000000000004 is 0.3. */
const tidy = (value: number): number => Number(value.toPrecision(12))

/**
 * The last trade; where trades have no source, or none was heard yet, the last price of the ticker or else the middle of
 * the quote, whichever there is. The day's change is measured from where the ticker measures it, up to this price.
 */
export function priceUpdate(symbol: string, { trade, quote, ticker }: Pictures, tradesDown: boolean): Update | undefined {
  const mid = quote && { ...quote, price: tidy((quote.bid + quote.ask) / 2) }
  const last = ticker && { ...ticker, price: ticker.last }
  const stalled = tradesDown && trade && mid && mid.time > trade.time
  const source = stalled ? mid : (trade ?? last ?? mid)
  if (!source) return undefined
  const { price } = source
  const { change, percent } = day(ticker, price)
  return {
    symbol,
    price,
    change,
    change_percent: percent,
    volume: ticker?.volume ?? null,
    timestamp: iso(source.time),
    provider: source.provider,
    confidence: source.confidence ?? null
  }
}

/** The ticker's own figures where this is its price; else from the same reference, whichever way it was told. */
function day(ticker: Ticker | undefined, price: number): { change: number | null; percent: number | null } {
  if (!ticker) return { change: null, percent: null }
  const { last, open, change, changePercent } = ticker
  const told = last === price
  const byPercent = changePercent === undefined ? undefined : last / (1 + changePercent / 100)
  const reference = change === undefined ? (open ?? byPercent) : last - change
  if (!reference || !Number.isFinite(reference)) return { change: null, percent: null }
  const from = told && change !== undefined ? change : price - reference
  const percent = told && changePercent !== undefined ? changePercent : (from / reference) * 100
  // A percentage is told with few digits: what follows from it has no more.
  const rough = change === undefined && open === undefined
  return { change: rough ? Number(from.toPrecision(6)) : tidied(from, price), percent: Number(percent.toPrecision(6)) }
}

/** A difference of two numbers the size of `scale` has no digits beyond the fifteenth of that size. */
const tidied = (difference: number, scale: number): number => {
  const decimals = Math.min(100, Math.max(0, 14 - Math.ceil(Math.log10(Math.abs(scale) || 1))))
  return Number(difference.toFixed(decimals))
}

export const quoteUpdate = (symbol: string, { bid, bidSize, ask, askSize, time, provider, confidence }: Quote): Update => ({
  symbol,
  bid,
  ask,
  bid_size: bidSize ?? null,
  ask_size: askSize ?? null,
  spread: tidied(ask - bid, ask),
  timestamp: iso(time),
  provider,
  confidence: confidence ?? null
})

export const ohlcvUpdate = (symbol: string, candle: Candle): Update => {
  const { start, open, high, low, close, volume, closed, interval, revision, provider, confidence } = candle
  const bar = { symbol, timestamp: iso(start), open, high, low, close, volume, is_closed: closed }
  return { ...bar, interval, revision, provider, confidence: confidence ?? null }
}

export const tradeUpdate = (symbol: string, { price, size, time, id, side, provider, confidence }: Trade): Update => ({
  symbol,
  price,
  quantity: size,
  timestamp: iso(time),
  trade_id: id ?? null,
  side: side === 'unknown' ? null : side,
  provider,
  confidence: confidence ?? null
})

const rungs = (side: readonly Level[], levels: number): Rung[] =>
  side.slice(0, levels).map(([price, quantity]) => ({ price, quantity }))

/** Best levels first. */
export function depthUpdate(symbol: string, book: Book, levels: number): Row {
  const { bids, asks, state, time, provider, confidence } = book
  const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]]
  return {
    symbol,
    bids: rungs(bids, levels),
    asks: rungs(asks, levels),
    spread: bid === undefined || ask === undefined ? null : tidied(ask - bid, ask),
    state: state ?? null,
    timestamp: iso(time),
    provider,
    confidence: confidence ?? null
  }
}

/** `symbols`: what the story is about, of that which was asked for. */
export const newsUpdate = (symbols: readonly string[], story: News): Row => ({
  symbol: symbols[0] ?? null,
  symbols,
  ...storyOf(story),
  timestamp: iso(story.time),
  confidence: null
})

/** What must differ for an update to be news: all but how sure we are of it and, of what is sampled, when it was. */
export const gist = ({ timestamp, confidence: _confidence, ...rest }: Row): string =>
  JSON.stringify(rest.is_closed === undefined ? rest : { ...rest, timestamp })
