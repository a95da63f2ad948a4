/** How far the day went, for all who tell a day's high and low beside a price. Pure. */
import type { Ticker, Trade } from '@tickwire/protocol'

/** A ticker lags its trades, and its clock is not theirs, by so much at most, ms. */
const LAG = 60_000

type DayRange = { high: number | null; low: number | null }

/**
 * The ticker's day, widened by a trade that it may not have counted yet. Of what is traded before and after hours, and of what
 * sets no price (odd lots), no exchange counts its day's high and low; what trades while the exchange is closed has no other day.
 */
export function rangeOf(ticker: Ticker | undefined, trade: Trade | undefined): DayRange {
  const { high = null, low = null } = ticker ?? {}
  if (!ticker || !trade || trade.ineligible || trade.session === 'pre' || trade.session === 'post') return { high, low }
  if (trade.time < ticker.time - LAG) return { high, low }
  const { price } = trade
  return { high: high === null ? null : Math.max(high, price), low: low === null ? null : Math.min(low, price) }
}
