/** A wait that ends early when `signal` aborts, and leaves no listener behind when it does not. */
import type { Timers } from '../timers.ts'

export function pause({ after }: Timers, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = after(ms, done)
    signal.addEventListener('abort', done)
  })
}
