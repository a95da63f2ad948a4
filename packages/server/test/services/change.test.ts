/** Changes over windows against an oracle that keeps every trade; breadth against a count by hand. */
import type { Breadth, Change, Ticker, Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPlant } from '../../src/plant/plant.ts'
import { createBreadth, groupsOf } from '../../src/services/breadth.ts'
import { change, MINUTES, SLOTS, WINDOWS } from '../../src/services/change.ts'
import { hostServices } from '../../src/services/run.ts'
import type { Output, Service } from '../../src/services/service.ts'

const MINUTE = 60_000
const T0 = 1_795_132_800_000
const stamp = (time: number, instrument = 'BTC-USDT') => ({ provider: 'one', instrument, time, received: time })
const trade = (time: number, price: number, size = 1, more: Partial<Trade> = {}): Trade => ({
  type: 'trade',
  ...stamp(time),
  price,
  size,
  side: 'buy',
  ...more
})
const watermark = (time: number, instrument = 'BTC-USDT') => ({ type: 'watermark' as const, instrument, time })
const changes = (outputs: readonly Output[]): Change[] => outputs.map(({ event }) => event as Change)
const percent = (now: number, then: number) => Math.round((now / then - 1) * 1e6) / 1e4

type Step = { after: number; late: number; price: number; size: number; watermark: boolean }
const steps = fc.array(
  fc.record({
    after: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 30_000_000 }) }
    ),
    late: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }) }),
    price: fc.integer({ min: 1, max: 1_000 }),
    size: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50 })),
    watermark: fc.boolean()
  }),
  { minLength: 1, maxLength: 150 }
)

/** Every trade is kept, in the order of its coming, and all is computed anew. */
function oracle(trades: readonly Trade[], now: number): { price: number; windows: Record<string, number> } {
  const latest = (until: number): Trade | undefined =>
    trades.filter(({ time }) => time < until).reduce<Trade | undefined>((a, b) => (a && a.time > b.time ? a : b), undefined)
  const last = latest(Infinity)!
  const windows: Record<string, number> = {}
  for (const [name, length] of Object.entries(WINDOWS)) {
    const slot = length / SLOTS
    const then = latest((Math.floor(now / slot) - SLOTS + 1) * slot)
    if (then) windows[name] = percent(last.price, then.price)
  }
  return { price: last.price, windows }
}

function usual(trades: readonly Trade[], now: number): Change['volume'] {
  const minuteOf = (time: number) => Math.floor(time / MINUTE)
  const last = minuteOf(now) - 1
  const first = Math.max(minuteOf(trades[0]!.time) + 1, last - MINUTES.most)
  if (last - first < MINUTES.least) return undefined
  const inMinute = (minute: number) =>
    trades.filter(({ time }) => minuteOf(time) === minute).reduce((sum, { size }) => sum + size, 0)
  let all = 0
  for (let minute = first; minute < last; minute++) all += inMinute(minute)
  if (all === 0) return undefined
  const mean = all / (last - first)
  return { last: inMinute(last), usual: mean, ratio: Math.round((inMinute(last) / mean) * 1e4) / 1e4 }
}

test('windows and volumes are those of an oracle that keeps every trade: sliding, silence, late trades, zero volume', () => {
  fc.assert(
    fc.property(steps, (all: readonly Step[]) => {
      const state = change.open()
      const heard: Trade[] = []
      let now = T0
      let told: Change | undefined
      for (const { after, late, price, size, watermark: mark } of all) {
        now += after
        const next = trade(now - late, price, size)
        heard.push(next)
        change.fold(state, next)
        if (!mark) continue
        told = changes(change.fold(state, watermark(now)))[0] ?? told
      }
      now = (Math.floor(now / 1_000) + 1) * 1_000
      told = changes(change.fold(state, watermark(now)))[0] ?? told
      expect({ price: told!.price, windows: told!.windows }).toEqual(oracle(heard, now))
      const volume = usual(heard, now)
      if (!volume) expect(told!.volume).toBeUndefined()
      else {
        expect(told!.volume!.last).toBe(volume.last)
        expect(told!.volume!.usual).toBeCloseTo(volume.usual, 6)
        expect(told!.volume!.ratio).toBeCloseTo(volume.ratio, 3)
      }
    }),
    { numRuns: 1_500 }
  )
})

test('it is told at most once a second, and only when it differs from what was told', () => {
  const state = change.open()
  change.fold(state, trade(T0, 100))
  expect(changes(change.fold(state, watermark(T0 + 250)))).toMatchObject([{ price: 100, windows: {} }])
  change.fold(state, trade(T0 + 300, 101))
  expect(change.fold(state, watermark(T0 + 500))).toEqual([])
  expect(change.fold(state, watermark(T0 + 999))).toEqual([])
  expect(changes(change.fold(state, watermark(T0 + 1_000)))).toMatchObject([{ price: 101 }])
  change.fold(state, trade(T0 + 1_200, 101))
  expect(change.fold(state, watermark(T0 + 2_000))).toEqual([])
  // A watermark that goes back tells nothing.
  expect(change.fold(state, watermark(T0 - 50_000))).toEqual([])
  expect(change.fold(state, watermark(T0 + 2_100))).toEqual([])
})

test('a window that is not yet full is absent, and after a restart all are', () => {
  const state = change.open()
  change.fold(state, trade(T0, 100))
  change.fold(state, trade(T0 + 61_000, 110))
  expect(changes(change.fold(state, watermark(T0 + 61_000)))[0]!.windows).toEqual({ '1m': 10 })
  change.forget!(state, 'BTC-USDT')
  change.fold(state, trade(T0 + 62_000, 110))
  expect(changes(change.fold(state, watermark(T0 + 62_000)))[0]!.windows).toEqual({})
})

test('what was quarantined, has no right time, or is dated far ahead is not counted; odd lots count as volume alone', () => {
  const state = change.open()
  change.fold(state, trade(T0, 100))
  change.fold(state, watermark(T0))
  change.fold(state, trade(T0 + 10, 900, 1, { quarantined: 'too far' }))
  change.fold(state, trade(T0 - 3_600_000, 900, 1, { clock: 'behind', received: T0 }))
  change.fold(state, trade(T0 + 100_000, 900, 1, { received: T0 }))
  change.fold(state, trade(T0 + 20, 900, 5, { ineligible: true }))
  expect(change.fold(state, watermark(T0 + 1_000))).toEqual([])
})

test('the gap at the open is against the close before it, where the instrument has sessions', () => {
  const state = change.open()
  const ticker = (open: number, prevClose?: number): Ticker => {
    const event: Ticker = { type: 'ticker', ...stamp(T0), last: 104, open }
    if (prevClose !== undefined) event.prevClose = prevClose
    return event
  }
  change.fold(state, trade(T0, 104))
  change.fold(state, ticker(102))
  expect(changes(change.fold(state, watermark(T0)))[0]).not.toHaveProperty('gap')
  change.fold(state, ticker(102, 100))
  expect(changes(change.fold(state, watermark(T0 + 1_000)))[0]).toMatchObject({ gap: 2, price: 104 })
})

const move = (instrument: string, percentage: number): Change => ({
  type: 'change',
  ...stamp(T0, instrument),
  price: 1,
  windows: { '5m': percentage }
})
const tell = (service: Service<any>, moves: readonly Change[]): Breadth[] => {
  const state = service.open()
  for (const each of moves) service.fold(state, each)
  return service.fold(state, watermark(T0)).map(({ event }) => event as Breadth)
}

test('breadth counts who rises and who falls, of all and of each sector of which anything is known, in whatever order', () => {
  const service = createBreadth({ one: ['A', 'B'], two: ['C'], none: ['Z'] })
  const moves = [move('A', 1), move('B', -3), move('C', 0.002), move('D', 2)]
  const told = tell(service, moves)
  expect(told).toMatchObject([
    { instrument: 'all', window: '5m', advancing: 2, declining: 1, unchanged: 1, mean: 0.0005, median: 0.501 },
    { instrument: 'one', advancing: 1, declining: 1, unchanged: 0, mean: -1, median: -1 },
    { instrument: 'two', advancing: 0, declining: 0, unchanged: 1 }
  ])
  expect(tell(service, moves.toReversed())).toEqual(told)
})

test('breadth is over a minute until at least half of those watched are watched for five, and then counts those alone', () => {
  const young = (instrument: string, minute: number): Change => ({ ...move(instrument, 0), windows: { '1m': minute } })
  const old = (instrument: string, five: number): Change => ({ ...move(instrument, 0), windows: { '1m': 0, '5m': five } })
  const all = (moves: readonly Change[]) => tell(createBreadth({}), moves)[0]
  expect(all([young('A', 1), young('B', 1), old('C', -1)])).toMatchObject({
    window: '1m',
    advancing: 2,
    declining: 0,
    unchanged: 1
  })
  expect(all([young('A', 1), old('C', -1)])).toMatchObject({ window: '5m', advancing: 0, declining: 1, unchanged: 0 })
  expect(all([{ ...move('A', 0), windows: {} }])).toBeUndefined()
})

test('breadth is told once a second, when it differs; who is no longer watched is not counted', () => {
  const service = createBreadth()
  const state = service.open()
  service.fold(state, move('AAPL', 1))
  service.fold(state, move('MSFT', -1))
  expect(service.fold(state, watermark(T0)).map(({ topic }) => topic)).toEqual(['breadth:all', 'breadth:technology'])
  service.fold(state, move('MSFT', 1))
  expect(service.fold(state, watermark(T0 + 999))).toEqual([])
  expect(service.fold(state, watermark(T0 + 1_000))).toHaveLength(2)
  expect(service.fold(state, watermark(T0 + 2_000))).toEqual([])
  service.forget!(state, 'MSFT')
  const alone = { event: { advancing: 1, time: T0 + 3_000, received: T0 + 3_000 } }
  expect(service.fold(state, watermark(T0 + 3_000))).toMatchObject([alone, alone])
  expect(groupsOf(state)).toContain('crypto')
})

test('hosted together, breadth is made of the changes, and the changes of the trades', () => {
  const plant = createPlant({ epoch: 'e' })
  const clock = { now: T0 }
  const breadth = createBreadth({ pair: ['BTC-USDT', 'ETH-USDT'] })
  const log = { error: (fields: object) => expect(fields).toBeUndefined() }
  const host = hostServices({ plant, services: [change, breadth], clock: () => clock.now, log, every: 0, lateness: 0 })
  for (const instrument of ['BTC-USDT', 'ETH-USDT']) host.watch(instrument)
  const say = (instrument: string, price: number) =>
    plant.publish(`trade:${instrument}`, trade(clock.now, price, 1, { instrument }), clock.now)
  say('BTC-USDT', 100)
  say('ETH-USDT', 10)
  clock.now += 306_000
  say('BTC-USDT', 101)
  say('ETH-USDT', 9)
  host.tick()
  clock.now += 1_000
  host.tick()
  expect(plant.last('change:BTC-USDT')).toMatchObject({ windows: { '1m': 1, '5m': 1 } })
  expect(plant.last('breadth:pair')).toMatchObject({ advancing: 1, declining: 1, mean: -4.5, window: '5m' })
})
