/** What a client is given as it joins: snapshots, or what it missed, in its own form. */
import type { Published } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import { createBatch, type Batch, type Message } from './frame.ts'
import { freshAfter, isGone, START } from './lane.ts'
import { encoded, type Group, type Member } from './member.ts'
import { bundle, fresh, segmentOf } from './segment.ts'

/** With what was published while it was still being answered. */
function withLatest(
  plant: Plant,
  { lanes }: Group,
  missed: readonly Published[],
  positions: ReadonlyMap<string, number>
): readonly Published[] {
  const given = new Map(positions)
  for (const { topic, seq } of missed) given.set(topic, seq)
  const more: Published[] = []
  for (const [topic, seq] of given) {
    const heard = lanes.get(topic)?.seq ?? 0
    if (heard > seq) more.push(...plant.recent(topic, heard - seq).filter((event) => event.seq > seq && event.seq <= heard))
  }
  return more.length > 0 ? [...missed, ...more] : missed
}

/** By topic, and within one in its order. */
function partsOf({ lanes }: Group, missed: readonly Published[], now: number) {
  const parts: Message[] = []
  let events = 0
  for (const [topic, those] of Map.groupBy(missed, (event) => event.topic)) {
    const lane = lanes.get(topic)
    const form = lane?.form
    if (!lane || !form) continue
    const items = those.map((event) => ({ event, at: 0 }))
    for (const what of freshAfter(lane, items, START, now)) {
      const part = isGone(what)
        ? form.lost(what, now)
        : what.event.seq === lane.seq
          ? form.snapshot(what.event, now)
          : form.once(what.event, now)
      if (part === undefined) continue
      parts.push(part)
      if (!isGone(what)) events++
    }
  }
  return { parts, events }
}

export function joinedBatch(
  plant: Plant,
  member: Member,
  group: Group,
  missed: readonly Published[],
  positions: ReadonlyMap<string, number>,
  now: number
): Batch | undefined {
  const { dialect, memory, encoding } = member
  const all = withLatest(plant, group, missed, positions)
  if (!dialect.shared) {
    const texts = all.map((event) => dialect.render(event, memory, now)).filter((text) => text !== undefined)
    if (texts.length === 0) return undefined
    return createBatch(encoded(member, dialect.frame ? [dialect.frame(texts)] : texts), texts.length)
  }
  const { parts, events } = partsOf(group, all, now)
  if (parts.length === 0) return undefined
  return bundle([segmentOf(parts, encoding, events)], encoding, () => 'no', fresh)
}
