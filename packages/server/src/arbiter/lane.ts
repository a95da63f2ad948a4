/** One lane is one kind of data of one instrument: who carries it, who leads, and what each source said last. */
import { topicName, type Book, type ArbitratedKind, type Quote, type Ticker, type Trade } from '@tickwire/protocol'
import type { Evidence } from './liveness.ts'
import type { Market } from '../calendar/calendar.ts'
import { openPulse, silenceLimit, trustLimit, type Pulse } from './pulse.ts'
import type { Held } from './quarantine.ts'
import { openReigns, type Reigns } from './reigns.ts'
import { inputsOf, openMarks, scoreOf, type Marks, type Measured, type Weights } from './score.ts'
import type { Voice } from './voice.ts'

export type Admissible = Trade | Quote | Ticker | Book

/** One provider within a lane. */
export type Source = {
  provider: string
  /** Its topic in the plant: its own events, whether it leads or not. */
  topic: string
  /** `asked`: subscribed but never heard since; `live`: it spoke; `closed`: its connection is down. */
  state: 'asked' | 'live' | 'closed'
  downSince: number
  /** Since when it speaks without fault; undefined before its first event after one. */
  cleanSince?: number | undefined
  pulse: Pulse
  /** The latest connection on which it spoke. */
  connection: number
  last?: Admissible
  /** As standby: trades received since the leader's last one. */
  recent: Trade[]
  /** Ids of its last trades → time, in two generations so that the older half can be forgotten at once. */
  ids: Map<string, number>
  olderIds: Map<string, number>
  marks: Marks
  /** What this provider says of the price, of whatever kind. */
  voice: Voice
  /** Prices that are not believed yet. */
  held?: Held | undefined
}

export type Lane = {
  kind: ArbitratedKind
  instrument: string
  topic: string
  /** Where it is told why. */
  verdictTopic: string
  sources: Map<string, Source>
  /** The market's clock: instants at which any of its sources spoke, and the last of them. */
  words: number
  saidAt: number
  leader?: Source | undefined
  /** Of trades: whose they are, by their times. */
  reigns: Reigns
  /** The state that readers have: trades are no state. */
  shown?: Exclude<Admissible, Trade> | undefined
  /** Who led before nobody did. */
  previous?: string | undefined
  openedAt: number
  switchedAt: number
  /** Times of the last switches, for damping. */
  switches: number[]
  /** Nobody leads although somebody should: the leader was down, or mute. */
  outage: boolean
  /** Why it is as it is, as the last decision said. */
  reason: string
  /** A standby that is clearly better, and since when; and when that was last looked at. */
  rival?: { provider: string; since: number } | undefined
  weighedAt: number
}

export const openLane = (kind: ArbitratedKind, instrument: string, now: number): Lane => ({
  kind,
  instrument,
  topic: topicName(kind, instrument),
  verdictTopic: topicName('arbitration', instrument, undefined, kind),
  sources: new Map(),
  reigns: openReigns(),
  words: 0,
  saidAt: -Infinity,
  openedAt: now,
  switchedAt: now,
  switches: [],
  outage: false,
  reason: `nobody has told a ${kind} of ${instrument} yet`,
  weighedAt: -Infinity
})

export const openSource = (lane: Lane, voice: Voice, now: number): Source => ({
  provider: voice.provider,
  topic: topicName(lane.kind, lane.instrument, voice.provider),
  state: 'asked',
  downSince: now,
  pulse: openPulse(),
  connection: -Infinity,
  recent: [],
  ids: new Map(),
  olderIds: new Map(),
  marks: openMarks(),
  voice
})

const IDS = 1_000
/** So many at least are kept of those that came last. */
const RECENT = 1_000
/** State that is older than what we have by less than this came out of order; by more, the provider's clock was set back. */
const OUT_OF_ORDER = 5_000

/** True for a trade that was here before: the same id at the same time. Without an id no two trades are the same. */
function isRepeated(source: Source, trade: Trade): boolean {
  // The time too, because a provider may start to count anew.
  const { id = '', time } = trade
  if (source.ids.get(id) === time || source.olderIds.get(id) === time) return true
  if (source.ids.size >= IDS) {
    source.olderIds = source.ids
    source.ids = new Map()
  }
  source.ids.set(id, time)
  return false
}

/**
 * True for what is no news. While two connections of a provider overlap, the later one speaks as soon as it can, and the
 * earlier one's state is out of date from then on; only trades with an id are taken from both. Within a connection, a quote
 * or ticker older than the one before came out of order; books come in order, their adapter sees to it.
 */
export function isOutOfDate(source: Source, event: Admissible, connection: number): boolean {
  const earlier = connection < source.connection
  source.connection = Math.max(source.connection, connection)
  if (event.type === 'trade') return event.id === undefined ? earlier : isRepeated(source, event)
  if (earlier) return true
  const behind = (source.last?.time ?? -Infinity) - event.time
  return event.type !== 'book' && behind > 0 && behind < OUT_OF_ORDER
}

export function remember(source: Source, trade: Trade): void {
  // Many at once, so that none of them costs a move of all.
  if (source.recent.length >= 2 * RECENT) source.recent.splice(0, RECENT)
  source.recent.push(trade)
}

/** What is known of all providers at a time: the operator's order, how often each speaks, whatever of, its clock and its way. */
export type Scene = {
  order: readonly string[]
  weights: Weights
  /** What the market of an instrument does, where it has hours; and since when its venue has it halted. */
  market: ((instrument: string, now: number) => Market | undefined) | undefined
  halts: ReadonlyMap<string, number>
  pulses: ReadonlyMap<string, Pulse>
  offsets: ReadonlyMap<string, number>
  latencies: ReadonlyMap<string, number>
  /** How often each one's forecasts came true. */
  reliabilities: ReadonlyMap<string, number>
  now: number
}

/** All that comes at one instant is one word, so that its order does not matter. */
export function say(lane: Lane, now: number): number {
  if (now > lane.saidAt) lane.words++
  lane.saidAt = Math.max(lane.saidAt, now)
  return lane.words
}

/** What livenessOf judges a source by. */
export function evidenceOf(lane: Lane, source: Source, { pulses, market, halts, now }: Scene): Evidence {
  const { state, downSince: since, pulse, provider } = source
  let heard = -Infinity
  for (const other of lane.sources.values()) if (other !== source) heard = Math.max(heard, other.pulse.heard)
  const others = heard === -Infinity ? undefined : { words: lane.words - pulse.word, heard }
  const { instrument } = lane
  return {
    state,
    since,
    pulse,
    whole: pulses.get(provider),
    others,
    market: market?.(instrument, now),
    halted: halts.get(instrument)
  }
}

/** It speaks: neither this stream of it nor the provider as a whole is silent for longer than usual. */
function isFresh({ provider, state, pulse }: Source, { pulses, now }: Scene): boolean {
  const whole = pulses.get(provider) ?? pulse
  return state === 'live' && now - pulse.heard <= trustLimit(pulse) && now - whole.heard <= silenceLimit(whole)
}

/** Connected, and no more silent than usual. */
export const isUsual = ({ state, pulse }: Source, now: number): boolean =>
  state === 'live' && now - pulse.heard <= silenceLimit(pulse)

/** The others do not contradict its price. */
export const isSound = ({ voice, held }: Source): boolean => voice.refusedSince === undefined && held === undefined

/** How long its events take, its clock's offset taken off; a clock known to be behind makes nobody faster than light. */
export function latencyOf({ provider, marks }: Source, { offsets, latencies }: Scene): number | undefined {
  const raw = marks.latency ?? latencies.get(provider)
  return raw === undefined ? undefined : Math.max(0, raw + (offsets.get(provider) ?? 0))
}

export type Scored = { source: Source; score: number; inputs: ReturnType<typeof inputsOf> }

/** All sources of the lane with their scores. */
export function scoresOf(lane: Lane, scene: Scene): Scored[] {
  const all = [...lane.sources.values()].map((source) => ({ source, latency: latencyOf(source, scene) }))
  let fastest = Infinity
  for (const { latency = Infinity } of all) fastest = Math.min(fastest, latency)
  return all.map(({ source, latency }) => {
    const usual = scene.reliabilities.get(source.provider)
    const measured: Measured = { marks: source.marks, voice: source.voice, latency, fastest, usual }
    const inputs = inputsOf(measured)
    return { source, inputs, score: scoreOf(inputs, scene.weights) }
  })
}

/** What the operator's preference is worth in points of the score: it decides between equals. */
const PREFERRED = 0.05
const bonus = ({ order }: Scene, provider: string): number =>
  order.length === 0 ? 0 : PREFERRED * (1 - preference(order, provider) / order.length)

export const rankOf = ({ source, score }: Scored, scene: Scene): number => score + bonus(scene, source.provider)

/** Who could lead now, best first, those that the others contradict last: only those that speak. A silent one may lead as soon as it speaks again. */
export function ranked(lane: Lane, scene: Scene): Scored[] {
  return scoresOf(lane, scene)
    .filter(({ source }) => source !== lane.leader && isFresh(source, scene))
    .sort(
      (a, b) =>
        Number(isSound(b.source)) - Number(isSound(a.source)) ||
        rankOf(b, scene) - rankOf(a, scene) ||
        (a.source.provider < b.source.provider ? -1 : 1)
    )
}
export const standbys = (lane: Lane, scene: Scene): Source[] => ranked(lane, scene).map(({ source }) => source)

export function preference(order: readonly string[], provider: string): number {
  const at = order.indexOf(provider)
  return at < 0 ? order.length : at
}
