/** Corrections and cancels of an instrument's trades, from the journal and the memory; and which of the recorded trades they change. */
import { topicName, type Correction, type Published } from '@tickwire/protocol'
import type { JournalReader, TradeColumns } from '../journal/journal.ts'
import { amended, changed, fateOf, fatesOf, type Changes, type HeardCorrection } from './amend.ts'
import { fewOf, placeName, whole, type Place } from './entries.ts'
import type { PastTrade } from './order.ts'
import { eventRuns } from './runs.ts'
import type { Span } from './spans.ts'

/** Of trades of a time, corrections are heard after it; so much earlier by another clock. */
const LATE = 3_600_000

const isCorrection = (event: Published): event is HeardCorrection => event.type === 'correction'

/** All that were heard since `since`, in the order of hearing, each once: `memory` has the newest. */
export async function correctionsOf(
  journal: JournalReader | undefined,
  instrument: string,
  since: number,
  memory: readonly Published[] = []
): Promise<HeardCorrection[]> {
  const topic = topicName('correction', instrument)
  const found = new Map<string, HeardCorrection>()
  const hear = (events: readonly Published[]): void => {
    for (const event of events) {
      if (!isCorrection(event) || event.published < since - LATE) continue
      found.set(`${event.provider} ${event.id} ${event.seq} ${event.published}`, event)
    }
  }
  for (const one of journal ? eventRuns(journal) : [])
    if (journal && (one.open || one.to >= since - LATE)) hear(await fewOf(journal, one, topic))
  hear(memory)
  return [...found.values()].sort((a, b) => a.published - b.published || a.seq - b.seq)
}

/** Trades that a correction may mean, by what it says was told; columns have no ids. */
function meant({ count, time, seq, received, price, size }: TradeColumns, corrections: readonly Correction[]): Place[] {
  const places: Place[] = []
  for (let i = 0; i < count; i++) {
    const isMeant = (told: Correction): boolean =>
      (told.price === undefined || told.price === price[i]) && (told.size === undefined || told.size === size[i])
    if (corrections.some(isMeant)) places.push({ time: time[i]!, seq: seq[i]!, received: received[i]! })
  }
  return places
}

/** Which trades of a span are not as their columns say. */
async function changesOf(
  reader: JournalReader,
  instrument: string,
  { from, to }: Span,
  corrections: readonly HeardCorrection[]
): Promise<Changes> {
  const changes = new Map<string, { price: number; size: number } | undefined>()
  if (corrections.length === 0) return changes
  const places: Place[] = []
  for await (const columns of reader.trades(instrument, from, to)) places.push(...meant(columns, corrections))
  const fates = fatesOf(corrections)
  for (const trade of await whole(reader, instrument, places)) {
    const fate = fateOf(fates, trade)
    if (fate && trade.seq !== undefined)
      changes.set(placeName({ ...trade, seq: trade.seq }), fate.truth === 'cancelled' ? undefined : fate.truth)
  }
  return changes
}

/** The columns of a span's trades as they are true now. */
export async function* trueColumns(reader: JournalReader, instrument: string, span: Span): AsyncGenerator<TradeColumns> {
  const changes = await changesOf(reader, instrument, span, await correctionsOf(reader, instrument, span.from))
  for await (const columns of reader.trades(instrument, span.from, span.to)) {
    const { time, seq, received } = columns
    yield changed(columns, changes, (i) => placeName({ time: time[i]!, seq: seq[i]!, received: received[i]! }))
  }
}

type Asked = { instrument: string; from: number; corrected?: number }

/** Rows of a page as they are true now, and what its reader is to be told: of these, and what was heard since `corrected`. */
export async function amendedPage<T extends PastTrade>(
  journal: JournalReader | undefined,
  { instrument, from, corrected }: Asked,
  rows: readonly T[],
  memory: readonly Published[]
): Promise<{ trades: T[]; corrections: HeardCorrection[]; corrected: number }> {
  const known = await correctionsOf(journal, instrument, from, memory)
  const { trades, corrections: ofThese } = amended(rows, fatesOf(known))
  const isTold = new Set(ofThese)
  const corrections = known.filter((each) => isTold.has(each) || (corrected !== undefined && each.published > corrected))
  return { trades, corrections, corrected: known.at(-1)?.published ?? corrected ?? 0 }
}
