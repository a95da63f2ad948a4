/** How often a source usually speaks, learnt as it speaks, and from when its silence is no longer usual. */
export type Pulse = {
  /** When it last spoke; -Infinity before the first time. */
  heard: number
  /** Exponentially weighted mean of the intervals, and of their distance from it, ms. */
  mean: number
  deviation: number
  beats: number
}

export const openPulse = (): Pulse => ({ heard: -Infinity, mean: 0, deviation: 0, beats: 0 })

/** Before this many intervals nothing is known, and for some time after that little: the limit is wider by 1 + 8 / intervals. */
const LEARNT = 8
const LEAST_LIMIT = 1_000
/** Thin instruments may be quiet for minutes; beyond this no interval is usual. */
const GREATEST_LIMIT = 600_000
const WEIGHT = 0.02
const UNWITNESSED = 1.5

/** An interval far beyond what is usual was an outage, or the market has slowed down: it is learnt, but not at its word. */
const LONGEST_LEARNT = 4

export function beat(pulse: Pulse, now: number): void {
  const interval = Math.min(now - pulse.heard, GREATEST_LIMIT, LONGEST_LEARNT * limitOf(pulse))
  const first = pulse.heard === -Infinity
  pulse.heard = Math.max(pulse.heard, now)
  // Events of one frame come at one time; that says nothing about the time between frames.
  if (first || interval <= 0) return
  const weight = Math.max(1 / ++pulse.beats, WEIGHT)
  pulse.deviation += weight * (Math.abs(interval - pulse.mean) - pulse.deviation)
  pulse.mean += weight * (interval - pulse.mean)
}

/**
 * The longest interval that is still usual. Independent trades come at random: of exponentially distributed intervals
 * with mean m, mean + 4 deviations is about 4 m, and 3 times that is exceeded once in some 100,000.
 */
export const usualInterval = (pulse: Pulse): number => pulse.mean + 4 * pulse.deviation

const limitOf = (pulse: Pulse): number =>
  pulse.beats < LEARNT ? Infinity : Math.max(LEAST_LIMIT, 3 * usualInterval(pulse) * (1 + LEARNT / pulse.beats))

/** Beyond this a source is silent, if another one speaks meanwhile. */
export const silenceLimit = (pulse: Pulse): number => Math.min(GREATEST_LIMIT, limitOf(pulse))

/** Of a source that is hardly known silence proves nothing, but neither does what it said before this time. */
const NOVICE = 30_000
/** Within this after its last word a source may be made the leader. */
export const trustLimit = (pulse: Pulse): number => (pulse.beats < LEARNT ? NOVICE : silenceLimit(pulse))

/**
 * Beyond this a source is mute, whatever the others do. Without a witness more patience is needed, because real trading comes
 * in bursts; and of a source that is hardly known yet, or too thin for any limit, silence proves nothing.
 */
export const muteLimit = (pulse: Pulse): number => UNWITNESSED * limitOf(pulse)
