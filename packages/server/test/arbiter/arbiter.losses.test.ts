/** Where the lead goes when a leader is lost or left, what readers see of it, and whose price counts no more. */
import type { Book, MarketEvent, Quote, Status, Ticker, Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, createArbiter, type ArbiterInput, type ArbiterSettings } from '../../src/arbiter/arbiter.ts'
import { arbitrationsOf } from '../../src/arbiter/verdict.ts'

const X = 'BTC-USDT'
const T0 = 1_700_000_000_000
type Kind = 'trade' | 'quote' | 'ticker' | 'book'
/** What one says at a time, and how long that took. */
type Word = { who: string; at: number; late?: number; kind?: Kind; price?: number }

function eventOf({ who, at, late = 0, kind = 'trade', price = 100 }: Word): Trade | Quote | Ticker | Book {
  const stamp = { provider: who, instrument: X, time: T0 + at, received: T0 + at + late }
  if (kind === 'trade') return { type: kind, ...stamp, id: `${who}${at}`, price, size: 1, side: 'buy' }
  if (kind === 'quote') return { type: kind, ...stamp, bid: price - 0.5, bidSize: 1, ask: price + 0.5, askSize: 1 }
  if (kind === 'ticker') return { type: kind, ...stamp, last: price }
  return { type: kind, ...stamp, bids: [[price - 1, 1]], asks: [[price + 1, 1]], state: 'valid' }
}

/** Ticks every 100 ms by itself. */
function open(providers: readonly string[], settings: Partial<ArbiterSettings> = {}, kinds: readonly Kind[] = ['trade']) {
  const state = createArbiter({ order: providers, ...settings })
  const published: { topic: string; event: MarketEvent; at: number }[] = []
  let ticked = 0
  let now = 0
  const give = (input: ArbiterInput) => {
    for (const output of admit(state, input)) if ('event' in output) published.push({ ...output, at: now })
  }
  const place = (provider: string, kind: Kind) => ({ now: T0 + now, provider, kind, instrument: X })
  for (const kind of kinds) for (const provider of providers) give({ type: 'subscribed', ...place(provider, kind) })
  const run = {
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
    hear(...words: readonly Word[]) {
      for (const word of words.toSorted((a, b) => a.at + (a.late ?? 0) - b.at - (b.late ?? 0))) {
        run.to(word.at + (word.late ?? 0))
        give({ type: 'event', event: eventOf(word) })
      }
      return run
    },
    close: (provider: string) => {
      for (const kind of kinds) give({ type: 'closed', ...place(provider, kind), reason: 'reset' })
    },
    gap: (provider: string) =>
      give({ type: 'gap', ...place(provider, 'trade'), cause: 'sequence', action: 'open', expected: 4, got: 6 }),
    on: (topic: string) => published.flatMap((p) => (p.topic === topic ? [p.event] : [])),
    decisions: () => published.flatMap(({ event }) => (event.type === 'status' ? [event] : [])),
    causes: () => run.decisions().map((d: Status) => `${d.cause} ${d.leader ?? '-'}`),
    verdict: (kind: Kind = 'trade') => arbitrationsOf(state, X, T0 + now).find((each) => each.kind === kind)!
  }
  return run
}
const steady = (from: number, to: number, who: string, more: Partial<Word> = {}, every = 100): Word[] =>
  Array.from({ length: Math.ceil((to - from) / every) }, (_, i) => ({ who, at: from + i * every, ...more }))

describe('a failback', () => {
  test('never goes to one that the best of all would throw out within seconds, though it is near to the leader', () => {
    // `b` is not slow enough to lose the lead, `a` is: but only `c` shows it.
    const run = open(['a', 'b', 'c'])
    run.hear(
      ...steady(0, 120_000, 'c', { late: 20 }),
      ...steady(0, 120_000, 'b', { late: 300 }),
      ...steady(12_000, 120_000, 'a', { late: 620 })
    )
    expect(run.causes()).toEqual(['first c', 'first b'])
  })

  test('has a cause that lasts: whoever it goes to leads for half a minute at least, whatever is late by how much', () => {
    const lates = fc.array(fc.integer({ min: 0, max: 1_200 }), { minLength: 3, maxLength: 5 })
    fc.assert(
      fc.property(lates, fc.nat(3), (late, lost) => {
        const names = late.map((_, i) => `p${i}`)
        const run = open(names)
        run.hear(...names.flatMap((who, i) => steady(0, 20_000, who, { late: late[i]! })))
        run.close(names[lost % names.length]!)
        run.hear(...names.flatMap((who, i) => steady(21_200, 100_000, who, { late: late[i]! })))
        // When all but the latest have ended, their silence is a reason.
        const told = run.decisions().filter(({ time }) => time < T0 + 100_000)
        for (const [i, { cause, time }] of told.entries())
          if (cause === 'failback' && told[i + 1]) expect(told[i + 1]!.time - time).toBeGreaterThan(60_000)
      }),
      { numRuns: 10, seed: 51 }
    )
  })
})

describe('the consensus', () => {
  test('leaves out a source that is dead, though its price is no ten seconds old, and says so with one voice', () => {
    const run = open(['a', 'b', 'c'])
    run.hear(...['a', 'b', 'c'].flatMap((who) => steady(0, 20_000, who, { price: who === 'a' ? 100.05 : 100 })))
    expect(run.verdict().consensus?.used).toBe(3)
    run.hear(...['b', 'c'].flatMap((who) => steady(20_000, 25_000, who)))
    const told = run.verdict()
    const dead = told.sources.find(({ provider }) => provider === 'a')!
    expect(dead).toMatchObject({ liveness: 'dead', weight: 0, role: 'out' })
    expect(dead.reason).toMatch(/^refused: it is dead; it said nothing at all for 5\.\d s/)
    expect(told.consensus).toMatchObject({ used: 2, price: 100 })
    // As soon as it tells a price it counts again.
    run.hear({ who: 'a', at: 25_050 }, { who: 'b', at: 25_060 })
    expect(run.verdict().consensus?.used).toBe(3)
  })

  test('no source that is told as dead, stale or closed is ever used, whoever falls silent when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 5, max: 30 })), { maxLength: 3 }),
        (mutes) => {
          const run = open(['a', 'b', 'c'])
          for (let at = 0; at < 32_000; at += 100) {
            for (const who of ['a', 'b', 'c'])
              if (!mutes.some(([name, second]) => name === who && at >= second * 1_000)) run.hear({ who, at })
            if (at % 700 !== 0) continue
            run.to(at)
            for (const { liveness, weight, reason } of run.verdict().sources)
              if (['dead', 'stale', 'closed'].includes(liveness)) expect([weight, reason.startsWith('used')]).toEqual([0, false])
          }
        }
      ),
      { numRuns: 20, seed: 52 }
    )
  })

  test('one stream that is alive is enough: a thin trade falls silent, the quotes go on', () => {
    const run = open(['a', 'b'], {}, ['trade', 'quote'])
    const quotes = ['a', 'b'].flatMap((who) => steady(0, 40_000, who, { kind: 'quote' }))
    run.hear(...quotes, ...steady(0, 20_000, 'a'), ...steady(0, 40_000, 'b'))
    expect(run.verdict().sources.find(({ provider }) => provider === 'a')).toMatchObject({ liveness: 'stale' })
    expect(run.verdict('quote').consensus?.used).toBe(2)
  })

  test('a market that closes takes its sources out, and there is no price that counts', () => {
    const market = (_: string, now: number) => ({
      session: now < T0 + 10_000 ? ('regular' as const) : ('closed' as const), since: now < T0 + 10_000 ? T0 - 1 : T0 + 10_000, until: Infinity
    }) // prettier-ignore
    const run = open(['a', 'b'], { market })
    run.hear(...['a', 'b'].flatMap((who) => steady(0, 10_000, who)))
    expect(run.verdict().consensus?.used).toBe(2)
    run.to(10_100)
    expect(run.verdict().consensus).toBeUndefined()
    expect(run.verdict().sources.map(({ reason }) => reason.split(';')[0])).toEqual(Array(2).fill('its last price is 0.2 s old'))
  })
})

describe('damping', () => {
  test('holds nobody at a closed connection: beside a healthy standby it is left at once, however often that happened', () => {
    const run = open(['a', 'b', 'c', 'd'])
    const alive = new Set(['a', 'b', 'c', 'd'])
    for (const [i, dies] of ['a', 'b', 'c'].entries()) {
      const from = i * 8_000
      run.hear(...[...alive].flatMap((who) => steady(from, from + 8_000, who)))
      run.to(from + 8_000)
      run.close(dies)
      alive.delete(dies)
      expect(run.decisions().at(-1)).toMatchObject({ cause: 'closed', previous: dies, time: T0 + from + 8_000 })
    }
    expect(run.causes()).toEqual(['first a', 'closed b', 'closed c', 'closed d'])
  })

  test('leaves nobody to a price that the others contradict while one is there that is sound, even a flapper', () => {
    const run = open(['a', 'b', 'c', 'd'])
    const words = (from: number, to: number) => [
      ...['a', 'c', 'd'].flatMap((who) => steady(from, to, who)),
      ...steady(from, to, 'b', { price: 103 })
    ]
    run.hear(...words(0, 10_000)).to(10_000)
    run.close('c')
    run.close('d')
    // `c` and `d` are back but a moment; `b` was never gone, but nobody believes it.
    run.hear(...words(10_050, 11_000)).to(11_000)
    expect(run.verdict().sources.find(({ provider }) => provider === 'b')?.weight).toBe(0)
    run.close('a')
    expect(run.causes().at(-1)).toBe('closed c')
  })

  /** Four leaders fail within 40 s, each in this way; how long each was kept from its fault on. */
  function keptFor(fail: (run: ReturnType<typeof open>, leader: string, healthy: readonly string[], at: number) => void) {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const run = open(names)
    run.hear(...names.flatMap((who) => steady(0, 10_000, who)))
    return ['a', 'b', 'c', 'd'].map((leader, i) => {
      const healthy = names.slice(i + 1)
      const at = (i + 1) * 10_000
      run.to(at)
      expect(run.verdict().leader).toBe(leader)
      fail(run, leader, healthy, at)
      run.hear(...healthy.flatMap((who) => steady(at + 5_000, at + 10_000, who)))
      return run.decisions().find(({ previous, leader: next }) => previous === leader && next !== leader)!.time - T0 - at
    })
  }

  test('holds nobody at a leader that lost data: beside a steady standby it is left at once, however often that happened', () => {
    const kept = keptFor((run, leader, healthy, at) => {
      run.gap(leader)
      run.hear(...[leader, ...healthy].flatMap((who) => steady(at, at + 5_000, who)))
    })
    expect(kept).toEqual([0, 0, 0, 0])
  })

  test('nor at one that is silent beyond its limit', () => {
    const kept = keptFor((run, _, healthy, at) => run.hear(...healthy.flatMap((who) => steady(at, at + 5_000, who))))
    for (const each of kept) expect(each).toBeLessThanOrEqual(1_100)
  })

  test('nor at one that two others contradict', () => {
    const kept = keptFor((run, leader, healthy, at) =>
      run.hear(
        ...steady(at + 20, at + 5_000, leader, { price: 110 + at / 1_000 }),
        ...healthy.flatMap((who) => steady(at, at + 5_000, who))
      )
    )
    for (const each of kept) expect(each).toBeLessThanOrEqual(320)
  })

  test('nor at one that the consensus refuses for 2 s', () => {
    const kept = keptFor((run, leader, healthy, at) =>
      run.hear(...steady(at, at + 5_000, leader, { price: 100.6 }), ...healthy.flatMap((who) => steady(at, at + 5_000, who)))
    )
    for (const each of kept) expect(each).toBeLessThanOrEqual(3_100)
  })

  test('leaves a leader that lost data to nobody whose price the others refuse', () => {
    const run = open(['a', 'b', 'c', 'd'])
    const three = (from: number, to: number) => ['a', 'c', 'd'].flatMap((who) => steady(from, to, who))
    run.hear(...three(0, 10_000), ...steady(0, 10_000, 'b', { price: 101.5 })).to(10_000)
    run.close('c')
    run.close('d')
    run.gap('a')
    expect(run.causes()).toEqual(['first a'])
  })

  /** Who fails how, in turns: within a minute everybody does, again and again. */
  test('whatever failed how often: nobody leads for long past a fault while a steady standby is there', () => {
    const fault = fc.record({ who: fc.constantFrom('a', 'b', 'c'), how: fc.constantFrom('gap', 'close', 'mute'), lasts: fc.integer({ min: 12, max: 40 }) }) // prettier-ignore
    fc.assert(
      fc.property(fc.array(fault, { minLength: 6, maxLength: 8 }), (faults) => {
        const run = open(['a', 'b', 'c', 'd'])
        for (const [i, { who, how, lasts }] of faults.entries()) {
          const from = 10_000 + i * 8_000
          run.hear(...['a', 'b', 'c', 'd'].flatMap((each) => steady(from - 8_000, from, each))).to(from)
          const led = run.verdict().leader
          if (how === 'gap') run.gap(who)
          if (how === 'close') run.close(who)
          const rest = ['a', 'b', 'c', 'd'].filter((each) => each !== who || how === 'gap')
          run.hear(...rest.flatMap((each) => steady(from, from + 100 * lasts, each))).to(from + 1_200)
          if (led === who) expect(run.verdict().leader).not.toBe(who)
        }
      }),
      { numRuns: 20, seed: 55 }
    )
  })

  test('one that flaps every 500 ms is not returned to while it does, whichever of three it is', () => {
    fc.assert(
      fc.property(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), fc.nat(499), (flappers, phase) => {
        const names = ['a', 'b', 'c']
        const run = open(names)
        const isUp = (who: string, at: number) => !flappers.includes(who) || at < 5_000 || at >= 65_000 || Math.floor((at + phase * names.indexOf(who)) / 500) % 2 === 0 // prettier-ignore
        const before = new Map(names.map((name) => [name, true]))
        for (let at = 0; at < 75_000; at += 50)
          for (const who of names) {
            const up = isUp(who, at)
            if (!up && before.get(who)) {
              run.to(at)
              run.close(who)
            }
            before.set(who, up)
            if (up) run.hear({ who, at })
          }
        expect(run.decisions().filter(({ cause }) => cause !== 'first').length).toBeLessThanOrEqual(3)
      }),
      { numRuns: 8, seed: 53 }
    )
  })
})

describe('state at a change of leader', () => {
  const SETTLED = 20_000
  /** `a` leads; `b` said its last word before. */
  const near = (kind: Kind, more: Partial<ArbiterSettings> = {}) =>
    open(['a', 'b'], more, [kind])
      .hear(...['a', 'b'].flatMap((who) => steady(0, SETTLED, who, { kind })))
      .hear({ who: 'b', at: SETTLED, kind, price: 100.2 }, { who: 'a', at: SETTLED + 177, kind, price: 100.1 })

  test.each(['quote', 'book'] as const)(
    'a %s of a leader that died is replaced at once by the best there is, though that is older',
    (kind) => {
      const run = near(kind)
      run.to(SETTLED + 180)
      run.close('a')
      expect(run.on(`${kind}:${X}`).at(-1)).toMatchObject({ provider: 'b', time: T0 + SETTLED })
    }
  )

  test('a ticker tells what was: an older one of the standby does not follow, its next word does', () => {
    const run = near('ticker')
    run.to(SETTLED + 180)
    run.close('a')
    expect(run.causes().at(-1)).toBe('closed b')
    expect(run.on(`ticker:${X}`).at(-1)).toMatchObject({ provider: 'a', time: T0 + SETTLED + 177 })
    run.hear({ who: 'b', at: SETTLED + 300, kind: 'ticker' })
    expect(run.on(`ticker:${X}`).at(-1)).toMatchObject({ provider: 'b', time: T0 + SETTLED + 300 })
  })

  test.each(['quote', 'book', 'ticker'] as const)(
    'a %s never goes back in time when a leader is left that is alive, by clocks set right',
    (kind) => {
      fc.assert(
        fc.property(fc.integer({ min: -3_000, max: 3_000 }), fc.nat(99), (skew, phase) => {
          const run = open(['a', 'b'], {}, [kind])
          run.give({ type: 'offset', provider: 'b', offset: skew })
          const other = (from: number, to: number) =>
            steady(from, to, 'b', { kind, late: 10 - skew }).map((word) => ({ ...word, at: word.at + phase + skew }))
          run.hear(...steady(0, 5_000, 'a', { kind, late: 10 }), ...other(0, 5_000)).to(5_100)
          run.close('a')
          run.hear(...steady(5_200, 60_000, 'a', { kind, late: 10 }), ...other(5_200, 60_000))
          expect(run.causes()).toEqual(['first a', 'closed b', 'failback a'])
          const at = run.decisions().at(-1)!.time
          const times = run
            .on(`${kind}:${X}`)
            .filter(({ received }) => received > at - 2_000)
            .map(({ provider, time }) => time - (provider === 'b' ? skew : 0))
          expect(times.length).toBeGreaterThan(100)
          expect(times).toEqual(times.toSorted((x, y) => x - y))
        }),
        { numRuns: 12, seed: 54 }
      )
    }
  )
})

test('a provider has one latency: the mean of all that it carries, in whatever order that was asked for', () => {
  const latencyOf = (kinds: readonly Kind[]) => {
    const run = open(['a'], {}, [...kinds, 'book'])
    const lates: Partial<Record<Kind, number>> = { trade: 20, quote: 120, ticker: 610 }
    run.hear(...kinds.flatMap((kind) => steady(0, 20_000, 'a', { kind, late: lates[kind]! })))
    // A book without a time of its own has the latency of the provider's other streams.
    run.hear(...steady(21_000, 22_000, 'a', { kind: 'book' }))
    return run.verdict('book').sources[0]?.latency
  }
  expect(latencyOf(['trade', 'quote', 'ticker'])).toBeCloseTo(250, 0)
  expect(latencyOf(['ticker', 'quote', 'trade'])).toBeCloseTo(250, 0)
})
