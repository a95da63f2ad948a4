/**
 * How good a source is, from measurement only: five inputs from 0 to 1 and their weighted sum.
 *
 * - freshness = 1 / (1 + excess / 6), excess being by how many of its usual intervals its silence is longer than usual; a mean
 *   over five seconds.
 * - latency = 1 / (1 + (latency - fastest) / 500 ms), against the fastest source of this instrument and kind; clocks' offsets are
 *   taken off where they are known. Where its events carry no time of their own its other streams' latency counts, else 0.8.
 * - uptime: share of the time in which it was connected and no more silent than usual; halves every 5 minutes.
 * - completeness = 1 / (1 + bad / 60 s), 5 s bad for each gap or damaged book and 1 s for each refused frame; halves every 10 minutes.
 * - reliability: how often its price was within the tolerance of the consensus half a second later (voice.ts),
 *   drawn as by ten such looks to what became of this provider's forecasts everywhere (forecasts.ts).
 */
import type { ScoreInputs } from '@tickwire/protocol'
import { openAges, passAges, type Ages } from './ages.ts'
import { silenceLimit, type Pulse } from './pulse.ts'
import { trustOf, type Voice } from './voice.ts'

export type Weights = Readonly<Record<keyof ScoreInputs, number>>
export const WEIGHTS: Weights = { freshness: 0.3, latency: 0.25, uptime: 0.2, completeness: 0.15, reliability: 0.1 }

/** What is measured of one source besides its pulse and its voice. */
export type Marks = {
  /** Means that fade: freshness over seconds, uptime over minutes. */
  freshness: number
  uptime: number
  /** Milliseconds of bad time, fading. */
  bad: number
  /** Of received - time, the median: milliseconds; absent until an event told a time of its own. */
  latency?: number
  ages: Ages
}

export const openMarks = (): Marks => ({ freshness: 1, uptime: 1, bad: 0, ages: openAges() })

const UPTIME_HALF_LIFE = 300_000
const BAD_HALF_LIFE = 600_000
/** One long interval is no verdict: silence has a judge of its own. */
const FRESH_MEMORY = 5_000
export const BAD = { gap: 5_000, refused: 1_000 } as const

/** What `elapsed` ms take from each mean: the same for all sources of a tick. */
export type Fades = { freshness: number; uptime: number; bad: number }
export const fadesOf = (elapsed: number): Fades => ({
  freshness: 1 - Math.exp(-elapsed / FRESH_MEMORY),
  uptime: 1 - 0.5 ** (elapsed / UPTIME_HALF_LIFE),
  bad: 0.5 ** (elapsed / BAD_HALF_LIFE)
})

/** Moves on by a tick; `up`: it was connected and spoke as it usually does. */
export function passMarks(marks: Marks, fades: Fades, up: boolean, fresh: number): void {
  marks.freshness += fades.freshness * (fresh - marks.freshness)
  marks.uptime += fades.uptime * ((up ? 1 : 0) - marks.uptime)
  if (marks.bad > 0) marks.bad *= fades.bad
  const latency = passAges(marks.ages)
  if (latency !== undefined) marks.latency = latency
}

/** Up to the limit of silence it costs less than the margin of a change: beyond it silence has a judge of its own. */
const STALE_INTERVALS = 6
const SLOW = 500
/** Of nobody else is anything known: neither good nor bad. */
const UNKNOWN_LATENCY = 0.8
const BAD_SCALE = 60_000
/** Below this an interval says nothing about freshness: frames come together. */
const LEAST_INTERVAL = 250
/** The limit of silence is three usual intervals, and more of those that are hardly known or come in bursts. */
const LIMIT_INTERVALS = 3

export function freshnessOf(pulse: Pulse, now: number): number {
  if (pulse.heard === -Infinity) return 0
  const usual = Math.max(LEAST_INTERVAL, silenceLimit(pulse) / LIMIT_INTERVALS)
  return 1 / (1 + Math.max(0, (now - pulse.heard) / usual - 1) / STALE_INTERVALS)
}

/** `latency` and `fastest` with offsets taken off. */
export type Measured = { marks: Marks; voice: Voice; latency: number | undefined; fastest: number; usual: number | undefined }

export function inputsOf({ marks, voice, latency, fastest, usual }: Measured): ScoreInputs {
  return {
    freshness: marks.freshness,
    latency: latency === undefined ? UNKNOWN_LATENCY : 1 / (1 + Math.max(0, latency - fastest) / SLOW),
    uptime: marks.uptime,
    completeness: 1 / (1 + marks.bad / BAD_SCALE),
    reliability: trustOf(voice, usual)
  }
}

export function scoreOf(inputs: ScoreInputs, weights: Weights): number {
  const { freshness, latency, uptime, completeness, reliability } = weights
  const sum =
    freshness * inputs.freshness +
    latency * inputs.latency +
    uptime * inputs.uptime +
    completeness * inputs.completeness +
    reliability * inputs.reliability
  return sum / (freshness + latency + uptime + completeness + reliability)
}
