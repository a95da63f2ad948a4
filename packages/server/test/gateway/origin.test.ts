/** Whose pages are let in: those listed and our own, by the whole origin and nothing that only looks like it. */
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { sha256 } from '../../src/gateway/auth.ts'
import { startRig, type Rig } from './rig.ts'

const KEY = 'correct-horse'
let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})
const start = async () =>
  (rig = await startRig({ origins: ['https://desk.example'], auth: { keys: [sha256(KEY).toString('hex')] } }))

const knock = (url: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve) => {
    const ws = new WebSocket(url, { headers })
    ws.on('error', () => {})
    ws.on('open', () => {
      ws.terminate()
      resolve(101)
    })
    ws.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode))
  })

const TRICKS = [
  ['no origin of its own', 'null'],
  ['ours as a prefix', 'https://desk.example.evil.example'],
  ['ours as a suffix', 'https://evildesk.example'],
  ['ours as a user', 'https://desk.example@evil.example'],
  ['another scheme', 'http://desk.example'],
  ['another port', 'https://desk.example:8443'],
  ['a point at its end', 'https://desk.example.'],
  ['a path', 'https://desk.example/'],
  ['capitals', 'HTTPS://DESK.EXAMPLE'],
  ['two at once', 'https://desk.example, https://evil.example'],
  ['a backslash', 'https://evil.example\\@desk.example'],
  ['a name that only looks like it', 'https://xn--dsk-bma.example'],
  ['a name below ours', 'https://www.desk.example'],
  ['loopback as a prefix', 'http://127.0.0.1.evil.example']
] as const

describe('[S1] a page of another origin', () => {
  test.for(TRICKS)('%s: 403 at the handshake, and no answer that it may read, whatever token it has', async ([, origin]) => {
    const { url, base } = await start()
    const headers = { origin, authorization: `Bearer ${KEY}` }
    expect(await knock(url, headers)).toBe(403)
    for (const path of ['/v1/providers', '/v1/nothing', '/health'])
      expect((await fetch(`${base}${path}`, { headers })).headers.get('access-control-allow-origin')).toBeNull()
    expect((await fetch(`${base}/v1/events?topics=trade:BTC-USDT`, { headers })).status).toBe(403)
    expect((await fetch(`${base}/v1/providers/one/reconnect`, { headers, method: 'POST' })).status).toBe(403)
  })

  test('the listed one and our own are let in with a token', async () => {
    const { url, base } = await start()
    for (const origin of ['https://desk.example', base]) {
      const headers = { origin, authorization: `Bearer ${KEY}` }
      expect(await knock(url, headers)).toBe(101)
      expect((await fetch(`${base}/v1/providers`, { headers })).headers.get('access-control-allow-origin')).toBe(origin)
    }
  })

  test('a program, which sends none, gets nothing without a token', async () => {
    const { url, base } = await start()
    expect((await fetch(`${base}/v1/providers`)).status).toBe(401)
    expect((await fetch(`${base}/v1/events?topics=trade:BTC-USDT`)).status).toBe(401)
    expect(await knock(url, { authorization: 'Bearer guess' })).toBe(401)
    expect(await knock(url, { authorization: `Bearer ${KEY}` })).toBe(101)
  })
})
