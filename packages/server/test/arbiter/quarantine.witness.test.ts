/** What the others say decides how far a price may go alone, and how long it waits for them. */
import type { Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { open, quote, T0, trade, X } from './prints.ts'

const NAMES = ['a', 'b', 'c']
/** Three that speak in turn ten times a second, at most two basis points from each other. */
const calm = (kinds?: Parameters<typeof open>[1]) => {
  const run = open(NAMES, kinds)
  for (let at = 0; at < 30_000; at += 100)
    NAMES.forEach((name, i) => run.hear(trade(name, at + i, 100 + ((at / 100) % 3) * 0.01)))
  return run
}
const burst = (at: number, gap: number, count: number, price: number): Trade[] =>
  Array.from({ length: count }, (_, i) => trade('a', at + i * gap, price, { id: `burst${i}` }))

describe('a fat finger of several prints [U6]', () => {
  test.each([
    [0, 3],
    [0, 12],
    [3, 5],
    [20, 5],
    [60, 3]
  ])(
    'every %i ms, %i of them, passes nothing on while two others are live, though neither could speak meanwhile',
    (gap, count) => {
      const run = calm().hear(...burst(30_010, gap, count, 110))
      run.steady(100, 30_300, 40_000, 'a', 'b', 'c')
      expect(run.prices().filter((price) => price === 110)).toEqual([])
      expect(run.flagged('a').length).toBe(count)
      expect(run.refused.length).toBe(count)
    }
  )

  test('beside one other waits for that one to have its turn: in a burst nobody can say otherwise', () => {
    const run = open(['a', 'b']).steady(100, 0, 30_000, 'a', 'b')
    run.hear(...burst(30_010, 1, 5, 110)).steady(100, 30_100, 31_000, 'a', 'b')
    expect(run.prices().filter((price) => price === 110)).toEqual([])
  })

  test('of the leader costs it the lead only if it goes on saying so: one taker’s sweep is no fault of its feed', () => {
    const run = calm().hear(...burst(30_010, 0, 5, 110))
    run.steady(100, 30_100, 32_000, 'a', 'b', 'c')
    expect(run.causes()).toEqual(['first a'])
  })
})

describe('the band follows what the others say', () => {
  test.each([0.985, 0.995, 1.005, 1.015])('one print at %f is held where two others say otherwise', (factor) => {
    const run = calm()
      .hear(trade('a', 30_010, 100 * factor))
      .steady(100, 30_100, 31_000, 'a', 'b', 'c')
    expect(run.prices().some((price) => price === 100 * factor)).toBe(false)
    expect(run.flagged('a')).toMatchObject([{ price: 100 * factor }])
  })

  test('within a few tolerances of the consensus nobody is asked', () => {
    const run = calm().hear(trade('a', 30_010, 100.25))
    expect(run.prices().at(-1)).toBe(100.25)
  })

  test('a market that moves by as much between two words is let move', () => {
    const run = open(NAMES)
    for (let i = 0; i < 200; i++)
      NAMES.forEach((name, n) => run.hear(trade(name, i * 100 + n * 7, 100 + ((i * 7 + n * 3) % 5) * 0.2)))
    run.hear(trade('a', 20_000, 101.5))
    expect(run.prices().at(-1)).toBe(101.5)
  })

  test('what thin sources said seconds ago says nothing against a move within the widest band', () => {
    const run = open(NAMES)
    for (let at = 0; at < 60_000; at += 100) {
      run.hear(trade('a', at, 100))
      if (at % 10_000 === 0) run.hear(trade('b', at + 1, 100), trade('c', at + 2, 100))
    }
    run.hear(trade('a', 66_000, 101.5))
    expect(run.prices().at(-1)).toBe(101.5)
  })

  test('a lasting distance from the others is no jump', () => {
    const run = open(NAMES)
    for (let at = 0; at < 60_000; at += 100) run.hear(trade('a', at, 102), trade('b', at + 1, 100), trade('c', at + 2, 100))
    run.hear(trade('a', 60_000, 102.3), trade('b', 60_001, 100.3), trade('c', 60_002, 100.3))
    run.hear(trade('a', 60_100, 102.6), trade('b', 60_101, 100.6), trade('c', 60_102, 100.6))
    expect(run.flagged('a')).toEqual([])
  })
})

describe('what bears a price out', () => {
  test('is not what another one held that has fallen silent since', () => {
    const run = calm().hear(trade('b', 30_010, 150))
    run
      .steady(100, 30_100, 40_000, 'a', 'c')
      .hear(trade('a', 40_000, 150))
      .to(40_100)
    run.steady(100, 40_100, 41_000, 'a', 'c')
    expect(run.prices().filter((price) => price === 150)).toEqual([])
  })

  test('is a true move of another one, most of the way or further, whatever they overshoot', () => {
    const run = calm()
      .hear(trade('a', 30_010, 95), trade('b', 30_060, 94.2))
      .to(30_200)
    expect(run.prices().at(-1)).toBe(95)
    run.hear(trade('a', 30_210, 94))
    expect(run.prices().at(-1)).toBe(94)
  })

  test('is its own word after two seconds at most where the others are too thin to say anything', () => {
    const run = open(NAMES)
    for (let at = 0; at < 60_000; at += 100) {
      run.hear(trade('a', at, 100))
      if (at % 20_000 === 0) run.hear(trade('b', at + 1, 100), trade('c', at + 2, 100))
    }
    for (let at = 60_000; at < 63_000; at += 100) run.hear(trade('a', at, 110))
    const moved = run.on(`trade:${X}`).filter((event) => (event as Trade).price === 110)
    // None is lost, and all of them come in order.
    expect(moved.length).toBe(30)
    const released = run.flagged('a').at(-1)!.received + 100 - T0
    expect(released).toBeLessThanOrEqual(62_000)
  })

  test('is asked of quotes as well: a wide one contradicts nobody', () => {
    const run = calm(['trade', 'quote']).hear(quote('a', 30_010, 90, 110))
    expect(run.on(`quote:${X}`).length).toBe(1)
  })
})

describe('against all that could happen', () => {
  /** A move of all: the first says it, each other one follows with a delay of its own and goes on saying so. */
  test('a true move is held no longer than until the second source follows, and 100 ms; none of it is lost', () => {
    const world = fc.record({
      to: fc.constantFrom(0.5, 0.9, 0.97, 0.99, 1.01, 1.03, 1.2, 3),
      delays: fc.array(fc.integer({ min: 20, max: 900 }), { minLength: 2, maxLength: 2 }),
      every: fc.integer({ min: 20, max: 300 })
    })
    fc.assert(
      fc.property(world, ({ to, delays, every }) => {
        const run = calm()
        const [b = 0, c = 0] = delays
        const starts = { a: 30_100, b: 30_100 + b, c: 30_100 + c }
        const prints = Object.entries(starts).flatMap(([who, start]) =>
          Array.from({ length: Math.ceil(2_500 / every) }, (_, i) => 30_100 + i * every + NAMES.indexOf(who))
            .map((at) => trade(who, at, at >= start ? 100 * to : 100)))
        run.hear(...prints.toSorted((x, y) => x.received - y.received)).to(33_000)
        const followed = Math.min(...prints.filter((p) => p.provider !== 'a' && p.price !== 100).map((p) => p.received)) - T0
        const held = run.flagged('a').map((event) => event.received - T0)
        expect(Math.max(...held, 0)).toBeLessThanOrEqual(followed + 100)
        expect(run.refused).toEqual([])
      }),
      { numRuns: 200, seed: 61 }
    )
  }) // prettier-ignore

  /** Oracle: whatever one source does alone, while two others go on at their price, none of it goes on. */
  test('no series of wrong prints of one source reaches readers while two others say otherwise within their usual time', () => {
    const wrong = fc.record({
      after: fc.integer({ min: 0, max: 400 }),
      by: fc.constantFrom(1, 1.006, 1.015, 1.1, 1.1, 1.1, 0.9, 40)
    })
    fc.assert(
      fc.property(fc.array(wrong, { minLength: 1, maxLength: 60 }), (series) => {
        const run = calm()
        const prints: Trade[] = []
        let at = 30_000
        for (const [i, { after, by }] of series.entries()) prints.push(trade('a', (at += after), 100 * by, { id: `x${i}` }))
        for (let t = 30_000; t < at + 500; t += 100) prints.push(trade('b', t + 3, 100), trade('c', t + 57, 100))
        run.hear(...prints.toSorted((x, y) => x.received - y.received))
        const worst = Math.max(...run.prices().map((price) => Math.abs(price / 100 - 1)))
        expect(worst).toBeLessThanOrEqual(0.003)
      }),
      { numRuns: 300, seed: 62 }
    )
  })
})
