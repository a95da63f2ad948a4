/** TradingView's UDF: an HTTP protocol from which its charts take symbols, bars, marks and quotes. docs/tradingview.md is its manual. */
import { udfAnswers } from './answers.ts'
import { udfAsks } from './asks.ts'
import { dialect, type Desk, type HttpAnswer, type HttpRequest } from './dialect.ts'
import { first, limitOf } from './past.ts'
import { failed, history } from './udf.history.ts'
import { marks, timescaleMarks } from './udf.marks.ts'
import { quotes } from './udf.quotes.ts'
import { exchangeOf, found, infoOf, SUPPORTED, symbolInfo, TYPES, typeOf } from './udf.symbols.ts'

const ok = (body: unknown): HttpAnswer => ({ status: 200, body })
const titled = (text: string): string => text[0]!.toUpperCase() + text.slice(1)

function config(desk: Desk): HttpAnswer {
  const exchanges = [...new Set(desk.instruments().map(exchangeOf))].sort()
  return ok({
    supports_search: true,
    supports_group_request: false,
    supports_marks: true,
    supports_timescale_marks: true,
    supports_time: true,
    exchanges: [
      { value: '', name: 'All Exchanges', desc: '' },
      ...exchanges.map((value) => ({ value, name: value, desc: value }))
    ],
    symbols_types: [{ name: 'All types', value: '' }, ...TYPES.map((value) => ({ name: titled(value), value }))],
    supported_resolutions: SUPPORTED
  })
}

function symbols({ query }: HttpRequest, desk: Desk): HttpAnswer {
  const info = infoOf(desk, first(query['symbol']))
  return info ? ok(symbolInfo(desk, info)) : failed('unknown_symbol', 404)
}

/** How well a name fits what was typed: the name itself, its beginning, a part of it, a part of the description. */
function fit(instrument: string, name: string, typed: string): number {
  const [id, bare] = [instrument.toUpperCase(), instrument.toUpperCase().replaceAll(/[-/]/g, '')]
  const wanted = typed.replaceAll(/[-/]/g, '')
  if (id === typed || bare === wanted) return 0
  if (bare.startsWith(wanted)) return 1
  return bare.includes(wanted) ? 2 : name.toUpperCase().includes(typed) ? 3 : 4
}

function search({ query }: HttpRequest, desk: Desk): HttpAnswer {
  const [typed, type, exchange] = [first(query['query']).trim().toUpperCase(), first(query['type']), first(query['exchange'])]
  const rows = desk
    .instruments()
    .filter((info) => (type === '' || typeOf(info) === type) && (exchange === '' || exchangeOf(info) === exchange))
    .map((info) => ({ info, rank: fit(info.instrument, info.name ?? '', typed) }))
    .filter(({ rank }) => rank < 4)
    .sort((a, b) => a.rank - b.rank || (a.info.instrument < b.info.instrument ? -1 : 1))
  return ok(rows.slice(0, limitOf(query['limit'], 30, 100)).map(({ info }) => found(info)))
}

const time = (now: number): HttpAnswer => ({
  status: 200,
  body: String(Math.floor(now / 1_000)),
  headers: { 'content-type': 'text/plain; charset=utf-8' }
})

/** Charts that want a stream take it from the SDK's datafeed: this protocol has none. */
export const udf = dialect<undefined>({
  name: 'udf',
  paths: [],
  maxMessage: 0,
  open: () => ({ memory: undefined, commands: [] }),
  receive: () => [],
  render: () => undefined,
  under: '/udf/',
  keys: {
    headers: [],
    query: [],
    refusal: (sent) => failed(sent ? 'the token is not valid' : 'a token is required', 401),
    handshake: 'never'
  },
  http: [
    { route: 'GET /udf/config', answer: (_request, desk) => config(desk), answers: udfAnswers.config },
    { route: 'GET /udf/symbols', answer: symbols, answers: udfAnswers.symbols, asks: udfAsks.symbols },
    { route: 'GET /udf/search', answer: search, answers: udfAnswers.search, asks: udfAsks.search },
    { route: 'GET /udf/history', answer: history, answers: udfAnswers.history, asks: udfAsks.history },
    { route: 'GET /udf/marks', answer: marks, answers: udfAnswers.marks, asks: udfAsks.marks },
    { route: 'GET /udf/timescale_marks', answer: timescaleMarks, answers: udfAnswers.timescaleMarks, asks: udfAsks.marks },
    { route: 'GET /udf/time', answer: (_request, _desk, now) => time(now), answers: udfAnswers.time },
    {
      route: 'GET /udf/quotes',
      answer: (request, desk, _now, hands) => quotes(request, desk, hands),
      answers: udfAnswers.quotes,
      asks: udfAsks.quotes
    }
  ]
})
