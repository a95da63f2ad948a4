/** What the REST of Kraken Futures answers: instruments, past candles, past trades. */
import type { Listing, Meaning, Need } from './adapter.ts'
import { currency, QUIET } from './kraken.rest.ts'
import { parseTime } from './time.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>
export type Answer = {
  result?: unknown
  error?: unknown
  errors?: unknown
  instruments?: Row[]
  candles?: Row[]
  history?: Row[]
  orderBook?: { bids?: unknown; asks?: unknown }
}

/** Errors come with status 200: {"result":"error","error":"apiLimitExceeded","serverTime":"2016-02-25T09:45:53.818Z"} */
export function answer(m: Answer, received: number, need: Need): readonly Meaning[] {
  if (m.result === 'error' || m.error !== undefined || m.errors !== undefined)
    return failure(values.say(m.error ?? m.errors), need)
  if (need.purpose === 'listing') return [{ type: 'listing', rows: m.instruments!.flatMap(listed) }]
  if (need.purpose === 'trades') return values.oldestFirst(m.history!.map((row) => past(row, need.symbol)))
  // {"result":"success","serverTime":"2016-02-25T09:45:53.818Z","orderBook":{"asks":[[40186,5183],...],"bids":[[40178,5],...]}}
  if (need.purpose === 'audit') return [values.wholeBook(need.symbol, received, m.orderBook?.bids, m.orderBook?.asks)]
  // {"candles":[{"time":1620816960000,"open":"49900.0","high":"49915.0","low":"49895.0","close":"49900.0","volume":"25"}],..}
  const rows = m.candles!.map((row) => {
    const { time: start, open, high, low, close, volume } = row
    const parts = { symbol: need.symbol, interval: need.interval!, start: values.number(start), time: received, closed: false }
    return { ...parts, open, high, low, close, volume }
  })
  return values.pastCandles(rows, received)
}

function failure(reason: string, { symbol }: Need): readonly Meaning[] {
  const refusal = values.rejected(symbol, reason)
  return reason === 'apiLimitExceeded' ? [{ type: 'quiet', for: QUIET, reason }, refusal] : [refusal]
}

/** {"time":"2021-07-22T23:02:09.946Z","trade_id":3,"price":119.44,"size":320,"side":"buy","type":"fill","uid":"e2429e31-..."} */
function past(row: Row, symbol: string | undefined): Meaning {
  const id = row.uid ?? row.trade_id
  const side = row.side === 'buy' || row.side === 'sell' ? row.side : 'unknown'
  return values.trade(symbol, id, parseTime(row.time), values.number(row.price), values.number(row.size), side)
}

const LINEAR = new Set(['flexible_futures', 'futures_vanilla'])
const PAIR = /^([A-Z0-9]+?)(USDT|USDC|USD|EUR|GBP|XBT|ETH)$/

/** What the contract is of: fields of their own since 2023; before, the symbol alone says it. */
function pairOf(row: Row, joined: string): readonly [base: string, quote: string] | undefined {
  if (typeof row.base === 'string' && typeof row.quote === 'string') return [row.base, row.quote]
  const [base, quote] = typeof row.pair === 'string' ? row.pair.split(':') : []
  if (base && quote) return [base, quote]
  const [, first, second] = PAIR.exec(joined) ?? []
  return first && second ? [first, second] : undefined
}

/**
 * {"symbol":"fi_xbtusd_210924","type":"futures_inverse","underlying":"rr_xbtusd","lastTradingTime":"2021-09-24T15:00:00.000Z",
 * "tickSize":0.5,"contractSize":1,"tradeable":true}; the socket writes its symbols large. Indices (`in_`, `rr_`) do not trade.
 */
function listed(row: Row): readonly Listing[] {
  const inverse = row.type === 'futures_inverse'
  if (typeof row.symbol !== 'string' || typeof row.type !== 'string' || !(inverse || LINEAR.has(row.type))) return []
  const symbol = row.symbol.toUpperCase()
  const [, joined = '', date = expiry(row.lastTradingTime)] = symbol.split('_')
  const pair = pairOf(row, joined)
  if (!pair) return []
  const kind = inverse ? 'INVERSE' : 'PERP'
  const contract = date === undefined ? kind : inverse ? `INVERSE-${date}` : date
  const [base, quote] = [currency(pair[0].toUpperCase()), currency(pair[1].toUpperCase())]
  const listing: Listing = { symbol, base, quote, contract, trading: row.tradeable === true && row.isExpired !== true }
  const price = values.decimalsOf(row.tickSize)
  if (price !== undefined) listing.priceDecimals = price
  const size = inverse ? 0 : row.contractValueTradePrecision
  if (Number.isInteger(size) && (size as number) <= 20) listing.sizeDecimals = Math.max(0, size as number)
  return [listing]
}

/** `2021-09-24T15:00:00.000Z` → 210924 */
const expiry = (time: unknown): string | undefined =>
  typeof time === 'string' && /^\d{4}-\d\d-\d\d/.test(time) ? time.slice(2, 10).replaceAll('-', '') : undefined
