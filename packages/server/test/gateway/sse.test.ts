import { afterEach, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { createPlant } from '../../src/plant/plant.ts'
import { createJwt } from '../../src/gateway/jwt.ts'
import { startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'
import { outcomesOf, readEvents, readStream, toldBy, type Block } from './stream.ts'
import { claimsAt, hs256, SECRET } from './tokens.ts'

const rigs: Rig[] = []
const start = async (options?: RigOptions) => {
  const rig = await startRig(options)
  rigs.push(rig)
  return rig
}
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.gateway.close(0)
})

const publish = ({ plant }: Rig, ...instruments: string[]) => {
  for (const instrument of instruments) plant.publish(`trade:${instrument}`, tradeOf(instrument, 1), Date.now())
}
const isTold = (blocks: readonly Block[]) => outcomesOf(blocks).length > 0
const names = (told: readonly { topic: string; seq: number }[]) => told.map(({ topic, seq }) => `${topic} ${seq}`)
const TWO = '/v1/events?topics=trade:BTC-USDT,trade:ETH-USDT'

test('[C11] a stream of events goes on exactly after its Last-Event-ID, for every topic, and starts anew after junk', async () => {
  const rig = await start()
  const url = rig.base + TWO
  publish(rig, 'BTC-USDT', 'ETH-USDT', 'ETH-USDT')
  const first = await readEvents(url, 2)
  expect(names(first)).toEqual(['trade:BTC-USDT 1', 'trade:ETH-USDT 2'])
  publish(rig, 'BTC-USDT', 'ETH-USDT', 'BTC-USDT')
  // As if the connection had died between the two: what follows the first one's id comes again.
  const second = await readEvents(url, 4, first[0]?.id)
  expect(names(second)).toEqual(['trade:BTC-USDT 2', 'trade:BTC-USDT 3', 'trade:ETH-USDT 2', 'trade:ETH-USDT 3'])
  const third = await readEvents(url, 2, 'e1.junk!')
  expect(third.map(({ seq }) => seq)).toEqual([3, 3])
})

test('[C4] wherever a stream breaks, its ids lead on to each event once and in order', async () => {
  const rig = await start()
  const topics = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT']
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ published: fc.array(fc.nat(2), { maxLength: 8 }), cut: fc.nat(12) }), { minLength: 2, maxLength: 4 }),
      async (lives) => {
        const url = `${rig.base}/v1/events?topics=${topics.map((topic) => `trade:${topic}`).join(',')}`
        const seen = new Map<string, number>()
        publish(rig, ...topics)
        const opening = await readEvents(url, 3)
        for (const { topic, seq } of opening) seen.set(topic, seq)
        let id = opening.at(-1)!.id
        for (const { published, cut } of lives) {
          publish(rig, ...published.map((i) => topics[i]!))
          const due = topics.reduce((sum, topic) => {
            const name = `trade:${topic}`
            return sum + (rig.plant.last(name)?.seq ?? 0) - (seen.get(name) ?? 0)
          }, 0)
          const wanted = Math.min(cut, due)
          if (wanted === 0) continue
          const read = (await readEvents(url, wanted, id)).slice(0, wanted)
          for (const { topic, seq } of read) {
            expect(seq).toBe((seen.get(topic) ?? 0) + 1)
            seen.set(topic, seq)
          }
          id = read.at(-1)!.id
        }
      }
    ),
    { numRuns: 15 }
  )
}, 30_000)

test('[C4] a stream that is cut before its first event goes on from the id of its answer', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  const { blocks } = await readStream(rig.base + TWO, isTold)
  const id = blocks.find(({ event }) => event === 'subscribed')?.id
  publish(rig, 'ETH-USDT', 'BTC-USDT')
  expect(names(await readEvents(rig.base + TWO, 3, id))).toEqual(['trade:BTC-USDT 1', 'trade:BTC-USDT 2', 'trade:ETH-USDT 1'])
})

/** The id of the last event of `trade:BTC-USDT`, or what another asks for. */
const IDS: readonly (readonly [string, (id: string) => string | undefined, boolean | undefined])[] = [
  ['nothing', () => undefined, undefined],
  ['the id of the last event', (id) => id, true],
  ['junk', () => 'junk', false],
  ['no number', (id) => id.replace(/[^~]*$/, 'NaN!'), false],
  ['a sequence that is yet to come', (id) => id.replace(/[^~]*$/, 'zzzz'), false],
  ['another epoch', (id) => id.replace('e1', 'e0'), false],
  ['the id of more topics', (id) => `${id}~2`, false],
  ['the id of another topic', () => 'e1~1x~2', false],
  ['16 kB of it', (id) => id.repeat(400).slice(0, 8_000), false]
]
test.for(IDS)('[C11] a stream that begins with %s says whether anything is missing', async ([, change, recovered]) => {
  const rig = await start()
  const url = `${rig.base}/v1/events?topics=trade:BTC-USDT`
  publish(rig, 'BTC-USDT', 'BTC-USDT')
  const [last] = await readEvents(url, 1)
  const id = change(last!.id)
  const { blocks } = await readStream(url, isTold, id === undefined ? {} : { 'last-event-id': id })
  expect(outcomesOf(blocks)[0]?.recovered).toBe(recovered)
})

test('[C4] an id is of its topics: another address with as many of them begins anew, another spelling goes on', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT', 'ETH-USDT', 'SOL-USDT')
  const last = (await readEvents(rig.base + TWO, 2)).at(-1)!.id
  const asked = async (topics: string) => {
    const { blocks } = await readStream(`${rig.base}/v1/events?topics=${topics}`, isTold, { 'last-event-id': last })
    return outcomesOf(blocks).map(({ recovered }) => recovered)
  }
  expect(await asked('trade:btcusdt,trade:eth/usdt')).toEqual([true, true])
  expect(await asked('trade:btcusdt,trade:BTC-USDT,trade:ETH-USDT')).toEqual([true, undefined, true])
  expect(await asked('trade:ETH-USDT,trade:BTC-USDT')).toEqual([false, false])
  expect(await asked('trade:BTC-USDT,trade:SOL-USDT')).toEqual([false, false])
})

test('[C4] after a restart of the server every topic says that it begins anew, and its last value follows', async () => {
  const before = await start()
  publish(before, 'BTC-USDT', 'ETH-USDT', 'BTC-USDT')
  const { id } = (await readEvents(before.base + TWO, 2)).at(-1)!
  const after = await start({ plant: createPlant({ epoch: 'e2' }) })
  // As far as before, so that the number alone would be believed.
  publish(after, 'BTC-USDT', 'ETH-USDT', 'BTC-USDT', 'BTC-USDT')
  const { blocks } = await readStream(after.base + TWO, (all) => toldBy(all).length === 2, { 'last-event-id': id })
  expect(outcomesOf(blocks).map(({ recovered }) => recovered)).toEqual([false, false])
  expect(names(toldBy(blocks))).toEqual(['trade:BTC-USDT 3', 'trade:ETH-USDT 1'])
})

test('[C11] who was away for longer than is remembered is told so, of that topic alone', async () => {
  const rig = await start({ keep: 3 })
  publish(rig, 'BTC-USDT', 'ETH-USDT')
  const { id } = (await readEvents(rig.base + TWO, 2)).at(-1)!
  publish(rig, 'BTC-USDT', 'BTC-USDT', 'BTC-USDT', 'BTC-USDT', 'ETH-USDT')
  const { blocks } = await readStream(rig.base + TWO, (all) => toldBy(all).length === 2, { 'last-event-id': id })
  expect(outcomesOf(blocks).map(({ recovered }) => recovered)).toEqual([false, true])
  expect(names(toldBy(blocks)).toSorted()).toEqual(['trade:BTC-USDT 5', 'trade:ETH-USDT 2'])
})

test('a page that was loaded anew brings its id in the address, and the header counts before it', async () => {
  const rig = await start()
  const url = `${rig.base}/v1/events?topics=trade:BTC-USDT`
  publish(rig, 'BTC-USDT', 'BTC-USDT')
  const { id } = (await readEvents(url, 1))[0]!
  publish(rig, 'BTC-USDT')
  expect(names(await readEvents(`${url}&lastEventId=${id}`, 1))).toEqual(['trade:BTC-USDT 3'])
  expect(names(await readEvents(`${url}&lastEventId=junk`, 1, id))).toEqual(['trade:BTC-USDT 3'])
})

test('a stream says when to come back, anew before a shutdown, and each at a time of its own', async () => {
  const rig = await start()
  const streams = Array.from({ length: 5 }, () =>
    readStream(rig.base + TWO, (blocks) => blocks.some(({ event }) => event === 'closed'))
  )
  await expect.poll(() => rig.gateway.stats().connections).toBe(5)
  await rig.gateway.close(7_000)
  const all = (await Promise.all(streams)).map(({ blocks }) => blocks)
  for (const blocks of all) {
    expect(blocks[0]?.retry).toBeGreaterThanOrEqual(1_000)
    expect(blocks.find(({ event }) => event === 'shutdown')?.data).toMatchObject({ op: 'shutdown', retryAfterMs: 7_000 })
    expect(blocks.at(-1)?.retry).toBeGreaterThanOrEqual(7_000)
  }
  expect(new Set(all.map((blocks) => blocks.at(-1)?.retry)).size).toBeGreaterThan(1)
})

test('[C11] what is wrong before the stream is a status and JSON; HEAD opens none', async () => {
  const rig = await start({ limits: { sseTopics: 2, connections: 1 } })
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(rig.base + path, init)
    const { error } = (init?.method === 'HEAD' ? {} : await answer.json()) as { error?: { code: string } }
    return [answer.status, error?.code]
  }
  expect(await ask('/v1/events?topics=trade:BTC-USDT,trade:NOPE')).toEqual([404, 'BAD_SYMBOL'])
  expect(await ask('/v1/events?topics=trade:BTC-USDT,trade:ETH-USDT,trade:SOL-USDT')).toEqual([422, 'TOO_MANY_SYMBOLS'])
  expect(await ask('/v1/events?topics=trade:BTC-USDT', { method: 'HEAD' })).toEqual([405, undefined])
  expect(rig.gateway.stats().connections).toBe(0)
  expect([...rig.demanded.values()].filter((held) => held !== 0)).toEqual([])
  const open = readStream(rig.base + TWO, (blocks) => toldBy(blocks).length > 0)
  await expect.poll(() => rig.gateway.stats().connections).toBe(1)
  expect(await ask(TWO)).toEqual([503, 'UNAVAILABLE'])
  publish(rig, 'BTC-USDT')
  await open
})

test('[C11] 1,000 tabs of one user: as many as he may have, 429 for the others, and every place is given back', async () => {
  const rig = await start({ allowances: { perAddress: { connections: 20 } } })
  const opened: { hangUp: AbortController; answer: Response }[] = []
  const open = async () => {
    const hangUp = new AbortController()
    const answer = await fetch(rig.base + TWO, { signal: hangUp.signal })
    // Kept: a stream that nobody knows any more is closed by the client.
    opened.push({ hangUp, answer })
    return answer.status
  }
  const statuses: number[] = []
  for (let n = 0; n < 10; n++) statuses.push(...(await Promise.all(Array.from({ length: 100 }, open))))
  expect(statuses.filter((status) => status === 200)).toHaveLength(20)
  expect(statuses.filter((status) => status === 429)).toHaveLength(980)
  for (const { hangUp } of opened) hangUp.abort()
  await expect.poll(() => rig.gateway.stats()).toMatchObject({ connections: 0, groups: 0, lanes: 0 })
  expect(await open()).toBe(200)
}, 30_000)

test('a browser that comes back too early is told so in a stream, for any other status would end it for good', async () => {
  const rig = await start({ limits: { connections: 0 } })
  const ask = (headers: Record<string, string>) => readStream(rig.base + TWO, () => false, headers)
  const back = await ask({ accept: 'text/event-stream', 'last-event-id': 'e1~x~1' })
  expect([back.status, back.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  expect(back.blocks).toEqual([
    {
      event: 'refused',
      id: undefined,
      retry: 5_000,
      data: { error: expect.objectContaining({ code: 'UNAVAILABLE', retry: true }) }
    }
  ])
  for (const headers of [{ accept: 'text/event-stream' }, { accept: '*/*', 'last-event-id': 'e1~x~1' }])
    expect((await fetch(rig.base + TWO, { headers })).status).toBe(503)
  // What would not get better by repeating is a status even so.
  const open = await start()
  const wrong = { accept: 'text/event-stream', 'last-event-id': 'e1~x~1' }
  expect((await fetch(`${open.base}/v1/events?topics=nonsense`, { headers: wrong })).status).toBe(400)
})

test('[S2][S3] a stream needs a token in a header, and ends with it', async () => {
  const claims = claimsAt(Date.now())
  const rig = await start({ auth: { verifiers: [createJwt({ secret: SECRET, audience: 'tickwire' })] } })
  expect((await fetch(rig.base + TWO)).status).toBe(401)
  expect((await fetch(`${rig.base}${TWO}&token=${hs256(claims)}`)).status).toBe(401)
  expect((await fetch(rig.base + TWO, { headers: { authorization: `Bearer ${hs256(claims)}x` } })).status).toBe(401)
  const short = hs256({ ...claims, exp: Math.floor(Date.now() / 1_000) + 1 })
  const { blocks } = await readStream(rig.base + TWO, () => false, { authorization: `Bearer ${short}` })
  expect(blocks.at(-1)).toMatchObject({ event: 'closed', data: { code: 4003 } })
}, 90_000)

test('a stream of events counts as a connection, and its bytes as sent', async () => {
  const { base, gateway, plant } = await start()
  const [told] = await Promise.all([
    readEvents(`${base}/v1/events?topics=trade:BTC-USDT`, 1),
    expect
      .poll(() => gateway.stats().connections)
      .toBe(1)
      .then(() => plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), 1))
  ])
  expect(told).toHaveLength(1)
  expect(gateway.stats()).toMatchObject({ opened: 1, delivered: 1, frames: 1 })
  expect(gateway.stats().bytes).toBeGreaterThan(200)
})

test('a stream may ask for a contract: it is told which is in force, and gets only its fields, the newest of state', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  const url = `${rig.base}/v1/events?topics=trade:BTC-USDT&delivery=sampled&interval=100&fields=price`
  const reading = readStream(url, (blocks) => toldBy(blocks).some(({ seq }) => seq === 21))
  await expect.poll(() => rig.gateway.stats().connections).toBe(1)
  publish(rig, ...Array.from({ length: 20 }, () => 'BTC-USDT'))
  const { blocks } = await reading
  expect(outcomesOf(blocks)[0]).toMatchObject({ contract: { delivery: 'sampled', interval: 100, fields: ['price'] } })
  expect(toldBy(blocks).length).toBeLessThan(10)
  const event = blocks.findLast(({ event: name }) => name === 'trade')?.data
  expect(Object.keys(event as object).toSorted()).toEqual(['price', 'published', 'seq', 'topic', 'type'])
  // Another stream of the same topic is not held to it.
  const all = readEvents(`${rig.base}/v1/events?topics=trade:BTC-USDT`, 4)
  const few = readStream(url, (those) => toldBy(those).some(({ seq }) => seq === 24))
  await expect.poll(() => rig.gateway.stats().connections).toBe(2)
  publish(rig, 'BTC-USDT', 'BTC-USDT', 'BTC-USDT')
  expect((await all).map(({ seq }) => seq)).toEqual([21, 22, 23, 24])
  await few
  for (const wrong of [
    'delivery=none',
    'delivery=sampled',
    'interval=100',
    'delivery=sampled&interval=99',
    'maxAge=-1',
    'maxRate=0'
  ])
    expect((await fetch(`${rig.base}/v1/events?topics=trade:BTC-USDT&${wrong}`)).status).toBe(400)
})

test('of what is older than a stream wants it is told how much is missing', async () => {
  const rig = await start()
  const reading = readStream(`${rig.base}/v1/events?topics=trade:BTC-USDT&maxAge=60000`, (blocks) =>
    blocks.some(({ event }) => event === 'lost')
  )
  await expect.poll(() => rig.gateway.stats().connections).toBe(1)
  // Received at the time 2: years ago.
  publish(rig, 'BTC-USDT', 'BTC-USDT')
  const lost = (await reading).blocks.find(({ event }) => event === 'lost')
  expect(lost?.data).toMatchObject({ op: 'lost', topic: 'trade:BTC-USDT', count: 2, from: 1, to: 2, reason: 'age' })
})
