/**
 * The contract of a dialect, the mirror of an adapter: one protocol spoken to clients, as data and pure functions.
 * Sessions (gateway/session.ts) run it: they hold the subscriptions, do the commands, and bound what is pending.
 */
import type { z } from 'zod'
import type {
  AskedContract,
  Candle,
  CloseCode,
  Contract,
  DataKind,
  Encoding,
  ErrorCode,
  Interval,
  LostReason,
  Mode,
  Position,
  Published,
  Topic,
  TopicResult
} from '@tickwire/protocol'

/** An instrument as clients see it. */
export type InstrumentInfo = {
  instrument: string
  base: string
  quote?: string
  name?: string
  priceDecimals?: number
  sizeDecimals?: number
  providers: readonly { provider: string; symbol: string; trading: boolean }[]
}

/** Candles, oldest first; `why`: some provider has more of them and could not be asked, or has not answered yet. */
export type Past = { candles: readonly Candle[]; why?: string }

/** What the plant's owner answers to a dialect: read only, and at once but for the past. main.ts supplies it. */
export type Desk = {
  server: string
  epoch: string
  mode: Mode
  /** Finds the instrument behind whatever a person typed; else the nearest names. */
  resolve: (text: string) => { ok: true; instrument: string } | { ok: false; nearest: readonly string[] }
  instruments: () => readonly InstrumentInfo[]
  /** Providers whose listing is not loaded yet: an instrument that is not found may still come. */
  unlisted: () => readonly string[]
  /** Whether any provider that lists the instrument sends this kind (and interval) of data. */
  carries: (topic: Topic) => boolean
  /** Why a topic may not be told to whoever asks; absent where everything may be told to everybody. */
  forbids?: (topic: string) => string | undefined
  instrument: (id: string) => InstrumentInfo | undefined
  last: (topic: string) => Published | undefined
  recent: (topic: string, count: number) => readonly Published[]
  /** `last`, for whoever will be told the differences from it: `recent` knows it for a while. */
  hand: (topic: string) => Published | undefined
  /** The last `limit` candles, oldest first: a provider's history and our own after it. */
  candles: (instrument: string, interval: Interval, limit: number) => Promise<readonly Candle[]>
  /** The same, and why it is short; a provider is waited for so long, ms. */
  past: (instrument: string, interval: Interval, limit: number, patience?: number) => Promise<Past>
  /** Live figures of the gateway, for the dialects whose clients ask. */
  connections: () => readonly ConnectionInfo[]
}

export type ConnectionInfo = {
  id: string
  dialect: string
  since: number
  topics: readonly string[]
  /** Messages sent, and events that waited for this client and were replaced or dropped. */
  sent: number
  conflated: number
  dropped: number
  pending: number
} & Described

/** What a dialect says of one of its connections in its own terms, for its clients' status pages. */
export type Described = { subscriptions?: number; symbols?: readonly string[] }

export type Request = {
  /** Path without query, decoded. */
  path: string
  query: Readonly<Record<string, string>>
  /** The part of the path matched by `*` in the route, decoded. */
  rest: string
  /** Of the handshake, in lower case. */
  headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  session: string
  /** What the gateway holds this connection to; a dialect that greets its clients tells them. */
  terms?: Terms
}

export type Terms = {
  /** `required`: nothing may be subscribed before an `authenticate` succeeded. */
  auth: 'none' | 'required'
  heartbeat: { interval: number; timeout: number }
  limits: { message: number; topics: number }
}

/** What a dialect asks of its session. */
export type Command =
  /** `bad` marks the answer to a message that was none of this protocol: too many of them in a row end the connection. */
  | { type: 'send'; text: string; bad?: true }
  /** `tag` comes back in `settled`, together with a result per topic; then the snapshots and the live events follow. */
  | {
      type: 'subscribe'
      topics: readonly string[]
      tag?: unknown
      resume?: Readonly<Record<string, Position>>
      /** Without it topics that are held stay as they are, and new ones are delivered by `every`. */
      contract?: AskedContract
    }
  | { type: 'unsubscribe'; topics: readonly string[]; tag?: unknown }
  /** The outcome comes back in `authenticated`; a bad token in `denied`, and ends the connection with 4501 if that does not. */
  | { type: 'authenticate'; token: string; tag?: unknown }
  /** The answer comes back in `standing`: of all topics that are delivered by `every`, or of those that went on `since`. */
  | { type: 'stand'; since?: number; tag?: unknown }
  /** Events come in this encoding from here on; for dialects with `pack`. */
  | { type: 'encode'; encoding: Encoding }
  | { type: 'close'; code: CloseCode; reason: string }

/** Where a protocol puts the token beyond the gateway's own places, and how it refuses: for gateways that want one. */
export type Keys = {
  /** Headers (lower case) and query parameters that hold it; the first that is there counts. */
  headers: readonly string[]
  query: readonly string[]
  /** What REST answers, and a handshake that is refused; `sent`: a token was there, and is none of ours. */
  refusal: (sent: boolean) => HttpAnswer
  /** WebSockets: the handshake must bring a token, or may, or leaves it to `receive` to find one (and to `denied` to refuse it). */
  handshake: 'must' | 'may' | 'never'
}

export type HttpRequest = {
  method: string
  path: string
  query: Readonly<Record<string, string | readonly string[]>>
  body?: unknown
}
/** What the gateway does for a dialect's REST, which has no connection that could hold anything. */
export type Hands = {
  /** The last value of a topic, which is then held upstream for a while; a first one is waited for a little. */
  read: (topic: string) => Promise<Published | undefined>
  /** Holds topics under a key until it is let go, whoever asked: those that can be; without any of them it holds nothing. */
  hold: (key: string, topics: readonly string[]) => { held: boolean; refusals: readonly Extract<TopicResult, { ok: false }>[] }
  letGo: (key: string) => boolean
  keys: () => readonly string[]
}

export type HttpAnswer = { status: number; body: unknown; headers?: Record<string, string> }

/** Without `hands` where a dialect answers with no gateway around it. */
export type HttpRoute = {
  route: string
  answer: (request: HttpRequest, desk: Desk, now: number, hands?: Hands) => HttpAnswer | Promise<HttpAnswer>
  /** What it answers, by status, for the OpenAPI document; absent where the protocol is somebody else's, who describes it. */
  answers?: Answers
  asks?: Asks
}
/** JSON, or a text of the type that is named. */
export type Answers = Readonly<
  Record<number, z.ZodType | { description: string; content: Record<string, { schema: z.ZodType }> }>
>
/** For the OpenAPI document alone; `path` has one name, of what `*` matches. */
export type Asks = { query?: z.ZodObject; path?: z.ZodObject; body?: z.ZodType }

export type Dialect<Memory = unknown> = {
  name: string
  /** WebSocket paths; a trailing `*` matches the rest of the path. */
  paths: readonly string[]
  /** Greatest inbound message in bytes. */
  maxMessage: number
  open: (request: Request, desk: Desk, now: number) => { memory: Memory; commands: readonly Command[] }
  receive: (frame: string, memory: Memory, now: number) => readonly Command[]
  /** The outcome of a `subscribe` or `unsubscribe` command, before any event of it. */
  settled?: (results: readonly TopicResult[], tag: unknown, memory: Memory, now: number) => readonly Command[]
  /** All that the client holds begins anew, in another epoch, before any event of it. */
  renewed?: (results: readonly TopicResult[], memory: Memory, now: number) => readonly Command[]
  authenticated?: (user: string, tag: unknown, memory: Memory, now: number) => readonly Command[]
  /** A token was none of ours, or none came in time: the last words. */
  denied?: (why: 'wrong' | 'late', memory: Memory, now: number) => readonly Command[]
  /** Absent where only the gateway's own places count. */
  keys?: Keys
  /** The stem of all its REST paths, under which its own refusals are given. */
  under?: string
  /** The session's own refusal (too many messages), in this protocol's words. */
  refused?: (code: ErrorCode, message: string, memory: Memory, now: number) => string | undefined
  /**
   * An event in this protocol, or nothing. A `shared` dialect renders from the event alone (its memory is not given),
   * so that one rendering serves every client: what is due to a client is one message, a JSON array of them.
   */
  render: (event: Published, memory: Memory, now: number) => string | undefined
  shared?: true
  /** The same of many: what is between the brackets. */
  renderAll?: (events: readonly Published[]) => string
  /** Of a shared dialect: an event, or a notice, in MessagePack; `encode` asks for it. */
  pack?: (event: Published) => Uint8Array
  /** Its clients may say how topics are delivered, are told which contract is in force, and when it changes. */
  contracts?: true
  contract?: (topics: readonly string[], contract: Contract, reason: 'slow' | 'caught up', now: number) => string | undefined
  standing?: (
    digests: Record<string, [seq: number, digest: number]>,
    tag: unknown,
    memory: Memory,
    now: number
  ) => readonly Command[]
  /** Joins rendered events due at one flush into one message; without it each is a message of its own. */
  frame?: (rendered: readonly string[]) => string
  /** Another form of the texts on the wire, where a client asked for it; `undefined`: this client takes text, or sent no such bytes. */
  codec?: {
    encode: (text: string, memory: Memory) => Uint8Array | undefined
    decode: (bytes: Uint8Array, memory: Memory) => string | undefined
  }
  /** Rendered where events of a topic were dropped because the client was too slow, or they too old for it. */
  lost?: (topic: string, count: number, from: number, to: number, now: number, reason?: LostReason) => string | undefined
  /** Called every `tickEvery` milliseconds: heartbeats, sampled updates. */
  tickEvery?: number
  tick?: (memory: Memory, now: number) => readonly Command[]
  /** Told to every client before a shutdown. */
  shutdown?: (retryAfterMs: number, now: number) => string | undefined
  describe?: (memory: Memory) => Described
  /** REST of this protocol, on the same port: `METHOD /path`, with `*` as above. */
  http?: readonly HttpRoute[]
}

export const dialect = <M>(d: Dialect<M>): Dialect<M> => d
export type { DataKind, Interval }
