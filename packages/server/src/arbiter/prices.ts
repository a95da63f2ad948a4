/** Prices of one instrument side by side: what each provider said last, and what the others say. */
import type { Quote, Ticker, Trade } from '@tickwire/protocol'

/** The latest price of one provider, and the one before the instant at which it was received. */
export type Seen = { provider: string; at: number; price: number; beforeAt: number; before: number }
export type Prices = Map<string, Seen>

export function notePrice(prices: Prices, provider: string, price: number, at: number): void {
  const seen = prices.get(provider)
  if (!seen) prices.set(provider, { provider, at, price, beforeAt: -Infinity, before: Number.NaN })
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

/** What a provider said last before an instant, if that is not too old. */
function before(seen: Seen, at: number): number | undefined {
  if (seen.at < at) return at - seen.at <= OLDEST_PRICE ? seen.price : undefined
  return at - seen.beforeAt <= OLDEST_PRICE ? seen.before : undefined
}

export function priceBefore(prices: Prices, provider: string, at: number): number | undefined {
  const seen = prices.get(provider)
  return seen && before(seen, at)
}

/** With an even number of others every price between the two in the middle is a median: so two who disagree blame nobody between. */
export function medianOfOthers(prices: Prices, provider: string, at: number): [low: number, high: number] | undefined {
  const others: number[] = []
  for (const seen of prices.values()) {
    const price = seen.provider === provider ? undefined : before(seen, at)
    if (price === undefined) continue
    // Put in its place at once: a few numbers are sorted sooner than sort() is called, and this is on the road of every event.
    let place = others.length
    for (; place > 0 && others[place - 1]! > price; place--) others[place] = others[place - 1]!
    others[place] = price
  }
  if (others.length === 0) return undefined
  return [others[(others.length - 1) >> 1]!, others[others.length >> 1]!]
}
