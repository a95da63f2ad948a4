/** Entries as a server makes them; without anything of a test runner, since processes of their own make them too. */
import type { MarketEvent, Published } from '@tickwire/protocol'
import type { Entry } from '../../src/journal/journal.ts'

export const T0 = Date.UTC(2026, 0, 5, 10)

/** The n-th entry: trades, quotes and books of some instruments by turns, prices as markets have them. */
export function entryAt(n: number, instruments = 3): Entry {
  const instrument = `S${n % instruments}-USDT`
  const common = { provider: 'acme', instrument, time: T0 + n * 2, received: T0 + n * 2 + 1.25 }
  const price = (5_000_000 + ((n * 7_919) % 1_000)) / 100
  const size = ((n * 104_729) % 1_000_000) / 10_000
  const made: MarketEvent[] = [
    { type: 'trade', ...common, id: String(1_000_000 + n), price, size, side: n % 2 === 0 ? 'buy' : 'sell', confidence: 0.98 },
    { type: 'quote', ...common, bid: price, bidSize: size, ask: price + 0.01, askSize: size / 2 },
    { type: 'book', ...common, bids: [[price, size]], asks: [[price + 0.01, 1]], state: 'valid' }
  ]
  const event = made[Math.floor(n / instruments) % 3]!
  const topic = `${event.type}:${instrument}`
  const published = T0 + n * 2 + 2
  return { type: 'event', time: published, event: { ...event, topic, seq: n + 1, published } as Published }
}
export const entries = (count: number, from = 0): Entry[] => Array.from({ length: count }, (_, i) => entryAt(from + i))
