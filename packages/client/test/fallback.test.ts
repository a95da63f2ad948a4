/** Where no WebSocket gets through: server-sent events, then polling, with the same events to the reader, and back by itself. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHash } from 'node:crypto'
import type { ClientEvents, Options, Published } from '../src/index.ts'
import { PACES, sortOf } from '../src/polling.ts'
import { createProxy, type Proxy } from './proxy.ts'
import { createStand, FAST, until, type Stand } from './stand.ts'

let stand: Stand
let proxy: Proxy
const QUICK = { polling: { market: 30, alerts: 40 }, retryEvery: 60_000 }

beforeEach(async () => {
  stand = await createStand()
  proxy = await createProxy(stand.port)
})
afterEach(async () => {
  await stand.close()
  await proxy.close()
})

function listen(options: Partial<Options> = {}, topic = 'trade:BTCUSDT') {
  const client = stand.connect({ url: proxy.url, backoff: FAST, fallback: QUICK, ...options })
  const heard: Published[] = []
  const told: { [N in keyof ClientEvents]?: ClientEvents[N][] } = {}
  for (const name of ['gap', 'lost', 'contract', 'resumed', 'reset', 'error'] as const)
    client.on(name, (report) => ((told[name] ??= []) as unknown[]).push(report))
  const { ready } = client.subscribe(topic, (event) => heard.push(event))
  const seqs = () => heard.map(({ seq }) => seq)
  return {
    client,
    heard,
    told,
    ready,
    seqs,
    via: (way: string) => until(() => client.state().via === way, `via ${way}, not ${JSON.stringify(client.state())}`)
  }
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

describe('[S1-40] [S4-27] behind a proxy that lets no WebSocket through', () => {
  test.each(['refused', 'closed'] as const)(
    'upgrades are %s: server-sent events bring every trade once and in order',
    async (upgrades) => {
      proxy.rules.upgrades = upgrades
      stand.trade(1)
      const { ready, seqs, via, client, told } = listen()
      await via('sse')
      expect(await ready).toMatchObject([{ asked: 'trade:BTCUSDT', topic: 'trade:BTC-USDT', ok: true }])
      for (let price = 2; price <= 300; price++) stand.trade(price)
      await until(() => seqs().length === 300)
      expect(seqs()).toEqual(upTo(300))
      expect(told.gap ?? []).toEqual([])
      expect(client.state().hello).toMatchObject({ mode: 'demo', epoch: 'epoch-1' })
    }
  )

  test('another subscription on the way makes no hole and no double in the first', async () => {
    const { seqs, via, client, told, ready } = listen()
    await via('sse')
    await ready
    const quotes: Published[] = []
    for (let price = 1; price <= 100; price++) {
      stand.trade(price)
      if (price === 40) client.subscribe('quote:ETH-USDT', (event) => quotes.push(event))
      if (price % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    stand.quote(5, 'ETH-USDT')
    await until(() => seqs().length === 100 && quotes.length > 0)
    expect(seqs()).toEqual(upTo(100))
    expect(told).toEqual({})
  })

  test('a stream that is cut goes on where it was', async () => {
    const { seqs, via, told, ready } = listen()
    await via('sse')
    await ready
    for (let price = 1; price <= 10; price++) stand.trade(price)
    await until(() => seqs().length === 10)
    proxy.cut()
    for (let price = 11; price <= 20; price++) stand.trade(price)
    await until(() => seqs().length === 20)
    expect(seqs()).toEqual(upTo(20))
    expect(told.resumed).toHaveLength(1)
    expect(told.gap ?? told.reset ?? told.lost).toBeUndefined()
  })

  test('what is refused is refused alone, with its code and the nearest names', async () => {
    const { client, via, told } = listen()
    await via('sse')
    const { ready } = client.subscribe(['trade:BTC-USDX', 'trade:ETH-USDT', 'nonsense'], () => {})
    expect(await ready).toMatchObject([
      { asked: 'trade:BTC-USDX', ok: false, code: 'BAD_SYMBOL', nearest: ['BTC-USDT'] },
      { asked: 'trade:ETH-USDT', ok: true },
      { asked: 'nonsense', ok: false, code: 'BAD_TOPIC' }
    ])
    expect(told.error).toHaveLength(2)
  })

  test('a hundred topics at once are all answered, over several streams', async () => {
    const names = ['trade', 'quote', 'ticker', 'book'].flatMap((kind) =>
      ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'AAPL', 'MSFT', 'NVDA', 'GOOGL'].map((id) => `${kind}:${id}`)
    )
    const { client, via } = listen()
    await via('sse')
    const { ready } = client.subscribe(names, () => {})
    expect((await ready).filter(({ ok }) => !ok)).toEqual([])
  })

  test('what is asked for one after the other, while a stream is being opened, is answered', async () => {
    const { client, via } = listen()
    await via('sse')
    const all = []
    for (const id of ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'AAPL', 'MSFT', 'NVDA']) {
      const before = proxy.seen.streams
      all.push(client.subscribe(`quote:${id}`, () => {}).ready)
      await until(() => proxy.seen.streams > before)
    }
    expect((await Promise.all(all)).flat().filter(({ ok }) => !ok)).toEqual([])
  })

  test('it goes back to a WebSocket by itself once one gets through, without hole or double', async () => {
    const { seqs, via, told, ready } = listen({ fallback: { ...QUICK, retryEvery: 50 } })
    await via('sse')
    await ready
    let price = 0
    const pump = setInterval(() => stand.trade(++price), 2)
    try {
      await until(() => seqs().length > 20)
      proxy.rules.upgrades = 'let through'
      await via('websocket')
      const there = seqs().length
      await until(() => seqs().length > there + 20)
    } finally {
      clearInterval(pump)
    }
    await until(() => seqs().length === price)
    expect(seqs()).toEqual(upTo(price))
    expect(told.gap ?? told.lost ?? told.reset).toBeUndefined()
  })

  test('a token is sent with each request; a wrong one ends the client', async () => {
    await stand.close()
    await proxy.close()
    const key = createHash('sha256').update('right').digest('hex')
    stand = await createStand({ auth: { keys: [key] } })
    proxy = await createProxy(stand.port)
    const good = listen({ token: 'right' })
    await good.via('sse')
    stand.trade(1)
    await until(() => good.seqs().length === 1)
    const tokens: string[] = []
    const bad = listen({ token: () => (tokens.push('asked'), 'wrong') })
    await until(() => bad.client.state().phase === 'closed')
    expect(bad.client.state().reason).toMatch(/new token was no better/)
    expect(tokens.length).toBe(2)
  })
})

describe('[S1-40] [S1-41] behind a proxy that cuts streams as well', () => {
  beforeEach(() => {
    proxy.rules.streams = false
  })

  test('it polls, says so in the contract, and counts what it could not bring', async () => {
    stand.trade(1)
    const { via, seqs, told, ready } = listen()
    await via('polling')
    expect(await ready).toMatchObject([{ ok: true, topic: 'trade:BTC-USDT', contract: { delivery: 'sampled', interval: 30 } }])
    await until(() => seqs().length === 1)
    for (let price = 2; price <= 50; price++) stand.trade(price)
    await until(() => seqs().at(-1) === 50)
    const missed = (told.lost ?? []).reduce((sum, { count }) => sum + count, 0)
    expect(missed + seqs().length).toBe(50)
    expect(told.lost?.[0]).toMatchObject({ where: 'polling', topic: 'trade:BTC-USDT' })
    expect(told.gap).toBeUndefined()
  })

  test('[S1-41] what did not change is not told again', async () => {
    stand.quote(1)
    const { via, heard } = listen({}, 'quote:BTC-USDT')
    await via('polling')
    await until(() => heard.length === 1)
    const before = proxy.seen.polls
    await until(() => proxy.seen.polls > before + 3)
    expect(heard).toHaveLength(1)
  })

  test('it goes back to a WebSocket by itself, and resumes there with each trade', async () => {
    const { via, seqs, told } = listen({ fallback: { ...QUICK, retryEvery: 50 } })
    await via('polling')
    stand.trade(1)
    await until(() => seqs().length === 1)
    proxy.rules.upgrades = 'let through'
    await via('websocket')
    for (let price = 2; price <= 20; price++) stand.trade(price)
    await until(() => seqs().length === 20)
    expect(seqs()).toEqual(upTo(20))
    expect(told.contract?.at(-1)).toMatchObject({ topics: ['trade:BTC-USDT'], contract: { delivery: 'every' } })
  })

  test('where streams come through again before WebSockets do, it takes those', async () => {
    const { via } = listen({ fallback: { ...QUICK, retryEvery: 50 } })
    await via('polling')
    proxy.rules.streams = true
    await via('sse')
  })
})

test('[S1-40] each sort of data has the period of its own', () => {
  expect(PACES).toEqual({ market: 5_000, news: 30_000, alerts: 10_000, signals: 15_000, portfolio: 10_000 })
  expect((['trade', 'candle', 'news', 'halt', 'breadth', 'position'] as const).map(sortOf)).toEqual([
    'market',
    'market',
    'news',
    'alerts',
    'signals',
    'portfolio'
  ])
})

test('a lesser road that leads nowhere either is left: whatever is open when the server is back is found anew', async () => {
  const { via, client } = listen()
  await via('sse')
  proxy.rules.http = false
  proxy.cut()
  await until(() => client.state().attempt > 2)
  proxy.rules.upgrades = 'let through'
  proxy.rules.http = true
  await via('websocket')
})

test('a server that is down is no blocked road: its clients come back by WebSocket', async () => {
  proxy.rules.upgrades = 'let through'
  const { via, client } = listen()
  await via('websocket')
  proxy.rules.http = false
  proxy.rules.upgrades = 'closed'
  proxy.cut()
  const before = proxy.seen.upgrades
  await until(() => proxy.seen.upgrades > before && client.state().attempt > 4)
  proxy.rules.http = true
  proxy.rules.upgrades = 'let through'
  await via('websocket')
  expect(proxy.seen.streams).toBe(0)
})
