import { assert, boolean, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Published, Trade } from '@tickwire/protocol'
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
})
