/** What can be watched of an exchange, by its streams or, where it has none, by asking again and again. */
import { KEPT, type Exchange, type Market } from './ccxt.library.ts'

/** `{"watch":"ohlcv","symbol":"BTC/USDT","timeframe":"1m"}` */
export type Asked = { kind: string; symbol: string; timeframe?: string }
export const keyOf = ({ kind, symbol, timeframe }: Asked): string => `${kind} ${symbol} ${timeframe ?? ''}`

/** Levels a side that are handed on. */
const LEVELS = 100

type Way = {
  /** Its streaming method, and the one that asks. */
  watch: 'watchTrades' | 'watchTicker' | 'watchBidsAsks' | 'watchOHLCV' | 'watchOrderBook'
  fetch?: 'fetchTicker' | 'fetchOHLCV' | 'fetchOrderBook'
  args: (asked: Asked) => unknown[]
  rows: (value: unknown, asked: Asked) => unknown[]
}
const one = ({ symbol }: Asked): unknown[] => [symbol]
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

const ticker: Way = { watch: 'watchTicker', fetch: 'fetchTicker', args: one, rows: (value) => [bare(value)] }
const WAYS: Readonly<Record<string, readonly Way[]>> = {
  // Asked again and again, the same trades come again: without ids nobody could tell.
  trades: [{ watch: 'watchTrades', args: one, rows: (value) => list(value).map(bare) }],
  ticker: [ticker],
  bidsAsks: [
    {
      watch: 'watchBidsAsks',
      args: ({ symbol }) => [[symbol]],
      // Some give what changed of other symbols with it.
      rows: (value, { symbol }) => [(value as Record<string, unknown>)[symbol]].flatMap((row) => (row ? [bare(row)] : []))
    },
    ticker
  ],
  ohlcv: [{ watch: 'watchOHLCV', fetch: 'fetchOHLCV', args: ({ symbol, timeframe }) => [symbol, timeframe], rows: list }],
  orderbook: [{ watch: 'watchOrderBook', fetch: 'fetchOrderBook', args: one, rows: (value) => [copied(value)] }]
}

/** Without the exchange's own message. */
export function bare(value: unknown): object {
  const { info: _, fees: __, fee: ___, ...row } = value as Record<string, unknown>
  return row
}

/** The book is one object that lives on and changes: its top is copied at once. */
function copied(value: unknown): object {
  const { bids, asks, timestamp, datetime, nonce } = value as Record<string, unknown> & Record<'bids' | 'asks', unknown[][]>
  return { timestamp, datetime, nonce, bids: top(bids), asks: top(asks) }
}
// Not `slice`: it would make another of the library's own books out of it.
const top = (side: unknown[][]): unknown[][] =>
  Array.from({ length: Math.min(side.length, LEVELS) }, (_, i) => [side[i]![0], side[i]![1]])

export type Source = {
  asked: Asked
  /** The next value, as the frame to hand on; `full` where some may have been dropped before it. */
  next: () => Promise<{ frame: string; full: boolean }>
  /** It streams; otherwise it waits to be asked. */
  streams: boolean
  /** Two sources of one channel share its subscription. */
  channel: string
  leave: () => void
}

/** Why not, as text, or where it comes from. */
export function sourceOf(exchange: Exchange, asked: Asked): Source | string {
  const ways = Object.hasOwn(WAYS, asked.kind) ? WAYS[asked.kind]! : []
  const market = exchange.markets?.[asked.symbol]
  if (!market) return `BadSymbol: ${exchange.id} does not have market symbol ${asked.symbol}`
  if (asked.timeframe !== undefined && !(asked.timeframe in (exchange.timeframes ?? {})))
    return `NotSupported: ${exchange.id} has no candles of ${asked.timeframe}`
  const streaming = ways.find(({ watch }) => Boolean(exchange.has[watch]))
  if (streaming) return source(exchange, asked, market, streaming, streaming.watch)
  const polled = ways.find(({ fetch }) => fetch !== undefined && Boolean(exchange.has[fetch]))
  if (polled?.fetch) return source(exchange, asked, market, polled, polled.fetch)
  return `NotSupported: ${exchange.id} has no ${asked.kind}`
}

function source(
  exchange: Exchange,
  asked: Asked,
  market: Market,
  way: Way,
  method: Way['watch'] | NonNullable<Way['fetch']>
): Source {
  const { kind, symbol, timeframe } = asked
  const lot = lotOf(market)
  const leaving = `unW${way.watch.slice(1)}`
  const fresh = method === 'fetchOHLCV' ? onlyNew() : (rows: unknown[]) => rows
  return {
    asked,
    streams: method === way.watch,
    channel: `${method} ${JSON.stringify(way.args(asked))}`,
    async next() {
      const rows = fresh(way.rows(await exchange[method](...way.args(asked)), asked))
      return { frame: JSON.stringify({ kind, symbol, timeframe, lot, rows }), full: rows.length >= KEPT }
    },
    leave() {
      const leave = (exchange as unknown as Record<string, unknown>)[leaving]
      if (!exchange.has[leaving] || typeof leave !== 'function') return
      void (leave as (...args: unknown[]) => Promise<unknown>).apply(exchange, way.args(asked)).catch(() => undefined)
    }
  }
}

/** Of candles that are asked for again and again the last two can differ from what was told. */
function onlyNew(): (rows: unknown[]) => unknown[] {
  let told = new Set<string>()
  return (rows) => {
    const last = rows.slice(-2)
    const before = told
    told = new Set(last.map((row) => JSON.stringify(row)))
    return last.filter((row) => !before.has(JSON.stringify(row)))
  }
}

/** Base units in a contract; of an inverse one contracts are what is counted. */
export const lotOf = (market: Market | undefined): number => (market?.linear === true ? (market.contractSize ?? 1) : 1)
