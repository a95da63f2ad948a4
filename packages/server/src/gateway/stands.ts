/** Where clients stand: what proves that they have everything, and how much they are owed. */
import type { Plant } from '../plant/plant.ts'
import { contractOf, type Member } from './member.ts'

export type Digests = Record<string, [seq: number, digest: number]>

/** Of the topics of which a member is given each event, and which went on since then. */
export function digestsOf(plant: Plant, member: Member, since = -Infinity): Digests {
  const digests: Digests = {}
  for (const { topic, seq } of member.group?.lanes.values() ?? []) {
    if (contractOf(member, topic).delivery !== 'every') continue
    if ((plant.last(topic)?.published ?? -Infinity) < since) continue
    const digest = plant.digestAt(topic, seq)
    if (digest !== undefined) digests[topic] = [seq, digest]
  }
  return digests
}

/** Events that a member that is behind has not been given yet. */
export function owedTo(plant: Plant, { behind }: Member): number {
  let owed = 0
  for (const [topic, seq] of behind?.positions ?? []) owed += (plant.last(topic)?.seq ?? seq) - seq
  return owed
}
