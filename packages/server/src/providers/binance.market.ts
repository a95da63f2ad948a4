/** What the markets of Binance say on their sockets: one protocol, with small differences between spot and futures. */
import { INTERVALS, type DataKind, type Interval } from '@tickwire/protocol'
import type { BookDelta, Meaning, Need, Subscription } from './adapter.ts'
import { advance, type Sequences } from './sequencer.ts'
import { epoch } from './time.ts'
import * as values from './values.ts'
import { batches, leave, want, type Wants } from './wants.ts'

/** What differs between the markets. */
export type Market = {
  /** Where its REST stands, as in `/api/v3`. */
  api: string
  /** Book updates name the one before them (`pu`). */
  chained: boolean
}

export type Session = {
  market: Market
  nextId: number
  asked: Map<number, readonly Subscription[]>
  /** Marks and indices come by one stream, which the last of them leaves. */
  wants: Wants
  books: Sequences
  /** The trade stream seen first of each symbol. */
  trades: Map<string, string>
  aggregates: Map<string, number>
}
export const openSession = (market: Market): Session => ({
  market,
  nextId: 1,
  asked: new Map(),
  wants: new Map(),
  books: new Map(),
  trades: new Map(),
  aggregates: new Map()
})

const STREAM: Partial<Record<DataKind, string>> = {
  trade: 'aggTrade',
  quote: 'bookTicker',
  ticker: 'ticker',
  book: 'depth@100ms',
  mark: 'markPrice@1s',
  index: 'markPrice@1s'
}
const streamOf = ({ kind, symbol, interval }: Subscription): string =>
  `${symbol.toLowerCase()}@${kind === 'candle' ? `kline_${interval}` : (STREAM[kind] ?? kind)}`

/** Weight 50 of 6,000 a minute (futures 20 of 2,400); more levels cost more, and books are published 50 deep. */
export const snapshotOf =
  ({ api }: Market) =>
  (symbol: string): Need => ({
    type: 'need',
    purpose: 'book',
    symbol,
    path: `${api}/depth?symbol=${encodeURIComponent(symbol)}&limit=1000`
  })

/** `{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}`, 200 streams a frame: five frames a second are allowed. */
export function ask(
  method: 'SUBSCRIBE' | 'UNSUBSCRIBE',
  subscriptions: readonly Subscription[],
  session: Session
): readonly string[] {
  const { wants } = session
  if (method === 'SUBSCRIBE') for (const one of subscriptions) want(wants, streamOf(one), one.symbol, one.kind)
  // A second kind of one stream is asked for as well, for its ack.
  const listed =
    method === 'SUBSCRIBE' ? subscriptions : subscriptions.filter((one) => leave(wants, streamOf(one), one.symbol, one.kind))
  return batches(listed, 200).map((batch) => {
    const id = session.nextId++
    session.asked.set(id, method === 'SUBSCRIBE' ? batch : [])
    return JSON.stringify({ method, params: [...new Set(batch.map(streamOf))], id })
  })
}

export function payload(m: Message, received: number, session: Session, stream: string): readonly Meaning[] {
  switch (m.e) {
    // {"e":"depthUpdate","E":1633998512568,"s":"NKNUSDT","U":499869753,"u":499869754,"b":[["0.35170000","4265.0"]],"a":[]}
    case 'depthUpdate':
      return depthUpdate(m, received, session, stream)
    // {"e":"aggTrade","E":..,"s":"NKNUSDT","a":15683430,"p":"0.35280000","q":"58.0","f":..,"l":..,"T":1633998523963,"m":false}
    case 'aggTrade':
      return aggregate(m, session)
    // {"e":"trade","E":..,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136,"m":true,"M":true}
    case 'trade':
      return [taken(m, m.t, session)]
    // {"e":"kline","E":..,"s":"NKNUSDT","k":{"t":1633998480000,"i":"1m","o":"0.3527","c":..,"h":..,"l":..,"v":..,"n":30,"x":false}}
    case 'kline':
      return kline(m, stream)
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
    // {"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15","P":"11784.25","i":"11784.62","r":"0.00038167","T":1562306400000}
    case 'markPriceUpdate':
      return marked(m)
    // {"e":"serverShutdown","E":1770123456789}: ten minutes before, at most
    case 'serverShutdown':
      return [{ type: 'ending', reason: 'the server announced its shutdown' }]
    default:
      return []
  }
}

function bookTicker(m: Message, received: number): readonly Meaning[] {
  const stamped = m.E ?? m.T
  const time = stamped === undefined ? received : epoch(stamped)
  const { number } = values
  const event = values.quote(m.s, time, number(m.b), number(m.B), number(m.a), number(m.A))
  return event ? [event] : []
}

function taken(m: Message, id: unknown, session: Session): Meaning {
  const symbol = m.s!
  const event = values.trade(symbol, id, epoch(m.T), values.number(m.p), values.number(m.q), m.m ? 'sell' : 'buy')
  if (event.type !== 'trade') return event
  if (typeof m.m !== 'boolean') event.side = 'unknown'
  // Single trades of futures say what they are: MARKET, or INSURANCE_FUND and ADL, which nobody took.
  if (typeof m.X === 'string' && m.X !== 'MARKET') event.conditions = [m.X]
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
  const path = `${session.market.api}/aggTrades?symbol=${encodeURIComponent(event.symbol)}&fromId=${last + 1}&limit=${count}`
  return [
    { type: 'gap', kind: 'trade', symbol: event.symbol, expected: last + 1, got: m.a, cause: 'sequence' },
    { type: 'need', purpose: 'trades', symbol: event.symbol, path },
    event
  ]
}

/** The mark, what is under it, and what holding costs; an index topic gets the second alone. */
function marked(m: Message): readonly Meaning[] {
  const [price, index, fundingRate, nextFunding] = [m.p, m.i, m.r, m.T].map(values.number) as [number, number, number, number]
  const time = epoch(m.E)
  if (typeof m.s !== 'string' || !values.isPrice(price) || Number.isNaN(time)) return [values.refused('mark: impossible')]
  const mark: Meaning = { type: 'mark', symbol: m.s, time, price }
  if (values.isPrice(index)) mark.index = index
  if (Number.isFinite(fundingRate)) mark.fundingRate = fundingRate
  if (nextFunding > 0) mark.nextFunding = nextFunding
  return values.isPrice(index) ? [mark, values.index(m.s, time, index)] : [mark]
}

/** `btcusdt@kline_1d@+08:00` has the days of another time zone under the same name. */
function kline(m: Message, stream: string): readonly Meaning[] {
  const k = m.k!
  const interval = k.i as Interval
  if (!INTERVALS.includes(interval) || stream.endsWith('@+08:00')) return []
  const parts = { symbol: m.s, interval, start: epoch(k.t), time: epoch(m.E) }
  return [values.candle({ ...parts, open: k.o, high: k.h, low: k.l, close: k.c, volume: k.v, trades: k.n, closed: k.x === true })]
}

/** Frames without a type: partial books, acks, errors, arrays of tickers. */
function control(m: Message, received: number, session: Session, stream: string): readonly Meaning[] {
  if (Array.isArray(m))
    return values.each(m as readonly unknown[], (one) =>
      values.isRecord(one) ? payload(one as Message, received, session, stream) : [values.refused('a row of an unknown shape')]
    )
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
// applied has U <= lastUpdateId + 1 <= u; then each U is the previous u + 1, else start again. Of futures each names the one before
// it (pu), and the first applied has U <= lastUpdateId <= u.

/** The best levels alone, whole each time. Those of futures look like differences: only the name of the stream tells. */
const PARTIAL = /@depth(?:5|10|20)(?:@|$)/

function depthUpdate(m: Message, received: number, session: Session, stream: string): readonly Meaning[] {
  const symbol = m.s!
  const bids = values.levels(m.b)
  const asks = values.levels(m.a)
  const time = epoch(m.E)
  if (typeof symbol !== 'string' || typeof m.U !== 'number' || typeof m.u !== 'number' || !(m.u >= m.U))
    return [values.refused('book: no symbol or no update ids')]
  // A refused update leaves a hole, which the next one shows.
  if (!bids || !asks) return [values.refused('book: impossible level')]
  if (Number.isNaN(time)) return [values.refused('book: impossible time')]
  if (PARTIAL.test(stream)) return [{ type: 'delta', symbol, time, snapshot: true, bids, asks, sequence: m.u }]
  const previous = session.market.chained && typeof m.pu === 'number' ? { previous: m.pu } : {}
  const delta: BookDelta = { type: 'delta', symbol, time, snapshot: false, bids, asks, sequence: m.u }
  return advance(session.books, { first: m.U, final: m.u, ...previous, delta }, received, snapshotOf(session.market))
}

/** Futures say when it was so; spot does not. */
export function whole(m: Message, symbol: string, received: number): BookDelta | undefined {
  const said = epoch(m.E)
  const time = Number.isNaN(said) ? received : said
  const bids = values.levels(m.bids)
  const asks = values.levels(m.asks)
  if (!bids || !asks || typeof m.lastUpdateId !== 'number') return undefined
  return { type: 'delta', symbol, time, snapshot: true, bids, asks, sequence: m.lastUpdateId }
}

/** The field names of all frames; what each frame holds of them is shown above its branch. */
export type Message = {
  stream?: string
  data?: Message
  e?: string
  s?: string
  error?: { code?: unknown; msg?: unknown }
  k?: Record<'t' | 'i' | 'o' | 'h' | 'l' | 'c' | 'v' | 'n' | 'x', unknown>
} & Partial<
  Record<
    | (
        | 'i'
        | 'r'
        | 'pu'
        | 'E'
        | 'U'
        | 'u'
        | 'b'
        | 'a'
        | 'B'
        | 'A'
        | 't'
        | 'T'
        | 'p'
        | 'P'
        | 'q'
        | 'm'
        | 'c'
        | 'o'
        | 'h'
        | 'l'
        | 'v'
        | 'X'
      )
    | ('id' | 'result' | 'code' | 'msg' | 'lastUpdateId' | 'bids' | 'asks' | 'symbols'),
    unknown
  >
>
