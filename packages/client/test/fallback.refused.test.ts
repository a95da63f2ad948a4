/** Where something on the way answers for the server: that is a blocked road; what the server itself refuses is not. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Client } from '../src/index.ts'
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
