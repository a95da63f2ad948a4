/** The real-time data stream of an Indian trading application: WS /api/websocket/stream and its REST. docs/websocket-s3.md is its manual. */
import type { Published, TopicResult } from '@tickwire/protocol'
import { dialect, type Command, type Desk } from './dialect.ts'
import { askSchema, complaint, refusedAll, trouble, type Ask, type Refused, type Trouble } from './datastream.messages.ts'
import { keys, routes } from './datastream.rest.ts'
import { refusedBy, report, success, understand, type Wanted } from './datastream.subscriptions.ts'
import { gist, hear, picturesOf, updateOf, type DataType, type Pictures } from './datastream.updates.ts'

/** One symbol as one data type. */
type Line = Wanted & { type: DataType; lite: boolean; pictures: Pictures; /** Gist of the last update sent. */ sent?: string }
export type Memory = { desk: Desk; lines: Map<string, Line>; routes: Map<string, Set<Line>>; news: Set<Line> }
/** What a `subscribe` command carries to its outcome. */
type Tag = { ask: Ask; wanted: readonly Wanted[]; refused: readonly Refused[] }

const send = (type: string, data: object): Command => ({ type: 'send', text: JSON.stringify({ type, data }) })
const fail = (data: Trouble): Command => send('error', data)
const keyOf = ({ type, symbol }: Pick<Line, 'type' | 'symbol'>): string => `${type} ${symbol}`

function enter(memory: Memory, line: Line): void {
  leave(memory, keyOf(line))
  memory.lines.set(keyOf(line), line)
  for (const topic of line.topics) memory.routes.set(topic, (memory.routes.get(topic) ?? new Set()).add(line))
  memory.news.add(line)
}

/** Returns the topics that nobody here needs any more; nothing when there was no such line. */
function leave(memory: Memory, key: string): string[] | undefined {
  const line = memory.lines.get(key)
  if (!line) return undefined
  memory.lines.delete(key)
  memory.news.delete(line)
  return line.topics.filter((topic) => {
    const readers = memory.routes.get(topic)
    readers?.delete(line)
    return readers?.size === 0 && memory.routes.delete(topic)
  })
}

function subscribe(ask: Ask, { desk }: Memory): Command[] {
  const { wanted, refused } = understand(desk, ask)
  if (wanted.length === 0) return [fail(refusedAll(refused))]
  return [{ type: 'subscribe', topics: wanted.flatMap(({ topics }) => topics), tag: { ask, wanted, refused } satisfies Tag }]
}

/** A symbol is subscribed when any of its topics is; it begins with what is known. */
function settled(results: readonly TopicResult[], { ask, wanted, refused: before }: Tag, memory: Memory): Command[] {
  const refusals = new Map(results.flatMap((result) => (result.ok ? [] : [[result.asked, result] as const])))
  const refused = [...before]
  const taken: string[] = []
  for (const each of wanted) {
    const topics = each.topics.filter((topic) => !refusals.has(topic))
    if (topics.length === 0)
      refused.push(
        refusedBy(
          each.symbol,
          [...each.topics].map((topic) => refusals.get(topic)!)
        )
      )
    else {
      const { data_type: type, lite } = ask
      enter(memory, { ...each, topics, type, lite, pictures: picturesOf(memory.desk, topics) })
      taken.push(each.symbol)
    }
  }
  if (taken.length === 0) return [fail(refusedAll(refused))]
  return [send('subscribed', success('Subscribed to', ask.data_type, taken, refused))]
}

function unsubscribe({ symbols, data_type: type }: Ask, memory: Memory): Command[] {
  const left = symbols.map((symbol) => ({ symbol, topics: leave(memory, keyOf({ type, symbol })) }))
  const freed = left.filter(({ topics }) => topics !== undefined).map(({ symbol }) => symbol)
  if (freed.length === 0) return [fail(trouble('NOT_FOUND', `no subscription to ${symbols.join(', ')} as ${type}`))]
  const topics = left.flatMap((each) => each.topics ?? [])
  return [{ type: 'unsubscribe', topics }, send('unsubscribed', success('Unsubscribed from', type, freed))]
}

/** Of this connection: nobody sees what others subscribed. */
function status({ lines }: Memory): Command {
  const standings = [...lines.values()].map(({ symbol, type, pictures }) => ({
    symbol,
    type,
    has: updateOf(type, symbol, pictures) !== undefined
  }))
  return send('status', report(true, standings))
}

/** The answer to what is no message of this protocol. */
const bad = (data: Trouble): Command[] => [{ type: 'send', text: JSON.stringify({ type: 'error', data }), bad: true }]

const ACTIONS = ['subscribe', 'unsubscribe', 'get_status', 'authenticate']
function receive(frame: string, memory: Memory): readonly Command[] {
  let message: unknown
  try {
    message = JSON.parse(frame)
  } catch {
    return bad(trouble('BAD_JSON', 'the message is not JSON'))
  }
  const { action: asked, type, token } = (message ?? {}) as { action?: unknown; type?: unknown; token?: unknown }
  // What others of these applications call it.
  const action = asked ?? type
  if (action === 'get_status') return [status(memory)]
  if (action === 'authenticate' && typeof token === 'string') return [{ type: 'authenticate', token }]
  if (action !== 'subscribe' && action !== 'unsubscribe')
    return bad(trouble('UNKNOWN_OP', `a message is an object whose "action" (or "type") is one of ${ACTIONS.join(', ')}`))
  const parsed = askSchema.safeParse(message)
  if (!parsed.success) return [fail(trouble('BAD_MESSAGE', complaint(parsed.error)))]
  return action === 'subscribe' ? subscribe(parsed.data, memory) : unsubscribe(parsed.data, memory)
}

function take({ routes: readers, news }: Memory, event: Published): void {
  for (const line of readers.get(event.topic) ?? []) if (hear(line.pictures, event)) news.add(line)
}

/** The newest of each symbol that has news; what looks the same as before is none. */
function due({ news }: Memory): Command[] {
  const commands: Command[] = []
  for (const line of news) {
    const update = updateOf(line.type, line.symbol, line.pictures, line.lite)
    const told = update && gist(update)
    if (!update || told === line.sent) continue
    line.sent = told!
    commands.push(send(line.type, update))
  }
  news.clear()
  return commands
}

export const datastream = dialect<Memory>({
  name: 'datastream',
  paths: ['/api/websocket/stream'],
  under: '/api/websocket/',
  maxMessage: 64 * 1024,
  keys,
  open: (_request, desk) => ({ memory: { desk, lines: new Map(), routes: new Map(), news: new Set() }, commands: [] }),
  receive,
  settled: (results, tag, memory) => (tag === undefined ? [] : settled(results, tag as Tag, memory)),
  authenticated: (_user, _tag, memory) => [status(memory)],
  denied: (why) => [
    fail(trouble('UNAUTHORIZED', why === 'wrong' ? 'the access token is not valid' : 'no access token came in time'))
  ],
  refused: (code, message) => JSON.stringify({ type: 'error', data: trouble(code, message) }),
  render(event, memory) {
    take(memory, event)
    return undefined
  },
  tickEvery: 50,
  tick: due,
  shutdown: (retry_after_ms) => {
    const data = { ...trouble('UNAVAILABLE', 'the server shuts down; reconnect'), retry_after_ms }
    return JSON.stringify({ type: 'error', data })
  },
  describe: ({ lines }) => ({
    subscriptions: lines.size,
    symbols: [...new Set([...lines.values()].map(({ symbol }) => symbol))]
  }),
  http: routes
})
