/**
 * By how much a provider's clock is ahead of ours, learnt from what it sends (docs/decisions/0017).
 *
 * Of received - time the least of the last minute is what is left when nothing was in the way: the least transit, less the offset.
 * So the offset is at least minus that, and at most a round trip more, where one is known. A round trip in which the provider told
 * its time (an HTTP answer with a date) bounds the offset from both sides, without any assumption about transit.
 */
import type { DataEvent, Stamp } from '@tickwire/protocol'
import type { Decoded } from './connection.ts'

export type Clock = { offset: number; uncertainty: number; steppedAt?: number }

/** A level of delay other than the one that is believed: if it lasts, a clock was set. */
type Doubt = { since: number; count: number; least: number }

export type Skew = {
  /** Least delay per slot of the window; `least` is that of all slots, Infinity before the first word. */
  minima: Float64Array
  slot: number
  least: number
  count: number
  /** Shortest round trip known. */
  roundTrip: number
  /** What dated round trips leave possible, and when that was. */
  dated?: { low: number; high: number; at: number } | undefined
  doubt?: Doubt | undefined
  /** Our own clock made a jump, or we slept: a new level needs less proof. */
  shaken: boolean
  heardAt: number
  estimate?: Clock | undefined
  steppedAt?: number
}

const SLOT = 10_000
const SLOTS = 7
/** Words before an offset is told. */
const ENOUGH = 5
/** A delay that differs by more than this from the least is of another clock, or late, or nonsense. */
export const STEP = 1_000
/** How many words, over how long, prove that a clock was set: ahead nothing but a clock explains; behind might be a backlog. */
const PROOF = { words: 8, ahead: 2_000, behind: 10_000 }
/** The least transit is taken to be within this where no round trip is known. */
const TRANSIT = 100
/** Clocks tell whole milliseconds. */
const TICK = 1
/** Two clocks drift apart by no more than this, milliseconds per millisecond. */
const DRIFT = 1e-4
/** Beyond it a difference of two clocks is no age, and no offset. */
const DAY = 86_400_000
/** Clocks of those who keep them differ by less. */
const AHEAD = 5_000
/** Beyond it a live trade would be in the wrong candle. */
export const LATE = 300_000

export const openSkew = (): Skew => ({
  minima: new Float64Array(SLOTS).fill(Infinity),
  slot: 0,
  least: Infinity,
  count: 0,
  roundTrip: Infinity,
  shaken: false,
  heardAt: -Infinity
})

/** One word of the provider with a time of its own. */
export function learn(skew: Skew, time: number, received: number): void {
  const delay = received - time
  if (!(Math.abs(delay) <= DAY)) return
  if (received < skew.heardAt - STEP) shift(skew, received - skew.heardAt, received)
  skew.heardAt = received
  const slot = Math.floor(received / SLOT)
  if (slot !== skew.slot) advance(skew, slot)
  const { least } = skew
  if (least === Infinity) enter(skew, delay)
  else if (Math.abs(delay - least) > STEP) question(skew, delay, received)
  else {
    if (delay < skew.minima[slot % SLOTS]!) enter(skew, delay)
    if (skew.count++ < ENOUGH) skew.estimate = estimateOf(skew)
    skew.doubt = undefined
    skew.shaken = false
  }
}

/** The least delay again, over what is left of the window; nothing was heard for all of it: the last one stands. */
function advance(skew: Skew, slot: number): void {
  const { minima } = skew
  const from = Math.abs(slot - skew.slot) >= SLOTS ? slot - SLOTS : skew.slot
  for (let i = Math.min(from, slot) + 1; i <= Math.max(from, slot); i++) minima[((i % SLOTS) + SLOTS) % SLOTS] = Infinity
  skew.slot = slot
  const least = Math.min(...minima)
  if (least < Infinity) skew.least = least
  skew.estimate = estimateOf(skew)
}

function enter(skew: Skew, delay: number): void {
  const { minima, slot } = skew
  minima[slot % SLOTS] = delay
  const least = Math.min(...minima)
  if (least === skew.least && skew.estimate) return
  skew.least = least
  skew.estimate = estimateOf(skew)
}

function question(skew: Skew, delay: number, now: number): void {
  let { doubt } = skew
  if (!doubt || Math.abs(delay - doubt.least) > STEP) doubt = skew.doubt = { since: now, count: 0, least: delay }
  doubt.count++
  doubt.least = Math.min(doubt.least, delay)
  const { words, ahead, behind } = PROOF
  const settled = skew.count >= ENOUGH
  const lasted = now - doubt.since >= (delay < skew.least ? ahead : behind)
  const proven = skew.shaken || !settled ? doubt.count >= ENOUGH : doubt.count >= words && lasted
  if (!proven) return
  // Before there was an estimate nothing was set: the first words were wrong.
  if (settled) skew.steppedAt = now
  restart(skew, doubt.least, doubt.count)
}

function restart(skew: Skew, least: number, count: number): void {
  skew.minima.fill(Infinity)
  skew.minima[skew.slot % SLOTS] = least
  skew.least = least
  skew.count = count
  skew.shaken = false
  skew.doubt = skew.dated = undefined
  skew.estimate = estimateOf(skew)
}

/** Our own clock was set: every difference to it moves by as much. */
export function shift(skew: Skew, by: number, now: number): void {
  skew.slot = Math.floor(now / SLOT)
  skew.heardAt = now
  if (skew.least === Infinity) return
  skew.steppedAt = now
  restart(skew, skew.least + by, skew.count)
}

/** Time passed by more than it should have: we slept, or our clock was set ahead. */
export const shake = (skew: Skew): void => void (skew.shaken = true)

/** The way there and back took this long, or less: no word needs more than that by itself. */
export function noteRoundTrip(skew: Skew, milliseconds: number): void {
  if (!(milliseconds >= 0) || milliseconds >= skew.roundTrip) return
  skew.roundTrip = milliseconds
  skew.estimate = estimateOf(skew)
}

/** Between `sent` and `received` the provider's clock showed `time`, or up to `resolution` more. */
export function noteDated(skew: Skew, { sent, received, time, resolution }: Dated): void {
  if (!Number.isFinite(time) || received < sent) return
  const told = { low: time - received, high: time + resolution - sent, at: received }
  const { dated } = skew
  const drift = dated ? Math.abs(received - dated.at) * DRIFT : 0
  const low = Math.max(told.low, (dated?.low ?? -Infinity) - drift)
  const high = Math.min(told.high, (dated?.high ?? Infinity) + drift)
  skew.dated = low <= high ? { low, high, at: received } : told
  skew.estimate = estimateOf(skew)
}
export type Dated = { sent: number; received: number; time: number; resolution: number }

/** What both kinds of evidence leave possible; its middle is the offset, half of it the uncertainty. */
function estimateOf({ least, count, minima, roundTrip, dated, steppedAt }: Skew): Clock | undefined {
  const known = count >= ENOUGH && least < Infinity
  if (!known && !dated) return undefined
  let low = known ? -least : -Infinity
  let high = known ? low + Math.min(roundTrip, TRANSIT) : Infinity
  if (dated) {
    // Even the fastest word takes longer than a round trip: it is held back at its source.
    if (dated.low > high) [low, high] = [dated.low, dated.high]
    // Otherwise, where they contradict each other, it is another clock that dates the answers.
    else if (dated.high >= low) [low, high] = [Math.max(low, dated.low), Math.min(high, dated.high)]
  }
  const heard = [...minima].filter((each) => each < Infinity).sort((a, b) => a - b)
  const spread = known ? (heard[heard.length >> 1] ?? least) - least : 0
  const clock: Clock = { offset: (low + high) / 2, uncertainty: (high - low) / 2 + spread + TICK }
  if (steppedAt !== undefined) clock.steppedAt = steppedAt
  return clock
}

export const clockOf = ({ estimate }: Skew): Clock | undefined => estimate

/** How old a word was when it came, by one clock; nothing where that would be nonsense. */
export function ageOf(skew: Skew, time: number, received: number): number | undefined {
  const age = received - time + (skew.estimate?.offset ?? 0)
  if (age < -AHEAD || age > DAY || (skew.estimate === undefined && age < 0)) return undefined
  return Math.max(0, age)
}

type Dateable = Pick<Stamp, 'time' | 'delayed'> & { type: DataEvent['type']; backfill?: true; ineligible?: true }
const DATED: ReadonlySet<string> = new Set(['trade', 'quote', 'ticker', 'book', 'index', 'mark', 'correction'])

/** Whether the time in an event cannot be right. What is old because it was asked for, or told late by its nature, is right. */
export function disorder(skew: Skew, event: Dateable | Decoded, received: number): Stamp['clock'] {
  if (!DATED.has(event.type)) return undefined
  const { offset } = skew.estimate ?? NONE
  const { backfill, ineligible } = event as Dateable
  const age = received - event.time + offset
  if (age < -AHEAD || offset > LATE) return 'ahead'
  if (backfill || ineligible) return undefined
  const oldest = event.type === 'trade' ? LATE : DAY
  return age - (event.delayed ?? 0) > oldest || offset < -LATE ? 'behind' : undefined
}
const NONE = { offset: 0 }
