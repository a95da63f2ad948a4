/** What is written to whom at a flush: each lane's segment is made once, and each group's frame is put together from its lanes'. */
import type { Batch } from './frame.ts'
import { createBatch } from './frame.ts'
import { createThrift, isWorth } from './deflate.ts'
import { freshAfter, isGone, renderAll, segmentAfter, standingIn, START, type Told } from './lane.ts'
import { encoded, saying, type Group, type Lane, type Member, type Pending, type Positions } from './member.ts'
import type { Meters } from './meters.ts'
import { createArena, createScratch } from './scratch.ts'
import { bundle, fresh, segmentOf, squeezed, type Segment, type Taking } from './segment.ts'

export type Backlog = {
  /** Socket backlog in bytes, or age of an unanswered ping in milliseconds, past which a member is behind. */
  backlog: number
  patience: number
  /** Bytes after an unanswered ping, past which it is behind as well: what the kernel holds counts. */
  unanswered: number
}

/** A ping is given this long before what was written after it counts as unread. */
const GRACE = 100

/** Which of a lane's events are written, and where there is room to encode them. */
type Source = { of: (lane: Lane) => readonly Pending[]; take: Taking }
type Detach = (member: Member, group: Group, positions: Positions) => void

const isAnyCounted = (lanes: readonly Lane[]): boolean => {
  for (const { counted } of lanes) if (counted) return true
  return false
}

export const standing = ({ lanes }: Group, starts?: ReadonlyMap<Lane, number>): Positions =>
  new Map([...lanes.values()].map((lane) => [lane.topic, standingIn(lane, starts?.get(lane))]))

function passed(member: Member, lanes: readonly Lane[]): void {
  for (const lane of lanes) member.starts?.delete(lane)
  if (member.starts?.size === 0) member.starts = undefined
}

/** `onLag` is called when a member falls behind. */
export function createDelivery(limits: Backlog, meters: Meters, now: number, onLag: Detach) {
  const scratch = createScratch()
  const arena = createArena()
  const thrift = createThrift(now)

  const isBehind = ({ sink }: Member): boolean =>
    sink.backlog() > limits.backlog ||
    sink.isFull?.() === true ||
    sink.waiting() > limits.patience ||
    ((sink.unanswered?.() ?? 0) > limits.unanswered && sink.waiting() > GRACE)

  /** Returns true when the bytes may be written over. */
  const write = (member: Member, batch: Batch, positions?: () => Positions): boolean => {
    member.delivered += batch.events
    meters.delivered += batch.events
    meters.frames += batch.frames
    const isTaken = member.sink.write(batch) === true
    const { group } = member
    if (group && !member.behind && isBehind(member)) onLag(member, group, positions?.() ?? standing(group, member.starts))
    return isTaken
  }

  const bundled = (
    segments: readonly Segment[],
    { encoding, deflate }: Pick<Member, 'encoding' | 'deflate'>,
    members: number,
    now: number,
    take: Taking
  ): Batch | undefined =>
    segments.length === 0
      ? undefined
      : bundle(segments, encoding, (bytes) => (deflate ? thrift(bytes, members, now) : 'no'), take)

  /** In the order in which things came, where that matters. */
  const merged = (lanes: readonly Lane[], source: Source, starts: Member['starts'], now: number) => {
    const told: { lane: Lane; what: Told }[] = []
    for (const lane of lanes)
      for (const what of freshAfter(lane, source.of(lane), starts?.get(lane) ?? START, now)) told.push({ lane, what })
    return lanes.length > 1 ? told.sort((a, b) => a.what.at - b.what.at) : told
  }

  /** For a member whose dialect is not shared: called once per event, for it may remember what it rendered. */
  const rendered = (member: Member, lanes: readonly Lane[], source: Source, now: number): Batch | undefined => {
    const { dialect, memory, starts } = member
    const texts: string[] = []
    for (const { what } of merged(lanes, source, starts, now)) {
      const text = isGone(what)
        ? dialect.lost?.(what.topic, what.count, what.from, what.to, now, what.reason)
        : dialect.render(what.event, memory, now)
      if (text !== undefined) texts.push(text)
    }
    if (texts.length === 0) return undefined
    return createBatch(encoded(member, dialect.frame ? [dialect.frame(texts)] : texts), texts.length)
  }

  const shared = (lanes: readonly Lane[], source: Source, starts: Member['starts'], now: number): Segment[] => {
    const segments: Segment[] = []
    if (lanes.length > 1 && isAnyCounted(lanes)) {
      const told = merged(lanes, source, starts, now).flatMap(({ lane: { form }, what }) => (form ? [{ form, what }] : []))
      const { parts, events } = renderAll(told, now)
      if (parts.length > 0) segments.push(segmentOf(parts, lanes[0]!.form!.encoding, events, source.take))
      return segments
    }
    for (const lane of lanes) {
      const segment = lane.form && segmentAfter(lane, lane.form, source.of(lane), starts?.get(lane) ?? START, now, source.take)
      if (segment) segments.push(segment)
    }
    return segments
  }

  const batchFor = (member: Member, lanes: readonly Lane[], source: Source, now: number): Batch | undefined =>
    member.dialect.shared
      ? bundled(shared(lanes, source, member.starts, now), member, 1, now, fresh)
      : rendered(member, lanes, source, now)

  const dueNow: Source = { of: ({ due }) => due, take: arena.take }
  const pendingNow: Source = { of: ({ pending }) => pending, take: fresh }

  const flushGroup = (group: Group, now: number): void => {
    const lanes = group.due
    group.due = []
    let whole: Batch | undefined
    let isMade = false
    let isFree = true
    let together: Positions | undefined
    for (const member of group.members) {
      if (member.behind) continue
      if (member.starts || !group.dialect.shared) {
        const batch = batchFor(member, lanes, dueNow, now)
        passed(member, lanes)
        if (batch) write(member, batch)
        continue
      }
      if (!isMade) whole = bundled(shared(lanes, dueNow, undefined, now), group, group.members.size, now, scratch.take)
      isMade = true
      if (whole && !write(member, whole, () => (together ??= standing(group)))) isFree = false
    }
    if (isMade && isFree) scratch.free()
    else scratch.leave()
  }

  return {
    write,
    isBehind,
    bundled,

    /** What the session itself says: of many dialects that is all there is, the data too. */
    say(member: Member, text: string, now: number): Batch {
      const said = saying(member, text)
      const [message] = said.messages
      if (message === undefined || !member.deflate) return said
      const bytes = Buffer.byteLength(message)
      return isWorth(bytes) && thrift(bytes, 1, now) === 'whole' ? squeezed(message) : said
    },

    flush(dirty: readonly Lane[], now: number): void {
      const groups: Group[] = []
      let oldest = now
      for (const lane of dirty) {
        lane.isMarked = false
        lane.due = lane.pending
        lane.pending = []
        oldest = Math.min(oldest, lane.due[0]?.event.published ?? now)
        for (const group of lane.groups) if (group.due.push(lane) === 1) groups.push(group)
      }
      if (groups.length > 0) meters.observeWait(Math.max(0, now - oldest))
      for (const group of groups) flushGroup(group, now)
      for (const lane of dirty) {
        lane.due = []
        lane.segments.clear()
      }
      arena.clear()
    },

    /** Writes what one member has pending in these lanes before the others', because what it holds is about to change. */
    flushMember(member: Member, lanes: readonly Lane[], now: number): void {
      if (member.behind || lanes.length === 0) return
      const batch = batchFor(member, lanes, pendingNow, now)
      member.starts = new Map([...(member.starts ?? []), ...lanes.map((lane) => [lane, lane.seq] as const)])
      if (batch) write(member, batch)
    }
  }
}
