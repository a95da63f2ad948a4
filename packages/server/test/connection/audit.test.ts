import type { Level } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import { difference, verdictOf, type Audit } from '../../src/connection/audit.ts'
import { applyDelta, openBook } from '../../src/connection/books.ts'
import { SETTINGS, type Effect, type Input, type State } from '../../src/connection/connection.ts'
import { start, step } from '../../src/connection/machine.ts'
import type { Adapter, BookDelta, Meaning } from '../../src/providers/adapter.ts'
import { venueAdapter, type VenueSession } from '../feed/venue.ts'

const delta = (bids: Level[], asks: Level[], more: Partial<BookDelta> = {}): BookDelta => ({
  type: 'delta',
  symbol: 'A',
  time: 1,
  snapshot: false,
  bids,
  asks,
  ...more
})
const bookOf = (...deltas: BookDelta[]) => {
  const book = openBook()
  for (const each of deltas) applyDelta(book, each)
  return book
}
const whole = delta([[9, 1]], [[11, 1]], { snapshot: true, sequence: 5 })
const auditOf = (changes: BookDelta[], answer: BookDelta): Audit => ({
  symbol: 'A',
  base: bookOf(whole),
  changes,
  askAt: 0,
  asked: true,
  answer,
  until: 100
})

describe('the comparison of a book with a snapshot', () => {
  const changes = [delta([[9, 2]], [], { sequence: 6 }), delta([], [[11, 3]], { sequence: 8 })]
  const now = bookOf(whole, ...changes)

  test('is made at the number of the snapshot', () => {
    const then = delta([[9, 2]], [[11, 1]], { snapshot: true, sequence: 6 })
    expect(verdictOf(auditOf(changes, then), now, 0)).toEqual({ agrees: true, now: false })
    const other = delta([[9, 7]], [[11, 1]], { snapshot: true, sequence: 6 })
    expect(verdictOf(auditOf(changes, other), now, 0)).toEqual({ agrees: false, what: 'bids 9: we have 2, the snapshot 7' })
  })
  test('spares what the change around that number touches', () => {
    const between = delta([[9, 2]], [[11, 2]], { snapshot: true, sequence: 7 })
    expect(verdictOf(auditOf(changes, between), now, 0)).toEqual({ agrees: true, now: false })
  })
  test('is not made with a snapshot from before it began, and waits for our stream to reach a later one', () => {
    const early = delta([[9, 9]], [[11, 9]], { snapshot: true, sequence: 4 })
    expect(verdictOf(auditOf(changes, early), now, 0)).toBe('unknown')
    const late = delta([[9, 9]], [[11, 3]], { snapshot: true, sequence: 9 })
    expect(verdictOf(auditOf(changes, late), now, 99)).toBe('wait')
    expect(verdictOf(auditOf(changes, late), now, 100)).toMatchObject({ agrees: false })
  })
  test('without a number each level must be one that we had meanwhile', () => {
    const bare = [delta([[9, 2]], []), delta([[9, 3]], [])]
    const book = bookOf({ ...whole, sequence: undefined } as unknown as BookDelta, ...bare)
    const base = { ...auditOf(bare, whole), base: bookOf(delta([[9, 1]], [[11, 1]], { snapshot: true })) }
    const at = (size: number) => ({ ...base, answer: delta([[9, size]], [[11, 1]], { snapshot: true }) })
    expect(verdictOf(at(2), book, 0)).toEqual({ agrees: true, now: false })
    expect(verdictOf(at(3), book, 0)).toEqual({ agrees: true, now: true })
    expect(verdictOf(at(4), book, 0)).toBe('wait')
    expect(verdictOf(at(4), book, 100)).toMatchObject({ agrees: false })
  })
  test('reaches as deep as both do', () => {
    const rows = (n: number, size = 1) => Array.from({ length: n }, (_, i): Level => [100 - i, size])
    expect(difference({ bids: rows(5), asks: [] }, { bids: rows(7), asks: [] }, 5)).toBeUndefined()
    expect(difference({ bids: rows(4), asks: [] }, { bids: rows(5), asks: [] }, 5)).toContain('bids 96')
  })
})

/** A machine with one whole book, and a hand on its clock. */
function drive(change: Partial<Adapter<VenueSession>> = {}) {
  const adapter = venueAdapter('a', change)
  const state = start(adapter, [{ kind: 'book', symbol: 'A' }], 0, {}, { ...SETTINGS, auditEvery: 1_000 }) as State<VenueSession>
  let now = 0
  const feed = (input: Record<string, unknown>): Effect[] => step(adapter, state, { ...input, now } as Input, () => 0.5)
  const hear = (...meanings: Meaning[]) => feed({ type: 'frame', frame: JSON.stringify(meanings) })
  feed({ type: 'tick' })
  feed({ type: 'opened' })
  return { state, feed, hear, tick: (time: number) => ((now = time), feed({ type: 'tick' })) }
}
const books = (effects: readonly Effect[]) =>
  effects.flatMap((e) => (e.type === 'event' && e.event.type === 'book' ? [e.event] : []))
const states = (effects: readonly Effect[]) => books(effects).map(({ state }) => state)

describe('a book that is told', () => {
  const audit = (symbol: string) => ({ type: 'need', purpose: 'audit', symbol, path: '/book' }) as const

  test('is valid while its numbers go on, suspect once damaged, and valid again with its snapshot', () => {
    const m = drive({ books: 'numbered' })
    expect(states(m.hear(whole))).toEqual(['valid'])
    expect(states(m.hear({ type: 'gap', kind: 'book', symbol: 'A', cause: 'sequence' }))).toEqual(['suspect'])
    expect(states(m.hear({ ...whole, bids: [[8, 1]] }))).toEqual(['valid'])
    expect(m.state.shelf.records.get('A')).toMatchObject({ resyncs: 1, damage: { cause: 'sequence', healedAfter: 0 } })
  })
  test('is stale when its connection closes, and its record outlives that', () => {
    const m = drive({ books: 'numbered' })
    m.hear(whole)
    const [event] = books(m.feed({ type: 'closed', reason: 'reset' }))
    expect(event).toMatchObject({ state: 'stale', bids: [[9, 1]] })
    expect(m.state.shelf.records.get('A')).toMatchObject({ damage: { cause: 'disconnect' } })
  })
  test('without proof is suspect after its snapshot, and valid for the moment in which an audit agrees', () => {
    const m = drive({ audit })
    expect(states(m.hear(whole))).toEqual(['valid'])
    expect(states(m.hear(delta([[9, 2]], [])))).toEqual(['suspect'])
    m.hear(delta([[9, 3]], []))
    m.tick(1_000)
    expect(m.tick(3_000).some((e) => e.type === 'need')).toBe(true)
    const body = JSON.stringify([delta([[9, 3]], [[11, 1]], { snapshot: true })])
    expect(books(m.feed({ type: 'answer', need: audit('A'), body }))).toMatchObject([{ state: 'valid', checked: 3_000 }])
    expect(states(m.hear(delta([[9, 4]], [])))).toEqual(['suspect'])
  })
  test('of which an audit finds a level wrong is asked for anew, that book alone', () => {
    const m = drive({ books: 'numbered', audit })
    m.hear(whole)
    m.tick(1_000)
    m.tick(3_000)
    const body = JSON.stringify([delta([[9, 7]], [[11, 1]], { snapshot: true, sequence: 5 })])
    const effects = m.feed({ type: 'answer', need: audit('A'), body })
    expect(effects.map((e) => e.type)).toEqual(['gap', 'event', 'send', 'send'])
    expect(states(effects)).toEqual(['suspect'])
    expect(m.state.shelf.records.get('A')?.damage?.cause).toBe('audit: bids 9: we have 1, the snapshot 7')
  })
  test('is thrown away and asked for anew where a person distrusts it', () => {
    const m = drive({ books: 'numbered' })
    m.hear(whole)
    const effects = m.feed({ type: 'resync', symbol: 'A' })
    expect(effects.map((e) => e.type)).toEqual(['gap', 'event', 'send', 'send'])
    expect(m.feed({ type: 'resync', symbol: 'B' })).toEqual([])
  })
  test('a silent connection makes it stale, and the same one speaking again makes it what it was', () => {
    const m = drive({ books: 'numbered', staleAfter: 3_600_000 })
    for (let t = 100; t <= 10_000; t += 100) {
      m.tick(t)
      m.hear({ ...whole, sequence: t })
    }
    const silent = Array.from({ length: 600 }, (_, i) => m.tick(10_000 + i * 500)).flat()
    expect(states(silent)).toEqual(['stale'])
    m.hear({ type: 'trade', symbol: 'A', price: 1, size: 1, side: 'buy', time: 1 })
    expect(m.state.shelf.shown.get('A')?.state).toBe('valid')
  })
})
