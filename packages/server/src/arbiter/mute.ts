/** Whose price of an instrument counts no longer, because no stream of his that tells prices is alive. */
import { ARBITRATED_KINDS } from '@tickwire/protocol'
import { evidenceOf, type Scene } from './lane.ts'
import { livenessOf } from './liveness.ts'
import { LEAST_LIMIT } from './pulse.ts'
import type { ArbiterState } from './state.ts'
import type { Mute, Voice } from './voice.ts'

const PRICED = ARBITRATED_KINDS.filter((kind) => kind !== 'book')
const OUT = { dead: 'it is dead', stale: 'it is stale', closed: 'its market is closed' } as const
const isOut = (state: string): state is keyof typeof OUT => Object.hasOwn(OUT, state)

/** A voice is mute when all that ever told its prices is stale, dead or closed: one that is alive is enough. */
export function muteOf({ lanes }: ArbiterState, instrument: string, { provider }: Voice, scene: Scene): Mute | undefined {
  const { now } = scene
  let mute: Mute | undefined
  for (const kind of PRICED) {
    const lane = lanes.get(`${kind}:${instrument}`)
    const source = lane?.sources.get(provider)
    if (!lane || !source || source.pulse.heard === -Infinity) continue
    const { state } = livenessOf(evidenceOf(lane, source, scene), now)
    if (!isOut(state)) return undefined
    mute ??= { at: now, why: OUT[state] }
  }
  return mute
}

/** For the looks that come twice a second: nobody who spoke a moment ago is silent; but his market may be closed. */
export const quickMuteOf = (state: ArbiterState, instrument: string, voice: Voice, scene: Scene): Mute | undefined =>
  scene.now - voice.at < LEAST_LIMIT && !scene.market?.(instrument, scene.now)
    ? undefined
    : muteOf(state, instrument, voice, scene)
