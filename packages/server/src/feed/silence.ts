/** Why an open connection is silent for too long, or nothing: heartbeats keep no price fresh, and closed markets need none. */
import type { Adapter } from '../providers/adapter.ts'
import { isTrading, type Market } from './calendar.ts'
import type { State } from './connection.ts'
import { muteLimit, usualInterval } from './pulse.ts'

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** What the market does now that this connection brings. */
function marketOf<S>({ calendar }: Adapter<S>, { route, settings }: State<S>, now: number): Market | undefined {
  const id = typeof calendar === 'function' ? calendar(route) : calendar
  return id === undefined ? undefined : settings.market?.(id, now)
}
export const isClosed = <S>(adapter: Adapter<S>, s: State<S>, now: number): boolean =>
  marketOf(adapter, s, now)?.session === 'closed'

/** Out of regular hours nobody needs to trade; when they begin, silence is counted from their beginning. */
export function silence<S>(adapter: Adapter<S>, s: State<S>, now: number): string | undefined {
  const { staleAfter } = adapter
  const { heard, pulse } = s
  const market = marketOf(adapter, s, now)
  if (market?.session === 'closed') return undefined
  const silent = now - heard
  if (silent > staleAfter / 2) return `nothing heard for ${seconds(silent)}; hanging up at ${seconds(staleAfter)}`
  if (market && !isTrading(market)) return undefined
  const mute = now - Math.max(pulse.heard, market?.since ?? -Infinity)
  if (mute <= muteLimit(pulse)) return undefined
  return `connected, but no market data for ${seconds(mute)} (usually within ${seconds(usualInterval(pulse))})`
}
