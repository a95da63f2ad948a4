/** Any trades, quotes, tickers, candles and books that a provider could send. */
import * as fc from 'fast-check'
import type { Book, Candle, Level, Quote, Ticker, Trade } from '@tickwire/protocol'
import { NOW } from './stage.ts'

const decimal = (decimals: number, most: number) =>
  fc.integer({ min: 1, max: most * 10 ** decimals }).map((n) => Number((n / 10 ** decimals).toFixed(decimals)))
const price = decimal(2, 200_000)
const size = decimal(5, 10_000)
const time = fc.integer({ min: NOW, max: NOW + 86_400_000 })

const stamp = (instrument: string, time: number) => ({ provider: 'any', instrument, time, received: time })

export const trades = (instrument: string, whole = false): fc.Arbitrary<Trade> =>
  fc
    .record({
      id: fc.integer({ min: 1, max: 1e12 }),
      price,
      size: whole ? fc.integer({ min: 1, max: 5_000 }) : size,
      buy: fc.boolean(),
      time
    })
    .map(({ id, price, size, buy, time }) => ({
      ...stamp(instrument, time),
      type: 'trade',
      id: String(id),
      price,
      size,
      side: buy ? 'buy' : 'sell'
    }))

export const quotes = (instrument: string): fc.Arbitrary<Quote> =>
  fc
    .record({ bid: price, bidSize: size, spread: decimal(2, 10), askSize: size, time })
    .map(({ bid, bidSize, spread, askSize, time }) => ({
      ...stamp(instrument, time),
      type: 'quote',
      bid,
      bidSize,
      ask: Number((bid + spread).toFixed(2)),
      askSize
    }))

export const tickers = (instrument: string): fc.Arbitrary<Ticker> =>
  fc
    .record({ open: decimal(2, 100_000), move: fc.integer({ min: -99, max: 99 }), volume: size, time })
    .map(({ open, move, volume, time }) => {
      const last = Number((open * (1 + move / 1_000) + 0.01).toFixed(2))
      const [low, high] = [Math.min(open, last), Math.max(open, last)]
      const change = Number((last - open).toFixed(2))
      const changePercent = Number(((100 * change) / open).toFixed(3))
      return { ...stamp(instrument, time), type: 'ticker', last, open, high, low, volume, change, changePercent }
    })

export const candles = (instrument: string, interval: '1m' | '5m'): fc.Arbitrary<Candle> =>
  fc
    .record({ prices: fc.array(price, { minLength: 4, maxLength: 4 }), volume: size, n: fc.nat(1_440), closed: fc.boolean() })
    .map(({ prices, volume, n, closed }) => {
      const start = NOW + n * (interval === '1m' ? 60_000 : 300_000)
      const [open, , , close] = prices as [number, number, number, number]
      return {
        ...stamp(instrument, start + 1_000),
        type: 'candle',
        interval,
        start,
        open,
        high: Math.max(...prices),
        low: Math.min(...prices),
        close,
        volume,
        trades: 7,
        closed,
        revision: 0
      }
    })

/** A book around a middle that wanders, so that levels come, go, change, and come back. */
export const books = (instrument: string, depth: number): fc.Arbitrary<Book[]> =>
  fc
    .array(
      fc.record({
        middle: fc.integer({ min: 9_990, max: 10_010 }),
        seeds: fc.array(fc.nat(4), { minLength: 2 * depth, maxLength: 2 * depth })
      }),
      {
        minLength: 2,
        maxLength: 25
      }
    )
    .map((pictures) =>
      pictures.map(({ middle, seeds }, i) => {
        const side = (from: number, step: number): Level[] =>
          Array.from({ length: depth }, (_, n): Level => [
            Number(((from + n * step) / 100).toFixed(2)),
            seeds[n + (step > 0 ? depth : 0)]! / 4
          ]).filter(([, size]) => size > 0)
        return { ...stamp(instrument, NOW + i * 100), type: 'book', bids: side(middle - 1, -1), asks: side(middle + 1, 1) }
      })
    )

/** One side, best first: `sign` is 1 where the lowest price is best. */
function createSide(sign: 1 | -1) {
  let levels: (readonly [number, number])[] = []
  /** The place of the first level that is not better. */
  const placeOf = (price: number): number => {
    let [low, high] = [0, levels.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sign * (levels[middle]![0] - price) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    put([price, size]: Level): void {
      const at = placeOf(price)
      const held = levels[at]?.[0] === price ? 1 : 0
      if (size === 0) levels.splice(at, held)
      else levels.splice(at, held, [price, size])
    },
    cut: (depth: number) => void (levels.length > depth && (levels = levels.slice(0, depth))),
    clear: () => void (levels = []),
    levels: () => levels
  }
}

/** Folds deltas as a client does. */
export function createBook() {
  const sides = { bids: createSide(-1), asks: createSide(1) }
  return {
    apply(delta: { snapshot: boolean; bids: readonly Level[]; asks: readonly Level[] }, depth = Infinity): void {
      for (const name of ['bids', 'asks'] as const) {
        const side = sides[name]
        if (delta.snapshot) side.clear()
        for (const level of delta[name]) side.put(level)
        side.cut(depth)
      }
    },
    sides: () => ({ bids: sides.bids.levels(), asks: sides.asks.levels() })
  }
}
