/** What a DataStream hands out: one shape for every type of stream, made of the event that it comes with. */
import type { Interval, Published } from '@tickwire/protocol'

export type StreamMessage = {
  /** As you wrote it; `instrument` is our id for it. */
  symbol: string
  instrument: string
  /** The price traded, a candle's close, the middle of a quote or book (NaN where a side is empty). */
  price: number
  /** The trade's size, the candle's volume, with `stats` that of the day; 0 of quotes and books. */
  volume: number
  /** When it happened by the provider's clock, epoch milliseconds; of a candle its start. */
  timestamp: number
  /** Who said so. */
  provider: string
  /** How sure the arbiter is that the price holds, from 0 to 1. */
  confidence?: number
  /** Of candles and `stats`. */
  open?: number
  high?: number
  low?: number
  close?: number
  interval?: Interval
  /** Of candles: nothing changes it any more, but for a correction of higher `revision`. */
  closed?: boolean
  bid?: number
  ask?: number
  /** All of it, in Tickwire's vocabulary. */
  event: Published
}

type Figures = Omit<StreamMessage, 'symbol' | 'instrument' | 'provider' | 'event' | 'timestamp'> & { timestamp?: number }

const middle = (bid: number | undefined, ask: number | undefined): number => ((bid ?? NaN) + (ask ?? NaN)) / 2

function figuresOf(event: Published): Figures | undefined {
  switch (event.type) {
    case 'trade':
      return { price: event.price, volume: event.size }
    case 'quote':
      return { price: middle(event.bid, event.ask), volume: 0, bid: event.bid, ask: event.ask }
    case 'ticker': {
      const { last, volume = 0, open, high, low } = event
      return { price: last, volume, close: last, ...known({ open, high, low }) }
    }
    case 'candle': {
      const { start, open, high, low, close, volume, interval, closed } = event
      return { price: close, volume, timestamp: start, open, high, low, close, interval, closed }
    }
    case 'book': {
      const [bid, ask] = [event.bids[0]?.[0], event.asks[0]?.[0]]
      return { price: middle(bid, ask), volume: 0, ...known({ bid, ask }) }
    }
    default:
      return undefined
  }
}

const known = (fields: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(Object.entries(fields).filter((field): field is [string, number] => field[1] !== undefined))

/** Nothing where it is no price: such events are not of the streams that are asked for. */
export function messageOf(event: Published, symbol: string): StreamMessage | undefined {
  const figures = figuresOf(event)
  if (!figures) return undefined
  const { instrument, provider, time } = event
  const message: StreamMessage = { symbol, instrument, timestamp: time, provider, ...figures, event }
  if ('confidence' in event && event.confidence !== undefined) message.confidence = event.confidence
  return message
}
