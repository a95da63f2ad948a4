/** What one connection has asked for, and what became of each ask: waiting, confirmed, refused or never answered. */
import type { DataKind } from '@tickwire/protocol'
import type { Subscription } from '../providers/adapter.ts'

export type Ask = {
  subscription: Subscription
  /** When it was last asked. */
  at: number
  state: 'asked' | 'asked again' | 'confirmed' | 'refused' | 'unanswered'
}

export type Asks = {
  all: Map<string, Ask>
  /** Those in state `asked` or `asked again`, so that the hot path sees at once that there is nothing to confirm. */
  waiting: number
}

export const keyOf = (s: Subscription): string => `${s.kind}|${s.symbol}|${s.interval ?? ''}`
export const openAsks = (): Asks => ({ all: new Map(), waiting: 0 })

export const isWaiting = (ask: Ask): boolean => ask.state === 'asked' || ask.state === 'asked again'

export function ask(asks: Asks, subscription: Subscription, now: number): void {
  const key = keyOf(subscription)
  const old = asks.all.get(key)
  if (!old || !isWaiting(old)) asks.waiting++
  asks.all.set(key, { subscription, at: now, state: 'asked' })
}

export function forget(asks: Asks, subscription: Subscription): void {
  const key = keyOf(subscription)
  const old = asks.all.get(key)
  if (old && isWaiting(old)) asks.waiting--
  asks.all.delete(key)
}

/** Settles the waiting asks of a symbol (of one kind, where the provider says which) and returns them. */
export function settle(asks: Asks, state: 'confirmed' | 'refused', symbol: string, kind?: DataKind): Subscription[] {
  const settled: Subscription[] = []
  for (const entry of asks.all.values()) {
    const { subscription } = entry
    if (subscription.symbol !== symbol || (kind !== undefined && subscription.kind !== kind)) continue
    const confirmable = state === 'confirmed' && entry.state === 'unanswered'
    if (!isWaiting(entry) && !confirmable) continue
    if (isWaiting(entry)) asks.waiting--
    entry.state = state
    settled.push(subscription)
  }
  return settled
}

/** Asks older than `patience`: `again` are to be asked once more, `unanswered` were asked twice and are given up. */
export function overdue(asks: Asks, now: number, patience: number): { again: Subscription[]; unanswered: Subscription[] } {
  const again: Subscription[] = []
  const unanswered: Subscription[] = []
  if (asks.waiting === 0) return { again, unanswered }
  for (const entry of asks.all.values()) {
    if (!isWaiting(entry) || now - entry.at < patience) continue
    if (entry.state === 'asked') {
      entry.state = 'asked again'
      entry.at = now
      again.push(entry.subscription)
    } else {
      entry.state = 'unanswered'
      asks.waiting--
      unanswered.push(entry.subscription)
    }
  }
  return { again, unanswered }
}
