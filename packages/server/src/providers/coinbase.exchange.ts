/** The feed of Coinbase Exchange, the older of Coinbase's two. https://docs.cdp.coinbase.com/exchange/websocket-feed/overview */
import { INTERVAL_MS, type DataKind, type Interval, type Level } from '@tickwire/protocol'
import { adapter, type BookDelta, type Meaning, type Need, type Subscription } from './adapter.ts'
import { answer, traded } from './coinbase.exchange.rest.ts'
import { isTime, parseTime } from './time.ts'
import * as values from './values.ts'
import { batches, frames, kindsOf, leave, want, type Wants } from './wants.ts'

type Session = {
  wants: Wants
  /** What the last list of subscriptions held, as `channel product`. */
  confirmed: Set<string>
  /** Of each product the highest trade id heard, and the one that the heartbeat before named. */
  trades: Map<string, { id: number; told: number }>
}

const CARRIED: Record<string, readonly DataKind[]> = {
  matches: ['trade'],
  ticker: ['ticker', 'quote'],
  level2_batch: ['book']
}
const channelOf = ({ kind }: Pick<Subscription, 'kind'>): string =>
  kind === 'trade' ? 'matches' : kind === 'book' ? 'level2_batch' : 'ticker'
/** Names under which a confirmation may speak of a channel. */
const ASKED: Record<string, string> = { level2: 'level2_batch', level2_50: 'level2_batch', ticker_1000: 'ticker' }
const GRANULARITY: readonly Interval[] = ['1m', '5m', '15m', '1h', '6h', '1d']

export const coinbaseExchange = adapter<Session>({
  provider: 'coinbase-exchange',
  title: 'Coinbase Exchange',
  wsUrl: 'wss://ws-feed.exchange.coinbase.com',
  restUrl: 'https://api.exchange.coinbase.com',
  kinds: ['trade', 'quote', 'ticker', 'book'],
  intervals: GRANULARITY,
  streams: [],
  needs: [],
  offByDefault: true, // the other form of a source that is there already
  about: {
    docs: 'https://docs.cdp.coinbase.com/exchange/websocket-feed/overview',
    coverage: 'Crypto spot markets of Coinbase Exchange',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: {
    subscriptionsPerConnection: 500, // none is documented; ten of one product and channel
    framesPerSecond: 50, // 100 are allowed
    attempts: { count: 8, per: 1_000 },
    requestsPerSecond: 8
  },
  staleAfter: 15_000, // heartbeats come every second for each product
  // Changes have no number, so the `sequence` of this answer says nothing of ours. No `books`: nothing would show a lost change.
  audit: (symbol) => ({
    type: 'need',
    purpose: 'audit',
    symbol,
    path: `/products/${encodeURIComponent(symbol)}/book?level=2`
  }),
  listing: '/products',
  history(symbol, interval, limit, now) {
    const seconds = INTERVAL_MS[interval] / 1000
    const end = Math.floor(now / 1000)
    // More than 300 in the span asked for is an error; both its ends count.
    const start = end - Math.min(limit, 299) * seconds
    const path = `/products/${encodeURIComponent(symbol)}/candles?granularity=${seconds}&start=${start}&end=${end}`
    return { type: 'need', purpose: 'history', symbol, interval, path }
  },
  countsTrades: true,
  fill: (symbol) => past(symbol),

  open: () => ({ wants: new Map(), confirmed: new Set(), trades: new Map() }),
  subscribe(wanted, session) {
    const beating = wanted.filter(({ kind, symbol }) => want(session.wants, 'heartbeat', symbol, kind))
    for (const one of wanted) {
      want(session.wants, channelOf(one), one.symbol, one.kind)
      session.confirmed.delete(`${channelOf(one)} ${one.symbol}`)
    }
    return ask('subscribe', wanted, beating)
  },
  unsubscribe(unwanted, session) {
    const free = unwanted.filter((one) => leave(session.wants, channelOf(one), one.symbol, one.kind))
    const silent = unwanted.filter(({ kind, symbol }) => leave(session.wants, 'heartbeat', symbol, kind))
    for (const { kind, symbol } of free) if (kind === 'trade') session.trades.delete(symbol)
    return ask('unsubscribe', free, silent)
  },

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as Message
      return need ? answer(message, received, need) : payload(message, received, session)
    } catch {
      return values.unreadable(frame)
    }
  }
})

/** The thousand newest: this address knows no times. */
const past = (symbol: string): Need => ({
  type: 'need',
  purpose: 'trades',
  symbol,
  path: `/products/${encodeURIComponent(symbol)}/trades?limit=1000`
})

/** `{"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2_batch"]}`, and a heartbeat for every product. */
function ask(
  type: 'subscribe' | 'unsubscribe',
  subscriptions: readonly Subscription[],
  heartbeats: readonly Subscription[]
): readonly string[] {
  const beats = [...new Set(heartbeats.map(({ symbol }) => symbol))]
  const all = [...frames(subscriptions, channelOf, 100), ...batches(beats, 100).map((ids) => ['heartbeat', ids] as const)]
  return all.map(([channel, product_ids]) => JSON.stringify({ type, product_ids, channels: [channel] }))
}

function payload(m: Message, received: number, session: Session): readonly Meaning[] {
  switch (m.type) {
    // {"type":"l2update","product_id":"BTC-USD","time":"2019-08-14T20:42:27.265Z","changes":[["buy","10101.80","0.162567"]]}
    case 'l2update':
      return changes(m, received)
    // {"type":"snapshot","product_id":"BTC-USD","bids":[["10101.10","0.45054140"]],"asks":[["10102.55","0.57753524"]]}
    case 'snapshot':
      return snapshot(m, received)
    // {"type":"match","trade_id":10,"maker_order_id":"..","taker_order_id":"..","side":"sell","size":"5.23512","price":"400.23",
    //   "product_id":"BTC-USD","sequence":50,"time":"2014-11-07T08:19:27.028459Z"}
    case 'match':
      return matched(m, session)
    // {"type":"last_match",..} as above, once after subscribing: the trade before, which is history
    case 'last_match':
      remember(m, session)
      return []
    // {"type":"ticker","sequence":37475248783,"product_id":"ETH-USD","price":"1285.22","open_24h":"1310.79","volume_24h":"245532.79",
    //   "low_24h":"1280.52","high_24h":"1313.8","volume_30d":"9788783.60","best_bid":"1285.04","best_bid_size":"0.46688654",
    //   "best_ask":"1285.27","best_ask_size":"1.56637040","side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,..}
    case 'ticker':
      return ticker(m, received)
    // {"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}
    case 'heartbeat':
      return beat(m, session)
    // {"type":"subscriptions","channels":[{"name":"ticker","product_ids":["ETH-USD"],"account_ids":null}]}
    case 'subscriptions':
      return confirmations(m, session)
    // {"type":"error","message":"Failed to subscribe","reason":"FOO-BAR is not a valid product"}
    case 'error':
      return rejections(m, session)
    default:
      return typeof m.type === 'string' ? [] : [values.refused('a frame of an unknown shape')]
  }
}

const hole = (symbol: string, reason: string): readonly Meaning[] => [
  values.refused(reason),
  { type: 'gap', kind: 'book', symbol, cause: 'sequence' }
]

/** Times came with 2022; the snapshot of before has none. */
function timeOf(time: unknown, received: number): number {
  return time === undefined || time === null || time === '' ? received : parseTime(time)
}

function snapshot(m: Message, received: number): readonly Meaning[] {
  const symbol = m.product_id
  if (typeof symbol !== 'string' || symbol === '') return [values.refused('book: no symbol')]
  const bids = values.levels(m.bids)
  const asks = values.levels(m.asks)
  if (!bids || !asks) return hole(symbol, 'book: impossible level')
  const time = timeOf(m.time, received)
  // "0001-01-01T00:00:00.000000Z" stands in snapshots for "none".
  return [{ type: 'delta', symbol, time: isTime(time) ? time : received, snapshot: true, bids, asks }]
}

/** Absolute sizes, and no number: a frame that is lost is not seen here. */
function changes(m: Message, received: number): readonly Meaning[] {
  const symbol = m.product_id
  if (typeof symbol !== 'string' || symbol === '') return [values.refused('book: no symbol')]
  if (!Array.isArray(m.changes)) return hole(symbol, 'book: no changes')
  const bids: Level[] = []
  const asks: Level[] = []
  for (const change of m.changes as unknown[]) {
    const [side, price, size] = Array.isArray(change) ? (change as unknown[]) : []
    const rows = side === 'buy' ? bids : side === 'sell' ? asks : undefined
    const level = values.levels([[price, size]])?.[0]
    if (!rows || !level) return hole(symbol, 'book: impossible level')
    rows.push(level)
  }
  const time = timeOf(m.time, received)
  if (!isTime(time)) return hole(symbol, 'book: impossible time')
  const delta: BookDelta = { type: 'delta', symbol, time, snapshot: false, bids, asks }
  return [delta]
}

/** Takes note of a trade and says the id of the one before, if one was heard. */
function remember(m: Message, session: Session): number | undefined {
  const [id, symbol] = [values.number(m.trade_id), m.product_id]
  if (!Number.isSafeInteger(id) || typeof symbol !== 'string') return undefined
  const known = session.trades.get(symbol)
  if (!known) session.trades.set(symbol, { id, told: 0 })
  const before = known?.id
  if (known && id > known.id) known.id = id
  return before
}

/** The trades of a product are numbered without holes; `side` is the maker's. */
function matched(m: Message, session: Session): readonly Meaning[] {
  const trade = traded(m, m.product_id)
  if (trade.type !== 'trade') return [trade]
  const before = remember(m, session)
  const got = values.number(m.trade_id)
  return before === undefined || got <= before + 1 ? [trade] : [...missed(trade.symbol, before + 1, got), trade]
}

const missed = (symbol: string, expected: number, got: number): readonly Meaning[] => [
  { type: 'gap', kind: 'trade', symbol, expected, got, cause: 'sequence' },
  past(symbol)
]

/** A trade that the heartbeat before this one named has had a second to come: if it has not, it was lost. */
function beat(m: Message, session: Session): readonly Meaning[] {
  const [symbol, id] = [m.product_id, values.number(m.last_trade_id)]
  const known = typeof symbol === 'string' ? session.trades.get(symbol) : undefined
  if (!known || typeof symbol !== 'string' || !Number.isSafeInteger(id)) return []
  // A match in flight when its channel was left: nobody waits for the next.
  if (session.wants.get('matches')?.has(symbol) === false) return []
  const { id: heard, told } = known
  known.told = id
  if (told <= heard) return []
  known.id = told
  // It is missing itself: what can be met next is the one after it.
  return missed(symbol, heard + 1, told + 1)
}

/** The first after subscribing to a quiet product has no time. */
function ticker(m: Message, received: number): readonly Meaning[] {
  const { number } = values
  const time = timeOf(m.time, received)
  const symbol = m.product_id
  const day = { open: m.open_24h, high: m.high_24h, low: m.low_24h, volume: m.volume_24h }
  const meanings: Meaning[] = []
  // Never traded: 0, or no field.
  const last = number(m.price)
  if (last !== 0 && m.price !== undefined && m.price !== null) meanings.push(values.ticker(symbol, time, last, day))
  // The sizes came with 2022; without them there is no quote.
  if (!m.best_bid || !m.best_ask || !m.best_bid_size || !m.best_ask_size) return meanings
  const [bid, ask] = [number(m.best_bid), number(m.best_ask)]
  const quote = values.quote(symbol, time, bid, number(m.best_bid_size), ask, number(m.best_ask_size))
  return quote ? [...meanings, quote] : meanings
}

/** The whole list each time: what is new in it is confirmed. */
function confirmations(m: Message, session: Session): readonly Meaning[] {
  const before = session.confirmed
  const acks: Meaning[] = []
  session.confirmed = new Set()
  for (const { name, product_ids: products } of m.channels as { name: string; product_ids: string[] | null }[]) {
    const channel = ASKED[name] ?? name
    const carried = CARRIED[channel]
    if (!carried) continue
    for (const symbol of products ?? []) {
      const key = `${channel} ${symbol}`
      session.confirmed.add(key)
      if (before.has(key) || typeof symbol !== 'string') continue
      for (const kind of kindsOf(session.wants, channel, symbol, carried)) acks.push({ type: 'ack', kind, symbol })
    }
  }
  return acks
}

/** The text may name the product; only then is it known what was refused. */
function rejections(m: Message, session: Session): readonly Meaning[] {
  const reason = [m.message, m.reason].filter((part) => part !== undefined).map(values.say)
  const text = reason.length === 0 ? values.say(undefined) : reason.join(': ')
  const wanted = new Set([...session.wants.values()].flatMap((symbols) => [...symbols.keys()]))
  const named = [...new Set(text.match(/[A-Z0-9]+(?:-[A-Z0-9]+)+/g))].filter((symbol) => wanted.has(symbol))
  return named.length === 0 ? [values.rejected(undefined, text)] : named.map((symbol) => values.rejected(symbol, text))
}

type Message = Record<string, unknown>
