/** Polling keeps the contract that was asked for: what of an event, how old, how often; on a clock and a server of the test's own. */
import type { AskedContract, DataFrame, Published, ServerMessage } from '@tickwire/protocol'
import { encodeCursor } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import type { Http } from '../src/http.ts'
import { createPolling, PACES } from '../src/polling.ts'

const START = 1_764_000_000_000

/** One that is polled, and timers that ring when the test says so. */
function rig() {
  const world = {
    now: START,
    skew: 0,
    asked: [] as string[],
    said: [] as (ServerMessage | DataFrame)[],
    last: new Map<string, Published>()
  }
  const timers = new Set<{ at: number; act: () => void }>()
  const http = {
    get: (path: string) => {
      const topics = decodeURIComponent(/topics=([^&]*)/.exec(path)![1]!).split(',')
      world.asked.push(...topics)
      const last = Object.fromEntries(topics.map((topic) => [topic, world.last.get(topic) ?? null]))
      const date = Math.floor((world.now + world.skew) / 1_000) * 1_000
      return Promise.resolve({ status: 200, body: { last, cursor: encodeCursor('e1', [], []) }, date })
    },
    stranger: () => ''
  } as unknown as Http
  const polling = createPolling(
    {
      http,
      epoch: 'e1',
      now: () => world.now,
      after: (ms, act) => {
        const timer = { at: world.now + ms, act }
        timers.add(timer)
        return () => void timers.delete(timer)
      },
      say: (message) => void world.said.push(message),
      fail: (code, reason) => expect.unreachable(`${code} ${reason}`)
    },
    PACES
  )
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await Promise.resolve()
  }
  const subscribe = (topics: string[], contract?: AskedContract) => {
    const names = new Map(topics.map((topic) => [topic, topic]))
    const message = { op: 'subscribe' as const, id: 1, topics }
    polling.subscribe(contract ? { ...message, contract } : message, names)
    const told = world.said.at(-1) as Extract<ServerMessage, { op: 'subscribed' }>
    return told.results.map((result) => (result.ok ? result.contract : result.code))
  }
  /** The newest of a topic, received so long ago. */
  const publish = (topic: string, seq: number, age = 0): void => {
    const stamp = { topic, seq, instrument: 'BTC-USDT', provider: 'kraken', time: 1, published: world.now }
    const received = world.now + world.skew - age
    const trade = { type: 'trade', price: seq, size: 1, side: 'buy', id: 'x' } as const
    world.last.set(topic, { ...stamp, received, ...trade })
  }
  /** Lets time pass; answers with what was heard meanwhile. */
  const pass = async (ms: number) => {
    const from = world.said.length
    for (const end = world.now + ms; ;) {
      await settle()
      const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      world.now = next ? Math.max(world.now, next.at) : end
      if (!next) break
      timers.delete(next)
      next.act()
    }
    return world.said.slice(from).flatMap((message) => (Array.isArray(message) ? message : []))
  }
  return { world, polling, subscribe, publish, pass }
}
const TRADE = 'trade:BTC-USDT'

describe('[S1-40] the contract while polling', () => {
  test('names the fields: these come, and what every event has', async () => {
    const { subscribe, publish, pass } = rig()
    expect(subscribe([TRADE], { fields: ['price'] })).toEqual([{ delivery: 'sampled', interval: 5_000, fields: ['price'] }])
    publish(TRADE, 1)
    expect(await pass(0)).toEqual([{ topic: TRADE, type: 'trade', seq: 1, published: START, price: 1 }])
    subscribe([TRADE], { fields: 'lite' })
    publish(TRADE, 2)
    const [lite] = (await pass(5_000)) as Published[]
    expect(Object.keys(lite!).sort()).toEqual(['price', 'provider', 'published', 'seq', 'side', 'size', 'time', 'topic', 'type'])
  })

  test('is kept where it asks for less often than it is polled, and says the pace of the polls where for more', async () => {
    const { subscribe, publish, pass, world } = rig()
    expect(subscribe(['quote:BTC-USDT'], { maxRate: 5 })).toEqual([{ delivery: 'sampled', interval: 5_000 }])
    expect(subscribe([TRADE], { delivery: 'sampled', interval: 20_000 })).toEqual([{ delivery: 'sampled', interval: 20_000 }])
    expect(subscribe(['ticker:BTC-USDT'], { maxRate: 1 / 30 })).toEqual([{ delivery: 'sampled', interval: 30_000 }])
    await pass(0)
    world.asked.length = 0
    publish(TRADE, 9)
    expect(await pass(19_999)).toEqual([])
    // What lies between was replaced, as was asked: it is not lost.
    expect(await pass(1)).toMatchObject([{ topic: TRADE, seq: 9 }])
    await pass(10_000)
    const times = (topic: string) => world.asked.filter((each) => each === topic).length
    expect([times('quote:BTC-USDT'), times(TRADE), times('ticker:BTC-USDT')]).toEqual([6, 1, 1])
  })

  test('bounds the age: what is older is not told, and where each was promised it is counted', async () => {
    const { subscribe, publish, pass } = rig()
    expect(subscribe(['quote:BTC-USDT'], { maxAge: 800 })).toEqual([{ delivery: 'sampled', interval: 5_000, maxAge: 800 }])
    subscribe([TRADE], { maxAge: 800 })
    publish('quote:BTC-USDT', 1, 801)
    publish(TRADE, 1, 801)
    expect(await pass(0)).toEqual([{ op: 'lost', topic: TRADE, count: 1, from: 1, to: 1, reason: 'age' }])
    publish('quote:BTC-USDT', 2, -4_300)
    publish(TRADE, 2, -4_300)
    expect(await pass(5_000)).toMatchObject([{ seq: 2 }, { seq: 2 }])
  })

  test('goes by the clock of the server where this machine has another', async () => {
    const { subscribe, publish, pass, world } = rig()
    world.skew = -3_600_000
    subscribe([TRADE], { maxAge: 5_000 })
    publish(TRADE, 1, 1_000)
    expect(await pass(0)).toMatchObject([{ seq: 1 }])
    publish(TRADE, 2, 2_000)
    expect(await pass(5_000)).toMatchObject([{ op: 'lost', reason: 'age', from: 2 }])
  })

  test('of what each counts nothing is replaced or too old, whatever was asked', async () => {
    const { subscribe, publish, pass } = rig()
    expect(subscribe(['news:AAPL'], { delivery: 'latest', maxAge: 1, maxRate: 1 / 60 })).toEqual([
      { delivery: 'sampled', interval: 30_000 }
    ])
    publish('news:AAPL', 1, 60_000)
    expect(await pass(0)).toMatchObject([{ seq: 1 }])
    publish('news:AAPL', 4)
    expect(await pass(30_000)).toMatchObject([{ op: 'lost', count: 2, reason: 'slow' }, { seq: 4 }])
  })

  test('ends with its topic, and so do the notices that came with it', async () => {
    const { subscribe, pass, polling, world } = rig()
    subscribe([TRADE])
    await pass(10_000)
    expect(world.asked).toContain('gap:BTC-USDT')
    polling.unsubscribe([TRADE])
    await pass(0)
    world.asked.length = 0
    await pass(60_000)
    expect(world.asked).toEqual([])
  })
})
