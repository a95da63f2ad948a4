/**
 * When to write: at once after a quiet spell, then once per interval, which only bounds how often we write. An interval of
 * 0 writes at the end of each turn of the event loop.
 */
export function createPace(clock: () => number, every: number, flush: (now: number) => void) {
  let flushedAt = 0
  let timer: NodeJS.Timeout | undefined
  let turn: NodeJS.Immediate | undefined

  const stop = () => {
    clearTimeout(timer)
    clearImmediate(turn)
    timer = turn = undefined
  }
  const fire = () => {
    stop()
    flushedAt = clock()
    flush(flushedAt)
  }
  return {
    /** There is something to write. */
    due(): void {
      if (timer !== undefined || turn !== undefined) return
      const wait = flushedAt + every - clock()
      if (every === 0 || wait <= 0) turn = setImmediate(fire)
      else timer = setTimeout(fire, Math.min(wait, every))
    },
    fire,
    stop
  }
}
