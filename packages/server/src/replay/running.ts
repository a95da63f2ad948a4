/** What one replay is made of, how it stands, and who holds what of it. */
import { nameOf, type RecordedRun, type ReplayOrder, type ReplayState, type Replaying, type Topic } from '@tickwire/protocol'
import type { Desk } from '../dialects/dialect.ts'
import type { JournalReader } from '../journal/journal.ts'
import { createPlant, type Plant } from '../plant/plant.ts'
import type { Cancel, Timers } from '../timers.ts'
import { openPlayer, type Mark, type Player } from './player.ts'
import type { Span } from './script.ts'
import type { Live, Seam } from './seam.ts'
import { openShelf, type Shelf } from './shelf.ts'
import { createStage, REPLAY_TOPIC, type OpenWorld, type Stage } from './stage.ts'

/** What is shown of a replay: whoever reads it reads this. Another one takes its place after each seek. */
export type Shown = { plant: Plant; desk: Desk }

export type ReplayOptions = {
  replay: string
  order: ReplayOrder
  run: RecordedRun
  reader: Pick<JournalReader, 'read'>
  openWorld: OpenWorld
  live?: Live | undefined
  clock: () => number
  timers: Timers
  /** Measures how long a turn takes, ms. */
  elapsed: () => number
  digests?: boolean
  /** How often a playing is kept on the way. */
  keeping?: Parameters<typeof openShelf>[0]
}

/** Whoever serves it to readers. */
export type Reader = {
  /** Another plant is shown. */
  onShown: () => void
  /** Writes what is due, and says whether some reader is behind. */
  isBehind: () => boolean
}

export type Running = Omit<ReplayOptions, 'order' | 'run'> & {
  span: Span
  start: number
  /** The run is still written, and so has no end of its own. */
  open: RecordedRun | undefined
  player: Player
  /** The playing that hurries, untold, and the one that is shown. */
  coming: Stage | undefined
  stage: Stage | undefined
  shown: Shown
  seam: { at: number; seam: Seam } | undefined
  reason: string | undefined
  readers: Set<Reader>
  held: Map<string, { topic: Topic; count: number }>
  marks: Mark[]
  shelf: Shelf
  waiting: Cancel | undefined
  isTurning: boolean
  /** Ordered since the turn began. */
  isChanged: boolean
  /** The playing that is shown, or comes. */
  turn: number
  behindSince: number | undefined
  stopped: boolean
}

export function open(options: ReplayOptions): Running {
  const { order, run, ...rest } = options
  const { from = run.from, what = run.what.includes('events') ? 'events' : 'frames' } = order
  const isOpen = run.open && order.to === undefined && order.then === 'live'
  const span: Span = { run: run.run, what, from, to: order.to ?? (isOpen ? Infinity : run.to + 1) }
  const coming = createStage({ ...rest, span, start: run.from, turn: 0 })
  return {
    ...rest,
    span,
    start: run.from,
    open: isOpen ? run : undefined,
    player: openPlayer(order, from, options.clock()),
    coming,
    stage: undefined,
    shown: nothingYet(coming),
    seam: undefined,
    reason: undefined,
    readers: new Set(),
    held: new Map(),
    marks: [],
    shelf: openShelf(options.keeping),
    waiting: undefined,
    isTurning: false,
    isChanged: false,
    turn: 0,
    behindSince: undefined,
    stopped: false
  }
}

/** Before there is anything to be shown. */
function nothingYet({ plant, desk }: Stage): Shown {
  const empty = createPlant({ epoch: `${plant.epoch}-0` })
  return { plant: empty, desk: { ...desk, epoch: empty.epoch, last: empty.last, recent: empty.recent, hand: empty.last } }
}

export function stateOf(r: Running): ReplayState {
  const playing = r.coming ?? r.stage
  const { run, from, to, what } = r.span
  const { phase, speed, loop } = r.player
  const at = r.seam ? r.clock() : (playing?.now() ?? from)
  const counts = { entries: playing?.entries() ?? 0, events: playing?.events() ?? 0 }
  const more = { ...(r.seam && { seam: r.seam.at }), ...(r.reason !== undefined && { reason: r.reason }) }
  const told = { replay: r.replay, run, from, to: r.open ? Math.max(r.open.to, at) : to }
  // oxlint-disable-next-line unicorn/no-thenable -- a word of the protocol, and no function
  return { ...told, what, speed, loop, then: r.player.ending, phase, at, ...counts, ...more }
}

export function tell(r: Running): void {
  const state = stateOf(r)
  const { at } = state
  const event: Replaying = { type: 'replay', provider: '', instrument: 'all', time: at, received: at, ...state }
  r.shown.plant.publish(REPLAY_TOPIC, event, at)
}

/** A reader holds a topic: in the past all are there; beyond the seam it is asked for. */
export function hold(r: Running, topic: Topic): { upstream: 'live'; release: () => void } {
  const name = nameOf(topic)
  const known = r.held.get(name)
  if (known) known.count++
  else {
    r.held.set(name, { topic, count: 1 })
    r.seam?.seam.hold(topic)
  }
  let isHeld = true
  const release = (): void => {
    const entry = r.held.get(name)
    if (!isHeld || !entry) return
    isHeld = false
    if (--entry.count > 0) return
    r.held.delete(name)
    r.seam?.seam.letGo(topic)
  }
  return { upstream: 'live', release }
}
