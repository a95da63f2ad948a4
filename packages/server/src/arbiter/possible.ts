/** The last guard before the plant: values that no market can have are refused, whatever an adapter let through. */
import type { Candle, DataEvent, Index } from '@tickwire/protocol'

/** A bid this far above the ask is no quote; locked and slightly crossed ones do occur. */
const CROSSED = 1.001

/** Clocks differ by this much; beyond it, or over a day, the difference of two clocks is no age. */
const CLOCK_SKEW = 5_000
const DAY = 86_400_000
export const isPossibleAge = (ms: number): boolean => ms >= -CLOCK_SKEW && ms <= DAY

/** Seconds or microseconds taken for milliseconds, 1970, 2100: no market data is that far from now. A story or an old candle may be. */
const EPOCH = 10 * 365 * DAY
const UNDATED: ReadonlySet<DataEvent['type']> = new Set(['news', 'candle'])

/** `isFinite` of Number is false for all that is no number, also for `true` and `'1'`. */
const isPrice = (n: number): boolean => Number.isFinite(n) && n > 0
const isSize = (n: number): boolean => Number.isFinite(n) && n >= 0
const isLevels = (levels: readonly (readonly [number, number])[]): boolean =>
  levels.every(([price, size]) => isPrice(price) && isSize(size))
const optional = (n: number | undefined, test: (n: number) => boolean): boolean => n === undefined || test(n)

/** Why this event cannot be true, or nothing. */
export function impossible(event: DataEvent): string | undefined {
  if (!Number.isFinite(event.time) || !Number.isFinite(event.received)) return 'impossible time'
  if (!UNDATED.has(event.type) && Math.abs(event.received - event.time) > EPOCH) return 'impossible time'
  switch (event.type) {
    case 'trade':
      if (!isPrice(event.price)) return 'impossible price'
      return isSize(event.size) ? undefined : 'impossible size'
    case 'quote':
      if (!isPrice(event.bid) || !isPrice(event.ask)) return 'impossible price'
      if (!isSize(event.bidSize) || !isSize(event.askSize)) return 'impossible size'
      return event.bid > event.ask * CROSSED ? 'crossed quote' : undefined
    case 'ticker':
      if (!isPrice(event.last) || ![event.open, event.high, event.low].every((n) => optional(n, isPrice)))
        return 'impossible price'
      if (event.high !== undefined && event.low !== undefined && event.high < event.low) return 'high below low'
      return optional(event.volume, isSize) ? undefined : 'impossible size'
    case 'book':
      if (!isLevels(event.bids) || !isLevels(event.asks)) return 'impossible level'
      return event.bids[0] && event.asks[0] && event.bids[0][0] >= event.asks[0][0] ? 'crossed book' : undefined
    case 'candle':
      return ofCandle(event)
    case 'index':
      return ofIndex(event)
    case 'mark':
      return isPrice(event.price) && [event.index, event.fundingRate, event.nextFunding].every(isOptional)
        ? undefined
        : 'impossible price'
    case 'band':
      return isPrice(event.down) && event.up >= event.down ? undefined : 'impossible band'
    case 'correction': {
      const { price, size, corrected } = event
      const right = optional(price, isPrice) && optional(size, isSize)
      return right && (!corrected || (isPrice(corrected.price) && isSize(corrected.size))) ? undefined : 'impossible correction'
    }
    case 'news':
      return event.id !== '' && event.headline !== '' ? undefined : 'news without id or headline'
    case 'position':
      return Number.isFinite(event.quantity) ? undefined : 'impossible position'
    case 'account':
      return Object.values(event.values).every(Number.isFinite) ? undefined : 'impossible balance'
    case 'order':
      return isSize(event.quantity) && isSize(event.filled) ? undefined : 'impossible order'
    default:
      return undefined
  }
}

/** The last digits of senders that compute with floats of 32 bits. */
const FLOAT = 1e-6
const isOptional = (n: number | undefined): boolean => optional(n, Number.isFinite)

function ofCandle({ open, high, low, close, volume }: Candle): string | undefined {
  if (![open, high, low, close].every(isPrice)) return 'impossible price'
  if (high < low || ![open, close].every((n) => n >= low * (1 - FLOAT) && n <= high * (1 + FLOAT)))
    return 'price out of its range'
  return isSize(volume) ? undefined : 'impossible size'
}

/** An index may be below zero (spreads between others), but it is a number. */
function ofIndex({ value, open, high, low, prevClose, change, changePercent }: Index): string | undefined {
  const rest = [open, high, low, prevClose, change, changePercent].every(isOptional)
  return Number.isFinite(value) && rest ? undefined : 'impossible value'
}
