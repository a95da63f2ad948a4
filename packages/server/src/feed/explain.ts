/** Tells those who listen why a provider leads: about once a second while something changes, and with each decision. */
import type { ArbitratedKind } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { ArbiterState } from '../arbiter/arbiter.ts'
import type { Lane } from '../arbiter/lane.ts'
import { arbitrationOf, gistOf, topicOfLane } from '../arbiter/verdict.ts'

/** Topic → what was told last. */
export type Explained = Map<string, { at: number; gist: string }>
export type Explainer = { plant: Plant; arbiter: ArbiterState; explained: Explained }

const EVERY = 1_000

/** Nobody listens: nothing is computed. */
export function explain({ plant, arbiter, explained }: Explainer, now: number): void {
  for (const lane of arbiter.lanes.values()) {
    const topic = topicOfLane(lane)
    if (plant.listeners(topic) === 0) explained.delete(topic)
    else if (now - (explained.get(topic)?.at ?? -Infinity) >= EVERY) tell({ plant, arbiter, explained }, lane, now)
  }
}

/** The decision of this moment, whatever was told a moment ago. */
export function explainDecision(explainer: Explainer, kind: ArbitratedKind, instrument: string, now: number): void {
  const lane = explainer.arbiter.lanes.get(`${kind}:${instrument}`)
  if (lane && explainer.plant.listeners(topicOfLane(lane)) > 0) tell(explainer, lane, now)
}

function tell({ plant, arbiter, explained }: Explainer, lane: Lane, now: number): void {
  const topic = topicOfLane(lane)
  const event = arbitrationOf(arbiter, lane, now)
  const gist = gistOf(event)
  const before = explained.get(topic)?.gist
  explained.set(topic, { at: now, gist })
  if (gist !== before) plant.publish(topic, event, now)
}
