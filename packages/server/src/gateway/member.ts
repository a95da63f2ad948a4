/** Those whom events go to: a member is one session, a group is all members that hold the same topics in one dialect. */
import { isState, type Published } from '@tickwire/protocol'
import type { Dialect } from '../dialects/dialect.ts'
import { weigh } from './arrears.ts'
import { createBatch, type Batch } from './frame.ts'
import type { Item } from './outbox.ts'

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
  group: Group | undefined
  /** The first of the group's pending events that is for this member: it joined after the ones before. */
  from: number
  /** Set while it is behind: since when, and the sequence it has of each topic. */
  behind: { since: number; positions: Positions } | undefined
  delivered: number
  conflated: number
  dropped: number
}

export const createMember = (dialect: Dialect<any>, sink: Sink, cut: () => void): Member => ({
  dialect,
  memory: undefined,
  sink,
  topics: new Set(),
  cut,
  group: undefined,
  from: 0,
  behind: undefined,
  delivered: 0,
  conflated: 0,
  dropped: 0
})

export type Group = {
  key: string
  dialect: Dialect<any>
  topics: ReadonlySet<string>
  lanes: Lane[]
  members: Set<Member>
  pending: Pending[]
  weight: number
}

/** Shared by those who fell behind together, and so are owed the same: a new map is made rather than one changed. */
export type Positions = ReadonlyMap<string, number>

/** One topic as one family of groups hears it. */
export type Lane = { topic: string; seq: number; groups: Set<Group>; stop: () => void }

/**
 * What a group has heard so far. Not what the plant holds: of an event that is published while another is being handed
 * out, the plant may know more than the group was told.
 */
export const standing = ({ lanes }: Group): Positions => new Map(lanes.map(({ topic, seq }) => [topic, seq]))

export const pendingOf = (event: Published): Pending => ({ event, state: isState(event), weight: weigh(event) })

export const textOf = (member: { dialect: Dialect<any>; memory?: unknown }, item: Pending, now: number): string | undefined => {
  if (!member.dialect.shared) return member.dialect.render(item.event, member.memory, now)
  if (!item.rendered) {
    item.text = member.dialect.render(item.event, undefined, now)
    item.rendered = true
  }
  return item.text
}

export const joinTexts = (dialect: Dialect<any>, texts: readonly string[]): Batch | undefined =>
  texts.length === 0 ? undefined : createBatch(dialect.frame ? [dialect.frame(texts)] : texts, texts.length)

/** Renders each of these for a member: to be called once per event, for a dialect may remember what it rendered. */
export const batchOf = (member: Member, items: readonly Pending[], now: number): Batch | undefined =>
  joinTexts(
    member.dialect,
    items.map((item) => textOf(member, item, now)).filter((text) => text !== undefined)
  )
