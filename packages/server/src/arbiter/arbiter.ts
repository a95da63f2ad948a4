/** Which provider to trust: one leader per instrument and kind, warm standbys, and a status for every change of mind. */
import { ARBITRATED_KINDS as KINDS, type Candle, type Gap } from '@tickwire/protocol'
import { createArbiter, entry, fault, sceneOf, viewOf, type ArbiterState } from './state.ts'
import { FAULTS, openStanding, passTime } from './confidence.ts'
import { settle } from './forecasts.ts'
import { admitEvent, settleHeld } from './hear.ts'
import { isUsual, openLane, openSource, standbys, type Admissible } from './lane.ts'
import { lead, leaderless, lose, refuge, shelter, type ArbiterOutput, type ArbiterSettings, type Place } from './lead.ts'
import { judge } from './review.ts'
import { quickMuteOf } from './mute.ts'
import { BAD, fadesOf, freshnessOf, passMarks } from './score.ts'
import { look, openVoice, type Voice } from './voice.ts'

export type ArbiterInput =
  | { type: 'event'; event: Admissible | Candle; connection?: number }
  /** About every 100 ms. Silence is judged here only, never when an event arrives. */
  | { type: 'tick'; now: number }
  | ({ type: 'subscribed' | 'unsubscribed' } & Place)
  | ({ type: 'closed'; reason: string } & Place)
  /** `wide`: of the whole connection, which ends with it; its numbers are none of this kind's. `until`: when its next event was, if that is here. */
  | ({ type: 'gap'; cause: Gap['cause']; action: Gap['action']; wide?: boolean; until?: number | undefined } & Place &
      Pick<Gap, 'expected' | 'got'>)
  /** A frame or a subscription was refused. */
  | { type: 'refused'; provider: string }
  /** By how much its clock is ahead of ours, as far as that is measured. */
  | { type: 'offset'; provider: string; offset: number }
  /** Since when the venue of an instrument has it halted; absent: it trades. */
  | { type: 'halt'; instrument: string; since?: number | undefined }
export { createArbiter }
export type { ArbiterOutput, ArbiterSettings, ArbiterState }

/** A tick this late means that we ourselves were blocked: what waits in the sockets must be read before anyone is judged. */
const LATE_TICK = 500
const LATE_GRACE = 300
/** Where all ticks are late that is no standstill but the usual: silence must be judged all the same. */
const GRACE_EVERY = 5_000

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
    case 'offset':
      return setOffset(state, input.provider, input.offset)
    case 'halt':
      if (input.since === undefined) state.halts.delete(input.instrument)
      else state.halts.set(input.instrument, input.since)
      return []
    default:
      fault(state, input.provider, FAULTS.refused)
      return []
  }
}

function tick(state: ArbiterState, now: number): ArbiterOutput[] {
  const elapsed = now - state.tickedAt
  if (elapsed > LATE_TICK && now - state.judgeFrom >= GRACE_EVERY) state.judgeFrom = now + LATE_GRACE
  state.tickedAt = now
  if (elapsed > 0 && elapsed < Infinity) measure(state, elapsed, now)
  settle(state.forecasts, state.views, now)
  const bench = { ...sceneOf(state, now), settings: state.settings, silence: now >= state.judgeFrom }
  const outputs: ArbiterOutput[] = []
  for (const [instrument, view] of state.views) {
    if (view.holding.size > 0) settleHeld(state, view, now, outputs)
    look(view, now, (voice) => quickMuteOf(state, instrument, voice, bench))
  }
  for (const lane of state.lanes.values()) judge(lane, bench, outputs)
  return outputs
}

function setOffset(state: ArbiterState, provider: string, offset: number): ArbiterOutput[] {
  state.offsets.set(provider, offset)
  for (const { voices } of state.views.values()) {
    const voice = voices.get(provider)
    if (voice?.clock !== undefined) voice.clock = offset
  }
  return []
}

/** Time passes well for a provider in so far as its subscriptions are not closed. */
function measure(state: ArbiterState, elapsed: number, now: number): void {
  const fades = fadesOf(elapsed)
  const counts = new Map<string, { up: number; all: number; latency: number; timed: number }>()
  for (const lane of state.lanes.values())
    for (const source of lane.sources.values()) {
      const count = entry(counts, source.provider, () => ({ up: 0, all: 0, latency: 0, timed: 0 }))
      count.all++
      if (source.state !== 'closed') count.up++
      // What was never heard yet is not known to be bad.
      if (source.pulse.heard !== -Infinity) passMarks(source.marks, fades, isUsual(source, now), freshnessOf(source.pulse, now))
      if (source.marks.latency === undefined) continue
      count.latency += source.marks.latency
      count.timed++
    }
  for (const [provider, { up, all, latency, timed }] of counts) {
    passTime(entry(state.standings, provider, openStanding), elapsed, up / all)
    if (timed > 0) state.latencies.set(provider, latency / timed)
  }
}

// ---- what the feed tells -----------------------------------------------------------------------------------------

function subscribed(state: ArbiterState, { kind, instrument, provider, now }: Place): ArbiterOutput[] {
  const lane = entry(state.lanes, `${kind}:${instrument}`, () => openLane(kind, instrument, now))
  const voice = entry(viewOf(state, instrument).voices, provider, () => openVoice(provider, clockOf(state, provider)))
  entry(lane.sources, provider, () => openSource(lane, voice, now))
  return []
}

const clockOf = ({ settings, offsets }: ArbiterState, provider: string): number | undefined =>
  settings.times === 'live' ? (offsets.get(provider) ?? 0) : undefined

function unsubscribed(state: ArbiterState, { kind, instrument, provider, now }: Place): ArbiterOutput[] {
  const lane = state.lanes.get(`${kind}:${instrument}`)
  const source = lane?.sources.get(provider)
  if (!lane || !source) return []
  // It speaks less from now on.
  state.pulses.delete(provider)
  lane.sources.delete(provider)
  if (lane.sources.size === 0) state.lanes.delete(`${kind}:${instrument}`)
  forget(state, source.voice, instrument)
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

/** Whoever carries nothing of an instrument any more has no say in its price. */
function forget(state: ArbiterState, voice: Voice, instrument: string): void {
  const view = viewOf(state, instrument)
  for (const stream of view.holding) if (stream.voice === voice) view.holding.delete(stream)
  if (KINDS.some((kind) => state.lanes.get(`${kind}:${instrument}`)?.sources.has(voice.provider))) return
  view.voices.delete(voice.provider)
  if (view.voices.size === 0) state.views.delete(instrument)
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
  source.voice.downAt = now
  source.cleanSince = undefined
  // Nobody delivers since it was mute: what it lost then is known now.
  if (!lane.leader && lane.previous === provider) return [lose(lane, source, { ...place, cause: 'disconnect', action: 'open' })]
  if (lane.leader !== source) return []
  const scene = sceneOf(state, now)
  const next = refuge(lane, scene, 0)
  const outputs = [lose(lane, source, { ...place, cause: 'disconnect', action: next ? 'failover' : 'open' })]
  if (next) lead(lane, next, { ...scene, cause: 'closed', why: `${provider} disconnected (${reason})` }, outputs)
  return outputs
}

function gap(state: ArbiterState, missing: Extract<ArbiterInput, { type: 'gap' }>): ArbiterOutput[] {
  const { kind, instrument, provider, now } = missing
  fault(state, provider, FAULTS.gap, now)
  const lane = state.lanes.get(`${kind}:${instrument}`)
  const source = lane?.sources.get(provider)
  if (!lane || !source) return []
  source.cleanSince = undefined
  source.marks.bad += BAD.gap
  const scene = sceneOf(state, now)
  const next = lane.leader === source ? shelter(lane, scene, 0) : undefined
  const outputs = [lose(lane, source, { ...missing, action: next ? 'failover' : missing.action })]
  const met = missing.expected === undefined ? missing.cause : `expected ${missing.expected}, got ${missing.got ?? 'another'}`
  if (next) lead(lane, next, { ...scene, cause: 'gap', why: `${provider} lost data (${met})` }, outputs)
  return outputs
}
