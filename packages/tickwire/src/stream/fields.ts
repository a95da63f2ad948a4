/** What of an event is shown, in which order: by lines, by CSV and by the table alike. Pure. */
import type { Book, Candle, DataKind, Published, Quote, Ticker, Trade } from '@tickwire/protocol'

export const STREAM_TYPES = ['trade', 'quote', 'ticker', 'candle', 'book'] as const
export type StreamType = (typeof STREAM_TYPES)[number]
export type Streamed = Published<Trade> | Published<Quote> | Published<Ticker> | Published<Candle> | Published<Book>

export type Value = string | number | undefined
export type Field<E = Streamed> = {
  name: string
  of: (event: E) => Value
  /** Numbers stand to the right. */
  isText?: true
  /** In a narrow table the highest goes first; 0 stays. Without one it is of CSV alone. */
  rank?: number
}

const iso = (time: number): string => new Date(time).toISOString()

const HEAD: readonly Field[] = [
  { name: 'time', of: ({ time }) => iso(time), isText: true },
  { name: 'instrument', of: ({ instrument }) => instrument, isText: true, rank: 0 }
]
const TAIL: readonly Field[] = [
  { name: 'provider', of: ({ provider }) => provider, isText: true, rank: 3 },
  { name: 'confidence', of: ({ confidence }) => confidence, rank: 4 },
  { name: 'received', of: ({ received }) => iso(received), isText: true },
  { name: 'seq', of: ({ seq }) => seq },
  { name: 'quarantined', of: ({ quarantined }) => quarantined, isText: true }
]

const trade: readonly Field<Trade>[] = [
  { name: 'price', of: ({ price }) => price, rank: 0 },
  { name: 'size', of: ({ size }) => size, rank: 2 },
  { name: 'side', of: ({ side }) => side, isText: true, rank: 5 },
  { name: 'id', of: ({ id }) => id, isText: true },
  { name: 'venue', of: ({ venue }) => venue, isText: true },
  { name: 'conditions', of: ({ conditions }) => conditions?.join(' '), isText: true }
]
const quote: readonly Field<Quote>[] = [
  { name: 'bid', of: ({ bid }) => bid, rank: 0 },
  { name: 'bidSize', of: ({ bidSize }) => bidSize, rank: 6 },
  { name: 'ask', of: ({ ask }) => ask, rank: 1 },
  { name: 'askSize', of: ({ askSize }) => askSize, rank: 6 }
]
const ticker: readonly Field<Ticker>[] = [
  { name: 'last', of: ({ last }) => last, rank: 0 },
  { name: 'changePercent', of: ({ changePercent }) => changePercent, rank: 2 },
  { name: 'open', of: ({ open }) => open, rank: 9 },
  { name: 'high', of: ({ high }) => high, rank: 7 },
  { name: 'low', of: ({ low }) => low, rank: 7 },
  { name: 'volume', of: ({ volume }) => volume, rank: 6 }
]
const candle: readonly Field<Candle>[] = [
  { name: 'start', of: ({ start }) => iso(start).slice(0, 16), isText: true, rank: 2 },
  { name: 'interval', of: ({ interval }) => interval, isText: true, rank: 9 },
  { name: 'open', of: ({ open }) => open, rank: 8 },
  { name: 'high', of: ({ high }) => high, rank: 7 },
  { name: 'low', of: ({ low }) => low, rank: 7 },
  { name: 'close', of: ({ close }) => close, rank: 0 },
  { name: 'volume', of: ({ volume }) => volume, rank: 6 },
  { name: 'state', of: ({ closed, revision }) => stateOf(closed, revision), isText: true, rank: 5 },
  { name: 'coverage', of: ({ coverage }) => coverage }
]
const book: readonly Field<Book>[] = [
  { name: 'bid', of: ({ bids }) => bids[0]?.[0], rank: 0 },
  { name: 'bidSize', of: ({ bids }) => bids[0]?.[1], rank: 6 },
  { name: 'ask', of: ({ asks }) => asks[0]?.[0], rank: 1 },
  { name: 'askSize', of: ({ asks }) => asks[0]?.[1], rank: 6 },
  { name: 'levels', of: ({ bids, asks }) => `${bids.length}/${asks.length}`, isText: true, rank: 8 },
  { name: 'state', of: ({ state }) => state, isText: true, rank: 2 },
  { name: 'bids', of: ({ bids }) => bids.map((level) => level.join('x')).join(' '), isText: true },
  { name: 'asks', of: ({ asks }) => asks.map((level) => level.join('x')).join(' '), isText: true }
]

const stateOf = (closed: boolean, revision: number): string =>
  !closed ? 'forming' : revision > 0 ? `revised ${revision}` : 'closed'

const OWN = { trade, quote, ticker, candle, book }

/** Of this type; an event of another is never shown by them. */
export const fieldsOf = (type: StreamType): readonly Field[] => [...HEAD, ...(OWN[type] as readonly Field[]), ...TAIL]

/** The one number by which an eye sees that something moved. */
export function priceOf(event: Streamed): number | undefined {
  if (event.type === 'trade') return event.price
  if (event.type === 'quote') return (event.bid + event.ask) / 2
  if (event.type === 'ticker') return event.last
  if (event.type === 'candle') return event.close
  return event.bids[0]?.[0]
}

export const isStreamed = (event: Published): event is Streamed => STREAM_TYPES.some((type) => type === event.type)

/** Gaps are told of all kinds of an instrument; candles are folded from trades. */
export const concerns = (type: StreamType, kind: DataKind): boolean => kind === type || (type === 'candle' && kind === 'trade')
