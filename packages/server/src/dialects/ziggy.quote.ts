/** A quote as the Ziggy endpoints send it. A figure that nobody gave is null, never zero. Pure. */
import { topicName } from '@tickwire/protocol'
import type { Desk } from './dialect.ts'
import { priceUpdate, type Pictures } from './fiml.updates.ts'
import { rangeOf } from './range.ts'
import { seconds } from './ziggy.messages.ts'

const KINDS = ['trade', 'quote', 'ticker'] as const
export const dataTopics = (instrument: string): string[] => KINDS.map((kind) => topicName(kind, instrument))

/** The last of each kind. */
export function picturesOf(desk: Desk, instrument: string): Pictures {
  const events = dataTopics(instrument).flatMap((topic) => desk.last(topic) ?? [])
  return Object.fromEntries(events.map((event) => [event.type, event]))
}

export type QuoteData = Readonly<Record<string, string | number | boolean | null>>

/** Price and change as everywhere; `tradesDown`: the middle of the quote stands for trades that have no source. */
export function quoteData(symbol: string, pictures: Pictures, tradesDown: boolean): QuoteData | undefined {
  const update = priceUpdate(symbol, pictures, tradesDown)
  if (!update) return undefined
  const { quote, ticker, trade } = pictures
  const range = rangeOf(ticker, trade)
  const { timestamp, provider, confidence, price, change, change_percent, volume } = update as Record<
    string,
    string | number | null
  >
  return {
    symbol,
    price: price ?? null,
    change: change ?? null,
    change_percent: change_percent ?? null,
    volume: volume ?? null,
    bid: quote?.bid ?? null,
    ask: quote?.ask ?? null,
    bid_size: quote?.bidSize ?? null,
    ask_size: quote?.askSize ?? null,
    day_high: range.high,
    day_low: range.low,
    open: ticker?.open ?? null,
    previous_close: ticker?.prevClose ?? null,
    session: trade?.session ?? ticker?.session ?? null,
    timestamp: typeof timestamp === 'string' ? seconds(Date.parse(timestamp)) : null,
    market_time: timestamp ?? null,
    provider: provider ?? null,
    confidence: confidence ?? null
  }
}

/** What must differ for a quote to be news: all but when it was and how sure we are of it. */
export const gist = ({ timestamp: _timestamp, market_time: _time, confidence: _confidence, ...rest }: QuoteData): string =>
  JSON.stringify(rest)
