/**
 * The market of one venue: quotes, trades, tickers and books in order of time. The same seed, start and calls give the same
 * bytes; venues of one seed move around one latent price.
 */
import { INTERVAL_MS, type Book, type Candle, type Interval, type Quote, type Ticker, type Trade } from '@tickwire/protocol'
import type { Listing } from '@tickwire/server/providers/adapter.ts'
import { createLatent } from './latent.ts'
import { createPair, round, type Bar, type Pair } from './pair.ts'
import { hash, normal, uniform } from './random.ts'
import { ASSETS, type Venue } from './venues.ts'

/** Everything that happens within one quantum is drawn together, so events do not depend on when the market is asked. */
const QUANTUM = 50
const DAY = 86_400_000
const MINUTE = 60_000
const BUSIEST = 2.5
/** Minutes of bars made of the trades themselves that are kept. */
const KEPT = 1_500

export type MarketOptions = { seed: number; venue: Venue; start: number }
export type Emission = Quote | Trade | Ticker | Book
export type Market = ReturnType<typeof createMarket>

type Desk = {
  pair: Pair
  trades: number
  last: number
  top: string
  /** Bars of the minutes since the start, made of the trades. */
  minutes: Bar[]
  day: { bucket: number; open: number; high: number; low: number; volume: number }
  /** Volume traded since the day's figures were taken. */
  since: number
}

export function createMarket({ seed, venue, start }: MarketOptions) {
  let at = Math.floor(start / QUANTUM)
  const born = Math.ceil(start / MINUTE) * MINUTE
  const desks = new Map(
    venue.listing.map((row) => {
      const desk = openDesk(seed, venue, row, start)
      return [desk.pair.instrument, desk]
    })
  )

  const deskOf = (instrument: string): Desk => {
    const desk = desks.get(instrument)
    if (!desk) throw new Error(`${venue.provider} does not list ${instrument}; it lists ${[...desks.keys()].join(', ')}`)
    return desk
  }

  return {
    venue,

    /** All events up to `to`, oldest first. */
    advance(to: number): Emission[] {
      const events: Emission[] = []
      for (; (at + 1) * QUANTUM <= to; at++) {
        const from = events.length
        for (const desk of desks.values()) step(desk, at, venue, events)
        if (events.length - from > 1) events.push(...events.splice(from).sort((a, b) => a.time - b.time))
      }
      return events
    },

    /** Goes on from `to` without the events between: after a laptop slept, nobody wants its night. */
    skip(to: number): void {
      at = Math.max(at, Math.floor(to / QUANTUM))
    },

    /** When the events emitted so far end. */
    time: (): number => at * QUANTUM,

    book(instrument: string, t: number): Book {
      const { pair } = deskOf(instrument)
      return bookOf(pair, t)
    },

    /** The last `limit` candles, oldest first; the last one is still forming. */
    candles(instrument: string, interval: Interval, limit: number, now: number): Candle[] {
      const desk = deskOf(instrument)
      const length = INTERVAL_MS[interval]
      const open = Math.floor(now / length) * length
      return Array.from({ length: limit }, (_, i) => candleAt(desk, interval, open - (limit - 1 - i) * length, now, born))
    }
  }
}

function openDesk(seed: number, venue: Venue, row: Listing, start: number): Desk {
  const { price, daily } = ASSETS[row.base]!
  const pair = createPair(seed, venue, row, createLatent(seed, row.base, price, daily))
  const day = { bucket: -1, open: 0, high: 0, low: 0, volume: 0 }
  // Ids rise by one per trade, and by enough from run to run that a later run never repeats them.
  const trades = Math.floor(start / 100)
  return { pair, trades, last: pair.bar('1m', start - MINUTE, start).close, top: '', minutes: [], day, since: 0 }
}

/** Before `born`, the first whole minute, a bar is made of the price; after it, of the trades. */
function candleAt(desk: Desk, interval: Interval, from: number, now: number, born: number): Candle {
  const to = from + INTERVAL_MS[interval]
  const bar = from >= born ? folded(desk, from, to, now) : desk.pair.bar(interval, from, now)
  return { ...stamp(desk.pair, Math.min(to, now)), type: 'candle', interval, ...bar, closed: to <= now, revision: 0 }
}

const stamp = (pair: Pair, time: number) => ({ provider: pair.venue.provider, instrument: pair.instrument, time, received: time })

const bookOf = (pair: Pair, t: number): Book => ({
  ...stamp(pair, t),
  type: 'book',
  ...pair.book(t, Math.max(pair.venue.depth, 1))
})

/** What one quantum of one instrument brings. */
function step(desk: Desk, quantum: number, venue: Venue, events: Emission[]): void {
  const { pair } = desk
  const draw = (name: number): number => uniform(hash(pair.own, name), quantum)
  const begin = quantum * QUANTUM
  const seconds = QUANTUM / 1_000
  if (draw(1) < pair.rates.quotes * seconds) quote(desk, begin + Math.floor(draw(2) * QUANTUM), events)
  // The wilder, the busier, up to a bound that spares the question in most quanta.
  const lot = draw(3) / (pair.rates.trades * seconds)
  if (lot < BUSIEST && lot < 0.4 + 0.6 * pair.volatility(begin)) {
    // A burst: one order that eats several resting ones prints several trades at the same moment.
    const count = draw(4) < 0.15 ? 2 + Math.floor(draw(5) * 4) : 1
    trade(desk, begin + Math.floor(draw(6) * QUANTUM), count, draw(7) < 0.5, events)
  }
  if (pair.rates.books > 0) {
    const every = Math.max(2, Math.round(1 / (pair.rates.books * seconds)))
    if ((quantum + (pair.own % every)) % every === 0) events.push(bookOf(pair, begin + QUANTUM - 1))
  }
  const every = pair.rates.quotes * venue.activity > 1 ? 20 : 60
  if ((quantum + (pair.own % every)) % every === 0) events.push(tickerOf(desk, begin + QUANTUM - 1))
}

function quote(desk: Desk, time: number, events: Emission[]): void {
  const { bids, asks } = desk.pair.book(time, 1)
  const [[bid, bidSize], [ask, askSize]] = [bids[0]!, asks[0]!]
  const top = `${bid} ${bidSize} ${ask} ${askSize}`
  if (top === desk.top) return
  desk.top = top
  events.push({ ...stamp(desk.pair, time), type: 'quote', bid, bidSize, ask, askSize })
}

function trade(desk: Desk, time: number, count: number, buy: boolean, events: Emission[]): void {
  const { pair } = desk
  const levels = pair.book(time, count)
  const side = buy ? levels.asks : levels.bids
  for (let i = 0; i < count; i++) {
    const id = ++desk.trades
    const [price] = side[Math.floor(i / 2)]!
    const drawn = pair.ticket * 0.6 * Math.exp(normal(pair.tickets, id))
    const size = Math.max(round(drawn, pair.sizeDecimals), 10 ** -pair.sizeDecimals)
    events.push({ ...stamp(pair, time), type: 'trade', id: String(id), price, size, side: buy ? 'buy' : 'sell' })
    print(desk, time, price, size)
  }
}

/** A trade enters the last price, the minute's bar and the day's volume. */
function print(desk: Desk, time: number, price: number, size: number): void {
  desk.last = price
  desk.since += size
  const start = Math.floor(time / MINUTE) * MINUTE
  const bar = desk.minutes.at(-1)
  if (bar?.start === start) {
    bar.high = Math.max(bar.high, price)
    bar.low = Math.min(bar.low, price)
    bar.close = price
    bar.volume = round(bar.volume + size, 8)
    bar.trades++
  } else desk.minutes.push({ start, open: price, high: price, low: price, close: price, volume: size, trades: 1 })
  if (desk.minutes.length > KEPT) desk.minutes.shift()
}

/** A bar of the time since the start, folded from the trades; flat at the last close where nothing traded. */
function folded(desk: Desk, from: number, to: number, now: number): Bar {
  const inside = desk.minutes.filter((bar) => bar.start >= from && bar.start < to)
  const before = desk.minutes.findLast((bar) => bar.start < from)
  if (inside.length === 0) {
    const close = before?.close ?? desk.pair.bar('1m', from - MINUTE, Math.min(from, now)).close
    return { start: from, open: close, high: close, low: close, close, volume: 0, trades: 0 }
  }
  return {
    start: from,
    open: inside[0]!.open,
    high: Math.max(...inside.map((bar) => bar.high)),
    low: Math.min(...inside.map((bar) => bar.low)),
    close: inside.at(-1)!.close,
    volume: round(
      inside.reduce((sum, bar) => sum + bar.volume, 0),
      8
    ),
    trades: inside.reduce((sum, bar) => sum + bar.trades, 0)
  }
}

/** The last price with the statistics of the rolling day, which are taken anew each minute. */
function tickerOf(desk: Desk, time: number): Ticker {
  const { pair, day } = desk
  const bucket = Math.floor(time / MINUTE)
  if (bucket !== day.bucket) {
    const bars = Array.from({ length: 24 }, (_, i) => pair.bar('1h', time - DAY + i * 3_600_000, time))
    // Taken once: from then on the day's volume moves by what trades.
    const volume = day.bucket < 0 ? bars.reduce((sum, bar) => sum + bar.volume, 0) : day.volume
    desk.day = {
      bucket,
      open: bars[0]!.open,
      high: Math.max(...bars.map((bar) => bar.high)),
      low: Math.min(...bars.map((bar) => bar.low)),
      volume
    }
  }
  const { open, high, low, volume } = desk.day
  const last = desk.last
  const change = round(last - open, pair.priceDecimals)
  return {
    ...stamp(pair, time),
    type: 'ticker',
    last,
    open,
    high: Math.max(high, last),
    low: Math.min(low, last),
    volume: round(volume + desk.since, pair.sizeDecimals),
    change,
    changePercent: round((change / open) * 100, 3)
  }
}
