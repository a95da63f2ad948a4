/** One replay: its player, the stage that is shown, and the turns in which it goes on without holding up what is live. */
import {
  nameOf,
  type RecordedRun,
  type ReplayChange,
  type ReplayOrder,
  type ReplayState,
  type Replaying,
  type Topic
} from '@tickwire/protocol'
import type { Desk } from '../dialects/dialect.ts'
import type { JournalReader } from '../journal/journal.ts'
import { createPlant, type Plant } from '../plant/plant.ts'
import type { Cancel, Timers } from '../timers.ts'
import { arrived, changed, dueBy, finished, openPlayer, rested, type Mark } from './player.ts'
import { openSeam, type Live, type Seam } from './seam.ts'
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
}

/** Whoever serves it to readers. */
export type Reader = {
  /** Another plant is shown. */
  onShown: () => void
  /** Writes what is due, and says whether some reader is behind. */
  isBehind: () => boolean
}

export type Replay = ReturnType<typeof createReplay>

/** A turn takes no longer, ms, and publishes no more where somebody reads: what he is owed must still be remembered. */
const TURN = 4
const MOST = 500
/** Turns of a replay with a pace come so often, ms. */
const EVERY = 10
const TELL_EVERY = 1_000
/** For so long, ms, all wait for a reader who is behind; then he is given what is left, and told what is lost. */
const PATIENCE = 5_000
const MARKS = 10_000

export function createReplay(options: ReplayOptions) {
  const { replay, order, run, reader, openWorld, live, clock, timers, elapsed, digests = false } = options
  const { from = run.from, what = run.what.includes('events') ? 'events' : 'frames', then = 'end' } = order
  const open = run.open && order.to === undefined && then === 'live'
  const to = order.to ?? (open ? Infinity : run.to + 1)
  const readers = new Set<Reader>()
  const held = new Map<string, { topic: Topic; count: number }>()
  const marks: Mark[] = []
  let player = openPlayer(order, from, clock())
  let coming: Stage | undefined = stageFor(0)
  let stage: Stage | undefined
  let shown = nothingYet(coming)
  let seam: { at: number; seam: Seam } | undefined
  let reason: string | undefined
  let waiting: Cancel | undefined
  let isTurning = false
  /** Ordered since the turn began. */
  let isChanged = false
  /** The playing that is shown, or comes. */
  let turnOf = 0
  let behindSince: number | undefined
  let stopped = false
  const stopTelling = timers.every(TELL_EVERY, tell)

  function stageFor(turn: number): Stage {
    marks.length = 0
    return createStage({ replay, span: { run: run.run, what, from, to }, start: run.from, turn, reader, openWorld, digests })
  }
  const current = (): Stage | undefined => coming ?? stage

  function state(): ReplayState {
    const now = current()
    const at = seam ? clock() : (now?.now() ?? from)
    const { phase, speed, loop } = player
    const counts = { entries: now?.entries() ?? 0, events: now?.events() ?? 0 }
    const more = { ...(seam && { seam: seam.at }), ...(reason !== undefined && { reason }) }
    return { replay, run: run.run, from, to: open ? run.to : to, what, speed, loop, then, phase, at, ...counts, ...more }
  }

  function tell(): void {
    const told = state()
    const { at } = told
    const event: Replaying = { type: 'replay', provider: '', instrument: 'all', time: at, received: at, ...told }
    shown.plant.publish(REPLAY_TOPIC, event, at)
  }

  /** From here on this stage is what readers read. */
  function show(next: Stage): void {
    stage?.stop()
    stage = next
    coming = undefined
    shown = { plant: next.plant, desk: next.desk }
    player = arrived(player, next.now(), clock())
    tell()
    for (const { onShown } of readers) onShown()
  }

  /** The world of the past ends in the same turn, so that nothing of it is published beyond the seam. */
  function goLive(last: Stage): void {
    if (!live) {
      player = { ...player, phase: 'ended' }
      reason = 'nothing is live here'
      return
    }
    const at = clock()
    last.stop()
    const { plant } = last
    seam = { at, seam: openSeam({ live, plant, end: last.now(), seam: at, heard: last.heard }) }
    tell()
    // It comes first: whatever is written after it is live.
    for (const { isBehind } of readers) isBehind()
    seam.seam.begin([...held.values()].map(({ topic }) => topic))
  }

  function end(last: Stage): void {
    player = finished(player, from, last.now(), clock())
    if (player.phase === 'live') goLive(last)
    tell()
  }

  function isWaitedFor(): boolean {
    if (player.goal || ![...readers].map(({ isBehind }) => isBehind()).includes(true)) {
      behindSince = undefined
      return false
    }
    behindSince ??= elapsed()
    return elapsed() - behindSince < PATIENCE
  }

  /** Goes on for one turn; returns when the next one is wanted, ms, if any is. */
  async function go(): Promise<number | undefined> {
    if (player.goal && player.turn !== turnOf) {
      coming?.stop()
      coming = stageFor(player.turn)
      turnOf = player.turn
      seam?.seam.stop()
      seam = undefined
    }
    const playing = current()
    const until = dueBy(player, clock())
    if (!playing || until === undefined) return undefined
    if (isWaitedFor()) return EVERY
    const { goal, stepTo } = player
    const outcome = await playing.advance(goal ? before(until) : until, judge(playing))
    if (stopped) return undefined
    if (isChanged) return 0
    const there = goal && 'moves' in goal && playing.moves() >= goal.moves
    if (goal && (outcome !== 'cut' || there)) show(playing)
    else if (stepTo !== undefined && playing.events() >= stepTo) {
      player = rested(player, playing.now(), clock())
      tell()
    } else if (outcome === 'over') end(playing)
    else return outcome === 'cut' ? 0 : EVERY
    return 0
  }

  /** Whether a turn goes on after a move. */
  function judge(playing: Stage): () => boolean {
    const { goal, stepTo } = player
    const began = elapsed()
    const most = goal || readers.size === 0 ? Infinity : playing.events() + MOST
    let published = playing.events()
    let moves = 0
    isChanged = false
    return () => {
      const events = playing.events()
      if (events !== published) {
        published = events
        if (marks.push({ moves: playing.moves(), events }) > 2 * MARKS) marks.splice(0, MARKS)
      }
      if (isChanged || events >= most || (stepTo !== undefined && events >= stepTo)) return false
      if (goal && 'moves' in goal && playing.moves() >= goal.moves) return false
      return ++moves % 16 !== 0 || elapsed() - began < TURN
    }
  }

  function turn(): void {
    waiting = undefined
    if (stopped || isTurning) return
    isTurning = true
    go()
      .catch((error: unknown) => {
        player = { ...player, phase: 'failed', goal: undefined }
        reason = error instanceof Error ? error.message : String(error)
        tell()
        return undefined
      })
      .then((after) => {
        isTurning = false
        if (after !== undefined && !stopped) waiting ??= timers.after(after, turn)
      })
      .catch(() => {})
  }
  const wake = (): void => {
    waiting?.()
    waiting = timers.after(0, turn)
  }
  wake()

  return {
    replay,
    state,
    shown: () => shown,
    digest: () => stage?.digest(),

    change(change: ReplayChange): ReplayState {
      const { at, events } = state()
      isChanged = true
      player = changed(player, change, { at, events, from }, marks, clock())
      if (player.goal) reason = undefined
      tell()
      wake()
      return state()
    },

    /** A reader holds a topic: in the past all are there; beyond the seam it is asked for. */
    demand(topic: Topic): { upstream: 'live'; release: () => void } {
      const name = nameOf(topic)
      const known = held.get(name)
      if (known) known.count++
      else {
        held.set(name, { topic, count: 1 })
        seam?.seam.hold(topic)
      }
      let isHeld = true
      const release = (): void => {
        const entry = held.get(name)
        if (!isHeld || !entry) return
        isHeld = false
        if (--entry.count > 0) return
        held.delete(name)
        seam?.seam.letGo(topic)
      }
      return { upstream: 'live', release }
    },

    /** Recorded time, or real time beyond the seam. */
    clock: (): number => (seam ? clock() : shown.plant === stage?.plant ? stage.now() : from),

    join(reader: Reader): () => void {
      readers.add(reader)
      return () => void readers.delete(reader)
    },

    stop(): void {
      stopped = true
      waiting?.()
      stopTelling()
      seam?.seam.stop()
      coming?.stop()
      stage?.stop()
    }
  }
}

/** Just before a time: what happened at that time is told. */
const before = (time: number): number => (Number.isFinite(time) ? time - 0.001 : time)

/** Before there is anything to be shown. */
function nothingYet({ plant, desk }: Stage): Shown {
  const empty = createPlant({ epoch: `${plant.epoch}-0` })
  return { plant: empty, desk: { ...desk, epoch: empty.epoch, last: empty.last, recent: empty.recent, hand: empty.last } }
}
