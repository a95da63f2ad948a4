/** The budget of REST calls: every window holds at every moment. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fairShare, openBudget } from '../../src/connection/budget.ts'

test('no window ever holds more calls than it may, whenever they are asked for', () => {
  const window = fc.record({ count: fc.integer({ min: 1, max: 6 }), per: fc.integer({ min: 1, max: 5_000 }) })
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(400), { maxLength: 60 }), (windows, pauses) => {
      const budget = openBudget(windows)
      let now = 0
      const times = pauses.map((pause) => budget.take((now += pause)))
      for (const { count, per } of windows)
        for (let i = count; i < times.length; i++) expect(times[i]! - times[i - count]!).toBeGreaterThanOrEqual(per)
    })
  )
})

test('25 calls a day among five polls are one call each nearly five hours', () => {
  expect(
    fairShare(
      [
        { count: 5, per: 60_000 },
        { count: 25, per: 86_400_000 }
      ],
      5
    )
  ).toBe(17_280_000)
})
