/** One connection with its machine: every input passes here, and what the machine asks for is done here. */
import type { Need } from '../providers/adapter.ts'
import { keyOf } from './asks.ts'
import type { Effect, Input } from './connection.ts'
import { inherit } from './holes.ts'
import type { Ending } from './link.ts'
import { step } from './machine.ts'
import { createPoller } from './poll.ts'
import { ponged, probe } from './probe.ts'
import { answered, failureOf } from './rest.ts'
import { allSlots, isFull, openSlot, phasesOf, type Shop, type Slot } from './shop.ts'
import { doubtAll } from './shown.ts'
import * as tally from './tally.ts'

/** After this long both connections of a rotation have surely delivered the same; the old one may go. */
const OVERLAP = 2_000
/** A successor whose subscriptions are not all settled by then takes over all the same. */
const PATIENCE = 15_000

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

/** Retries leave something of a window for later: of its second half each one waits longer, as long as the rest is to last. */
const isEarly = (attempts: readonly number[], { count, per }: Shop['adapter']['limits']['attempts'], now: number): boolean =>
  attempts.length >= count / 2 && now - attempts.at(-1)! < (attempts[0]! + per - now) / 2 ** (count - attempts.length)

/** Connection attempts are limited over all connections of the provider. */
export function dialDue(shop: Shop, now: number): void {
  const { attempts, adapter } = shop
  const { count, per } = adapter.limits.attempts
  for (const slot of allSlots(shop)) {
    if (!slot.dialling) continue
    while (attempts.length > 0 && now - attempts[0]! >= per) attempts.shift()
    if (attempts.length >= count) return
    if (slot.state.attempt > 0 && isEarly(attempts, shop.adapter.limits.attempts, now)) continue
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
  slot.missed = 0
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
        const took = ponged(slot, clock())
        if (took !== undefined) tally.countRoundTrip(shop.tally, took)
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
    // Its successor was opened in time, or is the best hope now: what it does not hear yet is missing from here on.
    const { all } = slot.successor.state.asks
    const missed = carried.filter((s) => all.get(keyOf(s))?.state !== 'confirmed')
    succeed(shop, slot, new Set(missed.flatMap(({ kind, symbol }) => (kind === 'trade' ? [symbol] : []))))
    if (missed.length > 0) shop.hooks.onClosed(missed, ending.reason, now)
    return
  }
  feed(shop, slot, { type: 'closed', now, ...ending, outage: shop.hooks.isOutage() })
  const isSuccessor = shop.slots.some((s) => s.successor === slot)
  if (!isSuccessor) shop.hooks.onClosed(carried, ending.reason, now)
}

function cut(shop: Shop, slot: Slot, reason: string): void {
  hangUp(slot)
  closed(shop, slot, { reason })
}

/** Nobody there is noticed so long before the connection would be stale. */
export function probeDue(shop: Shop, slot: Slot, now: number): void {
  if (probe(slot, slot.state.heard, now)) cut(shop, slot, 'two pings without an answer')
}

export function rotate(shop: Shop, slot: Slot, reason: string): void {
  if (slot.successor || shop.slots.some((s) => s.successor === slot)) return
  // Where a second connection is refused, this one must go first; what is missed meanwhile is filled by REST.
  if (isFull(shop, slot.state.route)) return cut(shop, slot, reason)
  slot.successor = openSlot(shop, slot.state.route, new Map(slot.wanted))
  slot.successor.state.shelf.records = slot.state.shelf.records
  shop.hooks.onNotice('connection rotates', { reason })
  feed(shop, slot.successor, { type: 'tick', now: shop.clock() })
}

/** `missed`: symbols whose trades nobody hears now. */
function succeed(shop: Shop, slot: Slot, missed: ReadonlySet<string> = new Set()): void {
  const { successor } = slot
  if (!successor) return
  fadeOut(shop, slot)
  inherit(successor.state.holes, slot.state.holes, missed, shop.clock())
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
