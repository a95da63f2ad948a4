/** What comes while the token of a handshake or of a request is looked at. */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Identity } from '../../src/gateway/auth.ts'
import { ANN, createGate, SLOWLY } from './gate.ts'
import { frame } from './raw.ts'
import { connect, startRig, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
let gate = createGate()
let ahead = 0
const clock = () => Date.now() + ahead
async function start(options: RigOptions = {}) {
  gate = createGate()
  ahead = 0
  return (rig = await startRig({ auth: gate.auth, clock, ...options }))
}
const sockets = new Set<WebSocket>()
afterEach(async () => {
  for (const ws of sockets) ws.terminate()
  sockets.clear()
  await rig?.gateway.close(0)
  rig = undefined
})

const bearer = { authorization: 'Bearer a-token' }
/** What the handshake comes to. */
const knock = (url: string): Promise<number> =>
  new Promise((resolve) => {
    const ws = new WebSocket(url, { headers: bearer })
    sockets.add(ws)
    ws.on('error', () => {})
    ws.on('open', () => resolve(101))
    ws.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode))
  })
const UPGRADE = [
  'GET /v1/ws HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Authorization: Bearer a-token',
  '',
  ''
].join('\r\n')

describe('a handshake whose token is looked at', () => {
  test('has its place already: of two for the last one the second is sent away', async () => {
    const { url, gateway } = await start({ limits: { connections: 1 } })
    const first = knock(url)
    const { answer } = await gate.asked()
    expect(await knock(url)).toBe(503)
    answer(ANN)
    expect(await first).toBe(101)
    expect(gateway.connections()).toHaveLength(1)
    expect(gate.count()).toBe(1)
  })

  test('gives its place back where it fails', async () => {
    const { url } = await start({ limits: { connections: 1 } })
    for (let n = 0; n < 3; n++) {
      const status = knock(url)
      ;(await gate.asked(n)).answer()
      expect(await status).toBe(401)
    }
  })

  test.for([
    ['user', { perUser: { connections: 1 } }],
    ['address', { perAddress: { connections: 1 } }]
  ] as const)(
    'is counted when it is known whose it is: of two at once for the last place of one %s one is let in',
    async ([, allowances]) => {
      const { url, gateway } = await start({ allowances })
      const both = [knock(url), knock(url)]
      const [first, second] = [await gate.asked(), await gate.asked(1)]
      second.answer(ANN)
      first.answer(ANN)
      expect((await Promise.all(both)).toSorted((a, b) => a - b)).toEqual([101, 429])
      expect(gateway.connections()).toHaveLength(1)
    }
  )

  test('may be cut: the server goes on, and nobody has a place of it', async () => {
    const { url, port, gateway } = await start({ allowances: { perUser: { connections: 1 } }, limits: { connections: 1 } })
    for (let n = 0; n < 3; n++) {
      const socket = connectTcp(port, '127.0.0.1', () => socket.write(UPGRADE))
      const { answer } = await gate.asked(n)
      socket.resetAndDestroy()
      await once(socket, 'close')
      // The server has heard of it when it has answered another who came later.
      await fetch(`${rig?.base}/health`)
      answer(ANN)
    }
    await expect.poll(() => gateway.connections(), SLOWLY).toEqual([])
    const next = knock(url)
    ;(await gate.asked(3)).answer(ANN)
    expect(await next).toBe(101)
  })

  test('may have messages behind it: they wait, and are answered', async () => {
    const { port } = await start()
    const socket = connectTcp(port, '127.0.0.1')
    let heard = ''
    socket.on('data', (data) => (heard += data.toString('latin1')))
    socket.write(Buffer.concat([Buffer.from(UPGRADE), frame({ op: 1, payload: '{"op":"ping","id":1}' })]))
    const { answer } = await gate.asked()
    socket.write(frame({ op: 1, payload: '{"op":"ping","id":2}' }))
    await fetch(`${rig?.base}/health`)
    expect(heard).toBe('')
    answer(ANN)
    await expect.poll(() => heard, SLOWLY).toMatch(/^HTTP\/1\.1 101[^]*"op":"hello"[^]*"pong","id":1[^]*"pong","id":2/)
    socket.destroy()
  })

  test.for(['expired', 'revoked'] as const)('by a token that %s meanwhile is refused', async (how) => {
    const { url, base } = await start()
    const both = [knock(url), fetch(`${base}/v1/providers`, { headers: bearer }).then(({ status }) => status)]
    const who: Identity = how === 'expired' ? { ...ANN, expires: clock() + 1_000 } : ANN
    const asked = [await gate.asked(), await gate.asked(1)]
    if (how === 'expired') ahead = 1_000
    else gate.revoked.add('first')
    for (const { answer } of asked) answer(who)
    expect(await Promise.all(both)).toEqual([401, 401])
  })

  test('is sent away where the server shuts down meanwhile', async () => {
    const { url, gateway } = await start()
    const status = knock(url)
    const { answer } = await gate.asked()
    const closed = gateway.close(0)
    answer(ANN)
    expect(await status).toBe(503)
    await closed
    expect(gateway.connections()).toEqual([])
    rig = undefined
  })
})

describe('a request whose token is looked at', () => {
  const answersOf = ({ gateway }: Rig) => Object.values(gateway.stats().answers).reduce((sum, each) => sum + each, 0)

  test('opens no stream for somebody who is gone, and takes no place', async () => {
    const running = await start({ allowances: { perAddress: { connections: 1 } } })
    const stream = (signal: AbortSignal) => fetch(`${running.base}/v1/events?topics=trade:BTC-USDT`, { headers: bearer, signal })
    const stop = new AbortController()
    for (let n = 0; n < 3; n++) {
      const leave = new AbortController()
      const asked = stream(leave.signal).catch(() => 'gone')
      const { answer } = await gate.asked(n)
      leave.abort()
      expect(await asked).toBe('gone')
      await expect.poll(() => answersOf(running), SLOWLY).toBe(n + 1)
      answer(ANN)
    }
    const last = stream(stop.signal)
    ;(await gate.asked(3)).answer(ANN)
    expect((await last).status).toBe(200)
    expect(running.gateway.connections()).toHaveLength(1)
    stop.abort()
  })

  test('is answered after what it waits for, also where many of one connection wait', async () => {
    const { port } = await start()
    const socket = connectTcp(port, '127.0.0.1')
    let heard = ''
    socket.on('data', (data) => (heard += data.toString('latin1')))
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${path.slice(1, 3)}\r\n\r\n`
    socket.write(get('/v1/providers') + get('/v1/nothing'))
    const [first, second] = [await gate.asked(), await gate.asked(1)]
    second.answer(ANN)
    await connect(rig?.url ?? '').then(({ ws }) => ws.terminate())
    expect(heard).toBe('')
    first.answer()
    await expect.poll(() => heard, SLOWLY).toMatch(/^HTTP\/1\.1 401 [^]*HTTP\/1\.1 404 /)
    socket.destroy()
  })
})
