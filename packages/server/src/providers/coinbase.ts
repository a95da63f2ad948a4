/** Coinbase Advanced Trade. https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels */
import { INTERVAL_MS, type DataKind, type Interval } from '@tickwire/protocol'
import { adapter, type Meaning, type Subscription } from './adapter.ts'
import { BUCKET, candles, levelTwo, marketTrades, tickers, type Message } from './coinbase.channels.ts'
import { readLevels } from './coinbase.levels.ts'
import { answer, type Answer } from './coinbase.rest.ts'
import type { Forming } from './forming.ts'
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
  books: 'numbered', // one counter over the connection
  audit: (symbol) => ({
    type: 'need',
    purpose: 'audit',
    symbol,
    path: `/market/product_book?product_id=${encodeURIComponent(symbol)}&limit=100`
  }),
  listing: '/market/products',
  // Public answers are a second old otherwise.
  headers: () => ({ 'cache-control': 'no-cache' }),
  history(symbol, interval, limit, now) {
    const count = Math.min(limit, 350)
    const end = Math.floor(now / 1000)
    const start = end - Math.floor((count * INTERVAL_MS[interval]) / 1000)
    const path = `/market/products/${encodeURIComponent(symbol)}/candles?start=${start}&end=${end}&granularity=${GRANULARITY[interval]}&limit=${count}`
    return { type: 'need', purpose: 'history', symbol, interval, path }
  },

  countsTrades: true, // the recorded ones are, without exception
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
      if (levels) return numbered(levels, session, () => named([levels.delta], 'level2', session))
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
  const channel = m.channel === 'l2_data' ? 'level2' : m.channel
  return numbered(m, session, () => named(events(m, received, session), channel, session))
}

/** These have books of their own beside those in dollars. */
const SEPARATE = new Set(['USDT-USD', 'EURC-USD'])
/** Channels of the market speak of `BTC-USD` to whoever asked for `BTC-USDC`: it is one book. */
function namesOf(product: string, channel: string, { wants }: Session): readonly string[] {
  const wanted = wants.get(channel)
  const twin = `${product}C`
  if (!wanted?.has(twin) || !product.endsWith('-USD') || SEPARATE.has(product)) return [product]
  return wanted.has(product) ? [product, twin] : [twin]
}

function named(meanings: readonly Meaning[], channel: string, session: Session): readonly Meaning[] {
  const asked = [...(session.wants.get(channel)?.keys() ?? [])]
  if (!asked.some((symbol) => symbol.endsWith('-USDC'))) return meanings
  return meanings.flatMap((meaning): readonly Meaning[] =>
    'symbol' in meaning && meaning.type !== 'ack' && meaning.symbol !== undefined
      ? namesOf(meaning.symbol, channel, session).map((symbol) => ({ ...meaning, symbol }))
      : [meaning]
  )
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
      return values.each(m.events!, (event) => candles(m, event, session.forming))
    // {"channel":"subscriptions",..,"events":[{"subscriptions":{"ticker":["BTC-USD"],"heartbeats":["heartbeats"]}}]}
    case 'subscriptions':
      return confirmations(m, session)
    // {"channel":"heartbeats",..,"events":[{"current_time":"2026-08-09 21:05:53.85 +0000 UTC m=+41696.26","heartbeat_counter":41696}]}
    default:
      return []
  }
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
      for (const symbol of (products ?? []).flatMap((product) => namesOf(product, channel, session))) {
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
