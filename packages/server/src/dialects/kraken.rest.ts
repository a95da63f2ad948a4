/** Kraken's public REST, answered from what the plant holds. Errors come in bodies of status 200, names in the legacy spelling. */
import { INTERVAL_MS, topicName, type Level } from '@tickwire/protocol'
import type { Desk, Dialect, HttpAnswer, HttpRequest, InstrumentInfo, Keys } from './dialect.ts'
import { padded } from './digits.ts'
import { at, MINUTES, NOT_PERMITTED, precisionOf } from './kraken.frames.ts'
import { isForbidden, isPair } from './markets.ts'
import { first, limitOf, tradesOf } from './past.ts'

const ALTNAMES: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' }
/** Assets listed before the names became plain: these carry a prefix, and pairs of two of them are keyed by both. */
const LEGACY: Readonly<Record<string, string>> = {
  BTC: 'XXBT',
  ETH: 'XETH',
  LTC: 'XLTC',
  XRP: 'XXRP',
  DOGE: 'XXDG',
  USD: 'ZUSD',
  EUR: 'ZEUR'
}

const altname = (asset: string): string => ALTNAMES[asset] ?? asset
function namesOf({ base, quote = '' }: InstrumentInfo) {
  const alt = altname(base) + altname(quote)
  const legacy = base !== 'DOGE' && LEGACY[base] !== undefined && LEGACY[quote] !== undefined
  return {
    key: legacy ? LEGACY[base]! + LEGACY[quote]! : alt,
    altname: alt,
    wsname: `${altname(base)}/${altname(quote)}`,
    base: LEGACY[base] ?? base,
    quote: LEGACY[quote] ?? quote
  }
}

const error = (text: string): HttpAnswer => ({ status: 200, body: { error: [text] } })
export const keys: Keys = { headers: ['api-key'], query: [], refusal: () => error('EAPI:Invalid key'), handshake: 'may' }
const answer = (result: unknown): HttpAnswer => ({ status: 200, body: { error: [], result } })

const pairs = (desk: Desk) => desk.instruments().filter(isPair)

/** A pair by any of the names that Kraken takes: `XBTUSD`, `XXBTZUSD`, `XBT/USD`, `BTC/USD`, `BTCUSD`. */
const find = (desk: Desk, text: string): InstrumentInfo | undefined =>
  pairs(desk).find((info) => {
    const { key, altname, wsname } = namesOf(info)
    return [key, altname, wsname, `${info.base}/${info.quote}`, info.base + info.quote].includes(text)
  })

type Of = (info: InstrumentInfo, request: HttpRequest, desk: Desk) => Record<string, unknown> | HttpAnswer | Promise<HttpAnswer>
const isNumber = (value: string | readonly string[] | undefined): boolean =>
  value === undefined || (typeof value === 'string' && /^\d{1,20}$/.test(value))

/** Answers for the one pair that the query names. */
const one =
  (of: Of) =>
  (request: HttpRequest, desk: Desk): HttpAnswer | Promise<HttpAnswer> => {
    const pair = first(request.query['pair'])
    const numbers = ['since', 'count', 'interval'].map((name) => request.query[name])
    if (pair === '' || !numbers.every(isNumber)) return error('EGeneral:Invalid arguments')
    const info = find(desk, pair)
    if (!info) return error('EQuery:Unknown asset pair')
    if (isForbidden(desk, info.instrument)) return error(NOT_PERMITTED)
    const result = of(info, request, desk)
    if (result instanceof Promise) return result
    return 'status' in result ? (result as HttpAnswer) : answer(result)
  }

const asset = (name: string) => ({
  aclass: 'currency',
  altname: altname(name),
  decimals: 10,
  display_decimals: 5,
  status: 'enabled'
})

/** {"XXBT":{"aclass":"currency","altname":"XBT","decimals":10,"display_decimals":5,"status":"enabled"}} */
function assets(_request: HttpRequest, desk: Desk): HttpAnswer {
  const names = [...new Set(pairs(desk).flatMap((info) => [info.base, info.quote]))]
  return answer(Object.fromEntries(names.map((name) => [LEGACY[name] ?? altname(name), asset(name)])))
}

function assetPairs(request: HttpRequest, desk: Desk): HttpAnswer {
  const asked = first(request.query['pair'])
  const wanted = asked === '' ? pairs(desk) : asked.split(',').map((name) => find(desk, name))
  if (wanted.includes(undefined)) return error('EQuery:Unknown asset pair')
  const rows = wanted.map((info) => {
    const { key, ...names } = namesOf(info!)
    const { price, size } = precisionOf(info)
    const row = {
      ...names,
      aclass_base: 'currency',
      aclass_quote: 'currency',
      lot: 'unit',
      pair_decimals: price,
      cost_decimals: 5,
      lot_decimals: size,
      lot_multiplier: 1,
      ordermin: padded(10 ** -size, size),
      tick_size: (10 ** -price).toFixed(price),
      status: info!.providers.length === 0 || info!.providers.some((listing) => listing.trading) ? 'online' : 'cancel_only'
    }
    return [key, row]
  })
  return answer(Object.fromEntries(rows))
}

const depth = one((info, request, desk) => {
  const book = desk.last(topicName('book', info.instrument))
  const levels = limitOf(request.query['count'], 100, 500)
  const { price, size } = precisionOf(info)
  const side = (rows: readonly Level[], time: number) =>
    rows.slice(0, levels).map(([p, s]) => [padded(p, price), padded(s, size), Math.floor(time / 1_000)])
  const { bids, asks, time } = book?.type === 'book' ? book : { bids: [], asks: [], time: 0 }
  return { [namesOf(info).key]: { asks: side(asks, time), bids: side(bids, time) } }
})

const ohlc = one((info, request, desk) => {
  const interval = MINUTES[first(request.query['interval'] ?? '1')]
  if (!interval) return error('EGeneral:Invalid arguments')
  const since = Number(request.query['since'] ?? 0) * 1_000
  const { price, size } = precisionOf(info)
  return desk.candles(info.instrument, interval, 720).then((all) => {
    const candles = all.filter((candle) => candle.start > since)
    const rows = candles.map((c) => {
      const mean = padded(Number(((c.high + c.low + c.close) / 3).toFixed(price)), price)
      const [open, high, low, close] = [c.open, c.high, c.low, c.close].map((value) => padded(value, price))
      return [c.start / 1_000, open, high, low, close, mean, padded(c.volume, size), c.trades ?? 0]
    })
    // The cursor is the last bar that is final; the row after it still forms.
    const last = ((candles.at(-1)?.start ?? 0) - INTERVAL_MS[interval]) / 1_000
    return answer({ [namesOf(info).key]: rows, last: Math.max(0, last) })
  })
})

const trades = one((info, request, desk) => {
  const since = Number(request.query['since'] ?? 0) / 1e6
  const { price, size } = precisionOf(info)
  const found = tradesOf(desk, info.instrument, limitOf(request.query['count'], 1_000, 1_000)).filter((e) => e.time > since)
  const rows = found.map((e) => {
    const id = /^\d{1,15}$/.test(e.id ?? '') ? Number(e.id) : e.seq
    return [padded(e.price, price), padded(e.size, size), e.time / 1_000, e.side === 'sell' ? 's' : 'b', 'm', '', id]
  })
  return { [namesOf(info).key]: rows, last: `${Math.floor(found.at(-1)?.time ?? since)}000000` }
})

/** Today, and the last 24 hours. */
const both = (text: string): [string, string] => [text, text]
function ticker(request: HttpRequest, desk: Desk): HttpAnswer {
  const asked = first(request.query['pair'])
  // Without a pair: all of which anything is known.
  if (asked === '')
    return answer(
      Object.fromEntries(
        pairs(desk)
          .filter(({ instrument }) => desk.last(topicName('ticker', instrument)))
          .map((info) => tickerRow(info, desk))
      )
    )
  const wanted = asked.split(',').map((name) => find(desk, name))
  if (wanted.includes(undefined)) return error('EQuery:Unknown asset pair')
  if (wanted.some((info) => info && isForbidden(desk, info.instrument))) return error(NOT_PERMITTED)
  return answer(Object.fromEntries(wanted.map((info) => tickerRow(info!, desk))))
}

function tickerRow(info: InstrumentInfo, desk: Desk): [string, object] {
  const { instrument } = info
  const [day, quote, trade] = (['ticker', 'quote', 'trade'] as const).map((kind) => desk.last(topicName(kind, instrument)))
  const { price, size } = precisionOf(info)
  const [p, s] = [(value: number) => padded(value, price), (value: number) => padded(value, size)]
  const { last = 0, open = 0, high = 0, low = 0, volume = 0 } = day?.type === 'ticker' ? day : {}
  const { bid = 0, bidSize = 0, ask = 0, askSize = 0 } = quote?.type === 'quote' ? quote : {}
  const row = {
    a: [p(ask), String(Math.floor(askSize)), s(askSize)],
    b: [p(bid), String(Math.floor(bidSize)), s(bidSize)],
    c: [p(last), s(trade?.type === 'trade' ? trade.size : 0)],
    v: both(s(volume)),
    p: both(p(last)),
    t: [0, 0],
    l: both(p(low)),
    h: both(p(high)),
    o: p(open)
  }
  return [namesOf(info).key, row]
}

export const routes: NonNullable<Dialect['http']> = [
  {
    route: 'GET /0/public/Time',
    answer: (_request, _desk, now) => answer({ unixtime: Math.floor(now / 1_000), rfc1123: new Date(now).toUTCString() })
  },
  { route: 'GET /0/public/SystemStatus', answer: (_request, _desk, now) => answer({ status: 'online', timestamp: at(now) }) },
  { route: 'GET /0/public/Assets', answer: assets },
  { route: 'GET /0/public/AssetPairs', answer: assetPairs },
  { route: 'GET /0/public/Depth', answer: depth },
  { route: 'GET /0/public/OHLC', answer: ohlc },
  { route: 'GET /0/public/Trades', answer: trades },
  { route: 'GET /0/public/Ticker', answer: ticker }
]
