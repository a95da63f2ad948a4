/** All connections to one provider: which subscription travels on which of them, and how the provider fares. */
import type { Access, Adapter, Listing, Need, Subscription } from '../providers/adapter.ts'
import { keyOf } from './asks.ts'
import { SETTINGS, type Decoded, type Effect, type Input, type Missing, type Settings, type State } from './connection.ts'
import { openLink, type Dial, type Link } from './link.ts'
import { start, step } from './machine.ts'
import { createRest, type Rest } from './rest.ts'
import { createTally, type Tally } from './tally.ts'

export type PoolHooks = {
  /** A later connection has a higher number. */
  onEvent: (event: Decoded, received: number, connection: number) => void
  onGap: (gap: Missing, carried: readonly Subscription[], action: 'resync' | 'open', now: number) => void
  /** These are no longer delivered, and why. They are `live` again with their next event. */
  onClosed: (carried: readonly Subscription[], reason: string, now: number) => void
  onRejected: (reason: string, subscription: Subscription | undefined) => void
  onRefused: () => void
  onListing: (rows: readonly Listing[]) => void
  onPhase: (now: number) => void
  /** A defect or a surprise worth a line in the log; never called per event. */
  onWarning: (what: string, fields: object) => void
}

export type PoolOptions = {
  adapter: Adapter
  wsUrl: string
  restUrl: string
  access: Access
  clock: () => number
  random: () => number
  hooks: PoolHooks
  settings?: Partial<Settings>
  dial?: Dial
}

type Slot = {
  /** Counts the connections of this provider, so that of two the later one is known. */
  connection: number
  state: State<unknown>
  link?: Link | undefined
  wanted: Map<string, Subscription>
  /** Waits for its turn under the provider's limit of connection attempts. */
  dialling: boolean
  /** The connection that takes over from this one, and since when it is live. */
  successor?: Slot | undefined
  liveSince?: number | undefined
}

/** After this long both connections of a rotation have surely delivered the same; the old one may go. */
const OVERLAP = 2_000
/** A successor whose subscriptions are not all settled by then takes over all the same. */
const PATIENCE = 15_000

export type Pool = ReturnType<typeof createPool>

export function createPool(options: PoolOptions) {
  const { adapter, clock, random, hooks, dial = openLink } = options
  const settings = { ...SETTINGS, ...options.settings }
  const rest: Rest = createRest({
    restUrl: options.restUrl,
    requestsPerSecond: adapter.limits.requestsPerSecond,
    headers: adapter.headers?.(options.access) ?? {},
    clock,
    random
  })
  const tally: Tally = createTally(adapter.provider)
  const where = new Map<string, Slot>()
  const attempts: number[] = []
  let slots: Slot[] = []
  let connections = 0
  let stopped = false

  const openSlot = (wanted: Map<string, Subscription>): Slot => ({
    connection: 0,
    state: start(adapter, [...wanted.values()], clock(), options.access, settings),
    wanted,
    dialling: false
  })

  /** Every input of a connection passes here: step, then do what it asks. */
  function feed(slot: Slot, input: Input): void {
    for (const effect of step(adapter, slot.state, input, random)) perform(slot, effect, input.now)
  }

  function perform(slot: Slot, effect: Effect, now: number): void {
    switch (effect.type) {
      case 'event':
        tally.event(effect.event, now)
        hooks.onEvent(effect.event, now, slot.connection)
        return
      case 'send':
        slot.link?.send(effect.frame)
        return
      case 'dial':
        slot.dialling = true
        return dialDue(now)
      case 'hangup':
        return hangUp(slot, effect.reason, now)
      case 'need':
        return void fetchFor(slot, effect.need)
      case 'listing':
        return hooks.onListing(effect.rows)
      case 'phase':
        slot.liveSince = effect.phase === 'live' ? (slot.liveSince ?? now) : undefined
        tally.phase(
          slots.map((s) => s.state.phase),
          effect,
          now
        )
        return hooks.onPhase(now)
      case 'gap':
        tally.gap()
        return hooks.onGap(effect.gap, [...slot.wanted.values()], effect.action, now)
      case 'rejected':
        tally.refused('rejected')
        return hooks.onRejected(effect.reason, effect.subscription)
      case 'unanswered':
        tally.refused('subscription unanswered')
        return hooks.onRejected('asked twice, never answered', effect.subscription)
      case 'refused':
        tally.refused(effect.reason)
        return hooks.onRefused()
      case 'rotate':
        return rotate(slot, effect.reason)
      default:
    }
  }

  /** Connection attempts are limited over all connections of the provider. */
  function dialDue(now: number): void {
    const { count, per } = adapter.limits.attempts
    for (const slot of allSlots()) {
      if (!slot.dialling) continue
      while (attempts.length > 0 && now - attempts[0]! >= per) attempts.shift()
      if (attempts.length >= count) return
      attempts.push(now)
      slot.dialling = false
      slot.connection = ++connections
      slot.link = dial(adapter.dial?.(options.wsUrl, options.access) ?? options.wsUrl, {
        onOpen: () => feed(slot, { type: 'opened', now: clock() }),
        onFrame(frame) {
          const received = clock()
          tally.frame(received)
          feed(slot, { type: 'frame', now: received, frame })
        },
        onClose: ({ reason, wait }) => closed(slot, reason, clock(), wait)
      })
    }
  }

  const allSlots = (): Slot[] => slots.flatMap((slot) => (slot.successor ? [slot, slot.successor] : [slot]))

  function hangUp(slot: Slot, reason: string, now: number): void {
    slot.link?.close()
    closed(slot, reason, now)
  }

  function closed(slot: Slot, reason: string, now: number, wait?: number): void {
    slot.link = undefined
    if (slot.state.phase !== 'connecting') tally.reconnect()
    if (slot.successor) {
      // Its successor was opened in time, or is the best hope now.
      const { successor } = slot
      succeed(slot)
      if (successor.liveSince === undefined) hooks.onClosed([...slot.wanted.values()], reason, now)
      return
    }
    const predecessor = slots.find((s) => s.successor === slot)
    feed(slot, { type: 'closed', now, reason, ...(wait === undefined ? {} : { wait }) })
    if (!predecessor) hooks.onClosed([...slot.wanted.values()], reason, now)
  }

  function rotate(slot: Slot, reason: string): void {
    if (slot.successor || slots.some((s) => s.successor === slot)) return
    slot.successor = openSlot(new Map(slot.wanted))
    hooks.onWarning('connection rotates', { reason })
    feed(slot.successor, { type: 'tick', now: clock() })
  }

  function succeed(slot: Slot): void {
    const { successor } = slot
    if (!successor) return
    slot.link?.close()
    slot.successor = undefined
    slots = slots.map((s) => (s === slot ? successor : s))
    for (const key of successor.wanted.keys()) where.set(key, successor)
  }

  function succeedDue(slot: Slot, now: number): void {
    const since = slot.successor?.liveSince
    if (since === undefined) return
    const settled = slot.successor!.state.asks.waiting === 0 && now - since >= OVERLAP
    if (settled || now - since >= PATIENCE) succeed(slot)
  }

  async function fetchFor(slot: Slot, need: Need): Promise<void> {
    const { session } = slot.state
    const answer = await rest.get(need.path)
    // The connection that asked may be gone, and its memory with it.
    if (stopped || slot.state.session !== session) return
    const now = clock()
    if (answer.ok) feed(slot, { type: 'answer', now, need, body: answer.body })
    else feed(slot, { type: 'failed', now, need, reason: answer.reason })
  }

  function tellWanted(slot: Slot): void {
    const now = clock()
    for (const s of slot.successor ? [slot, slot.successor] : [slot]) {
      s.wanted = new Map(slot.wanted)
      feed(s, { type: 'want', now, wanted: [...s.wanted.values()] })
    }
  }

  return {
    provider: adapter.provider,
    rest,

    /** Many at once are asked in few frames. */
    want(subscriptions: readonly Subscription[]): void {
      if (stopped) return
      const changed = new Set<Slot>()
      for (const subscription of subscriptions) {
        const key = keyOf(subscription)
        if (where.has(key)) continue
        let slot = slots.find((s) => s.wanted.size < adapter.limits.subscriptionsPerConnection && s.state.phase !== 'stopped')
        if (!slot) slots.push((slot = openSlot(new Map())))
        slot.wanted.set(key, subscription)
        where.set(key, slot)
        changed.add(slot)
      }
      for (const slot of changed) {
        tellWanted(slot)
        if (slot.state.phase === 'idle') feed(slot, { type: 'tick', now: clock() })
      }
    },

    drop(subscriptions: readonly Subscription[]): void {
      const changed = new Set<Slot>()
      for (const subscription of subscriptions) {
        const key = keyOf(subscription)
        const slot = where.get(key)
        if (!slot) continue
        where.delete(key)
        slot.wanted.delete(key)
        changed.add(slot)
      }
      for (const slot of changed) {
        if (slot.wanted.size > 0) {
          tellWanted(slot)
          continue
        }
        slots = slots.filter((s) => s !== slot)
        slot.link?.close()
        slot.successor?.link?.close()
      }
      if (slots.length === 0) tally.phase([], { phase: 'idle', reason: 'nobody asks for anything' }, clock())
    },

    /** The provider delivers it now. */
    isLive(subscription: Subscription): boolean {
      const key = keyOf(subscription)
      const state = where.get(key)?.state
      return state?.phase === 'live' && state.asks.all.get(key)?.state === 'confirmed'
    },

    anyLive: (): boolean => slots.some((s) => s.state.phase === 'live'),

    tick(now: number): void {
      dialDue(now)
      for (const slot of allSlots()) feed(slot, { type: 'tick', now })
      for (const slot of slots) succeedDue(slot, now)
    },

    refused: (reason: string) => tally.refused(reason),
    failover: (what: Parameters<Tally['failover']>[0]) => tally.failover(what),
    status: (now: number, simulated: boolean) =>
      tally.status(now, allSlots().filter((s) => s.link).length, where.size, simulated),

    stop(): void {
      stopped = true
      rest.stop()
      for (const slot of allSlots()) slot.link?.close()
      slots = []
    }
  }
}
