/** The stages of an event's way that are measured, with how long each took. */
import type { Histogram } from '../connection/histogram.ts'

/** `provider_received` is per provider and kind; the others are of all events. */
export type Hop = {
  hop: 'provider_received' | 'received_published' | 'published_flushed'
  provider?: string
  kind?: string
  histogram: Histogram
}

type Measured = { pool: { hops: () => ReadonlyMap<string, Histogram> } }

/** Those of the feed: up to the plant. */
export const hopsOf = (providers: ReadonlyMap<string, Measured>, published: Histogram): Hop[] => [
  ...[...providers].flatMap(([provider, { pool }]) =>
    [...pool.hops()].map(([kind, histogram]): Hop => ({ hop: 'provider_received', provider, kind, histogram }))
  ),
  { hop: 'received_published', histogram: published }
]
