/** `/ws/news` and the headlines of the Ziggy endpoints: stories as they come, through filters of each connection; docs/websocket-s0-s1.md. */
import type { News, Published, TopicResult } from '@tickwire/protocol'
import type { Command, Dialect } from './dialect.ts'
import { counted, createChannel, type Heartbeat, type Talk } from './ziggy.channel.ts'
import { headlineRoutes } from './ziggy.headlines.ts'
import { fail, reading, say, setFiltersSchema, symbolsSchema, type Filters, type Message } from './ziggy.messages.ts'
import { codeOf, find, notHeld, refusals } from './ziggy.naming.ts'
import { matches, storiesOf, story, TOPIC } from './ziggy.stories.ts'

export type Memory = Talk & {
  /** The topic is ours; until then it is asked for again with each heartbeat. */
  held: boolean
  told: boolean
  askAgain: number
  paused: boolean
  /** Because nothing is subscribed any more: whatever names what is wanted ends it. */
  idle: boolean
  /** Stories that passed the filters while paused. */
  missed: number
  filters: Filters
  /** The instruments behind `filters.symbols`, by symbol; undefined: of whatever instrument. */
  only: Map<string, string> | undefined
}

const AGAIN = 25_000
const SNAPSHOT = 50
const ASK: Command = { type: 'subscribe', topics: [TOPIC], tag: TOPIC }

const ack = (memory: Memory, now: number): Command =>
  say('filters_set', { filters: memory.filters, status: memory.paused ? 'paused' : 'streaming' }, now)

/** Sets the symbols; those that nobody lists are told of, and are not among them. */
function choose(memory: Memory, symbols: readonly string[] | undefined, now: number): readonly Command[] {
  const { symbols: _before, ...others } = memory.filters
  if (symbols === undefined) {
    memory.filters = others
    memory.only = undefined
    return []
  }
  const { known, refused } = find(memory.desk, symbols)
  memory.only = new Map(known.map(({ symbol, instrument }) => [symbol, instrument]))
  memory.filters = { ...others, symbols: [...memory.only.keys()] }
  return refusals(refused, now)
}

function flow(memory: Memory): void {
  memory.paused = false
  memory.idle = false
}

function setFilters(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(setFiltersSchema, message, now, ({ filters, symbols }) => {
    memory.filters = filters
    if (memory.idle) flow(memory)
    const named = (filters.symbols ?? symbols)?.map((symbol) => symbol.toUpperCase())
    const refused = choose(memory, named?.length === 0 ? undefined : named, now)
    return [ack(memory, now), ...refused]
  })
}

const held = ({ only }: Memory): string[] => [...(only?.keys() ?? [])]
const acked = (memory: Memory, symbols: readonly string[], status: string, now: number): Command =>
  say('subscription_ack', { symbols, status, filters: memory.filters }, now)

function subscribe(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(symbolsSchema, message, now, ({ symbols }) => {
    flow(memory)
    if (symbols.length === 0) {
      const all = choose(memory, undefined, now)
      return [acked(memory, [], 'subscribed', now), ...all]
    }
    const refused = choose(memory, [...new Set([...held(memory), ...symbols])], now)
    const taken = symbols.filter((symbol) => memory.only?.has(symbol))
    return [...(taken.length > 0 ? [acked(memory, taken, 'subscribed', now)] : []), ...refused]
  })
}

/** Without symbols the stream pauses; without the last of them it does too, for it was of those alone. */
function unsubscribe(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(symbolsSchema, message, now, ({ symbols }) => {
    const before = held(memory)
    const left = before.filter((symbol) => !symbols.includes(symbol))
    const missing = symbols.filter((symbol) => !before.includes(symbol))
    const isLast = before.length > 0 && left.length === 0
    if (symbols.length === 0 || isLast) memory.paused = memory.idle = true
    if (isLast) choose(memory, undefined, now)
    else if (left.length < before.length) choose(memory, left, now)
    const gone = symbols.filter((symbol) => before.includes(symbol))
    return [
      ...(gone.length > 0 || symbols.length === 0 ? [acked(memory, gone, 'unsubscribed', now)] : []),
      ...notHeld(missing, before, now)
    ]
  })
}

function pause(_message: Message, memory: Memory, now: number): readonly Command[] {
  memory.paused = true
  memory.idle = false
  return [say('feed_paused', { filters: memory.filters }, now)]
}

function resume(_message: Message, memory: Memory, now: number): readonly Command[] {
  const { missed } = memory
  flow(memory)
  memory.missed = 0
  return [say('feed_resumed', { filters: memory.filters, missed }, now)]
}

const passes = ({ filters, only }: Memory, event: News): boolean => matches(event, filters, only && new Set(only.values()))

function snapshot(_message: Message, memory: Memory, now: number): readonly Command[] {
  const items = storiesOf(memory.desk).filter((event) => passes(memory, event))
  return [say('news_snapshot', { data: { items: items.slice(-SNAPSHOT).map(story), filters: memory.filters } }, now)]
}

function settled(results: readonly TopicResult[], tag: unknown, memory: Memory, now: number): readonly Command[] {
  if (tag !== TOPIC) return []
  const [result] = results
  memory.held = result?.ok === true
  memory.askAgain = now + AGAIN
  if (result === undefined || result.ok || memory.told) return []
  memory.told = true
  if (codeOf(result.code) === 'NOT_PERMITTED') return [fail('NOT_PERMITTED', result.message, { service: 'news' }, now)]
  return [fail('SERVICE_NOT_AVAILABLE', `no provider sends news: ${result.message}`, { service: 'news' }, now)]
}

function hear(event: Published, memory: Memory, now: number): string | undefined {
  if (event.type !== 'news' || !passes(memory, event)) return undefined
  if (memory.paused) {
    memory.missed++
    return undefined
  }
  const message = say('news_update', { data: story(event) }, now)
  counted(memory, [message], now)
  return message.type === 'send' ? message.text : undefined
}

const describe = (memory: Memory): { subscriptions: number; symbols: string[] } => ({
  subscriptions: memory.paused ? 0 : 1,
  symbols: held(memory)
})

/** Stories are sent as they come; the interval is how often their sources are asked. */
const INTERVAL = 30_000
const FRESH = { held: false, told: false, paused: false, idle: false, missed: 0, filters: {}, only: undefined }

export function createNews({ heartbeat }: { heartbeat?: Heartbeat } = {}): Dialect<Memory> {
  return createChannel<Memory>(
    {
      name: 'news_feed',
      path: '/ws/news',
      interval: INTERVAL,
      running: true,
      begin: (talk, _request, now) => ({ memory: { ...talk, ...FRESH, askAgain: now + AGAIN }, commands: [ASK] }),
      actions: { subscribe, unsubscribe, set_filters: setFilters, pause, resume, get_snapshot: snapshot, force_update: snapshot },
      settled,
      admitted(memory) {
        memory.told = false
        return memory.held ? [] : [ASK]
      },
      hear,
      tick: (memory, now) => (memory.held || now < memory.askAgain ? [] : [ASK]),
      describe,
      http: headlineRoutes
    },
    heartbeat
  )
}

export const news = createNews()
