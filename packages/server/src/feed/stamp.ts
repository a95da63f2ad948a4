/** From a provider's event to ours: its symbol makes way for our instrument, and who said it and when we heard it is added. */
import type { DataEvent, News } from '@tickwire/protocol'
import type { Decoded } from '../connection/connection.ts'

/** Trades and quotes, the bulk, are written out: naming the fields is several times faster than taking one away. */
export function stamp(m: Decoded, provider: string, instrument: string, received: number): DataEvent {
  switch (m.type) {
    case 'trade': {
      const { type, time, price, size, side } = m
      const trade: DataEvent = { type, provider, instrument, time, received, price, size, side }
      if (m.id !== undefined) trade.id = m.id
      if (m.venue !== undefined) trade.venue = m.venue
      if (m.conditions !== undefined) trade.conditions = m.conditions
      if (m.session !== undefined) trade.session = m.session
      if (m.ineligible) trade.ineligible = true
      if (m.delayed !== undefined) trade.delayed = m.delayed
      if (m.backfill) trade.backfill = true
      if (m.clock !== undefined) trade.clock = m.clock
      return trade
    }
    case 'quote': {
      const { type, time, bid, bidSize, ask, askSize } = m
      const quote: DataEvent = { type, provider, instrument, time, received, bid, bidSize, ask, askSize }
      if (m.delayed !== undefined) quote.delayed = m.delayed
      if (m.clock !== undefined) quote.clock = m.clock
      return quote
    }
    default: {
      const { symbol: _, ...event } = m
      return { ...event, provider, instrument, received } as DataEvent
    }
  }
}

/** A story is of no one symbol: those of its symbols that we know become its instruments. */
export function stampNews(
  m: Extract<Decoded, { type: 'news' }>,
  provider: string,
  received: number,
  instrumentOf: (symbol: string) => string | undefined
): News {
  const { symbol: _, symbols, sentiments, ...story } = m
  const instruments = [...new Set(symbols.flatMap((symbol) => instrumentOf(symbol) ?? []))]
  const judged = Object.entries(sentiments ?? {}).flatMap(([symbol, score]) => {
    const instrument = instrumentOf(symbol)
    return instrument === undefined ? [] : [[instrument, score] as const]
  })
  const news: News = { ...story, provider, instrument: 'all', received, instruments }
  if (judged.length > 0) news.sentiments = Object.fromEntries(judged)
  return news
}
