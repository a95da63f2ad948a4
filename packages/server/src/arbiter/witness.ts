/** What the other sources of an instrument say to a price that one of them says: who bears it out, who contradicts it, who has not had his turn. */
import type { Quote, Ticker, Trade } from '@tickwire/protocol'
import { isHeard, settled, waysOf, type View, type Voice } from './voice.ts'

export type Priced = Trade | Quote | Ticker

/** The prices that an event says: a quote says all between bid and ask, so a wide one contradicts nobody. */
export type Range = { low: number; high: number }
export function rangeOf(event: Priced): Range {
  if (event.type === 'quote') return { low: Math.min(event.bid, event.ask), high: Math.max(event.bid, event.ask) }
  const price = event.type === 'trade' ? event.price : event.last
  return { low: price, high: price }
}
export const isNear = ({ low, high }: Range, price: number, band: number): boolean =>
  high >= price * (1 - band) && low <= price * (1 + band)
export const isWithin = ({ low, high }: Range, within: Range): boolean => high >= within.low && low <= within.high

/** The nearest that a jump is for itself: a share of the price. Where prices usually leap it is more, up to the widest. */
export const BAND = { least: 0.02, most: 0.2, moves: 10, perMinute: 1 } as const
/** The same where two others are there to say otherwise: this, or as many tolerances of the consensus; what they said grows old by the second. */
const WITNESSED = { least: 0.003, tolerances: 3, perSecond: 0.003 } as const
/** Two others who say the opposite outweigh three in a row. */
export const MAJORITY = 2

/** The longer ago it spoke, the further a price may have gone. */
export function bandOf({ move, at }: Voice, now: number): number {
  const minutes = at === -Infinity ? 0 : Math.max(0, now - at) / 60_000
  return Math.min(BAND.most, Math.max(BAND.least, BAND.moves * move) * (1 + BAND.perMinute * minutes))
}

/** From here on a change is a jump to those who do not follow it. */
export const stepOf = ({ opinion }: View, { move }: Voice): number =>
  Math.max(WITNESSED.least, BAND.moves * move, (WITNESSED.tolerances * (opinion?.toleranceBps ?? 0)) / 10_000)

/** How many other live sources pass a test of what they said before this instant. */
export function others(
  { voices }: View,
  own: Voice,
  now: number,
  test: (price: number, at: number, voice: Voice) => boolean
): number {
  let count = 0
  for (const voice of voices.values()) {
    if (voice === own || !isHeard(voice, now)) continue
    const { price, at } = settled(voice, now)
    if (test(price, at, voice)) count++
  }
  return count
}

export const isShared = (view: View, voice: Voice, within: Range, now: number): boolean =>
  others(view, voice, now, (price) => price >= within.low && price <= within.high) > 0

/** What another one's price is to this source: their usual distance from each other taken off. */
const toOwn = (price: number, own: Voice, other: Voice): number =>
  own.learntFor > 0 && other.learntFor > 0 ? price * Math.exp(own.distance - other.distance) : price

/** Whether at least two others say something else, so lately that the market cannot have gone so far meanwhile. */
export function isContradicted(view: View, own: Voice, range: Range, now: number): boolean {
  const step = stepOf(view, own)
  const isOther = (price: number, at: number, other: Voice): boolean => {
    const band = Math.max(step, BAND.moves * waysOf(other, now).move) + (WITNESSED.perSecond * (now - at)) / 1_000
    return !isNear(range, price, band) && !isNear(range, toOwn(price, own, other), band)
  }
  const near = others(view, own, now, (price, at, other) => !isOther(price, at, other))
  return near === 0 && others(view, own, now, isOther) >= MAJORITY
}

/** Venues follow each other within this; and nobody is waited for longer than that. */
export const TURN = { least: 200, most: 2_000, intervals: 3 } as const
const turnOf = (voice: Voice, now: number): number =>
  Math.min(TURN.most, Math.max(TURN.least, TURN.intervals * waysOf(voice, now).interval))

/** Others who do not share a price and could hardly have spoken since it was first said: a burst of one source bears out nothing. */
export const waitingFor = (view: View, own: Voice, within: Range, since: number, now: number): number =>
  others(
    view,
    own,
    now,
    (price, at, other) => at <= since && now - since < turnOf(other, now) && !(price >= within.low && price <= within.high)
  )

/** Who spoke since and said something else. */
export const against = (view: View, own: Voice, within: Range, since: number, now: number): number =>
  others(view, own, now, (price, at) => at > since && !(price >= within.low && price <= within.high))
