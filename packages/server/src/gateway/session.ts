/** One client's session: it runs a dialect, holds the subscriptions, and gives everything back when the client goes. */
import {
  DATA_KINDS,
  isTopicError,
  parseTopic,
  nameOf,
  type CloseCode,
  type DataKind,
  type ErrorCode,
  type Position,
  type Published,
  type Topic,
  type TopicResult
} from '@tickwire/protocol'
import type { Command, ConnectionInfo, Desk, Dialect, Request } from '../dialects/dialect.ts'
import type { Joined, Plant } from '../plant/plant.ts'
import type { Auth } from './auth.ts'
import type { Fanout, Member, Sink } from './fanout.ts'
import { createBatch } from './frame.ts'
import { createBucket, type Limits } from './limits.ts'
import type { Patience } from './patience.ts'

export type Demand = (topic: Topic) => { upstream: 'live' | 'pending'; release: () => void }

/** What all sessions of a gateway share. */
export type Shared = {
  plant: Plant
  desk: Desk
  fanout: Fanout
  demand: Demand
  auth: Auth
  limits: Limits
  clock: () => number
  patience: Patience
}

/** A connection as a session needs it. */
export type Line = Sink & { close: (code: CloseCode, reason: string) => void }

type Begin = Omit<Joined, 'stop'>
type Resume = Readonly<Record<string, Position>> | undefined
/** What a subscribe still owes: the events, and where each topic's reader stands before them. */
type Missed = { events: Published[]; positions: Map<string, number> }

export type Session = ReturnType<typeof createSession>

const isData = (kind: string): boolean => DATA_KINDS.includes(kind as DataKind)

const refusal = (asked: string, code: ErrorCode, message: string, nearest?: readonly string[]): TopicResult => ({
  asked,
  ok: false,
  code,
  message,
  ...(nearest && nearest.length > 0 ? { nearest: [...nearest] } : {})
})

export function createSession(shared: Shared, dialect: Dialect<any>, request: Request, line: Line, user?: string) {
  const { plant, desk, fanout, demand, auth, limits, clock } = shared
  const opened = clock()
  const releases = new Map<string, () => void>()
  const inTime = createBucket(limits.messages, opened)
  let overRate = 0
  let badInARow = 0
  let sent = 0
  let closed = false
  let dataTopics = 0

  const member: Member = {
    dialect,
    memory: undefined,
    sink: line,
    topics: new Set(),
    cut: () => close(4001, 'slow consumer'),
    from: 0,
    delivered: 0,
    conflated: 0,
    dropped: 0
  }

  function close(code: CloseCode, reason: string) {
    if (closed) return
    end()
    line.close(code, reason)
  }

  /** The client is gone, or going: nothing more is sent. */
  function end() {
    if (closed) return
    closed = true
    fanout.drop(member)
    for (const release of releases.values()) release()
    releases.clear()
  }

  const send = (text: string | undefined) => {
    if (closed || text === undefined) return
    sent++
    line.write(createBatch([text], 0))
    // A client that asks but does not read the answers is slow as well.
    if (line.backlog() > 4 * limits.message + 1024 * 1024) close(4001, 'slow consumer')
  }

  /** The canonical topic behind what a client wrote, or why there is none. */
  const understand = (asked: string): { topic: Topic; name: string } | TopicResult => {
    const topic = parseTopic(asked)
    if (isTopicError(topic)) return refusal(asked, topic.code, topic.message)
    const { kind, provider } = topic
    if (kind === 'provider') {
      const name = nameOf(topic)
      const known =
        desk.last(name) !== undefined || desk.instruments().some((i) => i.providers.some((p) => p.provider === topic.instrument))
      return known ? { topic, name } : refusal(asked, 'BAD_PROVIDER', `there is no provider ${JSON.stringify(topic.instrument)}`)
    }
    const found = desk.resolve(topic.instrument)
    if (!found.ok) {
      const hint = found.nearest.length > 0 ? `; the nearest are ${found.nearest.join(', ')}` : ''
      return refusal(asked, 'BAD_SYMBOL', `no provider lists ${JSON.stringify(topic.instrument)}${hint}`, found.nearest)
    }
    const { instrument } = found
    if (provider !== undefined) {
      const carriers = desk.instrument(instrument)?.providers.map((p) => p.provider) ?? []
      if (!carriers.includes(provider)) {
        const hint = carriers.length > 0 ? `it comes from ${carriers.join(', ')}` : 'no provider carries it now'
        return refusal(asked, 'BAD_PROVIDER', `${JSON.stringify(provider)} does not carry ${instrument}; ${hint}`, carriers)
      }
    }
    const canonical = { ...topic, instrument }
    return { topic: canonical, name: nameOf(canonical) }
  }

  /** Notices of what is held (statuses, gaps) have a bound of their own, so that they never crowd out data. */
  const hasRoom = (topic: Topic): boolean =>
    isData(topic.kind) ? dataTopics < limits.topics : member.topics.size - dataTopics < 2 * limits.topics

  const here = (name: string): Position => ({ epoch: plant.epoch, seq: plant.last(name)?.seq ?? 0 })

  const lookUp = (topic: Topic): 'live' | 'pending' => {
    if (!isData(topic.kind)) return 'live'
    const { upstream, release } = demand(topic)
    release()
    return upstream
  }

  /** What a reader without a usable position begins with: the last value. */
  const newest = (name: string): Begin => {
    const last = plant.last(name)
    return { missed: last ? [last] : [], recovered: false, position: { epoch: plant.epoch, seq: last?.seq ?? 0 } }
  }

  const since = (name: string, position: Position): Begin => {
    const joined = plant.subscribe(name, () => {}, position)
    joined.stop()
    return joined
  }

  const take = (asked: string, resume: Resume, missed: Missed): TopicResult => {
    if (auth.required && user === undefined) return refusal(asked, 'UNAUTHORIZED', 'authenticate first')
    const understood = understand(asked)
    if ('asked' in understood) return understood
    const { topic, name } = understood
    const held = member.topics.has(name)
    if (!held && !hasRoom(topic))
      return refusal(
        asked,
        'TOO_MANY_SYMBOLS',
        `this client holds ${dataTopics} topics and may hold ${limits.topics}; those stay`
      )
    const position =
      resume && (Object.hasOwn(resume, asked) ? resume[asked] : Object.hasOwn(resume, name) ? resume[name] : undefined)
    if (!held) {
      const { upstream, release } = isData(topic.kind) ? demand(topic) : { upstream: 'live' as const, release: () => {} }
      member.topics.add(name)
      if (isData(topic.kind)) dataTopics++
      releases.set(name, release)
      let joined = position === undefined ? newest(name) : since(name, position)
      if (joined.recovered && missed.events.length + joined.missed.length > limits.replay) joined = newest(name)
      missed.positions.set(name, joined.position.seq - joined.missed.length)
      for (const event of joined.missed) missed.events.push(event)
      const recovered = position === undefined ? {} : { recovered: joined.recovered }
      return { asked, topic: name, ok: true, position: joined.position, ...recovered, upstream }
    }
    return { asked, topic: name, ok: true, position: here(name), upstream: lookUp(topic) }
  }

  const subscribe = ({ topics, resume, tag }: Extract<Command, { type: 'subscribe' }>) => {
    fanout.settle(member)
    const missed: Missed = { events: [], positions: new Map() }
    const results = topics.map((asked) => take(asked, resume, missed))
    run(dialect.settled?.(results, tag, member.memory, clock()) ?? [])
    if (!closed && missed.positions.size > 0) fanout.join(member, missed.events, missed.positions)
  }

  const letGo = (asked: string): TopicResult => {
    const understood = understand(asked)
    if ('asked' in understood) return understood
    const { topic, name } = understood
    if (member.topics.delete(name)) {
      if (isData(topic.kind)) dataTopics--
      releases.get(name)?.()
      releases.delete(name)
    }
    return { asked, topic: name, ok: true, position: here(name), upstream: 'live' }
  }

  const unsubscribe = ({ topics, tag }: Extract<Command, { type: 'unsubscribe' }>) => {
    fanout.settle(member)
    const before = member.topics.size
    const results = topics.map(letGo)
    if (member.topics.size !== before) fanout.join(member, [], new Map())
    run(dialect.settled?.(results, tag, member.memory, clock()) ?? [])
  }

  const authenticate = (token: string, tag: unknown) => {
    const known = auth.required ? auth.check(token) : 'anonymous'
    if (known === undefined) return close(4501, 'the token is not valid')
    user = known
    run(dialect.authenticated?.(known, tag, member.memory, clock()) ?? [])
  }

  function run(commands: readonly Command[]) {
    for (const command of commands) {
      if (closed) return
      if (command.type === 'send') send(command.text)
      else if (command.type === 'subscribe') subscribe(command)
      else if (command.type === 'unsubscribe') unsubscribe(command)
      else if (command.type === 'authenticate') authenticate(command.token, command.tag)
      else close(command.code, command.reason)
    }
  }

  const greeting = dialect.open(request, desk, opened)
  member.memory = greeting.memory
  run(greeting.commands)

  return {
    id: request.session,
    dialect,

    receive(text: string): void {
      if (closed) return
      const now = clock()
      if (!inTime(now)) {
        if (++overRate > limits.strikes) return close(1008, 'too many messages')
        return send(dialect.refused?.('RATE_LIMITED', 'too many messages; slow down', member.memory, now))
      }
      overRate = 0
      const commands = dialect.receive(text, member.memory, now)
      badInARow = commands.some((command) => command.type === 'send' && command.bad) ? badInARow + 1 : 0
      run(commands)
      if (badInARow >= limits.strikes) close(4500, 'too many bad messages')
    },

    /** The dialect's own clock. */
    tick(now: number): void {
      if (!closed && dialect.tick) run(dialect.tick(member.memory, now))
    },

    /** Ends a session that never said who it is. */
    checkAuth(now: number): void {
      if (auth.required && user === undefined && now - opened >= limits.authWithin) close(4504, 'no token came in time')
    },

    shutdown(retryAfterMs: number): void {
      fanout.settle(member)
      send(dialect.shutdown?.(retryAfterMs, clock()))
    },

    close,
    end,

    info(): ConnectionInfo {
      return {
        id: request.session,
        dialect: dialect.name,
        since: opened,
        topics: [...member.topics],
        sent: sent + member.delivered,
        conflated: member.conflated,
        dropped: member.dropped,
        pending: fanout.owed(member),
        ...dialect.describe?.(member.memory)
      }
    }
  }
}
