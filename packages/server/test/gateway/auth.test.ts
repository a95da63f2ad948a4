/** Who may, on live connections: expiry, revocation, scopes, and guessing. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createAuth, sha256, type Identity, type Scope, type Verifier } from '../../src/gateway/auth.ts'
import { createJwt } from '../../src/gateway/jwt.ts'
import { SILENT } from '../../src/ops/log.ts'
import { openAccess, type Access } from '../../src/store/access.ts'
import { openKeyStore } from '../../src/store/keys.ts'
import { connect, startRig, type Rig, type RigOptions } from './rig.ts'
import { claimsAt, hs256, SECRET } from './tokens.ts'

const NOW = 1_780_000_000_000
let rig: Rig | undefined
let access: Access | undefined
const start = async (options: RigOptions = {}) => (rig = await startRig(options))
afterEach(async () => {
  await rig?.gateway.close(0)
  access?.stop()
  rig = access = undefined
})

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

/** A gateway on a file of keys, as main.ts makes it. */
async function startWithStore(options: RigOptions = {}) {
  const store = join(mkdtempSync(join(tmpdir(), 'tickwire-')), 'keys.db')
  const keys = openKeyStore(store)
  const { key, stored } = keys.create({ name: '', user: 'ann', scopes: ['read'] }, Date.now())
  access = await openAccess({
    host: '127.0.0.1',
    keys: [],
    insecure: false,
    store,
    jwt: { secret: SECRET, audience: 'tickwire' },
    log: SILENT
  })
  const running = await start({ auth: { verifiers: access.verifiers }, ...options })
  return { ...running, keys, key, id: stored.id }
}

describe('[S3] a live connection ends with its token', () => {
  test('revoked: 4501 within 5 s on WebSocket, SSE ends and says why, REST is refused', async () => {
    const { base, url, key, keys, id } = await startWithStore()
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(url, bearer(key))))
    const first = await connect(url)
    first.send({ op: 'auth', token: key })
    await first.message('authenticated')
    const answer = await fetch(`${base}/v1/events?topics=trade:BTC-USDT`, bearer(key))
    expect(keys.revoke(id, Date.now())).toBe(true)
    for (const client of [...clients, first])
      expect(await client.until(() => client.ws.readyState === WebSocket.CLOSED, 5_000)).toBe(true)
    for (const client of [...clients, first]) expect(await client.closed()).toMatchObject({ code: 4501 })
    expect(await answer.text()).toMatch(/event: closed\ndata: {"code":4501,"reason":"the token was revoked"}/)
    expect((await fetch(`${base}/v1/providers`, bearer(key))).status).toBe(401)
    keys.close()
  })

  test('expired: 4003 within 5 s on WebSocket and SSE', async () => {
    const { base, url } = await startWithStore()
    const token = hs256({ ...claimsAt(Date.now()), exp: Math.ceil(Date.now() / 1_000) + 1 })
    const client = await connect(url, bearer(token))
    const answer = await fetch(`${base}/v1/events?topics=trade:BTC-USDT`, bearer(token))
    expect(await client.closed()).toMatchObject({ code: 4003 })
    expect(await answer.text()).toContain('"code":4003')
    expect((await fetch(`${base}/v1/providers`, bearer(token))).status).toBe(401)
  })

  test('logged out: what was issued until then is cut, what is issued later is not', async () => {
    const { url, keys, key } = await startWithStore()
    const token = hs256(claimsAt(Date.now()))
    const clients = [await connect(url, bearer(token)), await connect(url, bearer(key))]
    const stranger = await connect(url, bearer(hs256({ ...claimsAt(Date.now()), sub: 'bob' })))
    keys.end('ann', Date.now())
    for (const client of clients) expect(await client.closed()).toMatchObject({ code: 4501 })
    const later = await connect(url, bearer(hs256(claimsAt(Date.now() + 2_000))))
    stranger.send({ op: 'ping' })
    await stranger.message('pong')
    expect(later.ws.readyState).toBe(WebSocket.OPEN)
    later.ws.terminate()
    stranger.ws.terminate()
    keys.close()
  })

  test('all of 1,000 sessions at the first look after it', async () => {
    const revoked = new Set<string>()
    const book: Verifier = {
      isUsed: () => true,
      check: async (user) => ({ user, scopes: new Set(['read']), key: user }),
      isRevoked: ({ key = '' }) => revoked.has(key)
    }
    const auth = createAuth([], [book])
    const tried = await Promise.all(Array.from({ length: 1_000 }, (_, n) => auth.try(`k${n}`, 'here', () => NOW)))
    const all = tried.map(({ who }) => who).filter((who) => who !== undefined)
    expect(all.filter((who) => auth.standing(who, NOW) === 'valid')).toHaveLength(1_000)
    for (const { key = '' } of all) revoked.add(key)
    expect(all.filter((who) => auth.standing(who, NOW) === 'revoked')).toHaveLength(1_000)
  })

  test('taking the last key away does not open the door', async () => {
    const { base, keys, id } = await startWithStore()
    keys.revoke(id, Date.now())
    await expect.poll(async () => (await fetch(`${base}/v1/providers`)).status, { timeout: 3_000 }).toBe(401)
    keys.close()
  })
})

describe('scopes', () => {
  const scoped = (...scopes: string[]) => hs256({ ...claimsAt(Date.now()), scope: scopes.join(' ') })
  const startWithJwt = () => start({ auth: { verifiers: [createJwt({ secret: SECRET, audience: 'tickwire' })] } })
  const COMMANDS = ['/v1/books/BTC-USDT/resync?provider=one', '/v1/providers/one/reconnect', '/%761/providers/one/reconnect']

  test.for(COMMANDS)('POST %s needs admin', async (path) => {
    const { base } = await startWithJwt()
    const post = async (token: string) => (await fetch(`${base}${path}`, { method: 'POST', ...bearer(token) })).status
    expect(await post(scoped('read'))).toBe(403)
    expect(await post(scoped('read', 'trade'))).toBe(403)
    expect(await post(scoped('read', 'admin'))).toBe(200)
    expect(await post('guess')).toBe(401)
  })

  test('on loopback without keys whoever is there gives commands', async () => {
    const { base } = await start()
    expect((await fetch(`${base}/v1/providers/one/reconnect`, { method: 'POST' })).status).toBe(200)
  })
})

describe('[S14] guessing', () => {
  const hash = sha256('right').toString('hex')

  test('the eleventh wrong token of a minute is answered 429 with Retry-After, a right one too, until the first is a minute old', async () => {
    const auth = createAuth([hash])
    for (let n = 0; n < 10; n++) expect(await auth.try(`guess ${n}`, 'here', () => NOW + n * 1_000)).toEqual({})
    expect(await auth.try('guess', 'here', () => NOW + 10_000)).toEqual({ wait: 50 })
    expect(await auth.try('right', 'here', () => NOW + 59_999)).toEqual({ wait: 1 })
    expect((await auth.try('right', 'there', () => NOW + 10_000)).who).toBeDefined()
    expect((await auth.try('right', 'here', () => NOW + 60_000)).who).toBeDefined()
  })

  test('guesses that are made at once count as if they came one by one: after the tenth none is told anything, nor is a right one', async () => {
    const auth = createAuth([hash])
    const tokens = [...Array.from({ length: 200 }, (_, n) => `guess ${n}`), 'right']
    const tried = await Promise.all(tokens.map((token) => auth.try(token, 'here', () => NOW)))
    expect(tried.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => ({})))
    expect(tried.slice(10)).toEqual(Array.from({ length: 191 }, () => ({ wait: 60 })))
    expect((await auth.try('right', 'there', () => NOW)).who).toBeDefined()
  })

  test('a book that fails lets nobody in, and keeps nobody waiting', async () => {
    const failing = { isUsed: () => true, isRevoked: () => false, check: () => Promise.reject(new Error('out of order')) }
    expect(await createAuth([], [failing]).try('right', 'here', () => NOW)).toEqual({})
    expect((await createAuth([hash], [failing]).try('right', 'here', () => NOW)).who).toBeDefined()
  })

  test('one account from many addresses as well; its right token is not locked out by those who name it', async () => {
    const claimed: Identity = { user: 'ann', scopes: new Set(['read']) }
    const right = 'tw_0123456789ab_right'
    const book: Verifier = {
      isUsed: () => true,
      check: async (token) => (token === right ? claimed : undefined),
      isRevoked: () => false
    }
    const auth = createAuth([], [book])
    for (let n = 0; n < 10; n++) expect(await auth.try(`tw_0123456789ab_${n}`, `10.0.0.${n}`, () => NOW)).toEqual({})
    expect(await auth.try('tw_0123456789ab_x', '10.0.1.1', () => NOW)).toEqual({ wait: 60 })
    expect(await auth.try('tw_ffffffffffff_x', '10.0.1.2', () => NOW)).toEqual({})
    expect((await auth.try(right, '10.0.1.3', () => NOW)).who).toBe(claimed)
  })

  test('who was right from an address within the hour is not shut out by others there who are wrong; nobody else is looked at', async () => {
    const names = new Map(['ann', 'bob'].map((user) => [user, { user, scopes: new Set<Scope>(['read']) }]))
    const book: Verifier = { isUsed: () => true, check: async (token) => names.get(token), isRevoked: () => false }
    const auth = createAuth([], [book])
    const at = (token: string, address: string, now = NOW) => auth.try(token, address, () => now)
    expect((await at('ann', 'here')).who).toBeDefined()
    for (let n = 0; n < 10; n++) expect(await at(`wrong ${n}`, 'here', NOW + 3_590_000)).toEqual({})
    expect((await at('ann', 'here', NOW + 3_590_000)).who).toBeDefined()
    expect(await at('bob', 'here', NOW + 3_590_000)).toEqual({ wait: 60 })
    names.delete('ann')
    expect((await at('ann', 'here', NOW + 3_590_000)).who).toBeUndefined()
    for (let n = 0; n < 10; n++) await at(`wrong ${n}`, 'there', NOW)
    expect(await at('bob', 'there', NOW)).toEqual({ wait: 60 })
  })

  test('REST, SSE and the handshake count together and are answered 429; the first message is closed with 1013', async () => {
    const { base, url } = await start({ auth: { keys: [hash] }, proxies: ['127.0.0.1'] })
    const from = (address: string, token: string) => ({
      headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address }
    })
    const handshake = (headers: Record<string, string>): Promise<string> =>
      new Promise((resolve) => {
        const ws = new WebSocket(url, { headers })
        ws.on('error', () => {})
        ws.on('unexpected-response', (_request, { statusCode, headers: { 'retry-after': wait } }) =>
          resolve(`${statusCode} ${wait}`)
        )
      })
    const rest = async (address: string) => {
      const { status, headers } = await fetch(`${base}/v1/providers`, from(address, 'guess'))
      return [status, Number(headers.get('retry-after')) > 0]
    }
    for (let n = 0; n < 4; n++) expect(await rest('10.1.1.1')).toEqual([401, false])
    for (let n = 0; n < 3; n++)
      expect((await fetch(`${base}/v1/events?topics=trade:BTC-USDT`, from('10.1.1.1', 'guess'))).status).toBe(401)
    for (let n = 0; n < 3; n++) expect(await handshake(from('10.1.1.1', 'guess').headers)).toMatch(/^401/)
    expect(await rest('10.1.1.1')).toEqual([429, true])
    expect(await handshake(from('10.1.1.1', 'guess').headers)).toMatch(/^429 \d+/)
    const late = await connect(url, { headers: { 'x-forwarded-for': '10.1.1.1' } })
    late.send({ op: 'auth', token: 'right' })
    expect(await late.closed()).toMatchObject({ code: 1013, reason: expect.stringMatching(/too many wrong tokens/) as string })
    expect(await rest('10.1.1.2')).toEqual([401, false])
  })
})
