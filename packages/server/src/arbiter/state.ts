/** All that the arbiter knows, and the few words by which its parts ask for it. */
import { openStanding, type Standing } from './confidence.ts'
import { openForecasts, type Forecasts } from './forecasts.ts'
import type { Lane, Scene } from './lane.ts'
import type { ArbiterSettings } from './lead.ts'
import type { Pulse } from './pulse.ts'
import { WEIGHTS } from './score.ts'
import { openView, type View } from './voice.ts'

export type ArbiterState = {
  settings: ArbiterSettings
  lanes: Map<string, Lane>
  standings: Map<string, Standing>
  /** How often a provider speaks, over all its instruments: a dead connection is noticed even on thin ones. */
  pulses: Map<string, Pulse>
  /** Instrument → what each provider says of its price, and all together. */
  views: Map<string, View>
  /** What we said of events, and what came of it. */
  forecasts: Forecasts
  /** By how much a provider's clock is ahead of ours, where it is measured, and how long its events take, of whatever stream. */
  offsets: Map<string, number>
  latencies: Map<string, number>
  /** Instrument → since when its venue has it halted. */
  halts: Map<string, number>
  tickedAt: number
  /** Silence is not judged before this time. */
  judgeFrom: number
}

export function createArbiter(settings: Partial<ArbiterSettings> & Pick<ArbiterSettings, 'order'>): ArbiterState {
  return {
    settings: { holdDown: 30_000, outageAfter: 1_000, times: 'live', weights: WEIGHTS, ...settings },
    lanes: new Map(),
    standings: new Map(),
    pulses: new Map(),
    views: new Map(),
    forecasts: openForecasts(settings.targets),
    offsets: new Map(),
    latencies: new Map(),
    halts: new Map(),
    tickedAt: -Infinity,
    judgeFrom: -Infinity
  }
}

export const sceneOf = ({ settings, pulses, offsets, latencies, forecasts, halts }: ArbiterState, now: number): Scene => ({
  order: settings.order,
  weights: settings.weights,
  market: settings.market,
  halts,
  pulses,
  offsets,
  latencies,
  reliabilities: forecasts.reliabilities,
  now
})

/** One disconnect or gap may hit many lanes at one time: it counts once. */
export function fault(state: ArbiterState, provider: string, badTime: number, now?: number): void {
  const standing = entry(state.standings, provider, openStanding)
  if (now !== undefined && standing.faultAt === now) return
  standing.faultAt = now
  standing.bad += badTime
}

export const viewOf = ({ views }: ArbiterState, instrument: string): View => entry(views, instrument, openView)

export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
