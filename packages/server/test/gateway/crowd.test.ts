/** What one client that is gone or stuck, and more work than can be done, mean for everyone else. */
import { setTimeout as later } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { BEAT, LIMITS } from '../../src/gateway/limits.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { frame, open, type Conn } from './raw.ts'
import { connect, startRig, tradeOf, type Client, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
const start = async (options: RigOptions = {}): Promise<Rig> => (rig = await startRig(options))
let clients: Client[] = []
afterEach(async () => {
  for (const { ws } of clients) ws.terminate()
  clients = []
  await rig?.gateway.close(0)
  rig = undefined
})

async function subscribed({ url }: Rig, topics: readonly string[], contract?: object): Promise<Client> {
  const client = await connect(url)
  clients.push(client)
  client.send({ op: 'subscribe', topics, notices: false, ...(contract && { contract }) })
  await client.message('subscribed')
  return client
}
const seqsOf = (client: Client): number[] => client.events().map(({ seq }) => seq)
const fromOne = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1)

/** Subscribed, and never reads again. */
async function stalled({ url }: Rig, topic: string): Promise<Conn> {
  const client = await open(url, {})
  client.write(frame({ op: 1, payload: JSON.stringify({ op: 'subscribe', topics: [topic], notices: false }) }))
  await client.until(() => client.msgs.some((said) => String(said).includes('"subscribed"')), 30_000)
  client.s.pause()
  return client
}

test('[C1] [T6] of 200 clients one stops reading: it is let go, and each of the others is given every event once and in order', async () => {
  const own = await start({ fanout: { patience: 500, cutAfter: 1_500 }, plant: createPlant({ epoch: 'e1', keep: () => 100 }) })
  const stuck = await stalled(own, 'trade:BTC-USDT')
  await Promise.all(Array.from({ length: 199 }, () => subscribed(own, ['trade:BTC-USDT'])))
  let told = 0
  const padding = 'x'.repeat(20_000)
  const pump = setInterval(() => {
    if (Math.min(...clients.map((client) => client.events().length)) < told - 50) return
    own.plant.publish('trade:BTC-USDT', { ...tradeOf('BTC-USDT', ++told), id: padding }, Date.now())
  }, 2)
  try {
    await expect.poll(() => own.gateway.stats().slowCloses, { timeout: 60_000 }).toBe(1)
  } finally {
    clearInterval(pump)
  }
  for (const client of clients) await client.until(() => seqsOf(client).at(-1) === told, 30_000)
  for (const client of clients) expect(seqsOf(client)).toEqual(fromOne(told))
  await expect.poll(() => own.gateway.stats().connections, { timeout: 30_000 }).toBe(199)
  expect(own.gateway.stats().lost).toBe(0)
  stuck.kill()
}, 90_000)

test('[C2] [T7] a client that is cut off without a word is closed at the deadline, and gives its topics back', async () => {
  const own = await start({ limits: { heartbeat: { interval: 200, deadline: 300 } } })
  const gone = await open(own.url, {})
  gone.write(frame({ op: 1, payload: '{"op":"subscribe","topics":["trade:ETH-USDT"]}' }))
  await expect.poll(() => own.demanded.get('trade:ETH-USDT')).toBe(1)
  const stays = await subscribed(own, ['trade:BTC-USDT'])
  // Nothing that comes is read, and nothing is answered: so it looks from here when a cable is pulled.
  gone.s.pause()
  await expect.poll(() => own.gateway.stats().connections, { timeout: 30_000 }).toBe(1)
  expect(own.demanded.get('trade:ETH-USDT')).toBe(0)
  expect(stays.ws.readyState).toBe(stays.ws.OPEN)
  gone.kill()
})

test('[T7] as it is configured by default, one that goes right after its answer is noticed within 20 s: both waits end at a beat', () => {
  const { interval, deadline } = LIMITS.heartbeat
  expect(interval + BEAT + deadline + BEAT).toBeLessThan(20_000)
})

test('[T7] a client whose answer stands behind a message that is long under way stays, and is let go when nothing more comes', async () => {
  const own = await start({ limits: { heartbeat: { interval: 100, deadline: 600 } } })
  const slow = Object.assign(await open(own.url, {}), { autoPong: false })
  const message = frame({ op: 1, payload: '{"op":"ping","id":"whole"}'.padEnd(60) })
  // The frame is announced, and comes a byte at a time: no answer to a ping can stand between.
  slow.write(message.subarray(0, 8))
  const began = performance.now()
  for (const byte of message.subarray(8)) {
    await later(35)
    slow.write(Buffer.from([byte]))
  }
  expect(performance.now() - began).toBeGreaterThan(3 * 600)
  expect(await slow.until(() => slow.msgs.some((said) => String(said).includes('"whole"')), 30_000)).toBe(true)
  expect(own.gateway.stats().connections).toBe(1)
  slow.write(message.subarray(0, 8))
  await expect.poll(() => own.gateway.stats().connections, { timeout: 30_000 }).toBe(0)
  slow.kill()
})

test('[C3] all of 500 clients that are cut at once come back and go on where they were, nothing missed and nothing twice', async () => {
  const own = await start({ plant: createPlant({ epoch: 'e1', keep: () => 1_000 }) })
  const publish = (count: number) => {
    for (let n = 0; n < count; n++) own.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', n), Date.now())
  }
  const before = await Promise.all(Array.from({ length: 500 }, () => subscribed(own, ['trade:BTC-USDT'])))
  publish(20)
  await Promise.all(before.map((client) => client.until(() => client.events().length === 20, 30_000)))
  for (const { ws } of before) ws.terminate()
  publish(20)
  const after = await Promise.all(
    before.map(async (client) => {
      const again = await connect(own.url)
      clients.push(again)
      const resume = { 'trade:BTC-USDT': { epoch: 'e1', seq: seqsOf(client).at(-1) } }
      again.send({ op: 'subscribe', topics: ['trade:BTC-USDT'], notices: false, resume })
      expect((await again.message('subscribed')).results).toMatchObject([{ ok: true, recovered: true }])
      return again
    })
  )
  publish(20)
  for (const [n, client] of after.entries()) {
    await client.until(() => client.events().length >= 40, 30_000)
    expect([...seqsOf(before[n]!), ...seqsOf(client)]).toEqual(fromOne(60))
  }
  await expect.poll(() => own.gateway.stats().connections, { timeout: 30_000 }).toBe(500)
}, 90_000)

test('[L4] more than can be told is conflated to the newest for who asked for it; newcomers over the limit are sent away with 503', async () => {
  const own = await start({ limits: { connections: 20 } })
  const readers = await Promise.all(Array.from({ length: 20 }, () => subscribed(own, ['trade:BTC-USDT'], { delivery: 'latest' })))
  const EVENTS = 100_000
  for (let n = 1; n <= EVENTS; n++) own.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', n), Date.now())
  for (const reader of readers) await reader.until(() => seqsOf(reader).at(-1) === EVENTS, 30_000)
  for (const reader of readers) {
    const seqs = seqsOf(reader)
    expect(seqs.length).toBeLessThan(1_000)
    expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b))
  }
  const newcomer = await open(own.url, {})
  expect(newcomer.res).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
  own.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), Date.now())
  for (const reader of readers) await reader.until(() => seqsOf(reader).at(-1) === EVENTS + 1)
  clients.pop()!.ws.terminate()
  await expect.poll(async () => (await open(own.url, {})).up, { timeout: 30_000 }).toBe(true)
}, 60_000)
