import { assert, boolean, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestAfter, digestOf, type Published, type Trade } from '@tickwire/protocol'
import { keepFor } from '../../src/plant/keep.ts'
import { createPlant } from '../../src/plant/plant.ts'

const trade = (price: number): Trade => ({
  type: 'trade',
  provider: 'p',
  instrument: 'A-B',
  time: 1,
  received: 2,
  price,
  size: 1,
  side: 'buy'
})
const prices = (events: readonly Published[]) => events.map((event) => (event as Published<Trade>).price)

describe('plant', () => {
  test('an event is stamped with its topic, the next sequence and the time given', () => {
    const plant = createPlant({ epoch: 'e' })
    plant.publish('trade:A-B', trade(1), 10)
    expect(plant.publish('trade:A-B', trade(2), 11)).toMatchObject({ topic: 'trade:A-B', seq: 2, published: 11, price: 2 })
    expect(plant.publish('trade:C-D', trade(3), 12)).toMatchObject({ topic: 'trade:C-D', seq: 1 })
  })

  test('a new listener gets the last value and then every live event, with nothing between', () => {
    const plant = createPlant({ epoch: 'e' })
    plant.publish('t', trade(1), 0)
    plant.publish('t', trade(2), 0)
    const seen: Published[] = []
    const joined = plant.subscribe('t', (event) => seen.push(event))
    plant.publish('t', trade(3), 0)
    expect(prices([...joined.missed, ...seen])).toEqual([2, 3])
    expect(joined).toMatchObject({ recovered: false, position: { epoch: 'e', seq: 2 } })
  })

  test('a listener that leaves hears nothing more, and is counted no more', () => {
    const plant = createPlant({ epoch: 'e' })
    const seen: Published[] = []
    const joined = plant.subscribe('t', (event) => seen.push(event))
    expect(plant.listeners('t')).toBe(1)
    joined.stop()
    plant.publish('t', trade(1), 0)
    expect(seen).toEqual([])
    expect(plant.listeners('t')).toBe(0)
  })

  test('wherever a reader left, it gets exactly what it missed, or is told that it was not recovered', () => {
    assert(
      property(
        integer({ min: 1, max: 8 }),
        integer({ min: 0, max: 30 }),
        integer({ min: 0, max: 40 }),
        boolean(),
        (keep, count, seq, sameEpoch) => {
          const plant = createPlant({ epoch: 'now', keep: () => keep })
          for (let i = 1; i <= count; i++) plant.publish('t', trade(i), 0)
          const { missed, recovered } = plant.subscribe('t', () => {}, { epoch: sameEpoch ? 'now' : 'before', seq })
          const kept = Math.max(0, count - keep)
          expect(recovered).toBe(sameEpoch && seq <= count && seq >= kept)
          const from = recovered ? seq : Math.max(0, count - 1)
          expect(prices(missed)).toEqual(Array.from({ length: count - from }, (_, i) => from + i + 1))
        }
      )
    )
  })

  test('recent gives the newest events, oldest first, also when the ring has wrapped', () => {
    const plant = createPlant({ epoch: 'e', keep: () => 3 })
    for (let i = 1; i <= 5; i++) plant.publish('t', trade(i), 0)
    expect(prices(plant.recent('t', 2))).toEqual([4, 5])
    expect(prices(plant.recent('t', 9))).toEqual([3, 4, 5])
    expect(plant.recent('none', 2)).toEqual([])
    expect(plant.last('none')).toBeUndefined()
  })

  test('the digest of a position is the fold of the events up to it, as far back as they are kept', () => {
    assert(
      property(integer({ min: 1, max: 8 }), integer({ min: 0, max: 30 }), integer({ min: 0, max: 35 }), (keep, count, seq) => {
        const plant = createPlant({ epoch: 'now', keep: () => keep })
        const folded = [digestOf('now', 't')]
        for (let i = 1; i <= count; i++) {
          const event = plant.publish('t', trade(i), 1_764_000_000_000.25 + i)
          folded.push(digestAfter(folded.at(-1)!, event))
        }
        expect(plant.position('t')).toEqual({ epoch: 'now', seq: count, digest: folded[count] })
        expect(plant.digestAt('t', seq)).toBe(seq > count || seq < count - keep ? undefined : folded[seq])
      })
    )
  })

  test('of state the newest is kept, of what counts all that a reader may come back for', () => {
    const quote = { ...trade(1), type: 'quote', bid: 1, bidSize: 1, ask: 2, askSize: 1 } as const
    const halt = { ...trade(1), type: 'halt', state: 'halted' } as const
    expect([quote, halt, trade(1)].map(keepFor(1_000))).toEqual([1, 100, 1_000])
  })
})
