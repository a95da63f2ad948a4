/** The day's high and low beside a price, wherever they are told. */
import { expect, test } from 'vitest'
import type { Published, Ticker, Trade } from '@tickwire/protocol'
import { updateOf } from '../../src/dialects/datastream.updates.ts'
import { rangeOf } from '../../src/dialects/range.ts'
import { quoteData } from '../../src/dialects/ziggy.quote.ts'
import { tickerOf, tradeOf } from './fiml.bench.ts'

const NOON = 43_200_000
const ticker = tickerOf('AAPL', 100, { time: NOON, high: 110, low: 90 })
const range = (price: number, more: Partial<Trade> = {}) => {
  const { high, low } = rangeOf(ticker, tradeOf('AAPL', price, NOON, more))
  return [low, high]
}

test.each<[string, Partial<Trade>, readonly [number, number]]>([
  ['one in regular hours', { session: 'regular' }, [80, 110]],
  ['one that nobody says the hours of', {}, [80, 110]],
  ['one while the exchange is closed, as the ticker counts it', { session: 'closed' }, [80, 110]],
  ['one that is told a moment before the ticker', { time: NOON - 1_000 }, [80, 110]],
  ['one of another day', { time: NOON - 90_000_000 }, [90, 110]],
  ['one before hours', { session: 'pre' }, [90, 110]],
  ['one after hours', { session: 'post' }, [90, 110]],
  ['one that sets no price', { ineligible: true }, [90, 110]]
])('a trade widens the day by what the exchange counts: %s', (_what, more, expected) => {
  expect(range(80, more)).toEqual(expected)
})

test('without a ticker nobody knows the day, and without a trade the ticker says it', () => {
  expect(rangeOf(undefined, tradeOf('AAPL', 80))).toEqual({ high: null, low: null })
  expect(rangeOf(ticker, undefined)).toEqual({ high: 110, low: 90 })
})

test('quotes and the data stream tell the same range, and a price is within it', () => {
  const trade = tradeOf('AAPL', 80, NOON, { session: 'closed' })
  const pictures = { trade: trade as Published<Trade>, ticker: ticker as Published<Ticker> }
  expect(quoteData('AAPL', pictures, false)).toMatchObject({ price: 80, day_low: 80, day_high: 110 })
  expect(updateOf('SymbolUpdate', 'AAPL', pictures)).toMatchObject({ ltp: 80, low: 80, high: 110 })
})
