/** Which part of an instrument's time is known to be complete: since we began to listen, less what the leaders are known to have missed. */
import type { Gap, GapFilled, Trade } from '@tickwire/protocol'

/** From `from` to `to`, exclusive. Without an id nobody can say that it was filled. */
type Hole = { id?: string | undefined; from: number; to: number }

export type Coverage = {
  /** Time of the first trade heard as it happened; what came before it may be anything. */
  begin: number
  /** In order of `from`; they may overlap. */
  holes: Hole[]
}
export type Span = { from: number; to: number }

/** When there are more, the oldest two become one that nobody can fill: too little is claimed, never too much. */
const HOLES = 256
/** A trade may be missing at either end of a gap, and times are whole milliseconds at most providers. */
const WIDTH = 1

export const openCoverage = (): Coverage => ({ begin: Infinity, holes: [] })

export function heard(coverage: Coverage, { time, backfill }: Trade): void {
  if (coverage.begin === Infinity && !backfill) coverage.begin = time
}

const spanOf = ({ from, to }: Span): Span | undefined =>
  Number.isFinite(from) && Number.isFinite(to) ? { from: Math.min(from, to), to: Math.max(from, to) + WIDTH } : undefined

/** The span in which candles now claim less; nothing where the gap is a provider's own, and not of the arbitrated stream. */
export function open(coverage: Coverage, gap: Gap): Span | undefined {
  const span = spanOf(gap)
  if (gap.kind !== 'trade' || gap.own || !span) return undefined
  // Told again, it is as it is told now.
  if (gap.id !== undefined) coverage.holes = coverage.holes.filter(({ id }) => id !== gap.id)
  place(coverage, { id: gap.id, from: span.from, to: gap.lasting ? Infinity : span.to })
  const { holes } = coverage
  if (holes.length > HOLES) {
    const [a, b] = holes.splice(0, 2) as [Hole, Hole]
    place(coverage, { from: a.from, to: Math.max(a.to, b.to) })
  }
  return span
}

function place({ holes }: Coverage, hole: Hole): void {
  const at = holes.findIndex(({ from }) => from > hole.from)
  holes.splice(at < 0 ? holes.length : at, 0, hole)
}

/** The span of which more is known now. Of a gap that is filled in part, the rest stays open. */
export function fill(coverage: Coverage, filled: GapFilled): Span | undefined {
  const span = spanOf(filled)
  if (filled.kind !== 'trade' || filled.own || !span) return undefined
  const before = coverage.begin
  // What is whole up to where we began moves the beginning.
  if (span.from < before && span.to > before) coverage.begin = span.from
  const mine = coverage.holes.filter(({ id }) => id === filled.gap)
  if (mine.length === 0) return coverage.begin < before ? span : undefined
  coverage.holes = coverage.holes.filter(({ id }) => id !== filled.gap)
  for (const { id, from, to } of mine) {
    if (from < span.from) place(coverage, { id, from, to: Math.min(to, span.from) })
    if (to > span.to) place(coverage, { id, from: Math.max(from, span.to), to })
  }
  return span
}

/** Share of the span that is known to be complete, rounded down to a billionth: 1 is said only where nothing is missing. */
export function coverageOf({ begin, holes }: Coverage, start: number, end: number): number {
  let at = Math.max(start, Math.min(begin, end))
  let missing = at - start
  for (const { from, to } of holes) {
    if (from >= end) break
    const lost = Math.min(to, end) - Math.max(from, at)
    if (lost <= 0) continue
    missing += lost
    at = Math.min(to, end)
  }
  return missing === 0 ? 1 : Math.max(0, Math.floor((1 - missing / (end - start)) * 1e9) / 1e9)
}
