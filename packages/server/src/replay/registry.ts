/** All replays that are open: ordered, changed, looked up, and ended when nobody has read them for a while. */
import type { RecordedRun, ReplayChange, ReplayOrder, ReplayState } from '@tickwire/protocol'
import type { JournalReader } from '../journal/journal.ts'
import type { Timers } from '../timers.ts'
import { createReplay, type Reader, type Replay } from './replay.ts'
import type { Live } from './seam.ts'
import type { OpenWorld } from './stage.ts'

export type ReplaysOptions = {
  /** Absent: nothing is recorded here. */
  reader: Pick<JournalReader, 'runs' | 'read'> | undefined
  openWorld: OpenWorld
  live?: Live
  clock: () => number
  timers: Timers
  elapsed: () => number
  newId: () => string
  /** It stays although nobody reads it: it is what this process is for. */
  lasting?: boolean
  digests?: boolean
}

export type Replays = ReturnType<typeof createReplays>
/** Why it was not done. */
export type Fault = { code: 'NOT_FOUND' | 'BAD_MESSAGE' | 'RATE_LIMITED' | 'FORBIDDEN'; message: string }
export type Answer<T> = { ok: true; value: T } | ({ ok: false } & Fault)

export const MOST = { open: 4, perUser: 2 }
export const SPEED = { least: 0.1, most: 1_000 }
/** It ends so long after its last reader left and its last order came, ms. */
const IDLE = 60_000
const BEAT = 1_000

type Open = { replay: Replay; user: string | undefined; readers: number; used: number; leave: Set<() => void> }

const no = (code: Fault['code'], message: string): { ok: false } & Fault => ({ ok: false, code, message })
const unknown = (name: string) =>
  no('NOT_FOUND', `there is no replay ${JSON.stringify(name)}; GET /v1/replays names those that are open`)
const timeOf = (time: number): string => new Date(time).toISOString()

/** Who orders; `admin`: also what is another's. */
export type By = { user: string; admin: boolean }
const mayChange = ({ user }: Open, by: By | undefined): boolean => user === undefined || by?.user === user || by?.admin === true
const foreign = (name: string) => no('FORBIDDEN', `the replay ${name} is of another user: order one of your own`)

function faultIn(order: ReplayOrder, run: RecordedRun): string | undefined {
  if (run.reason !== undefined) return `run: ${run.reason}`
  const { from = run.from, to = run.to + 1, what } = order
  const span = `${timeOf(run.from)} to ${timeOf(run.to)}`
  if (from < run.from || from > run.to)
    return `from: ${from} is outside of the run, which is from ${run.from} to ${run.to} (${span})`
  if (to > run.to + 1) return `to: ${to} is outside of the run, which is from ${run.from} to ${run.to} (${span})`
  if (to <= from) return `to: ${to} is not after from, which is ${from}`
  if (what !== undefined && !run.what.includes(what)) return `what: this run has ${run.what.join(' and ')}, not ${what}`
  return speedFault(order.speed)
}

const speedFault = (speed: number | undefined): string | undefined =>
  speed === undefined || speed === 0 || (speed >= SPEED.least && speed <= SPEED.most)
    ? undefined
    : `speed: ${speed} is out of range: ${SPEED.least} to ${SPEED.most}, or 0 for as fast as it goes`

export function createReplays(options: ReplaysOptions) {
  const { reader, openWorld, live, clock, timers, elapsed, newId, lasting = false, digests = false } = options
  const open = new Map<string, Open>()

  const end = (name: string): void => {
    const known = open.get(name)
    if (!known) return
    open.delete(name)
    known.replay.stop()
    for (const leave of known.leave) leave()
  }
  const beat = (): void => {
    const now = clock()
    for (const [name, { readers, used }] of open) if (!lasting && readers === 0 && now - used >= IDLE) end(name)
  }
  const stopBeating = timers.every(BEAT, beat)

  function room(user: string | undefined): Fault | undefined {
    const own = [...open.values()].filter((each) => user !== undefined && each.user === user).length
    if (open.size >= MOST.open) return no('RATE_LIMITED', `${MOST.open} replays are open, which is the most: end one of them`)
    if (own >= MOST.perUser) return no('RATE_LIMITED', `${own} replays of yours are open, which is the most: end one of them`)
    return undefined
  }

  return {
    order(order: ReplayOrder, user?: string): Answer<ReplayState> {
      const runs = reader?.runs() ?? []
      const run = runs.find((each) => each.run === order.run)
      if (!reader || !run) {
        const known = runs.length === 0 ? 'nothing is recorded here' : 'GET /v1/recordings names those there are'
        return no('NOT_FOUND', `run: there is no run ${JSON.stringify(order.run)}; ${known}`)
      }
      const fault = faultIn(order, run)
      if (fault !== undefined) return no('BAD_MESSAGE', fault)
      if (order.then === 'live' && !live) return no('BAD_MESSAGE', 'then: nothing is live here')
      const full = room(user)
      if (full) return { ok: false, ...full }
      const name = newId()
      const replay = createReplay({ replay: name, order, run, reader, openWorld, live, clock, timers, elapsed, digests })
      open.set(name, { replay, user, readers: 0, used: clock(), leave: new Set() })
      return { ok: true, value: replay.state() }
    },

    all: (): ReplayState[] => [...open.values()].map(({ replay }) => replay.state()),
    find: (name: string): Replay | undefined => open.get(name)?.replay,
    state(name: string): Answer<ReplayState> {
      const known = open.get(name)
      return known ? { ok: true, value: known.replay.state() } : unknown(name)
    },

    change(name: string, change: ReplayChange, by?: By): Answer<ReplayState> {
      const known = open.get(name)
      if (!known) return unknown(name)
      if (!mayChange(known, by)) return foreign(name)
      const { from, to } = known.replay.state()
      const { seek } = change
      if (seek !== undefined && (seek < from || seek > to))
        return no('BAD_MESSAGE', `seek: ${seek} is outside of the span, which is from ${from} to ${to}`)
      const fault = speedFault(change.speed)
      if (fault !== undefined) return no('BAD_MESSAGE', fault)
      known.used = clock()
      return { ok: true, value: known.replay.change(change) }
    },

    end(name: string, by?: By): Answer<ReplayState> {
      const known = open.get(name)
      if (!known) return unknown(name)
      if (!mayChange(known, by)) return foreign(name)
      const value = known.replay.state()
      end(name)
      return { ok: true, value }
    },

    /** `onEnd`: it was ended, or nobody was there for long. */
    join(name: string, reader: Reader, onEnd: () => void): (() => void) | undefined {
      const known = open.get(name)
      if (!known) return undefined
      const leave = known.replay.join(reader)
      known.leave.add(onEnd)
      return () => {
        leave()
        known.leave.delete(onEnd)
      }
    },
    /** Readers that are connected now. */
    reads(name: string, readers: number): void {
      const known = open.get(name)
      if (!known) return
      if (readers < known.readers) known.used = clock()
      known.readers = readers
    },

    stop(): void {
      stopBeating()
      for (const name of open.keys()) end(name)
    }
  }
}
