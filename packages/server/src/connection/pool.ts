/** All connections to one provider: which subscription travels on which of them, and how the provider fares. */
import type { ProviderStatus } from '@tickwire/protocol'
import type { Access, Adapter, Subscription } from '../providers/adapter.ts'
import { timers as real, type Timers } from '../timers.ts'
import { keyOf } from './asks.ts'
import { SETTINGS, type Settings } from './connection.ts'
import type { Histogram } from './histogram.ts'
import { openLink, openNothing, type Dial } from './link.ts'
import type { Transport } from './http.ts'
import { createRest, type Rest } from './rest.ts'
import { dialDue, fadeOut, feed, hangUp, probeDue, rotate, succeedDue } from './connections.ts'
import { allSlots, isFull, openSlot, phasesOf, type PoolHooks, type Shop, type Slot } from './shop.ts'
import { doubt } from './shown.ts'
import { reportOf } from './standing.ts'
import * as tally from './tally.ts'

export type { PoolHooks }
export type PoolOptions = {
  adapter: Adapter
  wsUrl: string
  restUrl: string
  /** Read again before each connection and each REST call: tokens change. */
  readAccess: () => Access
  clock: () => number
  timers?: Timers
  random: () => number
  hooks: PoolHooks
  settings?: Partial<Settings>
  /** `recorded`: the times in the events are of another day. */
  times?: 'live' | 'recorded'
  /** An SDK's in place of a socket, and in place of HTTP (shells/). */
  dial?: Dial | undefined
  rest?: Rest
  /** How calls travel in place of HTTP, where `rest` is ours. */
  transport?: Transport
}

export type Pool = ReturnType<typeof createPool>

export function createPool(options: PoolOptions) {
  const shop = openShop(options)
  return {
    rest: shop.rest,
    /** Many at once are asked in few frames. */
    want: (subscriptions: readonly Subscription[]) => want(shop, subscriptions),
    drop: (subscriptions: readonly Subscription[]) => drop(shop, subscriptions),
    /** The provider delivers it now. */
    isLive: (subscription: Subscription): boolean => isLive(shop, subscription),
    /** Of its connections; before there is one, the usual. */
    routes: (): string[] => (shop.slots.length === 0 ? [''] : [...new Set(shop.slots.map(({ state }) => state.route))]),
    anyLive: (): boolean => shop.slots.some((s) => s.state.phase === 'live'),
    /** Market data comes. */
    delivers: (): boolean => shop.slots.some((s) => s.state.phase === 'live' && s.state.proven),
    refused: (reason: string) => tally.countRefused(shop.tally, reason),
    failover: (what: NonNullable<ProviderStatus['lastFailover']>) => void (shop.tally.lastFailover = what),

    tick(now: number): void {
      tally.tick(shop.tally, now)
      dialDue(shop, now)
      for (const slot of allSlots(shop)) feed(shop, slot, { type: 'tick', now })
      for (const slot of shop.slots) succeedDue(shop, slot, now)
      for (const slot of shop.slots) probeDue(shop, slot, shop.clock())
    },

    books: (now: number) => booksOf(shop, now),
    /** False where it is not asked for, or nothing is connected. */
    resync(symbol: string): boolean {
      const slot = slotOf(shop, symbol)
      if (slot?.liveSince === undefined) return false
      feed(shop, slot, { type: 'resync', now: shop.clock(), symbol })
      return true
    },
    record: (symbol: string) => slotOf(shop, symbol)?.state.shelf.records.get(symbol) ?? 'gone',
    /** How many connections are renewed. */
    renew: (reason: string): number => renew(shop, reason),
    renewing: (): boolean => shop.slots.some(({ successor, liveSince }) => successor !== undefined || liveSince === undefined),

    /** From the provider's time to ours, by kind. */
    hops: (): ReadonlyMap<string, Histogram> => shop.tally.hops,

    /** `gaps`: how many were told of it. */
    status(now: number, simulated: boolean, gaps: number): ProviderStatus {
      const connections = allSlots(shop).filter((slot) => slot.link).length
      return tally.statusOf(shop.tally, now, { connections, subscriptions: shop.where.size, simulated, gaps })
    },

    stop(): void {
      shop.stopped = true
      shop.rest.stop()
      for (const slot of allSlots(shop)) hangUp(slot)
      shop.slots = []
    }
  }
}

function openShop(options: PoolOptions): Shop {
  const { adapter, wsUrl, restUrl, readAccess, clock, random, hooks, settings, times, timers = real, transport } = options
  const { requestsPerSecond, requests: windows } = adapter.limits
  const headers = () => adapter.headers?.(readAccess()) ?? {}
  const counts = tally.openTally(adapter.provider, times)
  return {
    adapter,
    access: readAccess(),
    readAccess,
    wsUrl,
    settings: { ...SETTINGS, ...settings },
    clock,
    timers,
    random,
    hooks,
    dial: options.dial ?? (adapter.wsUrl === undefined ? openNothing : openLink),
    rest:
      options.rest ??
      createRest({
        restUrl,
        requestsPerSecond,
        headers,
        clock,
        timers,
        random,
        onDated: (dated) => tally.countDated(counts, dated),
        ...(windows && { windows }),
        ...(transport && { transport }),
        ...breakerOf(settings)
      }),
    tally: counts,
    slots: [],
    where: new Map(),
    attempts: [],
    connections: 0,
    stopped: false
  }
}

const breakerOf = ({ breakAfter = SETTINGS.breakAfter, breakFor = SETTINGS.breakFor }: Partial<Settings> = {}) => ({
  breakAfter,
  breakFor
})

function want(shop: Shop, subscriptions: readonly Subscription[]): void {
  if (shop.stopped) return
  const limit = shop.adapter.limits.subscriptionsPerConnection
  const changed = new Set<Slot>()
  for (const subscription of subscriptions) {
    const key = keyOf(subscription)
    if (shop.where.has(key)) continue
    // What was refused for good will be refused again: nothing more is dialled.
    const route = shop.adapter.route?.(subscription) ?? ''
    let slot = shop.slots.find((s) => s.state.route === route && (s.wanted.size < limit || s.state.phase === 'stopped'))
    if (!slot) {
      if (isFull(shop, route)) {
        shop.hooks.onRejected(`the provider takes no more than ${limit} subscriptions on its one connection`, subscription)
        continue
      }
      shop.slots.push((slot = openSlot(shop, route, new Map())))
    }
    slot.wanted.set(key, subscription)
    shop.where.set(key, slot)
    changed.add(slot)
  }
  for (const slot of changed) {
    tellWanted(shop, slot)
    if (slot.state.phase === 'idle') feed(shop, slot, { type: 'tick', now: shop.clock() })
  }
}

function drop(shop: Shop, subscriptions: readonly Subscription[]): void {
  const changed = new Set<Slot>()
  for (const subscription of subscriptions) {
    const key = keyOf(subscription)
    const slot = shop.where.get(key)
    if (!slot) continue
    shop.where.delete(key)
    slot.wanted.delete(key)
    if (subscription.kind === 'book') fadeOut(shop, slot, doubt(slot.state, subscription.symbol, 'stale'))
    changed.add(slot)
  }
  for (const slot of changed) {
    if (slot.wanted.size > 0) tellWanted(shop, slot)
    else close(shop, slot)
  }
}

/** A connection that carries nothing any more is closed; a stopped one stays, because opening it again cannot help. */
function close(shop: Shop, slot: Slot): void {
  if (slot.state.phase === 'stopped') return
  shop.slots = shop.slots.filter((s) => s !== slot)
  hangUp(slot)
  if (slot.successor) hangUp(slot.successor)
  const phases = phasesOf(shop)
  if (phases.length === 0) tally.setPhase(shop.tally, phases, { phase: 'idle', reason: 'nobody asks for anything' }, shop.clock())
}

function tellWanted(shop: Shop, slot: Slot): void {
  const now = shop.clock()
  for (const s of slot.successor ? [slot, slot.successor] : [slot]) {
    s.wanted = new Map(slot.wanted)
    feed(shop, s, { type: 'want', now, wanted: [...s.wanted.values()] })
  }
}

/** Those whose successor is on its way already are not counted twice. */
function renew(shop: Shop, reason: string): number {
  const open = shop.slots.filter(({ liveSince, successor }) => liveSince !== undefined && !successor)
  for (const slot of open) rotate(shop, slot, reason)
  return open.length
}

function isLive({ where }: Shop, subscription: Subscription): boolean {
  const key = keyOf(subscription)
  const state = where.get(key)?.state
  if (state?.phase !== 'live' || state.asks.all.get(key)?.state !== 'confirmed') return false
  return subscription.kind !== 'book' || state.shelf.books.has(subscription.symbol)
}

/** All books of a provider's connections, by its own symbols. */
function booksOf(shop: Shop, now: number) {
  return [...shop.where].flatMap(([key, slot]) => {
    const wanted = slot.wanted.get(key)
    return wanted?.kind === 'book' ? [{ symbol: wanted.symbol, ...reportOf(slot.state.shelf, wanted.symbol, now) }] : []
  })
}

const slotOf = ({ where }: Shop, symbol: string): Slot | undefined => where.get(keyOf({ kind: 'book', symbol }))
