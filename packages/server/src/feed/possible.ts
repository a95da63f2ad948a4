/** The last guard before the plant: values that no market can have are refused, whatever an adapter let through. */
import type { Candle } from '@tickwire/protocol'
import type { Admissible } from './lane.ts'

/** A bid this far above the ask is no quote; locked and slightly crossed ones do occur. */
const CROSSED = 1.001

/** Clocks differ by this much; beyond it, or over a day, the difference of two clocks is no age. */
const CLOCK_SKEW = 5_000
const DAY = 86_400_000
export const isPossibleAge = (ms: number): boolean => ms >= -CLOCK_SKEW && ms <= DAY

/** `isFinite` of Number is false for all that is no number, also for `true` and `'1'`. */
const isPrice = (n: number): boolean => Number.isFinite(n) && n > 0
const isSize = (n: number): boolean => Number.isFinite(n) && n >= 0
const isLevels = (levels: readonly (readonly [number, number])[]): boolean =>
  levels.every(([price, size]) => isPrice(price) && isSize(size))
const optional = (n: number | undefined, test: (n: number) => boolean): boolean => n === undefined || test(n)

/** Why this event cannot be true, or nothing. */
export function impossible(event: Admissible | Candle): string | undefined {
  if (!Number.isFinite(event.time) || !Number.isFinite(event.received)) return 'impossible time'
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
      return optional(event.volume, isSize) ? undefined : 'impossible size'
    case 'book':
      if (!isLevels(event.bids) || !isLevels(event.asks)) return 'impossible level'
      return event.bids[0] && event.asks[0] && event.bids[0][0] >= event.asks[0][0] ? 'crossed book' : undefined
    default:
      if (![event.open, event.high, event.low, event.close].every(isPrice)) return 'impossible price'
      return isSize(event.volume) ? undefined : 'impossible size'
  }
}
