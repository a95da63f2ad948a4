import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createAuth } from '../../src/gateway/auth.ts'
import { createJwt, keysIn } from '../../src/gateway/jwt.ts'
import { connect, startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'
import { claimsAt, eddsa, forgedAt, hs256, ISSUER, jwk, jwksText, SECRET, seconds } from './tokens.ts'

const NOW = 1_780_000_000_000
let asked = 0
const keys = { byId: () => keysIn(jwksText), missing: () => void asked++ }
const jwt = createJwt({ secret: SECRET, keys, issuer: ISSUER, audience: 'tickwire' })

describe('what is let in', () => {
  test('HS256 with our secret, and EdDSA with a key of the JWKS, with or without its id', () => {
    const who = { user: 'ann', expires: (seconds(NOW) + 3_600) * 1_000 }
    for (const token of [hs256(claimsAt(NOW)), eddsa(claimsAt(NOW)), eddsa(claimsAt(NOW), {})])
      expect(jwt.check(token, NOW)).toMatchObject(who)
  })

  test('an audience among several, and only our scopes', () => {
    const found = jwt.check(hs256({ ...claimsAt(NOW), aud: ['other', 'tickwire'], scope: 'openid admin read root' }), NOW)
    expect([...(found?.scopes ?? [])]).toEqual(['read', 'admin'])
  })

  test('a token holds until its end to the millisecond, and begins at most 5 s early', () => {
    const end = (seconds(NOW) + 10) * 1_000
    const token = hs256({ ...claimsAt(NOW), exp: seconds(NOW) + 10, nbf: seconds(NOW) + 5 })
    expect(jwt.check(token, NOW - 1)).toBeUndefined()
    expect(jwt.check(token, NOW)).toBeDefined()
    expect(jwt.check(token, end - 1)).toBeDefined()
    expect(jwt.check(token, end)).toBeUndefined()
  })
})

describe('[S2] what is forged', () => {
  test.for(forgedAt(NOW))('%s: nobody', ([, token]) => {
    expect(createAuth([], [jwt]).try(token, 'here', NOW)).toEqual({})
  })

  test('HS256 where there is no secret, EdDSA where there are no keys: nobody', () => {
    const onlyKeys = createJwt({ keys, audience: 'tickwire' })
    const onlySecret = createJwt({ secret: SECRET, audience: 'tickwire' })
    expect(onlyKeys.check(hs256(claimsAt(NOW)), NOW)).toBeUndefined()
    expect(onlySecret.check(eddsa(claimsAt(NOW)), NOW)).toBeUndefined()
    expect(onlyKeys.check(eddsa(claimsAt(NOW)), NOW)).toBeDefined()
  })

  test('without an id no key is guessed where there are several', () => {
    const other = generateKeyPairSync('ed25519').publicKey
    const both = new Map<string, KeyObject>([...keysIn(jwksText), ['two', other]])
    const several = createJwt({ keys: { byId: () => both, missing: () => {} }, audience: 'tickwire' })
    expect(several.check(eddsa(claimsAt(NOW), {}), NOW)).toBeUndefined()
    expect(several.check(eddsa(claimsAt(NOW), { kid: 'one' }), NOW)).toBeDefined()
  })

  test('a key that is not there is asked for anew', () => {
    const before = asked
    expect(jwt.check(eddsa(claimsAt(NOW), { kid: 'next' }), NOW)).toBeUndefined()
    expect(asked).toBe(before + 1)
  })
})

test('a secret that could be guessed is refused at the start', () => {
  expect(() => createJwt({ secret: 'short', audience: 'tickwire' })).toThrow(/32 bytes/)
})

test('of a JWKS only Ed25519 keys for signatures count', () => {
  expect([...keysIn(jwksText).keys()]).toEqual(['one'])
  expect(keysIn(JSON.stringify({ keys: [{ ...jwk, use: 'enc' }] })).size).toBe(0)
  expect(() => keysIn('{}')).toThrow(/keys/)
})

describe('on the wire', () => {
  let rig: Rig | undefined
  const start = async (options: RigOptions = {}) =>
    (rig = await startRig({ auth: { verifiers: [jwt], wrongTokens: 1_000 }, ...options }))
  afterEach(async () => {
    await rig?.gateway.close(0)
    rig = undefined
  })

  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
  const handshake = (url: string, token: string): Promise<number> =>
    new Promise((resolve) => {
      const ws = new WebSocket(url, bearer(token))
      ws.on('error', () => {})
      ws.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode))
      ws.on('open', () => {
        ws.terminate()
        resolve(101)
      })
    })

  test('[S2] a forged token is let in nowhere: REST, SSE, the handshake, the first message, the subprotocol', async () => {
    const { base, url, plant } = await start()
    plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 7), NOW)
    for (const [what, token] of forgedAt(Date.now())) {
      // Headers of 60 kB are refused before anybody looks at them.
      const refused = token.length > 16_000 ? 431 : 401
      for (const path of ['/v1/quotes/BTC-USDT', '/v1/events?topics=trade:BTC-USDT'])
        expect((await fetch(`${base}${path}`, bearer(token))).status, `${what}: ${path}`).toBe(refused)
      expect(await handshake(url, token), what).toBe(refused)
      const client = await connect(url)
      client.send({ op: 'auth', token })
      client.send({ op: 'subscribe', topics: ['trade:BTC-USDT'] })
      expect((await client.closed()).code, what).toBe(4501)
      expect(client.events(), what).toEqual([])
    }
  })

  test('a right one is let in everywhere', async () => {
    const { base, url, plant } = await start()
    plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 7), Date.now())
    const token = eddsa(claimsAt(Date.now()))
    expect((await fetch(`${base}/v1/trades/BTC-USDT`, bearer(token))).status).toBe(200)
    const stop = new AbortController()
    expect((await fetch(`${base}/v1/events?topics=trade:BTC-USDT`, { ...bearer(token), signal: stop.signal })).status).toBe(200)
    stop.abort()
    const client = await connect(url)
    client.send({ op: 'auth', token, id: 1 })
    expect(await client.message('authenticated')).toMatchObject({ user: 'ann' })
    client.ws.terminate()
    const offering = new WebSocket(url, ['tickwire.v1', `tickwire.bearer.${token}`])
    const greeting = await new Promise((resolve) =>
      offering.once('message', (data: Buffer) => resolve(JSON.parse(data.toString())))
    )
    expect(greeting).toMatchObject({ op: 'hello', auth: 'none' })
    expect(offering.protocol).toBe('tickwire.v1')
    offering.terminate()
  })

  test('a wrong one as subprotocol is refused at the handshake', async () => {
    const { url } = await start()
    const offering = new WebSocket(url, [`tickwire.bearer.${hs256(claimsAt(Date.now()), {}, 'another')}`])
    offering.on('error', () => {})
    const status = await new Promise((resolve) =>
      offering.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
    )
    expect(status).toBe(401)
  })

  test('a token in an address is none', async () => {
    const { base, url } = await start()
    const token = hs256(claimsAt(Date.now()))
    expect((await fetch(`${base}/v1/providers?token=${token}&access_token=${token}`)).status).toBe(401)
    const client = await connect(`${url}?token=${token}`)
    expect(await client.message('hello')).toMatchObject({ auth: 'required' })
    client.ws.terminate()
  })

  test('a token without the scope read reads nothing: 403, 4503', async () => {
    const { base, url } = await start()
    const token = hs256({ ...claimsAt(Date.now()), scope: 'trade' })
    expect((await fetch(`${base}/v1/providers`, bearer(token))).status).toBe(403)
    expect(await handshake(url, token)).toBe(403)
    const client = await connect(url)
    client.send({ op: 'auth', token })
    expect((await client.closed()).code).toBe(4503)
  })
})
