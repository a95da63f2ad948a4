/** The whole road from a venue of the street through its provider's adapter to a client, for the venues that the demo leaves out. */
import { restClient, websocketClient } from '@massive.com/client-js'
import { describe, expect, test } from 'vitest'
import { DEMO, VENUES } from '../src/venues.ts'
import { open, street as createStreet, until } from './client.ts'
import { closing, serve } from './serve.ts'

type Heard = { type?: string; provider?: string; instrument?: string; price?: number; time?: number }
const eventsOf = (texts: readonly string[]): Heard[] => texts.flatMap((text) => JSON.parse(text) as Heard | Heard[])

describe('a venue that the demo leaves out delivers its trades through its own adapter', () => {
  test.each([
    ['massive', 'AAPL', 'BTC-USD'],
    ['finnhub', 'AAPL', 'BTC-USDT']
  ])('%s', async (provider, stock, pair) => {
    const { street, server } = await serve(provider)
    await until(() => street.report().every(({ open }) => open))
    const listed = async (instrument: string) => (await fetch(`${server.url}/v1/instruments/${instrument}`)).ok
    for (const instrument of [stock, pair]) while (!(await listed(instrument))) await new Promise((next) => setTimeout(next, 20))
    const client = await open(`${server.url.replace('http', 'ws')}/v1/ws`)
    client.send({ op: 'subscribe', topics: [`trade:${stock}`, `trade:${pair}`] })
    const told = (instrument: string) =>
      eventsOf(client.texts).filter((event) => event.type === 'trade' && event.instrument === instrument)
    await until(() => told(stock).length > 2 && told(pair).length > 2)
    for (const instrument of [stock, pair]) {
      const made = street.plant(provider).recent(`trade:${instrument}`, 1_000)
      for (const trade of told(instrument)) {
        expect(trade.provider).toBe(provider)
        expect(made).toContainEqual(expect.objectContaining({ type: 'trade', price: trade.price, time: trade.time }))
      }
    }
    client.socket.close()
  })
})

describe("the vendor's own client, unmodified but for the address", () => {
  test('asks and streams', async () => {
    const street = createStreet({ providers: ['massive'] })
    closing.push(() => street.stop())
    const { wsUrl, restUrl } = (await street.start())['massive']!
    const rest = restClient('k', restUrl)
    const now = Date.now()
    const span = { multiplier: 1, timespan: 'minute' as const, from: String(now - 3_600_000), to: String(now), limit: 3 }
    const bars = await rest.getStocksAggregates({ stocksTicker: 'AAPL', ...span } as never)
    expect(bars).toMatchObject({ ticker: 'AAPL', resultsCount: 3, status: 'OK' })
    expect(await rest.getLastStocksTrade({ stocksTicker: 'AAPL' })).toMatchObject({
      status: 'OK',
      results: { T: 'AAPL' }
    })
    expect(await rest.getStocksSnapshotTicker({ stocksTicker: 'AAPL' })).toMatchObject({ ticker: { ticker: 'AAPL' } })
    const socket = websocketClient('k', wsUrl).stocks()
    const seen = new Set<string>()
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- its sockets of node have no other
    socket.onmessage = ({ data }: { data: unknown }) => {
      for (const { ev, status } of JSON.parse(String(data)) as { ev: string; status?: string }[]) {
        seen.add(ev)
        if (status === 'auth_success') socket.send(JSON.stringify({ action: 'subscribe', params: 'T.*,Q.*,A.*' }))
      }
    }
    await until(() => ['T', 'Q', 'A'].every((ev) => seen.has(ev)))
    socket.close()
  })
})

test('the demo opens its four venues, and a named one opens alone', async () => {
  expect(DEMO).toEqual(['binance', 'coinbase', 'kraken', 'alpaca'])
  expect(
    createStreet()
      .report()
      .map(({ provider }) => provider)
  ).toEqual(DEMO)
  const all = Object.keys(VENUES)
  expect(createStreet({ providers: all }).report()).toHaveLength(all.length)
})
