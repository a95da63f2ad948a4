/** The native protocol, version 1 (PROTOCOL.md): control messages are objects with an `op`, data are arrays of events. */
import {
  ERRORS,
  isTopicError,
  parseTopic,
  PROTOCOL_VERSION,
  noticesOf,
  type ClientMessage,
  type Encoding,
  type ErrorCode,
  type Position,
  type ServerMessage,
  type TopicResult
} from '@tickwire/protocol'
import { dialect, type Command, type Desk, type Request, type Terms } from './dialect.ts'
import { pack, unpack } from './native-codec.ts'
import { readMessage } from './native-schema.ts'

type Memory = {
  terms: Terms
  encoding: Encoding
  pinged: number
  /** Topics the client asked for, and whether it wants the notices of their instruments. */
  asked: Map<string, boolean>
  /** Status and gap topics that come along with those. */
  notices: Set<string>
}

type Tag =
  | { op: 'subscribe'; id?: string | number | undefined; notices: boolean; resume?: Record<string, Position> | undefined }
  | { op: 'unsubscribe'; id?: string | number | undefined }
  | { op: 'notices' }

const DEFAULT_TERMS: Terms = {
  auth: 'none',
  heartbeat: { interval: 11_000, timeout: 18_500 },
  limits: { message: 65_536, topics: 1_000 }
}

const say = (message: ServerMessage): Command => ({ type: 'send', text: JSON.stringify(message) })
const withId = (id: string | number | undefined): { id?: string | number } => (id === undefined ? {} : { id })
const wrong = (code: ErrorCode, message: string, id?: string | number): ServerMessage => ({
  op: 'error',
  ...withId(id),
  code,
  message,
  retry: ERRORS[code].retry
})

function hello({ session }: Request, terms: Terms, desk: Desk, now: number): ServerMessage {
  const { server, epoch, mode } = desk
  return { op: 'hello', version: PROTOCOL_VERSION, server, epoch, now, mode, session, encoding: 'json', ...terms }
}

function answer(message: ClientMessage, memory: Memory, now: number): readonly Command[] {
  if (message.op === 'ping') return [say({ op: 'pong', ...withId(message.id), now })]
  if (message.op === 'pong') return []
  if (message.op === 'auth') return [{ type: 'authenticate', token: message.token, tag: message.id }]
  if (message.op === 'hello') return greeted(message, memory)
  if (message.op === 'digest') return [{ type: 'stand', tag: { id: message.id } }]
  if (message.op === 'unsubscribe') {
    const tag: Tag = { op: 'unsubscribe', id: message.id }
    return [{ type: 'unsubscribe', topics: message.topics, tag }]
  }
  const tag: Tag = { op: 'subscribe', id: message.id, notices: message.notices !== false, resume: message.resume }
  const { topics, resume, contract } = message
  return [{ type: 'subscribe', topics, tag, ...(resume && { resume }), ...(contract && { contract }) }]
}

function greeted({ version, encoding = 'json' }: Extract<ClientMessage, { op: 'hello' }>, memory: Memory): readonly Command[] {
  if (version !== PROTOCOL_VERSION)
    return [say(wrong('BAD_MESSAGE', `version: ${version} is not spoken here, this is version ${PROTOCOL_VERSION}`))]
  if (encoding === memory.encoding) return []
  memory.encoding = encoding
  return [{ type: 'encode', encoding }]
}

/** The notices that the asked topics need now. */
function noticesFor(asked: ReadonlyMap<string, boolean>): Set<string> {
  const wanted = new Set<string>()
  for (const [topic, notices] of asked) {
    const parsed = parseTopic(topic)
    if (!notices || isTopicError(parsed)) continue
    for (const name of noticesOf(parsed)) if (!asked.has(name)) wanted.add(name)
  }
  return wanted
}

/** Brings the notices in step with what is asked for. */
function adjust(memory: Memory, resume?: Record<string, Position>): readonly Command[] {
  const wanted = noticesFor(memory.asked)
  const more = [...wanted].filter((topic) => !memory.notices.has(topic))
  // One that was asked for by name meanwhile stays subscribed: it only changes hands.
  const fewer = [...memory.notices].filter((topic) => !wanted.has(topic) && !memory.asked.has(topic))
  memory.notices = wanted
  const tag: Tag = { op: 'notices' }
  return [
    ...(fewer.length > 0 ? [{ type: 'unsubscribe' as const, topics: fewer, tag }] : []),
    ...(more.length > 0 ? [{ type: 'subscribe' as const, topics: more, tag, ...(resume ? { resume } : {}) }] : [])
  ]
}

function settled(results: readonly TopicResult[], tag: Tag, memory: Memory): readonly Command[] {
  if (tag.op === 'notices') return []
  const names = results.filter((result) => result.ok).map((result) => result.topic)
  if (tag.op === 'unsubscribe') {
    for (const topic of names) memory.asked.delete(topic)
    for (const topic of names) memory.notices.delete(topic)
    return [say({ op: 'unsubscribed', ...withId(tag.id), topics: names }), ...adjust(memory)]
  }
  for (const topic of names) memory.asked.set(topic, tag.notices)
  return [say({ op: 'subscribed', ...withId(tag.id), results: [...results] }), ...adjust(memory, tag.resume)]
}

export const native = dialect<Memory>({
  name: 'native',
  paths: ['/v1/ws'],
  maxMessage: DEFAULT_TERMS.limits.message,

  open(request, desk, now) {
    const terms = request.terms ?? DEFAULT_TERMS
    const memory: Memory = { terms, encoding: 'json', pinged: now, asked: new Map(), notices: new Set() }
    return { memory, commands: [say(hello(request, terms, desk, now))] }
  },

  receive(frame, memory, now) {
    const read = readMessage(frame)
    if (read.ok) return answer(read.message, memory, now)
    return [{ type: 'send', text: JSON.stringify(wrong(read.code, read.message, read.id)), bad: true }]
  },

  settled: (results, tag, memory) => settled(results, tag as Tag, memory),
  renewed: (results) => [say({ op: 'subscribed', results: [...results] })],
  authenticated: (user, id) => [say({ op: 'authenticated', ...withId(id as string | undefined), user })],
  refused: (code, message) => JSON.stringify(wrong(code, message)),

  shared: true,
  // Faster than a template of our own: benchmarks/encode.ts.
  render: (event) => JSON.stringify(event),
  renderAll: (events) => JSON.stringify(events).slice(1, -1),
  frame: (rendered) => `[${rendered.join(',')}]`,
  pack,
  codec: {
    encode: (text, memory) => (memory.encoding === 'msgpack' ? pack(JSON.parse(text)) : undefined),
    decode: (bytes, memory) => (memory.encoding === 'msgpack' ? unpack(bytes) : undefined)
  },
  lost: (topic, count, from, to, _now, reason = 'slow') =>
    JSON.stringify({ op: 'lost', topic, count, from, to, reason } satisfies ServerMessage),

  contracts: true,
  contract: (topics, contract, reason) =>
    JSON.stringify({ op: 'contract', topics: [...topics], contract, reason } satisfies ServerMessage),
  standing(digests, tag) {
    const asked = tag as { id?: string | number } | undefined
    // With a ping nothing is said where nothing went on.
    if (!asked && Object.keys(digests).length === 0) return []
    return [say({ op: 'digest', ...withId(asked?.id), digests })]
  },

  tickEvery: 1_000,
  tick(memory, now) {
    const { pinged } = memory
    if (now - pinged < memory.terms.heartbeat.interval) return []
    memory.pinged = now
    return [{ type: 'stand', since: pinged }, say({ op: 'ping', now })]
  },

  shutdown: (retryAfterMs) =>
    JSON.stringify({ op: 'shutdown', retryAfterMs, reason: 'the server shuts down' } satisfies ServerMessage)
})
