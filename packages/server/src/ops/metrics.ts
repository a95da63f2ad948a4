/** Prometheus metrics: read from the plain counters when scraped, so that the hot path only adds numbers. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Mode, ProviderStatus, RecordingStatus } from '@tickwire/protocol'
import { Registry } from 'prom-client'
import { observe, openHistogram, turn } from '../connection/histogram.ts'
import type { Hop } from '../feed/hops.ts'
import type { Meters } from '../gateway/meters.ts'
import type { Plant } from '../plant/plant.ts'
import { createGauges, type Gauges } from './gauges.ts'
import { exportHops } from './hops.ts'
import { exportProviders } from './provider-metrics.ts'
import { exportRecording } from './recording-metrics.ts'

export type MetricSources = {
  meters: Meters
  plant: Plant
  /** By dialect: open connections, those with a subscription, and what waits for them. */
  channels: () => Readonly<Record<string, { connections: number; subscribers: number; queue_len: number }>>
  /** Clients behind, those that are slow and so given the newest only, and the groups of the others. */
  fanout: () => { behind: number; slow: number; groups: number }
  providers: () => readonly ProviderStatus[]
  ready: () => boolean
  recording: (() => RecordingStatus) | undefined
  about: { mode: Mode; version: string; startedAt: number }
}

const DELIVERY: readonly [string, string, (meters: Meters) => number][] = [
  ['updates_delivered', 'Events handed to clients, each client counted', ({ delivered }) => delivered],
  ['frames_sent', 'Messages with events, each client counted', ({ frames }) => frames],
  ['bytes_sent', 'Bytes written to clients', ({ bytes }) => bytes],
  ['updates_conflated', 'Events replaced by newer ones for clients that were behind', ({ conflated }) => conflated],
  ['updates_lost', 'Events dropped, and announced as lost, for clients that were behind', ({ lost }) => lost],
  ['slow_closes', 'Clients closed because they did not read', ({ slowCloses }) => slowCloses],
  ['connections_opened', 'Connections accepted', ({ opened }) => opened],
  ['connections_refused', 'Connections refused at the upgrade', ({ refused }) => refused]
]

function ofDelivery({ counter, gauge }: Gauges, { meters, plant, channels, fanout }: MetricSources): void {
  for (const [name, help, read] of DELIVERY) counter(name, help, [], (put) => put(read(meters)))
  counter('events_published', 'Events published on all topics', [], (put) => {
    let sum = 0
    for (const topic of plant.topics()) sum += plant.last(topic)?.seq ?? 0
    put(sum)
  })
  counter('http_answers', 'Answers to HTTP requests, streams that ended among them', ['status'], (put) => {
    for (const [status, count] of Object.entries(meters.answers)) put(count, { status })
  })
  gauge('topics', 'Topics that have an event', [], (put) => put([...plant.topics()].length))
  // They are read in the order in which they stand here, so that all connections are looked at once a scrape.
  let rows: ReturnType<MetricSources['channels']> = {}
  gauge('connections', 'Open connections', ['dialect'], (put) => {
    rows = channels()
    for (const [dialect, { connections }] of Object.entries(rows)) put(connections, { dialect })
  })
  gauge('subscribers', 'Open connections that hold a topic', ['dialect'], (put) => {
    for (const [dialect, { subscribers }] of Object.entries(rows)) put(subscribers, { dialect })
  })
  gauge('queue_events', 'Events that wait for clients that are behind', ['dialect'], (put) => {
    for (const [dialect, row] of Object.entries(rows)) put(row.queue_len, { dialect })
  })
  gauge('clients_behind', 'Clients whose sockets are full now', [], (put) => put(fanout().behind))
  gauge('clients_slow', 'Clients moved to the contract latest until they keep up', [], (put) => put(fanout().slow))
  gauge('groups', 'Groups of clients that are sent the same bytes', [], (put) => put(fanout().groups))
}

function ofProcess({ counter, gauge }: Gauges, { ready, about: { mode, version, startedAt } }: MetricSources): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  gauge('build_info', 'Always 1: version and mode', ['version', 'mode'], (put) => put(1, { version, mode }))
  gauge('ready', '1 while /ready says so', [], (put) => put(ready() ? 1 : 0))
  gauge('start_time_seconds', 'When it started, Unix time', [], (put) => put(startedAt / 1_000))
  gauge('event_loop_delay_seconds', 'Delay of the event loop since the last scrape', ['quantile'], (put) => {
    for (const quantile of [50, 99]) put(delay.percentile(quantile) / 1e9 || 0, { quantile: `0.${quantile}` })
    delay.reset()
  })
  gauge('resident_memory_bytes', 'Resident memory of the process', [], (put) => put(process.memoryUsage.rss()))
  gauge('heap_used_bytes', 'Memory that JavaScript uses', [], (put) => put(process.memoryUsage().heapUsed))
  counter('cpu_seconds', 'Time on a core, of all threads', [], (put) => {
    const { user, system } = process.cpuUsage()
    put((user + system) / 1e6)
  })
  return () => void delay.disable()
}

/** Its histogram exists before the gateway does: it is fed by the flush. `upToPlant`: the hops that others measure. */
export function createMetrics(upToPlant: () => readonly Hop[]) {
  const registry = new Registry()
  const flushed = openHistogram()
  const hops = (): Hop[] => [...upToPlant(), { hop: 'published_flushed', histogram: flushed }]

  return {
    registry,
    observeWait: (milliseconds: number) => observe(flushed, milliseconds),
    /** Moves the window of the last hop's quantiles on. */
    beat: (now: number) => turn(flushed, now),
    hops,

    /** Returns what stops the measuring. */
    watch(sources: MetricSources): () => void {
      const gauges = createGauges(registry)
      ofDelivery(gauges, sources)
      exportProviders(gauges, sources.providers)
      exportHops(registry, hops)
      if (sources.recording) exportRecording(gauges, sources.recording)
      return ofProcess(gauges, sources)
    }
  }
}
