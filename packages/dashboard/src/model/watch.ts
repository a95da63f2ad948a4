/** Which instruments the grid holds: those that the server collects, with what the person in front of it added and took out. */
import type { Instrument } from './listing.ts'

const ALL_UP_TO = 120
const MOST = 200
const KEY = 'tickwire.choices'
const KNOWN = ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'ADA', 'LTC', 'LINK', 'AVAX', 'DOT', 'BNB', 'TRX', 'SUI', 'NEAR', 'UNI']
const QUOTES = ['USDT', 'USD', 'EUR']

type Choices = { added: string[]; removed: string[] }

const strings = (list: unknown): string[] => (Array.isArray(list) ? list.filter((id) => typeof id === 'string') : [])

function remembered(): Choices {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Record<keyof Choices, unknown>>
    return { added: strings(kept.added), removed: strings(kept.removed) }
  } catch {
    return { added: [], removed: [] }
  }
}

/** Kept for the next visit as the difference from what was offered; a browser that forbids it just forgets. */
export function remember(offered: readonly string[], watched: readonly string[]): void {
  const before = remembered()
  // What another server offers is not judged here.
  const choices: Choices = {
    added: watched.filter((id) => !offered.includes(id)),
    removed: [...before.removed.filter((id) => !offered.includes(id) && !watched.includes(id)), ...without(offered, watched)]
  }
  try {
    localStorage.setItem(KEY, JSON.stringify(choices))
  } catch {
    /* a private window: nothing to do */
  }
}

const without = (all: readonly string[], some: readonly string[]): string[] => all.filter((id) => !some.includes(id))

const rank = (row: Instrument): number => {
  const base = KNOWN.indexOf(row.base)
  const quote = row.quote === undefined ? 0 : QUOTES.indexOf(row.quote)
  return (base < 0 ? 1_000 : base) + (quote < 0 ? 10_000 : quote * 100)
}

/** What is collected, in the operator's order; of very many, or where nothing is, the best known of what is listed. */
export function offer(instruments: readonly Instrument[], collected: readonly string[]): string[] {
  const ids = new Set(collected)
  if (ids.size > 0 && ids.size <= ALL_UP_TO) return [...ids]
  const from = ids.size > 0 ? instruments.filter((row) => ids.has(row.instrument)) : instruments
  const ranked = [...from].sort((a, b) => rank(a) - rank(b))
  const best = from.length <= ALL_UP_TO ? ranked : ranked.filter((row) => rank(row) < 1_000)
  return (best.length > 0 ? best : ranked).slice(0, MOST).map((row) => row.instrument)
}

/** What was offered, with the person's choices of the last visits. */
export function withChoices(offered: readonly string[], isListed: (id: string) => boolean): string[] {
  const { added, removed } = remembered()
  const kept = [...without(offered, removed), ...without(added, offered).filter(isListed)]
  return kept.length > 0 ? kept.slice(0, MOST) : [...offered]
}
