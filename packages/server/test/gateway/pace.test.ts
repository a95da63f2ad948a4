import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPace, CROWD, SLOWEST } from '../../src/gateway/pace.ts'
import { timers } from '../../src/timers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** `at`: when it flushed, from the start; `work.takes`: how long writing takes. */
function stage(every: number) {
  const start = Date.now()
  const at: number[] = []
  const work = { takes: 0 }
  const pace = createPace(Date.now, timers, every, (now) => {
    at.push(now - start)
    vi.setSystemTime(Date.now() + work.takes)
  })
  return { pace, at, work }
}

test('the first event after a quiet spell leaves at once, those after it once per interval', async () => {
  const { pace, at } = stage(16)
  for (let n = 0; n < 40; n++) {
    pace.due()
    await vi.advanceTimersByTimeAsync(1)
  }
  expect(at[0]).toBeLessThanOrEqual(1)
  expect(at.slice(1)).toEqual([at[0]! + 16, at[0]! + 32])
})

test('nothing is written when nothing is due', async () => {
  const { pace, at } = stage(16)
  pace.due()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(at).toHaveLength(1)
})

test('an interval of 0 writes at the end of each turn', async () => {
  const { pace, at } = stage(0)
  pace.due()
  pace.due()
  await vi.advanceTimersByTimeAsync(0)
  pace.due()
  await vi.advanceTimersByTimeAsync(0)
  expect(at).toEqual([0, 0])
  pace.stop()
})

test('where writing takes long the interval grows to a fifth more than that, within its bound, and is the old one at once when it does not', () => {
  const { pace, work } = stage(16)
  for (const [takes, interval] of [
    [5, 16],
    [30, 36],
    [500, SLOWEST],
    [8, 16],
    [0, 16]
  ] as const) {
    work.takes = takes
    pace.fire()
    expect(pace.interval()).toBe(interval)
  }
})

test('[T10] while a crowd comes in those who are here are written less often, so that all have something soon; not because of a few', () => {
  const { pace, work } = stage(16)
  const flushAfter = (newcomers: number, takes: number): number => {
    for (let n = 0; n < newcomers; n++) pace.joined()
    work.takes = takes
    pace.fire()
    return pace.interval()
  }
  expect(flushAfter(CROWD.from - 1, 40)).toBe(48)
  expect(flushAfter(CROWD.from, 40)).toBe(CROWD.times * 40)
  expect(flushAfter(CROWD.from, 200)).toBe(CROWD.slowest)
  expect(flushAfter(0, 40)).toBe(48)
})
