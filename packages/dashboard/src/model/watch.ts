/** Which instruments the grid holds: all of a small universe; of a large one, the best known, until the person chooses. */
import type { Instrument } from './rest.ts'

const ALL_UP_TO = 120
const MOST = 200
const KEY = 'tickwire.watched'
const KNOWN = ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'ADA', 'LTC', 'LINK', 'AVAX', 'DOT', 'BNB', 'TRX', 'SUI', 'NEAR', 'UNI']
const QUOTES = ['USDT', 'USD', 'EUR']

const remembered = (): string[] | undefined => {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    return Array.isArray(list) ? list.filter((id): id is string => typeof id === 'string') : undefined
  } catch {
    return undefined
  }
}

/** Kept for the next visit; a browser that forbids it just forgets. */
export function remember(watched: readonly string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(watched))
  } catch {
    /* a private window: nothing to do */
  }
}

const rank = (row: Instrument): number => {
  const base = KNOWN.indexOf(row.base)
  const quote = row.quote === undefined ? 0 : QUOTES.indexOf(row.quote)
  return (base < 0 ? 1_000 : base) + (quote < 0 ? 10_000 : quote * 100)
}

export function firstWatch(instruments: readonly Instrument[]): string[] {
  const known = new Set(instruments.map((row) => row.instrument))
  const kept = remembered()?.filter((id) => known.has(id))
  if (kept && kept.length > 0) return kept.slice(0, MOST)
  const ranked = [...instruments].sort((a, b) => rank(a) - rank(b))
  const all = instruments.length <= ALL_UP_TO
  return (all ? ranked : ranked.filter((row) => rank(row) < 1_000)).slice(0, MOST).map((row) => row.instrument)
}
