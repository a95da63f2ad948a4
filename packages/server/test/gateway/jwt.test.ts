import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createAuth } from '../../src/gateway/auth.ts'
import { createJwt, keysIn } from '../../src/gateway/jwt.ts'
import { connect, startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'
import { claimsAt, eddsa, forgedAt, hs256, ISSUER, jwk, jwksText, pair, SECRET, seconds, strangeAt } from './tokens.ts'

const NOW = 1_780_000_000_000
let asked = 0
const known = await keysIn(jwksText)
const keys = { current: () => known, missing: () => void asked++ }
const jwt = createJwt({ secret: SECRET, keys, issuer: ISSUER, audience: 'tickwire' })

describe('what is let in', () => {
  test('HS256 with our secret, and EdDSA with a key of the JWKS, with or without its id', async () => {
    const who = { user: 'ann', expires: (seconds(NOW) + 3_600) * 1_000 }
    for (const token of [hs256(claimsAt(NOW)), eddsa(claimsAt(NOW)), eddsa(claimsAt(NOW), {})])
      expect(await jwt.check(token, NOW)).toMatchObject(who)
  })

  test('an audience among several, and only our scopes', async () => {
    const found = await jwt.check(hs256({ ...claimsAt(NOW), aud: ['other', 'tickwire'], scope: 'openid admin read root' }), NOW)
    expect([...(found?.scopes ?? [])]).toEqual(['read', 'admin'])
  })

  test('a token holds until its end to the millisecond, and begins at most 5 s early', async () => {
    const end = (seconds(NOW) + 10) * 1_000
    const token = hs256({ ...claimsAt(NOW), exp: seconds(NOW) + 10, nbf: seconds(NOW) + 5 })
    expect(await jwt.check(token, NOW - 1)).toBeUndefined()
    expect(await jwt.check(token, NOW)).toBeDefined()
    expect(await jwt.check(token, end - 1)).toBeDefined()
    expect(await jwt.check(token, end)).toBeUndefined()
  })
})

test('it ends to the millisecond also where its end is no whole second', async () => {
  const token = hs256({ ...claimsAt(NOW), exp: seconds(NOW) + 10.25 })
  expect(await jwt.check(token, NOW + 10_249)).toMatchObject({ expires: NOW + 10_250 })
  expect(await jwt.check(token, NOW + 10_250)).toBeUndefined()
})

test('a token has one spelling: none with spaces', async () => {
  const token = hs256(claimsAt(NOW))
  for (const other of [` ${token}`, `${token}\n`, token.replace('.', '. ')]) expect(await jwt.check(other, NOW)).toBeUndefined()
})

describe('[S2] what is forged', () => {
  test.for([...forgedAt(NOW), ...strangeAt(NOW)])('%s: nobody', async ([, token]) => {
    expect(await createAuth([], [jwt]).try(token, 'here', () => NOW)).toEqual({})
  })

  test('HS256 where there is no secret, EdDSA where there are no keys: nobody', async () => {
    const onlyKeys = createJwt({ keys, audience: 'tickwire' })
    const onlySecret = createJwt({ secret: SECRET, audience: 'tickwire' })
    expect(await onlyKeys.check(hs256(claimsAt(NOW)), NOW)).toBeUndefined()
    expect(await onlySecret.check(eddsa(claimsAt(NOW)), NOW)).toBeUndefined()
    expect(await onlyKeys.check(eddsa(claimsAt(NOW)), NOW)).toBeDefined()
  })

  test('without an id no key is guessed where there are several', async () => {
    const other = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'two' }
    const both = await keysIn(JSON.stringify({ keys: [jwk, other] }))
    const several = createJwt({ keys: { current: () => both, missing: () => {} }, audience: 'tickwire' })
    expect(await several.check(eddsa(claimsAt(NOW), {}), NOW)).toBeUndefined()
    expect(await several.check(eddsa(claimsAt(NOW), { kid: 'one' }), NOW)).toBeDefined()
  })

  test('a key that is not there is asked for anew', async () => {
    const before = asked
    expect(await jwt.check(eddsa(claimsAt(NOW), { kid: 'next' }), NOW)).toBeUndefined()
    expect(asked).toBe(before + 1)
  })
})

test('a secret that could be guessed is refused at the start', () => {
  expect(() => createJwt({ secret: 'short', audience: 'tickwire' })).toThrow(/32 bytes/)
})

test('of a JWKS only Ed25519 keys for signatures count', async () => {
  const idsIn = async (keys: readonly object[]) => (await keysIn(JSON.stringify({ keys }))).jwks().keys.map(({ kid }) => kid)
  expect(known.jwks().keys.map(({ kid }) => kid)).toEqual(['one'])
  expect(await idsIn([{ ...jwk, use: 'enc' }])).toEqual([])
  expect(await idsIn([{ ...jwk, alg: 'Ed25519' }])).toEqual([])
  expect(await idsIn([{ ...jwk, crv: 'X25519' }])).toEqual([])
})

test.for([
  ['no list of keys', '{}', /Set malformed/],
  ['no JSON', 'keys', /JSON/],
  ['a key that is none', JSON.stringify({ keys: [{ ...jwk, x: 'short' }] }), /./],
  ['a private key', JSON.stringify({ keys: [{ ...pair.privateKey.export({ format: 'jwk' }), kid: 'one' }] }), /private/]
] as const)('a JWKS with %s is none', async ([, text, words]) => {
  await expect(keysIn(text)).rejects.toThrow(words)
})

test('an algorithm is EdDSA by that name only, also where its key does not say so', async () => {
  const nameless = await keysIn(JSON.stringify({ keys: [{ ...jwk, alg: undefined }] }))
  const only = createJwt({ keys: { current: () => nameless, missing: () => {} }, audience: 'tickwire' })
  expect(await only.check(eddsa(claimsAt(NOW)), NOW)).toBeDefined()
  expect(await only.check(eddsa(claimsAt(NOW), { kid: 'one', alg: 'Ed25519' }), NOW)).toBeUndefined()
})

test('of two keys with one id none is guessed', async () => {
  const twin = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'one' }
  const both = await keysIn(JSON.stringify({ keys: [jwk, twin] }))
  const several = createJwt({ keys: { current: () => both, missing: () => {} }, audience: 'tickwire' })
  expect(await several.check(eddsa(claimsAt(NOW)), NOW)).toBeUndefined()
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
