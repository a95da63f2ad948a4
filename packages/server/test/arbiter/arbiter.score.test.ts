/** Who leads by what is measured: slow, lossy, wrong and flapping sources, and how the decision is told. */
import type { MarketEvent, Status, Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, createArbiter, type ArbiterInput, type ArbiterSettings } from '../../src/arbiter/arbiter.ts'
import { explain, explainDecision, type Explained } from '../../src/feed/explain.ts'
import { fadesOf, inputsOf, openMarks, passMarks, scoreOf, WEIGHTS } from '../../src/arbiter/score.ts'
import { arbitrationsOf } from '../../src/arbiter/verdict.ts'
import { openVoice } from '../../src/arbiter/voice.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { chance } from './flows.ts'

const X = 'BTC-USDT'
const T0 = 1_700_000_000_000
/** Each event of a source: when it happened, how long it took, its price. */
type Word = { who: string; at: number; late?: number; price?: number }

function open(providers: readonly string[], settings: Partial<ArbiterSettings> = {}) {
  const state = createArbiter({ order: providers, ...settings })
  const published: { topic: string; event: MarketEvent; at: number }[] = []
  let ticked = 0
  let now = 0
  const give = (input: ArbiterInput) => {
    for (const output of admit(state, input)) if ('event' in output) published.push({ ...output, at: now })
  }
  const place = (provider: string) => ({ now: T0 + now, provider, kind: 'trade' as const, instrument: X })
  for (const provider of providers) give({ type: 'subscribed', ...place(provider) })
  const run = {
    state,
    give,
    to(at: number) {
      while (ticked + 100 <= at) {
        now = ticked += 100
        give({ type: 'tick', now: T0 + ticked })
      }
      now = at
      return run
    },
    /** In the order in which they arrive. */
    hear(words: readonly Word[]) {
      const arriving = words
        .map((word) => ({ ...word, arrives: word.at + (word.late ?? 20) }))
        .sort((a, b) => a.arrives - b.arrives)
      for (const { who, at, arrives, price = 100 } of arriving) {
        run.to(arrives)
        const id = `${who}${at}`
        give({ type: 'event', event: { type: 'trade', provider: who, instrument: X, time: T0 + at, received: T0 + arrives, id, price, size: 1, side: 'buy' } }) // prettier-ignore
      }
      return run
    },
    close: (provider: string) => give({ type: 'closed', ...place(provider), reason: 'reset' }),
    gap: (provider: string) => give({ type: 'gap', ...place(provider), cause: 'sequence', action: 'resync' }),
    decisions: () => published.flatMap(({ event }) => (event.type === 'status' ? [event] : [])),
    causes: () => run.decisions().map((d: Status) => `${d.cause} ${d.leader ?? '-'}`),
    trades: () => published.filter(({ topic }) => topic === `trade:${X}`).map(({ event, at }) => ({ ...(event as Trade), at })),
    report: (provider: string) => arbitrationsOf(state, X, T0 + now)[0]!.sources.find((source) => source.provider === provider)!
  }
  return run
}
const steady = (from: number, to: number, who: string, more: Partial<Word> = {}, every = 100): Word[] =>
  Array.from({ length: Math.ceil((to - from) / every) }, (_, i) => ({ who, at: from + i * every, ...more }))

describe('the score', () => {
  const measured = (more: Partial<ReturnType<typeof openMarks>> = {}, latency = 20) => ({
    marks: { ...openMarks(), ...more }, voice: openVoice('a'), latency, fastest: 20, usual: undefined
  }) // prettier-ignore

  test('of a faultless source as fast as the fastest is 1, but for a price never held against others', () => {
    expect(scoreOf(inputsOf(measured()), WEIGHTS)).toBeCloseTo(1 - 0.1 * 0.1, 9)
  })

  test.each([
    ['freshness', { freshness: 0.5 }, 20, 0.5],
    ['latency', {}, 520, 0.5],
    ['uptime', { uptime: 0.5 }, 20, 0.5],
    ['completeness', { bad: 60_000 }, 20, 0.5]
  ] as const)('falls by its weight with %s', (name, marks, latency, value) => {
    const inputs = inputsOf(measured(marks, latency))
    expect(inputs[name]).toBeCloseTo(value, 9)
    expect(scoreOf(inputs, WEIGHTS)).toBeCloseTo(0.99 - WEIGHTS[name] / 2, 9)
  })

  test('is of proportions: weights that sum to 10 make the same', () => {
    const tenfold = Object.fromEntries(Object.entries(WEIGHTS).map(([name, value]) => [name, 10 * value])) as typeof WEIGHTS
    const inputs = inputsOf(measured({ uptime: 0.3, bad: 5_000 }, 100))
    expect(scoreOf(inputs, tenfold)).toBeCloseTo(scoreOf(inputs, WEIGHTS), 12)
  })

  test('a lossy hour is forgiven: bad time halves in ten minutes, uptime in five', () => {
    const marks = { ...openMarks(), bad: 60_000, uptime: 0 }
    for (let at = 0; at < 600_000; at += 100) passMarks(marks, fadesOf(100), true, 1)
    expect(marks.bad).toBeCloseTo(30_000, -1)
    expect(marks.uptime).toBeCloseTo(0.75, 3)
  })
})

describe('a better standby', () => {
  test('one whose events take 2 s loses the lead within 5 s [U3], and the sentence says why', () => {
    const run = open(['a', 'b']).hear([
      ...steady(0, 10_000, 'a'),
      ...steady(0, 30_000, 'b'),
      ...steady(10_000, 28_000, 'a', { late: 2_020 })
    ])
    const change = run.decisions()[1]!
    expect(change).toMatchObject({ previous: 'a', leader: 'b' })
    expect(change.time - T0 - 10_000).toBeLessThanOrEqual(5_000)
    expect(run.causes().length).toBe(2)
  })

  test('slow from the beginning it loses the lead within 5 s as well, by its latency', () => {
    const run = open(['a', 'b']).hear([...steady(0, 58_000, 'a', { late: 2_020 }), ...steady(2_000, 60_000, 'b')])
    expect(run.causes()).toEqual(['first a', 'better b'].slice(run.causes()[0] === 'first a' ? 0 : 1))
    expect(run.decisions().at(-1)!.time - T0).toBeLessThanOrEqual(7_000)
    expect(run.decisions().at(-1)!.reason).toMatch(
      /^b leads trade of BTC-USDT: it scores 0\.\d\d against 0\.\d\d of a for 3\.\d s, most of all in latency \(a has 0\.\d\d\)$/
    )
  })

  test('a clock that is 2 s ahead or behind makes nobody slow or fast where that is known', () => {
    for (const skew of [2_000, -2_000]) {
      const run = open(['a', 'b'])
      // Its clock is ahead by so much: its events seem to take so much less.
      run.give({ type: 'offset', provider: 'a', offset: skew })
      run.hear([...steady(0, 20_000, 'a').map((w) => ({ ...w, at: w.at + skew, late: 20 - skew })), ...steady(0, 20_000, 'b')])
      expect(run.report('a').latency).toBeCloseTo(20, 0)
      expect(run.causes()).toEqual(['first a'])
    }
  })

  test('nobody leaves for less than the margin: a second of equals takes no turns', () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const random = chance(seed)
        const jitter = (word: Word): Word => ({ ...word, at: word.at + random() * 50, late: 20 + random() * 200 })
        const run = open(['a', 'b', 'c']).hear(['a', 'b', 'c'].flatMap((who) => steady(0, 60_000, who).map(jitter)))
        expect(run.causes().filter((cause) => !cause.startsWith('first'))).toEqual([])
      }),
      { numRuns: 20, seed: 41 }
    )
  })

  test('one that loses data again and again is left, and leads again when that is forgiven', () => {
    const run = open(['a', 'b'])
    for (let at = 0; at < 60_000; at += 2_000) {
      run.hear([...steady(at, at + 2_000, 'a'), ...steady(at, at + 2_000, 'b')])
      if (at >= 20_000) run.gap('a')
    }
    expect(run.causes()).toEqual(['first a', 'gap b'])
    expect(run.report('a').inputs.completeness).toBeLessThan(0.5)
    // Its hold-down is over long before it has made up for what it lost.
    run.hear([...steady(60_000, 120_000, 'a'), ...steady(60_000, 120_000, 'b')])
    expect(run.causes().length).toBe(2)
    run.hear([...steady(120_000, 3_000_000, 'a', {}, 1_000), ...steady(120_000, 3_000_000, 'b', {}, 1_000)])
    expect(run.causes()).toEqual(['first a', 'gap b', 'failback a'])
  })
})

describe('a wrong one', () => {
  test('two that disagree by 5 % never take turns, whoever leads; the one price and the other are never mixed [U15]', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.boolean(), (seed, first) => {
        const random = chance(seed)
        const words = ['a', 'b'].flatMap((who) =>
          steady((who === 'a') === first ? 0 : 300, 60_000, who, { price: who === 'a' ? 100 : 105 }).map((w) => ({
            ...w,
            late: 20 + random() * 80
          }))
        )
        const run = open(['a', 'b']).hear(words)
        const times = run.trades()
        const turns = times.slice(1).filter((each, i) => each.provider !== times[i]!.provider)
        expect(turns.length).toBeLessThanOrEqual(1)
        expect(run.report('b').basis! - run.report('a').basis!).toBeCloseTo(488, -1)
      }),
      { numRuns: 20, seed: 42 }
    )
  })

  test('a leader that drifts away from three that agree loses the lead as an outlier', () => {
    const drift = steady(10_000, 20_000, 'a').map((w, i) => ({ ...w, price: 100 * (1 + 0.0005 * i) }))
    const others = ['b', 'c', 'd'].flatMap((who) => steady(0, 20_000, who))
    const run = open(['a', 'b', 'c', 'd']).hear([...steady(0, 10_000, 'a'), ...drift, ...others])
    expect(run.causes()).toEqual(['first a', 'outlier b'])
    expect(run.decisions()[1]!.time - T0).toBeLessThanOrEqual(15_000)
    expect(run.report('a')).toMatchObject({ weight: 0, role: 'out', reason: expect.stringMatching(/^refused: /) })
  })

  test('a leader that repeats one price while the others move is left as frozen', () => {
    const moving = (from: number, to: number, who: string) =>
      steady(from, to, who).map((w) => ({ ...w, price: 100 * Math.exp(w.at * 4e-7) }))
    const frozen = steady(30_000, 90_000, 'a', { price: 100 * Math.exp(30_000 * 4e-7) })
    const run = open(['a', 'b', 'c']).hear([
      ...moving(0, 30_000, 'a'),
      ...frozen,
      ...moving(0, 90_000, 'b'),
      ...moving(0, 90_000, 'c')
    ])
    expect(run.causes()).toEqual(['first a', 'outlier b'])
    expect(run.report('a').reason).toMatch(/frozen: its price stands since/)
  })
})

test('a book that its closing connection takes back leads nobody to it, and is told under its own name', () => {
  const state = createArbiter({ order: ['a', 'b'] })
  const topics: string[] = []
  const give = (input: ArbiterInput) => {
    for (const output of admit(state, input))
      if ('event' in output) topics.push(output.event.type === 'status' ? output.event.cause : output.topic)
  }
  for (const provider of ['a', 'b']) give({ type: 'subscribed', now: T0, provider, instrument: X, kind: 'book' })
  const book = (provider: string, at: number, bookState: 'valid' | 'stale') =>
    give({ type: 'event', event: { type: 'book', provider, instrument: X, time: T0 + at, received: T0 + at, bids: [[99, 1]], asks: [[101, 1]], state: bookState } }) // prettier-ignore
  book('a', 10, 'valid')
  book('b', 20, 'valid')
  for (const provider of ['b', 'a'])
    give({ type: 'closed', now: T0 + 100, provider, instrument: X, kind: 'book', reason: 'reset' })
  topics.length = 0
  book('b', 110, 'stale')
  expect(topics).toEqual([`book:${X}@b`])
  book('a', 120, 'stale')
  expect(topics.slice(1)).toEqual([`book:${X}@a`, `book:${X}`])
})

describe('the decision is told', () => {
  test('with its inputs, its sources and one sentence', () => {
    const run = open(['a', 'b', 'c', 'd'])
    run.hear(
      ['a', 'b', 'c', 'd'].flatMap((who) =>
        steady(0, 10_000, who, { late: who === 'c' ? 120 : 20, price: who === 'd' ? 100.01 : 100 })
      )
    )
    run.close('d')
    const [told, ...rest] = arbitrationsOf(run.state, X, T0 + 10_100)
    expect(rest).toEqual([])
    expect(told).toMatchObject({ kind: 'trade', leader: 'a', standbys: ['b', 'c'], switches: 0, since: T0 + 20 })
    expect(told!.sources.map(({ provider, role, liveness }) => `${provider} ${role} ${liveness}`)).toEqual([
      'a leader live', 'b standby live', 'c standby live', 'd out dead'
    ]) // prettier-ignore
    expect(told!.consensus).toMatchObject({ price: 100, used: 3, sources: 4, toleranceBps: 10 })
    expect(told!.sources.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 2)
    expect(told!.sentence).toBe(
      'a leads trade of BTC-USDT: it spoke first; it scores 0.99; next are b (0.99), c (0.95); together they say 100, from 3 of 4 sources within 10 bps.'
    )
    expect(told!.sources.at(-1)!.reason).toMatch(/^refused: its connection is down; its connection is down for 0\.\d s$/)
  })

  test('to those who listen only, about once a second while something changes, and with each decision', () => {
    const run = open(['a', 'b'])
    const plant = createPlant({ epoch: 'e' })
    const explainer = { plant, arbiter: run.state, explained: new Map() as Explained }
    const topic = `arbitration:${X}:trade`
    const tell = (from: number, to: number, price: (at: number) => number) => {
      for (let at = from; at < to; at += 100) {
        run.hear(['a', 'b'].map((who) => ({ who, at, price: price(at) })))
        explain(explainer, T0 + at)
      }
    }
    tell(0, 5_000, () => 100)
    expect(plant.last(topic)).toBeUndefined()
    const heard: number[] = []
    const { stop } = plant.subscribe(topic, (event) => heard.push(event.published - T0))
    tell(5_000, 10_000, (at) => 100 + at / 1e6)
    expect(heard).toEqual([5_000, 6_000, 7_000, 8_000, 9_000])
    run.close('a')
    explainDecision(explainer, 'trade', X, T0 + 10_050)
    expect(plant.last(topic)).toMatchObject({ leader: 'b', published: T0 + 10_050 })
    stop()
    explainDecision(explainer, 'trade', X, T0 + 10_060)
    expect(heard.at(-1)).toBe(10_050)
  })
})
