/**
 * Clients that do not read as fast as events come. While one is behind it costs nothing and is written nothing; when it reads again
 * it is given what it was promised, or told what is lost and moved to the newest alone; and it is let go when it stays behind.
 */
import type { Contract } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import { arrearsOf, portionOf, weightOf, type OutboxLimits, type Promised } from './arrears.ts'
import { isCounted, keyOf } from './contracts.ts'
import { createBatch, type Batch } from './frame.ts'
import type { createDelivery } from './delivery.ts'
import { LEAST } from './flow.ts'
import { isGone, renderAll, type Told } from './lane.ts'
import {
  askedOf,
  contractOf,
  encoded,
  saying,
  type Behind,
  type Group,
  type Lane,
  type Member,
  type Positions
} from './member.ts'
import type { Meters } from './meters.ts'
import { isLost, type Item, type Lost } from './outbox.ts'
import type { Patience } from './patience.ts'
import { fresh, segmentOf } from './segment.ts'

export type Endurance = {
  /** A member that stays behind this long is cut. */
  cutAfter: number
  /** One that kept up for this long is given again what it asked for. */
  forgiveAfter: number
  outbox: OutboxLimits
}

/** Who is behind for longer than this does not merely answer late: what it can take in time is all that it is given, ms. */
const PROVEN = 1_000

/** What those at one place are owed, and where they stand after it. */
type Owed = {
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
type Round = Map<Positions, Owed>

export function promisedTo(member: Member, topic: string): Promised {
  if (isCounted(topic)) return 'counted'
  if (!member.dialect.contracts) return 'state'
  return contractOf(member, topic).delivery === 'every' || member.behind?.owing?.has(topic) ? 'every' : 'newest'
}

/** A missing run, or an event that is still young enough for its contract. */
function toldOf(entry: Item | Lost, { maxAge, delivery }: Contract, now: number): Told | undefined {
  if (isLost(entry)) return { ...entry, reason: 'slow', at: 0 }
  const { event } = entry
  if (maxAge === undefined || now - event.received <= maxAge) return { event, at: 0 }
  const { topic, seq } = event
  return delivery === 'every' ? { topic, count: 1, from: seq, to: seq, reason: 'age', at: 0 } : undefined
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
    const what = lane && toldOf(entry, lane.contract, now)
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

/** Says which contract holds from here on, once per contract. */
function tell(member: Member, reason: 'slow' | 'caught up', now: number): void {
  const each = [...member.topics].filter((topic) => !isCounted(topic) && askedOf(member, topic).delivery === 'every')
  for (const those of Map.groupBy(each, (topic) => keyOf(contractOf(member, topic))).values()) {
    const text = member.dialect.contract?.(those, contractOf(member, those[0]!), reason, now)
    if (text !== undefined) member.sink.write(saying(member, text))
  }
}

/** Of slow clients: how it is done, `regroup` puts a member with those who are now given the same. */
export function createLaggards(
  plant: Plant,
  patience: Patience,
  limits: Endurance,
  meters: Meters,
  delivery: ReturnType<typeof createDelivery>,
  regroup: (member: Member) => void
) {
  const lagging = new Set<Member>()
  const slow = new Set<Member>()

  const detach = (member: Member, positions: Positions): void => {
    member.behind = { since: patience.now(), positions }
    lagging.add(member)
  }

  const retire = (member: Member): void => {
    member.behind = undefined
    lagging.delete(member)
  }

  /** From here on it is given what comes. */
  const attach = (member: Member): void => {
    retire(member)
    if (member.slow !== undefined) member.slow = patience.now()
    const waiting = [...(member.group?.lanes.values() ?? [])].filter(({ pending }) => pending.length > 0)
    member.starts = waiting.length > 0 ? new Map(waiting.map((lane) => [lane, lane.seq])) : undefined
  }

  /** Those of a shared dialect who stand at the same place are given the same. */
  const owedTo = (member: Member, group: Group, positions: Positions, now: number, round: Round): Owed => {
    const found = round.get(positions)
    if (found && found.group === group && member.dialect.shared) return found
    const { entries, ...sums } = arrearsOf(plant, positions, limits.outbox, (topic) => promisedTo(member, topic))
    const batch = batchOf(member, group, entries, now, delivery.bundled)
    const owed = { group, batch, ...sums, after: endOf(group), left: NONE }
    round.set(positions, owed)
    return owed
  }

  /** As many topics as there is room for, the newest of each; the others keep their places, and come first the next time. */
  const portionFor = (member: Member, group: Group, { positions }: Behind, room: number, now: number): Owed => {
    const { part, rest } = portionOf(plant, positions, room)
    const few = { ...limits.outbox, maxItems: Math.max(part.size, 1) }
    const { entries, ...sums } = arrearsOf(plant, part, few, (topic) => promisedTo(member, topic))
    const batch = batchOf(member, group, entries, now, delivery.bundled)
    const end = endOf(group)
    for (const topic of rest.keys()) end.delete(topic)
    return { group, batch, ...sums, after: new Map([...rest, ...end]), left: new Set(rest.keys()) }
  }

  const degrade = (member: Member, now: number): void => {
    member.slow = patience.now()
    slow.add(member)
    tell(member, 'slow', now)
    regroup(member)
  }

  const cut = (member: Member): void => {
    meters.slowCloses++
    member.cut()
  }

  /** It reads more slowly than events come: from now on it is given the newest. */
  const slowDown = (member: Member, behind: Behind, now: number): Behind => {
    if (member.slow !== undefined || !member.dialect.contracts) return behind
    const owing = new Set([...behind.positions.keys()].filter((topic) => promisedTo(member, topic) === 'every'))
    degrade(member, now)
    return (member.behind = { ...behind, owing })
  }

  /** What it is owed, or as much of it as it can take in time. */
  const dueTo = (member: Member, group: Group, behind: Behind, now: number, round: Round): Owed => {
    const room = Math.max(member.sink.room?.() ?? Infinity, LEAST)
    const isProven = behind.owing !== undefined || patience.now() - behind.since > PROVEN
    if (!isProven || weightOf(plant, behind.positions) <= room) return owedTo(member, group, behind.positions, now, round)
    const slowed = slowDown(member, behind, now)
    return portionFor(member, member.group ?? group, slowed, room, now)
  }

  /** Brings a member up to date when its socket has room again. */
  const serve = (member: Member, group: Group, behind: Behind, now: number, round: Round): void => {
    if (delivery.isBehind(member)) {
      if (patience.now() - behind.since > limits.cutAfter) cut(member)
      return
    }
    const { batch, conflated, dropped, broken, after, left } = dueTo(member, group, behind, now, round)
    if (broken) return cut(member)
    member.conflated += conflated
    member.dropped += dropped
    meters.conflated += conflated
    meters.lost += dropped
    const owing = [...(member.behind?.owing ?? [])].filter((topic) => left.has(topic))
    member.behind = { since: patience.now(), positions: after, ...(left.size > 0 && { owing: new Set(owing) }) }
    if (batch) delivery.write(member, batch)
    if (dropped > 0 && member.dialect.contracts && member.slow === undefined) degrade(member, now)
    if (left.size === 0 && !delivery.isBehind(member)) attach(member)
  }

  const forgive = (member: Member, now: number): void => {
    slow.delete(member)
    member.slow = undefined
    tell(member, 'caught up', now)
    regroup(member)
  }

  return {
    detach,
    retire,
    drop(member: Member): void {
      retire(member)
      slow.delete(member)
    },
    /** `settle` writes what waits for a member. */
    catchUp(now: number, settle: (member: Member) => void): void {
      const round: Round = new Map()
      for (const member of lagging) if (member.group && member.behind) serve(member, member.group, member.behind, now, round)
      for (const member of slow) {
        if (member.behind || member.slow === undefined || patience.now() - member.slow < limits.forgiveAfter) continue
        settle(member)
        if (!member.behind) forgive(member, now)
      }
    },
    behind: () => lagging.size,
    slow: () => slow.size,
    isAnyone: () => lagging.size + slow.size > 0
  }
}
