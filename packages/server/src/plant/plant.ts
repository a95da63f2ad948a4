/**
 * The ticker plant: stamp, remember, fan out. One page on purpose: it does not know what an event means, and it is
 * synchronous on purpose, so that a snapshot and the first live event after it have no seam.
 */
import { digestAfter, digestOf, type MarketEvent, type Position, type Published } from '@tickwire/protocol'

export type Listener = (event: Published) => void

type Lane = {
  seq: number
  keep: number
  ring: Published[]
  /** Of each event in the ring the topic's digest after it; `before`: that before the oldest. */
  digests: number[]
  before: number
  oldest: number
  listeners: Set<Listener>
}

export type Joined = {
  /** The events after `since` that were kept; without a usable `since`, the last value alone. */
  missed: readonly Published[]
  recovered: boolean
  position: Position
  stop: () => void
}

export type Plant = ReturnType<typeof createPlant>

/** All that a plant knows, without those who listen. */
export type Kept = ReadonlyMap<string, Readonly<Lane>>

export type PlantOptions = { epoch: string; keep?: (event: MarketEvent) => number; kept?: Kept }

/**
 * `keep` says, from its first event, how many events a topic remembers for readers that come back. `kept`: it goes on from what another
 * plant knew; its topics' digests go on from those of that one, and nobody recovers by that one's epoch.
 */
export function createPlant({ epoch, keep = () => 1_000, kept }: PlantOptions) {
  const lanes = new Map<string, Lane>()
  for (const [topic, { ring, digests, ...lane }] of kept ?? []) {
    const before = lane.seq === 0 ? digestOf(epoch, topic) : lane.before
    lanes.set(topic, { ...lane, before, ring: ring.slice(), digests: digests.slice(), listeners: new Set() })
  }
  const laneOf = (topic: string): Lane => {
    let lane = lanes.get(topic)
    if (!lane) {
      const before = digestOf(epoch, topic)
      lanes.set(topic, (lane = { seq: 0, keep: 0, ring: [], digests: [], before, oldest: 0, listeners: new Set() }))
    }
    return lane
  }
  /** The newest slot is the one before the oldest. */
  const newest = ({ ring, oldest }: Lane): number => (oldest + ring.length - 1) % ring.length
  const digest = (lane: Lane): number => (lane.seq === 0 ? lane.before : lane.digests[newest(lane)]!)
  /** The ring overwrites its oldest slot once full; `oldest` is that slot. */
  const after = (lane: Lane, seq: number): Published[] => {
    const size = lane.ring.length
    const wanted = Math.min(lane.seq - seq, size)
    return Array.from({ length: wanted }, (_, i) => lane.ring[(lane.oldest + size - wanted + i) % size]!)
  }

  return {
    epoch,

    /** Stamps the event with the next sequence of its topic and hands it to everyone who listens, in this turn. */
    publish(topic: string, event: MarketEvent, now: number): Published {
      const lane = laneOf(topic)
      const published = event as Published
      const before = digest(lane)
      published.topic = topic
      published.seq = ++lane.seq
      published.published = now
      lane.keep ||= Math.max(1, keep(event))
      const after = digestAfter(before, published)
      if (lane.ring.length < lane.keep) {
        lane.ring.push(published)
        lane.digests.push(after)
      } else {
        lane.before = lane.digests[lane.oldest]!
        lane.ring[lane.oldest] = published
        lane.digests[lane.oldest] = after
        lane.oldest = (lane.oldest + 1) % lane.keep
      }
      for (const listener of lane.listeners) listener(published)
      return published
    },

    subscribe(topic: string, listener: Listener, since?: Position): Joined {
      const lane = laneOf(topic)
      const recovered =
        since !== undefined && since.epoch === epoch && since.seq <= lane.seq && lane.seq - since.seq <= lane.ring.length
      const missed = after(lane, recovered ? since.seq : lane.seq - 1)
      lane.listeners.add(listener)
      return { missed, recovered, position: { epoch, seq: lane.seq }, stop: () => void lane.listeners.delete(listener) }
    },

    last: (topic: string): Published | undefined => {
      const lane = lanes.get(topic)
      return lane && lane.ring[newest(lane)]
    },

    /** Where a reader stands who has all of a topic. */
    position: (topic: string): Position => {
      const lane = lanes.get(topic)
      return lane ? { epoch, seq: lane.seq, digest: digest(lane) } : { epoch, seq: 0, digest: digestOf(epoch, topic) }
    },

    /** The topic's digest after `seq`, as far back as its events are kept. */
    digestAt: (topic: string, seq: number): number | undefined => {
      const lane = lanes.get(topic)
      if (!lane) return seq === 0 ? digestOf(epoch, topic) : undefined
      const back = lane.seq - seq
      if (back < 0 || back > lane.ring.length) return undefined
      return back === lane.ring.length ? lane.before : lane.digests[(newest(lane) - back + lane.ring.length) % lane.ring.length]
    },

    /** The last events of a topic, oldest first. */
    recent: (topic: string, count: number): readonly Published[] => {
      const lane = lanes.get(topic)
      return lane ? after(lane, lane.seq - count) : []
    },

    topics: (): Iterable<string> => lanes.keys(),
    /** For another that goes on from here. */
    kept: (): Kept =>
      new Map(
        [...lanes].map(([topic, { ring, digests, ...lane }]) => [
          topic,
          { ...lane, ring: ring.slice(), digests: digests.slice(), listeners: new Set() }
        ])
      ),
    listeners: (topic: string): number => lanes.get(topic)?.listeners.size ?? 0
  }
}
