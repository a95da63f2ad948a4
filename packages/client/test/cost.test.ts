/** What a stream costs the program that reads it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { drive, trade } from './drive.ts'
import { createStand, until, type Stand } from './stand.ts'

let stand: Stand
beforeEach(async () => {
  stand = await createStand()
})
afterEach(() => stand.close())

test('[S4-26] a client that waits has one timer, seconds away, and an event sets none', async () => {
  const pending = new Set<number>()
  let set = 0
  const after = (ms: number, act: () => void) => {
    set++
    pending.add(ms)
    const timer = setTimeout(() => (pending.delete(ms), act()), ms)
    return () => {
      pending.delete(ms)
      clearTimeout(timer)
    }
  }
  const client = stand.connect({ time: { now: Date.now, after } })
  let heard = 0
  await client.subscribe('trade:BTC-USDT', () => heard++).ready
  stand.trade(1)
  await until(() => heard === 1)
  expect([...pending].filter((ms) => ms > 5_000)).toEqual([...pending])
  expect(pending.size).toBe(1)
  const before = set
  for (let price = 2; price <= 2_000; price++) stand.trade(price)
  await until(() => heard === 2_000)
  expect(set).toBe(before)
})

test('[S4-26] an event costs microseconds, with a hundred topics read as with one', () => {
  const topics = Array.from({ length: 100 }, (_, i) => `trade:X${i}-USDT`)
  const world = drive()
  world.open()
  world.want(topics)
  const results = topics.map((topic) => ({
    asked: topic,
    topic,
    ok: true as const,
    position: { epoch: 'e1', seq: 0 },
    upstream: 'live' as const
  }))
  world.hear({ op: 'subscribed', id: 1, results })
  const frames = Array.from({ length: 1_000 }, (_, i) => topics.map((topic) => trade(i + 1, topic)))
  const begun = process.cpuUsage()
  for (const frame of frames) world.feed({ type: 'message', message: frame })
  const { user, system } = process.cpuUsage(begun)
  expect(world.delivered()).toHaveLength(100_000)
  // Usually less than one.
  expect((user + system) / 100_000).toBeLessThan(20)
})
