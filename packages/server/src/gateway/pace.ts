import type { Cancel, Timers } from '../timers.ts'

/** However long writing takes, nobody waits longer than this for it to begin again. */
export const SLOWEST = 120

/**
 * When to write: at once after a quiet spell, then once per interval, which only bounds how often we write. An interval of
 * 0 writes at the end of each turn of the event loop. Where writing itself takes long (it costs per client), the interval grows so
 * that it takes two thirds of the time at most, and is the old one again as soon as it does not.
 */
export function createPace(clock: () => number, timers: Timers, every: number, flush: (now: number) => void) {
  let flushedAt = 0
  let interval = every
  let cancel: Cancel | undefined

  const stop = () => {
    cancel?.()
    cancel = undefined
  }
  const fire = () => {
    stop()
    flushedAt = clock()
    flush(flushedAt)
    interval = Math.max(every, Math.min(1.5 * (clock() - flushedAt), SLOWEST))
  }
  return {
    /** There is something to write. */
    due(): void {
      cancel ??= timers.after(Math.min(flushedAt + interval - clock(), interval), fire)
    },
    fire,
    stop,
    interval: () => interval
  }
}
