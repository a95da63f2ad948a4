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
  /**
   * `time` cannot be right: `ahead` of our clock by more than clocks differ, or further `behind` than anything is under way (five
   * minutes for a trade that is told as it happens, a day for state). Then the difference is not an age.
   */
  clock?: 'ahead' | 'behind'
}

const OF_ITS_TIME = 300_000
/**
 * Whether what is sorted by time (a candle) may go by this event's own: always, unless it cannot be right by more than five minutes.
 * Nothing has happened five minutes after we heard of it, whatever is known of the clocks.
 */
export const isOfItsTime = ({ time, received, clock }: Pick<Stamp, 'time' | 'received' | 'clock'>): boolean =>
  time - received <= OF_ITS_TIME && (clock === undefined || received - time <= OF_ITS_TIME)

/** The part of the exchange's day in which it happened. */
export type TradingSession = 'pre' | 'regular' | 'post' | 'overnight' | 'closed'
