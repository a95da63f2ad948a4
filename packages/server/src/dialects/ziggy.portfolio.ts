/** `/ws/portfolio` of the Ziggy endpoints: the service of portfolios is not there yet; docs/websocket-s0-s1.md. */
import type { Dialect } from './dialect.ts'
import { allNotHere, greeting, missingRoutes } from './ziggy.absent.ts'
import { createChannel, type Heartbeat, type Talk } from './ziggy.channel.ts'

const ACTIONS = ['subscribe', 'unsubscribe', 'set_filters', 'get_snapshot', 'force_update']
const ROUTES = ['/trade/portfolio', '/trade/positions'].flatMap((path) => [`GET ${path}`, `GET /trading${path}`])
const INTERVAL = 5_000

export function createPortfolio({ heartbeat }: { heartbeat?: Heartbeat } = {}): Dialect<Talk> {
  return createChannel<Talk>(
    {
      name: 'portfolio',
      path: '/ws/portfolio',
      interval: INTERVAL,
      running: false,
      begin: (talk, _request, now) => ({ memory: talk, commands: [greeting('portfolio', now)] }),
      actions: allNotHere('portfolio', ACTIONS),
      http: missingRoutes('portfolio', ROUTES)
    },
    heartbeat
  )
}

export const portfolio = createPortfolio()
