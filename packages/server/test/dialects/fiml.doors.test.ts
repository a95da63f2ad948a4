/** FIML on a real port: what it is framed in, who is let in, and how much one user may ask. */
import { decode, encode } from '@msgpack/msgpack'
import type { Level } from '@tickwire/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket, type ClientOptions } from 'ws'
import { createFiml } from '../../src/dialects/fiml.ts'
import { sha256 } from '../../src/gateway/auth.ts'
import { createJwt } from '../../src/gateway/jwt.ts'
import { startRig, tradeOf, type RigOptions } from '../gateway/rig.ts'
import { claimsAt, hs256, SECRET } from '../gateway/tokens.ts'
import type { Message } from './fiml.bench.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function start(options: RigOptions = {}) {
  const rig = await startRig({ dialect: createFiml(), ...options })
  undo.push(() => rig.gateway.close(0))
  return { ...rig, at: (path: string) => `ws://127.0.0.1:${rig.port}${path}` }
}

/** Keeps what it was told, each with the form in which it came. */
async function connect(url: string, options: ClientOptions = {}) {
  const ws = new WebSocket(url, options)
  undo.push(() => ws.terminate())
  const said: { binary: boolean; value: Message }[] = []
  ws.on('message', (data: Buffer, binary: boolean) =>
    said.push({ binary, value: binary ? decode(data) : JSON.parse(data.toString()) })
  )
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
  const of = (type: string) => said.filter(({ value }) => value.type === type)
  const subscribe = (stream_type: string, more: object = {}) =>
    ({ type: 'subscribe', stream_type, symbols: ['BTC-USDT'], interval_ms: 100, ...more }) as const
  return {
    ws,
    said,
    of,
    subscribe,
    send: (message: object) => ws.send(JSON.stringify(message)),
    message: async (type: string, nth = 0) => {
      await expect.poll(() => of(type).length, { timeout: 10_000, interval: 5 }).toBeGreaterThan(nth)
      return of(type)[nth]!
    }
  }
}

/** The status with which a handshake is refused. */
const refused = (url: string, options: ClientOptions = {}): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const ws = new WebSocket(url, options)
    undo.push(() => ws.terminate())
    ws.on('error', () => {})
    ws.on('open', () => reject(new Error('let in')))
    ws.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
  })

describe('MessagePack', () => {
  test('[S2-40] asked for in a subscription, the answer and all after it are binary messages of the same fields', async () => {
    const { at, plant } = await start()
    const { send, subscribe, message, ws, said } = await connect(at('/ws/stream'))
    send(subscribe('trades'))
    expect(await message('subscription_ack')).toMatchObject({ binary: false })
    send(subscribe('price', { format: 'msgpack' }))
    expect(await message('subscription_ack', 1)).toMatchObject({ binary: true, value: { stream_type: 'price' } })
    plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 95_000), Date.now())
    for (const nth of [0, 1]) {
      const { binary, value } = await message('data', nth)
      expect(binary).toBe(true)
      expect(value).toMatchObject({ data: [{ symbol: 'BTC-USDT', price: 95_000 }], metadata: { mode: 'demo' } })
    }
    // And back, asked for in the same form.
    ws.send(encode(subscribe('quote', { format: 'json' })))
    expect(await message('subscription_ack', 2)).toMatchObject({ binary: false, value: { stream_type: 'quote' } })
    expect(said.filter(({ binary }) => binary)).toHaveLength(3)
  })

  test('[S2-40] asked for in the address, every message is binary, the first one too', async () => {
    const { at, plant } = await start()
    for (const path of ['/ws/prices/BTC-USDT?format=msgpack', '/ws/stream?format=msgpack']) {
      const { send, subscribe, message, said } = await connect(at(path))
      if (path.startsWith('/ws/stream')) send(subscribe('price'))
      await message('subscription_ack')
      plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 95_000), Date.now())
      expect(await message('data')).toMatchObject({ value: { data: [{ price: 95_000 }] } })
      expect(said.map(({ binary }) => binary)).not.toContain(false)
    }
  })
})

describe('compression', () => {
  const deep = (): Level[] => Array.from({ length: 50 }, (_, i) => [95_000 - i, 1])
  const bytesOf = (ws: WebSocket): number => (ws as unknown as { _socket: { bytesRead: number } })._socket.bytesRead

  test.each(['json', 'msgpack'])('[S2-41] who asks for it is sent the same %s in a quarter of the bytes', async (format) => {
    const { at, plant } = await start()
    const [plain, small] = await Promise.all(
      [false, true].map((perMessageDeflate) => connect(at(`/ws/stream?format=${format}`), { perMessageDeflate }))
    )
    expect([plain!.ws.extensions, small!.ws.extensions]).toEqual(['', 'permessage-deflate'])
    for (const { send, subscribe, message } of [plain!, small!]) {
      send(subscribe('depth', { params: { levels: 50 } }))
      await message('subscription_ack')
    }
    const before = [plain!, small!].map(({ ws }) => bytesOf(ws))
    const book = {
      type: 'book',
      provider: 'one',
      instrument: 'BTC-USDT',
      time: 1,
      received: 2,
      bids: deep(),
      asks: deep()
    } as const
    plant.publish('book:BTC-USDT', book, Date.now())
    const [wide, narrow] = await Promise.all([plain!, small!].map(({ message }) => message('data')))
    expect(narrow!.binary).toBe(format === 'msgpack')
    expect(narrow!.value.data).toEqual(wide!.value.data)
    expect(narrow!.value.data[0].bids).toHaveLength(50)
    const [wideBytes, narrowBytes] = [plain!, small!].map(({ ws }, i) => bytesOf(ws) - before[i]!)
    expect(narrowBytes! * 4).toBeLessThan(wideBytes!)
  })

  test('[S2-41] where it is switched off nothing is agreed, and messages come as they are', async () => {
    const { at } = await start({ compression: false })
    const { ws, message } = await connect(at('/ws/prices/BTC-USDT'), { perMessageDeflate: true })
    expect(ws.extensions).toBe('')
    await message('subscription_ack')
  })
})

const tokenFor = (sub: string, claims: object = {}) => ({
  headers: { authorization: `Bearer ${hs256({ ...claimsAt(Date.now()), sub, ...claims })}` }
})
const jwt = { verifiers: [createJwt({ secret: SECRET, audience: 'tickwire' })] }

describe('who is let in', () => {
  test.each(['/ws/stream', '/ws/prices/BTC-USDT'])(
    '[S2-42] on %s a right key is let in and served, a wrong one is refused at the handshake, and without one nothing is subscribed',
    async (path) => {
      const { at, plant, demanded, base } = await start({ auth: { keys: [sha256('right').toString('hex')] } })
      expect(await refused(at(path), { headers: { 'x-api-key': 'wrong' } })).toBe(401)
      const stranger = await connect(at(path))
      if (path === '/ws/stream') stranger.send(stranger.subscribe('price'))
      expect((await stranger.message('error')).value).toMatchObject({
        error_code: 'SUBSCRIPTION_ERROR',
        message: expect.stringContaining('authenticate first')
      })
      expect(demanded.size).toBe(0)
      for (const headers of [{ 'x-api-key': 'right' }, { authorization: 'Bearer right' }]) {
        const known = await connect(at(path), { headers })
        if (path === '/ws/stream') known.send(known.subscribe('price'))
        await known.message('subscription_ack')
        plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 95_000), Date.now())
        expect((await known.message('data')).value.data).toMatchObject([{ price: 95_000 }])
      }
      expect(stranger.of('data')).toEqual([])
      expect((await fetch(`${base}/ws/connections`)).status).toBe(401)
    }
  )

  test('[S2-42] a token that may not read is forbidden, one that may is let in', async () => {
    const { at } = await start({ auth: jwt })
    expect(await refused(at('/ws/stream'), tokenFor('ann', { scope: 'trade' }))).toBe(403)
    const { send, subscribe, message } = await connect(at('/ws/stream'), tokenFor('ann'))
    send(subscribe('price'))
    await message('subscription_ack')
  })

  test('[S2-42] a connection ends with its token', async () => {
    const revoked = new Set<string>()
    const read = new Set(['read'] as const)
    const book = {
      isUsed: () => true,
      check: async (user: string) => ({ user, scopes: read, key: user }),
      isRevoked: ({ key = '' }: { key?: string }) => revoked.has(key)
    }
    const { at } = await start({ auth: { verifiers: [book] } })
    const { ws, message } = await connect(at('/ws/prices/BTC-USDT'), { headers: { 'x-api-key': 'ann' } })
    const other = await connect(at('/ws/prices/BTC-USDT'), { headers: { 'x-api-key': 'bob' } })
    await message('subscription_ack')
    const code = new Promise((resolve) => ws.once('close', resolve))
    revoked.add('ann')
    expect(await code).toBe(4501)
    expect(other.ws.readyState).toBe(WebSocket.OPEN)
  })
})

describe('how much one user may ask', () => {
  test('[S2-43] messages are counted over all connections of a user, and told in the words of this protocol; another has his own', async () => {
    const { at } = await start({ auth: jwt, allowances: { perUser: { messages: 3 } } })
    const [one, two, other] = await Promise.all(['ann', 'ann', 'bob'].map((user) => connect(at('/ws/stream'), tokenFor(user))))
    for (const stream of ['price', 'quote']) one!.send(one!.subscribe(stream))
    await one!.message('subscription_ack', 1)
    for (const stream of ['price', 'quote']) two!.send(two!.subscribe(stream))
    expect((await two!.message('error')).value).toMatchObject({
      error_code: 'PROCESSING_ERROR',
      details: { reason: 'RATE_LIMITED' }
    })
    expect(two!.of('subscription_ack')).toMatchObject([{ value: { stream_type: 'price' } }])
    for (const stream of ['price', 'quote', 'trades']) other!.send(other!.subscribe(stream))
    await other!.message('subscription_ack', 2)
    expect(other!.of('error')).toEqual([])
  })

  test('[S2-43] so are his connections and topics', async () => {
    const { at } = await start({ auth: jwt, allowances: { perUser: { connections: 2, topics: 3 } } })
    const [one, two] = await Promise.all([0, 1].map(() => connect(at('/ws/stream'), tokenFor('ann'))))
    expect(await refused(at('/ws/stream'), tokenFor('ann'))).toBe(429)
    const other = await connect(at('/ws/stream'), tokenFor('bob'))
    one!.send(one!.subscribe('quote'))
    await one!.message('subscription_ack')
    two!.send(two!.subscribe('price'))
    expect((await two!.message('error')).value).toMatchObject({
      error_code: 'SUBSCRIPTION_ERROR',
      details: { symbols: ['BTC-USDT'] }
    })
    expect(two!.of('subscription_ack')).toEqual([])
    other.send(other.subscribe('quote'))
    await other.message('subscription_ack')
  })
})
