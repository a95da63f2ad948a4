/** What an open connection asks for: what is wanted and was not asked, books anew, no faster than the provider allows. Pure. */
import type { ProviderPhase } from '@tickwire/protocol'
import type { Adapter } from '../providers/adapter.ts'
import { ask, forget, keyOf, overdue } from './asks.ts'
import type { Effect, State } from './connection.ts'
import { leave as forgetTrades } from './holes.ts'
import { takeDue } from './pace.ts'
import { expectSnapshot, expire, leave, takeResyncs } from './shelf.ts'
import { damaged } from './shown.ts'

export const isOpen = (s: { phase: ProviderPhase }): boolean => s.phase === 'live' || s.phase === 'stale'

/** Asks for what is wanted and was not asked, or asked in vain. */
export function settleUp<S>(adapter: Adapter<S>, s: State<S>, effects: Effect[], now: number): Effect[] {
  if (!isOpen(s)) return effects
  // Differences are taken only once the queue has drained, so it never holds more than one round of frames.
  if (s.pace.queue.length === 0) {
    if (s.unsettled) reconcile(adapter, s, now)
    const { again, unanswered } = overdue(s.asks, now, s.settings.patience)
    if (again.length > 0) s.pace.queue.push(...adapter.subscribe(again, s.session))
    for (const subscription of unanswered) effects.push({ type: 'unanswered', subscription })
    for (let lost = expire(s.shelf, s.asks, now); lost > 0; lost--)
      effects.push({ type: 'refused', reason: 'book without a snapshot' })
  }
  return send(adapter, s, effects, now)
}

/** Adds the frames that are due, no faster than the provider allows. */
export function send<S>(adapter: Adapter<S>, s: State<S>, effects: Effect[], now: number): Effect[] {
  if (!isOpen(s)) return effects
  if (s.shelf.resyncs.size > 0 && s.pace.queue.length === 0) resync(adapter, s, now)
  for (const due of takeDue(s.pace, now)) effects.push({ type: 'send', frame: due })
  return effects
}

function reconcile<S>(adapter: Adapter<S>, s: State<S>, now: number): void {
  s.unsettled = false
  const { all } = s.asks
  const removed = [...all.values()].filter((a) => !s.wanted.has(keyOf(a.subscription))).map((a) => a.subscription)
  const added = [...s.wanted.values()].filter((w) => !all.has(keyOf(w)))
  for (const gone of removed) {
    forget(s.asks, gone)
    if (gone.kind === 'trade') forgetTrades(s.holes, gone.symbol)
    if (gone.kind === 'book') leave(s.shelf, gone.symbol)
  }
  for (const fresh of added) {
    ask(s.asks, fresh, now)
    if (fresh.kind === 'book') expectSnapshot(s.shelf, fresh.symbol, now)
  }
  if (removed.length > 0) s.pace.queue.push(...adapter.unsubscribe(removed, s.session))
  if (added.length > 0) s.pace.queue.push(...adapter.subscribe(added, s.session))
}

/** Somebody distrusts a book: it is thrown away whatever we think of it. */
export const askedAnew = <S>(s: State<S>, symbol: string, now: number): Effect[] =>
  isOpen(s) && s.wanted.has(keyOf({ kind: 'book', symbol }))
    ? damaged(s, { kind: 'book', symbol, cause: 'asked' }, now, 'asked for')
    : []

/** Damaged books are asked for anew; all other subscriptions of the connection go on undisturbed. */
function resync<S>(adapter: Adapter<S>, s: State<S>, now: number): void {
  const due = takeResyncs(s.shelf, now)
  const damaged = [...s.asks.all.values()]
    .filter((a) => a.subscription.kind === 'book' && a.state !== 'refused' && due.has(a.subscription.symbol))
    .map((a) => a.subscription)
  if (damaged.length === 0) return
  s.pace.queue.push(...adapter.unsubscribe(damaged, s.session), ...adapter.subscribe(damaged, s.session))
  for (const subscription of damaged) {
    ask(s.asks, subscription, now)
    expectSnapshot(s.shelf, subscription.symbol, now)
  }
}
