/**
 * Alpaca's market data streams: stocks (v2), crypto (v1beta3) and news (v1beta1), in JSON or MessagePack. Documentation:
 * docs.alpaca.markets, "Real-time Stock Data". Every frame of the server is an array.
 */
import { topicName, type Book, type Candle, type Published } from '@tickwire/protocol'
import { pack, unpack } from './alpaca.codec.ts'
import * as frames from './alpaca.frames.ts'
import { keys, routes } from './alpaca.rest.ts'
import { dialect, type Command, type Desk, type Request } from './dialect.ts'
import { differenceOf } from './difference.ts'

type Market = 'stocks' | 'crypto' | 'news'
type Channel = 'trades' | 'quotes' | 'bars' | 'updatedBars' | 'dailyBars' | 'statuses' | 'lulds' | 'orderbooks' | 'news'
type Memory = {
  desk: Desk
  market: Market
  msgpack: boolean
  opened: number
  authenticated: boolean
  /** The gateway wants to know who this is before anything is subscribed. */
  strict: boolean
  channels: Map<Channel, Set<string>>
  seen: Map<string, number>
  /** Daily bars are told once a minute: the minute last told of each symbol. */
  daily: Map<string, number>
  /** The book last told of each instrument. */
  books: Map<string, Published<Book>>
}

const BARS = ['bars', 'updatedBars', 'dailyBars'] as const
const CHANNELS: Record<Market, readonly Channel[]> = {
  stocks: ['trades', 'quotes', ...BARS, 'statuses', 'lulds'],
  crypto: ['trades', 'quotes', ...BARS, 'orderbooks'],
  news: ['news']
}
const TOPICS: Partial<Record<Channel, (instrument: string) => readonly string[]>> = {
  trades: (id) => [topicName('trade', id), ...(id.includes('-') ? [] : [topicName('correction', id)])],
  quotes: (id) => [topicName('quote', id)],
  bars: (id) => [topicName('candle', id, undefined, '1m')],
  updatedBars: (id) => [topicName('candle', id, undefined, '1m')],
  dailyBars: (id) => [topicName('candle', id, undefined, '1d')],
  statuses: (id) => [topicName('halt', id)],
  lulds: (id) => [topicName('band', id)],
  orderbooks: (id) => [topicName('book', id)],
  news: (id) => [topicName('news', id)]
}
/** Told by nobody whom the plant hears: whoever asks is answered, and hears none. */
const UNHEARD: ReadonlySet<string> = new Set(['imbalances'])
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
  return change(action, wanted as [Channel, string[]][], memory)
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

/** Symbols that nobody lists are taken and stay silent, as Alpaca does. */
function topicsOf({ desk, market, channels }: Memory): Set<string> {
  const topics = new Set<string>()
  for (const [channel, symbols] of channels)
    for (const symbol of symbols.has('*') ? allOf(desk, market) : symbols) {
      const id = frames.instrumentOf(symbol)
      if (isOf(desk, market, id)) for (const topic of TOPICS[channel]?.(id) ?? []) topics.add(topic)
    }
  return topics
}
function isOf(desk: Desk, market: Market, id: string): boolean {
  const info = desk.instrument(id)
  if (market === 'news') return id === 'all' || info !== undefined
  return info !== undefined && (info.quote === undefined) === (market === 'stocks')
}
const allOf = (desk: Desk, market: Market): string[] =>
  market === 'news'
    ? ['all']
    : desk.instruments().flatMap(({ instrument }) => (isOf(desk, market, instrument) ? [instrument] : []))

function change(
  action: 'subscribe' | 'unsubscribe',
  wanted: readonly (readonly [Channel, string[]])[],
  memory: Memory
): Command[] {
  const { channels, books } = memory
  const before = topicsOf(memory)
  for (const [channel, symbols] of wanted)
    for (const symbol of symbols) {
      channels.get(channel)?.[action === 'subscribe' ? 'add' : 'delete'](symbol)
      // Asked for again, a book comes whole again.
      if (channel === 'orderbooks') books.delete(frames.instrumentOf(symbol))
    }
  const after = topicsOf(memory)
  const gone = [...before].filter((topic) => !after.has(topic))
  const fresh = [...after].filter((topic) => !before.has(topic))
  return [
    ...(gone.length > 0 ? [{ type: 'unsubscribe', topics: gone } as const] : []),
    ...(fresh.length > 0 ? [{ type: 'subscribe', topics: fresh, tag: 'subscription' } as const] : [send(held(memory))])
  ]
}

/** The whole current set; corrections and cancels follow the trades by themselves. */
function held({ market, channels }: Memory): object {
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
    const full = results.some((result) => !result.ok && result.code === 'TOO_MANY_SYMBOLS')
    return [...(full ? [error(405)] : []), ...(tag === undefined ? [] : [send(held(memory))])]
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
