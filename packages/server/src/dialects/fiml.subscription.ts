/** One subscription: what it heard, and what of it is due. Sampled streams keep the newest, the others a queue. Pure. */
import { topicName, type DataKind, type Interval, type News, type Published } from '@tickwire/protocol'
import type { StreamType, SubscribeRequest } from './fiml.messages.ts'
import {
  depthUpdate,
  gist,
  newsUpdate,
  ohlcvUpdate,
  priceUpdate,
  quoteUpdate,
  tradeUpdate,
  type Pictures,
  type Row
} from './fiml.updates.ts'

/** One symbol of a subscription. */
export type Line = {
  /** As the client wrote it; empty where it asked for all. */
  symbol: string
  /** `all` where it asked for all. */
  instrument: string
  assetType: string
  pictures: Pictures
  /** Something came since it was last looked at. */
  dirty: boolean
  /** Gist of the last update sent. */
  sent?: string
  /** No live source: told, until one is back. */
  dark: boolean
}

export type Subscription = {
  id: string
  stream: StreamType
  request: SubscribeRequest
  lines: Line[]
  /** Closed candles, trades and stories: every one is sent. */
  queue: Row[]
  /** When the next sample may go. */
  due: number
  /** When a symbol of which nothing came is told of; Infinity once done. */
  patience: number
}

/** A queue this long does not wait for its interval, and a message holds no more. */
export const BATCH = 500

const SOURCES: Record<StreamType, readonly DataKind[]> = {
  price: ['trade', 'quote', 'ticker'],
  multi_asset: ['trade', 'quote', 'ticker'],
  ohlcv: ['candle'],
  quote: ['quote'],
  trades: ['trade'],
  depth: ['book'],
  news: ['news']
}
/** A symbol is without a source when none of these is live. Candles are made from trades; of stories nobody leads. */
const VITAL: Record<StreamType, readonly DataKind[]> = {
  price: ['trade', 'quote'],
  multi_asset: ['trade', 'quote'],
  ohlcv: ['trade'],
  quote: ['quote'],
  trades: ['trade'],
  depth: ['book'],
  news: []
}
/** Every event of these is told, in one message per interval. */
const isQueued = (stream: StreamType): boolean => stream === 'trades' || stream === 'news'

export const ALL = 'all'
/** The symbols of lines, each once, without the one that is of all. */
export const symbolsOf = (lines: Iterable<Line>): string[] => [
  ...new Set([...lines].flatMap(({ symbol, instrument }) => (instrument === ALL ? [] : [symbol])))
]

export const sourceTopics = (stream: StreamType, instrument: string, interval: Interval): string[] =>
  SOURCES[stream].map((kind) => topicName(kind, instrument, undefined, kind === 'candle' ? interval : undefined))

/** `down`: the kinds of this instrument that lost their leader. One that never had any cannot be lost. */
export const isDark = (stream: StreamType, { pictures }: Line, down: { has: (kind: string) => boolean } | undefined): boolean =>
  down !== undefined &&
  VITAL[stream].some((kind) => down.has(kind)) &&
  VITAL[stream].every((kind) => down.has(kind) || (kind === 'quote' && pictures.quote === undefined))

/** A story is told on the topic of each instrument that it is about: the first of them that is held here tells it. */
function tell({ lines, queue }: Subscription, line: Line, story: News): void {
  const about = (one: Line): boolean => one.instrument === ALL || story.instruments.includes(one.instrument)
  if ((lines.find(about) ?? line) !== line) return
  queue.push(newsUpdate(line.instrument === ALL ? story.instruments : symbolsOf(lines.filter(about)), story))
}

export function hear(subscription: Subscription, line: Line, event: Published): void {
  const { stream, queue } = subscription
  if (event.type === 'news') tell(subscription, line, event)
  else if (stream === 'trades' && event.type === 'trade') {
    queue.push(tradeUpdate(line.symbol, event))
    line.sent = ''
  } else if (event.type === 'candle' && event.closed) {
    queue.push(ohlcvUpdate(line.symbol, event))
    // A later candle may be on its way already; it, and not this one, is what forms.
    if (event.start >= (line.pictures.candle?.start ?? event.start)) delete line.pictures.candle
    line.sent ??= ''
  } else {
    ;(line.pictures as Record<string, Published>)[event.type] = event
    line.dirty = true
  }
}

function sample({ stream, request }: Subscription, { symbol, pictures, assetType }: Line, tradesDown: boolean): Row | undefined {
  if (stream === 'depth') return pictures.book && depthUpdate(symbol, pictures.book, request.params.levels)
  if (stream === 'quote') return pictures.quote && quoteUpdate(symbol, pictures.quote)
  if (stream === 'ohlcv') return pictures.candle && ohlcvUpdate(symbol, pictures.candle)
  const price = priceUpdate(symbol, pictures, tradesDown)
  return price && (stream === 'multi_asset' ? { ...price, asset_type: assetType } : price)
}

/** What goes out now. A symbol's first update does not wait; after it, one per interval at most, and only news unless `keepalive`. */
export function collect(subscription: Subscription, now: number, tradesDown: (instrument: string) => boolean): Row[] {
  const { stream, lines, queue, request } = subscription
  const due = now >= subscription.due
  const queued = isQueued(stream)
  const out = queue.length > 0 && (!queued || due || queue.length >= BATCH) ? queue.splice(0) : []
  let sampled = queued && out.length > 0
  for (const line of lines) {
    const first = line.sent === undefined
    if (!(due || first) || !(line.dirty || (due && request.keepalive))) continue
    line.dirty = false
    const made = sample(subscription, line, tradesDown(line.instrument))
    if (!made) continue
    const news = gist(made)
    if (news === line.sent && !(due && request.keepalive)) continue
    line.sent = news
    out.push(made)
    sampled = true
  }
  // On the beat while it keeps up; after a quiet spell or a stall the beat starts anew, so news never waits for a stale one.
  if (sampled && due)
    subscription.due =
      now - subscription.due < request.interval_ms ? subscription.due + request.interval_ms : now + request.interval_ms
  return out
}
