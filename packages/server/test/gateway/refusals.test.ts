import { createHash } from 'node:crypto'
import { get } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { createAdmission } from '../../src/gateway/admission.ts'
import { connect, startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
const start = async (options?: RigOptions) => (rig = await startRig(options))
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

test.for([
  ['{', 'BAD_JSON', /not JSON/],
  ['[]', 'BAD_MESSAGE', /an object with an op/],
  ['{"op":5}', 'BAD_MESSAGE', /^op/],
  ['{"op":"dance","id":3}', 'UNKNOWN_OP', /hello, auth, subscribe/],
  ['{"op":"subscribe","topics":"a"}', 'BAD_MESSAGE', /^topics/],
  ['{"op":"subscribe","topics":[5]}', 'BAD_MESSAGE', /^topics\.0/],
  ['{"op":"subscribe","topics":[]}', 'BAD_MESSAGE', /^topics/],
  ['{"op":"subscribe","topics":["a"],"resume":{"a":{"epoch":"e","seq":-1}}}', 'BAD_MESSAGE', /^resume\.a\.seq/],
  ['{"op":"hello","version":2}', 'BAD_MESSAGE', /version/],
  ['{"op":"hello","version":1,"encoding":"cbor"}', 'BAD_MESSAGE', /json or msgpack/]
] as const)('[C9] %s is answered with %s, and the connection goes on', async ([text, code, message]) => {
  const { url } = await start()
  const client = await connect(url)
  client.send(text)
  const error = await client.message('error')
  expect(error).toMatchObject({ code, retry: false })
  expect(error.message).toMatch(message)
  client.send({ op: 'ping', id: 'still' })
  expect(await client.message('pong')).toMatchObject({ id: 'still' })
  client.ws.terminate()
})

test('a client that never speaks the protocol is closed with 4500, one that errs now and then is not', async () => {
  const { url } = await start()
  const client = await connect(url)
  for (let n = 0; n < 99; n++) client.send('{')
  client.send({ op: 'ping' })
  await client.message('pong')
  for (let n = 0; n < 100; n++) client.send('{')
  expect(await client.closed()).toMatchObject({ code: 4500 })
})

test('[C6] a flood is answered with RATE_LIMITED, then closed with 1008', async () => {
  const { url } = await start({ limits: { messages: { perSecond: 1, burst: 5 } } })
  const client = await connect(url)
  for (let n = 0; n < 120; n++) client.send({ op: 'ping' })
  expect(await client.message('error')).toMatchObject({ code: 'RATE_LIMITED', retry: true })
  expect(await client.closed()).toMatchObject({ code: 1008 })
})

test('[C6] topics over the limit are refused one by one, and those held stay', async () => {
  const { url, plant } = await start({ limits: { topics: 2 } })
  const client = await connect(url)
  client.send({ op: 'subscribe', topics: ['trade:BTC-USDT', 'trade:ETH-USDT', 'trade:SOL-USDT'] })
  expect((await client.message('subscribed')).results).toMatchObject([
    { ok: true },
    { ok: true },
    { ok: false, code: 'TOO_MANY_SYMBOLS' }
  ])
  plant.publish('trade:ETH-USDT', tradeOf('ETH-USDT', 1), Date.now())
  await client.until(() => client.events().length === 1)
  client.ws.terminate()
})

test('[C8] a binary message is closed with 1003, one over the limit with 1009', async () => {
  const { url } = await start()
  const one = await connect(url)
  one.ws.send(Buffer.from([1]))
  expect(await one.closed()).toMatchObject({ code: 1003 })
  const two = await connect(url)
  two.send(' '.repeat(65_537))
  expect(await two.closed()).toMatchObject({ code: 1009 })
})

const KEY = 'correct-horse'
const keys = [createHash('sha256').update(KEY).digest('hex')]

test('[T8] where a key is needed nothing is subscribed before it, a wrong one is closed with 4501, none with 4504', async () => {
  const { url } = await start({ auth: { keys }, limits: { authWithin: 300 } })
  const client = await connect(url)
  expect(await client.message('hello')).toMatchObject({ auth: 'required' })
  client.send({ op: 'subscribe', topics: ['trade:BTC-USDT'] })
  expect((await client.message('subscribed')).results).toMatchObject([{ ok: false, code: 'UNAUTHORIZED' }])
  client.send({ op: 'auth', token: KEY, id: 1 })
  expect(await client.message('authenticated')).toMatchObject({ id: 1 })
  client.send({ op: 'subscribe', topics: ['trade:BTC-USDT'] })
  expect((await client.message('subscribed', 1)).results).toMatchObject([{ ok: true }])
  const wrong = await connect(url)
  wrong.send({ op: 'auth', token: 'guess' })
  expect(await wrong.closed()).toMatchObject({ code: 4501 })
  const silent = await connect(url)
  expect(await silent.closed()).toMatchObject({ code: 4504 })
  const known = await connect(url, { headers: { authorization: `Bearer ${KEY}` } })
  expect(await known.message('hello')).toMatchObject({ auth: 'none' })
  known.ws.terminate()
  client.ws.terminate()
})

test('where a key is needed REST asks for it, and health does not', async () => {
  const { base } = await start({ auth: { keys } })
  expect((await fetch(`${base}/v1/instruments`)).status).toBe(401)
  expect((await fetch(`${base}/v1/instruments`, { headers: { 'x-api-key': 'guess' } })).status).toBe(401)
  expect((await fetch(`${base}/v1/instruments`, { headers: { 'x-api-key': KEY } })).status).toBe(200)
  expect((await fetch(`${base}/health`)).status).toBe(200)
})

/** The status line that raw bytes get. */
const raw = (port: number, lines: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`))
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
      if (!text.includes('\r\n')) return
      socket.destroy()
      resolve(text.slice(0, text.indexOf('\r\n')))
    })
    socket.on('error', reject)
    socket.on('end', () => resolve(text))
  })

/** fetch keeps the Host to itself. */
const ask = (port: number, headers: Record<string, string>): Promise<{ status: number | undefined; body: unknown }> =>
  new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path: '/v1/providers', headers }, (response) => {
      json(response).then((body) => resolve({ status: response.statusCode, body }), reject)
    })
    request.on('error', reject)
  })

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
]

test.for([
  ['HTTP/1.0', ['GET /v1/ws HTTP/1.0', 'Host: localhost', ...HANDSHAKE], 400],
  ['no Host', ['GET /v1/ws HTTP/1.1', ...HANDSHAKE], 400],
  ['two Hosts', ['GET /v1/ws HTTP/1.1', 'Host: localhost', 'Host: localhost', ...HANDSHAKE], 400],
  ['two Hosts without an upgrade', ['GET /health HTTP/1.1', 'Host: localhost', 'Host: evil.example'], 400],
  ['a POST', ['POST /v1/ws HTTP/1.1', 'Host: localhost', ...HANDSHAKE], 405],
  ['a path that nobody serves', ['GET /v1/wss HTTP/1.1', 'Host: localhost', ...HANDSHAKE], 404],
  ['a path that is no text', ['GET /%ff HTTP/1.1', 'Host: localhost', ...HANDSHAKE], 404],
  ['an address over 4 KiB', [`GET /v1/ws?${'x'.repeat(4_096)} HTTP/1.1`, 'Host: localhost', ...HANDSHAKE], 414],
  ['a foreign origin', ['GET /v1/ws HTTP/1.1', 'Host: localhost', 'Origin: http://evil.example', ...HANDSHAKE], 403],
  [
    'an origin that only begins like ours',
    ['GET /v1/ws HTTP/1.1', 'Host: localhost', 'Origin: http://localhost.evil.example', ...HANDSHAKE],
    403
  ],
  [
    'an origin that only begins like loopback',
    ['GET /v1/ws HTTP/1.1', 'Host: localhost', 'Origin: http://127.0.0.1.evil.example', ...HANDSHAKE],
    403
  ],
  ['a null origin', ['GET /v1/ws HTTP/1.1', 'Host: localhost', 'Origin: null', ...HANDSHAKE], 403],
  ['a name that was made to resolve here', ['GET /v1/ws HTTP/1.1', 'Host: evil.example:8000', ...HANDSHAKE], 403],
  [
    'a page of such a name',
    ['GET /v1/ws HTTP/1.1', 'Host: evil.example:8000', 'Origin: http://evil.example:8000', ...HANDSHAKE],
    403
  ],
  ['the address of IPv6 loopback', ['GET /v1/ws HTTP/1.1', 'Host: [::1]:8000', ...HANDSHAKE], 101],
  ['the same origin', ['GET /v1/ws HTTP/1.1', 'Host: localhost', 'Origin: http://localhost', ...HANDSHAKE], 101],
  ['a page on loopback', ['GET /v1/ws HTTP/1.1', 'Host: localhost', 'Origin: http://localhost:5173', ...HANDSHAKE], 101]
] as const)('[S1] an upgrade with %s is answered by the table', async ([, lines, status]) => {
  const { port } = await start()
  expect(await raw(port, lines)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
})

const withHost = (host: string): string[] => [`Host: ${host}`, `Origin: http://${host}`]

test('[S1] on loopback without keys only our own names and those of the configured origins are answered, by REST and SSE too', async () => {
  const { port } = await start({ origins: ['https://desk.example'] })
  const statusOf = async (path: string, host: string) =>
    (await raw(port, [`GET ${path} HTTP/1.1`, ...withHost(host)])).slice(9, 12)
  for (const path of ['/v1/providers', '/v1/events?topics=trade:BTC-USDT', '/', '/health']) {
    for (const host of ['evil.example:8000', '127.0.0.1.evil.example', 'localhost.evil.example', 'desk.example.evil'])
      expect(await statusOf(path, host), `${path} at ${host}`).toBe('403')
    for (const host of ['localhost:8000', '127.0.0.1', '[::1]:8000', 'desk.example'])
      expect(await statusOf(path, host), `${path} at ${host}`).toBe('200')
  }
})

test('[S1] the refusal of a host says what to do, in a code of the table', async () => {
  const { port } = await start()
  const { status, body } = await ask(port, { host: 'evil.example:8000' })
  expect(status).toBe(403)
  expect(body).toMatchObject({
    error: { code: 'FORBIDDEN', message: expect.stringMatching(/evil\.example:8000.*gateway\.origins/) }
  })
})

test.for([
  ['with a key', { host: '127.0.0.1', open: false }],
  ['on every address', { host: '0.0.0.0', open: true }]
] as const)('[S1] a gateway %s answers to any name, and lets a page in that comes from the same', ([, { host, open }]) => {
  const admission = createAdmission([], open)
  admission.bind(host, host)
  expect(admission.hostFault('desk.example')).toBeUndefined()
  expect(admission.allows('https://desk.example', 'desk.example')).toBe(true)
  expect(admission.allows('https://evil.example', 'desk.example')).toBe(false)
})

test('a plain request to a WebSocket path is told to upgrade', async () => {
  const { base } = await start()
  const answer = await fetch(`${base}/v1/ws`)
  expect(answer.status).toBe(426)
  expect(answer.headers.get('upgrade')).toBe('websocket')
  expect(await answer.json()).toMatchObject({
    error: { code: 'UPGRADE_REQUIRED', message: expect.stringContaining('ws://'), retry: false }
  })
  const posted = await fetch(`${base}/v1/ws`, { method: 'POST' })
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET'])
})

test('a thousand pings at once are all answered', async () => {
  const { url } = await start()
  const client = await connect(url)
  let pongs = 0
  client.ws.on('pong', () => pongs++)
  for (let n = 0; n < 1_000; n++) client.ws.ping(String(n))
  client.send({ op: 'ping' })
  await client.message('pong')
  expect(pongs).toBe(1_000)
  client.ws.terminate()
})

test('[T17] at shutdown every client is told, then closed with 1001, and newcomers are refused', async () => {
  const own = await start()
  const client = await connect(own.url)
  client.send({ op: 'subscribe', topics: ['trade:BTC-USDT'], notices: false })
  await client.message('subscribed')
  own.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), Date.now())
  await own.gateway.close(750)
  expect(await client.message('shutdown')).toMatchObject({ retryAfterMs: 750 })
  expect(await client.closed()).toMatchObject({ code: 1001 })
  expect(client.events()).toHaveLength(1)
  await expect(connect(own.url)).rejects.toThrow()
})
