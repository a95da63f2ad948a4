/** Events in the words of Kraken's WebSocket v2: JSON numbers, times with microseconds, books with their checksum. */
import { crc32 } from 'node:zlib'
import {
  INTERVAL_MS,
  type Candle,
  type ErrorCode,
  type Interval,
  type Level,
  type Published,
  type Quote,
  type Ticker,
  type Trade
} from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from './dialect.ts'
import { padded, plain, rfc3339 } from './digits.ts'
import { isPair } from './markets.ts'

export const at = (time: number): string => rfc3339(time, 6)

export const MINUTES: Readonly<Record<string, Interval>> = {
  1: '1m',
  5: '5m',
  15: '15m',
  30: '30m',
  60: '1h',
  240: '4h',
  1440: '1d'
}

/** `BTC/USD` */
export const symbolOf = ({ base, quote = '' }: InstrumentInfo): string => `${base}/${quote}`

export const instrumentOf = (desk: Desk, symbol: string): InstrumentInfo | undefined => {
  const info = desk.instrument(symbol.replace('/', '-'))
  return isPair(info) && symbolOf(info) === symbol ? info : undefined
}

export type Precision = { price: number; size: number }
export const precisionOf = (info: InstrumentInfo | undefined): Precision => ({
  price: info?.priceDecimals ?? 8,
  size: info?.sizeDecimals ?? 8
})

/** To the decimals that Kraken announces for the pair; what would vanish is kept at the smallest size, since 0 deletes. */
const fit = (value: number, decimals: number): number => (value === 0 ? 0 : Number(value.toFixed(decimals)) || 10 ** -decimals)

export const fitted = (side: readonly Level[], { price, size }: Precision): Level[] =>
  side.map(([p, s]) => [fit(p, price), fit(s, size)] as const)

/** Without the point and leading zeros. */
const digits = (value: number, decimals: number): string => padded(value, decimals).replace('.', '').replace(/^0+/, '')

/** CRC32 over the ten best asks, then bids: the digits of price and size at the pair's precision, without leading zeros. */
export function checksum(bids: readonly Level[], asks: readonly Level[], { price, size }: Precision): number {
  const side = (levels: readonly Level[]): string =>
    levels
      .slice(0, 10)
      .map(([p, s]) => digits(p, price) + digits(s, size))
      .join('')
  return crc32(side(asks) + side(bids))
}

const rows = (side: readonly Level[]): string => `[${side.map(([p, s]) => `{"price":${plain(p)},"qty":${plain(s)}}`).join(',')}]`

export const bookFrame = (
  type: 'snapshot' | 'update',
  symbol: string,
  bids: readonly Level[],
  asks: readonly Level[],
  sum: number,
  time: number
) =>
  `{"channel":"book","type":"${type}","data":[{"symbol":"${symbol}","bids":${rows(bids)},"asks":${rows(asks)},"checksum":${sum},"timestamp":"${at(time)}"}]}`

export const tradeRow = (e: Published<Trade>, symbol: string) => ({
  symbol,
  side: e.side === 'sell' ? 'sell' : 'buy',
  price: e.price,
  qty: e.size,
  ord_type: 'market',
  trade_id: /^\d{1,15}$/.test(e.id ?? '') ? Number(e.id) : e.seq,
  timestamp: at(e.time)
})

export const tickerRow = (e: Ticker, quote: Quote | undefined, symbol: string, time: number) => ({
  symbol,
  bid: quote?.bid ?? 0,
  bid_qty: quote?.bidSize ?? 0,
  ask: quote?.ask ?? 0,
  ask_qty: quote?.askSize ?? 0,
  last: e.last,
  volume: e.volume ?? 0,
  vwap: Number((((e.high ?? e.last) + (e.low ?? e.last) + e.last) / 3).toFixed(8)),
  low: e.low ?? e.last,
  high: e.high ?? e.last,
  change: e.change ?? 0,
  change_pct: e.changePercent ?? 0,
  timestamp: at(time)
})

export const ohlcRow = (e: Candle, symbol: string) => ({
  symbol,
  open: e.open,
  high: e.high,
  low: e.low,
  close: e.close,
  trades: e.trades ?? 0,
  volume: e.volume,
  vwap: Number(((e.high + e.low + e.close) / 3).toFixed(8)),
  interval_begin: rfc3339(e.start, 9),
  interval: INTERVAL_MS[e.interval] / 60_000,
  timestamp: at(e.start + INTERVAL_MS[e.interval])
})

const step = (decimals: number): number => Number((10 ** -decimals).toFixed(decimals))

/** The instrument channel's whole list of pairs and of the assets in them. */
export function listing(desk: Desk): object {
  const pairs = desk.instruments().filter(isPair)
  const assets = [...new Set(pairs.flatMap(({ base, quote }) => [base, quote]))]
  return {
    channel: 'instrument',
    type: 'snapshot',
    data: {
      assets: assets.map((id) => ({ id, status: 'enabled', precision: 10, precision_display: 5, borrowable: false })),
      pairs: pairs.map((info) => {
        const { price, size } = precisionOf(info)
        return {
          symbol: symbolOf(info),
          base: info.base,
          quote: info.quote,
          status: 'online',
          price_precision: price,
          price_increment: step(price),
          qty_precision: size,
          qty_increment: step(size),
          qty_min: step(size),
          marginable: false,
          has_index: true
        }
      })
    }
  }
}

export const DENIED = 'ESession:Invalid session'
/** A source's terms keep it from this user. */
export const NOT_PERMITTED = 'EGeneral:Permission denied'
/** Why a subscription could not be had. */
export function refusalOf(code: ErrorCode, symbol: string): string {
  if (code === 'UNAUTHORIZED') return DENIED
  if (code === 'FORBIDDEN') return NOT_PERMITTED
  return code === 'TOO_MANY_SYMBOLS' ? 'Exceeded the number of subscriptions' : `Currency pair not supported ${symbol}`
}
