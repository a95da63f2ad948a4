/** A provider's past joined to our present, where the exchange has sessions and where ours says what it lacks. */
import type { Candle, Interval } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCalendar } from '../../src/calendar/calendar.ts'
import { pastFrom, sessionsFrom, type Past } from '../../src/markets.ts'
import { joinCandles, regroup } from '../../src/services/history.ts'
import { gridOf, remembered } from '../../src/services/sessions.ts'
import type { Timers } from '../../src/timers.ts'

const MINUTE = 60_000
const QUARTER = 15 * MINUTE
const market = createCalendar()
const sessions = remembered((time) => market('XNYS', time))
const candle = (start: number, close: number, more: Partial<Candle> = {}): Candle => {
  const stamp = { provider: 'alpha', instrument: 'AAPL', time: start, received: 0 }
  const prices = { open: close, high: close, low: close, close, volume: 1, trades: 1 }
  return { type: 'candle', ...stamp, interval: '1m', start, ...prices, closed: true, revision: 0, ...more }
}
/** The early close of Thanksgiving. */
const OPEN = Date.parse('2026-11-27T14:30Z')
const CLOSE = Date.parse('2026-11-27T18:00Z')
const EVENING = Date.parse('2026-11-27T22:00Z')
const MONDAY = Date.parse('2026-11-30T09:00Z')

test('where ours claims less than the whole the provider stands in, if it knows the candle', () => {
  const live = [1, 0.5, 0.5, 1].map((coverage, i) => candle(i * MINUTE, 20 + i, { coverage }))
  const joined = joinCandles([candle(0, 10), candle(MINUTE, 11)], live, '1m', 10)
  expect(joined.map(({ close, coverage }) => [close, coverage])).toEqual([
    [20, 1],
    [11, undefined],
    [22, 0.5],
    [23, 1]
  ])
})

test('a flat candle that neither knows claims nothing', () => {
  const joined = joinCandles([], [candle(0, 10, { coverage: 1 }), candle(2 * MINUTE, 12, { coverage: 1 })], '1m', 10)
  expect(joined.map(({ coverage }) => coverage)).toEqual([1, undefined, 1])
})

test("over a weekend the series goes from the evening's last candle to the morning's first, flagged, without one between", () => {
  const history = [candle(EVENING - 2 * MINUTE, 10)]
  const live = [candle(MONDAY + MINUTE, 12, { coverage: 1, session: 'pre' })]
  const joined = joinCandles(history, live, '1m', 10, gridOf('1m', sessions))
  expect(joined.map(({ start, session, close }) => [start, session, close])).toEqual([
    [EVENING - 2 * MINUTE, 'post', 10],
    [EVENING - MINUTE, 'post', 10],
    [MONDAY, 'pre', 10],
    [MONDAY + MINUTE, 'pre', 12]
  ])
})

test("a provider's days are those of the exchange, with their early end, and join ours", () => {
  const midnight = (date: string) => candle(Date.parse(`${date}T05:00Z`), 10, { interval: '1d' })
  const live = [candle(Date.parse('2026-11-30T14:30Z'), 12, { interval: '1d', session: 'regular', coverage: 1 })]
  const joined = joinCandles([midnight('2026-11-25'), midnight('2026-11-27')], live, '1d', 10, gridOf('1d', sessions))
  expect(joined.map(({ start, end, session }) => [new Date(start).toISOString(), end && end - start, session])).toEqual([
    ['2026-11-25T14:30:00.000Z', 6.5 * 3_600_000, 'regular'],
    ['2026-11-27T14:30:00.000Z', 3.5 * 3_600_000, 'regular'],
    ['2026-11-30T14:30:00.000Z', undefined, 'regular']
  ])
})

test('quarters of an hour become the hours of the session; the first is left out where its beginning is not there', () => {
  const quarters = Array.from({ length: 14 }, (_, i) => candle(OPEN + i * QUARTER, i + 1, { interval: '15m' }))
  const hours = regroup(quarters.slice(1), '1h', gridOf('1h', sessions))
  expect(
    hours.map(({ start, end, open, high, low, close, volume, trades, closed }) => [
      start,
      end,
      open,
      high,
      low,
      close,
      volume,
      trades,
      closed
    ])
  ).toEqual([
    [OPEN + 4 * QUARTER, undefined, 5, 8, 5, 8, 4, 4, true],
    [OPEN + 8 * QUARTER, undefined, 9, 12, 9, 12, 4, 4, true],
    [OPEN + 12 * QUARTER, CLOSE, 13, 14, 13, 14, 2, 2, true]
  ])
  expect(regroup(quarters.slice(0, 6), '1h', gridOf('1h', sessions)).map(({ closed }) => closed)).toEqual([true, false])
})

test('whatever the two hold, the series has every slot of the sessions once and in order', () => {
  const grid = gridOf('15m', sessions)
  const slots = [grid.after(OPEN)]
  while (slots.length < 120) slots.push(grid.after(slots.at(-1)!.end))
  const some = fc.array(fc.nat(119), { maxLength: 30 })
  fc.assert(
    fc.property(some, some, fc.integer({ min: 1, max: 130 }), (a, b, limit) => {
      const made = (rows: number[]) => rows.map((at) => candle(slots[at]!.start, at + 1, { interval: '15m' }))
      const joined = joinCandles(made(a), made(b), '15m', limit, grid)
      const known = [...a, ...b]
      const expected = known.length === 0 ? [] : slots.slice(Math.min(...known), Math.max(...known) + 1).slice(-limit)
      expect(joined.map(({ start }) => start)).toEqual(expected.map(({ start }) => start))
    }),
    { numRuns: 500, seed: 20_261_121 }
  )
})

test('the past is asked for as the session needs it, and an instrument finds its calendar by its listing or by who lists it', async () => {
  const asked: [Interval, number][] = []
  const known = {
    calendarOf: (instrument: string) => (instrument === 'AAPL' ? ('XNYS' as const) : undefined),
    info: (instrument: string) => ({
      instrument,
      base: instrument,
      providers: [{ provider: 'beta', symbol: instrument, trading: true }]
    })
  }
  const find = sessionsFrom(market, known, [{ adapter: { provider: 'beta', calendar: 'XNSE' } }])
  expect(find('SBIN')?.(Date.parse('2026-07-06T03:45Z'))).toMatchObject({
    session: 'regular',
    since: Date.parse('2026-07-06T03:45Z')
  })
  expect(sessionsFrom(undefined, known, [])('AAPL')).toBeUndefined()
  const history = (_: string, interval: Interval, limit: number) => {
    asked.push([interval, limit])
    return Promise.resolve({ candles: [candle(OPEN, 5, { interval })] })
  }
  const past = pastFrom({ history, live: () => [], sessions: find, clock: () => OPEN })
  expect(await past('AAPL', '1h', 10)).toMatchObject({
    candles: [{ start: OPEN, interval: '1h', session: 'regular', close: 5 }]
  })
  await past('AAPL', '1d', 10)
  expect(asked).toEqual([
    ['15m', 40],
    ['1d', 10]
  ])
})

/** A clock of our own, and a provider that answers when it is told to. */
function openPast(live: readonly Candle[]) {
  const due: { at: number; act: () => void }[] = []
  let now = 0
  const answers: ((past: Past) => void)[] = []
  const timers: Timers = {
    after(ms, act) {
      const one = { at: now + ms, act }
      due.push(one)
      return () => {
        const index = due.indexOf(one)
        if (index >= 0) due.splice(index, 1)
      }
    },
    every: () => () => {}
  }
  const history = () => new Promise<Past>((resolve) => answers.push(resolve))
  const past = pastFrom({ history, live: () => live, sessions: () => undefined, clock: () => now, timers })
  return {
    answers,
    ask: (patience?: number) => past('BTC-USDT', '1m', 3, patience),
    wait(ms: number) {
      now += ms
      for (const one of due.filter(({ at }) => at <= now)) {
        due.splice(due.indexOf(one), 1)
        one.act()
      }
    }
  }
}

test('a provider that does not answer keeps nobody waiting: after a second ours are told, and why there are no more', async () => {
  const run = openPast([candle(2 * MINUTE, 12, { coverage: 0.5 })])
  const first = run.ask()
  run.wait(1_000)
  expect(await first).toMatchObject({
    candles: [{ close: 12, coverage: 0.5 }],
    why: expect.stringMatching(/within 1 s; ask again/)
  })
  // Who asks again waits for the answer to the same question, and has it as soon as it is there.
  const second = run.ask()
  expect(run.answers.length).toBe(1)
  run.answers[0]!({ candles: [candle(MINUTE, 11)] })
  const whole = await second
  expect(whole.candles.map(({ close }) => close)).toEqual([11, 12])
  expect(whole).not.toHaveProperty('why')
  expect(await run.ask()).toEqual(whole)
  expect(run.answers.length).toBe(1)
  run.wait(10_000)
  void run.ask()
  expect(run.answers.length).toBe(2)
})

test('who is more patient waits longer, for the same answer', async () => {
  const run = openPast([candle(2 * MINUTE, 12, { coverage: 0.5 })])
  const [hasty, patient, late] = [run.ask(), run.ask(10_000), run.ask(1_500)]
  run.wait(1_000)
  expect(await hasty).toMatchObject({ candles: [{ close: 12 }], why: expect.stringContaining('within 1 s') })
  run.wait(500)
  expect(await late).toMatchObject({ why: expect.stringContaining('within 1.5 s') })
  run.answers[0]!({ candles: [candle(MINUTE, 11)] })
  expect((await patient).candles.map(({ close }) => close)).toEqual([11, 12])
  expect(run.answers.length).toBe(1)
})

test('why a provider could not be asked is told at once beside what is known', async () => {
  const run = openPast([candle(2 * MINUTE, 12)])
  const answer = run.ask()
  run.answers[0]!({ candles: [], why: 'alpha: HTTP 503' })
  expect(await answer).toMatchObject({ candles: [{ close: 12 }], why: 'alpha: HTTP 503' })
})
