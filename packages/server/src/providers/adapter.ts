/** The contract of a provider: data and two pure functions. One file per provider implements it; one machine runs them all. */
import type { Candle, DataKind, Interval, Level, Quote, Ticker, Trade } from '@tickwire/protocol'

/** What is asked of a provider, in its own symbol. */
export type Subscription = {
  kind: DataKind
  symbol: string
  /** For kind `candle`: one of the provider's own `intervals`. */
  interval?: Interval
}

/** One row of a provider's listing: how its symbol maps to base and quote, from its own data, never from substrings. */
export type Listing = {
  symbol: string
  base: string
  /** Absent for equities and indices: then `base` alone is the instrument id. */
  quote?: string
  /** False when the provider lists it but does not trade it now. */
  trading: boolean
  name?: string
  /** Digits after the point of its prices and sizes. */
  priceDecimals?: number
  sizeDecimals?: number
  /** Other symbols under which the provider may send this one. */
  aliases?: readonly string[]
}

/** A change to a book as the provider sent it. The machine folds these into whole books (feed/books.ts). */
export type BookDelta = {
  type: 'delta'
  symbol: string
  time: number
  /** A snapshot replaces the book; otherwise sizes are absolute and 0 deletes a level. */
  snapshot: boolean
  bids: readonly Level[]
  asks: readonly Level[]
  sequence?: number
  /** The provider keeps no levels beyond this many a side and sends no deletes for those that fall out. */
  depth?: number
  /** CRC32 over the ten best asks, then bids: the digits of price and size at these decimals, without point and leading zeros. */
  checksum?: { value: number; priceDecimals: number; sizeDecimals: number }
}

/** A REST call that the machine makes for the adapter; its answer comes back through `decode` with this need beside it. */
export type Need = {
  type: 'need'
  /** Path and query, appended to the provider's REST address. */
  path: string
  purpose: 'book' | 'history' | 'listing' | 'trades'
  symbol?: string
  interval?: Interval
}

/** A market event as decoded: the provider's symbol stands where the instrument will. */
type Decoded<E> = E extends unknown ? Omit<E, 'instrument' | 'provider' | 'received' | 'confidence'> & { symbol: string } : never

/** What one frame can mean. An empty list says "alive, nothing to report". */
export type Meaning =
  | Decoded<Trade | Quote | Ticker | Candle>
  | BookDelta
  /** The provider confirmed a subscription. */
  | { type: 'ack'; kind?: DataKind; symbol: string }
  /** The provider refused: a subscription (with symbol) or anything else. `fatal` stops the machine: asking again cannot help. */
  | { type: 'reject'; kind?: DataKind; symbol?: string; reason: string; fatal?: true }
  /** Send this now. */
  | { type: 'reply'; frame: string }
  /** Data is missing. With a symbol, that symbol alone is resynchronised; without, the whole connection is. */
  | {
      type: 'gap'
      kind: DataKind
      symbol?: string
      expected?: number | string
      got?: number | string
      cause: 'sequence' | 'checksum'
    }
  | Need
  | { type: 'listing'; rows: readonly Listing[] }
  /** The provider announced the end of this connection: the machine opens the next one first. */
  | { type: 'ending'; reason: string }
  /** A frame that is none of the provider's, or holds an impossible value. Counted by reason; nothing of it is used. */
  | { type: 'refused'; reason: string }

/** Credentials and choices of one provider from the configuration; an adapter reads only what it names in `needs`. */
export type Access = { key?: string; secret?: string; feed?: string }

/**
 * `Session` is the memory of one connection (sequences, buffered deltas): the machine opens a new one on every connect
 * and drops it on every disconnect, so nothing stale outlives the socket it was learnt on.
 */
export type Adapter<Session = unknown> = {
  provider: string
  /** Name for people. */
  title: string
  wsUrl: string
  restUrl: string
  kinds: readonly DataKind[]
  /** Intervals of which the provider sends or serves candles. */
  intervals: readonly Interval[]
  /** Those of them that can be subscribed; absent: all. */
  streams?: readonly Interval[]
  /** What must be configured, in the provider's words; empty for public data. */
  needs: readonly (keyof Access)[]
  /** Documentation, terms, and what the data is. */
  about: { docs: string; coverage: string; redistribution: 'allowed' | 'forbidden' | 'restricted' }
  limits: {
    /** Subscriptions one connection may carry; further ones open further connections. */
    subscriptionsPerConnection: number
    framesPerSecond: number
    /** Connection attempts within a window, over all connections. */
    attempts: { count: number; per: number }
    requestsPerSecond: number
  }
  /** A frame to send when this many milliseconds passed; absent when the provider pings us (the socket answers by itself). */
  ping?: { every: number; frame: string }
  /** Hang up after this long without any frame, milliseconds. */
  staleAfter: number
  /** The provider ends each connection at this age; the machine rotates before. */
  lifetime?: number
  /** Path and query of the listing on `restUrl`; its answer decodes to a `listing`. */
  listing: string
  /** The listing's own address where it is not on `restUrl`; not used when the configuration names another `restUrl`. */
  listingUrl?: string
  /** Path and query of past candles up to `now`; its answer decodes to candles, oldest first. */
  history?: (symbol: string, interval: Interval, limit: number, now: number, access: Access) => Need
  /** The address to dial, where it depends on the access (the feed chosen there). */
  dial?: (wsUrl: string, access: Access) => string
  /** Headers that REST calls need. */
  headers?: (access: Access) => Readonly<Record<string, string>>
  open: (access: Access) => Session
  /** Frames to send once the socket is open, before any subscription (login, heartbeats). */
  greet?: (session: Session) => readonly string[]
  subscribe: (wanted: readonly Subscription[], session: Session) => readonly string[]
  unsubscribe: (unwanted: readonly Subscription[], session: Session) => readonly string[]
  /** `need` is set when `frame` answers a REST call. Never throws on what the provider sent: says `refused`. */
  decode: (frame: string, received: number, session: Session, need?: Need) => readonly Meaning[]
}

export const adapter = <S>(a: Adapter<S>): Adapter<S> => a
