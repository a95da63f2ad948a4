/** What a replay is told to do, and what follows: where it should be by now, and what comes at its end. Pure. */
import type { ReplayChange, ReplayOrder, ReplayState } from '@tickwire/protocol'

/** Where it hurries to, untold: a time, or the move after which a step back ends. */
export type Goal = { time: number } | { moves: number }

export type Player = {
  phase: ReplayState['phase']
  /** 0: as fast as it goes. */
  speed: number
  paused: boolean
  loop: boolean
  ending: 'end' | 'live'
  /** Recorded and real time since which it has run at this speed. */
  anchor: { at: number; now: number }
  goal: Goal | undefined
  /** It pauses once so many events are published. */
  stepTo: number | undefined
  /** Ordered while it hurries: taken once it is there. */
  steps: number
  /** Playings so far: each seek, loop and step back begins another. */
  turn: number
}

/** Where the playing stands. */
export type Place = { at: number; events: number; from: number }
/** A move after which so many events were published, and the recorded time of it. */
export type Mark = { moves: number; events: number; at: number }

export const openPlayer = (order: ReplayOrder, from: number, now: number): Player => ({
  phase: 'seeking',
  speed: order.speed ?? 1,
  paused: order.paused ?? false,
  loop: order.loop ?? false,
  ending: order.then ?? 'end',
  anchor: { at: from, now },
  goal: { time: from },
  stepTo: undefined,
  steps: 0,
  turn: 0
})

const seek = (player: Player, goal: Goal): Player => ({
  ...player,
  phase: 'seeking',
  goal,
  stepTo: undefined,
  steps: 0,
  turn: player.turn + 1
})

const standing = ({ paused }: Player): 'paused' | 'playing' => (paused ? 'paused' : 'playing')

/** Of the places of the span in which it stood, the last before so many events less; what is before the span was played untold. */
function back(marks: readonly Mark[], events: number, from: number): Goal {
  const mark = marks.findLast((each) => each.events <= events)
  return mark && mark.at >= from ? { moves: mark.moves } : { time: from }
}

function stepped(player: Player, step: number, { events, from }: Place, marks: readonly Mark[]): Player {
  const paused = { ...player, paused: true }
  // Where it will stand is not known before it is there.
  if (player.goal) return { ...paused, steps: player.steps + step }
  if (step < 0) return seek(paused, back(marks, events + step, from))
  // It is played as fast as it goes, up to there.
  return player.phase !== 'playing' && player.phase !== 'paused' ? paused : { ...paused, phase: 'playing', stepTo: events + step }
}

/** After what a user ordered. */
export function changed(player: Player, change: ReplayChange, place: Place, marks: readonly Mark[], now: number): Player {
  const { speed = player.speed, paused = player.paused, loop = player.loop } = change
  let next: Player = { ...player, speed, paused, loop, anchor: { at: place.at, now } }
  if (change.paused !== undefined) next = { ...next, stepTo: undefined, steps: 0 }
  if (change.seek !== undefined) next = seek(next, { time: change.seek })
  if (change.step !== undefined && change.step !== 0) return stepped(next, change.step, place, marks)
  if (next.phase !== 'playing' && next.phase !== 'paused') return next
  return { ...next, phase: next.stepTo === undefined ? standing(next) : 'playing' }
}

/** It is where it hurried to, and takes the steps that were ordered on the way. */
export function arrived(player: Player, place: Place, marks: readonly Mark[], now: number): Player {
  const { steps } = player
  const there: Player = { ...player, goal: undefined, steps: 0, phase: standing(player), anchor: { at: place.at, now } }
  return steps === 0 ? there : stepped(there, steps, place, marks)
}

/** The step is done. */
export const rested = (player: Player, at: number, now: number): Player => ({
  ...player,
  stepTo: undefined,
  phase: 'paused',
  anchor: { at, now }
})

/** The span is played. */
export function finished(player: Player, from: number, at: number, now: number): Player {
  if (player.loop && player.stepTo === undefined) return seek(player, { time: from })
  const phase = player.ending === 'live' ? 'live' : 'ended'
  return { ...player, goal: undefined, stepTo: undefined, phase, anchor: { at, now } }
}

/** The recorded time at which it should be by now; nothing while it stands. */
export function dueBy({ phase, goal, stepTo, speed, anchor }: Player, now: number): number | undefined {
  if (goal) return 'time' in goal ? goal.time : Infinity
  if (phase !== 'playing') return undefined
  return stepTo !== undefined || speed === 0 ? Infinity : anchor.at + (now - anchor.now) * speed
}
