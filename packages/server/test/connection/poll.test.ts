/** Repeated REST calls against a real server on loopback. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createPoller } from '../../src/connection/poll.ts'
import { createRest, type Good } from '../../src/connection/rest.ts'
import type { Need } from '../../src/providers/adapter.ts'
import { until } from '../feed/venue.ts'

const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

type Reply = { status?: number; body?: string; headers?: Record<string, string> }

async function open(reply: (request: IncomingMessage, count: number) => Reply) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    const { status = 200, body = '', headers = {} } = reply(request, requests.length)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const rest = createRest({ restUrl, requestsPerSecond: 1_000, clock: Date.now, random: () => 0.5, tries: 1 })
  const answers: { need: Need; answer: Good }[] = []
  const failures: { reason: string; status?: number }[] = []
  const poller = createPoller({
    rest,
    random: () => 0.5,
    windows: [],
    onAnswer: (need, answer) => void answers.push({ need, answer }),
    onFailed: (_need, failure) => void failures.push(failure)
  })
  closing.push(() => {
    poller.stop()
    rest.stop()
    server.close()
  })
  return { requests, answers, failures, poller }
}

const need = (path: string): Need => ({ type: 'need', purpose: 'snapshot', path })

test('a poll sends ETag and Last-Modified back, and a 304 is unchanged', async () => {
  const { requests, answers, poller } = await open(({ headers }) =>
    headers['if-none-match'] === undefined
      ? { body: 'news', headers: { etag: 'W/"1"', 'last-modified': 'Sat, 21 Nov 2026 00:00:00 GMT' } }
      : { status: 304 }
  )
  poller.set({ poll: 'a', need: need('/a'), every: 5 })
  await until(() => answers.length >= 2)
  expect(requests[1]!.headers).toMatchObject({ 'if-none-match': 'W/"1"', 'if-modified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' })
  expect(answers.slice(0, 2).map(({ answer }) => answer.unchanged)).toEqual([false, true])
  expect(answers[0]!.need.answered).toMatchObject({ status: 200, headers: { etag: 'W/"1"' } })
})

test('the same bytes again are unchanged, where the server has no ETag', async () => {
  const { answers, poller } = await open((_, count) => ({ body: count < 3 ? 'same' : 'other' }))
  poller.set({ poll: 'a', need: need('/a'), every: 5 })
  await until(() => answers.length >= 3)
  expect(answers.slice(0, 3).map(({ answer }) => answer.unchanged)).toEqual([false, true, false])
})

test('a poll under the same name replaces the old one, and one without a need ends it', async () => {
  const { requests, poller } = await open(() => ({ body: '1' }))
  poller.set({ poll: 'a', need: need('/old'), every: 5 })
  await until(() => requests.length >= 2)
  poller.set({ poll: 'a', need: need('/new'), every: 5 })
  await until(() => requests.some(({ url }) => url === '/new'))
  const at = requests.findIndex(({ url }) => url === '/new')
  await until(() => requests.length > at + 3)
  expect(requests.slice(at + 1).map(({ url }) => url)).not.toContain('/old')
  poller.set({ poll: 'a', every: 5 })
})

test('a poll that is asked once is asked again only until it is answered', async () => {
  const { requests, answers, failures, poller } = await open((_, count) => (count === 1 ? { status: 500 } : { body: '1' }))
  poller.set({ poll: 'once', need: need('/once'), every: Infinity })
  poller.set({ poll: 'often', need: need('/often'), every: 5 })
  await until(() => answers.some((a) => a.need.path === '/once'))
  await until(() => requests.filter(({ url }) => url === '/often').length > 20)
  expect(failures.map(({ status }) => status)).toEqual([500])
  expect(answers.filter((a) => a.need.path === '/once').length).toBe(1)
})

test('a post carries its body as JSON', async () => {
  const bodies: string[] = []
  const { answers, poller } = await open((request) => {
    request.on('data', (part: Buffer) => bodies.push(`${request.method} ${request.headers['content-type']} ${part.toString()}`))
    return { body: '{}' }
  })
  poller.set({ poll: 'a', need: { ...need('/tokens'), post: { symbols: ['A'] } }, every: Infinity })
  await until(() => answers.length > 0 && bodies.length > 0)
  expect(bodies).toEqual(['POST application/json {"symbols":["A"]}'])
})

test('what is to go on otherwise later is not asked at once, and keeps its ETag', async () => {
  const { requests, answers, poller } = await open(({ headers }) =>
    headers['if-none-match'] === undefined ? { body: 'news', headers: { etag: '"1"' } } : { status: 304 }
  )
  poller.set({ poll: 'a', need: need('/a'), every: 400 })
  await until(() => answers.length === 1)
  poller.set({ poll: 'a', need: need('/moved'), every: 5, later: true })
  expect(requests.length).toBe(1)
  await until(() => requests.length >= 2)
  expect([requests[1]!.url, requests[1]!.headers['if-none-match']]).toEqual(['/moved', '"1"'])
})
