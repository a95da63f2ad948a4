/** Clients that exist, unmodified but for the address: what they receive under /emulate equals the plant's own record. */
import { pro } from 'ccxt'
import { MainClient, WebsocketClient } from 'binance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPlant, type Plant } from './emulated.ts'
import { until } from './program.ts'

let plant: Plant
beforeAll(async () => {
  plant = await startPlant()
}, 60_000)
afterAll(() => plant.kill())

type Watcher = {
  loadMarkets: () => Promise<unknown>
  watchTrades: (symbol: string) => Promise<{ id?: string; price: number; amount?: number }[]>
  watchTicker: (symbol: string) => Promise<{ last?: number }>
  watchOrderBook: (symbol: string) => Promise<{ bids: unknown[][]; asks: unknown[][] }>
  loadHttpProxyAgent: () => Promise<unknown>
  close: () => Promise<unknown>
  urls: { api: Record<string, unknown> }
  options: Record<string, unknown>
}
const watcher = (name: 'binance' | 'kraken' | 'coinbase'): Watcher => new pro[name]() as unknown as Watcher

describe('ccxt', () => {
  test('its Kraken class fetches the tickers of all pairs', async () => {
    const client = new pro.kraken()
    client.urls.api.public = `${plant.http}/emulate/kraken`
    await client.loadMarkets()
    const tickers = await client.fetchTickers()
    expect(tickers['BTC/USD']?.last).toBeGreaterThan(0)
    await client.close()
  })

  test.each([
    [
      'binance',
      'BTC/USDT',
      (client: Watcher) => {
        client.options.fetchMarkets = ['spot']
        client.urls.api.public = `${plant.http}/emulate/binance/api/v3`
        ;(client.urls.api.ws as Record<string, string>).spot = `${plant.ws}/emulate/binance/ws`
      }
    ],
    [
      'kraken',
      'BTC/USD',
      (client: Watcher) => {
        client.urls.api.public = `${plant.http}/emulate/kraken`
        ;(client.urls.api.ws as Record<string, string>).publicV2 = `${plant.ws}/emulate/kraken/v2`
      }
    ],
    [
      'coinbase',
      'BTC/USD',
      (client: Watcher) => {
        client.urls.api.rest = `${plant.http}/emulate/coinbase`
        client.urls.api.ws = `${plant.ws}/emulate/coinbase`
      }
    ]
  ] as const)(
    'its %s class watches trades, a ticker and a book',
    async (name, symbol, point) => {
      const client = watcher(name)
      point(client)
      await client.loadHttpProxyAgent()
      try {
        await client.loadMarkets()
        const trades = await client.watchTrades(symbol)
        await plant.expectRecorded(
          symbol.replace('/', '-'),
          trades.map(({ id, price, amount }) => ({ id: id!, price, size: amount! }))
        )
        expect((await client.watchTicker(symbol)).last).toBeGreaterThan(0)
        const { bids, asks } = await client.watchOrderBook(symbol)
        expect(Number(bids[0]![0])).toBeLessThan(Number(asks[0]![0]))
      } finally {
        await client.close()
      }
    },
    60_000
  )
})

test('the connector `binance` streams trades and asks for the market', async () => {
  const rest = new MainClient({ baseUrl: `${plant.http}/emulate/binance` })
  expect((await rest.getSymbolPriceTicker({ symbol: 'BTCUSDT' })) as unknown).toMatchObject({ symbol: 'BTCUSDT' })
  const client = new WebsocketClient({ wsUrl: `${plant.ws}/emulate/binance/ws` })
  const heard: { id: string; price: number; size: number }[] = []
  client.on('message', (message: unknown) => {
    const { e, a, p, q } = message as { e?: string; a: number; p: string; q: string }
    if (e === 'aggTrade') heard.push({ id: String(a), price: Number(p), size: Number(q) })
  })
  client.on('exception', () => {})
  void client.subscribe(['btcusdt@aggTrade'], 'main')
  try {
    await until('aggregated trades', () => heard.length > 2)
    await plant.expectRecorded('BTC-USDT', heard)
  } finally {
    client.closeAll(true)
  }
}, 60_000)
