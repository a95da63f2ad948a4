import type { Cancel, Timers } from '../timers.ts'

/**
 * When to write: at once after a quiet spell, then once per interval, which only bounds how often we write. An interval of
 * 0 writes at the end of each turn of the event loop.
 */
export function createPace(clock: () => number, timers: Timers, every: number, flush: (now: number) => void) {
  let flushedAt = 0
  let cancel: Cancel | undefined

  const stop = () => {
    cancel?.()
    cancel = undefined
  }
  const fire = () => {
    stop()
    flushedAt = clock()
    flush(flushedAt)
  }
  return {
    /** There is something to write. */
    due(): void {
      cancel ??= timers.after(Math.min(flushedAt + every - clock(), every), fire)
    },
    fire,
    stop
  }
}
