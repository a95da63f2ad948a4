/** Binance spot's public REST, answered from what the plant holds. */
import { INTERVALS, topicName, type Candle, type Interval } from '@tickwire/protocol'
import {
  aggTradeFrame,
  bookTickerFrame,
  idOf,
  instrumentOf,
  klineFrame,
  ms,
  num,
  rows,
  symbolOf,
  tickerFrame
} from './binance.frames.ts'
import type { Desk, Dialect, HttpAnswer, HttpRequest, InstrumentInfo, Keys } from './dialect.ts'
import { isForbidden, isPair } from './markets.ts'
import { first, limitOf, tradesOf } from './past.ts'

const bad = (code: number, msg: string): HttpAnswer => ({ status: 400, body: { code, msg } })
export const DENIED = { code: -2015, msg: 'Invalid API-key, IP, or permissions for action.' }
const forbidden: HttpAnswer = { status: 401, body: DENIED }
export const keys: Keys = {
  headers: ['x-mbx-apikey'],
  query: [],
  refusal: (sent) => ({ status: 401, body: sent ? DENIED : { code: -2014, msg: 'API-key format invalid.' } }),
  handshake: 'may'
}
const missing = (name: string): HttpAnswer =>
  bad(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`)

const SYMBOL = '[A-Z0-9-_.]{1,20}'
const NUMBER = '^[0-9]{1,20}$'
/** What each parameter may hold. */
const LEGAL: Readonly<Record<string, string>> = {
  symbol: `^${SYMBOL}$`,
  symbols: `^\\["${SYMBOL}"(,"${SYMBOL}"){0,}\\]$`,
  limit: NUMBER,
  fromId: NUMBER,
  startTime: NUMBER,
  endTime: NUMBER
}

/** What is wrong with the parameters, whatever is asked. */
function faultOf({ query }: HttpRequest): HttpAnswer | undefined {
  for (const [name, value] of Object.entries(query)) {
    if (typeof value !== 'string') return bad(-1101, 'Duplicate values for a parameter detected.')
    const legal = Object.hasOwn(LEGAL, name) ? LEGAL[name] : undefined
    if (legal === undefined) continue
    if (value === '') return bad(-1105, `Parameter '${name}' was empty.`)
    if (!new RegExp(legal).test(value))
      return bad(-1100, `Illegal characters found in parameter '${name}'; legal range is '${legal}'.`)
    if (name === 'limit' && Number(value) === 0) return bad(-1130, "Data sent for parameter 'limit' is not valid.")
  }
  return 'symbol' in query && 'symbols' in query ? bad(-1128, 'Combination of optional parameters invalid.') : undefined
}

/** `["A","B"]` */
const namesIn = (symbols: string): string[] => (symbols.match(/"[^"]*"/g) ?? []).map((name) => name.slice(1, -1))

/** One symbol, several (`symbols=["A","B"]`) or all, each answered by `answer`. */
function each(request: HttpRequest, desk: Desk, answer: (info: InstrumentInfo) => object | undefined): HttpAnswer {
  const { symbol, symbols } = request.query
  if (symbol !== undefined) {
    const info = instrumentOf(desk, first(symbol))
    return info ? { status: 200, body: answer(info) ?? {} } : bad(-1121, 'Invalid symbol.')
  }
  let wanted: readonly (InstrumentInfo | undefined)[] = desk.instruments().filter(isPair)
  if (symbols !== undefined) {
    wanted = namesIn(first(symbols)).map((name) => instrumentOf(desk, name))
  }
  if (wanted.includes(undefined)) return bad(-1121, 'Invalid symbol.')
  return { status: 200, body: wanted.map((info) => answer(info!)).filter((body) => body !== undefined) }
}

/** The same of prices, which a source's terms may keep from this user: of all he is told those that he may be. */
const eachPriced =
  (answer: (info: InstrumentInfo, desk: Desk) => object | undefined) =>
  (request: HttpRequest, desk: Desk): HttpAnswer => {
    const { symbol, symbols = '' } = request.query
    const named = (symbol === undefined ? namesIn(first(symbols)) : [first(symbol)]).map((name) => instrumentOf(desk, name))
    if (named.some((info) => info && isForbidden(desk, info.instrument))) return forbidden
    return each(request, desk, (info) => answer(info, desk))
  }

const one =
  <A extends HttpAnswer | Promise<HttpAnswer>>(answer: (info: InstrumentInfo, request: HttpRequest, desk: Desk) => A) =>
  (request: HttpRequest, desk: Desk): A | HttpAnswer => {
    if (request.query['symbol'] === undefined) return missing('symbol')
    const info = instrumentOf(desk, first(request.query['symbol']))
    if (!info) return bad(-1121, 'Invalid symbol.')
    return isForbidden(desk, info.instrument) ? forbidden : answer(info, request, desk)
  }

const step = (decimals: number): string => (10 ** -decimals).toFixed(8)
const listed = ({ base, quote = '', priceDecimals = 8, sizeDecimals = 8, providers }: InstrumentInfo) => ({
  symbol: base + quote,
  status: providers.length === 0 || providers.some((listing) => listing.trading) ? 'TRADING' : 'BREAK',
  baseAsset: base,
  baseAssetPrecision: 8,
  quoteAsset: quote,
  quotePrecision: 8,
  quoteAssetPrecision: 8,
  orderTypes: ['LIMIT', 'MARKET'],
  isSpotTradingAllowed: true,
  filters: [
    { filterType: 'PRICE_FILTER', minPrice: step(priceDecimals), maxPrice: '1000000.00000000', tickSize: step(priceDecimals) },
    { filterType: 'LOT_SIZE', minQty: step(sizeDecimals), maxQty: '9000000.00000000', stepSize: step(sizeDecimals) }
  ],
  permissions: ['SPOT']
})

const RATE_LIMITS = [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6_000 }]

const depth = one((info, request, desk) => {
  const book = desk.hand(topicName('book', info.instrument))
  const levels = limitOf(request.query['limit'], 100, 5_000)
  if (book?.type !== 'book') return { status: 200, body: { lastUpdateId: 0, bids: [], asks: [] } }
  return {
    status: 200,
    body: { lastUpdateId: book.seq, bids: rows(book.bids.slice(0, levels)), asks: rows(book.asks.slice(0, levels)) }
  }
})

const klineRow = (c: Candle) => {
  const { k } = klineFrame(c, '')
  return [k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q, '0']
}

const klines = one((info, request, desk): HttpAnswer | Promise<HttpAnswer> => {
  const interval = first(request.query['interval']) as Interval
  if ((interval as string) === '') return missing('interval')
  if (!INTERVALS.includes(interval)) return bad(-1120, 'Invalid interval.')
  const from = Number(request.query['startTime'] ?? 0)
  const to = Number(request.query['endTime'] ?? Infinity)
  const limit = limitOf(request.query['limit'], 500, 1_000)
  return desk.candles(info.instrument, interval, 1_000).then((candles) => {
    const inside = candles.filter((c) => c.start >= from && c.start <= to)
    return { status: 200, body: (from > 0 ? inside.slice(0, limit) : inside.slice(-limit)).map(klineRow) }
  })
})

const trades = one((info, request, desk) => ({
  status: 200,
  body: tradesOf(desk, info.instrument, limitOf(request.query['limit'], 500, 1_000)).map((e) => ({
    id: idOf(e),
    price: num(e.price),
    qty: num(e.size),
    quoteQty: num(Number((e.price * e.size).toFixed(8))),
    time: ms(e.time),
    isBuyerMaker: e.side === 'sell',
    isBestMatch: true
  }))
}))

const aggTrades = one((info, request, desk) => {
  const from = Number(request.query['fromId'] ?? 0)
  const limit = limitOf(request.query['limit'], 500, 1_000)
  const start = Number(request.query['startTime'] ?? 0)
  const end = Number(request.query['endTime'] ?? Infinity)
  const found = tradesOf(desk, info.instrument, 1_000).filter((e) => idOf(e) >= from && ms(e.time) >= start && ms(e.time) <= end)
  return {
    status: 200,
    body: (from > 0 || start > 0 ? found.slice(0, limit) : found.slice(-limit)).map((e) => {
      const { a, p, q, f, l, T, m, M } = aggTradeFrame(e, '')
      return { a, p, q, f, l, T, m, M }
    })
  }
})

function day(info: InstrumentInfo, desk: Desk): object | undefined {
  const event = desk.last(topicName('ticker', info.instrument))
  if (event?.type !== 'ticker') return undefined
  const f = tickerFrame(event, symbolOf(desk, info.instrument), desk)
  return {
    symbol: f.s,
    priceChange: f.p,
    priceChangePercent: f.P,
    weightedAvgPrice: f.w,
    prevClosePrice: f.x,
    lastPrice: f.c,
    lastQty: f.Q,
    bidPrice: f.b,
    bidQty: f.B,
    askPrice: f.a,
    askQty: f.A,
    openPrice: f.o,
    highPrice: f.h,
    lowPrice: f.l,
    volume: f.v,
    quoteVolume: f.q,
    openTime: f.O,
    closeTime: f.C,
    firstId: f.F,
    lastId: f.L,
    count: f.n
  }
}

/** {"symbol":"BTCUSDT","price":"4.00000200"}: of the last trade, else of the day's figures */
function price(info: InstrumentInfo, desk: Desk): object | undefined {
  const trade = desk.last(topicName('trade', info.instrument))
  const event = trade?.type === 'trade' ? trade : undefined
  if (event) return { symbol: symbolOf(desk, info.instrument), price: aggTradeFrame(event, '').p }
  const ticker = desk.last(topicName('ticker', info.instrument))
  if (ticker?.type !== 'ticker') return undefined
  return { symbol: symbolOf(desk, info.instrument), price: tickerFrame(ticker, '', desk).c }
}

function top(info: InstrumentInfo, desk: Desk): object | undefined {
  const event = desk.last(topicName('quote', info.instrument))
  if (event?.type !== 'quote') return undefined
  const { s, b, B, a, A } = bookTickerFrame(event, symbolOf(desk, info.instrument), desk)
  return { symbol: s, bidPrice: b, bidQty: B, askPrice: a, askQty: A }
}

const all: NonNullable<Dialect['http']> = [
  { route: 'GET /api/v3/ping', answer: () => ({ status: 200, body: {} }) },
  { route: 'GET /api/v3/time', answer: (_request, _desk, now) => ({ status: 200, body: { serverTime: ms(now) } }) },
  {
    route: 'GET /api/v3/exchangeInfo',
    answer(request, desk, now) {
      const { symbol, symbols } = request.query
      const answer = each(request, desk, listed)
      if (answer.status !== 200) return answer
      const body = symbol === undefined || symbols !== undefined ? answer.body : [answer.body]
      return {
        status: 200,
        body: { timezone: 'UTC', serverTime: ms(now), rateLimits: RATE_LIMITS, exchangeFilters: [], symbols: body }
      }
    }
  },
  { route: 'GET /api/v3/depth', answer: depth },
  { route: 'GET /api/v3/klines', answer: klines },
  { route: 'GET /api/v3/trades', answer: trades },
  { route: 'GET /api/v3/aggTrades', answer: aggTrades },
  { route: 'GET /api/v3/ticker/24hr', answer: eachPriced(day) },
  { route: 'GET /api/v3/ticker/price', answer: eachPriced(price) },
  { route: 'GET /api/v3/ticker/bookTicker', answer: eachPriced(top) }
]

export const routes: NonNullable<Dialect['http']> = all.map(({ route, answer }) => ({
  route,
  answer: (request, desk, now) => faultOf(request) ?? answer(request, desk, now)
}))
