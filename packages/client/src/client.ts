/** The client a program holds: many readers over one socket, each topic asked for once, whoever wants it. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { AskedContract, Contract, Position, Published } from '@tickwire/protocol'
import type { Backoff } from './backoff.ts'
import { createDesk } from './desk.ts'
import { positionOf } from './position.ts'
import { createLadder } from './ladder.ts'
import type { Polling } from './polling.ts'
import { createFeeder, type After, type SocketConstructor } from './socket.ts'
import { createConnection } from './state.ts'
import type { ConnectionState, Effect } from './state.ts'
import { checkCallback, checkLimit, createResults, iterate } from './subscription.ts'
import type { EventsOptions, Host, Reader, SubscribeOptions, Subscription } from './subscription.ts'
import { socketUrl } from './url.ts'
import { createVoice, type ClientEvents, type Voice } from './voice.ts'

export type Options = {
  /** Where the server is: `http://localhost:8000`, `wss://prices.example.com`. The path is added where it is absent. */
  url: string
  /** Sent in an auth message where the server asks for one. A function is called for each connection. */
  token?: string | (() => string | Promise<string>)
  /** What this program calls itself. */
  client?: string
  /** Reads messages in MessagePack, which are smaller: `import { decode } from '@msgpack/msgpack'`. Without it they are JSON. */
  msgpack?: (bytes: Uint8Array) => unknown
  /** Bounds of the full-jitter backoff in milliseconds. */
  backoff?: Backoff
  /** Failed attempts in a row after which it gives up; 0, the usual, is without end. */
  attempts?: number
  /** Silence in milliseconds after which the connection counts as dead. */
  inactivity?: number
  random?: () => number
  /** The time, and calls later: a simulation has its own. */
  time?: { now: () => number; after: After }
  /** The WebSocket class of runtimes that have none of their own, such as that of the package ws. */
  WebSocket?: unknown
  /**
   * What is done where no WebSocket gets through, and HTTP does: it goes on by server-sent events, else by polling (at these
   * milliseconds), and back by itself. `false`: it tries again until one gets through.
   */
  fallback?: false | { polling?: Partial<Polling>; retryEvery?: number }
}

export type Standing = Position & { proven: number; contract: Contract | undefined }

export type Client = {
  subscribe: (
    topics: string | readonly string[],
    callback: (event: Published) => void,
    options?: SubscribeOptions
  ) => Subscription
  /** For `for await`: each loop has a subscription of its own, which ends with the loop. */
  events: (topics: string | readonly string[], options?: EventsOptions) => AsyncIterable<Published>
  /** Returns the function that stops listening. */
  on: <N extends keyof ClientEvents>(name: N, listener: (report: ClientEvents[N]) => void) => () => void
  state: () => ConnectionState
  /**
   * Where this client stands in a topic, named as the results name it. Up to `proven` the server's digest and that of what
   * was handed to the program agree: nothing is missing, nothing came twice.
   */
  standing: (topic: string) => Standing | undefined
  close: () => void
  [Symbol.dispose]: () => void
}

const REAL = {
  now: () => Date.now(),
  after(ms: number, act: () => void) {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  }
}

export function connect(options: Options): Client {
  const url = socketUrl(options.url)
  const { token, client, backoff, attempts, inactivity, msgpack, random = Math.random, time = REAL } = options
  const WebSocket = roadFrom(options, time)
  const encoding = msgpack && 'msgpack'
  const given = { client, backoff, attempts, inactivity, encoding, hasToken: token !== undefined }
  const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const connection = createConnection(settings, random, time.now())
  const voice = createVoice()
  const desk = createDesk(voice)
  const tell = (effect: Effect): void => {
    if (effect.type === 'deliver') for (const event of effect.events) desk.deliver(event)
    else if (effect.type === 'settled') desk.settled(effect.asked, effect.result, connection.state.phase === 'closed')
    else if (effect.type === 'state') {
      voice.emit('state', effect.state)
      const { phase, attempt, retryAt, reason } = effect.state
      if (phase === 'waiting' && retryAt !== undefined) voice.emit('reconnecting', { attempt, retryAt, reason })
      if (phase === 'closed') desk.end(ending())
    } else if ('report' in effect) voice.emit(effect.type, effect.report)
  }
  const { feed } = createFeeder(connection, {
    url,
    WebSocket,
    ...(token === undefined ? {} : { token }),
    ...(msgpack === undefined ? {} : { decode: msgpack }),
    clock: time.now,
    after: time.after,
    tell
  })
  let closing = false
  const ending = (): Error | undefined => (closing ? undefined : new Error(connection.state.reason))
  let flushing = false
  const ask = (type: 'want' | 'unwant' | 'change', topics: readonly string[], contract?: AskedContract): void => {
    feed(type === 'unwant' ? { type, topics } : { type, topics, contract })
    if (flushing) return
    flushing = true
    queueMicrotask(() => {
      flushing = false
      feed({ type: 'flush' })
    })
  }
  const host: Host = {
    join: (reader) => {
      desk.join(reader, ask)
      if (connection.state.phase === 'closed') reader.ended(ending())
    },
    leave: (reader) => desk.leave(reader, ask),
    lost: (report) => voice.emit('lost', report)
  }
  const close = (): void => {
    closing = true
    feed({ type: 'stop', reason: 'Closed by this program.' })
  }
  queueMicrotask(() => feed({ type: 'start' }))

  return {
    subscribe: (topics, callback, options = {}) => {
      const names = named(topics)
      checkCallback(callback)
      return listen(host, voice, names, callback, options)
    },
    events: (topics, options = {}) => {
      const names = named(topics)
      checkLimit(options)
      return { [Symbol.asyncIterator]: () => iterate(host, names, options) }
    },
    on: voice.on,
    state: () => connection.state,
    standing: (topic) => {
      const lane = connection.lanes.get(topic)
      return lane && { ...positionOf(lane), proven: lane.proven, contract: lane.contract }
    },
    close,
    [Symbol.dispose]: close
  }
}

/** A class of sockets that get through to the server, whatever they really are. */
function roadFrom({ WebSocket, fallback = {} }: Options, time: typeof REAL): SocketConstructor {
  const direct = (WebSocket ?? (globalThis as { WebSocket?: unknown }).WebSocket) as SocketConstructor | undefined
  if (fallback !== false) return createLadder({ WebSocket: direct, ...fallback, ...time })
  if (direct) return direct
  throw new Error(
    "This runtime has no WebSocket: npm install ws, then connect({ url, WebSocket }) with import { WebSocket } from 'ws'"
  )
}

function named(topics: string | readonly string[]): string[] {
  const names = [...new Set(typeof topics === 'string' ? [topics] : topics)]
  if (names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')) return names
  throw new TypeError(`topics: ${JSON.stringify(topics)} names none; give one like 'trade:BTC-USDT', or an array of them`)
}

function listen(
  host: Host,
  voice: Voice,
  topics: readonly string[],
  callback: (event: Published) => void,
  { signal, onResult, contract }: SubscribeOptions
): Subscription {
  const results = createResults(topics)
  const reader: Reader = {
    topics,
    contract,
    deliver: (event) => voice.guarded(callback, event, `a callback of ${event.topic}`),
    settled: (result) => {
      results.add(result)
      if (onResult) voice.guarded(onResult, result, 'onResult')
    },
    ended: (error) => results.finish(error?.message ?? 'The client was closed.')
  }
  const close = (): void => {
    signal?.removeEventListener('abort', close)
    host.leave(reader)
    results.finish('The subscription was closed.')
  }
  if (signal?.aborted) close()
  else {
    signal?.addEventListener('abort', close)
    host.join(reader)
  }
  return { ready: results.ready, close, [Symbol.dispose]: close }
}
