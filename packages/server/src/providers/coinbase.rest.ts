/** Coinbase's answers of REST: the listing, past candles and past trades. */
import type { Listing, Meaning, Need } from './adapter.ts'
import { parseTime } from './time.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>
export type Answer = { error?: unknown; message?: unknown; products?: Row[]; candles?: Row[]; trades?: Row[]; pricebook?: Row }

export function answer(m: Answer, received: number, need: Need): readonly Meaning[] {
  // {"error":"NOT_FOUND","error_details":"...","message":"..."}
  if (m.error !== undefined) {
    const reason = values.say(m.message ?? m.error)
    return [values.rejected(need.symbol, reason)]
  }
  if (need.purpose === 'listing') return [{ type: 'listing', rows: m.products!.flatMap(listed) }]
  if (need.purpose === 'trades')
    return values.oldestFirst(m.trades!.map((row) => traded({ ...row, product_id: need.symbol ?? row.product_id })))
  // {"pricebook":{"product_id":"BTC-USD","bids":[{"price":"65053.45","size":"0.02"}],"asks":[{"price":"65053.46","size":"0.3"}]}}
  if (need.purpose === 'audit') {
    const [bids, asks] = [m.pricebook!.bids, m.pricebook!.asks].map((rows) =>
      (rows as Row[]).map(({ price, size }) => [price, size])
    )
    return [values.wholeBook(need.symbol, received, bids, asks)]
  }
  // {"candles":[{"start":"1639508050","low":"140.21","high":"140.21","open":"140.21","close":"140.21","volume":"56437345"}]}
  const rows = m.candles!.map((row) => {
    const { open, high, low, close, volume } = row
    const start = values.number(row.start) * 1000
    const parts = { symbol: need.symbol, interval: need.interval!, start, time: received, closed: false }
    return { ...parts, open, high, low, close, volume }
  })
  return values.pastCandles(rows, received)
}

/** {"trade_id":"34b080bf-...","product_id":"BTC-USD","price":"140.91","size":"4","time":"2021-05-31T09:59:59.000Z","side":"BUY"}: the maker's side, as on the socket. */
export function traded(row: Row): Meaning {
  const taker = row.side === 'SELL' ? 'buy' : row.side === 'BUY' ? 'sell' : 'unknown'
  const { number } = values
  return values.trade(row.product_id, row.trade_id, parseTime(row.time), number(row.price), number(row.size), taker)
}

/** Books of USDC pairs are merged into those of USD (`alias`, `alias_to`): data may come under the other name. */
function listed(p: Row): readonly Listing[] {
  const { product_id: symbol, base_currency_id: base, quote_currency_id: quote } = p
  if (typeof symbol !== 'string' || typeof base !== 'string' || typeof quote !== 'string') return []
  if (p.product_type !== undefined && p.product_type !== 'SPOT') return []
  const halted = p.is_disabled === true || p.trading_disabled === true || p.view_only === true
  const row: Listing = { symbol, base, quote, trading: p.status === 'online' && !halted }
  if (typeof p.base_name === 'string' && p.base_name !== '') row.name = p.base_name
  const price = values.decimalsOf(p.price_increment ?? p.quote_increment)
  if (price !== undefined) row.priceDecimals = price
  const size = values.decimalsOf(p.base_increment)
  if (size !== undefined) row.sizeDecimals = size
  const others = [p.alias, ...(Array.isArray(p.alias_to) ? (p.alias_to as unknown[]) : [])]
  const aliases = others.filter((alias): alias is string => typeof alias === 'string' && alias !== '')
  return [aliases.length === 0 ? row : { ...row, aliases }]
}
