/**
 * How sure we are of one event, from 0 to 1, by measurement: freshness × agreement × reliability.
 *
 * - freshness = 1 / (1 + excess / 2 s), where excess is by how much the event is older on arrival than this provider's usually are;
 *   of recorded events it is 1.
 * - agreement = 1 / (1 + (deviation / 50 bps)²), where deviation is the distance of the price from the median of the other
 *   providers' latest prices of the instrument, none older than 30 s. With no other to compare: 0.8.
 * - reliability = (good + 1 s) / (good + bad + 2 s): Laplace's share of good time. Time without a connection is bad, and so are 5 s for
 *   a gap, 5 s for a disconnect, 1 s for a refused frame or subscription. Both halve every 10 minutes, so that faults are forgiven.
 *
 * Of the others' prices only those received before the event's own instant count, and the usual age and the reliability move only
 * on ticks: events that arrive at one time have the same confidence in whatever order they come.
 */
import type { Quote, Ticker, Trade } from '@tickwire/protocol'

/** What is measured about one provider, over all its instruments. */
export type Standing = {
  /** Milliseconds of good and bad time, fading. */
  good: number
  bad: number
  reliability: number
  /** When the last disconnect or gap was counted. */
  faultAt?: number | undefined
  /** Usual age of its events on arrival (its clock's skew included); undefined until the first tick after an event. */
  usualAge?: number | undefined
  ages: number
  aged: number
}

export const openStanding = (): Standing => ({ good: 0, bad: 0, reliability: 0.5, ages: 0, aged: 0 })

export const FAULTS = { gap: 5_000, disconnect: 5_000, refused: 1_000 } as const
const HALF_LIFE = 600_000
const AGE_WEIGHT = 0.1

/** Moves on by `elapsed` ms, of which the share `up` was good. */
export function passTime(standing: Standing, elapsed: number, up: number): void {
  const fade = 0.5 ** (elapsed / HALF_LIFE)
  standing.good = standing.good * fade + elapsed * up
  standing.bad = standing.bad * fade + elapsed * (1 - up)
  standing.reliability = (standing.good + 1_000) / (standing.good + standing.bad + 2_000)
  if (standing.aged === 0) return
  const age = standing.ages / standing.aged
  standing.usualAge = standing.usualAge === undefined ? age : standing.usualAge + AGE_WEIGHT * (age - standing.usualAge)
  standing.ages = standing.aged = 0
}

/** The latest price of one provider, and the one before the instant at which it was received. */
export type Seen = { at: number; price: number; beforeAt: number; before: number }
export type Prices = Map<string, Seen>

export function notePrice(prices: Prices, provider: string, price: number, at: number): void {
  const seen = prices.get(provider)
  if (!seen) prices.set(provider, { at, price, beforeAt: -Infinity, before: Number.NaN })
  else {
    if (at > seen.at) {
      seen.beforeAt = seen.at
      seen.before = seen.price
      seen.at = at
    }
    seen.price = price
  }
}

export const priceOf = (event: Trade | Quote | Ticker): number =>
  event.type === 'trade' ? event.price : event.type === 'quote' ? (event.bid + event.ask) / 2 : event.last

const OLDEST_PRICE = 30_000
const LONE = 0.8
const TOLERANCE_BPS = 50

/** With an even number of others every price between the two in the middle is a median: so two who disagree blame nobody between. */
function medianOfOthers(prices: Prices, provider: string, at: number): [low: number, high: number] | undefined {
  const others: number[] = []
  for (const [name, seen] of prices) {
    if (name === provider) continue
    const [price, time] = seen.at < at ? [seen.price, seen.at] : [seen.before, seen.beforeAt]
    if (at - time <= OLDEST_PRICE) others.push(price)
  }
  if (others.length === 0) return undefined
  others.sort((a, b) => a - b)
  return [others[(others.length - 1) >> 1]!, others[others.length >> 1]!]
}

export function agreement(prices: Prices, provider: string, price: number, at: number): number {
  const median = medianOfOthers(prices, provider, at)
  if (median === undefined) return LONE
  const [low, high] = median
  const bps = (Math.max(0, low - price, price - high) / low) * 10_000
  return 1 / (1 + (bps / TOLERANCE_BPS) ** 2)
}

export const freshness = (age: number, usual = age): number => 1 / (1 + Math.max(0, age - usual) / 2_000)

/** Three decimals: more would claim a precision that the inputs do not have. */
export function confidenceOf(event: Trade | Quote | Ticker, standing: Standing, prices: Prices): number {
  const { provider, received } = event
  const fresh = freshness(received - event.time, standing.usualAge)
  return Math.round(1_000 * fresh * agreement(prices, provider, priceOf(event), received) * standing.reliability) / 1_000
}
