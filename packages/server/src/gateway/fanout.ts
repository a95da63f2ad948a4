/**
 * From the plant to the sockets. Sessions that hold the same topics in the same shared dialect are one group: what is due
 * to it is encoded once per flush and the same bytes are written to every member. A member that is behind leaves its
 * group, costs nothing while it is behind, and is brought up to date when it reads again, or is let go.
 */
import { isState, type Published } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { arrearsOf, weigh, type OutboxLimits } from './arrears.ts'
import { createBatch, type Batch } from './frame.ts'
import type { Meters } from './meters.ts'
import { isLost, type Item } from './outbox.ts'
import type { Patience } from './patience.ts'

/** An event on its way to clients; `text` is its rendering, made once for all groups of a shared dialect. */
export type Pending = Item & { text?: string | undefined; rendered?: true }

/** Where a member's messages go: a WebSocket, or an SSE response. */
export type Sink = {
  write: (batch: Batch) => void
  /** Bytes that the socket has not taken yet. */
  backlog: () => number
  /** How long the oldest probe (a ping) has waited for its answer, milliseconds. */
  waiting: () => number
}

export type Member = {
  dialect: Dialect<any>
  memory: unknown
  sink: Sink
  topics: Set<string>
  /** Called once when the member is too slow to keep. */
  cut: () => void
  group?: Group
  /** The first of the group's pending events that is for this member: it joined after the ones before. */
  from: number
  /** Set while it is behind: since when, and the sequence it has of each topic. */
  behind?: { since: number; positions: Positions }
  delivered: number
  conflated: number
  dropped: number
}

type Group = {
  key: string
  dialect: Dialect<any>
  topics: ReadonlySet<string>
  lanes: Lane[]
  members: Set<Member>
  behind: Set<Member>
  pending: Pending[]
  weight: number
}

/** Shared by those who fell behind together, and so are owed the same: a new map is made rather than one changed. */
type Positions = ReadonlyMap<string, number>

/** One topic as one family of groups hears it. */
type Lane = { topic: string; groups: Set<Group>; stop: () => void }

/** What those at one place are owed, and where they stand after it. */
type Owed = { batch: Batch | undefined; conflated: number; dropped: number; after: Positions }

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

const LAG_PACE = 10

const pendingOf = (event: Published): Pending => ({ event, state: isState(event), weight: weigh(event) })

const textOf = (member: { dialect: Dialect<any>; memory?: unknown }, item: Pending, now: number): string | undefined => {
  if (!member.dialect.shared) return member.dialect.render(item.event, member.memory, now)
  if (!item.rendered) {
    item.text = member.dialect.render(item.event, undefined, now)
    item.rendered = true
  }
  return item.text
}

const batchOf = (dialect: Dialect<any>, texts: readonly string[], events: number): Batch | undefined =>
  texts.length === 0 ? undefined : createBatch(dialect.frame ? [dialect.frame(texts)] : texts, events)

export type Fanout = ReturnType<typeof createFanout>

export function createFanout(options: {
  plant: Plant
  clock: () => number
  patience: Patience
  /** Milliseconds; 0 flushes at the end of each turn of the event loop. */
  flushEvery: number
  limits: FanoutLimits
  meters: Meters
}) {
  const { plant, clock, patience, flushEvery, limits, meters } = options
  const groups = new Map<string, Group>()
  const lanes = new Map<string, Lane>()
  const dirty = new Set<Group>()
  const lagging = new Set<Member>()
  let solos = 0
  let flushedAt = 0
  let timer: NodeJS.Timeout | undefined
  let turn: NodeJS.Immediate | undefined
  let lagTimer: NodeJS.Timeout | undefined

  const schedule = () => {
    if (timer !== undefined || turn !== undefined) return
    // After a quiet spell the first event leaves at once; the interval only bounds how often we write.
    const wait = flushedAt + flushEvery - clock()
    if (flushEvery === 0 || wait <= 0) turn = setImmediate(flush)
    else timer = setTimeout(flush, Math.min(wait, flushEvery))
  }

  const hear = (lane: Lane, event: Published) => {
    const item = pendingOf(event)
    for (const group of lane.groups) {
      group.pending.push(item)
      group.weight += item.weight
      dirty.add(group)
      if (group.weight > limits.burst) flushGroup(group, clock())
    }
    schedule()
  }

  const laneOf = (family: string, topic: string): Lane => {
    const key = `${family} ${topic}`
    let lane = lanes.get(key)
    if (!lane) {
      const made: Lane = { topic, groups: new Set(), stop: () => {} }
      const { stop } = plant.subscribe(topic, (event) => hear(made, event))
      made.stop = () => {
        stop()
        lanes.delete(key)
      }
      lanes.set(key, (lane = made))
    }
    return lane
  }

  const openGroup = (key: string, dialect: Dialect<any>, topics: ReadonlySet<string>): Group => {
    const group: Group = { key, dialect, topics, lanes: [], members: new Set(), behind: new Set(), pending: [], weight: 0 }
    // Only a shared dialect's rendering may be shared, so the lanes of the others are common to them all.
    for (const topic of topics) {
      const lane = laneOf(dialect.shared ? dialect.name : '', topic)
      lane.groups.add(group)
      group.lanes.push(lane)
    }
    groups.set(key, group)
    return group
  }

  const closeGroup = (group: Group) => {
    for (const lane of group.lanes) {
      lane.groups.delete(group)
      if (lane.groups.size === 0) lane.stop()
    }
    groups.delete(group.key)
    dirty.delete(group)
  }

  /** Groups of equal topics are found by a hash that does not depend on the order in which they were asked for. */
  const groupFor = (member: Member): Group => {
    if (!member.dialect.shared) return openGroup(`solo ${++solos}`, member.dialect, new Set(member.topics))
    const hash = `${member.dialect.name} ${hashOf(member.topics)}`
    for (let nth = 0; ; nth++) {
      const key = `${hash} ${nth}`
      const group = groups.get(key)
      if (!group) return openGroup(key, member.dialect, new Set(member.topics))
      if (sameTopics(group.topics, member.topics)) return group
    }
  }

  const write = (member: Member, batch: Batch | undefined, positions?: () => Positions) => {
    if (!batch) return
    member.delivered += batch.events
    meters.delivered += batch.events
    meters.frames += batch.messages.length
    member.sink.write(batch)
    if (member.group && !member.behind && isBehind(member)) detach(member, member.group, positions?.())
  }

  const isBehind = ({ sink }: Member): boolean => sink.backlog() > limits.backlog || sink.waiting() > limits.patience

  const standing = (topics: Iterable<string>): Positions => {
    const positions = new Map<string, number>()
    for (const topic of topics) positions.set(topic, plant.last(topic)?.seq ?? 0)
    return positions
  }

  /** Everything published until now is written, or about to be: from here on the member is owed what comes. */
  const detach = (member: Member, group: Group, positions = standing(member.topics)) => {
    member.behind = { since: patience.now(), positions }
    group.members.delete(member)
    group.behind.add(member)
    lagging.add(member)
    watchLag()
  }

  const attach = (member: Member, group: Group) => {
    retire(member)
    group.behind.delete(member)
    group.members.add(member)
    member.from = group.pending.length
  }

  const retire = (member: Member) => {
    delete member.behind
    lagging.delete(member)
  }

  const flushGroup = (group: Group, now: number) => {
    dirty.delete(group)
    const items = group.pending
    if (items.length === 0) return
    group.pending = []
    group.weight = 0
    if (group.members.size === 0) return
    meters.observeWait(Math.max(0, now - items[0]!.event.published))
    /** By first event: everyone who was there gets one batch, those who joined since the last flush the rest of it. */
    const batches = new Map<number, Batch | undefined>()
    const [only] = group.members
    const texts = items.map((item) => textOf(group.dialect.shared ? group : only!, item, now))
    const from = (first: number): Batch | undefined => {
      if (!batches.has(first)) {
        const due = texts.slice(first).filter((text) => text !== undefined)
        batches.set(first, batchOf(group.dialect, due, due.length))
      }
      return batches.get(first)
    }
    let together: Positions | undefined
    for (const member of group.members) {
      const first = member.from
      member.from = 0
      if (first < items.length) write(member, from(first), () => (together ??= standing(group.topics)))
    }
  }

  /** Writes what one member has pending in its group before the others', because its topics are about to change. */
  const flushMember = (member: Member, group: Group, now: number) => {
    if (member.behind) return
    const due = group.pending.slice(member.from)
    member.from = group.pending.length
    const texts = due.map((item) => textOf(member, item, now)).filter((text) => text !== undefined)
    write(member, batchOf(member.dialect, texts, texts.length))
  }

  /** What is owed to a member; those of a shared dialect who stand at the same place are given the same batch. */
  const owedTo = ({ dialect, memory }: Member, positions: Positions, now: number, known: Map<Positions, Owed>): Owed => {
    const found = dialect.shared && known.get(positions)
    if (found) return found
    const { entries, conflated, dropped } = arrearsOf(plant, positions, limits.outbox)
    const texts = entries
      .map((entry) =>
        isLost(entry)
          ? dialect.lost?.(entry.topic, entry.count, entry.from, entry.to, now)
          : textOf({ dialect, memory }, entry, now)
      )
      .filter((text) => text !== undefined)
    const owed = { batch: batchOf(dialect, texts, texts.length), conflated, dropped, after: standing(positions.keys()) }
    known.set(positions, owed)
    return owed
  }

  /** Brings a member up to date when its socket has room again. */
  const serve = (member: Member, behind: NonNullable<Member['behind']>, now: number, known: Map<Positions, Owed>) => {
    if (isBehind(member)) {
      if (patience.now() - behind.since <= limits.cutAfter) return
      meters.slowCloses++
      member.cut()
      return
    }
    const { batch, conflated, dropped, after } = owedTo(member, behind.positions, now, known)
    member.conflated += conflated
    member.dropped += dropped
    meters.conflated += conflated
    meters.lost += dropped
    member.behind = { since: patience.now(), positions: after }
    write(member, batch)
    if (member.group && !isBehind(member)) attach(member, member.group)
  }

  function flush() {
    clearTimeout(timer)
    clearImmediate(turn)
    timer = turn = undefined
    const now = (flushedAt = clock())
    for (const group of dirty) flushGroup(group, now)
  }

  function catchUp() {
    const now = clock()
    const known = new Map<Positions, Owed>()
    for (const member of lagging) if (member.behind) serve(member, member.behind, now, known)
  }

  /** While anyone is behind, looks after them at the pace of the flush, even when nothing is published. */
  function watchLag() {
    lagTimer ??= setTimeout(
      () => {
        lagTimer = undefined
        catchUp()
        if (lagging.size > 0) watchLag()
      },
      Math.max(flushEvery, LAG_PACE)
    )
  }

  /** Takes a member out of its group; what was pending for it there is written first. */
  function leave(member: Member) {
    const { group } = member
    if (!group) return
    flushMember(member, group, clock())
    delete member.group
    group.members.delete(member)
    group.behind.delete(member)
    if (group.members.size + group.behind.size === 0) closeGroup(group)
  }

  return {
    /** Writes what waits for this member, so that a message sent next stands after it. */
    settle(member: Member): void {
      if (member.group) flushMember(member, member.group, clock())
    },

    /**
     * Puts a member in the group of its topics, after `missed`: the events after `positions`. What is published from now
     * on follows, once.
     */
    join(member: Member, missed: readonly Published[], positions: ReadonlyMap<string, number>): void {
      const now = clock()
      leave(member)
      const { behind } = member
      if (behind) {
        const held = [...behind.positions].filter(([topic]) => member.topics.has(topic))
        behind.positions = new Map([...held, ...positions])
      } else {
        const texts = missed.map((event) => textOf(member, pendingOf(event), now)).filter((text) => text !== undefined)
        write(member, batchOf(member.dialect, texts, texts.length))
      }
      if (member.topics.size === 0) {
        retire(member)
        return
      }
      const group = (member.group = groupFor(member))
      if (behind) group.behind.add(member)
      else {
        group.members.add(member)
        member.from = group.pending.length
        if (isBehind(member)) detach(member, group)
      }
    },

    /** For good: the connection is gone. */
    drop(member: Member): void {
      leave(member)
      retire(member)
    },

    /** How many events a member that is behind has not been given yet. */
    owed(member: Member): number {
      let owed = 0
      for (const [topic, seq] of member.behind?.positions ?? []) owed += (plant.last(topic)?.seq ?? seq) - seq
      return owed
    },

    flush,
    catchUp,
    stats: () => ({ groups: groups.size, lanes: lanes.size, behind: lagging.size }),
    stop() {
      clearTimeout(timer)
      clearTimeout(lagTimer)
      clearImmediate(turn)
    }
  }
}

/** FNV-1a of each name, added up: equal sets have equal sums whatever their order. */
export function hashOf(topics: Iterable<string>): string {
  let low = 0
  let high = 0
  let size = 0
  for (const topic of topics) {
    let hash = 0x811c9dc5
    for (let i = 0; i < topic.length; i++) hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193)
    low = (low + hash) >>> 0
    high = (high + Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)) >>> 0
    size++
  }
  return `${size}.${low}.${high}`
}

const sameTopics = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((topic) => b.has(topic))
