/**
 * How good our forecasts were, and the confidence that follows from it: per provider and class (trade, quote, ticker) what came
 * true of each raw value, a reliability diagram of what we said, and two tests that notice when a provider is no longer what it was.
 *
 * - A provider of whom little is known is drawn to its class, as by 20 forecasts, and to what the rule of succession says of the
 *   next provider: (1 + the others' shares that came true) / (2 + the others). With none before, that is 1/2; with three that
 *   are always right, 4/5.
 * - Counts are halved when they reach 4,000, so that old times are forgotten.
 * - CUSUM tests (Page 1954) of "three times as many misses" and "a third of them" against what was expected of the provider: beyond
 *   1 to 10,000 the counts begin anew with what came since the change. If the market itself moved out of it, a forecast tests nobody.
 */
import type { Calibration } from '@tickwire/protocol'
import { add, clear, copy, count, fit, halve, KNOTS, openCounts, valueOf, type Counts, type Curve } from './curve.ts'

/** Compared with the other providers, or by its freshness alone. */
type Pair = { compared: Counts; alone: Counts }
const openPair = (): Pair => ({ compared: openCounts(), alone: openCounts() })
/** Of whom nothing was counted. */
const UNCOUNTED: Readonly<Pair> = openPair()

/** A change for the worse or the better that may be going on, how likely, and what was counted since it may have begun. */
type Suspicion = { score: number; since: Pair }

/** One provider in one class. */
export type Track = {
  counts: Pair
  curves: { compared: Curve; alone: Curve }
  worse: Suspicion
  better: Suspicion
  diagram: { n: Float64Array; sure: Float64Array; hits: Float64Array; squares: number; count: number }
}

/** All providers of one class, in the order of their names, so that no sum depends on who came first. */
export type Class = { tracks: Map<string, Track>; unknown: Track['curves']; share: number; changed: boolean }

export const BINS = 10
const STRENGTH = 20
const MEMORY = 4_000
const PROOF = Math.log(10_000)
const LIMITS = [0.001, 0.999] as const

export const openClass = (): Class => {
  const all: Class = { tracks: new Map(), unknown: openCurves(), share: 0.5, changed: true }
  learn(all)
  return all
}
const openCurves = () => ({ compared: new Float64Array(KNOTS), alone: new Float64Array(KNOTS) })
const openSuspicion = (): Suspicion => ({ score: 0, since: openPair() })

function openTrack(curves: Track['curves']): Track {
  const [n, sure, hits] = [new Float64Array(BINS), new Float64Array(BINS), new Float64Array(BINS)]
  const diagram = { n, sure, hits, squares: 0, count: 0 }
  return { counts: openPair(), curves, worse: openSuspicion(), better: openSuspicion(), diagram }
}

/** The confidence in what has this raw value, from 0.001 to 0.999: nothing is certain. */
export function calibrated(all: Class, provider: string, raw: number, isCompared: boolean): number {
  const { compared, alone } = all.tracks.get(provider)?.curves ?? all.unknown
  const value = valueOf(isCompared ? compared : alone, raw)
  return Math.min(LIMITS[1], Math.max(LIMITS[0], value))
}

/** What was said of an event, and what came of it. */
export type Outcome = {
  /** Raw values; `compared` is absent where there was nobody to compare with. */
  compared: number | undefined
  alone: number
  /** The confidence that went out, and what it would have been with nobody to compare with. */
  sure: number
  unseen: number
  hit: boolean
  /** The consensus itself stayed within the tolerance. */
  calm: boolean
}

export function score(all: Class, provider: string, outcome: Outcome): void {
  const track = trackOf(all, provider)
  all.changed = true
  note(track.counts, outcome)
  draw(track.diagram, outcome)
  if (outcome.calm) {
    const missed = 1 - outcome.unseen
    suspect(track, track.worse, outcome, Math.min(0.9, Math.max(0.05, 3 * missed)))
    suspect(track, track.better, outcome, missed > 0.05 ? missed / 3 : missed)
  }
  if (total(track.counts.alone.n) < MEMORY) return
  halve(track.counts.compared)
  halve(track.counts.alone)
}

function trackOf(all: Class, provider: string): Track {
  const known = all.tracks.get(provider)
  if (known) return known
  const made = openTrack(all.unknown)
  const sorted = [...all.tracks, [provider, made] as const].sort(([a], [b]) => (a < b ? -1 : 1))
  all.tracks = new Map(sorted)
  return made
}

function note(pair: Pair, { compared, alone, hit }: Outcome): void {
  if (compared !== undefined) count(pair.compared, compared, hit)
  count(pair.alone, alone, hit)
}

function draw(diagram: Track['diagram'], { sure, hit }: Outcome): void {
  const bin = Math.min(BINS - 1, Math.floor(sure * BINS))
  diagram.n[bin]! += 1
  diagram.sure[bin]! += sure
  diagram.hits[bin]! += Number(hit)
  diagram.squares += (sure - Number(hit)) ** 2
  if (++diagram.count < MEMORY) return
  for (const sums of [diagram.n, diagram.sure, diagram.hits]) for (let k = 0; k < BINS; k++) sums[k]! /= 2
  diagram.squares /= 2
  diagram.count /= 2
}

/** Wald's likelihood ratio of "this share is missed" against what was expected; below 1 the change has not begun. */
function suspect(track: Track, suspicion: Suspicion, outcome: Outcome, missed: number): void {
  const said = 1 - outcome.unseen
  suspicion.score += Math.log(outcome.hit ? (1 - missed) / (1 - said) : missed / said)
  if (suspicion.score <= 0) return forget(suspicion)
  note(suspicion.since, outcome)
  if (suspicion.score < PROOF) return
  copy(suspicion.since.compared, track.counts.compared)
  copy(suspicion.since.alone, track.counts.alone)
  forget(track.worse)
  forget(track.better)
}

function forget(suspicion: Suspicion): void {
  suspicion.score = 0
  clear(suspicion.since.compared)
  clear(suspicion.since.alone)
}

const total = (values: Float64Array): number => {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

/** Draws the curves anew; to be called when time passes, never between events of one time. */
export function learn(all: Class): void {
  if (!all.changed) return
  all.changed = false
  const pooled = openPair()
  let [checked, right] = [0, 0]
  for (const { counts } of all.tracks.values()) {
    add(counts.compared, pooled.compared)
    add(counts.alone, pooled.alone)
    const n = total(counts.alone.n)
    const known = n / (n + STRENGTH)
    checked += known
    right += n === 0 ? 0 : (known * total(counts.alone.hits)) / n
  }
  all.share = (1 + right) / (2 + checked)
  const usual = (total(pooled.alone.hits) + 1) / (total(pooled.alone.n) + 2)
  const straight = new Float64Array(KNOTS)
  for (let k = 0; k < KNOTS; k++) straight[k] = (usual * k) / (KNOTS - 1)
  const common = {
    compared: fit(pooled.compared, straight, STRENGTH / 2),
    alone: fit(pooled.alone, straight, STRENGTH / 2)
  }
  const curvesOf = ({ compared, alone }: Pair, share: number) => ({
    compared: fit(compared, shifted(common.compared, usual, share), STRENGTH),
    alone: fit(alone, shifted(common.alone, usual, share), STRENGTH)
  })
  all.unknown = curvesOf(UNCOUNTED, all.share)
  for (const track of all.tracks.values()) track.curves = curvesOf(track.counts, shareOf(all, track))
}

/** What is usual of all, for one who is right less often (fewer hits by the same factor) or more often (fewer misses). */
function shifted(curve: Curve, usual: number, share: number): Curve {
  const values = new Float64Array(KNOTS)
  for (let k = 0; k < KNOTS; k++)
    values[k] = share < usual ? (curve[k]! * share) / usual : 1 - ((1 - curve[k]!) * (1 - share)) / (1 - usual)
  return values
}

const shareOf = ({ share }: Class, { counts: { alone } }: Track): number =>
  (total(alone.hits) + STRENGTH * share) / (total(alone.n) + STRENGTH)

/** How often its prices held against the consensus, from 0 to 1; of a provider never checked, what is to be expected of the next. */
export function heldBy(classes: readonly Class[], provider: string): number {
  let [held, n] = [0, 0]
  for (const all of classes) {
    const track = all.tracks.get(provider)
    held += STRENGTH * all.share + (track ? total(track.counts.alone.hits) : 0)
    n += STRENGTH + (track ? total(track.counts.alone.n) : 0)
  }
  return held / n
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000

/** The picture of one class, by provider; counts fade, so they are rounded. */
export function pictures(all: Class, about: Pick<Calibration, 'class' | 'bps' | 'horizon'>): Calibration[] {
  return [...all.tracks].map(([provider, { diagram }]) => {
    const { n, sure, hits, squares, count } = diagram
    let ece = 0
    const bins = [...n].map((size, k) => {
      ece += Math.abs(sure[k]! - hits[k]!) / count
      const [mean, share] = size === 0 ? [0, 0] : [sure[k]! / size, hits[k]! / size]
      return { from: k / BINS, to: (k + 1) / BINS, count: Math.round(size), mean: rounded(mean), hits: rounded(share) }
    })
    const all = { count: Math.round(count), mean: rounded(total(sure) / count), hits: rounded(total(hits) / count) }
    return { provider, ...about, ...all, brier: rounded(squares / count), ece: rounded(ece), bins }
  })
}
