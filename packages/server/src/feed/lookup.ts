/** What is asked of a provider by REST and once: its listing and its past candles. */
import type { Candle, Interval, Trade } from '@tickwire/protocol'
import type { Access, Adapter, Listing, Meaning, Need } from '../providers/adapter.ts'
import { impossible } from '../arbiter/possible.ts'
import { answered, type Rest } from '../connection/rest.ts'
import { stamp } from './stamp.ts'

export type Source = { adapter: Adapter; restUrl: string; readAccess: () => Access; rest: Rest; clock: () => number }
export type Found<T> = { ok: true; value: T } | { ok: false; reason: string; status?: number }

async function lookUp({ adapter, readAccess, rest, clock }: Source, ask: () => Need): Promise<Found<readonly Meaning[]>> {
  try {
    const need = ask()
    const answer = await rest.get(need)
    if (!answer.ok) return answer
    const meanings = adapter.decode(answer.body, clock(), adapter.open(readAccess(), ''), answered(need, answer))
    const refused = meanings.find((m) => m.type === 'refused' || m.type === 'reject')
    const denied = refused?.type === 'reject' && refused.denied === true
    if (refused && meanings.length === 1) return { ok: false, reason: refused.reason, ...(denied ? { status: 401 } : {}) }
    return { ok: true, value: meanings }
  } catch (error) {
    return { ok: false, reason: `undecodable answer: ${(error as Error).message}` }
  }
}

/** All pages of an answer, at most `limit`: each may name the next ones. `partial`: those before a page that failed are of use too. */
async function lookUpAll(
  source: Source,
  ask: () => Need,
  { limit, partial }: { limit: number; partial: boolean }
): Promise<Found<Meaning[]>> {
  const meanings: Meaning[] = []
  const pages = [ask]
  for (let page = 0; page < pages.length && page < limit; page++) {
    const found = await lookUp(source, pages[page]!)
    if (!found.ok) return partial && page > 0 ? { ok: true, value: meanings } : found
    for (const m of found.value) {
      if (m.type === 'need') pages.push(() => m)
      else meanings.push(m)
    }
  }
  return { ok: true, value: meanings }
}

const LISTING = { limit: 100, partial: false }
const HISTORY = { limit: 10, partial: true }

export async function fetchListing(source: Source): Promise<Found<Listing[]>> {
  const { listing = '', listingUrl = '', restUrl } = source.adapter
  const address = typeof listingUrl === 'string' ? listingUrl : listingUrl(source.readAccess())
  // Whoever points us at another REST address means the listing too.
  const path = source.restUrl === restUrl ? address + listing : listing
  const found = await lookUpAll(source, () => ({ type: 'need', path, purpose: 'listing' }), LISTING)
  if (!found.ok) return found
  const rows = found.value.flatMap((m) => (m.type === 'listing' ? m.rows : []))
  return rows.length > 0 ? { ok: true, value: rows } : { ok: false, reason: 'the listing is empty' }
}

/** Oldest first, one per start, at most `limit`. */
export async function fetchCandles(
  source: Source,
  instrument: string,
  symbol: string,
  interval: Interval,
  limit: number,
  until = source.clock()
): Promise<Found<Candle[]>> {
  const { adapter, readAccess, clock } = source
  const { history } = adapter
  if (!history || !adapter.intervals.includes(interval)) return { ok: false, reason: `serves no candles of ${interval}` }
  const found = await lookUpAll(source, () => history(symbol, interval, limit, until, readAccess()), HISTORY)
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

/** A provider tells so many at least where there are more: a shorter answer is all there is. */
const FULL = 100
/** Trades, oldest first, and the part of the span of which the answer has all. */
export type PastTrades = { trades: Trade[]; from: number; to: number }

/** One call, and what it names as its next pages; a long answer may have been cut at either end. */
export async function fetchTrades(
  source: Source,
  instrument: string,
  symbol: string,
  { from, to }: { from: number; to: number }
): Promise<Found<PastTrades>> {
  const { adapter, readAccess, clock } = source
  const need = adapter.fill?.(symbol, from, to, readAccess())
  if (!need) return { ok: false, reason: 'serves no past trades of it' }
  const found = await lookUpAll(source, () => need, HISTORY)
  if (!found.ok) return found
  const all: Trade[] = []
  for (const m of found.value) {
    if (m.type !== 'trade') continue
    const trade = stamp(m, adapter.provider, instrument, clock()) as Trade
    if (impossible(trade) === undefined) all.push({ ...trade, backfill: true })
  }
  const trades = all.sort((a, b) => a.time - b.time)
  const [first, last] = [trades[0], trades.at(-1)]
  const isCut = trades.length >= FULL && first !== undefined && last !== undefined
  const span = isCut ? { from: Math.max(from, first.time), to: Math.min(to, last.time) } : { from, to }
  if (span.to <= span.from) return { ok: false, reason: `its answer begins at ${new Date(span.from).toISOString()}` }
  return { ok: true, value: { trades: trades.filter(({ time }) => time >= span.from && time < span.to), ...span } }
}
