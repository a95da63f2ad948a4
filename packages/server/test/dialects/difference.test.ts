import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { differenceOf } from '../../src/dialects/difference.ts'
import { padded, plain, rfc3339 } from '../../src/dialects/digits.ts'
import { books, createBook } from './events.ts'
import { NOW } from './stage.ts'

test('the difference between two books turns the first into the second', () => {
  fc.assert(
    fc.property(books('BTC-USD', 6), (pictures) => {
      const book = createBook()
      const [first, last] = [pictures[0]!, pictures.at(-1)!]
      book.apply({ snapshot: true, bids: first.bids, asks: first.asks })
      book.apply({ snapshot: false, ...differenceOf([first, last]) })
      expect(book.sides()).toEqual({ bids: last.bids, asks: last.asks })
    })
  )
})
const one = (size: number) => ({ bids: [[100, size]] as [number, number][], asks: [] })
test('a level that changed and changed back on the way is told', () => {
  expect(differenceOf([one(1), one(2), one(1)])).toEqual({ bids: [[100, 1]], asks: [] })
})
test('a number written out reads back as itself, without an exponent', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-12, max: 1e12, noNaN: true }), (value) => {
      const text = plain(Number(value.toPrecision(8)))
      expect(Number(text)).toBe(Number(value.toPrecision(8)))
      expect(text).toMatch(/^\d+(\.\d+)?$/)
    })
  )
})
test('padding adds zeros and never rounds', () => {
  expect([padded(95_000.1, 8), padded(5, 0), padded(1e-7, 8), padded(0.123456789, 8)]).toEqual([
    '95000.10000000',
    '5',
    '0.00000010',
    '0.123456789'
  ])
})
test('times keep their microseconds', () => {
  expect([rfc3339(NOW + 0.5, 6), rfc3339(NOW + 123, 9, true), rfc3339(NOW, 9, true)]).toEqual([
    '2026-01-15T12:00:00.000500Z',
    '2026-01-15T12:00:00.123Z',
    '2026-01-15T12:00:00Z'
  ])
})
