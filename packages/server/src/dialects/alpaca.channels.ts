/** The channels of Alpaca's streams: which market has which, and what of the plant each carries. */
import { topicName } from '@tickwire/protocol'
import { instrumentOf } from './alpaca.frames.ts'
import type { Desk } from './dialect.ts'
import { marketOf } from './markets.ts'

export type Market = 'stocks' | 'crypto' | 'news'
export type Channel = 'trades' | 'quotes' | 'bars' | 'updatedBars' | 'dailyBars' | 'statuses' | 'lulds' | 'orderbooks' | 'news'
/** A symbol on a channel. */
export type Item = readonly [channel: Channel, symbol: string]

const BARS = ['bars', 'updatedBars', 'dailyBars'] as const
export const CHANNELS: Record<Market, readonly Channel[]> = {
  stocks: ['trades', 'quotes', ...BARS, 'statuses', 'lulds'],
  crypto: ['trades', 'quotes', ...BARS, 'orderbooks'],
  news: ['news']
}
const TOPICS: Partial<Record<Channel, (instrument: string) => readonly string[]>> = {
  trades: (id) => [topicName('trade', id), ...(id.includes('-') ? [] : [topicName('correction', id)])],
  quotes: (id) => [topicName('quote', id)],
  bars: (id) => [topicName('candle', id, undefined, '1m')],
  updatedBars: (id) => [topicName('candle', id, undefined, '1m')],
  dailyBars: (id) => [topicName('candle', id, undefined, '1d')],
  statuses: (id) => [topicName('halt', id)],
  lulds: (id) => [topicName('band', id)],
  orderbooks: (id) => [topicName('book', id)],
  news: (id) => [topicName('news', id)]
}
/** Told by nobody whom the plant hears: whoever asks is answered, and hears none. */
export const UNHEARD: ReadonlySet<string> = new Set(['imbalances'])

/** The topics of a symbol on a channel, the one that counts first. Symbols that nobody lists are taken and stay silent, as Alpaca does. */
export const topicsOf = ([channel, symbol]: Item, { desk, market }: { desk: Desk; market: Market }): string[] =>
  (symbol === '*' ? allOf(desk, market) : [instrumentOf(symbol)]).flatMap((id) =>
    isOf(desk, market, id) ? (TOPICS[channel]?.(id) ?? []) : []
  )
function isOf(desk: Desk, market: Market, id: string): boolean {
  const info = desk.instrument(id)
  if (market === 'news') return id === 'all' || info !== undefined
  return info !== undefined && marketOf(info) === (market === 'stocks' ? 'stock' : 'crypto')
}
const allOf = (desk: Desk, market: Market): string[] =>
  market === 'news'
    ? ['all']
    : desk.instruments().flatMap(({ instrument }) => (isOf(desk, market, instrument) ? [instrument] : []))
