/** The last guard before the plant refuses what no market can have, also when an adapter let it through. */
import { expect, test } from 'vitest'
import type { Candle, Ticker } from '@tickwire/protocol'
import { impossible } from '../../src/arbiter/possible.ts'

const about = { instrument: 'BTC-USD', provider: 'any', time: 1, received: 1 }
const candle = (open: number, high: number, low: number, close: number): Candle => ({
  ...about,
  type: 'candle',
  interval: '1m',
  start: 1,
  open,
  high,
  low,
  close,
  volume: 1,
  closed: true,
  revision: 0
})

test.each([
  [500, 101, 99, 100],
  [100, 101, 99, 98],
  [100, 99, 101, 100]
])('a candle that opens at %d, within %d and %d, and closes at %d cannot be', (...prices) => {
  expect(impossible(candle(...prices))).toBe('price out of its range')
})
test('a candle within its range can be, a float of 32 bits aside', () => {
  expect(impossible(candle(100.1, Math.fround(100.1), 99, 100))).toBeUndefined()
})
test('a ticker whose high is below its low cannot be', () => {
  const ticker: Ticker = { ...about, type: 'ticker', last: 100, high: 1, low: 200 }
  expect(impossible(ticker)).toBe('high below low')
  expect(impossible({ ...ticker, high: 200, low: 1 })).toBeUndefined()
})
