/** What a topic that somebody reads needs of the providers and of the services; a part of main.ts. */
import { isWhole, type DataKind, type Kind, type Mode, type Topic } from '@tickwire/protocol'
import type { Desk } from './dialects/dialect.ts'
import type { Feed } from './feed/feed.ts'
import type { Instruments } from './feed/instruments.ts'
import type { Demand } from './gateway/gateway.ts'
import { createHanded } from './plant/handed.ts'
import type { Plant } from './plant/plant.ts'
import type { Services } from './services/run.ts'
import { VERSION } from './version.ts'

/** What our own kinds are made of. */
const MADE_OF: Partial<Record<Kind, DataKind>> = { liquidity: 'book', change: 'trade' }

/** What a topic needs of the providers: a candle of ours is folded from trades; news of an instrument is picked from all news. */
function sourceOf(topic: Topic): Topic {
  const { instrument } = topic
  if (topic.kind === 'candle' && topic.provider === undefined) return { kind: 'trade', instrument }
  if (topic.kind === 'arbitration' && topic.of) return { kind: topic.of, instrument }
  const made = MADE_OF[topic.kind]
  if (made) return { kind: made, instrument }
  return isWhole(topic.kind) ? { ...topic, instrument: 'all' } : topic
}

/** What trades are not right without: what was wrong of them, and whether their silence is a halt. */
const BESIDE: Partial<Record<Kind, readonly DataKind[]>> = { trade: ['correction', 'halt'] }
const neededFor = (topic: Topic): Topic[] => {
  const source = sourceOf(topic)
  return [source, ...(BESIDE[source.kind] ?? []).map((kind) => ({ ...source, kind }))]
}

/** Services run while anyone holds the instrument. */
export const demandOf =
  (feed: Feed, services: Services): Demand =>
  (topic) => {
    // Of what is watched anyhow: nobody is asked for it.
    if (topic.kind === 'breadth') return { upstream: 'live', release: () => {} }
    const [source, ...beside] = neededFor(topic)
    const unwatch = services.watch(source!.instrument)
    const { upstream, release } = feed.want(source!)
    const others = beside.map((each) => feed.want(each).release)
    const both = () => {
      unwatch()
      release()
      for (const each of others) each()
    }
    return { upstream, release: both }
  }

export const deskOf = (
  mode: Mode,
  plant: Plant,
  clock: () => number,
  instruments: Instruments,
  feed: Feed,
  past: Desk['past'],
  connections: Desk['connections'],
  /** Those whose breadth is told. */
  groups: readonly string[] = []
): Desk => ({
  server: `tickwire/${VERSION}`,
  epoch: plant.epoch,
  mode,
  resolve: instruments.resolve,
  instruments: instruments.all,
  instrument: instruments.info,
  unlisted: feed.unlisted,
  carries: (topic) => (topic.kind === 'breadth' ? groups.includes(topic.instrument) : feed.carries(sourceOf(topic))),
  last: plant.last,
  ...createHanded(plant, clock),
  // Other venues' protocols have no words for why a past is short.
  candles: (...question) => past(...question).then(({ candles }) => candles),
  past,
  connections
})
