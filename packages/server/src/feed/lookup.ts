/** What is asked of a provider by REST and once: its listing and its past candles. */
import type { Candle, Interval } from '@tickwire/protocol'
import type { Access, Adapter, Listing, Meaning, Need } from '../providers/adapter.ts'
import { impossible } from './possible.ts'
import { answered, type Rest } from './rest.ts'
import { stamp } from './stamp.ts'

export type Source = { adapter: Adapter; restUrl: string; access: Access; rest: Rest; clock: () => number }
export type Found<T> = { ok: true; value: T } | { ok: false; reason: string }

async function lookUp({ adapter, access, rest, clock }: Source, ask: () => Need): Promise<Found<readonly Meaning[]>> {
  try {
    const need = ask()
    const answer = await rest.get(need)
    if (!answer.ok) return answer
    const meanings = adapter.decode(answer.body, clock(), adapter.open(access, ''), answered(need, answer))
    const refused = meanings.find((m) => m.type === 'refused' || m.type === 'reject')
    if (refused && meanings.length === 1) return { ok: false, reason: refused.reason }
    return { ok: true, value: meanings }
  } catch (error) {
    return { ok: false, reason: `undecodable answer: ${(error as Error).message}` }
  }
}

/** Listings have so many pages at most. */
const PAGES = 100

/** All pages of it: an answer may name the next one. */
export async function fetchListing(source: Source): Promise<Found<Listing[]>> {
  const { listing = '', listingUrl, restUrl } = source.adapter
  // Whoever points us at another REST address means the listing too.
  const path = listingUrl !== undefined && source.restUrl === restUrl ? listingUrl + listing : listing
  const rows: Listing[] = []
  const pages: Need[] = [{ type: 'need', path, purpose: 'listing' }]
  for (let page = 0; page < pages.length && page < PAGES; page++) {
    const found = await lookUp(source, () => pages[page]!)
    if (!found.ok) return found
    for (const m of found.value) {
      if (m.type === 'listing') rows.push(...m.rows)
      else if (m.type === 'need' && m.purpose === 'listing') pages.push(m)
    }
  }
  return rows.length > 0 ? { ok: true, value: rows } : { ok: false, reason: 'the listing is empty' }
}

/** Oldest first, one per start, at most `limit`. */
export async function fetchCandles(
  source: Source,
  instrument: string,
  symbol: string,
  interval: Interval,
  limit: number
): Promise<Found<Candle[]>> {
  const { adapter, access, clock } = source
  const { history } = adapter
  if (!history || !adapter.intervals.includes(interval)) return { ok: false, reason: `serves no candles of ${interval}` }
  const found = await lookUp(source, () => history(symbol, interval, limit, clock(), access))
  if (!found.ok) return found
  const byStart = new Map<number, Candle>()
  for (const m of found.value) {
    if (m.type !== 'candle') continue
    const candle = stamp(m, adapter.provider, instrument, clock()) as Candle
    if (impossible(candle) === undefined) byStart.set(candle.start, candle)
  }
  const candles = [...byStart.values()].sort((a, b) => a.start - b.start)
  return candles.length > 0 ? { ok: true, value: candles.slice(-limit) } : { ok: false, reason: 'no candle in the answer' }
}
