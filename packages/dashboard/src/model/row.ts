/** One instrument as the grid shows it: a fold of its quotes, trades, tickers and statuses. */
import type { DataKind, Gap, Published, Quote, Status, Ticker, Trade } from '@tickwire/client'
import { digitsIn } from './format.ts'

/** The grid's picture of one instrument. A field that nobody has sent yet is absent. */
export type Row = {
  id: string
  last?: number
  /** The provider's time of what `last` comes from. */
  at: number
  /** +1 or -1 for the last move, and when it happened on this page's clock. */
  direction: number
  moved: number
  open?: number
  high?: number
  low?: number
  volume?: number
  change?: number
  bid?: number
  ask?: number
  /** Whether a quote was ever seen here: until then bid and ask are those of the book. */
  quoted: boolean
  /** Who said the newest quote or, without quotes, the newest trade. */
  provider?: string
  confidence?: number
  /** When the server received the newest event, by the server's clock. */
  received?: number
  /** The arbiter's last word per kind. */
  decisions: Partial<Record<DataKind, Published<Status>>>
  gaps: Published<Gap>[]
  /** Whether a trade was ever seen here. */
  traded: boolean
  /** Most digits after the point that a price of it had: listings often allow more than anybody uses. */
  digits: number
  points: number[]
  sampled: number
  /** Grows with every change, so that painters can skip. */
  version: number
}

const POINTS = 120
const SAMPLE_MS = 1_000
const GAPS = 20
const MOST_DIGITS = 10

export const openRow = (id: string): Row => ({
  id,
  at: 0,
  direction: 0,
  moved: 0,
  decisions: {},
  gaps: [],
  quoted: false,
  traded: false,
  digits: 2,
  points: [],
  sampled: 0,
  version: 0
})

/** Never fewer than before, so that the column does not jump. */
const widen = (row: Row, price: number): void => {
  row.digits = Math.max(row.digits, Math.min(digitsIn(price), MOST_DIGITS))
}

function move(row: Row, price: number, now: number): void {
  if (row.last !== undefined && price !== row.last) {
    row.direction = price > row.last ? 1 : -1
    row.moved = now
  }
  row.last = price
  widen(row, price)
  if (row.open) row.change = (price / row.open - 1) * 100
  if (row.points.length === 0 || now - row.sampled >= SAMPLE_MS) {
    row.sampled = now
    row.points.push(price)
    if (row.points.length > POINTS) row.points.shift()
  } else row.points[row.points.length - 1] = price
}

const onQuote = (row: Row, quote: Pick<Quote, 'bid' | 'ask' | 'provider' | 'confidence'>): void => {
  row.bid = quote.bid
  row.ask = quote.ask
  widen(row, quote.bid)
  widen(row, quote.ask)
  row.provider = quote.provider
  if (quote.confidence !== undefined) row.confidence = quote.confidence
}

const onTrade = (row: Row, trade: Published<Trade>, now: number): void => {
  row.traded = true
  if (trade.backfill) return
  row.at = Math.max(row.at, trade.time)
  move(row, trade.price, now)
  if (row.bid === undefined) row.provider = trade.provider
  if (row.bid === undefined && trade.confidence !== undefined) row.confidence = trade.confidence
}

const onTicker = (row: Row, ticker: Published<Ticker>, now: number): void => {
  if (ticker.open !== undefined) row.open = ticker.open
  else if (ticker.changePercent !== undefined) row.open = ticker.last / (1 + ticker.changePercent / 100)
  if (ticker.high !== undefined) row.high = ticker.high
  if (ticker.low !== undefined) row.low = ticker.low
  if (ticker.volume !== undefined) row.volume = ticker.volume
  // A ticker is sampled, a trade is not: an older ticker must not pull the price back.
  const newer = ticker.time >= row.at
  if (newer) row.at = ticker.time
  move(row, newer ? ticker.last : (row.last ?? ticker.last), now)
  if (row.bid === undefined) row.provider = ticker.provider
}

/** Takes one event in; false when the row shows nothing of it. `now` is this page's clock. */
export function foldRow(row: Row, event: Published, now: number): boolean {
  if (event.type === 'liquidity' && row.quoted) return false
  if (event.type === 'quote') row.quoted = true
  if (event.type === 'quote' || event.type === 'liquidity') onQuote(row, event)
  else if (event.type === 'trade') onTrade(row, event, now)
  else if (event.type === 'ticker') onTicker(row, event, now)
  else if (event.type === 'status') row.decisions[event.kind] = event
  else if (event.type === 'gap')
    row.gaps = [event, ...row.gaps.filter(({ id }) => id === undefined || id !== event.id)].slice(0, GAPS)
  else return false
  const data = event.type === 'quote' || event.type === 'liquidity' || event.type === 'trade' || event.type === 'ticker'
  if (data) row.received = Math.max(row.received ?? 0, event.received)
  row.version++
  return true
}

/** Gives a fresh row a past, oldest first, so that its sparkline does not begin empty. */
export function seedPoints(row: Row, trades: readonly { price: number; time: number }[]): void {
  const sampled: number[] = []
  let at = -Infinity
  for (const { price, time } of trades) {
    if (time - at >= SAMPLE_MS || sampled.length === 0) {
      sampled.push(price)
      at = time
    } else sampled[sampled.length - 1] = price
  }
  row.points = [...sampled, ...row.points].slice(-POINTS)
  row.version++
}

/** The arbiter's newest decision on what the page shows, quotes and trades; of two at once that on quotes. */
export function newestDecision({ decisions: { quote, trade, ...others } }: Row): Published<Status> | undefined {
  if (quote && trade) return trade.published > quote.published ? trade : quote
  return quote ?? trade ?? Object.values(others)[0]
}

/** A forecast of a price that somebody stands for: where nobody leads any more there is none. */
export function confidenceOf({ bid, confidence, decisions }: Row): number | undefined {
  const decision = decisions[bid === undefined ? 'trade' : 'quote']
  return decision && decision.leader === undefined ? undefined : confidence
}

export const spread = (row: Row): number | undefined =>
  row.bid === undefined || row.ask === undefined ? undefined : row.ask - row.bid
const middle = (row: Row): number | undefined =>
  row.bid === undefined || row.ask === undefined ? undefined : (row.ask + row.bid) / 2
export const spreadBps = (row: Row): number | undefined => {
  const mid = middle(row)
  return mid ? (spread(row)! / mid) * 10_000 : undefined
}
