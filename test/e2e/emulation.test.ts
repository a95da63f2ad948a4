/** Clients that exist, unmodified but for the address: what they receive under /emulate equals the plant's own record. */
import { Alpaca } from '@alpacahq/alpaca-trade-api'
import { pro } from 'ccxt'
import { MainClient, WebsocketClient } from 'binance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, until, type Program } from './program.ts'

let program: Program
let http: string
let ws: string
beforeAll(async () => {
  program = await run(['--port', '0', '--set', 'street.control=0', '--set', 'log.level=error'], /Tickwire {2}http:\/\/(\S+)/)
  http = `http://${program.found[1]}`
  ws = `ws://${program.found[1]}`
  await until('the page’s prices', async () => (await fetch(`${http}/ready`)).ok)
}, 60_000)
afterAll(() => program.kill())

type Print = { id?: string; price: number; size: number; time: number }
/** The plant's own last trades, by id. */
async function record(instrument: string): Promise<Map<string, Print>> {
  const answer = (await (await fetch(`${http}/v1/trades/${instrument}?limit=500`)).json()) as { trades?: Print[] } | Print[]
  const trades = Array.isArray(answer) ? answer : (answer.trades ?? [])
  return new Map(trades.map((trade) => [String(trade.id), trade]))
}
async function expectRecorded(instrument: string, heard: readonly { id: string; price: number; size: number }[]): Promise<void> {
  expect(heard.length).toBeGreaterThan(0)
  const known = await record(instrument)
  const met = heard.filter(({ id }) => known.has(id))
  expect(met.length).toBeGreaterThan(0)
  for (const { id, price, size } of met)
    expect({ price: known.get(id)!.price, size: known.get(id)!.size }).toEqual({ price, size })
}

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
  test.each([
    [
      'binance',
      'BTC/USDT',
      (client: Watcher) => {
        client.options.fetchMarkets = ['spot']
        client.urls.api.public = `${http}/emulate/binance/api/v3`
        ;(client.urls.api.ws as Record<string, string>).spot = `${ws}/emulate/binance/ws`
      }
    ],
    [
      'kraken',
      'BTC/USD',
      (client: Watcher) => {
        client.urls.api.public = `${http}/emulate/kraken`
        ;(client.urls.api.ws as Record<string, string>).publicV2 = `${ws}/emulate/kraken/v2`
      }
    ],
    [
      'coinbase',
      'BTC/USD',
      (client: Watcher) => {
        client.urls.api.rest = `${http}/emulate/coinbase`
        client.urls.api.ws = `${ws}/emulate/coinbase`
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
        await expectRecorded(
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
  const rest = new MainClient({ baseUrl: `${http}/emulate/binance` })
  expect((await rest.getSymbolPriceTicker({ symbol: 'BTCUSDT' })) as unknown).toMatchObject({ symbol: 'BTCUSDT' })
  const client = new WebsocketClient({ wsUrl: `${ws}/emulate/binance/ws` })
  const heard: { id: string; price: number; size: number }[] = []
  client.on('message', (message: unknown) => {
    const { e, a, p, q } = message as { e?: string; a: number; p: string; q: string }
    if (e === 'aggTrade') heard.push({ id: String(a), price: Number(p), size: Number(q) })
  })
  client.on('exception', () => {})
  void client.subscribe(['btcusdt@aggTrade'], 'main')
  try {
    await until('aggregated trades', () => heard.length > 2)
    await expectRecorded('BTC-USDT', heard)
  } finally {
    client.closeAll(true)
  }
}, 60_000)

describe('@alpacahq/alpaca-trade-api', () => {
  /** Its REST address is fixed: whoever routes it through a proxy hands it a fetch. */
  const client = () =>
    new Alpaca({
      keyId: 'any',
      secret: 'any',
      fetchApi: (url, init) => fetch(url.replace('https://data.alpaca.markets', `${http}/emulate/alpaca`), init)
    })
  /** The plant's own last trades, by what a tape tells of them. */
  const recorded = async (instrument: string): Promise<Set<string>> =>
    new Set([...(await record(instrument)).values()].map(({ price, size, time }) => `${time} ${price} ${size}`))

  test.each([
    ['stocks', 'AAPL', 'AAPL', '/v2/iex'],
    ['crypto', 'BTC/USD', 'BTC-USD', '/v1beta3/crypto/us']
  ] as const)(
    'its stream of %s hears, in MessagePack, the trades that the plant recorded',
    async (market, symbol, instrument, path) => {
      const { marketData } = client()
      const url = `${ws}/emulate/alpaca${path}`
      const stream = market === 'stocks' ? marketData.stockStream({ url }) : marketData.cryptoStream({ url })
      const heard: string[] = []
      const quotes: { bidPrice?: number; askPrice?: number }[] = []
      const errors: unknown[] = []
      stream.onConnect(() => {
        stream.subscribeForTrades([symbol])
        stream.subscribeForQuotes([symbol])
      })
      stream.onTrade(({ symbol: of, price, size, timestamp }) => {
        if (of === symbol) heard.push(`${timestamp.getTime()} ${price} ${size}`)
      })
      stream.onQuote((quote) => quotes.push(quote))
      stream.onError((error) => errors.push(error))
      stream.connect()
      try {
        await until('trades and quotes', () => heard.length > 2 && quotes.length > 2)
        const known = await recorded(instrument)
        expect(heard.filter((trade) => !known.has(trade))).toEqual([])
        for (const { bidPrice, askPrice } of quotes) expect(bidPrice).toBeLessThan(askPrice!)
        expect(errors).toEqual([])
      } finally {
        stream.disconnect()
      }
    },
    60_000
  )

  test('its REST reads snapshots and bars', async () => {
    const { stocks } = client().marketData
    const snapshots = await stocks.stockSnapshots({ symbols: 'AAPL,MSFT' })
    expect(Object.keys(snapshots)).toEqual(['AAPL', 'MSFT'])
    const { bars } = await stocks.stockBars({ symbols: 'AAPL', timeframe: '1Min', limit: 5 })
    expect(bars['AAPL']!.length).toBeGreaterThan(0)
  }, 60_000)
})
