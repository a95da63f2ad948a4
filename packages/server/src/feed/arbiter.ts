/** Which provider to trust: one leader per instrument and kind, warm standbys, and a status for every change of mind. */
import { topicName, type Candle, type DataKind, type Gap, type MarketEvent, type Status } from '@tickwire/protocol'
import { confidenceOf, FAULTS, notePrice, openStanding, passTime, priceOf, type Prices, type Standing } from './confidence.ts'
import { isFresh, isOutOfDate, openLane, openSource, preference, remember, standbys } from './lane.ts'
import type { Admissible, Lane, Source } from './lane.ts'
import { impossible } from './possible.ts'
import { beat, openPulse, silenceLimit, usualInterval, type Pulse } from './pulse.ts'

/** One kind of data of one instrument at one provider, at a time. */
type Place = { now: number; provider: string; instrument: string; kind: DataKind }
export type ArbiterInput =
  | { type: 'event'; event: Admissible | Candle; connection?: number }
  /** About every 100 ms. Silence is judged here only, never when an event arrives. */
  | { type: 'tick'; now: number }
  | ({ type: 'subscribed' | 'unsubscribed' } & Place)
  | ({ type: 'closed'; reason: string } & Place)
  | ({ type: 'gap'; cause: Gap['cause']; action: Gap['action'] } & Place & Pick<Gap, 'expected' | 'got'>)
  /** A frame or a subscription was refused. */
  | { type: 'refused'; provider: string }

/** An event for a topic of the plant, or an event of this provider that was refused. */
export type ArbiterOutput = { topic: string; event: MarketEvent } | { refused: string; provider: string }

export type ArbiterSettings = {
  /** Providers, the preferred first. */
  order: readonly string[]
  /** A better provider leads again only after it was faultless, and the leader in office, for this long. */
  holdDown: number
  /** Nobody delivers for this long: an outage. */
  outageAfter: number
}

export type ArbiterState = {
  settings: ArbiterSettings
  lanes: Map<string, Lane>
  standings: Map<string, Standing>
  /** How often a provider speaks, over all its instruments: a dead connection is noticed even on thin ones. */
  pulses: Map<string, Pulse>
  /** Instrument → latest price by provider. */
  prices: Map<string, Prices>
  tickedAt: number
  /** Silence is not judged before this time. */
  judgeFrom: number
}

/** The preferred provider may take over without hold-down while a lane is younger than this. */
const SETTLING = 3_000
/** Switches within this time are remembered; each beyond the second doubles the patience with the leader. */
const DAMPING_WINDOW = 60_000
/** A tick this late means that we ourselves were blocked: what waits in the sockets must be read before anyone is judged. */
const LATE_TICK = 500
const LATE_GRACE = 300

export function createArbiter(settings: Partial<ArbiterSettings> & Pick<ArbiterSettings, 'order'>): ArbiterState {
  return {
    settings: { holdDown: 30_000, outageAfter: 1_000, ...settings },
    lanes: new Map(),
    standings: new Map(),
    pulses: new Map(),
    prices: new Map(),
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
  if (!lane || !source) return []
  if (isOutOfDate(source, event, connection)) return []
  const now = event.received
  hear(state, source, event, now)
  const outputs: ArbiterOutput[] = [{ topic: source.topic, event: { ...event } }]
  if (source !== lane.leader && mayTakeOver(state, lane, source, now)) takeOver(state, lane, source, now, outputs)
  source.last = event
  if (source === lane.leader) {
    if (event.type === 'trade') for (const other of lane.sources.values()) other.recent.length = 0
    outputs.push({ topic: lane.topic, event })
  } else if (event.type === 'trade') remember(source, event)
  return outputs
}

function hear(state: ArbiterState, source: Source, event: Admissible, now: number): void {
  source.state = 'live'
  source.cleanSince ??= now
  beat(source.pulse, now)
  beat(entry(state.pulses, event.provider, openPulse), now)
  if (event.type === 'book') return
  const prices = entry(state.prices, event.instrument, () => new Map() as Prices)
  const standing = entry(state.standings, event.provider, openStanding)
  event.confidence = confidenceOf(event, standing, prices)
  if (event.type === 'trade' && event.backfill) return
  standing.ages += now - event.time
  standing.aged++
  if (event.type !== 'ticker') notePrice(prices, event.provider, priceOf(event), now)
}

/** A source that speaks takes the lead where nobody leads, where the leader is down, or while the lane is settling. */
function mayTakeOver(state: ArbiterState, lane: Lane, source: Source, now: number): boolean {
  const { leader } = lane
  if (!leader) return true
  if (leader.state !== 'live') return isAllowed(lane, now, now - leader.downSince)
  const { order } = state.settings
  return (
    now - lane.openedAt < SETTLING &&
    lane.switches.length === 0 &&
    preference(order, source.provider) < preference(order, leader.provider)
  )
}

function takeOver(state: ArbiterState, lane: Lane, source: Source, now: number, outputs: ArbiterOutput[]): void {
  const { leader } = lane
  if (!leader) lead(state, lane, source, now, outputs, 'first', lane.outage ? 'speaks again after the outage' : 'spoke first')
  else if (leader.state === 'live') lead(state, lane, source, now, outputs, 'first', `is preferred to ${leader.provider}`)
  else lead(state, lane, source, now, outputs, 'closed', `${leader.provider} is down for ${seconds(now - leader.downSince)}`)
}

// ---- judgement ---------------------------------------------------------------------------------------------------

function tick(state: ArbiterState, now: number): ArbiterOutput[] {
  const elapsed = now - state.tickedAt
  if (elapsed > LATE_TICK) state.judgeFrom = now + LATE_GRACE
  state.tickedAt = now
  if (elapsed > 0 && elapsed < Infinity) measure(state, elapsed)
  const outputs: ArbiterOutput[] = []
  for (const lane of state.lanes.values()) {
    const { leader } = lane
    if (!leader) continue
    if (leader.state !== 'live') replaceDown(state, lane, leader, now, outputs)
    else if (now >= state.judgeFrom && !replaceSilent(state, lane, leader, now, outputs))
      failBack(state, lane, leader, now, outputs)
  }
  return outputs
}

function measure(state: ArbiterState, elapsed: number): void {
  const up = new Map<string, [live: number, all: number]>()
  for (const lane of state.lanes.values())
    for (const source of lane.sources.values()) {
      const count = entry(up, source.provider, () => [0, 0] as [number, number])
      count[1]++
      if (source.state !== 'closed') count[0]++
    }
  for (const [provider, [live, all]] of up) passTime(entry(state.standings, provider, openStanding), elapsed, live / all)
}

function replaceDown(state: ArbiterState, lane: Lane, leader: Source, now: number, outputs: ArbiterOutput[]): void {
  const downFor = now - leader.downSince
  const [next] = standbys(lane, state.settings.order, now)
  if (next) {
    if (isAllowed(lane, now, downFor))
      lead(state, lane, next, now, outputs, 'closed', `${leader.provider} is down for ${seconds(downFor)}`)
    return
  }
  // A leader that was never heard is not missed yet.
  if (leader.state !== 'closed' || downFor < state.settings.outageAfter) return
  lane.leader = undefined
  lane.previous = leader.provider
  lane.outage = true
  outputs.push(
    status(
      lane,
      leader.provider,
      [],
      'outage',
      `nobody delivers: ${leader.provider} is down for ${seconds(downFor)} and there is no standby`,
      now
    )
  )
}

/** Silence matters only where another source spoke meanwhile: else the market itself is quiet. */
function replaceSilent(state: ArbiterState, lane: Lane, leader: Source, now: number, outputs: ArbiterOutput[]): boolean {
  const whole = state.pulses.get(leader.provider)!
  const [pulse, what] =
    now - whole.heard > silenceLimit(whole) ? ([whole, 'nothing at all'] as const) : ([leader.pulse, 'nothing'] as const)
  const silent = now - pulse.heard
  const limit = silenceLimit(pulse)
  if (silent <= limit || !isAllowed(lane, now, silent - limit)) return false
  const next = standbys(lane, state.settings.order, now).find((s) => s.pulse.heard > pulse.heard && isFresh(s, now))
  if (!next) return false
  const said = `${leader.provider} said ${what} for ${seconds(silent)} (usually speaks within ${seconds(usualInterval(pulse))})`
  leader.cleanSince = undefined
  outputs.push(gapEvent({ ...placeOf(lane, leader, now), cause: 'silence', action: 'failover' }, leader.pulse.heard))
  lead(state, lane, next, now, outputs, 'silence', `${said} while ${next.provider} spoke ${seconds(now - next.pulse.heard)} ago`)
  return true
}

function failBack(state: ArbiterState, lane: Lane, leader: Source, now: number, outputs: ArbiterOutput[]): void {
  const { order, holdDown } = state.settings
  if (now - lane.switchedAt < holdDown) return
  const better = standbys(lane, order, now).find(
    (s) =>
      preference(order, s.provider) < preference(order, leader.provider) &&
      isFresh(s, now) &&
      now - (s.cleanSince ?? now) >= holdDown
  )
  if (!better) return
  const clean = seconds(now - better.cleanSince!)
  lead(state, lane, better, now, outputs, 'failback', `it is preferred to ${leader.provider} and was faultless for ${clean}`)
}

/** Two switches a minute are free; each further one needs the leader to be down twice as long, so that flapping cannot drive us. */
function isAllowed(lane: Lane, now: number, downFor: number): boolean {
  while (lane.switches.length > 0 && now - lane.switches[0]! >= DAMPING_WINDOW) lane.switches.shift()
  const beyond = lane.switches.length - 2
  return beyond < 0 || downFor >= 1_000 * 2 ** beyond
}

function lead(
  state: ArbiterState,
  lane: Lane,
  next: Source,
  now: number,
  outputs: ArbiterOutput[],
  cause: Status['cause'],
  why: string
): void {
  const old = lane.leader
  const previous = old?.provider ?? lane.previous
  lane.leader = next
  lane.outage = false
  lane.previous = undefined
  lane.switchedAt = now
  if (cause !== 'first') lane.switches.push(now)
  const others = standbys(lane, state.settings.order, now).map((s) => s.provider)
  const reason = `${next.provider} leads ${lane.kind} of ${lane.instrument}: ${why}`
  outputs.push(status(lane, next.provider, others, cause, reason, now, next.provider, previous))
  if (cause === 'first') return
  // What the standby heard since the leader's last event closes the hole; at a failback there is none.
  if (lane.kind === 'trade') {
    if (cause !== 'failback')
      for (const trade of next.recent) outputs.push({ topic: lane.topic, event: { ...trade, backfill: true } })
  } else if (next.last) outputs.push({ topic: lane.topic, event: { ...next.last } })
  next.recent.length = 0
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
  lane.sources.delete(provider)
  if (lane.sources.size === 0) state.lanes.delete(`${kind}:${instrument}`)
  if (lane.leader !== source) return []
  const outputs: ArbiterOutput[] = []
  const [next] = standbys(lane, state.settings.order, now)
  if (next) lead(state, lane, next, now, outputs, 'unsubscribed', `${provider} is no longer subscribed`)
  else {
    lane.leader = undefined
    outputs.push(
      status(lane, provider, [], 'unsubscribed', `nobody asks for ${kind} of ${instrument} any more`, now, undefined, provider)
    )
  }
  return outputs
}

function closed(state: ArbiterState, { reason, ...place }: Extract<ArbiterInput, { type: 'closed' }>): ArbiterOutput[] {
  const { kind, instrument, provider, now } = place
  const lane = state.lanes.get(`${kind}:${instrument}`)
  const source = lane?.sources.get(provider)
  if (!lane || !source || source.state === 'closed') return []
  const wasLive = source.state === 'live'
  source.state = 'closed'
  source.downSince = now
  source.cleanSince = undefined
  if (wasLive) fault(state, provider, FAULTS.disconnect / lane.sources.size)
  if (lane.leader !== source) return []
  const [next] = standbys(lane, state.settings.order, now)
  const failover = next && isAllowed(lane, now, 0)
  const outputs: ArbiterOutput[] = [
    gapEvent({ ...place, cause: 'disconnect', action: failover ? 'failover' : 'open' }, source.pulse.heard)
  ]
  if (failover) lead(state, lane, next, now, outputs, 'closed', `${provider} disconnected (${reason})`)
  return outputs
}

function gap(state: ArbiterState, missing: Extract<ArbiterInput, { type: 'gap' }>): ArbiterOutput[] {
  const { kind, instrument, provider, now } = missing
  fault(state, provider, FAULTS.gap)
  const lane = state.lanes.get(`${kind}:${instrument}`)
  const source = lane?.sources.get(provider)
  if (!lane || !source) return []
  source.cleanSince = undefined
  const next =
    lane.leader === source && isAllowed(lane, now, 0)
      ? standbys(lane, state.settings.order, now).find((s) => isFresh(s, now))
      : undefined
  const outputs = [gapEvent({ ...missing, action: next ? 'failover' : missing.action }, source.pulse.heard)]
  const met = missing.expected === undefined ? missing.cause : `expected ${missing.expected}, got ${missing.got ?? 'another'}`
  if (next) lead(state, lane, next, now, outputs, 'gap', `${provider} lost data (${met})`)
  return outputs
}

function fault(state: ArbiterState, provider: string, badTime: number): void {
  entry(state.standings, provider, openStanding).bad += badTime
}

// ---- words -------------------------------------------------------------------------------------------------------

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const placeOf = (lane: Lane, source: Source, now: number): Place => ({
  now,
  provider: source.provider,
  instrument: lane.instrument,
  kind: lane.kind
})

function status(
  lane: Lane,
  provider: string,
  others: readonly string[],
  cause: Status['cause'],
  reason: string,
  now: number,
  leader?: string,
  previous?: string
): ArbiterOutput {
  const { kind, instrument } = lane
  const event: Status = { type: 'status', provider, instrument, time: now, received: now, kind, standbys: others, cause, reason }
  if (leader !== undefined) event.leader = leader
  if (previous !== undefined) event.previous = previous
  return { topic: topicName('status', instrument), event }
}

function gapEvent(missing: Place & Pick<Gap, 'cause' | 'action' | 'expected' | 'got'>, heard: number): ArbiterOutput {
  const { now, ...about } = missing
  const from = heard === -Infinity ? now : heard
  return {
    topic: topicName('gap', missing.instrument),
    event: { type: 'gap', ...about, time: now, received: now, from, to: now }
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
