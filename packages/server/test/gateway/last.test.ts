import { get as request, type IncomingMessage } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createJwt } from '../../src/gateway/jwt.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'
import { readEvents } from './stream.ts'
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

type Last = { last: Record<string, { seq: number; price: number } | null>; cursor: string; reset?: true; errors: unknown[] }
const publish = ({ plant }: Rig, instrument: string, price = 1) =>
  plant.publish(`trade:${instrument}`, tradeOf(instrument, price), Date.now())
const TOPICS = 'topics=trade:BTC-USDT,trade:ETH-USDT'
const ask = async (rig: Rig, query: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${rig.base}/v1/last?${query}`, { headers })
  const body = answer.status === 304 ? undefined : ((await answer.json()) as Last)
  return { status: answer.status, headers: answer.headers, body: body as Last }
}
/** A cursor of now: who comes for what is new is told at once, and no first value is waited for of a topic that has none. */
const cursorOf = async (rig: Rig) => (await ask(rig, `${TOPICS}&since=none`)).body.cursor
/** Topics that are listened to, by anybody. */
const listeners = ({ plant }: Rig) => [...plant.topics()].reduce((sum, topic) => sum + plant.listeners(topic), 0)
const isHeld = (rig: Rig, count = 1) => expect.poll(() => listeners(rig), { timeout: 30_000 }).toBe(count * 2)
const isFree = (rig: Rig) => expect.poll(() => listeners(rig), { timeout: 30_000 }).toBe(0)

test('[S1-41] with a cursor only the topics are told that went on since, and without one all', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  publish(rig, 'ETH-USDT')
  const first = (await ask(rig, TOPICS)).body
  expect(Object.keys(first.last)).toEqual(['trade:BTC-USDT', 'trade:ETH-USDT'])
  const nothing = (await ask(rig, `${TOPICS}&since=${first.cursor}`)).body
  expect(nothing).toEqual({ last: {}, errors: [], cursor: first.cursor })
  publish(rig, 'ETH-USDT', 2)
  const some = (await ask(rig, `${TOPICS}&since=${first.cursor}`)).body
  expect(some.last).toEqual({ 'trade:ETH-USDT': expect.objectContaining({ seq: 2, price: 2 }) })
  expect((await ask(rig, `${TOPICS}&since=${some.cursor}`)).body.last).toEqual({})
})

test.for([
  ['junk', () => 'junk'],
  ['an empty text', () => ''],
  ['another life of the server', (cursor: string) => cursor.replace('e1', 'e0')],
  ['a sequence that is yet to come', (cursor: string) => `${cursor}zz`],
  ['other topics', (cursor: string) => cursor.replace(/~\w+~/, '~1~')],
  ['10 kB of it', (cursor: string) => cursor.repeat(2_000).slice(0, 10_000)]
] as const)('[C4] for a cursor of %s everything is told, at once, and that it is', { timeout: 90_000 }, async ([, change]) => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  const cursor = await cursorOf(rig)
  const { body } = await ask(rig, `${TOPICS}&wait=30000&since=${change(cursor)}`)
  expect(body).toMatchObject({ reset: true, last: { 'trade:BTC-USDT': { seq: 1 }, 'trade:ETH-USDT': null } })
  expect((await ask(rig, `${TOPICS}&since=${body.cursor}`)).body).toMatchObject({ last: {} })
})

test('[C4] a cursor from before a restart is answered with everything, though the numbers are the same', async () => {
  const before = await start()
  publish(before, 'BTC-USDT')
  const cursor = await cursorOf(before)
  const after = await start({ plant: createPlant({ epoch: 'e2' }) })
  publish(after, 'BTC-USDT', 9)
  expect((await ask(after, `${TOPICS}&since=${cursor}`)).body).toMatchObject({
    reset: true,
    last: { 'trade:BTC-USDT': { price: 9 } }
  })
})

test('[S1-40] a request that may wait is held until a topic goes on, and told only that', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  publish(rig, 'ETH-USDT')
  const { cursor } = (await ask(rig, TOPICS)).body
  const held = ask(rig, `${TOPICS}&since=${cursor}&wait=30000`)
  await isHeld(rig)
  publish(rig, 'ETH-USDT', 5)
  const { status, headers, body } = await held
  expect([status, headers.get('cache-control'), headers.get('etag')]).toEqual([200, 'no-store', null])
  expect(body.last).toEqual({ 'trade:ETH-USDT': expect.objectContaining({ price: 5 }) })
  await isFree(rig)
})

test('[S1-40] what came between two requests is not waited for', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  const cursor = await cursorOf(rig)
  publish(rig, 'BTC-USDT', 2)
  expect((await ask(rig, `${TOPICS}&since=${cursor}&wait=30000`)).body.last).toMatchObject({ 'trade:BTC-USDT': { price: 2 } })
}, 10_000)

test('[S1-40] when the time is over the answer is empty, and the same cursor holds', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  const cursor = await cursorOf(rig)
  expect((await ask(rig, `${TOPICS}&since=${cursor}&wait=50`)).body).toEqual({ last: {}, errors: [], cursor })
  await isFree(rig)
})

test('[S1-40] with If-None-Match a request is held while nothing differs, and is 304 when its time is over', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  publish(rig, 'ETH-USDT')
  const etag = (await ask(rig, TOPICS)).headers.get('etag')!
  const over = await ask(rig, `${TOPICS}&wait=50`, { 'if-none-match': etag })
  expect([over.status, over.headers.get('etag')]).toEqual([304, etag])
  const held = ask(rig, `${TOPICS}&wait=30000`, { 'if-none-match': etag })
  await isHeld(rig)
  publish(rig, 'BTC-USDT', 3)
  const { status, body, headers } = await held
  expect([status, headers.get('etag') === etag, Object.keys(body.last)]).toEqual([
    200,
    false,
    ['trade:BTC-USDT', 'trade:ETH-USDT']
  ])
})

test('[S1-41] under chosen fields only a difference in one of them is news, and ETag and cursor agree', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT', 100)
  const asked = 'topics=trade:BTC-USDT&fields=price'
  const first = await ask(rig, asked)
  expect(first.body.last['trade:BTC-USDT']).toEqual({
    topic: 'trade:BTC-USDT',
    type: 'trade',
    seq: 1,
    published: expect.any(Number),
    price: 100
  })
  const etag = first.headers.get('etag')!
  expect(etag).toMatch(/^W\//)
  publish(rig, 'BTC-USDT', 100)
  expect((await ask(rig, `${asked}&since=${first.body.cursor}`)).body.last).toEqual({})
  expect((await ask(rig, asked, { 'if-none-match': etag })).status).toBe(304)
  publish(rig, 'BTC-USDT', 101)
  expect((await ask(rig, `${asked}&since=${first.body.cursor}`)).body.last).toMatchObject({ 'trade:BTC-USDT': { price: 101 } })
  expect((await ask(rig, asked, { 'if-none-match': etag })).status).toBe(200)
  // A cursor of some fields is none of others.
  expect((await ask(rig, `topics=trade:BTC-USDT&fields=size&since=${first.body.cursor}`)).body.reset).toBe(true)
})

test('[S1-41] a threshold is counted from what was told: small steps add up, and a held request waits for them', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT', 100)
  const asked = 'topics=trade:BTC-USDT&fields=price&threshold=1'
  let { cursor } = (await ask(rig, asked)).body
  for (const price of [100.4, 100.8]) {
    publish(rig, 'BTC-USDT', price)
    const { body } = await ask(rig, `${asked}&since=${cursor}`)
    expect(body.last).toEqual({})
    cursor = body.cursor
  }
  const held = ask(rig, `${asked}&since=${cursor}&wait=30000`)
  await expect.poll(() => listeners(rig)).toBe(1)
  publish(rig, 'BTC-USDT', 100.9)
  publish(rig, 'BTC-USDT', 101)
  expect((await held).body.last).toMatchObject({ 'trade:BTC-USDT': { price: 101 } })
  await isFree(rig)
})

test('a cursor is the Last-Event-ID of a stream of the same topics: it goes on from there', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  publish(rig, 'ETH-USDT')
  const { cursor } = (await ask(rig, TOPICS)).body
  publish(rig, 'BTC-USDT')
  publish(rig, 'BTC-USDT')
  const told = await readEvents(`${rig.base}/v1/events?${TOPICS}`, 2, cursor)
  expect(told.map(({ topic, seq }) => `${topic} ${seq}`)).toEqual(['trade:BTC-USDT 2', 'trade:BTC-USDT 3'])
  const { body } = await ask(rig, `${TOPICS}&since=${told[0]!.id}`)
  expect(body.last).toEqual({ 'trade:BTC-USDT': expect.objectContaining({ seq: 3 }) })
})

test.for([
  ['wait=30001', 'wait: must be a whole number of milliseconds from 0 to 30000, not "30001"'],
  ['wait=-1', 'wait: must be a whole number of milliseconds from 0 to 30000, not "-1"'],
  ['wait=1e99', 'wait: must be a whole number of milliseconds from 0 to 30000, not "1e99"'],
  ['wait=Infinity', 'wait: must be a whole number of milliseconds from 0 to 30000, not "Infinity"'],
  ['wait=1&wait=2', 'wait: must be a whole number of milliseconds from 0 to 30000, not ["1","2"]'],
  ['threshold=-1&fields=price', 'threshold: must be a percentage from 0 to 1000, not "-1"'],
  ['threshold=1', 'threshold: say of which fields, as in fields=price'],
  ['fields=a-b', 'fields: must be lite, or up to 16 names of fields joined by commas, not "a-b"'],
  ['since=a&since=b', 'since: must be given once, not ["a","b"]']
] as const)('[S13] GET /v1/last?topics=trade:BTC-USDT&%s says what would be right', async ([query, message]) => {
  const rig = await start()
  const { status, body } = await ask(rig, `topics=trade:BTC-USDT&${query}`)
  expect([status, body]).toMatchObject([400, { error: { code: 'BAD_MESSAGE', message } }])
})

test('[C10] 1,000 requests are held at once and all answered by one event; nothing of them is left', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  const cursor = await cursorOf(rig)
  const held = Array.from({ length: 1_000 }, () => ask(rig, `${TOPICS}&since=${cursor}&wait=30000`))
  await isHeld(rig, 1_000)
  publish(rig, 'ETH-USDT', 3)
  for (const { status, body } of await Promise.all(held)) {
    expect(status).toBe(200)
    expect(body.last).toMatchObject({ 'trade:ETH-USDT': { price: 3 } })
  }
  await isFree(rig)
}, 60_000)

test('[C10] whoever hangs up, or vanishes with the request half read, is waited for no more', async () => {
  const rig = await start({ allowances: { perAddress: { connections: 3 } } })
  publish(rig, 'BTC-USDT')
  const cursor = await cursorOf(rig)
  const path = `/v1/last?${TOPICS}&since=${cursor}&wait=30000`
  for (let n = 0; n < 5; n++) {
    const hangUp = new AbortController()
    const gone = Array.from({ length: 2 }, () => fetch(rig.base + path, { signal: hangUp.signal }).catch(() => 'gone'))
    const socket = connectTcp(rig.port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v1`))
    await isHeld(rig, 3)
    hangUp.abort()
    socket.resetAndDestroy()
    expect(await Promise.all(gone)).toEqual(['gone', 'gone'])
    await isFree(rig)
  }
}, 30_000)

test('[C12] a held request counts as a connection: over the bound it is 429, and the place is given back', async () => {
  const rig = await start({ allowances: { perAddress: { connections: 2 } }, limits: { connections: 5 } })
  publish(rig, 'BTC-USDT')
  publish(rig, 'ETH-USDT')
  const cursor = await cursorOf(rig)
  const query = `${TOPICS}&since=${cursor}&wait=30000`
  const held = [ask(rig, query), ask(rig, query)]
  await isHeld(rig, 2)
  const refused = await ask(rig, query)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
  expect((await ask(rig, TOPICS)).status).toBe(200)
  publish(rig, 'BTC-USDT')
  await Promise.all(held)
  const again = ask(rig, query.replace(cursor, (await ask(rig, TOPICS)).body.cursor))
  await isHeld(rig)
  publish(rig, 'BTC-USDT')
  expect((await again).status).toBe(200)
})

test('[B9] a shutdown answers those who wait, as if their time were over', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  const cursor = await cursorOf(rig)
  const held = ask(rig, `${TOPICS}&since=${cursor}&wait=30000`)
  await isHeld(rig)
  await rig.gateway.close(0)
  expect((await held).body).toEqual({ last: {}, errors: [], cursor })
}, 15_000)

test('[S3] a request that is held ends with its token', async () => {
  const claims = claimsAt(Date.now())
  const rig = await start({ auth: { verifiers: [createJwt({ secret: SECRET, audience: 'tickwire' })] } })
  publish(rig, 'BTC-USDT')
  publish(rig, 'ETH-USDT')
  const authorization = { authorization: `Bearer ${hs256(claims)}` }
  const { headers, body } = await ask(rig, TOPICS, authorization)
  expect(headers.get('cache-control')).toBe('private, no-cache')
  expect(headers.get('vary')).toContain('Authorization')
  expect((await fetch(`${rig.base}/v1/last?${TOPICS}`)).status).toBe(401)
  const short = hs256({ ...claims, exp: Math.floor(Date.now() / 1_000) + 1 })
  const late = await ask(rig, `${TOPICS}&since=${body.cursor}&wait=30000`, { authorization: `Bearer ${short}` })
  expect([late.status, late.body]).toMatchObject([401, { error: { code: 'UNAUTHORIZED' } }])
  await isFree(rig)
}, 90_000)

test('a topic that is waited for is asked for upstream, and given back later', async () => {
  const rig = await start()
  const held = ask(rig, `${TOPICS}&since=junk&wait=1000`)
  await held
  expect(rig.demanded.get('trade:BTC-USDT')).toBe(1)
})

/** The answer's head, with its body thrown away. */
const head = (url: string, method: string, headers: Record<string, string>): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { method, headers }, (answer) => resolve(answer.resume()))
    asked.on('error', reject)
    asked.end()
  })

test('[S1-40] HEAD has the ETag of GET, and no body', async () => {
  const rig = await start()
  publish(rig, 'BTC-USDT')
  publish(rig, 'ETH-USDT')
  const url = `${rig.base}/v1/last?${TOPICS}`
  const [got, looked] = [await head(url, 'GET', {}), await head(url, 'HEAD', {})]
  expect(looked.headers.etag).toBe(got.headers.etag)
  expect(looked.statusCode).toBe(200)
  const known = await head(url, 'HEAD', { 'if-none-match': got.headers.etag! })
  expect(known.statusCode).toBe(304)
})
