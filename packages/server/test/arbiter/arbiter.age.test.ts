/** Latency, age and our own lateness: what is measured of time moves a lead only where it is so. */
import type { MarketEvent, Trade } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import { admit, createArbiter } from '../../src/arbiter/arbiter.ts'
import { arbitrationsOf } from '../../src/arbiter/verdict.ts'

const X = 'BTC-USDT'
const T0 = 1_700_000_000_000
const NAMES = ['a', 'b', 'c']

/** Three that speak ten times a second, a preferred; each with the delay of its way. */
function open(ticks = 100) {
  const state = createArbiter({ order: NAMES })
  const events: MarketEvent[] = []
  let now = T0
  let id = 0
  const keep = (outputs: ReturnType<typeof admit>) => {
    for (const output of outputs) if ('event' in output) events.push(output.event)
  }
  for (const provider of NAMES) admit(state, { type: 'subscribed', kind: 'trade', instrument: X, provider, now })
  const run = {
    state,
    hear: (provider: string, late = 40, more: Partial<Trade> = {}) =>
      keep(admit(state, { type: 'event', event: { type: 'trade', provider, instrument: X, time: now - late, received: now, price: 100, size: 1, id: String(++id), side: 'buy', ...more } })), // prettier-ignore
    offset: (provider: string, offset: number) => keep(admit(state, { type: 'offset', provider, offset })),
    pass(span: number, delays: Partial<Record<string, number>>) {
      for (const until = now + span; now < until;) {
        now += ticks
        keep(admit(state, { type: 'tick', now }))
        for (const [who, late] of Object.entries(delays)) {
          now++
          run.hear(who, late)
        }
      }
      return run
    },
    changes: () => events.flatMap((event) => (event.type === 'status' ? [`${event.cause} ${event.leader ?? '-'}`] : [])),
    changedAt: () => Math.max(...events.flatMap((event) => (event.type === 'status' ? [event.time] : []))),
    now: () => now,
    report: (provider: string) => arbitrationsOf(state, X, now)[0]!.sources.find((source) => source.provider === provider)!
  }
  return run
}
const calm = { a: 40, b: 40, c: 40 }

describe('latency', () => {
  test('is not moved by a few events with a wrong time, flagged or not', () => {
    for (const more of [{}, { clock: 'behind' } as const]) {
      const run = open().pass(60_000, calm)
      for (const late of [3_600_000, 290_000, 90_000]) run.hear('a', late, more)
      run.pass(20_000, calm)
      expect(run.changes()).toEqual(['first a'])
      expect(run.report('a').latency).toBe(40)
    }
  })

  test('does not count what is flagged at all, however much of it there is', () => {
    const run = open().pass(60_000, calm)
    for (let i = 0; i < 100; i++) {
      run.hear('a', 400_000, { clock: 'behind' })
      run.pass(100, calm)
    }
    expect(run.report('a').latency).toBe(40)
    expect(run.changes()).toEqual(['first a'])
  })

  test('follows a way that has become longer within a second', () => {
    const run = open()
      .pass(60_000, calm)
      .pass(1_000, { ...calm, a: 240 })
    expect(run.report('a').latency).toBe(240)
  })
})

describe('a standby that is clearly fresher', () => {
  test.each([400, 600, 800, 1_000])('leads within 8 s when the preferred one is %i ms slow, once and for good', (late) => {
    const run = open().pass(60_000, calm)
    const slowFrom = run.now()
    run.pass(90_000, { ...calm, a: late })
    expect(run.changes()).toEqual(['first a', 'better b'])
    expect(run.changedAt() - slowFrom).toBeLessThanOrEqual(8_000)
  })

  test('by less than 300 ms leaves the operator his preference', () => {
    const run = open()
      .pass(60_000, calm)
      .pass(60_000, { ...calm, a: 320 })
    expect(run.changes()).toEqual(['first a'])
  })
})

describe('age', () => {
  test('is of the price, and not of our hearing of it; the way costs weight', () => {
    const run = open().pass(60_000, { a: 840, b: 40, c: 40 })
    expect(run.report('a').age).toBe(842)
    expect(run.report('c').age).toBe(40)
    expect(run.report('a').weight).toBeLessThan(run.report('b').weight)
  })

  test('has the offset of the clock taken off, and is never less than since we heard it', () => {
    const run = open()
    run.offset('a', -800)
    run.offset('b', 30_000)
    run.pass(60_000, { a: 840, b: 40 - 30_000, c: -500 })
    expect(run.report('a').age).toBe(42)
    expect(run.report('b').age).toBe(41)
    expect(run.report('c').age).toBe(0)
  })

  test('of a time that cannot be right is that of our hearing', () => {
    const run = open().pass(60_000, calm)
    run.hear('c', 400_000, { clock: 'behind' })
    expect(run.report('c').age).toBe(0)
  })
})

test('silence is judged though all our own ticks are late: the grace for a standstill is not renewed by each of them', () => {
  const run = open(600).pass(60_000, calm).pass(10_000, { b: 40, c: 40 })
  expect(run.changes()).toEqual(['first a', 'silence b'])
})

test('after a standstill of ours nobody is judged before what waits was read', () => {
  const run = open().pass(60_000, calm)
  admit(run.state, { type: 'tick', now: run.now() + 10_000 })
  expect(run.changes()).toEqual(['first a'])
  expect(run.state.judgeFrom).toBe(run.now() + 10_300)
})
