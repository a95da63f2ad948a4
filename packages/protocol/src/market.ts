/** The vocabulary: what a market event is. Times, prices and sizes are as stamp.ts says. */
import type { Account, Holding, OrderUpdate } from './account.ts'
import { WHOLE_KINDS, type ArbitratedKind, type DataKind } from './kinds.ts'
import type { News } from './news.ts'
import type { ReplayState } from './replay.ts'
import type { Level, Side, Stamp, TradingSession } from './stamp.ts'
import type { Arbitration, Breadth, Change, GapFilled, Liquidity } from './trust.ts'
import type { Band, Correction, Halt, Index, Mark } from './venue.ts'

/** How sure the arbiter is of what it admits, from 0 to 1, by measurement (see ARCHITECTURE.md, "confidence"). */
type Admitted = {
  confidence?: number
  /** On its provider's own topic only: too far from what the others say to be believed, and why. It is passed on once it is borne out. */
  quarantined?: string
}

export type Trade = Stamp &
  Admitted & {
    type: 'trade'
    /** The provider's own trade id; unique per provider and instrument. Without one no two trades are the same. */
    id?: string
    price: number
    size: number
    side: Side
    /** Where it printed, in the provider's code for it. */
    venue?: string
    /** The provider's own codes; docs/providers says whose list they are from. */
    conditions?: readonly string[]
    session?: TradingSession
    /** It does not set the last price, the day's high or low (odd lots, average price, out of sequence). */
    ineligible?: true
    /** Filled in after the fact (at a failover or from REST): in order, but late. */
    backfill?: true
  }

/** Best bid and offer. */
export type Quote = Stamp & Admitted & { type: 'quote'; bid: number; bidSize: number; ask: number; askSize: number }

/** Last price with the statistics of the last 24 hours (crypto) or of the session (equities). */
export type Ticker = Stamp &
  Admitted & {
    type: 'ticker'
    last: number
    open?: number
    high?: number
    low?: number
    /** Base units traded. */
    volume?: number
    /** Against `open`, in quote currency. */
    change?: number
    /** Against `open`, in percent: 1.5 is +1.5 %. */
    changePercent?: number
    /** Yesterday's close, where the provider has sessions. */
    prevClose?: number
    session?: TradingSession
  }

export const INTERVALS = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d'] as const
export type Interval = (typeof INTERVALS)[number]

const MINUTE = 60_000
/** Length of each interval in milliseconds. */
export const INTERVAL_MS: Record<Interval, number> = {
  '1m': MINUTE,
  '3m': 3 * MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '30m': 30 * MINUTE,
  '1h': 60 * MINUTE,
  '2h': 120 * MINUTE,
  '4h': 240 * MINUTE,
  '6h': 360 * MINUTE,
  '8h': 480 * MINUTE,
  '12h': 720 * MINUTE,
  '1d': 1440 * MINUTE
}

export type Candle = Stamp &
  Admitted & {
    type: 'candle'
    interval: Interval
    /** Start of the interval, inclusive; it ends at `start + INTERVAL_MS[interval]`, exclusive, unless `end` is given. */
    start: number
    /** Where it ends at another time: with the session of its exchange. */
    end?: number
    open: number
    high: number
    low: number
    close: number
    volume: number
    /** Number of trades in it; 0 for an interval without a trade (flat at the last close). */
    trades?: number
    /** A still-forming candle is never `closed`; a closed one changes only by a higher `revision`. */
    closed: boolean
    revision: number
    /** Share of the interval known to be complete, from 0 to 1: less where we were not listening or a gap is open. 1 claims that nothing is missing. */
    coverage?: number
    /** Of candles within one part of the exchange's day. */
    session?: TradingSession
  }

/** The best levels of both sides, best first: a whole picture, not a difference. */
export type Book = Stamp &
  Admitted & {
    type: 'book'
    bids: readonly Level[]
    asks: readonly Level[]
    /** The provider's own sequence of the last update in it. */
    sequence?: number
    /** Checked against the provider's checksum at this very state. */
    verified?: true
    /**
     * `valid`: by all we know it is the provider's book; `suspect`: something speaks against it (an audit, a crossing) and it is
     * checked; `stale`: its connection is silent or down. A book that is `syncing` is not sent.
     */
    state?: 'valid' | 'suspect' | 'stale'
    /** Best levels a side of which `valid` speaks, where what proves the book does not reach deeper; absent: all of them. */
    proven?: number
    /** When it last agreed with a checksum, or with a snapshot in an audit, epoch milliseconds. */
    checked?: number
  }

/** Why a leader was chosen or lost: the arbiter's decision for one instrument and kind. */
export type Status = Stamp & {
  type: 'status'
  kind: ArbitratedKind
  /** `provider` of the stamp is the one this event is about; `leader` is who leads now (absent: nobody). */
  leader?: string
  previous?: string
  standbys: readonly string[]
  cause: 'first' | 'silence' | 'gap' | 'closed' | 'outlier' | 'better' | 'failback' | 'outage' | 'unsubscribed'
  /** One sentence for a person. */
  reason: string
}

/** Known-missing data: what a provider skipped, from its own sequence, ids or silence. */
export type Gap = Stamp & {
  type: 'gap'
  /** Names it, so that a `gap_filled` can say which one it fills. */
  id?: string
  kind: DataKind
  /** Sequence or id expected and met, where the provider has one. */
  expected?: number | string
  got?: number | string
  /** The span in which data is missing, epoch milliseconds. */
  from: number
  to: number
  /** `asked`: somebody had it thrown away and asked for anew. */
  cause: 'sequence' | 'checksum' | 'asked' | 'silence' | 'disconnect'
  /** What was done about it. */
  action: 'resync' | 'failover' | 'open'
  /** Another provider led: only the provider's own topic misses it. */
  own?: true
  /** It goes on: `to` is when this was told, and it is told again under its id once its end is known. */
  lasting?: true
}

export type ProviderPhase = 'idle' | 'connecting' | 'live' | 'stale' | 'waiting' | 'stopped'
/** The life of one provider as its users see it. `instrument` is empty. */
export type ProviderStatus = Omit<Stamp, 'clock'> & {
  type: 'provider'
  phase: ProviderPhase
  /** Since when it has been in this phase. */
  since: number
  /** Why it is in this phase, one sentence. */
  reason: string
  connections: number
  subscriptions: number
  /** Frames per second over the last 10 s. */
  rate: number
  /** Median of received - time of the last trades and quotes, ms; absent until measured. */
  latency?: number
  /** Its clock against ours, milliseconds: by how much it is ahead, and how sure that is; taken off `latency`. */
  clock?: { offset: number; uncertainty: number; steppedAt?: number }
  frames: number
  events: number
  /** Frames refused, by reason. */
  refused: Record<string, number>
  reconnects: number
  gaps: number
  /** What its market does now, where it has hours. */
  market?: TradingSession
  lastFailover?: { at: number; instrument: string; kind: DataKind; reason: string }
  simulated: boolean
}

/** How a replay stands, told on its own `replay:all`. `provider` is empty, `instrument` is `all`; times are those of the recording. */
export type Replaying = Stamp & ReplayState & { type: 'replay' }

export type DataEvent =
  | Trade
  | Quote
  | Ticker
  | Candle
  | Book
  | Index
  | Mark
  | Halt
  | Band
  | Correction
  | News
  | Holding
  | Account
  | OrderUpdate
export type MarketEvent =
  | DataEvent
  | Status
  | Arbitration
  | Gap
  | GapFilled
  | ProviderStatus
  | Liquidity
  | Change
  | Breadth
  | Replaying

/** What happened, as against what is: it is kept in order and never replaced by a newer one. */
const HAPPENINGS: ReadonlySet<MarketEvent['type']> = new Set<MarketEvent['type']>([
  'trade',
  'gap',
  'gap_filled',
  'correction',
  ...WHOLE_KINDS
])

/**
 * State replaces what was there before, so a slow reader may be given only the newest; an event happened, so it is kept
 * in order. A forming candle is state, a closed one an event.
 */
export const isState = (event: MarketEvent): boolean => (event.type === 'candle' ? !event.closed : !HAPPENINGS.has(event.type))

/** Every event of its topic is state: of those that were missed only the newest counts. */
export const isPureState = (event: MarketEvent): boolean => isState(event) && event.type !== 'candle'
