/** Spans of time, places in them, and the clock of a replay. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { hearPast, isPast, serverNow, setPast, setServerTime } from '../src/model/clock.ts'
import { duration, moved, shareOf, speedText } from '../src/model/span.ts'

describe('a span', () => {
  test.for([
    [0, '0 s'],
    [999, '1 s'],
    [61_000, '1 m 1 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [90_061_000, '1 d 1 h']
  ] as const)('%d ms are %s', ([ms, text]) => expect(duration(ms)).toBe(text))
  test('a speed of 0 is told as what it is', () => {
    expect([speedText(0), speedText(0.1), speedText(100)]).toEqual(['max', '0.1×', '100×'])
  })
  test('a place is never outside of it, and a span of nothing has one', () => {
    expect([shareOf(5, 0, 10), shareOf(-1, 0, 10), shareOf(11, 0, 10), shareOf(3, 3, 3)]).toEqual([0.5, 0, 1, 0])
  })
  test('keys move by a hundredth, within a second and ten, and never out of the span', () => {
    expect(moved('ArrowRight', 0, 0, 500_000)).toBe(5_000)
    expect(moved('ArrowRight', 0, 0, 10_000)).toBe(1_000)
    expect(moved('ArrowLeft', 86_400_000, 0, 86_400_000)).toBe(86_390_000)
    expect(moved('ArrowLeft', 100, 0, 10_000)).toBe(0)
    expect(moved('PageUp', 0, 0, 10_000)).toBe(1_000)
    expect([moved('Home', 5, 1, 9), moved('End', 5, 1, 9)]).toEqual([1, 9])
    expect([moved('p', 5, 1, 9), moved('toString', 5, 1, 9)]).toEqual([undefined, undefined])
  })
})

describe('the clock of a replay', () => {
  afterEach(() => {
    setPast()
    vi.useRealTimers()
  })
  test('goes on at its speed up to the end, stands while it is paused, and is ours again after it', () => {
    vi.useFakeTimers({ now: 50_000 })
    setServerTime(50_100)
    expect([isPast(), serverNow()]).toEqual([false, 50_100])
    setPast(1_000, 10, 9_000)
    vi.advanceTimersByTime(500)
    expect([isPast(), serverNow()]).toEqual([true, 6_000])
    vi.advanceTimersByTime(500)
    expect(serverNow()).toBe(9_000)
    setPast(2_000, 0, 9_000)
    vi.advanceTimersByTime(500)
    expect(serverNow()).toBe(2_000)
    setPast()
    expect(serverNow()).toBe(51_600)
  })
  test('what was heard moves it on, never back, and never beyond the end', () => {
    vi.useFakeTimers({ now: 50_000 })
    hearPast(7)
    expect(isPast()).toBe(false)
    setPast(1_000, 0, 9_000)
    hearPast(1_500)
    hearPast(1_200)
    hearPast(10_000)
    expect(serverNow()).toBe(1_500)
  })
})
