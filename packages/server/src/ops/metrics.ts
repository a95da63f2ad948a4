/** Prometheus metrics: read from the plain counters when scraped, so that the hot path only adds numbers. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ProviderStatus } from '@tickwire/protocol'
import { Counter, Gauge, Registry } from 'prom-client'
import { observe, openHistogram, turn } from '../connection/histogram.ts'
import type { Hop } from '../feed/hops.ts'
import type { Meters } from '../gateway/meters.ts'
import type { Plant } from '../plant/plant.ts'
import { exportHops } from './hops.ts'

export type MetricSources = {
  meters: Meters
  plant: Plant
  /** Open connections by dialect. */
  connections: () => Readonly<Record<string, number>>
  behind: () => number
  providers: () => readonly ProviderStatus[]
}

/** Its histogram exists before the gateway does: it is fed by the flush. `upToPlant`: the hops that others measure. */
export function createMetrics(upToPlant: () => readonly Hop[]) {
  const registry = new Registry()
  const flushed = openHistogram()
  const hops = (): Hop[] => [...upToPlant(), { hop: 'published_flushed', histogram: flushed }]

  const total = (name: string, help: string, read: () => number) => {
    const counter = new Counter({
      name: `tickwire_${name}_total`,
      help,
      registers: [],
      collect() {
        this.reset()
        this.inc(read())
      }
    })
    registry.registerMetric(counter)
  }

  const gauge = <L extends string>(name: string, help: string, labelNames: L[], read: (set: Gauge<L>) => void) => {
    const made = new Gauge<L>({
      name: `tickwire_${name}`,
      help,
      labelNames,
      registers: [],
      collect() {
        this.reset()
        read(this)
      }
    })
    registry.registerMetric(made)
  }

  const ofProviders = (providers: MetricSources['providers']) => {
    gauge('provider_phase', 'Phase of each provider: 1 for the one it is in', ['provider', 'phase'], (set) => {
      for (const { provider, phase } of providers()) set.set({ provider, phase }, 1)
    })
    gauge('provider_frames_per_second', 'Frames per second from each provider, over 10 s', ['provider'], (set) => {
      for (const { provider, rate } of providers()) set.set({ provider }, rate)
    })
    gauge(
      'provider_latency_milliseconds',
      "Median of received minus provider time, its clock's offset taken off",
      ['provider'],
      (set) => {
        for (const { provider, latency } of providers()) if (latency !== undefined) set.set({ provider }, latency)
      }
    )
    gauge('provider_clock_offset_seconds', "By how much each provider's clock is ahead of ours", ['provider'], (set) => {
      for (const { provider, clock } of providers()) if (clock) set.set({ provider }, clock.offset / 1_000)
    })
    gauge('provider_clock_uncertainty_seconds', 'Half width of what that offset may be', ['provider'], (set) => {
      for (const { provider, clock } of providers()) if (clock) set.set({ provider }, clock.uncertainty / 1_000)
    })
    gauge('provider_refused_frames', 'Frames refused, by reason, since the start', ['provider', 'reason'], (set) => {
      for (const { provider, refused } of providers())
        for (const [reason, count] of Object.entries(refused)) set.set({ provider, reason }, count)
    })
    gauge('provider_reconnects', 'Reconnects of each provider since the start', ['provider'], (set) => {
      for (const { provider, reconnects } of providers()) set.set({ provider }, reconnects)
    })
    gauge('provider_gaps', 'Gaps of each provider since the start', ['provider'], (set) => {
      for (const { provider, gaps } of providers()) set.set({ provider }, gaps)
    })
  }

  const ofEventLoop = () => {
    const delay = monitorEventLoopDelay({ resolution: 20 })
    delay.enable()
    gauge('event_loop_delay_milliseconds', 'Delay of the event loop since the last scrape', ['quantile'], (set) => {
      for (const quantile of [50, 99]) set.set({ quantile: `0.${quantile}` }, delay.percentile(quantile) / 1e6 || 0)
      delay.reset()
    })
    gauge('resident_memory_bytes', 'Resident memory of the process', [], (set) => set.set(process.memoryUsage.rss()))
    return () => void delay.disable()
  }

  return {
    registry,
    observeWait: (milliseconds: number) => observe(flushed, milliseconds),
    /** Moves the window of the last hop's quantiles on. */
    beat: (now: number) => turn(flushed, now),
    hops,

    /** Returns what stops the measuring. */
    watch({ meters, plant, connections, behind, providers }: MetricSources): () => void {
      total('events_published', 'Events published on all topics', () => {
        let sum = 0
        for (const topic of plant.topics()) sum += plant.last(topic)?.seq ?? 0
        return sum
      })
      total('updates_delivered', 'Events handed to clients, each client counted', () => meters.delivered)
      total('frames_sent', 'Messages with events, each client counted', () => meters.frames)
      total('bytes_sent', 'Bytes written to clients', () => meters.bytes)
      total('updates_conflated', 'Events replaced by newer ones for clients that were behind', () => meters.conflated)
      total('updates_lost', 'Events dropped, and announced as lost, for clients that were behind', () => meters.lost)
      total('slow_closes', 'Clients closed because they did not read', () => meters.slowCloses)
      total('connections_opened', 'Connections accepted', () => meters.opened)
      total('connections_refused', 'Connections refused at the upgrade', () => meters.refused)
      gauge('connections', 'Open connections', ['dialect'], (set) => {
        for (const [dialect, count] of Object.entries(connections())) set.set({ dialect }, count)
      })
      gauge('clients_behind', 'Clients that are given conflated updates now', [], (set) => set.set(behind()))
      ofProviders(providers)
      exportHops(registry, hops)
      return ofEventLoop()
    }
  }
}
