/** `/ws/market` of the Ziggy endpoints: quotes once a second, of the symbols asked for or else of the watchlist; docs/websocket-s0-s1.md. */
import { topicName, type Published, type TopicResult } from '@tickwire/protocol'
import type { Command, Dialect } from './dialect.ts'
import type { Pictures } from './fiml.updates.ts'
import { counted, createChannel, type Heartbeat, type Talk } from './ziggy.channel.ts'
import { fail, reading, say, symbolsSchema, type Message } from './ziggy.messages.ts'
import { find, notHeld, refusalOf, refusals, type Named, type Refused } from './ziggy.naming.ts'
import { overviewRoutes } from './ziggy.overview.ts'
import { dataTopics, gist, picturesOf, quoteData } from './ziggy.quote.ts'

export const WATCHLIST = ['AAPL', 'MSFT', 'GOOGL', 'TSLA', 'NVDA', 'SPY']

type Line = Named & {
  pictures: Pictures
  dirty: boolean
  /** What was last sent, and when the next may be. */
  sent?: string
  due: number
  /** No live source: told, until one is back. */
  dark: boolean
}
type Asked = { named: Named[]; refused: Refused[]; watchlist: boolean }

export type Memory = Talk & {
  lines: Map<string, Line>
  routes: Map<string, Line[]>
  /** Kinds without a leader, and why, by instrument. */
  down: Map<string, Map<string, string>>
  /** What is streamed is the watchlist: the client's own list replaces it. */
  watchlist: boolean
  /** When the watchlist is taken, unless something was asked for before. */
  takeWatchlist: number
  /** Unchanged quotes are sent too. */
  keepalive: boolean
}

const DECIDED = ['trade', 'quote'] as const
const topicsOf = (instrument: string): string[] => [
  ...dataTopics(instrument),
  ...DECIDED.map((kind) => topicName('status', instrument, undefined, kind))
]

function reroute(memory: Memory): void {
  memory.routes.clear()
  for (const line of memory.lines.values())
    memory.routes.set(line.instrument, [...(memory.routes.get(line.instrument) ?? []), line])
}

function ask(memory: Memory, symbols: readonly string[], now: number): readonly Command[] {
  const watchlist = symbols.length === 0
  memory.takeWatchlist = Infinity
  const { known, refused } = find(memory.desk, watchlist ? WATCHLIST : symbols)
  if (known.length === 0) return refusals(refused, now)
  const asked: Asked = { named: known, refused, watchlist }
  return [{ type: 'subscribe', topics: [...new Set(known.flatMap(({ instrument }) => topicsOf(instrument)))], tag: asked }]
}

/** Takes symbols out; what nobody here needs any more is let go. */
function leave(memory: Memory, symbols: readonly string[]): Command[] {
  const gone = symbols.flatMap((symbol) => memory.lines.get(symbol)?.instrument ?? [])
  for (const symbol of symbols) memory.lines.delete(symbol)
  reroute(memory)
  const free = gone.filter((instrument) => !memory.routes.has(instrument))
  for (const instrument of free) memory.down.delete(instrument)
  return free.length === 0 ? [] : [{ type: 'unsubscribe', topics: [...new Set(free.flatMap(topicsOf))] }]
}

function settled(results: readonly TopicResult[], tag: unknown, memory: Memory, now: number): readonly Command[] {
  if (tag === undefined) return []
  const { named, refused, watchlist } = tag as Asked
  const outcome = new Map(results.map((result) => [result.asked, result]))
  const held: Named[] = []
  for (const each of named) {
    const refusal = refusalOf(each.symbol, dataTopics(each.instrument), outcome)
    if (refusal) refused.push(refusal)
    else held.push(each)
  }
  const commands: Command[] = []
  const replaced = memory.watchlist && !watchlist && held.length > 0 ? [...memory.lines.keys()] : []
  for (const { symbol, instrument } of held) {
    if (memory.lines.has(symbol)) continue
    memory.lines.set(symbol, {
      symbol,
      instrument,
      pictures: picturesOf(memory.desk, instrument),
      dirty: true,
      due: now,
      dark: false
    })
  }
  reroute(memory)
  if (held.length > 0) {
    memory.watchlist = watchlist
    const symbols = held.map(({ symbol }) => symbol)
    commands.push(say('subscription_ack', { symbols, status: 'subscribed', watchlist }, now))
    commands.push(
      ...leave(
        memory,
        replaced.filter((symbol) => !symbols.includes(symbol))
      )
    )
  }
  const unused = results.filter((result) => result.ok && !memory.routes.has(instrumentOf(named, result.asked)))
  if (unused.length > 0) commands.push({ type: 'unsubscribe', topics: unused.map(({ asked }) => asked) })
  return [...commands, ...refusals(refused, now)]
}

const instrumentOf = (named: readonly Named[], topic: string): string =>
  named.find(({ instrument }) => topicsOf(instrument).includes(topic))?.instrument ?? ''

function unsubscribe(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(symbolsSchema, message, now, ({ symbols }) => {
    memory.takeWatchlist = Infinity
    const held = [...memory.lines.keys()]
    const gone = symbols.length === 0 ? held : symbols.filter((symbol) => memory.lines.has(symbol))
    const missing = symbols.filter((symbol) => !gone.includes(symbol))
    return [
      ...leave(memory, gone),
      say('subscription_ack', { symbols: gone, status: 'unsubscribed' }, now),
      ...notHeld(missing, held, now)
    ]
  })
}

function hear(event: Published, memory: Memory): undefined {
  const lines = memory.routes.get(event.instrument) ?? []
  if (event.type === 'status') {
    const kinds = memory.down.get(event.instrument) ?? new Map<string, string>()
    if (event.leader === undefined && event.cause !== 'unsubscribed') kinds.set(event.kind, event.reason)
    else kinds.delete(event.kind)
    memory.down.set(event.instrument, kinds)
  } else if (event.type === 'trade' || event.type === 'quote' || event.type === 'ticker')
    for (const line of lines) {
      ;(line.pictures as Record<string, Published>)[event.type] = event
      line.dirty = true
    }
  return undefined
}

const quoteOf = ({ symbol, instrument, pictures }: Named & { pictures: Pictures }, { down }: Memory) =>
  quoteData(symbol, pictures, down.get(instrument)?.has('trade') === true)

/** A symbol that lost its last live source is told of, once. */
function outage(line: Line, memory: Memory, now: number): Command[] {
  const kinds = memory.down.get(line.instrument)
  const isDown = (kind: 'trade' | 'quote') => kinds?.has(kind) === true || line.pictures[kind] === undefined
  const dark = kinds !== undefined && kinds.size > 0 && DECIDED.every(isDown)
  const told = line.dark
  line.dark = dark
  if (!dark || told) return []
  const reason = [...kinds.values()].at(-1)
  return [fail('NO_LIVE_SOURCE', `${line.symbol} has no live source: ${reason}`, { symbol: line.symbol, reason }, now)]
}

/** At most one update per interval, and only of what changed. */
function update(line: Line, memory: Memory, interval: number, now: number): Command[] {
  if (now < line.due || !(line.dirty || memory.keepalive)) return []
  line.dirty = false
  const data = quoteOf(line, memory)
  if (!data) return []
  const news = gist(data)
  if (news === line.sent && !memory.keepalive) return []
  line.sent = news
  line.due = now - line.due < interval ? line.due + interval : now + interval
  return [say(memory.byCode ? 'market_data' : 'quote_update', { symbol: line.symbol, data }, now)]
}

function snapshot(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(symbolsSchema, message, now, ({ symbols }) => {
    const { known, refused } = find(memory.desk, symbols.length === 0 ? [...memory.lines.keys()] : symbols, true)
    const quotes = known.flatMap(({ symbol, instrument }) => {
      const pictures = memory.lines.get(symbol)?.pictures ?? picturesOf(memory.desk, instrument)
      const quote = quoteOf({ symbol, instrument, pictures }, memory)
      return quote ? [quote] : []
    })
    return [say('market_snapshot', { data: { quotes } }, now), ...refusals(refused, now)]
  })
}

function force(message: Message, memory: Memory, now: number): readonly Command[] {
  return reading(symbolsSchema, message, now, ({ symbols }) => {
    const missing = symbols.filter((symbol) => !memory.lines.has(symbol))
    const wanted = [...memory.lines.values()].filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol))
    const updates = wanted.flatMap((line) => {
      const data = quoteOf(line, memory)
      return data ? [say(memory.byCode ? 'market_data' : 'quote_update', { symbol: line.symbol, data, forced: true }, now)] : []
    })
    return [...counted(memory, updates, now), ...notHeld(missing, [...memory.lines.keys()], now)]
  })
}

export type MarketOptions = {
  interval?: number
  /** A client that asked for nothing within this long is given the watchlist. */
  watchlistAfter?: number
  heartbeat?: Heartbeat
}

export function createMarket({ interval = 1_000, watchlistAfter = 1_000, heartbeat }: MarketOptions = {}): Dialect<Memory> {
  return createChannel<Memory>(
    {
      name: 'market_data',
      path: '/ws/market',
      interval,
      running: true,
      begin(talk, _request, now) {
        const held = { lines: new Map(), routes: new Map(), down: new Map() }
        return {
          memory: { ...talk, ...held, watchlist: false, takeWatchlist: now + watchlistAfter, keepalive: false },
          commands: []
        }
      },
      actions: {
        subscribe: (message, memory, now) =>
          reading(symbolsSchema, message, now, ({ symbols, keepalive }) => {
            memory.keepalive = keepalive ?? memory.keepalive
            return ask(memory, symbols, now)
          }),
        unsubscribe,
        get_snapshot: snapshot,
        force_update: force
      },
      settled,
      admitted(memory, now) {
        if (memory.lines.size === 0) memory.takeWatchlist = now + watchlistAfter
        return []
      },
      hear,
      tick(memory, now) {
        if (now >= memory.takeWatchlist) return ask(memory, [], now)
        const lines = [...memory.lines.values()]
        const updates = lines.flatMap((line) => update(line, memory, interval, now))
        return [...counted(memory, updates, now), ...lines.flatMap((line) => outage(line, memory, now))]
      },
      describe: ({ lines }) => ({ subscriptions: lines.size, symbols: [...lines.keys()] }),
      http: overviewRoutes
    },
    heartbeat
  )
}

export const market = createMarket()
