/** A price that jumps is believed when it is borne out, and until then is nobody's but its provider's. */
import type { Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { open, quote, T0, trade, X } from './prints.ts'

describe('a price that jumps [U6]', () => {
  test.each([0.1, 0.5, 0.97, 1.03, 1.5, 10])('to %f of it is on its provider’s topic alone, and says why', (factor) => {
    const run = open(['a', 'b']).steady(100, 0, 5_000, 'a', 'b')
    run.hear(trade('a', 5_000, 100 * factor)).steady(100, 5_100, 6_000, 'a', 'b')
    expect(new Set(run.prices())).toEqual(new Set([100]))
    expect(run.flagged('a')).toMatchObject([{ price: 100 * factor }])
    expect((run.flagged('a')[0] as Trade).quarantined).toMatch(/ is \d+\.\d % from 100, and no other source bears it out$/)
    expect(run.refused).toEqual(['a price that nobody bore out'])
  })

  test('within the band it is nothing', () => {
    const run = open(['a'])
      .steady(100, 0, 5_000, 'a')
      .hear(trade('a', 5_000, 101.9))
    expect(run.prices().at(-1)).toBe(101.9)
    expect(run.flagged('a')).toEqual([])
  })

  test('of a lone source is believed when it comes three times in a row, all of it and in order', () => {
    const run = open(['a']).steady(100, 0, 5_000, 'a')
    run.hear(trade('a', 5_000, 10), trade('a', 5_100, 10.1))
    expect(run.prices().at(-1)).toBe(100)
    run.hear(trade('a', 5_200, 10.05), trade('a', 5_300, 10.1))
    expect(run.prices().slice(-5)).toEqual([100, 10, 10.1, 10.05, 10.1])
    expect(run.flagged('a').length).toBe(2)
    expect(run.refused).toEqual([])
  })

  test('is believed as soon as a second source says the same, by what each of them said before this instant', () => {
    const run = open(['a', 'b']).steady(100, 0, 5_000, 'a', 'b')
    run.hear(trade('a', 5_000, 50), trade('b', 5_010, 50.2))
    expect(run.prices().at(-1)).toBe(100)
    run.to(5_100)
    expect(run.prices().at(-1)).toBe(50)
    run.hear(trade('b', 5_110, 50.2), trade('a', 5_120, 50.1))
    expect(run.prices().slice(-2)).toEqual([50, 50.1])
    expect(run.causes()).toEqual(['first a'])
  })

  test('contradicted by two others is not believed even three times, and the lead passes at once to one of them', () => {
    const run = open(['a', 'b', 'c']).steady(100, 0, 5_000, 'a', 'b', 'c')
    for (let at = 5_000; at < 20_000; at += 100) run.hear(trade('a', at, 150), trade('b', at + 10, 100), trade('c', at + 20, 100))
    expect(new Set(run.prices())).toEqual(new Set([100]))
    expect(run.causes()).toEqual(['first a', 'outlier b'])
    // Four prints of b went by before a third of a could be contradicted, and b's were not lost.
    expect(run.on(`trade:${X}`).length).toBeGreaterThan(190)
    expect(run.state.views.get(X)!.holding.size).toBe(1)
    expect(run.state.lanes.get(`trade:${X}`)!.sources.get('a')!.held!.prints.length).toBeLessThanOrEqual(3)
  })

  test('kept to for a minute against all others it is a price of its own, and its source a source again', () => {
    const run = open(['a', 'b', 'c']).steady(100, 0, 5_000, 'a', 'b', 'c')
    for (let at = 5_000; at < 70_000; at += 100) run.hear(trade('a', at, 150), trade('b', at + 10, 100), trade('c', at + 20, 100))
    expect(run.state.lanes.get(`trade:${X}`)!.sources.get('a')!.held).toBeUndefined()
    expect(run.flagged('a').at(-1)!.received - T0).toBeLessThanOrEqual(65_100)
    expect(new Set(run.prices())).toEqual(new Set([100]))
  })

  test('is held of quotes too: the newest goes on when it is borne out; a wide quote contradicts nothing', () => {
    const run = open(['a'], ['quote'])
    for (let at = 0; at < 5_000; at += 100) run.hear(quote('a', at, 99.9, 100.1))
    run.hear(quote('a', 5_000, 60, 140), quote('a', 5_100, 49.9, 50.1))
    expect(run.on(`quote:${X}`).at(-1)).toMatchObject({ bid: 60 })
    run.hear(quote('a', 5_200, 49.8, 50), quote('a', 5_300, 49.9, 50.1))
    expect(run.on(`quote:${X}`).at(-1)).toMatchObject({ bid: 49.9, received: T0 + 5_300 })
  })

  test('that another kind of the same source has borne out is a jump no more', () => {
    const run = open(['a'], ['trade', 'quote'])
    for (let at = 0; at < 5_000; at += 100) run.hear(trade('a', at, 100), quote('a', at + 1, 99.9, 100.1))
    run.hear(quote('a', 5_000, 49.9, 50.1), trade('a', 5_001, 50), trade('a', 5_002, 50), trade('a', 5_003, 50)).to(5_200)
    expect(run.on(`quote:${X}`).at(-1)).toMatchObject({ bid: 49.9 })
    expect(run.prices().slice(-3)).toEqual([50, 50, 50])
  })

  test('is not asked of what sets no price: filled-in and ineligible prints pass, and move nothing', () => {
    const run = open(['a']).steady(100, 0, 5_000, 'a')
    run.hear(trade('a', 5_000, 150, { ineligible: true }), trade('a', 5_010, 20, { backfill: true }), trade('a', 5_020, 100.5))
    expect(run.prices().slice(-3)).toEqual([150, 20, 100.5])
  })

  test('where prices leap all the time, leaping is learnt', () => {
    const run = open(['a'])
    for (let i = 0; i < 40; i++) run.hear(trade('a', i * 1_000, i % 2 === 0 ? 100 : 103.5))
    expect(run.refused.length).toBeLessThanOrEqual(4)
    expect(run.prices().slice(-10)).toEqual([100, 103.5, 100, 103.5, 100, 103.5, 100, 103.5, 100, 103.5])
  })

  test('whatever comes, the arbitrated prices never jump beyond the band unless borne out, and nothing is published twice', () => {
    const print = fc.record({
      who: fc.constantFrom('a', 'b', 'c'),
      after: fc.integer({ min: 1, max: 400 }),
      wild: fc.constantFrom(1, 1, 1, 1, 1, 0.5, 2, 30)
    })
    fc.assert(
      fc.property(fc.array(print, { minLength: 20, maxLength: 120 }), (prints) => {
        const run = open(['a', 'b', 'c']).steady(100, 0, 2_000, 'a', 'b', 'c')
        let at = 2_000
        const said: { at: number; price: number; who: string }[] = []
        for (const { who, after, wild } of prints) {
          at += after
          said.push({ at, price: 100 * wild, who })
          run.hear(trade(who, at, 100 * wild))
        }
        for (const event of run.on(`trade:${X}`) as Trade[]) {
          if (event.price === 100) continue
          const mine = said.filter(({ who }) => who === event.provider)
          const i = mine.findIndex((each) => each.at === event.received - T0)
          const inARow = [0, 1, 2].some((k) => [0, 1, 2].every((n) => mine[i - k + n]?.price === event.price))
          const seconded = said.some(({ who, price }) => who !== event.provider && price === event.price)
          expect(inARow || seconded).toBe(true)
        }
        const ids = (run.on(`trade:${X}`) as Trade[]).map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
      }),
      { numRuns: 1_000, seed: 31 }
    )
  })

  test('what comes at one instant may come in any order: the same prices are believed', () => {
    const step = fc.record({
      after: fc.integer({ min: 1, max: 300 }),
      prices: fc.array(fc.constantFrom(100, 100, 100, 50, 51, 200), { minLength: 3, maxLength: 3 })
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 25 }), (steps) => {
        const runs = [
          ['a', 'b', 'c'],
          ['c', 'b', 'a'],
          ['b', 'c', 'a']
        ].map((names) => {
          const run = open(['a', 'b', 'c']).steady(100, 0, 2_000, 'a', 'b', 'c')
          let at = 2_000
          for (const { after, prices } of steps) {
            at += after
            for (const name of names) run.hear(trade(name, at, prices['abc'.indexOf(name)]!))
          }
          return ['a', 'b', 'c'].map((name) => run.flagged(name).map((event) => event.received - T0))
        })
        expect(runs[1]).toEqual(runs[0])
        expect(runs[2]).toEqual(runs[0])
      }),
      { numRuns: 500, seed: 32 }
    )
  })
})
