/** Kraken spot, WebSocket v2. https://docs.kraken.com/api/docs/websocket-v2 (v1 is frozen, and has no adapter). */
import type { DataKind, Interval, Level } from '@tickwire/protocol'
import { adapter, type BookDelta, type Meaning, type Subscription } from './adapter.ts'
import { follow, settle, type Forming } from './forming.ts'
import { answer, depthOf, isDecimals, pairOf } from './kraken.rest.ts'
import { isTime, parseTime } from './time.ts'
import * as values from './values.ts'
import { frames, kindsOf, leave, want, type Wants } from './wants.ts'

type Session = {
  wants: Wants
  nextId: number
  /** The channel asked for with each req_id: errors do not name theirs. */
  asked: Map<number, string>
  /** Decimals of price and size, from the instrument channel: without them no checksum can be recomputed. */
  decimals: Map<string, { price: number; size: number }>
  decimalsAskedAt?: number
  depths: Map<string, number>
  forming: Forming
}

const MINUTES: Partial<Record<Interval, number>> = { '1m': 1, '5m': 5, '15m': 15, '30m': 30, '1h': 60, '4h': 240, '1d': 1440 }
const INTERVAL = new Map(Object.entries(MINUTES).map(([interval, minutes]) => [minutes, interval as Interval]))
const CARRIED: Record<string, readonly DataKind[]> = {
  trade: ['trade'],
  ticker: ['ticker', 'quote'],
  ohlc: ['candle'],
  book: ['book']
}
const INSTRUMENTS = '{"method":"subscribe","params":{"channel":"instrument","snapshot":true}}'
const DEPTHS = [10, 25, 100, 500, 1000]
const DEPTH = 100 // the least that holds the 50 levels that are published

/** A channel with what parts it from others of its name: `ohlc 5`. */
const channelOf = ({ kind, interval = '1m' }: Subscription): string =>
  kind === 'candle' ? `ohlc ${MINUTES[interval]}` : kind === 'quote' ? 'ticker' : kind

export const kraken = adapter<Session>({
  provider: 'kraken',
  title: 'Kraken',
  wsUrl: 'wss://ws.kraken.com/v2',
  restUrl: 'https://api.kraken.com/0',
  kinds: ['trade', 'quote', 'ticker', 'candle', 'book'],
  intervals: Object.keys(MINUTES) as Interval[],
  needs: [],
  about: {
    docs: 'https://docs.kraken.com/api/docs/guides/global-intro',
    coverage: 'Crypto spot markets of Kraken',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: {
    subscriptionsPerConnection: 200, // none is documented; more books than this on one connection are known to lag
    framesPerSecond: 5,
    attempts: { count: 150, per: 600_000 },
    requestsPerSecond: 1
  },
  ping: { every: 20_000, frame: '{"method":"ping"}' },
  books: 'summed',
  audit: (symbol) => depthOf(symbol, DEPTH),
  staleAfter: 15_000, // heartbeats come about every second when nothing else does
  listing: '/public/AssetPairs',
  history: (symbol, interval) => ({
    type: 'need',
    purpose: 'history',
    symbol,
    interval,
    path: `/public/OHLC?pair=${pairOf(symbol)}&interval=${MINUTES[interval]}`
  }),
  countsTrades: true, // "a sequence number, unique per book"
  // `since` is in nanoseconds; a thousand trades an answer, the oldest first.
  fill: (symbol, from) => ({
    type: 'need',
    purpose: 'trades',
    symbol,
    path: `/public/Trades?pair=${pairOf(symbol)}&since=${Math.floor(from)}000000`
  }),

  open: () => ({ wants: new Map(), nextId: 1, asked: new Map(), decimals: new Map(), depths: new Map(), forming: new Map() }),
  greet: () => [INSTRUMENTS],

  subscribe(wanted, session) {
    const possible = wanted.filter((w) => w.kind !== 'candle' || MINUTES[w.interval ?? '1m'] !== undefined)
    for (const one of possible) want(session.wants, channelOf(one), one.symbol, one.kind)
    return ask('subscribe', possible, session)
  },
  unsubscribe(unwanted, session) {
    const free = unwanted.filter((one) => leave(session.wants, channelOf(one), one.symbol, one.kind))
    return ask('unsubscribe', free, session)
  },

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as Message
      if (need) return answer(message, received, need)
      return message.method === undefined ? payload(message, received, session) : reply(message, session)
    } catch {
      return values.unreadable(frame)
    }
  }
})

/** `{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":100,"snapshot":true},"req_id":1}` */
function ask(method: 'subscribe' | 'unsubscribe', subscriptions: readonly Subscription[], session: Session): readonly string[] {
  return frames(subscriptions, channelOf, 100).map(([key, symbol]) => {
    const [channel, minutes] = key.split(' ')
    const params: Record<string, unknown> = { channel, symbol }
    if (channel === 'book') params.depth = DEPTH
    if (channel === 'ohlc') params.interval = Number(minutes)
    if (channel === 'ticker') params.event_trigger = 'bbo' // else a quote comes only with each trade
    if (method === 'subscribe') params.snapshot = true
    const req_id = session.nextId++
    session.asked.set(req_id, key)
    return JSON.stringify({ method, params, req_id })
  })
}

/** Acks, errors and pongs. */
function reply(m: Message, session: Session): readonly Meaning[] {
  // {"method":"pong","req_id":101,"time_in":"2023-09-24T14:10:23.799685Z","time_out":"2023-09-24T14:10:23.799703Z"}
  if (m.method !== 'subscribe') return m.success === false ? [values.rejected(undefined, values.say(m.error))] : []
  const { channel, interval, depth } = m.result ?? {}
  const symbol = m.result?.symbol ?? m.symbol
  const name = channel === 'ohlc' ? `ohlc ${interval}` : channel
  const key = name ?? session.asked.get(m.req_id as number) ?? ''
  const carried = CARRIED[key.split(' ')[0]!] ?? []
  const kinds = typeof symbol === 'string' ? [...kindsOf(session.wants, key, symbol, carried)] : []
  // {"method":"subscribe","result":{"channel":"book","depth":100,"snapshot":true,"symbol":"BTC/USD"},"success":true,...}
  // A channel that is there already is as good as confirmed: a second kind may have wanted it.
  if (m.success === true || /already subscribed/i.test(values.say(m.error))) {
    if (channel === 'book' && typeof symbol === 'string' && DEPTHS.includes(depth!)) session.depths.set(symbol, depth!)
    return kinds.map((kind) => ({ type: 'ack', kind, symbol: symbol! }))
  }
  // {"error":"Currency pair not supported ZZZ/USD","method":"subscribe","success":false,"symbol":"ZZZ/USD","req_id":1,...}
  const reason = values.say(m.error)
  if (kinds.length > 0) return kinds.map((kind) => ({ type: 'reject', kind, symbol: symbol!, reason }))
  return [values.rejected(symbol, reason)]
}

function payload(m: Message, received: number, session: Session): readonly Meaning[] {
  switch (m.channel) {
    // {"channel":"book","type":"update","data":[{"symbol":"OMG/USD","bids":[],"asks":[{"price":9.596677,"qty":0}],
    //   "checksum":830433618,"timestamp":"2021-04-17T16:48:54.262531Z"}]}
    case 'book':
      return values.each(m.data!, (row) => book(row, m.type === 'snapshot', received, session))
    // {"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"sell","price":0.5117,"qty":40,
    //   "ord_type":"market","trade_id":4665906,"timestamp":"2023-09-25T07:49:37.708706Z"}]}
    case 'trade':
      return trades(m)
    // {"channel":"ticker","type":"update","data":[{"symbol":"ALGO/USD","bid":0.1025,"bid_qty":740,"ask":0.10251,
    //   "ask_qty":9.3,"last":0.10177,"volume":997,"vwap":0.1,"low":0.1,"high":0.11,"change":-0.001,"change_pct":-1.17}]}
    case 'ticker':
      return values.each(m.data!, (row) => ticker(row, received))
    // {"channel":"ohlc","type":"update","timestamp":..,"data":[{"symbol":"ALGO/USD","open":..,"high":..,"low":..,"close":..,
    //   "trades":3,"volume":..,"vwap":..,"interval_begin":"2023-10-04T16:25:00.000000000Z","interval":5,"timestamp":..}]}
    case 'ohlc':
      return candles(m, received, session)
    // {"channel":"instrument","type":"snapshot","data":{"assets":[..],"pairs":[{"symbol":"BTC/USD","price_precision":1,
    //   "qty_precision":8,"status":"online",...}]}}
    case 'instrument':
      return instrument(m, session)
    // {"channel":"status","type":"update","data":[{"system":"online","api_version":"v2","connection_id":..,"version":"2.0.0"}]}
    case 'status':
      return m.data!.flatMap(({ system }) => engine(values.say(system)))
    // {"channel":"heartbeat"}
    case 'heartbeat':
      return []
    // {"error":"Exceeded msg rate"}, in some cases without a method
    case undefined:
      return [
        m.error === undefined ? values.refused('a frame of an unknown shape') : values.rejected(undefined, values.say(m.error))
      ]
    default:
      return []
  }
}

/** In maintenance the connection is about to be closed, and nobody is to come back within five seconds. */
function engine(state: string): readonly Meaning[] {
  const reason = `the matching engine is in the state ${state}`
  if (state === 'online') return []
  return state === 'maintenance' ? [{ type: 'hangup', reason, wait: 5_000 }] : [{ type: 'reject', reason }]
}

function side(rows: Row[] | null | undefined): Level[] | undefined {
  const found: Level[] = []
  if (rows === undefined || rows === null) return found
  for (const row of rows) {
    const price = values.number(row.price)
    const size = values.number(row.qty)
    if (!values.isPrice(price) || !values.isSize(size)) return undefined
    found.push([price, size])
  }
  return found
}

const timeOf = (time: unknown, received: number): number => (time === undefined || time === null ? received : parseTime(time))

/** No deletes are sent for levels that fall out of the depth subscribed; the checksum is over the ten best all the same. */
function book(row: Row, snapshot: boolean, received: number, session: Session): readonly Meaning[] {
  const { symbol } = row
  if (typeof symbol !== 'string') return [values.refused('book: no symbol')]
  const bids = side(row.bids as Row[] | undefined)
  const asks = side(row.asks as Row[] | undefined)
  if (!bids || !asks) return [values.refused('book: impossible level'), { type: 'gap', kind: 'book', symbol, cause: 'sequence' }]
  const time = timeOf(row.timestamp, received)
  if (!isTime(time)) return [values.refused('book: impossible time'), { type: 'gap', kind: 'book', symbol, cause: 'sequence' }]
  let depth = session.depths.get(symbol)
  if (depth === undefined && snapshot) {
    // No ack told the depth: what we ask for, else the least, that holds what the snapshot brought.
    const least = session.wants.get('book')?.has(symbol) ? DEPTH : 0
    depth = DEPTHS.find((d) => d >= least && d >= bids.length && d >= asks.length) ?? DEPTHS.at(-1)!
    session.depths.set(symbol, depth)
  }
  const delta: BookDelta = { type: 'delta', symbol, time, snapshot, bids, asks }
  if (depth !== undefined) delta.depth = depth
  const decimals = session.decimals.get(symbol)
  if (decimals !== undefined && typeof row.checksum === 'number')
    delta.checksum = { value: row.checksum, priceDecimals: decimals.price, sizeDecimals: decimals.size }
  return decimals === undefined ? [delta, ...askDecimals(received, session)] : [delta]
}

/** Their answer may have been lost, and without them no damage is noticed. */
function askDecimals(received: number, session: Session): readonly Meaning[] {
  const waits = received - (session.decimalsAskedAt = Math.min(session.decimalsAskedAt ?? received, received))
  if (waits < 5_000) return []
  session.decimalsAskedAt = received
  return [INSTRUMENTS.replace('subscribe', 'unsubscribe'), INSTRUMENTS].map((frame) => ({ type: 'reply', frame }))
}

/** `side` is the taker's. The snapshot is the last 50 trades: history. */
function trades(m: Message): readonly Meaning[] {
  const found = m.data!.map((row) => {
    const taker = row.side === 'buy' || row.side === 'sell' ? row.side : 'unknown'
    const { number } = values
    const meaning = values.trade(row.symbol, row.trade_id, parseTime(row.timestamp), number(row.price), number(row.qty), taker)
    if (m.type === 'snapshot' && meaning.type === 'trade') meaning.backfill = true
    return meaning
  })
  return values.oldestFirst(found)
}

/** A closed market (tokenised equities) sends bid and ask 0 at 1970-01-01. The time came with 2025; before, there is none. */
function ticker(row: Row, received: number): readonly Meaning[] {
  const { number } = values
  const time = timeOf(row.timestamp, received)
  const [bid, ask] = [number(row.bid), number(row.ask)]
  if (time === 0 || (bid === 0 && ask === 0)) return []
  const day = { high: row.high, low: row.low, volume: row.volume, change: row.change, changePercent: row.change_pct }
  const meanings: Meaning[] = []
  // Never traded: a quote alone.
  if (row.last !== 0) meanings.push(values.ticker(row.symbol, time, number(row.last), day))
  const quote = values.quote(row.symbol, time, bid, number(row.bid_qty), ask, number(row.ask_qty))
  if (quote) meanings.push(quote)
  return meanings
}

/** Sent with trades only, so an idle minute has no candle; no row says that it is final: a later one does. */
function candles(m: Message, received: number, session: Session): readonly Meaning[] {
  const time = timeOf(m.timestamp, received)
  const found = m.data!.flatMap((row) => {
    const interval = INTERVAL.get(row.interval as number)
    if (!interval) return []
    const { symbol, open, high, low, close, volume, trades: count } = row
    const start = parseTime(row.interval_begin)
    return [values.candle({ symbol, interval, start, time, open, high, low, close, volume, trades: count, closed: false })]
  })
  const good = found.filter((meaning) => meaning.type === 'candle')
  const followed = m.type === 'snapshot' ? settle(session.forming, good) : good.flatMap((c) => follow(session.forming, c))
  return [...followed, ...found.filter((meaning) => meaning.type === 'refused')]
}

function instrument(m: Message, session: Session): readonly Meaning[] {
  const { pairs = [] } = m.data as unknown as { pairs?: Row[] }
  for (const { symbol, price_precision: price, qty_precision: size } of pairs)
    if (typeof symbol === 'string' && isDecimals(price) && isDecimals(size)) session.decimals.set(symbol, { price, size })
  return []
}

type Row = Record<string, unknown>
type Message = {
  channel?: string
  type?: string
  data?: Row[]
  timestamp?: unknown
  method?: string
  success?: boolean
  error?: unknown
  symbol?: string
  req_id?: unknown
  result?: { channel?: string; symbol?: string; depth?: number; interval?: number }
}
