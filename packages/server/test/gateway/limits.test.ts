/** What one address and one user may have, and whose address counts. */
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createAddressOf } from '../../src/gateway/address.ts'
import { createJwt } from '../../src/gateway/jwt.ts'
import { ALLOWANCES, createQuotas } from '../../src/gateway/quotas.ts'
import { connect, startRig, type Client, type Rig, type RigOptions } from './rig.ts'
import { claimsAt, hs256, SECRET } from './tokens.ts'

let rig: Rig | undefined
const start = async (options: RigOptions = {}) => (rig = await startRig(options))
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

type Headers = Record<string, string>
/** What a handshake comes to: its status, Retry-After, and the socket where it is let in. */
const knock = (url: string, headers: Headers = {}): Promise<{ status: number; wait?: string | undefined; ws: WebSocket }> =>
  new Promise((resolve) => {
    const ws = new WebSocket(url, { headers })
    ws.on('error', () => {})
    ws.on('open', () => resolve({ status: 101, ws }))
    ws.on('unexpected-response', (_request, { statusCode = 0, headers: { 'retry-after': wait } }) =>
      resolve({ status: statusCode, wait, ws })
    )
  })
const auth = { verifiers: [createJwt({ secret: SECRET, audience: 'tickwire' })] }
const tokenFor = (sub: string) => hs256({ ...claimsAt(Date.now()), sub })
const bearer = (sub: string): Headers => ({ authorization: `Bearer ${tokenFor(sub)}` })

describe('[C12] connections', () => {
  test('of one address: exact at N + 1, WebSocket and SSE together, and the place is free at most 1 s after the end', async () => {
    const { url, base } = await start({ allowances: { perAddress: { connections: 3 } } })
    const first = await knock(url)
    const second = await knock(url)
    const stop = new AbortController()
    const events = () => fetch(`${base}/v1/events?topics=trade:BTC-USDT`, { signal: stop.signal })
    expect((await events()).status).toBe(200)
    expect(await knock(url)).toMatchObject({ status: 429, wait: '1' })
    const refused = await events()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toMatchObject({ error: { code: 'RATE_LIMITED', retry: true } })
    for (const end of [() => first.ws.close(), () => second.ws.terminate(), () => stop.abort()]) {
      const since = Date.now()
      end()
      await expect.poll(async () => (await knock(url)).status, { interval: 20 }).toBe(101)
      expect(Date.now() - since).toBeLessThan(1_000)
      expect((await knock(url)).status).toBe(429)
    }
  })

  test('a handshake that fails takes no place', async () => {
    const { url, base } = await start({ allowances: { perAddress: { connections: 1 } } })
    for (let n = 0; n < 3; n++) expect((await fetch(`${base}/v1/events?topics=trade:NOTHING`)).status).toBe(404)
    expect((await knock(url)).status).toBe(101)
  })

  test('of one user: at the handshake 429, by the first message 4529; another user is let in', async () => {
    const { url } = await start({ auth, allowances: { perUser: { connections: 2 } } })
    for (let n = 0; n < 2; n++) expect((await knock(url, bearer('ann'))).status).toBe(101)
    expect(await knock(url, bearer('ann'))).toMatchObject({ status: 429, wait: '1' })
    const client = await connect(url)
    client.send({ op: 'auth', token: tokenFor('ann') })
    expect(await client.closed()).toMatchObject({ code: 4529 })
    expect((await knock(url, bearer('bob'))).status).toBe(101)
  })
})

describe('topics', () => {
  const topics = ['trade:BTC-USDT', 'trade:ETH-USDT', 'trade:SOL-USDT']
  const results = async (client: Client, nth = 0) =>
    (await client.message('subscribed', nth)).results.map((each) => (each.ok ? 'ok' : each.code))

  test('of one user over all connections; those that are given back are free at once', async () => {
    const { url } = await start({ auth, allowances: { perUser: { topics: 4 } } })
    const one = await connect(url, { headers: bearer('ann') })
    const two = await connect(url, { headers: bearer('ann') })
    one.send({ op: 'subscribe', topics })
    expect(await results(one)).toEqual(['ok', 'ok', 'ok'])
    two.send({ op: 'subscribe', topics })
    expect(await results(two)).toEqual(['ok', 'TOO_MANY_SYMBOLS', 'TOO_MANY_SYMBOLS'])
    one.send({ op: 'unsubscribe', topics: [topics[0]] })
    await one.message('unsubscribed')
    two.send({ op: 'subscribe', topics: topics.slice(1) })
    expect(await results(two, 1)).toEqual(['ok', 'TOO_MANY_SYMBOLS'])
    one.ws.terminate()
    two.ws.terminate()
  })

  test('of one address, also without any user', async () => {
    const { url } = await start({ allowances: { perAddress: { topics: 2 } } })
    const client = await connect(url)
    client.send({ op: 'subscribe', topics })
    expect(await results(client)).toEqual(['ok', 'ok', 'TOO_MANY_SYMBOLS'])
    client.ws.terminate()
    await expect
      .poll(async () => {
        const next = await connect(url)
        next.send({ op: 'subscribe', topics: topics.slice(0, 2) })
        const found = await results(next)
        next.ws.terminate()
        return found
      })
      .toEqual(['ok', 'ok'])
  })
})

describe('messages and requests', () => {
  test('messages of one address are counted over all its connections', async () => {
    const { url } = await start({ allowances: { perAddress: { messages: 5 } } })
    const clients = [await connect(url), await connect(url)]
    for (const client of clients) for (let n = 0; n < 3; n++) client.send({ op: 'ping', id: n })
    await expect
      .poll(() => clients.flatMap(({ said }) => said).filter((each) => 'op' in each && each.op === 'error').length)
      .toBe(1)
    expect(clients.flatMap(({ said }) => said).filter((each) => 'op' in each && each.op === 'pong')).toHaveLength(5)
    for (const { ws } of clients) ws.terminate()
  })

  test('REST of one address: exact at N + 1, with Retry-After; health is always told', async () => {
    const { base } = await start({ allowances: { perAddress: { requests: 5 } } })
    for (let n = 0; n < 5; n++) expect((await fetch(`${base}/v1/providers`)).status).toBe(200)
    const late = await fetch(`${base}/v1/providers`)
    expect([late.status, late.headers.get('retry-after')]).toEqual([429, '12'])
    expect((await fetch(`${base}/health`)).status).toBe(200)
  })

  test('REST of one user, from wherever', async () => {
    const { base } = await start({ auth, proxies: ['127.0.0.1'], allowances: { perUser: { requests: 3 } } })
    const ask = async (sub: string, address: string) =>
      (await fetch(`${base}/v1/providers`, { headers: { ...bearer(sub), 'x-forwarded-for': address } })).status
    for (let n = 0; n < 3; n++) expect(await ask('ann', `10.0.0.${n}`)).toBe(200)
    expect(await ask('ann', '10.0.0.9')).toBe(429)
    expect(await ask('bob', '10.0.0.9')).toBe(200)
  })

  test('a minute gives back what a minute holds, and parties that have nothing are forgotten', () => {
    let now = 0
    const perAddress = { ...ALLOWANCES.perAddress, requests: 6 }
    const quotas = createQuotas({ ...ALLOWANCES, perAddress }, () => now)
    const ask = () => quotas.request({ address: 'a' })
    expect(Array.from({ length: 7 }, ask)).toEqual([0, 0, 0, 0, 0, 0, 10])
    now = 9_999
    expect(ask()).toBe(1)
    now = 10_000
    expect([ask(), ask()]).toEqual([0, 10])
    now = 100_000
    quotas.beat(now)
    expect(Array.from({ length: 7 }, ask).filter((wait) => wait === 0)).toHaveLength(6)
  })

  test('0 in the configuration is without limit', () => {
    const perAddress = { connections: Infinity, topics: Infinity, messages: Infinity, requests: Infinity }
    const quotas = createQuotas({ ...ALLOWANCES, perAddress }, () => 0)
    const place = quotas.connect('a', undefined)
    const all = Array.from({ length: 10_000 }, () => [place.take(), place.isInTime(0), quotas.request({ address: 'a' }) === 0])
    expect(all.flat().every(Boolean)).toBe(true)
  })
})

describe('[S12] whose address counts', () => {
  const of = createAddressOf(['10.0.0.0/8', '::1'])
  test.for([
    ['a stranger, whatever he says', '203.0.113.5', '1.2.3.4', '203.0.113.5'],
    ['a proxy of ours, silent', '10.0.0.1', undefined, '10.0.0.1'],
    ['whom a proxy of ours names', '10.0.0.1', '203.0.113.5', '203.0.113.5'],
    ['the last that is none of ours', '10.0.0.1', '1.2.3.4, 203.0.113.5, 10.2.2.2', '203.0.113.5'],
    ['several headers as one', '10.0.0.1', ['1.2.3.4', '203.0.113.5'], '203.0.113.5'],
    ['what is no address ends it', '10.0.0.1', '1.2.3.4, <script>', '10.0.0.1'],
    ['nothing left', '10.0.0.1', '', '10.0.0.1'],
    ['IPv4 in IPv6', '::ffff:203.0.113.5', undefined, '203.0.113.5'],
    ['with a port', '::1', '203.0.113.5:4711', '203.0.113.5'],
    ['a network of IPv6 is one caller', '2001:db8:1:2:3:4:5:6', undefined, '2001:db8:1:2::/64'],
    ['however it is written', '2001:0DB8:1:2::9', undefined, '2001:db8:1:2::/64']
  ] as const)('%s', ([, remote, forwarded, address]) => {
    expect(of(remote, forwarded)).toBe(address)
  })

  test.for(['10.0.0.0/33', 'proxy.example', '10.0.0.0/x', ''])('a proxy %o ends the start', (proxy) => {
    expect(() => createAddressOf([proxy])).toThrow(/gateway\.proxies/)
  })

  test.for(['x-forwarded-for', 'x-real-ip', 'forwarded', 'cf-connecting-ip', 'true-client-ip'])(
    'without a proxy %s buys nothing: 3 of 40 requests pass',
    async (name) => {
      const { base } = await start({ allowances: { perAddress: { requests: 3 } } })
      let passed = 0
      for (let n = 0; n < 40; n++) {
        const { status } = await fetch(`${base}/v1/providers`, {
          headers: { [name]: `for=10.0.0.${n}`.slice(name === 'forwarded' ? 0 : 4) }
        })
        if (status === 200) passed++
      }
      expect(passed).toBe(3)
    }
  )
})
