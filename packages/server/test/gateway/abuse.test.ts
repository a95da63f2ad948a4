/** What hostile and broken clients do to a gateway that others use: it answers or closes, keeps nothing, and the others go on. */
import { connect as connectTcp, type Socket } from 'node:net'
import { constants, deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closePayload, frame, open, type Conn } from './raw.ts'
import { connect, startRig, tradeOf, type Client, type Rig, type RigOptions } from './rig.ts'

let rig: Rig
let others: Client
let price = 0

/** A gateway with one good subscriber on it. */
async function start(options: RigOptions = {}): Promise<Rig> {
  rig = await startRig(options)
  others = await connect(rig.url)
  others.send({ op: 'subscribe', topics: ['trade:BTC-USDT'], notices: false })
  await others.message('subscribed')
  return rig
}
/** An event published now reaches the good subscriber, and health is told. */
async function expectOthersFed(): Promise<void> {
  rig.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', ++price), Date.now())
  const { seq } = rig.plant.last('trade:BTC-USDT')!
  await others.until(() => others.events().at(-1)?.seq === seq)
  expect((await fetch(`${rig.base}/health`)).status).toBe(200)
}
/** Only the good subscriber is left, with its one topic. */
const expectNothingLeft = (): Promise<void> =>
  expect.poll(() => rig.gateway.stats(), { timeout: 30_000 }).toMatchObject({ connections: 1, groups: 1, behind: 0 })

beforeEach(() => void (price = 0))
afterEach(async () => {
  others.ws.terminate()
  await rig.gateway.close(0)
})

const closeOf = async (client: Conn): Promise<number | undefined> => {
  await client.until(() => client.close ?? client.ended, 30_000)
  return client.close?.code
}
const LIMIT = 64 * 1024

describe('[C6] subscriptions', () => {
  test('that come and go, many times and twice over, leave nothing behind', async () => {
    await start({ limits: { messages: { perSecond: 10_000, burst: 10_000 } } })
    const churner = await connect(rig.url)
    const topics = ['trade:BTC-USDT', 'trade:ETH-USDT', 'trade:ETH-USDT', 'book:BTC-USDT', 'candle:BTC-USDT:1m']
    for (let n = 0; n < 200; n++) {
      churner.send({ op: 'subscribe', topics, notices: false })
      churner.send({ op: 'subscribe', topics: topics.toReversed(), contract: { delivery: n % 2 === 0 ? 'every' : 'latest' } })
      churner.send({ op: 'unsubscribe', topics })
    }
    churner.send({ op: 'ping', id: 'end' })
    await churner.message('pong')
    await expectOthersFed()
    expect(churner.events()).toEqual([])
    expect(Object.fromEntries(rig.demanded)).toEqual({
      'trade:BTC-USDT': 1,
      'trade:ETH-USDT': 0,
      'book:BTC-USDT': 0,
      'candle:BTC-USDT': 0
    })
    churner.ws.terminate()
    await expectNothingLeft()
  })

  test('of a client that vanishes are given back', async () => {
    await start()
    const client = await connect(rig.url)
    client.send({ op: 'subscribe', topics: ['trade:ETH-USDT', 'book:BTC-USDT'] })
    await client.message('subscribed')
    client.ws.terminate()
    await expectNothingLeft()
    expect(Object.fromEntries(rig.demanded)).toEqual({ 'trade:BTC-USDT': 1, 'trade:ETH-USDT': 0, 'book:BTC-USDT': 0 })
  })
})

const bomb = (bytes: number) => deflateRawSync(Buffer.alloc(bytes, ' '), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
const COMPRESSED = 4
const DEFLATE = 'permessage-deflate; client_max_window_bits'
describe('[C7] [T9] a message over the limit is closed with 1009, and nothing of it is kept', () => {
  test.for([
    ['one byte more', '', [frame({ op: 1, payload: Buffer.alloc(LIMIT + 1, ' ') })]],
    ['16 MB that are only announced', '', [frame({ op: 1, payload: '{', form: '64', declare: 16_000_000 })]],
    [
      'fragments',
      '',
      Array.from({ length: 5 }, (_, n) => frame({ op: n === 0 ? 1 : 0, fin: false, payload: Buffer.alloc(LIMIT / 4, ' ') }))
    ],
    ['one byte more once inflated', DEFLATE, [frame({ op: 1, rsv: COMPRESSED, payload: bomb(LIMIT + 1) })]],
    ['60 MB once inflated', DEFLATE, [frame({ op: 1, rsv: COMPRESSED, payload: bomb(60_000_000) })]],
    [
      '60 MB in fragments, each a bomb',
      DEFLATE,
      Array.from({ length: 2 }, (_, n) =>
        frame({ op: n === 0 ? 1 : 0, rsv: n === 0 ? COMPRESSED : 0, fin: false, payload: bomb(30_000_000) })
      )
    ]
  ] as const)('%s', async ([, extensions, frames]) => {
    await start()
    const before = process.memoryUsage().rss
    const clients = await Promise.all(Array.from({ length: 20 }, () => open(rig.url, { extensions })))
    for (const client of clients) for (const each of frames) client.write(each)
    for (const client of clients) expect(await closeOf(client)).toBe(1009)
    await expectOthersFed()
    await expectNothingLeft()
    // Twenty of them whole would be over 1 GB inflated, or 320 MB announced.
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
  })

  test('a message of exactly the limit is answered, compressed or not', async () => {
    await start()
    const text = Buffer.from('{"op":"ping","id":"whole"}'.padEnd(LIMIT))
    const deflated = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
    for (const each of [frame({ op: 1, payload: text }), frame({ op: 1, rsv: COMPRESSED, payload: deflated })]) {
      const client = await connectRaw(DEFLATE)
      client.write(each)
      expect(await client.until(() => client.msgs.some((said) => String(said).includes('"pong"')), 30_000)).toBe(true)
      client.kill()
    }
  })
})

const connectRaw = async (extensions = ''): Promise<Conn> => {
  const client = await open(rig.url, { extensions })
  expect(client.up).toBe(true)
  return client
}

describe('[C8] on a compressed connection', () => {
  test.for([
    ['a compressed ping', [frame({ op: 9, rsv: COMPRESSED, payload: 'p' })], 1002],
    ['a compressed close', [frame({ op: 8, rsv: COMPRESSED, payload: closePayload(1000) })], 1002],
    ['another reserved bit', [frame({ op: 1, rsv: 2, payload: '{}' })], 1002],
    [
      'a continuation that says it is compressed',
      [frame({ op: 1, rsv: COMPRESSED, fin: false, payload: bomb(9) }), frame({ op: 0, rsv: COMPRESSED, payload: '' })],
      1002
    ],
    ['bytes that are not deflate', [frame({ op: 1, rsv: COMPRESSED, payload: Buffer.alloc(40, 0xff) })], 1007]
  ] as const)('%s closes it', async ([, frames, code]) => {
    await start()
    const client = await connectRaw(DEFLATE)
    for (const each of frames) client.write(each)
    expect(await closeOf(client)).toBe(code)
    await expectOthersFed()
  })
})

const INVALID = [
  ['an unknown parameter', 'permessage-deflate; foo=1'],
  ['a window that is too small', 'permessage-deflate; server_max_window_bits=7'],
  ['a switch with a value', 'permessage-deflate; client_no_context_takeover=1'],
  ['a parameter twice', 'permessage-deflate; server_no_context_takeover; server_no_context_takeover'],
  ['another extension', 'x-unknown; a="b, permessage-deflate; foo"']
] as const
describe('[C13] an offer of compression', () => {
  test.for(INVALID)('with %s is declined, and the connection made without', async ([, offer]) => {
    await start()
    const client = await connectRaw(offer)
    expect(client.res?.headers['sec-websocket-extensions']).toBeUndefined()
    client.kill()
  })

  test.for(INVALID)('with %s is passed over for the next', async ([, offer]) => {
    await start()
    const client = await connectRaw(`${offer}, permessage-deflate; client_max_window_bits=15`)
    expect(client.res?.headers['sec-websocket-extensions']).toBe(
      'permessage-deflate; client_max_window_bits=15; server_no_context_takeover; client_no_context_takeover'
    )
    client.kill()
  })

  test('is not answered where nobody made one, and never keeps what one user was sent for the next message', async () => {
    await start()
    expect((await connectRaw()).res?.headers['sec-websocket-extensions']).toBeUndefined()
    expect((await connectRaw(DEFLATE)).res?.headers['sec-websocket-extensions']).toContain('server_no_context_takeover')
  })
})

describe('[C8] text that is no UTF-8', () => {
  test('closes with 1007 at the fragment that shows it; a character cut in two does not', async () => {
    await start()
    const euro = Buffer.from('€')
    const client = await connectRaw()
    client.write(frame({ op: 1, fin: false, payload: Buffer.concat([Buffer.from('{"op":"ping","id":"'), euro.subarray(0, 1)]) }))
    client.write(frame({ op: 0, fin: false, payload: euro.subarray(1) }))
    client.write(frame({ op: 0, payload: '"}' }))
    expect(await client.until(() => client.msgs.some((said) => String(said).includes('"id":"€"')), 30_000)).toBe(true)
    client.write(frame({ op: 1, fin: false, payload: euro.subarray(0, 2) }))
    client.write(frame({ op: 0, fin: false, payload: Buffer.from([0x20]) }))
    expect(await closeOf(client)).toBe(1007)
  })
})

const DEEP = 20_000
describe('[C9] JSON', () => {
  test.for([
    ['arrays, very deep', '['.repeat(DEEP) + ']'.repeat(DEEP)],
    ['objects, very deep', `${'{"op":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
    [
      'a topic for every object',
      '{"op":"subscribe","topics":["__proto__","constructor","toString","trade:__proto__","trade:constructor"]}'
    ],
    ['__proto__ as a key', '{"__proto__":{"op":"ping"},"op":"nothing"}'],
    ['names of every object as a key', '{"op":"constructor","constructor":{"prototype":{"admin":true}}}'],
    [
      'names of every object in a resume',
      '{"op":"subscribe","topics":["trade:ETH-USDT"],"resume":{"__proto__":{"epoch":"e","seq":1},"constructor":1}}'
    ],
    ['an id that is huge', `{"op":"ping","id":"${'x'.repeat(60_000)}"}`],
    ['numbers past all bounds', '{"op":"ping","id":1e999}'],
    ['nothing', ''],
    ['a zero byte', '\0'],
    ['null', 'null']
  ] as const)('%s is answered, pollutes nothing, and the connection goes on', async ([, text]) => {
    await start()
    const client = await connect(rig.url)
    await client.message('hello')
    client.send(text)
    await client.until(() => client.said.length > 1)
    client.send({ op: 'ping', id: 'still' })
    await client.until(() => client.said.some((each) => 'op' in each && each.op === 'pong' && each.id === 'still'))
    expect(({} as { op?: unknown; admin?: unknown }).op).toBeUndefined()
    expect(({} as { op?: unknown; admin?: unknown }).admin).toBeUndefined()
    await expectOthersFed()
    client.ws.terminate()
  })
})

const tcp = (): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connectTcp(rig.port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
  })
const untilEnd = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk) => void (text += String(chunk)))
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
describe('[C10] [T8]', () => {
  test('a handshake that never ends is cut within 5 s, however slowly it goes on', async () => {
    await start()
    const slow = await tcp()
    const silent = await tcp()
    slow.write('GET /v1/ws HTTP/1.1\r\nHost: localhost\r\n')
    const drip = setInterval(() => slow.write('X-Pad: 1\r\n'), 100)
    const began = performance.now()
    const [answer] = await Promise.all([untilEnd(slow), untilEnd(silent)])
    clearInterval(drip)
    expect(performance.now() - began).toBeLessThan(7_000)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    await expectOthersFed()
    await expectNothingLeft()
  })

  test('a flood of headers is answered with 431', async () => {
    await start()
    const socket = await tcp()
    socket.write(`GET /v1/ws HTTP/1.1\r\nHost: localhost\r\n${'X-Pad: 0123456789\r\n'.repeat(2_000)}\r\n`)
    expect(await untilEnd(socket)).toMatch(/^HTTP\/1\.1 431 /)
    await expectOthersFed()
  })

  test('resets in the middle of a frame leave nothing behind', async () => {
    await start()
    const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(DEFLATE)))
    for (const client of clients) {
      client.write(frame({ op: 1, payload: '{"op":"subscribe","topics":["trade:ETH-USDT"]}' }))
      client.write(frame({ op: 1, payload: ' '.repeat(1_000) }).subarray(0, 500))
    }
    await expect.poll(() => rig.demanded.get('trade:ETH-USDT')).toBeGreaterThan(0)
    for (const client of clients) client.rst()
    await expectNothingLeft()
    expect(rig.demanded.get('trade:ETH-USDT')).toBe(0)
    await expectOthersFed()
  })

  test('a flood of pings is closed with 1008, one of fragments that never end too', async () => {
    await start()
    const pinging = await connectRaw()
    pinging.write(Buffer.concat(Array.from({ length: 3_000 }, () => frame({ op: 9, payload: 'x' }))))
    expect(await closeOf(pinging)).toBe(1008)
    const fragments = await connectRaw()
    fragments.write(frame({ op: 1, fin: false, payload: '{' }))
    fragments.write(Buffer.concat(Array.from({ length: 17_000 }, () => frame({ op: 0, fin: false }))))
    expect(await closeOf(fragments)).toBe(1008)
    await expectOthersFed()
    await expectNothingLeft()
  })
})
