/** Columns of trades make the candles that the service makes of the same trades. */
import { INTERVALS, INTERVAL_MS, type Candle, type Interval, type Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCalendar } from '../../src/calendar/calendar.ts'
import { createFold } from '../../src/history/fold.ts'
import { createCandles, recentCandles } from '../../src/services/candles.ts'
import { gridOf, remembered, type Sessions } from '../../src/services/sessions.ts'
import { columnsOf } from './memory.ts'

const MINUTE = 60_000
const market = createCalendar()
const newYork = remembered((time) => market('XNYS', time))
/** Two hours before the early close of Thanksgiving. */
const BEGIN = Date.parse('2026-11-27T16:00Z')

type Numbered = Trade & { seq: number }
const tradeOf = (seq: number, time: number, price: number, size: number, more: Partial<Trade> = {}): Numbered => {
  const stamp = { provider: 'alpha', instrument: 'AAPL', time, received: time + 5 }
  return { type: 'trade', ...stamp, price, size, side: 'buy', seq, ...more }
}

type Plain = Partial<Candle>
const plain = ({ start, end, open, high, low, close, volume, trades, session }: Candle): Plain => {
  const same = { start, open, high, low, close, volume }
  return { ...same, ...(trades !== undefined && { trades }), ...(end !== undefined && { end }), ...(session && { session }) }
}

function byService(trades: readonly Numbered[], interval: Interval, sessions: Sessions | undefined): Plain[] {
  const service = createCandles({ keep: 100_000, sessions: () => sessions })
  const state = service.open()
  for (const trade of trades) service.fold(state, trade)
  service.fold(state, { type: 'watermark', instrument: 'AAPL', time: Math.max(...trades.map(({ time }) => time)) })
  return recentCandles(state, 'AAPL', interval).map(plain)
}

function byColumns(trades: readonly Numbered[], interval: Interval, sessions: Sessions | undefined, parts: number): Plain[] {
  const fold = createFold('AAPL', interval, gridOf(interval, sessions), 'journal')
  const size = Math.max(1, Math.ceil(trades.length / parts))
  const sorted = trades.toSorted((a, b) => a.time - b.time)
  for (let at = 0; at < sorted.length; at += size) fold.take(columnsOf(sorted.slice(at, at + size)))
  return fold.candles().map(plain)
}

const trades = fc
  .array(
    fc.record({
      time: fc.oneof(
        fc.integer({ min: 0, max: 6 * 60 * MINUTE }),
        fc.integer({ min: 0, max: 40 }).map((n) => n * 9 * MINUTE)
      ),
      price: fc.integer({ min: 1, max: 100_000 }).map((cents) => cents / 100),
      size: fc.integer({ min: 1, max: 1e9 }).map((parts) => parts / 1e6),
      ineligible: fc.boolean()
    }),
    { minLength: 1, maxLength: 80 }
  )
  .map((all) =>
    all.map(({ time, price, size, ineligible }, i) =>
      // The first stands: what came before our beginning has a rule of its own in the service.
      tradeOf(i + 1, BEGIN + (i === 0 ? 0 : time), price, size, ineligible && i > 0 ? { ineligible: true } : {})
    )
  )

test('[S4-29] columns of trades make the candles of the service: ineligible and late trades, empty minutes, sessions', () => {
  fc.assert(
    fc.property(
      trades,
      fc.constantFrom(...INTERVALS),
      fc.boolean(),
      fc.integer({ min: 1, max: 5 }),
      (all, interval, inNewYork, parts) => {
        const sessions = inNewYork ? newYork : undefined
        expect(byColumns(all, interval, sessions, parts)).toStrictEqual(byService(all, interval, sessions))
      }
    ),
    { numRuns: 300 }
  )
})

test('a minute without a trade is flat at the close before it, and one whose trades set no price stands there too', () => {
  const all = [
    tradeOf(1, BEGIN, 10, 1),
    tradeOf(2, BEGIN + 2 * MINUTE, 99, 3, { ineligible: true }),
    tradeOf(3, BEGIN + 3 * MINUTE, 12, 1)
  ]
  const told = byColumns(all, '1m', undefined, 1).map(({ open, close, volume, trades: count }) => [open, close, volume, count])
  expect(told).toEqual([
    [10, 10, 1, 1],
    [10, 10, 0, 0],
    [10, 10, 3, 1],
    [12, 12, 1, 1]
  ])
})

test('a candle that is not over is not closed', () => {
  const fold = createFold('AAPL', '1m', gridOf('1m'), 'journal')
  fold.take(columnsOf([tradeOf(1, BEGIN, 10, 1), tradeOf(2, BEGIN + MINUTE, 11, 1)]))
  expect(fold.candles(BEGIN + MINUTE + 1).map(({ closed }) => closed)).toEqual([true, false])
  expect(fold.candles(BEGIN + 2 * INTERVAL_MS['1m']).map(({ closed }) => closed)).toEqual([true, true])
})
