/** Each time of the arbitrated stream is one provider's, or a hole; a past trade belongs there if the time is its provider's or is free. */
import type { Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, give, openReigns, piecesOf, reign, takes, type Reigns } from '../../src/arbiter/reigns.ts'

const past = (reigns: Reigns, provider: string, time: number, received = 1_000) =>
  takes(reigns, { type: 'trade', instrument: 'X', provider, time, received, price: 1, size: 1, backfill: true } as Trade, false)
const whose = (reigns: Reigns, from: number, to: number) =>
  piecesOf(reigns, from, to).map(({ provider = '-', from: a, to: b }) => `${provider} ${a} ${b}`)

/** a leads up to 10, loses, b leads from 20 to 30, and is lost. */
function lost(): Reigns {
  const reigns = openReigns()
  for (const time of [5, 10]) reign(reigns, 'a', time)
  cut(reigns, 10)
  for (const time of [20, 30]) reign(reigns, 'b', time)
  cut(reigns, 30)
  return reigns
}

describe('a past trade', () => {
  test('of whoever reigned then belongs, of another it does not, whoever leads now', () => {
    const reigns = lost()
    expect(past(reigns, 'a', 7)).toBe(true)
    expect(past(reigns, 'b', 7)).toBe(false)
    expect(past(reigns, 'b', 25)).toBe(true)
    expect(past(reigns, 'a', 25)).toBe(false)
  })

  test('in a hole belongs, and what one answer tells between its first and its last is filled by it alone', () => {
    const reigns = lost()
    for (const time of [14, 15, 17]) expect(past(reigns, 'c', time)).toBe(true)
    expect(past(reigns, 'a', 15)).toBe(false)
    expect(past(reigns, 'a', 12, 2_000)).toBe(true)
    expect(past(reigns, 'a', 18, 2_000)).toBe(true)
    expect(whose(reigns, 10, 20)).toEqual(['- 10 12', 'a 12 14', 'c 14 17', 'a 17 18', '- 18 20'])
    give(reigns, 'a', 0, 25)
    expect(whose(reigns, 0, 30)).toEqual(['a 0 14', 'c 14 17', 'a 17 20', 'b 20 30'])
    expect(past(reigns, 'b', 12)).toBe(false)
  })

  test('of two answers leaves free what lies between them', () => {
    const reigns = lost()
    past(reigns, 'c', 11, 1)
    past(reigns, 'c', 12, 1)
    past(reigns, 'c', 18, 2)
    past(reigns, 'c', 19, 2)
    expect(past(reigns, 'a', 15, 3)).toBe(true)
  })

  test('before all that is known belongs to who spoke first, and beyond the end of what is known to who leads', () => {
    const reigns = openReigns()
    reign(reigns, 'a', 10)
    expect([past(reigns, 'a', -5), past(reigns, 'b', -5), past(reigns, 'a', 50), past(reigns, 'b', 50)]).toEqual([
      true,
      false,
      true,
      false
    ])
  })
})

test('whatever happens, each time has one owner, a hole is taken once, and the list is bounded', () => {
  const provider = fc.constantFrom('a', 'b', 'c')
  const time = fc.integer({ min: 0, max: 400 })
  const acts = fc.array(
    fc.tuple(fc.constantFrom('reign', 'cut', 'past', 'give'), provider, time, fc.integer({ min: 0, max: 40 })),
    {
      maxLength: 400
    }
  )
  fc.assert(
    fc.property(acts, (all) => {
      const reigns = openReigns()
      all.forEach(([act, who, at, length], nth) => {
        const before = piecesOf(reigns, -1, 500)
        const ownerOf = (pieces: typeof before, t: number) => pieces.find(({ from, to }) => from <= t && t < to)?.provider
        if (act === 'reign') reign(reigns, who, at)
        else if (act === 'cut') cut(reigns, at)
        else if (act === 'give') give(reigns, who, at, at + length)
        else {
          const owner = reigns.list.length === 0 ? undefined : ownerOf(before, at)
          const belongs = past(reigns, who, at, nth)
          if (owner !== undefined) expect(belongs).toBe(owner === who)
        }
        const after = piecesOf(reigns, -1, 500)
        expect([after[0]?.from, after.at(-1)?.to]).toEqual([-1, 500])
        for (let i = 1; i < after.length; i++) expect(after[i]!.from).toBe(after[i - 1]!.to)
        // What somebody had stays his, but for what is lost.
        if (act === 'past' || act === 'give')
          for (const { from, provider: had } of before) if (had !== undefined) expect(ownerOf(after, from)).toBe(had)
        expect(reigns.list.length).toBeLessThanOrEqual(128)
      })
    }),
    { numRuns: 300 }
  )
})
