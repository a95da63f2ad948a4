/** The texts on the page, as tables. */
import { describe, expect, test } from 'vitest'
import { age, bps, freshness, hundredths, percent, percentShare, price, shortName, since, size } from '../src/model/format.ts'

describe('numbers', () => {
  test.each([
    [undefined, undefined, '–'],
    [67123.4, 2, '67,123.40'],
    [0.00001234, undefined, '0.00001234'],
    [0.5231, undefined, '0.52310'],
    [14.5, undefined, '14.500'],
    [12345.678, undefined, '12,345.68']
  ])('a price of %s with %s decimals reads %s', (value, decimals, text) => expect(price(value, decimals)).toBe(text))

  test.each([
    [1.5, '+1.50%'],
    [-0.256, '−0.26%'],
    [0.001, '0.00%'],
    [-0.001, '0.00%'],
    [undefined, '–']
  ])('a change of %s reads %s, and one that rounds to nothing has no sign', (value, text) => expect(percent(value)).toBe(text))

  test.each([
    [1, '100'],
    [1.0000001, '100'],
    [0.9999, '99.9'],
    [0.999, '99.9'],
    [0.996, '99.6'],
    [0.994, '99'],
    [0.5, '50'],
    [0.004, '0.4'],
    [0.00001, '0.1'],
    [0, '0']
  ])('a share of %s reads %s: less than all is never 100, more than nothing never 0', (value, text) => {
    expect(hundredths(value)).toBe(text)
    expect(percentShare(value)).toBe(`${text} %`)
  })

  test.each([
    [0, '0'],
    [0.0123, '0.0123'],
    [0.000123, '0.000123'],
    [12.4, '12.40'],
    [1234, '1.23K'],
    [5_600_000, '5.60M']
  ])('a size of %s reads %s', (value, text) => expect(size(value)).toBe(text))

  test('a difference in basis points keeps its sign', () =>
    expect([bps(1.24), bps(-0.4), bps(0)]).toEqual(['+1.2 bp', '−0.4 bp', '0.0 bp']))
})

describe('time', () => {
  test.each([
    [320, '0.3 s', 'fresh'],
    [9_960, '10 s', 'ageing'],
    [61_000, '61 s', 'stale'],
    [7_000_000, '117 m', 'stale'],
    [-50, '0.0 s', 'fresh']
  ])('[S3-36] an age of %s ms reads %s and is %s', (ms, text, kind) => expect([age(ms), freshness(ms)]).toEqual([text, kind]))

  test('an age that is not known is not zero', () => expect([age(undefined), age(NaN)]).toEqual(['–', '–']))
})

test.each([
  ['NSE:SBIN-EQ', 'SBIN', 'NSE'],
  ['BTC-USDT', 'BTC', 'USDT'],
  ['AAPL', 'AAPL', '']
])('[S3-42] %s is shown as %s with %s beside it', (id, name, suffix) => expect(shortName(id)).toEqual({ name, suffix }))

test.each([
  [0, 'just now'],
  [59_999, 'just now'],
  [-5_000, 'just now'],
  [60_000, '1 min ago'],
  [3_599_999, '59 min ago'],
  [7_200_000, '2 h ago'],
  [3 * 86_400_000, '3 d ago']
])('a story of %i ms ago was told %s', (ms, words) => expect(since(ms)).toBe(words))
