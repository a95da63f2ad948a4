/** What one connection to a provider holds, hears and wants done: the words between the machine and its shell. */
import type { ProviderPhase } from '@tickwire/protocol'
import type { Access, DecodedEvent, Frame, Listing, Meaning, Need, Outgoing, Subscription } from '../providers/adapter.ts'
import type { BookPicture } from './books.ts'
import type { Asks } from './asks.ts'
import type { Auditor } from './audit.ts'
import type { Holes, Span } from './holes.ts'
import type { Pace } from './pace.ts'
import type { Clockwork } from '../calendar/calendar.ts'
import type { Pulse } from '../arbiter/pulse.ts'
import type { Shelf } from './shelf.ts'

export type { BookPicture }
/** An event of one provider, still under the provider's symbol. */
export type Decoded = DecodedEvent | BookPicture
type Told = Extract<Meaning, { type: 'gap' }>
/** What the provider skipped, or what was thrown away because somebody asked. `until`: the time of the first event after it, if that is here. */
export type Missing = Omit<Told, 'type' | 'cause'> & { cause: Told['cause'] | 'asked'; until?: number }

export type Input =
  /** The shell calls it about every 100 ms. */
  | { type: 'tick'; now: number }
  | { type: 'opened'; now: number }
  | { type: 'frame'; now: number; frame: Frame }
  /** The answer to a `need` (`unchanged`: the same as the last time), and the news that there will be none. */
  | { type: 'answer'; now: number; need: Need; body: Frame; unchanged?: boolean }
  | { type: 'failed'; now: number; need: Need; reason: string; status?: number }
  /** `denied`: it does not accept our credentials. `wait`: the provider asked us to stay away for at least this long. `outage`: no other provider delivers either. */
  | { type: 'closed'; now: number; reason: string; wait?: number; denied?: boolean; outage?: boolean }
  | { type: 'want'; now: number; wanted: readonly Subscription[] }
  /** Somebody asks for this book anew. */
  | { type: 'resync'; now: number; symbol: string }

export type Effect =
  | { type: 'dial' }
  | { type: 'send'; frame: Outgoing }
  | { type: 'hangup'; reason: string; wait?: number; denied?: boolean }
  | { type: 'quiet'; for: number; reason: string }
  | { type: 'event'; event: Decoded }
  | { type: 'need'; need: Need }
  | { type: 'listing'; rows: readonly Listing[] }
  | { type: 'phase'; phase: ProviderPhase; reason: string }
  | { type: 'gap'; gap: Missing; action: 'resync' | 'open' }
  /** Of trades: it is filled, or it cannot be, and why. */
  | { type: 'filled'; span: Span; how: 'rest' | 'provider' }
  | { type: 'unfilled'; span: Span; reason: string }
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
  /** Failures in a row after which a provider is left alone for `breakFor` ms. */
  breakAfter: number
  breakFor: number
  /** Times of day, ms since midnight UTC, at which a connection is renewed. */
  rotateAt: readonly number[]
  /** When markets trade; absent: always. */
  market?: Clockwork | undefined
  /** An ask without an answer is repeated once after this long, then reported. */
  patience: number
  /** Levels per side of the books that are emitted. */
  bookDepth: number
  /** One book of each connection is compared with a snapshot this often, ms; 0: none. */
  auditEvery: number
}

/** Refused credentials are tried this often as any failure is, then seldom: somebody must act first. */
export const DENIED = { tries: 2, wait: 300_000 }

export const SETTINGS: Settings = {
  backoff: { base: 500, cap: 30_000 },
  attempts: 0,
  breakAfter: 5,
  breakFor: 30_000,
  rotateAt: [],
  patience: 10_000,
  bookDepth: 50,
  auditEvery: 60_000
}

export type State<S> = {
  phase: ProviderPhase
  access: Access
  route: string
  settings: Settings
  session: S
  wanted: Map<string, Subscription>
  /** `wanted` may differ from what was asked. */
  unsettled: boolean
  asks: Asks
  shelf: Shelf
  auditor: Auditor
  pace: Pace
  /** Failed connections in a row, and how many of them for our credentials. */
  attempt: number
  denials: number
  /** The credentials that were refused last, in a row. */
  refused?: string | undefined
  /** What went wrong last with a REST call, for the reason of a silence. */
  trouble?: string | undefined
  /** What is missing of its trades, kept over a reconnect. */
  holes: Holes
  /** This connection brought market data: an accepted socket alone proves nothing. */
  proven: boolean
  /** Its socket has brought what is wanted, now or before: it is heard when the socket speaks, whatever REST answers. */
  streams: boolean
  openedAt: number
  /** Since when there is no good connection. */
  downSince: number
  dialAt: number
  /** When the last frame came, of whatever kind; of those that are asked by REST alone, the last answer. */
  heard: number
  /** The rhythm of its market data. */
  pulse: Pulse
  tickedAt: number
  pingAt: number
  rotateAt: number
}
