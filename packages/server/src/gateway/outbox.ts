/**
 * What waits for a client that is behind. Bounded: state is conflated in place, events stay in order, and past the bound
 * the oldest half makes room, with one counted `lost` per topic where its events stood.
 */
import type { Published } from '@tickwire/protocol'

/** `state`: a newer one of the same topic and type may replace it. `weight`: about its bytes on the wire. */
export type Item = { event: Published; state: boolean; weight: number }
export type Lost = { lost: true; topic: string; count: number; from: number; to: number }
export type Outbox<I extends Item> = ReturnType<typeof createOutbox<I>>

export const isLost = (entry: Item | Lost): entry is Lost => 'lost' in entry

export function createOutbox<I extends Item>({ maxItems = 5_000, maxWeight = 512 * 1024 } = {}) {
  let queue: (I | Lost)[] = []
  /** Where the newest entry of each topic stands: only that one may be replaced, so that order within a topic holds. */
  const tails = new Map<string, number>()
  let items = 0
  let weight = 0
  let conflated = 0
  let dropped = 0

  const lose = (lost: Map<string, Lost>, kept: (I | Lost)[], { event }: I) => {
    dropped++
    const notice = lost.get(event.topic)
    if (notice) {
      notice.count++
      notice.to = event.seq
      return
    }
    const first: Lost = { lost: true, topic: event.topic, count: 1, from: event.seq, to: event.seq }
    lost.set(event.topic, first)
    kept.push(first)
  }

  /** Goes through the queue from its oldest entry until it is at half its bound, dropping what `keep` does not hold back. */
  const shed = (keep: (item: I, at: number) => boolean) => {
    const kept: (I | Lost)[] = []
    const lost = new Map<string, Lost>()
    for (const [at, entry] of queue.entries()) {
      const enough = items <= maxItems / 2 && weight <= maxWeight / 2
      if (isLost(entry)) {
        lost.set(entry.topic, entry)
        kept.push(entry)
      } else if (enough || keep(entry, at)) kept.push(entry)
      else {
        items--
        weight -= entry.weight
        // A state with a newer one behind it is replaced, not lost.
        if (entry.state && tails.get(entry.event.topic) !== at) conflated++
        else lose(lost, kept, entry)
      }
    }
    queue = kept
    tails.clear()
    for (const [at, entry] of queue.entries()) tails.set(isLost(entry) ? entry.topic : entry.event.topic, at)
  }

  const over = () => items > maxItems || weight > maxWeight

  return {
    offer(item: I): void {
      const { topic, type } = item.event
      const at = tails.get(topic)
      const last = at === undefined ? undefined : queue[at]
      if (item.state && last && !isLost(last) && last.state && last.event.type === type) {
        queue[at!] = item
        weight += item.weight - last.weight
        conflated++
      } else {
        tails.set(topic, queue.length)
        queue.push(item)
        items++
        weight += item.weight
      }
      // The newest state of each topic goes last: a reader that comes back should see where things stand.
      if (over()) shed((entry, place) => entry.state && tails.get(entry.event.topic) === place)
      if (over()) shed(() => false)
    },

    /** Takes everything, oldest first. */
    drain(): (I | Lost)[] {
      const out = queue
      queue = []
      tails.clear()
      items = 0
      weight = 0
      return out
    },

    stats: () => ({ items, weight, conflated, dropped })
  }
}
