/** Massive (once Polygon.io): the clusters of stocks, crypto, forex and indices. https://massive.com/docs/websocket/quickstart */
import { topicName, type Published, type TopicResult } from '@tickwire/protocol'
import { dialect, type Command, type Desk } from './dialect.ts'
import { keys } from './massive.answers.ts'
import { bandRow, barOf, barRow, bookRow, indexRow, quoteRow, tradeRow } from './massive.frames.ts'
import { routes } from './massive.rest.ts'
import { fold, over, type Seconds } from './massive.seconds.ts'
import { CHANNELS, CLUSTERS, instrumentOf, listed, nameOf, type Cluster, type Kind } from './massive.symbols.ts'

type Memory = {
  desk: Desk
  cluster: Cluster
  opened: number
  admitted: boolean
  /** The gateway wants to know who this is before anything is subscribed. */
  strict: boolean
  /** The names held on each channel, `*` for all. */
  channels: Map<string, Set<string>>
  /** The topics that were granted. */
  held: Set<string>
  seen: Map<string, number>
  seconds: Seconds
}
/** One asked-for item: `T.AAPL`. */
type Item = { text: string; channel: string; name: string }

const PATIENCE = 10_000
const row = (status: string, message: string): object => ({ ev: 'status', status, message })
/** Every frame of the server is an array; each status is a frame of its own. */
const say = (status: string, message: string): Command => ({ type: 'send', text: JSON.stringify([row(status, message)]) })
const fault = (message: string): Command => ({ ...say('error', message), bad: true }) as Command
const hangUp = (status: string, message: string): Command[] => [
  { ...say(status, message), bad: true } as Command,
  { type: 'close', code: 1008, reason: message }
]

const timedOut = hangUp('auth_timeout', 'authentication timed out')

// ---- requests ------------------------------------------------------------------------------------------------------

/** {"action":"auth","params":"KEY"}; {"action":"subscribe","params":"T.AAPL,Q.*"} */
function receive(text: string, memory: Memory): Command[] {
  let message: { action?: unknown; params?: unknown } | null
  try {
    message = JSON.parse(text)
  } catch {
    return [fault('invalid message: not JSON')]
  }
  if (typeof message !== 'object' || message === null) return [fault('invalid message: not an object')]
  const { action, params } = message
  if (typeof params !== 'string') return [fault('invalid message: params must be a string')]
  if (action === 'auth') return authenticate(params, memory)
  if (action !== 'subscribe' && action !== 'unsubscribe') return [fault('invalid message: unknown action')]
  if (!memory.admitted) return [fault('authenticate first')]
  const items = params.split(',').flatMap((item) => parse(item.trim()))
  return action === 'subscribe' ? subscribe(items, memory) : unsubscribe(items, memory)
}

/** A symbol may hold points: `T.BRK.B`. */
function parse(text: string): Item[] {
  const point = text.indexOf('.')
  return text === ''
    ? []
    : [{ text, channel: point < 0 ? text : text.slice(0, point), name: point < 0 ? '' : text.slice(point + 1) }]
}

/** Where the gateway asks for nobody any key will do, only not none; where it does, the key is its token. */
function authenticate(key: string, memory: Memory): Command[] {
  if (key === '') return hangUp('auth_failed', 'authentication failed')
  return memory.strict && !memory.admitted ? [{ type: 'authenticate', token: key }] : admit(memory)
}
function admit(memory: Memory): Command[] {
  memory.admitted = true
  return [say('auth_success', 'authenticated')]
}

const topicOf = (kind: Kind, instrument: string): string =>
  kind === 'candle' ? topicName('candle', instrument, undefined, '1m') : topicName(kind === 'second' ? 'trade' : kind, instrument)

/** Symbols that nobody lists are taken and stay silent, as at Massive. */
function topicsOf({ channel, name }: Omit<Item, 'text'>, { desk, cluster }: Memory): string[] {
  const kind = CHANNELS[cluster][channel]
  if (kind === undefined) return []
  if (name === '*') return listed(desk, cluster).map(({ instrument }) => topicOf(kind, instrument))
  const instrument = instrumentOf(desk, cluster, name)
  return instrument === undefined ? [] : [topicOf(kind, instrument)]
}

/** Each item is answered by itself, but one that is held already is not answered again. */
function subscribe(items: readonly Item[], memory: Memory): Command[] {
  const known = CHANNELS[memory.cluster]
  const isKnown = ({ channel, name }: Item): boolean => Object.hasOwn(known, channel) && name !== ''
  const strange = items.filter((item) => !isKnown(item)).map(unauthorized)
  const fresh = items.filter((item) => isKnown(item) && !memory.channels.get(item.channel)?.has(item.name))
  for (const { channel, name } of fresh) memory.channels.set(channel, (memory.channels.get(channel) ?? new Set()).add(name))
  const topics = [...new Set(fresh.flatMap((item) => topicsOf(item, memory)))].filter((topic) => !memory.held.has(topic))
  if (topics.length === 0) return [...acknowledged(fresh), ...strange]
  return [{ type: 'subscribe', topics, tag: fresh }, ...strange]
}
const acknowledged = (items: readonly Item[]): Command[] => items.map(({ text }) => say('success', `subscribed to: ${text}`))
const unauthorized = ({ text }: Item): Command => fault(`not authorized to subscribe to: ${text}`)

/** What a source's terms keep from this user is not held; the star stands for what he may have, if there is any. */
function settled(results: readonly TopicResult[], items: readonly Item[], memory: Memory): Command[] {
  for (const result of results) if (result.ok) memory.held.add(result.topic)
  return items.flatMap((item) => {
    const topics = topicsOf(item, memory)
    if (topics.length === 0 || topics.some((topic) => memory.held.has(topic))) return acknowledged([item])
    memory.channels.get(item.channel)?.delete(item.name)
    return [unauthorized(item)]
  })
}

function unsubscribe(items: readonly Item[], memory: Memory): Command[] {
  const { channels, held } = memory
  for (const { channel, name } of items) channels.get(channel)?.delete(name)
  const wanted = new Set(
    [...channels].flatMap(([channel, names]) => [...names].flatMap((name) => topicsOf({ channel, name }, memory)))
  )
  const gone = [...held].filter((topic) => !wanted.has(topic))
  for (const topic of gone) held.delete(topic)
  const told = items.map(({ text }) => say('success', `unsubscribed to: ${text}`))
  return gone.length > 0 ? [{ type: 'unsubscribe', topics: gone }, ...told] : told
}

// ---- events --------------------------------------------------------------------------------------------------------

/** The channel of this cluster that carries a kind, if this name is held there. */
function heldOn({ cluster, channels }: Memory, kind: Kind, name: string): string | undefined {
  const channel = Object.keys(CHANNELS[cluster]).find((one) => CHANNELS[cluster][one] === kind)
  const names = channel === undefined ? undefined : channels.get(channel)
  return names?.has(name) || names?.has('*') ? channel : undefined
}

function rowOf(event: Published, channel: string, name: string, { cluster, desk }: Memory): object | undefined {
  switch (event.type) {
    case 'trade':
      return tradeRow(event, cluster, name)
    case 'quote':
      return quoteRow(event, cluster, name)
    case 'band':
      return bandRow(event, name)
    case 'index':
      return indexRow(event, name)
    case 'book':
      return bookRow(event, name)
    // A minute is told once, when it is over; one without a trade never, and a corrected one not again.
    case 'candle':
      if (!event.closed || event.revision > 0 || event.trades === 0) return undefined
      return barRow(channel, cluster, name, barOf(event), event.instrument, desk)
    default:
      return undefined
  }
}

function seconds(memory: Memory, now: number): Command[] {
  const { cluster, desk } = memory
  const rows = over(memory.seconds, now).flatMap(({ instrument, bar }) => {
    const name = nameOf(cluster, instrument)
    const channel = heldOn(memory, 'second', name)
    if (channel !== undefined) return [barRow(channel, cluster, name, bar, instrument, desk)]
    memory.seconds.delete(instrument)
    return []
  })
  return rows.length === 0 ? [] : [{ type: 'send', text: JSON.stringify(rows) }]
}

export const massive = dialect<Memory>({
  name: 'massive',
  paths: CLUSTERS.map((cluster) => `/${cluster}`),
  maxMessage: 256 * 1024,

  open({ path, terms }, desk, now) {
    const cluster = path.slice(1) as Cluster
    const strict = terms?.auth === 'required'
    const memory: Memory = {
      desk,
      cluster,
      opened: now,
      admitted: false,
      strict,
      channels: new Map(),
      held: new Set(),
      seen: new Map(),
      seconds: new Map()
    }
    return { memory, commands: [say('connected', 'Connected Successfully')] }
  },

  receive,
  keys,
  authenticated: (_user, _tag, memory) => admit(memory),
  denied: (why) => (why === 'wrong' ? hangUp('auth_failed', 'authentication failed') : timedOut),

  settled(results, tag, memory) {
    for (const result of results) if (result.ok) memory.seen.set(result.topic, result.position.seq)
    return tag === undefined ? [] : settled(results, tag as readonly Item[], memory)
  },

  render(event, memory) {
    if (event.seq <= (memory.seen.get(event.topic) ?? 0)) return undefined
    const name = nameOf(memory.cluster, event.instrument)
    if (event.type === 'trade' && heldOn(memory, 'second', name) !== undefined) fold(memory.seconds, event)
    const channel = heldOn(memory, event.type as Kind, name)
    const row = channel === undefined ? undefined : rowOf(event, channel, name, memory)
    return row && JSON.stringify(row)
  },
  frame: (rendered) => `[${rendered.join(',')}]`,

  tickEvery: 250,
  tick: (memory, now) => (memory.admitted || now - memory.opened < PATIENCE ? seconds(memory, now) : timedOut),

  http: routes
})
