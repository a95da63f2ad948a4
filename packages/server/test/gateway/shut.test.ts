/** Who is let in where: every route that the server has, with no token, with one that may not, and with one that may only read. */
import { channel } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dialects, emulations } from '../../src/dialects/index.ts'
import { createJwt } from '../../src/gateway/jwt.ts'
import { startRig, type Rig } from './rig.ts'
import { claimsAt, hs256, SECRET } from './tokens.ts'

type Route = { method: string; url: string }
let routes: Route[] = []
let rig: Rig
const watch = (message: unknown): void => {
  const { fastify } = message as { fastify: FastifyInstance }
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) routes.push({ method: each, url })
  })
}

beforeEach(async () => {
  routes = []
  const made = channel('fastify.initialization')
  made.subscribe(watch)
  const auth = { verifiers: [createJwt({ secret: SECRET, audience: 'tickwire' })], wrongTokens: 100_000 }
  rig = await startRig({ auth, dialects: [...dialects, ...emulations] })
  made.unsubscribe(watch)
})
afterEach(() => rig.gateway.close(0))

const tokenOf = (sub: string, scope: string) => hs256({ ...claimsAt(Date.now()), sub, scope })
const reader = tokenOf('ann', 'read')

/** An address of the route, with something in each of its places. */
const addressOf = (url: string): string =>
  url
    .replace(':instrument', 'BTC-USDT')
    .replace(':provider', 'one')
    .replaceAll(/:\w+/g, 'x')
    .replace(/\*$/, 'x')
    .replace('/v1/events', '/v1/events?topics=trade:BTC-USDT')
    .replace('/v1/last', '/v1/last?topics=trade:BTC-USDT')

type Answer = Route & { status: number; text: string }
async function ask({ method, url }: Route, token?: string): Promise<Answer> {
  const stop = new AbortController()
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(rig.base + addressOf(url), { method, headers, signal: stop.signal, redirect: 'manual' })
  // A stream that is let in has no end.
  const text = answer.headers.get('content-type')?.startsWith('text/event-stream') ? '' : await answer.text()
  stop.abort()
  return { method, url, status: answer.status, text }
}
/** Each route that answered otherwise than it must. */
async function wrong(
  wanted: readonly Route[],
  token: string | undefined,
  isRight: (answer: Answer) => boolean
): Promise<string[]> {
  const asked = await Promise.all(wanted.map((route) => ask(route, token)))
  return asked
    .filter((each) => !isRight(each))
    .map(({ method, url, status, text }) => `${method} ${url}: ${status} ${text}`.slice(0, 200))
}

/** With 401; the clients of a provider's protocol in its words, which may come with another status. */
const refuses =
  (sent: boolean) =>
  ({ method, url, status, text }: Answer): boolean => {
    const own = emulations.find(({ under }) => under !== undefined && url.startsWith(under))?.keys?.refusal(sent)
    if (!own) return status === 401
    return status === own.status && (method === 'HEAD' || text === JSON.stringify(own.body))
  }

/** What anybody may have: whether we are alive, and the documents. */
const OPEN = /^\/(?:health|api\/core\/health|ready|docs.*|(?:open|async)api\.json)?$/
const guarded = () => routes.filter(({ url }) => !OPEN.test(url))
const isCommand = ({ method, url }: Route) => !['GET', 'HEAD'].includes(method) && url.startsWith('/v1/')

describe('[S5] each route that there is', () => {
  test('is in this table: those of our own, of the seeds, and of the providers whose protocols we speak', () => {
    expect(routes.length).toBeGreaterThan(150)
    for (const url of [
      '/v1/last',
      '/v1/books/:instrument/resync',
      '/metrics',
      '/ws/status',
      '/api/websocket/subscribe',
      '/udf/config'
    ])
      expect(routes.map((route) => route.url)).toContain(url)
    expect(
      [...new Set(routes.map(({ url }) => url).filter((url) => OPEN.test(url) && !url.startsWith('/docs')))].toSorted()
    ).toEqual(['/', '/api/core/health', '/asyncapi.json', '/health', '/openapi.json', '/ready'])
  })

  test('answers nobody without a token', async () => {
    expect(await wrong(guarded(), undefined, refuses(false))).toEqual([])
  })

  test('answers nobody whose token is none of ours', async () => {
    const forged = hs256(claimsAt(Date.now()), {}, 'another secret that is long enough')
    expect(await wrong(guarded(), forged, refuses(true))).toEqual([])
  })

  test('answers nobody whose token may not read', async () => {
    expect(await wrong(guarded(), tokenOf('ann', 'trade'), ({ status }) => status === 403)).toEqual([])
  })

  test('answers whoever may read, but takes commands of nobody who is not an admin', async () => {
    expect(routes.filter(isCommand).length).toBeGreaterThan(1)
    expect(await wrong(routes.filter(isCommand), reader, ({ status }) => status === 403)).toEqual([])
    const others = guarded().filter((route) => !isCommand(route))
    expect(await wrong(others, reader, ({ status }) => status !== 401 && status !== 403 && status !== 500)).toEqual([])
    expect(
      await wrong(routes.filter(isCommand), tokenOf('root', 'admin'), ({ status }) => status !== 403 && status !== 500)
    ).toEqual([])
  }, 60_000)
})

const get = async (path: string, user: string, method = 'GET', body?: unknown) => {
  const headers: Record<string, string> = { authorization: `Bearer ${tokenOf(user, 'read admin')}` }
  if (body !== undefined) headers['content-type'] = 'application/json'
  const answer = await fetch(rig.base + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
  return { status: answer.status, text: await answer.text() }
}

test('[S5] what one user holds by REST no other user sees, nor takes away', async () => {
  const symbols = 'symbols=BTC-USDT'
  expect(await get(`/api/websocket/subscribe?${symbols}`, 'ann', 'POST')).toMatchObject({ status: 200 })
  expect((await get('/api/websocket/status', 'ann')).text).toContain('BTC-USDT')
  expect((await get('/api/websocket/status', 'bob')).text).not.toContain('BTC-USDT')
  expect(await get('/api/websocket/symbol/BTC-USDT', 'bob')).toMatchObject({ status: 404 })
  expect(await get(`/api/websocket/unsubscribe?${symbols}`, 'bob', 'POST')).toMatchObject({ status: 404 })
  expect(await get('/api/websocket/disconnect', 'bob', 'POST')).toMatchObject({ status: 200 })
  expect(rig.demanded.get('trade:BTC-USDT')).toBe(1)
  expect(await get('/api/websocket/symbol/BTC-USDT', 'ann')).toMatchObject({ status: 200 })
  expect(await get('/api/websocket/disconnect', 'ann', 'POST')).toMatchObject({ status: 200 })
  expect(rig.demanded.get('trade:BTC-USDT')).toBe(0)
})

describe('[S6] a field that nobody asked for', () => {
  const FIELDS = ['userId', 'isAdmin', 'id', 'scope', 'constructor']
  test('in a body is refused by its name, on every route that takes one', async () => {
    const absent = /^\/(?:api\/)?(?:chat|alerts)\//
    const commands = routes.filter(({ method, url }) => !['GET', 'HEAD', 'OPTIONS'].includes(method) && !absent.test(url))
    expect(commands.length).toBeGreaterThan(5)
    for (const { method, url } of commands)
      for (const field of FIELDS) {
        const { status, text } = await get(addressOf(url), 'ann', method, { [field]: true })
        expect([400, 422], `${method} ${url} ${field}: ${text}`).toContain(status)
        expect(text).toContain(field)
      }
  }, 60_000)

  test('and nothing is done for it; an empty body is none', async () => {
    await get('/api/websocket/subscribe?symbols=BTC-USDT', 'ann', 'POST', { userId: 'bob' })
    expect(rig.demanded.get('trade:BTC-USDT') ?? 0).toBe(0)
    expect(await get('/api/websocket/subscribe?symbols=BTC-USDT', 'ann', 'POST', {})).toMatchObject({ status: 200 })
  })
})
