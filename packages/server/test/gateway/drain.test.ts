import { afterEach, expect, test } from 'vitest'
import type { RestSources } from '../../src/gateway/gateway.ts'
import { connect, startRig, tradeOf, type Rig } from './rig.ts'

let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

/** A gateway whose POST /v1/books/… takes until `answer` is called. */
async function startSlow() {
  let asked = () => {}
  let answer = () => {}
  const isAsked = new Promise<void>((resolve) => (asked = resolve))
  const resync = () =>
    new Promise<{ outcome: 'healed'; message: string; after: number }>((resolve) => {
      answer = () => resolve({ outcome: 'healed', message: 'x', after: 1 })
      asked()
    })
  const rest = {
    providers: () => [],
    hops: () => [],
    moving: () => [],
    groups: () => [],
    candles: () => Promise.resolve({ candles: [] }),
    watched: () => [],
    confidence: () => ({ reliability: {}, calibrations: [] }),
    arbitration: () => [],
    gaps: () => [],
    standing: { books: () => [], resync, reconnect: resync },
    mode: 'demo',
    ready: () => true,
    startedAt: 0,
    build: { version: '1' }
  } satisfies RestSources
  const own = await startRig({ rest })
  rig = own
  const call = fetch(`${own.base}/v1/books/BTC-USDT/resync?provider=one`, { method: 'POST' })
  return { own, call, isAsked, answer: () => answer() }
}

test('[T17] a call that is under way at shutdown gets its answer, and what comes after is sent elsewhere', async () => {
  const { own, call, isAsked, answer } = await startSlow()
  await isAsked
  const closed = own.gateway.close(750)
  const late = await fetch(`${own.base}/v1/instruments`)
  expect([late.status, late.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await late.json()).toMatchObject({ error: { code: 'UNAVAILABLE', retry: true } })
  expect((await fetch(`${own.base}/ready`)).status).toBe(503)
  expect((await fetch(`${own.base}/health`)).status).toBe(200)
  answer()
  expect((await call).status).toBe(200)
  await closed
  await expect(fetch(`${own.base}/health`)).rejects.toThrow()
})

test('[T17] a call that never ends is cut after 5 s, and does not keep the server', async () => {
  const { own, call, isAsked } = await startSlow()
  const outcome = call.then(
    () => 'answered',
    () => 'cut'
  )
  await isAsked
  const began = performance.now()
  await own.gateway.close(0)
  expect(await outcome).toBe('cut')
  expect(performance.now() - began).toBeLessThan(8_000)
})

test('[T17] a stream of server-sent events ends with a shutdown notice, after what was due', async () => {
  const own = (rig = await startRig())
  const response = await fetch(`${own.base}/v1/events?topics=trade:BTC-USDT`)
  own.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 42), Date.now())
  const text = response.text()
  await own.gateway.close(750)
  const blocks = (await text).split('\n\n').map((block) => /^event: (\w+)$/m.exec(block)?.[1])
  expect(blocks.filter(Boolean)).toEqual(['subscribed', 'trade', 'shutdown'])
  // Not all at the same time: 5,000 of them come back here.
  const again = Number([...(await text).matchAll(/^retry: (\d+)$/gm)].at(-1)?.[1])
  expect(again).toBeGreaterThanOrEqual(750)
  expect(again).toBeLessThan(750 + 2_001)
})

test('[T17] clients that do not read, of a socket or of a stream, are cut: the rest is told as ever', async () => {
  const own = (rig = await startRig())
  const reader = await connect(own.url)
  const deaf = await connect(own.url)
  const stream = await fetch(`${own.base}/v1/events?topics=trade:BTC-USDT`)
  for (const client of [reader, deaf]) client.send({ op: 'subscribe', topics: ['trade:BTC-USDT'], notices: false })
  await Promise.all([reader.message('subscribed'), deaf.message('subscribed')])
  deaf.ws.pause()
  const flood = () => {
    for (let n = 0; n < 20_000; n++) own.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', n), Date.now())
  }
  for (let round = 0; round < 5; round++) {
    flood()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const began = performance.now()
  await own.gateway.close(750)
  expect(performance.now() - began).toBeLessThan(8_000)
  expect(await reader.message('shutdown')).toMatchObject({ retryAfterMs: 750 })
  expect(await reader.closed()).toMatchObject({ code: 1001 })
  deaf.ws.terminate()
  await stream.body?.cancel().catch(() => {})
})
