/** What all sources say together, against a brute-force oracle and bounds that are stated. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { consensusOf, TOLERANCE, weightedMedian, type Said } from '../../src/arbiter/consensus.ts'
import { basisOf, look, LOOK_EVERY, note, opinionAt, openView, openVoice, type View } from '../../src/arbiter/voice.ts'

const BPS = 1e-4
const said = (provider: string, price: number, more: Partial<Said> = {}): Said => ({
  provider, price, silent: more.age ?? 0, age: 0, oldest: 10_000, basis: 0, trust: 0.9, ...more
}) // prettier-ignore
const off = (price: number | undefined, truth: number) => Math.abs(Math.log((price ?? Number.NaN) / truth))

/** The value that makes the sum of weighted distances least, found by trying every one: what a weighted median is. */
function oracleMedian(points: readonly { value: number; weight: number }[]): [least: number, most: number] {
  const cost = (at: number) => points.reduce((sum, { value, weight }) => sum + weight * Math.abs(value - at), 0)
  const costs = points.map(({ value }) => cost(value))
  const least = Math.min(...costs)
  const best = points.filter((_, i) => costs[i]! <= least * (1 + 1e-9) + 1e-15).map(({ value }) => value)
  return [Math.min(...best), Math.max(...best)]
}

/** Three honest sources or more around a true price, none further than `noise` from it, of any weight. */
const honest = fc.record({
  truth: fc.double({ min: 0.001, max: 100_000, noNaN: true }),
  noise: fc.integer({ min: 0, max: 5 }).map((bps) => bps * BPS),
  sources: fc.array(
    fc.record({
      at: fc.double({ min: -1, max: 1, noNaN: true }),
      age: fc.integer({ min: 0, max: 9_999 }),
      trust: fc.double({ min: 0, max: 1, noNaN: true })
    }),
    { minLength: 2, maxLength: 7 }
  )
})
type Honest = typeof honest extends fc.Arbitrary<infer T> ? T : never
const tell = ({ truth, noise, sources }: Honest): Said[] =>
  sources.map(({ at, age, trust }, i) => said(`p${i}`, truth * Math.exp(at * noise), { age, trust }))

describe('the weighted median', () => {
  test('is what a search over all values finds, whatever the values, weights and order', () => {
    const point = fc.record({ value: fc.integer({ min: -50, max: 50 }), weight: fc.integer({ min: 1, max: 9 }) })
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 9 }), fc.nat(1e9), (points, seed) => {
        const found = weightedMedian(points)
        const [least, most] = oracleMedian(points)
        expect(found).toBeGreaterThanOrEqual(least - 1e-9)
        expect(found).toBeLessThanOrEqual(most + 1e-9)
        const order = points.toSorted(
          (a, b) => ((a.value * 31 + a.weight * 7 + seed) % 11) - ((b.value * 31 + b.weight * 7 + seed) % 11)
        )
        expect(weightedMedian(order)).toBe(found)
      }),
      { numRuns: 3_000, seed: 21 }
    )
  })
})

describe('the consensus', () => {
  test('is no further from the truth than the worst honest source, and refuses none of them', () => {
    fc.assert(
      fc.property(honest, (world) => {
        const opinion = consensusOf(tell(world))
        expect(off(opinion?.price, world.truth)).toBeLessThanOrEqual(world.noise + 1e-12)
        expect(opinion?.used).toBe(world.sources.length)
      }),
      { numRuns: 2_000, seed: 22 }
    )
  })

  test('a fat finger, however far and of whoever, moves it by no more than the noise of two honest sources', () => {
    fc.assert(
      fc.property(honest, fc.double({ min: 0.02, max: 5, noNaN: true }), fc.boolean(), fc.nat(9), (world, far, up, age) => {
        const liar = said('liar', world.truth * Math.exp(up ? far : -far), { age, trust: 1 })
        const opinion = consensusOf([...tell(world), liar])
        expect(off(opinion?.price, world.truth)).toBeLessThanOrEqual(world.noise + 1e-12)
        const verdict = opinion?.verdicts.find(({ provider }) => provider === 'liar')
        expect(verdict).toMatchObject({ used: false, weight: 0 })
        expect(verdict?.reason).toMatch(/^refused: \d+ bps (above|below) the others, who agree within \d/)
      }),
      { numRuns: 2_000, seed: 23 }
    )
  })

  test('a price within the tolerance but wrong moves it by no more than the tolerance', () => {
    fc.assert(
      fc.property(honest, fc.double({ min: -1, max: 1, noNaN: true }), (world, at) => {
        const wrong = said('wrong', world.truth * Math.exp(at * TOLERANCE.most * BPS))
        const opinion = consensusOf([...tell(world), wrong])
        expect(off(opinion?.price, world.truth)).toBeLessThanOrEqual(world.noise + 1e-12)
      }),
      { numRuns: 2_000, seed: 24 }
    )
  })

  test('two who differ are both used and it says so: nobody can tell who is right, and the error is at most their distance', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.021, max: 1, noNaN: true }), fc.nat(9_999), fc.nat(9_999), (distance, a, b) => {
        const opinion = consensusOf([said('a', 100, { age: a }), said('b', 100 * Math.exp(distance), { age: b })])
        expect(opinion).toMatchObject({ disputed: true, used: 2 })
        expect(off(opinion?.price, 100)).toBeLessThanOrEqual(distance)
        expect(opinion?.verdicts[0]?.reason).toMatch(/^used, though the sources differ by \d+ bps and no majority agrees/)
      }),
      { numRuns: 1_000, seed: 25 }
    )
  })

  test('a lone source is used with its own error, and the reason says that nobody else speaks', () => {
    const opinion = consensusOf([said('a', 100), said('b', 90, { age: 20_000 })])
    expect(opinion).toMatchObject({ used: 1, sources: 2 })
    expect(opinion?.price).toBeCloseTo(100, 9)
    expect(opinion?.verdicts).toEqual([
      { provider: 'a', used: true, weight: 1, reason: 'used: nobody else speaks' },
      { provider: 'b', used: false, weight: 0, reason: 'refused: its last price is 20.0 s old', cause: 'old' }
    ])
  })

  test('when all are stale there is none: no number is better than an old one', () => {
    expect(
      consensusOf([said('a', 100, { age: 10_001 }), said('b', 100, { out: { cause: 'down', why: 'its connection is down' } })])
    ).toBeUndefined()
    expect(consensusOf([])).toBeUndefined()
  })

  test('the weights of those in use sum to 1, and the younger weighs more', () => {
    const opinion = consensusOf([said('old', 100, { age: 9_000 }), said('young', 100), said('mid', 100, { age: 5_000 })])
    const weights = opinion!.verdicts.map(({ weight }) => weight)
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9)
    expect(weights[1]).toBeGreaterThan(weights[2]!)
    expect(weights[2]).toBeGreaterThan(weights[0]!)
  })
})

/** Time passes while sources speak every 100 ms; what each says is a function of the time. */
type Speech = (at: number) => number | undefined
function live(speeches: Record<string, Speech>, from: number, to: number, view: View = openView()): View {
  for (let at = from; at < to; at += 100) {
    for (const [provider, speech] of Object.entries(speeches)) {
      const price = speech(at)
      let voice = view.voices.get(provider)
      if (!voice) view.voices.set(provider, (voice = openVoice(provider)))
      if (price !== undefined) note(voice, price, at)
    }
    if (at % LOOK_EVERY === 0) look(view, at)
  }
  return view
}
const walk: Speech = (at) => 100 * Math.exp(0.0004 * Math.sin(at / 3_000))
const verdict = (view: View, provider: string, at: number) =>
  opinionAt(view, at)?.verdicts.find((each) => each.provider === provider)

describe('over time', () => {
  test('a lasting bias is learnt as basis and allowed for: when the others leave, the price moves by no more than 2 bps', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -90, max: 90 }).filter((bps) => Math.abs(bps) > 2),
        (bps) => {
          const biased: Speech = (at) => walk(at)! * Math.exp(bps * BPS)
          const view = live({ a: walk, b: walk, c: biased }, 0, 60_000)
          expect(basisOf(view.voices.get('c')!) / BPS).toBeCloseTo(bps, 0)
          expect(verdict(view, 'c', 60_000)).toMatchObject({ used: true })
          expect(verdict(view, 'c', 60_000)?.reason).toContain(`${bps > 0 ? 'above' : 'below'} allowed for`)
          for (const gone of ['a', 'b']) view.voices.get(gone)!.downAt = 60_000
          live({ c: biased }, 60_000, 65_000, view)
          expect(off(opinionAt(view, 65_000)?.price, walk(64_900)!)).toBeLessThan(2 * BPS)
        }
      ),
      { numRuns: 20, seed: 26 }
    )
  })

  test('two that lastingly differ by 5 % are two bases around one middle, and no dispute is left', () => {
    const view = live({ a: walk, b: (at) => walk(at)! * 1.05 }, 0, 120_000)
    expect(opinionAt(view, 120_000)).toMatchObject({ disputed: false, used: 2 })
    expect([...view.voices.values()].map((voice) => Math.round(basisOf(voice) / BPS))).toEqual([-244, 244])
  })

  test('a frozen source, saying the same price while the market drifts, is refused before it costs more than 20 bps', () => {
    const drift: Speech = (at) => 100 * Math.exp(at < 60_000 ? 0 : ((at - 60_000) / 1_000) * 2 * BPS)
    const frozen: Speech = (at) => (at < 60_000 ? drift(at) : 100)
    for (const others of [{ a: drift, b: drift }, { a: drift }]) {
      const view = live({ ...others, z: frozen }, 0, 60_000)
      let worst = 0
      for (let at = 60_000; at < 120_000; at += 500) {
        live({ ...others, z: frozen }, at, at + 500, view)
        worst = Math.max(worst, off(opinionAt(view, at + 500)?.price, drift(at + 400)!))
      }
      expect(worst).toBeLessThanOrEqual(21 * BPS)
      expect(off(opinionAt(view, 120_000)?.price, drift(119_900)!)).toBeLessThan(BPS)
      expect(verdict(view, 'z', 120_000)?.reason).toMatch(
        /^refused: frozen: its price stands since \d+\.\d s while the others moved by \d+ bps$/
      )
      expect(view.voices.get('z')!.refusedSince).toBeDefined()
    }
  })

  test('one that says the truth less often is trusted less', () => {
    const noisy: Speech = (at) => walk(at)! * (at % 1_000 === 0 ? 1.004 : 1)
    const view = live({ a: walk, b: walk, c: (at) => (at % 500 === 400 ? noisy(at - 400) : walk(at)) }, 0, 120_000)
    const trust = (name: string) => (view.voices.get(name)!.held + 9) / (view.voices.get(name)!.looked + 10)
    expect(trust('a')).toBeGreaterThan(0.97)
    expect(trust('c')).toBeLessThan(0.75)
  })

  test('what comes at one instant may come in any order', () => {
    const step = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 90, max: 110 })), {
      minLength: 1,
      maxLength: 4
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 30 }), (steps) => {
        const views = [false, true].map((reversed) => {
          const view = openView()
          for (const name of ['a', 'b', 'c', 'd']) view.voices.set(name, openVoice(name))
          const told: unknown[] = []
          steps.forEach((words, i) => {
            const once = [...new Map(words)]
            for (const [name, price] of reversed ? once.toReversed() : once) {
              note(view.voices.get(name)!, price, i * 250 + 1)
              told.push([`${name}${i}`, opinionAt(view, i * 250 + 1)?.price])
            }
            look(view, i * 250 + 2)
          })
          return told.map((word) => JSON.stringify(word)).sort()
        })
        expect(views[1]).toEqual(views[0])
      }),
      { numRuns: 500, seed: 27 }
    )
  })
})
