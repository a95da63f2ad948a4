/** What is owed to those who were behind and read again: all of it, or as much as there is room for. */
import type { Plant } from '../plant/plant.ts'
import { arrearsOf, portionOf, type OutboxLimits, type Promised } from './arrears.ts'
import { isCounted } from './contracts.ts'
import type { createDelivery } from './delivery.ts'
import { createBatch, type Batch } from './frame.ts'
import { isGone, renderAll, type Told } from './lane.ts'
import { contractOf, encoded, type Behind, type Group, type Lane, type Member, type Positions } from './member.ts'
import { isLost, type Item, type Lost } from './outbox.ts'
import { fresh, segmentOf } from './segment.ts'

/** What those at one place are owed, and where they stand after it. */
export type Owed = {
  group: Group
  batch: Batch | undefined
  conflated: number
  dropped: number
  broken: boolean
  after: Positions
  /** Topics for which there was no room: they keep their places. */
  left: ReadonlySet<string>
}
/** Of one round: those who fell behind together miss the same. */
export type Round = Map<Positions, Owed>

export function promisedTo(member: Member, topic: string): Promised {
  if (isCounted(topic)) return 'counted'
  if (!member.dialect.contracts) return 'state'
  return contractOf(member, topic).delivery === 'every' || member.behind?.owing?.has(topic) ? 'every' : 'newest'
}

/** A missing run, or an event that is still young enough for its contract. */
function toldOf(entry: Item | Lost, { contract: { maxAge }, owesEach }: Lane, now: number): Told | undefined {
  if (isLost(entry)) return { ...entry, reason: 'slow', at: 0 }
  const { event } = entry
  if (maxAge === undefined || now - event.received <= maxAge) return { event, at: 0 }
  const { topic, seq } = event
  return owesEach ? { topic, count: 1, from: seq, to: seq, reason: 'age', at: 0 } : undefined
}

const NONE: ReadonlySet<string> = new Set()
/** Where someone stands who was given all that is published. */
const endOf = ({ lanes }: Group): Map<string, number> => new Map([...lanes.values()].map(({ topic, seq }) => [topic, seq]))

type Bundled = ReturnType<typeof createDelivery>['bundled']

const ownTexts = ({ dialect, memory }: Member, told: readonly Told[], now: number): string[] =>
  told
    .map((what) =>
      isGone(what)
        ? dialect.lost?.(what.topic, what.count, what.from, what.to, now, what.reason)
        : dialect.render(what.event, memory, now)
    )
    .filter((text) => text !== undefined)

function batchOf(
  member: Member,
  { lanes }: Group,
  entries: readonly (Item | Lost)[],
  now: number,
  bundled: Bundled
): Batch | undefined {
  const told: { lane: Lane; what: Told }[] = []
  for (const entry of entries) {
    const lane = lanes.get(isLost(entry) ? entry.topic : entry.event.topic)
    const what = lane && toldOf(entry, lane, now)
    if (lane && what) told.push({ lane, what })
  }
  const { dialect } = member
  if (dialect.shared) {
    const { parts, events } = renderAll(
      told.flatMap(({ lane: { form }, what }) => (form ? [{ form, what }] : [])),
      now
    )
    return parts.length > 0 ? bundled([segmentOf(parts, member.encoding, events)], member, 1, now, fresh) : undefined
  }
  const texts = ownTexts(
    member,
    told.map(({ what }) => what),
    now
  )
  if (texts.length === 0) return undefined
  return createBatch(encoded(member, dialect.frame ? [dialect.frame(texts)] : texts), texts.length)
}

export function createOwed(plant: Plant, outbox: OutboxLimits, bundled: Bundled) {
  /** Those of a shared dialect who stand at the same place are given the same. */
  const all = (member: Member, group: Group, positions: Positions, now: number, round: Round): Owed => {
    const found = round.get(positions)
    if (found && found.group === group && member.dialect.shared) return found
    const { entries, ...sums } = arrearsOf(plant, positions, outbox, (topic) => promisedTo(member, topic))
    const batch = batchOf(member, group, entries, now, bundled)
    const owed = { group, batch, ...sums, after: endOf(group), left: NONE }
    round.set(positions, owed)
    return owed
  }

  /** As many topics as there is room for, the newest of each; the others keep their places, and come first the next time. */
  const portion = (member: Member, group: Group, { positions }: Behind, room: number, now: number): Owed => {
    const { part, rest } = portionOf(plant, positions, room)
    const few = { ...outbox, maxItems: Math.max(part.size, 1) }
    const { entries, ...sums } = arrearsOf(plant, part, few, (topic) => promisedTo(member, topic))
    const batch = batchOf(member, group, entries, now, bundled)
    const end = endOf(group)
    for (const topic of rest.keys()) end.delete(topic)
    return { group, batch, ...sums, after: new Map([...rest, ...end]), left: new Set(rest.keys()) }
  }

  return { all, portion }
}
