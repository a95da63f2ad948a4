/** Events in the words of Coinbase Advanced Trade: the rows of its channels. Numbers are strings without padding. */
import type { Book, Candle, Level, Published, Quote, Ticker, Trade } from '@tickwire/protocol'
import { plain, rfc3339 } from './digits.ts'

/** Every number is as short as it can be, every time has nanoseconds. */
export const num = plain
export const at = (time: number): string => rfc3339(time, 9, true)

/** The side here is the MAKER's: a buy of the taker prints as SELL. */
const maker = (e: Trade): string => (e.side === 'buy' ? 'SELL' : e.side === 'sell' ? 'BUY' : 'UNKNOWN_ORDER_SIDE')

export const tradeRow = (e: Published<Trade>) => ({
  product_id: e.instrument,
  trade_id: e.id ?? String(e.seq),
  price: num(e.price),
  size: num(e.size),
  time: at(e.time),
  side: maker(e)
})

export const tickerRow = (e: Ticker, quote: Quote | undefined) => ({
  type: 'ticker',
  product_id: e.instrument,
  price: num(e.last),
  volume_24_h: e.volume === undefined ? '' : num(e.volume),
  low_24_h: e.low === undefined ? '' : num(e.low),
  high_24_h: e.high === undefined ? '' : num(e.high),
  price_percent_chg_24_h: e.changePercent === undefined ? '' : num(e.changePercent),
  ...(quote && {
    best_bid: num(quote.bid),
    best_ask: num(quote.ask),
    best_bid_quantity: num(quote.bidSize),
    best_ask_quantity: num(quote.askSize)
  })
})

export const candleRow = (e: Candle) => ({
  start: String(e.start / 1_000),
  high: num(e.high),
  low: num(e.low),
  open: num(e.open),
  close: num(e.close),
  volume: num(e.volume),
  product_id: e.instrument
})

export function bookRows(sides: { bids: readonly Level[]; asks: readonly Level[] }, time: number) {
  const event_time = at(time)
  const row = (side: string, [price, size]: Level) => ({ side, event_time, price_level: num(price), new_quantity: num(size) })
  return [...sides.bids.map((level) => row('bid', level)), ...sides.asks.map((level) => row('offer', level))]
}

export const bookEvent = (
  type: 'snapshot' | 'update',
  e: Published<Book>,
  sides: { bids: readonly Level[]; asks: readonly Level[] }
) => ({
  type,
  product_id: e.instrument,
  updates: bookRows(sides, e.time)
})
