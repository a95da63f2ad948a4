import type { Book, Level } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { liquidity, liquidityOf, WITHIN } from '../../src/services/liquidity.ts'

const bookOf = (bids: Level[], asks: Level[], more: Partial<Book> = {}): Book => ({
  type: 'book',
  provider: 'one',
  instrument: 'BTC-USDT',
  time: 1,
  received: 2,
  bids,
  asks,
  ...more
})

/** Prices in ticks of a hundredth around 100, unique on a side. */
const side = (from: number, to: number) =>
  fc
    .uniqueArray(fc.tuple(fc.integer({ min: from, max: to }), fc.integer({ min: 1, max: 1_000 })), {
      minLength: 1,
      maxLength: 40,
      selector: ([price]) => price
    })
    .map((rows) => rows.map(([price, size]): Level => [price / 100, size / 8]))
const anyBook = fc.tuple(side(9_800, 9_999), side(10_000, 10_200)).map(([bids, asks]) =>
  bookOf(
    bids.toSorted((a, b) => b[0] - a[0]),
    asks.toSorted((a, b) => a[0] - b[0])
  )
)

const total = (levels: readonly Level[]) => levels.reduce((sum, [, size]) => sum + size, 0)

describe('liquidity', () => {
  test('equals what anyone would first write, for any book', () => {
    fc.assert(
      fc.property(anyBook, (book) => {
        const made = liquidityOf(book)!
        const bid = Math.max(...book.bids.map(([price]) => price))
        const ask = Math.min(...book.asks.map(([price]) => price))
        const mid = (bid + ask) / 2
        expect(made).toMatchObject({ bid, ask })
        expect(made.mid).toBeCloseTo(mid, 6)
        expect(made.spread).toBeCloseTo(ask - bid, 6)
        expect(made.spreadBps).toBeCloseTo(((ask - bid) / mid) * 10_000, 3)
        const lowest = Math.min(...book.bids.map(([price]) => price))
        const highest = Math.max(...book.asks.map(([price]) => price))
        const known = WITHIN.filter((bps) => lowest <= mid - (mid * bps) / 10_000 && highest >= mid + (mid * bps) / 10_000)
        expect(made.depth.map(({ bps }) => bps)).toEqual(known)
        for (const [i, bps] of known.entries()) {
          const bids = total(book.bids.filter(([price]) => price >= mid - (mid * bps) / 10_000))
          const asks = total(book.asks.filter(([price]) => price <= mid + (mid * bps) / 10_000))
          expect(made.depth[i]).toEqual({ bps, bids, asks })
        }
        const widest = made.depth.at(-1)
        const all = widest && widest.bids + widest.asks
        if (all !== undefined) expect(made.imbalance).toBeCloseTo(all > 0 ? (widest!.bids - widest!.asks) / all : 0, 4)
        const sizes = (levels: readonly Level[]) => levels.map(([, size]) => size).toSorted((a, b) => b - a)
        expect(made.support.map(([, size]) => size)).toEqual(sizes(book.bids).slice(0, 5))
        expect(made.resistance.map(([, size]) => size)).toEqual(sizes(book.asks).slice(0, 5))
        for (const level of made.support) expect(book.bids).toContainEqual(level)
      }),
      { numRuns: 1_000 }
    )
  })

  test('its microprice lies between bid and ask, nearer to the side with less size; depth never shrinks outwards', () => {
    fc.assert(
      fc.property(anyBook, (book) => {
        const { bid, ask, mid, microprice, depth, imbalance } = liquidityOf(book)!
        expect(microprice).toBeGreaterThanOrEqual(bid - 1e-9)
        expect(microprice).toBeLessThanOrEqual(ask + 1e-9)
        const heavier = Math.sign(book.bids[0]![1] - book.asks[0]![1])
        if (ask - bid > 1e-9) expect(Math.sign(Math.round((microprice - mid) * 1e9))).toBe(heavier)
        expect(Math.abs(imbalance)).toBeLessThanOrEqual(1)
        for (const [i, { bids, asks }] of depth.entries()) {
          expect(bids).toBeGreaterThanOrEqual(depth[i - 1]?.bids ?? 0)
          expect(asks).toBeGreaterThanOrEqual(depth[i - 1]?.asks ?? 0)
        }
      }),
      { numRuns: 1_000 }
    )
  })

  test('says nothing of what lies beyond the last level: no band that the book does not fill', () => {
    const levels = (from: number, step: number): Level[] => Array.from({ length: 10 }, (_, i) => [from + i * step, 1])
    const { depth, reach, imbalance } = liquidityOf(bookOf(levels(99_990, -6), levels(100_010, 9).slice(0, 8)))!
    expect(reach).toBeCloseTo(6.4, 9)
    expect(depth).toEqual([
      { bps: 1, bids: 1, asks: 1 },
      { bps: 5, bids: 7, asks: 5 }
    ])
    expect(imbalance).toBeCloseTo(2 / 12, 4)
    expect(liquidityOf(bookOf([[99_999, 3]], [[100_001, 1]]))).toMatchObject({ reach: 0.1, depth: [], imbalance: 0.5 })
  })

  test('has the digits of the prices, and not those of the arithmetic', () => {
    expect(liquidityOf(bookOf([[64_321.11, 0.1]], [[64_328.17, 0.2]]))).toMatchObject({
      spread: 7.06,
      mid: 64_324.64,
      spreadBps: 1.0976
    })
    expect(liquidityOf(bookOf([[1.1e-7, 1]], [[1.3e-7, 1]]))).toMatchObject({ spread: 2e-8, mid: 1.2e-7, microprice: 1.2e-7 })
    const tenths: Level[] = [[99.99, 0.1], [99.98, 0.2], [98, 1]] // prettier-ignore
    expect(liquidityOf(bookOf(tenths, [[100.01, 1], [102, 1]]))?.depth[1]).toMatchObject({ bids: 0.3 }) // prettier-ignore
  })

  test('is silent of a book of a dead connection, with an empty side, or crossed', () => {
    expect(liquidityOf(bookOf([[1, 1]], [[2, 1]], { state: 'stale' }))).toBeUndefined()
    expect(liquidityOf(bookOf([], [[2, 1]]))).toBeUndefined()
    expect(liquidityOf(bookOf([[2, 1]], [[2, 1]]))).toBeUndefined()
  })

  test.each<[string, Partial<Book>]>([
    ['goes stale', { state: 'stale' }],
    ['is empty on a side', { asks: [] }],
    ['is crossed', { asks: [[1, 1]] }]
  ])('of a book that %s is said to be stale, at once and once; the next good book is told at once', (_, change) => {
    const state = liquidity.open()
    const say = (more: Partial<Book> = {}) => liquidity.fold(state, bookOf([[1, 1]], [[20, 1]], more))
    expect(say()).toMatchObject([{ topic: 'liquidity:BTC-USDT', event: { bid: 1 } }])
    expect(say()[0]?.event).toBeUndefined()
    expect(say({ ...change, received: 7 })).toMatchObject([{ event: { bid: 1, ask: 20, received: 7, stale: true } }])
    expect(say(change)).toEqual([])
    expect(liquidity.fold(state, { type: 'watermark', instrument: 'BTC-USDT', time: 9_000 })).toEqual([])
    const [again] = say({ bids: [[2, 1]] })
    expect(again).toMatchObject({ event: { bid: 2 } })
    expect(again?.event).not.toHaveProperty('stale')
  })

  test('is told at once, then at most four times a second, and always of the newest book', () => {
    const state = liquidity.open()
    const say = (bid: number) => liquidity.fold(state, bookOf([[bid, 1]], [[20, 1]]))
    const mark = (time: number) => liquidity.fold(state, { type: 'watermark', instrument: 'BTC-USDT', time })
    expect(say(1)).toHaveLength(1)
    expect([say(2), say(3)].flat()).toEqual([])
    expect(mark(1_000)).toMatchObject([{ topic: 'liquidity:BTC-USDT', event: { bid: 3 } }])
    expect(mark(1_250)).toEqual([])
    say(4)
    expect(mark(1_249)).toEqual([])
    expect(mark(1_250)).toMatchObject([{ event: { bid: 4 } }])
    liquidity.forget?.(state, 'BTC-USDT')
    expect(say(5)).toHaveLength(1)
  })
})
