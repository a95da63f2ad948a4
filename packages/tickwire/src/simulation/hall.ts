/** A gateway without sockets: the real sessions, groups and outboxes over simulated connections. */
import type { Desk, Dialect } from '@tickwire/server/dialects/dialect.ts'
import type { FanoutLimits } from '@tickwire/server/gateway/fanout.ts'
import type { Message } from '@tickwire/server/gateway/gateway.ts'
import { createInner, type InnerLine } from '@tickwire/server/gateway/inner.ts'
import type { Limits } from '@tickwire/server/gateway/limits.ts'
import type { Demand } from '@tickwire/server/gateway/session.ts'
import type { Plant } from '@tickwire/server/plant/plant.ts'
import { createPipe, type Pipe, type Weather } from './pipe.ts'
import type { Schedule } from '@tickwire/server/replay/schedule.ts'

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

export function createHall({ schedule, draw, ...options }: HallOptions) {
  const inner = createInner({ ...options, clock: schedule.now, timers: schedule })
  const cuts = new Set<() => void>()

  return {
    open: inner.open,
    /** Cuts every connection; neither side gets another word, and both notice at once. */
    cutAll: () => {
      for (const cut of cuts) cut()
    },
    /** Answers nothing where no dialect is spoken at that address. */
    enter(url: string, caller: Caller): Call | undefined {
      const { weather } = caller
      const down = createPipe({ schedule, draw, weather, hear: caller.hear })
      const up = createPipe({ schedule, draw, weather, hear: (message) => visit?.receive(message), clean: true })
      const line = createLine(down, up, schedule, (code, reason) => {
        cuts.delete(cut)
        down.send(() => caller.closed(code, reason))
      })
      const cut = (): void => {
        for (const pipe of [up, down]) pipe.cut()
        leave()
        schedule.after(1, () => caller.closed(1006, ''))
      }
      const visit = inner.enter(url, line)
      if (!visit) return undefined
      const leave = (): void => {
        cuts.delete(cut)
        visit.leave()
      }
      cuts.add(cut)
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
  const line: InnerLine = {
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
