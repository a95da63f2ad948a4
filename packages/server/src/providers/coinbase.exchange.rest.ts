/** What the REST of Coinbase Exchange answers: products, past candles, past trades. */
import type { Listing, Meaning, Need } from './adapter.ts'
import { parseTime } from './time.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>

export function answer(m: unknown, received: number, need: Need): readonly Meaning[] {
  // {"message":"NotFound"}, {"message":"Public rate limit exceeded"}
  // {"bids":[["10101.10","0.45054140",2],...],"asks":[["10102.55","0.57753524",1],...],"sequence":13051505638,"time":".."}
  if (need.purpose === 'audit' && values.isRecord(m) && m.bids !== undefined)
    return [values.wholeBook(need.symbol, received, m.bids, m.asks)]
  if (!Array.isArray(m)) {
    if (!values.isRecord(m)) return [values.refused('an answer of an unknown shape')]
    return [values.rejected(need.symbol, values.say(m.message ?? m))]
  }
  if (need.purpose === 'listing') return [{ type: 'listing', rows: (m as Row[]).flatMap(listed) }]
  if (need.purpose === 'trades') return values.oldestFirst((m as Row[]).map((row) => traded(row, need.symbol)))
  // [[1639508050,140.21,141.9,140.3,141.1,56.437345],...]: low before high before open, the newest first
  const rows = (m as unknown[][]).map(([seconds, low, high, open, close, volume]) => {
    const start = values.number(seconds) * 1000
    const parts = { symbol: need.symbol, interval: need.interval!, start, time: received, closed: false }
    return { ...parts, open, high, low, close, volume }
  })
  return values.pastCandles(rows, received)
}

/** `{"trade_id":74,"price":"10.00000000","size":"0.01","side":"buy","time":"2014-11-07T22:19:28.578544Z"}`: the maker's side. */
export function traded(row: Row, symbol: unknown): Meaning {
  const taker = row.side === 'sell' ? 'buy' : row.side === 'buy' ? 'sell' : 'unknown'
  const { number } = values
  return values.trade(symbol, row.trade_id, parseTime(row.time), number(row.price), number(row.size), taker)
}

/** {"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","quote_increment":"0.01","base_increment":"0.00000001","status":"online"} */
function listed(p: Row): readonly Listing[] {
  const { id: symbol, base_currency: base, quote_currency: quote } = p
  if (typeof symbol !== 'string' || typeof base !== 'string' || typeof quote !== 'string') return []
  if (symbol === '' || base === '' || quote === '') return []
  const row: Listing = { symbol, base, quote, trading: p.status === 'online' && p.trading_disabled !== true }
  const price = values.decimalsOf(p.quote_increment)
  if (price !== undefined) row.priceDecimals = price
  const size = values.decimalsOf(p.base_increment)
  if (size !== undefined) row.sizeDecimals = size
  return [row]
}
