/** One page of past trades: where it ends, what it says of itself, and where the next one begins. */
import type { HeardCorrection } from './amend.ts'
import { MOST_SPANS, type Place } from './cursor.ts'
import { compare, joined, keyOf, type Key, type PastTrade } from './order.ts'
import type { Filled } from './shelf.ts'
import { clipped, overlap, uncovered, united, type Span } from './spans.ts'

/** Trades of it may be missing; `gap` names it, as in /v1/gaps. */
export type GapMark = Span & { why: string; gap?: string; provider?: string }
type Used = Span & { source: 'journal' | 'memory' | 'rest'; provider: string; trades: number }
export type TradesPage = {
  /** As they are true now. */
  trades: PastTrade[]
  /** What was told of these trades after them, and of any since the page before. */
  corrections: HeardCorrection[]
  gaps: GapMark[]
  sources: Used[]
  /** For what follows; absent: the span is over. */
  cursor?: string
  /** There is more now. */
  more: boolean
}
export type TradesAnswer = ({ ok: true } & TradesPage) | { ok: false; reason: 'cursor' | 'span' | 'nothing'; message: string }

export type Row = PastTrade & { source: Used['source'] }
export function plain(row: Row): PastTrade {
  const { source: _, ...trade } = row
  return trade
}

/** Before all trades of that time. */
export const before = (time: number): Key => ({ time, id: '', provider: '', received: 0 })
export const iso = (time: number): string => new Date(Math.max(-8.64e15, Math.min(8.64e15, time))).toISOString()

export const restOf = ({ rest = [] }: Place, { spans }: Filled): Span[] => united([...rest, ...spans]).slice(-MOST_SPANS)

type Found = { rows: readonly Row[]; filled: Filled; span: Span; limit: number }
/** `next`: where it goes on at once; `told`: the span of which this page speaks. */
export type Cut = { trades: Row[]; next: Place | undefined; told: Span }

export function cut(place: Place, { rows, filled, span, limit }: Found): Cut {
  const { after } = place
  const theirs = filled.trades.map((trade): Row => ({ ...trade, source: 'rest' }))
  // Of one trade REST may have another time than the stream.
  const isNext = (row: Row): boolean => after === undefined || (compare(row, after) > 0 && !(after.id && row.id === after.id))
  const all = joined<Row>(rows, theirs).filter(isNext)
  const isStopped = filled.reached < span.to
  const known = isStopped ? all.filter(({ time }) => time < filled.reached) : all
  const trades = known.slice(0, limit)
  const last = trades.at(-1)
  const rest = restOf(place, filled)
  if (last && known.length > limit)
    return { trades, next: { ...place, rest, after: keyOf(last) }, told: { from: span.from, to: last.time + 1 } }
  const told = { from: span.from, to: Math.max(span.from + 1, filled.reached) }
  return { trades, next: isStopped ? { ...place, rest, after: before(filled.reached) } : undefined, told }
}

export const isNothing = (rows: readonly Row[], { trades, missing }: Filled, { from, to }: Span): boolean =>
  rows.length === 0 && trades.length === 0 && to > from && uncovered({ from, to }, united(missing)).length === 0

export function nothing(instrument: string, { from, to }: Span, { missing }: Filled, spans: readonly Span[]): TradesAnswer {
  const whys = [...new Set(missing.map(({ why }) => why))].join('; ')
  const there = united(spans).map((span) => `${iso(span.from)} to ${span.to === Infinity ? 'now' : iso(span.to)}`)
  const known = there.length === 0 ? 'none of it is known here' : `known here: ${there.join(', ')}`
  const message = `no trade of ${instrument} from ${iso(from)} to ${iso(to)}: ${whys}; ${known}`
  return { ok: false, reason: 'nothing', message }
}

/**
 * By source and provider, in the order of their first trade; then those who were asked for some of the span, and had no trade
 * to tell: that none is there is their word.
 */
export function usedOf(rows: readonly Row[], { spans }: Pick<Filled, 'spans'>, told: Span): Used[] {
  const used = new Map<string, Used>()
  for (const { source, provider, time } of rows) {
    const key = `${source} ${provider}`
    const known = used.get(key)
    if (known) Object.assign(known, { to: time, trades: known.trades + 1 })
    else used.set(key, { source, provider, from: time, to: time, trades: 1 })
  }
  for (const { provider, from, to } of spans.filter((span) => overlap(span, told)).map((span) => clipped(span, told))) {
    const key = `rest ${provider}`
    const known = used.get(key)
    if (!known) used.set(key, { source: 'rest', provider, from, to, trades: 0 })
    else if (known.trades === 0) known.to = to
  }
  return [...used.values()]
}
