/** What one connection to a provider holds, hears and wants done: the words between the machine and its shell. */
import type { Book, ProviderPhase } from '@tickwire/protocol'
import type { Access, Listing, Meaning, Need, Subscription } from '../providers/adapter.ts'
import type { Asks } from './asks.ts'
import type { Pace } from './pace.ts'
import type { Pulse } from './pulse.ts'
import type { Shelf } from './shelf.ts'

export type BookPicture = Omit<Book, 'instrument' | 'provider' | 'received' | 'confidence'> & { symbol: string }
/** An event of one provider, still under the provider's symbol. */
export type Decoded = Extract<Meaning, { type: 'trade' | 'quote' | 'ticker' | 'candle' }> | BookPicture
export type Missing = Omit<Extract<Meaning, { type: 'gap' }>, 'type'>

export type Input =
  /** The shell calls it about every 100 ms. */
  | { type: 'tick'; now: number }
  | { type: 'opened'; now: number }
  | { type: 'frame'; now: number; frame: string }
  /** The answer to a `need`, and the news that there will be none. */
  | { type: 'answer'; now: number; need: Need; body: string }
  | { type: 'failed'; now: number; need: Need; reason: string }
  /** `wait`: the provider asked us to stay away for at least this long. `outage`: no other provider delivers either. */
  | { type: 'closed'; now: number; reason: string; wait?: number; outage?: boolean }
  | { type: 'want'; now: number; wanted: readonly Subscription[] }

export type Effect =
  | { type: 'dial' }
  | { type: 'send'; frame: string }
  | { type: 'hangup'; reason: string }
  | { type: 'event'; event: Decoded }
  | { type: 'need'; need: Need }
  | { type: 'listing'; rows: readonly Listing[] }
  | { type: 'phase'; phase: ProviderPhase; reason: string }
  | { type: 'gap'; gap: Missing; action: 'resync' | 'open' }
  | { type: 'confirmed'; subscription: Subscription }
  | { type: 'rejected'; subscription?: Subscription; reason: string }
  | { type: 'unanswered'; subscription: Subscription }
  | { type: 'refused'; reason: string }
  /** This connection will end: open its successor now. */
  | { type: 'rotate'; reason: string }

export type Settings = {
  backoff: { base: number; cap: number }
  /** Failed attempts in a row after which nothing is tried any more; 0: without end. */
  attempts: number
  /** An ask without an answer is repeated once after this long, then reported. */
  patience: number
  /** Levels per side of the books that are emitted. */
  bookDepth: number
}

export const SETTINGS: Settings = { backoff: { base: 500, cap: 30_000 }, attempts: 0, patience: 10_000, bookDepth: 50 }

export type State<S> = {
  phase: ProviderPhase
  access: Access
  settings: Settings
  session: S
  wanted: Map<string, Subscription>
  /** `wanted` may differ from what was asked. */
  unsettled: boolean
  asks: Asks
  shelf: Shelf
  pace: Pace
  /** Failed connections in a row. */
  attempt: number
  /** This connection brought market data: an accepted socket alone proves nothing. */
  proven: boolean
  openedAt: number
  /** Since when there is no good connection. */
  downSince: number
  dialAt: number
  /** When the last frame came, of whatever kind. */
  heard: number
  /** The rhythm of its market data. */
  pulse: Pulse
  tickedAt: number
  pingAt: number
  rotateAt: number
}
