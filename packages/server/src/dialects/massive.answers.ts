/** How Massive's REST answers, whatever it is asked. */
import type { Desk, Dialect, HttpAnswer, HttpRequest, InstrumentInfo, Keys } from './dialect.ts'
import { isForbidden } from './markets.ts'
import { infoOf, type Cluster } from './massive.symbols.ts'

export type Named = { info: InstrumentInfo; cluster: Cluster; ticker: string }

/** Requests are not numbered here. */
export const REQUEST = '00000000000000000000000000000000'
export const ok = (body: object): HttpAnswer => ({ status: 200, body: { ...body, status: 'OK', request_id: REQUEST } })
export const bad = (status: number, error: string): HttpAnswer => ({
  status,
  body: { status: 'ERROR', request_id: REQUEST, error }
})
export const keys: Keys = {
  headers: [],
  query: ['apiKey'],
  refusal: (sent) => bad(401, sent ? 'Unknown API Key' : 'API Key was not provided'),
  handshake: 'never'
}
export const missing: HttpAnswer = {
  status: 404,
  body: { status: 'NOT_FOUND', request_id: REQUEST, message: 'Ticker not found.' }
}
/** A double holds them to a quarter of a microsecond. */
export const ns = (time: number): number => Math.round(time * 1_000) * 1_000

export const notEntitled: HttpAnswer = {
  status: 403,
  body: { status: 'NOT_AUTHORIZED', request_id: REQUEST, message: 'You are not entitled to this data.' }
}

export type Answer = NonNullable<Dialect['http']>[number]['answer']
/** Who may ask is decided by the gateway; a key that is named must be one. */
export const keyed =
  (answer: Answer): Answer =>
  (request, desk, now) =>
    request.query['apiKey'] === '' ? bad(401, 'Unknown API Key') : answer(request, desk, now)

type OfTicker = (named: Named, rest: string[], request: HttpRequest, desk: Desk) => ReturnType<Answer>
/** Answers for the ticker that follows `stem` in the path; `rest` is what follows the ticker. */
export const ofTicker =
  (stem: string, answer: OfTicker): Answer =>
  (request, desk) => {
    const [ticker = '', ...rest] = request.path.slice(stem.length).split('/')
    const found = infoOf(desk, ticker)
    return found ? answer({ ...found, ticker }, rest, request, desk) : missing
  }
/** The same of prices, which a source's terms may keep from this user. */
export const ofPrices = (stem: string, answer: OfTicker): Answer =>
  ofTicker(stem, (named, rest, request, desk) =>
    isForbidden(desk, named.info.instrument) ? notEntitled : answer(named, rest, request, desk)
  )
