/** What becomes of an event: heard, weighed, passed on under its provider's name, and as the instrument's own if its source leads. */
import { topicName, type Book, type Candle } from '@tickwire/protocol'
import { heardAge } from './ages.ts'
import { entry, fault, sceneOf, viewOf, type ArbiterState } from './state.ts'
import { confidenceOf, FAULTS, openStanding } from './confidence.ts'
import { isOutOfDate, preference, remember, say, type Admissible, type Lane, type Source } from './lane.ts'
import { isAllowed, isSteady, lead, shelter, type ArbiterOutput } from './lead.ts'
import { seconds } from './liveness.ts'
import { impossible, isPossibleAge } from './possible.ts'
import { beat, openPulse } from './pulse.ts'
import { believe, isBorneOut, isPriced, weigh, type Priced } from './quarantine.ts'
import { reign, takes } from './reigns.ts'
import { BAD } from './score.ts'
import type { View } from './voice.ts'

/** The preferred provider may take over without hold-down while a lane is younger than this. */
const SETTLING = 10_000

export function admitEvent(state: ArbiterState, event: Admissible | Candle, connection: number): ArbiterOutput[] {
  const refused = impossible(event)
  if (refused !== undefined) {
    fault(state, event.provider, FAULTS.refused)
    const source = state.lanes.get(`${event.type}:${event.instrument}`)?.sources.get(event.provider)
    if (source) source.marks.bad += BAD.refused
    return [{ refused, provider: event.provider }]
  }
  if (event.type === 'candle') return [{ topic: topicName('candle', event.instrument, event.provider, event.interval), event }]
  const lane = state.lanes.get(`${event.type}:${event.instrument}`)
  const source = lane?.sources.get(event.provider)
  // Still in flight when its last reader left.
  if (!lane || !source || isOutOfDate(source, event, connection)) return []
  if (event.type === 'book' && event.state === 'stale') return fade(lane, source, event)
  const outputs: ArbiterOutput[] = []
  hear(state, lane, source, event)
  const view = viewOf(state, lane.instrument)
  if (view.holding.size > 0) settleHeld(state, view, event.received, outputs)
  if (isPriced(event)) judgePrice(state, { lane, source, view }, event, outputs)
  else {
    outputs.push({ topic: source.topic, event: { ...event } })
    pass(state, lane, source, event, event.received, outputs)
  }
  return outputs
}

/** We say so ourselves, because its connection is silent or down: it is no word of the provider's. */
function fade(lane: Lane, source: Source, book: Book): ArbiterOutput[] {
  source.last = book
  const own: ArbiterOutput = { topic: source.topic, event: { ...book } }
  return source === lane.leader ? [own, { topic: lane.topic, event: (lane.shown = book) }] : [own]
}

/** It spoke, whatever it said. */
function hear(state: ArbiterState, lane: Lane, source: Source, event: Admissible): void {
  const now = event.received
  source.state = 'live'
  source.cleanSince ??= now
  beat(source.pulse, now, say(lane, now))
  beat(entry(state.pulses, event.provider, openPulse), now)
  if (event.type === 'trade' && event.backfill) return grade(state, event)
  const age = now - event.time
  if (state.settings.times === 'live' && event.clock === undefined && isPossibleAge(age)) {
    // A time that is ours says nothing of the way.
    if (age !== 0) heardAge(source.marks.ages, age)
    if (event.type !== 'book') heardAge(entry(state.standings, event.provider, openStanding).ages, age)
  }
  grade(state, event)
}

function grade(state: ArbiterState, event: Admissible): void {
  if (event.type === 'book') return
  const { voices } = viewOf(state, event.instrument)
  event.confidence = confidenceOf(state.forecasts, event, entry(state.standings, event.provider, openStanding), voices)
}

type At = { lane: Lane; source: Source; view: View }
function judgePrice(state: ArbiterState, { lane, source, view }: At, event: Priced, outputs: ArbiterOutput[]): void {
  const now = event.received
  const { release, dropped, why, contradicted } = weigh(view, source, event, now)
  if (source.held) view.holding.add(source)
  else if (view.holding.size > 0) view.holding.delete(source)
  const told = { ...event }
  if (why !== undefined) told.quarantined = why
  outputs.push({ topic: source.topic, event: told })
  drop(state, source, dropped, outputs)
  for (const believed of release) pass(state, lane, source, believed, now, outputs)
  if (contradicted && source === lane.leader) leaveOutlier(state, lane, source, now, outputs)
}

function drop(state: ArbiterState, { provider }: Source, dropped: number, outputs: ArbiterOutput[]): void {
  for (let i = 0; i < dropped; i++) outputs.push({ refused: 'a price that nobody bore out', provider })
  if (dropped > 0) fault(state, provider, FAULTS.refused * dropped)
}

/** What was held back goes on as soon as something else that came before this instant bears it out. */
export function settleHeld(state: ArbiterState, view: View, now: number, outputs: ArbiterOutput[]): void {
  if (now <= view.settledAt) return
  view.settledAt = now
  // All are judged before any is passed on: so it does not matter who was held first.
  const borne = [...view.holding].filter((stream) => isBorneOut(view, stream, now))
  for (const lane of borne.length === 0 ? [] : lanesOf(state, view))
    for (const source of lane.sources.values()) {
      if (!borne.includes(source)) continue
      view.holding.delete(source)
      for (const event of believe(source, now)) pass(state, lane, source, event, now, outputs)
    }
}

const lanesOf = (state: ArbiterState, view: View): Lane[] =>
  [...state.lanes.values()].filter(({ instrument }) => state.views.get(instrument) === view)

/** On to the instrument's own topic, if its source leads or takes the lead with it. */
function pass(state: ArbiterState, lane: Lane, source: Source, event: Admissible, now: number, outputs: ArbiterOutput[]): void {
  if (source !== lane.leader) takeOver(state, lane, source, now, outputs)
  // What is filled in is of before: neither the last word, nor what a standby heard since the leader's.
  const isPast = event.type === 'trade' && event.backfill === true
  if (!isPast || !source.last || event.time >= source.last.time) source.last = event
  // Whose reign it was counts, and not who leads now.
  if (isPast && !takes(lane.reigns, event, source === lane.leader)) return
  if (isPast && source !== lane.leader) outputs.push({ topic: lane.topic, event: { ...event } })
  if (source === lane.leader) {
    if (event.type === 'trade' && !isPast) reign(lane.reigns, source.provider, event.time)
    if (event.type === 'trade') for (const other of lane.sources.values()) other.recent.length = 0
    else lane.shown = event
    outputs.push({ topic: lane.topic, event })
  } else if (event.type === 'trade' && !isPast) remember(source, event)
}

/** A source that speaks takes the lead where nobody leads, where the leader is down, or while the lane is settling. */
function takeOver(state: ArbiterState, lane: Lane, source: Source, now: number, outputs: ArbiterOutput[]): void {
  const { leader } = lane
  const { order } = state.settings
  const change = (cause: 'first' | 'closed', why: string) => lead(lane, source, { ...sceneOf(state, now), cause, why }, outputs)
  if (!leader) change('first', lane.outage ? 'it speaks again' : 'it spoke first')
  else if (leader.state !== 'live') {
    const downFor = now - leader.downSince
    if (isSteady(source, now) || isAllowed(lane, now, downFor))
      change('closed', `${leader.provider} is down for ${seconds(downFor)}`)
  } else if (now - lane.openedAt < SETTLING && lane.switches.length === 0) {
    if (preference(order, source.provider) < preference(order, leader.provider))
      change('first', `it is preferred to ${leader.provider}`)
  }
}

/** Two others contradict the leader: his prices are held back, so another one must speak at once. */
function leaveOutlier(state: ArbiterState, lane: Lane, leader: Source, now: number, outputs: ArbiterOutput[]): void {
  const scene = sceneOf(state, now)
  const next = shelter(lane, scene, 0)
  if (!next) return
  leader.cleanSince = undefined
  lead(lane, next, { ...scene, cause: 'outlier', why: `${leader.provider} says a price that the others contradict` }, outputs)
}
