/** The endpoints of S0 and S1 on a real port, walked line by line; a line whose service is not there yet is none of these. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { candleOf, quoteOf, tickerOf, tradeOf, type Message } from './fiml.bench.ts'
import { newsOf, pastOf, start as startGateway, type StartOptions } from './ziggy.bench.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
async function start(options: StartOptions = {}) {
  const rig = await startGateway(options)
  undo.push(rig.stop)
  return rig
}
const eventually = (look: () => unknown) => expect.poll(look, { timeout: 30_000, interval: 5 })
const get = async (url: string, init?: RequestInit): Promise<{ status: number; body: Message }> => {
  const response = await fetch(url, init)
  return { status: response.status, body: await response.json() }
}

const PATHS = ['/ws/market', '/ws/news', '/ws/alerts', '/ws/signals', '/ws/portfolio', '/ws/charts']

describe('/ws/market', () => {
  test('[S0-01] quotes of several symbols stream live on one connection, each with its data points', async () => {
    const { open, say } = await start()
    const { send, message, of } = await open('/ws/market')
    send({ action: 'subscribe', symbols: ['AAPL', 'TSLA'], timestamp: Date.now() / 1_000 })
    expect(await message('subscription_ack')).toMatchObject({ symbols: ['AAPL', 'TSLA'], status: 'subscribed' })
    say(
      quoteOf('AAPL', 9, 11),
      tickerOf('AAPL', 10, { high: 12, low: 8, volume: 5, change: 1 }),
      tradeOf('AAPL', 10),
      tradeOf('TSLA', 20)
    )
    await eventually(() => new Set(of('quote_update').map(({ data }) => data.symbol)).size).toBe(2)
    expect(of('quote_update').find(({ symbol }) => symbol === 'AAPL').data).toMatchObject({
      price: 10,
      bid: 9,
      ask: 11,
      day_high: 12,
      day_low: 8
    })
    say(tradeOf('AAPL', 11, 2))
    await eventually(() => of('quote_update').at(-1)?.data.price).toBe(11)
    expect(of('quote_update').at(-1).timestamp).toBeCloseTo(Date.now() / 1_000, -1)
  })

  test('[S0-03] a client that says nothing is streamed the watchlist', async () => {
    const { open, say } = await start({ watchlistAfter: 50 })
    const { message, of } = await open('/ws/market')
    expect(await message('subscription_ack')).toMatchObject({ symbols: ['AAPL', 'MSFT', 'GOOGL', 'TSLA', 'NVDA', 'SPY'] })
    say(tradeOf('SPY', 5))
    await eventually(() => of('quote_update').map(({ symbol }) => symbol)).toEqual(['SPY'])
  })

  test('[S1-10] the first subscription of anybody asks for the data upstream, and the last that goes lets it go', async () => {
    const { open, demanded } = await start()
    const [one, other] = [await open('/ws/market'), await open('/ws/market')]
    expect(demanded.get('trade:AAPL')).toBeUndefined()
    for (const { send, message } of [one, other]) {
      send({ action: 'subscribe', symbols: ['AAPL'] })
      await message('subscription_ack')
    }
    expect(demanded.get('trade:AAPL')).toBe(2)
    one.send({ action: 'unsubscribe', symbols: ['AAPL'] })
    await one.message('subscription_ack', 1)
    expect(demanded.get('trade:AAPL')).toBe(1)
    other.ws.close()
    await eventually(() => demanded.get('trade:AAPL')).toBe(0)
  })

  test('[S0-02] an unsubscribe of one client is none of another, and each hears only its own symbols', async () => {
    const { open, say } = await start()
    const [one, other] = [await open('/ws/market'), await open('/ws/market')]
    one.send({ action: 'subscribe', symbols: ['AAPL', 'TSLA'] })
    other.send({ action: 'subscribe', symbols: ['AAPL'] })
    await Promise.all([one.message('subscription_ack'), other.message('subscription_ack')])
    one.send({ action: 'unsubscribe', symbols: ['AAPL'] })
    await one.message('subscription_ack', 1)
    say(tradeOf('AAPL', 1), tradeOf('TSLA', 2))
    await Promise.all([one.message('quote_update'), other.message('quote_update')])
    expect(one.of('quote_update').map(({ symbol }) => symbol)).toEqual(['TSLA'])
    expect(other.of('quote_update').map(({ symbol }) => symbol)).toEqual(['AAPL'])
  })

  test('[S0-04] errors of a client end nothing, and all that it held is given back when it goes', async () => {
    const { open, say, plant, gateway } = await start()
    const { ws, send, message } = await open('/ws/market')
    for (const wrong of ['{', { action: 'dance' }, { action: 'subscribe', symbols: 7 }]) send(wrong)
    expect((await message('error', 2)).code).toBe('INVALID_MESSAGE')
    send({ action: 'subscribe', symbols: ['AAPL'] })
    await message('subscription_ack')
    say(tradeOf('AAPL', 1))
    await message('quote_update')
    ws.terminate()
    await eventually(() => gateway.connections().length).toBe(0)
    expect(['trade:AAPL', 'quote:AAPL', 'status:AAPL:trade'].map((topic) => plant.listeners(topic))).toEqual([0, 0, 0])
  })

  test('a client that sends only rubbish is closed with 4500', async () => {
    const { open } = await start()
    const { send, closed } = await open('/ws/market')
    for (let i = 0; i < 100; i++) send('rubbish')
    await eventually(closed).toBe(4500)
  })
})

describe('/ws/news', () => {
  test('[S0-05] [S0-06] [S0-07] stories stream live through the filters of each connection, which change while connected', async () => {
    const { open, tell } = await start()
    const [all, some] = [await open('/ws/news'), await open('/ws/news')]
    some.send({ action: 'set_filters', filters: { sentiment: 'positive', symbols: ['AAPL'] } })
    expect(await some.message('filters_set')).toMatchObject({ filters: { sentiment: 'positive', symbols: ['AAPL'] } })
    await eventually(() => tell(newsOf('0', 'first')) && all.of('news_update').length).toBeGreaterThan(0)
    tell(newsOf('1', 'Apple soars', { instruments: ['AAPL'], sentiment: 0.9 }))
    tell(newsOf('2', 'Apple sinks', { instruments: ['AAPL'], sentiment: -0.9 }))
    await eventually(() => all.of('news_update').map(({ data }) => data.id)).toEqual(expect.arrayContaining(['1', '2']))
    expect(some.of('news_update').map(({ data }) => data.id)).toEqual(['1'])
    some.send({ action: 'set_filters', filters: {} })
    await some.message('filters_set', 1)
    tell(newsOf('3', 'anything'))
    await eventually(() => some.of('news_update').map(({ data }) => data.id)).toEqual(['1', '3'])
  })
})

describe('/ws/charts', () => {
  test('[S1-01] [S1-02] [S1-03] a subscription is acknowledged, begins with a hundred bars, and streams the candles as they form', async () => {
    const { open, say } = await start({ past: (instrument) => pastOf(instrument, 300) })
    const { send, message, of } = await open('/ws/charts')
    send({ type: 'subscribe', symbols: ['AAPL'], timeframe: '1m' })
    expect(await message('subscription_ack')).toMatchObject({ symbols: ['AAPL'], timeframe: '1m', status: 'subscribed' })
    const { data } = await message('chart_snapshot')
    expect(data.candlesticks).toHaveLength(100)
    expect(data.indicators.map(({ name }: Message) => name)).toEqual([
      'SMA_20',
      'SMA_50',
      'RSI_14',
      'MACD',
      'MACD_Signal',
      'MACD_Histogram'
    ])
    say(candleOf('AAPL', 300 * 60_000, 7))
    await message('chart_update')
    expect(of('chart_update')[0].data.candlesticks).toMatchObject([{ timestamp: 18_000, close: 7, is_closed: false }])
  })
})

describe('every channel', () => {
  test('[S1-65] a connection to each of them is established and answers', async () => {
    const { open } = await start()
    for (const path of PATHS) {
      const { send, message } = await open(path)
      send({ action: 'ping', ts: 1.5 })
      expect(await message('pong')).toMatchObject({ ts: 1.5 })
    }
  })

  test('[S0-10] a test alert comes back on /ws/alerts', async () => {
    const { open } = await start()
    const { send, message } = await open('/ws/alerts')
    send({ action: 'test_alert', symbols: ['AAPL'] })
    expect(await message('alert_triggered')).toMatchObject({ data: { symbol: 'AAPL', test: true } })
  })

  test('[S1-34] [S1-35] one that stops answering the heartbeat is closed and forgotten', async () => {
    const { open, gateway } = await start({ heartbeat: { every: 100, timeout: 200 } })
    const { send, message, closed } = await open('/ws/alerts')
    await message('ping')
    send({ type: 'pong' })
    await eventually(closed).toBe(4002)
    await eventually(() => gateway.connections().length).toBe(0)
  })
})

describe('where keys are configured', () => {
  const keys = [createHash('sha256').update('key').digest('hex')]

  test('a first message may bring one: nothing is given before it, and all after it', async () => {
    const { open, say } = await start({ keys })
    const { send, message } = await open('/ws/market')
    send({ action: 'subscribe', symbols: ['AAPL'] })
    expect(await message('error')).toMatchObject({ code: 'NOT_PERMITTED', data: { symbols: ['AAPL'] } })
    send({ action: 'auth', token: 'key' })
    await message('authenticated')
    send({ action: 'subscribe', symbols: ['AAPL'] })
    await message('subscription_ack')
    say(tradeOf('AAPL', 5))
    expect(await message('quote_update')).toMatchObject({ data: { price: 5 } })
  })

  test('a wrong one ends the connection with 4501, and REST says 401 but for whether the server is well', async () => {
    const { open, base } = await start({ keys })
    const { send, message, closed } = await open('/ws/news')
    send({ action: 'auth', token: 'wrong' })
    expect(await message('error', 1)).toMatchObject({ code: 'NOT_PERMITTED', data: { reason: 'wrong' } })
    await eventually(closed).toBe(4501)
    expect((await get(`${base}/market/overview`)).status).toBe(401)
    expect((await get(`${base}/api/core/health`)).status).toBe(200)
  })
})

describe('GET /ws/status', () => {
  test('[S1-29] [S1-32] tells connections, queues, failures and latency of each channel', async () => {
    const { open, base, say } = await start()
    const idle = {
      connections: 0,
      subscribers: 0,
      queue_len: 0,
      queue_dropped: 0,
      broadcasts_attempted: 0,
      broadcasts_failed: 0,
      broadcast_latency_ms: null,
      portfolio_queue_len: 0,
      avg_uptime_s: 0
    }
    const before = (await get(`${base}/ws/status`)).body
    expect(Object.keys(before.per_channel)).toEqual([
      'market_data',
      'news_feed',
      'alerts',
      'trading_signals',
      'portfolio',
      'charts',
      'sse'
    ])
    expect(before.per_channel.market_data).toMatchObject(idle)
    const [market] = [await open('/ws/market'), await open('/ws/market'), await open('/ws/signals')]
    market.send({ action: 'subscribe', symbols: ['AAPL'] })
    await market.message('subscription_ack')
    say(tradeOf('AAPL', 1))
    await market.message('quote_update')
    const { total_connections, per_channel, broadcast_latency_ms } = (await get(`${base}/ws/status`)).body
    expect(total_connections).toBe(3)
    expect(per_channel.market_data).toMatchObject({ connections: 2, queue_len: 0, broadcasts_failed: 0 })
    expect(per_channel.market_data.broadcasts_attempted).toBeGreaterThanOrEqual(2)
    expect(per_channel.market_data.broadcast_latency_ms).toBe(broadcast_latency_ms.p50)
    expect(per_channel.trading_signals).toMatchObject({ connections: 1, subscribers: 0 })
    expect(broadcast_latency_ms).toMatchObject({ p50: expect.any(Number), p99: expect.any(Number) })
  })
})

describe('REST', () => {
  test('[S1-48] [S1-49] /health and /api/core/health say the same', async () => {
    const { base } = await start()
    const [one, other] = [await get(`${base}/health`), await get(`${base}/api/core/health`)]
    expect(one).toMatchObject({ status: 200, body: { status: 'ok', mode: 'demo' } })
    expect({ ...other.body, uptime: 0 }).toEqual({ ...one.body, uptime: 0 })
  })

  test('[S1-52] /market/overview tells the last price and how far it came, and /api/market/overview the same', async () => {
    const { base, say } = await start({ past: (instrument) => (instrument === 'AAPL' ? pastOf(instrument, 60) : []) })
    say(tradeOf('AAPL', 160))
    const { status, body } = await get(`${base}/market/overview?symbols=aapl,TSLA,APPL&period_days=20`)
    expect(status).toBe(200)
    // Closes were 100, 101, ... 159.
    expect(body.symbols.AAPL).toEqual({
      last: 160,
      chg1d: expect.closeTo((160 / 158 - 1) * 100, 3),
      chg5d: expect.closeTo((160 / 154 - 1) * 100, 3),
      chg20d: expect.closeTo((160 / 139 - 1) * 100, 3),
      ref: 139,
      chg_ref: expect.closeTo((160 / 139 - 1) * 100, 3)
    })
    expect(body.symbols.TSLA).toEqual({ last: null, chg1d: null, chg5d: null, chg20d: null, ref: null, chg_ref: null })
    expect(body.errors).toEqual({ APPL: expect.stringContaining('AAPL') })
    const alias = await get(`${base}/api/market/overview?symbols=AAPL&period_days=20`)
    expect(alias.body.symbols).toEqual({ AAPL: body.symbols.AAPL })
  })

  test('[S1-52] an overview of nothing that is known is 404, of too many symbols 400', async () => {
    const { base } = await start()
    expect(await get(`${base}/market/overview?symbols=NOSUCH`)).toMatchObject({
      status: 404,
      body: { error: { code: 'UNKNOWN_SYMBOL' } }
    })
    const many = Array.from({ length: 51 }, (_, i) => `S${i}`).join(',')
    expect(await get(`${base}/market/overview?symbols=${many}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_MESSAGE' } }
    })
  })

  test.each(['0', '1', '3651', '99999', '2.5', 'month'])('[S1-52] an overview of %s days is refused by name', async (days) => {
    const { base } = await start()
    const message = 'period_days: a whole number from 2 to 3650'
    expect(await get(`${base}/market/overview?period_days=${days}`)).toMatchObject({ status: 400, body: { error: { message } } })
  })

  test('[S1-52] an overview of closes that are not there yet tells the price alone, and why', async () => {
    const heard = { ...candleOf('AAPL', 0, 159, { interval: '1d', open: 1 }), coverage: 0.004 }
    const { base, say } = await start({ past: () => [heard], why: 'alpha: HTTP 503' })
    say(tradeOf('AAPL', 160))
    const { status, body } = await get(`${base}/market/overview?symbols=AAPL&since_open=true`)
    expect(status).toBe(200)
    expect(body.symbols).toEqual({ AAPL: { last: 160, chg1d: null, chg5d: null, chg20d: null, ref: null, chg_ref: null } })
    expect(body.errors).toEqual({ AAPL: 'no past closes: alpha: HTTP 503' })
  })

  test('[S1-52] the open of what was heard of a day in part is not the open of that day', async () => {
    const heard = { ...candleOf('AAPL', 0, 159, { interval: '1d', open: 1 }), coverage: 0.004 }
    const { base, say } = await start({ past: () => [heard] })
    say(tradeOf('AAPL', 160))
    const { body } = await get(`${base}/market/overview?symbols=AAPL&since_open=true`)
    expect(body.symbols.AAPL).toMatchObject({ last: 160, ref: null, chg_ref: null })
  })

  test.each(['/news/headlines', '/api/news/headlines'])('[S1-53] %s tells the last stories', async (path) => {
    const { base, tell } = await start()
    tell(newsOf('1', 'Apple soars', { instruments: ['AAPL'], time: Date.now() }))
    expect(await get(`${base}${path}?symbol=AAPL`)).toMatchObject({
      status: 200,
      body: { count: 1, items: [{ id: '1', tickers: ['AAPL'] }] }
    })
  })

  test('a path whose service is missing is 503, and names it', async () => {
    const { base } = await start()
    const headers = { 'content-type': 'application/json' }
    for (const [route, service] of [
      ['POST /chat/complete', 'chat'],
      ['POST /api/chat/complete', 'chat'],
      ['GET /chat/health', 'chat'],
      ['GET /signals/signal/AAPL', 'signals'],
      ['GET /api/signals/signal/AAPL', 'signals'],
      ['GET /trade/portfolio', 'portfolio'],
      ['GET /trade/positions', 'portfolio'],
      ['GET /trading/trade/portfolio', 'portfolio'],
      ['GET /trading/trade/positions', 'portfolio'],
      ['GET /learning/status', 'learning'],
      ['GET /api/learning/status', 'learning'],
      ['GET /learning/data/summary', 'learning'],
      ['GET /learning/results/latest', 'learning'],
      ['GET /learning/gates', 'learning'],
      ['GET /alerts/status', 'alerts']
    ] as const) {
      const [method = 'GET', path = ''] = route.split(' ')
      const answer = await get(`${base}${path}`, method === 'POST' ? { method, headers, body: '{"messages":[]}' } : { method })
      const message = `the ${service} service is not part of this server yet`
      expect([route, answer]).toEqual([
        route,
        { status: 503, body: { error: { code: 'SERVICE_NOT_AVAILABLE', message, retry: false, service } } }
      ])
    }
  })
})
