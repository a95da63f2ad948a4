import type { Cancel, Timers } from '../timers.ts'

/** However long writing takes, nobody waits longer than this for it to begin again. */
export const SLOWEST = 120
/** While so many come in between two flushes, those who are here wait longer, up to this: the others have nothing yet. */
export const CROWD = { from: 20, slowest: 1_000, times: 8 }

/**
 * When to write: at once after a quiet spell, then once per interval, which only bounds how often we write. An interval of
 * 0 writes at the end of each turn of the event loop. Where writing itself takes long (it costs per client), the interval grows so
 * that it takes five sixths of the time at most, and is the old one again as soon as it does not.
 */
export function createPace(clock: () => number, timers: Timers, every: number, flush: (now: number) => void) {
  let flushedAt = 0
  let interval = every
  let cancel: Cancel | undefined
  let newcomers = 0

  const stop = () => {
    cancel?.()
    cancel = undefined
  }
  const fire = () => {
    stop()
    flushedAt = clock()
    flush(flushedAt)
    const took = clock() - flushedAt
    const isCrowded = newcomers >= CROWD.from
    newcomers = 0
    interval = Math.max(every, isCrowded ? Math.min(CROWD.times * took, CROWD.slowest) : Math.min(1.2 * took, SLOWEST))
  }
  return {
    /** There is something to write. */
    due(): void {
      cancel ??= timers.after(Math.max(0, Math.min(flushedAt + interval - clock(), interval)), fire)
    },
    /** One more is given what is new from here on. */
    joined: (): void => void newcomers++,
    fire,
    stop,
    interval: () => interval
  }
}
