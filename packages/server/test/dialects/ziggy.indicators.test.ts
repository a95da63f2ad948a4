/** The indicators of a chart against their definitions, published figures, and what can be said without computing. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createStudy, WARM_UP } from '../../src/dialects/ziggy.indicators.ts'

const barsOf = (closes: readonly number[]) => closes.map((close, start) => ({ start, close }))
const study = (closes: readonly number[]) => createStudy().all(barsOf(closes))
/** The values of one indicator. */
const valuesOf = (name: string, closes: readonly number[]) => study(closes).map((reading) => reading[name])
const closes = fc.array(fc.double({ min: 1, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 120 })
const mean = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length
const nulls = (n: number) => Array.from({ length: n }, () => null)

describe('[S1-03] the means', () => {
  test('are those of the last twenty and the last fifty, and null before there are so many', () => {
    fc.assert(
      fc.property(closes, (list) => {
        for (const [name, n] of [['SMA_20', 20] as const, ['SMA_50', 50] as const])
          valuesOf(name, list).forEach((value, i) => {
            if (i < n - 1) expect(value).toBeNull()
            else expect(value).toBeCloseTo(mean(list.slice(i - n + 1, i + 1)), 9)
          })
      })
    )
  })
})

describe('the RSI', () => {
  /** StockCharts, ChartSchool, "Relative Strength Index (RSI)": the closes of its table, and what it has for RSI. */
  const TABLE = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328, 45.614, 46.282,
    46.282, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548, 44.0288, 44.1783,
    44.2181, 44.5672, 43.4205, 42.6628, 43.1314
  ]
  const PUBLISHED = [
    70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87, 45.46, 37.3, 33.08,
    37.77
  ]

  test('of the table in every textbook is 70.53 on its fifteenth day, and what is printed there on each day after', () => {
    const values = valuesOf('RSI_14', TABLE)
    expect(values.slice(0, 14)).toEqual(nulls(14))
    expect(values.slice(14).map((value) => Number(value?.toFixed(2)))).toEqual(PUBLISHED)
  })

  test('is 100 where prices only rise, 0 where they only fall, 50 where they never move', () => {
    const rising = Array.from({ length: 20 }, (_, i) => i + 1)
    expect(valuesOf('RSI_14', rising).slice(13)).toEqual([null, 100, 100, 100, 100, 100, 100])
    expect(valuesOf('RSI_14', rising.toReversed()).at(-1)).toBe(0)
    expect(valuesOf('RSI_14', rising.fill(3)).slice(13)).toEqual([null, 50, 50, 50, 50, 50, 50])
  })

  test('of a market that moved once, long ago, is that of the move', () => {
    expect(valuesOf('RSI_14', [3, ...Array.from({ length: 60 }, () => 4)]).at(-1)).toBe(100)
    expect(valuesOf('RSI_14', [4, ...Array.from({ length: 60 }, () => 3)]).at(-1)).toBe(0)
  })

  test('is never outside of 0 and 100', () => {
    fc.assert(
      fc.property(closes, (list) => {
        for (const value of valuesOf('RSI_14', list).slice(14)) expect(value).toSatisfy((v: number) => v >= 0 && v <= 100)
      })
    )
  })
})

describe('MACD', () => {
  /** Each price with the weight that the definition gives it; the first has what is left over. */
  const weighed = (list: readonly number[], n: number): number => {
    const share = 2 / (n + 1)
    return list.reduce((sum, price, i) => {
      const age = list.length - 1 - i
      return sum + price * (1 - share) ** age * (i === 0 ? 1 : share)
    }, 0)
  }
  const wave = Array.from({ length: 80 }, (_, i) => 100 + 10 * Math.sin(i / 5))

  test('is there from the 26th bar on, its signal from the ninth of those, and null before', () => {
    const values = study(wave)
    expect(values.slice(0, 25).map(({ MACD }) => MACD)).toEqual(nulls(25))
    expect(values[25]?.MACD).toBeTypeOf('number')
    for (const name of ['MACD_Signal', 'MACD_Histogram']) {
      expect(values.slice(0, 33).map((reading) => reading[name])).toEqual(nulls(33))
      expect(values[33]?.[name]).toBeTypeOf('number')
    }
  })

  test('is the mean of 12 less that of 26, its signal the mean of 9 of its own, each begun with its first value', () => {
    const lines = wave.map((_, i) => weighed(wave.slice(0, i + 1), 12) - weighed(wave.slice(0, i + 1), 26))
    study(wave).forEach(({ MACD, MACD_Signal, MACD_Histogram }, i) => {
      if (i >= 25) expect(MACD).toBeCloseTo(lines[i] ?? Number.NaN, 9)
      const signal = weighed(lines.slice(25, i + 1), 9)
      if (i >= 33) expect(MACD_Signal).toBeCloseTo(signal, 9)
      if (i >= 33) expect(MACD_Histogram).toBeCloseTo((lines[i] ?? Number.NaN) - signal, 9)
    })
  })

  test('of a steady climb is the 7 steps by which a mean of 26 lags behind one of 12', () => {
    const { MACD, MACD_Signal, MACD_Histogram } = study(Array.from({ length: 300 }, (_, i) => i)).at(-1) ?? {}
    expect([MACD, MACD_Signal]).toEqual([expect.closeTo(7, 6), expect.closeTo(7, 6)])
    expect(MACD_Histogram).toBeCloseTo(0, 6)
  })

  test('of bars after a warm-up no longer shows whether the means began with a price or with a mean', () => {
    const textbook = (n: number) => {
      let value = mean(wave.slice(0, n))
      const at = (i: number) => wave[i % wave.length] ?? Number.NaN
      for (let i = n; i <= WARM_UP; i++) value += (at(i) - value) * (2 / (n + 1))
      return value
    }
    const long = Array.from({ length: WARM_UP + 1 }, (_, i) => wave[i % wave.length] ?? Number.NaN)
    expect(study(long).at(-1)?.MACD).toBeCloseTo(textbook(12) - textbook(26), 5)
  })
})

describe('[S1-03] as bars form', () => {
  test('a jump is in the indicators at once, and taken back with it', () => {
    const study = createStudy()
    const bars = barsOf(Array.from({ length: 60 }, () => 100))
    study.all(bars)
    const say = (close: number) => study.now([...bars.slice(0, -1), { start: 59, close }], new Set([59]))
    const line = 100 * (2 / 13 - 2 / 27)
    expect(say(200)).toEqual({
      SMA_20: 105,
      SMA_50: 102,
      RSI_14: 100,
      MACD: expect.closeTo(line, 9),
      MACD_Signal: expect.closeTo(line / 5, 9),
      MACD_Histogram: expect.closeTo((line * 4) / 5, 9)
    })
    expect(say(0)).toMatchObject({ SMA_20: 95, SMA_50: 98, RSI_14: 0, MACD: expect.closeTo(-line, 9) })
    expect(say(100)).toMatchObject({ SMA_20: 100, SMA_50: 100, RSI_14: 50, MACD: expect.closeTo(0, 9) })
  })

  test('they are those of all bars read anew, whichever bars changed, came in between, came last or went', () => {
    const step = fc.record({
      back: fc.oneof(fc.constant(0), fc.nat(70)),
      fresh: fc.boolean(),
      close: fc.double({ min: 1, max: 1_000, noNaN: true })
    })
    fc.assert(
      fc.property(closes, fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (list, rounds) => {
        const kept = createStudy()
        // Every other start is left free for bars that come in between.
        const bars = barsOf(list).map(({ start, close }) => ({ start: 2 * start, close }))
        kept.all(bars)
        for (const round of rounds) {
          const changed = new Set<number>()
          for (const { back, fresh, close } of round) {
            const start = (bars.at(-1 - (back % bars.length))?.start ?? 0) + (fresh ? (back === 0 ? 2 : 1) : 0)
            const at = bars.findIndex((bar) => bar.start >= start)
            if (at < 0) bars.push({ start, close })
            else bars.splice(at, bars[at]?.start === start ? 1 : 0, { start, close })
            changed.add(start)
          }
          expect(kept.now(bars, changed)).toEqual(createStudy().all(bars).at(-1))
        }
      }),
      { numRuns: 50 }
    )
  })

  test('bars that the indicators never read begin a study, and no bars have none', () => {
    const bars = barsOf([1, 2, 3])
    expect(createStudy().now(bars, new Set([2]))).toEqual(createStudy().all(bars).at(-1))
    expect(createStudy().now([], new Set())).toBeUndefined()
  })
})
