/** Finnhub's REST, answered from what the plant holds. Times are in seconds. */
import { topicName, type Candle, type Interval, type News } from '@tickwire/protocol'
import type { Desk, Dialect, HttpAnswer, HttpRequest, InstrumentInfo, Keys } from './dialect.ts'
import { exchangeOf, infoOf, marketOf, pairsOf, symbolsOf, type Pair } from './finnhub.symbols.ts'
import { isForbidden } from './markets.ts'
import { candlesOf, first } from './past.ts'

type Answer = (request: HttpRequest, desk: Desk) => HttpAnswer | Promise<HttpAnswer>

const ok = (body: unknown): HttpAnswer => ({ status: 200, body })
const bad = (status: number, error: string): HttpAnswer => ({ status, body: { error } })
export const keys: Keys = {
  headers: ['x-finnhub-token'],
  query: ['token'],
  refusal: (sent) => bad(401, sent ? 'Invalid API key' : 'Please use an API key.'),
  handshake: 'must'
}
export const NOT_PERMITTED = "You don't have access to this resource."
/** A source's terms keep it from this user. */
const forbidden = bad(403, NOT_PERMITTED)
const seconds = (time: number): number => Math.floor(time / 1_000)

/** Who may ask is decided by the gateway; a token that is named must be one. */
const keyed =
  (answer: Answer): Answer =>
  (request, desk) =>
    request.query['token'] === '' ? bad(401, 'Invalid API key') : answer(request, desk)

/** A symbol that nobody knows is answered with zeros, and with success. */
const UNKNOWN = { c: 0, d: null, dp: null, h: 0, l: 0, o: 0, pc: 0, t: 0 }

/** {"c":162.65,"d":0.29,"dp":0.1786,"h":163.09,"l":162.13,"o":162.44,"pc":162.36,"t":1680273039} */
function quote({ query }: HttpRequest, desk: Desk): HttpAnswer {
  const symbol = first(query['symbol'])
  if (symbol === '') return bad(422, 'Symbol is required.')
  const info = infoOf(desk, symbol)
  if (info && isForbidden(desk, info.instrument)) return forbidden
  const day = info && desk.last(topicName('ticker', info.instrument))
  if (day?.type === 'ticker') {
    const { last: c, open = c, high = c, low = c, change, changePercent, prevClose } = day
    const pc = prevClose ?? Number((c - (change ?? c - open)).toFixed(8))
    const d = change ?? Number((c - pc).toFixed(8))
    return ok({
      c,
      d,
      dp: changePercent ?? Number(((100 * d) / pc).toFixed(4)),
      h: high,
      l: low,
      o: open,
      pc,
      t: seconds(day.time)
    })
  }
  const trade = info && desk.last(topicName('trade', info.instrument))
  if (trade?.type !== 'trade') return ok(UNKNOWN)
  const [yesterday, today] = [undefined, ...candlesOf(desk, trade.instrument, '1d', 2)].slice(-2)
  const { price: c } = trade
  const { open: o, high: h, low: l } = today ?? { open: c, high: c, low: c }
  const pc = yesterday?.close ?? o
  const d = Number((c - pc).toFixed(8))
  return ok({ c, d, dp: Number(((100 * d) / pc).toFixed(4)), h, l, o, pc, t: seconds(trade.time) })
}

const RESOLUTIONS: Readonly<Record<string, Interval>> = { '1': '1m', '5': '5m', '15': '15m', '30': '30m', '60': '1h', D: '1d' }

/** As many as the past of an instrument is told here. */
const MOST = 1_000

function candles({ query }: HttpRequest, desk: Desk): HttpAnswer | Promise<HttpAnswer> {
  const [symbol, resolution, from, to] = ['symbol', 'resolution', 'from', 'to'].map((key) => first(query[key])) as [
    string,
    string,
    string,
    string
  ]
  const interval = Object.hasOwn(RESOLUTIONS, resolution) ? RESOLUTIONS[resolution] : undefined
  if (symbol === '') return bad(422, 'Symbol is required.')
  if (!interval) return bad(422, 'Wrong resolution. Supported resolutions here: 1, 5, 15, 30, 60, D.')
  if (!/^\d+$/.test(from) || !/^\d+$/.test(to)) return bad(422, 'Wrong from or to: they are UNIX timestamps.')
  const info = infoOf(desk, symbol)
  if (!info) return ok({ s: 'no_data' })
  if (isForbidden(desk, info.instrument)) return forbidden
  return desk.candles(info.instrument, interval, MOST).then((past) => {
    const rows = past.filter(({ start }) => start >= Number(from) * 1_000 && start <= Number(to) * 1_000)
    return ok(columns(rows.filter(({ trades }) => trades !== 0)))
  })
}

/** {"c":[217.68],"h":[222.49],"l":[217.19],"o":[221.03],"s":"ok","t":[1569297600],"v":[33463820]} */
function columns(rows: readonly Candle[]): object {
  if (rows.length === 0) return { s: 'no_data' }
  const column = (key: 'open' | 'high' | 'low' | 'close' | 'volume') => rows.map((row) => row[key])
  const [c, h, l, o, v] = (['close', 'high', 'low', 'open', 'volume'] as const).map(column)
  return { c, h, l, o, s: 'ok', t: rows.map(({ start }) => seconds(start)), v }
}

const stock = ({ instrument, name }: InstrumentInfo) => ({
  currency: 'USD',
  description: (name ?? instrument).toUpperCase(),
  displaySymbol: instrument,
  figi: '',
  mic: 'XNAS',
  symbol: instrument,
  type: 'Common Stock'
})

const isStock = (info: InstrumentInfo): boolean => marketOf(info) === 'stock'
/** The stocks of other countries have names of another form here. */
const stocks: Answer = ({ query }, desk) =>
  ok(first(query['exchange']) === 'US' ? desk.instruments().filter(isStock).map(stock) : [])

const pair = ({ info, symbol }: Pair) => {
  const displaySymbol = `${info.base}/${info.quote}`
  const exchange = symbol.slice(0, symbol.indexOf(':'))
  return { description: `${exchange[0]}${exchange.slice(1).toLowerCase()} ${displaySymbol}`, displaySymbol, symbol }
}
const exchanges =
  (market: 'crypto' | 'forex'): Answer =>
  (_request, desk) =>
    ok([...new Set(pairsOf(desk, market).map(({ symbol }) => exchangeOf(symbol)))])
const pairs =
  (market: 'crypto' | 'forex'): Answer =>
  ({ query }, desk) => {
    const exchange = first(query['exchange']).toLowerCase()
    if (exchange === '') return bad(422, 'Exchange is required.')
    const listed = pairsOf(desk, market).filter(({ symbol }) => exchangeOf(symbol) === exchange)
    return ok(listed.map(pair))
  }

/** {"count":1,"result":[{"description":"APPLE INC","displaySymbol":"AAPL","symbol":"AAPL","type":"Common Stock"}]} */
function search({ query }: HttpRequest, desk: Desk): HttpAnswer {
  const text = first(query['q']).toUpperCase()
  if (text === '') return bad(422, 'Query is required.')
  const rows = desk.instruments().flatMap((info) =>
    symbolsOf(info).map((symbol) => {
      const { displaySymbol, description } = isStock(info) ? stock(info) : pair({ info, symbol })
      return {
        description,
        displaySymbol,
        symbol,
        type: isStock(info) ? 'Common Stock' : marketOf(info) === 'forex' ? 'Forex' : 'Crypto'
      }
    })
  )
  const result = rows.filter((row) => `${row.symbol} ${row.displaySymbol} ${row.description}`.toUpperCase().includes(text))
  return ok({ count: result.length, result })
}

/** A story's id is a number there; those of others are kept as they are. */
const story = (e: News, related: string) => ({
  category: e.categories?.[0] ?? 'general',
  datetime: seconds(e.time),
  headline: e.headline,
  id: /^[1-9]\d{0,14}$/.test(e.id) ? Number(e.id) : e.id,
  image: e.image ?? '',
  related,
  source: e.source ?? e.provider,
  summary: e.summary ?? '',
  url: e.url ?? ''
})
const KEPT = 100
const told = (desk: Desk, about: string): News[] =>
  desk
    .recent(topicName('news', about), KEPT)
    .filter((event) => event.type === 'news')
    .reverse()

const news: Answer = (_request, desk) =>
  isForbidden(desk, 'all', 'news') ? forbidden : ok(told(desk, 'all').map((e) => story(e, e.instruments.join(','))))
function companyNews({ query }: HttpRequest, desk: Desk): HttpAnswer {
  const info = infoOf(desk, first(query['symbol']))
  const [from, to] = [Date.parse(first(query['from'])), Date.parse(first(query['to']))]
  if (Number.isNaN(from) || Number.isNaN(to)) return bad(422, 'Wrong from or to: they are days, as in 2023-01-09.')
  if (info && isForbidden(desk, info.instrument, 'news')) return forbidden
  const stories = info ? told(desk, info.instrument).filter(({ time }) => time >= from && time < to + 86_400_000) : []
  return ok(stories.map((e) => story(e, info!.instrument)))
}

const answers: Readonly<Record<string, Answer>> = {
  '/quote': quote,
  '/stock/candle': candles,
  '/crypto/candle': candles,
  '/forex/candle': candles,
  '/stock/symbol': stocks,
  '/crypto/exchange': exchanges('crypto'),
  '/crypto/symbol': pairs('crypto'),
  '/forex/exchange': exchanges('forex'),
  '/forex/symbol': pairs('forex'),
  '/search': search,
  '/news': news,
  '/company-news': companyNews
}
export const routes: NonNullable<Dialect['http']> = Object.entries(answers).map(([path, answer]) => ({
  route: `GET /api/v1${path}`,
  answer: keyed(answer)
}))
