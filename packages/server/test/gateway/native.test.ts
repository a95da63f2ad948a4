import { afterEach, expect, test } from 'vitest'
import { connect, startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
const start = async (options?: RigOptions) => (rig = await startRig(options))
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

test('a client is greeted at once, and told what it is held to', async () => {
  const { url } = await start()
  const client = await connect(url)
  expect(await client.message('hello')).toMatchObject({
    version: 1,
    epoch: 'e1',
    encoding: 'json',
    auth: 'none',
    heartbeat: { interval: 11_000, timeout: 18_500 },
    limits: { message: 65_536, topics: 1_000 }
  })
  client.ws.terminate()
})

test('a subscribe is answered per topic, with the canonical name or the nearest ones, before any event', async () => {
  const { url, plant } = await start()
  plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), Date.now())
  const client = await connect(url)
  client.send({ op: 'subscribe', id: 7, topics: ['trade:btcusdt', 'trade:NOPE', 'nonsense', 'trade:BTC-USDT@nobody'] })
  const { results, id } = await client.message('subscribed')
  expect(id).toBe(7)
  expect(results).toMatchObject([
    { asked: 'trade:btcusdt', topic: 'trade:BTC-USDT', ok: true, position: { epoch: 'e1', seq: 1 }, upstream: 'live' },
    { asked: 'trade:NOPE', ok: false, code: 'BAD_SYMBOL', nearest: ['BTC-USDT'] },
    { asked: 'nonsense', ok: false, code: 'BAD_TOPIC' },
    { asked: 'trade:BTC-USDT@nobody', ok: false, code: 'BAD_PROVIDER' }
  ])
  await client.until(() => client.events().length === 1)
  plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 2), Date.now())
  await client.until(() => client.events().length === 2)
  expect(client.events().map(({ topic, seq }) => `${topic} ${seq}`)).toEqual(['trade:BTC-USDT 1', 'trade:BTC-USDT 2'])
  client.ws.terminate()
})

test('/health answers with mode, epoch and providers', async () => {
  const { base } = await start()
  const answer = await fetch(`${base}/health`)
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({
    status: 'ok',
    mode: 'demo',
    simulated: true,
    epoch: 'e1',
    providers: { total: 0, live: 0 }
  })
})
