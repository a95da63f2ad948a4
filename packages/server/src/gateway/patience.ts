/**
 * A clock for judging clients: it stands still while this process itself was held up, so that a busy server never takes
 * its own lateness for theirs.
 */
const LOOK = 20
const MOST = 3 * LOOK

export function createPatience(clock: () => number) {
  let looked = clock()
  let now = 0
  const timer = setInterval(() => {
    const at = clock()
    now += Math.max(0, Math.min(at - looked, MOST))
    looked = at
  }, LOOK)
  timer.unref()
  return { now: () => now, stop: () => clearInterval(timer) }
}

export type Patience = ReturnType<typeof createPatience>
