/** `GET /market/overview` of the Ziggy endpoints: last prices, and how far they are from closes of some days ago. Pure. */
import { topicName, type Candle } from '@tickwire/protocol'
import { overviewAnswers } from './answers.ts'
import { overviewAsks } from './asks.ts'
import type { Desk, Hands, HttpAnswer, HttpRequest, HttpRoute, Past } from './dialect.ts'
import { priceUpdate } from './fiml.updates.ts'
import { first, wholeOf } from './past.ts'
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

/** The open of what we began to hear within the day is not the day's. */
const openOf = (candle: Candle | undefined): number | undefined => ((candle?.coverage ?? 1) < 1 ? undefined : candle?.open)

/** `chgNd`: percent against the close N bars ago; `ref`: the close `days` bars ago, or the open of the last one. */
function row(candles: readonly Candle[], current: number | undefined, days: number, sinceOpen: boolean) {
  const last = current ?? candles.at(-1)?.close
  const ago = (n: number): number | undefined => candles.at(-1 - n)?.close
  const ref = sinceOpen ? openOf(candles.at(-1)) : (candles.at(-1 - days)?.close ?? openOf(candles[0]))
  const changes = { chg1d: percent(last, ago(1)), chg5d: percent(last, ago(5)), chg20d: percent(last, ago(20)) }
  return { last: last ?? null, ...changes, ref: ref ?? null, chg_ref: percent(last, ref) }
}

/** Where many symbols are asked for, a provider takes a few seconds. */
const PATIENCE = 5_000
/** All of them or none: of what we heard alone nothing can be told that is a day or more ago. */
function closesOf(desk: Desk, instrument: string, days: number): Promise<Past> {
  const count = Math.max(21, days + 1)
  return desk.past(instrument, '1d', count, PATIENCE).then(
    (past) =>
      past.why !== undefined && past.candles.length < count ? { candles: [], why: past.why } : { candles: past.candles },
    (error: Error) => ({ candles: [], why: error.message })
  )
}

export function overview({ query }: HttpRequest, desk: Desk, now: number, hands?: Hands): HttpAnswer | Promise<HttpAnswer> {
  const names = (first(query.symbols) || 'AAPL,MSFT').split(',').flatMap((name) => name.trim().toUpperCase() || [])
  if (names.length === 0 || names.length > MAX_SYMBOLS)
    return rest('INVALID_MESSAGE', `symbols: name 1 to ${MAX_SYMBOLS}, with commas between them`, 400)
  const days = wholeOf(query.period_days, 30, { least: 2, most: 3_650 })
  if (days === undefined) return rest('INVALID_MESSAGE', 'period_days: a whole number from 2 to 3650', 400)
  const sinceOpen = first(query.since_open) === 'true'
  const { known, refused } = find(desk, [...new Set(names)], true)
  if (known.length === 0) {
    const text = refused.map(({ symbol, message }) => `${symbol}: ${message}`).join('; ')
    return refused.every(({ code }) => code === 'NOT_PERMITTED')
      ? rest('FORBIDDEN', text, 403)
      : rest('UNKNOWN_SYMBOL', text, 404)
  }
  const rows = known.map(({ symbol, instrument }) => {
    return Promise.all([closesOf(desk, instrument, days), lastOf(desk, instrument, hands)]).then(([{ candles, why }, last]) => ({
      symbol,
      told: row(candles, last, days, sinceOpen),
      why
    }))
  })
  return Promise.all(rows).then((found) => {
    const short = found.flatMap(({ symbol, why }) => (why === undefined ? [] : [{ symbol, message: `no past closes: ${why}` }]))
    return {
      status: 200,
      body: {
        asof: seconds(now),
        since_open: sinceOpen,
        period_days: days,
        symbols: Object.fromEntries(found.map(({ symbol, told }) => [symbol, told])),
        errors: Object.fromEntries([...refused, ...short].map(({ symbol, message }) => [symbol, message]))
      }
    }
  })
}

export const overviewRoutes: readonly HttpRoute[] = ['/market/overview', '/api/market/overview'].map((path) => ({
  route: `GET ${path}`,
  answer: overview,
  answers: overviewAnswers,
  asks: overviewAsks
}))
