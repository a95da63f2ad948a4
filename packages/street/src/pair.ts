/** One instrument on one venue: its mid price, its book, its past, each a pure function of time. */
import { INTERVAL_MS, type Interval, type Level } from '@tickwire/protocol'
import type { Listing } from '@tickwire/server/providers/adapter.ts'
import type { Latent } from './latent.ts'
import { hash, noise, normal, seedOf, uniform } from './random.ts'
import { ASSETS, instrumentOf, type Venue } from './venues.ts'

export type Bar = { start: number; open: number; high: number; low: number; close: number; volume: number; trades: number }
export type Sides = { bids: Level[]; asks: Level[] }
export type Pair = ReturnType<typeof createPair>

/** As toFixed, ten times as fast: the division gives the double nearest to the decimal. */
export const round = (value: number, decimals: number): number => Math.round(value * 10 ** decimals) / 10 ** decimals
/** Points at which a past bar looks at the price: enough for a wick, few enough for a thousand bars at once. */
const SAMPLES = 12

type Grid = { seed: number; width: number; ticks: number; ticket: number; priceDecimals: number; sizeDecimals: number }

/** Where levels may stand and what rests there: each cell has its own price, and changes its size at moments of its own. */
function createLevels({ seed, width, ticks, ticket, priceDecimals, sizeDecimals }: Grid) {
  const [cells, lives, sizes, positions] = [1, 2, 3, 4].map((n) => hash(seed, n)) as [number, number, number, number]
  /** In wide cells each level has a place of its own, narrow ones it fills. */
  const priceOf = (cell: number): number =>
    round((cell + (ticks > 5 ? 0.1 + 0.8 * uniform(positions, cell) : 0)) * width, priceDecimals)

  /** A fifth of the time nothing rests. */
  const sizeOf = (cell: number, t: number): number => {
    const life = 120 + 3_500 * uniform(lives, cell) ** 2
    const epoch = Math.floor(t / life + uniform(cells, cell))
    const key = hash(sizes, cell)
    if (uniform(key, epoch) < 0.2) return 0
    return Math.max(round(ticket * 2.5 * Math.exp(1.1 * normal(key ^ 1, epoch)), sizeDecimals), 10 ** -sizeDecimals)
  }

  /** The best `count` levels up (1) or down (-1) from a price on. */
  return (from: number, step: 1 | -1, count: number, t: number): Level[] => {
    const side: Level[] = []
    for (let cell = Math.floor(from / width); side.length < count && cell >= 0; cell += step) {
      const price = priceOf(cell)
      const size = step * (price - from) < 0 ? 0 : sizeOf(cell, t)
      if (size > 0) side.push([price, size])
    }
    return side
  }
}

export function createPair(seed: number, venue: Venue, row: Listing, latent: Latent) {
  const { base, quote, priceDecimals = 2, sizeDecimals = 8 } = row
  const instrument = instrumentOf(row)
  const asset = ASSETS[base]!
  const own = seedOf(seed, `${venue.provider}:${instrument}`)
  const drift = seedOf(own, 'drift')
  const ticks = Math.max(1, Math.round(asset.price * venue.spread * 1e-4 * 10 ** priceDecimals))
  const width = ticks * 10 ** -priceDecimals
  const ticket = asset.ticket / asset.price
  const levels = createLevels({ seed: own, width, ticks, ticket, priceDecimals, sizeDecimals })
  const share = venue.activity * (quote === 'USD' ? 0.6 : 1)
  const rates = {
    quotes: asset.quotes * share,
    trades: asset.trades * share,
    books: venue.depth > 0 ? asset.books * share : 0
  }

  const mid = (t: number): number =>
    latent.price(t - venue.latency) * (1 + (venue.offset + 0.6 * noise(drift, t, 40_000) + (quote === 'USDT' ? 1 : 0)) * 1e-4)

  /** The best `count` levels a side; wilder times have wider spreads. */
  const book = (t: number, count: number): Sides => {
    const centre = mid(t)
    const half = (width / 2) * Math.min(3, 0.6 + 0.4 * latent.volatility(t))
    return { bids: levels(centre - half, -1, count, t), asks: levels(centre + half, 1, count, t) }
  }

  /** A bar of the past, up to `until` when it is still forming. */
  const bar = (interval: Interval, start: number, until: number): Bar => {
    const end = Math.min(start + INTERVAL_MS[interval], until)
    const prices = Array.from({ length: SAMPLES + 1 }, (_, i) => round(mid(start + ((end - start) * i) / SAMPLES), priceDecimals))
    const key = seedOf(own, `bar${interval}`)
    const trades = Math.round((rates.trades * (end - start) * (0.6 + 0.8 * uniform(key, start / 60_000))) / 1_000)
    const volume = round(trades * ticket * (0.8 + 0.4 * uniform(key ^ 1, start / 60_000)), sizeDecimals)
    return {
      start,
      open: prices[0]!,
      high: Math.max(...prices),
      low: Math.min(...prices),
      close: prices[SAMPLES]!,
      volume,
      trades
    }
  }

  return {
    instrument,
    venue,
    own,
    /** Seed of the sizes of its trades. */
    tickets: seedOf(own, 'tickets'),
    rates,
    ticket,
    book,
    bar,
    priceDecimals,
    sizeDecimals,
    volatility: latent.volatility
  }
}
