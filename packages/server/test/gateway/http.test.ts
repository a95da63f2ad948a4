import { mkdtempSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ERRORS, type Arbitration, type ProviderStatus } from '@tickwire/protocol'
import { dialect } from '../../src/dialects/dialect.ts'
import type { RestSources } from '../../src/gateway/gateway.ts'
import { connect, startRig, tradeOf, type Rig, type RigOptions } from './rig.ts'

let rig: Rig | undefined
const start = async (options?: RigOptions) => (rig = await startRig(options))
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

const provider: ProviderStatus = {
  type: 'provider',
  provider: 'one',
  instrument: '',
  time: 1,
  received: 1,
  phase: 'waiting',
  since: 1,
  reason: 'refused',
  connections: 0,
  subscriptions: 0,
  rate: 41.74999,
  frames: 0,
  events: 0,
  refused: { 'not JSON': 2 },
  reconnects: 3,
  gaps: 0,
  simulated: true
}
const inputs = { freshness: 1, latency: 0.9, uptime: 1, completeness: 1, reliability: 0.95 }
const decisionOf = (instrument: string): Arbitration => ({
  type: 'arbitration',
  provider: 'one',
  instrument,
  time: 1,
  received: 1,
  kind: 'trade',
  leader: 'one',
  since: 1,
  standbys: [],
  sentence: 'one leads trade of it: it spoke first.',
  sources: [
    {
      provider: 'one',
      role: 'leader',
      liveness: 'live',
      score: 0.97,
      inputs,
      price: 100,
      age: 5,
      weight: 1,
      reason: 'used: nobody else speaks'
    }
  ],
  consensus: { price: 100, toleranceBps: 10, used: 1, sources: 1, at: 1 },
  switches: 0
})
const calibrationOf = (provider: string) => ({
  provider,
  class: 'trade',
  bps: 10,
  horizon: 2_000,
  count: 10,
  mean: 0.9,
  hits: 0.8,
  brier: 0.1,
  ece: 0.1,
  bins: [{ from: 0.9, to: 1, count: 10, mean: 0.9, hits: 0.8 }]
})

const sources = (ready: boolean): RestSources => ({
  providers: () => [{ ...provider, phase: ready ? 'live' : 'waiting' }],
  hops: () => [],
  moving: () => ['BTC-USDT', 'ETH-USDT'],
  groups: () => ['all', 'crypto'],
  candles: (instrument, interval, limit) =>
    Promise.resolve({
      candles: Array.from({ length: limit }, (_, i) => ({
        type: 'candle',
        provider: 'one',
        instrument,
        time: i,
        received: i,
        interval,
        start: i,
        open: 1,
        high: 1,
        low: 1,
        close: 1,
        volume: 1,
        closed: true,
        revision: 0
      }))
    }),
  watched: () => ['SOL-USDT', 'BTC-USDT'],
  standing: {
    books: () => [],
    resync: () => Promise.resolve({ outcome: 'failed', message: '', after: 0 }),
    reconnect: () => Promise.resolve({ outcome: 'failed', message: '', after: 0 })
  },
  confidence: () => ({ reliability: { one: 0.98, two: 0.9 }, calibrations: ['one', 'two'].map(calibrationOf) }),
  arbitration: (instrument) => [decisionOf(instrument)],
  gaps: () => [],
  mode: 'demo',
  ready: () => ready,
  startedAt: Date.now(),
  build: { version: '9.9.9' }
})

test.for([
  ['/v1/quotes/NOPE', 'BAD_SYMBOL'],
  ['/v1/instruments/NOPE', 'BAD_SYMBOL'],
  ['/v1/quotes/BTC-USDT?provider=nobody', 'BAD_PROVIDER'],
  ['/v1/trades/BTC-USDT?limit=0', 'BAD_MESSAGE'],
  ['/v1/book/BTC-USDT?depth=x', 'BAD_MESSAGE'],
  ['/v1/candles/BTC-USDT?interval=7m', 'BAD_MESSAGE'],
  ['/v1/last', 'BAD_MESSAGE'],
  ['/v1/last?topics=nonsense', 'BAD_TOPIC'],
  ['/v1/events?topics=nonsense', 'BAD_TOPIC'],
  ['/v1/events?topics=', 'BAD_TOPIC'],
  ['/v1/nothing', 'NOT_FOUND'],
  ['/%ff', 'BAD_MESSAGE']
] as const)('[S13] GET %s is answered with %s and its status, never with 500', async ([path, code]) => {
  const { base } = await start()
  const answer = await fetch(`${base}${path}`)
  const body = (await answer.json()) as { error: { code: string; retry: boolean } }
  expect(body.error).toMatchObject({ code, retry: ERRORS[code].retry })
  expect(answer.status).toBe(ERRORS[code].status)
})

test.for([
  ['/v1/book/BTC-USDT?depth=x', 'depth: must be a whole number from 1 to 1000, not "x"'],
  ['/v1/trades/BTC-USDT?limit=1.5', 'limit: must be a whole number from 1 to 1000, not "1.5"'],
  ['/v1/trades/BTC-USDT?limit=', 'limit: must be a whole number from 1 to 1000, not ""'],
  ['/v1/candles/BTC-USDT?limit=2000', 'limit: must be a whole number from 1 to 1500, not "2000"'],
  ['/v1/candles/BTC-USDT?interval=7m', 'interval: must be one of 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, not "7m"'],
  ['/v1/candles/BTC-USDT?session=night', 'session: must be one of regular, extended, all, not "night"'],
  ['/v1/last', 'topics: must be topics joined by commas, as in trade:BTC-USDT,candle:BTC-USDT:1m, and is missing'],
  ['/v1/events?topics=a&topics=b', 'topics: must be topics joined by commas, as in trade:BTC-USDT,quote:BTC-USDT, not ["a","b"]'],
  ['/v1/quotes/BTC-USDT?provider=a&provider=b', 'provider: must be given once, not ["a","b"]'],
  ['/v1/quotes/BTC-USDT?provider=nobody', '"nobody" does not carry BTC-USDT; it comes from one'],
  ['/v1/quotes/BTC-USDT?provider=__proto__', '"__proto__" does not carry BTC-USDT; it comes from one']
] as const)('[S13] GET %s is answered with the field, what would be right, and what it was', async ([path, message]) => {
  const { base } = await start()
  expect(await (await fetch(`${base}${path}`)).json()).toMatchObject({ error: { message } })
})

test('[S13] a wrong method is answered with 405 and the right ones', async () => {
  const { base } = await start()
  for (const path of ['/health', '/v1/quotes/BTC-USDT']) {
    const answer = await fetch(`${base}${path}`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toContain('GET')
    expect(await answer.json()).toMatchObject({ error: { code: 'BAD_METHOD' } })
  }
})

test('of candles that are short of what is asked it is said why, and of none that none is known', async () => {
  const why = 'one: HTTP 503'
  const { candles } = await sources(true).candles('BTC-USDT', '1m', 2)
  const known: Record<string, typeof candles> = { 'BTC-USDT': candles, 'ETH-USDT': [] }
  const { base } = await start({
    rest: { ...sources(true), candles: (instrument) => Promise.resolve({ candles: known[instrument]!, why }) }
  })
  const read = async (path: string) => (await fetch(`${base}/v1/candles/${path}`)).json()
  expect(await read('BTC-USDT?limit=3')).toMatchObject({ candles: [{}, {}], missing: `the past before these: ${why}` })
  expect(await read('BTC-USDT?limit=2')).not.toHaveProperty('missing')
  expect(await read('ETH-USDT')).toMatchObject({ candles: [], missing: `no candle is known: ${why}` })
})

test('last values, trades and candles are what the plant and the sources hold', async () => {
  const { base, plant } = await start({ rest: sources(true) })
  for (let n = 1; n <= 5; n++) plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', n), Date.now())
  const read = async (path: string) => (await fetch(`${base}${path}`)).json()
  expect(await read('/v1/trades/btcusdt?limit=2')).toMatchObject({ instrument: 'BTC-USDT', trades: [{ price: 4 }, { price: 5 }] })
  expect(await read('/v1/last?topics=trade:BTC-USDT')).toMatchObject({ last: { 'trade:BTC-USDT': { seq: 5 } } })
  expect(await read('/v1/candles/BTC-USDT?interval=5m&limit=3')).toMatchObject({ interval: '5m', candles: [{}, {}, {}] })
  expect(await read('/v1/instruments?q=eth')).toMatchObject({ total: 1, instruments: [{ instrument: 'ETH-USDT' }] })
  expect(await read('/v1/watched')).toEqual({ instruments: ['SOL-USDT', 'BTC-USDT'] })
  expect(await read('/v1/providers')).toMatchObject({ providers: [{ provider: 'one', phase: 'live', rate: 41.7 }] })
})

test('what came true of our confidence is told of all providers, or of those asked for', async () => {
  const { base } = await start({ rest: sources(true) })
  const read = async (query: string) => (await fetch(`${base}/v1/confidence${query}`)).json()
  expect(await read('')).toMatchObject({
    reliability: { one: 0.98, two: 0.9 },
    calibrations: [{ provider: 'one' }, { provider: 'two' }]
  })
  expect(await read('?provider=two&class=trade')).toEqual({ reliability: { two: 0.9 }, calibrations: [calibrationOf('two')] })
  expect(await read('?class=quote')).toMatchObject({ calibrations: [] })
  expect((await fetch(`${base}/v1/confidence?class=candle`)).status).toBe(400)
  expect((await fetch(`${base}/v1/confidence?provider=tow`)).status).toBe(404)
  expect(await read('?provider=tow')).toMatchObject({ error: { code: 'BAD_PROVIDER', nearest: ['two', 'one'] } })
})

test('a first read of a topic asks for it upstream and waits for its first value', async () => {
  const { base, plant, demanded } = await start()
  const answer = fetch(`${base}/v1/trades/ETH-USDT`)
  await expect.poll(() => demanded.get('trade:ETH-USDT')).toBe(1)
  plant.publish('trade:ETH-USDT', tradeOf('ETH-USDT', 7), Date.now())
  expect(await (await answer).json()).toMatchObject({ trades: [{ price: 7 }] })
})

test('/ready is 503 until a provider is live, while /health stays 200 and says degraded', async () => {
  const { base } = await start({ rest: sources(false) })
  expect((await fetch(`${base}/ready`)).status).toBe(503)
  const health = await fetch(`${base}/health`)
  expect(health.status).toBe(200)
  expect(await health.json()).toMatchObject({
    status: 'degraded',
    version: '9.9.9',
    providers: { total: 1, live: 0, phases: { one: 'waiting' } }
  })
})

test('where nothing can be recorded for want of room /health stays 200 and ok, and says so; a scrape too', async () => {
  const full = { state: 'full', reason: 'there is no room in /data', what: ['events'], since: 0 } as const
  const status = () => ({ ...full, bytes: 9, events: 1, frames: 0, lost: 7 })
  const { base } = await start({ rest: { ...sources(true), recording: { status, runs: () => [], logLost: () => 0 } } })
  const health = await fetch(`${base}/health`)
  const recording = { state: 'full', reason: 'there is no room in /data', lost: 7 }
  expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok', recording }])
  const scraped = await (await fetch(`${base}/metrics`)).text()
  expect(scraped).toMatch(/^tickwire_recording_state\{state="full"\} 1$/m)
  expect(scraped).toMatch(/^tickwire_recording_state\{state="recording"\} 0$/m)
  expect(scraped).toMatch(/^tickwire_recording_lost_total 7$/m)
})

test('where a capture is played /health says which, and how fast', async () => {
  const { base } = await start({ rest: { ...sources(true), mode: 'capture', playing: { capture: 'one', speed: 4 } } })
  expect(await (await fetch(`${base}/health`)).json()).toMatchObject({ mode: 'capture', playing: { capture: 'one', speed: 4 } })
})

test('/metrics and /ws/status count connections, deliveries and providers', async () => {
  const { base, url, plant } = await start({ rest: sources(true) })
  const client = await connect(url)
  client.send({ op: 'subscribe', topics: ['trade:BTC-USDT'], notices: false })
  await client.message('subscribed')
  plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), Date.now())
  await client.until(() => client.events().length === 1)
  const metrics = await (await fetch(`${base}/metrics`)).text()
  for (const line of [
    'tickwire_connections{dialect="native"} 1',
    'tickwire_updates_delivered_total 1',
    'tickwire_events_published_total 1',
    'tickwire_provider_phase{provider="one",phase="live"} 1',
    'tickwire_provider_refused_frames_total{provider="one",reason="not JSON"} 2',
    'tickwire_published_to_flushed_seconds_count 1'
  ])
    expect(metrics.split('\n')).toContain(line)
  expect(await (await fetch(`${base}/ws/status`)).json()).toMatchObject({
    total_connections: 1,
    per_channel: { native: { connections: 1, subscribers: 1 }, sse: { connections: 0 } }
  })
  client.ws.terminate()
})

test('the arbiter’s decisions of an instrument are told, whatever spelling is asked for', async () => {
  const { base } = await start({ rest: sources(true) })
  const answer = await (await fetch(`${base}/v1/arbitration/btcusdt`)).json()
  expect(answer).toEqual({ instrument: 'BTC-USDT', decisions: [decisionOf('BTC-USDT')] })
  expect((await fetch(`${base}/v1/arbitration/nothing`)).status).toBe(404)
})

test('the OpenAPI document is 3.1 and names every path', async () => {
  const { base } = await start()
  const document = (await (await fetch(`${base}/docs/json`)).json()) as { openapi: string; paths: Record<string, unknown> }
  expect(document.openapi).toBe('3.1.0')
  for (const path of [
    '/v1/instruments',
    '/v1/instruments/{instrument}',
    '/v1/last',
    '/v1/quotes/{instrument}',
    '/v1/tickers/{instrument}',
    '/v1/trades/{instrument}',
    '/v1/book/{instrument}',
    '/v1/candles/{instrument}',
    '/v1/watched',
    '/v1/providers',
    '/v1/confidence',
    '/v1/arbitration/{instrument}',
    '/v1/news',
    '/v1/events',
    '/health',
    '/ready',
    '/metrics',
    '/ws/status'
  ])
    expect(Object.keys(document.paths)).toContain(path)
  expect((await fetch(`${base}/docs`)).status).toBe(200)
})

test('the last stories are read by REST, of all or of one instrument, oldest first', async () => {
  const { base, plant } = await start()
  const story = { type: 'news', provider: 'p', instrument: 'all', time: 1, received: 1, headline: 'h', instruments: [] } as const
  for (const id of ['1', '2', '3']) plant.publish('news:all', { ...story, id }, 1)
  plant.publish('news:BTC-USDT', { ...story, id: '3' }, 1)
  const ids = async (query: string) => {
    const { news } = (await (await fetch(`${base}/v1/news${query}`)).json()) as { news: { id: string }[] }
    return news.map(({ id }) => id)
  }
  expect(await ids('')).toEqual(['1', '2', '3'])
  expect(await ids('?limit=2')).toEqual(['2', '3'])
  expect(await ids('?instrument=btcusdt')).toEqual(['3'])
  expect((await fetch(`${base}/v1/news?instrument=NOPE`)).status).toBe(404)
})

test('the page is asked for each time, its hashed files are kept, and a deep link gets the page', async () => {
  const page = mkdtempSync(join(tmpdir(), 'page-'))
  mkdirSync(join(page, 'assets'))
  writeFileSync(join(page, 'index.html'), '<title>x</title>')
  writeFileSync(join(page, 'assets', 'a-1.js'), '1')
  const { base } = await start({ page })
  const html = { headers: { accept: 'text/html' } }
  for (const path of ['/', '/instrument/BTC-USDT']) {
    const answer = await fetch(`${base}${path}`, html)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('<title>x</title>')
    expect(answer.headers.get('cache-control')).toBe('no-cache')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'")
  }
  expect((await fetch(`${base}/assets/a-1.js`)).headers.get('cache-control')).toContain('immutable')
  expect((await fetch(`${base}/v1/nothing`, html)).status).toBe(404)
  expect((await fetch(`${base}/..%2f..%2fetc%2fpasswd`)).status).toBeGreaterThanOrEqual(400)
})

test("a dialect's own routes are served, and may be tampered with", async () => {
  const own = dialect<undefined>({
    name: 'own',
    paths: [],
    maxMessage: 1,
    open: () => ({ memory: undefined, commands: [] }),
    receive: () => [],
    render: () => undefined,
    http: [
      { route: 'GET /own/*', answer: ({ path, query }) => ({ status: 201, body: { path, query }, headers: { 'x-own': '1' } }) }
    ]
  })
  let limited = false
  const tamper = () => (limited ? { status: 429, body: { slow: true }, headers: { 'retry-after': '1' } } : undefined)
  const { base } = await start({ dialect: own, tamper })
  const answer = await fetch(`${base}/own/x?y=1`)
  expect([answer.status, answer.headers.get('x-own'), await answer.json()]).toEqual([
    201,
    '1',
    { path: '/own/x', query: { y: '1' } }
  ])
  limited = true
  expect((await fetch(`${base}/own/x`)).status).toBe(429)
  const { paths } = (await (await fetch(`${base}/docs/json`)).json()) as { paths: Record<string, { get: { tags: string[] } }> }
  expect(
    Object.entries(paths)
      .filter(([path]) => path.startsWith('/own/'))
      .map(([, { get }]) => get.tags)
  ).toEqual([['own']])
})

test('last values of known topics are given although others are unknown, and those are named with the nearest', async () => {
  const { base, plant } = await start()
  plant.publish('trade:BTC-USDT', tradeOf('BTC-USDT', 1), Date.now())
  const answer = await fetch(`${base}/v1/last?topics=trade:BTCC-USDT,trade:btcusdt,nonsense,quote:BTC-USDT@two`)
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({
    last: { 'trade:BTC-USDT': expect.objectContaining({ seq: 1 }) },
    cursor: expect.any(String),
    errors: [
      { topic: 'trade:BTCC-USDT', code: 'BAD_SYMBOL', message: expect.stringContaining('BTC-USDT'), nearest: ['BTC-USDT'] },
      { topic: 'nonsense', code: 'BAD_TOPIC', message: expect.stringContaining('kind:instrument'), nearest: [] },
      { topic: 'quote:BTC-USDT@two', code: 'BAD_PROVIDER', message: expect.stringContaining('one'), nearest: ['one'] }
    ]
  })
  const none = await fetch(`${base}/v1/last?topics=trade:BTCC-USDT,trade:NOPE`)
  expect(none.status).toBe(404)
  expect(await none.json()).toMatchObject({ error: { code: 'BAD_SYMBOL', nearest: ['BTC-USDT'] } })
})

test('REST and SSE may be read by the pages that may open a WebSocket: on loopback, and those listed', async () => {
  const { base } = await start({ origins: ['https://friend.example'] })
  for (const path of ['/v1/instruments', '/v1/events?topics=trade:BTC-USDT']) {
    const allowed = async (origin: string) => {
      const hangUp = new AbortController()
      const { headers } = await fetch(`${base}${path}`, { headers: { origin }, signal: hangUp.signal })
      hangUp.abort()
      expect(headers.get('vary')).toBe('Origin')
      return headers.get('access-control-allow-origin')
    }
    for (const origin of ['https://friend.example', 'http://localhost:5173', 'http://127.0.0.1:8000', 'http://[::1]:9'])
      expect(await allowed(origin)).toBe(origin)
    for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'http://127.0.0.1.evil.example', 'null'])
      expect(await allowed(origin)).toBeNull()
  }
})

test('a page on loopback may ask with a token: its preflight is answered, that of a foreign page is not', async () => {
  const { base } = await start()
  const preflight = (origin: string) =>
    fetch(`${base}/v1/instruments`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }
    })
  const answer = await preflight('http://localhost:5173')
  expect(answer.status).toBe(204)
  expect(answer.headers.get('access-control-allow-headers')).toContain('authorization')
  expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
})

test('a foreign page may read the answers only when its origin is listed', async () => {
  const { base } = await start({ origins: ['https://friend.example'] })
  const from = async (origin: string) =>
    (await fetch(`${base}/health`, { headers: { origin } })).headers.get('access-control-allow-origin')
  expect(await from('https://friend.example')).toBe('https://friend.example')
  expect(await from('https://friend.example.evil')).toBeNull()
})
