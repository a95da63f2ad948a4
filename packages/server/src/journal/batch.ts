/** A batch of entries as blocks, and back: events by topic or, where a topic has few, by type; what was on the wire together. */
import type { Published } from '@tickwire/protocol'
import type { Block } from './block.ts'
import { ORDER, packTable, rowsOf, TIME, unpackTable, type Row } from './columns.ts'
import type { Entry, TradeColumns } from './journal.ts'

/** A topic with fewer events in a batch shares its block with others of its type: small blocks cost more than they save. */
export const aloneIn = (total: number): number => Math.max(64, total >> 5)

const BESIDE = new Set([ORDER, TIME])

type Group = { kind: Block['kind']; topics: string[]; rows: Row[]; order: number[]; times: number[] }
const openGroup = (kind: Block['kind'], topics: string[] = []): Group => ({ kind, topics, rows: [], order: [], times: [] })

/** `places`: where each of them stands in the batch, which has `total`; without them they are all of it. */
export function blocksOf(entries: readonly Entry[], batch: number, places?: readonly number[], total = entries.length): Block[] {
  const events = new Map<string, Group>()
  const traffic = openGroup('traffic')
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!
    let group = traffic
    if (entry.type === 'event') {
      const { topic } = entry.event
      group = events.get(topic) ?? openGroup('events', [topic])
      if (group.rows.length === 0) events.set(topic, group)
      group.rows.push(entry.event)
    } else {
      const { time: _, ...row } = entry
      group.rows.push(row)
    }
    group.order.push(places?.[i] ?? i)
    group.times.push(entry.time)
  }
  const groups = shared(events, aloneIn(total))
  if (traffic.rows.length > 0) groups.push(traffic)
  return groups.map((group) => blockOf(group, batch, total))
}

function shared(byTopic: ReadonlyMap<string, Group>, alone: number): Group[] {
  const own: Group[] = []
  const byType = new Map<unknown, Group>()
  for (const group of byTopic.values()) {
    if (group.rows.length >= alone) {
      own.push(group)
      continue
    }
    const type = group.rows[0]!['type']
    const together = byType.get(type) ?? openGroup('events')
    byType.set(type, together)
    together.topics.push(...group.topics)
    for (let i = 0; i < group.rows.length; i++) {
      together.rows.push(group.rows[i]!)
      together.order.push(group.order[i]!)
      together.times.push(group.times[i]!)
    }
  }
  return [...own, ...byType.values()]
}

function blockOf({ kind, topics, rows, order, times }: Group, batch: number, total: number): Block {
  const [from, to] = spanOf(times)
  const [ownFrom, ownTo] = kind === 'events' ? spanOf(rows.map(({ time }) => time as number)) : [0, 0]
  const payload = packTable(rows, { [ORDER]: new Float64Array(order), [TIME]: new Float64Array(times) })
  return { kind, batch, total, count: rows.length, topics, from, to, ownFrom, ownTo, payload }
}

export function spanOf(times: ArrayLike<number>): [number, number] {
  let from = Infinity
  let to = -Infinity
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!
    if (time < from) from = time
    if (time > to) to = time
  }
  return Number.isFinite(from) && Number.isFinite(to) ? [from, to] : [0, 0]
}

/** Puts the entries of a block to their places in the batch. */
export function entriesInto(batch: (Entry | undefined)[], kind: Block['kind'], payload: Uint8Array): void {
  const table = unpackTable(payload)
  const order = table.columns.get(ORDER) as Float64Array
  const times = table.columns.get(TIME) as Float64Array
  const rows = rowsOf(table, BESIDE)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const time = times[i]!
    batch[order[i]!] =
      kind === 'events' ? { type: 'event', time, event: row as unknown as Published } : ({ ...row, time } as unknown as Entry)
  }
}

const TRADES = new Set(['topic', 'seq', 'time', 'received', 'price', 'size', 'side', 'ineligible'])
const SIDES: Readonly<Record<string, number>> = { buy: 1, sell: 2 }

/** The trades of one topic whose own time is from `from` to before `to`. */
export function tradesIn(payload: Uint8Array, topic: string, from: number, to: number): TradeColumns {
  const { rows, columns } = unpackTable(payload, TRADES)
  const topics = columns.get('topic')
  const times = columns.get('time') as Float64Array
  const chosen = new Uint32Array(rows)
  let count = 0
  for (let i = 0; i < rows; i++) if (times[i]! >= from && times[i]! < to && topics?.[i] === topic) chosen[count++] = i
  const pick = (name: string): Float64Array => {
    const all = columns.get(name) as Float64Array
    return count === rows ? all : Float64Array.from({ length: count }, (_, i) => all[chosen[i]!]!)
  }
  const marks = (name: string, markOf: (cell: unknown) => number): Uint8Array => {
    const all = columns.get(name)
    const picked = new Uint8Array(count)
    if (all) for (let i = 0; i < count; i++) picked[i] = markOf(all[chosen[i]!])
    return picked
  }
  return {
    count,
    seq: pick('seq'),
    time: pick('time'),
    received: pick('received'),
    price: pick('price'),
    size: pick('size'),
    side: marks('side', (side) => SIDES[side as string] ?? 0),
    ineligible: marks('ineligible', (is) => (is === true ? 1 : 0))
  }
}
