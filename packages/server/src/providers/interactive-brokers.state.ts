/** What one connection to TWS or the Gateway remembers: the words between the parts of this adapter. */
import type { Interval } from '@tickwire/protocol'
import type { Access, Meaning } from './adapter.ts'
import type { Forming } from './forming.ts'
import type { Known } from './interactive-brokers.contracts.ts'
import type { Wants } from './wants.ts'

type Candle = Extract<Meaning, { type: 'candle' }>
/** A bar as the SDK hands it on, without its request id. */
export type Row = readonly unknown[]
export type Folding = Map<number, { candle: Candle; whole: boolean }>

/** A method of the SDK with its arguments. */
export type Call = { call: string; args: readonly unknown[] }

export type Line = {
  symbol: string
  delayed: boolean
  /** Tick types 0 to 14 by name; a side without an offer has none. */
  ticks: Partial<Record<Tick, number>>
  /** Time of the last trade, epoch milliseconds. */
  lastAt?: number
  /** The quote told last, so that repeats are not. */
  told?: string
  changed: { quote: boolean; day: boolean }
}
export type Tick = 'bid' | 'bidSize' | 'ask' | 'askSize' | 'last' | 'lastSize' | 'open' | 'high' | 'low' | 'prevClose' | 'volume'
/** Price and size by row: TWS numbers rows, and shifts them with each insert and delete. */
export type Rows = { bids: (readonly [number, number])[]; asks: (readonly [number, number])[] }

/** `ticks`: tick by tick. `prints`: what replaces it once TWS takes no more of these. `quotes`: bid and ask tick by tick. */
export type Way = 'details' | 'lines' | 'ticks' | 'prints' | 'quotes' | 'depth' | 'bars' | 'live bars' | 'positions' | 'summary'
export type Asked = {
  id: number
  way: Way
  /** Under which it stands in `wants`. */
  channel: string
  symbol: string
  interval?: Interval
  /** Answers to our pings since it was asked: a request that was not refused meanwhile was accepted. */
  pongs: number
  acked: boolean
  /** It is the second try under another id. */
  retried?: true
}

export type Session = {
  access: Access
  /** False for servers before API 10: sizes of US stocks are in round lots. */
  shares: { lines: boolean; bars: boolean }
  nextId: number
  wants: Wants
  asked: Map<number, Asked>
  /** `channel symbol` → request id. */
  ids: Map<string, number>
  contracts: Map<string, Known>
  /** Details that came so far, by request. */
  found: Map<number, Known[]>
  /** Symbols that TWS takes no further tick-by-tick request for. */
  untickable: Set<string>
  lines: Map<number, Line>
  changed: Set<Line>
  depths: Map<number, Rows>
  rows: Map<number, Row[]>
  folding: Folding
  forming: Forming
  /** Data farms whose connection is broken. */
  broken: Set<string>
  /** Figures of accounts, `account currency` → by tag; and whether the first round is complete. */
  figures: Map<string, Record<string, number>>
  summed: boolean
}
