/** What is counted about one provider: rate, latency, refusals, phase; the material of its ProviderStatus. */
import type { ProviderPhase, ProviderStatus } from '@tickwire/protocol'
import type { Decoded } from './connection.ts'
import { observe, openHistogram, turn, type Histogram } from './histogram.ts'
import { ageOf, disorder, learn, noteDated, noteRoundTrip, openSkew, shake, shift, STEP, type Dated, type Skew } from './skew.ts'

export type Tally = {
  provider: string
  /** Of recorded events the age says nothing about the way they came. */
  times: 'live' | 'recorded'
  refused: Map<string, number>
  frames: number
  events: number
  reconnects: number
  /** Frames in each of the last seconds, in a ring; `second` is the current one, `first` the first one ever. */
  perSecond: Float64Array
  second: number
  first: number
  latencies: number[]
  sample: number
  /** Its clock against ours. */
  skew: Skew
  /** From the provider's time to ours, its clock's offset taken off, by kind. */
  hops: Map<string, Histogram>
  tickedAt: number
  phase: ProviderPhase
  since: number
  reason: string
  /** Frames there were when the phase began: a connection that is open and says nothing is not said to speak. */
  framesBefore: number
  lastFailover?: ProviderStatus['lastFailover']
}

/** Seconds over which the frame rate is averaged. */
const WINDOW = 10
/** Latencies of the last trades and quotes, of which the median is told. */
const SAMPLES = 256
/** Reasons are bounded: a hostile provider must not grow our memory by inventing new ones. */
const REASONS = 64
/** The best phase among a provider's connections is the provider's phase. */
const RANK: readonly ProviderPhase[] = ['live', 'stale', 'connecting', 'waiting', 'idle', 'stopped']

export const openTally = (provider: string, times: Tally['times'] = 'live'): Tally => ({
  provider,
  times,
  refused: new Map(),
  frames: 0,
  events: 0,
  reconnects: 0,
  perSecond: new Float64Array(WINDOW + 1),
  second: 0,
  first: 0,
  latencies: [],
  sample: 0,
  skew: openSkew(),
  hops: new Map(),
  tickedAt: Number.NaN,
  phase: 'idle',
  since: 0,
  reason: 'nobody asked for anything yet',
  framesBefore: 0
})

/** Moves the window on to the second of `now`, clearing those skipped. */
function advance(tally: Tally, now: number): void {
  const current = Math.floor(now / 1_000)
  if (current === tally.second) return
  if (tally.first === 0) tally.first = current
  for (let s = Math.max(tally.second + 1, current - WINDOW); s <= current; s++) tally.perSecond[s % (WINDOW + 1)] = 0
  tally.second = current
}

export function countFrame(tally: Tally, now: number): void {
  advance(tally, now)
  tally.frames++
  tally.perSecond[tally.second % (WINDOW + 1)]!++
}

/** What carries the time at which it happened: the rest tells a state that may be old. */
const TIMED: ReadonlySet<Decoded['type']> = new Set<Decoded['type']>(['trade', 'quote', 'book'])

/** Counts it, learns the provider's clock from it, and says on the event itself where its time cannot be right. */
export function countEvent(tally: Tally, event: Decoded, now: number): void {
  tally.events++
  if (tally.times === 'recorded') return
  const { skew } = tally
  const wrong = disorder(skew, event, now)
  if (wrong !== undefined) event.clock = wrong
  // What has no time of its own carries ours, which says nothing.
  if (!TIMED.has(event.type) || event.time === now || event.delayed !== undefined) return
  if (event.type === 'trade' && (event.backfill || event.ineligible)) return
  learn(skew, event.time, now)
  const age = wrong === undefined ? ageOf(skew, event.time, now) : undefined
  if (age === undefined) return
  hear(tally, event.type, age)
  if (event.type !== 'book') tally.latencies[tally.sample++ % SAMPLES] = age
}

function hear({ hops }: Tally, kind: string, age: number): void {
  let hop = hops.get(kind)
  if (!hop) hops.set(kind, (hop = openHistogram()))
  observe(hop, age)
}

/** The way there and back took no longer than this. */
export function countRoundTrip({ skew, times }: Tally, milliseconds: number): void {
  if (times === 'live') noteRoundTrip(skew, milliseconds)
}

export function countDated({ skew, times }: Tally, dated: Dated): void {
  if (times === 'live') noteDated(skew, dated)
}

/** A tick this late means that we slept, or that our clock was set ahead; one before the last, that it was set back. */
const LATE_TICK = 5_000
export function tick(tally: Tally, now: number): void {
  const elapsed = now - tally.tickedAt
  tally.tickedAt = now
  for (const hop of tally.hops.values()) turn(hop, now)
  if (elapsed < -STEP) shift(tally.skew, elapsed, now)
  else if (elapsed > LATE_TICK) shake(tally.skew)
}

export function countRefused(tally: Tally, reason: string): void {
  const key = tally.refused.has(reason) || tally.refused.size < REASONS ? reason : 'other'
  tally.refused.set(key, (tally.refused.get(key) ?? 0) + 1)
}

/** `changed` is the connection that brought the news; `all` are the phases of all of them. */
export function setPhase(
  tally: Tally,
  all: readonly ProviderPhase[],
  changed: { phase: ProviderPhase; reason: string },
  now: number
): void {
  const best = RANK.find((p) => all.includes(p)) ?? changed.phase
  if (best === tally.phase && best !== 'waiting') return
  if (best !== tally.phase) tally.since = now
  tally.phase = best
  tally.reason = changed.reason
  tally.framesBefore = tally.frames
}

export function statusOf(
  tally: Tally,
  now: number,
  more: Pick<ProviderStatus, 'connections' | 'subscriptions' | 'simulated' | 'gaps'>
): ProviderStatus {
  advance(tally, now)
  const { provider, phase, frames, framesBefore, events, reconnects, lastFailover, perSecond, second, skew } = tally
  // The current second is not over yet and does not count.
  let total = -perSecond[second % (WINDOW + 1)]!
  for (const n of perSecond) total += n
  const rate = total / Math.min(WINDOW, Math.max(1, second - tally.first))
  const latency = new Float64Array(tally.latencies).sort()[tally.latencies.length >> 1]
  const refused = Object.fromEntries(tally.refused)
  const since = tally.since === 0 ? now : tally.since
  const isUnheard = phase === 'live' && frames === framesBefore && tally.reason === 'connected'
  const reason = isUnheard ? 'connected, and nothing heard yet' : tally.reason
  const stamp = { type: 'provider', provider, instrument: '', time: now, received: now } as const
  const status: ProviderStatus = { ...stamp, phase, since, reason, ...more, rate, frames, events, refused, reconnects }
  if (latency !== undefined) status.latency = latency
  if (skew.estimate) status.clock = { ...skew.estimate }
  if (lastFailover !== undefined) status.lastFailover = lastFailover
  return status
}
