/** The proof of docs/decisions/0016-books.md: `BOOK_RUNS=1000 vitest run packages/server/test/connection/book-proof` is the whole of it. */
import { describe, expect, test } from 'vitest'
import { providers } from '../../src/providers/index.ts'
import { run, type Faults } from './book-faults.ts'
import { VENUES } from './book-venues.ts'

const RUNS = Number(process.env.BOOK_RUNS ?? 60)
const FAULTS: Faults = { share: 0.05, rest: true, cuts: true, altered: false }
const cases = Object.entries(VENUES)

const all = (name: keyof typeof VENUES, faults: Faults, runs = RUNS) =>
  Array.from({ length: runs }, (_, i) => ({ seed: i + 1, ...run(VENUES[name], i + 1, faults) }))
const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
/** Fractions of a sorted list. */
const at = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

describe.each(cases.map(([name]) => name as keyof typeof VENUES))('a book kept by %s', (name) => {
  test('is never said to be valid where it is not, whatever the wire and REST do [U7]', { timeout: 600_000 }, () => {
    const runs = all(name, FAULTS)
    const wrong = runs.flatMap(({ seed, wrong: found }) => found.slice(0, 1).map((what) => `seed ${seed}: ${what}`))
    expect(wrong).toEqual([])
    // Something was claimed, and something broke: else this proves nothing.
    expect(sum(runs.map(({ valid }) => valid))).toBeGreaterThan(RUNS)
    const healed = runs.flatMap((each) => each.healed).toSorted((a, b) => a - b)
    expect(healed.length).toBeGreaterThan(RUNS / 4)
    // At the end of a quiet time nobody is told that a book is valid which is not.
    expect(runs.filter(({ right, state }) => !right && state === 'valid').map(({ seed }) => seed)).toEqual([])
    if (process.env.BOOK_RUNS !== undefined)
      console.log(
        `| ${name} | ${RUNS} | ${sum(runs.map(({ events }) => events))} | ${sum(runs.map(({ valid }) => valid))} | 0 | ` +
          `${healed.length} | ${at(healed, 0.5)} ms | ${at(healed, 0.99)} ms | ${sum(runs.map(({ audits }) => audits))} |`
      )
  })

  test('is never called damaged by the auditor where nothing is wrong, and is right at the end', () => {
    const runs = all(name, { share: 0, rest: false, cuts: false, altered: false }, 10)
    expect(runs.map(({ audits, healed, wrong, right }) => ({ audits, healed, wrong, right }))).toEqual(
      runs.map(() => ({ audits: 0, healed: [], wrong: [], right: true }))
    )
  })

  test('is whole again within a second where only its changes suffer and the provider answers at once [U7]', () => {
    const healed = all(name, { share: 0.02, rest: false, cuts: false, altered: false }, 20).flatMap((each) => each.healed)
    const sorted = healed.toSorted((a, b) => a - b)
    expect(at(sorted, 0.5)).toBeLessThanOrEqual(1_000)
  })
})

describe('what proves a book', () => {
  test('a checksum sees another size that looks right, where numbers see nothing', () => {
    const altered = { share: 0.05, rest: false, cuts: false, altered: true }
    expect(all('a checksum of ten levels', altered, 20).flatMap(({ wrong }) => wrong)).toEqual([])
    expect(sum(all('U/u on a snapshot', altered, 20).map(({ audits }) => audits))).toBeGreaterThan(0)
  })

  test('pictures pieced together of changes without numbers are never valid of themselves', () => {
    const pieced = Object.values(providers).filter(({ books }) => books === 'pieced')
    expect(pieced.map(({ provider }) => provider).toSorted()).toEqual(['ccxt', 'fyers', 'interactive-brokers'])
    for (const adapter of pieced) expect(adapter.kinds).toContain('book')
  })
})
