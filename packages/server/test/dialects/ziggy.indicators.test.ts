/** SMA, EMA, RSI and MACD against their definitions, and against figures worked out elsewhere. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ema, macd, rsi, sma, study } from '../../src/dialects/ziggy.indicators.ts'

/** Wilder's example as it is told in every textbook of the RSI. */
const CLOSES = [
  44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.1, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28, 46.0, 46.03, 46.41,
  46.22, 45.64
]
const prices = fc.array(fc.double({ min: 1, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 120 })
const mean = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length

describe('the mean', () => {
  test('is that of the last n, and null before there are n', () => {
    expect(sma([1, 2, 3, 4, 6], 3)).toEqual([null, null, 2, 3, 13 / 3])
    fc.assert(
      fc.property(prices, fc.integer({ min: 1, max: 60 }), (list, n) => {
        const values = sma(list, n)
        values.forEach((value, i) => {
          if (i < n - 1) expect(value).toBeNull()
          else expect(value).toBeCloseTo(mean(list.slice(i - n + 1, i + 1)), 9)
        })
      })
    )
  })
})

describe('the exponential mean', () => {
  test('begins with the mean of the first n and then moves 2/(n+1) of the way to each price', () => {
    expect(ema([2, 4, 6, 8, 12], 3)).toEqual([null, null, 4, 6, 9])
  })

  test('waits for as many values behind leading nulls', () => {
    expect(ema([null, null, 2, 4, 6], 2)).toEqual([null, null, null, 3, 5])
  })

  test('of what never moves is that', () => {
    expect(ema([7, 7, 7, 7], 2).slice(1)).toEqual([7, 7, 7])
  })
})

describe('the RSI', () => {
  test('of the textbook is 70.46 on the fifteenth day, and goes on by Wilder’s smoothing', () => {
    const values = rsi(CLOSES, 14)
    expect(values.slice(0, 14)).toEqual(Array.from({ length: 14 }, () => null))
    expect(values.slice(14).map((value) => Number(value?.toFixed(2)))).toEqual([70.46, 66.25, 66.48, 69.35, 66.29, 57.92])
  })

  test('is 100 where prices only rise, 0 where they only fall, 50 where they never move', () => {
    const steps = Array.from({ length: 20 }, (_, i) => i)
    expect(rsi(steps, 14).at(-1)).toBe(100)
    expect(rsi(steps.toReversed(), 14).at(-1)).toBe(0)
    expect(rsi(steps.fill(3), 14).at(-1)).toBe(50)
  })

  test('is never outside of 0 and 100', () => {
    fc.assert(
      fc.property(prices, (list) => {
        for (const value of rsi(list, 14)) if (value !== null) expect(value >= 0 && value <= 100).toBe(true)
      })
    )
  })
})

describe('MACD', () => {
  test('is the fast mean less the slow one; its signal is its own mean and no share of it', () => {
    const list = Array.from({ length: 80 }, (_, i) => 100 + 10 * Math.sin(i / 5))
    const { line, signal, histogram } = macd(list, 12, 26, 9)
    expect(line.findIndex((value) => value !== null)).toBe(25)
    expect(signal.findIndex((value) => value !== null)).toBe(33)
    const [fast, slow] = [ema(list, 12), ema(list, 26)]
    expect(line[60]).toBeCloseTo((fast[60] ?? 0) - (slow[60] ?? 0), 12)
    expect(signal[33]).toBeCloseTo(mean(line.slice(25, 34).map((value) => value ?? Number.NaN)), 12)
    expect(histogram[60]).toBeCloseTo((line[60] ?? 0) - (signal[60] ?? 0), 12)
    const shares = line.flatMap((value, i) => (signal[i] == null || value === null ? [] : [signal[i] / value]))
    expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.1)
  })
})

test('a study has a value or null of each indicator for each price', () => {
  const values = study(CLOSES)
  expect(Object.keys(values)).toEqual(['SMA_20', 'SMA_50', 'RSI_14', 'MACD', 'MACD_Signal', 'MACD_Histogram'])
  for (const list of Object.values(values)) expect(list).toHaveLength(CLOSES.length)
})
