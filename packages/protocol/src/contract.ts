/** What a client and the server agree on for a topic: how its events are delivered. PROTOCOL.md, section 3.3. */
import type { Kind } from './kinds.ts'
import type { MarketEvent } from './market.ts'

/** The fields that every event has under any contract. */
export const ALWAYS = ['topic', 'type', 'seq', 'published'] as const

/**
 * How the events of a topic are delivered. What a client leaves out is as in `DEFAULT_CONTRACT`; an answer names the
 * contract in force, whole.
 */
export type Contract = {
  /** Each event; or of each type (of candles: each closed bar, and the forming one) the newest at each flush; or the newest every `interval`. */
  delivery: 'every' | 'latest' | 'sampled'
  /** Milliseconds, for `sampled` alone: 100 to 60,000. */
  interval?: number
  /** `lite`: those of `LITE`; a list: these and `ALWAYS`. Absent: all. */
  fields?: 'lite' | string[]
  /** Milliseconds since it was received, past which an event is not sent any more. */
  maxAge?: number
}
/** `maxRate`: events per second at most; it is answered with the `sampled` that keeps it. */
export type AskedContract = Partial<Contract> & { maxRate?: number }
export const DEFAULT_CONTRACT: Contract = { delivery: 'every' }
export const SAMPLED = { least: 100, most: 60_000 } as const

/** Kinds of which each event counts: always delivered by `every`, and never replaced by newer ones. */
export const COUNTED_KINDS: ReadonlySet<Kind> = new Set<Kind>([
  'news',
  'correction',
  'halt',
  'gap',
  'status',
  'order',
  'position',
  'account'
])

/** The fields of `lite`, beside `ALWAYS`, by type; a type that is not here comes whole. */
export const LITE: { readonly [T in MarketEvent['type']]?: readonly (keyof Extract<MarketEvent, { type: T }>)[] } = {
  trade: ['provider', 'time', 'price', 'size', 'side'],
  quote: ['provider', 'time', 'bid', 'bidSize', 'ask', 'askSize'],
  ticker: ['provider', 'time', 'last', 'changePercent', 'volume'],
  book: ['provider', 'time', 'bids', 'asks', 'state'],
  candle: ['provider', 'interval', 'start', 'open', 'high', 'low', 'close', 'volume', 'closed', 'revision'],
  index: ['provider', 'time', 'value'],
  mark: ['provider', 'time', 'price', 'fundingRate']
}
