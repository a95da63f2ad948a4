/** Each provider's state as metrics. */
import type { ProviderPhase, ProviderStatus } from '@tickwire/protocol'
import type { Gauges } from './gauges.ts'

/** Each of them always has a value, so that an alert knows 0 from unknown. */
const PHASES: readonly ProviderPhase[] = ['idle', 'connecting', 'live', 'stale', 'waiting', 'stopped']

/** Metric, help, and where it stands in a status; absent: nothing is told. */
const GAUGES: readonly [string, string, (status: ProviderStatus) => number | undefined][] = [
  ['provider_phase_since_seconds', 'When each provider came into its phase, Unix time', ({ since }) => since / 1_000],
  ['provider_connections', 'Open connections to each provider', ({ connections }) => connections],
  ['provider_subscriptions', 'Subscriptions held at each provider', ({ subscriptions }) => subscriptions],
  ['provider_frames_per_second', 'Frames per second from each provider, over 10 s', ({ rate }) => rate],
  [
    'provider_latency_seconds',
    "Median of received minus provider time, its clock's offset taken off",
    ({ latency }) => latency && latency / 1_000
  ],
  [
    'provider_clock_offset_seconds',
    "By how much each provider's clock is ahead of ours",
    ({ clock }) => clock && clock.offset / 1_000
  ],
  [
    'provider_clock_uncertainty_seconds',
    'Half width of what that offset may be',
    ({ clock }) => clock && clock.uncertainty / 1_000
  ]
]
const COUNTERS: readonly [string, string, (status: ProviderStatus) => number][] = [
  ['provider_frames', 'Frames from each provider', ({ frames }) => frames],
  ['provider_events', 'Events decoded of each provider', ({ events }) => events],
  ['provider_reconnects', 'Connections of each provider that ended', ({ reconnects }) => reconnects],
  ['provider_gaps', 'Gaps of each provider', ({ gaps }) => gaps]
]

export function exportProviders({ gauge, counter }: Gauges, providers: () => readonly ProviderStatus[]): void {
  gauge('provider_phase', 'Phase of each provider: 1 for the one it is in', ['provider', 'phase'], (put) => {
    for (const { provider, phase } of providers())
      for (const each of PHASES) put(each === phase ? 1 : 0, { provider, phase: each })
  })
  for (const [name, help, read] of GAUGES)
    gauge(name, help, ['provider'], (put) => {
      for (const status of providers()) {
        const value = read(status)
        if (value !== undefined) put(value, { provider: status.provider })
      }
    })
  for (const [name, help, read] of COUNTERS)
    counter(name, help, ['provider'], (put) => {
      for (const status of providers()) put(read(status), { provider: status.provider })
    })
  counter('provider_refused_frames', 'Frames refused, by reason', ['provider', 'reason'], (put) => {
    for (const { provider, refused } of providers())
      for (const [reason, count] of Object.entries(refused)) put(count, { provider, reason })
  })
}
