/** `/ws/charts` as pure functions: the past, what comes after it, and the indicators. */
import { describe, expect, test } from 'vitest'
import type { Candle } from '@tickwire/protocol'
import { createCharts } from '../../src/dialects/ziggy.charts.ts'
import { candleOf, type Message } from './fiml.bench.ts'
import { connection, pastOf } from './ziggy.bench.ts'

const MINUTE = 60_000
/** Lets promises that are kept already be heard of. */
const heard = () => new Promise((resolve) => setImmediate(resolve))
const open = (past: readonly Candle[] = pastOf('AAPL', 300), query: Record<string, string> = {}) =>
  connection(createCharts(), {
    query,
    desk: { past: (_instrument, _interval, limit) => Promise.resolve({ candles: past.slice(-limit) }) }
  })
const errors = (messages: Message[]): Message[] => messages.filter(({ type }) => type === 'error')

async function subscribed(past?: readonly Candle[], query?: Record<string, string>) {
  const client = open(past, query)
  client.send({ action: 'subscribe', symbols: ['AAPL'], timeframe: '1m' })
  await heard()
  client.until(100)
  return client
}

describe('a snapshot', () => {
  test('[S1-01] [S1-02] follows the acknowledgement: a hundred bars, and the indicators of each and of now', async () => {
    const { take } = await subscribed()
    const [ack, snapshot] = take()
    expect(ack).toEqual({
      type: 'subscription_ack',
      symbols: ['AAPL'],
      timeframe: '1m',
      timeframes: ['1m'],
      status: 'subscribed',
      timestamp: 0
    })
    expect(snapshot).toMatchObject({ type: 'chart_snapshot', symbol: 'AAPL', timeframe: '1m', update_count: 0, timestamp: 0.1 })
    const { candlesticks, indicators, series } = snapshot.data
    expect(candlesticks).toHaveLength(100)
    expect(candlesticks.at(-1)).toMatchObject({
      timestamp: 299 * 60,
      close: 399,
      high: 400,
      low: 398,
      volume: 5,
      symbol: 'AAPL',
      is_closed: false
    })
    expect(candlesticks[0]).toMatchObject({ timestamp: 200 * 60, is_closed: true })
    // The closes rise by one from 100 to 399, so a mean of n lags (n - 1) / 2 behind, and nothing ever fell.
    const steady = { SMA_20: 389.5, SMA_50: 374.5, RSI_14: 100, MACD: 7, MACD_Signal: 7, MACD_Histogram: 0 }
    expect(indicators).toEqual(
      Object.entries(steady).map(([name, value]) => ({
        name,
        value: expect.closeTo(value, 5),
        timestamp: 299 * 60,
        symbol: 'AAPL',
        timeframe: '1m'
      }))
    )
    for (const [name, value] of Object.entries(steady)) {
      expect(series[name]).toHaveLength(100)
      expect(series[name].at(-1)).toBeCloseTo(value, 5)
    }
    expect([series.SMA_20[0], series.SMA_50[0], series.RSI_14[0]]).toEqual([290.5, 275.5, 100])
    expect(series.MACD[0]).toBeCloseTo(7, 5)
  })

  test('[S1-02] each timeframe of each symbol is a chart of its own', async () => {
    const { send, until, take, held } = open()
    send({ action: 'subscribe', symbols: ['AAPL', 'TSLA'], timeframes: ['1m', '5m', '15m', '1h', '1d'] })
    await heard()
    until(100)
    const snapshots = take().filter(({ type }) => type === 'chart_snapshot')
    expect(new Set(snapshots.map(({ symbol, timeframe }) => `${symbol} ${timeframe}`)).size).toBe(10)
    expect(held).toContain('candle:TSLA:1d')
  })

  test('of a past that nobody has is an error, and the bars that form are sent all the same', async () => {
    const { take, say, until } = await subscribed([])
    expect(errors(take())).toMatchObject([{ code: 'NO_HISTORY', data: { symbol: 'AAPL', timeframe: '1m' } }])
    say(candleOf('AAPL', MINUTE, 7))
    until(200)
    expect(take()).toMatchObject([{ type: 'chart_update', data: { candlesticks: [{ close: 7 }] } }])
  })

  test('of a past that fails to come is told as one that nobody has', async () => {
    const { send, until, take } = connection(createCharts(), { desk: { past: () => Promise.reject(new Error('down')) } })
    send({ action: 'subscribe', symbols: ['AAPL'] })
    await heard()
    until(100)
    expect(errors(take())).toMatchObject([{ code: 'NO_HISTORY' }])
  })

  test('what came live before the past stands after it, once', async () => {
    const { send, say, until, take } = open(pastOf('AAPL', 10))
    send({ action: 'subscribe', symbols: ['AAPL'] })
    say(candleOf('AAPL', 9 * MINUTE, 55, { closed: true }), candleOf('AAPL', 10 * MINUTE, 56))
    await heard()
    until(100)
    const closes = take()[1].data.candlesticks.map(({ close }: Message) => close)
    expect(closes).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 55, 56])
  })

  test('get_snapshot shows a chart that is held again, and one that is not without subscribing it', async () => {
    const { send, until, take, held } = await subscribed()
    take()
    send({ action: 'get_snapshot', symbol: 'AAPL' })
    send({ action: 'get_snapshot', symbol: 'TSLA', timeframe: '1h' })
    await heard()
    until(200)
    expect(take().map(({ type, symbol, timeframe }) => [type, symbol, timeframe])).toEqual([
      ['chart_snapshot', 'TSLA', '1h'],
      ['chart_snapshot', 'AAPL', '1m']
    ])
    expect([...held]).toEqual(['candle:AAPL:1m'])
  })
})

describe('[S5] however often it is asked', () => {
  const SYMBOLS = ['AAPL', 'TSLA', 'MSFT', 'NVDA', 'SPY']
  const TIMEFRAMES = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d']
  const charts = SYMBOLS.length * TIMEFRAMES.length
  const many = async (query?: Record<string, string>) => {
    const client = open(undefined, query)
    client.send({ action: 'subscribe', symbols: SYMBOLS, timeframes: TIMEFRAMES })
    await heard()
    return client
  }
  const whole = (messages: Message[]): Message[] => messages.filter(({ type }) => type === 'chart_snapshot')

  test('a connection is sent fifty whole charts at once and forty a second, until each was shown', async () => {
    const { until, take } = await many()
    until(100)
    expect(whole(take())).toHaveLength(50)
    until(200)
    expect(whole(take()).length).toBeLessThanOrEqual(5)
    until(2_000)
    const rest = whole(take())
    expect(rest.length).toBeGreaterThanOrEqual(charts - 55)
    expect(new Set(rest.map(({ symbol, timeframe }) => `${symbol} ${timeframe}`)).size).toBe(rest.length)
  })

  test('force_update within one tick is one; while its charts are on their way another is refused, and says when to ask', async () => {
    const { send, until, take } = await many()
    until(5_000)
    expect(whole(take())).toHaveLength(charts)
    for (let n = 0; n < 100; n++) send({ action: 'force_update' })
    until(5_100)
    expect(whole(take())).toHaveLength(50)
    for (const action of ['force_update', 'get_snapshot']) {
      send({ action })
      expect(take()).toMatchObject([{ type: 'error', code: 'RATE_LIMITED', data: { waiting: 10, retry_after_ms: 250 } }])
    }
    let sent = 0
    for (let now = 5_200; now <= 15_100; now += 100) {
      send({ action: 'force_update' })
      until(now)
      sent += whole(take()).length
    }
    expect(sent, 'in ten seconds of a flood').toBeLessThanOrEqual(400)
    expect(sent, 'and it is not shut out').toBeGreaterThan(300)
  })

  test('updates that are whole, as the code of the system sends them, are held to the same', async () => {
    const { say, until, take } = await many({ dialect: 'ziggy-code' })
    until(5_000)
    take()
    for (let now = 5_000; now < 15_000; now += 1_000) {
      for (const symbol of SYMBOLS)
        for (const interval of TIMEFRAMES) say({ ...candleOf(symbol, 300 * MINUTE, now), interval: interval as '1m' })
      until(now + 1_000)
    }
    const updates = take().filter(({ type }) => type === 'chart_update')
    expect(updates.length).toBeGreaterThan(charts)
    expect(updates.length).toBeLessThanOrEqual(50 + 400)
  })
})

describe('updates', () => {
  test('[S1-03] carry the bars that changed and the indicators of now, at most once a second; closed bars are marked', async () => {
    const { say, until, take } = await subscribed()
    take()
    say(candleOf('AAPL', 299 * MINUTE, 500))
    until(200)
    const [first] = take()
    expect(first).toMatchObject({ type: 'chart_update', symbol: 'AAPL', timeframe: '1m', update_count: 1 })
    expect(first.data.candlesticks).toMatchObject([{ timestamp: 299 * 60, close: 500, is_closed: false }])
    const valueOf = ({ data }: Message, wanted: string) => data.indicators.find(({ name }: Message) => name === wanted).value
    expect(valueOf(first, 'SMA_20'), 'of 380 to 398, and 500').toBe((19 * 389 + 500) / 20)
    say(candleOf('AAPL', 299 * MINUTE, 501, { closed: true }), candleOf('AAPL', 300 * MINUTE, 502))
    until(1_100)
    expect(take()).toEqual([])
    until(1_200)
    const [second] = take()
    expect(second.data.candlesticks).toMatchObject([
      { timestamp: 299 * 60, close: 501, is_closed: true },
      { timestamp: 300 * 60, close: 502, is_closed: false }
    ])
    expect(valueOf(second, 'SMA_20'), 'of 381 to 398, 501 and 502').toBe((18 * 389.5 + 501 + 502) / 20)
  })

  test('a forming bar never replaces a closed one, and a correction of it does', async () => {
    const { say, until, take } = await subscribed()
    take()
    say(candleOf('AAPL', 298 * MINUTE, 1))
    until(200)
    expect(take()).toEqual([])
    say(candleOf('AAPL', 298 * MINUTE, 2, { closed: true, revision: 1 }))
    until(300)
    expect(take()[0].data.candlesticks).toMatchObject([{ timestamp: 298 * 60, close: 2, revision: 1 }])
  })

  test('under ?dialect=ziggy-code each update is the whole chart', async () => {
    const { say, until, take } = await subscribed(undefined, { dialect: 'ziggy-code' })
    take()
    say(candleOf('AAPL', 299 * MINUTE, 500))
    until(200)
    expect(take()[0].data.candlesticks).toHaveLength(100)
  })

  test('end with unsubscribe, of one timeframe or of all', async () => {
    const { send, held, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'], timeframes: ['1m', '5m'] })
    take()
    send({ action: 'unsubscribe', symbol: 'AAPL', timeframes: ['5m'] })
    expect([...held]).toEqual(['candle:AAPL:1m'])
    send({ action: 'unsubscribe', symbol: 'AAPL' })
    expect(held.size).toBe(0)
    expect(take()).toMatchObject([
      { type: 'unsubscription_ack', symbol: 'AAPL', timeframes: ['5m'] },
      { type: 'unsubscription_ack', symbol: 'AAPL', timeframes: ['1m'] }
    ])
  })
})

describe('what is refused', () => {
  test.each([
    [{ symbols: ['AAPL'], timeframe: '7m' }, 'INVALID_MESSAGE', 'timeframe: one of 1m'],
    [{ symbols: ['AAPL'], timeframes: '1m' }, 'INVALID_MESSAGE', 'timeframes: a list'],
    [{ symbols: [] }, 'INVALID_MESSAGE', 'name at least one symbol'],
    [{ symbols: ['NOSUCH'] }, 'UNKNOWN_SYMBOL', 'NOSUCH'],
    [{ symbols: 7 }, 'INVALID_MESSAGE', 'a list of strings']
  ])('%j is %s', (wrong, code, hint) => {
    const { send, take, held } = open()
    send({ action: 'subscribe', ...wrong })
    expect(take()).toMatchObject([{ type: 'error', code, message: expect.stringContaining(hint) }])
    expect(held.size).toBe(0)
  })

  test('more than two hundred charts on one connection', () => {
    const { send, take, held } = connection(createCharts(), {
      desk: { resolve: (text) => ({ ok: true, instrument: text }), past: () => Promise.resolve({ candles: [] }) }
    })
    const symbols = Array.from({ length: 100 }, (_, i) => `S${i}`)
    send({ action: 'subscribe', symbols, timeframes: ['1m', '5m'] })
    take()
    send({ action: 'subscribe', symbols: ['ONE'] })
    expect(take()).toMatchObject([{ type: 'error', code: 'LIMIT_REACHED', data: { limit: 200, held: 200 } }])
    expect(held.size).toBe(200)
  })

  test('more than fifty snapshots under way, of what is not subscribed', () => {
    const { send, take } = connection(createCharts(), { desk: { resolve: (text) => ({ ok: true, instrument: text }) } })
    send({ action: 'get_snapshot', symbols: Array.from({ length: 51 }, (_, i) => `S${i}`) })
    expect(take()).toMatchObject([{ type: 'error', code: 'LIMIT_REACHED', data: { limit: 50, under_way: 0 } }])
  })
})
