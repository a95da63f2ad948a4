/**
 * What every event says of itself. Times are epoch milliseconds (fractions allowed): `time` is the provider's, `received` is
 * ours. Prices are in the instrument's quote currency, sizes in its base unit. A field that a provider does not give is
 * absent, never zero.
 */

/** The side of the taker: `buy` lifted an offer, `sell` hit a bid. */
export type Side = 'buy' | 'sell' | 'unknown'

/** One price level. A size of 0 in a book delta deletes the level. */
export type Level = readonly [price: number, size: number]

/** Who says it, about what, when it happened there, and when we heard it. */
export type Stamp = {
  provider: string
  instrument: string
  time: number
  received: number
  /** The provider holds it back by this much, milliseconds (900,000 for "15 minutes delayed"); absent: it is as fresh as it can be. */
  delayed?: number
  /** `time` cannot be right: `ahead` of our clock by more than clocks differ, or more than a day `behind`. Then it is not an age. */
  clock?: 'ahead' | 'behind'
}

/** The part of the exchange's day in which it happened. */
export type TradingSession = 'pre' | 'regular' | 'post' | 'overnight' | 'closed'
