/** Why an open connection is silent for too long, or nothing: heartbeats keep no price fresh, and closed markets need none. */
import type { Adapter } from '../providers/adapter.ts'
import type { Market } from '../calendar/calendar.ts'
import type { State } from './connection.ts'
import { livenessOf } from '../arbiter/liveness.ts'

/** What the market does now that this connection brings. */
function marketOf<S>({ calendar }: Adapter<S>, { route, settings }: State<S>, now: number): Market | undefined {
  const id = typeof calendar === 'function' ? calendar(route) : calendar
  return id === undefined ? undefined : settings.market?.(id, now)
}
export const isClosed = <S>(adapter: Adapter<S>, s: State<S>, now: number): boolean =>
  marketOf(adapter, s, now)?.session === 'closed'

/** The connection is judged as one source: its subscriptions, each alone and beside other providers, are the arbiter's to judge. */
export function silence<S>(adapter: Adapter<S>, s: State<S>, now: number): string | undefined {
  const { staleAfter } = adapter
  const { heard, openedAt, pulse } = s
  const market = marketOf(adapter, s, now)
  const transport = { heard, staleAfter }
  const { state, why } = livenessOf({ state: 'live', since: openedAt, pulse, transport, market }, now)
  return state === 'stale' || state === 'dead' ? why : undefined
}
