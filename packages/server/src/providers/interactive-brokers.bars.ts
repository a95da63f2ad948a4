/** Candles of Interactive Brokers: bars that are kept up to date, five-second bars folded, and past ones. */
import { INTERVAL_MS, type Interval } from '@tickwire/protocol'
import type { Meaning, Need } from './adapter.ts'
import { follow, settle } from './forming.ts'
import { contractOf, zoneOf, type Contract } from './interactive-brokers.contracts.ts'
import type { Call, Asked, Session, Row } from './interactive-brokers.state.ts'
import { zoned } from './time.ts'
import * as values from './values.ts'

type Candle = Extract<Meaning, { type: 'candle' }>

export const BARS: Readonly<Partial<Record<Interval, string>>> = {
  '1m': '1 min',
  '3m': '3 mins',
  '5m': '5 mins',
  '15m': '15 mins',
  '30m': '30 mins',
  '1h': '1 hour',
  '2h': '2 hours',
  '4h': '4 hours',
  '8h': '8 hours',
  '1d': '1 day'
}

/** Currencies have no trades, so their bars are of the midpoint; coins are reported in aggregate. */
const shown = ({ secType }: Contract): string => (secType === 'CASH' ? 'MIDPOINT' : secType === 'CRYPTO' ? 'AGGTRADES' : 'TRADES')

/** A stock is traded for 16 hours of a day, before and after the regular ones too. */
const TRADED = 57_600_000

/** `3600 S`, `2 D`, `1 Y`: enough for so many bars. A day is one with trading. */
function durationOf(interval: Interval, bars: number): string {
  const days = interval === '1d' ? bars : Math.ceil((bars * INTERVAL_MS[interval]) / TRADED) + 1
  return days <= 365 ? `${days} D` : `${Math.ceil(days / 250)} Y`
}

export function barsCall(id: number, contract: Contract, interval: Interval, way: 'bars' | 'live bars'): Call {
  const what = shown(contract)
  // Five-second bars know no aggregate.
  if (way === 'live bars')
    return { call: 'reqRealTimeBars', args: [id, contract, 5, what === 'AGGTRADES' ? 'TRADES' : what, false] }
  const ms = INTERVAL_MS[interval]
  const duration = ms <= 3_600_000 ? `${(ms * 4) / 1_000} S` : durationOf(interval, 3)
  return { call: 'reqHistoricalData', args: [id, contract, '', duration, BARS[interval], what, 0, 2, true] }
}

/** The call is made by the shell, which puts a request id for the `null`. */
export function historyNeed(symbol: string, interval: Interval, limit: number): Need {
  const contract = contractOf(symbol) ?? { secType: 'STK', symbol }
  const count = Math.max(1, Math.min(Math.floor(limit), 5_000))
  const args = [null, contract, '', durationOf(interval, count), BARS[interval], shown(contract), 0, 2, false]
  const path = `history?symbol=${encodeURIComponent(symbol)}&interval=${interval}&limit=${count}`
  return { type: 'need', purpose: 'history', symbol, interval, path, post: { call: 'reqHistoricalData', args } }
}

/** `1577808000`, or where days are asked for `20191231`, or `20191231 09:30:00 US/Eastern`. */
export function barTime(text: unknown, zone: string): number {
  if (typeof text === 'number') return text * 1_000
  if (typeof text !== 'string') return NaN
  const [, y, m, d, clock, own] = /^(\d{4})(\d\d)(\d\d)(?:[ -]+(\d\d:\d\d:\d\d)(?: (\S+))?)?$/.exec(text.trim()) ?? []
  if (y !== undefined) return zoned(`${y}-${m}-${d}${clock === undefined ? '' : ` ${clock}`}`, own ?? zone)
  return /^\d{9,11}$/.test(text) ? Number(text) * 1_000 : NaN
}

/** Volume and count are -1 where there are none, as for currencies. */
function partsOf(
  [date, open, high, low, close, volume, count]: Row,
  symbol: string,
  interval: Interval,
  zone: string,
  lot: number
) {
  const traded = values.number(volume)
  const trades = values.number(count)
  return {
    symbol,
    interval,
    start: barTime(date, zone),
    open,
    high,
    low,
    close,
    volume: traded > 0 ? traded * lot : traded === -1 || volume === null ? 0 : volume,
    ...(trades >= 0 ? { trades } : {})
  }
}

const zoneFor = ({ contracts }: Session, symbol: string): string => contracts.get(symbol)?.zone ?? zoneOf(symbol)
const lotOf = (session: Session, symbol: string): number => (session.shares.bars || !inLots(contractOf(symbol)) ? 1 : 100)
/** Old servers count US stocks in round lots. */
export const inLots = (contract: Contract | undefined): boolean => contract?.secType === 'STK' && contract.currency === 'USD'

/** One row of the bars so far, and the row `finished-20191230 12:00:00-20191231 12:00:00` behind them. */
export function kept(row: Row, { id, symbol, interval = '1m' }: Asked, received: number, session: Session): readonly Meaning[] {
  if (typeof row[0] !== 'string' || !row[0].startsWith('finished')) {
    const rows = session.rows.get(id) ?? []
    if (rows.length < 5_000) rows.push(row)
    session.rows.set(id, rows)
    return []
  }
  const rows = session.rows.get(id) ?? []
  session.rows.delete(id)
  const all = rows.map((one) => live(one, symbol, interval, received, session))
  const good = all.filter((one) => one.type === 'candle')
  return [...settle(session.forming, good), ...all.filter((one) => one.type === 'refused')]
}

/** The bar that is forming, about every five seconds. */
export function updated(row: Row, { symbol, interval = '1m' }: Asked, received: number, session: Session): readonly Meaning[] {
  const candle = live(row, symbol, interval, received, session)
  return candle.type === 'candle' ? follow(session.forming, candle) : [candle]
}

const live = (row: Row, symbol: string, interval: Interval, received: number, session: Session) =>
  values.candle({
    ...partsOf(row, symbol, interval, zoneFor(session, symbol), lotOf(session, symbol)),
    time: received,
    closed: false
  })

/** Five seconds into the interval they are part of; one that was not heard from its start is not told. */
export function folded(row: Row, { id, symbol, interval = '1m' }: Asked, received: number, session: Session): readonly Meaning[] {
  // A realtime bar has its average price before its count.
  const [date, open, high, low, close, volume, , count] = row
  const bar = live([date, open, high, low, close, volume, count], symbol, interval, received, session)
  if (bar.type !== 'candle') return [bar]
  const ms = INTERVAL_MS[interval]
  const start = Math.floor(bar.start / ms) * ms
  const before = session.folding.get(id)
  if (before?.candle.start === start) {
    const sum = added(before.candle, bar)
    session.folding.set(id, { candle: sum, whole: before.whole })
    return before.whole ? [sum] : []
  }
  if (before && start < before.candle.start) return []
  const whole = bar.start === start || before?.candle.start === start - ms
  const candle = { ...bar, start }
  session.folding.set(id, { candle, whole })
  const ended = before?.whole ? [{ ...before.candle, time: received, closed: true }] : []
  return whole ? [...ended, candle] : ended
}

const added = (sum: Candle, { high, low, close, volume, trades, time }: Candle): Candle => ({
  ...sum,
  time,
  high: Math.max(sum.high, high),
  low: Math.min(sum.low, low),
  close,
  volume: sum.volume + volume,
  ...(sum.trades === undefined || trades === undefined ? {} : { trades: sum.trades + trades })
})

/** Trades since `from`, the first thousand of them. The clock of the request is UTC where a dash stands in it. */
export function tradesNeed(symbol: string, from: number, to: number): Need | undefined {
  const contract = contractOf(symbol)
  if (!contract || contract.secType === 'CASH' || contract.secType === 'IND') return undefined
  const start = new Date(from).toISOString().slice(0, 19).replaceAll('-', '').replace('T', '-')
  const path = `trades?symbol=${encodeURIComponent(symbol)}&from=${Math.floor(from)}&to=${Math.ceil(to)}`
  const args = [null, contract, start, '', 1_000, 'TRADES', 0, true]
  return { type: 'need', purpose: 'trades', symbol, path, post: { call: 'reqHistoricalTicks', args }, note: to }
}

/** `[{"event":"historicalTicksLast","args":[9,[{"time":1577811900,"price":293.2,"size":100,"exchange":"ARCA",...}],true]}]` */
export function trades(events: readonly unknown[], { symbol = '', note }: Need): readonly Meaning[] {
  return events.flatMap((event): readonly Meaning[] => {
    if (!values.isRecord(event) || !Array.isArray(event.args)) return [values.refused('a frame of an unknown shape')]
    const [first, second] = event.args as unknown[]
    if (event.event === 'error' && second !== -1) return [values.rejected(symbol, `${values.say(first)} (${values.say(second)})`)]
    if (event.event !== 'historicalTicksLast' || !Array.isArray(second)) return []
    return (second as Record<string, unknown>[]).flatMap(({ time, price, size, exchange }) => {
      const at = values.number(time) * 1_000
      const one = values.print(symbol, at, values.number(price), values.number(size))
      if (typeof note === 'number' && at > note) return []
      return [one.type === 'trade' && typeof exchange === 'string' && exchange !== '' ? { ...one, venue: exchange } : one]
    })
  })
}

/** `[{"event":"server",...},{"event":"historicalData","args":[9,"1577808000",413.03,421.06,412.61,419.18,14920,8149,416.886]},...]` */
export function history(
  events: readonly unknown[],
  received: number,
  { symbol = '', interval = '1m' }: Need
): readonly Meaning[] {
  let lot = 1
  const parts: (ReturnType<typeof partsOf> & { time: number; closed: boolean })[] = []
  for (const event of events) {
    if (!values.isRecord(event) || !Array.isArray(event.args)) return [values.refused('a frame of an unknown shape')]
    const [first, ...row] = event.args as unknown[]
    if (event.event === 'error' && row[0] !== -1) return [values.rejected(symbol, `${values.say(first)} (${values.say(row[0])})`)]
    if (event.event === 'server') lot = Number(first) < BARS_IN_SHARES && inLots(contractOf(symbol)) ? 100 : 1
    if (event.event !== 'historicalData' || (typeof row[0] === 'string' && row[0].startsWith('finished'))) continue
    parts.push({ ...partsOf(row, symbol, interval, zoneOf(symbol), lot), time: received, closed: false })
  }
  return values.pastCandles(parts, received)
}

/** Versions of the server since which sizes of US stocks are shares. */
export const LINES_IN_SHARES = 159
export const BARS_IN_SHARES = 175
