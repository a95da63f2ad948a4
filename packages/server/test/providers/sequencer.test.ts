import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BookDelta, Meaning, Need } from '../../src/providers/adapter.ts'
import { advance, begin, type Sequences, type Update } from '../../src/providers/sequencer.ts'

const need = (symbol: string): Need => ({ type: 'need', purpose: 'book', symbol, path: '/book' })
const update = (first: number, final: number): Update => ({
  first,
  final,
  delta: { type: 'delta', symbol: 'A', time: 1, snapshot: false, bids: [[final, 1]], asks: [], sequence: final }
})
const snapshot = (last: number): BookDelta => ({
  type: 'delta',
  symbol: 'A',
  time: 1,
  snapshot: true,
  bids: [],
  asks: [],
  sequence: last
})
const numbers = (meanings: readonly Meaning[]) => meanings.map((m) => (m.type === 'delta' ? m.sequence : m.type))

function after(last: number, ...updates: Update[]) {
  const books: Sequences = new Map()
  const before = updates.flatMap((one) => advance(books, one, 0, need))
  return { books, before, begun: begin(books, snapshot(last), 0, need) }
}

describe('the published rules of a book on a REST snapshot', () => {
  test('the first update asks for the snapshot, and all are kept back until it has come', () => {
    const { before, begun } = after(6, update(5, 6), update(7, 9), update(10, 10))
    expect(numbers(before)).toEqual(['need'])
    expect(numbers(begun)).toEqual([6, 9, 10])
  })
  test('updates that the snapshot holds are dropped; the first applied may reach back into it', () => {
    expect(numbers(after(8, update(5, 6), update(7, 9)).begun)).toEqual([8, 9])
    expect(numbers(after(20, update(5, 6), update(7, 9)).begun)).toEqual([20])
  })
  test('a snapshot older than what was kept back is fetched again', () => {
    const { books, begun } = after(3, update(5, 6))
    expect(numbers(begun)).toEqual(['need'])
    expect(numbers(begin(books, snapshot(5), 0, need))).toEqual([5, 6])
  })
  test('the first live update may reach back too, later ones must follow exactly', () => {
    const { books } = after(10, update(5, 6))
    expect(numbers(advance(books, update(9, 12), 0, need))).toEqual([12])
    expect(numbers(advance(books, update(12, 14), 0, need))).toEqual(['gap', 'need'])
  })
  test('a hole is a gap with what was expected and met; a repeated update is dropped', () => {
    const { books } = after(10, update(10, 10))
    expect(numbers(advance(books, update(11, 11), 0, need))).toEqual([11])
    expect(advance(books, update(11, 11), 0, need)).toEqual([])
    expect(advance(books, update(13, 13), 0, need)).toMatchObject([
      { type: 'gap', kind: 'book', symbol: 'A', expected: 12, got: 13, cause: 'sequence' },
      { type: 'need', symbol: 'A' }
    ])
    expect(numbers(begin(books, snapshot(13), 0, need))).toEqual([13])
  })
  test('a lower number at a later time is a numbering begun anew, which only a new snapshot can follow', () => {
    const { books } = after(10, update(10, 10))
    advance(books, update(11, 11), 0, need)
    const anew = { ...update(1, 2), delta: { ...update(1, 2).delta, time: 2 } }
    expect(numbers(advance(books, anew, 0, need))).toEqual(['gap', 'need'])
    expect(numbers(begin(books, snapshot(1), 0, need))).toEqual([1, 2])
  })
  test('a snapshot that does not come is asked for again, and what is kept back is bounded', () => {
    const books: Sequences = new Map()
    const asked = Array.from({ length: 5_000 }, (_, i) => advance(books, update(i, i), i * 100, need)).flat()
    expect(asked.length).toBe(1 + Math.floor(500_000 / 15_000))
    expect(books.get('A')!.kept.length).toBeLessThanOrEqual(1_000)
  })
  test('an answer that nobody waits for changes nothing', () => {
    const { books } = after(10, update(10, 10))
    expect(begin(books, snapshot(50), 0, need)).toEqual([])
    expect(begin(new Map(), snapshot(50), 0, need)).toEqual([])
  })
})

test('whatever is lost, repeated or late, what is emitted between snapshots has neither hole nor repetition', () => {
  const step = fc.record({
    skip: fc.integer({ min: 0, max: 2 }),
    size: fc.integer({ min: 1, max: 3 }),
    repeat: fc.boolean(),
    answer: fc.boolean(),
    lag: fc.integer({ min: 0, max: 6 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const books: Sequences = new Map()
      const starts = new Map<number, number>()
      let id = 100
      const out: Meaning[] = []
      for (const { skip, size, repeat, answer, lag } of steps) {
        const one = update(id + 1 + skip, id + skip + size)
        starts.set(one.final, one.first)
        id = one.final
        for (let i = 0; i <= Number(repeat); i++) out.push(...advance(books, one, 0, need))
        if (answer) out.push(...begin(books, snapshot(Math.max(1, id - lag)), 0, need))
      }
      let last = -1
      for (const m of out) {
        if (m.type === 'gap') last = -1
        if (m.type !== 'delta') continue
        const first = m.snapshot ? m.sequence! : starts.get(m.sequence!)!
        if (!m.snapshot) {
          expect(last).toBeGreaterThan(0)
          expect(first).toBeLessThanOrEqual(last + 1)
          expect(m.sequence).toBeGreaterThan(last)
        }
        last = m.sequence!
      }
    }),
    { numRuns: 300 }
  )
})
