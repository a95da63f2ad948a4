/** One candle in the making, and what a trade does to it. Among trades of one time their ids decide, so that order of arrival does not. */
import type { Trade } from '@tickwire/protocol'
import type { Slot } from './sessions.ts'
import { add, type Sum } from './sum.ts'

/** What trades make of a price. `first` and `last` gave open and close; `priced` is how many set a price. */
export type Prices = {
  open: number
  high: number
  low: number
  close: number
  priced: number
  first?: Trade | undefined
  last?: Trade | undefined
}
export type Bar = Slot &
  Prices & {
    /** Of the trade that gave the close. */
    provider: string
    confidence: number | undefined
    /** When the close was made; the start of a bar that no trade priced. */
    time: number
    /** Time of the trade that gave the close, also that of another bar. */
    since: number
    received: number
    volume: Sum
    /** All of them, also those that set no price. */
    trades: number
    /** What trades made that are not remembered one by one any more. */
    base: Prices | undefined
    closed: boolean
    revision: number
    /** Holds what was not yet told. */
    dirty: boolean
  }

export const noPrices = (price = Number.NaN): Prices => ({
  open: price,
  high: price,
  low: price,
  close: price,
  priced: 0,
  first: undefined,
  last: undefined
})

type Origin = { provider: string; received: number; confidence?: number | undefined; time: number; since?: number }

/** A bar without a trade, at the price before it. */
export const flat = (slot: Slot, price: number, { provider, received, confidence, time, since = time }: Origin): Bar => ({
  start: slot.start,
  end: slot.end,
  session: slot.session,
  ...noPrices(price),
  provider,
  confidence,
  time: slot.start,
  since,
  received,
  volume: [],
  trades: 0,
  base: undefined,
  closed: false,
  revision: 0,
  dirty: false
})

/** Negative where `a` comes before `b`, 0 where nothing but arrival tells. Ids that are numbers are compared as such. */
function order(a: Trade, b: Trade): number {
  if (a.time !== b.time) return a.time - b.time
  if (a.id === undefined || b.id === undefined || a.id === b.id) return 0
  if (a.id.length !== b.id.length) return a.id.length - b.id.length
  return a.id < b.id ? -1 : 1
}

/** Opens by the earliest trade and closes by the latest; where nothing else tells, by the first and the last to arrive. */
export function price(prices: Prices, trade: Trade): void {
  const { first, last } = prices
  if (!first || !last) {
    prices.open = prices.high = prices.low = prices.close = trade.price
    prices.first = prices.last = trade
  } else {
    if (trade.price > prices.high) prices.high = trade.price
    if (trade.price < prices.low) prices.low = trade.price
    if (order(trade, first) < 0) {
      prices.open = trade.price
      prices.first = trade
    }
    if (order(trade, last) >= 0) {
      prices.close = trade.price
      prices.last = trade
    }
  }
  prices.priced++
}

/** Adds what later-remembered or other trades made. */
export function merge(into: Prices, other: Prices): void {
  const { first, last } = other
  if (!first || !last) return
  if (!into.first || !into.last) return void Object.assign(into, other)
  into.high = Math.max(into.high, other.high)
  into.low = Math.min(into.low, other.low)
  if (order(first, into.first) < 0) {
    into.open = other.open
    into.first = first
  }
  if (order(last, into.last) >= 0) {
    into.close = other.close
    into.last = last
  }
  into.priced += other.priced
}

/** What the close says of itself; a bar that nothing priced says it of the bar before (see lane.ts). */
export function sign(bar: Bar): void {
  const { last } = bar
  if (!last) return
  bar.time = bar.since = last.time
  bar.provider = last.provider
  bar.confidence = last.confidence
}

export function count(bar: Bar, trade: Trade): void {
  bar.received = bar.trades === 0 ? trade.received : Math.max(bar.received, trade.received)
  add(bar.volume, trade.size)
  bar.trades++
  bar.dirty = true
  if (trade.ineligible) return
  price(bar, trade)
  if (bar.last === trade) sign(bar)
}
