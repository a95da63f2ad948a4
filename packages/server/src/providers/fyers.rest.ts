/** Fyers by REST: past candles, quotes, depth, positions; and which of its refusals mean what. */
import { INTERVAL_MS, type Interval } from '@tickwire/protocol'
import type { Access, Meaning, Need } from './adapter.ts'
import { position } from './fyers.account.ts'
import { isIndex } from './fyers.symbols.ts'
import { authorization } from './fyers.token.ts'
import { isTime } from './time.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>

export const RESOLUTIONS: Readonly<Partial<Record<Interval, string>>> = {
  '1m': '1',
  '3m': '3',
  '5m': '5',
  '15m': '15',
  '30m': '30',
  '1h': '60',
  '2h': '120',
  '4h': '240',
  '1d': 'D'
}
const DAY = 86_400_000
/** One call reaches back this far. */
const REACH = { intraday: 100 * DAY, daily: 366 * DAY }

export function history(symbol: string, interval: Interval, limit: number, now: number, access: Access): Need {
  // Sessions fill a fifth of the hours of a week.
  const span = limit * INTERVAL_MS[interval] * (interval === '1d' ? 1.6 : 6) + 5 * DAY
  const from = now - Math.min(span, interval === '1d' ? REACH.daily : REACH.intraday)
  const range = `range_from=${Math.floor(from / 1000)}&range_to=${Math.floor(now / 1000)}`
  const what = `symbol=${encodeURIComponent(symbol)}&resolution=${RESOLUTIONS[interval] ?? 'D'}`
  const path = `/data/history?${what}&date_format=0&${range}&cont_flag=1`
  return { type: 'need', purpose: 'history', symbol, interval, path, headers: authorization(access), tolerate: true }
}

export const depthOf = (symbol: string, access: Access): Need => ({
  type: 'need',
  purpose: 'audit',
  symbol,
  path: `/data/depth?symbol=${encodeURIComponent(symbol)}&ohlcv_flag=1`,
  headers: authorization(access),
  tolerate: true
})

/** Expired, invalid, not to be verified: only another token helps. -99 says that too, among other things. */
const DENIED = new Set([-8, -15, -16, -17, 11_001])
export const isDenied = (code: unknown, reason: string): boolean =>
  DENIED.has(code as number) || (code === -99 && /token/i.test(reason))
const TOO_MANY = new Set<unknown>([429, -429])
/** The budget is of a minute; who exceeds it three times a day is shut out until the next. */
const QUIET = 60_000
const DENIED_WAIT = 300_000

/** {"s":"error","code":-17,"message":"Your token has expired"}; nothing where it is no refusal. */
export function refusal(m: Row, symbol?: string): readonly Meaning[] | undefined {
  if (m.s !== 'error') return undefined
  const reason = `${values.say(m.message ?? m.errmsg)} (${values.say(m.code)})`
  if (TOO_MANY.has(m.code)) return [{ type: 'quiet', for: QUIET, reason }]
  if (isDenied(m.code, reason)) return [{ type: 'hangup', reason, wait: DENIED_WAIT }]
  return [values.rejected(symbol, reason)]
}

/** What was answered; where HTTP alone refuses, in the words of their JSON: three breaches of the minute's limit shut the account out. */
export function bodyOf(text: string, { answered }: Need): unknown {
  const { status = 200 } = answered ?? {}
  if (status === 429) return { s: 'error', code: 429, message: 'request limit reached' }
  const isJson = /^\s*[{[]/.test(text)
  if ((status === 401 || status === 403) && !isJson) return { s: 'error', code: -16, message: `HTTP ${status}` }
  if (status >= 400 && !isJson) return { s: 'error', code: status, message: 'no JSON' }
  return JSON.parse(text)
}

export function answer(m: unknown, received: number, need: Need): readonly Meaning[] {
  if (!values.isRecord(m)) return [values.refused('an answer of an unknown shape')]
  const refused = refusal(m, need.symbol)
  if (refused) return refused
  if (need.purpose === 'history') return candles(m, received, need)
  if (Array.isArray(m.netPositions)) return rows(m.netPositions).map((row) => position(row, received))
  if (Array.isArray(m.d)) return rows(m.d).flatMap((row) => quoted(row, received))
  if (values.isRecord(m.d)) return Object.entries(m.d).map(([symbol, row]) => depth(symbol, row, received))
  return m.s === 'no_data' ? [] : [values.refused('an answer of an unknown shape')]
}

const rows = (list: readonly unknown[]): Row[] => list.map((row) => (values.isRecord(row) ? row : {}))

/** {"s":"ok","candles":[[1621814400,417.0,419.2,405.3,412.05,142964052]]}, or {"s":"no_data"} */
function candles(m: Row, received: number, { symbol, interval }: Need): readonly Meaning[] {
  if (m.s === 'no_data') return []
  if (!Array.isArray(m.candles) || interval === undefined) return [values.refused('candles of an unknown shape')]
  const parts = m.candles.map((row: unknown) => {
    const [start, open, high, low, close, volume] = Array.isArray(row) ? (row as unknown[]) : []
    return { symbol, interval, start: values.number(start) * 1000, time: received, open, high, low, close, volume, closed: false }
  })
  return values.pastCandles(parts, received)
}

const priced = (value: unknown): unknown => (values.isPrice(values.number(value)) ? value : undefined)

/** {"n":"NSE:SBIN-EQ","s":"ok","v":{"lp":606.4,"ch":-13.8,"chp":-2.23,"bid":606.4,"ask":606.45,"open_price":609.85,...,"tt":1690953622}} */
function quoted({ n: symbol, v }: Row, received: number): readonly Meaning[] {
  if (typeof symbol !== 'string' || !values.isRecord(v)) return [values.refused('a quote of an unknown shape')]
  // {"n":"NSE:NO-EQ","s":"error","v":{"code":-300,"errmsg":"invalid symbol"}}
  if (v.lp === undefined) return [values.rejected(symbol, `${values.say(v.errmsg)} (${values.say(v.code)})`)]
  const seconds = values.number(v.tt)
  // Some write the day in it, not the time.
  const time = seconds % 86_400 !== 0 && isTime(seconds * 1000) ? seconds * 1000 : received
  const last = values.number(v.lp)
  const day = {
    open: priced(v.open_price),
    high: priced(v.high_price),
    low: priced(v.low_price),
    prevClose: priced(v.prev_close_price),
    change: v.ch,
    changePercent: v.chp
  }
  if (last === 0) return []
  if (!isIndex(symbol)) return [values.ticker(symbol, time, last, { ...day, volume: v.volume })]
  return [values.isPrice(last) ? values.index(symbol, time, last, day) : values.refused('index: impossible value')]
}

/** {"s":"ok","d":{"NSE:SBIN-EQ":{"bids":[{"price":447.4,"volume":80,"ord":1}],"ask":[{"price":447.5,...}],"ltp":447.45,...}}} */
function depth(symbol: string, row: unknown, time: number): Meaning {
  const { bids: b, ask: a } = values.isRecord(row) ? row : {}
  const sides = [b, a].map((list) => (Array.isArray(list) ? rows(list) : []).filter((level) => level.price !== 0))
  const [bids, asks] = sides.map((side) => values.levels(side.map((level) => [level.price, level.volume])))
  if (symbol === '' || !bids || !asks) return values.refused('book: impossible level')
  return { type: 'delta', symbol, time, snapshot: true, bids, asks, depth: 5 }
}
