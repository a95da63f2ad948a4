/**
 * Those whom events go to: a member is one session, a group is all members that are given the same, and a lane is one topic under
 * one contract in one form, for however many groups.
 */
import { DEFAULT_CONTRACT, type Contract, type Encoding, type Published } from '@tickwire/protocol'
import type { Dialect } from '../dialects/dialect.ts'
import { slowed } from './contracts.ts'
import type { Form } from './form.ts'
import { createBatch, type Batch, type Message } from './frame.ts'
import type { Segment } from './segment.ts'

/** Where a member's messages go: a WebSocket, or an SSE response. */
export type Sink = {
  /** Returns true when the bytes are taken and may be written over. */
  write: (batch: Batch) => boolean | void
  /** Bytes that the socket has not taken yet. */
  backlog: () => number
  /** How long the oldest probe (a ping) has waited for its answer, milliseconds. */
  waiting: () => number
  /** Bytes written after that probe, which the kernel holds for all we know. */
  unanswered?: () => number
  /** Bytes that it may be sent at its own pace, and whether it has too many of them. Absent: nobody knows. */
  room?: () => number
  isFull?: () => boolean
  /** Frames may be compressed. */
  deflate?: boolean
}

/** Shared by those who fell behind together, and so are owed the same: a new map is made rather than one changed. */
export type Positions = ReadonlyMap<string, number>

/** `owing`: topics of which each event was promised when it was published, and is no more: of them what is not given is counted. */
export type Behind = { since: number; positions: Positions; owing?: ReadonlySet<string> }

export type Member = {
  dialect: Dialect<any>
  memory: unknown
  sink: Sink
  topics: Set<string>
  /** As asked, of the topics for which anything was. */
  contracts: Map<string, Contract>
  encoding: Encoding
  deflate: boolean
  /** Called once when the member is too slow to keep. */
  cut: () => void
  group: Group | undefined
  /** Of lanes that had something pending when it joined: the sequence after which they are its own. */
  starts: Map<Lane, number> | undefined
  /** Set while it is behind: since when, and the sequence it has of each topic. */
  behind: Behind | undefined
  /** Set while it is given the newest instead of each: since when it has kept up. */
  slow: number | undefined
  delivered: number
  conflated: number
  dropped: number
}

/** `at`: the order in which things came, over all lanes. */
export type Pending = { event: Published; at: number }

export type Lane = {
  key: string
  topic: string
  contract: Contract
  /** Absent where each client has renderings of its own. */
  form: Form | undefined
  /** Each was asked for: what is too old is told as lost, also while a slow client is given the newest alone. */
  owesEach: boolean
  /** Each event counts: it stands in its place among those of the other lanes. */
  counted: boolean
  /** The newest that was heard. Not what the plant holds: of an event that is being handed out it may know more. */
  seq: number
  pending: Pending[]
  /** It has something for the next flush. */
  isMarked: boolean
  /** What was pending when the flush that goes on began. */
  due: readonly Pending[]
  groups: Set<Group>
  /** Encoded once, by the sequence after which it begins. */
  segments: Map<number, Segment | undefined>
  stop: () => void
}

export type Group = {
  key: string
  dialect: Dialect<any>
  encoding: Encoding
  deflate: boolean
  /** By topic. */
  lanes: ReadonlyMap<string, Lane>
  members: Set<Member>
  /** Those that have something in the flush that goes on. */
  due: Lane[]
}

export const createMember = (dialect: Dialect<any>, sink: Sink, cut: () => void): Member => ({
  dialect,
  memory: undefined,
  sink,
  topics: new Set(),
  contracts: new Map(),
  encoding: 'json',
  deflate: sink.deflate === true,
  cut,
  group: undefined,
  starts: undefined,
  behind: undefined,
  slow: undefined,
  delivered: 0,
  conflated: 0,
  dropped: 0
})

export const askedOf = ({ contracts }: Pick<Member, 'contracts'>, topic: string): Contract =>
  contracts.get(topic) ?? DEFAULT_CONTRACT

/** In force now. */
export const contractOf = (member: Pick<Member, 'contracts' | 'slow'>, topic: string): Contract => {
  const asked = askedOf(member, topic)
  return member.slow === undefined ? asked : slowed(topic, asked)
}

/** The messages in the form that this client asked for. */
export const encoded = ({ dialect: { codec }, memory }: Member, messages: readonly string[]): readonly Message[] =>
  codec ? messages.map((message) => codec.encode(message, memory) ?? message) : messages

/** What the session itself says. */
export const saying = (member: Member, text: string): Batch => createBatch(encoded(member, [text]), 0)
