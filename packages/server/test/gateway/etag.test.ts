import type { MarketEvent } from '@tickwire/protocol'
import { afterEach, expect, test } from 'vitest'
import { dialect } from '../../src/dialects/dialect.ts'
import { isHeld } from '../../src/gateway/etag.ts'
import { startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
const start = async (options?: RigOptions) => (rig = await startRig(options))
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

/** A dialect's REST, as those of the systems we stand in for. */
let told = 1
const own = dialect<undefined>({
  name: 'own',
  paths: [],
  maxMessage: 1,
  open: () => ({ memory: undefined, commands: [] }),
  receive: () => [],
  render: () => undefined,
  http: [
    { route: 'GET /own', answer: () => ({ status: 200, body: { told } }) },
    { route: 'POST /own', answer: () => ({ status: 200, body: { told } }) }
  ]
})

const ask = async ({ base }: Rig, path: string, held?: string, method = 'GET') => {
  const answer = await fetch(base + path, { method, headers: held === undefined ? {} : { 'if-none-match': held } })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

test.for([
  '/v1/last?topics=trade:BTC-USDT',
  '/v1/trades/BTC-USDT',
  '/v1/trades/btcusdt?limit=1',
  '/v1/instruments',
  '/v1/instruments/BTC-USDT',
  '/v1/watched',
  '/v1/providers',
  '/v1/candles/BTC-USDT',
  '/v1/changes',
  '/v1/breadth',
  '/v1/books',
  '/v1/news',
  '/v1/confidence',
  '/v1/arbitration/BTC-USDT',
  '/v1/gaps/BTC-USDT',
  '/v1/latency',
  '/own'
])('[S1-40] GET %s has an ETag, and whoever has that answer gets 304 without a body', async (path) => {
  const running = await start({ dialect: own })
  running.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), 1)
  const first = await ask(running, path)
  const tag = first.headers.get('etag')!
  expect([first.status, first.headers.get('cache-control'), tag]).toEqual([
    200,
    'no-cache',
    expect.stringMatching(/^(W\/)?"[^"]+"$/)
  ])
  for (const held of [tag, `"other", ${tag}`, `W/${tag.replace('W/', '')}`, '*']) {
    const second = await ask(running, path, held)
    expect([second.status, second.text, second.headers.get('etag')]).toEqual([304, '', tag])
    expect(second.headers.get('content-type')).toBeNull()
    expect(second.headers.get('vary')).toBe('Origin')
    expect(second.headers.get('cache-control')).toBe('no-cache')
  }
  for (const held of ['"other"', 'junk', '', tag.slice(0, -2)]) expect((await ask(running, path, held)).status).toBe(200)
})

test.for(['/v1/trades/BTC-USDT', '/v1/last?topics=trade:BTC-USDT,quote:ETH-USDT', '/v1/last?topics=trade:BTC-USDT,trade:NOPE'])(
  '[S1-40] with the next trade the ETag of %s is another, and so it is in another life of the server',
  { timeout: 90_000 },
  async (path) => {
    const running = await start()
    const publish = () => running.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), 1)
    publish()
    const first = (await ask(running, path)).headers.get('etag')!
    expect((await ask(running, path, first)).status).toBe(304)
    publish()
    // From here on nobody waits for the first quote.
    running.plant.publish('quote:ETH-USDT', quoteAt(10), 1)
    const second = await ask(running, path, first)
    expect(second.status).toBe(200)
    expect(second.headers.get('etag')).not.toBe(first)
    await running.gateway.close(0)
    const later = await start({ epoch: 'e2' })
    later.plant.publish('quote:ETH-USDT', quoteAt(10), 1)
    for (const n of [1, 2]) later.plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', n), 1)
    expect((await ask(later, path, second.headers.get('etag')!)).status).toBe(200)
  }
)

const stamp = { provider: 'one', instrument: 'BTC-USDT', time: 1, received: 1 } as const
const quoteAt = (bid: number): MarketEvent => ({ type: 'quote', ...stamp, bid, bidSize: 1, ask: bid + 1, askSize: 1 })
const tickerAt = (last: number): MarketEvent => ({ type: 'ticker', ...stamp, last })
const bookAt = (bid: number): MarketEvent => ({ type: 'book', ...stamp, bids: [[bid, 1]], asks: [[bid + 1, 1]] })

test.for([
  ['/v1/quotes/BTC-USDT', 'quote:BTC-USDT', quoteAt],
  ['/v1/tickers/BTC-USDT', 'ticker:BTC-USDT', tickerAt],
  ['/v1/book/BTC-USDT', 'book:BTC-USDT', bookAt],
  ['/v1/book/BTC-USDT?depth=1', 'book:BTC-USDT', bookAt],
  ['/v1/last?topics=quote:BTC-USDT,book:BTC-USDT', 'book:BTC-USDT', bookAt]
] as const)('[S1-40] %s is 304 while nothing came, and 200 with the new values after', async ([path, topic, eventAt]) => {
  const running = await start()
  // Both are there, so that nobody waits for the first.
  running.plant.publish('quote:BTC-USDT', quoteAt(10), 1)
  running.plant.publish(topic, eventAt(10), 1)
  let held: string | undefined
  for (const value of [10, 20, 30]) {
    if (value > 10) running.plant.publish(topic, eventAt(value), 1)
    const fresh = await ask(running, path, held)
    expect([fresh.status, fresh.text.includes(String(value))]).toEqual([200, true])
    expect(fresh.headers.get('etag')).not.toBe(held)
    held = fresh.headers.get('etag')!
    for (let n = 0; n < 3; n++) expect(await ask(running, path, held)).toMatchObject({ status: 304, text: '' })
    // What comes of another instrument is no news of this one.
    running.plant.publish('trade:ETH-USDT', tradeOf('ETH-USDT', value), 1)
    expect((await ask(running, path, held)).status).toBe(304)
  }
})

test('an error, a command and what watches over us are never kept', async () => {
  const running = await start({ dialect: own })
  for (const [path, method] of [
    ['/v1/quotes/NOPE', 'GET'],
    ['/v1/nothing', 'GET'],
    ['/own', 'POST'],
    ['/health', 'GET'],
    ['/ready', 'GET'],
    ['/ws/status', 'GET'],
    ['/metrics', 'GET']
  ] as const) {
    const { headers, status } = await ask(running, path, '*', method)
    expect([path, headers.get('etag'), headers.get('cache-control')]).toEqual([path, null, 'no-store'])
    expect(status).not.toBe(304)
  }
})

test('a dialect’s answer is tagged by what it says', async () => {
  const running = await start({ dialect: own })
  const tag = (await ask(running, '/own')).headers.get('etag')!
  told++
  expect((await ask(running, '/own', tag)).status).toBe(200)
  told--
  expect((await ask(running, '/own', tag)).status).toBe(304)
})

test('a page of another origin may read the ETag', async () => {
  const running = await start({ origins: ['https://friend.example'] })
  const { headers } = await fetch(`${running.base}/v1/instruments`, { headers: { origin: 'https://friend.example' } })
  expect(headers.get('access-control-expose-headers')).toContain('ETag')
  const preflight = await fetch(`${running.base}/v1/instruments`, {
    method: 'OPTIONS',
    headers: { origin: 'https://friend.example', 'access-control-request-method': 'GET' }
  })
  expect(preflight.headers.get('access-control-allow-headers')).toContain('if-none-match')
})

test.for([
  [undefined, '"a"', false],
  ['"a"', '"a"', true],
  ['W/"a"', '"a"', true],
  ['"a"', 'W/"a"', true],
  ['"b" , W/"a"', '"a"', true],
  ['*', '"a"', true],
  ['a', '"a"', false],
  ['"ab"', '"a"', false],
  ['"', '"a"', false]
] as const)('If-None-Match %s holds %s: %s', ([held, tag, expected]) => {
  expect(isHeld(held, tag)).toBe(expected)
})
