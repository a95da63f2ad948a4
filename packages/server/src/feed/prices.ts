/** Prices of one instrument side by side: what each provider said last, and what the others say. */
import type { Quote, Ticker, Trade } from '@tickwire/protocol'

/** The latest price of one provider, and the one before the instant at which it was received. */
export type Seen = { at: number; price: number; beforeAt: number; before: number }
export type Prices = Map<string, Seen>

export function notePrice(prices: Prices, provider: string, price: number, at: number): void {
  const seen = prices.get(provider)
  if (!seen) prices.set(provider, { at, price, beforeAt: -Infinity, before: Number.NaN })
  else {
    if (at > seen.at) {
      seen.beforeAt = seen.at
      seen.before = seen.price
      seen.at = at
    }
    seen.price = price
  }
}

export const priceOf = (event: Trade | Quote | Ticker): number =>
  event.type === 'trade' ? event.price : event.type === 'quote' ? (event.bid + event.ask) / 2 : event.last

const OLDEST_PRICE = 30_000

/** What this provider said last before an instant, if that is not too old. */
export function priceBefore(prices: Prices, provider: string, at: number): number | undefined {
  const seen = prices.get(provider)
  if (!seen) return undefined
  const isBefore = seen.at < at
  return at - (isBefore ? seen.at : seen.beforeAt) <= OLDEST_PRICE ? (isBefore ? seen.price : seen.before) : undefined
}

/** With an even number of others every price between the two in the middle is a median: so two who disagree blame nobody between. */
export function medianOfOthers(prices: Prices, provider: string, at: number): [low: number, high: number] | undefined {
  const others: number[] = []
  for (const name of prices.keys()) {
    const price = name === provider ? undefined : priceBefore(prices, name, at)
    if (price !== undefined) others.push(price)
  }
  if (others.length === 0) return undefined
  if (others.length > 1) others.sort((a, b) => a - b)
  return [others[(others.length - 1) >> 1]!, others[others.length >> 1]!]
}
