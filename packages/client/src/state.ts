/** What a connection remembers, what happens to it, and what it asks of its shell; nothing here does anything. */
import type {
  ArbitratedKind,
  AskedContract,
  ClientMessage,
  Contract,
  DataFrame,
  Encoding,
  Gap,
  LostReason,
  Position,
  Published,
  ServerMessage,
  Status,
  TopicResult
} from '@tickwire/protocol'
import type { Backoff } from './backoff.ts'
import type { Lane } from './position.ts'

export type Phase = 'connecting' | 'open' | 'waiting' | 'closed'
/** How the server is reached: `memory` is a plant in this process. By `polling` only the newest of each topic comes. */
export type Via = 'websocket' | 'sse' | 'polling' | 'memory'
export type Hello = Extract<ServerMessage, { op: 'hello' }>

/** What a program or a person may know of the connection. `reason` is a sentence that can be shown as it stands. */
export type ConnectionState = {
  phase: Phase
  /** Since when, epoch milliseconds. */
  since: number
  reason: string
  /** In phase `open`. */
  via?: Via
  /** Failed attempts in a row; 0 while all is well. */
  attempt: number
  /** In phase `waiting`: when the next attempt begins. */
  retryAt?: number
  /** What the server said of itself; kept from the last connection. */
  hello?: Hello
}

/** `reason` where the server tells it: this program was slow, or had asked for nothing that old. */
export type Lost = {
  topic: string
  count: number
  from: number
  to: number
  /** `polling`: what came between two polls. */
  where: 'server' | 'iterator' | 'polling'
  reason?: LostReason
}
/** Another contract than before is in force for these topics. */
export type Contracted = { topics: string[]; contract: Contract; reason: 'slow' | 'caught up' | 'polling' }
export type Hole =
  | { source: 'provider'; topic: string; event: Published<Gap> }
  | { source: 'connection'; topic: string; from: number; to: number }
  /** The server's digest is not ours: between these something is missing, came twice, or out of order. */
  | { source: 'digest'; topic: string; from: number; to: number }
export type Resumed = { topic: string; position: Position }
export type Reset = { topic: string; previous: Position; position: Position; reason: string }
export type Failure = { code: string; message: string; retry: boolean; topic?: string; nearest?: string[]; cause?: unknown }
/** Another provider leads from here on. */
export type Failover = {
  instrument: string
  kind: ArbitratedKind
  previous: string
  leader: string
  cause: Status['cause']
  reason: string
}
export type Reconnecting = { attempt: number; retryAt: number; reason: string }
export type Shutdown = { retryAfterMs: number; reason: string }

export type Effect =
  | { type: 'dial' }
  | { type: 'send'; message: ClientMessage }
  | { type: 'hangup'; code: number; reason: string }
  /** The shell fetches the token and comes back with it. */
  | { type: 'authenticate' }
  | { type: 'state'; state: ConnectionState }
  | { type: 'deliver'; events: Published[] }
  | { type: 'settled'; asked: string; result: TopicResult }
  | { type: 'lost'; report: Lost }
  | { type: 'contract'; report: Contracted }
  | { type: 'gap'; report: Hole }
  | { type: 'resumed'; report: Resumed }
  | { type: 'reset'; report: Reset }
  | { type: 'error'; report: Failure }
  | { type: 'shutdown'; report: Shutdown }

export type Input = { now: number } & (
  | { type: 'start' | 'tick' | 'flush' }
  | { type: 'opened'; via?: Via | undefined }
  /** Again with another contract where that has changed. */
  | { type: 'want'; topics: readonly string[]; contract?: AskedContract | undefined }
  /** Of topics whose answers all their readers have heard. */
  | { type: 'change'; topics: readonly string[]; contract?: AskedContract | undefined }
  | { type: 'unwant'; topics: readonly string[] }
  | { type: 'message'; message: ServerMessage | DataFrame }
  | { type: 'garbled'; reason: string }
  | { type: 'token'; token: string }
  | { type: 'closed'; code: number; reason: string }
  | { type: 'failed'; reason: string }
  | { type: 'stop'; reason: string }
)

export type Settings = {
  client: string
  encoding: Encoding
  hasToken: boolean
  backoff: Backoff
  /** Failed attempts in a row after which it gives up; 0 is without end. */
  attempts: number
  /** Silence after which the connection counts as dead. */
  inactivity: number
  /** Silence after which the client asks whether the server is still there. */
  heartbeat: number
  /** From dialling to the server's hello. */
  patience: number
}
export const DEFAULTS: Settings = {
  client: 'tickwire-js',
  encoding: 'json',
  hasToken: false,
  backoff: { min: 1_000, max: 30_000 },
  attempts: 0,
  inactivity: 60_000,
  heartbeat: 25_000,
  patience: 10_000
}
/** One topic as the program wrote it; `topic` is its canonical name, once the server has told it. */
export type Ask = {
  asked: string
  topic?: string
  phase: 'new' | 'sent' | 'live' | 'refused'
  wanted: boolean
  contract?: AskedContract | undefined
  /** Refusals in a row that may pass by themselves. */
  attempt: number
  retryAt?: number
  result?: TopicResult
}

/** A subscribe that awaits its answer: the topics as sent, with the asks behind each; `open` are those not answered yet. */
export type Request = { asked: string[]; sent: Map<string, string[]>; open: Set<string>; resume: Record<string, Position> }

export type Connection = {
  settings: Settings
  random: () => number
  state: ConnectionState
  asks: Map<string, Ask>
  lanes: Map<string, Lane>
  /** Highest sequence per topic that comes unasked (status, gap). */
  notices: Map<string, number>
  requests: Map<number, Request>
  nextId: number
  /** Attempts in a row that did not lead to a lasting connection. */
  failures: number
  via: Via
  /** The token was refused as expired, and another is being tried. */
  expired: boolean
  greeted: boolean
  /** When the server was last heard, and whether it was asked for a sign of life since. */
  heard: number
  pinged: boolean
  /** From a shutdown notice: no attempt before this. */
  notBefore: number
}

export const createConnection = (settings: Partial<Settings>, random: () => number, now: number): Connection => ({
  settings: { ...DEFAULTS, ...settings },
  random,
  state: { phase: 'waiting', since: now, reason: 'Not started.', attempt: 0 },
  asks: new Map(),
  lanes: new Map(),
  notices: new Map(),
  requests: new Map(),
  nextId: 1,
  failures: 0,
  via: 'websocket',
  expired: false,
  greeted: false,
  heard: now,
  pinged: false,
  notBefore: 0
})
