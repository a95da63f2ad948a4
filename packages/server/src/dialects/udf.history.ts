/** GET /udf/history: bars as columns, or that there are none and when the last one before them was. */
import { barTime, INTERVAL_MS, RESOLUTIONS, type Candle, type Interval } from '@tickwire/protocol'
import type { Desk, HttpAnswer, HttpRequest } from './dialect.ts'
import { first } from './past.ts'
import { infoOf } from './udf.symbols.ts'

/** As many bars as one answer looks back over. */
const MOST = 5_000

export const failed = (errmsg: string, status = 400): HttpAnswer => ({ status, body: { s: 'error', errmsg } })

export const secondsOf = (time: number): number => Math.floor(time / 1_000)

/** Unix seconds, as in an address; charts ask for times before 1970, and for fractions. */
export function secondsIn(value: string): number | undefined {
  const seconds = value === '' ? Number.NaN : Number(value)
  return Number.isFinite(seconds) && Math.abs(seconds) <= 8.64e12 ? seconds : undefined
}

export type Bar = Pick<Candle, 'open' | 'high' | 'low' | 'close' | 'volume' | 'coverage'> & { time: number }

/** Bars from `from` (inclusive) to `to` (exclusive), or the last `countback` before `to`, whichever is asked for. */
export function pick(bars: readonly Bar[], from: number, to: number, countback: number | undefined): readonly Bar[] {
  const before = bars.filter(({ time }) => time < to)
  return countback === undefined ? before.filter(({ time }) => time >= from) : before.slice(-countback)
}

const columns = (bars: readonly Bar[]): object => ({
  s: 'ok',
  t: bars.map(({ time }) => time),
  o: bars.map(({ open }) => open),
  h: bars.map(({ high }) => high),
  l: bars.map(({ low }) => low),
  c: bars.map(({ close }) => close),
  v: bars.map(({ volume }) => volume)
})

/** A chart keeps what it was told: it rather waits so long for a provider, ms, and is then told to ask again. */
const PATIENCE = 10_000

type Span = { from: number; to: number; countback: number | undefined }

function spanOf(query: HttpRequest['query']): Span | string {
  const [to, counted] = [secondsIn(first(query['to'])), first(query['countback'])]
  if (to === undefined) return 'to: a Unix time in seconds'
  if (counted !== '' && !/^[1-9]\d{0,8}$/.test(counted)) return 'countback: a whole number of bars'
  const countback = counted === '' ? undefined : Math.min(Number(counted), MOST)
  const from = secondsIn(first(query['from']))
  // With a count of bars it says nothing.
  if (countback !== undefined) return { from: from ?? -Infinity, to, countback }
  if (from === undefined) return 'from: a Unix time in seconds'
  return from > to ? 'from is after to' : { from, to, countback }
}

/** Bars from now back to where the answer begins, and one more, which says when there was one before it. */
function depthOf({ from, to, countback }: Span, interval: Interval, now: number): number {
  const length = INTERVAL_MS[interval] / 1_000
  const since = countback === undefined ? from : Math.min(to, now / 1_000) - countback * length
  return Math.min(MOST, Math.max(2, Math.ceil((now / 1_000 - since) / length) + 2))
}

/** Whether some of what was asked for is not there, or is known in part only. */
function isShort(bars: readonly Bar[], asked: readonly Bar[], { from, countback }: Span): boolean {
  if (asked.some(({ coverage = 1 }) => coverage < 1)) return true
  return countback === undefined ? !(bars[0] && bars[0].time <= from) : asked.length < countback
}

export function history({ query }: HttpRequest, desk: Desk, now: number): HttpAnswer | Promise<HttpAnswer> {
  const resolution = first(query['resolution'])
  const interval = Object.hasOwn(RESOLUTIONS, resolution) ? RESOLUTIONS[resolution] : undefined
  if (!interval) return failed(`resolution: one of ${Object.keys(RESOLUTIONS).join(', ')}`)
  const info = infoOf(desk, first(query['symbol']))
  if (!info) return failed('unknown_symbol', 404)
  const span = spanOf(query)
  if (typeof span === 'string') return failed(span)
  return desk.past(info.instrument, interval, depthOf(span, interval, now), PATIENCE).then(({ candles, why }) => {
    const bars = candles.map((candle): Bar => ({ ...candle, time: secondsOf(barTime(interval, candle.start)) }))
    const asked = pick(bars, span.from, span.to, span.countback)
    if (why !== undefined && isShort(bars, asked, span)) return failed(`these bars are not known yet: ${why}`, 503)
    if (asked.length > 0) return { status: 200, body: columns(asked) }
    const nextTime = bars.findLast(({ time }) => time < Math.min(span.from, span.to))?.time
    return { status: 200, body: { s: 'no_data', ...(nextTime === undefined ? {} : { nextTime }) } }
  })
}
