/** DataStream: prices by symbol, as loops or callbacks, from a server or from a plant in this process. One connection for all of them. */
import { INTERVALS, topicName, type AskedContract, type Interval, type Published } from '@tickwire/protocol'
import { connect, type Client, type Options } from './client.ts'
import { keysIn, type Access, type Keys } from './keys.ts'
import { messageOf, type StreamMessage } from './message.ts'
import type { ConnectionState } from './state.ts'
import { checkCallback, checkLimit, type Subscription } from './subscription.ts'
import { createVoice, EVENTS, type ClientEvents } from './voice.ts'

/** `ticker`: each price as it is traded, with its size; `stats`: the last price with the figures of the day. */
export const STREAM_TYPES = ['ticker', 'kline', 'trade', 'quote', 'book', 'stats'] as const
export type StreamType = (typeof STREAM_TYPES)[number]
const KIND = { ticker: 'trade', kline: 'candle', trade: 'trade', quote: 'quote', book: 'book', stats: 'ticker' } as const

export type StreamOptions = {
  /** `ticker` unless named. */
  type?: StreamType
  /** Of `kline`: `1m` unless named. */
  interval?: Interval
  /** One provider's own prices; else those of whom the arbiter trusts most. */
  provider?: string
  signal?: AbortSignal
  /** How often they are to come, and what of them. */
  contract?: AskedContract
}
/** `limit`: most events that wait for a loop that is slower than they come; what is dropped is told by `lost`. */
export type LoopOptions = StreamOptions & { limit?: number }

export type Handle = Subscription & {
  /** Why it ended, in a sentence, once it has. Never rejects. */
  ended: Promise<string>
}

/** `embed` of @tickwire/server, which this package does not know. */
export type Embed = (options: { keys: Record<string, Access> }) => { WebSocket: unknown; stop: () => Promise<void> }

export type DataStreamOptions = Partial<Options> &
  Keys & {
    /** Runs the whole plant in this process instead of connecting to one: `import { embed } from '@tickwire/server'`. */
    embed?: Embed
  }

type Open = { client: Client; stop: () => Promise<void> }

export class DataStream {
  readonly #connect: () => Open
  readonly #voice = createVoice()
  readonly #ends = new Set<(reason: string, isOurs: boolean) => void>()
  #open: Open | undefined

  /** Nothing is connected before the first stream is asked for. Throws what is wrong with the options. */
  constructor(options: DataStreamOptions = {}) {
    const { embed, url, ...rest } = options
    const keys = keysIn(options)
    const [first] = Object.keys(keys)
    if (embed) {
      if (url !== undefined) throw new TypeError('url and embed: give one of them; an embedded plant has no address')
      this.#connect = () => {
        const plant = embed({ keys })
        const client = connect({ ...rest, url: 'ws://embedded', WebSocket: plant.WebSocket, fallback: false })
        return { client, stop: () => plant.stop() }
      }
      return
    }
    if (first !== undefined)
      throw new TypeError(`a key of ${first}: keys go with embed; a server at an address has keys of its own`)
    const address = url ?? ('location' in globalThis ? '/' : 'http://localhost:8000')
    this.#connect = () => ({ client: connect({ ...rest, url: address }), stop: () => Promise.resolve() })
  }

  /** For `for await`: ends with the loop, the signal or `disconnectStreams()`; fails where the server refuses the symbol. */
  stream(symbol: string, options: LoopOptions = {}): AsyncIterable<StreamMessage> {
    const topic = topicFor(symbol, options)
    checkLimit(options)
    return { [Symbol.asyncIterator]: () => iterate(this.#client().events(topic, options), symbol) }
  }

  subscribe(symbol: string, callback: (message: StreamMessage) => void, options: StreamOptions = {}): Handle {
    return this.streamMany([symbol], callback, options)
  }

  /** Calls once per event, whatever the symbols are called and whichever markets they are of. */
  streamMany(symbols: readonly string[], callback: (message: StreamMessage) => void, options: StreamOptions = {}): Handle {
    checkSymbols(symbols)
    checkCallback(callback)
    const symbolOf = new Map(symbols.map((symbol) => [topicFor(symbol, options), symbol]))
    // By the topic under which its events come; of two names of one instrument the first counts.
    const named = new Map<string, string>()
    const deliver = (event: Published): unknown => {
      const message = messageOf(event, named.get(event.topic) ?? event.instrument)
      // What the callback returns may be a promise that fails: it is watched.
      return message && callback(message)
    }
    const onResult = (result: Parameters<NonNullable<Parameters<Client['subscribe']>[2]>['onResult'] & {}>[0]): void => {
      if (result.ok && !named.has(result.topic)) named.set(result.topic, symbolOf.get(result.asked) ?? result.asked)
    }
    const { signal, contract } = options
    const terms = contract ? { contract, onResult } : { onResult }
    const subscription = this.#client().subscribe([...symbolOf.keys()], deliver, terms)
    return this.#handle(subscription, signal)
  }

  /** Returns the function that stops listening. Listeners stay through `disconnectStreams()`. */
  on<N extends keyof ClientEvents>(name: N, listener: (report: ClientEvents[N]) => void): () => void {
    return this.#voice.on(name, listener)
  }

  /** Nothing while nothing was asked for. */
  state(): ConnectionState | undefined {
    return this.#open?.client.state()
  }

  /** Ends all streams and the connection, or the embedded plant. What is asked for afterwards connects anew. */
  async disconnectStreams(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    open?.client.close()
    await open?.stop()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnectStreams()
  }

  #client(): Client {
    if (this.#open) return this.#open.client
    this.#open = this.#connect()
    const { client } = this.#open
    for (const name of EVENTS) client.on(name, (report) => this.#voice.emit(name, report))
    client.on('state', ({ phase, reason }) => {
      // The client ends what it holds by itself, and says why: nobody closed it.
      if (phase === 'closed') for (const end of this.#ends) end(reason, false)
    })
    return client
  }

  #handle({ ready, close }: Subscription, signal: AbortSignal | undefined): Handle {
    let tell: (reason: string) => void
    const ended = new Promise<string>((resolve) => (tell = resolve))
    const end = (reason: string, isOurs = true): void => {
      this.#ends.delete(end)
      signal?.removeEventListener('abort', aborted)
      tell(reason)
      if (isOurs) close()
    }
    const closed = (): void => end('The subscription was closed.')
    const aborted = (): void => end('Its signal was aborted.')
    this.#ends.add(end)
    if (signal?.aborted) aborted()
    else signal?.addEventListener('abort', aborted)
    if (this.state()?.phase === 'closed') end(this.state()?.reason ?? '', false)
    return { ready, ended, close: closed, [Symbol.dispose]: closed }
  }
}

function checkSymbols(symbols: readonly string[]): void {
  if (Array.isArray(symbols) && symbols.length > 0) return
  throw new TypeError(`symbols: ${JSON.stringify(symbols)} names none; give an array of them, as in ['BTCUSDT', 'AAPL']`)
}

function topicFor(symbol: string, { type = 'ticker', interval, provider }: StreamOptions): string {
  if (typeof symbol !== 'string' || symbol === '') throw new TypeError(`symbol: ${JSON.stringify(symbol)} names none`)
  if (!STREAM_TYPES.includes(type))
    throw new TypeError(`type: there is no ${JSON.stringify(type)}; there are ${STREAM_TYPES.join(', ')}`)
  if (type !== 'kline') {
    if (interval !== undefined) throw new TypeError(`interval: goes with type 'kline', not '${type}'`)
    return topicName(KIND[type], symbol, provider)
  }
  if (interval !== undefined && !INTERVALS.includes(interval))
    throw new TypeError(`interval: there is no ${JSON.stringify(interval)}; there are ${INTERVALS.join(', ')}`)
  return topicName('candle', symbol, provider, interval ?? '1m')
}

function iterate(events: AsyncIterable<Published>, symbol: string): AsyncIterator<StreamMessage> {
  const iterator = events[Symbol.asyncIterator]()
  return {
    async next() {
      for (;;) {
        const turn = await iterator.next()
        if (turn.done) return { done: true, value: undefined }
        const message = messageOf(turn.value, symbol)
        if (message) return { done: false, value: message }
      }
    },
    async return() {
      await iterator.return?.()
      return { done: true, value: undefined }
    }
  }
}
