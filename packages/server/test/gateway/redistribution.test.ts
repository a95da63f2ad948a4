/** What a source forbids to pass on goes to the owner's users only: on every road, and it is said. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dialect, type Desk, type InstrumentInfo } from '../../src/dialects/dialect.ts'
import type { ProviderInfo } from '../../src/gateway/gateway.ts'
import { createJwt } from '../../src/gateway/jwt.ts'
import { createPlant, type Plant } from '../../src/plant/plant.ts'
import { connect, deskOf, startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'
import { claimsAt, hs256, SECRET } from './tokens.ts'

const provider = (name: string, redistribution: 'allowed' | 'forbidden', kinds: string[]): ProviderInfo => ({
  type: 'provider',
  provider: name,
  instrument: '',
  time: 1,
  received: 1,
  phase: 'live',
  since: 1,
  reason: '',
  connections: 1,
  subscriptions: 1,
  rate: 1,
  frames: 1,
  events: 1,
  refused: {},
  reconnects: 0,
  gaps: 0,
  simulated: false,
  about: { docs: '', coverage: '', redistribution, cost: '' },
  kinds
})
const PROVIDERS = [provider('free', 'allowed', ['trade', 'quote']), provider('closed', 'forbidden', ['trade', 'quote', 'news'])]

const carried = (instrument: string, ...names: string[]): InstrumentInfo => ({
  instrument,
  base: 'BTC',
  quote: 'USDT',
  providers: names.map((name) => ({ provider: name, symbol: instrument, trading: true }))
})
/** BTC-USDT comes from both, ETH-USDT from the free one, SOL-USDT from the closed one. */
const INSTRUMENTS = [carried('BTC-USDT', 'free', 'closed'), carried('ETH-USDT', 'free'), carried('SOL-USDT', 'closed')]

let unlisted: string[]
const deskOn = (plant: Plant): Desk => ({
  ...deskOf(plant),
  instruments: () => INSTRUMENTS,
  instrument: (id) => INSTRUMENTS.find(({ instrument }) => instrument === id),
  unlisted: () => unlisted,
  candles: (instrument) => Promise.resolve([{ instrument } as never]),
  past: (instrument) => Promise.resolve({ candles: [{ instrument } as never] })
})

/** A protocol whose REST asks the desk itself, as those of other systems do. */
const own = dialect({
  name: 'own',
  paths: [],
  maxMessage: 1,
  open: () => ({ memory: undefined, commands: [] }),
  receive: () => [],
  render: () => undefined,
  http: [
    {
      route: 'GET /own/last',
      answer: (_request, desk) => ({ status: 200, body: { last: desk.last('trade:SOL-USDT') ?? null } })
    },
    {
      route: 'GET /own/words',
      answer: (_request, desk) => ({
        status: 200,
        body: ['SOL', 'ETH'].map((base) => desk.forbids?.(`trade:${base}-USDT`) ?? null)
      })
    },
    {
      route: 'GET /own/candles',
      answer: async (_request, desk) => ({ status: 200, body: await desk.candles('SOL-USDT', '1m', 1) })
    },
    {
      route: 'GET /own/past',
      answer: async (_request, desk) => ({ status: 200, body: await desk.past('SOL-USDT', '1m', 1) })
    }
  ]
})

let rig: Rig | undefined
beforeEach(() => void (unlisted = []))
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})
const TERMS = { owner: ['ann'], allow: [] }
const asUser = (sub: string) => ({ headers: { authorization: `Bearer ${hs256({ ...claimsAt(Date.now()), sub })}` } })

async function start(options: RigOptions = {}) {
  const plant = createPlant({ epoch: 'e1', keep: () => 10 })
  for (const { instrument } of INSTRUMENTS) plant.publish(`trade:${instrument}`, tradeOf(instrument, 7), 3)
  return (rig = await startRig({
    plant,
    desk: deskOn(plant),
    dialect: own,
    auth: { verifiers: [createJwt({ secret: SECRET, audience: 'tickwire' })] },
    redistribution: TERMS,
    rest: {
      providers: () => PROVIDERS,
      hops: () => [],
      moving: () => [],
      groups: () => ['all'],
      candles: () => Promise.resolve({ candles: [] }),
      history: {
        trades: () => Promise.resolve({ ok: true, trades: [], corrections: [], gaps: [], sources: [], more: false }),
        candles: () => Promise.resolve({ candles: [] })
      },
      watched: () => [],
      confidence: () => ({ reliability: {}, calibrations: [] }),
      arbitration: () => [],
      gaps: () => [],
      standing: {
        books: () => [],
        resync: () => Promise.resolve({ outcome: 'failed', message: '', after: 0 }),
        reconnect: () => Promise.resolve({ outcome: 'failed', message: '', after: 0 })
      },
      mode: 'live',
      ready: () => true,
      startedAt: 0,
      build: { version: 'test' }
    },
    ...options
  }))
}

const TOPICS = [
  ['trade:BTC-USDT', false],
  ['trade:BTC-USDT@free', true],
  ['trade:BTC-USDT@closed', false],
  ['trade:ETH-USDT', true],
  ['trade:SOL-USDT', false],
  ['candle:SOL-USDT:1m', false],
  ['liquidity:SOL-USDT', false],
  ['change:BTC-USDT', false],
  ['arbitration:BTC-USDT:trade', false],
  ['news:all', false],
  ['news:ETH-USDT', false],
  ['account:all', false],
  ['position:all', false],
  ['status:BTC-USDT:trade', true],
  ['provider:closed', true]
] as const

async function granted(url: string, options: Parameters<typeof connect>[1] = {}, topics = TOPICS.map(([topic]) => topic)) {
  const client = await connect(url, options)
  client.send({ op: 'subscribe', topics, notices: false })
  const { results } = await client.message('subscribed')
  return { client, results, ok: results.map(({ ok }) => ok) }
}

describe('who is not the owner’s', () => {
  test('is refused each topic that a source may lead who forbids it, is told so, and where it comes from freely', async () => {
    const { url, plant } = await start()
    const { client, results } = await granted(url, asUser('bob'))
    expect(results.map((each) => [each.asked, each.ok])).toEqual(TOPICS)
    expect(results[0]).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/^closed forbids redistribution.*owner's users only/) as string,
      nearest: ['trade:BTC-USDT@free']
    })
    plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 8), 4)
    plant.publish('trade:ETH-USDT', tradeOf('ETH-USDT', 8), 4)
    const prices = await client.until(() => (client.events().length >= 2 ? client.events() : undefined))
    expect(new Set(prices.map(({ topic }) => topic))).toEqual(new Set(['trade:ETH-USDT']))
    client.ws.terminate()
  })

  test('gets nothing of it by REST, SSE or the REST of another protocol either', async () => {
    const { base } = await start()
    const ask = async (path: string) => {
      const answer = await fetch(`${base}${path}`, asUser('bob'))
      return [answer.status, await answer.text()] as const
    }
    for (const path of [
      '/v1/trades/SOL-USDT',
      '/v1/trades/BTC-USDT?provider=closed',
      '/v1/quotes/SOL-USDT',
      '/v1/candles/SOL-USDT',
      '/v1/trades?instrument=SOL-USDT',
      '/v1/candles?instrument=SOL-USDT&from=0&to=60000',
      '/v1/arbitration/BTC-USDT',
      '/v1/last?topics=trade:SOL-USDT',
      '/v1/news',
      '/v1/events?topics=trade:ETH-USDT,trade:SOL-USDT',
      '/own/candles',
      '/own/past'
    ]) {
      const [status, text] = await ask(path)
      expect([path, status]).toEqual([path, 403])
      expect(text).toContain('forbids redistribution')
    }
    expect(await ask('/own/last')).toEqual([200, '{"last":null}'])
    expect(await ask('/own/words')).toEqual([200, expect.stringMatching(/^\["closed forbids redistribution[^"]*",null\]$/)])
    expect((await ask('/v1/trades/ETH-USDT'))[0]).toBe(200)
  })

  test('a list that is not loaded yet may hold it', async () => {
    unlisted = ['closed']
    const { url } = await start()
    const { client, results } = await granted(url, asUser('bob'), ['trade:ETH-USDT'])
    expect(results).toMatchObject([{ ok: false, code: 'FORBIDDEN' }])
    client.ws.terminate()
  })

  test('is cut where the source begins to carry what he holds', async () => {
    let ahead = 0
    const { url } = await start({ clock: () => Date.now() + ahead })
    const { client, ok } = await granted(url, asUser('bob'), ['trade:ETH-USDT'])
    expect(ok).toEqual([true])
    unlisted = ['closed']
    ahead = 31_000
    expect(await client.closed()).toMatchObject({ code: 4503, reason: expect.stringMatching(/^closed forbids/) as string })
  })
})

test.for([
  ['behind a proxy', { proxies: ['127.0.0.1'] }],
  ['under a name of elsewhere', { origins: ['https://desk.example'] }],
  ['to pages of everywhere', { origins: ['*'] }]
] as const)('where no token is asked for, whoever comes %s is not the owner', async ([, options]) => {
  const { url, base } = await start({ auth: {}, ...options })
  const { client, ok } = await granted(url, {}, ['trade:SOL-USDT', 'trade:ETH-USDT'])
  expect(ok).toEqual([false, true])
  expect((await fetch(`${base}/v1/trades/SOL-USDT`)).status).toBe(403)
  client.ws.terminate()
})

describe('the owner’s', () => {
  test.for([
    ['a user whom the operator names', {}, asUser('ann')],
    ['all, where another agreement stands', { redistribution: { owner: [], allow: ['closed'] } }, asUser('bob')],
    ['all, of what is simulated', { redistribution: undefined }, asUser('bob')],
    ['whoever is on this machine, where no token is asked for', { auth: {} }, {}]
  ] as const)('%s', async ([, options, headers]) => {
    const { url, base } = await start(options)
    const { client, ok } = await granted(url, headers, ['trade:SOL-USDT', 'trade:BTC-USDT@closed', 'news:all'])
    expect(ok).toEqual([true, true, true])
    expect((await fetch(`${base}/v1/trades/SOL-USDT`, headers)).status).toBe(200)
    const words = await fetch(`${base}/own/words`, headers)
    expect(await words.json()).toEqual([null, null])
    client.ws.terminate()
  })

  test('a token that comes by the first message counts from then on', async () => {
    const { url } = await start()
    const client = await connect(url)
    client.send({ op: 'auth', token: hs256(claimsAt(Date.now())) })
    client.send({ op: 'subscribe', topics: ['trade:SOL-USDT'] })
    expect((await client.message('subscribed')).results).toMatchObject([{ ok: true }])
    client.ws.terminate()
  })
})

test('/v1/providers says to whom each goes', async () => {
  const { base } = await start()
  const { providers } = (await (await fetch(`${base}/v1/providers`, asUser('bob'))).json()) as { providers: ProviderInfo[] }
  expect(providers.map(({ provider: name, audience }) => [name, audience])).toEqual([
    ['free', 'all'],
    ['closed', 'owner']
  ])
})
