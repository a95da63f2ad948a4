/** The past as the journal has it: which spans of an instrument it holds, its trades in order, and candles folded from them. */
import { topicName, type Candle, type Gap, type GapFilled, type Interval, type RecordedRun } from '@tickwire/protocol'
import type { Hole, JournalReader, TradeColumns } from '../journal/journal.ts'
import { coverageOf, fill, open, openCoverage } from '../services/coverage.ts'
import type { Grid } from '../services/sessions.ts'
import { trueColumns } from './amended.ts'
import { events, eventsOf, fewOf, whole, type Place } from './entries.ts'
import { createFold } from './fold.ts'
import { compare, type Key, type PastTrade } from './order.ts'
import { eventRuns } from './runs.ts'
import { clipped, overlap, uncovered, united, type Span } from './spans.ts'

/** Told of a gap: the last word about it, and what was filled of it since. */
export type GapWord = Gap | GapFilled
export type Held = {
  /** From the first trade of each run to its end, less its holes: what came between them nobody wrote down. */
  spans: Span[]
  holes: Hole[]
  words: GapWord[]
}

/** Providers tell a trade of theirs so much later at most, or it is filled in: runs are looked through from so long before. */
const LATE = 3_600_000
/** The first window that is looked through; each is so many times as long as the one before. */
const WINDOW = 60_000
const GROWTH = 4

/** Beginnings that are known, by run; once more are known than this they are looked up anew. */
const begun = new WeakMap<JournalReader, Map<string, number>>()
const KNOWN = 1_000

/** When this instrument's trades began to be heard in a run; what retention removes moves the beginning. */
async function beginOf(reader: JournalReader, { run, from }: RecordedRun, instrument: string): Promise<number | undefined> {
  const known = begun.get(reader) ?? new Map<string, number>()
  begun.set(reader, known)
  const key = `${run} ${from} ${instrument}`
  const before = known.get(key)
  if (before !== undefined) return before
  for await (const event of eventsOf(reader, events(run, topicName('trade', instrument))))
    if (event.type === 'trade' && !event.backfill) {
      if (known.size >= KNOWN) known.clear()
      known.set(key, event.time)
      return event.time
    }
  return undefined
}

/** The runs in which an instrument was heard near a span, each from its first trade on. */
async function heardNear(reader: JournalReader, instrument: string, span: Span): Promise<(Span & { one: RecordedRun })[]> {
  const near = { from: span.from - LATE, to: span.to + LATE }
  const runs = eventRuns(reader).filter((run) => (run.open || run.to >= near.from) && run.from < near.to)
  const heard: (Span & { one: RecordedRun })[] = []
  for (const one of runs) {
    const from = await beginOf(reader, one, instrument)
    if (from !== undefined) heard.push({ one, from, to: one.open ? Infinity : one.to })
  }
  return heard
}

/** Where there is something of it at all: nobody looks whether it is whole. */
export const heardOf = async (reader: JournalReader, instrument: string): Promise<Span[]> =>
  (await heardNear(reader, instrument, { from: -Infinity, to: Infinity })).map(({ from, to }) => ({ from, to }))

/** What the journal holds of an instrument's trades within a span. */
export async function heldOf(reader: JournalReader, instrument: string, span: Span): Promise<Held> {
  const held: Held = { spans: [], holes: [], words: [] }
  const near = { from: span.from - LATE, to: span.to + LATE }
  for (const { one, from, to } of await heardNear(reader, instrument, span)) {
    const { run, open: isOpen } = one
    if (overlap({ from, to }, span)) {
      // Where words of gaps are missing, so may be trades.
      const topics = [topicName('trade', instrument), topicName('gap', instrument)]
      const holes = await reader.holes(events(run, topics, near.from, near.to))
      held.holes.push(...holes)
      held.spans.push(...uncovered({ from, to }, holes))
    }
    for (const event of await fewOf(reader, one, topicName('gap', instrument)))
      if ((event.type === 'gap' || event.type === 'gap_filled') && event.kind === 'trade')
        held.words.push(isOpen || event.type === 'gap_filled' ? event : ended(event, one.to))
  }
  return held
}

/** What lasted when a run ended has lasted until then: the next one began anew. */
const ended = ({ lasting, ...gap }: Gap, end: number): Gap => (lasting ? { ...gap, to: Math.max(gap.to, end) } : gap)

export type Wanted = {
  instrument: string
  from: number
  to: number
  limit: number
  after: Key | undefined
  takes: (place: Place) => boolean
}

/** Index rows of at least `limit` trades, with all of the last one's time; the times may go on to `reached`. */
async function placesOf(reader: JournalReader, { instrument, from, to, limit, after, takes }: Wanted, end: number) {
  const places: Place[] = []
  // Of those of one time nobody knows without their ids which were told.
  const told = (all: readonly Place[]) => (after === undefined ? 0 : all.filter(({ time }) => time <= after.time).length)
  let at = Math.max(from, after?.time ?? from)
  for (let width = WINDOW; at < Math.min(to, end) && places.length < told(places) + limit; width *= GROWTH) {
    const until = Math.min(at + width, to)
    const found: Place[] = []
    for await (const columns of reader.trades(instrument, at, until)) pick(columns, takes, found)
    // Not spread: a window of a quiet beginning may hold millions.
    for (const place of found.sort((a, b) => a.time - b.time || a.seq - b.seq)) places.push(place)
    at = until
  }
  const last = places[told(places) + limit - 1]?.time
  return last === undefined ? places : places.filter(({ time }) => time <= last)
}

function pick({ count, time, seq, received }: TradeColumns, takes: Wanted['takes'], found: Place[]): void {
  for (let i = 0; i < count; i++) {
    const place = { time: time[i]!, seq: seq[i]!, received: received[i]! }
    if (takes(place)) found.push(place)
  }
}

/** The first trades of a span, in order, at least `limit` of them where there are so many. */
export async function tradesOf(reader: JournalReader, wanted: Wanted): Promise<PastTrade[]> {
  const runs = eventRuns(reader)
  const end = runs.some((run) => run.open) ? wanted.to : Math.max(...runs.map(({ to }) => to + LATE))
  const first = runs.reduce((least, { from }) => Math.min(least, from - 25 * LATE), Infinity)
  if (runs.length === 0 || first >= wanted.to) return []
  const places = await placesOf(reader, { ...wanted, from: Math.max(wanted.from, first) }, end)
  const { after } = wanted
  const rows = await whole(reader, wanted.instrument, places)
  return rows.filter((row) => after === undefined || compare(row, after) > 0).sort(compare)
}

/** `last`: the candle before the span, where it is known. */
type CandlesWanted = Span & { instrument: string; interval: Interval; grid: Grid; now: number; last?: Candle | undefined }

/** Each with the share of it that is known to be complete; what was not written down at all has none. */
export async function candlesOf(
  reader: JournalReader,
  { instrument, interval, grid, now, from, to, last }: CandlesWanted
): Promise<Candle[]> {
  const held = await heldOf(reader, instrument, { from, to })
  if (held.spans.length === 0 && held.holes.length === 0) return []
  const fold = createFold(instrument, interval, grid, 'journal')
  for await (const columns of trueColumns(reader, instrument, { from, to })) fold.take(columns)
  const shareOf = sharesOf(held)
  return fold.candles(now, last).flatMap((candle) => {
    const share = shareOf(candle.start, candle.end ?? candle.start + grid.length)
    return share === 0 && candle.trades === 0 ? [] : [{ ...candle, coverage: share }]
  })
}

/** As the candle service counts them: what is between two runs is a gap as any other. */
function sharesOf({ spans, words }: Held): (start: number, end: number) => number {
  const coverage = openCoverage()
  const covered = united(spans)
  const [first] = covered
  if (!first) return () => 0
  coverage.begin = first.from
  for (const hole of uncovered({ from: first.from, to: Infinity }, covered)) coverage.holes.push(hole)
  for (const word of words) {
    if (word.type === 'gap') open(coverage, word)
    else fill(coverage, word)
  }
  return (start, end) => coverageOf(coverage, start, end)
}

/** What of a span is known to be missing by what was told of it. */
export function missingOf(
  words: readonly GapWord[],
  span: Span
): (Span & { gap?: string; cause?: Gap['cause']; provider?: string })[] {
  const gaps = new Map<string, Gap>()
  const fills = new Map<string, Span[]>()
  for (const [i, word] of words.entries()) {
    if (word.kind !== 'trade' || word.own) continue
    if (word.type === 'gap') gaps.set(word.id ?? String(i), word)
    else if (word.gap !== undefined) fills.set(word.gap, [...(fills.get(word.gap) ?? []), { from: word.from, to: word.to }])
  }
  return [...gaps].flatMap(([id, { from, to, lasting, cause, provider, id: gap }]) => {
    const end = lasting ? Infinity : Math.max(to, from + 1)
    if (!overlap({ from, to: end }, span)) return []
    return uncovered(clipped({ from, to: end }, span), fills.get(id) ?? []).map((left) => {
      const mark: ReturnType<typeof missingOf>[number] = { ...left, cause, provider }
      if (gap !== undefined) mark.gap = gap
      return mark
    })
  })
}
