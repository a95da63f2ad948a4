/** Copies of what services know: nothing that changes is shared, and what was one stays one. */
import { describe, expect, test } from 'vitest'
import { fork, openFork } from '../../src/replay/fork.ts'

const published = { type: 'trade', topic: 'trade:A', seq: 1, published: 5, price: 1 }
const same = { begin: 1 }
const state = () => ({
  series: new Map([['A', { lanes: [{ bars: [{ sum: [1, 2] }], same }, { same }], slots: Float64Array.of(1, 2) }]]),
  names: new Set(['a']),
  last: published,
  tape: [published],
  nothing: undefined,
  at: () => 1
})

describe('a copy of a state', () => {
  test('is equal, and stays so when the original goes on', () => {
    const [original, untouched] = [state(), state()]
    const copy = fork(original)
    expect({ ...copy, at: 0 }).toEqual({ ...untouched, at: 0 })
    const series = original.series.get('A')!
    series.lanes[0]!.bars![0]!.sum.push(3)
    series.slots[0] = 9
    original.names.add('b')
    original.tape.push(published)
    original.series.delete('A')
    expect({ ...copy, at: 0 }).toEqual({ ...untouched, at: 0 })
  })

  test('shares what was published and what is a function, for they do not change', () => {
    const original = state()
    const copy = fork(original)
    expect(copy.last).toBe(published)
    expect(copy.tape[0]).toBe(published)
    expect(copy.at).toBe(original.at)
  })

  test('has one object where there was one', () => {
    const [first, second] = fork(state()).series.get('A')!.lanes
    expect(first!.same).toBe(second!.same)
    expect(first!.same).not.toBe(same)
    const round: { self?: object } = {}
    round.self = round
    const copy = fork(round)
    expect(copy.self).toBe(copy)
  })

  test('is made a piece at a time', () => {
    const { go, copy, size } = openFork({ rows: Array.from({ length: 100 }, (_, i) => ({ cells: [{ i }] })) })
    let turns = 1
    // The list of them comes first, as a whole.
    while (!go(50)) turns++
    expect(turns).toBeGreaterThan(8)
    expect(size()).toBeGreaterThan(1_600)
    expect(copy.rows).toEqual(Array.from({ length: 100 }, (_, i) => ({ cells: [{ i }] })))
  })

  test('of what nobody knows how to copy there is none', () => {
    expect(() => fork({ at: new Date(0) })).toThrow('a Date cannot be copied')
    expect(() => fork({ keys: new Map([[{ a: 1 }, 1]]) })).toThrow(/key of/)
  })
})
