/** What Massive's REST answers: listings in pages, bars, trades, snapshots, news. */
import type { Interval } from '@tickwire/protocol'
import type { Listing, Meaning, Need, Poll } from './adapter.ts'
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
/** `X:BTC-USD` → `X:BTCUSD` */
export const restSymbol = (symbol: string): string => (symbol[1] === ':' ? symbol.replace(/[-/]/, '') : symbol)

export const tickerPoll = (symbols: readonly string[]): Poll => {
  const stocks = symbols.filter((symbol) => symbol[1] !== ':').map(encodeURIComponent)
  const path = `/v2/snapshot/locale/us/markets/stocks/tickers?tickers=${stocks.join(',')}`
  return { poll: 'tickers', every: 15_000, ...(stocks.length > 0 ? { need: { type: 'need', purpose: 'snapshot', path } } : {}) }
}
export const newsPoll = (wanted: boolean): Poll => ({
  poll: 'news',
  every: 60_000,
  ...(wanted ? { need: { type: 'need', purpose: 'snapshot', path: '/v2/reference/news?limit=50&order=desc', note: 'news' } } : {})
})

/** Which market's listing follows which. */
const NEXT: Readonly<Record<string, string>> = { stocks: 'crypto', crypto: 'fx', fx: 'indices' }

export function answer(m: Row, received: number, need: Need, delayed: number | undefined): readonly Meaning[] {
  // {"status":"ERROR","request_id":"...","error":"You've exceeded the maximum requests per minute..."}
  if (m.status === 'ERROR' || m.status === 'NOT_AUTHORIZED') return [refusal(m, need)]
  const results = m.results ?? []
  switch (need.purpose) {
    case 'listing':
      return [{ type: 'listing', rows: (results as Row[]).flatMap(listingOf) }, ...nextPage(m, need)]
    case 'history':
      // {"ticker":"AAPL","results":[{"v":642646396,"vw":1.469,"o":1.5032,"c":1.4604,"h":1.5064,"l":1.4489,"t":1112331600000,"n":82132}]}
      return values.pastCandles(
        (results as Row[]).map(({ t, o: open, h: high, l: low, c: close, v: volume = 0, n: trades }) => ({
          symbol: need.symbol,
          interval: need.interval!,
          start: epoch(t),
          time: received,
          closed: false,
          open,
          high,
          low,
          close,
          volume,
          trades
        })),
        received
      )
    case 'trades':
      return values.each(results as Row[], (row) => [pastTrade(row, need.symbol)])
    default:
      if (need.note === 'news') return values.each(results as Row[], (row) => [story(row, received)])
      return values.each((m.tickers ?? (m.ticker === undefined ? [] : [m.ticker])) as Row[], (row) => snapshot(row, delayed))
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

/** {"conditions":[12,37],"exchange":11,"id":"183276","price":156.43,"sequence_number":7179341,"sip_timestamp":1651181822461979400,"size":10} */
function pastTrade(
  { id, price, size, sip_timestamp: sip, participant_timestamp: made, exchange, conditions, trf_id: trf }: Row,
  symbol: unknown
): Meaning {
  const time = epoch(sip ?? made)
  const day = Math.floor((time - 18_000_000) / 86_400_000)
  const own =
    id === undefined
      ? undefined
      : `${day}-${values.say(exchange)}-${trf === undefined ? '' : `${values.say(trf)}-`}${values.say(id)}`
  const event = values.trade(symbol, own, time, values.number(price), values.number(size), 'unknown')
  const list = values.codes(conditions)
  return event.type === 'trade' ? { ...event, venue: values.say(exchange), ...(list && { conditions: list }) } : event
}

/** {"ticker":"AAPL","day":{"c":160.3,"h":166.2,"l":159.8,"o":161.84,"v":68840127},"lastTrade":{"p":160.3,"t":...},"prevDay":{"c":164.77},"todaysChange":-4.5,"todaysChangePerc":-2.7,"updated":1651251948407646487} */
function snapshot(m: Row, delayed: number | undefined): readonly Meaning[] {
  const [day, last, before] = [m.day, m.lastTrade, m.prevDay].map((part) => (values.isRecord(part) ? part : {})) as [
    Row,
    Row,
    Row
  ]
  const price = values.number(last.p ?? day.c)
  const time = epoch(m.updated) || epoch(last.t)
  if (price === 0 || Number.isNaN(price)) return []
  const { o: open, h: high, l: low, v: volume } = day
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
