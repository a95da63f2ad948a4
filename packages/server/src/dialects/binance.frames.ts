/** Events in Binance's words: the payloads of its streams. Prices and sizes are strings of eight decimals. */
import {
  INTERVAL_MS,
  topicName,
  type Candle,
  type Level,
  type Published,
  type Quote,
  type Ticker,
  type Trade
} from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from './dialect.ts'
import { padded } from './digits.ts'
import { isPair } from './markets.ts'

export const num = (value: number): string => padded(value, 8)
export const rows = (levels: readonly Level[]): [string, string][] => levels.map(([price, size]) => [num(price), num(size)])
export const ms = (time: number): number => Math.floor(time)

export const symbolOf = (desk: Desk, id: string): string => {
  const info = desk.instrument(id)
  return info ? info.base + (info.quote ?? '') : id
}

/** The instrument of `BTCUSDT`, by that spelling alone. */
export function instrumentOf(desk: Desk, symbol: string): InstrumentInfo | undefined {
  const found = desk.resolve(symbol)
  const info = found.ok ? desk.instrument(found.instrument) : undefined
  return isPair(info) && info.base + info.quote === symbol ? info : undefined
}

export const tradeFrame = (e: Published<Trade>, s: string) => ({
  e: 'trade',
  E: ms(e.time),
  s,
  t: idOf(e),
  p: num(e.price),
  q: num(e.size),
  T: ms(e.time),
  m: e.side === 'sell',
  M: true
})
export const aggTradeFrame = (e: Published<Trade>, s: string) => ({
  e: 'aggTrade',
  E: ms(e.time),
  s,
  a: idOf(e),
  p: num(e.price),
  q: num(e.size),
  f: idOf(e),
  l: idOf(e),
  T: ms(e.time),
  m: e.side === 'sell',
  M: true
})
/** Other providers' ids need not be numbers; then the place in the topic is the id. */
export const idOf = (e: Published<Trade>): number => (/^\d{1,15}$/.test(e.id ?? '') ? Number(e.id) : e.seq)

/** `u` counts the book's updates here too. */
export const bookTickerFrame = (e: Published<Quote>, s: string, desk: Desk) => ({
  u: desk.last(topicName('book', e.instrument))?.seq ?? e.seq,
  s,
  b: num(e.bid),
  B: num(e.bidSize),
  a: num(e.ask),
  A: num(e.askSize)
})

export function tickerFrame(e: Published<Ticker>, s: string, desk: Desk) {
  const quote = desk.last(topicName('quote', e.instrument))
  const { open = e.last, high = e.last, low = e.last, volume = 0 } = e
  const q = quote?.type === 'quote' ? quote : { bid: e.last, bidSize: 0, ask: e.last, askSize: 0 }
  return {
    e: '24hrTicker',
    E: ms(e.time),
    s,
    p: num(e.change ?? Number((e.last - open).toFixed(8))),
    P: (e.changePercent ?? (100 * (e.last - open)) / open).toFixed(3),
    w: num(Number(((high + low + open + e.last) / 4).toFixed(8))),
    x: num(open),
    c: num(e.last),
    Q: '0.00000000',
    b: num(q.bid),
    B: num(q.bidSize),
    a: num(q.ask),
    A: num(q.askSize),
    o: num(open),
    h: num(high),
    l: num(low),
    v: num(volume),
    q: num(Number((volume * e.last).toFixed(8))),
    O: ms(e.time) - 86_400_000,
    C: ms(e.time),
    F: 0,
    L: 0,
    n: 0
  }
}

export function miniTickerFrame(e: Published<Ticker>, s: string, desk: Desk) {
  const { E, c, o, h, l, v, q } = tickerFrame(e, s, desk)
  return { e: '24hrMiniTicker', E, s, c, o, h, l, v, q }
}

export const klineFrame = (e: Candle, s: string) => ({
  e: 'kline',
  E: ms(e.time),
  s,
  k: {
    t: e.start,
    T: e.start + INTERVAL_MS[e.interval] - 1,
    s,
    i: e.interval,
    f: -1,
    L: -1,
    o: num(e.open),
    c: num(e.close),
    h: num(e.high),
    l: num(e.low),
    v: num(e.volume),
    n: e.trades ?? 0,
    x: e.closed,
    q: num(Number((e.volume * e.close).toFixed(8))),
    V: '0.00000000',
    Q: '0.00000000',
    B: '0'
  }
})
