/** Kraken's answers of REST, which keeps older names: XBT for BTC, XDG for DOGE. */
import type { Listing, Meaning, Need } from './adapter.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>
export type Answer = { error?: unknown; result?: Row }

export const currency = (name: string): string => (name === 'XBT' ? 'BTC' : name === 'XDG' ? 'DOGE' : name)
export const legacy = (name: string): string => (name === 'BTC' ? 'XBT' : name === 'DOGE' ? 'XDG' : name)
export const isDecimals = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 20

/** Nobody says for how long; a counter of theirs sinks by one in some seconds. */
export const QUIET = 15_000
const LIMITED = /too many requests|rate limit|temporary lockout/i

export const pairOf = (symbol: string): string => encodeURIComponent(symbol.split('/').map(legacy).join(''))

/** The checksum of the stream proves the ten best levels; this answer the others. */
export const depthOf = (symbol: string, count: number): Need => ({
  type: 'need',
  purpose: 'audit',
  symbol,
  path: `/public/Depth?pair=${pairOf(symbol)}&count=${count}`
})

/** Errors come with status 200: {"error":["EGeneral:Too many requests"],"result":{}} */
export function answer(m: Answer, received: number, need: Need): readonly Meaning[] {
  if (Array.isArray(m.error) && m.error.length > 0) {
    const reason = m.error.map(String).join(', ')
    const refusal = values.rejected(need.symbol, reason)
    return LIMITED.test(reason) ? [{ type: 'quiet', for: QUIET, reason }, refusal] : [refusal]
  }
  const result = m.result!
  if (need.purpose === 'listing')
    return [{ type: 'listing', rows: Object.entries(result).flatMap(([name, pair]) => listed(name, pair as Row)) }]
  if (need.purpose === 'trades') return past(result, need)
  // {"XXBTZUSD":{"asks":[["30384.10000","2.059",1688671659],...],"bids":[["30297.00000","1.115",1688671636],...]}}
  if (need.purpose === 'audit') {
    const [book] = Object.values(result) as [Row]
    return [values.wholeBook(need.symbol, received, book.bids, book.asks)]
  }
  // {"XXBTZUSD":[[1688671200,"30306.1","30306.2","30305.7","30305.7","30306.1","3.39243896",23],...],"last":1688672160}
  const [, bars] = Object.entries(result).find(([name]) => name !== 'last')!
  const rows = (bars as unknown[][]).map(([start, open, high, low, close, , volume, count]) => {
    const parts = { symbol: need.symbol, interval: need.interval!, start: values.number(start) * 1000, time: received }
    return { ...parts, open, high, low, close, volume, trades: count, closed: false }
  })
  return values.pastCandles(rows, received)
}

/** {"XXBTZUSD":[["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952],...],"last":"1688669597827736900"}: taker's side. */
function past(result: Row, { symbol }: Need): readonly Meaning[] {
  const [, rows] = Object.entries(result).find(([name]) => name !== 'last')!
  return (rows as unknown[][]).map(([price, size, seconds, side, , , id]) => {
    const taker = side === 'b' ? 'buy' : side === 's' ? 'sell' : 'unknown'
    const time = Math.round(values.number(seconds) * 1e6) / 1e3
    return values.trade(symbol, id, time, values.number(price), values.number(size), taker)
  })
}

/** "AAVEUSD":{"altname":"AAVEUSD","wsname":"AAVE/USD","base":"AAVE","quote":"ZUSD","pair_decimals":2,"lot_decimals":8,"status":"online"} */
function listed(name: string, pair: Row): readonly Listing[] {
  const { wsname, altname, status } = pair
  if (typeof wsname !== 'string') return []
  const [first, second, ...more] = wsname.split('/')
  if (!first || !second || more.length > 0) return []
  const [base, quote] = [currency(first), currency(second)]
  const symbol = `${base}/${quote}`
  const others = [wsname, altname, name].filter((other): other is string => typeof other === 'string' && other !== symbol)
  const row: Listing = {
    symbol,
    base,
    quote,
    trading: status === undefined || status === 'online',
    aliases: [...new Set(others)]
  }
  if (isDecimals(pair.pair_decimals)) row.priceDecimals = pair.pair_decimals
  if (isDecimals(pair.lot_decimals)) row.sizeDecimals = pair.lot_decimals
  return [row]
}
