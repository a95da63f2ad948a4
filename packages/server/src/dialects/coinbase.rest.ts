/** Coinbase Advanced Trade's public REST, answered from what the plant holds. */
import { topicName, type Interval } from '@tickwire/protocol'
import { at, candleRow, num, tradeRow } from './coinbase.frames.ts'
import type { Desk, Dialect, HttpAnswer, HttpRequest, InstrumentInfo, Keys } from './dialect.ts'
import { isForbidden, isPair } from './markets.ts'
import { first, limitOf, tradesOf } from './past.ts'

const ROOT = '/api/v3/brokerage/market'
const GRANULARITY: Readonly<Record<string, Interval>> = {
  ONE_MINUTE: '1m',
  FIVE_MINUTE: '5m',
  FIFTEEN_MINUTE: '15m',
  THIRTY_MINUTE: '30m',
  ONE_HOUR: '1h',
  TWO_HOUR: '2h',
  FOUR_HOUR: '4h',
  SIX_HOUR: '6h',
  ONE_DAY: '1d'
}

export const NOT_PERMITTED = 'permission denied'
const error = (status: number, name: string, message: string): HttpAnswer => ({
  status,
  body: { error: name, error_details: message, message }
})
/** Signed tokens of the newer keys come as a Bearer, as everywhere. */
export const keys: Keys = {
  headers: ['cb-access-key'],
  query: [],
  refusal: () => error(401, 'UNAUTHENTICATED', 'Unauthorized'),
  handshake: 'may'
}
/** A source's terms keep it from this user. */
const forbidden = error(403, 'PERMISSION_DENIED', `${NOT_PERMITTED} to this product`)
const unknown = error(404, 'NOT_FOUND', 'product not found')
const step = (decimals: number): string => num(10 ** -decimals)

function product({ instrument, base, quote = '', name, priceDecimals = 8, sizeDecimals = 8 }: InstrumentInfo, desk: Desk) {
  const ticker = desk.last(topicName('ticker', instrument))
  const day = ticker?.type === 'ticker' ? ticker : undefined
  return {
    product_id: instrument,
    price: day ? num(day.last) : '',
    price_percentage_change_24h: day?.changePercent === undefined ? '' : num(day.changePercent),
    volume_24h: day?.volume === undefined ? '' : num(day.volume),
    base_increment: step(sizeDecimals),
    quote_increment: step(priceDecimals),
    price_increment: step(priceDecimals),
    base_min_size: step(sizeDecimals),
    base_name: name ?? base,
    quote_name: quote,
    is_disabled: false,
    new: false,
    status: 'online',
    cancel_only: false,
    limit_only: false,
    post_only: false,
    trading_disabled: false,
    auction_mode: false,
    product_type: 'SPOT',
    quote_currency_id: quote,
    base_currency_id: base,
    base_display_symbol: base,
    quote_display_symbol: quote,
    view_only: false,
    alias: '',
    alias_to: [],
    display_name: `${base}-${quote}`
  }
}

const pairs = (desk: Desk) => desk.instruments().filter(isPair)

const TYPES: ReadonlySet<string> = new Set(['', 'UNKNOWN_PRODUCT_TYPE', 'SPOT'])

/** Whoever asks for the futures alone is told of none, not of the same pairs again under another type. */
function products({ query }: HttpRequest, desk: Desk): HttpAnswer {
  const type = first(query['product_type'])
  if (!TYPES.has(type) && type !== 'FUTURE') return error(400, 'INVALID_ARGUMENT', 'product_type argument is invalid')
  const asked = query['product_ids']
  const ids = asked === undefined ? undefined : new Set(typeof asked === 'string' ? asked.split(',') : asked)
  const found = TYPES.has(type) ? pairs(desk).filter((info) => !ids || ids.has(info.instrument)) : []
  const offset = limitOf(query['offset'], 0, Infinity)
  const page = found.slice(offset, offset + limitOf(query['limit'], Infinity, Infinity))
  return { status: 200, body: { products: page.map((info) => product(info, desk)), num_products: page.length } }
}

/** `/market/products/{id}`, `/market/products/{id}/candles`, `/market/products/{id}/ticker`. */
function ofProduct(request: HttpRequest, desk: Desk): HttpAnswer | Promise<HttpAnswer> {
  const [id = '', what] = request.path.slice(request.path.indexOf('/products/') + 10).split('/')
  const info = desk.instrument(id)
  if (!isPair(info)) return unknown
  if (isForbidden(desk, id)) return forbidden
  if (what === undefined) return { status: 200, body: product(info, desk) }
  if (what === 'candles') return candles(request, desk, id)
  return what === 'ticker' ? ticker(request, desk, id) : error(404, 'NOT_FOUND', 'unknown path')
}

function candles(request: HttpRequest, desk: Desk, id: string): HttpAnswer | Promise<HttpAnswer> {
  const interval = GRANULARITY[first(request.query['granularity'])]
  if (!interval) return error(400, 'INVALID_ARGUMENT', 'granularity argument is invalid')
  const from = Number(request.query['start'] ?? 0) * 1_000
  const to = Number(request.query['end'] ?? Infinity) * 1_000
  return desk.candles(id, interval, 1_000).then((all) => {
    const inside = all.filter((candle) => candle.start >= from && candle.start <= to)
    const rows = inside.slice(-limitOf(request.query['limit'], 350, 350)).map((candle) => {
      const { start, low, high, open, close, volume } = candleRow(candle)
      return { start, low, high, open, close, volume }
    })
    return { status: 200, body: { candles: rows.reverse() } }
  })
}

function ticker(request: HttpRequest, desk: Desk, id: string): HttpAnswer {
  const quote = desk.last(topicName('quote', id))
  const [from, to] = [Number(first(request.query['start'])) * 1_000, Number(first(request.query['end']) || Infinity) * 1_000]
  const inside = tradesOf(desk, id, 1_000).filter(({ time }) => time >= from && time <= to)
  const trades = inside.slice(-limitOf(request.query['limit'], 100, 1_000)).reverse()
  const [bid, ask] = quote?.type === 'quote' ? [num(quote.bid), num(quote.ask)] : ['', '']
  return {
    status: 200,
    body: { trades: trades.map((e) => ({ ...tradeRow(e), bid: '', ask: '' })), best_bid: bid, best_ask: ask }
  }
}

function book(request: HttpRequest, desk: Desk): HttpAnswer {
  const id = first(request.query['product_id'])
  if (id === '') return error(400, 'INVALID_ARGUMENT', 'valid product_id is required')
  if (!isPair(desk.instrument(id))) return unknown
  if (isForbidden(desk, id)) return forbidden
  const event = desk.last(topicName('book', id))
  const levels = limitOf(request.query['limit'], 1_000, 1_000)
  const rows = (side: readonly (readonly [number, number])[]) =>
    side.slice(0, levels).map(([price, size]) => ({ price: num(price), size: num(size) }))
  const { bids, asks, time } = event?.type === 'book' ? event : { bids: [], asks: [], time: 0 }
  return { status: 200, body: { pricebook: { product_id: id, bids: rows(bids), asks: rows(asks), time: at(time) } } }
}

/** {"data":[{"id":"BTC","name":"Bitcoin","min_size":"0.00000001"}]}: money here, coins under `crypto`, as `code`. */
function currencies({ path }: HttpRequest, desk: Desk): HttpAnswer {
  const coins = new Map(pairs(desk).map(({ base, name }) => [base, name ?? base]))
  const money = [...new Set(pairs(desk).map(({ quote }) => quote))].filter((code) => !coins.has(code))
  const data = path.endsWith('/crypto')
    ? [...coins].map(([code, name]) => ({ code, name, type: 'crypto', exponent: 8, asset_id: code }))
    : money.map((id) => ({ id, name: id, min_size: '0.01' }))
  return { status: 200, body: { data } }
}

/** {"data":{"currency":"USD","rates":{"BTC":"0.0000105"}}}: what one dollar buys of each coin that has a last price */
function rates(_request: HttpRequest, desk: Desk): HttpAnswer {
  const found = pairs(desk).flatMap(({ instrument, base, quote }) => {
    const event = quote === 'USD' ? desk.last(topicName('ticker', instrument)) : undefined
    return event?.type === 'ticker' ? [[base, num(1 / event.last)] as const] : []
  })
  return { status: 200, body: { data: { currency: 'USD', rates: Object.fromEntries([...found, ['USD', '1.0']]) } } }
}

export const routes: NonNullable<Dialect['http']> = [
  { route: `GET ${ROOT}/products`, answer: products },
  { route: `GET ${ROOT}/products/*`, answer: ofProduct },
  { route: `GET ${ROOT}/product_book`, answer: book },
  { route: 'GET /v2/exchange-rates', answer: rates },
  { route: 'GET /v2/currencies', answer: currencies },
  { route: 'GET /v2/currencies/crypto', answer: currencies }
]
