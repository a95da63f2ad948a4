/** What Finnhub calls an instrument: a stock `AAPL`; a pair by its exchange and the name that it has there, `KUCOIN:BTC-USDT`. */
import type { Desk, InstrumentInfo } from './dialect.ts'
import { marketOf as anyMarketOf, type Market } from './markets.ts'

/** Indices, other countries' stocks and derivatives are not carried. */
export function marketOf(info: InstrumentInfo): Exclude<Market, 'index'> | undefined {
  const market = anyMarketOf(info)
  return market === 'index' ? undefined : market
}

/** A pair has a symbol for each exchange that lists it; whichever is asked for, the data are of whoever leads here. */
export function symbolsOf(info: InstrumentInfo): string[] {
  const market = marketOf(info)
  if (market === undefined) return []
  if (market === 'stock') return [info.instrument]
  return info.providers.map(({ provider, symbol }) => (provider === 'finnhub' ? symbol : `${provider.toUpperCase()}:${symbol}`))
}
/** `KUCOIN:BTC-USDT` → `kucoin`, as REST writes it. */
export const exchangeOf = (symbol: string): string => symbol.slice(0, symbol.indexOf(':')).toLowerCase()

export type Pair = { info: InstrumentInfo; symbol: string }
export const pairsOf = (desk: Desk, market: 'crypto' | 'forex'): Pair[] =>
  desk
    .instruments()
    .filter((info) => marketOf(info) === market)
    .flatMap((info) => symbolsOf(info).map((symbol) => ({ info, symbol })))

export function infoOf(desk: Desk, symbol: string): InstrumentInfo | undefined {
  if (symbol.includes(':')) return desk.instruments().find((info) => symbolsOf(info).includes(symbol))
  const info = desk.instrument(symbol)
  return info && marketOf(info) === 'stock' ? info : undefined
}
