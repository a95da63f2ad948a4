/** Coinbase Advanced Trade. https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels */
import { INTERVAL_MS, type DataKind, type Interval, type Level } from '@tickwire/protocol'
import { adapter, type BookDelta, type Meaning, type Subscription } from './adapter.ts'
import { bookTime, readLevels } from './coinbase.levels.ts'
import { answer, traded, type Answer } from './coinbase.rest.ts'
import { follow, settle, type Forming } from './forming.ts'
import { parseTime } from './time.ts'
import * as values from './values.ts'
import { frames, kindsOf, leave, want, type Wants } from './wants.ts'

type Session = {
  wants: Wants
  /** What the last list of subscriptions held, as `channel product`. */
  confirmed: Set<string>
  /** The last sequence_num: one counter per connection, over all channels. */
  sequence: number | undefined
  forming: Forming
}

const CHANNEL: Partial<Record<DataKind, string>> = {
  trade: 'market_trades',
  quote: 'ticker',
  ticker: 'ticker',
  candle: 'candles',
  book: 'level2'
}
const channelOf = (kind: DataKind): string => CHANNEL[kind] ?? kind
const CARRIED: Record<string, readonly DataKind[]> = {
  market_trades: ['trade'],
  ticker: ['ticker', 'quote'],
  candles: ['candle'],
  level2: ['book']
}
const GRANULARITY: Partial<Record<Interval, string>> = {
  '1m': 'ONE_MINUTE',
  '5m': 'FIVE_MINUTE',
  '15m': 'FIFTEEN_MINUTE',
  '30m': 'THIRTY_MINUTE',
  '1h': 'ONE_HOUR',
  '2h': 'TWO_HOUR',
  '4h': 'FOUR_HOUR',
  '6h': 'SIX_HOUR',
  '1d': 'ONE_DAY'
}
/** The candles channel has buckets of five minutes and no others. */
const BUCKET: Interval = '5m'

export const coinbase = adapter<Session>({
  provider: 'coinbase',
  title: 'Coinbase',
  wsUrl: 'wss://advanced-trade-ws.coinbase.com',
  restUrl: 'https://api.coinbase.com/api/v3/brokerage',
  kinds: ['trade', 'quote', 'ticker', 'candle', 'book'],
  intervals: Object.keys(GRANULARITY) as Interval[],
  streams: [BUCKET],
  needs: [],
  about: {
    docs: 'https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview',
    coverage: 'Crypto spot markets of Coinbase',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: {
    subscriptionsPerConnection: 1_000, // none is documented
    framesPerSecond: 7, // 8 without a key
    attempts: { count: 8, per: 1_000 },
    requestsPerSecond: 8
  },
  staleAfter: 15_000, // heartbeats come every second
  listing: '/market/products',
  history(symbol, interval, limit, now) {
    const count = Math.min(limit, 350)
    const end = Math.floor(now / 1000)
    const start = end - Math.floor((count * INTERVAL_MS[interval]) / 1000)
    const path = `/market/products/${encodeURIComponent(symbol)}/candles?start=${start}&end=${end}&granularity=${GRANULARITY[interval]}&limit=${count}`
    return { type: 'need', purpose: 'history', symbol, interval, path }
  },

  fill: (symbol, from, to) => ({
    type: 'need',
    purpose: 'trades',
    symbol,
    path: `/market/products/${encodeURIComponent(symbol)}/ticker?limit=1000&start=${Math.floor(from / 1000)}&end=${Math.ceil(to / 1000)}`
  }),

  open: () => ({ wants: new Map(), confirmed: new Set(), sequence: undefined, forming: new Map() }),
  // Without it a connection with quiet channels is closed after 60 to 90 s.
  greet: () => ['{"type":"subscribe","channel":"heartbeats"}'],

  subscribe(wanted, session) {
    const possible = wanted.filter(({ kind, interval }) => kind !== 'candle' || interval === undefined || interval === BUCKET)
    for (const { kind, symbol } of possible) {
      want(session.wants, channelOf(kind), symbol, kind)
      session.confirmed.delete(`${channelOf(kind)} ${symbol}`)
    }
    return ask('subscribe', possible)
  },
  unsubscribe(unwanted, session) {
    const free = unwanted.filter(({ kind, symbol }) => leave(session.wants, channelOf(kind), symbol, kind))
    return ask('unsubscribe', free)
  },

  decode(frame, received, session, need) {
    try {
      const levels = need ? undefined : readLevels(values.textOf(frame), received)
      if (levels) return numbered(levels, session, () => [levels.delta])
      const message = JSON.parse(values.textOf(frame)) as Message & Answer
      return need ? answer(message, received, need) : payload(message, received, session)
    } catch {
      return values.unreadable(frame)
    }
  }
})

/** `{"type":"subscribe","product_ids":["BTC-USD"],"channel":"market_trades"}`: one channel a frame. */
const ask = (type: 'subscribe' | 'unsubscribe', subscriptions: readonly Subscription[]): readonly string[] =>
  frames(subscriptions, ({ kind }) => channelOf(kind), 100).map(([channel, product_ids]) =>
    JSON.stringify({ type, product_ids, channel })
  )

function payload(m: Message, received: number, session: Session): readonly Meaning[] {
  // {"type":"error","message":"..."}: neither channel nor sequence
  if (m.type === 'error') return [rejection(values.say(m.message), session)]
  if (typeof m.channel !== 'string') return [values.refused('a frame of an unknown shape')]
  return numbered(m, session, () => events(m, received, session))
}

/** What a frame means, with the gap that its number shows. */
function numbered(
  m: Pick<Message, 'channel' | 'sequence_num'>,
  session: Session,
  read: () => readonly Meaning[]
): readonly Meaning[] {
  const missing = order(m, session)
  if (missing === 'duplicate') return []
  const found = read()
  if (typeof m.sequence_num === 'number') session.sequence = m.sequence_num
  if (missing === undefined) return found
  // The connection is started anew; a difference on a book with a hole in it is of no use until then.
  return [missing, ...found.filter((meaning) => meaning.type !== 'delta')]
}

function order(m: Pick<Message, 'channel' | 'sequence_num'>, session: Session): Meaning | 'duplicate' | undefined {
  const got = m.sequence_num
  if (typeof got !== 'number') return undefined
  const last = session.sequence
  // A book's frame counts once it was read to the end: else the next one shows the hole.
  if (m.channel !== 'l2_data') session.sequence = got
  if (last === undefined || got === last + 1) return undefined
  if (got === last) return 'duplicate'
  const kind = CARRIED[m.channel === 'l2_data' ? 'level2' : m.channel!]?.[0] ?? 'trade'
  return { type: 'gap', kind, expected: last + 1, got, cause: 'sequence' }
}

function events(m: Message, received: number, session: Session): readonly Meaning[] {
  switch (m.channel) {
    // {"channel":"l2_data","timestamp":..,"sequence_num":18,"events":[{"type":"update","product_id":"BTC-USD","updates":[
    //   {"side":"bid","event_time":"2026-08-09T21:05:48.520907Z","price_level":"65053.45","new_quantity":"0.02496497"}]}]}
    case 'l2_data':
      return values.each(m.events!, (event) => levelTwo(m, event, received))
    // {"channel":"market_trades",..,"events":[{"type":"update","trades":[{"product_id":"BTC-USD","trade_id":"1068572091",
    //   "price":"65083.67","size":"0.01034361","time":"2026-08-09T21:05:48.167634Z","side":"SELL"}]}]}
    case 'market_trades':
      return values.each(m.events!, marketTrades)
    // {"channel":"ticker","timestamp":..,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD",
    //   "price":"65086.18","volume_24_h":..,"low_24_h":..,"high_24_h":..,"price_percent_chg_24_h":..,"best_bid":..,...}]}]}
    case 'ticker':
    case 'ticker_batch':
      return tickers(m)
    // {"channel":"candles",..,"events":[{"type":"update","candles":[{"start":"1786309500","high":..,"low":..,"open":..,
    //   "close":..,"volume":..,"product_id":"ETH-USD"}]}]}
    case 'candles':
      return values.each(m.events!, (event) => candles(m, event, session))
    // {"channel":"subscriptions",..,"events":[{"subscriptions":{"ticker":["BTC-USD"],"heartbeats":["heartbeats"]}}]}
    case 'subscriptions':
      return confirmations(m, session)
    // {"channel":"heartbeats",..,"events":[{"current_time":"2026-08-09 21:05:53.85 +0000 UTC m=+41696.26","heartbeat_counter":41696}]}
    default:
      return []
  }
}

function levelTwo(m: Message, event: Event, received: number): readonly Meaning[] {
  const symbol = event.product_id
  if (typeof symbol !== 'string') return [values.refused('book: no symbol'), { type: 'gap', kind: 'book', cause: 'sequence' }]
  const updates = event.updates!
  const bids: Level[] = []
  const asks: Level[] = []
  for (const row of updates) {
    const price = values.number(row.price_level)
    const size = values.number(row.new_quantity)
    const side = row.side === 'bid' ? bids : row.side === 'offer' ? asks : undefined
    if (!side || !values.isPrice(price) || !values.isSize(size)) {
      // Its number was counted, so nothing but this would tell that the book has a hole.
      return [values.refused('book: impossible level'), { type: 'gap', kind: 'book', symbol, cause: 'sequence' }]
    }
    side.push([price, size])
  }
  const time = bookTime(updates.at(-1)?.event_time, m.timestamp, received)
  const delta: BookDelta = { type: 'delta', symbol, time, snapshot: event.type === 'snapshot', bids, asks }
  if (m.sequence_num !== undefined) delta.sequence = m.sequence_num
  return [delta]
}

/** `side` is the maker's: 73 of 78 recorded trades are SELL above the middle or BUY below it. Snapshots are history. */
function marketTrades(event: Event): readonly Meaning[] {
  const history = event.type === 'snapshot'
  const trades = event.trades!.map((row) => {
    const meaning = traded(row)
    if (history && meaning.type === 'trade') meaning.backfill = true
    return meaning
  })
  return values.oldestFirst(trades)
}

function tickers(m: Message): readonly Meaning[] {
  const time = parseTime(m.timestamp)
  const { number } = values
  const meanings: Meaning[] = []
  for (const event of m.events!) {
    for (const row of event.tickers!) {
      const day = {
        high: row.high_24_h,
        low: row.low_24_h,
        volume: row.volume_24_h,
        changePercent: row.price_percent_chg_24_h
      }
      meanings.push(values.ticker(row.product_id, time, number(row.price), day))
      // A product without offers has empty texts there.
      if (!row.best_bid || !row.best_ask) continue
      const [bid, bidSize] = [number(row.best_bid), number(row.best_bid_quantity)]
      const quote = values.quote(row.product_id, time, bid, bidSize, number(row.best_ask), number(row.best_ask_quantity))
      if (quote) meanings.push(quote)
    }
  }
  return meanings
}

/** Seconds as text; no row says that its bucket is final: a later start does. */
function candles(m: Message, event: Event, session: Session): readonly Meaning[] {
  const time = parseTime(m.timestamp)
  const found = event.candles!.map((row) => {
    const { product_id: symbol, open, high, low, close, volume } = row
    const start = values.number(row.start) * 1000
    return values.candle({ symbol, interval: BUCKET, start, time, open, high, low, close, volume, closed: false })
  })
  const good = found.filter((meaning) => meaning.type === 'candle')
  const followed = event.type === 'snapshot' ? settle(session.forming, good) : good.flatMap((c) => follow(session.forming, c))
  return [...followed, ...found.filter((meaning) => meaning.type === 'refused')]
}

/** The whole list each time, after the channel's first snapshot: what is new in it is confirmed. */
function confirmations(m: Message, session: Session): readonly Meaning[] {
  const before = session.confirmed
  const acks: Meaning[] = []
  session.confirmed = new Set()
  for (const event of m.events!) {
    for (const [channel, products] of Object.entries(event.subscriptions!)) {
      const carried = CARRIED[channel]
      if (!carried) continue
      for (const symbol of products) {
        const key = `${channel} ${symbol}`
        session.confirmed.add(key)
        if (before.has(key) || typeof symbol !== 'string') continue
        for (const kind of kindsOf(session.wants, channel, symbol, carried)) acks.push({ type: 'ack', kind, symbol })
      }
    }
  }
  return acks
}

/** The text of an error may name the product; only then is it known what was refused. */
function rejection(reason: string, session: Session): Meaning {
  const named = new Set(reason.match(/[A-Z0-9]+(?:-[A-Z0-9]+)+/g))
  for (const symbols of session.wants.values())
    for (const symbol of symbols.keys()) if (named.has(symbol)) return { type: 'reject', symbol, reason }
  return { type: 'reject', reason }
}

type Row = Record<string, unknown>
type Event = {
  type?: string
  product_id?: string
  updates?: Row[]
  trades?: Row[]
  tickers?: Row[]
  candles?: Row[]
  subscriptions?: Record<string, string[]>
}
type Message = {
  channel?: string
  type?: string
  message?: unknown
  timestamp?: unknown
  sequence_num?: number
  events?: Event[]
}
