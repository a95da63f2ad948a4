import { describe, expect, test } from 'vitest'
import { livenessOf, type Evidence } from '../../src/arbiter/liveness.ts'
import { beat, muteLimit, openPulse, silenceLimit, usualInterval, wake, type Pulse } from '../../src/arbiter/pulse.ts'
import { chance, FLOWS } from './flows.ts'

const T0 = 1_700_000_000_000
const NOW = T0 + 1_000_000

/** A source that spoke every 100 ms and last `ago` milliseconds before NOW; another spoke half way between. */
function steady(ago: number, more: Partial<Evidence> = {}, every = 100, count = 600): Evidence {
  const pulse = openPulse()
  const last = NOW - ago
  for (let n = 0; n < count; n++) beat(pulse, last - (count - 1 - n) * every, 2 * n + 1)
  return { state: 'live', since: T0, pulse, ...more }
}
const spoke = (words: number, ago = 50) => ({ others: { words, heard: NOW - ago } })
const told = (evidence: Evidence) => {
  const { state, why } = livenessOf(evidence, NOW)
  return `${state}: ${why}`
}
const regular = { session: 'regular', since: T0, until: NOW + 60_000 } as const

describe('a source is', () => {
  test.each<[string, Evidence, RegExp]>([
    ['asked before its first word', { state: 'asked', since: NOW - 3_000, pulse: openPulse() }, /^asked: asked 3\.0 s ago and never heard yet$/],
    ['live while it speaks', steady(80), /^live: it spoke 0\.1 s ago, and usually within 0\.1 s$/],
    ['late beyond what is usual', steady(600, spoke(6)), /^late: it said nothing for 0\.6 s \(usually speaks within 0\.1 s\), as happens once in [\d,]+ times$/],
    ['stale when others go on [T4]', steady(1_100, spoke(11)), /^stale: it said nothing for 1\.1 s \(usually speaks within 0\.1 s\) while others spoke 11 times, the last 0\.1 s ago$/],
    ['not stale so soon with nobody to compare', steady(1_400), /^late/],
    ['stale a little later with nobody to compare', steady(1_600), /^stale: it said nothing for 1\.6 s \(usually speaks within 0\.1 s\)$/],
    ['not stale so soon when the others are as silent', steady(1_400, spoke(0, 1_500)), /^late/],
    ['nor when they said less than usual, because the market is quiet', steady(1_400, spoke(1)), /^late/],
    ['stale in time though all are silent', steady(1_600, spoke(0, 1_700)), /^stale: .*, nor did anyone else since$/],
    ['stale though heartbeats go on', steady(1_600, { transport: { heard: NOW - 20, staleAfter: 30_000 } }), /^stale: .*, though its connection is open and was heard 0\.0 s ago$/],
    ['stale without a word of a connection heard only before', steady(1_600, { transport: { heard: NOW - 3_500, staleAfter: 30_000 } }), /^stale: it said nothing for 1\.6 s \(usually speaks within 0\.1 s\)$/],
    ['dead without its heartbeats', steady(80, { transport: { heard: NOW - 16_000, staleAfter: 30_000 } }), /^dead: nothing heard for 16\.0 s; hanging up at 30\.0 s$/],
    ['dead while its connection is down', steady(80, { state: 'closed', since: NOW - 5_000 }), /^dead: its connection is down for 5\.0 s$/],
    ['closed with its market, however long', steady(900_000, { ...spoke(500), market: { session: 'closed', since: T0, until: NOW + 60_000 } }), /^closed: its market is closed until 2023-11-14T/],
    ['live out of regular hours, however silent', steady(900_000, { ...spoke(500), market: { ...regular, session: 'pre' } }), /^live: .*; out of regular hours silence is no fault$/],
    ['halted by its venue, however long', steady(900_000, { ...spoke(500), halted: NOW - 800_000 }), /^halted: its venue halted it 800\.0 s ago$/],
    ['live just after the opening, though the night was long', steady(900_000, { market: { ...regular, since: NOW - 300 } }), /^live/],
    ['stale when the opening brings nothing', steady(900_000, { ...spoke(20), market: { ...regular, since: NOW - 1_500 } }), /^stale: it said nothing for 1\.5 s/]
  ])('%s', (_, evidence, expected) => expect(told(evidence)).toMatch(expected)) // prettier-ignore

  test('dead, thin as it is, when all of its socket is silent and others speak; stale when nobody does', () => {
    const thin = steady(4_000, spoke(1), 20_000, 60)
    expect(told(thin)).toMatch(/^live/)
    const { pulse: whole } = steady(1_300)
    expect(told({ ...thin, whole })).toMatch(
      /^dead: it said nothing at all for 1\.3 s \(usually speaks within 0\.1 s\) while others/
    )
    expect(told({ ...thin, whole, others: undefined })).toMatch(/^live/)
    const { pulse: longer } = steady(1_600)
    expect(told({ ...thin, whole: longer, others: undefined })).toMatch(/^stale: it said nothing at all for 1\.6 s/)
  })

  test('live when its socket goes on and it is thin itself', () => {
    const { pulse: whole } = steady(50)
    expect(told(steady(40_000, { whole, ...spoke(1) }, 20_000, 60))).toMatch(/^live/)
  })

  test('never called stale after a few words, with nobody to compare', () => {
    expect(told(steady(800_000, {}, 100, 5))).toBe('live: it spoke 800.0 s ago, and too seldom so far to know what is usual')
  })

  test('in its state since the limit was passed, and that does not move while it is silent', () => {
    const evidence = steady(5_000, spoke(50))
    expect(livenessOf(evidence, NOW).since).toBe(NOW - 4_000)
    expect(livenessOf(evidence, NOW + 5_000).since).toBe(NOW - 4_000)
  })
})

describe('what is usual', () => {
  const learnt = (intervals: Iterable<number>): Pulse => {
    const pulse = openPulse()
    let at = T0
    beat(pulse, at)
    for (const interval of intervals) beat(pulse, (at += interval))
    return pulse
  }
  const many = (count: number, interval: number) => Array.from({ length: count }, () => interval)
  const random = (name: keyof typeof FLOWS, perSecond: number, count: number, seed: number) => {
    const flow = FLOWS[name](perSecond, chance(seed))
    return Array.from({ length: count }, () => flow(0))
  }

  test('is what all but 2 % are shorter than, and three times that is proof for independent trades', () => {
    const pulse = learnt(random('poisson', 0.1, 20_000, 1))
    expect(usualInterval(pulse)).toBeGreaterThan(33_000)
    expect(usualInterval(pulse)).toBeLessThan(48_000)
    expect(silenceLimit(pulse) / usualInterval(pulse)).toBeGreaterThanOrEqual(3)
    expect(silenceLimit(pulse) / usualInterval(pulse)).toBeLessThan(4.5)
  })

  test('bursts need more patience than that: their tail is longer than random', () => {
    const pulse = learnt(random('lognormal', 0.1, 20_000, 1))
    expect(silenceLimit(pulse) / usualInterval(pulse)).toBeGreaterThan(6)
  })

  test('is not moved by one outage, however long [T4]', () => {
    const before = learnt(many(300, 100))
    const after = learnt([...many(300, 100), 3_600_000, ...many(20, 100)])
    expect(silenceLimit(after)).toBe(silenceLimit(before))
    expect(muteLimit(after)).toBe(1_500)
  })

  test.each([[100_000], [1_000], [200]])('a flow that becomes a hundred times thinner after %i words is learnt within eight intervals', (words) => {
    const pulse = learnt(many(words, 100))
    let at = pulse.heard
    let alarms = 0
    for (let n = 0; n < 200; n++) {
      if (10_000 > silenceLimit(pulse)) alarms++
      beat(pulse, (at += 10_000))
    }
    expect(alarms).toBeGreaterThan(0)
    expect(alarms).toBeLessThanOrEqual(8)
  }) // prettier-ignore

  test('one that becomes a hundred times thicker is known as such within minutes', () => {
    const pulse = learnt([...many(1_000, 10_000), ...many(6_000, 100)])
    expect(silenceLimit(pulse)).toBe(1_000)
  })

  test('a night, slept through, is no interval', () => {
    const pulse = learnt(many(20, 1_000))
    const [total, limit] = [pulse.clock.total, silenceLimit(pulse)]
    wake(pulse, pulse.heard + 60_000_000)
    beat(pulse, pulse.heard + 1_000)
    expect(pulse.clock.total).toBeGreaterThan(total)
    expect(silenceLimit(pulse)).toBeLessThanOrEqual(limit)
  })

  test('events of one instant are one word', () => {
    const pulse = learnt(many(20, 1_000))
    const { count } = pulse.clock
    for (let n = 0; n < 50; n++) beat(pulse, pulse.heard)
    expect(pulse.clock.count).toBe(count)
  })
})
