/** What a client that was behind is given once it reads again: from the plant's rings, through an outbox. */
import { isPureState, isState, type Published } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import { createOutbox, type Item, type Lost } from './outbox.ts'

export type OutboxLimits = { maxItems: number; maxWeight: number }

/** About the bytes of an event's text; books are the only large ones. */
export const weigh = (event: Published): number =>
  event.type === 'book' ? 200 + 20 * (event.bids.length + event.asks.length) : 240

/** The events of a topic after `seq`, as far as they are kept, and at most the newest `most`. */
function after(plant: Plant, topic: string, seq: number, most: number): readonly Published[] {
  const kept = plant.recent(topic, Math.max(most, 1))
  const first = kept.findIndex((event) => event.seq > seq)
  return first < 0 ? [] : kept.slice(first)
}

export type Arrears = { entries: (Item | Lost)[]; conflated: number; dropped: number }

/**
 * While a client is behind it costs nothing: only `positions`, the sequence it has of each topic. This is the price of
 * coming back, bounded by the outbox whatever happened meanwhile.
 */
export function arrearsOf(plant: Plant, positions: ReadonlyMap<string, number>, limits: OutboxLimits): Arrears {
  const due: { topic: string; last: Published; seq: number; missing: number }[] = []
  let total = 0
  for (const [topic, seq] of positions) {
    const last = plant.last(topic)
    if (!last || last.seq <= seq) continue
    // Of pure state only the newest counts, so the rest is not even looked at.
    const missing = isPureState(last) ? 1 : last.seq - seq
    due.push({ topic, last, seq, missing })
    total += missing
  }
  const share = total <= limits.maxItems ? 1 : limits.maxItems / 2 / total
  const outbox = createOutbox<Item>(limits)
  const lost: Lost[] = []
  const events: Published[] = []
  let conflated = 0
  let dropped = 0
  for (const { topic, last, seq, missing } of due) {
    const kept = missing === 1 ? [last] : after(plant, topic, seq, Math.ceil(missing * share))
    const gone = kept[0]!.seq - seq - 1
    for (const event of kept) events.push(event)
    if (gone === 0) continue
    if (isPureState(last)) conflated += gone
    else {
      dropped += gone
      lost.push({ lost: true, topic, count: gone, from: seq + 1, to: seq + gone })
    }
  }
  events.sort((a, b) => a.published - b.published)
  for (const event of events) outbox.offer({ event, state: isState(event), weight: weigh(event) })
  const stats = outbox.stats()
  return { entries: [...lost, ...outbox.drain()], conflated: conflated + stats.conflated, dropped: dropped + stats.dropped }
}
