/** Connections that break, servers that go: what a program reads across it. */
import type { Published } from '@tickwire/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket as PackageWs } from 'ws'
import type { ClientEvents } from '../src/index.ts'
import { createStand, FAST, until, type Stand } from './stand.ts'

let stand: Stand
afterEach(() => stand.close())

const seqs = (events: readonly Published[]) => events.map((event) => event.seq)
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** mulberry32: the cuts of a seed are the same in every run. */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe.each([
  ['the WebSocket of the runtime', undefined],
  ['the package ws', PackageWs]
])('with %s', (_name, WebSocket) => {
  test.each([1, 2, 3, 4])('[S4-27] sockets cut at random moments lose and repeat nothing (seed %i)', async (seed) => {
    const random = seeded(seed)
    stand = await createStand({ keep: 5_000 })
    const readers = Array.from({ length: 5 }, () => {
      const client = stand.connect({ random, ...(WebSocket ? { WebSocket } : {}) })
      const got: Published[] = []
      const told: string[] = []
      for (const name of ['gap', 'lost', 'reset', 'error'] as const)
        client.on(name, (report) => told.push(`${name} ${JSON.stringify(report)}`))
      let resumed = 0
      client.on('resumed', () => resumed++)
      const { ready } = client.subscribe('trade:BTC-USDT', (event) => got.push(event))
      return { client, got, told, ready, resumed: () => resumed }
    })
    await Promise.all(readers.map(({ ready }) => ready))
    const total = 3_000
    let cuts = 0
    for (let i = 1; i <= total; i++) {
      stand.trade(i)
      if (random() < 0.1) await turn()
      if (random() < 0.02) {
        stand.cut()
        cuts++
        if (random() < 0.7) await until(() => readers.some(({ client }) => client.state().phase === 'open'))
      }
    }
    await until(() => readers.every(({ got }) => got.at(-1)?.seq === total))
    for (const { got, told, resumed } of readers) {
      expect(seqs(got)).toEqual(upTo(total))
      expect(told).toEqual([])
      expect(resumed()).toBeGreaterThan(5)
    }
    expect(cuts).toBeGreaterThan(20)
  })

  test('[S1-69] a server that is restarted is found again; the new sequence is told as a reset, and the state says what happened', async () => {
    stand = await createStand()
    const { port } = stand
    const client = stand.connect(WebSocket ? { WebSocket } : {})
    const got: string[] = []
    const states: ClientEvents['state'][] = []
    client.on('state', (state) => states.push(state))
    client.on('reset', ({ previous, position }) => got.push(`reset ${previous.epoch} ${previous.seq} → ${position.epoch}`))
    client.on('shutdown', ({ reason }) => got.push(reason))
    const { ready } = client.subscribe('trade:BTC-USDT', (event) => got.push(`${event.seq}`))
    await ready
    for (let i = 0; i < 3; i++) stand.trade(i)
    await until(() => got.length === 3)
    await stand.die()
    await until(() => client.state().attempt > 1)
    stand = await createStand({ epoch: 'epoch-2', port })
    stand.trade(7)
    await until(() => got.at(-1) === '1')
    stand.trade(8)
    await until(() => got.at(-1) === '2')
    expect(got).toEqual(['1', '2', '3', 'the server shuts down', 'reset epoch-1 3 → epoch-2', '1', '2'])
    const told = states.map(({ phase, reason }) => `${phase}: ${reason}`)
    expect(told).toContainEqual(expect.stringContaining('1001 going away'))
    expect(told).toContainEqual(expect.stringContaining('could not be reached'))
    expect(client.state()).toMatchObject({ phase: 'open', reason: 'Connected to Tickwire test (demo).', attempt: 0 })
    client.close()
  })
})

test('[S4-27] of state that was replaced while the connection was cut nothing is called missing, and it is proven on', async () => {
  stand = await createStand({ keep: 1 })
  const client = stand.connect()
  const told: string[] = []
  for (const name of ['gap', 'lost', 'reset', 'error'] as const)
    client.on(name, (report) => told.push(`${name} ${JSON.stringify(report)}`))
  let resumed = 0
  client.on('resumed', () => resumed++)
  const got: number[] = []
  let last = stand.quote(0).seq
  await client.subscribe('quote:BTC-USDT', ({ seq }) => got.push(seq)).ready
  await until(() => got.length === 1)
  // Where nothing was missed the server compares the digest that it is told, of what came after the last resume as well.
  for (const missed of [5, 1, 7, 0]) {
    const before = resumed
    stand.cut()
    for (let n = 0; n < missed; n++) last = stand.quote(n).seq
    await until(() => resumed > before && client.standing('quote:BTC-USDT')?.proven === last)
    last = stand.quote(9).seq
    await until(() => got.at(-1) === last)
  }
  expect(told).toEqual([])
  expect(got).toEqual([1, 6, 7, 8, 9, 16, 17, 18])
})

test('a reader that was away longer than the ring remembers is told so, and goes on from the last value', async () => {
  stand = await createStand({ keep: 10 })
  const client = stand.connect({ backoff: { min: 50, max: 50 }, random: () => 1 })
  const got: string[] = []
  client.on('reset', ({ reason }) => got.push(reason))
  await client.subscribe('trade:BTC-USDT', (event) => got.push(`${event.seq}`)).ready
  stand.trade(1)
  await until(() => got.length === 1)
  stand.cut()
  for (let i = 2; i <= 100; i++) stand.trade(i)
  await until(() => got.length === 3)
  expect(got).toEqual(['1', 'Away too long: of trade:BTC-USDT, what came after sequence 1 is no longer kept.', '100'])
})

test('a connection that is open but silent is given up, and a loop reads on over the next one', async () => {
  stand = await createStand()
  const client = stand.connect({ inactivity: 60 })
  const states: string[] = []
  client.on('state', ({ reason }) => states.push(reason))
  const got: number[] = []
  stand.trade(0)
  for await (const event of client.events('trade:BTC-USDT')) {
    got.push(event.seq)
    if (got.length === 3) break
    stand.deaf.on = got.length === 1
    stand.trade(got.length)
    if (got.length === 1) {
      stand.trade(9)
      await until(() => states.some((reason) => reason.startsWith('Nothing was heard')))
      stand.deaf.on = false
    }
  }
  expect(got).toEqual([1, 2, 3])
})

test('a client may be there before its server', async () => {
  stand = await createStand()
  const { port } = stand
  await stand.die()
  const client = stand.connect({ backoff: FAST })
  const { ready } = client.subscribe('trade:BTC-USDT', () => {})
  await until(() => client.state().attempt > 0)
  stand = await createStand({ port })
  expect(await ready).toMatchObject([{ ok: true }])
  client.close()
})
