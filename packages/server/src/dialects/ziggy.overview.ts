/** `GET /market/overview` of the Ziggy endpoints: last prices, and how far they are from closes of some days ago. Pure. */
import { topicName, type Candle } from '@tickwire/protocol'
import { overviewAnswers } from './answers.ts'
import { overviewAsks } from './asks.ts'
import type { Desk, Hands, HttpAnswer, HttpRequest, HttpRoute } from './dialect.ts'
import { priceUpdate } from './fiml.updates.ts'
import { first, limitOf } from './past.ts'
import { seconds } from './ziggy.messages.ts'
import { find } from './ziggy.naming.ts'
import { picturesOf } from './ziggy.quote.ts'

const MAX_SYMBOLS = 50

const rest = (code: string, message: string, status: number): HttpAnswer => ({
  status,
  body: { error: { code, message, retry: false } }
})

const percent = (last: number | undefined, reference: number | undefined): number | null =>
  last === undefined || reference === undefined || reference === 0 ? null : Number(((last / reference - 1) * 100).toPrecision(6))

/** The trade is asked for upstream, so that the price is of now whether or not anyone streams it; only a first one is waited for. */
function lastOf(desk: Desk, instrument: string, hands: Hands | undefined): Promise<number | undefined> {
  const price = () => priceUpdate(instrument, picturesOf(desk, instrument), false)?.price as number | undefined
  const known = price()
  const read = hands?.read(topicName('trade', instrument)).catch(() => undefined)
  return known === undefined && read ? read.then(price) : Promise.resolve(known)
}

/** `chgNd`: percent against the close N bars ago; `ref`: the close `days` bars ago, or the open of the last one. */
function row(candles: readonly Candle[], current: number | undefined, days: number, sinceOpen: boolean) {
  const last = current ?? candles.at(-1)?.close
  const ago = (n: number): number | undefined => candles.at(-1 - n)?.close
  const ref = sinceOpen ? candles.at(-1)?.open : (candles.at(-1 - days)?.close ?? candles[0]?.open)
  const changes = { chg1d: percent(last, ago(1)), chg5d: percent(last, ago(5)), chg20d: percent(last, ago(20)) }
  return { last: last ?? null, ...changes, ref: ref ?? null, chg_ref: percent(last, ref) }
}

export function overview({ query }: HttpRequest, desk: Desk, now: number, hands?: Hands): HttpAnswer | Promise<HttpAnswer> {
  const names = (first(query.symbols) || 'AAPL,MSFT').split(',').flatMap((name) => name.trim().toUpperCase() || [])
  if (names.length === 0 || names.length > MAX_SYMBOLS)
    return rest('INVALID_MESSAGE', `symbols: name 1 to ${MAX_SYMBOLS}, with commas between them`, 400)
  const days = Math.max(2, limitOf(query.period_days, 30, 2_350))
  const sinceOpen = first(query.since_open) === 'true'
  const { known, refused } = find(desk, [...new Set(names)])
  if (known.length === 0)
    return rest('UNKNOWN_SYMBOL', refused.map(({ symbol, message }) => `${symbol}: ${message}`).join('; '), 404)
  const rows = known.map(({ symbol, instrument }) => {
    const past = desk.candles(instrument, '1d', Math.max(21, days + 1)).catch(() => [])
    return Promise.all([past, lastOf(desk, instrument, hands)]).then(
      ([candles, last]) => [symbol, row(candles, last, days, sinceOpen)] as const
    )
  })
  return Promise.all(rows).then((symbols) => ({
    status: 200,
    body: {
      asof: seconds(now),
      since_open: sinceOpen,
      period_days: days,
      symbols: Object.fromEntries(symbols),
      errors: Object.fromEntries(refused.map(({ symbol, message }) => [symbol, message]))
    }
  }))
}

export const overviewRoutes: readonly HttpRoute[] = ['/market/overview', '/api/market/overview'].map((path) => ({
  route: `GET ${path}`,
  answer: overview,
  answers: overviewAnswers,
  asks: overviewAsks
}))
