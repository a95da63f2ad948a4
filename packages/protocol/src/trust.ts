/** Why a number can be trusted: who is heard and why, how each source fares, what is missing, and how good our own forecasts were. */
import type { ArbitratedKind, DataKind } from './kinds.ts'
import type { Stamp } from './stamp.ts'

/**
 * How a source speaks: `live` as it usually does; `late` silent for longer than usual; `stale` so long that its price is not used;
 * `dead` known to be broken (its connection is down, or all of it is mute while others speak); `closed` its market has no session
 * now; `halted` its venue said so; `asked` never heard yet.
 */
export const LIVENESS = ['asked', 'live', 'late', 'stale', 'dead', 'closed', 'halted'] as const
export type Liveness = (typeof LIVENESS)[number]

/** What the score is made of, each measured, from 0 to 1, 1 being the best. */
export type ScoreInputs = {
  /** How young its last word is against how often it usually speaks. */
  freshness: number
  /** How fast its events come, against the fastest source of this instrument. */
  latency: number
  /** Share of the time in which it was connected and spoke. */
  uptime: number
  /** Share of what it should have sent that it did send: no gaps, no damaged books. */
  completeness: number
  /** How often its prices held against the consensus a little later. */
  reliability: number
}

/** One provider's standing for one kind of one instrument. */
export type SourceReport = {
  provider: string
  /** `standby`: one of the two that would take over; `candidate`: it speaks, but others come before it; `out`: not now. */
  role: 'leader' | 'standby' | 'candidate' | 'out'
  liveness: Liveness
  /** Weighted sum of the inputs, from 0 to 1. */
  score: number
  inputs: ScoreInputs
  /** Its last price, and how old that is, milliseconds: by its own time and its clock's offset, at least since we heard it. */
  price?: number
  age?: number
  /** Median of received - time, its clock's offset taken off, milliseconds. */
  latency?: number
  /** Share of the consensus, from 0 to 1; 0 where it is refused. */
  weight: number
  /** Its lasting distance from the others, in basis points, which is allowed for (other venue, other quote currency). */
  basis?: number
  /** Why it is used, or why not: one sentence. */
  reason: string
}

/** What all live sources together say of the price. */
export type Consensus = {
  price: number
  /** Half width of what agrees with it, in basis points: what is further away is refused. */
  toleranceBps: number
  /** Sources in use, and those there are. */
  used: number
  sources: number
  /** When it was made, epoch milliseconds. */
  at: number
}

/** The arbiter's view of one kind of one instrument, told about once a second while somebody listens, and at each decision. */
export type Arbitration = Stamp & {
  type: 'arbitration'
  kind: ArbitratedKind
  /** Who leads (absent: nobody), since when, and who would be next, best first. */
  leader?: string
  since: number
  standbys: readonly string[]
  /** The decision in one sentence for a person. */
  sentence: string
  sources: readonly SourceReport[]
  consensus?: Consensus
  /** Changes of leader in the last minute. */
  switches: number
}

/** What was missing is here, or as much of it as can be had; `provider` is who had lost it. */
export type GapFilled = Stamp & {
  type: 'gap_filled'
  kind: DataKind
  /** Of the gap that this fills. */
  gap: string
  from: number
  to: number
  /** `rest`: asked of the same provider; `provider`: from another one's stream; `snapshot`: state, of which only the newest counts. */
  how: 'rest' | 'provider' | 'snapshot'
  /** Who gave it. */
  by: string
  /** Events that were filled in; they carry `backfill`. */
  items: number
  /** On the provider's own topic only; of the arbitrated stream another `gap_filled` speaks, if that had the gap too. */
  own?: true
}

/** How liquid an instrument is now, from its book. Prices in quote currency, sizes in base units. */
export type Liquidity = Stamp & {
  type: 'liquidity'
  bid: number
  ask: number
  mid: number
  /** Ask less bid, and the same in basis points of mid. */
  spread: number
  spreadBps: number
  /** Mid weighted by the sizes of the other side: where the next trade is likelier. */
  microprice: number
  /** (bids - asks) / (bids + asks) of the sizes within the widest of `depth`, or within `reach` where that is empty, from -1 to 1. */
  imbalance: number
  /** Basis points from mid to the last level that the book tells, of the nearer side. */
  reach: number
  /** What can be sold and bought within so many basis points of mid, as far as the book reaches. */
  depth: readonly { bps: number; bids: number; asks: number }[]
  /** The largest levels below and above, largest first. */
  support: readonly (readonly [price: number, size: number])[]
  resistance: readonly (readonly [price: number, size: number])[]
  /** Its book is stale, empty or crossed by now: this is how it was last. */
  stale?: true
}

/** How the price has moved, against other times. */
export type Change = Stamp & {
  type: 'change'
  price: number
  /** Per window (`1m`, `5m`, `15m`, `1h`, `24h`): in percent, 1.5 is +1.5 %; a window not yet full is absent, and so is one whose price then fell into an open gap. */
  windows: Readonly<Record<string, number>>
  /** Base units traded in the last whole minute, the usual of the minutes before, and their ratio. */
  volume?: { last: number; usual: number; ratio: number }
  /** The open against the close before it, in percent, where the instrument has sessions. */
  gap?: number
}

/** How the watched instruments move together; `instrument` is `all` or a sector. */
export type Breadth = Stamp & {
  type: 'breadth'
  /** Window over which they are compared. */
  window: string
  advancing: number
  declining: number
  unchanged: number
  /** Mean and median of their changes in percent. */
  mean: number
  median: number
}

/** One class of forecasts of one provider: "within `bps` of the consensus `horizon` ms later", and how often it was so. */
export type Calibration = {
  provider: string
  /** `trade`, `quote`, `ticker`. */
  class: string
  bps: number
  horizon: number
  /** Forecasts resolved, and their mean confidence and share that came true. */
  count: number
  mean: number
  hits: number
  /** Mean squared error of the confidence; expected calibration error over the bins. */
  brier: number
  ece: number
  bins: readonly { from: number; to: number; count: number; mean: number; hits: number }[]
}
