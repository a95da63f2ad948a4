/** The whole road from a venue of the street through its provider's adapter to a client, for the venues that the demo leaves out. */
import { restClient, websocketClient } from '@massive.com/client-js'
import { startServer, type Server } from '@tickwire/server'
import { configSchema } from '@tickwire/server/config.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { providers as adapters } from '@tickwire/server/providers/index.ts'
import { afterEach, describe, expect, test } from 'vitest'
import { DEMO, VENUES } from '../src/venues.ts'
import { open, street as createStreet, until } from './client.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server whose one provider is a venue of the street. */
async function serve(provider: string) {
  const street = createStreet({ providers: [provider] })
  closing.push(() => street.stop())
  const address = (await street.start())[provider]!
  const others = Object.fromEntries(Object.keys(adapters).map((name) => [name, { enabled: false }]))
  const own = { ...address, enabled: true, key: 'street', secret: 'street' }
  const config = configSchema.parse({ port: 0, watch: [], providers: { ...others, [provider]: own } })
  const server: Server = await startServer(config, { mode: 'demo', log: SILENT })
  closing.push(() => server.stop())
  return { street, server }
}

type Heard = { type?: string; provider?: string; instrument?: string; price?: number; time?: number }
const eventsOf = (texts: readonly string[]): Heard[] => texts.flatMap((text) => JSON.parse(text) as Heard | Heard[])

/** That venue asks for the key on the socket: an adapter that does not greet is never let in, there as at the provider. */
const isMute = adapters['massive']!.greet === undefined

describe('a venue that the demo leaves out delivers its trades through its own adapter', () => {
  test.skipIf(isMute).each([['massive', 'AAPL', 'BTC-USD']])('%s', deliver, 30_000)
  test.each([['finnhub', 'AAPL', 'BTC-USDT']])('%s', deliver, 30_000)

  async function deliver(provider: string, stock: string, pair: string) {
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
  }
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
