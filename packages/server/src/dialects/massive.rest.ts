/** Massive's REST, answered from what the plant holds. Times of single events are in nanoseconds, those of bars in milliseconds. */
import { topicName, type Candle, type News, type Published, type Quote, type Trade } from '@tickwire/protocol'
import type { Desk, Dialect, HttpAnswer, HttpRequest, InstrumentInfo } from './dialect.ts'
import { bad, keyed, missing, notEntitled, ns, ofPrices, ofTicker, ok, REQUEST, type Answer } from './massive.answers.ts'
import { barOf, conditions, identity, lotOf, sideCodes, weighted } from './massive.frames.ts'
import { snapshotOf, snapshots } from './massive.snapshot.ts'
import { infoOf, intervalOf, listed, tickerOf, type Cluster } from './massive.symbols.ts'
import { isForbidden } from './markets.ts'
import { first, limitOf, tradesOf } from './past.ts'

// ---- the listing ---------------------------------------------------------------------------------------------------

const MARKETS: Readonly<Record<Cluster, string>> = { stocks: 'stocks', crypto: 'crypto', forex: 'fx', indices: 'indices' }

function described(cluster: Cluster, info: InstrumentInfo): Record<string, unknown> {
  const { base, quote, name, providers } = info
  const active = providers.length === 0 || providers.some(({ trading }) => trading)
  const common = { ticker: tickerOf(cluster, info), name: name ?? info.instrument, market: MARKETS[cluster], active }
  if (cluster === 'indices') return { ...common, locale: 'us', source_feed: 'CMEIndices' }
  if (cluster === 'stocks') return { ...common, locale: 'us', primary_exchange: 'XNAS', type: 'CS', currency_name: 'usd' }
  const pair = { currency_symbol: quote, currency_name: quote, base_currency_symbol: base, base_currency_name: base }
  return { ...common, locale: 'global', ...pair }
}

/** One page holds all, whatever the limit: the address of a next one would need our host, which is not known here. */
function tickers({ query }: HttpRequest, desk: Desk): HttpAnswer {
  const [market, ticker, active] = ['market', 'ticker', 'active'].map((key) => first(query[key]))
  const search = first(query['search']).toLowerCase()
  const results = (Object.keys(MARKETS) as Cluster[])
    .filter((cluster) => market === '' || MARKETS[cluster] === market)
    .flatMap((cluster) => listed(desk, cluster).map((info) => described(cluster, info)))
    .filter((row) => ticker === '' || row.ticker === ticker)
    .filter((row) => active === '' || String(row.active) === active)
    .filter((row) => search === '' || `${String(row.ticker)} ${String(row.name)}`.toLowerCase().includes(search))
  return ok({ results, count: results.length })
}

// ---- bars ----------------------------------------------------------------------------------------------------------

const aggregate = (candle: Candle): object => {
  const { open: o, high: h, low: l, close: c, volume: v, start: t, trades: n } = candle
  return { v, vw: weighted(barOf(candle)), o, c, h, l, t, ...(n !== undefined && { n }) }
}

/** Milliseconds, or a day; the day of an end is meant to its end. */
const bound = (text: string, more: number): number =>
  /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) + more : /^\d+$/.test(text) ? Number(text) : Number.NaN
const DAY = 86_400_000

const aggregates = (ticker: string, candles: readonly Candle[]): HttpAnswer =>
  ok({
    ticker,
    queryCount: candles.length,
    resultsCount: candles.length,
    adjusted: true,
    count: candles.length,
    ...(candles.length > 0 && { results: candles.map(aggregate) })
  })

/** As many as the past of an instrument is told here. */
const MOST = 1_000

/** `/v2/aggs/ticker/AAPL/range/5/minute/1673395200000/2023-01-12`, `/v2/aggs/ticker/AAPL/prev`; a bar without a trade is none. */
const bars = ofPrices('/v2/aggs/ticker/', ({ info, ticker }, rest, { query }, desk) => {
  const [what, count, unit = '', from = '', to = ''] = rest
  if (what === 'prev')
    return desk
      .candles(info.instrument, '1d', 2)
      .then((days) => aggregates(ticker, days.filter(({ closed }) => closed).slice(-1)))
  if (what !== 'range') return bad(404, 'there is no such endpoint')
  const interval = intervalOf(Number(count), unit)
  if (!interval) return bad(400, `bars of ${count} ${unit} are not kept here`)
  const [begin, end] = [bound(from, 0), bound(to, DAY - 1)]
  if (Number.isNaN(begin) || Number.isNaN(end)) return bad(400, 'from and to are milliseconds, or a day as in 2023-01-09')
  return desk.candles(info.instrument, interval, MOST).then((candles) => {
    const inside = candles.filter(({ start, trades }) => start >= begin && start <= end && trades !== 0)
    const sorted = first(query['sort']) === 'desc' ? inside.reverse() : inside
    return aggregates(ticker, sorted.slice(0, limitOf(query['limit'], 5_000, 50_000)))
  })
})

// ---- trades and quotes ---------------------------------------------------------------------------------------------

const pastTrade = (e: Published<Trade>, cluster: Cluster): object => {
  const { i: id, x: exchange, trfi } = identity(e, cluster)
  const common = { exchange, id, participant_timestamp: ns(e.time), price: e.price, size: e.size }
  if (cluster === 'crypto') return { ...common, conditions: sideCodes(e) }
  const facility = trfi === undefined ? {} : { trf_id: trfi }
  return { ...common, ...facility, conditions: conditions(e), sequence_number: e.seq, sip_timestamp: ns(e.time), tape: 3 }
}
const pastQuote = (e: Published<Quote>): object => ({
  ask_exchange: 15,
  ask_price: e.ask,
  ask_size: e.askSize,
  bid_exchange: 15,
  bid_price: e.bid,
  bid_size: e.bidSize,
  participant_timestamp: ns(e.time),
  sequence_number: e.seq,
  sip_timestamp: ns(e.time),
  tape: 3
})

/** `timestamp`, `timestamp.gte` and the like, in nanoseconds or as a day, to milliseconds. */
function isWithin({ query }: HttpRequest): (time: number) => boolean {
  const at = (key: string, more = 0): number | undefined => {
    const text = first(query[key])
    return text === '' ? undefined : /^\d{17,}$/.test(text) ? Number(text) / 1e6 : bound(text, more)
  }
  const [from, to] = [at('timestamp.gte') ?? at('timestamp'), at('timestamp.lte') ?? at('timestamp', DAY - 1)]
  const [after, before] = [at('timestamp.gt'), at('timestamp.lt')]
  return (time) => time >= (from ?? 0) && time <= (to ?? Infinity) && time > (after ?? 0) && time < (before ?? Infinity)
}

function paged<E extends Published>(events: readonly E[], request: HttpRequest, say: (event: E) => object): HttpAnswer {
  const inside = events.filter(({ time }) => isWithin(request)(time))
  const sorted = first(request.query['order']) === 'asc' ? inside : inside.toReversed()
  return ok({ results: sorted.slice(0, limitOf(request.query['limit'], 1_000, 50_000)).map(say) })
}

const KEPT = 50_000
const trades = ofPrices('/v3/trades/', ({ info, cluster }, _rest, request, desk) =>
  paged(tradesOf(desk, info.instrument, KEPT), request, (trade) => pastTrade(trade, cluster))
)
const quotes = ofPrices('/v3/quotes/', ({ info }, _rest, request, desk) => {
  const kept = desk.recent(topicName('quote', info.instrument), KEPT)
  return paged(
    kept.filter((event): event is Published<Quote> => event.type === 'quote'),
    request,
    pastQuote
  )
})

const lastTrade = ofPrices('/v2/last/trade/', ({ info, cluster, ticker }, _rest, _request, desk) => {
  const e = desk.last(topicName('trade', info.instrument))
  if (e?.type !== 'trade') return missing
  const { i, x } = identity(e, cluster)
  const c = cluster === 'crypto' ? sideCodes(e) : conditions(e)
  return ok({ results: { T: ticker, p: e.price, s: e.size, t: ns(e.time), y: ns(e.time), q: e.seq, i, x, z: 3, c } })
})

/** Capitals are of the ask. */
const lastQuote = ofPrices('/v2/last/nbbo/', ({ info, ticker }, _rest, _request, desk) => {
  const e = desk.last(topicName('quote', info.instrument))
  if (e?.type !== 'quote') return missing
  const sides = { P: e.ask, S: e.askSize / lotOf(e.time), X: 15, p: e.bid, s: e.bidSize / lotOf(e.time), x: 15 }
  return ok({ results: { T: ticker, ...sides, t: ns(e.time), y: ns(e.time), q: e.seq, z: 3 } })
})

/** What follows `stem` in the path is a pair, `BTC/USD`: answers older than the rest, with times in milliseconds and a status of their own. */
const ofPair =
  (stem: string, prefix: 'X' | 'C', last: (instrument: string, desk: Desk) => object | undefined): Answer =>
  ({ path }, desk) => {
    const [from = '', to = ''] = path.slice(stem.length).split('/')
    const found = infoOf(desk, `${prefix}:${from}${to}`)
    if (found && isForbidden(desk, found.info.instrument)) return notEntitled
    const told = found && last(found.info.instrument, desk)
    const symbol = prefix === 'X' ? `${from}-${to}` : `${from}/${to}`
    return told ? { status: 200, body: { last: told, request_id: REQUEST, status: 'success', symbol } } : missing
  }

/** {"last":{"conditions":[2],"exchange":2,"price":39976.89,"size":0.005,"timestamp":1651180409688},"status":"success","symbol":"BTC-USD"} */
const lastCrypto = ofPair('/v1/last/crypto/', 'X', (instrument, desk) => {
  const e = desk.last(topicName('trade', instrument))
  if (e?.type !== 'trade') return undefined
  const { x: exchange } = identity(e, 'crypto')
  return { conditions: sideCodes(e), exchange, price: e.price, size: e.size, timestamp: Math.floor(e.time) }
})
const lastCurrency = ofPair('/v1/last_quote/currencies/', 'C', (instrument, desk) => {
  const e = desk.last(topicName('quote', instrument))
  return e?.type === 'quote' ? { ask: e.ask, bid: e.bid, exchange: 48, timestamp: Math.floor(e.time) } : undefined
})

// ---- news ----------------------------------------------------------------------------------------------------------

const story = (e: News): object => ({
  id: e.id,
  publisher: { name: e.source ?? e.provider },
  title: e.headline,
  author: e.author ?? '',
  published_utc: new Date(e.time).toISOString(),
  article_url: e.url ?? '',
  tickers: e.instruments,
  image_url: e.image ?? '',
  description: e.summary ?? '',
  keywords: e.categories ?? []
})
const news: Answer = ({ query }, desk) => {
  const about = first(query['ticker']) || 'all'
  if (isForbidden(desk, about, 'news')) return notEntitled
  const told = desk.recent(topicName('news', about), limitOf(query['limit'], 10, 1_000))
  const results = told.flatMap((event) => (event.type === 'news' ? [story(event)] : []))
  return ok({ results: first(query['order']) === 'asc' ? results : results.reverse(), count: results.length })
}

const STOCKS = '/v2/snapshot/locale/us/markets/stocks/tickers'
const CRYPTO = '/v2/snapshot/locale/global/markets/crypto/tickers'
const FOREX = '/v2/snapshot/locale/global/markets/forex/tickers'

const answers: readonly (readonly [string, Answer])[] = [
  ['/v3/reference/tickers', tickers],
  [
    '/v3/reference/tickers/*',
    ofTicker('/v3/reference/tickers/', ({ cluster, info }) => ok({ results: described(cluster, info) }))
  ],
  ['/v2/aggs/ticker/*', bars],
  ['/v3/trades/*', trades],
  ['/v3/quotes/*', quotes],
  ['/v2/last/trade/*', lastTrade],
  ['/v2/last/nbbo/*', lastQuote],
  ['/v1/last/crypto/*', lastCrypto],
  ['/v1/last_quote/currencies/*', lastCurrency],
  ...(
    [
      [STOCKS, 'stocks'],
      [CRYPTO, 'crypto'],
      [FOREX, 'forex']
    ] as const
  ).flatMap(
    ([stem, cluster]) =>
      [
        [stem, snapshots(cluster)],
        [`${stem}/*`, snapshotOf(`${stem}/`)]
      ] as const
  ),
  ['/v2/reference/news', news]
]
export const routes: NonNullable<Dialect['http']> = answers.map(([path, answer]) => ({
  route: `GET ${path}`,
  answer: keyed(answer)
}))
