/** One replay: its player, the stage that is shown, and the turns in which it goes on without holding up what is live. */
import type { ReplayChange, ReplayState, Topic } from '@tickwire/protocol'
import { arrived, changed, dueBy, finished, rested, type Goal, type Place } from './player.ts'
import { openFork } from './fork.ts'
import { hold, open, stateOf, tell, type Reader, type ReplayOptions, type Running } from './running.ts'
import { openSeam, type Live } from './seam.ts'
import { isBefore } from './shelf.ts'
import { createStage, type KeptStage, type Stage } from './stage.ts'

export type { Reader, ReplayOptions } from './running.ts'
export type Replay = ReturnType<typeof createReplay>

/** A turn takes no longer, ms, and tells no more to those who read it: what they are owed must still be remembered. */
const TURN = 4
const MOST = 500
/** Turns of a replay with a pace come so often, ms. */
const EVERY = 10
const TELL_EVERY = 1_000
/** For so long, ms, all wait for a reader who is behind; then he is given what is left, and told what is lost. */
const PATIENCE = 5_000
const MARKS = 10_000
/** Of a world that is copied, in one turn: some milliseconds. */
const VALUES = 20_000

const placeOf = ({ span }: Running, stage: Stage): Place => ({ at: stage.now(), events: stage.events(), from: span.from })

/** From here on this stage is what readers read. */
function show(r: Running, next: Stage): void {
  r.stage?.stop()
  r.stage = next
  r.coming = undefined
  r.shown = { plant: next.plant, desk: next.desk }
  r.player = arrived(r.player, placeOf(r, next), r.marks, r.clock())
  tell(r)
  for (const { onShown } of r.readers) onShown()
}

/** The world of the past ends in the same turn, so that nothing of it is published beyond the seam. */
function goLive(r: Running, last: Stage, live: Live): void {
  const at = r.clock()
  last.stop()
  const seam = openSeam({ live, plant: last.plant, end: last.now(), seam: at, heard: last.heard })
  r.seam = { at, seam }
  tell(r)
  // It comes first: whatever is written after it is live.
  for (const { isBehind } of r.readers) isBehind()
  seam.begin([...r.held.values()].map(({ topic }) => topic))
}

function end(r: Running, last: Stage): void {
  r.player = finished(r.player, r.span.from, last.now(), r.clock())
  if (r.player.phase === 'live' && r.live) goLive(r, last, r.live)
  tell(r)
}

function isWaitedFor(r: Running): boolean {
  const behind = [...r.readers].map(({ isBehind }) => isBehind())
  if (r.player.goal || !behind.includes(true)) {
    r.behindSince = undefined
    return false
  }
  r.behindSince ??= r.elapsed()
  return r.elapsed() - r.behindSince < PATIENCE
}

/** Whether a turn goes on after a move. */
function judge(r: Running, playing: Stage): () => boolean {
  const { goal, stepTo } = r.player
  const began = r.elapsed()
  const most = goal || r.readers.size === 0 ? Infinity : playing.told() + MOST
  let published = playing.events()
  let moves = 0
  r.isChanged = false
  return () => {
    const events = playing.events()
    if (events !== published) {
      published = events
      if (r.marks.push({ moves: playing.moves(), events, at: playing.now() }) > 2 * MARKS) r.marks.splice(0, MARKS)
    }
    if (r.isChanged || playing.told() >= most || (stepTo !== undefined && events >= stepTo)) return false
    if (goal && 'moves' in goal && playing.moves() >= goal.moves) return false
    return ++moves % 16 !== 0 || r.elapsed() - began < TURN
  }
}

/** What is live has its turns in between. */
async function copied<T extends object>(r: Running, state: T): Promise<{ copy: T; size: number }> {
  const { go, copy, size } = openFork(state)
  while (!go(VALUES)) await new Promise<void>((resolve) => void r.timers.after(0, resolve))
  return { copy, size: size() }
}

async function put(r: Running, kept: KeptStage): Promise<void> {
  const marks = r.marks.slice(-MARKS)
  const { copy: world, size } = await copied(r, kept.world)
  r.shelf.put({ ...kept, world, size, marks })
}

/** Another playing, from the last place before its goal of which all is known, or from the start of the run. */
async function restart(r: Running, goal: Goal): Promise<void> {
  r.turn = r.player.turn
  const here = (r.coming ?? r.stage)?.keep()
  const known = r.shelf.before(goal)
  const isNearer = here && isBefore(here, goal) && !(known && known.moves > here.moves)
  const kept = isNearer ? { ...here, marks: r.marks } : known
  const world = kept && (await copied(r, kept.world)).copy
  if (r.stopped) return
  r.coming?.stop()
  r.seam?.seam.stop()
  r.seam = undefined
  r.marks = [...(kept?.marks ?? [])]
  r.coming = createStage({ ...r, kept: kept && world && { ...kept, world } })
}

/** Goes on for one turn; returns when the next one is wanted, ms, if any is. */
async function go(r: Running): Promise<number | undefined> {
  const { goal, stepTo, turn } = r.player
  if (goal && turn !== r.turn) return restart(r, goal).then(() => 0)
  const playing = r.coming ?? r.stage
  const until = dueBy(r.player, r.clock())
  if (!playing || until === undefined) return undefined
  const kept = r.shelf.wants(playing.entries()) ? playing.keep() : undefined
  if (kept) return put(r, kept).then(() => 0)
  if (isWaitedFor(r)) return EVERY
  const outcome = await playing.advance(goal ? before(until) : until, judge(r, playing))
  if (r.stopped) return undefined
  if (r.isChanged) return 0
  const isThere = goal !== undefined && 'moves' in goal && playing.moves() >= goal.moves
  if (goal && (outcome !== 'cut' || isThere)) show(r, playing)
  else if (stepTo !== undefined && playing.events() >= stepTo) {
    r.player = rested(r.player, playing.now(), r.clock())
    tell(r)
  } else if (!goal && outcome === 'over') end(r, playing)
  else return outcome === 'cut' ? 0 : EVERY
  return 0
}

function fail(r: Running, error: unknown): undefined {
  r.player = { ...r.player, phase: 'failed', goal: undefined }
  r.reason = error instanceof Error ? error.message : String(error)
  tell(r)
}

function turn(r: Running): void {
  r.waiting = undefined
  if (r.stopped || r.isTurning) return
  r.isTurning = true
  void go(r)
    .catch((error: unknown) => fail(r, error))
    .then((after) => {
      r.isTurning = false
      if (after !== undefined && !r.stopped) r.waiting ??= r.timers.after(after, () => turn(r))
    })
}
function wake(r: Running): void {
  r.waiting?.()
  r.waiting = r.timers.after(0, () => turn(r))
}

/** Just before a time: what happened at that time is told. */
const before = (time: number): number => (Number.isFinite(time) ? time - 0.001 : time)

export function createReplay(options: ReplayOptions) {
  const r = open(options)
  const stopTelling = r.timers.every(TELL_EVERY, () => tell(r))
  wake(r)

  return {
    replay: r.replay,
    state: () => stateOf(r),
    shown: () => r.shown,
    digest: () => r.stage?.digest(),
    demand: (topic: Topic) => hold(r, topic),
    /** Recorded time, or real time beyond the seam. */
    clock: (): number => (r.seam ? r.clock() : r.shown.plant === r.stage?.plant ? r.stage.now() : r.span.from),

    change(change: ReplayChange): ReplayState {
      const { at, events } = stateOf(r)
      r.isChanged = true
      r.player = changed(r.player, change, { at, events, from: r.span.from }, r.marks, r.clock())
      if (r.player.goal) r.reason = undefined
      tell(r)
      wake(r)
      return stateOf(r)
    },

    join(reader: Reader): () => void {
      r.readers.add(reader)
      return () => void r.readers.delete(reader)
    },

    stop(): void {
      r.stopped = true
      r.waiting?.()
      stopTelling()
      r.seam?.seam.stop()
      r.coming?.stop()
      r.stage?.stop()
    }
  }
}
