/** Clients of stock data that exist, unmodified but for the address: what they hear under /emulate equals the plant's own record. */
import { Alpaca } from '@alpacahq/alpaca-trade-api'
import { restClient, websocketClient } from '@massive.com/client-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPlant, type Plant } from './emulated.ts'
import { until } from './program.ts'

let plant: Plant
beforeAll(async () => {
  plant = await startPlant()
}, 60_000)
afterAll(() => plant.kill())

describe('@alpacahq/alpaca-trade-api', () => {
  /** Its REST address is fixed: whoever routes it through a proxy hands it a fetch. */
  const client = () =>
    new Alpaca({
      keyId: 'any',
      secret: 'any',
      fetchApi: (url, init) => fetch(url.replace('https://data.alpaca.markets', `${plant.http}/emulate/alpaca`), init)
    })
  test.each([
    ['stocks', 'AAPL', 'AAPL', '/v2/iex'],
    ['crypto', 'BTC/USD', 'BTC-USD', '/v1beta3/crypto/us']
  ] as const)(
    'its stream of %s hears, in MessagePack, the trades that the plant recorded',
    async (market, symbol, instrument, path) => {
      const { marketData } = client()
      const url = `${plant.ws}/emulate/alpaca${path}`
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
        const known = await plant.told(instrument)
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

describe('@massive.com/client-js', () => {
  type Row = { ev: string; status?: string; message?: string; sym?: string; pair?: string } & Record<string, number>

  test.each([
    ['stocks', 'AAPL', 'T.AAPL,Q.AAPL', ['T', 'Q']],
    ['crypto', 'BTC-USD', 'XT.BTC-USD,XQ.BTC-USD', ['XT', 'XQ']]
  ] as const)(
    'its stream of %s hears the trades that the plant recorded',
    async (cluster, instrument, params, [trade, quote]) => {
      const socket = websocketClient('any', `${plant.ws}/emulate/massive`)[cluster]()
      const rows: Row[] = []
      // oxlint-disable-next-line unicorn/prefer-add-event-listener -- its sockets of node have no other
      socket.onmessage = ({ data }: { data: unknown }) => {
        for (const row of JSON.parse(String(data)) as Row[]) {
          rows.push(row)
          if (row.status === 'auth_success') socket.send(JSON.stringify({ action: 'subscribe', params }))
        }
      }
      const of = (ev: string) => rows.filter((row) => row.ev === ev)
      try {
        await until('trades and quotes', () => of(trade).length > 2 && of(quote).length > 2)
        const known = await plant.told(instrument)
        expect(of(trade).filter(({ t, p, s }) => !known.has(`${t} ${p} ${s}`))).toEqual([])
        for (const { bp, ap } of of(quote)) expect(bp).toBeLessThan(ap ?? 0)
        expect(of('status').map(({ message }) => message)).toEqual([
          'Connected Successfully',
          'authenticated',
          ...params.split(',').map((item) => `subscribed to: ${item}`)
        ])
      } finally {
        socket.close()
      }
    },
    60_000
  )

  test('its REST reads bars, the last trade and a snapshot', async () => {
    const rest = restClient('any', `${plant.http}/emulate/massive`)
    const last = await until('a trade', () =>
      rest.getLastStocksTrade({ stocksTicker: 'AAPL' }).catch((error: { response?: { status?: number } }) => {
        // There is none yet.
        if (error.response?.status !== 404) throw error
        return undefined
      })
    )
    const { p, s, t = 0 } = last.results as { p: number; s: number; t?: number }
    expect(await plant.told('AAPL')).toContain(`${Math.floor(t / 1e6)} ${p} ${s}`)
    const now = Date.now()
    const span = { multiplier: 1, timespan: 'minute' as const, from: String(now - 3_600_000), to: String(now), limit: 3 }
    expect(await rest.getStocksAggregates({ stocksTicker: 'AAPL', ...span } as never)).toMatchObject({
      ticker: 'AAPL',
      status: 'OK'
    })
    expect(await rest.getStocksSnapshotTicker({ stocksTicker: 'AAPL' })).toMatchObject({ ticker: { ticker: 'AAPL' } })
  }, 60_000)
})
