/** TradingView's UDF by its specification: what a chart asks, and what it may then rely on. */
import { describe, expect, test } from 'vitest'
import type { Gap, News } from '@tickwire/protocol'
import type { InstrumentInfo } from '../../src/dialects/dialect.ts'
import { candleOf, minutes, NOW, read, start } from './udf.bench.ts'

const SECOND = NOW / 1_000
const stamp = (instrument: string, time: number) => ({ provider: 'alpha', instrument, time, received: time })

describe('config and symbols', () => {
  test('config says what is supported, and either search or groups, not both', async () => {
    const { ask } = await start()
    const config = await ask('/config')
    expect(config).toMatchObject({
      supports_search: true,
      supports_group_request: false,
      supports_marks: true,
      supports_timescale_marks: true,
      supports_time: true
    })
    expect(config.supported_resolutions).toEqual(['1', '3', '5', '15', '30', '60', '120', '240', '360', '480', '720', '1D'])
    expect(config.exchanges.map(({ value }: { value: string }) => value)).toEqual(['', 'CRYPTO', 'FOREX', 'FUTURES', 'INDEX', 'NSE', 'US']) // prettier-ignore
    expect(config.symbols_types[0]).toEqual({ name: 'All types', value: '' })
  })

  test('symbols: a pair trades around the clock, its price moves by the last of its decimals', async () => {
    const { ask } = await start()
    expect(await ask('/symbols', { symbol: 'BTC/USDT' })).toMatchObject({
      name: 'BTC-USDT',
      ticker: 'BTC-USDT',
      type: 'crypto',
      exchange: 'CRYPTO',
      session: '24x7',
      timezone: 'Etc/UTC',
      minmov: 1,
      pricescale: 100,
      volume_precision: 5,
      has_intraday: true,
      has_daily: true,
      has_weekly_and_monthly: false,
      currency_code: 'USDT',
      data_status: 'streaming'
    })
  })

  test('symbols: the scale of a price is that of its kind and size, and stays whatever the last trade was', async () => {
    const unnamed = (instrument: string, base: string, quote?: string): InstrumentInfo => {
      const info = { instrument, base, providers: [] }
      return quote === undefined ? info : { ...info, quote }
    }
    const instruments = [
      unnamed('NVDA', 'NVDA'),
      unnamed('PENNY', 'PENNY'),
      unnamed('BTC-USDT', 'BTC', 'USDT'),
      unnamed('PEPE-USDT', 'PEPE', 'USDT'),
      unnamed('EUR-USD', 'EUR', 'USD'),
      unnamed('USD-JPY', 'USD', 'JPY'),
      { ...unnamed('ETH-USDT', 'ETH', 'USDT'), priceDecimals: 1 }
    ]
    const { ask, say } = await start({ instruments })
    const scale = async (symbol: string): Promise<number> => (await ask('/symbols', { symbol })).pricescale
    const trade = (instrument: string, price: number) =>
      say({ type: 'trade', ...stamp(instrument, NOW), price, size: 1, side: 'buy' })
    const scales: number[] = [await scale('NVDA')]
    for (const price of [180, 180.5, 180.25, 181]) {
      trade('NVDA', price)
      scales.push(await scale('NVDA'))
    }
    expect(scales).toEqual([100, 100, 100, 100, 100])
    for (const price of [180.1234, 180.5]) trade('NVDA', price)
    expect(await scale('NVDA')).toBe(10_000)
    for (const [instrument, price] of [
      ['PENNY', 0.5],
      ['BTC-USDT', 97_000],
      ['PEPE-USDT', 1.2e-7],
      ['ETH-USDT', 3_000.25]
    ] as const)
      // prettier-ignore
      trade(instrument, price)
    expect(await Promise.all(['PENNY', 'BTC-USDT', 'PEPE-USDT', 'EUR-USD', 'USD-JPY', 'ETH-USDT'].map(scale))).toEqual([
      1e4, 1e2, 1e12, 1e5, 1e3, 1e1
    ])
  })

  test('symbols: a share has the hours of its exchange in its zone, its holidays and its short days', async () => {
    const { ask } = await start()
    const apple = await ask('/symbols', { symbol: 'AAPL' })
    expect(apple).toMatchObject({ type: 'stock', description: 'Apple Inc.', session: '0400-2000', timezone: 'America/New_York' })
    expect(apple.session_holidays.split(',')).toContain('20261225')
    expect(apple.corrections.split(';')).toContain('0400-1300:20261127')
    const bank = await ask('/symbols', { symbol: 'NSE:SBIN-EQ' })
    expect(bank).toMatchObject({ exchange: 'NSE', session: '0900-1530', timezone: 'Asia/Kolkata' })
  })

  test('symbols: a simulated market never closes', async () => {
    const { ask } = await start({ mode: 'demo' })
    expect(await ask('/symbols', { symbol: 'AAPL' })).toMatchObject({ session: '24x7', timezone: 'Etc/UTC' })
  })

  test('symbols: one that nobody lists is an error in the protocol’s words', async () => {
    const { ask } = await start()
    for (const symbol of ['NOBODY', '', '__proto__', 'A'.repeat(500)])
      expect(await ask('/symbols', { symbol })).toEqual({ s: 'error', errmsg: 'unknown_symbol' })
  })

  test('search: the name itself first, then beginnings, parts, descriptions', async () => {
    const { ask } = await start()
    const names = async (query: string, more: object = {}) =>
      (await ask('/search', { query, limit: 10, ...more })).map(({ symbol }: { symbol: string }) => symbol)
    expect(await names('btcusdt')).toEqual(['BTC-USDT', 'BTC-USDT-PERP'])
    expect(await names('usd')).toEqual(['BTC-USDT', 'BTC-USDT-PERP', 'ETH-USDT', 'EUR-USD'])
    expect(await names('apple')).toEqual(['AAPL'])
    expect(await names('', { type: 'index' })).toEqual(['INDEX:SPX'])
    expect(await names('', { exchange: 'NSE' })).toEqual(['NSE:SBIN-EQ'])
    expect(await names('btc', { type: 'futures' })).toEqual(['BTC-USDT-PERP'])
    expect(await names('nobody')).toEqual([])
    expect(await names('', { limit: 2 })).toHaveLength(2)
    expect(await names('', { limit: -1 })).toHaveLength(7)
  })

  test('search: a row names the symbol as the other questions want it', async () => {
    const { ask } = await start()
    expect(await ask('/search', { query: 'SBIN', limit: 1 })).toEqual([
      {
        symbol: 'NSE:SBIN-EQ',
        full_name: 'NSE:SBIN-EQ',
        ticker: 'NSE:SBIN-EQ',
        description: 'State Bank of India',
        exchange: 'NSE',
        type: 'stock'
      }
    ])
  })
})

describe('history', () => {
  const asking = { symbol: 'BTC-USDT', resolution: '1' }
  const last = Math.floor(SECOND / 60) * 60

  test('bars from `from`, which is included, to `to`, which is not', async () => {
    const { ask } = await start({ past: { '1m': minutes(10) } })
    const { bars } = read(await ask('/history', { ...asking, from: last - 180, to: last }))
    expect(bars.map(({ time, close }) => [time, close])).toEqual([
      [last - 180, 7],
      [last - 120, 8],
      [last - 60, 9]
    ])
    expect(bars[0]).toEqual({ time: last - 180, open: 6, high: 9, low: 4, close: 7, volume: 7 })
  })

  test('countback outranks from: the last so many before to', async () => {
    const { ask } = await start({ past: { '1m': minutes(10) } })
    const { bars } = read(await ask('/history', { ...asking, from: last - 60, to: last, countback: 4 }))
    expect(bars.map(({ close }) => close)).toEqual([6, 7, 8, 9])
  })

  test('the forming bar is in it when `to` is later than its start', async () => {
    const { ask } = await start({ past: { '1m': minutes(3) } })
    expect(read(await ask('/history', { ...asking, from: last, to: SECOND + 60 })).bars).toHaveLength(1)
  })

  test('no bars in the range: nextTime is the last bar before it', async () => {
    const hole = [...minutes(10).slice(0, 4), ...minutes(10).slice(8)]
    const { ask } = await start({ past: { '1m': hole } })
    const answer = await ask('/history', { ...asking, from: last - 240, to: last - 120 })
    expect(answer).toEqual({ s: 'no_data', nextTime: last - 360 })
    expect(read(answer)).toEqual({ bars: [], noData: true, nextTime: last - 360 })
  })

  test('no bars at all before: no_data without nextTime, so that a chart stops asking', async () => {
    const { ask } = await start({ past: { '1m': minutes(3) } })
    expect(await ask('/history', { ...asking, from: 0, to: 60 })).toEqual({ s: 'no_data' })
    expect(await ask('/history', { ...asking, to: last - 3_600, countback: 10 })).toEqual({ s: 'no_data' })
  })

  test('bars that a provider has not told yet are an error, which a chart does not keep; they are waited for before', async () => {
    const why = 'alpha: HTTP 503'
    const { ask, get, patiences } = await start({ past: { '1m': minutes(3) }, why })
    const error = { s: 'error', errmsg: `these bars are not known yet: ${why}` }
    expect(await ask('/history', { ...asking, from: last - 600, to: last })).toEqual(error)
    expect(await ask('/history', { ...asking, to: last, countback: 10 })).toEqual(error)
    expect((await get(`/history?symbol=BTC-USDT&resolution=1&to=${last}&countback=10`)).status).toBe(503)
    expect(patiences).toEqual([10_000, 10_000, 10_000])
    // What is known reaches back as far as it was asked for.
    expect(read(await ask('/history', { ...asking, from: last - 120, to: last })).bars).toHaveLength(2)
    expect(read(await ask('/history', { ...asking, to: SECOND, countback: 3 })).bars).toHaveLength(3)
  })

  test('nor is a bar told of which only a part is known, while its provider can be asked again', async () => {
    const part = [{ ...candleOf('AAPL', '1d', Date.UTC(2026, 0, 2), 238), coverage: 0.004 }]
    const question = { symbol: 'AAPL', resolution: '1D', to: SECOND, countback: 1 }
    const short = await start({ past: { '1d': part }, why: 'alpha: HTTP 503' })
    expect(await short.ask('/history', question)).toMatchObject({ s: 'error' })
    const known = await start({ past: { '1d': part } })
    expect(read(await known.ask('/history', question)).bars).toHaveLength(1)
  })

  test('a daily bar is named by 00:00 UTC of its day, whenever its session begins', async () => {
    const days = [29, 30, 31].map((day) => candleOf('AAPL', '1d', Date.UTC(2025, 11, day, 14, 30), day))
    const { ask } = await start({ past: { '1d': days } })
    for (const resolution of ['1D', 'D']) {
      const { bars } = read(await ask('/history', { symbol: 'AAPL', resolution, to: SECOND, countback: 2 }))
      expect(bars.map(({ time }) => time)).toEqual([Date.UTC(2025, 11, 30) / 1_000, Date.UTC(2025, 11, 31) / 1_000])
    }
  })

  test.each([
    ['1', '1m'],
    ['60', '1h'],
    ['240', '4h'],
    ['720', '12h']
  ])('resolution %s is asked as %s, as far back as the range goes', async (resolution, interval) => {
    const { ask, asked } = await start()
    const length = Number(resolution) * 60
    await ask('/history', { symbol: 'BTC-USDT', resolution, from: SECOND - 10 * length, to: SECOND })
    expect(asked).toEqual([{ instrument: 'BTC-USDT', interval, limit: 12 }])
  })

  test('a huge range asks for no more than 5000 bars, and answers with those there are', async () => {
    const { ask, asked } = await start({ past: { '1m': minutes(5) } })
    expect(read(await ask('/history', { ...asking, from: -9e9, to: 9e9 })).bars).toHaveLength(5)
    expect(read(await ask('/history', { ...asking, to: 9e9, countback: 999_999_999 })).bars).toHaveLength(5)
    expect(read(await ask('/history', { ...asking, from: 0.5, to: SECOND + 0.25 })).bars).toHaveLength(5)
    expect(asked.map(({ limit }) => limit)).toEqual([5_000, 5_000, 5_000])
  })

  test.each([
    [{ ...asking, resolution: '7', from: 0, to: 1 }, /^resolution: one of 1, 3, 5/],
    [{ ...asking, resolution: 'constructor', from: 0, to: 1 }, /^resolution/],
    [{ ...asking, from: 0 }, /^to: a Unix time/],
    [{ ...asking, from: 0, to: 'now' }, /^to: a Unix time/],
    [{ ...asking, from: 0, to: 'Infinity' }, /^to: a Unix time/],
    [{ ...asking, to: 60 }, /^from: a Unix time/],
    [{ ...asking, from: 120, to: 60 }, /^from is after to/],
    [{ ...asking, to: 60, countback: 0 }, /^countback: a whole number/],
    [{ ...asking, to: 60, countback: 1.5 }, /^countback: a whole number/],
    [{ ...asking, symbol: 'NOBODY', from: 0, to: 60 }, /^unknown_symbol/]
  ])('%o is an error with a message', async (params, says) => {
    const { ask, asked } = await start()
    expect(await ask('/history', params)).toEqual({ s: 'error', errmsg: expect.stringMatching(says) })
    expect(asked).toEqual([])
  })
})

describe('marks', () => {
  const span = { symbol: 'BTC-USDT', resolution: '5', from: SECOND - 3_600, to: SECOND }
  const gapAt = (time: number): Gap => ({
    type: 'gap',
    ...stamp('BTC-USDT', time),
    kind: 'trade',
    from: time,
    to: time + 1_000,
    cause: 'sequence',
    action: 'open'
  })

  test('marks are columns of one length, each on the bar that it falls into', async () => {
    const { ask, say } = await start()
    say(gapAt(NOW - 60_000), { type: 'halt', ...stamp('BTC-USDT', NOW - 600_000), state: 'halted', reason: 'LUDP' })
    const marks = await ask('/marks', span)
    expect(marks.label).toEqual(['H', 'G'])
    expect(marks.time.every((time: number) => time % 300 === 0)).toBe(true)
    expect(marks.text[0]).toBe('halted: LUDP')
    expect(marks.text[1]).toMatch(/^Missing trade data \(sequence\)/)
    expect(new Set(Object.values(marks).map((column) => (column as unknown[]).length))).toEqual(new Set([2]))
    expect(new Set(marks.id).size).toBe(2)
  })

  test('no more than ten on a bar, none outside of the range, none of another symbol', async () => {
    const { ask, say } = await start()
    for (let i = 0; i < 15; i++) say(gapAt(NOW - 20_000 + i))
    say(gapAt(NOW - 7_200_000))
    expect((await ask('/marks', span)).id).toHaveLength(10)
    expect((await ask('/marks', { ...span, symbol: 'ETH-USDT' })).id).toEqual([])
  })

  test('timescale_marks are the news of the symbol: rows, a story once and as it was told last', async () => {
    const { ask, publish } = await start()
    const story = (headline: string): News => ({
      type: 'news',
      ...stamp('all', NOW - 60_000),
      id: 'story-1',
      headline,
      instruments: ['BTC-USDT']
    })
    publish('news:BTC-USDT', story('Bitcoin moves'))
    publish('news:BTC-USDT', story('Bitcoin moves on'))
    expect(await ask('/timescale_marks', span)).toEqual([
      { id: 'story-1', time: expect.any(Number), color: 'blue', label: 'N', tooltip: ['Bitcoin moves on'] }
    ])
  })

  test.each(['/marks', '/timescale_marks'])('%s: what is wrong is an error with a message', async (path) => {
    const { ask } = await start()
    expect(await ask(path, { ...span, symbol: 'NOBODY' })).toEqual({ s: 'error', errmsg: 'unknown_symbol' })
    expect(await ask(path, { ...span, resolution: '7' })).toMatchObject({ s: 'error' })
    expect(await ask(path, { ...span, from: 'then' })).toMatchObject({ s: 'error', errmsg: 'from and to: Unix times in seconds' })
  })
})

describe('time and quotes', () => {
  test('time is plain text: Unix seconds without a fraction', async () => {
    const { get } = await start()
    const response = await get('/time')
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await response.text()).toBe(String(Math.floor(SECOND)))
  })

  test('quotes: each symbol has an outcome of its own', async () => {
    const { ask, say } = await start()
    const day = { last: 255, open: 250, high: 256, low: 249, change: 5, changePercent: 2, prevClose: 251, volume: 900 }
    say({ type: 'ticker', ...stamp('AAPL', NOW), ...day })
    say({ type: 'quote', ...stamp('AAPL', NOW), bid: 97_126.12, bidSize: 1, ask: 97_129.72, askSize: 2 })
    say({ type: 'trade', ...stamp('AAPL', NOW), price: 255, size: 1, side: 'buy' })
    const { s, d } = await ask('/quotes', { symbols: 'AAPL, NOBODY' })
    expect(s).toBe('ok')
    expect(d).toEqual([
      {
        s: 'ok',
        n: 'AAPL',
        v: {
          ch: 5,
          chp: 2,
          short_name: 'AAPL',
          exchange: 'US',
          original_name: 'AAPL',
          description: 'Apple Inc.',
          lp: 255,
          ask: 97_129.72,
          bid: 97_126.12,
          spread: 3.6,
          open_price: 250,
          high_price: 256,
          low_price: 249,
          prev_close_price: 251,
          volume: 900
        }
      },
      { s: 'error', n: 'NOBODY', v: {} }
    ])
  })

  test('quotes: the price is within the range of its day', async () => {
    const { ask, say } = await start()
    say({ type: 'ticker', ...stamp('AAPL', NOW), last: 255, high: 256, low: 249 })
    say({ type: 'trade', ...stamp('AAPL', NOW), price: 240, size: 1, side: 'buy', session: 'closed' })
    const { d } = await ask('/quotes', { symbols: 'AAPL' })
    expect(d).toMatchObject([{ v: { lp: 240, high_price: 256, low_price: 240 } }])
  })

  test('quotes: none, or more than fifty, are an error', async () => {
    const { ask } = await start()
    const many = Array.from({ length: 51 }, (_, i) => `S${i}`).join(',')
    for (const symbols of ['', ' , ', many])
      expect(await ask('/quotes', { symbols })).toEqual({ s: 'error', errmsg: expect.stringMatching(/^symbols: 1 to 50/) })
  })
})
