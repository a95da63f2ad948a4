/** Which topics REST holds upstream on behalf of those who read, and for how long. */
import { expect, test } from 'vitest'
import { createReader } from '../../src/gateway/reader.ts'
import { createPlant } from '../../src/plant/plant.ts'
import type { Timers } from '../../src/timers.ts'

/** Time passes when it is told to. */
function createHands(most?: number) {
  const due = new Map<object, () => void>()
  const timers: Timers = {
    every: () => () => {},
    after(_ms, act) {
      const key = {}
      due.set(key, act)
      return () => void due.delete(key)
    }
  }
  const held = new Map<string, number>()
  const add = (name: string, n: number) => held.set(name, (held.get(name) ?? 0) + n)
  const plant = createPlant({ epoch: 'e1', keep: () => 10 })
  const reader = createReader({
    plant,
    timers,
    demand({ kind, instrument }) {
      add(`${kind}:${instrument}`, 1)
      return { upstream: 'live', release: () => void add(`${kind}:${instrument}`, -1) }
    },
    ...(most !== undefined && { most })
  })
  return {
    reader,
    due,
    held: () => [...held].filter(([, count]) => count > 0),
    pass: () => {
      for (const act of due.values()) act()
    }
  }
}

test('a topic that is read is held once, however often, and let go when nobody reads it any more', () => {
  const { reader, held, pass } = createHands()
  for (let n = 0; n < 3; n++) reader.hold('trade:A')
  expect(held()).toEqual([['trade:A', 1]])
  pass()
  expect(held()).toEqual([])
})

test('as many topics are held as there may be: for one more, that which nobody read for the longest time is let go', () => {
  const { reader, held, due } = createHands(3)
  for (const name of ['A', 'B', 'C', 'A', 'D', 'E']) reader.hold(`trade:${name}`)
  expect(held().map(([name]) => name)).toEqual(['trade:A', 'trade:D', 'trade:E'])
  expect(due.size).toBe(3)
  for (let n = 0; n < 10_000; n++) reader.hold(`trade:X${n}`)
  expect(held()).toHaveLength(3)
  expect(due.size).toBe(3)
})

test('at the end nothing is held, and nothing waits', () => {
  const { reader, held, due } = createHands()
  for (const name of ['A', 'B']) reader.hold(`trade:${name}`)
  reader.stop()
  expect([held(), due.size]).toEqual([[], 0])
})
