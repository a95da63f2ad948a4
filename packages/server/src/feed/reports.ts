/** What a provider's connections report, put into our words: its symbols become our instruments. */
import { isArbitrated, isWhole, type ArbitratedKind, type Candle, type DataEvent, type DataKind } from '@tickwire/protocol'
import type { Listing } from '../providers/adapter.ts'
import type { Admissible } from '../arbiter/lane.ts'
import { filled, unfilled } from './fills.ts'
import { judge, say, speak, type Hub, type Provider } from './hub.ts'
import type { PoolHooks } from '../connection/pool.ts'
import { pass, passWhole } from './pass.ts'
import { stamp } from './stamp.ts'
import { attach } from './upstream.ts'

const DEFECTS = 16

const isAdmissible = (event: DataEvent): event is Admissible | Candle => event.type === 'candle' || isArbitrated(event.type)

/** A listing may make known what someone has been waiting for. */
export function listed(hub: Hub, provider: string, rows: readonly Listing[]): void {
  hub.instruments.add(provider, rows)
  hub.providers.get(provider)!.listed = true
  for (const topic of hub.topics.all()) attach(hub, topic)
}

/** To its readers each phase; to the log each once, and not that it dials: while it is down it does so again and again. */
function tellPhase(hub: Hub, provider: Provider, now: number): void {
  const { phase, reason } = speak(hub, provider, now)
  if (phase === 'connecting' || phase === provider.loggedPhase) return
  provider.loggedPhase = phase
  hub.log[phase === 'live' ? 'info' : 'warn']({ provider: provider.adapter.provider, phase, reason }, 'provider phase')
}

/** Nobody else delivers any of what this provider carries: who delivers other instruments is no help. */
export function isOutage({ providers, users }: Pick<Hub, 'providers' | 'users'>, provider: string): boolean {
  const places = [...users.values()].map(({ place }) => place)
  const mine = new Set(places.flatMap((place) => (place.provider === provider ? [place.instrument] : [])))
  const delivers = (other: string): boolean => other !== provider && (providers.get(other)?.pool.delivers() ?? false)
  // Who carries nothing that is asked for is compared with all.
  if (mine.size === 0) return ![...providers.keys()].some(delivers)
  return !places.some((place) => mine.has(place.instrument) && delivers(place.provider))
}

export function hooksOf(hub: Hub, provider: string): PoolHooks {
  const { instruments, log } = hub
  const placed = (
    rows: readonly { symbol: string; kind: DataKind }[]
  ): { provider: string; instrument: string; kind: ArbitratedKind }[] =>
    rows.flatMap(({ symbol, kind }) => {
      if (!isArbitrated(kind)) return []
      const instrument = instruments.instrumentOf(provider, symbol)
      return instrument === undefined ? [] : [{ provider, instrument, kind }]
    })
  const defects = new Set<string>()
  return {
    onEvent(event, received, connection) {
      if (isWhole(event.type)) return passWhole(hub, provider, event, received)
      const instrument = instruments.instrumentOf(provider, event.symbol)
      if (instrument !== undefined) {
        const stamped = stamp(event, provider, instrument, received)
        if (isAdmissible(stamped)) return judge(hub, { type: 'event', event: stamped, connection })
        return pass(hub, stamped)
      }
      hub.providers.get(provider)!.pool.refused('unknown symbol')
      judge(hub, { type: 'refused', provider })
    },
    onGap({ symbol, kind, cause, expected, got, until }, carried, action, now) {
      const numbers = { ...(expected === undefined ? {} : { expected }), ...(got === undefined ? {} : { got }) }
      for (const place of placed(symbol === undefined ? carried : [{ symbol, kind }]))
        judge(hub, { type: 'gap', now, ...place, cause, action, wide: symbol === undefined, until, ...numbers })
    },
    onFilled(span, how, now) {
      for (const { instrument } of placed([{ symbol: span.symbol, kind: 'trade' }]))
        say(
          hub,
          filled(hub.gaps, (key) => hub.arbiter.lanes.get(key), { provider, instrument, span, how, now })
        )
    },
    onUnfilled(span, reason, now) {
      log.debug({ provider, symbol: span.symbol, reason }, 'gap not filled')
      for (const { instrument } of placed([{ symbol: span.symbol, kind: 'trade' }]))
        say(hub, unfilled(hub.gaps, { provider, instrument, span, reason, now }))
    },
    onClosed(carried, reason, now) {
      for (const place of placed(carried)) judge(hub, { type: 'closed', now, ...place, reason })
    },
    onRejected(reason, subscription) {
      log.warn({ provider, ...subscription, reason }, 'provider rejected')
      judge(hub, { type: 'refused', provider })
    },
    onRefused: () => judge(hub, { type: 'refused', provider }),
    onListing: (rows) => listed(hub, provider, rows),
    onPhase: (now) => tellPhase(hub, hub.providers.get(provider)!, now),
    isOutage: () => isOutage(hub, provider),
    onDefect(error) {
      // Each kind once: a defect on the road of every event must not fill the disk.
      const kind = String(error)
      if (defects.has(kind) || defects.size >= DEFECTS) return
      defects.add(kind)
      log.error({ provider, err: error }, 'defect in the feed')
    },
    onNotice: (what, fields) => log.info({ provider, ...fields }, what)
  }
}
