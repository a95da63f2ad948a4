/** Alpaca's stock stream (v2). Documentation: docs.alpaca.markets, "Real-time Stock Data". Every frame of the server is an array. */
import { topicName, type Candle, type Published } from '@tickwire/protocol'
import { barRow, quoteRow, tradeRow } from './alpaca.frames.ts'
import { routes } from './alpaca.rest.ts'
import { dialect, type Command, type Desk } from './dialect.ts'

type Memory = {
  desk: Desk
  opened: number
  authenticated: boolean
  channels: Record<Channel, Set<string>>
  seen: Map<string, number>
  /** Daily bars are told once a minute: the minute last told of each symbol. */
  daily: Map<string, number>
}
type Channel = (typeof CHANNELS)[number]

const CHANNELS = ['trades', 'quotes', 'bars', 'updatedBars', 'dailyBars', 'statuses', 'lulds'] as const
const TOPICS: Partial<Record<Channel, (symbol: string) => string>> = {
  trades: (symbol) => topicName('trade', symbol),
  quotes: (symbol) => topicName('quote', symbol),
  bars: (symbol) => topicName('candle', symbol, undefined, '1m'),
  updatedBars: (symbol) => topicName('candle', symbol, undefined, '1m'),
  dailyBars: (symbol) => topicName('candle', symbol, undefined, '1d')
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
  405: 'symbol limit exceeded'
} as const
const error = (code: keyof typeof ERRORS): Command => ({
  type: 'send',
  text: JSON.stringify([{ T: 'error', code, msg: ERRORS[code] }]),
  bad: true
})

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
  const wanted = CHANNELS.map((channel) => [channel, message[channel] ?? []] as const)
  if (!wanted.every(([, symbols]) => Array.isArray(symbols) && symbols.every((symbol) => typeof symbol === 'string')))
    return [error(400)]
  return change(action, wanted as [Channel, string[]][], memory)
}

/** Who may connect is decided by the gateway; here any key will do, only not none. */
function authenticate(key: unknown, secret: unknown, memory: Memory): Command[] {
  if (memory.authenticated) return [error(403)]
  if (typeof key !== 'string' || typeof secret !== 'string' || key === '' || secret === '')
    return [error(402), { type: 'close', code: 1008, reason: ERRORS[402] }]
  memory.authenticated = true
  return [send({ T: 'success', msg: 'authenticated' })]
}

/** Symbols that nobody lists are taken and stay silent, as Alpaca does. */
function topicsOf({ desk, channels }: Memory): Set<string> {
  const topics = new Set<string>()
  for (const channel of CHANNELS) {
    const topic = TOPICS[channel]
    const all = channels[channel].has('*') ? equities(desk) : [...channels[channel]]
    if (topic) for (const symbol of all) if (isEquity(desk, symbol)) topics.add(topic(symbol))
  }
  return topics
}
const isEquity = (desk: Desk, symbol: string): boolean => {
  const info = desk.instrument(symbol)
  return info !== undefined && info.quote === undefined
}
const equities = (desk: Desk): string[] =>
  desk.instruments().flatMap((info) => (info.quote === undefined ? [info.instrument] : []))

function change(
  action: 'subscribe' | 'unsubscribe',
  wanted: readonly (readonly [Channel, string[]])[],
  memory: Memory
): Command[] {
  const before = topicsOf(memory)
  for (const [channel, symbols] of wanted)
    for (const symbol of symbols) memory.channels[channel][action === 'subscribe' ? 'add' : 'delete'](symbol)
  const after = topicsOf(memory)
  const gone = [...before].filter((topic) => !after.has(topic))
  const fresh = [...after].filter((topic) => !before.has(topic))
  return [
    ...(gone.length > 0 ? [{ type: 'unsubscribe', topics: gone } as const] : []),
    ...(fresh.length > 0 ? [{ type: 'subscribe', topics: fresh, tag: 'subscription' } as const] : [send(held(memory))])
  ]
}

/** The whole current set; corrections and cancels follow the trades by themselves. */
function held({ channels }: Memory): object {
  const lists = Object.fromEntries(CHANNELS.map((channel) => [channel, [...channels[channel]]]))
  return { T: 'subscription', ...lists, corrections: lists['trades'], cancelErrors: lists['trades'] }
}

const holds = (memory: Memory, channel: Channel, symbol: string): boolean =>
  memory.channels[channel].has(symbol) || memory.channels[channel].has('*')

function bar(event: Published<Candle>, memory: Memory): object | undefined {
  const symbol = event.instrument
  if (event.interval === '1d') {
    const minute = Math.floor(event.time / MINUTE)
    if (!holds(memory, 'dailyBars', symbol) || memory.daily.get(symbol) === minute) return undefined
    memory.daily.set(symbol, minute)
    return barRow('d', event)
  }
  // A minute without a trade has no bar; a corrected one comes again as `u`.
  if (!event.closed || event.trades === 0) return undefined
  if (event.revision > 0) return holds(memory, 'updatedBars', symbol) ? barRow('u', event) : undefined
  return holds(memory, 'bars', symbol) ? barRow('b', event) : undefined
}

function row(event: Published, memory: Memory): object | undefined {
  if (event.type === 'trade') return tradeRow(event)
  if (event.type === 'quote') return quoteRow(event)
  return event.type === 'candle' ? bar(event, memory) : undefined
}

export const alpaca = dialect<Memory>({
  name: 'alpaca',
  paths: ['/v2/iex', '/v2/sip', '/v2/delayed_sip', '/v2/test'],
  maxMessage: 64 * 1024,

  open(_request, desk, now) {
    const channels = Object.fromEntries(CHANNELS.map((channel) => [channel, new Set()])) as Memory['channels']
    const memory: Memory = { desk, opened: now, authenticated: false, channels, seen: new Map(), daily: new Map() }
    return { memory, commands: [send({ T: 'success', msg: 'connected' })] }
  },

  receive,

  settled(results, tag, memory) {
    for (const result of results) if (result.ok) memory.seen.set(result.topic, result.position.seq)
    return tag === undefined ? [] : [send(held(memory))]
  },

  render(event, memory) {
    if (event.seq <= (memory.seen.get(event.topic) ?? 0)) return undefined
    const message = row(event, memory)
    return message && JSON.stringify(message)
  },
  frame: (rendered) => `[${rendered.join(',')}]`,

  tickEvery: 1_000,
  tick: (memory, now) =>
    memory.authenticated || now - memory.opened < PATIENCE
      ? []
      : [error(404), { type: 'close', code: 1008, reason: ERRORS[404] }],

  http: routes
})
