/** Events in Alpaca's words. Numbers are numbers; times are RFC 3339 with the trailing zeros dropped. */
import type { Band, Book, Candle, Correction, Halt, Level, News, Published, Quote, Side, Trade } from '@tickwire/protocol'
import { rfc3339 } from './digits.ts'

export const at = (time: number): string => rfc3339(time, 9, true)

/** `BTC-USD` is `BTC/USD` there; equities have no second part. */
export const symbolOf = (instrument: string): string => instrument.replace('-', '/')
export const instrumentOf = (symbol: string): string => symbol.replace('/', '-')
const isPair = (instrument: string): boolean => instrument.includes('-')

/** IEX (`V`) is the one venue of the free feed, and tape C that of Nasdaq's listings. */
const VENUE = 'V'
const TAPE = 'C'
const TAKER: Partial<Record<Side, string>> = { buy: 'B', sell: 'S' }

/** Ids that are none of a provider's: those of trades without one, by their place, and those that are made of a text. */
const SEQUENCED = 10 ** 15
const HASHED = 2 ** 52

/** A hash (FNV-1a) of 32 bits. */
function hash(text: string, seed: number): number {
  let value = seed
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01_00_01_93)
  return value >>> 0
}

type Named = { id?: string | undefined; provider: string }
/** `20778-V-52983525029461`: an id that is Alpaca's own, with the day and the venue within which it is one. */
const OWN = /^\d+-(?:([^-]*)-)?([1-9]\d{0,14})$/
const ownOf = ({ id = '', provider }: Named) => (provider === 'alpaca' ? OWN.exec(id) : null)

/**
 * Ids are numbers here. One that is a text elsewhere becomes a number that depends on nothing else, so that a correction names
 * the trade as the stream and REST did; above all that are numbers by themselves. 0: there is no id.
 */
function idOf(event: Named): number {
  const { id = '' } = event
  const own = ownOf(event)?.[2] ?? id
  if (own === '') return 0
  if (/^[1-9]\d{0,14}$/.test(own)) return Number(own)
  return HASHED + (hash(id, 0x81_1c_9d_c5) % 2 ** 20) * 2 ** 32 + hash(id, 0x1b_87_35_93)
}

export const tradeRow = (e: Published<Trade>) => ({
  T: 't',
  S: symbolOf(e.instrument),
  i: idOf(e) || SEQUENCED + e.seq,
  ...(isPair(e.instrument) ? { tks: TAKER[e.side] } : { x: e.venue ?? VENUE, c: e.conditions ?? ['@'], z: TAPE }),
  p: e.price,
  s: e.size,
  t: at(e.time)
})

export const quoteRow = (e: Published<Quote>) => ({
  T: 'q',
  S: symbolOf(e.instrument),
  bp: e.bid,
  bs: e.bidSize,
  ap: e.ask,
  as: e.askSize,
  ...(isPair(e.instrument) ? {} : { bx: VENUE, ax: VENUE, c: ['R'], z: TAPE }),
  t: at(e.time)
})

/** `t` is the start of the bar. The mean price stands in where the volume-weighted one is not known. */
export const barRow = (T: 'b' | 'u' | 'd', e: Candle) => ({
  T,
  S: symbolOf(e.instrument),
  o: e.open,
  h: e.high,
  l: e.low,
  c: e.close,
  v: e.volume,
  n: e.trades ?? 0,
  vw: Number(((e.high + e.low + e.close) / 3).toFixed(6)),
  t: at(e.start)
})

const levels = (side: readonly Level[]) => side.map(([p, s]) => ({ p, s }))

/** `r` says that the book is whole; otherwise these are the levels that changed. */
export const bookRow = (e: Published<Book>, { bids, asks }: Pick<Book, 'bids' | 'asks'>, whole: boolean) => ({
  T: 'o',
  S: symbolOf(e.instrument),
  t: at(e.time),
  b: levels(bids),
  a: levels(asks),
  ...(whole ? { r: true } : {})
})

/** Codes of the UTP tape. */
const STATUS: Record<Halt['state'], readonly [code: string, words: string]> = {
  trading: ['T', 'Trading Resumption'],
  halted: ['H', 'Trading Halt'],
  paused: ['P', 'Volatility Trading Pause'],
  quoting: ['Q', 'Quotation Resumption'],
  closed: ['H', 'Trading Halt'],
  unknown: ['', '']
}

export const statusRow = (e: Published<Halt>) => ({
  T: 's',
  S: symbolOf(e.instrument),
  sc: STATUS[e.state][0],
  sm: STATUS[e.state][1],
  rc: e.code ?? '',
  rm: e.reason ?? '',
  t: at(e.time),
  z: TAPE
})

export const bandRow = (e: Published<Band>) => ({
  T: 'l',
  S: symbolOf(e.instrument),
  u: e.up,
  d: e.down,
  i: e.indicator ?? 'B',
  t: at(e.time),
  z: TAPE
})

/** A correction names what was said and what is true; a cancel (`C`) only what was said. */
export const correctionRow = (e: Published<Correction>) => {
  const { provider } = e
  const head = { S: symbolOf(e.instrument), x: ownOf(e)?.[1] || VENUE, t: at(e.time), z: TAPE }
  if (e.corrected === undefined) return { T: 'x', ...head, i: idOf(e), p: e.price, s: e.size, a: 'C' }
  const { id, price, size, conditions = ['@'] } = e.corrected
  return {
    T: 'c',
    ...head,
    oi: idOf(e),
    op: e.price ?? price,
    os: e.size ?? size,
    oc: ['@'],
    ci: idOf({ id: id ?? e.id, provider }),
    cp: price,
    cs: size,
    cc: conditions
  }
}

export const newsRow = (e: Published<News>) => ({
  T: 'n',
  id: idOf(e),
  headline: e.headline,
  summary: e.summary ?? '',
  author: e.author ?? '',
  created_at: at(e.time),
  updated_at: at(e.updated ?? e.time),
  url: e.url ?? '',
  content: '',
  symbols: e.instruments.map(symbolOf),
  source: e.source ?? e.provider
})
