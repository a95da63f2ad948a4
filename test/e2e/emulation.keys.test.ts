/** Clients that exist, set up with a key of ours as their provider's: they work where keys are wanted, and a wrong one is refused. */
import { createHash } from 'node:crypto'
import { Alpaca } from '@alpacahq/alpaca-trade-api'
import { restClient, websocketClient } from '@massive.com/client-js'
import { MainClient } from 'binance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPlant, type Plant } from './emulated.ts'
import { until } from './program.ts'

const TOKEN = 'a-token-of-tickwire'
let plant: Plant
beforeAll(async () => {
  const key = createHash('sha256').update(TOKEN).digest('hex')
  plant = await startPlant(['--set', `auth.keys=${key}`], TOKEN)
}, 60_000)
afterAll(() => plant.kill())

describe('@alpacahq/alpaca-trade-api', () => {
  const client = (keyId: string) =>
    new Alpaca({
      keyId,
      secret: 'any',
      fetchApi: (url, init) => fetch(url.replace('https://data.alpaca.markets', `${plant.http}/emulate/alpaca`), init)
    })
  const stream = (keyId: string) => {
    const heard: number[] = []
    const errors: unknown[] = []
    const socket = client(keyId).marketData.stockStream({ url: `${plant.ws}/emulate/alpaca/v2/iex` })
    socket.onConnect(() => socket.subscribeForTrades(['AAPL']))
    socket.onTrade(({ price }) => heard.push(price))
    socket.onError((error) => errors.push(error))
    socket.connect()
    return { heard, errors, socket }
  }
  test('streams and asks', async () => {
    const { heard, errors, socket } = stream(TOKEN)
    await until('trades', () => heard.length > 0)
    socket.disconnect()
    expect(errors).toEqual([])
    const { stocks } = client(TOKEN).marketData
    expect(Object.keys(await stocks.stockSnapshots({ symbols: 'AAPL' }))).toEqual(['AAPL'])
  }, 60_000)
  test('is refused with another key', async () => {
    const { heard, errors, socket } = stream('another')
    await until('an error', () => errors.length > 0)
    socket.disconnect()
    expect(heard).toEqual([])
    await expect(client('another').marketData.stocks.stockSnapshots({ symbols: 'AAPL' })).rejects.toThrow()
  }, 60_000)
})

describe('@massive.com/client-js', () => {
  type Row = { ev: string; status?: string }
  const stream = (key: string) => {
    const rows: Row[] = []
    const socket = websocketClient(key, `${plant.ws}/emulate/massive`).stocks()
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- its sockets of node have no other
    socket.onmessage = ({ data }: { data: unknown }) => {
      rows.push(...(JSON.parse(String(data)) as Row[]))
      if (rows.at(-1)?.status === 'auth_success') socket.send(JSON.stringify({ action: 'subscribe', params: 'T.AAPL' }))
    }
    return { rows, socket }
  }
  test('streams and asks', async () => {
    const { rows, socket } = stream(TOKEN)
    await until('trades', () => rows.some(({ ev }) => ev === 'T'))
    socket.close()
    const rest = restClient(TOKEN, `${plant.http}/emulate/massive`)
    expect(await rest.getStocksSnapshotTicker({ stocksTicker: 'AAPL' })).toMatchObject({ ticker: { ticker: 'AAPL' } })
  }, 60_000)
  test('is refused with another key', async () => {
    const { rows } = stream('another')
    await until('a refusal', () => rows.some(({ status }) => status === 'auth_failed'))
    const rest = restClient('another', `${plant.http}/emulate/massive`)
    await expect(rest.getStocksSnapshotTicker({ stocksTicker: 'AAPL' })).rejects.toThrow()
  }, 60_000)
})

describe('binance', () => {
  const client = (api_key: string) => new MainClient({ api_key, api_secret: 'any', baseUrl: `${plant.http}/emulate/binance` })
  test('asks', async () => {
    expect((await client(TOKEN).getSymbolPriceTicker({ symbol: 'BTCUSDT' })) as unknown).toMatchObject({ symbol: 'BTCUSDT' })
  })
  test('is refused with another key', async () => {
    await expect(client('another').getSymbolPriceTicker({ symbol: 'BTCUSDT' })).rejects.toMatchObject({ code: -2015 })
  })
})
