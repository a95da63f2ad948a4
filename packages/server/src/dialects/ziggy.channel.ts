/** What all Ziggy endpoints have in common: how a message is read, ping and pong, the heartbeat, the figures, the last words. Pure. */
import { dialect, type Command, type Desk, type Dialect, type Request } from './dialect.ts'
import { authSchema, errorText, fail, reading, say, seconds, type Message } from './ziggy.messages.ts'

/** What is remembered of every connection. */
export type Talk = {
  desk: Desk
  /** A token is wanted here, and none was brought yet. */
  stranger: boolean
  /** `?dialect=ziggy-code`: the names that the system's code sends, where its documents name others. */
  byCode: boolean
  updates: number
  lastUpdate: number | undefined
  errors: number
  nextBeat: number
  /** Of the pings since the client was last heard, the first. */
  pinged: number
  heard: number
  /** This client answered a ping once: from then on it is held to it. Others are held to WebSocket pings alone. */
  answers: boolean
}

export type Actions<M> = Readonly<Record<string, (message: Message, memory: M, now: number) => readonly Command[]>>

export type Channel<M> = {
  /** As `GET /ws/status` lists it. */
  name: string
  path: string
  /** Milliseconds between two updates of the same thing. */
  interval: number
  running: boolean
  actions: Actions<M>
  begin: (talk: Talk, request: Request, now: number) => { memory: M; commands: readonly Command[] }
  tick?: (memory: M, now: number) => readonly Command[]
  /** The client said who it is: what was refused before may be had now. */
  admitted?: (memory: M, now: number) => readonly Command[]
} & Pick<Dialect<M>, 'settled' | 'describe' | 'http'> & {
    hear?: (event: Parameters<Dialect<M>['render']>[0], memory: M, now: number) => string | undefined
  }

export type Heartbeat = { every: number; timeout: number }
const HEARTBEAT: Heartbeat = { every: 25_000, timeout: 10_000 }
/** What a stranger may ask for: topics, which are his once he has said who he is. */
const ASKING: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'set_filters'])
const COMMON = ['ping', 'pong', 'get_performance_stats', 'auth']

/** Updates that go out now are counted here. */
export function counted(memory: Talk, commands: readonly Command[], now: number): readonly Command[] {
  if (commands.length === 0) return commands
  memory.updates += commands.length
  memory.lastUpdate = now
  return commands
}

function stats<M extends Talk>({ name, interval, running }: Channel<M>, memory: M, now: number): Command {
  const { updates, errors, lastUpdate } = memory
  const figures = {
    channel: name,
    update_count: updates,
    error_count: errors,
    last_update_time: lastUpdate === undefined ? null : seconds(lastUpdate),
    is_running: running,
    update_interval: seconds(interval)
  }
  const type = name === 'portfolio' ? 'portfolio_streaming_stats' : 'performance_stats'
  return say(type, { stats: figures, data: figures }, now)
}

const bad = (command: Command): Command => (command.type === 'send' ? { ...command, bad: true } : command)

function read(frame: string): { message: Message } | { fault: string } {
  try {
    const message: unknown = JSON.parse(frame)
    const isObject = typeof message === 'object' && message !== null && !Array.isArray(message)
    return isObject ? { message: message as Message } : { fault: '' }
  } catch (error) {
    return { fault: (error as Error).message }
  }
}

function answer<M extends Talk>(channel: Channel<M>, frame: string, memory: M, now: number): readonly Command[] {
  memory.heard = now
  const { actions } = channel
  const got = read(frame)
  if ('fault' in got && got.fault !== '') return [bad(fail('INVALID_JSON', `the message is not JSON: ${got.fault}`, {}, now))]
  const message = 'message' in got ? got.message : {}
  const named = typeof message.action === 'string' ? message.action : message.type
  const action = typeof named === 'string' ? named.toLowerCase() : ''
  if (action === 'pong') {
    memory.answers = true
    return []
  }
  if (action === 'ping') return [say('pong', { ts: message.ts ?? null }, now)]
  if (action === 'get_performance_stats') return [stats(channel, memory, now)]
  if (action === 'auth') return reading(authSchema, message, now, ({ token }) => [{ type: 'authenticate', token }])
  const handle = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (handle && memory.stranger && !ASKING.has(action))
    return [fail('NOT_PERMITTED', 'authenticate first: {"action": "auth", "token": "..."}', { action }, now)]
  if (handle) return handle(message, memory, now)
  const supported = [...Object.keys(actions), ...COMMON]
  const text = `a message here is an object whose "action" is one of ${supported.join(', ')}`
  return [bad(fail('UNKNOWN_ACTION', text, { received: action.slice(0, 64), supported }, now))]
}

function beat(memory: Talk, { every, timeout }: Heartbeat, now: number): readonly Command[] {
  const unanswered = memory.answers && memory.heard < memory.pinged
  if (unanswered && now - memory.pinged >= timeout) return [{ type: 'close', code: 4002, reason: 'no heartbeat' }]
  if (now < memory.nextBeat) return []
  // In step with the clock, and no burst of what a pause left out.
  memory.nextBeat = now - memory.nextBeat < every ? memory.nextBeat + every : now + every
  if (memory.heard >= memory.pinged) memory.pinged = now
  return [say('ping', { ts: seconds(now) }, now)]
}

const DENIED = { wrong: 'the token is not valid', late: 'no token came in time' }
const isError = (command: Command): boolean => command.type === 'send' && command.text.startsWith('{"type":"error"')

export function createChannel<M extends Talk>(channel: Channel<M>, heartbeat: Heartbeat = HEARTBEAT): Dialect<M> {
  const { name, path, begin, hear, tick, settled, admitted, describe, http } = channel
  const noting = (memory: M, commands: readonly Command[]): readonly Command[] => {
    memory.errors += commands.filter(isError).length
    return commands
  }
  return dialect<M>({
    name,
    paths: [path],
    maxMessage: 64 * 1024,
    open(request, desk, now) {
      const byCode = request.query.dialect === 'ziggy-code'
      const counts = { updates: 0, lastUpdate: undefined, errors: 0 }
      const life = { nextBeat: now + heartbeat.every, pinged: -Infinity, heard: now, answers: false }
      const stranger = request.terms?.auth === 'required'
      return begin({ desk, stranger, byCode, ...counts, ...life }, request, now)
    },
    receive: (frame, memory, now) => noting(memory, answer(channel, frame, memory, now)),
    settled: (results, tag, memory, now) => noting(memory, settled?.(results, tag, memory, now) ?? []),
    authenticated(user, _tag, memory, now) {
      memory.stranger = false
      return [say('authenticated', { data: { user } }, now), ...(admitted?.(memory, now) ?? [])]
    },
    denied: (why, _memory, now) => [fail('NOT_PERMITTED', DENIED[why], { reason: why }, now)],
    render: (event, memory, now) => hear?.(event, memory, now),
    tickEvery: 100,
    tick: (memory, now) => noting(memory, [...(tick?.(memory, now) ?? []), ...beat(memory, heartbeat, now)]),
    lost(topic, count, from, to, now) {
      const text = `${count} events of ${topic} were dropped: this client reads too slowly`
      return errorText('SLOW_CLIENT', text, { topic, count, from, to }, now)
    },
    refused: (reason, message, _memory, now) => errorText('RATE_LIMITED', message, { reason }, now),
    shutdown: (retry_after_ms, now) => errorText('SHUTDOWN', 'the server shuts down; reconnect', { retry_after_ms }, now),
    describe: (memory) => describe?.(memory) ?? {},
    http: http ?? []
  })
}
