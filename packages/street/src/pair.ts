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

export function createPair(seed: number, venue: Venue, row: Listing, latent: Latent) {
  const instrument = instrumentOf(row)
  const asset = ASSETS[row.base]!
  const own = seedOf(seed, `${venue.provider}:${instrument}`)
  const [drift, cells, lives, sizes, positions] = ['drift', 'cells', 'lives', 'sizes', 'positions'].map((name) =>
    seedOf(own, name)
  ) as [number, number, number, number, number]
  const priceDecimals = row.priceDecimals ?? 2
  const sizeDecimals = row.sizeDecimals ?? 8
  const tick = 10 ** -priceDecimals
  /** Levels live in cells of this many ticks; in wide cells each has a place of its own, in narrow ones it fills the cell. */
  const ticks = Math.max(1, Math.round((asset.price * venue.spread * 1e-4) / tick))
  const width = ticks * tick
  const share = row.quote === 'USD' ? 0.6 : 1
  const ticket = asset.ticket / asset.price
  const rates = {
    quotes: asset.quotes * venue.activity * share,
    trades: asset.trades * venue.activity * share,
    books: venue.depth > 0 ? asset.books * venue.activity * share : 0
  }

  const mid = (t: number): number =>
    latent.price(t - venue.latency) * (1 + (venue.offset + 0.6 * noise(drift, t, 40_000) + (row.quote === 'USDT' ? 1 : 0)) * 1e-4)

  const priceOf = (cell: number): number =>
    round((cell + (ticks > 5 ? 0.1 + 0.8 * uniform(positions, cell) : 0)) * width, priceDecimals)

  /** The size resting in a cell: it changes at moments of the cell's own, and a fifth of the time nothing rests there. */
  const sizeOf = (cell: number, t: number): number => {
    const life = 120 + 3_500 * uniform(lives, cell) ** 2
    const epoch = Math.floor(t / life + uniform(cells, cell))
    const key = hash(sizes, cell)
    if (uniform(key, epoch) < 0.2) return 0
    return Math.max(round(ticket * 2.5 * Math.exp(1.1 * normal(key ^ 1, epoch)), sizeDecimals), 10 ** -sizeDecimals)
  }

  /** The best `count` levels a side. */
  const book = (t: number, count: number): Sides => {
    const centre = mid(t)
    const half = (width / 2) * Math.min(3, 0.6 + 0.4 * latent.volatility(t))
    const bids: Level[] = []
    const asks: Level[] = []
    const middle = Math.floor(centre / width)
    for (let cell = middle; bids.length < count && cell > 0; cell--) {
      const price = priceOf(cell)
      if (price > centre - half) continue
      const size = sizeOf(cell, t)
      if (size > 0) bids.push([price, size])
    }
    for (let cell = middle; asks.length < count; cell++) {
      const price = priceOf(cell)
      if (price < centre + half) continue
      const size = sizeOf(cell, t)
      if (size > 0) asks.push([price, size])
    }
    return { bids, asks }
  }

  /** A bar of the past, up to `until` when it is still forming. */
  const bar = (interval: Interval, start: number, until: number): Bar => {
    const end = Math.min(start + INTERVAL_MS[interval], until)
    const prices = Array.from({ length: SAMPLES + 1 }, (_, i) => mid(start + ((end - start) * i) / SAMPLES))
    const key = seedOf(own, `bar${interval}`)
    const minutes = (end - start) / 60_000
    const count = Math.round(rates.trades * minutes * 60 * (0.6 + 0.8 * uniform(key, start / 60_000)))
    return {
      start,
      open: round(prices[0]!, priceDecimals),
      high: round(Math.max(...prices), priceDecimals),
      low: round(Math.min(...prices), priceDecimals),
      close: round(prices[SAMPLES]!, priceDecimals),
      volume: round(count * ticket * (0.8 + 0.4 * uniform(key ^ 1, start / 60_000)), sizeDecimals),
      trades: count
    }
  }

  return {
    instrument,
    row,
    venue,
    own,
    /** Seed of the sizes of its trades. */
    tickets: seedOf(own, 'tickets'),
    rates,
    ticket,
    mid,
    book,
    bar,
    priceDecimals,
    sizeDecimals,
    volatility: latent.volatility
  }
}
