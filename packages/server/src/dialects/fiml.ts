/** The streaming protocol of FIML: /ws/stream, /ws/prices/{symbols}, GET /ws/connections. docs/websocket-s2.md is its manual. */
import { connectionAnswers } from './answers.ts'
import { dialect, type Command, type Desk, type Dialect, type HttpAnswer, type Request } from './dialect.ts'
import { fail, invalid, send, settled, SOURCE, subscribe, unsubscribe } from './fiml.asking.ts'
import { newlyDark, take, type Memory } from './fiml.memory.ts'
import { errorText, formatSchema, iso } from './fiml.messages.ts'
import { BATCH, collect, symbolsOf, type Subscription } from './fiml.subscription.ts'
import { pack, unpack } from './native-codec.ts'

export type FimlOptions = {
  /** Subscriptions one connection may hold; Infinity is without limit. */
  maxSubscriptions?: number
  /** Milliseconds between heartbeats. */
  heartbeat?: number
  /** After this long without anything for a symbol its client is told, once. */
  patience?: number
}

/** `/ws/prices/AAPL,GOOGL?interval_ms=250&keepalive=true` */
const fromAddress = ({ rest, query }: Request): object => ({
  stream_type: 'price',
  symbols: rest.split(',').filter((symbol) => symbol.trim() !== ''),
  ...(query.interval_ms === undefined ? {} : { interval_ms: Number(query.interval_ms) }),
  ...(query.keepalive === undefined ? {} : { keepalive: query.keepalive === 'true' })
})

/** The messages that a subscription has to send now. */
function dataOf({ desk, down }: Memory, subscription: Subscription, now: number): Command[] {
  const updates = collect(subscription, now, (instrument) => down.get(instrument)?.has('trade') === true)
  if (updates.length === 0) return []
  const { id, stream, request, lines } = subscription
  const { asset_type, market, data_type = stream === 'news' ? 'news' : 'price' } = request
  const types = () => Object.fromEntries(lines.map(({ symbol, assetType }) => [symbol, assetType]))
  const metadata = { asset_type, market, data_type, mode: desk.mode, ...(stream === 'multi_asset' && { asset_types: types() }) }
  const envelope = { type: 'data', stream_type: stream, subscription_id: id }
  return Array.from({ length: Math.ceil(updates.length / BATCH) }, (_, i) => {
    const data = updates.slice(i * BATCH, (i + 1) * BATCH)
    return send(JSON.stringify({ ...envelope, data, timestamp: iso(now), metadata, disclaimer: SOURCE[desk.mode] }))
  })
}

/** Tells once of symbols that never had a value: a listed instrument may be quiet, or its providers down from the start. */
function silent(subscription: Subscription, now: number): Command[] {
  if (now < subscription.patience) return []
  subscription.patience = Infinity
  const symbols = subscription.lines.filter(({ sent, dark }) => sent === undefined && !dark).map(({ symbol }) => symbol)
  if (symbols.length === 0) return []
  const details = { symbols, reason: 'no data yet', subscription_id: subscription.id, stream_type: subscription.stream }
  return [fail('PROCESSING_ERROR', `nothing has come for ${symbols.join(', ')} yet; it is sent as soon as it does`, details, now)]
}

const outages = (memory: Memory, now: number): Command[] =>
  newlyDark(memory).map(({ subscription: { id, stream }, line: { symbol }, reason }) => {
    const details = { symbol, reason, subscription_id: id, stream_type: stream }
    return fail('PROCESSING_ERROR', `${symbol} has no live source: ${reason}`, details, now)
  })

function connections(desk: Desk): HttpAnswer {
  const mine = desk.connections().filter(({ dialect }) => dialect === 'fiml')
  const total_subscriptions = mine.reduce((sum, { subscriptions = 0 }) => sum + subscriptions, 0)
  const subscribed_symbols = [...new Set(mine.flatMap(({ symbols = [] }) => symbols))].sort()
  return { status: 200, body: { active_connections: mine.length, total_subscriptions, subscribed_symbols } }
}

/** The answer to what is no message of this protocol. */
const bad = (command: Command): Command[] => [command.type === 'send' ? { ...command, bad: true } : command]

/** Stands for a binary message that is no MessagePack: no JSON either. */
const UNPACKED = '\u0000'
const REQUESTS = ['subscribe', 'unsubscribe']

function receive(frame: string, memory: Memory, maxSubscriptions: number, now: number): Command[] {
  let message: unknown
  try {
    message = JSON.parse(frame)
  } catch (error) {
    const text = frame === UNPACKED ? 'the message is not MessagePack' : `the message is not JSON: ${(error as Error).message}`
    return bad(fail('INVALID_JSON', text, null, now))
  }
  const { type, action } = (message ?? {}) as { type?: unknown; action?: unknown }
  const named = new Set([type, action].map((name) => (typeof name === 'string' ? name.toLowerCase() : '')))
  const asked = REQUESTS.filter((name) => named.has(name))
  if (asked.length === 1)
    return named.has('subscribe') ? subscribe(message, memory, maxSubscriptions, now) : unsubscribe(message, memory, now)
  const both = `"type" says ${String(type)} and "action" says ${String(action)}: send one of them`
  const none = 'a message is an object whose "type" is "subscribe" or "unsubscribe"'
  const details = { received: type ?? action ?? null, supported: REQUESTS }
  return bad(fail('INVALID_MESSAGE_TYPE', asked.length > 1 ? both : none, details, now))
}

/** What is asked for in the address itself. */
function begin(request: Request, memory: Memory, maxSubscriptions: number, now: number): Command[] {
  const { format } = request.query
  const read = formatSchema.safeParse({ format })
  if (!read.success) return invalid('SUBSCRIPTION_ERROR', read.error, now)
  memory.format = read.data.format ?? 'json'
  return request.path.startsWith('/ws/prices/') ? subscribe(fromAddress(request), memory, maxSubscriptions, now) : []
}

export function createFiml({ maxSubscriptions = 100, heartbeat = 30_000, patience = 10_000 }: FimlOptions = {}): Dialect<Memory> {
  return dialect<Memory>({
    name: 'fiml',
    paths: ['/ws/stream', '/ws/prices/*'],
    maxMessage: 64 * 1024,

    open(request, desk, now) {
      const held = { subscriptions: new Map(), latest: new Map(), routes: new Map(), down: new Map() }
      const { session } = request
      const memory: Memory = { desk, session, format: 'json', made: 0, ...held, statusCame: false, nextBeat: now + heartbeat }
      return { memory, commands: begin(request, memory, maxSubscriptions, now) }
    },

    codec: {
      encode: (text, { format }) => (format === 'msgpack' ? pack(JSON.parse(text)) : undefined),
      decode: (bytes, { format }) => (format === 'msgpack' ? (unpack(bytes) ?? UNPACKED) : undefined)
    },

    receive: (frame, memory, now) => receive(frame, memory, maxSubscriptions, now),
    settled: (results, tag, memory, now) => settled(results, tag, memory, patience, now),

    render(event, memory) {
      take(memory, event)
      return undefined
    },

    tickEvery: 50,
    tick(memory, now) {
      const commands = outages(memory, now)
      for (const subscription of memory.subscriptions.values())
        commands.push(...dataOf(memory, subscription, now), ...silent(subscription, now))
      if (now >= memory.nextBeat) {
        memory.nextBeat = now + heartbeat
        const beat = { type: 'heartbeat', timestamp: iso(now), active_subscriptions: memory.subscriptions.size }
        commands.push(send(JSON.stringify(beat)))
      }
      return commands
    },

    lost(topic, count, from, to, now) {
      const text = `${count} events of ${topic} were dropped: this client reads too slowly`
      return errorText('PROCESSING_ERROR', text, { reason: 'slow', topic, count, from, to }, now)
    },
    refused: (code, message, _memory, now) => errorText('PROCESSING_ERROR', message, { reason: code }, now),
    shutdown: (retry_after_ms, now) =>
      errorText('PROCESSING_ERROR', 'the server shuts down; reconnect', { reason: 'shutdown', retry_after_ms }, now),
    describe: ({ subscriptions }) => ({
      subscriptions: subscriptions.size,
      symbols: symbolsOf([...subscriptions.values()].flatMap(({ lines }) => lines))
    }),

    http: [{ route: 'GET /ws/connections', answer: (_request, desk) => connections(desk), answers: connectionAnswers }]
  })
}

export const fiml = createFiml()
