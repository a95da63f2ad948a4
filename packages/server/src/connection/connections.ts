/** One connection with its machine: every input passes here, and what the machine asks for is done here. */
import type { Access, Adapter, Listing, Need, Subscription } from '../providers/adapter.ts'
import type { Decoded, Effect, Input, Missing, Settings, State } from './connection.ts'
import type { Span } from './holes.ts'
import type { Dial, Ending, Link } from './link.ts'
import type { Timers } from '../timers.ts'
import { start, step } from './machine.ts'
import { createPoller, type Poller } from './poll.ts'
import { answered, failureOf, type Rest } from './rest.ts'
import { doubtAll } from './shown.ts'
import * as tally from './tally.ts'

export type PoolHooks = {
  /** A later connection has a higher number. */
  onEvent: (event: Decoded, received: number, connection: number) => void
  onGap: (gap: Missing, carried: readonly Subscription[], action: 'resync' | 'open', now: number) => void
  /** A hole in the trades is filled as far as it can be, or cannot be, and why. */
  onFilled: (span: Span, how: 'rest' | 'provider', now: number) => void
  onUnfilled: (span: Span, reason: string, now: number) => void
  /** These are no longer delivered, and why. They are `live` again with their next event. */
  onClosed: (carried: readonly Subscription[], reason: string, now: number) => void
  onRejected: (reason: string, subscription: Subscription | undefined) => void
  onRefused: () => void
  onListing: (rows: readonly Listing[]) => void
  onPhase: (now: number) => void
  /** No provider delivers anything. */
  isOutage: () => boolean
  /** Something behind this connection threw: a defect of ours, which must not end the process. */
  onDefect: (error: unknown) => void
  /** Worth a line in the log; never called per event. */
  onNotice: (what: string, fields: object) => void
}

export type Slot = {
  /** Counts the connections of this provider, so that of two the later one is known. */
  connection: number
  state: State<unknown>
  link?: Link | undefined
  poller?: Poller | undefined
  wanted: Map<string, Subscription>
  /** Waits for its turn under the provider's limit of connection attempts. */
  dialling: boolean
  /** The connection that takes over from this one. */
  successor?: Slot | undefined
  liveSince?: number | undefined
  /** When the ping left that is not answered yet, and when the next may leave. */
  pingedAt?: number | undefined
  probeAt: number
}

/** All that the connections of one provider share. */
export type Shop = {
  adapter: Adapter
  access: Access
  /** Read again before each connection: tokens change. */
  readAccess: () => Access
  wsUrl: string
  settings: Settings
  clock: () => number
  timers: Timers
  random: () => number
  hooks: PoolHooks
  dial: Dial
  rest: Rest
  tally: tally.Tally
  slots: Slot[]
  /** Subscription → the connection that carries it. */
  where: Map<string, Slot>
  /** Times of the last connection attempts. */
  attempts: number[]
  connections: number
  stopped: boolean
}

/** After this long both connections of a rotation have surely delivered the same; the old one may go. */
const OVERLAP = 2_000
/** A successor whose subscriptions are not all settled by then takes over all the same. */
const PATIENCE = 15_000

export const openSlot = (shop: Shop, route: string, wanted: Map<string, Subscription>): Slot => ({
  connection: 0,
  state: start(shop.adapter, [...wanted.values()], shop.clock(), shop.access, shop.settings, route),
  wanted,
  dialling: false,
  probeAt: 0
})

export const allSlots = ({ slots }: Shop): Slot[] => slots.flatMap((slot) => (slot.successor ? [slot, slot.successor] : [slot]))

export function feed(shop: Shop, slot: Slot, input: Input): void {
  try {
    for (const effect of step(shop.adapter, slot.state, input, shop.random)) perform(shop, slot, effect, input.now)
  } catch (error) {
    tally.countRefused(shop.tally, 'defect')
    shop.hooks.onDefect(error)
  }
}

function perform(shop: Shop, slot: Slot, effect: Effect, now: number): void {
  const { hooks } = shop
  switch (effect.type) {
    case 'event':
      tally.countEvent(shop.tally, effect.event, now)
      return hooks.onEvent(effect.event, now, slot.connection)
    case 'send':
      if (typeof effect.frame === 'object' && 'poll' in effect.frame) slot.poller?.set(effect.frame)
      else if (typeof effect.frame === 'object' && 'control' in effect.frame) slot.link?.ping?.()
      else slot.link?.send(effect.frame)
      return
    case 'dial':
      slot.dialling = true
      return dialDue(shop, now)
    case 'hangup':
      slot.link?.close()
      return closed(shop, slot, endingOf(effect))
    case 'quiet':
      shop.rest.quiet(effect.for)
      return hooks.onNotice('asked for quiet', { reason: effect.reason, ms: effect.for })
    case 'need':
      return void fetchFor(shop, slot, effect.need)
    case 'listing':
      return hooks.onListing(effect.rows)
    case 'phase':
      slot.liveSince = effect.phase === 'live' ? (slot.liveSince ?? now) : undefined
      tally.setPhase(shop.tally, phasesOf(shop), effect, now)
      return hooks.onPhase(now)
    case 'gap':
      shop.tally.gaps++
      return hooks.onGap(effect.gap, [...slot.wanted.values()], effect.action, now)
    case 'filled':
      return hooks.onFilled(effect.span, effect.how, now)
    case 'unfilled':
      return hooks.onUnfilled(effect.span, effect.reason, now)
    case 'rotate':
      return rotate(shop, slot, effect.reason)
    default:
      refusal(shop, effect)
  }
}

const endingOf = ({ reason, wait, denied }: Extract<Effect, { type: 'hangup' }>): Ending => ({
  reason,
  ...(wait === undefined ? {} : { wait }),
  ...(denied ? { denied } : {})
})

export const phasesOf = (shop: Shop) => shop.slots.map((slot) => slot.state.phase)

function refusal(
  { tally: counts, hooks }: Shop,
  effect: Extract<Effect, { type: 'rejected' | 'unanswered' | 'refused' | 'confirmed' }>
): void {
  switch (effect.type) {
    case 'rejected':
      tally.countRefused(counts, 'rejected')
      return hooks.onRejected(effect.reason, effect.subscription)
    case 'unanswered':
      tally.countRefused(counts, 'subscription unanswered')
      return hooks.onRejected('asked twice, never answered', effect.subscription)
    case 'refused':
      tally.countRefused(counts, effect.reason)
      return hooks.onRefused()
    default:
  }
}

/** Connection attempts are limited over all connections of the provider. */
export function dialDue(shop: Shop, now: number): void {
  const { attempts, adapter } = shop
  const { count, per } = adapter.limits.attempts
  for (const slot of allSlots(shop)) {
    if (!slot.dialling) continue
    while (attempts.length > 0 && now - attempts[0]! >= per) attempts.shift()
    if (attempts.length >= count) return
    attempts.push(now)
    slot.dialling = false
    connect(shop, slot)
  }
}

function connect(shop: Shop, slot: Slot): void {
  const { adapter, wsUrl, clock, timers, rest, readAccess, random } = shop
  const { route } = slot.state
  const access = (shop.access = slot.state.access = readAccess())
  const headers = adapter.upgrade?.(access)
  const url = adapter.dial?.(wsUrl, access, route) ?? wsUrl
  slot.connection = ++shop.connections
  const dialledAt = shop.clock()
  slot.pingedAt = undefined
  slot.poller = createPoller({
    rest,
    timers,
    random,
    windows: adapter.limits.requests ?? [],
    onAnswer(need, { body, unchanged }) {
      tally.countFrame(shop.tally, clock())
      feed(shop, slot, { type: 'answer', now: clock(), need, body, ...(unchanged ? { unchanged } : {}) })
    },
    onFailed: (need, failure) => feed(shop, slot, { type: 'failed', now: clock(), need, ...failure })
  })
  slot.link = shop.dial(
    { url, ...(headers && { headers }), ...(adapter.binary && { binary: true }) },
    {
      onOpen() {
        const now = clock()
        // One way there and back for the connection, one for the upgrade.
        if (now > dialledAt) tally.countRoundTrip(shop.tally, (now - dialledAt) / 2)
        feed(shop, slot, { type: 'opened', now })
      },
      onPong() {
        if (slot.pingedAt !== undefined) tally.countRoundTrip(shop.tally, clock() - slot.pingedAt)
        slot.pingedAt = undefined
      },
      onFrame(frame) {
        const now = clock()
        tally.countFrame(shop.tally, now)
        feed(shop, slot, { type: 'frame', now, frame })
      },
      onClose: (ending) => closed(shop, slot, ending)
    }
  )
}

/** Its socket and its polls end together. */
export function hangUp(slot: Slot): void {
  slot.link?.close()
  slot.poller?.stop()
  slot.poller = slot.link = undefined
}

/** What readers have of its books stands no longer, whoever ended it. */
export function fadeOut(shop: Shop, slot: Slot, effects: readonly Effect[] = doubtAll(slot.state)): void {
  for (const effect of effects) perform(shop, slot, effect, shop.clock())
}

function closed(shop: Shop, slot: Slot, ending: Ending): void {
  const now = shop.clock()
  fadeOut(shop, slot)
  const carried = [...slot.wanted.values()]
  hangUp(slot)
  if (slot.state.phase !== 'connecting') shop.tally.reconnects++
  if (slot.successor) {
    // Its successor was opened in time, or is the best hope now.
    const isLive = slot.successor.liveSince !== undefined
    succeed(shop, slot)
    if (!isLive) shop.hooks.onClosed(carried, ending.reason, now)
    return
  }
  feed(shop, slot, { type: 'closed', now, ...ending, outage: shop.hooks.isOutage() })
  const isSuccessor = shop.slots.some((s) => s.successor === slot)
  if (!isSuccessor) shop.hooks.onClosed(carried, ending.reason, now)
}

export function rotate(shop: Shop, slot: Slot, reason: string): void {
  if (slot.successor || shop.slots.some((s) => s.successor === slot)) return
  // Where a second connection is refused, this one must go first; what is missed meanwhile is filled by REST.
  if (isFull(shop, slot.state.route)) {
    hangUp(slot)
    return closed(shop, slot, { reason })
  }
  slot.successor = openSlot(shop, slot.state.route, new Map(slot.wanted))
  slot.successor.state.shelf.records = slot.state.shelf.records
  shop.hooks.onNotice('connection rotates', { reason })
  feed(shop, slot.successor, { type: 'tick', now: shop.clock() })
}

/** The provider allows no further connection on this route. */
export const isFull = (shop: Shop, route: string): boolean =>
  allSlots(shop).filter(({ state }) => state.route === route).length >= (shop.adapter.limits.connections ?? Infinity)

function succeed(shop: Shop, slot: Slot): void {
  const { successor } = slot
  if (!successor) return
  fadeOut(shop, slot)
  hangUp(slot)
  slot.successor = undefined
  shop.slots = shop.slots.map((s) => (s === slot ? successor : s))
  for (const key of successor.wanted.keys()) shop.where.set(key, successor)
}

export function succeedDue(shop: Shop, slot: Slot, now: number): void {
  const { successor } = slot
  if (successor?.liveSince === undefined) return
  const age = now - successor.liveSince
  if ((successor.state.asks.waiting === 0 && age >= OVERLAP) || age >= PATIENCE) succeed(shop, slot)
}

async function fetchFor(shop: Shop, slot: Slot, need: Need): Promise<void> {
  const { session } = slot.state
  const answer = await shop.rest.get(need)
  // The connection that asked may be gone, and its memory with it.
  if (shop.stopped || slot.state.session !== session) return
  const now = shop.clock()
  if (answer.ok) feed(shop, slot, { type: 'answer', now, need: answered(need, answer), body: answer.body })
  else feed(shop, slot, { type: 'failed', now, need, ...failureOf(answer) })
}
