import { afterEach, expect, test } from 'vitest'
import { keepFor } from '../../src/plant/keep.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { connect, startRig, tradeOf, type Client, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
const start = async (options?: RigOptions) => (rig = await startRig(options))
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

const TOPIC = 'trade:BTC-USDT'
const publish = ({ plant }: Rig, count: number) => {
  for (let n = 0; n < count; n++) plant.publish(TOPIC, tradeOf('BTC-USDT', n), Date.now())
}
const seqs = (client: Client) => client.events().map(({ seq }) => seq)

test('[T5] over many cuts a client that resumes gets exactly what it missed, each event once', async () => {
  const own = await start()
  let at: number | undefined
  const got: number[] = []
  for (let cut = 0; cut < 20; cut++) {
    const client = await connect(own.url)
    const resume = at === undefined ? {} : { resume: { [TOPIC]: { epoch: 'e1', seq: at } } }
    client.send({ op: 'subscribe', topics: [TOPIC], notices: false, ...resume })
    const { results } = await client.message('subscribed')
    expect(results).toMatchObject([{ ok: true, ...(at === undefined ? {} : { recovered: true }) }])
    publish(own, 1 + (cut % 5))
    const end = own.plant.last(TOPIC)!.seq
    await client.until(() => client.events().at(-1)?.seq === end)
    got.push(...seqs(client))
    at = end
    client.ws.terminate()
    publish(own, cut % 7)
  }
  expect(got).toEqual(Array.from({ length: got.length }, (_, i) => i + 1))
})

test('a resume of state is given the newest and is told that it was recovered, however much was replaced meanwhile', async () => {
  const own = await start({ keep: 5 })
  const QUOTE = 'quote:BTC-USDT'
  const stamp = { provider: 'one', instrument: 'BTC-USDT', time: 1, received: 2 }
  const quote = { type: 'quote', ...stamp, bidSize: 1, askSize: 1 } as const
  for (let n = 1; n <= 20; n++) own.plant.publish(QUOTE, { ...quote, bid: n, ask: n + 1 }, Date.now())
  for (const [seq, expected] of [
    [3, [20]],
    [20, []]
  ] as const) {
    const client = await connect(own.url)
    client.send({ op: 'subscribe', topics: [QUOTE], notices: false, resume: { [QUOTE]: { epoch: 'e1', seq } } })
    expect((await client.message('subscribed')).results).toMatchObject([{ recovered: true, position: { seq: 20 } }])
    client.send({ op: 'ping', id: 'after' })
    await client.message('pong')
    expect(seqs(client)).toEqual(expected)
    client.ws.terminate()
  }
})

test('of state the digests of the newest event and of the one before it are compared, as PROTOCOL.md says: no older ones', async () => {
  const plant = createPlant({ epoch: 'e1', keep: keepFor(1_000) })
  const own = await start({ plant })
  const QUOTE = 'quote:BTC-USDT'
  const stamp = { provider: 'one', instrument: 'BTC-USDT', time: 1, received: 2 }
  for (let n = 1; n <= 9; n++)
    plant.publish(QUOTE, { type: 'quote', ...stamp, bid: n, bidSize: 1, ask: n + 1, askSize: 1 }, Date.now())
  for (const [seq, recovered] of [
    [9, false],
    [8, false],
    [7, true],
    [1, true]
  ] as const) {
    const client = await connect(own.url)
    client.send({ op: 'subscribe', topics: [QUOTE], notices: false, resume: { [QUOTE]: { epoch: 'e1', seq, digest: 7 } } })
    expect((await client.message('subscribed')).results, `from ${seq}`).toMatchObject([{ recovered }])
    client.ws.terminate()
  }
})

test('[T5] a resume from another epoch, from the future or from before the ring says so and gives the last value', async () => {
  const own = await start({ keep: 5 })
  publish(own, 10)
  for (const position of [
    { epoch: 'e0', seq: 9 },
    { epoch: 'e1', seq: 11 },
    { epoch: 'e1', seq: 2 }
  ]) {
    const client = await connect(own.url)
    client.send({ op: 'subscribe', topics: [TOPIC], notices: false, resume: { [TOPIC]: position } })
    const { results } = await client.message('subscribed')
    expect(results).toMatchObject([{ ok: true, recovered: false, position: { epoch: 'e1', seq: 10 } }])
    await client.until(() => client.events().length > 0)
    expect(seqs(client)).toEqual([10])
    client.ws.terminate()
  }
})

test('a client that resumes at a restarted server learns that the epoch changed', async () => {
  const first = await start()
  publish(first, 3)
  await first.gateway.close(0)
  const plant = createPlant({ epoch: 'e2' })
  const second = await start({ plant })
  publish(second, 1)
  const client = await connect(second.url)
  client.send({ op: 'subscribe', topics: [TOPIC], notices: false, resume: { [TOPIC]: { epoch: 'e1', seq: 3 } } })
  const { results } = await client.message('subscribed')
  expect(results).toMatchObject([{ recovered: false, position: { epoch: 'e2', seq: 1 } }])
  client.ws.terminate()
})

test('subscribing to what is held already changes nothing, and demand ends with the last who holds it', async () => {
  const own = await start()
  publish(own, 1)
  const [one, two] = [await connect(own.url), await connect(own.url)]
  one.send({ op: 'subscribe', topics: [TOPIC, TOPIC, 'trade:btc/usdt'], notices: false })
  two.send({ op: 'subscribe', topics: [TOPIC], notices: false })
  await two.message('subscribed')
  one.send({ op: 'subscribe', topics: [TOPIC], notices: false })
  await one.message('subscribed', 1)
  publish(own, 1)
  await one.until(() => one.events().length === 2)
  expect(seqs(one)).toEqual([1, 2])
  expect(own.demanded.get(TOPIC)).toBe(2)
  one.send({ op: 'unsubscribe', topics: [TOPIC], id: 'x' })
  expect(await one.message('unsubscribed')).toEqual({ op: 'unsubscribed', id: 'x', topics: [TOPIC] })
  expect(own.demanded.get(TOPIC)).toBe(1)
  two.ws.terminate()
  await expect.poll(() => own.demanded.get(TOPIC)).toBe(0)
  expect(own.plant.listeners(TOPIC)).toBe(0)
  one.ws.terminate()
})

test('the status and the gaps of an instrument come along with its data, unless the client declines them', async () => {
  const own = await start()
  const [one, two] = [await connect(own.url), await connect(own.url)]
  one.send({ op: 'subscribe', topics: [TOPIC, 'quote:BTC-USDT'] })
  two.send({ op: 'subscribe', topics: [TOPIC], notices: false })
  await one.message('subscribed')
  await two.message('subscribed')
  const gap = {
    type: 'gap',
    provider: 'one',
    instrument: 'BTC-USDT',
    time: 1,
    received: 1,
    kind: 'trade',
    from: 0,
    to: 1,
    cause: 'silence',
    action: 'open'
  } as const
  own.plant.publish('gap:BTC-USDT', { ...gap }, Date.now())
  publish(own, 1)
  await one.until(() => one.events().length === 2)
  await two.until(() => two.events().length === 1)
  expect(one.events().map(({ topic }) => topic)).toEqual(['gap:BTC-USDT', TOPIC])
  one.send({ op: 'unsubscribe', topics: [TOPIC] })
  await one.message('unsubscribed', 0)
  expect(own.gateway.connections()[0]!.topics.toSorted()).toEqual(['gap:BTC-USDT', 'quote:BTC-USDT', 'status:BTC-USDT:quote'])
  one.send({ op: 'unsubscribe', topics: ['quote:BTC-USDT'] })
  await one.message('unsubscribed', 1)
  expect(own.gateway.connections()[0]!.topics).toEqual([])
  one.ws.terminate()
  two.ws.terminate()
})
