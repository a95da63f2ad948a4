import { expect, test } from 'vitest'
import { expiryOf, scopesOf } from '../src/keys.ts'

const NOW = Date.UTC(2026, 10, 21)

test.for([
  ['90d', Date.UTC(2027, 1, 19)],
  ['12h', NOW + 43_200_000],
  ['30m', NOW + 1_800_000],
  ['2027-01-31', Date.UTC(2027, 0, 31)]
] as const)('a key that is to expire %s holds until then', ([text, time]) => {
  expect(expiryOf(text, NOW)).toBe(time)
})

test.for(['', 'never', '0d', '-1d', '10', '2026-11-20', '2027-13-01', '2027-02-30', '2027-01-31T10:00'])(
  '%o is no time to come',
  (text) => {
    expect(() => expiryOf(text, NOW)).toThrow(/--expires is .*a time to come/)
  }
)

test('whoever may change things may see them, and a scope that is none is named', () => {
  expect(scopesOf('admin')).toEqual(['read', 'admin'])
  expect(scopesOf('trade, read')).toEqual(['read', 'trade'])
  expect(() => scopesOf('read,root')).toThrow(/"root": there are read, trade, admin/)
})
