/** The offset of a provider's clock: learnt within bounds that hold, whatever the way is like, and learnt anew when a clock is set. */
import { isOfItsTime, type Trade } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { impossible } from '../../src/arbiter/possible.ts'
import {
  ageOf,
  clockOf,
  disorder,
  learn,
  noteDated,
  noteRoundTrip,
  openSkew,
  shake,
  shift,
  type Skew
} from '../../src/connection/skew.ts'
import { countEvent, openTally, statusOf, tick } from '../../src/connection/tally.ts'

const START = Date.UTC(2026, 10, 20)

/** mulberry32 */
const chance = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

type Way = { offset: number; least: number; jitter: number; perSecond: number; roundTrip?: number }
/** Words of one provider over a way with exponential jitter; some are held up for seconds, and all behind them. */
function walk(skew: Skew, random: () => number, { offset, least, jitter, perSecond }: Way, from: number, until: number): void {
  let arrived = 0
  for (let at = from; at < until; at += (-Math.log(1 - random()) * 1_000) / perSecond) {
    const held = random() < 0.01 ? random() * 3_000 : 0
    // In order, as on one connection.
    arrived = Math.max(arrived, Math.floor(at + least - jitter * Math.log(1 - random()) + held))
    learn(skew, Math.floor(at + offset), arrived)
  }
}

test('after a minute on loopback the offset of a clock that is up to 3 s wrong is known within 5 ms: 2,000 seeded ways', () => {
  let worst = 0
  let outside = 0
  for (let seed = 1; seed <= 2_000; seed++) {
    const random = chance(seed)
    const offset = (random() - 0.5) * 6_000
    const skew = openSkew()
    noteRoundTrip(skew, 0.5 + random() * 6)
    const way = { offset, least: 0.1 + random() * 0.15, jitter: 0.5 + random() * 10, perSecond: 5 + random() * 10 }
    walk(skew, random, way, START, START + 60_000)
    const clock = clockOf(skew)!
    const error = Math.abs(clock.offset - offset)
    worst = Math.max(worst, error)
    if (error > clock.uncertainty) outside++
  }
  expect(worst).toBeLessThan(5)
  expect(outside).toBe(0)
})

test('over the network the truth lies within the uncertainty that is told, however long the way: 1,000 seeded ways', () => {
  let outside = 0
  for (let seed = 1; seed <= 1_000; seed++) {
    const random = chance(seed)
    const way = { offset: (random() - 0.5) * 6_000, least: 1 + random() * 80, jitter: random() * 30, perSecond: 5 }
    const skew = openSkew()
    noteRoundTrip(skew, 2 * way.least * (1 + random()))
    walk(skew, random, way, START, START + 60_000)
    const clock = clockOf(skew)!
    if (Math.abs(clock.offset - way.offset) > clock.uncertainty) outside++
  }
  expect(outside).toBe(0)
})

test('dates of answers bound the offset, also where every word is held back at its source: 500 seeded ways', () => {
  let outside = 0
  let wide = 0
  for (let seed = 1; seed <= 500; seed++) {
    const random = chance(seed)
    const offset = (random() - 0.5) * 6_000
    const skew = openSkew()
    noteRoundTrip(skew, 2)
    walk(skew, random, { offset, least: 400, jitter: 5, perSecond: 10 }, START, START + 60_000)
    for (let i = 0; i < 60; i++) {
      const sent = START + 60_000 + i * 1_017 + random() * 900
      const time = Math.floor((sent + 1 + offset) / 1_000) * 1_000
      noteDated(skew, { sent, received: sent + 2, time, resolution: 1_000 })
    }
    const clock = clockOf(skew)!
    if (Math.abs(clock.offset - offset) > clock.uncertainty) outside++
    if (clock.uncertainty > 100) wide++
  }
  expect(outside).toBe(0)
  expect(wide).toBeLessThan(25)
})

test('nothing is told before a few words have come, nor of words that carry no time of their own', () => {
  const tally = openTally('one')
  for (let i = 0; i < 100; i++) countEvent(tally, quote(START + i), START + i)
  expect(statusOf(tally, START + 1_000, more).clock).toBeUndefined()
  const skew = openSkew()
  for (let i = 0; i < 4; i++) learn(skew, START + i, START + i + 3)
  expect(clockOf(skew)).toBeUndefined()
})

const more = { connections: 1, subscriptions: 1, simulated: true, gaps: 0 }
const quote = (time: number) => ({ type: 'quote' as const, symbol: 'X', time, bid: 1, bidSize: 1, ask: 2, askSize: 1 })
const trade = (time: number) => ({ type: 'trade' as const, symbol: 'X', time, price: 1, size: 1, side: 'buy' as const })

const steady = (offset: number, from = START, seconds = 60): Skew => {
  const skew = openSkew()
  walk(skew, chance(7), { offset, least: 1, jitter: 3, perSecond: 10 }, from, from + seconds * 1_000)
  return skew
}

test.each([3_600_000, -3_600_000, 30_000, -30_000, 5_000, -5_000])(
  "a provider's clock that is set by %d ms is noticed and learnt anew within 15 s [U8]",
  (by) => {
    const skew = steady(100)
    walk(skew, chance(8), { offset: 100 + by, least: 1, jitter: 3, perSecond: 10 }, START + 60_000, START + 75_000)
    const clock = clockOf(skew)!
    expect(Math.abs(clock.offset - 100 - by)).toBeLessThanOrEqual(clock.uncertainty)
    expect(clock.steppedAt! - START).toBeGreaterThan(60_000)
  }
)

test('single words from another time move nothing: not ahead, not behind, not of 1970 or 2100 [U8]', () => {
  const skew = steady(0)
  const random = chance(9)
  const before = clockOf(skew)!.offset
  for (let i = 0; i < 600; i++) {
    const at = START + 60_000 + i * 100
    learn(skew, at - 2 - random() * 5, at)
    if (i % 3 === 0) learn(skew, [0, at * 1_000, at / 1_000, at + 4e6 * (random() - 0.5), Number.NaN][i % 5]!, at)
  }
  expect(Math.abs(clockOf(skew)!.offset - before)).toBeLessThan(5)
  expect(clockOf(skew)!.steppedAt).toBeUndefined()
})

test('a backlog that drains is late, not a clock that was set', () => {
  const skew = steady(0)
  for (let i = 0; i < 200; i++) learn(skew, START + 60_000 + i * 50, START + 80_000 + i * 5)
  expect(clockOf(skew)!.steppedAt).toBeUndefined()
  expect(clockOf(skew)!.offset).toBeLessThan(60)
  expect(ageOf(skew, START + 60_000, START + 80_000)).toBeGreaterThan(19_000)
})

test('our own clock set back moves every offset by as much, at once; set ahead, within a second [B12]', () => {
  const back = steady(200)
  const before = clockOf(back)!.offset
  shift(back, -3_600_000, START + 60_000 - 3_600_000)
  expect(clockOf(back)!.offset).toBeCloseTo(before + 3_600_000, 3)

  const ahead = steady(200)
  shake(ahead)
  for (let i = 0; i < 10; i++) learn(ahead, START + 60_000 + i * 100 + 200, START + 60_000 + 3_600_000 + i * 100 + 2)
  expect(Math.abs(clockOf(ahead)!.offset + 3_600_000 - 200)).toBeLessThan(60)
})

test('a tally hears of our own clock by its ticks, and by its words', () => {
  const tally = openTally('one')
  for (let i = 0; i < 600; i++) {
    tick(tally, START + i * 100)
    countEvent(tally, trade(START + i * 100 - 3), START + i * 100)
  }
  const { offset } = statusOf(tally, START + 60_000, more).clock!
  tick(tally, START - 3_600_000)
  expect(statusOf(tally, START - 3_600_000, more).clock!.offset).toBeCloseTo(offset + 59_900 + 3_600_000, 3)
})

test('the latency shown has the offset taken off and is never below zero; what cannot be a time is neither shown nor learnt', () => {
  const tally = openTally('one')
  for (let i = 0; i < 600; i++) {
    const now = START + i * 100
    countEvent(tally, trade(now + 3_000 - 4 - (i % 7)), now)
    if (i % 10 === 0) {
      const wrong = trade(now + 60_000)
      countEvent(tally, wrong, now)
      expect(wrong).toHaveProperty('clock', 'ahead')
    }
  }
  const { latency, clock } = statusOf(tally, START + 60_000, more)
  expect(Math.abs(clock!.offset - 3_000)).toBeLessThan(60)
  expect(latency).toBeGreaterThanOrEqual(0)
  expect(latency).toBeLessThan(100)
})

test('an event says where its time cannot be right: ahead, or further behind than a live trade is under way [U8]', () => {
  const skew = steady(0)
  const now = START + 60_000
  expect(disorder(skew, trade(now - 10), now)).toBeUndefined()
  expect(disorder(skew, trade(now + 4_000), now)).toBeUndefined()
  expect(disorder(skew, trade(now + 6_000), now)).toBe('ahead')
  expect(disorder(skew, trade(now - 301_000), now)).toBe('behind')
  expect(disorder(skew, { ...trade(now - 301_000), backfill: true }, now)).toBeUndefined()
  expect(disorder(skew, { ...trade(now - 901_000), delayed: 900_000 }, now)).toBeUndefined()
  expect(disorder(skew, quote(now - 3_600_000), now)).toBeUndefined()
  expect(disorder(skew, quote(now - 90_000_000), now)).toBe('behind')
  // A clock that is known to be wrong by an hour is wrong on every word, however well its age is known.
  expect(disorder(steady(3_600_000), trade(now + 3_600_000), now)).toBe('ahead')
  expect(disorder(steady(-3_600_000), trade(now - 3_600_000), now)).toBe('behind')
  // One that is wrong by three seconds is not: the offset is allowed for.
  expect(disorder(steady(-4_000), trade(now - 4_000), now)).toBeUndefined()
})

test.each([
  ['seconds', START / 1_000],
  ['microseconds', START * 1_000],
  ['nanoseconds', START * 1e6],
  ['1970', 0],
  ['2100', Date.UTC(2100, 0)]
])('a time in %s is no time: the event is refused [U8]', (_, time) => {
  const stamp = { provider: 'one', instrument: 'X', time, received: START }
  expect(impossible({ type: 'trade', ...stamp, price: 1, size: 1, side: 'buy' })).toBe('impossible time')
})

test('of a clock that jumps by hours, or mixes units, no live trade gets into a candle of another time: 300 seeded runs [U8]', () => {
  let taken = 0
  for (let seed = 1; seed <= 300; seed++) {
    const random = chance(seed)
    const tally = openTally('one')
    let offset = 0
    for (let now = START; now < START + 120_000; now += random() * 1_000) {
      if (random() < 0.02) offset = (random() - 0.5) * 4 * 3_600_000
      const units = random() < 0.05 ? [1_000, 0.001, 1e6, 0][Math.floor(random() * 4)]! : 1
      const event: ReturnType<typeof trade> & Pick<Trade, 'clock'> = trade((now + offset - random() * 50) * units)
      countEvent(tally, event, now)
      const { symbol: instrument, ...rest } = event
      const heard: Trade = { ...rest, provider: 'one', instrument, received: now }
      if (impossible(heard) !== undefined || !isOfItsTime(heard)) continue
      taken++
      expect(Math.abs(now - heard.time)).toBeLessThanOrEqual(300_000)
    }
  }
  expect(taken).toBeGreaterThan(10_000)
})
