/**
 * Which intervals are usual, learnt from those that were: a histogram on a logarithmic scale that forgets slowly.
 *
 * The longest 2 % begin at the usual interval u. Beyond it the chance that an interval outlasts t is taken to be
 * exp(-3.9 (t / u)^k): k = 1 for independent trades, which come at random; less where they come in bursts, learnt from how far the
 * longest 2 % are from the longest 14 %. One outage among hundreds of intervals moves neither, which no mean would withstand.
 */
export type Rhythm = {
  /** Two bins to the octave, from 1 up to a day of milliseconds. */
  bins: Float64Array
  total: number
  /** Weight of the next interval: it grows, which is the same as older ones fading. */
  unit: number
  count: number
  /** What follows from the bins, and for how many intervals. */
  usual: number
  shape: number
  foundAt: number
  /** The patience asked for since the last interval, by nats: it is asked for on each tick. */
  waits: Map<number, number>
}

const BINS = 54
/** Share of the intervals that are longer than usual. */
const TAIL = 0.02
/** Before this many intervals nothing is known, and for some time after that little: patience is longer by 1 + 8 / intervals. */
export const LEARNT = 8
/** The memory spans this many intervals at least, and this many milliseconds: bursts are not to be taken for the rule. */
const MEMORY = { intervals: 500, span: 60_000 }
/** The heaviest tail believed in: of k = 0.3 one interval in 100,000 is forty times the usual one. */
const HEAVIEST = 0.3
/** Octaves between the two for independent trades: one, give or take what chance makes of it. Beyond that it is bursts. */
const RANDOM = 1.15
/** Tails grow heavier further out than where they are measured. */
const HEAVIER = 1.7
/** At least so much is kept when an interval shows that what was learnt is out of date. */
const KEPT = 32
const LARGEST_UNIT = 1e9

export const openRhythm = (): Rhythm => ({
  bins: new Float64Array(BINS),
  total: 0,
  unit: 1,
  count: 0,
  usual: 0,
  shape: 1,
  foundAt: 0,
  waits: new Map()
})

/** How many intervals the memory amounts to. */
const lengthOf = ({ total, unit }: Rhythm): number => total / unit
const tailOf = (rhythm: Rhythm): number => Math.max(TAIL, 1 / (lengthOf(rhythm) + 2))

const binOf = (interval: number): number => Math.min(BINS - 1, Math.max(0, Math.floor(2 * Math.log2(interval) + 1)))

/** `took`: how long it took in milliseconds, where `interval` is counted on another clock. */
export function learn(rhythm: Rhythm, interval: number, took = interval): void {
  // The past counts half: a flow that has become thinner is learnt after a few alarms, and one outage still moves nothing.
  if (interval > 2 * rhythm.usual && lengthOf(rhythm) > KEPT && surprise(rhythm, interval) > SURPRISED) {
    rhythm.unit *= 2
    rhythm.foundAt = 0
  }
  rhythm.unit /= 1 - Math.min(1 / MEMORY.intervals, took / MEMORY.span)
  const bin = binOf(interval)
  rhythm.bins[bin] = (rhythm.bins[bin] ?? 0) + rhythm.unit
  rhythm.total += rhythm.unit
  rhythm.count++
  rhythm.waits.clear()
  if (rhythm.unit > LARGEST_UNIT) rescale(rhythm)
}

function rescale(rhythm: Rhythm): void {
  for (let bin = 0; bin < BINS; bin++) rhythm.bins[bin]! /= rhythm.unit
  rhythm.total /= rhythm.unit
  rhythm.unit = 1
}

/** The interval that is exceeded by this share of them. */
function exceededBy({ bins, total }: Rhythm, share: number): number {
  let beyond = share * total
  for (let bin = BINS - 1; bin >= 0; bin--) {
    const here = bins[bin]!
    if (here > 0 && here >= beyond) return 2 ** ((bin - beyond / here) / 2)
    beyond -= here
  }
  return 1
}

/** Found anew when the memory has changed by a few hundredths: it is asked for far more often than it changes. */
function find(rhythm: Rhythm): void {
  const { count, foundAt } = rhythm
  if (count - foundAt < 1 + Math.min(foundAt, MEMORY.intervals) / 32 && foundAt > 0) return
  const tail = tailOf(rhythm)
  rhythm.usual = exceededBy(rhythm, tail)
  const spread = Math.log2(rhythm.usual / exceededBy(rhythm, Math.sqrt(tail)))
  rhythm.shape = Math.max(HEAVIEST, 1 / (1 + HEAVIER * Math.max(0, spread - RANDOM)))
  rhythm.foundAt = count
}

export function usualOf(rhythm: Rhythm): number {
  find(rhythm)
  return rhythm.usual
}

/** For how long to wait until the silence is so unlikely: `nats` = -ln of the chance that it means nothing. */
export function patience(rhythm: Rhythm, nats: number): number {
  if (rhythm.count < LEARNT) return Infinity
  const known = rhythm.waits.get(nats)
  if (known !== undefined) return known
  find(rhythm)
  const wait = rhythm.usual * (1 + LEARNT / lengthOf(rhythm)) * (nats / -Math.log(tailOf(rhythm))) ** (1 / rhythm.shape)
  rhythm.waits.set(nats, wait)
  return wait
}

/** -ln of the chance that a usual interval is longer than this: the log-likelihood of "mute" against "quiet". */
export function surprise(rhythm: Rhythm, interval: number): number {
  if (rhythm.count < LEARNT) return 0
  find(rhythm)
  const usual = rhythm.usual * (1 + LEARNT / lengthOf(rhythm))
  return -Math.log(tailOf(rhythm)) * (interval / usual) ** rhythm.shape
}

/** One interval in 125,000 of independent trades; with TAIL this makes exactly three usual intervals. */
export const SURPRISED = -3 * Math.log(TAIL)
