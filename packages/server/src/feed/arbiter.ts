/** Which provider to trust: one leader per instrument and kind, warm standbys, and a status for every change of mind. */
import { topicName, type Candle, type Gap } from '@tickwire/protocol'
import { confidenceOf, FAULTS, openStanding, passTime, type Standing } from './confidence.ts'
import { openForecasts, settle, type Forecasts } from './forecasts.ts'
import { judge } from './review.ts'
import { isOutOfDate, openLane, openSource, preference, remember, say, standbys } from './lane.ts'
import type { Admissible, Lane, Scene, Source } from './lane.ts'
import { gapEvent, isAllowed, lead, leaderless, seconds, type ArbiterOutput, type ArbiterSettings, type Place } from './lead.ts'
import { impossible, isPossibleAge } from './possible.ts'
import { notePrice, priceOf, type Prices } from './prices.ts'
import { beat, openPulse, type Pulse } from './pulse.ts'

export type ArbiterInput =
  | { type: 'event'; event: Admissible | Candle; connection?: number }
  /** About every 100 ms. Silence is judged here only, never when an event arrives. */
  | { type: 'tick'; now: number }
  | ({ type: 'subscribed' | 'unsubscribed' } & Place)
  | ({ type: 'closed'; reason: string } & Place)
  | ({ type: 'gap'; cause: Gap['cause']; action: Gap['action'] } & Place & Pick<Gap, 'expected' | 'got'>)
  /** A frame or a subscription was refused. */
  | { type: 'refused'; provider: string }
export type { ArbiterOutput, ArbiterSettings }

export type ArbiterState = {
  settings: ArbiterSettings
  lanes: Map<string, Lane>
  standings: Map<string, Standing>
  /** How often a provider speaks, over all its instruments: a dead connection is noticed even on thin ones. */
  pulses: Map<string, Pulse>
  /** Instrument → latest price by provider. */
  prices: Map<string, Prices>
  /** What we said of events, and what came of it. */
  forecasts: Forecasts
  tickedAt: number
  /** Silence is not judged before this time. */
  judgeFrom: number
}

/** The preferred provider may take over without hold-down while a lane is younger than this. */
const SETTLING = 10_000
/** A tick this late means that we ourselves were blocked: what waits in the sockets must be read before anyone is judged. */
const LATE_TICK = 500
const LATE_GRACE = 300

export function createArbiter(settings: Partial<ArbiterSettings> & Pick<ArbiterSettings, 'order'>): ArbiterState {
  return {
    settings: { holdDown: 30_000, outageAfter: 1_000, times: 'live', ...settings },
    lanes: new Map(),
    standings: new Map(),
    pulses: new Map(),
    prices: new Map(),
    forecasts: openForecasts(settings.targets),
    tickedAt: -Infinity,
    judgeFrom: -Infinity
  }
}

export function admit(state: ArbiterState, input: ArbiterInput): ArbiterOutput[] {
  switch (input.type) {
    case 'event':
      return admitEvent(state, input.event, input.connection ?? 0)
    case 'tick':
      return tick(state, input.now)
    case 'subscribed':
      return subscribed(state, input)
    case 'unsubscribed':
      return unsubscribed(state, input)
    case 'closed':
      return closed(state, input)
    case 'gap':
      return gap(state, input)
    default:
      fault(state, input.provider, FAULTS.refused)
      return []
  }
}

// ---- events ------------------------------------------------------------------------------------------------------

function admitEvent(state: ArbiterState, event: Admissible | Candle, connection: number): ArbiterOutput[] {
  const refused = impossible(event)
  if (refused !== undefined) {
    fault(state, event.provider, FAULTS.refused)
    return [{ refused, provider: event.provider }]
  }
  if (event.type === 'candle') return [{ topic: topicName('candle', event.instrument, event.provider, event.interval), event }]
  const lane = state.lanes.get(`${event.type}:${event.instrument}`)
  const source = lane?.sources.get(event.provider)
  // Still in flight when its last reader left.
  if (!lane || !source || isOutOfDate(source, event, connection)) return []
  const now = event.received
  hear(state, lane, source, event, now)
  const outputs: ArbiterOutput[] = [{ topic: source.topic, event: { ...event } }]
  if (source !== lane.leader) takeOver(state, lane, source, now, outputs)
  source.last = event
  if (source === lane.leader) {
    if (event.type === 'trade') for (const other of lane.sources.values()) other.recent.length = 0
    outputs.push({ topic: lane.topic, event })
  } else if (event.type === 'trade') remember(source, event)
  return outputs
}

function hear(state: ArbiterState, lane: Lane, source: Source, event: Admissible, now: number): void {
  source.state = 'live'
  source.cleanSince ??= now
  beat(source.pulse, now, say(lane, now))
  beat(entry(state.pulses, event.provider, openPulse), now)
  if (event.type === 'book') return
  const prices = entry(state.prices, event.instrument, () => new Map() as Prices)
  const standing = entry(state.standings, event.provider, openStanding)
  event.confidence = confidenceOf(state.forecasts, event, standing, prices)
  if (event.type === 'trade' && event.backfill) return
  const age = now - event.time
  if (state.settings.times === 'live' && isPossibleAge(age)) {
    standing.ages += age
    standing.aged++
  }
  if (event.type !== 'ticker') notePrice(prices, event.provider, priceOf(event), now)
}

/** A source that speaks takes the lead where nobody leads, where the leader is down, or while the lane is settling. */
function takeOver(state: ArbiterState, lane: Lane, source: Source, now: number, outputs: ArbiterOutput[]): void {
  const { leader } = lane
  const { order } = state.settings
  const change = (cause: 'first' | 'closed', why: string) => lead(lane, source, { ...sceneOf(state, now), cause, why }, outputs)
  if (!leader) change('first', lane.outage ? 'it speaks again' : 'it spoke first')
  else if (leader.state !== 'live') {
    const downFor = now - leader.downSince
    if (isAllowed(lane, now, downFor)) change('closed', `${leader.provider} is down for ${seconds(downFor)}`)
  } else if (now - lane.openedAt < SETTLING && lane.switches.length === 0) {
    if (preference(order, source.provider) < preference(order, leader.provider))
      change('first', `it is preferred to ${leader.provider}`)
  }
}

function tick(state: ArbiterState, now: number): ArbiterOutput[] {
  const elapsed = now - state.tickedAt
  if (elapsed > LATE_TICK) state.judgeFrom = now + LATE_GRACE
  state.tickedAt = now
  if (elapsed > 0 && elapsed < Infinity) measure(state, elapsed)
  settle(state.forecasts, state.prices, now)
  const bench = { ...sceneOf(state, now), settings: state.settings, silence: now >= state.judgeFrom }
  const outputs: ArbiterOutput[] = []
  for (const lane of state.lanes.values()) judge(lane, bench, outputs)
  return outputs
}

/** Time passes well for a provider in so far as its subscriptions are not closed. */
function measure(state: ArbiterState, elapsed: number): void {
  const counts = new Map<string, { up: number; all: number }>()
  for (const lane of state.lanes.values())
    for (const source of lane.sources.values()) {
      const count = entry(counts, source.provider, () => ({ up: 0, all: 0 }))
      count.all++
      if (source.state !== 'closed') count.up++
    }
  for (const [provider, { up, all }] of counts) passTime(entry(state.standings, provider, openStanding), elapsed, up / all)
}

// ---- what the feed tells -----------------------------------------------------------------------------------------

function subscribed(state: ArbiterState, { kind, instrument, provider, now }: Place): ArbiterOutput[] {
  const lane = entry(state.lanes, `${kind}:${instrument}`, () => openLane(kind, instrument, now))
  entry(lane.sources, provider, () => openSource(lane, provider, now))
  return []
}

function unsubscribed(state: ArbiterState, { kind, instrument, provider, now }: Place): ArbiterOutput[] {
  const lane = state.lanes.get(`${kind}:${instrument}`)
  const source = lane?.sources.get(provider)
  if (!lane || !source) return []
  // It speaks less from now on.
  state.pulses.delete(provider)
  lane.sources.delete(provider)
  if (lane.sources.size === 0) state.lanes.delete(`${kind}:${instrument}`)
  if (lane.leader !== source) return []
  const outputs: ArbiterOutput[] = []
  const scene = sceneOf(state, now)
  const [next] = standbys(lane, scene)
  const why = `${provider} is no longer subscribed`
  if (next) lead(lane, next, { ...scene, cause: 'unsubscribed', why }, outputs)
  else if (lane.sources.size > 0) outputs.push(leaderless(lane, source, 'outage', `${why} and nobody else speaks`, now))
  else outputs.push(leaderless(lane, source, 'unsubscribed', `nobody asks for ${kind} of ${instrument} any more`, now))
  return outputs
}

function closed(state: ArbiterState, { reason, ...place }: Extract<ArbiterInput, { type: 'closed' }>): ArbiterOutput[] {
  const { kind, instrument, provider, now } = place
  const lane = state.lanes.get(`${kind}:${instrument}`)
  const source = lane?.sources.get(provider)
  if (!lane || !source || source.state === 'closed') return []
  if (source.state === 'live') fault(state, provider, FAULTS.disconnect, now)
  state.pulses.delete(provider)
  source.state = 'closed'
  source.downSince = now
  source.cleanSince = undefined
  if (lane.leader !== source) return []
  const scene = sceneOf(state, now)
  const [next] = standbys(lane, scene)
  const failover = next && isAllowed(lane, now, 0)
  const outputs = [gapEvent({ ...place, cause: 'disconnect', action: failover ? 'failover' : 'open' }, source.pulse.heard)]
  if (failover) lead(lane, next, { ...scene, cause: 'closed', why: `${provider} disconnected (${reason})` }, outputs)
  return outputs
}

function gap(state: ArbiterState, missing: Extract<ArbiterInput, { type: 'gap' }>): ArbiterOutput[] {
  const { kind, instrument, provider, now } = missing
  fault(state, provider, FAULTS.gap, now)
  const lane = state.lanes.get(`${kind}:${instrument}`)
  const source = lane?.sources.get(provider)
  if (!lane || !source) return []
  source.cleanSince = undefined
  const scene = sceneOf(state, now)
  const mayLeave = lane.leader === source && isAllowed(lane, now, 0)
  const next = mayLeave ? standbys(lane, scene)[0] : undefined
  const outputs = [gapEvent({ ...missing, action: next ? 'failover' : missing.action }, source.pulse.heard)]
  const met = missing.expected === undefined ? missing.cause : `expected ${missing.expected}, got ${missing.got ?? 'another'}`
  if (next) lead(lane, next, { ...scene, cause: 'gap', why: `${provider} lost data (${met})` }, outputs)
  return outputs
}

const sceneOf = ({ settings: { order }, pulses }: ArbiterState, now: number): Scene => ({ order, pulses, now })

/** One disconnect or gap may hit many lanes at one time: it counts once. */
function fault(state: ArbiterState, provider: string, badTime: number, now?: number): void {
  const standing = entry(state.standings, provider, openStanding)
  if (now !== undefined && standing.faultAt === now) return
  standing.faultAt = now
  standing.bad += badTime
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
