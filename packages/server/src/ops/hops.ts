/** Latency per hop as Prometheus histograms in seconds: our own buckets, read when scraped. */
import { Histogram as Exported, type Registry } from 'prom-client'
import { BOUNDS } from '../connection/histogram.ts'
import type { Hop } from '../feed/hops.ts'

const HELP = {
  provider_received: "From the provider's time of an event to ours, its clock's offset taken off",
  received_published: 'From hearing an event to publishing it',
  published_flushed: 'From publishing to flushing, of the oldest event in each batch'
} as const
const NAMES = {
  provider_received: 'tickwire_provider_to_received_seconds',
  received_published: 'tickwire_received_to_published_seconds',
  published_flushed: 'tickwire_published_to_flushed_seconds'
} as const

type Value = { value: number; labels: Record<string, string | number>; metricName: string }

function valuesOf({ hop, provider, kind, histogram: { counts, sum } }: Hop): Value[] {
  const name = NAMES[hop]
  const labels: Record<string, string> = provider === undefined ? {} : { provider, kind: kind ?? '' }
  let count = 0
  const buckets = BOUNDS.map((bound, i) => ({
    value: (count += counts[i]!),
    labels: { ...labels, le: bound / 1_000 },
    metricName: `${name}_bucket`
  }))
  const all = count + counts[BOUNDS.length]!
  return [
    ...buckets,
    { value: all, labels: { ...labels, le: '+Inf' }, metricName: `${name}_bucket` },
    { value: sum / 1_000, labels, metricName: `${name}_sum` },
    { value: all, labels, metricName: `${name}_count` }
  ]
}

export function exportHops(registry: Registry, hops: () => readonly Hop[]): void {
  for (const hop of Object.keys(NAMES) as Hop['hop'][]) {
    const exported = new Exported({ name: NAMES[hop], help: HELP[hop], labelNames: ['provider', 'kind'], registers: [] })
    const values = (): Promise<object> =>
      Promise.resolve({
        name: NAMES[hop],
        help: HELP[hop],
        type: 'histogram',
        aggregator: 'sum',
        values: hops()
          .filter((each) => each.hop === hop)
          .flatMap(valuesOf)
      })
    // As text it is asked for by another name than as JSON.
    registry.registerMetric(Object.assign(exported, { get: values, getForPromString: values }))
  }
}
