/** The contract of a provider: data and two pure functions. One file per provider implements it; one machine runs them all. */
import type { DataEvent, DataKind, Interval, Level, News } from '@tickwire/protocol'

/** What a provider sends, or is sent: text, or bytes where the adapter says `binary`. */
export type Frame = string | Uint8Array
/** A ping of the WebSocket protocol itself, for providers that want one of us. */
export type Ping = { control: 'ping' }
/** What the machine does for an adapter: a frame on the socket, a ping of it, or a REST call again and again. */
export type Outgoing = Frame | Ping | Poll

/** What is asked of a provider, in its own symbol. */
export type Subscription = {
  kind: DataKind
  /** `*` for a stream that is not of one symbol (kinds in the adapter's `whole`). */
  symbol: string
  /** For kind `candle`: one of the provider's own `intervals`. */
  interval?: Interval
}

/** One row of a provider's listing: how its symbol maps to base and quote, from its own data, never from substrings. */
export type Listing = {
  symbol: string
  base: string
  /** Absent for equities and indices: then `base` alone is the instrument id, as in `AAPL`, `NSE:SBIN-EQ`, `INDEX:SPX`. */
  quote?: string
  /**
   * A derivative of the pair, as the third part of its id: `PERP` (linear perpetual), `INVERSE` (perpetual settled in base, its
   * sizes in contracts), `251226` or `INVERSE-251226` (expiry), as in `BTC-USDT-PERP`.
   */
  contract?: string
  /** False when the provider lists it but does not trade it now. */
  trading: boolean
  name?: string
  /** Digits after the point of its prices and sizes. */
  priceDecimals?: number
  sizeDecimals?: number
  /** Other symbols under which the provider may send this one. */
  aliases?: readonly string[]
  /** When it trades, where that is not the adapter's `calendar`. */
  calendar?: CalendarId
}

/** Exchange calendars, by market identifier code; `24/7` never closes, `FX` is the week from Sunday 17:00 to Friday 17:00 in New York. */
export const CALENDAR_IDS = ['XNYS', 'XNAS', 'XNSE', 'XBOM', 'XIMC', 'XLON', 'CMES', 'FX', '24/7'] as const
export type CalendarId = (typeof CALENDAR_IDS)[number]

/** A change to a book as the provider sent it. The machine folds these into whole books (connection/books.ts). */
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
  /** Path and query, appended to the provider's REST address; or an address of its own. */
  path: string
  /** A listing's answer may hold `need`s of purpose `listing`: its next pages. `trades` answers a `fill`. */
  purpose: 'book' | 'audit' | 'history' | 'listing' | 'trades' | 'snapshot' | 'login'
  symbol?: string
  interval?: Interval
  /** Sent as JSON with POST. */
  post?: unknown
  /** Further headers. */
  headers?: Readonly<Record<string, string>>
  /** An answer that is no success comes to `decode` too, for whoever reads its body; `answered.status` says what it is. */
  tolerate?: true
  /** The answer comes as bytes, for whoever finds out the charset himself. */
  bytes?: true
  /** Redirects to other public hosts are followed: it carries nothing that they must not see. */
  roams?: true
  /** Adapter's own, handed back untouched. */
  note?: unknown
  /** Set by the machine: the answer's status and headers (lower case), and the address it has moved to for good. */
  answered?: { status: number; headers: Readonly<Record<string, string>>; moved?: string }
}

/**
 * A need that is asked again and again: how data comes from a provider without a socket. The same `poll` replaces what was asked
 * under that name; without a `need` it ends. The machine sends ETag and Last-Modified back, says nothing to the adapter when the
 * answer is unchanged (304, or the same bytes), and stretches `every` where the provider's budget is small.
 */
export type Poll = {
  poll: string
  need?: Need
  /** Milliseconds; Infinity: once. */
  every: number
  /** It goes on so after the answer at hand: nothing is asked at once, and what was sent back before still is. */
  later?: true
}

/** An event as decoded: the provider's symbol stands where the instrument will. */
type Decoded<E> = E extends unknown ? Omit<E, 'instrument' | 'provider' | 'received' | 'confidence'> & { symbol: string } : never
/** A story names the provider's symbols; the machine makes instruments of those that it knows. */
type DecodedNews = Omit<Decoded<News>, 'instruments' | 'sentiments'> & {
  symbols: readonly string[]
  sentiments?: Readonly<Record<string, number>>
}
export type DecodedEvent = Decoded<Exclude<DataEvent, { type: 'book' | 'news' }>> | DecodedNews

/** What one frame can mean. An empty list says "alive, nothing to report". */
export type Meaning =
  | DecodedEvent
  | BookDelta
  /** The provider confirmed a subscription. */
  | { type: 'ack'; kind?: DataKind; symbol: string }
  /**
   * The provider refused: a subscription (with symbol) or anything else. `fatal` stops the machine: asking again cannot help.
   * `denied`: the credentials are not accepted; the machine reads them anew, tries twice, then every five minutes.
   */
  | { type: 'reject'; kind?: DataKind; symbol?: string; reason: string; fatal?: true; denied?: true }
  /** Send this now. */
  | { type: 'reply'; frame: Outgoing }
  /** The provider asks for quiet: no REST call for this long, milliseconds (a day's budget is spent, 429 in other words). */
  | { type: 'quiet'; for: number; reason: string }
  /** The connection is of no use: hang up and dial again, not sooner than after `wait` ms. */
  | { type: 'hangup'; reason: string; wait?: number }
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

/** Credentials and choices of one provider from the configuration; an adapter reads only what it names in `needs` and `takes`. */
export type Access = {
  key?: string
  secret?: string
  feed?: string
  /** The user wants his own account too: positions, balances, orders. */
  account?: true
  /** Choices of this adapter alone, as its `takes` names and describes them. */
  options?: Readonly<Record<string, string>>
}

/**
 * `Session` is the memory of one connection (sequences, buffered deltas): the machine opens a new one on every connect
 * and drops it on every disconnect, so nothing stale outlives the socket it was learnt on.
 */
export type Adapter<Session = unknown> = {
  provider: string
  /** Name for people. */
  title: string
  /** Absent where there is no socket: all data comes by `Poll`. */
  wsUrl?: string
  restUrl: string
  kinds: readonly DataKind[]
  /** Kinds that are subscribed as a whole, with the symbol `*`. */
  whole?: readonly DataKind[]
  /** False for what it never sends of this symbol (a book of a stock), which then is not asked for; absent: all kinds of all. */
  carries?: (wanted: Pick<Subscription, 'kind' | 'symbol'>) => boolean
  /** Intervals of which the provider sends or serves candles. */
  intervals: readonly Interval[]
  /** Those of them that can be subscribed; absent: all. */
  streams?: readonly Interval[]
  /** What must be configured, in the provider's words; empty for public data. */
  needs: readonly (keyof Access)[]
  /** Further choices, `name: what it is`, configured under `options`; `interval` (seconds) of polled news is `news.interval` unless set. */
  takes?: Readonly<Record<string, string>>
  /** Not used unless the operator says so, although it needs nothing (terms, or no service level). */
  offByDefault?: true
  /** Documentation, terms, what the data is, what it costs. */
  about: {
    docs: string
    coverage: string
    redistribution: 'allowed' | 'forbidden' | 'restricted'
    /** In a few words, as in "free with an account". */
    cost: string
  }
  limits: {
    /** Subscriptions one connection may carry; further ones open further connections. */
    subscriptionsPerConnection: number
    /** Connections at one time, per route; absent: no limit. With 1 a rotation breaks before it makes. */
    connections?: number
    framesPerSecond: number
    /** Connection attempts within a window, over all connections. */
    attempts: { count: number; per: number }
    requestsPerSecond: number
    /** Further windows of the REST budget (a minute's, a day's), all of which hold; `requests` of the configuration replaces them. */
    requests?: readonly { count: number; per: number }[]
  }
  /** A frame to send when this many milliseconds passed; absent when the provider pings us (the socket answers by itself). */
  ping?: { every: number; frame: Frame | Ping | ((session: Session) => Frame | undefined) }
  /** Hang up after this long without any frame, milliseconds. */
  staleAfter: number
  /** The provider ends each connection at this age; the machine rotates before. */
  lifetime?: number
  /** When the credentials end, epoch milliseconds: the machine rotates before. */
  expires?: (access: Access) => number | undefined
  /** When its instruments trade; out of hours silence is no fault. Absent: `24/7`. */
  calendar?: CalendarId | ((route: string) => CalendarId)
  /** Frames are handed to `decode` as bytes. */
  binary?: true
  /** Path and query of the listing on `restUrl`; its answer decodes to a `listing`. Absent where there is none: then `identify`. */
  listing?: string
  /** The listing's own address where it is not on `restUrl`; not used when the configuration names another `restUrl`. */
  listingUrl?: string | ((access: Access) => string)
  /**
   * What an instrument that no listing of this provider names is here, by the grammar of its symbols; nothing if it cannot be
   * one of its own. `text` is a canonical id or what a person typed, in upper case.
   */
  identify?: (text: string) => Listing | undefined
  /** Path and query of past candles up to `now`; its answer decodes to candles, oldest first. */
  history?: (symbol: string, interval: Interval, limit: number, now: number, access: Access) => Need
  /**
   * The ids of a symbol's trades count up by one, by its documentation or its recorded data: one skipped is a trade missed, and none
   * skipped over a break proves that nothing was.
   */
  countsTrades?: true
  /** Past trades, after a gap or a break; the answer decodes to trades, oldest first, which the machine marks as backfill. */
  fill?: (symbol: string, from: number, to: number, access: Access) => Need | undefined
  /**
   * What proves its books: `numbered` changes show a hole; `summed` ones carry a checksum of the ten best levels; `whole` books
   * replace each other. Absent: a snapshot is good, but nothing would show that a change after it is missing. `pieced`: pictures
   * made of changes without numbers. Books without proof are `suspect`, except where a snapshot or an audit has just agreed.
   */
  books?: 'numbered' | 'summed' | 'whole' | 'pieced'
  /** A book to compare with ours, of purpose `audit`; its answer decodes to one delta, a snapshot, with its sequence if it has one. */
  audit?: (symbol: string, access: Access) => Need | undefined
  /** Subscriptions with different routes never share a connection (a cluster, an address per kind); absent: one route, ''. */
  route?: (subscription: Subscription) => string
  /** The address to dial, where it depends on the access (the feed chosen there) or the route. */
  dial?: (wsUrl: string, access: Access, route?: string) => string
  /** Headers of the WebSocket handshake. */
  upgrade?: (access: Access) => Readonly<Record<string, string>>
  /** Headers that REST calls need. */
  headers?: (access: Access) => Readonly<Record<string, string>>
  open: (access: Access, route?: string) => Session
  /** Frames to send once the socket is open, before any subscription (login, heartbeats). */
  greet?: (session: Session) => readonly Outgoing[]
  /** The login was answered; absent where there is none. A connection that is not let in for too long is dialled anew. */
  isAdmitted?: (session: Session) => boolean
  subscribe: (wanted: readonly Subscription[], session: Session) => readonly Outgoing[]
  unsubscribe: (unwanted: readonly Subscription[], session: Session) => readonly Outgoing[]
  /** `need` is set when `frame` answers a REST call. Never throws on what the provider sent: says `refused`. */
  decode: (frame: Frame, received: number, session: Session, need?: Need) => readonly Meaning[]
}

export const adapter = <S>(a: Adapter<S>): Adapter<S> => a
