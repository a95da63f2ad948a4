/** Candles of a span in pages: ours, providers' own, and those folded from the journal where neither has them whole. */
import { INTERVAL_MS, type Candle, type Interval } from '@tickwire/protocol'
import type { JournalReader } from '../journal/journal.ts'
import { joinCandles, regroup } from '../services/history.ts'
import { askedAs, gridOf, type Grid, type Sessions, type Slot } from '../services/sessions.ts'
import { iso } from './page.ts'
import { candlesOf } from './recorded.ts'
import { lostWords } from './runs.ts'
import { isIn, type Span } from './spans.ts'

type CandlePagesOptions = {
  journal?: JournalReader | undefined
  /** What was heard by now is in the journal then. */
  flush?: (() => Promise<void>) | undefined
  /** A provider's own, up to `until`, oldest first; `why`: it has them and cannot be asked. */
  history: (
    instrument: string,
    interval: Interval,
    limit: number,
    until?: number
  ) => Promise<{ candles: readonly Candle[]; why?: string }>
  live: (instrument: string, interval: Interval) => readonly Candle[]
  sessions: (instrument: string) => Sessions | undefined
  clock: () => number
}
export type CandlesAsked = Span & { instrument: string; interval: Interval; limit: number }
/** `next`: where the page after this one begins, if the span is not over; `missing`: what is not here, and why. */
type CandlesPage = { candles: Candle[]; next?: number; missing?: string }
export type PastCandles = (asked: CandlesAsked) => Promise<CandlesPage>

/** So many slots on either side are looked at, so that a page in which nothing was traded knows the close before it. */
const AROUND = 20
/** No provider is asked for more at once. */
const MOST = 5_000

/** The slots of a page that have a candle even without a trade. */
function slotsOf(grid: Grid, { from, to }: Span, limit: number): Slot[] {
  const slots: Slot[] = []
  for (let slot = grid.after(from); slot.start < to && slots.length < limit; slot = grid.after(slot.end)) slots.push(slot)
  return slots
}

export function createCandlePages({ journal, flush, history, live, sessions, clock }: CandlePagesOptions): PastCandles {
  async function theirsOf({ instrument, interval }: CandlesAsked, { from, to }: Span, grid: Grid, now: number) {
    const asked = askedAs(interval, sessions(instrument), to)
    const until = Math.min(now, to)
    const count = Math.min(MOST, Math.ceil((until - from) / INTERVAL_MS[asked]))
    const found = count < 1 ? { candles: [] } : await history(instrument, asked, count, until)
    return { ...found, candles: asked === interval ? found.candles : regroup(found.candles, interval, grid) }
  }

  /** Of the slots that neither a provider nor we know whole. */
  async function recordedFor(
    asked: CandlesAsked,
    slots: readonly Slot[],
    theirs: readonly Candle[],
    ours: readonly Candle[],
    grid: Grid
  ) {
    const whole = new Set(ours.filter(({ coverage }) => coverage === 1).map(({ start }) => start))
    const known = new Set([...whole, ...theirs.map(({ start }) => grid.adopt(start)?.start)])
    const lacking = slots.filter(({ start }) => !known.has(start))
    const [first, last] = [lacking[0], lacking.at(-1)]
    if (!journal || !first || !last) return []
    await flush?.()
    const { instrument, interval } = asked
    const found = await candlesOf(journal, { instrument, interval, grid, now: clock(), from: first.start, to: last.end })
    const shares = new Map(ours.map(({ start, coverage = 0 }) => [start, coverage]))
    return found.filter(({ start, coverage = 0 }) => !known.has(start) && coverage > (shares.get(start) ?? -1))
  }

  return async (asked) => {
    const { instrument, interval, from, to, limit } = asked
    const now = clock()
    const grid = gridOf(interval, sessions(instrument))
    const slots = slotsOf(grid, { from, to: Math.min(to, now) }, limit)
    const [first, last] = [slots[0], slots.at(-1)]
    if (!first || !last) return { candles: [] }
    const page = { from, to: last.end }
    const near = { from: first.start - AROUND * grid.length, to: last.end + AROUND * grid.length }
    const isNear = ({ start }: Candle): boolean => isIn(near, start)
    const { candles, why } = await theirsOf(asked, near, grid, now)
    const theirs = candles.filter(isNear)
    const ours = live(instrument, interval).filter(isNear)
    const recorded = await recordedFor(asked, slots, theirs, ours, grid)
    const all = joinCandles([...recorded, ...theirs], ours, interval, limit + 4 * AROUND, grid)
    const found = all.filter(({ start }) => isIn(page, start))
    const answer: CandlesPage = { candles: found }
    if (last.end < Math.min(to, now)) answer.next = last.end
    const missing = missingOf(slots, found, why, (span) => lostWords(journal, span))
    if (missing !== undefined) answer.missing = missing
    return answer
  }
}

/** Between two candles that are known nothing was traded; before the first and after the last nobody knows. */
function missingOf(
  slots: readonly Slot[],
  found: readonly Candle[],
  why = 'no provider and no recording has them',
  more: (span: Span) => string
): string | undefined {
  const [first, last] = [found[0], found.at(-1)]
  const spans = slots.filter(({ start }) => !first || !last || start < first.start || start > last.start)
  const [begin, end] = [spans[0], spans.at(-1)]
  if (!begin || !end) return undefined
  const where = first && begin.start < first.start ? 'before these' : first ? 'after these' : 'no candle is known'
  return `${where}, from ${iso(begin.start)} to ${iso(end.end)}: ${why}${more({ from: begin.start, to: end.end })}`
}
