import type { Timers } from '../timers.ts'

/**
 * The clock by which clients are judged: the time at which we last took in what they sent. A pong that arrived while this
 * process was held up is read before its sender is called late.
 */
const LOOK = 20

export function createPatience(clock: () => number, timers: Timers) {
  let now = clock()
  // Right after the loop has read its sockets.
  const stop = timers.every(LOOK, () => timers.after(0, () => (now = clock())))
  return { now: () => now, stop }
}

export type Patience = ReturnType<typeof createPatience>
