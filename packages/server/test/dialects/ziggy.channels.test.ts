/** What all Ziggy channels have in common, abuse of them, and the three whose services are not there yet. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dialect } from '../../src/dialects/dialect.ts'
import { createAlerts } from '../../src/dialects/ziggy.alerts.ts'
import { createCharts } from '../../src/dialects/ziggy.charts.ts'
import { createMarket } from '../../src/dialects/ziggy.market.ts'
import { createNews } from '../../src/dialects/ziggy.news.ts'
import { createPortfolio } from '../../src/dialects/ziggy.portfolio.ts'
import { createSignals } from '../../src/dialects/ziggy.signals.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { deskOf, tradeOf } from './fiml.bench.ts'
import { connection } from './ziggy.bench.ts'

const CHANNELS: [string, () => Dialect<any>][] = [
  ['/ws/market', createMarket],
  ['/ws/news', createNews],
  ['/ws/alerts', createAlerts],
  ['/ws/signals', createSignals],
  ['/ws/portfolio', createPortfolio],
  ['/ws/charts', createCharts]
]

describe.each(CHANNELS)('%s', (path, create) => {
  const open = () => {
    const client = connection(create())
    client.take()
    return client
  }

  test('is where it says', () => {
    expect(create().paths).toEqual([path])
  })

  test('a ping is answered with a pong that repeats its ts', () => {
    const { send, take } = open()
    send({ action: 'ping', ts: 1_698_012_345.123 })
    send({ type: 'ping' })
    expect(take()).toEqual([
      { type: 'pong', ts: 1_698_012_345.123, timestamp: 0 },
      { type: 'pong', ts: null, timestamp: 0 }
    ])
  })

  test('[S1-34] pings every 25 s, in epoch seconds', () => {
    const { until, said } = open()
    until(60_000)
    expect(said.filter(({ type }) => type === 'ping')).toEqual([
      { type: 'ping', ts: 25, timestamp: 25 },
      { type: 'ping', ts: 50, timestamp: 50 }
    ])
  })

  test('[S1-34] pings keep in step however long a tick is, and come singly after a pause', () => {
    const { open: begin, tick } = createAlerts({ heartbeat: { every: 250, timeout: 10_000 } })
    const { memory } = begin({ path: '/ws/alerts', query: {}, rest: '', session: 's' }, deskOf(createPlant({ epoch: 'e' })), 0)
    const at: number[] = []
    const until = (times: readonly number[]): void => {
      for (const now of times) if (tick?.(memory, now).length) at.push(now)
    }
    until(Array.from({ length: 20 }, (_, i) => (i + 1) * 100))
    expect(at).toEqual([300, 500, 800, 1_000, 1_300, 1_500, 1_800, 2_000])
    until([60_000, 60_100, 60_200, 60_300])
    expect(at.slice(8)).toEqual([60_000, 60_300])
  })

  test('[S1-34] a client that answers pings is closed when it stops; one that never did is left to WebSocket pings', () => {
    const silent = open()
    silent.until(120_000)
    expect(silent.closed()).toBeUndefined()
    const lively = open()
    lively.until(25_000)
    lively.send({ type: 'pong' })
    lively.until(59_900)
    expect(lively.closed()).toBeUndefined()
    lively.until(60_000)
    expect(lively.closed()).toBe(4002)
  })

  test.each(['{not json', '', '\u0000', '{"action":'])('%j is INVALID_JSON, and counts as rubbish', (frame) => {
    const { send, take, bad } = open()
    send(frame)
    expect(take()).toMatchObject([{ type: 'error', code: 'INVALID_JSON', data: {}, timestamp: 0 }])
    expect(bad()).toBe(1)
  })

  test.each([
    'null',
    '[]',
    '7',
    '"subscribe"',
    '{}',
    '{"action":7}',
    '{"action":"dance"}',
    '{"action":"__proto__"}',
    '{"type":"constructor"}'
  ])('%s is UNKNOWN_ACTION with the actions that there are, and counts as rubbish', (frame) => {
    const { send, take, bad } = open()
    send(frame)
    const [error] = take()
    expect(error).toMatchObject({ type: 'error', code: 'UNKNOWN_ACTION' })
    expect(error.data.supported).toEqual(expect.arrayContaining(['subscribe', 'ping', 'get_performance_stats']))
    expect(bad()).toBe(1)
  })

  test('a huge list is refused in a short answer, and nothing of it is held', () => {
    const { send, take, held } = open()
    const before = held.size
    send({ action: 'subscribe', symbols: Array.from({ length: 20_000 }, (_, i) => i) })
    send({ action: 'subscribe', symbols: Array.from({ length: 5_000 }, (_, i) => `S${i}`) })
    const answers = take()
    expect(answers.map(({ type }) => type)).toEqual(['error', 'error'])
    expect(JSON.stringify(answers).length).toBeLessThan(2_000)
    expect(held.size).toBe(before)
  })

  test('whatever is said in whatever fields, it answers in its own words and goes on', () => {
    const actions = [
      'subscribe',
      'unsubscribe',
      'set_filters',
      'get_snapshot',
      'force_update',
      'test_alert',
      'pause',
      'resume',
      'auth',
      'ping'
    ]
    const symbols = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.constantFrom('AAPL', 'btc-usdt', 'NOSUCH', '', ' ', '__proto__'), { maxLength: 9 })
    )
    const message = fc.record(
      {
        action: fc.constantFrom(...actions),
        symbols,
        symbol: fc.jsonValue(),
        filters: fc.jsonValue(),
        timeframe: fc.jsonValue(),
        timeframes: fc.jsonValue()
      },
      { requiredKeys: ['action'] }
    )
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
        const client = connection(create())
        for (const [i, each] of messages.entries()) {
          client.send(each)
          client.say(tradeOf('AAPL', i + 1, i))
          client.until((i + 1) * 300)
        }
        for (const { type, timestamp } of client.said) expect([typeof type, typeof timestamp]).toEqual(['string', 'number'])
        client.take()
        client.send({ action: 'ping', ts: 1 })
        expect(client.take()).toMatchObject([{ type: 'pong', ts: 1 }])
      }),
      { numRuns: 60 }
    )
  })

  test('says in its own words that the client is slow or too fast, and that the server shuts down', () => {
    const dialect = create()
    const { memory } = dialect.open({ path, query: {}, rest: '', session: 's' }, {} as never, 0)
    const texts = [
      dialect.lost?.('trade:AAPL', 3, 4, 6, 1_000),
      dialect.refused?.('RATE_LIMITED', 'slow down', memory, 1_000),
      dialect.shutdown?.(500, 1_000)
    ]
    expect(texts.map((text) => JSON.parse(text ?? 'null'))).toMatchObject([
      { type: 'error', code: 'SLOW_CLIENT', data: { topic: 'trade:AAPL', count: 3, from: 4, to: 6 }, timestamp: 1 },
      { type: 'error', code: 'RATE_LIMITED', message: 'slow down' },
      { type: 'error', code: 'SHUTDOWN', data: { retry_after_ms: 500 } }
    ])
  })
})

describe('a token', () => {
  test('may come as a message: then the watchlist and the news, refused before it, are had', () => {
    let known = false
    const refuse = () => (known ? undefined : 'authenticate first')
    for (const [create, topic] of [
      [createMarket, 'trade:SPY'],
      [createNews, 'news:all']
    ] as const) {
      known = false
      const { send, take, held, until } = connection<any>(create(), { refuse, code: 'UNAUTHORIZED' })
      until(1_000)
      expect(take()).toMatchObject([
        { type: 'error', code: 'NOT_PERMITTED', message: expect.stringContaining('authenticate first') }
      ])
      known = true
      send({ action: 'auth', token: 'somebody' })
      until(2_000)
      expect(take()[0]).toMatchObject({ type: 'authenticated', data: { user: 'somebody' } })
      expect(held).toContain(topic)
    }
  })

  test('that is none of ours, or comes too late, is refused in these words', () => {
    const dialect = createMarket()
    const { memory } = dialect.open({ path: '/ws/market', query: {}, rest: '', session: 's' }, {} as never, 0)
    const said = (['wrong', 'late'] as const).flatMap((why) => dialect.denied?.(why, memory, 0) ?? [])
    expect(said.map((command) => command.type === 'send' && JSON.parse(command.text))).toMatchObject([
      { code: 'NOT_PERMITTED', message: 'the token is not valid' },
      { code: 'NOT_PERMITTED', message: 'no token came in time' }
    ])
  })
})

test('what a source forbids to pass on is NOT_PERMITTED, with its reason', () => {
  const { send, take } = connection(createCharts(), { refuse: () => 'it forbids redistribution', code: 'FORBIDDEN' })
  send({ action: 'subscribe', symbols: ['AAPL'] })
  expect(take()).toMatchObject([{ type: 'error', code: 'NOT_PERMITTED', data: { symbols: ['AAPL'] } }])
})

describe.each([
  ['alerts', createAlerts, ['create', 'enable', 'disable', 'delete', 'list', 'set_preferences', 'subscribe', 'set_filters']],
  ['signals', createSignals, ['subscribe', 'unsubscribe', 'set_filters', 'get_snapshot']],
  ['portfolio', createPortfolio, ['subscribe', 'unsubscribe', 'get_snapshot', 'force_update']]
] as const)('without a service of %s', (service, create, actions) => {
  test('a connection is told so at once', () => {
    expect(connection<any>(create()).take()).toEqual([
      {
        type: 'service_status',
        data: {
          service,
          available: false,
          code: 'SERVICE_NOT_AVAILABLE',
          message: `the ${service} service is not part of this server yet`
        },
        timestamp: 0
      }
    ])
  })

  test.each(actions)('%s is never acknowledged, but answered with SERVICE_NOT_AVAILABLE', (action) => {
    const { send, take, bad } = connection<any>(create())
    take()
    send({ action, symbols: ['AAPL'] })
    expect(take()).toMatchObject([{ type: 'error', code: 'SERVICE_NOT_AVAILABLE', data: { service } }])
    expect(bad()).toBe(0)
  })
})

test('the figures of a portfolio that is not there say that it does not run', () => {
  const { send, take } = connection(createPortfolio())
  take()
  send({ action: 'get_performance_stats' })
  const stats = { update_count: 0, error_count: 0, last_update_time: null, is_running: false, update_interval: 5 }
  expect(take()).toMatchObject([{ type: 'portfolio_streaming_stats', stats, data: stats }])
})

describe('test_alert', () => {
  test('[S0-10] sends an alert that is marked as a test, of the symbol that was named and its price now', () => {
    const { send, take, plant } = connection(createAlerts())
    take()
    plant.publish('trade:AAPL', tradeOf('AAPL', 190), 0)
    send({ action: 'test_alert', symbols: ['aapl'], message: 'hello' })
    expect(take()).toEqual([
      {
        type: 'alert_triggered',
        data: {
          id: 'test-s1-1',
          symbol: 'AAPL',
          condition_type: 'test',
          threshold: null,
          current_value: 190,
          message: 'hello',
          triggered_at: '1970-01-01T00:00:00.000Z',
          created_at: '1970-01-01T00:00:00.000Z',
          test: true
        },
        timestamp: 0
      }
    ])
  })

  test('[S0-10] needs neither a symbol nor a price, and each has an id of its own', () => {
    const { send, take } = connection(createAlerts())
    take()
    send({ action: 'test_alert' })
    send({ action: 'test_alert', symbol: 'TSLA' })
    const alerts = take()
    expect(alerts).toMatchObject([{ data: { symbol: null, test: true } }, { data: { symbol: 'TSLA', current_value: null } }])
    expect(new Set(alerts.map(({ data }) => data.id)).size).toBe(2)
  })

  test('of a symbol that nobody lists is an error, and so is a message of the wrong type', () => {
    const { send, take } = connection(createAlerts())
    take()
    send({ action: 'test_alert', symbol: 'APPL' })
    send({ action: 'test_alert', message: 7 })
    expect(take()).toMatchObject([
      { type: 'error', code: 'UNKNOWN_SYMBOL' },
      { type: 'error', code: 'INVALID_MESSAGE', data: { errors: [{ field: 'message' }] } }
    ])
  })
})
