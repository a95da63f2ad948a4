/** What FMP's REST answers: quotes, candles, news, and failures that may come as a success. */
import { INTERVAL_MS, type Interval } from '@tickwire/protocol'
import type { Meaning, Need, Poll, Subscription } from './adapter.ts'
import { nameOf } from './grammar.ts'
import { zoned } from './time.ts'
import * as values from './values.ts'

export type Session = {
  key: string
  socket: boolean
  admitted: boolean
  /** Wanted from the socket. */
  streams: Map<string, Subscription>
  polled: Set<string>
  /** Symbol → time of its last quote: the same time again is no news. */
  seen: Map<string, number>
}

type Row = Record<string, unknown>

export const CHART: Readonly<Partial<Record<Interval, string>>> = {
  '1m': '1min',
  '5m': '5min',
  '15m': '15min',
  '30m': '30min',
  '1h': '1hour',
  '4h': '4hour',
  '1d': 'full'
}
/** Pairs are written in one word: `EURUSD`, `BTCUSD`. No stock has six letters or ends so. */
export function clusterOf(symbol: string): 'stocks' | 'crypto' | 'forex' {
  if (/^[A-Z]{6}$/.test(symbol) && nameOf(`${symbol.slice(0, 3)}-${symbol.slice(3)}`)?.type === 'forex') return 'forex'
  return /^[A-Z0-9]{2,}(USD|USDT|USDC|EUR|GBP|JPY|BTC)$|^[A-Z0-9]{6,}$/.test(symbol) && symbol.length > 5 ? 'crypto' : 'stocks'
}

/** Where a symbol trades, or UTC for pairs: charts are in the exchange's own time and do not say which. */
const zoneOf = (symbol = ''): string =>
  clusterOf(symbol) !== 'stocks' ? 'UTC' : symbol.endsWith('.L') ? 'Europe/London' : NEW_YORK

const QUOTES_EVERY = 60_000
const NEWS_EVERY = 300_000
const NEW_YORK = 'America/New_York'

export const quotesPoll = (symbols: readonly string[]): Poll => {
  const path = `/batch-quote?symbols=${symbols.map(encodeURIComponent).join(',')}`
  return {
    poll: 'quotes',
    every: QUOTES_EVERY,
    ...(symbols.length > 0 && { need: { type: 'need', purpose: 'snapshot', path, tolerate: true } })
  }
}
export const newsPoll = (wanted: boolean): Poll => ({
  poll: 'news',
  every: NEWS_EVERY,
  ...(wanted && {
    need: { type: 'need', purpose: 'snapshot', path: '/news/stock-latest?page=0&limit=50', note: 'news', tolerate: true }
  })
})

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

export function historyOf(symbol: string, interval: Interval, limit: number, now: number): Need {
  const from = dateOf(now - limit * INTERVAL_MS[interval] * 6 - 4 * 86_400_000)
  const span = `symbol=${encodeURIComponent(symbol)}&from=${from}&to=${dateOf(now + 86_400_000)}`
  const path = interval === '1d' ? `/historical-price-eod/full?${span}` : `/historical-chart/${CHART[interval]}?${span}`
  return { type: 'need', purpose: 'history', symbol, interval, path, tolerate: true }
}

export function answer(m: Row | Row[], received: number, session: Session, need: Need): readonly Meaning[] {
  // {"Error Message":"Limit Reach . Please upgrade your plan ..."}; older deployments send it with HTTP 200
  if (!Array.isArray(m) && typeof m['Error Message'] === 'string') return [failure(m['Error Message'], need)]
  if (!Array.isArray(m) && (need.answered?.status ?? 200) >= 400) return [failure(values.say(m.message ?? m.error), need)]
  const list = Array.isArray(m) ? m : m.historical
  // Of a symbol without a past it may say nothing but {}.
  if (!Array.isArray(list)) return need.purpose === 'history' ? [] : [values.refused('an answer of an unknown shape')]
  if (need.purpose === 'history') return candles(list, received, need)
  if (need.note === 'news') return values.each(list, (row) => [story(row, received)])
  return values.each(list, (row) => quote(row, received, session))
}

/** Told apart by the text, because the status is not to be trusted. */
export function failure(reason: string, { symbol }: Need): Meaning {
  if (/limit reach|too many/i.test(reason)) return { type: 'quiet', for: 3_600_000, reason }
  if (/invalid api key|api key missing/i.test(reason)) return { type: 'reject', reason, denied: true }
  return values.rejected(symbol, reason)
}

/** {"symbol":"AAPL","price":232.8,"changePercentage":2.1,"change":4.8,"volume":44489128,"dayLow":226.65,"dayHigh":233.13,"open":227.2,"previousClose":228.01,"timestamp":1738702801}; v3 wrote changesPercentage */
function quote(m: Row, received: number, session: Session): readonly Meaning[] {
  const { timestamp } = m
  const seconds = values.number(timestamp)
  if (m.bidPrice !== undefined) return aftermarket(m, seconds)
  const time = timestamp === undefined || timestamp === null ? received : seconds < 1e11 ? seconds * 1_000 : seconds
  if (typeof m.symbol !== 'string') return [values.refused('a quote without a symbol')]
  if (!Number.isNaN(seconds) && session.seen.get(m.symbol) === time) return []
  session.seen.set(m.symbol, time)
  const day = {
    open: m.open,
    high: m.dayHigh,
    low: m.dayLow,
    volume: m.volume,
    change: m.change,
    prevClose: m.previousClose,
    changePercent: m.changePercentage ?? m.changesPercentage
  }
  const price = values.number(m.price)
  return [m.symbol.startsWith('^') ? values.index(m.symbol, time, price, day) : values.ticker(m.symbol, time, price, day)]
}

/** {"symbol":"AAPL","bidSize":1,"bidPrice":232.45,"askSize":3,"askPrice":232.64,"volume":41647042,"timestamp":1738715334311}, in milliseconds */
function aftermarket({ symbol, bidPrice, bidSize, askPrice, askSize }: Row, time: number): readonly Meaning[] {
  const { number } = values
  const event = values.quote(symbol, time, number(bidPrice), number(bidSize ?? 0), number(askPrice), number(askSize ?? 0))
  return event ? [event] : []
}

/** {"date":"2025-09-23 15:59:00","open":..,"low":..,"high":..,"close":..,"volume":..}, newest first, in the exchange's own time */
function candles(list: readonly Row[], received: number, { symbol, interval }: Need): readonly Meaning[] {
  const zone = zoneOf(symbol)
  return values.pastCandles(
    list.map(({ date, open, high, low, close, volume }) => ({
      symbol,
      interval: interval!,
      start: zoned(date, zone),
      time: received,
      closed: false,
      open,
      high,
      low,
      close,
      volume: volume ?? 0
    })),
    received
  )
}

/** {"symbol":"INSG","publishedDate":"2025-02-03 23:51:37","publisher":"Seeking Alpha","title":"...","site":"seekingalpha.com","text":"...","url":"..."} */
const story = (m: Row, received: number): Meaning =>
  values.story({
    id: m.url,
    time: zoned(m.publishedDate, NEW_YORK),
    received,
    headline: m.title,
    summary: m.text,
    url: m.url,
    source: m.publisher ?? m.site,
    image: m.image,
    symbols: [m.symbol]
  })
