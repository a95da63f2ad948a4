/** Where something on the way answers for the server: that is a blocked road; what the server itself refuses is not. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Client, ClientEvents } from '../src/index.ts'
import { createProxy, type Proxy } from './proxy.ts'
import { createStand, FAST, until, type Stand } from './stand.ts'

let stand: Stand
let proxy: Proxy
beforeEach(async () => {
  stand = await createStand()
  proxy = await createProxy(stand.port)
})
afterEach(async () => {
  await stand.close()
  await proxy.close()
})

function listen() {
  const reasons: string[] = []
  const seqs: number[] = []
  const fallback = { polling: { market: 30, alerts: 40 }, retryEvery: 60_000 }
  const client: Client = stand.connect({ url: proxy.url, backoff: FAST, fallback })
  client.on('state', ({ reason }) => reasons.push(reason))
  client.subscribe('trade:BTCUSDT', ({ seq }) => seqs.push(seq))
  const via = (way: string) => until(() => client.state().via === way, `via ${way}, not ${JSON.stringify(client.state())}`)
  return { reasons, seqs, client, via }
}

test.each([
  { status: 502, body: '<html>Bad Gateway</html>' },
  { status: 403, body: '{"message":"Forbidden"}' },
  { status: 401, body: '' },
  { status: 200, body: '<html>Sign in to this network</html>' }
])('[S1-40] a proxy answers streams with $status $body: it polls, and blames no server', async (instead) => {
  proxy.rules.instead = instead
  stand.trade(1)
  const { via, seqs, reasons } = listen()
  await via('polling')
  await until(() => seqs.length === 1)
  stand.trade(2)
  await until(() => seqs.at(-1) === 2)
  expect(reasons.filter((reason) => reason.startsWith('The server closed'))).toEqual([])
})

test('[S1-40] what the server itself refuses for now is told in its words, and asked again on the same road', async () => {
  const error = { code: 'UNAVAILABLE', message: 'too many at once', retry: true }
  proxy.rules.instead = { status: 503, body: JSON.stringify({ error }) }
  const { via, client, reasons } = listen()
  await until(() => reasons.some((reason) => reason.includes('too many at once')))
  await until(() => client.state().attempt > 4)
  proxy.rules.instead = undefined
  await via('sse')
  expect(proxy.seen.polls).toBe(0)
})

const ANSWERS = ['{"status":"signed out"}', '{"last":{},"errors":[]}', 'null', '[]', '7', '<html>Sign in</html>']
test.each(ANSWERS)(
  '[S1-40] a network answers 200 with %s for the server: that is said, and tried until it is the server again',
  async (body) => {
    proxy.rules.instead = { status: 502, body: '' }
    proxy.rules.foreign = { path: '/v1/last', status: 200, body }
    stand.trade(1)
    const { reasons, seqs, client, via } = listen()
    await until(() => reasons.some((reason) => /no Tickwire server|1011/.test(reason)))
    await until(() => client.state().attempt > 2)
    proxy.rules.foreign = undefined
    proxy.rules.instead = undefined
    await until(() => seqs.length === 1)
    await via('sse')
  }
)

test('[S1-40] a sign-in page in the place of the whole server is named as what it is, while it goes on trying', async () => {
  proxy.rules.foreign = { path: '/', status: 200, body: '<html>Sign in to this network</html>' }
  const { reasons, client, via } = listen()
  const said = /(health|watched) was answered with status 200 by something that is no Tickwire server: a proxy or a sign-in page/
  await until(() => reasons.some((reason) => said.test(reason)))
  await until(() => client.state().attempt > 2)
  proxy.rules.foreign = undefined
  await via('sse')
})

test('[S1-40] while it polls, a page in between is named, and the polls go on after it', async () => {
  proxy.rules.streams = false
  stand.trade(1)
  const { reasons, seqs, via } = listen()
  await via('polling')
  await until(() => seqs.length === 1)
  proxy.rules.foreign = { path: '/v1/last', status: 200, body: '{"error":"quota"}' }
  await until(() => reasons.some((reason) => reason.includes('/v1/last was answered with status 200 by something')))
  proxy.rules.foreign = undefined
  stand.trade(2)
  await until(() => seqs.at(-1) === 2)
})

test('[S4-31] what the server finds wrong with what was asked of a stream is told to whoever asked, in its words; the others go on', async () => {
  const { seqs, client, via } = listen()
  await via('sse')
  stand.trade(1)
  await until(() => seqs.length === 1)
  const errors: ClientEvents['error'][] = []
  client.on('error', (error) => errors.push(error))
  const attempts = proxy.seen.streams
  // A later server may refuse what this client takes for right.
  const body = JSON.stringify({ error: { code: 'BAD_MESSAGE', message: 'interval: not today', retry: false } })
  proxy.rules.foreign = { path: '/v1/events', status: 400, body }
  const { ready } = client.subscribe('quote:BTC-USDT', () => {}, { contract: { delivery: 'sampled', interval: 700 } })
  expect(await ready).toMatchObject([{ ok: false, code: 'BAD_MESSAGE', message: expect.stringContaining('interval') as string }])
  proxy.rules.foreign = undefined
  expect(errors).toMatchObject([{ code: 'BAD_MESSAGE', retry: false }])
  const told = errors.length
  expect(proxy.seen.streams).toBe(attempts + 1)
  stand.trade(2)
  await until(() => seqs.at(-1) === 2)
  expect(client.state()).toMatchObject({ phase: 'open', via: 'sse' })
  // It stays so for the next, and is not asked again.
  expect(await client.subscribe('trade:ETH-USDT', () => {}).ready).toMatchObject([{ ok: true }])
  expect(errors).toHaveLength(told)
})
