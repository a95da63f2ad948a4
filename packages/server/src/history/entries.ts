/** What a journal is asked for here: the events of a topic, words about an instrument that are few, and whole trades by their places. */
import { topicName, type Published, type RecordedRun } from '@tickwire/protocol'
import type { JournalReader, Query } from '../journal/journal.ts'
import type { PastTrade } from './order.ts'
import { eventRuns } from './runs.ts'
import { overlap, united, type Span } from './spans.ts'

export const events = (run: string, topic: string | readonly string[], from?: number, to?: number): Query => {
  const query: Query = { run, what: 'events', topics: new Set(typeof topic === 'string' ? [topic] : topic) }
  if (from !== undefined) query.from = from
  if (to !== undefined) query.to = to
  return query
}

type Timed = { time: number; event: Published }

async function* timedOf(reader: JournalReader, query: Query): AsyncGenerator<Timed> {
  for await (const batch of reader.read(query)) for (const entry of batch) if (entry.type === 'event') yield entry
}

export async function* eventsOf(reader: JournalReader, query: Query): AsyncGenerator<Published> {
  for await (const { event } of timedOf(reader, query)) yield event
}

/** What was read of a topic of few events, and of how much of the run. */
type Kept = Pick<RecordedRun, 'from' | 'to' | 'bytes' | 'events'> & { found: Timed[] }
const kept = new WeakMap<JournalReader, Map<string, Kept>>()
/** Once more are known than this they are read anew. */
const MOST_KEPT = 1_000

/** All events of a topic that has few of them, in a run: of one that is read again only what was written since is read. */
export async function fewOf(reader: JournalReader, one: RecordedRun, topic: string): Promise<Published[]> {
  const { run, from, to, bytes, events: count } = one
  const known = kept.get(reader) ?? new Map<string, Kept>()
  kept.set(reader, known)
  const key = `${run} ${topic}`
  const had = known.get(key)
  const isLonger = had !== undefined && had.from === from
  if (isLonger && had.to === to && had.bytes === bytes && had.events === count) return had.found.map(({ event }) => event)
  const found = isLonger ? had.found.filter(({ time }) => time < had.to) : []
  for await (const { time, event } of timedOf(reader, events(run, topic, isLonger ? had.to : undefined)))
    found.push({ time, event })
  if (known.size >= MOST_KEPT) known.clear()
  known.set(key, { from, to, bytes, events: count, found })
  return found.map(({ event }) => event)
}

/** How the columns name a trade. */
export type Place = { time: number; seq: number; received: number }
export const placeName = ({ time, seq, received }: Place): string => `${seq} ${time} ${received}`

/** Between our hearing of a trade and its being written; and, where a standby's were held back, the longest. */
const WRITTEN = 1_000
const HELD_BACK = 120_000
/** Trades heard within this of each other are read in one go; further apart where there would be more than so many goes. */
const APART = 1_000
const MOST_GOES = 8
const GROWTH = 4
const LONGEST_APART = 86_400_000

/** Between trades that are rare lies little else that is read with them, and what is read twice is unpacked twice. */
function clustersOf(places: Iterable<Place>, late: number): Span[] {
  const times = [...places].map(({ received }) => received)
  for (let apart = APART; ; apart *= GROWTH) {
    const clusters = united(times.map((time) => ({ from: time - apart, to: time + Math.max(late, apart) })))
    if (clusters.length <= MOST_GOES || apart >= LONGEST_APART) return clusters
  }
}

/** Whole trades, of which the columns hold a part only. */
export async function whole(reader: JournalReader, instrument: string, places: readonly Place[]): Promise<PastTrade[]> {
  const missing = new Map(places.map((place) => [placeName(place), place]))
  const runs = eventRuns(reader)
  const found: PastTrade[] = []
  for (const late of [WRITTEN, HELD_BACK]) {
    for (const cluster of clustersOf(missing.values(), late))
      for (const { run, from, to, open: isOpen } of runs) {
        if (!overlap(cluster, { from: from - HELD_BACK, to: isOpen ? Infinity : to + HELD_BACK })) continue
        for await (const event of eventsOf(reader, events(run, topicName('trade', instrument), cluster.from, cluster.to)))
          if (event.type === 'trade' && missing.delete(placeName(event))) found.push({ ...event, run })
      }
    if (missing.size === 0) break
  }
  return found
}
