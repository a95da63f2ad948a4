import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Published } from '@tickwire/protocol'
import { createOutbox, isLost, type Item, type Lost } from '../../src/gateway/outbox.ts'

type Offer = { topic: string; state: boolean; weight: number }
const offers = fc.array(
  fc.record({ topic: fc.constantFrom('a', 'b', 'c'), state: fc.boolean(), weight: fc.integer({ min: 1, max: 40 }) }),
  { maxLength: 120 }
)
const limits = fc.record({ maxItems: fc.integer({ min: 1, max: 30 }), maxWeight: fc.integer({ min: 20, max: 600 }) })

/** Sequences count per topic, as the plant stamps them; a forming candle is state, a closed one an event, of one type. */
function itemsOf(list: readonly Offer[]): Item[] {
  const seqs = new Map<string, number>()
  return list.map(({ topic, state, weight }) => {
    const seq = (seqs.get(topic) ?? 0) + 1
    seqs.set(topic, seq)
    return { event: { topic, seq, type: 'candle' } as Published, state, weight }
  })
}

const topicOf = (entry: Item | Lost) => (isLost(entry) ? entry.topic : entry.event.topic)

/** The same rules, written as plainly as they can be said: filters over a list, nothing remembered. */
function oracle(items: readonly Item[], { maxItems, maxWeight }: { maxItems: number; maxWeight: number }): (Item | Lost)[] {
  let queue: (Item | Lost)[] = []
  const real = () => queue.filter((entry): entry is Item => !isLost(entry))
  const fits = (part: number) =>
    real().length <= maxItems * part && real().reduce((n, entry) => n + entry.weight, 0) <= maxWeight * part
  const isLast = (entry: Item | Lost) => queue.findLast((each) => topicOf(each) === topicOf(entry)) === entry
  const shed = (mayDrop: (item: Item) => boolean) => {
    const droppable = real().filter(mayDrop)
    // Which of them are superseded is settled before any is dropped.
    const superseded = new Set(droppable.filter((item) => item.state && !isLast(item)))
    for (const item of droppable) {
      if (fits(0.5)) return
      const { topic, seq } = item.event
      const notice = queue.find((entry): entry is Lost => isLost(entry) && entry.topic === topic)
      if (superseded.has(item)) queue = queue.filter((entry) => entry !== item)
      else if (notice) {
        notice.count++
        notice.to = seq
        queue = queue.filter((entry) => entry !== item)
      } else queue = queue.map((entry) => (entry === item ? { lost: true, topic, count: 1, from: seq, to: seq } : entry))
    }
  }
  for (const item of items) {
    const last = queue.findLast((entry) => topicOf(entry) === item.event.topic)
    if (item.state && last && !isLost(last) && last.state) queue = queue.map((entry) => (entry === last ? item : entry))
    else queue.push(item)
    const newest = new Set(queue.filter((entry) => !isLost(entry) && entry.state && isLast(entry)))
    if (!fits(1)) shed((entry) => !newest.has(entry))
    if (!fits(1)) shed(() => true)
  }
  return queue
}

test('[T6] an outbox holds what a naive list under the same rules holds', () => {
  fc.assert(
    fc.property(offers, limits, (list, bounds) => {
      const outbox = createOutbox(bounds)
      for (const item of itemsOf(list)) outbox.offer(item)
      expect(outbox.drain()).toEqual(oracle(itemsOf(list), bounds))
    }),
    { numRuns: 500 }
  )
})

test('[T6] an outbox never holds more than its bound, whatever is offered', () => {
  fc.assert(
    fc.property(offers, limits, (list, bounds) => {
      const outbox = createOutbox(bounds)
      for (const item of itemsOf(list)) {
        outbox.offer(item)
        expect(outbox.stats().items).toBeLessThanOrEqual(bounds.maxItems)
        expect(outbox.stats().weight).toBeLessThanOrEqual(bounds.maxWeight)
      }
      const entries = outbox.drain()
      expect(entries.filter((entry) => !isLost(entry)).length).toBeLessThanOrEqual(bounds.maxItems)
      expect(entries.filter(isLost).length).toBeLessThanOrEqual(3)
    })
  )
})

test('every event is delivered or counted as lost, in the order of its topic', () => {
  fc.assert(
    fc.property(offers, limits, (list, bounds) => {
      const items = itemsOf(list)
      const outbox = createOutbox(bounds)
      for (const item of items) outbox.offer(item)
      const entries = outbox.drain()
      const { conflated } = outbox.stats()
      const lost = entries.filter(isLost).reduce((n, { count }) => n + count, 0)
      const kept = entries.filter((entry): entry is Item => !isLost(entry))
      expect(kept.length + lost + conflated).toBe(items.length)
      for (const topic of ['a', 'b', 'c']) {
        let reached = 0
        for (const entry of entries) {
          if ((isLost(entry) ? entry.topic : entry.event.topic) !== topic) continue
          expect(isLost(entry) ? entry.from : entry.event.seq).toBeGreaterThan(reached)
          reached = isLost(entry) ? entry.to : entry.event.seq
        }
        const events = items.filter((item) => item.event.topic === topic && !item.state).map((item) => item.event.seq)
        const covered = (seq: number) =>
          kept.some((entry) => entry.event.topic === topic && entry.event.seq === seq) ||
          entries.some((entry) => isLost(entry) && entry.topic === topic && entry.from <= seq && seq <= entry.to)
        expect(events.filter((seq) => !covered(seq))).toEqual([])
      }
    })
  )
})

test('a state is replaced only while nothing of its topic follows it, so a closed candle stays between two forming ones', () => {
  const outbox = createOutbox()
  for (const item of itemsOf([
    { topic: 'a', state: true, weight: 1 },
    { topic: 'b', state: true, weight: 1 },
    { topic: 'a', state: true, weight: 1 },
    { topic: 'a', state: false, weight: 1 },
    { topic: 'a', state: true, weight: 1 },
    { topic: 'a', state: true, weight: 1 }
  ]))
    outbox.offer(item)
  const order = outbox.drain().map((entry) => (isLost(entry) ? 'lost' : `${entry.event.topic}${entry.event.seq}`))
  expect(order).toEqual(['a2', 'b1', 'a3', 'a5'])
})
