import { describe, expect, test } from 'vitest'
import type { MarketEvent } from '@tickwire/protocol'
import { createMarket } from '../src/market.ts'
import { VENUES } from '../src/venues.ts'

const START = Date.parse('2026-01-15T12:00:00Z')
const MINUTE = 60_000
const market = (provider: string, seed = 7) => createMarket({ seed, venue: VENUES[provider]!, start: START })
const of = <T extends MarketEvent['type']>(events: readonly MarketEvent[], type: T, instrument: string) =>
  events.filter((event): event is Extract<MarketEvent, { type: T }> => event.type === type && event.instrument === instrument)
const minute = Object.fromEntries(Object.keys(VENUES).map((provider) => [provider, market(provider).advance(START + MINUTE)]))

describe('the same seed gives the same bytes', () => {
  test.each(Object.keys(VENUES))('at %s, in one step or in many', (provider) => {
    const stepped = market(provider)
    const events = []
    for (let t = START; t < START + 10_000; t += 333) events.push(...stepped.advance(t))
    events.push(...stepped.advance(START + 10_000))
    expect(JSON.stringify(events)).toBe(JSON.stringify(market(provider).advance(START + 10_000)))
  })
  test('and another seed gives others', () => {
    expect(JSON.stringify(market('binance', 8).advance(START + 1_000))).not.toBe(
      JSON.stringify(market('binance').advance(START + 1_000))
    )
  })
  test('the past is the same whenever it is asked for', () => {
    const later = createMarket({ seed: 7, venue: VENUES['kraken']!, start: START + 3 * MINUTE })
    const closed = (m: ReturnType<typeof market>, now: number) =>
      m.candles('BTC-USD', '1h', 4, now).filter(({ start }) => start < START - 3_600_000)
    expect(closed(later, START + 3 * MINUTE)).toEqual(closed(market('kraken'), START))
  })
})

describe('the market is believable', () => {
  test('events come in order of time, less than 500 a second over all venues', () => {
    for (const events of Object.values(minute))
      expect(events.every((event, i) => i === 0 || event.time >= events[i - 1]!.time)).toBe(true)
    const total = Object.values(minute).reduce((sum, events) => sum + events.length, 0)
    expect(total / 60).toBeLessThan(500)
    expect(total / 60).toBeGreaterThan(100)
  })
  test('bid is below ask, prices and sizes are positive and have the decimals of the listing', () => {
    for (const [provider, events] of Object.entries(minute))
      for (const event of events) {
        if (event.type === 'quote') expect(event.bid, provider).toBeLessThan(event.ask)
        if (event.type !== 'trade') continue
        const { base } = VENUES[provider]!.listing[0]!
        expect(base).toBeTruthy()
        const row = VENUES[provider]!.listing.find(
          (one) => event.instrument === (one.quote ? `${one.base}-${one.quote}` : one.base)
        )!
        expect(event.price).toBe(Number(event.price.toFixed(row.priceDecimals)))
        expect(event.size).toBe(Number(event.size.toFixed(row.sizeDecimals)))
        expect(event.size).toBeGreaterThan(0)
      }
  })
  test('the venues of an instrument stay within 0.2 % of each other', () => {
    const prices = ['binance', 'coinbase', 'kraken'].map((provider) => of(minute[provider]!, 'quote', 'BTC-USDT').at(-1)!.bid)
    expect(Math.max(...prices) / Math.min(...prices)).toBeLessThan(1.002)
    expect(prices[0]).toBeGreaterThan(60_000)
    expect(prices[0]).toBeLessThan(150_000)
  })
  test('trades print at prices of the book, and their ids rise by one', () => {
    const events = minute['binance']!
    const trades = of(events, 'trade', 'BTC-USDT')
    expect(trades.length).toBeGreaterThan(60)
    trades.forEach((trade, i) => {
      if (i > 0) expect(Number(trade.id) - Number(trades[i - 1]!.id)).toBe(1)
      const { bids, asks } = market('binance').book('BTC-USDT', trade.time)
      expect((trade.side === 'buy' ? asks : bids).map(([price]) => price)).toContain(trade.price)
    })
  })
  test('a quote is the top of the book of its moment', () => {
    for (const quote of of(minute['kraken']!, 'quote', 'ETH-USD').slice(0, 50)) {
      const { bids, asks } = market('kraken').book('ETH-USD', quote.time)
      expect([quote.bid, quote.bidSize, quote.ask, quote.askSize]).toEqual([...bids[0]!, ...asks[0]!])
    }
  })
  test('books have 25 to 50 levels a side, best first, never crossed', () => {
    for (const provider of ['binance', 'coinbase', 'kraken'])
      for (const { bids, asks } of of(minute[provider]!, 'book', 'SOL-USDT')) {
        expect(bids.length).toBe(VENUES[provider]!.depth)
        expect(bids.every(([price], i) => i === 0 || price < bids[i - 1]![0])).toBe(true)
        expect(asks.every(([price], i) => i === 0 || price > asks[i - 1]![0])).toBe(true)
        expect(bids[0]![0]).toBeLessThan(asks[0]![0])
      }
  })
  test('some instruments are quiet', () => {
    expect(of(minute['binance']!, 'trade', 'DOT-USDT').length).toBeLessThan(8)
  })
})

describe('candles', () => {
  test('of the past hang together: each opens where the one before closed', () => {
    const candles = market('coinbase').candles('BTC-USD', '1m', 50, START)
    expect(candles).toHaveLength(50)
    candles.forEach((candle, i) => {
      if (i > 0) expect(candle.open).toBe(candles[i - 1]!.close)
      expect(candle.low).toBeLessThanOrEqual(Math.min(candle.open, candle.close))
      expect(candle.high).toBeGreaterThanOrEqual(Math.max(candle.open, candle.close))
    })
  })
  test('since the start are those of the trades', () => {
    const one = market('binance')
    const trades = of(one.advance(START + MINUTE), 'trade', 'BTC-USDT')
    const [candle] = one.candles('BTC-USDT', '1m', 2, START + MINUTE)
    const prices = trades.map(({ price }) => price)
    expect(candle).toMatchObject({
      start: START,
      closed: true,
      open: prices[0],
      high: Math.max(...prices),
      low: Math.min(...prices),
      close: prices.at(-1),
      trades: trades.length
    })
  })
  test('an instrument that is not listed is named, with those that are', () => {
    expect(() => market('alpaca').candles('BTC-USD', '1m', 1, START)).toThrow(/alpaca does not list BTC-USD; it lists AAPL/)
  })
})
