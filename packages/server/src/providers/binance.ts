/**
 * Binance spot, and Binance.US by URL. https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 * Depth frames are numbered differences on a REST snapshot (sequencer.ts).
 */
import { INTERVALS, type DataKind, type Interval } from '@tickwire/protocol'
import { adapter, type BookDelta, type Listing, type Meaning, type Need, type Subscription } from './adapter.ts'
import { advance, begin, type Sequences } from './sequencer.ts'
import { epoch } from './time.ts'
import * as values from './values.ts'
import { batches } from './wants.ts'

type Session = {
  nextId: number
  asked: Map<number, readonly Subscription[]>
  books: Sequences
  /** The trade stream seen first of each symbol. */
  trades: Map<string, string>
  aggregates: Map<string, number>
}

const STREAM: Partial<Record<DataKind, string>> = {
  trade: 'aggTrade',
  quote: 'bookTicker',
  ticker: 'ticker',
  book: 'depth@100ms'
}
const streamOf = ({ kind, symbol, interval }: Subscription): string =>
  `${symbol.toLowerCase()}@${kind === 'candle' ? `kline_${interval}` : (STREAM[kind] ?? kind)}`

/** Weight 50 of 6,000 a minute; 5,000 levels would cost 250, and books are published 50 deep. */
const snapshot = (symbol: string): Need => ({
  type: 'need',
  purpose: 'book',
  symbol,
  path: `/api/v3/depth?symbol=${encodeURIComponent(symbol)}&limit=1000`
})

export const binance = adapter<Session>({
  provider: 'binance',
  title: 'Binance',
  wsUrl: 'wss://stream.binance.com:9443/stream',
  restUrl: 'https://api.binance.com',
  kinds: ['trade', 'quote', 'ticker', 'candle', 'book'],
  intervals: INTERVALS,
  needs: [],
  about: {
    docs: 'https://developers.binance.com/docs/binance-spot-api-docs',
    coverage: 'Crypto spot markets of Binance; trades as aggregated by taker order and price',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: {
    subscriptionsPerConnection: 1024,
    framesPerSecond: 4, // 5 are allowed, and pongs count
    attempts: { count: 300, per: 300_000 },
    requestsPerSecond: 2
  },
  // Control pings of the server come every 20 s; a question of our own shows life on a quiet symbol too.
  ping: { every: 15_000, frame: '{"method":"LIST_SUBSCRIPTIONS","id":0}' },
  staleAfter: 40_000,
  lifetime: 86_400_000,
  listing: '/api/v3/exchangeInfo',
  history: (symbol, interval, limit) => ({
    type: 'need',
    purpose: 'history',
    symbol,
    interval,
    path: `/api/v3/klines?symbol=${encodeURIComponent(symbol)}&interval=${interval}&limit=${Math.min(limit, 1000)}`
  }),

  open: () => ({ nextId: 1, asked: new Map(), books: new Map(), trades: new Map(), aggregates: new Map() }),
  subscribe: (wanted, session) => ask('SUBSCRIBE', wanted, session),
  unsubscribe(unwanted, session) {
    for (const { kind, symbol } of unwanted) {
      if (kind === 'book') session.books.delete(symbol)
      if (kind === 'trade') session.aggregates.delete(symbol)
    }
    return ask('UNSUBSCRIBE', unwanted, session)
  },

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as Message
      if (need) return answer(message, received, session, need)
      if (message.stream !== undefined) return payload(message.data!, received, session, message.stream)
      return payload(message, received, session, '')
    } catch {
      return values.unreadable(frame)
    }
  }
})

/** `{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}`, 200 streams a frame: five frames a second are allowed. */
function ask(method: 'SUBSCRIBE' | 'UNSUBSCRIBE', subscriptions: readonly Subscription[], session: Session): readonly string[] {
  return batches(subscriptions, 200).map((batch) => {
    const id = session.nextId++
    session.asked.set(id, method === 'SUBSCRIBE' ? batch : [])
    return JSON.stringify({ method, params: [...new Set(batch.map(streamOf))], id })
  })
}

function payload(m: Message, received: number, session: Session, stream: string): readonly Meaning[] {
  switch (m.e) {
    // {"e":"depthUpdate","E":1633998512568,"s":"NKNUSDT","U":499869753,"u":499869754,"b":[["0.35170000","4265.0"]],"a":[]}
    case 'depthUpdate':
      return depthUpdate(m, received, session)
    // {"e":"aggTrade","E":..,"s":"NKNUSDT","a":15683430,"p":"0.35280000","q":"58.0","f":..,"l":..,"T":1633998523963,"m":false}
    case 'aggTrade':
      return aggregate(m, session)
    // {"e":"trade","E":..,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136,"m":true,"M":true}
    case 'trade':
      return [taken(m, m.t, session)]
    // {"e":"kline","E":..,"s":"NKNUSDT","k":{"t":1633998480000,"i":"1m","o":"0.3527","c":..,"h":..,"l":..,"v":..,"n":30,"x":false}}
    case 'kline':
      return kline(m)
    // {"e":"24hrTicker","E":..,"s":"BNBBTC","p":"0.0015","P":"250.00","c":"0.0025","o":"0.0010","h":..,"l":..,"v":"10000",...}
    case '24hrTicker':
    case '24hrMiniTicker':
      return [
        values.ticker(m.s, epoch(m.E), values.number(m.c), {
          open: m.o,
          high: m.h,
          low: m.l,
          volume: m.v,
          change: m.p,
          changePercent: m.P
        })
      ]
    // Spot sends {"u":499869768,"s":"NKNUSDT","b":"0.3521","B":"672.0","a":"0.3526","A":"3199.0"}: no type and no time.
    case undefined:
    case 'bookTicker':
      return m.e === undefined && m.B === undefined ? control(m, received, session, stream) : bookTicker(m, received)
    // {"e":"serverShutdown","E":1770123456789}: ten minutes before, at most
    case 'serverShutdown':
      return [{ type: 'ending', reason: 'the server announced its shutdown' }]
    default:
      return []
  }
}

function bookTicker(m: Message, received: number): readonly Meaning[] {
  const time = m.T === undefined ? received : epoch(m.T)
  const { number } = values
  const event = values.quote(m.s, time, number(m.b), number(m.B), number(m.a), number(m.A))
  return event ? [event] : []
}

function taken(m: Message, id: unknown, session: Session): Meaning {
  const symbol = m.s!
  const event = values.trade(symbol, id, epoch(m.T ?? m.E), values.number(m.p), values.number(m.q), m.m ? 'sell' : 'buy')
  if (event.type !== 'trade') return event
  if (typeof m.m !== 'boolean') event.side = 'unknown'
  const first = session.trades.get(symbol)
  if (first === undefined) session.trades.set(symbol, m.e!)
  // Trades and aggregates are numbered apart: the stream that came second on this connection says which it is.
  else if (first !== m.e) event.id = `${m.e}:${event.id}`
  return event
}

/** Aggregates are numbered without holes per symbol, so a hole is known at once and can be filled by number. */
function aggregate(m: Message, session: Session): readonly Meaning[] {
  const event = taken(m, m.a, session)
  if (event.type !== 'trade' || typeof m.a !== 'number') return [event]
  const last = session.aggregates.get(event.symbol)
  if (last === undefined || m.a > last) session.aggregates.set(event.symbol, m.a)
  if (last === undefined || m.a <= last + 1) return [event]
  const count = Math.min(m.a - last - 1, 1000)
  const path = `/api/v3/aggTrades?symbol=${encodeURIComponent(event.symbol)}&fromId=${last + 1}&limit=${count}`
  return [
    { type: 'gap', kind: 'trade', symbol: event.symbol, expected: last + 1, got: m.a, cause: 'sequence' },
    { type: 'need', purpose: 'trades', symbol: event.symbol, path },
    event
  ]
}

function kline(m: Message): readonly Meaning[] {
  const k = m.k!
  const interval = k.i as Interval
  if (!INTERVALS.includes(interval)) return []
  const parts = { symbol: m.s, interval, start: epoch(k.t), time: epoch(m.E) }
  return [values.candle({ ...parts, open: k.o, high: k.h, low: k.l, close: k.c, volume: k.v, trades: k.n, closed: k.x === true })]
}

/** Frames without a type: partial books, acks, errors, arrays of tickers. */
function control(m: Message, received: number, session: Session, stream: string): readonly Meaning[] {
  if (Array.isArray(m)) return m.flatMap((one: Message) => payload(one, received, session, stream))
  // {"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[]}: only the name of the stream says of which symbol
  if (m.lastUpdateId !== undefined) {
    const symbol = stream.slice(0, Math.max(0, stream.indexOf('@'))).toUpperCase()
    if (symbol === '') return [values.refused('partial book without the name of its stream')]
    const delta = whole(m, symbol, received)
    return [delta ?? values.refused('book: impossible level')]
  }
  // {"error":{"code":2,"msg":"Invalid request: ..."},"id":1}, on some deployments {"code":2,"msg":"...","id":1}
  const error = m.error ?? (m.code === undefined ? undefined : m)
  const asked = session.asked.get(m.id as number) ?? []
  if (error !== undefined) {
    session.asked.delete(m.id as number)
    const reason = `${values.say(error.msg)} (${values.say(error.code)})`
    return asked.length === 0
      ? [{ type: 'reject', reason }]
      : asked.map(({ kind, symbol }) => ({ type: 'reject', kind, symbol, reason }) as const)
  }
  // {"result":null,"id":1}
  if (m.result === undefined) return [values.refused('a frame of an unknown shape')]
  session.asked.delete(m.id as number)
  return asked.map(({ kind, symbol }) => ({ type: 'ack', kind, symbol }) as const)
}

// ---- books -------------------------------------------------------------------------------------------------------
// "How to manage a local order book correctly": keep updates back, fetch a snapshot, drop u <= lastUpdateId; the first
// applied has U <= lastUpdateId + 1 <= u; then each U is the previous u + 1, else start again.

function depthUpdate(m: Message, received: number, session: Session): readonly Meaning[] {
  const symbol = m.s!
  const bids = values.levels(m.b)
  const asks = values.levels(m.a)
  const time = epoch(m.E)
  if (typeof symbol !== 'string' || typeof m.U !== 'number' || typeof m.u !== 'number' || !(m.u >= m.U))
    return [values.refused('book: no symbol or no update ids')]
  // A refused update leaves a hole, which the next one shows.
  if (!bids || !asks) return [values.refused('book: impossible level')]
  if (Number.isNaN(time)) return [values.refused('book: impossible time')]
  const delta: BookDelta = { type: 'delta', symbol, time, snapshot: false, bids, asks, sequence: m.u }
  return advance(session.books, { first: m.U, final: m.u, delta }, received, snapshot)
}

function whole(m: Message, symbol: string, time: number): BookDelta | undefined {
  const bids = values.levels(m.bids)
  const asks = values.levels(m.asks)
  if (!bids || !asks || typeof m.lastUpdateId !== 'number') return undefined
  return { type: 'delta', symbol, time, snapshot: true, bids, asks, sequence: m.lastUpdateId }
}

// ---- answers of REST ---------------------------------------------------------------------------------------------

function answer(m: Message, received: number, session: Session, need: Need): readonly Meaning[] {
  // {"code":-1121,"msg":"Invalid symbol."}
  if (m.code !== undefined) {
    const reason = `${values.say(m.msg)} (${values.say(m.code)})`
    return [values.rejected(need.symbol, reason)]
  }
  const symbol = need.symbol ?? ''
  if (need.purpose === 'listing') return [{ type: 'listing', rows: (m.symbols as Product[]).flatMap(listed) }]
  // {"lastUpdateId":499869752,"bids":[["0.35210000","672.00000000"]],"asks":[...]}
  if (need.purpose === 'book') {
    const start = whole(m, symbol, received)
    return start ? begin(session.books, start, received, snapshot) : [values.refused('book: not a snapshot')]
  }
  if (need.purpose === 'trades')
    return (m as unknown as Message[]).map((row) => {
      const event = values.trade(symbol, row.a, epoch(row.T), values.number(row.p), values.number(row.q), row.m ? 'sell' : 'buy')
      return event.type === 'trade' ? { ...event, backfill: true } : event
    })
  // [[1499040000000,"open","high","low","close","volume",closeTime,"quote volume",trades,...], ...], the last one open
  const rows = (m as unknown as unknown[][]).map(([start, open, high, low, close, volume, , , trades]) => {
    const parts = { symbol, interval: need.interval!, start: epoch(start), time: received, closed: false }
    return { ...parts, open, high, low, close, volume, trades }
  })
  return values.pastCandles(rows, received)
}

/** {"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.00001"}]} */
function listed({ symbol, baseAsset, quoteAsset, status, filters = [] }: Product): readonly Listing[] {
  if (typeof symbol !== 'string' || typeof baseAsset !== 'string' || typeof quoteAsset !== 'string') return []
  const row: Listing = { symbol, base: baseAsset, quote: quoteAsset, trading: status === 'TRADING' }
  const price = values.decimalsOf(filters.find((filter) => filter.filterType === 'PRICE_FILTER')?.tickSize)
  if (price !== undefined) row.priceDecimals = price
  const size = values.decimalsOf(filters.find((filter) => filter.filterType === 'LOT_SIZE')?.stepSize)
  if (size !== undefined) row.sizeDecimals = size
  return [row]
}

type Product = Partial<Record<'symbol' | 'baseAsset' | 'quoteAsset' | 'status', string>> & {
  filters?: { filterType?: string; tickSize?: string; stepSize?: string }[]
}
/** The field names of all frames; what each frame holds of them is shown above its branch. */
type Message = {
  stream?: string
  data?: Message
  e?: string
  s?: string
  error?: { code?: unknown; msg?: unknown }
  k?: Record<'t' | 'i' | 'o' | 'h' | 'l' | 'c' | 'v' | 'n' | 'x', unknown>
} & Partial<
  Record<
    | ('E' | 'U' | 'u' | 'b' | 'a' | 'B' | 'A' | 't' | 'T' | 'p' | 'P' | 'q' | 'm' | 'c' | 'o' | 'h' | 'l' | 'v')
    | ('id' | 'result' | 'code' | 'msg' | 'lastUpdateId' | 'bids' | 'asks' | 'symbols'),
    unknown
  >
>
