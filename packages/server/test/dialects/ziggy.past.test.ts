/** `/ws/charts` where the past is late, short or nowhere: what is told meanwhile, and that the whole follows by itself. */
import { describe, expect, test } from 'vitest'
import type { Candle, Interval } from '@tickwire/protocol'
import type { Past } from '../../src/dialects/dialect.ts'
import { createCharts } from '../../src/dialects/ziggy.charts.ts'
import { candleOf, type Message } from './fiml.bench.ts'
import { connection, pastOf } from './ziggy.bench.ts'

/** Lets promises that are kept already be heard of. */
const heard = () => new Promise((resolve) => setImmediate(resolve))
const LATE = { candles: [], why: 'no provider has answered within 1 s; ask again' }

/** A client of charts, and a past that is what it is told to be. */
function open(first: Past, query: Record<string, string> = {}) {
  let past = first
  const asked: { interval: Interval; patience: number | undefined }[] = []
  const client = connection(createCharts(), {
    query,
    desk: {
      past(_instrument, interval, _limit, patience) {
        asked.push({ interval, patience })
        return Promise.resolve(past)
      }
    }
  })
  let now = 0
  return {
    ...client,
    asked,
    becomes: (next: Past) => void (past = next),
    /** So long, with all that is answered meanwhile. */
    pass: async (ms: number): Promise<Message[]> => {
      for (const end = now + ms; now < end;) {
        await heard()
        client.until((now += 100))
      }
      return client.take()
    }
  }
}
const snapshots = (messages: Message[]): Message[] => messages.filter(({ type }) => type === 'chart_snapshot')
const DAY = 86_400_000
const day = (close: number, more: Partial<Candle>) => candleOf('AAPL', 0, close, { interval: '1d', ...more })
/** As we heard it since noon: the day began elsewhere. */
const OURS = { open: 237.24, high: 238, low: 237, volume: 17_367, coverage: 0.004 }
const THEIRS = { open: 242.02, high: 243, low: 236, volume: 3_183_113 }

describe('a past that is not there yet', () => {
  test('[S1-01] what is there is shown at once, with what is missing and why; the hundred bars follow by themselves, once', async () => {
    const stump = pastOf('AAPL', 2)
    const { send, pass, becomes, asked } = open({ ...LATE, candles: stump })
    send({ action: 'subscribe', symbols: ['AAPL'], timeframe: '1m' })
    const [, short] = await pass(100)
    expect(short).toMatchObject({
      type: 'chart_snapshot',
      data: { missing: { bars: 98, reason: LATE.why, asked_again: true } }
    })
    expect(short.data.candlesticks).toHaveLength(2)
    becomes({ candles: pastOf('AAPL', 300) })
    const [whole, ...more] = snapshots(await pass(2_000))
    expect(whole.data.candlesticks).toHaveLength(100)
    expect(whole.data.missing).toBeNull()
    expect(more).toEqual([])
    // Whoever was told that it is late waits for the provider itself.
    expect(asked).toEqual([
      { interval: '1m', patience: undefined },
      { interval: '1m', patience: 10_000 }
    ])
  })

  test('of which nothing is known is an error that says why, and is a snapshot as soon as it is known', async () => {
    const { send, pass, becomes } = open(LATE)
    send({ action: 'subscribe', symbols: ['AAPL'], timeframe: '1d' })
    expect((await pass(100)).at(-1)).toMatchObject({
      code: 'NO_HISTORY',
      message: expect.stringContaining(LATE.why),
      data: { missing: { bars: 100, asked_again: true } }
    })
    becomes({ candles: pastOf('AAPL', 300) })
    expect(snapshots(await pass(2_000))).toMatchObject([{ data: { missing: null } }])
  })

  test('is asked for ever more rarely, twenty times in all, and then said to be given up; force_update begins anew', async () => {
    const { send, pass, asked } = open({ candles: pastOf('AAPL', 2), why: 'alpha: HTTP 503' })
    send({ action: 'subscribe', symbols: ['AAPL'], timeframe: '1m' })
    await pass(10_000)
    // At 0.1, 0.7, 1.8, 3.9 and 8 s, a tick later where an answer takes one.
    expect(asked.length).toBeGreaterThanOrEqual(4)
    expect(asked.length).toBeLessThanOrEqual(5)
    const told = snapshots(await pass(1_000_000))
    expect(asked).toHaveLength(20)
    expect(told).toMatchObject([{ data: { missing: { bars: 98, reason: 'alpha: HTTP 503', asked_again: false } } }])
    send({ action: 'force_update' })
    await pass(2_000)
    expect(asked.length).toBeGreaterThan(20)
  })

  test('is not asked for any more when the chart is let go', async () => {
    const { send, pass, asked } = open(LATE)
    send({ action: 'subscribe', symbols: ['AAPL'] })
    await pass(1_000)
    send({ action: 'unsubscribe' })
    const before = asked.length
    await pass(5_000)
    expect(asked).toHaveLength(before)
  })

  test('of a snapshot of what is not subscribed the provider is waited for, and what is missing then is told for good', async () => {
    const { send, pass, asked } = open({ ...LATE, candles: pastOf('AAPL', 2) })
    send({ action: 'get_snapshot', symbol: 'AAPL', timeframe: '1m' })
    expect(await pass(5_000)).toMatchObject([{ type: 'chart_snapshot', data: { missing: { bars: 98, asked_again: false } } }])
    expect(asked).toEqual([{ interval: '1m', patience: 10_000 }])
  })

  test('fewer bars than a hundred, of which there are no more, say so too', async () => {
    const { send, pass } = open({ candles: pastOf('AAPL', 10) })
    send({ action: 'subscribe', symbols: ['AAPL'] })
    expect(snapshots(await pass(3_000))).toMatchObject([{ data: { missing: { bars: 90, asked_again: false } } }])
  })

  test('whole charts as the code of the system sends them say it as well', async () => {
    const { send, pass, say } = open({ ...LATE, candles: pastOf('AAPL', 2) }, { dialect: 'ziggy-code' })
    send({ action: 'subscribe', symbols: ['AAPL'] })
    await pass(100)
    say(candleOf('AAPL', 2 * 60_000, 7))
    expect(await pass(1_000)).toMatchObject([{ type: 'chart_update', data: { missing: { bars: 97, asked_again: true } } }])
  })
})

describe('a bar that began before we heard of it', () => {
  test('is marked with the share that is known', async () => {
    const { send, pass } = open({ ...LATE, candles: [day(238, OURS)] })
    send({ action: 'subscribe', symbols: ['AAPL'], timeframe: '1d' })
    expect(snapshots(await pass(100))).toMatchObject([{ data: { candlesticks: [{ open: 237.24, coverage: 0.004 }] } }])
  })

  test("is the provider's as soon as that is known, and ours adds what comes after it, live too", async () => {
    const { send, pass, say, becomes } = open({ ...LATE, candles: [day(238, OURS)] })
    send({ action: 'subscribe', symbols: ['AAPL'], timeframe: '1d' })
    await pass(100)
    becomes({ candles: [day(238, THEIRS)] })
    expect(snapshots(await pass(2_000))).toMatchObject([
      { data: { candlesticks: [{ open: 242.02, high: 243, low: 236, close: 238, volume: 3_183_113, coverage: null }] } }
    ])
    say(day(235, { ...OURS, low: 235, volume: 17_467, revision: 0 }))
    expect(await pass(1_000)).toMatchObject([
      {
        type: 'chart_update',
        data: { candlesticks: [{ open: 242.02, high: 243, low: 235, close: 235, volume: 3_183_213, is_closed: false }] }
      }
    ])
    say(day(236.5, { ...OURS, low: 235, volume: 17_468, closed: true }))
    expect(await pass(1_000)).toMatchObject([
      { data: { candlesticks: [{ open: 242.02, low: 235, close: 236.5, volume: 3_183_214, is_closed: true }] } }
    ])
  })

  test('a bar that the provider has closed is not changed by ours, and one of ours that is whole stands', async () => {
    const { send, pass, say } = open({ candles: [day(238, { ...THEIRS, closed: true })] })
    send({ action: 'subscribe', symbols: ['AAPL'], timeframe: '1d' })
    await pass(100)
    say(day(237, { ...OURS, closed: true }))
    expect(await pass(1_000)).toEqual([])
    say(candleOf('AAPL', DAY, 9, { interval: '1d', coverage: 1 }))
    expect(await pass(2_000)).toMatchObject([{ data: { candlesticks: [{ open: 1, close: 9, coverage: 1 }] } }])
  })

  test('flat bars that stood where nothing was known make room for those that were', async () => {
    const flat = candleOf('AAPL', 60_000, 100, { open: 100, volume: 0, trades: 0, closed: true })
    const first = candleOf('AAPL', 0, 100, { coverage: 0.5, closed: true })
    const { send, pass, becomes } = open({ ...LATE, candles: [first, flat] })
    send({ action: 'subscribe', symbols: ['AAPL'] })
    await pass(100)
    becomes({ candles: [candleOf('AAPL', 0, 50, { closed: true }), candleOf('AAPL', 60_000, 51, { closed: true })] })
    const [whole] = snapshots(await pass(2_000))
    expect(whole.data.candlesticks.map(({ close }: Message) => close)).toEqual([50, 51])
  })
})
