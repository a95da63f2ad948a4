/** Events in Massive's words: the rows of its sockets. Times are whole milliseconds. */
import {
  INTERVAL_MS,
  topicName,
  type Band,
  type Book,
  type Candle,
  type Index,
  type Published,
  type Quote,
  type Trade
} from '@tickwire/protocol'
import type { Desk } from './dialect.ts'
import type { Cluster } from './massive.symbols.ts'

const ms = (time: number): number => Math.floor(time)
const trimmed = (value: number): number => Number(value.toFixed(8))
/** A trading day in New York never crosses midnight at UTC-5. */
const dayOf = (time: number): number => Math.floor((time - 18_000_000) / 86_400_000)

/** The codes of one provider's list mean something else in another's. */
const isOwn = (e: { provider: string }): boolean => e.provider === 'massive'

/** What stands for a venue that the list of exchanges does not know. */
const VENUE: Readonly<Record<Cluster, number>> = { stocks: 15, crypto: 1, forex: 48, indices: 1 }

/** `17777-4-12345` came from this protocol: a day, an exchange, perhaps a reporting facility, and the number given there. */
export function identity(e: Published<Trade>, cluster: Cluster): { i: string; x: number; trfi?: number } {
  const own = isOwn(e) ? /^(\d+)-(\d+)-(?:(\d+)-)?(.+)$/.exec(e.id ?? '') : null
  if (own?.[1] !== String(dayOf(e.time))) return { i: e.id ?? String(e.seq), x: VENUE[cluster] }
  return { i: own[4]!, x: Number(own[2]), ...(own[3] !== undefined && { trfi: Number(own[3]) }) }
}

/** Without codes of its own a trade still says that it is an odd lot or the like (37), and out of hours (12). */
export function conditions(e: Trade): number[] {
  const own = isOwn(e) ? (e.conditions ?? []).filter((code) => /^\d+$/.test(code)).map(Number) : []
  if (own.length > 0) return own
  return [...(e.ineligible ? [37] : []), ...(e.session === 'pre' || e.session === 'post' ? [12] : [])]
}

const SIDES: Readonly<Record<Trade['side'], readonly number[]>> = { sell: [1], buy: [2], unknown: [] }
export const sideCodes = (e: Trade): readonly number[] => SIDES[e.side]

export function tradeRow(e: Published<Trade>, cluster: Cluster, name: string): object {
  const { i, x, trfi } = identity(e, cluster)
  if (cluster === 'crypto')
    return { ev: 'XT', pair: name, p: e.price, t: ms(e.time), s: e.size, c: sideCodes(e), i, x, r: ms(e.received) }
  const c = conditions(e)
  const facility = trfi === undefined ? {} : { trfi }
  const some = c.length > 0 ? { c } : {}
  return { ev: 'T', sym: name, x, i, z: 3, p: e.price, s: e.size, ...some, t: ms(e.time), q: e.seq, ...facility }
}

/** Sizes of stock quotes are in shares since 3 November 2025, in round lots of 100 before. */
const SHARES_SINCE = 1_762_128_000_000
export const lotOf = (time: number): number => (time < SHARES_SINCE ? 100 : 1)

export function quoteRow(e: Published<Quote>, cluster: Cluster, name: string): object {
  const { bid: bp, ask: ap, bidSize, askSize } = e
  const t = ms(e.time)
  const x = VENUE[cluster]
  if (cluster === 'forex') return { ev: 'C', p: name, x, a: ap, b: bp, t }
  if (cluster === 'crypto') return { ev: 'XQ', pair: name, bp, bs: bidSize, ap, as: askSize, t, x, r: ms(e.received) }
  const lot = lotOf(t)
  return { ev: 'Q', sym: name, bx: x, bp, bs: bidSize / lot, ax: x, ap, as: askSize / lot, c: 0, t, q: e.seq, z: 3 }
}

export type Bar = Pick<Candle, 'open' | 'high' | 'low' | 'close' | 'volume' | 'start' | 'trades'> & { end: number; vw?: number }
export const barOf = (e: Candle): Bar => ({ ...e, end: e.start + INTERVAL_MS[e.interval] })
/** The mean price stands in where the volume-weighted one is not known. */
export const weighted = ({ vw, high, low, close }: Omit<Bar, 'end' | 'start'>): number => trimmed(vw ?? (high + low + close) / 3)

/** What the day adds to a bar of a stock: its volume, its open, its mean price. */
function dayOfBar(instrument: string, bar: Bar, desk: Desk): { av: number; op: number; a: number } {
  const day = desk.last(topicName('ticker', instrument))
  const { open = bar.open, high = bar.high, low = bar.low, volume = bar.volume } = day?.type === 'ticker' ? day : {}
  return { av: volume, op: open, a: trimmed((high + low + bar.close) / 3) }
}

export function barRow(ev: string, cluster: Cluster, name: string, bar: Bar, instrument: string, desk: Desk): object {
  const { open: o, close: c, high: h, low: l, volume: v, start: s, end: e, trades = 0 } = bar
  if (cluster === 'forex') return { ev, pair: name, o, c, h, l, v, s, e }
  const { av, op, a } = dayOfBar(instrument, bar, desk)
  if (cluster === 'indices') return { ev, sym: name, op, o, c, h, l, s, e }
  const vw = weighted(bar)
  const z = trades > 0 ? Math.max(1, Math.round(v / trades)) : Math.round(v)
  if (cluster === 'crypto') return { ev, pair: name, v, vw, z, o, c, h, l, s, e }
  return { ev, sym: name, v, av, op, vw, o, c, h, l, a, z, s, e }
}

/** Its time alone is in microseconds. */
export const bandRow = (e: Published<Band>, name: string): object => ({
  ev: 'LULD',
  T: name,
  h: e.up,
  l: e.down,
  i: (e.indicator ?? '').split(',').flatMap((code) => (/^\d+$/.test(code) ? [Number(code)] : [])),
  z: 3,
  t: Math.round(e.time * 1_000),
  q: e.seq
})

export const indexRow = (e: Index, name: string): object => ({ ev: 'V', val: e.value, T: name, t: ms(e.time) })

const LEVELS = 100
export const bookRow = (e: Published<Book>, name: string): object => ({
  ev: 'XL2',
  pair: name,
  b: e.bids.slice(0, LEVELS),
  a: e.asks.slice(0, LEVELS),
  t: ms(e.time),
  x: VENUE.crypto,
  r: ms(e.received)
})
