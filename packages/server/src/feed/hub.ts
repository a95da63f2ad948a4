/** What the parts of the feed share, and the road down: every word of a provider passes the arbiter and ends in the plant. */
import {
  ARBITRATED_KINDS,
  topicName,
  type MarketEvent,
  type ProviderPhase,
  type ProviderStatus,
  type Status,
  type Topic
} from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Adapter, Subscription } from '../providers/adapter.ts'
import { admit, type ArbiterInput, type ArbiterOutput, type ArbiterState } from '../arbiter/arbiter.ts'
import type { Clockwork } from '../calendar/calendar.ts'
import type { Demand } from './demand.ts'
import { note, type Digest } from './digest.ts'
import { explainDecision, type Explained } from './explain.ts'
import type { Gaps } from './gap.ts'
import { follow } from './gaps.ts'
import { observe, type Histogram } from '../connection/histogram.ts'
import type { Instruments } from './instruments.ts'
import type { Source } from './lookup.ts'
import type { Pool } from '../connection/pool.ts'
import type { Pending } from '../connection/standing.ts'

/** As pino writes: fields first, then a constant message. */
type Write = (fields: object, message: string) => void
export type FeedLog = { debug: Write; info: Write; warn: Write; error: Write }

/** A subscription, whose it is, and what its instrument is called here. */
export type Place = Subscription & { provider: string; instrument: string }

export type Provider = {
  adapter: Adapter
  pool: Pool
  source: Source
  listed: boolean
  /** Wanted in this turn, to be asked together. */
  asking: Place[]
  /** When its status was last published. */
  spokenAt: number
  loggedPhase?: ProviderPhase
  /** When its listing is asked next; Infinity while it is asked. */
  listAt: number
  /** Failed listings in a row, and why the last one failed. */
  listTries: number
  /** How often in a row its credentials were refused. */
  listDenials: number
  listFailure?: string | undefined
}

export type Hub = {
  plant: Plant
  instruments: Instruments
  clock: () => number
  random: () => number
  log: FeedLog
  simulated: boolean
  arbiter: ArbiterState
  gaps: Gaps
  digest: Digest
  /** What was told of the decisions to those who listen. */
  explained: Explained
  /** From our hearing of an event to its publishing. */
  published: Histogram
  providers: Map<string, Provider>
  /** Topics that someone reads. */
  topics: Demand<Topic>
  /** Subscription of a provider → the topics that need it. */
  users: Map<string, { place: Place; topics: Set<string> }>
  market?: Clockwork | undefined
  listingEvery: number
  onListing: () => void
  /** Commands that wait for what comes of them. */
  pending: Set<Pending>
  stopped: boolean
}

export function judge(hub: Hub, input: ArbiterInput): void {
  say(
    hub,
    follow(hub.gaps, (key) => hub.arbiter.lanes.get(key), input, admit(hub.arbiter, input))
  )
}

/** What is known of the gaps is said as the arbiter's words are. */
export function say(hub: Hub, outputs: readonly ArbiterOutput[]): void {
  for (const output of outputs) {
    if ('refused' in output) {
      hub.providers.get(output.provider)?.pool.refused(output.refused)
      continue
    }
    if (output.event.type === 'status') decided(hub, output.event)
    publish(hub, output.topic, output.event)
    if (output.event.type === 'status') explainDecision(hub, output.event.kind, output.event.instrument, output.event.received)
    if (output.event.type === 'status' && output.event.kind === 'book' && output.event.leader === undefined)
      fade(hub, output.event.instrument)
  }
}

const MEASURED: ReadonlySet<MarketEvent['type']> = new Set(ARBITRATED_KINDS)
/** Counts how long it was with us, where it is a provider's word as it came. */
function publish({ plant, clock, published }: Hub, topic: string, event: MarketEvent): void {
  const now = clock()
  if (MEASURED.has(event.type) && !('backfill' in event)) observe(published, Math.max(0, now - event.received))
  plant.publish(topic, event, now)
}

/** Nobody leads: the book that readers have is nobody's any more. */
function fade({ plant, clock }: Hub, instrument: string): void {
  const topic = topicName('book', instrument)
  const last = plant.last(topic)
  if (last?.type === 'book' && last.state !== 'stale') plant.publish(topic, { ...last, state: 'stale' }, clock())
}

const FAILOVERS: ReadonlySet<Status['cause']> = new Set(['closed', 'silence', 'gap', 'outlier', 'better'])

function decided({ log, providers, digest }: Hub, status: Status): void {
  const { instrument, kind, leader, cause, reason, previous, time: at } = status
  log.debug({ instrument, kind, leader, cause, reason }, 'arbiter decided')
  note(digest, status)
  if (previous === undefined || leader === undefined || !FAILOVERS.has(cause)) return
  providers.get(previous)?.pool.failover({ at, instrument, kind, reason })
}

/** What its market does now, where all of its data has one. */
function marketOf({ market, simulated }: Hub, { adapter, pool }: Provider, status: ProviderStatus, now: number): ProviderStatus {
  const { calendar } = adapter
  if (simulated || !market || calendar === undefined) return status
  const sessions = new Set(
    pool.routes().map((route) => market(typeof calendar === 'string' ? calendar : calendar(route), now).session)
  )
  const [session] = sessions
  return session === undefined || sessions.size > 1 ? status : { ...status, market: session }
}

/** A provider without a listing can be asked for nothing, whatever its connections would do. */
export function statusOf(hub: Hub, provider: Provider, now: number): ProviderStatus {
  const { pool, listed, listFailure } = provider
  const status = marketOf(hub, provider, pool.status(now, hub.simulated, hub.gaps.told.get(provider.adapter.provider) ?? 0), now)
  if (listed || listFailure === undefined) return status
  return { ...status, phase: 'waiting', reason: `its list of instruments cannot be loaded: ${listFailure}; it is asked again` }
}

/** Publishes the state of a provider. */
export function speak(hub: Hub, provider: Provider, now: number): ProviderStatus {
  provider.spokenAt = now
  const status = statusOf(hub, provider, now)
  if (status.clock) judge(hub, { type: 'offset', provider: status.provider, offset: status.clock.offset })
  hub.plant.publish(topicName('provider', status.provider), status, now)
  return status
}
