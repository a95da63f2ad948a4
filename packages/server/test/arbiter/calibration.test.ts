import type { Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, type ArbiterState } from '../../src/arbiter/arbiter.ts'
import { sceneOf } from '../../src/arbiter/state.ts'
import { openClass, score } from '../../src/arbiter/calibration.ts'
import { count, fit, KNOTS, openCounts, valueOf } from '../../src/arbiter/curve.ts'
import { calibrationsOf, openForecasts, reliabilityOf } from '../../src/arbiter/forecasts.ts'
import { scoresOf } from '../../src/arbiter/lane.ts'
import { eceOf, mean, openMarket, play, randomOf, START, type Said, type Speaker } from './market.ts'

const MINUTE = 60_000
const SEEDS = [1, 2, 3]
const SHARED = ['X', 'Y', 'Z']

/** Each carries the three shared instruments, and one that nobody else has. */
const speaker = (provider: string, more: Partial<Speaker>): Speaker => ({
  provider,
  errors: 0,
  only: [...SHARED, `only-${provider}`],
  ...more
})
const SPEAKERS = [
  speaker('a', { errors: 0.001 }),
  speaker('b', { errors: 0.01 }),
  speaker('c', { errors: 0.05 }),
  speaker('d', { errors: 0.2 }),
  speaker('biased', { bias: 40 }),
  speaker('laggy', { lag: 5_000 })
]
const RANKING = ['a', 'b', 'c', 'd', 'biased']
const INSTRUMENTS = [...SHARED, ...SPEAKERS.map(({ provider }) => `only-${provider}`)]
const isShared = ({ instrument }: Said) => SHARED.includes(instrument)
const sureOf = (said: readonly Said[]) => mean(said.map(({ sure }) => sure))
const shareOf = (said: readonly Said[]) => mean(said.map(({ hit }) => Number(hit)))
const of = (said: readonly Said[], provider: string) => said.filter((each) => each.provider === provider)

describe.each(SEEDS)('confidence held against the truth, seed %i', (seed) => {
  const { said, state } = play({ seed, until: 16 * MINUTE, speakers: SPEAKERS, instruments: INSTRUMENTS })
  const later = said.filter(({ at }) => at > 6 * MINUTE)

  test('its expected calibration error is under 0.03, of each provider, compared with others and alone', () => {
    expect(eceOf(later)).toBeLessThan(0.015)
    for (const { provider } of SPEAKERS) {
      const own = of(later, provider)
      expect(eceOf(own.filter(isShared)), provider).toBeLessThan(0.03)
      // How a late price fares where nobody else is, its record elsewhere does not tell exactly.
      if (provider !== 'laggy') expect(eceOf(own.filter((each) => !isShared(each))), `${provider} alone`).toBeLessThan(0.03)
    }
  })

  test('providers rank by it, by reliability, and by the truth the same, also where nobody can compare them', () => {
    for (const among of [later.filter(isShared), later.filter((each) => !isShared(each))]) {
      const sure = RANKING.map((provider) => sureOf(of(among, provider)))
      expect([...sure].sort((x, y) => y - x)).toEqual(sure)
    }
    const held = RANKING.map((provider) => reliabilityOf(state.forecasts, provider))
    expect([...held].sort((x, y) => y - x)).toEqual(held)
    expect(held[0]).toBeGreaterThan(0.95)
    expect(held.at(-1)).toBeLessThan(0.1)
  })

  test('a wrong print among right ones stands out', () => {
    const own = of(later, 'd').filter(isShared)
    expect(sureOf(own.filter(({ hit }) => !hit))).toBeLessThan(0.1)
    expect(sureOf(own.filter(({ hit }) => hit))).toBeGreaterThan(0.95)
  })

  test('what is published of it says the same as the truth does', () => {
    for (const { provider, count: n, mean: said, hits, ece, brier, bins } of calibrationsOf(state.forecasts)) {
      const among = of(later, provider).filter(isShared)
      expect(n).toBeGreaterThan(500)
      expect(Math.abs(hits - shareOf(among)), provider).toBeLessThan(0.03)
      expect(Math.abs(said - hits), provider).toBeLessThan(0.03)
      expect(ece, provider).toBeLessThan(0.04)
      expect(brier).toBeLessThan(0.1)
      expect(bins).toHaveLength(10)
      expect(Math.abs(bins.reduce((sum, bin) => sum + bin.count, 0) - n)).toBeLessThanOrEqual(10)
    }
  })

  test('while little is known it promises less than it keeps', () => {
    for (const { provider } of SPEAKERS) {
      const first = of(said, provider).filter(isShared).slice(0, 100)
      expect(sureOf(first), provider).toBeLessThan(shareOf(first) + 0.06)
    }
    const first = said.slice(0, 200)
    expect(sureOf(first)).toBeLessThan(shareOf(first))
    expect(said[0]!.sure).toBeLessThanOrEqual(0.5)
  })
})

const others = ['b', 'c', 'd'].map((provider) => speaker(provider, { errors: 0.01, only: ['X', 'Y'] }))
const since = 10 * MINUTE
/** How many updates of a provider pass, after it changes, until its confidence where nobody else is has passed a limit. */
function updatesUntil(seed: number, before: number, after: number, hasPassed: (sure: number) => boolean): number {
  const turned = speaker('a', { errors: (at) => (at < since ? before : after), only: ['X', 'Y', 'L'] })
  const { said } = play({ seed, until: since + 4 * MINUTE, speakers: [turned, ...others], instruments: ['X', 'Y', 'L'] })
  const own = of(said, 'a')
  const passed = own.findIndex(({ at, instrument, sure }) => at >= since && instrument === 'L' && hasPassed(sure))
  return passed < 0 ? Infinity : passed - own.findIndex(({ at }) => at >= since)
}

describe('a provider that is no longer what it was', () => {
  test.each([
    [0.001, 1, 60],
    [0.001, 0.2, 200],
    [0.01, 0.5, 100]
  ])('from %f to %f of its prices wrong, it is noticed within %i updates', (before, after, limit) => {
    for (const seed of [11, 12, 13, 14]) expect(updatesUntil(seed, before, after, (sure) => sure < 0.9)).toBeLessThan(limit)
  })

  test('one that mends its ways is believed again within 300 updates', () => {
    for (const seed of [11, 12, 13]) expect(updatesUntil(seed, 0.3, 0.001, (sure) => sure > 0.9)).toBeLessThan(300)
  })

  test('one that stays as it is, is not suspected', () => {
    for (const seed of [11, 12]) expect(updatesUntil(seed, 0.001, 0.001, (sure) => sure < 0.97)).toBe(Infinity)
  })
})

test('a market that begins to move ten times as much is not blamed on the providers', () => {
  const speakers = ['a', 'b', 'c'].map((provider) => speaker(provider, { only: ['X'] }))
  const { said } = play({ seed: 5, until: 10 * MINUTE, speakers, instruments: ['X'], bps: 15 })
  const later = said.filter(({ at }) => at > 5 * MINUTE)
  expect(sureOf(later)).toBeGreaterThan(0.9)
  expect(eceOf(later)).toBeLessThan(0.03)
})

test('a provider that nobody could check is expected to be like the others, by the rule of succession', () => {
  const checked = ['a', 'b', 'c'].map((provider) => speaker(provider, { only: ['X'] }))
  const stranger = speaker('stranger', { only: ['L'], from: 8 * MINUTE })
  const { said } = play({ seed: 6, until: 9 * MINUTE, speakers: [...checked, stranger], instruments: ['X', 'L'] })
  const own = of(said, 'stranger').map(({ sure }) => sure)
  expect(Math.max(...own)).toBeLessThanOrEqual(0.8)
  expect(Math.min(...own)).toBeGreaterThan(0.7)
})

type Step = { gap: number; prices: readonly number[]; order: readonly number[] }
const NAMES = ['a', 'b', 'c', 'd']

/** Rounds in which all speak at one instant, in the order given, of two instruments. */
function rounds(steps: readonly Step[], isFixed: boolean): { state: ArbiterState; sure: Map<string, number[]> } {
  const state = openMarket(NAMES, ['X', 'Y'])
  const sure = new Map<string, number[]>()
  let [at, ticked] = [0, 0]
  for (const { gap, prices, order } of steps) {
    at += gap
    for (; ticked < at; ticked += 100) admit(state, { type: 'tick', now: START + ticked })
    for (const k of isFixed ? [...order].sort((x, y) => x - y) : order) {
      const [provider, instrument] = [NAMES[k % 4]!, k < 4 ? 'X' : 'Y']
      const stamp = { provider, instrument, time: START + at, received: START + at }
      const event: Trade = { type: 'trade', ...stamp, price: prices[k]!, size: 1, side: 'buy' }
      admit(state, { type: 'event', event })
      const key = `${provider}:${instrument}`
      sure.set(key, [...(sure.get(key) ?? []), event.confidence!])
    }
  }
  return { state, sure }
}

test('what arrives at one time is learnt from the same way in whatever order it comes', () => {
  const step = fc.record({
    gap: fc.integer({ min: 1, max: 900 }),
    prices: fc.array(fc.oneof(fc.constant(100), fc.integer({ min: 97, max: 103 })), { minLength: 8, maxLength: 8 }),
    order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 })
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const [fixed, free] = [rounds(steps, true), rounds(steps, false)]
      expect(Object.fromEntries(free.sure)).toEqual(Object.fromEntries(fixed.sure))
      expect(calibrationsOf(free.state.forecasts)).toEqual(calibrationsOf(fixed.state.forecasts))
      for (const name of NAMES) expect(reliabilityOf(free.state.forecasts, name)).toBe(reliabilityOf(fixed.state.forecasts, name))
    })
  )
})

test('of a recorded day, whose times are of another day, it is as sure and as well calibrated as of today', () => {
  const speakers = SPEAKERS.slice(0, 4)
  const settings = { times: 'recorded' } as const
  const { said } = play({
    seed: 7,
    until: 12 * MINUTE,
    speakers,
    instruments: INSTRUMENTS,
    settings,
    age: (at) => 86_400_000 - at
  })
  const later = said.filter(({ at }) => at > 6 * MINUTE)
  expect(sureOf(of(later, 'a'))).toBeGreaterThan(0.97)
  expect(eceOf(later)).toBeLessThan(0.03)
})

test('however much is said, at most four forecasts are under way for each provider and instrument', () => {
  const speakers = ['a', 'b'].map((provider) => speaker(provider, { only: ['X'] }))
  const { state } = play({ seed: 8, until: MINUTE, speakers, instruments: ['X'], every: 2 })
  const ledger = state.forecasts.ledgers.trade.get('X')!
  const underWay = [...ledger.samplings.values()].map(({ pending }) => pending.length)
  expect(underWay).toEqual([4, 4])
})

test('of what is no longer heard of nothing is kept but the record', () => {
  const speakers = ['a', 'b'].map((provider) => speaker(provider, { only: ['X'] }))
  const { state } = play({ seed: 9, until: MINUTE, speakers, instruments: ['X'] })
  admit(state, { type: 'tick', now: START + 12 * MINUTE })
  expect(state.forecasts.ledgers.trade.size).toBe(0)
  expect(calibrationsOf(state.forecasts).map(({ provider }) => provider)).toEqual(['a', 'b'])
})

test('what came true feeds the scores, of instruments that were never heard before as well', () => {
  const speakers = [speaker('a', {}), speaker('b', {}), speaker('bad', { errors: 0.5 })].map((each) => ({ ...each, only: ['X'] }))
  const { state } = play({ seed: 10, until: 5 * MINUTE, speakers, instruments: ['X'] })
  const now = START + 5 * MINUTE
  for (const provider of ['a', 'bad']) admit(state, { type: 'subscribed', now, kind: 'trade', instrument: 'new', provider })
  const scores = scoresOf(state.lanes.get('trade:new')!, sceneOf(state, now))
  const [good, bad] = scores.map(({ inputs }) => inputs.reliability)
  expect(good! - bad!).toBeGreaterThan(0.3)
})

test('what a forecast is held to can be set for each class', () => {
  const { targets } = openForecasts({ trade: { bps: 3, horizon: 500 } })
  expect(targets).toMatchObject({ trade: { bps: 3, horizon: 500 }, quote: { bps: 5, horizon: 1_000 } })
})

test('memory of a class fades: what came true long ago weighs less than what came true since', () => {
  const all = openClass()
  const outcome = { compared: 1, alone: 1, sure: 0.5, unseen: 0.5, calm: false }
  for (let k = 0; k < 20_000; k++) score(all, 'a', { ...outcome, hit: k >= 10_000 })
  const { hits, n } = all.tracks.get('a')!.counts.alone
  expect(n.at(-1)).toBeLessThan(4_000)
  expect(hits.at(-1)! / n.at(-1)!).toBeGreaterThan(0.85)
})

describe('a curve', () => {
  const value = fc.double({ min: 0, max: 1, noNaN: true })

  test('never falls and stays within 0 and 1, whatever is counted', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, fc.boolean()), { maxLength: 200 }), value, value, (rows, x, y) => {
        const counts = openCounts()
        for (const [raw, hit] of rows) count(counts, raw, hit)
        const curve = fit(
          counts,
          Float64Array.from({ length: KNOTS }, (_, k) => k / (KNOTS - 1)),
          5
        )
        const [low, high] = [valueOf(curve, Math.min(x, y)), valueOf(curve, Math.max(x, y))]
        expect(low).toBeGreaterThanOrEqual(0)
        expect(high).toBeLessThanOrEqual(1 + 1e-12)
        expect(high - low).toBeGreaterThan(-1e-12)
      })
    )
  })

  test('comes near the true share of every value, if that rises', () => {
    const random = randomOf(3)
    const counts = openCounts()
    for (let k = 0; k < 20_000; k++) {
      const raw = random()
      count(counts, raw, random() < raw ** 2)
    }
    const curve = fit(counts, new Float64Array(KNOTS).fill(0.5), 5)
    for (let raw = 0.05; raw < 1; raw += 0.1) expect(Math.abs(valueOf(curve, raw) - raw ** 2)).toBeLessThan(0.04)
  })
})
