/** `/ws/signals` of the Ziggy endpoints, and their learning: neither service is there yet; docs/websocket-s0-s1.md. */
import type { Dialect } from './dialect.ts'
import { allNotHere, greeting, missingRoutes, notHere } from './ziggy.absent.ts'
import { createChannel, type Heartbeat, type Talk } from './ziggy.channel.ts'
import { reading, setFiltersSchema, symbolsSchema } from './ziggy.messages.ts'
import { find, refusals } from './ziggy.naming.ts'

const SIGNALS = ['GET /signals/signal/*', 'GET /api/signals/signal/*']
const LEARNING = ['/status', '/data/summary', '/results/latest', '/gates'].flatMap((path) => [
  `GET /learning${path}`,
  `GET /api/learning${path}`
])

export function createSignals({ heartbeat }: { heartbeat?: Heartbeat } = {}): Dialect<Talk> {
  return createChannel<Talk>(
    {
      name: 'trading_signals',
      path: '/ws/signals',
      interval: 0,
      running: false,
      begin: (talk, _request, now) => ({ memory: talk, commands: [greeting('signals', now)] }),
      actions: {
        subscribe: (message, { desk }, now) =>
          reading(symbolsSchema, message, now, ({ symbols }) => [
            notHere('signals', now),
            ...refusals(find(desk, symbols).refused, now)
          ]),
        unsubscribe: (message, _memory, now) => reading(symbolsSchema, message, now, () => [notHere('signals', now)]),
        set_filters: (message, _memory, now) => reading(setFiltersSchema, message, now, () => [notHere('signals', now)]),
        ...allNotHere('signals', ['get_snapshot', 'force_update'])
      },
      http: [...missingRoutes('signals', SIGNALS), ...missingRoutes('learning', LEARNING)]
    },
    heartbeat
  )
}

export const signals = createSignals()
