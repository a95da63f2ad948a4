/** The candle fold against a brute-force oracle, and its rules one by one. */
import { INTERVALS, INTERVAL_MS, type Candle, type Interval, type Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCandles, joinCandles } from '../../src/services/candles.ts'
import type { Input } from '../../src/services/service.ts'

const MINUTE = 60_000
const trade = (time: number, price: number, size = 1, more: Partial<Trade> = {}): Trade => {
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time, received: time + 5, confidence: 0.9 }
  return { type: 'trade', ...stamp, price, size, side: 'buy', ...more }
}
const mark = (time: number): Input => ({ type: 'watermark', instrument: 'BTC-USDT', time })

/** Everything the fold says about one interval. */
function run(inputs: readonly Input[], interval: Interval = '1m', keep = 300): Candle[] {
  const service = createCandles({ keep })
  const state = service.open()
  return inputs
    .flatMap((input) => service.fold(state, input))
    .filter(({ topic }) => topic === `candle:BTC-USDT:${interval}`)
    .map(({ event }) => event as Candle)
}
const closed = (candles: readonly Candle[]) => candles.filter((candle) => candle.closed)
const short = ({ start, open, high, low, close, volume, trades, revision }: Candle) => [
  start,
  open,
  high,
  low,
  close,
  volume,
  trades,
  revision
]

describe('rules', () => {
  test('a trade exactly on a boundary belongs to the next candle', () => {
    const out = closed(run([trade(0, 10), trade(MINUTE - 0.001, 11), trade(MINUTE, 99), mark(2 * MINUTE)]))
    expect(out.map(short)).toEqual([
      [0, 10, 11, 10, 11, 2, 2, 0],
      [MINUTE, 99, 99, 99, 99, 1, 1, 0]
    ])
  })

  test('a candle closes when the watermark reaches its end, not before, and only once', () => {
    expect(closed(run([trade(0, 10), mark(MINUTE - 0.001)]))).toEqual([])
    expect(closed(run([trade(0, 10), mark(MINUTE), mark(MINUTE), mark(MINUTE + 1)]))).toHaveLength(1)
  })

  test('an interval without a trade closes flat at the last close, with no trades and no volume', () => {
    const out = closed(run([trade(0, 10), trade(1, 12), mark(3 * MINUTE)]))
    expect(out.map(short)).toEqual([
      [0, 10, 12, 10, 12, 2, 2, 0],
      [MINUTE, 12, 12, 12, 12, 0, 0, 0],
      [2 * MINUTE, 12, 12, 12, 12, 0, 0, 0]
    ])
    expect(out[1]).toMatchObject({ provider: 'alpha', confidence: 0.9, time: MINUTE })
  })

  test('a late trade re-issues its closed candle with the next revision, one revision per watermark', () => {
    const out = run([
      trade(0, 10),
      trade(MINUTE, 20),
      mark(MINUTE),
      trade(5, 30),
      trade(6, 7, 1, { backfill: true }),
      mark(MINUTE + 1)
    ])
    expect(closed(out).map(short)).toEqual([
      [0, 10, 10, 10, 10, 1, 1, 0],
      [0, 10, 30, 7, 7, 3, 3, 1]
    ])
    expect(out.at(-1)).toMatchObject({ start: MINUTE, closed: false })
  })

  test('a late trade that moves a close moves the flat candles after it', () => {
    const out = run([trade(0, 10), mark(2 * MINUTE), trade(5, 30), mark(2 * MINUTE + 1)])
    expect(out.filter(({ revision }) => revision === 1).map(short)).toEqual([
      [0, 10, 30, 10, 30, 2, 2, 1],
      [MINUTE, 30, 30, 30, 30, 0, 0, 1]
    ])
    expect(out.at(-1)).toMatchObject({ start: 2 * MINUTE, close: 30, closed: false })
  })

  test('trades out of order: the earliest opens, the latest closes, and of equal times the first and the last to arrive', () => {
    const out = closed(run([trade(50, 5), trade(10, 1), trade(10, 2), trade(50, 6), trade(30, 9), mark(MINUTE)]))
    expect(out.map(short)).toEqual([[0, 1, 9, 1, 6, 5, 5, 0]])
  })

  test('candles of a topic come in order of start, and the last value is the one that forms', () => {
    const out = run([trade(0, 10), trade(MINUTE + 1, 11), mark(MINUTE - 100), mark(MINUTE)])
    expect(out.map(({ start, closed }) => [start, closed])).toEqual([
      [0, false],
      [0, true],
      [MINUTE, false]
    ])
  })

  test('an unchanged forming candle is not told again', () => {
    expect(run([trade(0, 10), mark(1), mark(2), mark(3)])).toHaveLength(1)
  })

  test('a trade older than every remembered candle, absurdly far ahead or without a usable number changes nothing', () => {
    const good = [trade(0, 10), mark(10 * MINUTE)]
    const bad = [trade(-1, 1), trade(7 * MINUTE - 1, 1), trade(1e15, 1), trade(Number.NaN, 1), trade(9 * MINUTE, Infinity)]
    const after = mark(11 * MINUTE)
    expect(run([...good, ...bad, after], '1m', 3)).toEqual(run([...good, after], '1m', 3))
  })

  test('a first trade from the far future does not lock out the trades of today', () => {
    const out = closed(run([mark(0), trade(1e13, 1), trade(1, 10), mark(MINUTE)]))
    expect(out.map(short)).toEqual([[0, 10, 10, 10, 10, 1, 1, 0]])
  })

  test('a first trade dated further ahead of its arrival than clocks differ is in no candle, watermark or not', () => {
    const future = trade(Date.parse('2099-01-01'), 1, 1, { received: 5 })
    const out = closed(run([future, trade(1, 10), trade(MINUTE + 1, 11), mark(2 * MINUTE)]))
    expect(out.map(short)).toEqual([
      [0, 10, 10, 10, 10, 1, 1, 0],
      [MINUTE, 11, 11, 11, 11, 1, 1, 0]
    ])
  })

  test('after a sleep of a year the series goes on without a year of flat candles', () => {
    const year = 365 * 24 * 60 * MINUTE
    const out = closed(run([trade(0, 10), mark(year), trade(year, 20), mark(year + MINUTE)]))
    expect(out).toHaveLength(302)
    expect(out.at(-1)).toMatchObject({ start: year, open: 20 })
  })

  test('a watermark that goes back reopens nothing', () => {
    expect(closed(run([trade(0, 10), mark(MINUTE), mark(0), trade(MINUTE, 3), mark(MINUTE)]))).toHaveLength(1)
  })

  test('volume has no rounding noise', () => {
    expect(closed(run([...Array.from({ length: 10 }, (_, i) => trade(i, 1, 0.1)), mark(MINUTE)]))[0]!.volume).toBe(1)
  })
})

/** Sizes are whole hundred-millionths, so that the oracle can add them up exactly. */
const SATS = 1e8
const LENGTH = 40 * MINUTE
const tradeArbitrary = fc
  .record({
    time: fc.integer({ min: 0, max: LENGTH }),
    price: fc.integer({ min: 1, max: 1e6 }),
    sats: fc.integer({ min: 1, max: 1e12 })
  })
  .map(({ time, price, sats }) => trade(time, price / 100, sats / SATS))
/** Trades up to two minutes out of order, watermarks between them wherever they fall. */
const stream = fc
  .tuple(
    fc.array(fc.tuple(tradeArbitrary, fc.integer({ min: 0, max: 2 * MINUTE })), { maxLength: 60 }),
    fc.array(fc.integer({ min: 0, max: LENGTH }), { maxLength: 20 })
  )
  .map(([trades, marks]) => {
    const arriving = [
      ...trades.map(([t, late]): [number, Input] => [t.time + late, t]),
      ...marks.map((time): [number, Input] => [time, mark(time)])
    ]
    // The first trade of all is at 0: what came before we listened is another rule.
    return [trade(0, 50), ...arriving.sort(([a], [b]) => a - b).map(([, input]) => input)]
  })

type Row = [start: number, open: number, high: number, low: number, close: number, volume: number, trades: number]
/** All candles that end by `until`, from nothing but a list of trades. */
function oracle(trades: readonly Trade[], interval: Interval, until: number): Row[] {
  const length = INTERVAL_MS[interval]
  const rows: Row[] = []
  for (let start = 0; start + length <= until; start += length) {
    const mine = trades.filter(({ time }) => time >= start && time < start + length)
    const sorted = mine.toSorted((a, b) => a.time - b.time)
    const prices = mine.map(({ price }) => price)
    const before = rows.at(-1)?.[4] ?? Number.NaN
    const volume = Number(mine.reduce((sum, { size }) => sum + BigInt(Math.round(size * SATS)), 0n)) / SATS
    const [open, close] = [sorted[0]?.price ?? before, sorted.at(-1)?.price ?? before]
    rows.push([
      start,
      open,
      mine.length ? Math.max(...prices) : before,
      mine.length ? Math.min(...prices) : before,
      close,
      volume,
      mine.length
    ])
  }
  return rows
}
const tradesOf = (inputs: readonly Input[]) => inputs.filter((input) => input.type === 'trade')
const row = (candle: Candle) => short(candle).slice(0, 7)

describe('properties', () => {
  const END = LENGTH + 3 * MINUTE
  test.each(INTERVALS)('%s: the last revision of each candle is what all its trades say', (interval) => {
    const end = Math.max(END, INTERVAL_MS[interval])
    fc.assert(
      fc.property(stream, (inputs) => {
        const last = new Map(closed(run([...inputs, mark(end)], interval)).map((candle) => [candle.start, candle]))
        expect([...last.values()].map(row)).toEqual(oracle(tradesOf(inputs), interval, end))
      }),
      { numRuns: 60 }
    )
  })

  test('each candle closes exactly once, in order, on what had come by then; revisions count up from it by one', () => {
    fc.assert(
      fc.property(stream, (inputs) => {
        const service = createCandles()
        const state = service.open()
        const revisions = new Map<number, number>()
        let newest = -MINUTE
        inputs.forEach((input, at) => {
          for (const { topic, event } of service.fold(state, input)) {
            const candle = event as Candle
            if (topic !== 'candle:BTC-USDT:1m') continue
            if (!candle.closed) expect(revisions.has(candle.start)).toBe(false)
            else if (candle.revision === 0) {
              expect(candle.start).toBe((newest += MINUTE))
              const known = oracle(tradesOf(inputs.slice(0, at)), '1m', candle.start + MINUTE)
              expect(row(candle)).toEqual(known.at(-1))
              revisions.set(candle.start, 0)
            } else {
              expect(candle.revision).toBe(revisions.get(candle.start)! + 1)
              revisions.set(candle.start, candle.revision)
            }
          }
        })
      }),
      { numRuns: 200 }
    )
  })

  test('the order in which the trades of an interval come does not matter, to the last bit of the volume', () => {
    const sizes = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 1, max: MINUTE - 1 }), fc.double({ min: 1e-12, max: 1e12, noNaN: true })),
      {
        minLength: 1,
        selector: ([time]) => time
      }
    )
    const shuffled = sizes.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })))
    fc.assert(
      fc.property(shuffled, ([rows, mixed]) => {
        const made = (list: typeof rows) =>
          closed(run([trade(0, 50), ...list.map(([time, size]) => trade(time, time + 1, size)), mark(MINUTE)]))
        expect(made(mixed)).toEqual(made(rows))
      })
    )
  })

  test('watermarks more or fewer, as long as they overtake no trade, make no difference to closed candles', () => {
    const ordered = fc.tuple(
      fc.array(tradeArbitrary, { maxLength: 40 }),
      fc.array(fc.integer({ min: 0, max: LENGTH }), { maxLength: 40 })
    )
    fc.assert(
      fc.property(ordered, ([trades, marks]) => {
        const sorted = [trade(0, 50), ...trades.toSorted((a, b) => a.time - b.time)]
        const marked = [...sorted, ...marks.map(mark)].sort((a, b) => a.time - b.time || (a.type === 'watermark' ? -1 : 1))
        const strip = (inputs: Input[]) => closed(run([...inputs, mark(END)]))
        expect(strip(marked)).toEqual(strip(sorted))
      })
    )
  })
})

const candle = (minute: number, close: number, more: Partial<Candle> = {}): Candle => {
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time: minute * MINUTE, received: 0 }
  const prices = { open: close, high: close, low: close, close, volume: 1, trades: 1 }
  return { type: 'candle', ...stamp, interval: '1m', start: minute * MINUTE, ...prices, closed: true, revision: 0, ...more }
}
const minutes = (candles: readonly Candle[]) => candles.map(({ start, close }) => [start / MINUTE, close])

describe('joining with history', () => {
  test('ours win from the first candle that began after we started; where ours is partial the provider fills in', () => {
    const history = [candle(1, 11), candle(2, 12), candle(3, 13), candle(4, 14)]
    const live = [candle(3, 23, { closed: false }), candle(3, 23), candle(4, 24), candle(5, 25, { closed: false })]
    expect(minutes(joinCandles(history, live, '1m', 10))).toEqual([
      [1, 11],
      [2, 12],
      [3, 13],
      [4, 24],
      [5, 25]
    ])
  })

  test('a partial candle of ours stands where the provider has none, and where there is no history at all', () => {
    expect(minutes(joinCandles([candle(1, 11)], [candle(2, 22), candle(3, 23)], '1m', 10))).toEqual([
      [1, 11],
      [2, 22],
      [3, 23]
    ])
    expect(minutes(joinCandles([], [candle(2, 22)], '1m', 10))).toEqual([[2, 22]])
    expect(minutes(joinCandles([candle(1, 11)], [], '1m', 10))).toEqual([[1, 11]])
    expect(joinCandles([], [], '1m', 10)).toEqual([])
  })

  test('of several pictures of one candle the last counts', () => {
    const live = [candle(1, 1), candle(2, 20, { closed: false }), candle(2, 21), candle(2, 22, { revision: 1 })]
    expect(minutes(joinCandles([], live, '1m', 10))).toEqual([
      [1, 1],
      [2, 22]
    ])
  })

  test('intervals that neither knows are flat, also before the limit cuts', () => {
    const joined = joinCandles([candle(1, 11)], [candle(5, 25)], '1m', 3)
    expect(minutes(joined)).toEqual([
      [3, 11],
      [4, 11],
      [5, 25]
    ])
    expect(joined[0]).toMatchObject({ volume: 0, trades: 0, closed: true, time: 3 * MINUTE })
  })

  test('whatever the two hold, the series is whole, rises by one interval and is as long as asked', () => {
    const some = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 100 })))
    fc.assert(
      fc.property(some, some, fc.integer({ min: 1, max: 60 }), (a, b, limit) => {
        const [history, live] = [a, b].map((rows) => rows.map(([minute, close]) => candle(minute, close)))
        const joined = joinCandles(history!, live!, '1m', limit)
        const all = [...a, ...b].map(([minute]) => minute)
        const expected = all.length ? Math.min(limit, Math.max(...all) - Math.min(...all) + 1) : 0
        expect(joined).toHaveLength(expected)
        joined.forEach(({ start }, i) => expect(start).toBe(joined[0]!.start + i * MINUTE))
        if (all.length) expect(joined.at(-1)!.start).toBe(Math.max(...all) * MINUTE)
      })
    )
  })
})
