/**
 * Alpaca's market data streams: stocks (v2), crypto (v1beta3) and news (v1beta1), in JSON or MessagePack. Documentation:
 * docs.alpaca.markets, "Real-time Stock Data". Every frame of the server is an array.
 */
import type { Book, Candle, ErrorCode, Published, TopicResult } from '@tickwire/protocol'
import { CHANNELS, topicsOf, UNHEARD, type Channel, type Item, type Market } from './alpaca.channels.ts'
import { pack, unpack } from './alpaca.codec.ts'
import * as frames from './alpaca.frames.ts'
import { keys, routes } from './alpaca.rest.ts'
import { dialect, type Command, type Desk, type Request } from './dialect.ts'
import { differenceOf } from './difference.ts'

type Memory = {
  desk: Desk
  market: Market
  msgpack: boolean
  opened: number
  authenticated: boolean
  /** The gateway wants to know who this is before anything is subscribed. */
  strict: boolean
  channels: Map<Channel, Set<string>>
  /** The topics that were granted. */
  held: Set<string>
  seen: Map<string, number>
  /** Daily bars are told once a minute: the minute last told of each symbol. */
  daily: Map<string, number>
  /** The book last told of each instrument. */
  books: Map<string, Published<Book>>
}

const PATIENCE = 10_000
const MINUTE = 60_000

const send = (...messages: object[]): Command => ({ type: 'send', text: JSON.stringify(messages) })
const ERRORS = {
  400: 'invalid syntax',
  401: 'not authenticated',
  402: 'auth failed',
  403: 'already authenticated',
  404: 'auth timeout',
  405: 'symbol limit exceeded',
  407: 'slow client',
  409: 'insufficient subscription',
  410: 'invalid subscribe action for this feed',
  500: 'internal error'
} as const
const errorText = (code: keyof typeof ERRORS): string => JSON.stringify([{ T: 'error', code, msg: ERRORS[code] }])
const error = (code: keyof typeof ERRORS): Command => ({ type: 'send', text: errorText(code), bad: true })
const hangUp = (code: keyof typeof ERRORS): Command[] => [error(code), { type: 'close', code: 1008, reason: ERRORS[code] }]

function receive(text: string, memory: Memory): Command[] {
  let message: Record<string, unknown>
  try {
    message = JSON.parse(text)
  } catch {
    return [error(400)]
  }
  if (typeof message !== 'object' || message === null) return [error(400)]
  const { action, key, secret } = message
  if (action === 'auth') return authenticate(key, secret, memory)
  if (action !== 'subscribe' && action !== 'unsubscribe') return [error(400)]
  if (!memory.authenticated) return [error(401)]
  const own = CHANNELS[memory.market]
  const wanted = Object.entries(message).filter(([name]) => name !== 'action') as [Channel, unknown][]
  if (!wanted.every(([, symbols]) => Array.isArray(symbols) && symbols.every((symbol) => typeof symbol === 'string')))
    return [error(400)]
  if (wanted.some(([name, symbols]) => !own.includes(name) && !UNHEARD.has(name) && (symbols as string[]).length > 0))
    return [error(410)]
  const items = (wanted as [Channel, string[]][]).flatMap(([channel, symbols]) =>
    symbols.map((symbol): Item => [channel, symbol])
  )
  return action === 'subscribe' ? subscribe(items, memory) : unsubscribe(items, memory)
}

/** The key is the token of the gateway, where it wants one; else any will do, only not none. */
function authenticate(key: unknown, secret: unknown, memory: Memory): Command[] {
  if (memory.authenticated) return [error(403)]
  if (typeof key !== 'string' || typeof secret !== 'string' || key === '' || secret === '') return hangUp(402)
  if (memory.strict) return [{ type: 'authenticate', token: key === 'oauth' ? secret : key }]
  return admit(memory)
}

function admit(memory: Memory): Command[] {
  memory.authenticated = true
  return [send({ T: 'success', msg: 'authenticated' })]
}

function subscribe(wanted: readonly Item[], memory: Memory): Command[] {
  const { channels, books, held } = memory
  const fresh = wanted.filter(([channel, symbol]) => channels.get(channel)?.has(symbol) === false)
  for (const [channel, symbol] of fresh) channels.get(channel)?.add(symbol)
  // Asked for again, a book comes whole again.
  for (const [channel, symbol] of wanted) if (channel === 'orderbooks') books.delete(frames.instrumentOf(symbol))
  const topics = [...new Set(fresh.flatMap((item) => topicsOf(item, memory)))].filter((topic) => !held.has(topic))
  return topics.length > 0 ? [{ type: 'subscribe', topics, tag: fresh }] : [send(subscription(memory))]
}

function unsubscribe(items: readonly Item[], memory: Memory): Command[] {
  for (const [channel, symbol] of items) {
    memory.channels.get(channel)?.delete(symbol)
    if (channel === 'orderbooks') memory.books.delete(frames.instrumentOf(symbol))
  }
  return [...release(memory), send(subscription(memory))]
}

/** Lets go of what no channel asks for any more. */
function release(memory: Memory): Command[] {
  const items = [...memory.channels].flatMap(([channel, symbols]) => [...symbols].map((symbol) => [channel, symbol] as const))
  const wanted = new Set(items.flatMap((item) => topicsOf(item, memory)))
  const gone = [...memory.held].filter((topic) => !wanted.has(topic))
  for (const topic of gone) memory.held.delete(topic)
  return gone.length > 0 ? [{ type: 'unsubscribe', topics: gone }] : []
}

/** With one of these a message is refused as a whole; what nobody sends is only left out of the answer. */
const REFUSALS: Partial<Record<ErrorCode, keyof typeof ERRORS>> = { UNAUTHORIZED: 401, TOO_MANY_SYMBOLS: 405, FORBIDDEN: 409 }

function settled(results: readonly TopicResult[], items: readonly Item[], memory: Memory): Command[] {
  const refused = new Map<string, ErrorCode>()
  for (const result of results)
    if (result.ok) memory.held.add(result.topic)
    else refused.set(result.asked, result.code)
  /** The star stands for what may be had, if there is any. */
  const codeOf = (item: Item): ErrorCode | undefined => {
    const codes = topicsOf(item, memory).map((topic) => refused.get(topic))
    if (item[1] !== '*' || codes.includes('TOO_MANY_SYMBOLS'))
      return codes.find((code) => code === 'TOO_MANY_SYMBOLS') ?? codes[0]
    return codes.includes(undefined) ? undefined : codes[0]
  }
  const codes = items.map(codeOf)
  const refusal = codes.map((code) => code && REFUSALS[code]).find((code) => code !== undefined)
  for (const [i, [channel, symbol]] of items.entries())
    if (refusal !== undefined || codes[i] !== undefined) memory.channels.get(channel)?.delete(symbol)
  return [...release(memory), refusal === undefined ? send(subscription(memory)) : error(refusal)]
}

/** The whole current set; corrections and cancels follow the trades by themselves. */
function subscription({ market, channels }: Memory): object {
  const lists = Object.fromEntries([...channels].map(([channel, symbols]) => [channel, [...symbols]]))
  const following = { corrections: lists['trades'], cancelErrors: lists['trades'] }
  return { T: 'subscription', ...lists, ...(market === 'stocks' ? following : {}) }
}

/** Those whom a symbol's name or the star stands for. */
function holds({ channels }: Memory, channel: Channel, instrument: string): boolean {
  const symbols = channels.get(channel)
  return symbols !== undefined && (symbols.has('*') || symbols.has(frames.symbolOf(instrument)))
}

function bar(event: Published<Candle>, memory: Memory): object | undefined {
  const id = event.instrument
  if (event.interval === '1d') {
    const minute = Math.floor(event.time / MINUTE)
    if (!holds(memory, 'dailyBars', id) || memory.daily.get(id) === minute) return undefined
    memory.daily.set(id, minute)
    return frames.barRow('d', event)
  }
  // A minute without a trade has no bar; a corrected one comes again as `u`.
  if (!event.closed || event.trades === 0) return undefined
  if (event.revision > 0) return holds(memory, 'updatedBars', id) ? frames.barRow('u', event) : undefined
  return holds(memory, 'bars', id) ? frames.barRow('b', event) : undefined
}

function book(event: Published<Book>, { desk, books }: Memory): object | undefined {
  const before = books.get(event.instrument)
  books.set(event.instrument, event)
  if (!before) return frames.bookRow(event, event, true)
  const path = desk.recent(event.topic, desk.last(event.topic)!.seq - before.seq)
  const until = path.filter((one): one is Published<Book> => one.type === 'book' && one.seq <= event.seq)
  const { bids, asks } = differenceOf([before, ...until, event])
  return bids.length + asks.length === 0 ? undefined : frames.bookRow(event, { bids, asks }, false)
}

function row(event: Published, memory: Memory): object | undefined {
  switch (event.type) {
    case 'trade':
      return frames.tradeRow(event)
    case 'quote':
      return frames.quoteRow(event)
    case 'candle':
      return bar(event, memory)
    case 'book':
      return book(event, memory)
    case 'halt':
      return frames.statusRow(event)
    case 'band':
      return frames.bandRow(event)
    case 'correction':
      return frames.correctionRow(event)
    default:
      return event.type === 'news' ? frames.newsRow(event) : undefined
  }
}

function open({ path, headers = {}, terms }: Request, desk: Desk, now: number): { memory: Memory; commands: Command[] } {
  const market = path.includes('/news') ? 'news' : path.includes('/crypto/') ? 'crypto' : 'stocks'
  const memory: Memory = {
    desk,
    market,
    msgpack: headers['content-type'] === 'application/msgpack',
    opened: now,
    authenticated: false,
    strict: terms?.auth === 'required',
    channels: new Map(CHANNELS[market].map((channel) => [channel, new Set()])),
    held: new Set(),
    seen: new Map(),
    daily: new Map(),
    books: new Map()
  }
  const { 'apca-api-key-id': key, 'apca-api-secret-key': secret } = headers
  const known = key === undefined ? [] : authenticate(key, secret, memory)
  return { memory, commands: [send({ T: 'success', msg: 'connected' }), ...known] }
}

export const alpaca = dialect<Memory>({
  name: 'alpaca',
  paths: [
    ...['iex', 'sip', 'delayed_sip', 'test'].map((feed) => `/v2/${feed}`),
    ...['us', 'us-1', 'eu-1'].map((place) => `/v1beta3/crypto/${place}`),
    '/v1beta1/news'
  ],
  maxMessage: 64 * 1024,
  codec: {
    encode: (text, { msgpack }) => (msgpack ? pack(text) : undefined),
    decode: (bytes, { msgpack }) => (msgpack ? unpack(bytes) : undefined)
  },

  open,
  receive,

  keys,
  authenticated: (_user, _tag, memory) => admit(memory),
  denied: (why) => hangUp(why === 'wrong' ? 402 : 404),

  settled(results, tag, memory) {
    for (const result of results) if (result.ok) memory.seen.set(result.topic, result.position.seq)
    return tag === undefined ? [] : settled(results, tag as readonly Item[], memory)
  },

  render(event, memory) {
    if (event.seq <= (memory.seen.get(event.topic) ?? 0)) return undefined
    const message = row(event, memory)
    return message && JSON.stringify(message)
  },
  frame: (rendered) => `[${rendered.join(',')}]`,

  tickEvery: 1_000,
  tick: (memory, now) => (memory.authenticated || now - memory.opened < PATIENCE ? [] : hangUp(404)),

  http: routes
})
