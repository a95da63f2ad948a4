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
test('a number written out reads back as itself, with the digits it has and without an exponent', () => {
  const written = (value: number, digits: number, power: number) => Number(`${value.toPrecision(digits)}e${power}`)
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 9, noNaN: true }),
      fc.integer({ min: 1, max: 17 }),
      fc.integer({ min: -80, max: 40 }),
      (...of) => {
        const text = plain(written(...of))
        expect(Number(text)).toBe(written(...of))
        expect(text).toMatch(/^\d+(\.\d+)?$/)
        expect(text.replace(/^0\.0*|\./, '').length).toBeLessThanOrEqual(Math.max(17, of[2] + 2))
      }
    )
  )
  expect([1e30, 1.25e21, -3e-8, 1.2345678901234566e-7].map(plain)).toEqual([
    `1${'0'.repeat(30)}`,
    '1250000000000000000000',
    '-0.00000003',
    '0.00000012345678901234566'
  ])
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
