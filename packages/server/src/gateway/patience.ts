/**
 * The clock by which clients are judged: the time at which we last took in what they sent. A pong that arrived while this
 * process was held up is read before its sender is called late.
 */
const LOOK = 20

export function createPatience(clock: () => number) {
  let now = clock()
  // Immediates run right after the loop has read its sockets.
  const timer = setInterval(() => setImmediate(() => (now = clock())), LOOK)
  timer.unref()
  return { now: () => now, stop: () => clearInterval(timer) }
}

export type Patience = ReturnType<typeof createPatience>
