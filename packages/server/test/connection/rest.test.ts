import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { publicAddresses, wayTo } from '../../src/connection/public.ts'
import { createRest, type RestOptions } from '../../src/connection/rest.ts'
import { json, openVenue, until } from '../feed/venue.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function open(answers: Parameters<typeof openVenue>[0], change: Partial<RestOptions> = {}) {
  const venue = await openVenue(answers)
  closing.push(() => venue.close())
  const options = {
    restUrl: venue.restUrl,
    requestsPerSecond: 1_000,
    clock: Date.now,
    random: () => 0.5,
    backoff: { base: 10, cap: 20 }
  }
  const rest = createRest({ ...options, ...change })
  closing.push(() => rest.stop())
  return { venue, rest }
}

const to =
  (location: string) =>
  (_: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(302, { location }).end()

test('an answer is its body; an address with a path of its own keeps it; the provider’s headers are sent', async () => {
  const headers: unknown[] = []
  const { venue } = await open({
    '/0/x': (request, response) => {
      headers.push(request.headers['apca-key'])
      json({ a: 1 })(request, response)
    }
  })
  const options = {
    restUrl: `${venue.restUrl}/0/`,
    requestsPerSecond: 10,
    clock: Date.now,
    random: () => 0,
    headers: () => ({ 'apca-key': 'k' })
  }
  expect(await createRest(options).get({ path: '/x?y=1' })).toMatchObject({ ok: true, body: '{"a":1}' })
  expect([venue.requests, headers]).toEqual([['/0/x?y=1'], ['k']])
})

test('identical requests in flight are one request', async () => {
  const { venue, rest } = await open({ '/x': json(1) })
  const answers = await Promise.all([rest.get({ path: '/x' }), rest.get({ path: '/x' }), rest.get({ path: '/x' })])
  expect(answers.every((a) => a.ok)).toBe(true)
  expect(venue.requests).toEqual(['/x'])
  await rest.get({ path: '/x' })
  expect(venue.requests.length).toBe(2)
})

test('requests keep the provider’s distance', async () => {
  const { venue, rest } = await open({ '/a': json(1), '/b': json(1), '/c': json(1) }, { requestsPerSecond: 20 })
  const began = performance.now()
  await Promise.all(['/a', '/b', '/c'].map((path) => rest.get({ path: path })))
  expect(performance.now() - began).toBeGreaterThanOrEqual(95)
  expect(venue.requests.length).toBe(3)
})

test('a server’s failure is retried, a refusal is not', async () => {
  let times = 0
  const { venue, rest } = await open({
    '/flaky': (_, response) => void response.writeHead(++times < 3 ? 502 : 200).end('fine'),
    '/dead': (_, response) => void response.writeHead(500).end('broken'),
    '/no': (_, response) => void response.writeHead(400).end('what?')
  })
  expect(await rest.get({ path: '/flaky' })).toMatchObject({ ok: true, body: 'fine' })
  expect(await rest.get({ path: '/dead' })).toEqual({ ok: false, reason: 'HTTP 500: broken', status: 500 })
  expect(await rest.get({ path: '/no' })).toEqual({ ok: false, reason: 'HTTP 400: what?', status: 400 })
  expect(venue.requests.filter((r) => r === '/no').length).toBe(1)
})

test.each([429, 418])('after HTTP %i nothing at all is asked before Retry-After ends', async (status) => {
  const asked: number[] = []
  const { rest } = await open({
    '/x': (_, response) =>
      void (asked.push(performance.now()) === 1 ? response.writeHead(status, { 'retry-after': '1' }).end() : response.end('ok')),
    '/y': (_, response) => void (asked.push(performance.now()), response.end('ok'))
  })
  const x = rest.get({ path: '/x' })
  await until(() => asked.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect((await Promise.all([x, rest.get({ path: '/y' })])).every((a) => a.ok)).toBe(true)
  expect(Math.min(...asked.slice(1)) - asked[0]!).toBeGreaterThanOrEqual(990)
})

test('a redirect is followed on the same host only', async () => {
  const trap = await openVenue({ '/secret': json('secret') })
  closing.push(() => trap.close())
  const { rest } = await open({
    '/here': to('/there'),
    '/there': json('there'),
    '/away': to(`${trap.restUrl}/secret`),
    '/file': to('file:///etc/passwd'),
    '/round': to('/round')
  })
  expect(await rest.get({ path: '/here' })).toMatchObject({ ok: true, body: '"there"' })
  expect(await rest.get({ path: '/away' })).toMatchObject({
    ok: false,
    reason: `redirected to 127.0.0.1:${trap.port}, which is not followed`
  })
  expect(await rest.get({ path: '/file' })).toMatchObject({ ok: false })
  expect(await rest.get({ path: '/round' })).toMatchObject({ ok: false, reason: 'more than 3 redirects' })
  expect(trap.requests).toEqual([])
})

test('an answer beyond the limit, one that hangs, and one that is cut are values, in time', async () => {
  const { rest } = await open(
    {
      '/big': (_, response) => void response.end('x'.repeat(5_000)),
      '/hang': (_, response) => void response.write('['),
      '/cut': (_, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('[')
        setTimeout(() => response.destroy(), 5)
      }
    },
    { maxBytes: 1_000, timeout: 100, tries: 1 }
  )
  expect(await rest.get({ path: '/big' })).toMatchObject({ ok: false, reason: 'the answer is larger than 1000 bytes' })
  expect(await rest.get({ path: '/hang' })).toEqual({ ok: false, reason: 'no answer within 100 ms' })
  expect(await rest.get({ path: '/cut' })).toMatchObject({ ok: false })
})

test('a provider that is not there, or an address that is none, is a value; a stop ends what waits', async () => {
  const options = { requestsPerSecond: 10, clock: Date.now, random: () => 0, tries: 2, backoff: { base: 1, cap: 1 } }
  expect(await createRest({ ...options, restUrl: 'http://127.0.0.1:1' }).get({ path: '/x' })).toMatchObject({ ok: false })
  expect(await createRest({ ...options, restUrl: 'nonsense' }).get({ path: '/x' })).toMatchObject({ ok: false })
  const { rest } = await open({ '/hang': () => undefined })
  const waiting = rest.get({ path: '/hang' })
  rest.stop()
  expect(await waiting).toEqual({ ok: false, reason: 'stopped' })
})

describe('what roams', () => {
  const anywhere = { addressesOf: () => Promise.resolve(['127.0.0.1']) }
  test('is followed to a public host, five hops at most, and told where it lives for good', async () => {
    const other = await openVenue({ '/feed': json('feed'), '/b': json('b') })
    closing.push(() => other.close())
    const for_ =
      (status: number, location: string) =>
      (_: IncomingMessage, response: ServerResponse): void =>
        void response.writeHead(status, { location }).end()
    const { rest } = await open(
      {
        '/moved': for_(301, '/onward'),
        '/onward': for_(308, `${other.restUrl}/feed`),
        '/round': for_(302, '/round'),
        '/now': for_(302, `${other.restUrl}/b`)
      },
      anywhere
    )
    expect(await rest.get({ path: '/moved', roams: true })).toMatchObject({
      ok: true,
      body: '"feed"',
      moved: `${other.restUrl}/feed`
    })
    const now = await rest.get({ path: '/now', roams: true })
    expect(now).toMatchObject({ ok: true, body: '"b"' })
    expect(now).not.toHaveProperty('moved')
    expect(await rest.get({ path: '/round', roams: true })).toMatchObject({ ok: false, reason: 'more than 5 redirects' })
  })
  test.each([
    'http://127.0.0.1:9/',
    'http://localhost:9/',
    'http://[::1]:9/',
    'http://169.254.169.254/',
    'http://10.1.2.3/',
    'http://2130706433/',
    'file:///etc/passwd'
  ])('is never led to %s', async (location) => {
    const { rest } = await open({ '/x': to(location) })
    expect(await rest.get({ path: '/x', roams: true })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('not followed') as string
    })
  })
  test('is not led back from https to http, nor to an address with a password in it', async () => {
    const anyhow = () => Promise.resolve(['192.0.2.1'])
    const ask = (from: string, there: string) => wayTo(new URL(from), new URL(there), anyhow)
    expect(await ask('https://a.example/', 'http://a.example/')).toBeUndefined()
    expect(await ask('https://a.example/', 'https://u:p@b.example/')).toBeUndefined()
    expect(await ask('http://a.example/', 'https://a.example/')).toBe('as before')
    expect(await ask('https://a.example/', 'https://b.example/')).toEqual(['192.0.2.1'])
  })
  test('[S8] is connected to the address that was looked at, whatever the name means a moment later', async () => {
    const other = await openVenue({ '/feed': json('feed') })
    closing.push(() => other.close())
    // No resolver knows this name: whoever asked for it again would not arrive.
    const there = `http://rebinding.invalid:${other.port}/feed`
    const asked: string[] = []
    const addressesOf = (host: string) => {
      asked.push(host)
      return Promise.resolve(asked.length > 1 ? [] : ['127.0.0.1'])
    }
    const { rest } = await open(
      { '/moved': (_, response) => void response.writeHead(301, { location: there }).end() },
      { addressesOf, tries: 1 }
    )
    expect(await rest.get({ path: '/moved', roams: true })).toMatchObject({ ok: true, body: '"feed"', moved: there })
    // Where it has moved to is asked from now on; the name has come to mean one of our own machines.
    expect(await rest.get({ path: there, roams: true })).toMatchObject({ ok: false, reason: expect.stringContaining('open net') })
    expect(asked).toEqual(['rebinding.invalid', 'rebinding.invalid'])
    expect(other.requests).toEqual(['/feed'])
  })
  test('[S8] is given in gzip as well, and an answer that is cut is a value', async () => {
    const other = await openVenue({
      '/packed': (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('"packed"')),
      '/cut': (_, response) =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('"packed"').subarray(0, 12)),
      '/none': (_, response) => void response.writeHead(304).end()
    })
    closing.push(() => other.close())
    const paths = ['/packed', '/cut', '/none']
    const { rest } = await open(Object.fromEntries(paths.map((path) => [path, to(other.restUrl + path)])), {
      ...anywhere,
      tries: 1
    })
    expect(await rest.get({ path: '/packed', roams: true })).toMatchObject({ ok: true, body: '"packed"' })
    expect(await rest.get({ path: '/cut', roams: true })).toMatchObject({ ok: false })
    expect(await rest.get({ path: '/none', roams: true })).toMatchObject({ ok: true, unchanged: true })
  })
  test.each([
    '127.0.0.1', '0.0.0.0', '10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '198.18.0.1', '224.0.0.1',
    '255.255.255.255', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:10.1.2.3]', '[2002:7f00:1::]', '[64:ff9b::7f00:1]', '[fc00::1]', '[fd12::1]',
    '[fe80::1]', '[ff02::1]', 'localhost', 'nothing.invalid'
  ])('[S8] %s is not of the open net', async (host) => {
    expect(await publicAddresses(host)).toEqual([])
  }) // prettier-ignore
  test('[S8] an address of the open net is its own', async () => {
    expect(await publicAddresses('192.0.9.1')).toEqual(['192.0.9.1'])
    expect(await publicAddresses('[::ffff:192.0.9.1]')).toHaveLength(1)
    expect(await publicAddresses('[2606:4700::1]')).toEqual(['2606:4700::1'])
  })
  test('waits for the host that asked for it alone', async () => {
    const busy = await openVenue({ '/x': (_, response) => void response.writeHead(503, { 'retry-after': '3600' }).end() })
    closing.push(() => busy.close())
    const { venue, rest } = await open({ '/y': json('y') }, { tries: 1 })
    expect(await rest.get({ path: `${busy.restUrl}/x`, roams: true })).toMatchObject({ ok: false, status: 503 })
    // The one that is quiet stands in nobody's way.
    void rest.get({ path: `${busy.restUrl}/x`, roams: true })
    expect(await rest.get({ path: `${venue.restUrl}/y`, roams: true })).toMatchObject({ ok: true, body: '"y"' })
  })
})
