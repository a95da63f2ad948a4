/** What is written to whom: a group's pending events in one batch, and to those who were behind what they are owed. */
import type { Published } from '@tickwire/protocol'
import type { Dialect } from '../dialects/dialect.ts'
import type { Plant } from '../plant/plant.ts'
import { arrearsOf, type OutboxLimits } from './arrears.ts'
import type { Batch } from './frame.ts'
import { batchOf, joinTexts, standing, textOf, type Group, type Member, type Pending, type Positions } from './member.ts'
import type { Meters } from './meters.ts'
import { isLost } from './outbox.ts'
import type { Patience } from './patience.ts'

export type FanoutLimits = {
  /** Socket backlog in bytes, or age of an unanswered ping in milliseconds, past which a member is behind. */
  backlog: number
  patience: number
  /** A member that stays behind this long is cut. */
  cutAfter: number
  outbox: OutboxLimits
  /** A group whose pending events weigh more flushes at once. */
  burst: number
}
export const FANOUT_LIMITS: FanoutLimits = {
  backlog: 256 * 1024,
  patience: 1_000,
  cutAfter: 5_000,
  outbox: { maxItems: 5_000, maxWeight: 512 * 1024 },
  burst: 1024 * 1024
}

/** What those at one place are owed, and where they stand after it. */
type Owed = { batch: Batch | undefined; conflated: number; dropped: number; after: Positions }
/** What one round of catching up has worked out, for all of it: those behind miss much the same events. */
type Round = { owed: Map<Positions, Owed>; rendered: Map<Dialect<any>, Map<Published, Pending>> }

const renderedOnce = ({ rendered }: Round, dialect: Dialect<any>, item: Pending): Pending => {
  let items = rendered.get(dialect)
  if (!items) rendered.set(dialect, (items = new Map()))
  const found = items.get(item.event)
  if (!found) items.set(item.event, item)
  return found ?? item
}

/** `onLag` is called when a member falls behind. */
export function createDelivery(plant: Plant, patience: Patience, limits: FanoutLimits, meters: Meters, onLag: () => void) {
  const lagging = new Set<Member>()

  const write = (member: Member, batch: Batch | undefined, positions?: () => Positions) => {
    if (!batch) return
    member.delivered += batch.events
    meters.delivered += batch.events
    meters.frames += batch.messages.length
    member.sink.write(batch)
    if (member.group && !member.behind && isBehind(member)) detach(member, member.group, positions?.())
  }

  const isBehind = ({ sink }: Member): boolean => sink.backlog() > limits.backlog || sink.waiting() > limits.patience

  /** All that the group has heard is written, or about to be: from here on the member is owed what comes. */
  const detach = (member: Member, group: Group, positions = standing(group)) => {
    member.behind = { since: patience.now(), positions }
    lagging.add(member)
    onLag()
  }

  const attach = (member: Member, group: Group) => {
    retire(member)
    member.from = group.pending.length
  }

  const retire = (member: Member) => {
    member.behind = undefined
    lagging.delete(member)
  }

  const flushGroup = (group: Group, now: number) => {
    const items = group.pending
    if (items.length === 0) return
    group.pending = []
    group.weight = 0
    /** By first event: everyone who was there gets one batch, those who joined since the last flush the rest of it. */
    const batches = new Map<number, Batch | undefined>()
    /** A member whose dialect is not shared is alone in its group, so this renders each event for it once. */
    const batchFor = (member: Member, first: number): Batch | undefined => {
      if (batches.size === 0) meters.observeWait(Math.max(0, now - items[0]!.event.published))
      if (!batches.has(first)) batches.set(first, batchOf(member, items.slice(first), now))
      return batches.get(first)
    }
    let together: Positions | undefined
    for (const member of group.members) {
      const first = member.from
      member.from = 0
      if (member.behind || first >= items.length) continue
      write(member, batchFor(member, first), () => (together ??= standing(group)))
    }
  }

  /** Writes what one member has pending in its group before the others', because its topics are about to change. */
  const flushMember = (member: Member, group: Group, now: number) => {
    if (member.behind) return
    const due = group.pending.slice(member.from)
    member.from = group.pending.length
    write(member, batchOf(member, due, now))
  }

  /** What is owed to a member; those of a shared dialect who stand at the same place are given the same batch. */
  const owedTo = ({ dialect, memory }: Member, group: Group, positions: Positions, now: number, round: Round): Owed => {
    const found = dialect.shared && round.owed.get(positions)
    if (found) return found
    const { entries, conflated, dropped } = arrearsOf(plant, positions, limits.outbox)
    const texts = entries
      .map((entry) =>
        isLost(entry)
          ? dialect.lost?.(entry.topic, entry.count, entry.from, entry.to, now)
          : textOf({ dialect, memory }, dialect.shared ? renderedOnce(round, dialect, entry) : entry, now)
      )
      .filter((text) => text !== undefined)
    const owed = { batch: joinTexts(dialect, texts), conflated, dropped, after: standing(group) }
    round.owed.set(positions, owed)
    return owed
  }

  /** Brings a member up to date when its socket has room again. */
  const serve = (member: Member, group: Group, behind: NonNullable<Member['behind']>, now: number, round: Round) => {
    if (isBehind(member)) {
      if (patience.now() - behind.since <= limits.cutAfter) return
      meters.slowCloses++
      member.cut()
      return
    }
    const { batch, conflated, dropped, after } = owedTo(member, group, behind.positions, now, round)
    member.conflated += conflated
    member.dropped += dropped
    meters.conflated += conflated
    meters.lost += dropped
    member.behind = { since: patience.now(), positions: after }
    write(member, batch)
    if (!isBehind(member)) attach(member, group)
  }

  const catchUp = (now: number) => {
    const round: Round = { owed: new Map(), rendered: new Map() }
    for (const member of lagging) if (member.group && member.behind) serve(member, member.group, member.behind, now, round)
  }

  return { write, isBehind, detach, retire, flushGroup, flushMember, catchUp, behind: () => lagging.size }
}
