/** Kraken Futures, WebSocket v1: perpetuals and dated futures. https://docs.kraken.com/api/docs/guides/futures-websockets */
import type { DataKind, Interval, Level } from '@tickwire/protocol'
import { adapter, type BookDelta, type Meaning, type Need, type Subscription } from './adapter.ts'
import { answer, type Answer } from './kraken.futures.rest.ts'
import { isTime } from './time.ts'
import * as values from './values.ts'
import { frames, kindsOf, leave, want, type Wants } from './wants.ts'

/** The last number of a product's book or trades, and when it came. */
type Place = { seq: number; time: number }
type Session = { wants: Wants; books: Map<string, Place>; trades: Map<string, Place> }

const INTERVALS: readonly Interval[] = ['1m', '5m', '15m', '30m', '1h', '4h', '12h', '1d']
const SECONDS: Partial<Record<Interval, number>> = {
  '1m': 60,
  '5m': 300,
  '15m': 900,
  '30m': 1800,
  '1h': 3600,
  '4h': 14_400,
  '12h': 43_200,
  '1d': 86_400
}
const CARRIED: Record<string, readonly DataKind[]> = {
  trade: ['trade'],
  ticker: ['ticker', 'quote', 'mark', 'index'],
  book: ['book']
}
const feedOf = ({ kind }: Subscription): string => (kind === 'trade' || kind === 'book' ? kind : 'ticker')
const HEARTBEAT = '{"event":"subscribe","feed":"heartbeat"}'

export const krakenFutures = adapter<Session>({
  provider: 'kraken-futures',
  title: 'Kraken Futures',
  wsUrl: 'wss://futures.kraken.com/ws/v1',
  restUrl: 'https://futures.kraken.com',
  kinds: ['trade', 'quote', 'ticker', 'book', 'mark', 'index'],
  intervals: INTERVALS,
  streams: [],
  needs: [],
  offByDefault: true, // for whoever wants derivatives
  about: {
    docs: 'https://docs.kraken.com/api/docs/guides/futures-websockets',
    coverage: 'Perpetual and dated futures of Kraken',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: {
    subscriptionsPerConnection: 200, // none is documented
    framesPerSecond: 20, // 100 are allowed
    connections: 100,
    attempts: { count: 100, per: 600_000 },
    requestsPerSecond: 5
  },
  ping: { every: 30_000, frame: { control: 'ping' } }, // without one in 60 s we are put out
  staleAfter: 30_000,
  books: 'numbered',
  audit: (symbol) => ({
    type: 'need',
    purpose: 'audit',
    symbol,
    path: `/derivatives/api/v3/orderbook?symbol=${encodeURIComponent(symbol)}`
  }),
  listing: '/derivatives/api/v3/instruments',
  history(symbol, interval, limit, now) {
    const to = Math.floor(now / 1000)
    const from = to - Math.min(limit, 2_000) * SECONDS[interval]!
    const path = `/api/charts/v1/trade/${encodeURIComponent(symbol)}/${interval}?from=${from}&to=${to}`
    return { type: 'need', purpose: 'history', symbol, interval, path }
  },
  fill: (symbol, _, to) => past(symbol, to),

  open: () => ({ wants: new Map(), books: new Map(), trades: new Map() }),
  greet: () => [HEARTBEAT],
  subscribe(wanted, session) {
    for (const one of wanted) want(session.wants, feedOf(one), one.symbol, one.kind)
    return ask('subscribe', wanted)
  },
  unsubscribe(unwanted, session) {
    const free = unwanted.filter((one) => leave(session.wants, feedOf(one), one.symbol, one.kind))
    for (const { kind, symbol } of free) {
      if (kind === 'book') session.books.delete(symbol)
      if (kind === 'trade') session.trades.delete(symbol)
    }
    return ask('unsubscribe', free)
  },

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as Message & Answer
      if (need) return answer(message, received, need)
      return message.event === undefined ? payload(message, session) : control(message, session)
    } catch {
      return values.unreadable(frame)
    }
  }
})

/** The hundred trades before `to`; times are ISO 8601 here, and milliseconds on the socket. */
const past = (symbol: string, to: number): Need => ({
  type: 'need',
  purpose: 'trades',
  symbol,
  path: `/derivatives/api/v3/history?symbol=${encodeURIComponent(symbol)}&lastTime=${new Date(Math.ceil(to)).toISOString()}`
})

/** `{"event":"subscribe","feed":"book","product_ids":["PI_XBTUSD"]}` */
const ask = (event: 'subscribe' | 'unsubscribe', subscriptions: readonly Subscription[]): readonly string[] =>
  frames(subscriptions, feedOf, 50).map(([feed, product_ids]) => JSON.stringify({ event, feed, product_ids }))

function control(m: Message, session: Session): readonly Meaning[] {
  const { event, feed = '', product_ids: products = [] } = m
  const named = products.filter((one) => typeof one === 'string')
  switch (event) {
    // {"event":"subscribed","feed":"book","product_ids":["FI_ETHUSD_211231"]}
    case 'subscribed':
      return named.flatMap((symbol) => kinds(session, feed, symbol).map((kind) => ({ type: 'ack' as const, kind, symbol })))
    // {"event":"error","message":"Invalid product id"}, {"event":"alert","message":"Bad request"}
    case 'error':
    case 'alert':
    case 'subscribed_failed':
      return refusals(m, named, session)
    // {"event":"info","version":1}, {"event":"unsubscribed","feed":"book","product_ids":["PI_XBTUSD"]}
    default:
      return []
  }
}

const kinds = (session: Session, feed: string, symbol: string): readonly DataKind[] => [
  ...kindsOf(session.wants, feed, symbol, CARRIED[feed] ?? [])
]

/** Of which product an error is, is said in a field or in the text, or not at all. */
function refusals(m: Message, named: readonly string[], session: Session): readonly Meaning[] {
  const reason = m.message === undefined ? values.say(m.event) : values.say(m.message)
  if (/already subscribed/i.test(reason)) return []
  const symbols = new Set([...named, ...(reason.match(/\b[A-Z]{2}_[A-Z0-9]+(?:_\d{6})?\b/g) ?? [])])
  const meanings = [...symbols].flatMap((symbol): Meaning[] => {
    const asked = m.feed === undefined ? [] : kinds(session, m.feed, symbol)
    return asked.length === 0
      ? [values.rejected(symbol, reason)]
      : asked.map((kind) => ({ type: 'reject', kind, symbol, reason }))
  })
  return meanings.length === 0 ? [values.rejected(undefined, reason)] : meanings
}

function payload(m: Message, session: Session): readonly Meaning[] {
  switch (m.feed) {
    // {"feed":"book","product_id":"PI_ETHUSD","side":"sell","seq":26660860,"price":2004.85,"qty":4787.0,"timestamp":1626994927744}
    case 'book':
      return level(m, session)
    // {"feed":"book_snapshot","product_id":"FI_BCHUSD_210730","timestamp":1626994925378,"seq":91192,"tickSize":null,
    //   "bids":[{"price":439.3,"qty":20108.0}],"asks":[{"price":439.6,"qty":50.0}]}
    case 'book_snapshot':
      return snapshot(m, session)
    // {"feed":"trade","product_id":"PI_LTCUSD","uid":"e2429e31-..","side":"buy","type":"fill","seq":5956,"time":1626994929946,
    //   "qty":320.0,"price":119.44}
    case 'trade':
      return live(m, session)
    // {"feed":"trade_snapshot","product_id":"FI_BCHUSD_210730","trades":[{"feed":"trade",..,"seq":1487},{..,"seq":1486}]}
    case 'trade_snapshot':
      return history(m, session)
    // {"time":1680811086487,"product_id":"PI_XBTUSD","relative_funding_rate":2.18e-7,"next_funding_rate_time":1680811200000,
    //   "feed":"ticker","bid":28060,"ask":28070,"bid_size":2844,"ask_size":1902,"volume":19628180,"index":28062.14,
    //   "last":28053.5,"change":-0.77,"suspended":false,"markPrice":28064.92,..}
    case 'ticker':
      return ticker(m)
    // {"feed":"ticker_lite","product_id":"PI_XBTUSD","bid":..,"ask":..,"change":..,"volume":..}: neither last price, sizes nor time
    // {"feed":"heartbeat","time":1534262350627}
    default:
      return typeof m.feed === 'string' ? [] : [values.refused('a frame of an unknown shape')]
  }
}

const hole = (symbol: string, reason: string): readonly Meaning[] => [
  values.refused(reason),
  { type: 'gap', kind: 'book', symbol, cause: 'sequence' }
]

const side = (rows: Row[] | null | undefined): Level[] | undefined => values.levels(rows?.map(({ price, qty }) => [price, qty]))

function snapshot(m: Message, session: Session): readonly Meaning[] {
  const { product_id: symbol, seq, timestamp: time } = m
  if (typeof symbol !== 'string') return [values.refused('book: no symbol')]
  session.books.delete(symbol)
  const bids = side(m.bids)
  const asks = side(m.asks)
  if (!bids || !asks) return hole(symbol, 'book: impossible level')
  if (typeof time !== 'number' || !isTime(time)) return hole(symbol, 'book: impossible time')
  if (!Number.isSafeInteger(seq)) return hole(symbol, 'book: no sequence')
  session.books.set(symbol, { seq: seq as number, time })
  return [{ type: 'delta', symbol, time, snapshot: true, bids, asks, sequence: seq as number }]
}

/** One level a frame; the numbers of a product rise by one. Before the snapshot there is nothing to put it into. */
function level(m: Message, session: Session): readonly Meaning[] {
  const { product_id: symbol, seq, timestamp: time, side } = m
  if (typeof symbol !== 'string') return [values.refused('book: no symbol')]
  const place = session.books.get(symbol)
  if (!place) return []
  const damaged = (reason: string): readonly Meaning[] => (session.books.delete(symbol) ? hole(symbol, reason) : [])
  if (!Number.isSafeInteger(seq)) return damaged('book: no sequence')
  if (typeof time !== 'number' || !isTime(time)) return damaged('book: impossible time')
  const got = seq as number
  // Said twice. A lower number at a later time is a book begun anew.
  if (got <= place.seq && time <= place.time) return []
  if (got !== place.seq + 1) {
    session.books.delete(symbol)
    return [{ type: 'gap', kind: 'book', symbol, expected: place.seq + 1, got, cause: 'sequence' }]
  }
  const levels = values.levels([[m.price, m.qty]])
  if (!levels || (side !== 'buy' && side !== 'sell')) return damaged('book: impossible level')
  place.seq = got
  place.time = time
  const [bids, asks] = side === 'buy' ? [levels, []] : [[], levels]
  const delta: BookDelta = { type: 'delta', symbol, time, snapshot: false, bids, asks, sequence: got }
  return [delta]
}

/** `side` is the taker's; `type` says fill, liquidation, termination, assignment or block: all but the first are conditions. */
function traded(m: Row): Meaning {
  const side = m.side === 'buy' || m.side === 'sell' ? m.side : 'unknown'
  const { number } = values
  const meaning = values.trade(m.product_id, m.uid, number(m.time), number(m.price), number(m.qty), side)
  if (meaning.type === 'trade' && typeof m.type === 'string' && m.type !== 'fill') meaning.conditions = [m.type]
  return meaning
}

/** Trades are numbered like books: 990 of 990 recorded neighbours differ by one. What was skipped is asked for. */
function live(m: Message, session: Session): readonly Meaning[] {
  const trade = traded(m)
  if (trade.type !== 'trade' || !Number.isSafeInteger(m.seq)) return [trade]
  const { symbol, time } = trade
  const seq = m.seq as number
  const last = session.trades.get(symbol)
  if (!last || seq > last.seq || time > last.time) session.trades.set(symbol, { seq, time })
  if (!last || seq <= last.seq + 1) return [trade]
  const gap: Meaning = { type: 'gap', kind: 'trade', symbol, expected: last.seq + 1, got: seq, cause: 'sequence' }
  return [gap, past(symbol, time), trade]
}

/** The last hundred trades, the newest first: history. */
function history(m: Message, session: Session): readonly Meaning[] {
  const rows = (m.trades === null ? [] : m.trades!).toSorted((a, b) => values.number(a.seq) - values.number(b.seq))
  const newest = rows.at(-1)
  const [seq, time] = [values.number(newest?.seq), values.number(newest?.time)]
  if (typeof m.product_id === 'string' && Number.isSafeInteger(seq) && isTime(time))
    session.trades.set(m.product_id, { seq, time })
  return values.each(rows, (row) => {
    const trade = traded(row)
    if (trade.type === 'trade') trade.backfill = true
    return [trade]
  })
}

function ticker(m: Message): readonly Meaning[] {
  const { number, isPrice } = values
  const symbol = m.product_id
  const time = number(m.time)
  if (typeof symbol !== 'string' || symbol === '') return [values.refused('ticker: no symbol')]
  if (!isTime(time)) return [values.refused('ticker: impossible time')]
  const meanings: Meaning[] = []
  const [last, bid, ask, price, index] = [number(m.last), number(m.bid), number(m.ask), number(m.markPrice), number(m.index)]
  const day = { open: m.open, high: m.high, low: m.low, volume: m.volume, changePercent: m.change }
  // What never traded, or has nobody on one side, lacks the field or has 0 there.
  if (last !== 0 && m.last !== undefined && m.last !== null) meanings.push(values.ticker(symbol, time, last, day))
  if (isPrice(bid) && isPrice(ask)) {
    const quote = values.quote(symbol, time, bid, number(m.bid_size), ask, number(m.ask_size))
    if (quote) meanings.push(quote)
  }
  if (isPrice(price)) meanings.push(mark(m, symbol, time, price, index))
  if (isPrice(index)) meanings.push({ type: 'index', symbol, time, value: index })
  return meanings
}

/** The relative rate is the share of the position; the absolute one is in quote currency, or base where it is inverse. */
function mark(m: Message, symbol: string, time: number, price: number, index: number): Meaning {
  const event: Extract<Meaning, { type: 'mark' }> = { type: 'mark', symbol, time, price }
  if (values.isPrice(index)) event.index = index
  const rate = values.number(m.relative_funding_rate)
  if (Math.abs(rate) <= 1) event.fundingRate = rate
  const next = values.number(m.next_funding_rate_time)
  // Some pages say that it is the time left; every frame shown has the time itself.
  if (isTime(next) && next > time) event.nextFunding = next
  return event
}

type Row = Record<string, unknown>
type Message = Row & {
  event?: string
  feed?: string
  message?: unknown
  product_id?: unknown
  product_ids?: string[]
  trades?: Row[] | null
  bids?: Row[] | null
  asks?: Row[] | null
}
