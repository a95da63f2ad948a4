/**
 * How sure we are of one event, from 0 to 1: the chance, by measurement, that its price is within the tolerance of the consensus a
 * little later (forecasts.ts). What is known at once makes a raw value, and what came true of such values (calibration.ts) makes
 * the confidence. The raw value is freshness × agreement × record:
 *
 * - freshness = 1 / (1 + excess / 2 s), where excess is by how much the event is older on arrival than this provider's usually are;
 *   of recorded events it is 1.
 * - agreement = 1 / (1 + (deviation / tolerance)²), where deviation is the distance of the price from the median of the other
 *   providers' latest prices of the instrument, none older than 30 s or of a source that is down, dead or stale. With no other to compare it is left out, and a curve of its
 *   own tells what became of this provider's events by the other two alone, wherever they could be checked.
 * - record = (good + 60 s) / (good + bad + 60 s): time without a connection is bad, and so are 5 s for a gap, 5 s for a disconnect,
 *   1 s for a refused frame or subscription. Both halve every 10 minutes, so that faults are forgiven.
 *
 * Of the others' prices only those received before the event's own instant count, and everything else that is learnt moves only
 * on ticks: events that arrive at one time have the same confidence in whatever order they come.
 */
import type { Quote, Ticker, Trade } from '@tickwire/protocol'
import { openAges, passAges, type Ages } from './ages.ts'
import { calibrated } from './calibration.ts'
import { foresee, isDue, ledgerOf, type Forecasts } from './forecasts.ts'
import { medianOfOthers, priceOf, type Voices } from './prices.ts'

/** What is measured about one provider, over all its instruments. */
export type Standing = {
  /** Milliseconds of good and bad time, fading. */
  good: number
  bad: number
  record: number
  /** When the last disconnect or gap was counted. */
  faultAt?: number | undefined
  /** Usual age of its events on arrival (its clock's skew included); undefined until the first tick after an event. */
  usualAge?: number | undefined
  ages: Ages
}

export const openStanding = (): Standing => ({ good: 0, bad: 0, record: 1, ages: openAges() })

export const FAULTS = { gap: 5_000, disconnect: 5_000, refused: 1_000 } as const
const HALF_LIFE = 600_000
const AGE_WEIGHT = 0.1
const ADVANCE = 60_000

/** Moves on by `elapsed` ms, of which the share `up` was good. */
export function passTime(standing: Standing, elapsed: number, up: number): void {
  const fade = 0.5 ** (elapsed / HALF_LIFE)
  standing.good = standing.good * fade + elapsed * up
  standing.bad = standing.bad * fade + elapsed * (1 - up)
  standing.record = (standing.good + ADVANCE) / (standing.good + standing.bad + ADVANCE)
  const age = passAges(standing.ages)
  if (age === undefined) return
  standing.usualAge = standing.usualAge === undefined ? age : standing.usualAge + AGE_WEIGHT * (age - standing.usualAge)
}

export const freshness = (age: number, usual = age): number => 1 / (1 + Math.max(0, age - usual) / 2_000)

function agreement(low: number, high: number, price: number, tolerance: number): number {
  const deviation = Math.max(0, low - price, price - high) / low
  return 1 / (1 + (deviation / tolerance) ** 2)
}

/** Its confidence; now and then it is kept as a forecast that will be held to it. */
export function confidenceOf(
  forecasts: Forecasts,
  event: Trade | Quote | Ticker,
  { record, usualAge }: Standing,
  voices: Voices
): number {
  const { provider, instrument, received: at, type } = event
  const price = priceOf(event)
  const ledger = ledgerOf(forecasts, type, instrument)
  const others = medianOfOthers(voices, provider, at)
  const alone = freshness(at - event.time, usualAge) * record
  const compared = others && alone * agreement(others[0], others[1], price, ledger.tolerance)
  const sure = calibrated(forecasts.classes[type], provider, compared ?? alone, compared !== undefined)
  const isLive = type !== 'trade' || event.backfill !== true
  if (isLive && isDue(ledger, provider, at)) {
    const unseen = calibrated(forecasts.classes[type], provider, alone, false)
    const median = others && (others[0] + others[1]) / 2
    foresee(forecasts, type, ledger, { instrument, provider, at, price, compared, alone, sure, unseen, median })
  }
  // More than three decimals would claim a precision that the counts do not have.
  return Math.round(1_000 * sure) / 1_000
}
