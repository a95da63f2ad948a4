/**
 * The native protocol, version 1: every frame that passes between a Tickwire server and its clients. PROTOCOL.md is the
 * normative text; this file is its types. Control messages are objects with an `op`; data arrives as arrays of events.
 */
import type { AskedContract, Contract } from './contract.ts'
import type { MarketEvent } from './market.ts'

export const PROTOCOL_VERSION = 1

/**
 * Where a reader stands in one topic. `seq` counts from 1 without holes within one `epoch`; `digest` is that of the topic's
 * events up to there (digest.ts): with it a reader proves that it has exactly those.
 */
export type Position = { epoch: string; seq: number; digest?: number }

/** An event as the plant stamped it. `replay`: it is of the past, and this is the replay that tells it. */
export type Published<E extends MarketEvent = MarketEvent> = E & {
  topic: string
  seq: number
  published: number
  replay?: string
}

// ---- client → server ---------------------------------------------------------------------------------------------

export type Encoding = 'json' | 'msgpack'

export type ClientMessage =
  | { op: 'hello'; version: number; client?: string; encoding?: Encoding }
  | { op: 'auth'; token: string; id?: string | number }
  | {
      op: 'subscribe'
      topics: string[]
      id?: string | number
      resume?: Record<string, Position>
      notices?: boolean
      contract?: AskedContract
    }
  | { op: 'unsubscribe'; topics: string[]; id?: string | number }
  | { op: 'digest'; id?: string | number }
  | { op: 'ping'; id?: string | number }
  | { op: 'pong'; id?: string | number }

// ---- server → client ---------------------------------------------------------------------------------------------

/** What became of one topic of a subscribe. `topic` is the canonical name under which its events will arrive. */
export type TopicResult =
  | {
      /** As the client wrote it. */
      asked: string
      topic: string
      ok: true
      position: Position
      /** In force from here on: what was asked, as far as it is possible. */
      contract?: Contract
      /** Only for a resume: true when exactly the missed events follow, false when a snapshot follows instead. */
      recovered?: boolean
      /** `live`: a provider delivers it now; `pending`: it was asked upstream and a status will say when it is live. */
      upstream: 'live' | 'pending'
    }
  | { asked: string; ok: false; code: ErrorCode; message: string; nearest?: string[] }

export type Mode = 'demo' | 'capture' | 'live' | 'replay'

export type ServerMessage =
  | {
      op: 'hello'
      version: number
      server: string
      epoch: string
      now: number
      mode: Mode
      session: string
      encoding: Encoding
      /** The server pings this often; a client silent for `timeout` ms is closed with 4002. */
      heartbeat: { interval: number; timeout: number }
      auth: 'none' | 'required'
      limits: { message: number; topics: number }
    }
  | { op: 'authenticated'; id?: string | number; user: string }
  | { op: 'subscribed'; id?: string | number; results: TopicResult[] }
  | { op: 'unsubscribed'; id?: string | number; topics: string[] }
  | { op: 'ping'; now: number }
  | { op: 'pong'; id?: string | number; now: number }
  /** The contract was broken: of seq `from` to `to` these `count` events were not sent. */
  | { op: 'lost'; topic: string; count: number; from: number; to: number; reason: LostReason }
  /** Another contract is in force for these topics from here on, or again the one that was asked. */
  | { op: 'contract'; topics: string[]; contract: Contract; reason: 'slow' | 'caught up' }
  /** Of each topic delivered by `every`, where this client stands: `[seq, digest]`. */
  | { op: 'digest'; id?: string | number; digests: Record<string, [seq: number, digest: number]> }
  | { op: 'error'; id?: string | number; code: ErrorCode; message: string; retry: boolean }
  | { op: 'shutdown'; retryAfterMs: number; reason: string }

/** `slow`: this client did not read them in time; `age`: they were older than its `maxAge`. */
export type LostReason = 'slow' | 'age'

/** A data frame is an array of events and `lost` notices, oldest first. */
export type DataFrame = (Published | Extract<ServerMessage, { op: 'lost' }>)[]

// ---- what can go wrong -------------------------------------------------------------------------------------------

/** Every error that a client can be told. Nothing else is ever sent in `code`, on WebSocket, SSE or REST. */
export const ERRORS = {
  BAD_JSON: { status: 400, retry: false, meaning: 'The message is not JSON.' },
  BAD_MESSAGE: {
    status: 400,
    retry: false,
    meaning: 'The message is JSON but not one of the protocol; the text names the field.'
  },
  UNKNOWN_OP: { status: 400, retry: false, meaning: 'There is no such operation.' },
  BAD_TOPIC: { status: 400, retry: false, meaning: 'The topic is not kind:instrument[@provider][:detail].' },
  BAD_SYMBOL: { status: 404, retry: false, meaning: 'No provider lists this instrument; the nearest names are given.' },
  BAD_PROVIDER: { status: 404, retry: false, meaning: 'There is no such provider, or it does not carry this instrument.' },
  NOT_FOUND: { status: 404, retry: false, meaning: 'There is nothing at this address, or no value yet.' },
  BAD_METHOD: { status: 405, retry: false, meaning: 'This address does not answer this method; `allow` names those it does.' },
  UPGRADE_REQUIRED: { status: 426, retry: false, meaning: 'This address is a WebSocket; connect to it with ws:// or wss://.' },
  TOO_BIG: { status: 413, retry: false, meaning: 'The request body or the address is over the limit.' },
  TOO_MANY_SYMBOLS: { status: 422, retry: false, meaning: 'More topics than one client may hold; earlier ones are kept.' },
  RATE_LIMITED: { status: 429, retry: true, meaning: 'Too many messages; slow down.' },
  UNAUTHORIZED: { status: 401, retry: false, meaning: 'A token is needed, or this one is not valid.' },
  FORBIDDEN: {
    status: 403,
    retry: false,
    meaning: "Not with this token, from this page's origin or under this host name."
  },
  UNAVAILABLE: { status: 503, retry: true, meaning: 'The server or every provider of this is down; try again.' },
  INTERNAL: { status: 500, retry: true, meaning: 'A defect of the server; it is logged there.' }
} as const satisfies Record<string, { status: number; retry: boolean; meaning: string }>
export type ErrorCode = keyof typeof ERRORS

/**
 * Every code with which the server closes a WebSocket. 4000 to 4499: reconnect (with backoff). 4500 to 4999: do not, the
 * same would happen again. Of the standard ones, reconnect after 1001, 1011, 1012, 1013 and 1006 (no close frame).
 */
export const CLOSES = {
  1001: { name: 'going away', meaning: 'The server shuts down; a shutdown notice came before.' },
  1002: { name: 'protocol error', meaning: 'The bytes are not RFC 6455.' },
  1003: { name: 'unsupported data', meaning: 'A binary message on a text stream.' },
  1007: { name: 'invalid payload', meaning: 'A text message is not UTF-8.' },
  1008: { name: 'policy violation', meaning: 'Flooding.' },
  1009: { name: 'message too big', meaning: 'Over the limit named in hello.' },
  1011: { name: 'internal error', meaning: 'A defect of the server; it is logged there.' },
  1013: { name: 'try again later', meaning: 'The server is overloaded.' },
  4001: { name: 'slow consumer', meaning: 'The client did not read for too long.' },
  4002: { name: 'no heartbeat', meaning: 'The client was silent past the timeout named in hello.' },
  4003: { name: 'token expired', meaning: 'Get a new token, then reconnect.' },
  4004: { name: 'drain', meaning: 'Reconnect, to reach another server.' },
  4500: { name: 'too many bad messages', meaning: 'The client does not speak this protocol.' },
  4501: { name: 'unauthorized', meaning: 'The token is not valid.' },
  4503: { name: 'forbidden', meaning: 'The token does not allow this.' },
  4504: { name: 'authentication timeout', meaning: 'No token came in time.' },
  4505: { name: 'replay ended', meaning: 'The replay is no longer there; order another one.' },
  4529: { name: 'too many connections', meaning: 'Over the limit for this user or address.' }
} as const satisfies Record<number, { name: string; meaning: string }>
export type CloseCode = keyof typeof CLOSES

const STANDARD_RECONNECT = new Set([1001, 1005, 1006, 1011, 1012, 1013])
/** Whether a client should come back after this close code. */
export const mayReconnect = (code: number): boolean => (code >= 4000 ? code < 4500 : STANDARD_RECONNECT.has(code))
