/** A gateway without sockets: the real sessions, groups and lanes, for callers in the same process and for simulations. */
import { CLOSES } from '@tickwire/protocol'
import type { Desk, Dialect } from '../dialects/dialect.ts'
import type { Plant } from '../plant/plant.ts'
import type { Timers } from '../timers.ts'
import { createAuth } from './auth.ts'
import { findRoute } from './door.ts'
import { createFanout, FANOUT_LIMITS, type FanoutLimits } from './fanout.ts'
import { LIMITS, type Limits } from './limits.ts'
import { createMeters } from './meters.ts'
import type { Patience } from './patience.ts'
import { createSession, type Demand, type Line, type Session, type Shared } from './session.ts'
import { createUnderstanding } from './understand.ts'
import type { Message } from './frame.ts'

export type InnerOptions = {
  plant: Plant
  desk: Desk
  // oxlint-disable-next-line typescript/no-explicit-any -- each dialect is run with the memory that it opened itself
  dialects: readonly Dialect<any>[]
  demand: Demand
  clock: () => number
  timers: Timers
  flushEvery: number
  limits?: Partial<Limits>
  fanout?: Partial<FanoutLimits>
  /** SHA-256 of each key that is let in. */
  keys?: readonly string[]
}

/** A connection as whoever carries it knows it. `beat` asks for a sign of life where one is due. */
export type InnerLine = Line & { beat?: (interval: number) => void }
export type Visit = {
  receive: (message: Message) => void
  /** The caller is gone. */
  leave: () => void
}

const BEAT = 500

type Open = { session: Session; line: InnerLine }

export function createInner(options: InnerOptions) {
  const { plant, desk, dialects, demand, clock, timers, flushEvery } = options
  const limits = { ...LIMITS, ...options.limits }
  // Nothing that was sent waits anywhere to be read.
  const patience: Patience = { now: clock, stop: () => {} }
  const fanoutLimits = { ...FANOUT_LIMITS, ...options.fanout }
  const fanout = createFanout({ plant, clock, timers, patience, flushEvery, limits: fanoutLimits, meters: createMeters() })
  const auth = createAuth(options.keys)
  const understand = createUnderstanding(desk, clock)
  const shared: Shared = { plant, desk, understand, fanout, demand, auth, limits, clock, patience }
  const open = new Set<Open>()
  let calls = 0

  const beat = ({ session, line }: Open): void => {
    session.checkAuth(clock())
    if (line.waiting() >= limits.heartbeat.deadline) session.close(4002, CLOSES[4002].name)
    else line.beat?.(limits.heartbeat.interval)
  }
  const running = [timers.every(BEAT, () => open.forEach(beat))]
  for (const dialect of dialects)
    if (dialect.tickEvery !== undefined)
      running.push(
        timers.every(dialect.tickEvery, () => {
          for (const { session } of open) if (session.dialect === dialect) session.tick(clock())
        })
      )
  const terms = {
    auth: auth.required ? ('required' as const) : ('none' as const),
    heartbeat: { interval: limits.heartbeat.interval, timeout: limits.heartbeat.interval + limits.heartbeat.deadline },
    limits: { message: limits.message, topics: limits.topics }
  }

  return {
    open: () => open.size,
    connections: () => [...open].map(({ session }) => session.info()),
    /** Answers nothing where no dialect is spoken at that address. */
    enter(url: string, line: InnerLine): Visit | undefined {
      const route = findRoute(dialects, url)
      if (!route) return undefined
      const { dialect, path, query, rest } = route
      // A dialect may close while it greets.
      let mine: Open | undefined
      let over = false
      const close: Line['close'] = (code, reason) => {
        over = true
        if (mine) open.delete(mine)
        line.close(code, reason)
      }
      const request = { path, query, rest, headers: {}, session: `s${++calls}`, terms }
      const session = createSession(shared, dialect, request, { ...line, close })
      mine = { session, line }
      if (!over) open.add(mine)
      return {
        receive(message) {
          const text = typeof message === 'string' ? message : dialect.codec?.decode(message, session.spoken().memory)
          if (text === undefined) session.close(1003, 'text messages only')
          else session.receive(text)
        },
        leave() {
          if (mine && open.delete(mine)) session.end()
        }
      }
    },
    /** Everyone is told, and closed. */
    stop(): void {
      for (const cancel of running) cancel()
      for (const { session } of open) session.shutdown(0)
      for (const { session } of open) session.close(1001, CLOSES[1001].name)
      fanout.stop()
    }
  }
}
