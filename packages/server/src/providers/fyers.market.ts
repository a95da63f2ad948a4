/** What the messages of the data socket mean: last prices, quotes, books, indices, and trades inferred from the day's volume. */
import type { DataKind, Level } from '@tickwire/protocol'
import type { Meaning } from './adapter.ts'
import { NOTHING, type Entry, type Snapshot } from './fyers.hsm.ts'
import { symbolOf } from './fyers.symbols.ts'
import { isTime } from './time.ts'
import * as values from './values.ts'
import { kindsOf, type Wants } from './wants.ts'

/** As the provider's own clients show it to their users: `{"ltp":373.8,"vol_traded_today":1385,...,"type":"sf","symbol":"MCX:..."}` */
export type Message = Readonly<Record<string, unknown>>

/** One topic of the binary feed: its fields as last told, which updates change, and what makes prices of them. */
type Topic = { channel: Channel; symbol: string; fields: number[]; scale: number }
export type Channel = 'sf' | 'if' | 'dp'

export type Feed = {
  wants: Wants
  /** Topic, as subscribed → our symbol of it; topic number → its state. Numbers are given anew on each connection. */
  symbols: Map<string, string>
  topics: Map<number, Topic>
  /** The day's volume of each symbol so far. */
  volumes: Map<string, number>
}

const CARRIED: Readonly<Record<Channel, readonly DataKind[]>> = { sf: ['trade', 'quote', 'ticker'], if: ['index'], dp: ['book'] }
const isChannel = (text: unknown): text is Channel => text === 'sf' || text === 'if' || text === 'dp'

const LEVELS = [1, 2, 3, 4, 5]
/** In the order of the frames; prices are marked with `*`. Limits of the day (`ckt`) come in a scale that nothing states. */
const FIELDS: Readonly<Record<Channel, readonly (readonly [name: string, isPrice: boolean])[]>> = {
  sf: fieldsOf(
    `*ltp vol_traded_today last_traded_time exch_feed_time bid_size ask_size *bid_price *ask_price last_traded_qty tot_buy_qty
    tot_sell_qty *avg_trade_price OI *low_price *high_price *Yhigh *Ylow lower_ckt upper_ckt *open_price *prev_close_price`
  ),
  if: fieldsOf('*ltp *prev_close_price exch_feed_time *high_price *low_price *open_price'),
  dp: fieldsOf(
    ['*bid_price', '*ask_price', 'bid_size', 'ask_size', 'bid_order', 'ask_order']
      .flatMap((name) => LEVELS.map((n) => `${name}${n}`))
      .join(' ')
  )
}
function fieldsOf(text: string) {
  return text.split(/\s+/).map((name) => [name.replace('*', ''), name.startsWith('*')] as const)
}

// ---- from binary entries to messages -----------------------------------------------------------------------------

/** The message that an entry makes with what was told before, or why it makes none. */
export function messageOf(entry: Entry, feed: Feed): Message | string {
  const topic = entry.type === 'snapshot' ? begin(entry, feed) : feed.topics.get(entry.id)
  if (topic === undefined) return 'an update of an unknown topic'
  if (typeof topic === 'string') return topic
  if (entry.type === 'lite') {
    if (entry.last === NOTHING) return 'a lite update without a price'
    topic.fields[0] = entry.last
    return { ltp: entry.last / topic.scale, symbol: topic.symbol, type: topic.channel }
  }
  entry.fields.forEach((value, i) => {
    if (value !== NOTHING || entry.type === 'snapshot') topic.fields[i] = value
  })
  return told(topic)
}

function begin({ id, topic: name, multiplier, precision, name: own }: Snapshot, feed: Feed): Topic | string {
  const channel = name.split('|')[0]
  const symbol = feed.symbols.get(name) ?? symbolOf(name, own)
  // What was known under this number is of another day or another topic.
  feed.topics.delete(id)
  if (!isChannel(channel)) return 'a topic of an unknown channel'
  if (symbol === undefined) return 'a topic of an unknown exchange'
  if (multiplier === 0 || precision > 12) return 'an impossible scale'
  const topic: Topic = { channel, symbol, fields: [], scale: 10 ** precision * multiplier }
  feed.topics.set(id, topic)
  return topic
}

function told({ channel, symbol, fields, scale }: Topic): Message {
  const message: Record<string, unknown> = { type: channel, symbol }
  FIELDS[channel].forEach(([name, isPrice], i) => {
    const value = fields[i] ?? NOTHING
    if (value !== NOTHING) message[name] = isPrice ? value / scale : value
  })
  const close = values.number(message.prev_close_price)
  if (close > 0 && message.ltp !== undefined) {
    const change = values.number(message.ltp) - close
    message.ch = rounded(change, 4)
    message.chp = rounded((change / close) * 100, channel === 'if' ? 2 : 4)
  }
  return message
}

/** Never -0. */
const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals)) + 0

// ---- from messages to meanings -----------------------------------------------------------------------------------

export function meant(m: Message, received: number, feed: Feed): readonly Meaning[] {
  const { type, symbol } = m
  if (!isChannel(type)) return [values.refused('a message of an unknown type')]
  if (typeof symbol !== 'string' || symbol === '') return [values.refused('a message without a symbol')]
  const traded = type === 'sf' ? trade(m, symbol, received, feed) : undefined
  const meanings: Meaning[] = []
  for (const kind of kindsOf(feed.wants, type, symbol, CARRIED[type])) {
    const meaning = kind === 'trade' ? traded : one(kind, m, symbol, received)
    if (meaning !== undefined) meanings.push(meaning)
  }
  return meanings
}

function one(kind: DataKind, m: Message, symbol: string, received: number): Meaning | undefined {
  const { number } = values
  const time = secondsOf(m.exch_feed_time) ?? secondsOf(m.last_traded_time) ?? received
  switch (kind) {
    // {"ltp":606.4,"vol_traded_today":3045212,"last_traded_time":1690953622,"exch_feed_time":1690953622,"bid_size":2081,...}
    case 'quote': {
      if (m.bid_price === undefined || m.ask_price === undefined) return undefined
      const [bid, ask] = [number(m.bid_price), number(m.ask_price)]
      return values.quote(symbol, time, bid, number(m.bid_size ?? 0), ask, number(m.ask_size ?? 0))
    }
    // {"ltp":606.4,"symbol":"NSE:SBIN-EQ","type":"sf"}: lite has the price alone, without a time
    case 'ticker':
      return number(m.ltp) === 0 || m.ltp === undefined ? undefined : values.ticker(symbol, time, number(m.ltp), dayOf(m))
    // {"ltp":52580.5,"prev_close_price":51703.95,"ch":876.55,"chp":1.7,"exch_feed_time":1719308652,...,"type":"if",...}
    case 'index':
      return values.isPrice(number(m.ltp))
        ? values.index(symbol, time, number(m.ltp), dayOf(m))
        : values.refused('index: impossible value')
    case 'book':
      return book(m, symbol, received)
    default:
      return undefined
  }
}

const secondsOf = (value: unknown): number | undefined => {
  const ms = values.number(value) * 1000
  return isTime(ms) ? ms : undefined
}
/** 0 stands for "not yet". */
const priced = (value: unknown): unknown => (values.isPrice(values.number(value)) ? value : undefined)
const dayOf = (m: Message) => ({
  open: priced(m.open_price),
  high: priced(m.high_price),
  low: priced(m.low_price),
  volume: m.vol_traded_today,
  change: m.ch,
  changePercent: m.chp,
  prevClose: priced(m.prev_close_price)
})

/** Nobody sends trades: the day's volume has grown, at the last price. What it was before the first message is unknown. */
function trade(m: Message, symbol: string, received: number, { volumes }: Feed): Meaning | undefined {
  const volume = values.number(m.vol_traded_today)
  const last = values.number(m.ltp)
  if (m.vol_traded_today === undefined || !values.isSize(volume)) return undefined
  const before = volumes.get(symbol)
  volumes.set(symbol, volume)
  if (before === undefined || volume <= before) return undefined
  const time = secondsOf(m.last_traded_time) ?? secondsOf(m.exch_feed_time) ?? received
  return values.print(symbol, time, last, volume - before)
}

const KEYS = {
  bid: LEVELS.map((n) => [`bid_price${n}`, `bid_size${n}`] as const),
  ask: LEVELS.map((n) => [`ask_price${n}`, `ask_size${n}`] as const)
}

/** {"bid_price1":3066.15,...,"ask_order5":1,"type":"dp","symbol":"BSE:PIDILITIND-A"}: five levels, all of them each time, and no time. */
function book(m: Message, symbol: string, time: number): Meaning {
  const [bids, asks] = [levelsOf(m, 'bid'), levelsOf(m, 'ask')]
  if (!bids || !asks) return values.refused('book: impossible level')
  const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]]
  // In the auction before the opening orders cross; that is no book to trade on, and no damage either.
  if (bid !== undefined && ask !== undefined && bid >= ask) return values.refused('book: bid at or above the ask')
  return { type: 'delta', symbol, time, snapshot: true, bids, asks, depth: LEVELS.length }
}

/** A price of 0 is an empty level. */
function levelsOf(m: Message, side: 'bid' | 'ask'): Level[] | undefined {
  const levels: Level[] = []
  for (const [priceKey, sizeKey] of KEYS[side]) {
    const price = values.number(m[priceKey] ?? 0)
    const size = values.number(m[sizeKey] ?? 0)
    if (price === 0 || size === 0) continue
    if (!values.isPrice(price) || !values.isSize(size)) return undefined
    levels.push([price, size])
  }
  return side === 'bid' ? levels.sort((a, b) => b[0] - a[0]) : levels.sort((a, b) => a[0] - b[0])
}
