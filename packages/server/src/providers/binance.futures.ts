/** Binance futures: USD-M with its routed addresses of 2026, and COIN-M. https://developers.binance.com/docs/derivatives */
import { adapter } from './adapter.ts'
import { spoken } from './binance.ts'
import type { Session } from './binance.market.ts'

const LIMITS = {
  subscriptionsPerConnection: 200,
  framesPerSecond: 8, // 10 are allowed, and pongs count
  attempts: { count: 300, per: 300_000 },
  requestsPerSecond: 2
}
/** The server pings each 3 minutes; a question of our own shows life on a quiet symbol too. */
const PING = { every: 15_000, frame: '{"method":"LIST_SUBSCRIPTIONS","id":0}' }
const KINDS = ['trade', 'quote', 'ticker', 'candle', 'book', 'mark', 'index'] as const

/** Books and best prices come by one address, everything else of the market by another. */
const PUBLIC: ReadonlySet<string> = new Set(['quote', 'book'])

export const binanceUsdm = adapter<Session>({
  ...spoken({ api: '/fapi/v1', chained: true }),
  provider: 'binance-usdm',
  title: 'Binance USD-M futures',
  wsUrl: 'wss://fstream.binance.com',
  restUrl: 'https://fapi.binance.com',
  kinds: KINDS,
  offByDefault: true,
  about: {
    docs: 'https://developers.binance.com/docs/derivatives/usds-margined-futures',
    coverage: 'USDT and USDC margined perpetuals and quarterlies of Binance',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: { ...LIMITS, subscriptionsPerConnection: 1024 },
  ping: PING,
  staleAfter: 40_000,
  route: ({ kind }) => (PUBLIC.has(kind) ? 'public' : 'market'),
  dial: (wsUrl, _access, route = 'market') => `${wsUrl.replace(/\/$/, '')}/${route}/stream`
})

/** Sizes are contracts of 100 USD (BTC) or 10 USD (others). */
export const binanceCoinm = adapter<Session>({
  ...spoken({ api: '/dapi/v1', chained: true }),
  provider: 'binance-coinm',
  title: 'Binance COIN-M futures',
  wsUrl: 'wss://dstream.binance.com/stream',
  restUrl: 'https://dapi.binance.com',
  kinds: KINDS,
  offByDefault: true,
  about: {
    docs: 'https://developers.binance.com/docs/derivatives/coin-margined-futures',
    coverage: 'Coin margined (inverse) perpetuals and quarterlies of Binance; sizes in contracts',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: LIMITS,
  ping: PING,
  staleAfter: 40_000
})
