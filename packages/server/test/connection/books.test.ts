import { crc32 } from 'node:zlib'
import type { Level } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyDelta, checksumOf, openBook, top } from '../../src/connection/books.ts'
import type { BookDelta } from '../../src/providers/adapter.ts'

const delta = (bids: Level[], asks: Level[], more: Partial<BookDelta> = {}): BookDelta => ({
  type: 'delta',
  symbol: 'X',
  time: 1,
  snapshot: false,
  bids,
  asks,
  ...more
})
const snapshot = (bids: Level[], asks: Level[], more: Partial<BookDelta> = {}) => delta(bids, asks, { snapshot: true, ...more })

/** The same book, as anyone would first write it. */
function naive(deltas: readonly BookDelta[]) {
  let sides = { bids: new Map<number, number>(), asks: new Map<number, number>() }
  for (const d of deltas) {
    if (d.snapshot) sides = { bids: new Map(), asks: new Map() }
    for (const side of ['bids', 'asks'] as const)
      for (const [price, size] of d[side]) {
        if (size === 0) sides[side].delete(price)
        else sides[side].set(price, size)
      }
    if (d.depth !== undefined)
      for (const [side, way] of [
        ['bids', -1],
        ['asks', 1]
      ] as const)
        // prettier-ignore
        sides[side] = new Map([...sides[side]].sort((a, b) => (a[0] - b[0]) * way).slice(0, d.depth))
  }
  return { bids: [...sides.bids].sort((a, b) => b[0] - a[0]), asks: [...sides.asks].sort((a, b) => a[0] - b[0]) }
}

const levels = (from: number) =>
  fc.array(fc.tuple(fc.integer({ min: from, max: from + 80 }), fc.integer({ min: 0, max: 4 })), {
    maxLength: 25
  }) as fc.Arbitrary<Level[]>

const ten = (from: number, way: 1 | -1) => Array.from({ length: 12 }, (_, i): Level => [(from + way * i) / 100, 0.05])
const strip = (text: string) => text.replace('.', '').replace(/^0+/, '')

describe('an order book', () => {
  test('equals a naive map of prices after any sequence of snapshots and deltas', () => {
    const change = fc.record({
      snapshot: fc.boolean(),
      bids: levels(1),
      asks: levels(100),
      depth: fc.constantFrom(undefined, 10, 30)
    })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 30 }), (changes) => {
        const deltas = changes.map(({ snapshot: whole, bids, asks, depth }, i) =>
          delta(bids, asks, { snapshot: whole || i === 0, ...(depth === undefined ? {} : { depth }) })
        )
        const book = openBook()
        for (const d of deltas) expect(applyDelta(book, d)).toBe('ok')
        const expected = naive(deltas)
        expect(top(book.bids, 1_000)).toEqual(expected.bids)
        expect(top(book.asks, 1_000)).toEqual(expected.asks)
        expect(top(book.asks, 3)).toEqual(expected.asks.slice(0, 3))
      }),
      { numRuns: 300 }
    )
  })

  test('keeps the later of two rows at one price in a snapshot, and none of size 0', () => {
    const book = openBook()
    applyDelta(book, snapshot([[9, 1], [9, 2], [8, 1], [8, 0]], [[10, 0]])) // prettier-ignore
    expect(book).toMatchObject({ bids: [[9, 2]], asks: [] })
  })

  test('applies no delta before its first snapshot', () => {
    const book = openBook()
    expect(applyDelta(book, delta([[1, 1]], []))).toBe('incomplete')
    expect(book.bids).toEqual([])
  })

  test('says that it is crossed, and since when, until it is not', () => {
    const book = openBook()
    applyDelta(book, snapshot([[9, 1]], [[10, 1]]))
    expect(applyDelta(book, delta([[10, 1]], [], { time: 5 }))).toBe('crossed')
    expect(applyDelta(book, delta([[11, 1]], [], { time: 7 }))).toBe('crossed')
    expect(book.crossedSince).toBe(5)
    expect(applyDelta(book, delta([[11, 0], [10, 0]], []))).toBe('ok') // prettier-ignore
    expect(book.crossedSince).toBeUndefined()
  })

  test.each([[Number.NaN, 1], [-1, 1], [0, 1], [Infinity, 1], [1, Number.NaN], [1, -1], [1, Infinity]])('refuses the level [%s, %s]', (price, size) => {
    const book = openBook()
    applyDelta(book, snapshot([[9, 1]], [[10, 1]]))
    expect(applyDelta(book, delta([[price, size]], []))).toBe('impossible')
    expect(applyDelta(book, delta([], [[price, size]]))).toBe('impossible')
    expect(book).toMatchObject({ bids: [[9, 1]], asks: [[10, 1]] })
  }) // prettier-ignore

  test('takes the checksum over ten asks, then ten bids, best first: digits without point and leading zeros', () => {
    const text = '1015 1025 1035 1045 1055 1065 1075 1085 1095 1105 1005 995 985 975 965 955 945 935 925 915'
    const value = crc32(text.replaceAll(' ', ''))
    const checksum = { value, priceDecimals: 2, sizeDecimals: 2 }
    const book = openBook()
    expect(applyDelta(book, snapshot(ten(100, -1), ten(101, 1), { checksum }))).toBe('ok')
    expect(book.verified).toBe(true)
    expect(applyDelta(book, delta([[1, 0.2]], [], { checksum }))).toBe('checksum')
  })

  test('computes the same checksum as the decimal strings would give, for any price and size', () => {
    const side = fc.array(fc.tuple(fc.integer({ min: 1, max: 9_999_999 }), fc.integer({ min: 1, max: 999_999_999_999 })), {
      maxLength: 12
    })
    fc.assert(
      fc.property(side, fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 8 }), (rows, p, s) => {
        const exact = rows.map(([price, size]) => [price / 10 ** p, size / 10 ** s] as const)
        const text = exact.toReversed().slice(0, 10).map(([price, size]) => strip(price.toFixed(p)) + strip(size.toFixed(s))).join('') // prettier-ignore
        expect(checksumOf({ bids: [...exact], asks: [] }, p, s)).toBe(crc32(text))
      })
    )
  })
})
