/** What a dialect of the street may ask: the listing of one provider, its plant, and candles as far back as it likes. */
import { parseTopic, type Candle, type Interval, type Published } from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from '@tickwire/server/dialects/dialect.ts'
import { createHanded } from '@tickwire/server/plant/handed.ts'
import type { Plant } from '@tickwire/server/plant/plant.ts'
import type { Listing } from '@tickwire/server/providers/adapter.ts'
import { instrumentOf } from './venues.ts'

const stamped = (candle: Candle, topic: string, seq: number): Published => ({ ...candle, topic, seq, published: candle.time })

type Past = (instrument: string, interval: Interval, count: number) => Candle[]

export function createDesk({
  provider,
  listing,
  plant,
  past,
  clock
}: {
  provider: string
  listing: readonly Listing[]
  plant: Plant
  past: Past
  clock: () => number
}): Desk {
  const { hand, recent } = createHanded(plant, clock)
  const infos = listing.map((row): InstrumentInfo => {
    const { symbol, trading, aliases: _aliases, ...rest } = row
    return { ...rest, instrument: instrumentOf(row), providers: [{ provider, symbol, trading }] }
  })
  const byName = new Map(infos.flatMap((info) => [info.instrument, info.base + (info.quote ?? '')].map((name) => [name, info])))

  return {
    server: `${provider} street`,
    epoch: plant.epoch,
    mode: 'demo',
    resolve(text) {
      const found = byName.get(text.toUpperCase())
      return found ? { ok: true, instrument: found.instrument } : { ok: false, nearest: [] }
    },
    instruments: () => infos,
    instrument: (id) => infos.find((info) => info.instrument === id),
    last: plant.last,
    hand,
    recent(topic, count) {
      const parsed = topic.startsWith('candle:') ? parseTopic(topic) : undefined
      if (!parsed || 'code' in parsed || !parsed.interval) return recent(topic, count)
      return past(parsed.instrument, parsed.interval, count).map((candle, i) => stamped(candle, topic, i + 1))
    },
    candles: (instrument, interval, limit) => Promise.resolve(past(instrument, interval, limit)),
    past: (instrument, interval, limit) => Promise.resolve({ candles: past(instrument, interval, limit) }),
    unlisted: () => [],
    carries: () => true,
    connections: () => []
  }
}
