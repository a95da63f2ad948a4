/**
 * Clients that do not read as fast as events come. While one is behind it costs nothing and is written nothing; when it reads again
 * it is given what it was promised, or told what is lost and moved to the newest alone; and it is let go when it stays behind.
 */
import type { Plant } from '../plant/plant.ts'
import { weightOf, type OutboxLimits } from './arrears.ts'
import { isCounted, keyOf } from './contracts.ts'
import type { createDelivery } from './delivery.ts'
import { LEAST } from './flow.ts'
import { askedOf, contractOf, saying, type Behind, type Group, type Member, type Positions } from './member.ts'
import type { Meters } from './meters.ts'
import { createOwed, promisedTo, type Owed, type Round } from './owed.ts'
import type { Patience } from './patience.ts'

export type Endurance = {
  /** A member that stays behind this long is cut. */
  cutAfter: number
  /** One that kept up for this long is given again what it asked for. */
  forgiveAfter: number
  outbox: OutboxLimits
}

/** Who is behind for longer than this does not merely answer late: what it can take in time is all that it is given, ms. */
const PROVEN = 1_000

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
  const owed = createOwed(plant, limits.outbox, delivery.bundled)
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
    if (!isProven || weightOf(plant, behind.positions) <= room) return owed.all(member, group, behind.positions, now, round)
    const slowed = slowDown(member, behind, now)
    return owed.portion(member, member.group ?? group, slowed, room, now)
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
