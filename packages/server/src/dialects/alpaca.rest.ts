/** Alpaca's REST for stocks, crypto and news and its listing of assets, answered from what the plant holds. */
import { topicName, type Interval } from '@tickwire/protocol'
import { at, barRow, bookRow, instrumentOf, newsRow, quoteRow, symbolOf, tradeRow } from './alpaca.frames.ts'
import type { Desk, Dialect, HttpAnswer, HttpRequest, InstrumentInfo, Keys } from './dialect.ts'
import { isForbidden, marketOf } from './markets.ts'
import { candlesOf, first, limitOf, tradesOf } from './past.ts'

type Market = 'stocks' | 'crypto'
const SORTS: Readonly<Record<Market, string>> = { stocks: 'stock', crypto: 'crypto' }

const TIMEFRAMES: Readonly<Record<string, Interval>> = {
  '1Min': '1m',
  '3Min': '3m',
  '5Min': '5m',
  '15Min': '15m',
  '30Min': '30m',
  '1Hour': '1h',
  '2Hour': '2h',
  '4Hour': '4h',
  '6Hour': '6h',
  '8Hour': '8h',
  '12Hour': '12h',
  '1Day': '1d'
}
/** Other spellings of the units. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/^(\d+)T$/, '$1Min'],
  [/^(\d+)H$/, '$1Hour'],
  [/^(\d+)D$/, '$1Day']
]
const intervalOf = (text: string): Interval | undefined =>
  TIMEFRAMES[UNITS.reduce((name, [pattern, words]) => name.replace(pattern, words), text)]

const bad = (status: number, message: string): HttpAnswer => ({ status, body: { message } })
/** The token is the key's id: where OAuth is used it comes as a Bearer, as everywhere. */
export const keys: Keys = {
  headers: ['apca-api-key-id'],
  query: [],
  refusal: (sent) => (sent ? bad(403, 'forbidden.') : bad(401, 'unauthorized.')),
  handshake: 'never'
}
const good = (body: unknown): HttpAnswer => ({ status: 200, body })
/** REST rows are those of the stream without the type and the symbol. */
const bare = ({ T: _type, S: _symbol, ...row }: { T: string; S: string; [key: string]: unknown }): object => row

const isOf = (market: Market, info: InstrumentInfo | undefined): boolean => info !== undefined && marketOf(info) === SORTS[market]

/** An id in the form of Alpaca's, made of the symbol. */
const idOf = (symbol: string): string =>
  `00000000-0000-4000-8000-${Array.from(symbol, (c) => c.charCodeAt(0).toString(16))
    .join('')
    .padStart(12, '0')
    .slice(-12)}`

const asset = ({ instrument, quote, name, providers }: InstrumentInfo) => ({
  id: idOf(instrument),
  class: quote === undefined ? 'us_equity' : 'crypto',
  exchange: quote === undefined ? 'NASDAQ' : 'CRYPTO',
  symbol: symbolOf(instrument),
  name: name ?? instrument,
  status: 'active',
  tradable: providers.length === 0 || providers.some((listing) => listing.trading),
  marginable: quote === undefined,
  shortable: quote === undefined,
  easy_to_borrow: quote === undefined,
  fractionable: true
})

function assets(request: HttpRequest, desk: Desk): HttpAnswer {
  const market = first(request.query['asset_class']) === 'crypto' ? 'crypto' : 'stocks'
  return good(
    desk
      .instruments()
      .filter((info) => isOf(market, info))
      .map(asset)
  )
}

type Latest = { latestTrade?: object; latestQuote?: object; minuteBar?: object; dailyBar?: object; prevDailyBar?: object }
function snapshot(id: string, desk: Desk): Latest {
  const trade = desk.last(topicName('trade', id))
  const quote = desk.last(topicName('quote', id))
  const minute = candlesOf(desk, id, '1m', 2).findLast((candle) => candle.closed)
  const [today, yesterday] = candlesOf(desk, id, '1d', 2).reverse()
  return {
    ...(trade?.type === 'trade' && { latestTrade: bare(tradeRow(trade)) }),
    ...(quote?.type === 'quote' && { latestQuote: bare(quoteRow(quote)) }),
    ...(minute && { minuteBar: bare(barRow('b', minute)) }),
    ...(today && { dailyBar: bare(barRow('d', today)) }),
    ...(yesterday && { prevDailyBar: bare(barRow('d', yesterday)) })
  }
}

/** The instruments that a query names; those that nobody lists have no row in the answer. */
const namedIn = (request: HttpRequest, desk: Desk, market: Market): string[] =>
  first(request.query['symbols'])
    .split(',')
    .map(instrumentOf)
    .filter((id) => isOf(market, desk.instrument(id)))

/** A source's terms keep it from this user. */
const forbidden = bad(403, 'subscription does not permit querying this data')

/** Answers for the instruments that a query names, unless one of them is not for this user. */
const ofNamed =
  (market: Market, answer: (ids: readonly string[], request: HttpRequest, desk: Desk) => HttpAnswer | Promise<HttpAnswer>) =>
  (request: HttpRequest, desk: Desk): HttpAnswer | Promise<HttpAnswer> => {
    if (request.query['symbols'] === undefined) return bad(400, 'symbols is required')
    const ids = namedIn(request, desk, market)
    return ids.some((id) => isForbidden(desk, id)) ? forbidden : answer(ids, request, desk)
  }

/** One row per symbol, of those that have one; `wrap` is the name under which they come. */
const perSymbol = (market: Market, wrap: string | undefined, row: (id: string, desk: Desk) => object | undefined) =>
  ofNamed(market, (ids, _request, desk) => {
    const rows = ids.flatMap((id) => {
      const found = row(id, desk)
      return found ? [[symbolOf(id), found] as const] : []
    })
    const body = Object.fromEntries(rows)
    return good(wrap === undefined ? body : { [wrap]: body })
  })

const timeOf = (value: string, otherwise: number): number => (value === '' ? otherwise : Date.parse(value))

/** The bars of one symbol, or why not. */
function barsOf(request: HttpRequest, desk: Desk, id: string): Promise<object[]> | HttpAnswer {
  const timeframe = first(request.query['timeframe'])
  const interval = intervalOf(timeframe)
  if (!interval) return bad(400, `invalid timeframe: ${timeframe}`)
  const [from, to] = [timeOf(first(request.query['start']), 0), timeOf(first(request.query['end']), Infinity)]
  if (Number.isNaN(from) || Number.isNaN(to)) return bad(400, 'invalid start or end')
  const limit = limitOf(request.query['limit'], 1_000, 10_000)
  const descending = first(request.query['sort']) === 'desc'
  return desk.candles(id, interval, 1_000).then((candles) => {
    const inside = candles.filter((c) => c.start >= from && c.start <= to && c.trades !== 0)
    return (descending ? inside.reverse() : inside).slice(0, limit).map((candle) => bare(barRow('b', candle)))
  })
}

const bars = (market: Market) =>
  ofNamed(market, (ids, request, desk) => {
    const found = ids.map((id) => [symbolOf(id), barsOf(request, desk, id)] as const)
    const fault = found.find(([, rows]) => 'status' in rows)
    if (fault) return fault[1] as HttpAnswer
    return Promise.all(found.map(([symbol, rows]) => (rows as Promise<object[]>).then((all) => [symbol, all] as const))).then(
      (all) => good({ bars: Object.fromEntries(all), next_page_token: null })
    )
  })

/** Past trades per symbol, oldest first. */
const trades = (market: Market) =>
  ofNamed(market, (ids, request, desk) => {
    const [from, to] = [timeOf(first(request.query['start']), 0), timeOf(first(request.query['end']), Infinity)]
    if (Number.isNaN(from) || Number.isNaN(to)) return bad(400, 'invalid start or end')
    const limit = limitOf(request.query['limit'], 1_000, 10_000)
    const rows = ids.map((id) => {
      const inside = tradesOf(desk, id, 1_000).filter(({ time }) => time >= from && time <= to)
      return [symbolOf(id), inside.slice(0, limit).map((e) => bare(tradeRow(e)))] as const
    })
    return good({ trades: Object.fromEntries(rows), next_page_token: null })
  })

/** `/v2/stocks/{symbol}/snapshot`, `/v2/stocks/{symbol}/bars`, `.../quotes/latest`, `.../trades/latest`. */
function ofSymbol(request: HttpRequest, desk: Desk): HttpAnswer | Promise<HttpAnswer> {
  const [symbol = '', ...what] = request.path.slice('/v2/stocks/'.length).split('/')
  if (!isOf('stocks', desk.instrument(symbol))) return bad(404, `symbol not found: ${symbol}`)
  if (isForbidden(desk, symbol)) return forbidden
  const path = what.join('/')
  if (path === 'snapshot') return good({ symbol, ...snapshot(symbol, desk) })
  if (path === 'bars') {
    const rows = barsOf(request, desk, symbol)
    return 'status' in rows ? rows : rows.then((all) => good({ symbol, bars: all, next_page_token: null }))
  }
  const { latestTrade, latestQuote } = snapshot(symbol, desk)
  if (path === 'trades/latest') return good({ symbol, trade: latestTrade })
  return path === 'quotes/latest' ? good({ symbol, quote: latestQuote }) : bad(404, 'endpoint not found')
}

function orderBook(id: string, desk: Desk): object | undefined {
  const event = desk.last(topicName('book', id))
  if (event?.type !== 'book') return undefined
  const { t, b, a } = bookRow(event, event, true)
  return { t, b, a }
}

/** Newest first, of the symbols asked for or all. */
function news(request: HttpRequest, desk: Desk): HttpAnswer {
  const asked = first(request.query['symbols']).split(',').filter(Boolean).map(instrumentOf)
  const topics = asked.length === 0 ? ['all'] : asked
  if (topics.some((id) => isForbidden(desk, id, 'news'))) return forbidden
  const stories = topics.flatMap((id) => desk.recent(topicName('news', id), 50))
  const byId = new Map(stories.flatMap((event) => (event.type === 'news' ? [[event.id, newsRow(event)] as const] : [])))
  const newest = [...byId.values()].sort((a, b) => b.created_at.localeCompare(a.created_at))
  return good({ news: newest.slice(0, limitOf(request.query['limit'], 10, 50)), next_page_token: null })
}

/** A bar's day is told by its start, so a clock of the market is the one thing that needs the time. */
const clock = (_request: HttpRequest, _desk: Desk, now: number): HttpAnswer => good({ timestamp: at(now), is_open: true })

const CRYPTO = '/v1beta3/crypto/us'
const latest = (market: Market, root: string): NonNullable<Dialect['http']> => [
  {
    route: `GET ${root}/snapshots`,
    answer: perSymbol(market, market === 'stocks' ? undefined : 'snapshots', snapshot)
  },
  { route: `GET ${root}/trades/latest`, answer: perSymbol(market, 'trades', (id, desk) => snapshot(id, desk).latestTrade) },
  { route: `GET ${root}/quotes/latest`, answer: perSymbol(market, 'quotes', (id, desk) => snapshot(id, desk).latestQuote) },
  { route: `GET ${root}/bars/latest`, answer: perSymbol(market, 'bars', (id, desk) => snapshot(id, desk).minuteBar) },
  { route: `GET ${root}/trades`, answer: trades(market) },
  { route: `GET ${root}/bars`, answer: bars(market) }
]

export const routes: NonNullable<Dialect['http']> = [
  { route: 'GET /v2/assets', answer: assets },
  { route: 'GET /v2/clock', answer: clock },
  ...latest('stocks', '/v2/stocks'),
  { route: 'GET /v2/stocks/*', answer: ofSymbol },
  // Crypto names what is latest the other way round.
  ...latest('crypto', CRYPTO).map(({ route, answer }) => ({
    route: route.replace(/\/(trades|quotes|bars)\/latest$/, '/latest/$1'),
    answer
  })),
  { route: `GET ${CRYPTO}/latest/orderbooks`, answer: perSymbol('crypto', 'orderbooks', orderBook) },
  { route: 'GET /v1beta1/news', answer: news }
]
