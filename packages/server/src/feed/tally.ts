/** What is counted about one provider: rate, latency, refusals, phase; the material of its ProviderStatus. */
import type { ProviderPhase, ProviderStatus } from '@tickwire/protocol'
import type { Decoded } from './connection.ts'

export type Tally = ReturnType<typeof createTally>

/** Seconds over which the frame rate is averaged. */
const WINDOW = 10
/** Latencies of the last trades and quotes, of which the median is told. */
const SAMPLES = 256
/** Reasons are bounded: a hostile provider must not grow our memory by inventing new ones. */
const REASONS = 64
/** The best phase among a provider's connections is the provider's phase. */
const RANK: readonly ProviderPhase[] = ['live', 'stale', 'connecting', 'waiting', 'idle', 'stopped']

export function createTally(provider: string) {
  const refused = new Map<string, number>()
  const perSecond = new Float64Array(WINDOW + 1)
  const latencies: number[] = []
  const counts = { frames: 0, events: 0, reconnects: 0, gaps: 0 }
  let second = 0
  let first = 0
  let sample = 0
  let phase: ProviderPhase = 'idle'
  let since = 0
  let reason = 'nobody asked for anything yet'
  let lastFailover: ProviderStatus['lastFailover']

  /** Moves the window on to the second of `now`, clearing those skipped. */
  const advance = (now: number) => {
    const current = Math.floor(now / 1_000)
    if (current === second) return
    if (first === 0) first = current
    for (let s = Math.max(second + 1, current - WINDOW); s <= current; s++) perSecond[s % (WINDOW + 1)] = 0
    second = current
  }

  return {
    frame(now: number) {
      advance(now)
      counts.frames++
      perSecond[second % (WINDOW + 1)]!++
    },

    event(event: Decoded, now: number) {
      counts.events++
      if (event.type !== 'trade' && event.type !== 'quote') return
      // A quote without a time of its own carries ours, which says nothing.
      if (event.time === now || (event.type === 'trade' && event.backfill)) return
      latencies[sample++ % SAMPLES] = now - event.time
    },

    gap: () => void counts.gaps++,
    reconnect: () => void counts.reconnects++,
    failover: (what: NonNullable<ProviderStatus['lastFailover']>) => void (lastFailover = what),

    refused(why: string) {
      const key = refused.has(why) || refused.size < REASONS ? why : 'other'
      refused.set(key, (refused.get(key) ?? 0) + 1)
    },

    /** `changed` is the connection that brought the news; `all` are the phases of all of them. */
    phase(all: readonly ProviderPhase[], changed: { phase: ProviderPhase; reason: string }, now: number) {
      const best = RANK.find((p) => all.includes(p)) ?? changed.phase
      if (best === phase && best !== 'waiting') return
      if (best !== phase) since = now
      phase = best
      reason = changed.reason
    },

    status(now: number, connections: number, subscriptions: number, simulated: boolean): ProviderStatus {
      advance(now)
      const span = Math.min(WINDOW, Math.max(1, second - first))
      // The current second is not over yet and does not count.
      const total = perSecond.reduce((sum, n) => sum + n, 0) - perSecond[second % (WINDOW + 1)]!
      const sorted = latencies.toSorted((a, b) => a - b)
      const latency = sorted[sorted.length >> 1]
      return {
        type: 'provider',
        provider,
        instrument: '',
        time: now,
        received: now,
        phase,
        since,
        reason,
        connections,
        subscriptions,
        rate: total / span,
        ...(latency === undefined ? {} : { latency }),
        ...counts,
        refused: Object.fromEntries(refused),
        ...(lastFailover === undefined ? {} : { lastFailover }),
        simulated
      }
    }
  }
}
