/** What never reaches a route: requests that are cut short, too long or no HTTP, handshakes that are none; all answered in one shape. */
import { connect as dial } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startRig, type Rig } from './rig.ts'

let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

/** All that comes back until the server closes. */
const raw = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = dial({ port, host: '127.0.0.1' }, () => socket.write(text))
    let all = ''
    socket.on('data', (data) => (all += data.toString()))
    socket.on('error', reject)
    socket.on('close', () => resolve(all))
  })
const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n\r\n`

const HANDSHAKE = ['GET /v1/ws HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket']
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='

test.for([
  ['bytes that are no HTTP', 'what is this\r\n\r\n', 400, 'BAD_MESSAGE'],
  ['headers over the limit', lines('GET / HTTP/1.1', 'Host: localhost', `X: ${'x'.repeat(20_000)}`), 431, 'TOO_BIG'],
  ['a request that does not end', 'GET / HTTP/1.1\r\nHost: localhost\r\n', 408, 'BAD_MESSAGE'],
  ['two lengths', lines('POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 1', 'Content-Length: 2'), 400, 'BAD_MESSAGE'],
  ['no Host', lines('GET /health HTTP/1.1', 'Connection: close'), 400, 'BAD_MESSAGE'],
  ['an expectation', lines('GET /health HTTP/1.1', 'Host: localhost', 'Expect: miracles'), 417, 'BAD_MESSAGE'],
  ['a handshake without a key', lines(...HANDSHAKE, 'Sec-WebSocket-Version: 13'), 400, 'BAD_MESSAGE'],
  ['one with a key that is none', lines(...HANDSHAKE, 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: x'), 400, 'BAD_MESSAGE'],
  ['one of another version', lines(...HANDSHAKE, 'Sec-WebSocket-Version: 99', KEY), 426, 'UPGRADE_REQUIRED'],
  ['one of an older version', lines(...HANDSHAKE, 'Sec-WebSocket-Version: 8', KEY), 426, 'UPGRADE_REQUIRED'],
  ['one to nowhere', lines('GET /nowhere HTTP/1.1', ...HANDSHAKE.slice(1), 'Sec-WebSocket-Version: 13', KEY), 404, 'NOT_FOUND']
] as const)('%s: the status and the shape of section 7, and the connection is closed', async ([, text, status, code]) => {
  const { port } = (rig = await startRig())
  const answer = await raw(port, text)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(head).toMatch(/^content-type: application\/json/im)
  expect(JSON.parse(body)).toEqual({ error: { code, message: expect.stringMatching(/./), retry: false } })
  await expect.poll(() => rig?.gateway.stats().answers, { timeout: 10_000 }).toEqual({ 500: 0, [status]: 1 })
})

test('[S11] there is a count of defects from the start, so that the first one is seen to raise it', async () => {
  const { base } = (rig = await startRig())
  const scraped = await (await fetch(`${base}/metrics`)).text()
  expect(scraped).toMatch(/^tickwire_http_answers_total\{status="500"\} 0$/m)
})

test('a handshake of another version is told which one is spoken', async () => {
  const { port } = (rig = await startRig())
  expect(await raw(port, lines(...HANDSHAKE, 'Sec-WebSocket-Version: 99', KEY))).toMatch(/^Sec-WebSocket-Version: 13\r$/m)
})

test.for(['Content-Length: 5', 'Transfer-Encoding: chunked', 'Content-Length: 5\r\nTransfer-Encoding: chunked'])(
  '[S13] a handshake with %s, whose body is still to come, is refused, and the server lives',
  async (header) => {
    const { port } = (rig = await startRig())
    const handshake = lines(...HANDSHAKE, 'Sec-WebSocket-Version: 13', KEY, header)
    for (const begun of ['', 'half']) expect(await raw(port, `${handshake}${begun}`)).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw(port, lines('GET /health HTTP/1.1', 'Host: localhost', 'Connection: close'))).toMatch(/^HTTP\/1.1 200 /)
  }
)

test('[C10] a body that does not come whole in time ends the connection, also after it was answered', async () => {
  const { port } = (rig = await startRig())
  const begun = (path: string, ...headers: string[]) =>
    raw(port, `${lines(`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Length: 50', ...headers)}{`)
  const [late, answered] = await Promise.all([
    begun('/v1/books/BTC-USDT/resync', 'Content-Type: application/json'),
    begun('/nowhere')
  ])
  expect(late).toMatch(/^HTTP\/1.1 408 /)
  expect(answered).toMatch(/^HTTP\/1.1 404 /)
})

test.for(['h2c', 'TLS/1.0', 'HTTP/2.0, SHTTP/1.3', 'websocketx'])(
  'RFC 9110 7.8: an offer of %s is ignored, and the request answered as HTTP',
  async (offer) => {
    const { port } = (rig = await startRig())
    const ask = (first: string) =>
      raw(port, lines(first, 'Host: localhost', 'Connection: Upgrade, close', `Upgrade: ${offer}`, 'HTTP2-Settings: AAMAAABk'))
    expect(await ask('GET /health HTTP/1.1')).toMatch(/^HTTP\/1.1 200 [^]*"status"/)
    expect(await ask('GET /v1/instruments HTTP/1.1')).toMatch(/^HTTP\/1.1 200 /)
    expect(await ask('GET /v1/ws HTTP/1.1')).toMatch(/^HTTP\/1.1 426 /)
  }
)

test('[C8] bytes that are no MessagePack are called so on a connection that speaks it; on one of text, binary is', async () => {
  const { url } = (rig = await startRig())
  const closing = async (...messages: (string | Buffer)[]): Promise<[number, string]> => {
    const ws = new WebSocket(url)
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
    for (const message of messages) ws.send(message)
    return new Promise((resolve) => ws.once('close', (code, reason) => resolve([code, reason.toString()])))
  }
  const junk = Buffer.from([0xc1, 0xc1])
  expect(await closing('{"op":"hello","version":1,"encoding":"msgpack"}', junk)).toEqual([1003, 'not MessagePack'])
  expect(await closing(junk)).toEqual([1003, 'text messages only'])
})
