/** What the connections of one provider are, and what they share. */
import type { Access, Adapter, Listing, Subscription } from '../providers/adapter.ts'
import type { Decoded, Missing, Settings, State } from './connection.ts'
import type { Span } from './holes.ts'
import type { Dial, Link } from './link.ts'
import type { Timers } from '../timers.ts'
import { start } from './machine.ts'
import type { Poller } from './poll.ts'
import type { Probed } from './probe.ts'
import type { Rest } from './rest.ts'
import type { Tally } from './tally.ts'

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

export type Slot = Probed & {
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
  tally: Tally
  slots: Slot[]
  /** Subscription → the connection that carries it. */
  where: Map<string, Slot>
  /** Times of the last connection attempts. */
  attempts: number[]
  connections: number
  stopped: boolean
}

export const openSlot = (shop: Shop, route: string, wanted: Map<string, Subscription>): Slot => ({
  connection: 0,
  state: start(shop.adapter, [...wanted.values()], shop.clock(), shop.access, shop.settings, route),
  wanted,
  dialling: false,
  probeAt: 0,
  missed: 0,
  answers: false
})

/** Seldom is one of them on its way to be succeeded. */
export const allSlots = ({ slots }: Shop): readonly Slot[] =>
  slots.some(({ successor }) => successor) ? slots.flatMap((slot) => (slot.successor ? [slot, slot.successor] : [slot])) : slots

export const phasesOf = (shop: Shop) => shop.slots.map((slot) => slot.state.phase)

/** The provider allows no further connection on this route. */
export const isFull = (shop: Shop, route: string): boolean =>
  allSlots(shop).filter(({ state }) => state.route === route).length >= (shop.adapter.limits.connections ?? Infinity)
