/** Alpaca's REST for stocks and its listing of assets, answered from what the plant holds. */
import { topicName, type Interval } from '@tickwire/protocol'
import { at, barRow, quoteRow, tradeRow } from './alpaca.frames.ts'
import type { Desk, Dialect, HttpAnswer, HttpRequest, InstrumentInfo } from './dialect.ts'
import { candlesOf, first, limitOf } from './past.ts'

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

const bad = (status: number, message: string): HttpAnswer => ({ status, body: { message } })
/** REST rows are those of the stream without the type and the symbol. */
const bare = ({ T: _type, S: _symbol, ...row }: { T: string; S: string; [key: string]: unknown }): object => row

/** An id in the form of Alpaca's, made of the symbol. */
const idOf = (symbol: string): string =>
  `00000000-0000-4000-8000-${Array.from(symbol, (c) => c.charCodeAt(0).toString(16))
    .join('')
    .padStart(12, '0')
    .slice(-12)}`

const asset = ({ instrument, name, providers }: InstrumentInfo) => ({
  id: idOf(instrument),
  class: 'us_equity',
  exchange: 'NASDAQ',
  symbol: instrument,
  name: name ?? instrument,
  status: 'active',
  tradable: providers.length === 0 || providers.some((listing) => listing.trading),
  marginable: true,
  shortable: true,
  easy_to_borrow: true,
  fractionable: true
})

const assets = (_request: HttpRequest, desk: Desk): HttpAnswer => ({
  status: 200,
  body: desk
    .instruments()
    .filter((info) => info.quote === undefined)
    .map(asset)
})

function snapshot(symbol: string, desk: Desk): object {
  const trade = desk.last(topicName('trade', symbol))
  const quote = desk.last(topicName('quote', symbol))
  const minute = candlesOf(desk, symbol, '1m', 2).findLast((candle) => candle.closed)
  const [today, yesterday] = candlesOf(desk, symbol, '1d', 2).reverse()
  return {
    ...(trade?.type === 'trade' && { latestTrade: bare(tradeRow(trade)) }),
    ...(quote?.type === 'quote' && { latestQuote: bare(quoteRow(quote)) }),
    ...(minute && { minuteBar: bare(barRow('b', minute)) }),
    ...(today && { dailyBar: bare(barRow('d', today)) }),
    ...(yesterday && { prevDailyBar: bare(barRow('d', yesterday)) })
  }
}

const symbolsOf = (request: HttpRequest, desk: Desk): string[] =>
  first(request.query['symbols'])
    .split(',')
    .filter((symbol) => desk.instrument(symbol)?.quote === undefined && desk.instrument(symbol) !== undefined)

function snapshots(request: HttpRequest, desk: Desk): HttpAnswer {
  if (request.query['symbols'] === undefined) return bad(400, 'symbols is required')
  return { status: 200, body: Object.fromEntries(symbolsOf(request, desk).map((symbol) => [symbol, snapshot(symbol, desk)])) }
}

const timeOf = (value: string, otherwise: number): number => (value === '' ? otherwise : Date.parse(value))

/** The bars of one symbol, or why not. */
function barsOf(request: HttpRequest, desk: Desk, symbol: string): object[] | HttpAnswer {
  const timeframe = first(request.query['timeframe'])
  const interval = TIMEFRAMES[timeframe]
  if (!interval) return bad(400, `invalid timeframe: ${timeframe}`)
  const [from, to] = [timeOf(first(request.query['start']), 0), timeOf(first(request.query['end']), Infinity)]
  if (Number.isNaN(from) || Number.isNaN(to)) return bad(400, 'invalid start or end')
  const inside = candlesOf(desk, symbol, interval, 1_000).filter((c) => c.start >= from && c.start <= to && c.trades !== 0)
  const limit = limitOf(request.query['limit'], 1_000, 10_000)
  const descending = first(request.query['sort']) === 'desc'
  return (descending ? inside.reverse() : inside).slice(0, limit).map((candle) => bare(barRow('b', candle)))
}

function bars(request: HttpRequest, desk: Desk): HttpAnswer {
  if (request.query['symbols'] === undefined) return bad(400, 'symbols is required')
  const found: Record<string, object[]> = {}
  for (const symbol of symbolsOf(request, desk)) {
    const rows = barsOf(request, desk, symbol)
    if (!Array.isArray(rows)) return rows
    found[symbol] = rows
  }
  return { status: 200, body: { bars: found, next_page_token: null } }
}

/** `/v2/stocks/{symbol}/snapshot`, `/v2/stocks/{symbol}/bars`, `.../quotes/latest`, `.../trades/latest`. */
function ofSymbol(request: HttpRequest, desk: Desk): HttpAnswer {
  const [symbol = '', ...what] = request.path.slice('/v2/stocks/'.length).split('/')
  if (!desk.instrument(symbol)) return bad(404, `symbol not found: ${symbol}`)
  const path = what.join('/')
  if (path === 'snapshot') return { status: 200, body: { symbol, ...snapshot(symbol, desk) } }
  if (path === 'bars') {
    const rows = barsOf(request, desk, symbol)
    return Array.isArray(rows) ? { status: 200, body: { symbol, bars: rows, next_page_token: null } } : rows
  }
  const { latestTrade, latestQuote } = snapshot(symbol, desk) as { latestTrade?: object; latestQuote?: object }
  if (path === 'trades/latest') return { status: 200, body: { symbol, trade: latestTrade } }
  return path === 'quotes/latest' ? { status: 200, body: { symbol, quote: latestQuote } } : bad(404, 'endpoint not found')
}

/** A bar's day is told by its start, so a clock of the market is the one thing that needs the time. */
const clock = (_request: HttpRequest, _desk: Desk, now: number): HttpAnswer => ({
  status: 200,
  body: { timestamp: at(now), is_open: true }
})

export const routes: NonNullable<Dialect['http']> = [
  { route: 'GET /v2/assets', answer: assets },
  { route: 'GET /v2/clock', answer: clock },
  { route: 'GET /v2/stocks/snapshots', answer: snapshots },
  { route: 'GET /v2/stocks/bars', answer: bars },
  { route: 'GET /v2/stocks/*', answer: ofSymbol }
]
