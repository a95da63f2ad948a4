/** Coinbase Advanced Trade's market data channels. Documentation: docs.cdp.coinbase.com, "Advanced Trade WebSocket". */
import {
  topicName,
  type Book,
  type ErrorCode,
  type Published,
  type Quote,
  type Ticker,
  type TopicResult
} from '@tickwire/protocol'
import { at, bookEvent, candleRow, tickerRow, tradeRow } from './coinbase.frames.ts'
import { keys, NOT_PERMITTED, routes } from './coinbase.rest.ts'
import { dialect, type Command, type Desk } from './dialect.ts'
import { differenceOf } from './difference.ts'
import { plain } from './digits.ts'
import { isPair } from './markets.ts'
import { candlesOf, tradesOf } from './past.ts'

type Memory = {
  desk: Desk
  opened: number
  /** The gateway wants to know who this is before anything is subscribed. */
  strict: boolean
  /** One counter over all channels of the connection. */
  sequence: number
  /** Products by channel, in the order in which the channels were first asked for. */
  channels: Map<string, Set<string>>
  seen: Map<string, number>
  /** The last book told of each product. */
  books: Map<string, Published<Book>>
  beats: number
  batchedAt: number
}
type Tag = { channel: string; ids: readonly string[] }

/** The topics of a channel; those with none carry news of the connection alone. */
const CHANNELS: Readonly<Record<string, (id: string) => string[]>> = {
  market_trades: (id) => [topicName('trade', id)],
  ticker: (id) => [topicName('ticker', id), topicName('quote', id)],
  ticker_batch: (id) => [topicName('ticker', id), topicName('quote', id)],
  level2: (id) => [topicName('book', id)],
  candles: (id) => [topicName('candle', id, undefined, '5m')],
  heartbeats: () => [],
  status: () => []
}
/** Without a first message the connection is closed after this long, milliseconds. */
const SILENCE = 5_000
const BATCH = 5_000

const frame = (memory: Memory, channel: string, time: number, events: readonly object[]): string =>
  `{"channel":"${channel}","timestamp":"${at(time)}","sequence_num":${memory.sequence++},"events":${JSON.stringify(events)}}`

const send = (text: string): Command => ({ type: 'send', text })
const refuse = (message: string): Command[] => [{ type: 'send', text: JSON.stringify({ type: 'error', message }), bad: true }]

const DENIED = 'authentication failure'

/** The whole list, after every change of it. */
function ack(memory: Memory, now: number): Command {
  const subscriptions = Object.fromEntries([...memory.channels].map(([channel, ids]) => [channel, [...ids]]))
  return send(frame(memory, 'subscriptions', now, [{ subscriptions }]))
}

function receive(text: string, memory: Memory, now: number): Command[] {
  let message: { type?: unknown; channel?: unknown; product_ids?: unknown; jwt?: unknown; api_key?: unknown } | null
  try {
    message = JSON.parse(text)
  } catch {
    return refuse('failed to parse message: invalid JSON')
  }
  const { type, channel, product_ids: ids = [] } = message ?? {}
  if (type !== 'subscribe' && type !== 'unsubscribe') return refuse('type must be subscribe or unsubscribe')
  if (channel === 'user' || channel === 'futures_balance_summary') return refuse(DENIED)
  if (typeof channel !== 'string' || !Object.hasOwn(CHANNELS, channel)) return refuse(`channel ${String(channel)} is not valid`)
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) return refuse('product_ids must be a list of strings')
  if (type === 'unsubscribe') return unsubscribe(channel, ids, memory, now)
  return [...authenticate(message, memory), ...subscribe(channel, ids, memory, now)]
}

/** Keys come with each subscription, the older ones by their name. */
function authenticate(message: { jwt?: unknown; api_key?: unknown } | null, { strict }: Memory): Command[] {
  const token = message?.jwt ?? message?.api_key
  return strict && typeof token === 'string' && token !== '' ? [{ type: 'authenticate', token }] : []
}

/** What could not be had is not listed either. */
function unheld(results: readonly TopicResult[], { channel, ids }: Tag, { channels }: Memory): Command[] {
  const failed = results.flatMap((result) => (result.ok ? [] : [result]))
  const refused = new Set(failed.map(({ asked }) => asked))
  const held = channels.get(channel)
  for (const id of ids) if (CHANNELS[channel]!(id).some((topic) => refused.has(topic))) held?.delete(id)
  if (held?.size === 0) channels.delete(channel)
  return refuse(refusalOf(failed[0]?.code))
}

function refusalOf(code: ErrorCode | undefined): string {
  if (code === 'UNAUTHORIZED') return DENIED
  if (code === 'FORBIDDEN') return NOT_PERMITTED
  return code === 'TOO_MANY_SYMBOLS' ? 'too many subscriptions' : 'channel is not available for the product'
}

function subscribe(channel: string, ids: readonly string[], memory: Memory, now: number): Command[] {
  const alone = CHANNELS[channel]!('').length === 0
  const wrong = alone ? undefined : ids.find((id) => !isPair(memory.desk.instrument(id)))
  if (wrong !== undefined) return refuse(`${wrong} is not a valid product`)
  if (!alone && ids.length === 0) return refuse('product_ids is required')
  const held = memory.channels.get(channel) ?? new Set()
  for (const id of alone ? [channel] : ids) held.add(id)
  memory.channels.set(channel, held)
  if (alone) return [ack(memory, now)]
  const tag: Tag = { channel, ids }
  return [{ type: 'subscribe', topics: ids.flatMap(CHANNELS[channel]!), tag }]
}

function unsubscribe(channel: string, ids: readonly string[], memory: Memory, now: number): Command[] {
  const held = memory.channels.get(channel) ?? new Set()
  const gone = new Set(ids.filter((id) => held.delete(id)).flatMap(CHANNELS[channel]!))
  if (held.size === 0 || CHANNELS[channel]!('').length === 0) memory.channels.delete(channel)
  if (channel === 'level2') for (const id of ids) memory.books.delete(id)
  for (const [other, products] of memory.channels)
    for (const id of products) for (const topic of CHANNELS[other]!(id)) gone.delete(topic)
  return [...(gone.size > 0 ? [{ type: 'unsubscribe', topics: [...gone] } as const] : []), ack(memory, now)]
}

/** What a channel tells of a product before its first update: the last trades, the open candles, the whole book. */
function snapshot(channel: string, id: string, memory: Memory, now: number): Command[] {
  const { desk } = memory
  const told = (name: string, events: readonly object[], time = now): Command[] => [send(frame(memory, name, time, events))]
  if (channel === 'market_trades') {
    const trades = tradesOf(desk, id, 50).reverse().map(tradeRow)
    return told(channel, [{ type: 'snapshot', trades }])
  }
  if (channel === 'candles') return told(channel, [{ type: 'snapshot', candles: candlesOf(desk, id, '5m', 100).map(candleRow) }])
  if (channel === 'level2') {
    const book = desk.last(topicName('book', id))
    return book?.type === 'book' ? [send(wholeBook(book, memory))] : []
  }
  const { ticker, quote } = bothOf(id, memory)
  return ticker ? told(channel, [{ type: 'snapshot', tickers: [tickerRow(ticker, quote)] }], ticker.time) : []
}

function wholeBook(book: Published<Book>, memory: Memory): string {
  memory.books.set(book.instrument, book)
  return frame(memory, 'l2_data', book.time, [bookEvent('snapshot', book, book)])
}

/** A ticker row holds the last price, the day and the best bid and offer. */
function bothOf(id: string, { desk }: Memory): { ticker?: Published<Ticker>; quote?: Published<Quote> } {
  const ticker = desk.last(topicName('ticker', id))
  const quote = desk.last(topicName('quote', id))
  return { ...(ticker?.type === 'ticker' && { ticker }), ...(quote?.type === 'quote' && { quote }) }
}

function bookFrame(book: Published<Book>, memory: Memory): string | undefined {
  const before = memory.books.get(book.instrument)
  if (!before) return wholeBook(book, memory)
  if (book.seq <= before.seq) return undefined
  const path = memory.desk.recent(book.topic, memory.desk.last(book.topic)!.seq - before.seq)
  const until = path.filter((event): event is Published<Book> => event.type === 'book' && event.seq < book.seq)
  memory.books.set(book.instrument, book)
  // Told late, it may have left the plant's memory already.
  const change = differenceOf([before, ...until, book])
  if (change.bids.length + change.asks.length === 0) return undefined
  return frame(memory, 'l2_data', book.time, [bookEvent('update', book, change)])
}

function tickerFrame(event: Published<Ticker> | Published<Quote>, memory: Memory): string | undefined {
  if (!memory.channels.get('ticker')?.has(event.instrument)) return undefined
  const both = bothOf(event.instrument, memory)
  const ticker = event.type === 'ticker' ? event : both.ticker
  const quote = event.type === 'quote' ? event : both.quote
  return ticker && frame(memory, 'ticker', event.time, [{ type: 'update', tickers: [tickerRow(ticker, quote)] }])
}

/** Every five seconds the state of all products of the batch channel. */
function batch(memory: Memory, now: number): Command[] {
  const ids = memory.channels.get('ticker_batch')
  if (!ids || now - memory.batchedAt < BATCH) return []
  memory.batchedAt = now
  const tickers = [...ids].flatMap((id) => {
    const { ticker, quote } = bothOf(id, memory)
    return ticker ? [tickerRow(ticker, quote)] : []
  })
  return tickers.length > 0 ? [send(frame(memory, 'ticker_batch', now, [{ type: 'update', tickers }]))] : []
}

/** `2026-08-09 21:05:48.854840045 +0000 UTC m=+41691.26`: a time as Go prints it. */
const goTime = (now: number, since: number): string =>
  `${at(now).replace('T', ' ').replace('Z', '')} +0000 UTC m=+${plain((now - since) / 1_000)}`

export const coinbase = dialect<Memory>({
  name: 'coinbase',
  paths: ['/'],
  maxMessage: 64 * 1024,

  open: ({ terms }, desk, now) => ({
    memory: {
      desk,
      opened: now,
      strict: terms?.auth === 'required',
      sequence: 0,
      channels: new Map(),
      seen: new Map(),
      books: new Map(),
      beats: 0,
      batchedAt: now
    },
    commands: []
  }),

  keys,
  denied: () => refuse(DENIED),

  receive,

  settled(results, tag, memory, now) {
    if (tag === undefined) return []
    const { channel, ids } = tag as Tag
    for (const result of results) if (result.ok) memory.seen.set(result.topic, result.position.seq)
    if (results.some((result) => !result.ok)) return unheld(results, tag as Tag, memory)
    return [...ids.flatMap((id) => snapshot(channel, id, memory, now)), ack(memory, now)]
  },

  render(event, memory) {
    if (event.seq <= (memory.seen.get(event.topic) ?? 0)) return undefined
    if (event.type === 'book') return bookFrame(event, memory)
    if (event.type === 'trade')
      return frame(memory, 'market_trades', event.published, [{ type: 'update', trades: [tradeRow(event)] }])
    if (event.type === 'candle') return frame(memory, 'candles', event.time, [{ type: 'update', candles: [candleRow(event)] }])
    return event.type === 'ticker' || event.type === 'quote' ? tickerFrame(event, memory) : undefined
  },

  tickEvery: 1_000,
  tick(memory, now) {
    if (memory.channels.size === 0 && memory.sequence === 0 && now - memory.opened >= SILENCE)
      return [{ type: 'close', code: 1008, reason: 'no subscription within 5 seconds' }]
    if (!memory.channels.has('heartbeats')) return batch(memory, now)
    const beat = { current_time: goTime(now, memory.opened), heartbeat_counter: ++memory.beats }
    return [...batch(memory, now), send(frame(memory, 'heartbeats', now, [beat]))]
  },

  http: routes
})
