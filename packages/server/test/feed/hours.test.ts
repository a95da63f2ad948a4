/** Silence by right: in a halt, and while the market is closed, nobody needs to speak. */
import type { Trade } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { admit, createArbiter, type ArbiterSettings } from '../../src/arbiter/arbiter.ts'
import { createCalendar } from '../../src/calendar/calendar.ts'
import { createInstruments } from '../../src/feed/instruments.ts'
import { marketsOf } from '../../src/feed/hours.ts'
import { arbitrationOf } from '../../src/arbiter/verdict.ts'

const X = 'AAPL'
/** A Friday; New York trades until 21:00. */
const T0 = Date.parse('2026-01-09T20:00:00Z')
const HOUR = 3_600_000

function drive(settings: Partial<ArbiterSettings> = {}) {
  const state = createArbiter({ order: ['a', 'b'], ...settings })
  let now = T0
  const causes: string[] = []
  const give = (input: Parameters<typeof admit>[1]) => {
    for (const output of admit(state, input))
      if ('topic' in output && output.event.type === 'status') causes.push(output.event.cause)
  }
  for (const provider of ['a', 'b']) give({ type: 'subscribed', provider, kind: 'trade', instrument: X, now })
  const trade = (provider: string): Trade => ({
    type: 'trade', provider, instrument: X, time: now, received: now, id: `${provider}${now}`, price: 100, size: 1, side: 'buy'
  }) // prettier-ignore
  const told = () => arbitrationOf(state, state.lanes.get(`trade:${X}`)!, now).sources
  return {
    causes,
    /** Both trade every 100 ms. */
    busy(until: number) {
      for (; now < until; now += 100) {
        give({ type: 'tick', now })
        for (const provider of ['a', 'b']) give({ type: 'event', event: trade(provider) })
      }
    },
    silent(until: number, step = 100) {
      for (; now < until; now += step) give({ type: 'tick', now })
    },
    jump: (to: number) => void (now = to),
    halt: (since?: number) => give({ type: 'halt', instrument: X, since }),
    livenessOf: () => told().map(({ liveness }) => liveness),
    reasons: () => told().map(({ reason }) => reason)
  }
}

test('a halt is told as a halt and drops no leader; what is silent after it is', () => {
  const run = drive()
  run.busy(T0 + 30_000)
  run.halt(T0 + 30_000)
  run.silent(T0 + 300_000)
  expect(run.causes).toEqual(['first'])
  expect(run.livenessOf()).toEqual(['halted', 'halted'])
  run.halt()
  run.silent(T0 + 310_000)
  expect(run.causes).toEqual(['first', 'silence'])
})

test('a closed market drops no leader over the weekend, and at the open silence counts from the open', () => {
  const market = createCalendar()
  const run = drive({ market: (_, now) => market('XNYS', now) })
  run.busy(T0 + 30_000)
  run.jump(T0 + 2 * HOUR)
  run.silent(T0 + 2 * HOUR + 10_000)
  run.jump(T0 + 10 * HOUR)
  run.silent(T0 + 60 * HOUR, HOUR)
  expect(run.livenessOf()).toEqual(['closed', 'closed'])
  expect(run.causes).toEqual(['first'])
  const open = Date.parse('2026-01-12T14:30:00Z')
  run.jump(open)
  run.silent(open + 900)
  expect(run.causes).toEqual(['first'])
  run.silent(open + 60_000)
  expect(run.causes).toEqual(['first', 'silence'])
})

test('an instrument has the hours of its listing, else those of whoever carries it', () => {
  const instruments = createInstruments()
  instruments.add('a', [{ symbol: 'X', base: 'X', trading: true }])
  instruments.add('b', [{ symbol: 'C', base: 'BTC', quote: 'USD', trading: true, calendar: '24/7' }])
  const carriers = [
    { adapter: { provider: 'a', calendar: 'XLON' as const } },
    { adapter: { provider: 'b', calendar: 'XNYS' as const } }
  ]
  const asked: string[] = []
  const market = marketsOf(
    (calendar, now) => (asked.push(calendar), { session: 'regular', since: now, until: now }),
    instruments,
    carriers
  )!
  market('X', 0)
  market('BTC-USD', 0)
  expect(market('UNKNOWN', 0)).toBeUndefined()
  expect(asked).toEqual(['XLON', '24/7'])
  expect(marketsOf(undefined, instruments, carriers)).toBeUndefined()
})

test('whose prices are too old to count is not said to have told none', () => {
  const run = drive()
  run.busy(T0 + 30_000)
  run.silent(T0 + 900_000, 1_000)
  expect(run.reasons()).toEqual([
    expect.stringMatching(/^its last price is \d+\.\d s old/) as string,
    expect.stringMatching(/^its last price is \d+\.\d s old/) as string
  ])
})
