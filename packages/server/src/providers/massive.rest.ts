/** What Massive's REST answers: listings in pages, bars, trades, snapshots, news. */
import type { Interval, Side } from '@tickwire/protocol'
import type { Listing, Meaning, Need, Poll } from './adapter.ts'
import { dayOf } from './new-york.ts'
import { epoch, parseTime } from './time.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>

export const TIMESPAN: Readonly<Partial<Record<Interval, readonly [count: number, unit: string]>>> = {
  '1m': [1, 'minute'],
  '3m': [3, 'minute'],
  '5m': [5, 'minute'],
  '15m': [15, 'minute'],
  '30m': [30, 'minute'],
  '1h': [1, 'hour'],
  '2h': [2, 'hour'],
  '4h': [4, 'hour'],
  '6h': [6, 'hour'],
  '8h': [8, 'hour'],
  '12h': [12, 'hour'],
  '1d': [1, 'day']
}
/** Of a day, from a snapshot. */
export type Day = { high: number; low: number; prevClose: number }

/**
 * Average price, bunched sold, cash, derivatively priced, official open and close, next day, price variation, prior reference,
 * seller, out of sequence, odd lot, contingent.
 */
const NOT_LAST = new Set(['2', '5', '7', '10', '13', '15', '16', '20', '21', '22', '29', '32', '33', '37', '38', '52', '53'])
export const isLast = (conditions: readonly string[] = []): boolean => !conditions.some((code) => NOT_LAST.has(code))
/** Form T, and closing prints and official closes. */
export const CODES = { extended: new Set(['12', '13']), closing: new Set(['8', '15', '19']) }
/** Of crypto: 1 sold, 2 bought. */
export function sideOf(conditions: unknown): Side {
  const codes: unknown[] = Array.isArray(conditions) ? conditions : [conditions]
  return codes.includes(1) ? 'sell' : codes.includes(2) ? 'buy' : 'unknown'
}
/** Ids are unique per symbol, exchange, reporting facility and day. */
export function idOf(time: number, exchange: unknown, facility: unknown, id: unknown): string | undefined {
  if ((typeof id !== 'string' && typeof id !== 'number') || id === '') return undefined
  const trf = facility === undefined || facility === null ? '' : `${values.say(facility)}-`
  return `${dayOf(time)}-${values.say(exchange)}-${trf}${id}`
}

/** `X:BTC-USD` → `X:BTCUSD` */
export const restSymbol = (symbol: string): string => (symbol[1] === ':' ? symbol.replace(/[-/]/, '') : symbol)

/** Snapshots are asked of a market; a connection carries one. */
const SNAPSHOTS: Readonly<Record<string, string>> = { X: 'global/markets/crypto', C: 'global/markets/forex' }
export const tickerPoll = (symbols: readonly string[]): Poll => {
  const [first = ''] = symbols
  const market = first[1] === ':' ? SNAPSHOTS[first[0] ?? ''] : 'us/markets/stocks'
  const list = symbols.map((symbol) => encodeURIComponent(restSymbol(symbol))).join(',')
  const need: Need = { type: 'need', purpose: 'snapshot', path: `/v2/snapshot/locale/${market}/tickers?tickers=${list}` }
  return { poll: 'tickers', every: 15_000, ...(list !== '' && market !== undefined ? { need } : {}) }
}
export const newsPoll = (wanted: boolean): Poll => ({
  poll: 'news',
  every: 60_000,
  ...(wanted ? { need: { type: 'need', purpose: 'snapshot', path: '/v2/reference/news?limit=50&order=desc', note: 'news' } } : {})
})

/** Which market's listing follows which. */
const NEXT: Readonly<Record<string, string>> = { stocks: 'crypto', crypto: 'fx', fx: 'indices' }

export function answer(
  m: Row,
  received: number,
  need: Need,
  held: number | undefined,
  days: Map<string, Day>
): readonly Meaning[] {
  // {"status":"DELAYED",...}: so does a plan without real time say it.
  const delayed = held ?? (m.status === 'DELAYED' ? 900_000 : undefined)
  // {"status":"ERROR","request_id":"...","error":"You've exceeded the maximum requests per minute..."}
  if (m.status === 'ERROR' || m.status === 'NOT_AUTHORIZED') return [refusal(m, need)]
  const results = m.results ?? []
  switch (need.purpose) {
    case 'listing':
      return [{ type: 'listing', rows: (results as Row[]).flatMap(listingOf) }, ...nextPage(m, need)]
    case 'history':
      // {"ticker":"AAPL","results":[{"v":642646396,"vw":1.469,"o":1.5032,"c":1.4604,"h":1.5064,"l":1.4489,"t":1112331600000,"n":82132}]}
      return values.pastCandles(
        (results as Row[]).map(({ t, o: open, h: high, l: low, c: close, v: volume, n: trades }) => ({
          symbol: need.symbol,
          interval: need.interval!,
          start: epoch(t),
          time: received,
          closed: false,
          open,
          high,
          low,
          close,
          volume: volume ?? 0,
          trades
        })),
        received
      )
    case 'trades':
      return [...values.each(results as Row[], (row) => pastTrade(row, need.symbol, delayed)), ...moreTrades(m, need)]
    default:
      if (need.note === 'news') return values.each(results as Row[], (row) => [story(row, received)])
      return values.each((m.tickers ?? (m.ticker === undefined ? [] : [m.ticker])) as Row[], (row) =>
        snapshot(row, delayed, days)
      )
  }
}

function refusal(m: Row, need: Need): Meaning {
  const reason = values.say(m.error ?? m.message)
  return need.symbol === undefined ? { type: 'reject', reason } : values.rejected(need.symbol, reason)
}

/** {"ticker":"AAPL","name":"Apple Inc.","market":"stocks","active":true}; {"ticker":"X:BTCUSD","base_currency_symbol":"BTC","currency_symbol":"USD"} */
export function listingOf({
  ticker,
  name,
  market,
  active,
  base_currency_symbol: base,
  currency_symbol: quote
}: Row): readonly Listing[] {
  if (typeof ticker !== 'string' || ticker === '') return []
  const more = { trading: active !== false, ...(typeof name === 'string' && name !== '' ? { name } : {}) }
  if (market === 'indices') return [{ symbol: ticker, base: `INDEX:${ticker.replace(/^I:/, '')}`, calendar: 'XNYS', ...more }]
  if (market !== 'crypto' && market !== 'fx')
    return ticker[1] === ':' ? [] : [{ symbol: ticker, base: ticker, calendar: 'XNYS', ...more }]
  if (typeof base !== 'string' || typeof quote !== 'string') return []
  const symbol = market === 'crypto' ? `X:${base}-${quote}` : `C:${base}/${quote}`
  return [{ symbol, base, quote, aliases: [ticker], calendar: market === 'crypto' ? '24/7' : 'FX', ...more }]
}

/** The next page of this market, or the first of the next one. Its address is taken without its host, to stay where we were told. */
function nextPage({ next_url: next }: Row, { path }: Need): readonly Meaning[] {
  const market = /[?&]market=(\w+)/.exec(path)?.[1] ?? 'stocks'
  if (typeof next === 'string' && URL.canParse(next)) {
    const { pathname, search } = new URL(next)
    return [
      { type: 'need', purpose: 'listing', path: `${pathname}${search}${search.includes('market=') ? '' : `&market=${market}`}` }
    ]
  }
  const following = NEXT[market]
  if (following === undefined) return []
  return [{ type: 'need', purpose: 'listing', path: `/v3/reference/tickers?market=${following}&active=true&limit=1000` }]
}

/** The rest of a long break. */
function moreTrades({ next_url: next }: Row, need: Need): readonly Meaning[] {
  if (typeof next !== 'string' || !URL.canParse(next)) return []
  const { pathname, search } = new URL(next)
  return [{ ...need, path: `${pathname}${search}` }]
}

/** Cancelled or erroneous, or the record of a cancel, an error or a correction with what was wrong: none of them is a trade. */
const VOID = new Set<unknown>([7, 8, 10, 11, 12])

/** {"conditions":[12,37],"correction":1,"exchange":11,"id":"183276","price":156.43,"sequence_number":7179341,"sip_timestamp":1651181822461979400,"size":10} */
function pastTrade(m: Row, symbol: unknown, delayed: number | undefined): readonly Meaning[] {
  if (VOID.has(m.correction)) return []
  const time = epoch(m.sip_timestamp ?? m.participant_timestamp)
  const isCrypto = typeof symbol === 'string' && symbol.startsWith('X:')
  const [price, size] = [values.number(m.price), values.number(m.decimal_size ?? m.size)]
  const id = idOf(time, m.exchange, m.trf_id, m.id)
  const event = values.trade(symbol, id, time, price, size, isCrypto ? sideOf(m.conditions) : 'unknown')
  if (event.type !== 'trade') return [event]
  event.venue = values.say(m.exchange)
  const conditions = values.codes(m.conditions)
  if (conditions) event.conditions = conditions
  if (!isCrypto && !isLast(conditions)) event.ineligible = true
  return [delayed === undefined ? event : { ...event, delayed }]
}

/** {"ticker":"AAPL","day":{"c":160.3,"h":166.2,"l":159.8,"o":161.84,"v":68840127},"lastTrade":{"p":160.3,"t":...},"prevDay":{"c":164.77},"todaysChange":-4.5,"todaysChangePerc":-2.7,"updated":1651251948407646487} */
function snapshot(m: Row, delayed: number | undefined, days: Map<string, Day>): readonly Meaning[] {
  const [day, last, before] = [m.day, m.lastTrade, m.prevDay].map((part) => (values.isRecord(part) ? part : {})) as [
    Row,
    Row,
    Row
  ]
  const price = values.number(last.p ?? day.c)
  const time = epoch(m.updated) || epoch(last.t)
  if (price === 0 || Number.isNaN(price)) return []
  const { o: open, h: high, l: low, v: volume } = day
  const known = { high: values.number(high), low: values.number(low), prevClose: values.number(before.c) }
  if (typeof m.ticker === 'string' && Object.values(known).every(values.isPrice)) days.set(m.ticker, known)
  const event = values.ticker(m.ticker, time, price, {
    open,
    high,
    low,
    volume,
    change: m.todaysChange,
    changePercent: m.todaysChangePerc,
    prevClose: before.c
  })
  return [event.type === 'ticker' && delayed !== undefined ? { ...event, delayed } : event]
}

/** {"id":"JeJE...","publisher":{"name":"MarketWatch"},"title":"...","author":"MarketWatch","published_utc":"2022-04-28T17:08:00Z","article_url":"...","tickers":["MSFT"],"description":"..."} */
function story(m: Row, received: number): Meaning {
  const publisher = values.isRecord(m.publisher) ? m.publisher.name : undefined
  return values.story({
    id: m.id,
    time: parseTime(m.published_utc),
    received,
    headline: m.title,
    summary: m.description,
    url: m.article_url,
    author: m.author,
    source: publisher,
    image: m.image_url,
    symbols: Array.isArray(m.tickers) ? (m.tickers as unknown[]) : [],
    categories: Array.isArray(m.keywords) ? (m.keywords as unknown[]) : []
  })
}
