/** A stand on which something happens: trades, quotes, candles, a ticker and a book, a hundred times a second. */
import type { Candle } from '@tickwire/protocol'
import { native } from '@tickwire/server/dialects/native.ts'
import type { GatewayOptions } from '@tickwire/server/gateway/gateway.ts'
import { createStand, type Stand } from './stand.ts'

const INSTRUMENTS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'AAPL', 'GOOGL']
const stamp = (n: number, instrument: string) => ({ provider: 'kraken', instrument, time: n, received: n })

export const candle = (n: number, closed: boolean, instrument = 'ETH-USDT'): Candle => {
  const prices = { open: 1, high: 2, low: 1, close: 2, volume: n, trades: n }
  return { type: 'candle', ...stamp(n, instrument), interval: '1m', start: 60_000, ...prices, closed, revision: n }
}

const refusing = () => Promise.resolve({ outcome: 'failed' as const, message: '', after: 0 })
/** What REST answers from; of these candles. */
export const restOf = (candles: () => Candle[]) => ({
  providers: () => [],
  hops: () => [],
  moving: () => [],
  groups: () => [],
  gaps: () => [],
  arbitration: () => [],
  confidence: () => ({ reliability: {}, calibrations: [] }),
  standing: { books: () => [], resync: refusing, reconnect: refusing },
  candles: () => Promise.resolve({ candles: candles() }),
  watched: () => [],
  mode: 'demo' as const,
  ready: () => true,
  startedAt: 0,
  build: { version: 'test' }
})

export async function openMarket(
  dialects: GatewayOptions['dialects'] = [native]
): Promise<{ stand: Stand; market: { close: () => void } }> {
  const stand = await createStand({ dialects, rest: restOf(() => [candle(0, true)]) })
  let n = 0
  const timer = setInterval(() => {
    n++
    for (const instrument of INSTRUMENTS) {
      stand.trade(100 + n, instrument)
      // Ten up, ten down: a momentum that turns.
      stand.quote(100 + (n % 20 < 10 ? n : -n), instrument)
      stand.plant.publish(`ticker:${instrument}`, { type: 'ticker', ...stamp(n, instrument), last: 100 + n }, n)
    }
    for (const instrument of ['ETH-USDT', 'BTC-USDT'])
      stand.plant.publish(`candle:${instrument}:1m`, candle(n, false, instrument), n)
    stand.plant.publish('book:ETH-USDT', { type: 'book', ...stamp(n, 'ETH-USDT'), bids: [[1, 1]], asks: [[2, 1]] }, n)
  }, 10)
  return { stand, market: { close: () => clearInterval(timer) } }
}
