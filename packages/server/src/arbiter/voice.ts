/** What each provider says of an instrument's price, whatever the kind: the last price believed, its usual ways, and how it holds. Pure. */
import { consensusOf, type Opinion, type Out, type Said } from './consensus.ts'

/** When it was found, and why. */
export type Mute = { at: number; why: string }

export type Voice = {
  provider: string
  /** The last price believed, and the one before the instant at which it came: NaN while there is none. */
  price: number
  at: number
  before: number
  beforeAt: number
  /** How old the price was when it came. */
  lag: number
  lagBefore: number
  /** By how much its clock is ahead of ours, as far as that is known; absent: its times are of another day. */
  clock?: number | undefined
  /** Usual time and usual change between two instants, fading means: milliseconds, and a logarithm. */
  interval: number
  intervalBefore: number
  move: number
  moveBefore: number
  /** When a connection of it went down: whatever it said before is out of date. */
  downAt: number
  /** At the last look it was silent for longer than usual: what it said before is out of date. */
  mute?: Mute | undefined
  /** Mean and mean deviation of its distance from the middle, logarithms, and over how long they were learnt. */
  distance: number
  unrest: number
  learntFor: number
  /** The price at which it stands, since when, and what all said then. */
  standing: { price: number; since: number; consensus: number }
  /** Of its prices looked at a little later, how many held. Both fade. */
  held: number
  looked: number
  /** Its price at the last look. */
  shown: number
  /** Since when the others refuse it. */
  refusedSince?: number | undefined
}

type HeldPrice = { since: number; at: number; low: number; high: number; within: { low: number; high: number } }

/** All voices of one instrument and what they said together at the last look. */
export type View = {
  voices: Map<string, Voice>
  /** Streams that hold prices back (quarantine.ts), and which prices. */
  holding: Set<{ voice: Voice; held?: HeldPrice | undefined }>
  /** The instant whose first event had what is held judged. */
  settledAt: number
  lookedAt: number
  opinion?: Opinion | undefined
}

export const openView = (): View => ({ voices: new Map(), holding: new Set(), settledAt: -Infinity, lookedAt: -Infinity })

export const openVoice = (provider: string, clock?: number): Voice => ({
  provider,
  clock,
  price: Number.NaN,
  at: -Infinity,
  before: Number.NaN,
  beforeAt: -Infinity,
  lag: 0,
  lagBefore: 0,
  interval: 1_000,
  intervalBefore: 1_000,
  move: 0,
  moveBefore: 0,
  downAt: -Infinity,
  distance: 0,
  unrest: 0,
  learntFor: 0,
  standing: { price: Number.NaN, since: -Infinity, consensus: Number.NaN },
  held: 0,
  looked: 0,
  shown: Number.NaN
})

const LEARN = 0.1
/** One jump teaches as if it were this, so that a mistyped price widens nothing. */
const LARGEST_MOVE = 0.02

/** `time`: the price's own, by its provider's clock. */
export function note(voice: Voice, price: number, at: number, time = at): void {
  if (at > voice.at) {
    voice.intervalBefore = voice.interval
    voice.moveBefore = voice.move
    if (voice.at !== -Infinity) {
      voice.interval += LEARN * (at - voice.at - voice.interval)
      voice.move += LEARN * (Math.min(LARGEST_MOVE, Math.abs(price / voice.price - 1)) - voice.move)
    }
    voice.lagBefore = voice.lag
    voice.before = voice.price
    voice.beforeAt = voice.at
    voice.at = at
  }
  voice.price = price
  voice.lag = voice.clock === undefined ? 0 : Math.max(0, at - time + voice.clock)
}

/** Of the price, and not of our hearing of it. */
export const ageOf = (voice: Voice, now: number): number =>
  voice.at < now ? now - voice.at + voice.lag : now - voice.beforeAt + voice.lagBefore

/** Learns of a price that came to nothing at this instant, after the next was noted: where this happens often, prices are like that. */
export function noteJump(voice: Voice, now: number): void {
  if (voice.at !== now) return
  voice.move += LEARN * (LARGEST_MOVE - voice.move)
}

/** What it said before this instant: so all that comes at one instant may come in any order. */
export const settled = (voice: Voice, now: number): { price: number; at: number } =>
  voice.at < now ? voice : { price: voice.before, at: voice.beforeAt }

/** How it usually spoke and moved before this instant. */
export const waysOf = (voice: Voice, now: number): { interval: number; move: number } =>
  voice.at < now ? voice : { interval: voice.intervalBefore, move: voice.moveBefore }

const OLDEST = { intervals: 10, least: 10_000, most: 300_000 }
const oldestOf = (voice: Voice, now: number): number =>
  Math.min(OLDEST.most, Math.max(OLDEST.least, OLDEST.intervals * waysOf(voice, now).interval))

export const isHeard = (voice: Voice, now: number): boolean => {
  const { price, at } = settled(voice, now)
  return at > voice.downAt && at > (voice.mute?.at ?? -Infinity) && price > 0 && now - at <= oldestOf(voice, now)
}

/** A basis must last: learnt over this long, and its unrest less than half of it. Below a basis point it is none. */
const BASIS = { learntFor: 30_000, memory: 300_000, alone: 900_000, least: 1e-4, unlike: 0.1 }

export const basisOf = ({ distance, unrest, learntFor }: Voice): number =>
  learntFor >= BASIS.learntFor && Math.abs(distance) >= BASIS.least && unrest <= Math.abs(distance) / 2 ? distance : 0

/** How often its prices held a little later, from 0 to 1; one that is new is taken to hold as usual for it, or nine times in ten. */
export const trustOf = ({ held, looked }: Voice, usual = 0.9): number => (held + 10 * usual) / (looked + 10)

/** It went on speaking but its price stands, while the others moved by more than this (a logarithm). */
const FROZEN = { after: 3_000, moved: 20e-4 }

function isStanding(voice: Voice, opinion: Opinion | undefined): boolean {
  return opinion !== undefined && Math.abs(Math.log(opinion.price / voice.standing.consensus)) > FROZEN.moved
}

function outOf(voice: Voice, now: number, opinion: Opinion | undefined, mute: Mute | undefined): Out | undefined {
  const { downAt, standing } = voice
  const { price, at } = settled(voice, now)
  if (!(price > 0)) return { cause: 'unheard', why: 'it has told no price yet' }
  if (at <= downAt) return { cause: 'down', why: 'its connection is down' }
  if (mute && at <= mute.at) return { cause: 'mute', why: mute.why }
  if (price !== standing.price || !isStanding(voice, opinion)) return undefined
  const moved = `while the others moved by ${Math.round(Math.abs(Math.log((opinion?.price ?? 1) / standing.consensus)) * 1e4)} bps`
  return at - standing.since >= FROZEN.after
    ? { cause: 'frozen', why: `frozen: its price stands since ${((now - standing.since) / 1_000).toFixed(1)} s ${moved}` }
    : now - at > FROZEN.after
      ? { cause: 'old', why: `out of date: it said nothing for ${((now - at) / 1_000).toFixed(1)} s ${moved}` }
      : undefined
}

/** What all say at an instant, without what comes at it. */
export function opinionAt(view: View, now: number, ways: Partial<Ways> = {}): Opinion | undefined {
  return consensusOf(saidAt(view, now, ways))
}

/** How a voice is to be taken: what is allowed for, and whether it still counts. */
type Ways = { basis: (voice: Voice) => number; mute: (voice: Voice) => Mute | undefined }
const lastMute = ({ mute }: Voice): Mute | undefined => mute

export function saidAt(view: View, now: number, { basis = basisOf, mute = lastMute }: Partial<Ways> = {}): Said[] {
  return [...view.voices.values()]
    .map((voice) => {
      const { price, at } = settled(voice, now)
      const out = outOf(voice, now, view.opinion, mute(voice))
      return {
        provider: voice.provider,
        price,
        silent: now - at,
        age: ageOf(voice, now),
        oldest: oldestOf(voice, now),
        basis: basis(voice),
        trust: trustOf(voice),
        out
      }
    })
    .sort((a, b) => (a.provider < b.provider ? -1 : 1))
}

export const LOOK_EVERY = 500
const FADE = 600_000

/** Now and then all voices are looked at: who is mute, what they make together, who keeps away from it, whose price held. */
export function look(view: View, now: number, mute: Ways['mute'] = lastMute): void {
  const elapsed = Math.min(now - view.lookedAt, 2 * LOOK_EVERY)
  if (elapsed < LOOK_EVERY) return
  view.lookedAt = now
  for (const voice of view.voices.values()) voice.mute = mute(voice)
  const opinion = opinionAt(view, now)
  const plain = opinion && opinionAt(view, now, { basis: () => 0 })
  if (opinion && view.opinion) rebase(view, view.opinion, opinion)
  view.opinion = opinion ?? view.opinion
  if (!opinion || !plain) {
    for (const voice of view.voices.values()) voice.refusedSince = undefined
    return
  }
  for (const verdict of opinion.verdicts) {
    const voice = view.voices.get(verdict.provider)
    if (!voice) continue
    const refused = !verdict.used && isHeard(voice, now) && (verdict.cause === 'frozen' || opinion.used > 1)
    voice.refusedSince = refused ? (voice.refusedSince ?? now) : undefined
    if (isHeard(voice, now)) compare(voice, { opinion, plain, now, elapsed })
  }
}

const isUsedIn = ({ verdicts }: Opinion, provider: string): boolean =>
  verdicts.some((verdict) => verdict.used && verdict.provider === provider)
const isByTheSame = (a: Opinion, b: Opinion): boolean =>
  a.used === b.used && a.verdicts.every(({ used, provider }) => !used || isUsedIn(b, provider))

/** Where others make it up than before it moved by that, not by the market. */
function rebase({ voices }: View, before: Opinion, after: Opinion): void {
  if (isByTheSame(before, after)) return
  for (const { standing } of voices.values()) standing.consensus *= after.price / before.price
}

type Look = { opinion: Opinion; plain: Opinion; now: number; elapsed: number }
function compare(voice: Voice, { opinion, plain, now, elapsed }: Look): void {
  const { price } = settled(voice, now)
  if (voice.shown > 0) {
    const off = Math.abs(Math.log(voice.shown / opinion.price) - basisOf(voice))
    const fade = 0.5 ** (elapsed / FADE)
    voice.looked = voice.looked * fade + 1
    voice.held = voice.held * fade + (off <= opinion.toleranceBps / 1e4 && !opinion.disputed ? 1 : opinion.disputed ? 0.5 : 0)
  }
  voice.shown = price
  if (price !== voice.standing.price) voice.standing = { price, since: now, consensus: opinion.price }
  else if (isStanding(voice, opinion)) return
  const distance = Math.log(price / plain.price)
  if (voice.learntFor > 0 && Math.abs(distance - voice.distance) > BASIS.unlike) return
  if (opinion.used === 1) {
    // Alone it is the middle itself: that it is far from the others is forgotten slowly.
    voice.distance *= 1 - elapsed / BASIS.alone
    return
  }
  const part = elapsed / (Math.min(voice.learntFor, BASIS.memory) + elapsed)
  voice.unrest += part * (Math.abs(distance - voice.distance) - voice.unrest)
  voice.distance += part * (distance - voice.distance)
  voice.learntFor += elapsed
}
