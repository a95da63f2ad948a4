/** What the keys do to a replay, wherever the focus is. */
import { SPEEDS, steer, useReplay } from '../model/replay.ts'

const SEEK_MS = 10_000

/** The next speed that is offered, beyond the last one it stays. */
function faster(speed: number, by: number): number {
  const at = SPEEDS.findIndex((one) => one === speed)
  return SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, (at < 0 ? SPEEDS.indexOf(1) : at) + by))] ?? 1
}

/** True when the key was ours. */
export function onReplayKey({ key, shiftKey, target }: KeyboardEvent): boolean {
  const { state } = useReplay.getState()
  if (!state) return false
  const { phase, at, from, to, speed, loop } = state
  const seek = (by: number): void => void steer({ seek: Math.max(from, Math.min(to, at + by)) })
  if (key === 'p') void steer({ paused: phase === 'playing' })
  else if (key === '.') void steer({ step: 1 })
  else if (key === ',') void steer({ step: -1 })
  else if (key === '[') void steer({ speed: faster(speed, -1) })
  else if (key === ']') void steer({ speed: faster(speed, 1) })
  else if (key === 'l') void steer({ loop: !loop })
  else if (shiftKey && key === 'ArrowLeft' && !isSlider(target)) seek(-SEEK_MS)
  else if (shiftKey && key === 'ArrowRight' && !isSlider(target)) seek(SEEK_MS)
  else return false
  return true
}

/** It has arrow keys of its own. */
const isSlider = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.matches('[role=slider]')
