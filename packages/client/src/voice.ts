/** What the client says of itself. A listener or callback that throws is reported, and never stops another. */
import type { GapFilled, Published, Status } from '@tickwire/protocol'
import type {
  ConnectionState,
  Contracted,
  Failover,
  Failure,
  Hole,
  Lost,
  Reconnecting,
  Reset,
  Resumed,
  Shutdown
} from './state.ts'
import { wordsOf } from './words.ts'

export type ClientEvents = {
  state: ConnectionState
  /** The connection was lost, and will be tried again. */
  reconnecting: Reconnecting
  failover: Failover
  status: Published<Status>
  gap: Hole
  gap_filled: Published<GapFilled>
  lost: Lost
  contract: Contracted
  resumed: Resumed
  reset: Reset
  error: Failure
  shutdown: Shutdown
}
export const EVENTS: readonly (keyof ClientEvents)[] = [
  'state',
  'status',
  'gap',
  'gap_filled',
  'lost',
  'contract',
  'resumed',
  'reset',
  'error',
  'shutdown',
  'reconnecting',
  'failover'
]

export type Voice = ReturnType<typeof createVoice>
export function createVoice() {
  const listeners = new Map<keyof ClientEvents, Set<(report: never) => void>>(EVENTS.map((name) => [name, new Set()]))

  function emit<N extends keyof ClientEvents>(name: N, report: ClientEvents[N]): void {
    const heard = listeners.get(name)!
    if (name === 'error' && heard.size === 0) console.error(`tickwire: ${(report as Failure).message}`)
    for (const listener of heard)
      guarded(listener as (report: ClientEvents[N]) => unknown, report, `a listener of '${name}'`, name === 'error')
  }
  function failed(cause: unknown, what: string, last = false): void {
    const message = `${what} threw: ${wordsOf(cause)}`
    if (last) console.error(`tickwire: ${message}`)
    else emit('error', { code: 'CALLBACK', message, retry: false, cause })
  }
  function guarded<T>(run: (value: T) => unknown, value: T, what: string, last = false): void {
    try {
      const returned = run(value)
      // An async callback fails later, and must not end the process as an unhandled rejection.
      if (returned instanceof Promise) returned.catch((cause: unknown) => failed(cause, what, last))
    } catch (cause) {
      failed(cause, what, last)
    }
  }
  /** Returns the function that stops listening. */
  const on = <N extends keyof ClientEvents>(name: N, listener: (report: ClientEvents[N]) => void): (() => void) => {
    const heard = listeners.get(name)
    if (!heard) throw new TypeError(`on: there is no event ${JSON.stringify(name)}; there are ${EVENTS.join(', ')}`)
    const mine = (report: never): unknown => listener(report)
    heard.add(mine)
    return () => void heard.delete(mine)
  }
  return { emit, failed, guarded, on }
}
