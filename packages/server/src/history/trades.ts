/**
 * Past trades of an instrument in pages, from the journal, the memory and providers' REST: joined by their ids or sequences, so
 * that none is told twice, and asked of REST only where nobody here has heard them, so that none is left out.
 */
import { topicName, type Published } from '@tickwire/protocol'
import type { KnownGap } from '../feed/gap.ts'
import type { JournalReader } from '../journal/journal.ts'
import type { Plant } from '../plant/plant.ts'
import { amendedPage } from './amended.ts'
import { decode, encode, type Place } from './cursor.ts'
import { compare, joined, keyOf, type Key, type PastTrade } from './order.ts'
import { heardOf, heldOf, missingOf, tradesOf, type GapWord, type Held } from './recorded.ts'
import {
  before,
  cut,
  iso,
  isNothing,
  nothing,
  plain,
  restOf,
  usedOf,
  type GapMark,
  type Row,
  type TradesAnswer,
  type TradesPage
} from './page.ts'
import { lostWords } from './runs.ts'
import { createShelf, type Filled, type Rest } from './shelf.ts'
import { clipped, isIn, overlap, uncovered, type Span } from './spans.ts'

export type HistoryOptions = {
  /** Nothing where nothing is recorded. */
  journal?: JournalReader | undefined
  /** What was heard by now is in the journal then. */
  flush?: (() => Promise<void>) | undefined
  plant: Pick<Plant, 'epoch' | 'recent' | 'position'>
  rest: Rest
  /** Whether an instrument's trades are heard now. */
  hears: (instrument: string) => boolean
  gaps: (instrument: string) => readonly KnownGap[]
  clock: () => number
  /** Of this epoch. */
  startedAt: number
}

export type TradesAsked = {
  instrument: string
  from?: number | undefined
  to?: number | undefined
  limit: number
  cursor?: string | undefined
}
export type PastTrades = (asked: TradesAsked) => Promise<TradesAnswer>

const HOUR = 3_600_000
/** By REST a trade can be read so much later than it happens. */
const SETTLED = 2_000
/** Of a memory that has let go of its oldest, the first may not be in the order of time. */
const DISORDER = 1_000
/** How much later than others a trade may be told, when it fills a gap. */
const LATE = 2 * HOUR

/** Of a page without trades that is not the last one. */
const EMPTY = 'nobody tells of a trade there; what comes after it takes longer than one page may, and is asked next'

/** Behind all trades of that time. */
const behind = (time: number): Key => ({ time, id: '~'.repeat(200), provider: '~', received: 0 })

export function createTrades(options: HistoryOptions): PastTrades {
  const { journal, flush, plant, hears, gaps, clock, startedAt } = options
  const shelf = createShelf(options.rest, clock)

  function placeOf({ instrument, cursor, from, to }: TradesAsked, seq: number, now: number): Place | undefined {
    const begin = from ?? (to ?? now) - HOUR
    if (cursor === undefined) {
      const place: Place = { instrument, from: begin, epoch: plant.epoch, done: 0, last: seq }
      if (to !== undefined) place.to = to
      return place
    }
    const place = decode(cursor)
    if (place?.instrument !== instrument) return undefined
    if ((from !== undefined && from !== place.from) || (to !== undefined && to !== place.to)) return undefined
    // Sequences of another run say nothing here: it goes on by time.
    const isOurs = place.epoch === plant.epoch
    const after = place.after ?? (place.told === undefined ? undefined : behind(place.told))
    const { done: _, last: __, told: ___, after: ____, ...rest } = place
    if (!isOurs) return { ...rest, epoch: plant.epoch, done: 0, last: seq, ...(after && { after }) }
    return { ...place, last: place.last || seq }
  }

  /** What is heard since `told`, where the memory does not reach back to it, is in the journal; else it goes on by time. */
  function reachOf(place: Place, ring: readonly Published[]): Place {
    const isThere = place.done === 0 || (ring[0]?.seq ?? 0) <= place.done + 1 || journal !== undefined
    const { told = place.from, ...rest } = place
    return isThere ? place : { ...rest, done: 0, after: behind(told) }
  }

  const takes =
    ({ done, last }: Place) =>
    (seq: number, received: number): boolean =>
      received < startedAt ? done === 0 : seq > done && seq <= last

  async function local(place: Place, ring: readonly Published[], limit: number): Promise<Row[]> {
    const { instrument, from, to = Infinity, done, last, after, told = from, rest = [] } = place
    const byRest = done > 0 ? rest : []
    const isNext = (row: PastTrade) =>
      isIn({ from, to }, row.time) &&
      (after === undefined || compare(row, after) > 0) &&
      !byRest.some((span) => isIn(span, row.time))
    const here = ring.flatMap((event): Row[] => {
      if (event.type !== 'trade' || event.seq <= done || event.seq > last || !isNext(event)) return []
      return [{ ...event, source: 'memory' }]
    })
    const isWhole = done > 0 && (ring[0]?.seq ?? 0) <= done + 1
    if (!journal || isWhole) return here.sort(compare)
    const isTaken = takes(place)
    const begin = done > 0 ? Math.max(from, told - LATE) : from
    const wanted = {
      instrument,
      from: begin,
      to,
      limit: limit + 1,
      after,
      takes: (at: { seq: number; received: number }) => isTaken(at.seq, at.received)
    }
    const recorded = await tradesOf(journal, wanted)
    return joined<Row>(
      here,
      recorded.filter(isNext).map((trade) => ({ ...trade, source: 'journal' }))
    )
  }

  /** Where trades of it were heard, and are known. */
  function spansOf(instrument: string, ring: readonly Published[], recorded: readonly Span[]): Span[] {
    const [first, newest] = [ring[0], ring.at(-1)]
    const end = hears(instrument) ? Infinity : (newest?.time ?? startedAt) + 1
    const spans = recorded.map(({ from, to }) => ({ from, to: Math.min(to, to === Infinity ? end : to) }))
    if (first?.type === 'trade') {
      const margin = first.seq > 1 && first.id !== undefined ? DISORDER : 0
      spans.push({ from: first.time + margin, to: end })
    }
    return spans.filter(({ from, to }) => from < to)
  }

  /** Asks for what nobody here has heard, up to the last that is of use. */
  async function fill(
    instrument: string,
    span: Span,
    spans: readonly Span[],
    rows: readonly Row[],
    limit: number
  ): Promise<Filled> {
    const all: Filled = { trades: [], spans: [], missing: [], reached: span.to }
    const budget = shelf.budget()
    for (const bare of uncovered(span, spans)) {
      const first = all.trades.length === 0 && !rows.some(({ time }) => time < bare.from)
      const found = await shelf.fill(instrument, bare, { limit, budget, first })
      all.trades.push(...found.trades)
      all.spans.push(...found.spans)
      all.missing.push(...found.missing.map((each) => ({ ...each, why: each.why + lostWords(journal, each) })))
      const known = all.trades.length + rows.filter(({ time }) => time < found.reached).length
      if (found.reached < bare.to || known > limit) return { ...all, reached: found.reached }
    }
    return all
  }

  function marksOf(instrument: string, span: Span, held: Held, missing: Filled['missing']): GapMark[] {
    const known = gaps(instrument).filter(({ kind }) => kind === 'trade')
    const isFilled = new Set(known.filter(({ state }) => state === 'filled').map(({ id }) => id))
    const words: GapWord[] = [...held.words, ...known.flatMap((gap) => [gap, ...gap.fills])]
    const told = missingOf(words, span).filter(({ gap }) => gap === undefined || !isFilled.has(gap))
    const marks = told.map(({ from, to, gap, provider, cause }): GapMark => {
      const why = known.find(({ id }) => id === gap)?.why ?? `${provider}: ${cause}`
      return { from, to, why, ...(gap !== undefined && { gap }), ...(provider !== undefined && { provider }) }
    })
    const silent = missing.filter((each) => overlap(each, span)).map((each) => clipped(each, span))
    return [...marks, ...silent].sort((a, b) => a.from - b.from)
  }

  return async (asked) => {
    const { instrument, limit } = asked
    const now = clock()
    const topic = topicName('trade', instrument)
    const ofCorrections = topicName('correction', instrument)
    const begun = placeOf(asked, plant.position(topic).seq, now)
    if (!begun) return { ok: false, reason: 'cursor', message: 'it is not of an answer to the same question' }
    if (begun.to !== undefined && begun.to <= begun.from)
      return { ok: false, reason: 'span', message: `it is ${iso(begun.from)}, which is not before to, ${iso(begun.to)}` }
    await flush?.()
    const ring = plant.recent(topic, Infinity)
    const place = reachOf(begun, ring)
    const rows = await local(place, ring, limit)
    const start = place.done > 0 ? (place.told ?? place.from) : Math.max(place.from, place.after?.time ?? place.from)
    // What is still under way to REST is asked for next time.
    const end = Math.min(place.to ?? Infinity, hears(instrument) ? now : now - SETTLED)
    const span = { from: start, to: Math.max(start, rows[limit]?.time ?? end) }
    const held = journal
      ? await heldOf(journal, instrument, { from: start, to: Math.max(end, start + 1) })
      : { spans: [], holes: [], words: [] }
    const spans = spansOf(instrument, ring, held.spans)
    const filled =
      place.done > 0 ? { trades: [], spans: [], missing: [], reached: span.to } : await fill(instrument, span, spans, rows, limit)
    if (asked.cursor === undefined && isNothing(rows, filled, span)) {
      const all = journal ? await heardOf(journal, instrument) : []
      return nothing(instrument, span, filled, spansOf(instrument, ring, all))
    }
    const { trades: first, next, told } = cut(place, { rows, filled, span, limit })
    const { trades, corrections, corrected } = await amendedPage(journal, place, first, plant.recent(ofCorrections, Infinity))
    const marks = marksOf(instrument, told, held, filled.missing)
    // Nothing, and more of it: that is said.
    if (first.length === 0 && next && marks.length === 0) marks.push({ ...told, why: EMPTY })
    const further = next ?? over(place, first.at(-1), span, filled, now)
    const page: TradesPage = {
      trades: trades.map(plain),
      corrections,
      gaps: marks,
      sources: usedOf(trades, filled, told),
      more: next !== undefined
    }
    if (further) page.cursor = encode({ ...further, corrected })
    return { ok: true, ...page }
  }

  /** All that was known is told: what comes next is what came since. */
  function over(place: Place, last: Row | undefined, { to: end }: Span, filled: Filled, now: number): Place | undefined {
    const { instrument, from, to, epoch, last: done, after } = place
    const isLate = (event: Published) => event.seq > done && event.time < (to ?? Infinity) && event.time >= from
    if (to !== undefined && to <= now && !plant.recent(topicName('trade', instrument), Infinity).some(isLate)) return undefined
    const next: Place = { instrument, from, epoch, done: 0, last: 0 }
    if (to !== undefined) next.to = to
    if (hears(instrument) && done > 0)
      return {
        ...next,
        done,
        told: Math.max(place.told ?? from, last?.time ?? after?.time ?? from),
        rest: restOf(place, filled)
      }
    const key = last ? keyOf(last) : after
    return { ...next, after: key && compare(key, before(end)) > 0 ? key : before(end) }
  }
}
