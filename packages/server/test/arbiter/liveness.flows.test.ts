import { describe, expect, test } from 'vitest'
import { beat, openPulse } from '../../src/arbiter/pulse.ts'
import { detection, falseAlarms, FLOWS, quantile, RATES, type FlowName, type Witness } from './flows.ts'

const ALL = Object.keys(FLOWS) as FlowName[]
/** What a thin flow of 0.01/s says in a week. */
const WEEK = 6_048

describe('thin flows', () => {
  const rows = ALL.flatMap((flow) => (['alone', 'other', 'same market'] as const).map((witness) => [flow, witness] as const))
  test.each<readonly [FlowName, Witness]>(rows)('%s at 0.01/s, %s: at most one false alarm in a symbol-week, over ten of them', (flow, witness) => {
    let alarms = 0
    for (let seed = 1; seed <= 10; seed++) alarms += falseAlarms({ flow, perSecond: 0.01, seed, witness }, WEEK).alarms
    expect(alarms / 10).toBeLessThanOrEqual(1)
  }) // prettier-ignore
})

describe('every flow', () => {
  test.each(ALL.flatMap((flow) => RATES.map((rate) => [flow, rate] as const)))(
    '%s at %d/s: a mute symbol, socket or market is noticed, however it comes, in bounded time [T4]',
    (flow, perSecond) => {
      const seeds = Array.from({ length: 14 }, (_, seed) => seed)
      const symbol = seeds.map((seed) => detection({ flow, perSecond, seed }, 'symbol', 300))
      const socket = seeds.map((seed) => detection({ flow, perSecond, seed, siblings: 9 }, 'socket', 150))
      const all = seeds.map((seed) => detection({ flow, perSecond, seed }, 'all', 300))
      const step = Math.max(100, 50 / perSecond)
      // By the clock it is noticed at the limit; the others' words may prove it earlier, or be few and make it half as long again.
      for (const { delay, limit } of symbol) expect(delay).toBeLessThanOrEqual(1.5 * limit + 2 * step)
      for (const { delay, limit } of all) expect(Math.abs(delay - 1.5 * limit)).toBeLessThanOrEqual(2 * step)
      // Nine other instruments of the same pace: a broken socket is told by all of them at once.
      const [ofSocket, ofSymbol] = [socket, symbol].map((runs) => quantile(runs.map((run) => run.delay), 0.5)) as [number, number] // prettier-ignore
      expect(ofSocket).toBeLessThanOrEqual(perSecond < 10 ? ofSymbol / 2 : Math.max(ofSymbol, 1_100))
    }
  )

  test.each(ALL)(
    '%s: an active symbol whose usual interval is a third of a second or less is noticed within 2 s [T4]',
    (flow) => {
      const runs = [100, 300, 1_000].flatMap((perSecond) =>
        Array.from({ length: 60 }, (_, seed) => detection({ flow, perSecond, seed, witness: 'same market' }, 'symbol', 300))
      )
      const active = runs.filter((run) => run.usual <= 333)
      expect(active.length).toBeGreaterThan(150)
      expect(quantile(active.map((run) => run.delay), 0.99)).toBeLessThanOrEqual(2_000) // prettier-ignore
      expect(quantile(active.map((run) => run.delay), 0.5)).toBeLessThanOrEqual(1_100) // prettier-ignore
    }
  )

  test('regular words are noticed within five usual intervals, or a second, though some are lost', () => {
    for (const perSecond of [0.1, 1, 10, 100])
      for (let seed = 0; seed < 50; seed++) {
        const { delay, usual } = detection({ flow: 'poll', perSecond, seed }, 'symbol', 300)
        expect(delay).toBeLessThanOrEqual(Math.max(1_000, 5 * usual) + 2 * Math.max(100, 50 / perSecond))
      }
  })

  test.each<[FlowName, number, Witness, number]>([
    ['poisson', 1, 'alone', 0.01],
    ['poisson', 1, 'other', 0.1],
    ['poisson', 10, 'alone', 0.1],
    ['poisson', 10, 'other', 0.5],
    ['hawkes', 1, 'other', 0.2],
    ['hawkes', 10, 'other', 1],
    ['day', 1, 'other', 0.1],
    ['lognormal', 1, 'alone', 0.5],
    ['lognormal', 1, 'same market', 1]
  ])('%s at %d/s, %s: at most %d false alarms an hour', (flow, perSecond, witness, most) => {
    const { alarms, time } = falseAlarms({ flow, perSecond, seed: 3, witness }, 150_000)
    expect((alarms * 3_600_000) / time).toBeLessThanOrEqual(most)
  })
})

test('the order of events of one instant changes nothing', () => {
  const learnt = (times: readonly number[]) => {
    const pulse = openPulse()
    for (const [n, at] of times.entries()) beat(pulse, at, n)
    return pulse.clock
  }
  expect(learnt([0, 100, 100, 100, 250])).toEqual(learnt([0, 100, 250, 250, 250]))
})
