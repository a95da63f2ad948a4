import { afterEach, describe, expect, test } from 'vitest'
import type { Decoded } from '../../src/connection/connection.ts'
import { createPool, type PoolHooks, type PoolOptions } from '../../src/connection/pool.ts'
import type { Adapter, Subscription } from '../../src/providers/adapter.ts'
import { json, openVenue, until, venueAdapter, type VenueSession } from '../feed/venue.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const LIMITS = {
  subscriptionsPerConnection: 100,
  framesPerSecond: 50,
  attempts: { count: 100, per: 1_000 },
  requestsPerSecond: 100
}
const trades = (...symbols: string[]): Subscription[] => symbols.map((symbol) => ({ kind: 'trade', symbol }))
const trade = (symbol: string, id: string) => ({ type: 'trade', symbol, id, price: 1, size: 1, side: 'buy', time: Date.now() })

async function open(
  change: Partial<Adapter<VenueSession>> = {},
  more: Partial<PoolOptions> = {},
  answers: Parameters<typeof openVenue>[0] = {}
) {
  const venue = await openVenue(answers)
  closing.push(() => venue.close())
  const events: (Decoded & { connection: number })[] = []
  const log: string[] = []
  const hooks: PoolHooks = {
    onEvent: (event, _, connection) => events.push({ ...event, connection }),
    onGap: ({ symbol }, __, action) => log.push(`gap ${symbol ?? '*'} ${action}`),
    onClosed: (carried, reason) => log.push(`closed ${carried.map((s) => s.symbol).join()}: ${reason}`),
    onFilled: () => undefined,
    onUnfilled: () => undefined,
    onRejected: (reason, s) => log.push(`rejected ${s?.symbol ?? '*'}: ${reason}`),
    onRefused: () => log.push('refused'),
    onListing: () => undefined,
    onPhase: () => undefined,
    isOutage: () => false,
    onDefect: (error) => log.push(String(error)),
    onNotice: (what) => log.push(what)
  }
  const adapter = venueAdapter('a', change)
  const pool = createPool({
    adapter, wsUrl: venue.wsUrl, restUrl: venue.restUrl, readAccess: () => ({}), clock: Date.now, random: () => 0.5, hooks,
    settings: { backoff: { base: 20, cap: 50 } }, ...more
  }) // prettier-ignore
  const timer = setInterval(() => pool.tick(Date.now()), 10)
  closing.push(() => {
    clearInterval(timer)
    pool.stop()
  })
  return { venue, pool, events, log, status: () => pool.status(Date.now(), true, 0) }
}

/** The latency told after trades with times this far from now. */
const latencyOf = async (more: Partial<PoolOptions>, offsets: readonly number[]) => {
  const { venue, pool, status, events } = await open({}, more)
  pool.want(trades('A'))
  await until(() => pool.isLive(trades('A')[0]!))
  offsets.forEach((ms, i) => venue.say({ ...trade('A', `${i}`), time: Date.now() + ms }))
  await until(() => events.length === offsets.length)
  return status().latency
}

describe('the connections of a provider', () => {
  test('subscriptions are split over as many connections as the provider’s limit asks for', async () => {
    const { venue, pool, status } = await open({ limits: { ...LIMITS, subscriptionsPerConnection: 2 } })
    pool.want(trades('A', 'B', 'C', 'D', 'E'))
    await until(() => venue.asked.length === 3)
    expect(venue.asked.map((f) => (JSON.parse(f) as { subscribe: string[] }).subscribe.length).sort((x, y) => x - y)).toEqual([
      1, 2, 2
    ])
    await until(() => pool.isLive(trades('E')[0]!))
    expect(status()).toMatchObject({ phase: 'live', connections: 3, subscriptions: 5 })
    pool.drop(trades('A', 'B'))
    await until(() => venue.sockets.size === 2)
    expect(status()).toMatchObject({ phase: 'live', connections: 2, subscriptions: 3 })
  })

  test('never more connection attempts in a window than the provider allows', async () => {
    const { venue, pool } = await open({ limits: { ...LIMITS, subscriptionsPerConnection: 1, attempts: { count: 2, per: 400 } } })
    pool.want(trades('A', 'B', 'C'))
    await until(() => venue.asked.length === 2)
    const began = Date.now()
    expect(venue.accepted()).toBe(2)
    await until(() => venue.asked.length === 3)
    expect(Date.now() - began).toBeGreaterThan(200)
  })

  test('a lost connection tells what it carried, comes back and subscribes anew', async () => {
    const { venue, pool, log, status } = await open()
    pool.want(trades('A', 'B'))
    await until(() => pool.isLive(trades('A')[0]!))
    venue.drop()
    await until(() => venue.asked.length === 2)
    expect(log).toEqual(['closed A,B: closed 1006'])
    expect(venue.asked[1]).toBe(venue.asked[0])
    expect(status()).toMatchObject({ reconnects: 1 })
  })

  test('before a connection ends its successor is opened; both are heard, none is missed, then the old one is closed', async () => {
    const { venue, pool, events, log } = await open()
    pool.want(trades('A'))
    await until(() => pool.isLive(trades('A')[0]!))
    venue.say(trade('A', '1'))
    venue.say({ type: 'ending', reason: 'maintenance' })
    await until(() => venue.sockets.size === 2 && venue.asked.length === 2)
    venue.say(trade('A', '2'))
    await until(() => events.length === 3)
    const heard = events.map((e) => [e.type === 'trade' && e.id, e.connection])
    expect(heard.sort((a, b) => Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1]))).toEqual([['1', 1], ['2', 1], ['2', 2]]) // prettier-ignore
    await until(() => venue.sockets.size === 1)
    venue.say(trade('A', '3'))
    await until(() => events.length === 4)
    expect(events.at(-1)).toMatchObject({ id: '3', connection: 2 })
    expect(log).toEqual(['connection rotates'])
  })

  test('a connection that ends before its successor is there is reported closed, and the successor goes on', async () => {
    const { venue, pool, events, log } = await open()
    pool.want(trades('A'))
    await until(() => pool.isLive(trades('A')[0]!))
    venue.say({ type: 'ending', reason: 'now' })
    venue.drop()
    await until(() => venue.sockets.size === 1 && venue.asked.length === 2)
    venue.say(trade('A', '1'))
    await until(() => events.length === 1)
    expect(log).toEqual(['connection rotates', 'closed A: closed 1006'])
  })

  test('a snapshot that an adapter needs is fetched and handed back to the same connection', async () => {
    const book = { type: 'delta', symbol: 'A', time: 1, snapshot: true, bids: [[1, 1]], asks: [[2, 1]] }
    const { venue, pool, events } = await open({}, {}, { '/depth': json([book]) })
    pool.want([{ kind: 'book', symbol: 'A' }])
    await until(() => venue.asked.length === 1)
    venue.say({ type: 'need', path: '/depth?symbol=A', purpose: 'book', symbol: 'A' })
    await until(() => events.length === 1)
    expect(events[0]).toMatchObject({ type: 'book', bids: [[1, 1]] })
  })

  test('latency, rate and refusals are counted, the reasons within bounds', async () => {
    const { venue, pool, status, events } = await open()
    pool.want(trades('A'))
    await until(() => pool.isLive(trades('A')[0]!))
    for (let i = 0; i < 200; i++) venue.say({ type: 'refused', reason: `reason ${i}` })
    venue.say({ type: 'refused', reason: '__proto__' }, { type: 'refused', reason: 'constructor' })
    for (let i = 0; i < 5; i++) venue.say({ ...trade('A', `${i}`), time: Date.now() - 100 })
    await until(() => events.length === 5)
    const { refused, latency, frames, events: counted } = status()
    expect(Object.keys(refused).length).toBeLessThanOrEqual(65)
    expect(Object.values(refused).reduce((sum, n) => sum + n, 0)).toBe(202)
    expect([frames, counted]).toEqual([207, 5])
    expect(latency).toBeGreaterThanOrEqual(100)
    await until(() => status().rate > 50)
  })

  test('a latency that cannot be is not told; of recorded events none is', async () => {
    expect(await latencyOf({}, [-100 * 86_400_000, 3_600_000, -172_800_000])).toBeUndefined()
    expect(await latencyOf({}, [-100 * 86_400_000, 3_600_000, -200])).toBeLessThan(5_000)
    expect(await latencyOf({ times: 'recorded' }, [-200, -200])).toBeUndefined()
  })

  test('a fatal refusal stops the connection, and nothing is dialled again', async () => {
    const { venue, pool, status, log } = await open()
    pool.want(trades('A'))
    await until(() => pool.isLive(trades('A')[0]!))
    venue.say({ type: 'reject', reason: 'bad key', fatal: true })
    await until(() => venue.sockets.size === 0)
    expect(status()).toMatchObject({ phase: 'stopped', reason: 'bad key' })
    expect(log).toContain('rejected *: bad key')
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(venue.accepted()).toBe(1)
  })
})
