/** One client's session: it runs a dialect, holds the subscriptions, and gives everything back when the client goes. */
import type { CloseCode } from '@tickwire/protocol'
import type { Command, ConnectionInfo, Desk, Dialect, Request } from '../dialects/dialect.ts'
import type { Plant } from '../plant/plant.ts'
import type { Auth } from './auth.ts'
import { createAudience } from './audience.ts'
import { createConduct } from './conduct.ts'
import type { By } from './credentials.ts'
import type { Fanout } from './fanout.ts'
import { createHolding, type Demand, type Missed } from './holding.ts'
import { createInquiry } from './inquiry.ts'
import type { Limits } from './limits.ts'
import { createMember, type Member, type Sink } from './member.ts'
import type { Patience } from './patience.ts'
import type { Redistribution } from './redistribution.ts'
import { refusal, type Understand } from './understand.ts'

export type { Demand } from './holding.ts'

/** What all sessions of a gateway share. */
export type Shared = {
  plant: Plant
  desk: Desk
  understand: Understand
  fanout: Fanout
  demand: Demand
  auth: Auth
  limits: Limits
  clock: () => number
  patience: Patience
  /** Absent: everything may be given to everybody. */
  redistribution?: Redistribution | undefined
}

/** A connection as a session needs it. */
export type Line = Sink & {
  close: (code: CloseCode, reason: string) => void
  /** Nothing more is read of it for now, where that can be. */
  hold?: (held: boolean) => void
}

export type Session = ReturnType<typeof createSession>

/** A client that asks but leaves this much of the answers unread, beyond four messages, is slow as well. */
const MAX_UNREAD = 1024 * 1024

/** `own.sent` counts what the session itself sent; what the plant sent through it is added. */
function infoOf(member: Member, own: { id: string; since: number; sent: number; pending: number }): ConnectionInfo {
  const { dialect, topics, delivered, conflated, dropped, memory } = member
  const counts = { sent: own.sent + delivered, conflated, dropped }
  return { ...own, dialect: dialect.name, topics: [...topics], ...counts, ...dialect.describe?.(memory) }
}

/** What a client may say while its token is looked at: until it floods, and some of what is read of a socket in one go. */
const unheard = ({ messages, strikes, message }: Limits) => ({
  messages: messages.burst + strikes,
  characters: message + 256 * 1024
})

/** Where it stands; what was written before the answer is what that speaks of. */
function standing(member: Member, fanout: Fanout, { since, tag }: Extract<Command, { type: 'stand' }>, now: number) {
  fanout.settle(member)
  return member.dialect.standing?.(fanout.standing(member, since), tag, member.memory, now) ?? []
}

/** What it held, held anew: nothing is missed of that, and nothing goes on. */
function retaken(member: Member, holding: ReturnType<typeof createHolding>) {
  const missed: Missed = { events: [], positions: new Map(), changed: false }
  const topics = [...member.topics]
  member.topics.clear()
  const results = topics.map((topic) => ({ ...holding.take(topic, {}, missed), recovered: false }))
  return { results, missed }
}

export function createSession(shared: Shared, dialect: Dialect<any>, request: Request, line: Line, by: By = {}) {
  const { limits, clock } = shared
  let { fanout } = shared
  const opened = clock()
  const member: Member = createMember(dialect, line, () => close(4001, 'slow consumer'))
  const audience = createAudience(shared, by, opened)
  let holding = createHolding(member, { ...shared, understand: audience.understand, place: by.place })
  const conduct = createConduct(limits, opened, by.place)
  const inquiry = createInquiry(unheard(limits), line.hold)
  let sent = 0
  let closed = false

  function close(code: CloseCode, reason: string) {
    if (closed) return
    end()
    line.close(code, reason)
  }

  /** The client is gone, or going: nothing more is sent. */
  function end() {
    if (closed) return
    closed = true
    inquiry.end()
    fanout.drop(member)
    holding.end()
  }

  function send(text: string | undefined) {
    if (closed || text === undefined) return
    sent++
    line.write(fanout.say(member, text))
    if (line.backlog() > 4 * limits.message + MAX_UNREAD) member.cut()
  }

  function subscribe({ topics, resume, contract, tag }: Extract<Command, { type: 'subscribe' }>) {
    fanout.settle(member, contract !== undefined)
    const missed: Missed = { events: [], positions: new Map(), changed: false }
    const results = topics.map((asked) =>
      audience.isStranger()
        ? refusal(asked, 'UNAUTHORIZED', 'authenticate first')
        : holding.take(asked, { resume, contract }, missed)
    )
    run(dialect.settled?.(results, tag, member.memory, clock()) ?? [])
    if (!closed && (missed.changed || missed.positions.size > 0)) fanout.join(member, missed.events, missed.positions)
  }

  function renew(next: Shared) {
    if (closed) return
    fanout.drop(member)
    holding.end()
    fanout = next.fanout
    holding = createHolding(member, { ...next, understand: audience.understand, place: by.place })
    const { results, missed } = retaken(member, holding)
    run(dialect.renewed?.(results, member.memory, clock()) ?? [])
    if (!closed) fanout.join(member, missed.events, missed.positions)
  }

  function unsubscribe({ topics, tag }: Extract<Command, { type: 'unsubscribe' }>) {
    fanout.settle(member)
    const before = member.topics.size
    const results = topics.map((asked) => holding.letGo(asked))
    if (member.topics.size !== before) fanout.join(member, [], new Map())
    run(dialect.settled?.(results, tag, member.memory, clock()) ?? [])
  }

  function authenticate({ token, tag }: Extract<Command, { type: 'authenticate' }>, rest: readonly Command[]) {
    // The rest was asked for together with it.
    inquiry.begin(audience.signIn(token, clock), (signed) => {
      if (signed === 'wrong') return deny('wrong', 4501, 'the token is not valid')
      if (!('user' in signed)) return close(...signed)
      run(dialect.authenticated?.(signed.user, tag, member.memory, clock()) ?? [])
      run(rest)
    })
  }

  function deny(why: 'wrong' | 'late', code: CloseCode, reason: string) {
    run(dialect.denied?.(why, member.memory, clock()) ?? [])
    close(code, reason)
  }

  function run(commands: readonly Command[]) {
    for (const [at, command] of commands.entries()) {
      if (closed) return
      if (command.type === 'send') send(command.text)
      else if (command.type === 'subscribe') subscribe(command)
      else if (command.type === 'unsubscribe') unsubscribe(command)
      else if (command.type === 'authenticate') return authenticate(command, commands.slice(at + 1))
      else if (command.type === 'stand') run(standing(member, fanout, command, clock()))
      else if (command.type === 'encode') fanout.encode(member, command.encoding)
      else close(command.code, command.reason)
    }
  }

  function receive(text: string) {
    if (closed) return
    const came = conduct.came(clock())
    if (came === 'flood') return close(1008, 'too many messages')
    const heed = () => {
      const now = clock()
      if (came === 'too soon') return send(dialect.refused?.('RATE_LIMITED', 'too many messages; slow down', member.memory, now))
      // A dialect with memory may number its messages: what it renders must not come between an answer's making and its sending.
      if (!dialect.shared) fanout.settle(member)
      const commands = dialect.receive(text, member.memory, now)
      const goesOn = conduct.judge(commands.some((command) => command.type === 'send' && command.bad))
      run(commands)
      if (!goesOn) close(4500, 'too many bad messages')
    }
    if (!inquiry.isOpen()) heed()
    else if (!inquiry.wait(heed, text.length)) close(1008, 'too many messages before it is known whose they are')
  }
  const greeting = dialect.open(request, audience.desk, opened)
  member.memory = greeting.memory
  run(greeting.commands)
  return {
    dialect,
    spoken: (): Pick<Member, 'memory' | 'encoding'> => member,
    receive,
    renew,
    tick: (now: number) => run(closed ? [] : (dialect.tick?.(member.memory, now) ?? [])),
    checkAuth: (now: number) => {
      // Ends a session that never said who it is, or whose token no longer holds.
      const ending = audience.ending(member.topics, now)
      if (ending) close(...ending)
      if (audience.isStranger() && now - opened >= limits.authWithin) deny('late', 4504, 'no token came in time')
    },
    shutdown: (retryAfterMs: number) => {
      fanout.settle(member)
      send(dialect.shutdown?.(retryAfterMs, clock()))
    },
    close,
    end,
    info: () => infoOf(member, { id: request.session, since: opened, sent, pending: fanout.owed(member) })
  }
}
