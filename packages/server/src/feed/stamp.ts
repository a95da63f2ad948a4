/** From a provider's event to ours: its symbol makes way for our instrument, and who said it and when we heard it is added. */
import type { Candle } from '@tickwire/protocol'
import type { Decoded } from './connection.ts'
import type { Admissible } from './lane.ts'

/** Trades and quotes, the bulk, are written out: naming the fields is several times faster than taking one away. */
export function stamp(m: Decoded, provider: string, instrument: string, received: number): Admissible | Candle {
  switch (m.type) {
    case 'trade': {
      const { type, time, price, size, side } = m
      const trade: Admissible = { type, provider, instrument, time, received, price, size, side }
      if (m.id !== undefined) trade.id = m.id
      if (m.backfill) trade.backfill = true
      return trade
    }
    case 'quote': {
      const { type, time, bid, bidSize, ask, askSize } = m
      return { type, provider, instrument, time, received, bid, bidSize, ask, askSize }
    }
    case 'ticker': {
      const { symbol: _, ...ticker } = m
      return { ...ticker, provider, instrument, received }
    }
    case 'book': {
      const { symbol: _, ...book } = m
      return { ...book, provider, instrument, received }
    }
    default: {
      const { symbol: _, ...candle } = m
      return { ...candle, provider, instrument, received }
    }
  }
}
