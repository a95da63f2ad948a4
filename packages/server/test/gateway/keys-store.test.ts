import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { sha256, type Verifier } from '../../src/gateway/auth.ts'
import { SILENT } from '../../src/ops/log.ts'
import { openAccess, type Access, type AccessOptions } from '../../src/store/access.ts'
import { openKeyStore } from '../../src/store/keys.ts'
import type { Timers } from '../../src/timers.ts'
import { claimsAt, eddsa, ISSUER, jwksText } from './tokens.ts'

const NOW = 1_780_000_000_000
const fileOf = () => join(mkdtempSync(join(tmpdir(), 'tickwire-')), 'keys.db')
const ANN = { name: 'of the desk', user: 'ann', scopes: ['read', 'trade'] as const }

/** Time passes when it is told to. */
function createTime(): { timers: Timers; pass: () => void } {
  const calls: (() => void)[] = []
  return {
    timers: { after: () => () => {}, every: (_ms, act) => (calls.push(act), () => {}) },
    pass: () => calls.forEach((act) => act())
  }
}

let access: Access | undefined
afterEach(() => {
  access?.stop()
  access = undefined
})
const open = async (options: Partial<AccessOptions> = {}) =>
  (access = await openAccess({
    host: '127.0.0.1',
    keys: [],
    insecure: false,
    store: '',
    jwt: { audience: 'tickwire' },
    log: SILENT,
    ...options
  }))
const find = async (verifiers: readonly Verifier[], token: string, now = NOW) =>
  (await Promise.all(verifiers.map((book) => book.check(token, now)))).find((who) => who !== undefined)

describe('the file of the keys', () => {
  test('a key is shown once: the file holds its SHA-256 and nothing of it, and only its owner reads the file', () => {
    const path = fileOf()
    const store = openKeyStore(path)
    const { key, stored } = store.create(ANN, NOW)
    expect(key).toMatch(/^tw_[0-9a-f]{12}_[\w-]{43}$/)
    store.close()
    const bytes = readFileSync(path)
    expect(bytes.includes(sha256(key))).toBe(true)
    expect(bytes.includes(key.split('_').slice(2).join('_'))).toBe(false)
    expect(statSync(path).mode & 0o077).toBe(0)
    const again = openKeyStore(path)
    expect(again.list()).toEqual([{ id: stored.id, ...ANN, created: NOW }])
    again.close()
  })

  test('a key is revoked once, by its id', () => {
    const store = openKeyStore(fileOf())
    const { stored } = store.create({ ...ANN, expires: NOW + 5 }, NOW)
    expect(store.revoke('another', NOW)).toBe(false)
    expect(store.revoke(stored.id, NOW + 1)).toBe(true)
    expect(store.revoke(stored.id, NOW + 2)).toBe(false)
    expect(store.list()).toMatchObject([{ expires: NOW + 5, revoked: NOW + 1 }])
    store.close()
  })
})

describe('the server on the file', () => {
  test('a key is who it was made for, until it expires', async () => {
    const path = fileOf()
    const store = openKeyStore(path)
    const { key, stored } = store.create({ ...ANN, expires: NOW + 100 }, NOW)
    const { verifiers } = await open({ store: path })
    expect(await find(verifiers, key, NOW + 99)).toEqual({
      user: 'ann',
      scopes: new Set(['read', 'trade']),
      key: stored.id,
      expires: NOW + 100
    })
    expect(await find(verifiers, key, NOW + 100)).toBeUndefined()
    expect(await find(verifiers, `${key}x`)).toBeUndefined()
    expect(await find(verifiers, key.slice(0, -1))).toBeUndefined()
    expect(await find(verifiers, sha256(key).toString('hex'))).toBeUndefined()
    store.close()
  })

  test('what another process makes and revokes is known at the next look, also where the file was not there', async () => {
    const path = fileOf()
    const { timers, pass } = createTime()
    const { verifiers } = await open({ store: path, timers })
    expect(verifiers.some((book) => book.isUsed())).toBe(false)
    const store = openKeyStore(path)
    const { key, stored } = store.create(ANN, NOW)
    pass()
    const who = await find(verifiers, key)
    expect(who).toMatchObject({ user: 'ann' })
    store.revoke(stored.id, NOW)
    expect(await find(verifiers, key)).toBeDefined()
    pass()
    expect(await find(verifiers, key)).toBeUndefined()
    expect(who && verifiers.some((book) => book.isRevoked(who))).toBe(true)
    expect(verifiers.some((book) => book.isUsed())).toBe(true)
    store.close()
  })

  test('a file that is none of ours ends the start: it must not come up open', async () => {
    const path = fileOf()
    writeFileSync(path, 'this is no database, and long enough to be seen as none')
    await expect(open({ store: path })).rejects.toThrow(/auth\.store/)
  })
})

describe('the keys of JSON Web Tokens', () => {
  test('come from a file, and are read anew', async () => {
    const jwks = fileOf()
    writeFileSync(jwks, '{"keys": []}')
    const { timers, pass } = createTime()
    const { verifiers } = await open({ jwt: { jwks, issuer: ISSUER, audience: 'tickwire' }, timers })
    const token = eddsa(claimsAt(NOW))
    expect(await find(verifiers, token)).toBeUndefined()
    // The token has set off a reading of the old file, which is still under way.
    writeFileSync(jwks, jwksText)
    pass()
    await expect.poll(() => find(verifiers, token), { timeout: 30_000 }).toMatchObject({ user: 'ann' })
  })

  test('[S8] by an address are taken from it alone: where it leads on to another nobody goes', async () => {
    const asked: string[] = []
    const leading = createServer(({ url = '' }, response) => {
      asked.push(url)
      if (url === '/right') response.end(jwksText)
      else response.writeHead(302, { location: '/right' }).end()
    })
    await new Promise<void>((resolve) => leading.listen(0, '127.0.0.1', resolve))
    const { port } = leading.address() as AddressInfo
    const openAt = (path: string) =>
      open({ jwt: { jwks: `http://127.0.0.1:${port}${path}`, issuer: ISSUER, audience: 'tickwire' } })
    const token = eddsa(claimsAt(NOW))
    expect(await find((await openAt('/right')).verifiers, token)).toMatchObject({ user: 'ann' })
    access?.stop()
    asked.length = 0
    expect(await find((await openAt('/leads')).verifiers, token)).toBeUndefined()
    expect(new Set(asked)).toEqual(new Set(['/leads']))
    leading.closeAllConnections()
    leading.close()
  })

  test.for([
    ['a file that is not there', { jwks: '/nowhere/jwks.json', issuer: ISSUER }, /auth\.jwt\.jwks: \/nowhere/],
    ['an address that anybody could answer for', { jwks: 'http://id.example/jwks', issuer: ISSUER }, /it takes https/],
    ['keys without an issuer', { jwks: '/nowhere/jwks.json' }, /auth\.jwt\.issuer is missing/],
    ['a short secret', { secret: 'short' }, /auth\.jwt\.secret is too short/]
  ] as const)('%s ends the start', async ([, jwt, words]) => {
    await expect(open({ jwt: { audience: 'tickwire', ...jwt } })).rejects.toThrow(words)
  })
})

describe('[S1-86] an address that others reach', () => {
  test.for(['0.0.0.0', '::', '192.168.1.5', 'desk.example'])('%s: no start without a key', async (host) => {
    await expect(open({ host })).rejects.toThrow(/tickwire keys create.*--insecure/)
  })
  test('loopback behind a proxy is one of them', async () => {
    const proxies = ['127.0.0.1']
    await expect(open({ proxies })).rejects.toThrow(/^gateway\.proxies .*tickwire keys create.*--insecure/)
    await expect(open({ proxies, insecure: true })).resolves.toBeDefined()
  })
  test('unless told so, or with a key of any sort', async () => {
    const host = '0.0.0.0'
    await expect(open({ host, insecure: true })).resolves.toBeDefined()
    await expect(open({ host, keys: [sha256('right').toString('hex')] })).resolves.toBeDefined()
    await expect(open({ host, jwt: { secret: 'x'.repeat(32), audience: 'tickwire' } })).resolves.toBeDefined()
    const store = fileOf()
    const keys = openKeyStore(store)
    keys.create(ANN, NOW)
    await expect(open({ host, store })).resolves.toBeDefined()
    keys.close()
  })
  test.for(['127.0.0.1', 'localhost', '::1'])('%s: open, and says so', async (host) => {
    const said: unknown[] = []
    await open({ host, log: { ...SILENT, warn: (...line: unknown[]) => void said.push(line.at(-1)) } })
    expect(said).toEqual([expect.stringMatching(/^open: no key is configured/)])
  })
})
