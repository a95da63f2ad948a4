/** Events in Alpaca's words. Numbers are numbers; times are RFC 3339 with the trailing zeros dropped. */
import type { Candle, Published, Quote, Trade } from '@tickwire/protocol'
import { rfc3339 } from './digits.ts'

export const at = (time: number): string => rfc3339(time, 9, true)

/** IEX (`V`) is the one venue of the free feed, and tape C that of Nasdaq's listings. */
export const tradeRow = (e: Published<Trade>) => ({
  T: 't',
  S: e.instrument,
  i: /^\d{1,15}$/.test(e.id ?? '') ? Number(e.id) : e.seq,
  x: 'V',
  p: e.price,
  s: e.size,
  c: ['@'],
  z: 'C',
  t: at(e.time)
})

export const quoteRow = (e: Published<Quote>) => ({
  T: 'q',
  S: e.instrument,
  bx: 'V',
  bp: e.bid,
  bs: e.bidSize,
  ax: 'V',
  ap: e.ask,
  as: e.askSize,
  c: ['R'],
  z: 'C',
  t: at(e.time)
})

/** `t` is the start of the bar. The mean price stands in where the volume-weighted one is not known. */
export const barRow = (T: 'b' | 'u' | 'd', e: Candle) => ({
  T,
  S: e.instrument,
  o: e.open,
  h: e.high,
  l: e.low,
  c: e.close,
  v: e.volume,
  n: e.trades ?? 0,
  vw: Number(((e.high + e.low + e.close) / 3).toFixed(6)),
  t: at(e.start)
})
