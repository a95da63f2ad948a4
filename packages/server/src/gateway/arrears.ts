/** What a client that was behind is given once it reads again: from the plant's rings, through an outbox. */
import { isPureState, isState, type Published } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import { newestOf } from './contracts.ts'
import { createOutbox, isLost, type Item, type Lost } from './outbox.ts'

export type OutboxLimits = { maxItems: number; maxWeight: number }

/** About the bytes of an event's text; books are the only large ones. */
export const weigh = (event: Published): number =>
  event.type === 'book' ? 200 + 20 * (event.bids.length + event.asks.length) : 240

/**
 * What a topic's reader was promised. `every`: each event, and what is missing is lost; `newest`: no more than that; `counted`: each,
 * or the connection ends; `state`: of state the newest, of events each, where a protocol has no words for more.
 */
export type Promised = 'every' | 'newest' | 'counted' | 'state'

/** The events of a topic after `seq`, as far as they are kept, and at most the newest `most`. */
function after(plant: Plant, topic: string, seq: number, most: number): readonly Published[] {
  const kept = plant.recent(topic, Math.max(most, 1))
  const first = kept.findIndex((event) => event.seq > seq)
  return first < 0 ? [] : kept.slice(first)
}

export type Arrears = {
  entries: (Item | Lost)[]
  conflated: number
  dropped: number
  /** Something that counts cannot be given. */
  broken: boolean
}

type Due = { topic: string; last: Published; seq: number; missing: number; promised: Promised }

function dueOf(plant: Plant, positions: ReadonlyMap<string, number>, promisedOf: (topic: string) => Promised): Due[] {
  const due: Due[] = []
  for (const [topic, seq] of positions) {
    const last = plant.last(topic)
    if (!last || last.seq <= seq) continue
    const promised = promisedOf(topic)
    // Where only the newest counts, or is kept, the rest is not even looked at.
    const single = promised !== 'counted' && (isPureState(last) || (promised === 'newest' && last.type !== 'candle'))
    due.push({ topic, last, seq, missing: single ? 1 : last.seq - seq, promised })
  }
  return due
}

const itemOf = (event: Published, state: boolean): Item => ({ event, state, weight: weigh(event) })

/** Oldest first; of one topic always in its order, whatever the clock did. */
function byTime(lists: readonly (readonly Item[])[]): Item[] {
  const dated: { item: Item; at: number }[] = []
  for (const items of lists) {
    let at = 0
    for (const item of items) dated.push({ item, at: (at = Math.max(at, item.event.published)) })
  }
  return dated.sort((a, b) => a.at - b.at).map(({ item }) => item)
}

/** Puts what counts, none of which may be dropped, in its place among the rest. */
function mixed(entries: readonly (Item | Lost)[], counted: readonly Item[]): (Item | Lost)[] {
  const out: (Item | Lost)[] = []
  let next = 0
  for (const entry of entries) {
    if (!isLost(entry))
      while (next < counted.length && counted[next]!.event.published <= entry.event.published) out.push(counted[next++]!)
    out.push(entry)
  }
  return [...out, ...counted.slice(next)]
}

/** What is given of one topic, and how many of it are not. */
function ofTopic(plant: Plant, { topic, last, seq, missing, promised }: Due, share: number) {
  const kept = missing === 1 ? [last] : after(plant, topic, seq, promised === 'counted' ? missing : Math.ceil(missing * share))
  const given = promised === 'newest' ? newestOf(kept) : kept
  const gone = kept[0]!.seq - seq - 1
  // Of candles that are no longer kept nobody knows whether one was closed, which nothing replaces.
  const isReplaced = (promised === 'newest' && last.type !== 'candle') || (promised === 'state' && isPureState(last))
  const replaced = kept.length - given.length
  // The newest is dropped last; and of what was promised no other is replaced in silence.
  const items = given.map((event) => itemOf(event, promised === 'state' ? isState(event) : event === last))
  return { items, conflated: isReplaced ? gone + replaced : replaced, gone: isReplaced ? 0 : gone }
}

/** About the bytes of all that is missing, as far as it is kept. */
export function weightOf(plant: Plant, positions: ReadonlyMap<string, number>): number {
  let weight = 0
  for (const [topic, seq] of positions) {
    const last = plant.last(topic)
    if (last && last.seq > seq) weight += weigh(last) * (isPureState(last) ? 1 : last.seq - seq)
  }
  return weight
}

/** A notice of what is lost. */
const NOTICE = 110
/** The topics of which the newest and a notice have room together, at least one; and the others. */
export function portionOf(plant: Plant, positions: ReadonlyMap<string, number>, room: number) {
  const part = new Map<string, number>()
  const rest = new Map<string, number>()
  let weight = 0
  for (const [topic, seq] of positions) {
    const last = plant.last(topic)
    if (!last || last.seq <= seq) continue
    weight += weigh(last) + NOTICE
    if (part.size === 0 || weight <= room) part.set(topic, seq)
    else rest.set(topic, seq)
  }
  return { part, rest }
}

/**
 * While a client is behind it costs nothing: only `positions`, the sequence it has of each topic. This is the price of
 * coming back, bounded by the outbox whatever happened meanwhile.
 */
export function arrearsOf(
  plant: Plant,
  positions: ReadonlyMap<string, number>,
  limits: OutboxLimits,
  promisedOf: (topic: string) => Promised
): Arrears {
  const due = dueOf(plant, positions, promisedOf)
  const total = due.reduce((sum, { missing }) => sum + missing, 0)
  const share = total <= limits.maxItems ? 1 : limits.maxItems / 2 / total
  const lost: Lost[] = []
  const rest: (readonly Item[])[] = []
  const counted: (readonly Item[])[] = []
  const sums = { conflated: 0, dropped: 0, broken: false }
  for (const one of due) {
    const { items, conflated, gone } = ofTopic(plant, one, share)
    sums.conflated += conflated
    if (one.promised === 'counted') {
      counted.push(items)
      sums.broken ||= gone > 0
      continue
    }
    rest.push(items)
    sums.dropped += gone
    if (gone > 0) lost.push({ lost: true, topic: one.topic, count: gone, from: one.seq + 1, to: one.seq + gone })
  }
  const each = byTime(counted)
  const outbox = createOutbox<Item>(limits)
  for (const item of byTime(rest)) outbox.offer(item)
  const { conflated, dropped } = outbox.stats()
  return {
    entries: [...lost, ...mixed(outbox.drain(), each)],
    conflated: sums.conflated + conflated,
    dropped: sums.dropped + dropped,
    broken: sums.broken || each.length > limits.maxItems || each.reduce((sum, { weight }) => sum + weight, 0) > limits.maxWeight
  }
}
