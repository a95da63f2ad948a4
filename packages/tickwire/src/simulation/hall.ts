/** A gateway without sockets: the real sessions, groups and outboxes over simulated connections. */
import { CLOSES } from '@tickwire/protocol'
import type { Desk, Dialect } from '@tickwire/server/dialects/dialect.ts'
import { createAuth } from '@tickwire/server/gateway/auth.ts'
import { findRoute } from '@tickwire/server/gateway/door.ts'
import { createFanout, FANOUT_LIMITS, type FanoutLimits } from '@tickwire/server/gateway/fanout.ts'
import { LIMITS, type Limits } from '@tickwire/server/gateway/limits.ts'
import { createMeters } from '@tickwire/server/gateway/meters.ts'
import { createSession, type Demand, type Line, type Session, type Shared } from '@tickwire/server/gateway/session.ts'
import { createUnderstanding } from '@tickwire/server/gateway/understand.ts'
import type { Plant } from '@tickwire/server/plant/plant.ts'
import { createPipe, type Pipe, type Weather } from './pipe.ts'
import type { Schedule } from './schedule.ts'
import type { Message } from '@tickwire/server/gateway/gateway.ts'

export type HallOptions = {
  plant: Plant
  desk: Desk
  // oxlint-disable-next-line typescript/no-explicit-any -- each dialect is run with the memory that it opened itself
  dialects: readonly Dialect<any>[]
  demand: Demand
  schedule: Schedule
  draw: () => number
  flushEvery: number
  limits?: Partial<Limits>
  fanout?: Partial<FanoutLimits>
  /** SHA-256 of each key that is let in. */
  keys?: readonly string[]
}

/** Who is at the other end. */
export type Caller = {
  weather: () => Weather
  hear: (message: Message) => void
  closed: (code: number, reason: string) => void
}
export type Call = {
  send: (text: Message) => void
  /** The caller hangs up, or its network fails: `tell` says whether the hall hears of it. */
  hangUp: (tell: boolean) => void
  pause: () => void
  resume: () => void
  /** Bytes that the caller has not taken. */
  backlog: () => number
}
export type Hall = ReturnType<typeof createHall>

const BEAT = 500

type Open = { session: Session; beat: (now: number) => void; cut: () => void }

export function createHall(options: HallOptions) {
  const { plant, desk, dialects, demand, schedule, flushEvery, draw } = options
  const clock = schedule.now
  const limits = { ...LIMITS, ...options.limits }
  const patience = { now: clock, stop: () => {} }
  const fanoutLimits = { ...FANOUT_LIMITS, ...options.fanout }
  const fanout = createFanout({
    plant,
    clock,
    timers: schedule,
    patience,
    flushEvery,
    limits: fanoutLimits,
    meters: createMeters()
  })
  const auth = createAuth(options.keys)
  const shared: Shared = {
    plant,
    desk,
    understand: createUnderstanding(desk, clock),
    fanout,
    demand,
    auth,
    limits,
    clock,
    patience
  }
  const open = new Set<Open>()
  let calls = 0

  schedule.every(BEAT, () => {
    for (const { beat } of open) beat(clock())
  })
  for (const dialect of dialects)
    if (dialect.tickEvery !== undefined)
      schedule.every(dialect.tickEvery, () => {
        for (const { session } of open) if (session.dialect === dialect) session.tick(clock())
      })

  return {
    open: () => open.size,
    /** Cuts every connection; neither side gets another word, and both notice at once. */
    cutAll: () => {
      for (const each of open) each.cut()
    },
    /** Answers nothing where no dialect is spoken at that address. */
    enter(url: string, caller: Caller): Call | undefined {
      const route = findRoute(dialects, url)
      if (!route) return undefined
      const { dialect, path, query, rest } = route
      const { weather } = caller
      const down = createPipe({ schedule, draw, weather, hear: caller.hear })
      const up = createPipe({ schedule, draw, weather, hear: (message) => receive(message), clean: true })
      const line = createLine(down, up, schedule, (code, reason) => {
        open.delete(mine)
        down.send(() => caller.closed(code, reason))
      })
      const terms = {
        auth: auth.required ? ('required' as const) : ('none' as const),
        heartbeat: { interval: limits.heartbeat.interval, timeout: limits.heartbeat.interval + limits.heartbeat.deadline },
        limits: { message: limits.message, topics: limits.topics }
      }
      const request = { path, query, rest, headers: {}, session: `s${++calls}`, terms }
      const session = createSession(shared, dialect, request, line)
      const receive = (message: Message): void => {
        const text = typeof message === 'string' ? message : dialect.codec?.decode(message, session.spoken().memory)
        if (text === undefined) session.close(1003, 'text messages only')
        else session.receive(text)
      }
      const leave = (): void => {
        if (!open.delete(mine)) return
        session.end()
      }
      const mine: Open = {
        session,
        beat(now) {
          session.checkAuth(now)
          if (line.waiting() >= limits.heartbeat.deadline) session.close(4002, CLOSES[4002].name)
          else line.beat(limits.heartbeat.interval)
        },
        cut() {
          for (const pipe of [up, down]) pipe.cut()
          leave()
          schedule.after(1, () => caller.closed(1006, ''))
        }
      }
      open.add(mine)
      return {
        send: (text) => up.send(text),
        hangUp(tell) {
          down.cut()
          if (tell) up.send(leave)
          else up.cut()
        },
        pause: down.pause,
        resume: () => down.resume(),
        backlog: down.backlog
      }
    }
  }
}

/** As gateway/line.ts, over pipes. */
function createLine(down: Pipe, up: Pipe, schedule: Schedule, closed: (code: number, reason: string) => void) {
  let pinged = schedule.now()
  let probedAt: number | undefined
  const probe = (): void => {
    pinged = schedule.now()
    probedAt ??= pinged
    down.send(() => up.send(() => void (probedAt = undefined)))
  }
  const line: Line & { beat: (interval: number) => void } = {
    write({ messages }) {
      for (const message of messages) down.send(message)
    },
    backlog: down.backlog,
    waiting: () => (probedAt === undefined ? 0 : schedule.now() - probedAt),
    beat(interval) {
      if (schedule.now() - pinged >= interval) probe()
    },
    close: closed
  }
  return line
}
