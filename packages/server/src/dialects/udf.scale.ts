/** Decimals of an instrument's prices, for a scale that stays as it is while prices come and go. Pure. */
import { topicName, type Published } from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from './dialect.ts'

const MOST = 15
const RECENT = 1_000

/** Decimals by the size of a price, where nobody names its step: the first row that it reaches. */
const BY_SIZE = [
  { from: 100, decimals: 2 },
  { from: 1, decimals: 4 },
  { from: 0.01, decimals: 6 },
  { from: 0.0001, decimals: 8 },
  { from: 0, decimals: 12 }
]
const bySize = (price: number): number => BY_SIZE.find(({ from }) => price >= from)?.decimals ?? 2

/** Currencies whose prices are a hundred times as large as others', and are told with two decimals fewer. */
const SMALL = new Set(['JPY', 'HUF', 'INR', 'THB'])

function usual(type: string, quote: string | undefined, price: number | undefined): number {
  if (type === 'forex') return quote !== undefined && SMALL.has(quote) ? 3 : 5
  if (type === 'crypto' || type === 'futures') return price === undefined ? 2 : bySize(price)
  // American shares below a dollar move by a hundredth of a cent.
  return price !== undefined && price < 1 ? 4 : 2
}

const pricesOf = (event: Published): number[] => {
  if (event.type === 'trade') return [event.price]
  if (event.type === 'quote') return [event.bid, event.ask]
  return event.type === 'ticker' ? [event.last] : []
}

/** Digits after the point, of small numbers too, which are written as 1e-7. */
function digitsOf(price: number): number {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(price)) ?? []
  return Math.max(0, fraction.length - Number(exponent))
}

/** The instrument's own step where a provider names it; else what is usual for its kind, and never fewer than were seen. `type` as its symbol has it. */
export function decimalsOf(desk: Desk, { instrument, priceDecimals, quote }: InstrumentInfo, type: string): number {
  if (priceDecimals !== undefined) return Math.min(MOST, Math.max(0, priceDecimals))
  const kinds = ['trade', 'quote', 'ticker'] as const
  const seen = kinds.flatMap((kind) => desk.recent(topicName(kind, instrument), RECENT).flatMap(pricesOf))
  const digits = seen.reduce((most, price) => Math.max(most, digitsOf(price)), 0)
  return Math.min(MOST, Math.max(usual(type, quote, seen.at(-1)), digits))
}
