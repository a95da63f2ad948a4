/** Kraken's WebSocket v2 for spot. Documentation: docs.kraken.com, "Spot WebSocket v2". */
import { topicName, type Book, type Level, type Published } from '@tickwire/protocol'
import { dialect, type Command, type Desk } from './dialect.ts'
import { differenceOf } from './difference.ts'
import {
  at,
  bookFrame,
  checksum,
  DENIED,
  fitted,
  instrumentOf,
  listing,
  MINUTES,
  ohlcRow,
  precisionOf,
  refusalOf,
  symbolOf,
  tickerRow,
  tradeRow
} from './kraken.frames.ts'
import { keys, routes } from './kraken.rest.ts'
import { candlesOf, tradesOf } from './past.ts'

type Sub = {
  key: string
  channel: 'ticker' | 'trade' | 'book' | 'ohlc'
  symbol: string
  instrument: string
  topics: readonly string[]
  snapshot: boolean
  /** Ticker: also at every change of the best bid and offer. */
  bbo: boolean
  depth: number
  interval: number
  /** The best `depth` levels as last told. */
  told?: { seq: number; bids: readonly Level[]; asks: readonly Level[] }
}
type Memory = {
  desk: Desk
  subs: Map<string, Sub>
  seen: Map<string, number>
  /** The gateway wants to know who this is before anything is subscribed. */
  strict: boolean
  /** What a refused token is answered to. */
  asked: Req
  spokenAt: number
  /** Since when nothing is subscribed. */
  idleSince: number
}
type Params = {
  channel?: unknown
  symbol?: unknown
  depth?: unknown
  snapshot?: unknown
  event_trigger?: unknown
  interval?: unknown
  token?: unknown
}
type Tag = { subs: readonly Sub[]; req: Req; timeIn: number }
type Req = { req_id?: number }

const CHANNELS = new Set<unknown>(['ticker', 'trade', 'book', 'ohlc'])
const DEPTHS = new Set<unknown>([10, 25, 100, 500, 1000])
const HEARTBEAT = 1_000
const IDLE = 60_000

const send = (message: object): Command => ({ type: 'send', text: JSON.stringify(message) })
const frame = (channel: string, type: string, data: readonly object[]): string => JSON.stringify({ channel, type, data })

const reply = (method: string, success: boolean, rest: object, now: number, req: Req): Command => ({
  ...send({ method, ...rest, success, time_in: at(now), time_out: at(now), ...req }),
  ...(success ? {} : { bad: true as const })
})

function receive(text: string, memory: Memory, now: number): Command[] {
  let message: { method?: unknown; params?: Params | null; req_id?: unknown } | null
  try {
    message = JSON.parse(text)
  } catch {
    return [reply('', false, { error: 'Malformed request' }, now, {})]
  }
  const { method } = message ?? {}
  const params = message?.params ?? {}
  const req: Req = typeof message?.req_id === 'number' ? { req_id: message.req_id } : {}
  if (method === 'ping') return [send({ method: 'pong', ...req, time_in: at(now), time_out: at(now) })]
  if (method !== 'subscribe' && method !== 'unsubscribe')
    return [reply(String(method), false, { error: 'Unsupported method' }, now, req)]
  if (params.channel === 'instrument') return instruments(method, memory, now, req)
  const no = (error: string): Command[] => [reply(method, false, { error }, now, req)]
  if (!CHANNELS.has(params.channel)) return no(`Channel ${String(params.channel)} not supported`)
  const symbols = params.symbol
  if (!Array.isArray(symbols) || symbols.length === 0 || !symbols.every((symbol) => typeof symbol === 'string'))
    return no('Symbol(s) not specified')
  if (params.channel === 'book' && params.depth !== undefined && !DEPTHS.has(params.depth)) return no('Depth not supported')
  if (params.channel === 'ohlc' && !(Number(params.interval ?? 1) in MINUTES)) return no('Ohlc interval not supported')
  if (method === 'unsubscribe') return unsubscribe(symbols, params, memory, now, req)
  return [...authenticate(params.token, memory, req), ...subscribe(symbols, params, memory, now, req)]
}

/** A token comes with a subscription. */
function authenticate(token: unknown, memory: Memory, req: Req): Command[] {
  memory.asked = req
  return memory.strict && typeof token === 'string' && token !== '' ? [{ type: 'authenticate', token }] : []
}

function instruments(method: string, memory: Memory, now: number, req: Req): Command[] {
  const ack = reply(method, true, { result: { channel: 'instrument', snapshot: true } }, now, req)
  return method === 'subscribe' ? [ack, send(listing(memory.desk))] : [ack]
}

function subOf(symbol: string, params: Params, desk: Desk): Sub | undefined {
  const instrument = instrumentOf(desk, symbol)?.instrument
  if (instrument === undefined) return undefined
  const channel = params.channel as Sub['channel']
  const [depth, interval] = [Number(params.depth ?? 10), Number(params.interval ?? 1)]
  const topics = {
    trade: [topicName('trade', instrument)],
    ticker: [topicName('ticker', instrument), topicName('quote', instrument)],
    book: [topicName('book', instrument)],
    ohlc: [topicName('candle', instrument, undefined, MINUTES[interval])]
  }[channel]
  const key = `${channel} ${symbol}${channel === 'ohlc' ? ` ${interval}` : ''}`
  const snapshot = params.snapshot === undefined ? channel !== 'trade' : params.snapshot === true
  return { key, channel, symbol, instrument, topics, snapshot, bbo: params.event_trigger === 'bbo', depth, interval }
}

function subscribe(symbols: readonly string[], params: Params, memory: Memory, now: number, req: Req): Command[] {
  const errors: Command[] = []
  const subs: Sub[] = []
  for (const symbol of symbols) {
    const sub = subOf(symbol, params, memory.desk)
    const error = sub ? (memory.subs.has(sub.key) ? 'Already subscribed' : '') : `Currency pair not supported ${symbol}`
    if (error !== '') errors.push(reply('subscribe', false, { error, symbol }, now, req))
    else if (sub) {
      memory.subs.set(sub.key, sub)
      subs.push(sub)
    }
  }
  const tag: Tag = { subs, req, timeIn: now }
  return subs.length === 0 ? errors : [...errors, { type: 'subscribe', topics: subs.flatMap((sub) => sub.topics), tag }]
}

function unsubscribe(symbols: readonly string[], params: Params, memory: Memory, now: number, req: Req): Command[] {
  const gone = new Set<string>()
  const replies = symbols.map((symbol) => {
    const sub = subOf(symbol, params, memory.desk)
    const held = sub && memory.subs.get(sub.key)
    if (!held)
      return reply(
        'unsubscribe',
        false,
        { error: sub ? 'Subscription Not Found' : `Currency pair not supported ${symbol}`, symbol },
        now,
        req
      )
    memory.subs.delete(held.key)
    for (const topic of held.topics) gone.add(topic)
    return reply('unsubscribe', true, { result: result(held) }, now, req)
  })
  for (const sub of memory.subs.values()) for (const topic of sub.topics) gone.delete(topic)
  if (memory.subs.size === 0) memory.idleSince = now
  return gone.size > 0 ? [{ type: 'unsubscribe', topics: [...gone] }, ...replies] : replies
}

const result = ({ channel, symbol, snapshot, depth, interval, bbo }: Sub): object => ({
  channel,
  ...(channel === 'book' && { depth }),
  ...(channel === 'ticker' && { event_trigger: bbo ? 'bbo' : 'trades' }),
  ...(channel === 'ohlc' && { interval }),
  snapshot,
  symbol
})

/** What stands before the first update: one frame, or nothing when nothing is known yet. */
function snapshotOf(sub: Sub, { desk }: Memory): string | undefined {
  const { channel, symbol, instrument } = sub
  if (channel === 'trade')
    return frame(
      channel,
      'snapshot',
      tradesOf(desk, instrument, 50).map((e) => tradeRow(e, symbol))
    )
  if (channel === 'ohlc') {
    const candles = candlesOf(desk, instrument, MINUTES[sub.interval]!, 100).filter((e) => e.trades !== 0)
    return frame(
      channel,
      'snapshot',
      candles.map((e) => ohlcRow(e, symbol))
    )
  }
  if (channel === 'ticker') return ticker(sub, 'snapshot', desk)
  const book = desk.last(sub.topics[0]!)
  return book?.type === 'book' ? wholeBook(sub, book, desk) : undefined
}

function ticker(sub: Sub, type: string, desk: Desk): string | undefined {
  const [day, quote] = sub.topics.map((topic) => desk.last(topic))
  if (day?.type !== 'ticker') return undefined
  const best = quote?.type === 'quote' ? quote : undefined
  return frame('ticker', type, [tickerRow(day, best, sub.symbol, Math.max(day.time, best?.time ?? 0))])
}

function wholeBook(sub: Sub, book: Published<Book>, desk: Desk): string {
  const precision = precisionOf(desk.instrument(sub.instrument))
  const [bids, asks] = [fitted(book.bids.slice(0, sub.depth), precision), fitted(book.asks.slice(0, sub.depth), precision)]
  sub.told = { seq: book.seq, bids, asks }
  return bookFrame('snapshot', sub.symbol, bids, asks, checksum(bids, asks, precision), book.time)
}

/** Those that changed within the depth, or are gone from the whole side. */
function left(levels: readonly Level[], all: readonly Level[]): Level[] {
  const still = new Set(all.map(([price]) => price))
  return levels.filter(([price, size]) => size > 0 || !still.has(price))
}

/** Levels that are only pushed out of the depth are not deleted: the reader keeps no more than the depth, and drops them himself. */
function bookUpdate(sub: Sub, book: Published<Book>, desk: Desk): string | undefined {
  const { told } = sub
  if (!told) return wholeBook(sub, book, desk)
  if (book.seq <= told.seq) return undefined
  const precision = precisionOf(desk.instrument(sub.instrument))
  const whole = { bids: fitted(book.bids, precision), asks: fitted(book.asks, precision) }
  const [bids, asks] = [whole.bids.slice(0, sub.depth), whole.asks.slice(0, sub.depth)]
  const change = differenceOf([told, { bids, asks }])
  const changed = { bids: left(change.bids, whole.bids), asks: left(change.asks, whole.asks) }
  sub.told = { seq: book.seq, bids, asks }
  if (changed.bids.length + changed.asks.length === 0) return undefined
  return bookFrame('update', sub.symbol, changed.bids, changed.asks, checksum(bids, asks, precision), book.time)
}

function update(event: Published, memory: Memory): string | undefined {
  const info = memory.desk.instrument(event.instrument)
  const symbol = info ? symbolOf(info) : event.instrument
  if (event.type === 'trade') return frame('trade', 'update', [tradeRow(event, symbol)])
  if (event.type === 'candle') return event.trades === 0 ? undefined : frame('ohlc', 'update', [ohlcRow(event, symbol)])
  const sub = memory.subs.get(`${event.type === 'book' ? 'book' : 'ticker'} ${symbol}`)
  if (!sub) return undefined
  if (event.type === 'book') return bookUpdate(sub, event, memory.desk)
  return event.type === 'ticker' || sub.bbo ? ticker(sub, 'update', memory.desk) : undefined
}

export const kraken = dialect<Memory>({
  name: 'kraken',
  paths: ['/v2'],
  maxMessage: 64 * 1024,

  open(request, desk, now) {
    const id = Number.parseInt(request.session.replace(/\D/g, '').slice(-12) || '1', 10)
    const data = [{ version: '2.0.10', system: 'online', api_version: 'v2', connection_id: id }]
    const strict = request.terms?.auth === 'required'
    const memory: Memory = { desk, subs: new Map(), seen: new Map(), strict, asked: {}, spokenAt: now, idleSince: now }
    return { memory, commands: [send({ channel: 'status', type: 'update', data })] }
  },

  receive,
  keys,
  denied: (_why, { asked }, now) => [reply('subscribe', false, { error: DENIED }, now, asked)],

  settled(results, tag, memory, now) {
    for (const one of results) if (one.ok) memory.seen.set(one.topic, one.position.seq)
    if (tag === undefined) return []
    const { subs, req, timeIn } = tag as Tag
    const refused = new Map(results.flatMap((one) => (one.ok ? [] : [[one.asked, one.code]])))
    return subs.flatMap((sub) => {
      const code = sub.topics.map((topic) => refused.get(topic)).find((one) => one !== undefined)
      if (code !== undefined) {
        memory.subs.delete(sub.key)
        return [reply('subscribe', false, { error: refusalOf(code, sub.symbol), symbol: sub.symbol }, timeIn, req)]
      }
      const text = sub.snapshot ? snapshotOf(sub, memory) : undefined
      const ack = reply('subscribe', true, { result: result(sub) }, timeIn, req)
      memory.spokenAt = now
      return text === undefined ? [ack] : [ack, { type: 'send', text } as const]
    })
  },

  render(event, memory, now) {
    if (event.seq <= (memory.seen.get(event.topic) ?? 0)) return undefined
    const text = update(event, memory)
    if (text !== undefined) memory.spokenAt = now
    return text
  },

  tickEvery: HEARTBEAT,
  tick(memory, now) {
    if (memory.subs.size === 0)
      return now - memory.idleSince < IDLE ? [] : [{ type: 'close', code: 1001, reason: 'nothing is subscribed' }]
    if (now - memory.spokenAt < HEARTBEAT) return []
    memory.spokenAt = now
    return [{ type: 'send', text: '{"channel":"heartbeat"}' }]
  },

  http: routes
})
