/** One loss is one gap, none goes on for ever, and none that is open is forgotten without a word. */
import type { Candle, Gap, GapFilled } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import { gapsOf } from '../../src/feed/gap.ts'
import { createCandles } from '../../src/services/candles.ts'
import { openDesk, X } from './losses.ts'

const MINUTE = 60_000
const T = 20 * MINUTE

/** Providers that trade at once, and a clock that ticks in between. */
function openFloor(...names: string[]) {
  const desk = openDesk(names)
  let now = T
  const place = (provider: string) => ({ provider, now, instrument: X, kind: 'trade' as const })
  const trade = (provider: string, time = now) =>
    desk.take(
      provider,
      { type: 'event', event: { type: 'trade', symbol: 'X', id: `${provider}${time}`, price: 1, size: 1, side: 'buy', time } },
      now
    )
  const past = (provider: string, time: number) =>
    desk.take(
      provider,
      { type: 'event', event: { type: 'trade', symbol: 'X', id: 'past', price: 1, size: 1, side: 'buy', time, backfill: true } },
      now
    )
  for (const name of names) desk.subscribe(name, now)
  return {
    past,
    desk,
    now: () => now,
    trade,
    /** Those who are up trade each 200 ms until then. */
    until(end: number, ...up: string[]) {
      for (; now < end; now += 100) {
        desk.give({ type: 'tick', now })
        if (now % 200 === 0) for (const name of up) trade(name)
      }
    },
    close: (provider: string) => desk.closed(provider, now),
    leave: (provider: string) => desk.give({ type: 'unsubscribed', ...place(provider) }),
    skip: (provider: string, wide: boolean, expected: number) =>
      desk.give({ type: 'gap', cause: 'sequence', action: 'resync', wide, expected, got: expected + 2, ...place(provider) }),
    report: (provider: string, from: number, to: number, numbers: { expected?: number; got?: number } = {}) =>
      desk.take(provider, { type: 'filled', how: 'rest', span: { symbol: 'X', from, to, ...numbers } }, now)
  }
}
type Floor = ReturnType<typeof openFloor>

const told = ({ desk }: Floor): (Gap | GapFilled)[] => desk.notices().filter(({ own }) => !own)
const knownOf = ({ desk }: Floor) => gapsOf(desk.gaps, X)

/** Coverage of each minute, as its candle was told last. */
function coverage({ desk, now }: Floor): (number | undefined)[] {
  const candles = createCandles()
  const state = candles.open()
  const heard = desk.told.filter(({ topic }) => topic === `trade:${X}` || topic === `gap:${X}`)
  const said = heard.flatMap(({ event }) => candles.fold(state, event))
  said.push(...candles.fold(state, { type: 'watermark', instrument: X, time: now() }))
  const last = new Map<number, Candle>()
  for (const { topic, event } of said)
    if (topic === `candle:${X}:1m` && event.type === 'candle' && event.closed) last.set(event.start, event)
  return [...last.values()].map((candle) => candle.coverage)
}

/** The lead has changed twice, and b was down a moment ago: a is lost, and b does not lead in its place at once. */
function damped(): Floor {
  const floor = openFloor('a', 'b')
  floor.until(T + 5_000, 'a', 'b')
  floor.close('a')
  floor.until(T + 7_000, 'b')
  floor.until(T + 15_000, 'a', 'b')
  floor.close('b')
  floor.until(T + 15_500, 'a')
  floor.until(T + 18_000, 'a', 'b')
  floor.close('a')
  return floor
}

describe('a gap that goes on', () => {
  test('[U13] ends where a standby that heard all of it takes over at last, and the candles after it are whole', () => {
    const floor = damped()
    const [lost] = told(floor).slice(-1) as [Gap]
    expect(lost).toMatchObject({ type: 'gap', cause: 'disconnect', lasting: true })
    floor.until(T + 18_900, 'b')
    expect(told(floor).at(-1)).toEqual(lost)
    // It says nothing more, so that the change comes with a tick.
    floor.until(T + 19_500)
    const ended = told(floor).filter((n) => n.type === 'gap' && n.id === lost.id)
    expect(ended.at(-1)).not.toHaveProperty('lasting')
    expect(told(floor).at(-1)).toMatchObject({ type: 'gap_filled', gap: lost.id, from: lost.from, to: ended.at(-1)!.to })
    expect(knownOf(floor).find(({ id }) => id === lost.id)).toMatchObject({ state: 'filled' })
    expect(knownOf(floor).find(({ id }) => id === lost.id)).not.toHaveProperty('lasting')
    floor.until(T + 4 * MINUTE, 'b')
    expect(coverage(floor)).toEqual([1, 1, 1, 1])
  })

  test('[U13] of a provider that nobody asks any more ends with the next trade, and says why it stays open', () => {
    const floor = openFloor('a')
    floor.until(T + 5_000, 'a')
    floor.close('a')
    floor.desk.subscribe('b', floor.now())
    floor.leave('a')
    floor.until(T + 8_000)
    floor.until(T + 3 * MINUTE, 'b')
    const [known] = knownOf(floor)
    expect(known).toMatchObject({ state: 'open', why: 'a is not asked for it any more', to: T + 8_000 })
    expect(known).not.toHaveProperty('lasting')
    expect(coverage(floor).slice(1)).toEqual([1, 1])
  })
})

describe('a gap that was filled', () => {
  test('[U13] stays so: what its provider loses once more, leading again by its past alone, lies in the hole that is open, which ends', () => {
    const floor = openFloor('a', 'b')
    floor.until(T + 5_000, 'a', 'b')
    floor.close('a')
    floor.until(T + 6_000, 'b')
    floor.close('b')
    floor.until(T + 9_000)
    floor.past('a', T + 4_700)
    floor.close('a')
    expect(knownOf(floor).filter(({ own }) => !own)).toMatchObject([
      { provider: 'a', state: 'filled', to: T + 5_000 },
      { provider: 'b', state: 'open', lasting: true }
    ])
    floor.until(T + 10_000)
    floor.until(T + 4 * MINUTE, 'b')
    expect(knownOf(floor).filter(({ own, lasting }) => !own && lasting)).toEqual([])
    expect(coverage(floor).slice(1)).toEqual([1, 1, 1])
  })
})

describe('a loss', () => {
  test('that the count of frames of a connection shows, and the break that follows from it, are one gap, filled by time', () => {
    const floor = openFloor('a')
    floor.until(T + 5_000, 'a')
    floor.skip('a', true, 17)
    floor.close('a')
    floor.until(T + 6_000)
    floor.trade('a')
    // Trades have numbers of their own.
    floor.report('a', T + 4_800, T + 6_000, { expected: 1_000_001, got: 1_000_003 })
    expect(knownOf(floor)).toMatchObject([{ cause: 'sequence', expected: 17, state: 'filled', from: T + 4_800, to: T + 6_000 }])
  })

  test('of numbered trades is filled by the span with its number alone', () => {
    const floor = openFloor('a')
    floor.until(T + 5_000, 'a')
    floor.skip('a', false, 17)
    floor.trade('a')
    floor.report('a', T + 4_000, T + 6_000, { expected: 20, got: 22 })
    expect(knownOf(floor)).toMatchObject([{ state: 'open' }])
    floor.report('a', T + 4_000, T + 6_000, { expected: 17, got: 19 })
    expect(knownOf(floor)).toMatchObject([{ state: 'filled' }])
  })

  test('of a standby by its count of frames is not told as one of the arbitrated stream, nor twice', () => {
    const floor = openFloor('a', 'b')
    floor.until(T + 5_000, 'a', 'b')
    floor.skip('b', true, 17)
    floor.close('b')
    expect(knownOf(floor)).toMatchObject([{ provider: 'b', own: true, lasting: true }])
    expect(told(floor)).toEqual([])
  })

  test('of the leader by its count of frames stays one of the arbitrated stream when its connection closes', () => {
    const floor = openFloor('a', 'b')
    floor.until(T + 5_000, 'a', 'b')
    floor.skip('a', true, 17)
    floor.close('a')
    expect(knownOf(floor)).toMatchObject([{ provider: 'a', state: 'filled' }])
    expect(knownOf(floor)[0]).not.toHaveProperty('own')
  })

  test('without REST is told open for good, with the reason', () => {
    const floor = openFloor('a')
    floor.until(T + 5_000, 'a')
    floor.skip('a', true, 17)
    floor.close('a')
    floor.until(T + 6_000)
    floor.trade('a')
    const span = { symbol: 'X', from: T + 4_800, to: T + 6_000, expected: 1_000_001, got: 1_000_003 }
    floor.desk.take('a', { type: 'unfilled', span, reason: 'it is lost' }, floor.now())
    expect(knownOf(floor)).toMatchObject([{ state: 'open', why: 'it is lost' }])
  })
})

describe('of many gaps', () => {
  const skips = (floor: Floor, provider: string, count: number) => {
    for (let i = 0; i < count; i++) {
      floor.until(floor.now() + 200, 'a', 'b')
      floor.skip(provider, false, 10 * i)
      floor.trade(provider, floor.now() - 1)
    }
  }

  test('one that is pushed out of the open ones is told once more, open for good, with the reason', () => {
    const floor = openFloor('a')
    skips(floor, 'a', 20)
    const open = floor.desk.gaps.open.get(`trade:${X}`)!
    expect(open.length).toBe(16)
    const out = knownOf(floor).slice(0, 4)
    for (const { id, why } of out) {
      expect(why).toBe('more than 16 are open at once')
      // It opened, its end was known, and it was given up.
      const last = told(floor).findLast((n) => n.type === 'gap' && n.id === id)
      expect(told(floor).filter((n) => n.type === 'gap' && n.id === id).length).toBe(3)
      expect(last).toMatchObject({ action: 'open' })
    }
    expect(new Set([...open.map(({ gap }) => gap.id), ...out.map(({ id }) => id)]).size).toBe(20)
  })

  test('those that only a standby misses push none of the leader out, neither of the open ones nor of those that are listed', () => {
    const floor = openFloor('a', 'b')
    floor.until(T + 5_000, 'a')
    floor.skip('a', false, 1_000)
    floor.trade('a', floor.now() - 1)
    const [mine] = knownOf(floor)
    skips(floor, 'b', 120)
    expect(knownOf(floor)[0]).toMatchObject({ id: mine!.id, provider: 'a' })
    expect(knownOf(floor).length).toBe(51)
    expect(floor.desk.gaps.open.get(`trade:${X}`)![0]!.gap.id).toBe(mine!.id)
  })

  test('all that were told of a provider are counted, whatever showed them', () => {
    const floor = openFloor('a')
    floor.until(T + 5_000, 'a')
    floor.skip('a', false, 17)
    floor.trade('a', floor.now() - 1)
    floor.close('a')
    expect(floor.desk.gaps.told.get('a')).toBe(2)
  })
})

describe('the times of a gap', () => {
  test('are in order: it has a length, and what fills it is told no earlier than it', () => {
    const floor = openFloor('a', 'b')
    const quote = (provider: string, time: number) =>
      floor.desk.take(
        provider,
        { type: 'event', event: { type: 'quote', symbol: 'X', bid: 1, ask: 2, bidSize: 1, askSize: 1, time } },
        floor.now()
      )
    const place = (provider: string) => ({ provider, now: floor.now(), instrument: X, kind: 'quote' as const })
    for (const provider of ['a', 'b']) floor.desk.give({ type: 'subscribed', ...place(provider) })
    for (let i = 0; i < 50; i++) {
      floor.until(floor.now() + 100)
      if (i % 2 === 0) quote('b', floor.now() - 30)
      else quote('a', floor.now())
    }
    // The last quote of the standby was there before the leader was lost.
    floor.desk.give({ type: 'closed', reason: 'reset', ...place('a') })
    const notices = floor.desk.notices()
    expect(notices.map(({ type }) => type)).toEqual(['gap', 'gap_filled'])
    const [gap, word] = notices as [Gap, GapFilled]
    expect(word.time).toBeGreaterThanOrEqual(gap.time)
    for (const { from, to } of [gap, word]) expect(to).toBeGreaterThan(from)
  })

  test('leave something between them where the next trade is dated before the last one', () => {
    const floor = openFloor('a')
    floor.until(T + 5_000, 'a')
    floor.close('a')
    floor.until(T + 6_000)
    floor.trade('a', T + 4_700)
    const notices = told(floor).filter((n): n is Gap => n.type === 'gap')
    expect(notices.length).toBe(2)
    for (const { from, to } of notices) expect(to).toBeGreaterThan(from)
  })
})
