/** How often a source usually speaks, learnt as it speaks, and from when its silence is no longer usual. */
import { LEARNT, learn, openRhythm, patience, SURPRISED, usualOf, type Rhythm } from './rhythm.ts'

export type Pulse = {
  /** When it last spoke; -Infinity before the first time. */
  heard: number
  /** Its intervals by the clock, milliseconds. */
  clock: Rhythm
  /** The same by the market's clock: how many words others say between two of its own. Where it is not told it stays empty. */
  market: Rhythm
  /** The market's clock when it last spoke. */
  word: number
}

export const openPulse = (): Pulse => ({ heard: -Infinity, clock: openRhythm(), market: openRhythm(), word: 0 })

/** `words`: the market's clock, at how many instants any provider spoke of this instrument, this one and this time included. */
export function beat(pulse: Pulse, now: number, words?: number): void {
  const interval = now - pulse.heard
  const first = pulse.heard === -Infinity
  const others = words === undefined ? undefined : words - pulse.word - 1
  pulse.word = words ?? pulse.word
  // Events of one frame come at one time; that says nothing about the time between frames.
  if (first || interval <= 0) {
    pulse.heard = Math.max(pulse.heard, now)
    return
  }
  pulse.heard = now
  learn(pulse.clock, interval)
  if (others !== undefined) learn(pulse.market, others, interval)
}

/** A night, a halt or a standstill of our own ends: what lay before is no interval. */
export function wake(pulse: Pulse, since: number): void {
  if (pulse.heard !== -Infinity) pulse.heard = Math.max(pulse.heard, since)
}

export const isLearnt = (pulse: Pulse): boolean => pulse.clock.count >= LEARNT

/** The interval that all but 2 % are shorter than. */
export const usualInterval = (pulse: Pulse): number => usualOf(pulse.clock)

/** No silence shorter than this is judged. */
export const LEAST_LIMIT = 1_000
/** Without a witness more patience is needed: a market may slow down, and a process that is mute looks the same. */
const UNWITNESSED = 1.5
/** Of a source that is hardly known silence proves little. */
const NOVICE_LIMIT = 600_000

/** Beyond this a source is silent, if another one speaks meanwhile: three usual intervals, more where it comes in bursts. */
export const silenceLimit = (pulse: Pulse): number =>
  isLearnt(pulse) ? Math.max(LEAST_LIMIT, patience(pulse.clock, SURPRISED)) : NOVICE_LIMIT

const NOVICE = 30_000
/** Within this after its last word a source may be made the leader. */
export const trustLimit = (pulse: Pulse): number => (isLearnt(pulse) ? silenceLimit(pulse) : NOVICE)

/** Beyond this a source is mute, whatever the others do. */
export const muteLimit = (pulse: Pulse): number => (isLearnt(pulse) ? UNWITNESSED * silenceLimit(pulse) : Infinity)
