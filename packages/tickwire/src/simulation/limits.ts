/** Counts what one provider is asked, and complains when it is more than it allows. */
import type { Adapter } from '@tickwire/server/providers/adapter.ts'

export type LimitOptions = { adapter: Adapter; clock: () => number; complain: (what: string) => void }
export type Meter = ReturnType<typeof createMeter>

/** At most `count` within any `per` ms. */
function createWindow(count: number, per: number) {
  const times: number[] = []
  return (now: number): boolean => {
    while (times.length > 0 && now - times[0]! >= per) times.shift()
    return times.push(now) <= count
  }
}

export function createMeter({ adapter, clock, complain }: LimitOptions) {
  const { provider, limits } = adapter
  const dials = createWindow(limits.attempts.count, limits.attempts.per)
  // Calls are spaced out, so that a second may hold the first of the next one.
  const calls = createWindow(Math.ceil(limits.requestsPerSecond) + 1, 1_000)
  let quietUntil = 0
  return {
    dialled(): void {
      if (!dials(clock()))
        complain(`${provider} is dialled more often than ${limits.attempts.count} times in ${limits.attempts.per} ms`)
    },
    /** Each connection has a pace of its own. */
    sender(): () => void {
      const frames = createWindow(Math.max(1, Math.floor(limits.framesPerSecond)), 1_000)
      return () => {
        if (!frames(clock())) complain(`${provider} is sent more than ${limits.framesPerSecond} frames a second`)
      }
    },
    asked(path: string): void {
      if (clock() < quietUntil) complain(`${provider} is asked for ${path} ${quietUntil - clock()} ms before Retry-After ends`)
      if (!calls(clock())) complain(`${provider} is asked more than ${limits.requestsPerSecond} times a second`)
    },
    /** It was told to wait. */
    hush: (ms: number): void => void (quietUntil = Math.max(quietUntil, clock() + ms))
  }
}
