/** Binance spot's market streams. Documentation: developers.binance.com, "WebSocket Streams" and "Market Data endpoints". */
import {
  INTERVALS,
  topicName,
  type Book,
  type ErrorCode,
  type Interval,
  type Published,
  type TopicResult
} from '@tickwire/protocol'
import {
  aggTradeFrame,
  bookTickerFrame,
  instrumentOf,
  klineFrame,
  miniTickerFrame,
  ms,
  rows,
  tickerFrame,
  tradeFrame
} from './binance.frames.ts'
import { DENIED, keys, routes } from './binance.rest.ts'
import { dialect, type Command, type Desk } from './dialect.ts'
import { differenceOf, type Sides } from './difference.ts'

type Stream = {
  name: string
  kind: 'trade' | 'aggTrade' | 'bookTicker' | 'ticker' | 'miniTicker' | 'kline' | 'depth' | 'partial'
  topics: readonly string[]
  instrument: string
  symbol: string
  /** Of depth: milliseconds between frames, and levels of a partial book. */
  every: number
  levels: number
  /** The last book told, and when. */
  sent?: Sides & { seq: number }
  sentAt: number
}
type Memory = {
  desk: Desk
  combined: boolean
  streams: Map<string, Stream>
  /** Where each topic stood when it was subscribed: what is not newer was never live on this connection. */
  seen: Map<string, number>
  /** Frames of further streams over an event that already made one; they leave with the next tick. */
  waiting: string[]
}

// ---- symbols and streams -------------------------------------------------------------------------------------------

/** A stream of a symbol that nobody lists is acknowledged and stays silent, as Binance does. */
function streamOf(desk: Desk, name: string): Stream | undefined {
  const cut = name.indexOf('@')
  const info = cut > 0 ? instrumentOf(desk, name.slice(0, cut).toUpperCase()) : undefined
  if (!info) return undefined
  const what = name.slice(cut + 1)
  const { instrument } = info
  const made = (kind: Stream['kind'], topics: string[], every = 0, levels = 0): Stream => ({
    name,
    kind,
    topics,
    instrument,
    symbol: info.base + (info.quote ?? ''),
    every,
    levels,
    sentAt: 0
  })
  const depth = /^depth(5|10|20)?(@100ms|@1000ms)?$/.exec(what)
  if (depth) {
    const every = depth[2] === '@100ms' ? 100 : 1_000
    return made(depth[1] ? 'partial' : 'depth', [topicName('book', instrument)], every, Number(depth[1] ?? 0))
  }
  if (what === 'trade' || what === 'aggTrade') return made(what, [topicName('trade', instrument)])
  if (what === 'bookTicker') return made(what, [topicName('quote', instrument)])
  if (what === 'ticker' || what === 'miniTicker')
    return made(what, [topicName('ticker', instrument), topicName('quote', instrument)])
  const interval = what.startsWith('kline_') ? (what.slice(6) as Interval) : undefined
  return interval && INTERVALS.includes(interval)
    ? made('kline', [topicName('candle', instrument, undefined, interval)])
    : undefined
}

function payload(stream: Stream, event: Published, desk: Desk): object | undefined {
  const { kind, symbol } = stream
  if (event.type === 'trade') return kind === 'trade' ? tradeFrame(event, symbol) : aggTradeFrame(event, symbol)
  if (event.type === 'quote') return kind === 'bookTicker' ? bookTickerFrame(event, symbol, desk) : undefined
  if (event.type === 'ticker') return kind === 'ticker' ? tickerFrame(event, symbol, desk) : miniTickerFrame(event, symbol, desk)
  return event.type === 'candle' ? klineFrame(event, symbol) : undefined
}

const text = (memory: Memory, stream: string, data: object): string =>
  memory.combined ? `{"stream":"${stream}","data":${JSON.stringify(data)}}` : JSON.stringify(data)

// ---- books: Binance sends them by the clock, so they are made in `tick` from what the plant holds ------------------

/** `U` follows the `u` before it, and `u` is the number that REST gives the same book as lastUpdateId. */
function depthFrame(stream: Stream, book: Published<Book>, desk: Desk): object | undefined {
  if (stream.kind === 'partial')
    return {
      lastUpdateId: book.seq,
      bids: rows(book.bids.slice(0, stream.levels)),
      asks: rows(book.asks.slice(0, stream.levels))
    }
  const sent = stream.sent ?? { bids: [], asks: [], seq: 0 }
  const path = desk.recent(book.topic, book.seq - sent.seq).filter((event): event is Published<Book> => event.type === 'book')
  const { bids, asks } = differenceOf([sent, ...path])
  if (bids.length + asks.length === 0) return undefined
  return { e: 'depthUpdate', E: ms(book.time), s: stream.symbol, U: sent.seq + 1, u: book.seq, b: rows(bids), a: rows(asks) }
}

function books(memory: Memory, now: number): Command[] {
  const out: Command[] = []
  for (const stream of memory.streams.values()) {
    if (stream.every === 0 || now - stream.sentAt < stream.every) continue
    const book = memory.desk.last(stream.topics[0]!)
    if (book?.type !== 'book' || book.seq <= (stream.sent?.seq ?? 0)) continue
    const data = depthFrame(stream, book, memory.desk)
    if (!data) continue
    stream.sent = book
    stream.sentAt = now
    out.push({ type: 'send', text: text(memory, stream.name, data) })
  }
  return out
}

// ---- requests ------------------------------------------------------------------------------------------------------

type Id = number | string | null
const METHOD_NAMES = 'SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY'
const METHODS = new Set<unknown>(METHOD_NAMES.split(', '))
const send = (message: object): Command => ({ type: 'send', text: JSON.stringify(message) })
const refuse = (code: number, msg: string, id: Id = null): Command[] => [
  { type: 'send', text: JSON.stringify({ error: { code, msg }, id }), bad: true }
]
const invalid = (what: string, id: Id = null): Command[] => refuse(2, `Invalid request: ${what}`, id)

function subscribe(names: readonly string[], memory: Memory, tag: Id | undefined): Command[] {
  const topics = new Set<string>()
  for (const name of names) {
    const stream = memory.streams.has(name) ? undefined : streamOf(memory.desk, name)
    if (!stream) continue
    if (stream.kind === 'depth') {
      const book = memory.desk.last(stream.topics[0]!)
      if (book?.type === 'book') stream.sent = book
    }
    memory.streams.set(name, stream)
    for (const topic of stream.topics) topics.add(topic)
  }
  if (topics.size > 0) return [{ type: 'subscribe', topics: [...topics], tag }]
  return tag === undefined ? [] : [send({ result: null, id: tag })]
}

/** The streams that could not be had are not listed either. */
function unheld(code: ErrorCode, results: readonly TopicResult[], id: Id | undefined, { streams }: Memory): Command[] {
  const refused = new Set(results.flatMap((result) => (result.ok ? [] : [result.asked])))
  for (const [name, { topics }] of streams) if (topics.some((topic) => refused.has(topic))) streams.delete(name)
  if (code === 'UNAUTHORIZED' || code === 'FORBIDDEN') return refuse(DENIED.code, DENIED.msg, id)
  return invalid(code === 'TOO_MANY_SYMBOLS' ? 'too many streams' : 'a stream is not available', id)
}

function unsubscribe(names: readonly string[], memory: Memory, id: Id): Command[] {
  const gone = new Set<string>()
  for (const name of names) {
    for (const topic of memory.streams.get(name)?.topics ?? []) gone.add(topic)
    memory.streams.delete(name)
  }
  for (const stream of memory.streams.values()) for (const topic of stream.topics) gone.delete(topic)
  for (const topic of gone) memory.seen.delete(topic)
  const ack = send({ result: null, id })
  return gone.size === 0 ? [ack] : [{ type: 'unsubscribe', topics: [...gone] }, ack]
}

function receive(frame: string, memory: Memory): Command[] {
  let message: { method?: unknown; params?: unknown; id?: unknown }
  try {
    message = JSON.parse(frame)
  } catch {
    return refuse(3, 'Invalid JSON: expected value at line 1 column 1')
  }
  if (typeof message !== 'object' || message === null) return invalid('expected an object')
  const { method, params } = message
  const id = message.id as Id
  if (method === undefined) return invalid('missing field `method`')
  if (!METHODS.has(method)) return invalid(`unknown variant ${JSON.stringify(method)}, expected one of ${METHOD_NAMES}`)
  const isId = (Number.isInteger(id) && Number(id) >= 0) || (typeof id === 'string' && id.length <= 36)
  if (message.id !== undefined && message.id !== null && !isId)
    return invalid('request ID must be an unsigned integer or a string')
  if (method === 'LIST_SUBSCRIPTIONS') return [send({ result: [...memory.streams.keys()], id })]
  if (!Array.isArray(params)) return invalid('params must be an array', id)
  if (method === 'SET_PROPERTY' || method === 'GET_PROPERTY') return property(method, params, memory, id)
  if (!params.every((name) => typeof name === 'string')) return invalid('stream names must be strings', id)
  return method === 'SUBSCRIBE' ? subscribe(params, memory, id ?? null) : unsubscribe(params, memory, id ?? null)
}

function property(method: string, [name, value]: unknown[], memory: Memory, id: Id): Command[] {
  if (name !== 'combined') return refuse(0, 'Unknown property', id)
  if (method === 'GET_PROPERTY') return [send({ result: memory.combined, id })]
  if (typeof value !== 'boolean') return refuse(1, 'Invalid value type: expected Boolean', id)
  memory.combined = value
  return [send({ result: null, id })]
}

export const binance = dialect<Memory>({
  name: 'binance',
  paths: ['/stream', '/ws', '/ws/*'],
  maxMessage: 64 * 1024,

  open(request, desk) {
    const combined = request.path === '/stream'
    const memory: Memory = { desk, combined, streams: new Map(), seen: new Map(), waiting: [] }
    const names = (combined ? (request.query['streams'] ?? '') : request.rest).split('/').filter((name) => name !== '')
    return { memory, commands: subscribe(names, memory, undefined) }
  },

  receive,

  keys,

  settled(results, tag, memory) {
    for (const result of results) if (result.ok) memory.seen.set(result.topic, result.position.seq)
    const refused = results.find((result) => !result.ok)
    if (refused && !refused.ok) return unheld(refused.code, results, tag as Id | undefined, memory)
    return tag === undefined ? [] : [send({ result: null, id: tag })]
  },

  render(event, memory) {
    if (event.seq <= (memory.seen.get(event.topic) ?? 0) || event.type === 'book') return undefined
    const frames: string[] = []
    for (const stream of memory.streams.values()) {
      if (!stream.topics.includes(event.topic)) continue
      const data = payload(stream, event, memory.desk)
      if (data) frames.push(text(memory, stream.name, data))
    }
    memory.waiting.push(...frames.slice(1))
    return frames[0]
  },

  tickEvery: 50,
  tick(memory, now) {
    const waiting = memory.waiting.splice(0).map((text): Command => ({ type: 'send', text }))
    return [...waiting, ...books(memory, now)]
  },

  http: routes
})
