/** Columns: whatever is put into them comes back exactly. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { packTable, rowsOf, unpackTable, type Row } from '../../src/journal/columns.ts'
import { packNumbers, unpackNumbers } from '../../src/journal/numbers.ts'

const back = (rows: readonly Row[]): Row[] => rowsOf(unpackTable(packTable(rows)), new Set())

const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(-0, 0, Number.NaN, Infinity, -Infinity, 5e-324, 1.797e308, 2 ** 53, -(2 ** 53), 0.1, 1e-8),
  fc.integer({ min: 0, max: 10_000_000 }).map((n) => n / 100),
  fc.integer({ min: 0, max: 1_000_000_000 }).map((n) => 1_769_000_000_000 + n / 1_000)
)
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.integer({ min: 0 }).map(String),
  fc.constantFrom('', '0', '007', '9007199254740993', '\ud800', 'é€😀', 'a\nb')
)
const level = fc.tuple(number, number)
const cell = fc.oneof(
  number,
  text,
  fc.boolean(),
  fc.constant(true),
  fc.array(text, { maxLength: 3 }),
  fc.array(level, { maxLength: 4 }),
  fc.uint8Array({ maxLength: 9 })
)
/** JSON has no words for these inside of a value that is of no form of ours. */
const isJson = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (value instanceof Uint8Array) return false
  return !Array.isArray(value) || value.every(isJson)
}

describe('columns', () => {
  test('[S4-30] numbers come back as they were, to the last bit', () => {
    fc.assert(
      fc.property(fc.array(number, { maxLength: 300 }), (all) => {
        const { spec, bytes } = packNumbers(Float64Array.from(all))
        const found = unpackNumbers(spec, all.length, new Uint8Array(bytes))
        expect([...found].every((value, i) => Object.is(value, all[i]))).toBe(true)
      }),
      { numRuns: 2_000 }
    )
  })

  test('[S4-30] rows of any fields, present or not, come back equal', () => {
    const column = fc.oneof(fc.array(number), fc.array(text), fc.array(cell.filter(isJson)), fc.array(fc.uint8Array()))
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ maxLength: 5 }).filter((name) => name !== '__proto__'),
          column
        ),
        (columns) => {
          const height = Math.max(0, ...Object.values(columns).map(({ length }) => length))
          const rows = Array.from({ length: height }, (_, i) =>
            Object.fromEntries(Object.entries(columns).flatMap(([name, cells]) => (i < cells.length ? [[name, cells[i]]] : [])))
          )
          expect(back(rows)).toStrictEqual(rows)
        }
      ),
      { numRuns: 500 }
    )
  })

  test('a field that is undefined is absent, and one that comes late is where it was', () => {
    const rows = [{ a: 1 }, { a: 2, b: undefined }, { b: 'x' }, { a: 3, b: 'y', c: true }, {}]
    expect(back(rows)).toStrictEqual([{ a: 1 }, { a: 2 }, { b: 'x' }, { a: 3, b: 'y', c: true }, {}])
  })

  test('trades take a few bytes each, without being zipped', () => {
    const rows = Array.from({ length: 4_096 }, (_, i) => ({
      type: 'trade',
      time: 1_769_000_000_000 + i * 3,
      id: String(5_000_000 + i),
      price: (5_000_000 + ((i * 7_919) % 1_000)) / 100,
      size: ((i * 104_729) % 1_000_000) / 10_000
    }))
    expect(packTable(rows).length / rows.length).toBeLessThan(10)
  })
})
