/** Gaps, fills, corrections and cancels: whatever was lost and however it came back, candles are those of the whole tape. */
import {
  INTERVALS,
  INTERVAL_MS,
  type Candle,
  type Correction,
  type Gap,
  type GapFilled,
  type Interval,
  type Trade
} from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCandles, type CandleOptions } from '../../src/services/candles.ts'
import type { Input } from '../../src/services/service.ts'

const MINUTE = 60_000
const instrument = 'AAPL'
const stamp = (time: number) => ({ provider: 'alpha', instrument, time, received: time + 5 })
const trade = (id: number, time: number, price: number, size = 1, more: Partial<Trade> = {}): Trade => {
  return { type: 'trade', ...stamp(time), id: String(id), price, size, side: 'buy', confidence: 0.9, ...more }
}
const mark = (time: number): Input => ({ type: 'watermark', instrument, time })
const gap = (id: string, from: number, to: number, more: Partial<Gap> = {}): Gap => {
  return { type: 'gap', ...stamp(to), kind: 'trade', id, from, to, cause: 'sequence', action: 'open', ...more }
}
const filled = (id: string, from: number, to: number, more: Partial<GapFilled> = {}): GapFilled => {
  return { type: 'gap_filled', ...stamp(to), kind: 'trade', gap: id, from, to, how: 'rest', by: 'alpha', items: 1, ...more }
}
const cancel = (id: number): Correction => ({ type: 'correction', ...stamp(0), action: 'cancel', id: String(id) })
const correct = (id: number, price: number, size: number, next?: number): Correction => {
  const corrected = next === undefined ? { price, size } : { id: String(next), price, size }
  return { type: 'correction', ...stamp(0), action: 'correct', id: String(id), corrected }
}

function run(inputs: readonly Input[], interval: Interval = '1m', options: CandleOptions = {}): Candle[] {
  const service = createCandles(options)
  const state = service.open()
  return inputs
    .flatMap((input) => service.fold(state, input))
    .filter(({ topic }) => topic === `candle:${instrument}:${interval}`)
    .map(({ event }) => event as Candle)
}
/** What stands at last of each candle. */
const standing = (candles: readonly Candle[]): Candle[] => [...new Map(candles.map((candle) => [candle.start, candle])).values()]
/** All that a candle says but how often it was told, and when the newest of its trades was heard. */
const text = (candles: readonly Candle[]): string[] =>
  standing(candles)
    .toSorted((a, b) => a.start - b.start)
    .map(({ revision: _revision, received: _received, ...rest }) => JSON.stringify(rest))
const brief = ({ start, open, high, low, close, volume, trades, revision, coverage }: Candle) => [
  start / MINUTE,
  open,
  high,
  low,
  close,
  volume,
  trades,
  revision,
  coverage
]
const closed = (candles: readonly Candle[]) => candles.filter((candle) => candle.closed)

describe('coverage', () => {
  test('[U13] the candle in which we began to listen covers what came after; the next ones are whole', () => {
    const out = closed(run([trade(1, 15_000, 10), mark(2 * MINUTE)]))
    expect(out.map(({ coverage }) => coverage)).toEqual([0.75, 1])
  })

  test('what is filled in before we listen does not count as listening', () => {
    const out = closed(run([trade(1, 0, 9, 1, { backfill: true }), trade(2, 30_000, 10), mark(MINUTE)]))
    expect(out.map(({ coverage, trades }) => [coverage, trades])).toEqual([[0.5, 2]])
  })

  test('[U13] an open gap is taken from the candles that it touches, at once and as a revision of the closed ones', () => {
    const out = run([trade(1, 0, 10), mark(2 * MINUTE), gap('a', 45_000, 90_000 - 1), mark(2 * MINUTE)])
    expect(closed(out).map(brief)).toEqual([
      [0, 10, 10, 10, 10, 1, 1, 0, 1],
      [1, 10, 10, 10, 10, 0, 0, 0, 1],
      [0, 10, 10, 10, 10, 1, 1, 1, 0.75],
      [1, 10, 10, 10, 10, 0, 0, 1, 0.5]
    ])
  })

  test('[U13] a fill makes the next revision, with its trades and whole again', () => {
    const inputs = [trade(1, 0, 10), gap('a', 30_000, 40_000), mark(MINUTE)]
    const more = [trade(2, 35_000, 12, 2, { backfill: true }), filled('a', 30_000, 40_000), mark(MINUTE)]
    expect(closed(run([...inputs, ...more])).map(brief)).toEqual([
      [0, 10, 10, 10, 10, 1, 1, 0, 0.833316666],
      [0, 10, 12, 10, 12, 3, 2, 1, 1]
    ])
  })

  test('of a gap that is filled in part the rest stays open; where two gaps overlap both must be filled', () => {
    const part = run([trade(1, 0, 10), gap('a', 0, 39_999), filled('a', 10_000, 24_999), mark(MINUTE)])
    expect(closed(part)[0]?.coverage).toBe(0.583333333)
    const both = [trade(1, 0, 10), gap('a', 0, 29_999), gap('b', 15_000, 44_999)]
    expect(closed(run([...both, mark(MINUTE)]))[0]?.coverage).toBe(0.25)
    expect(closed(run([...both, filled('a', 0, 29_999), mark(MINUTE)]))[0]?.coverage).toBe(0.5)
    expect(closed(run([...both, filled('a', 0, 29_999), filled('b', 15_000, 44_999), mark(MINUTE)]))[0]?.coverage).toBe(1)
  })

  test('a candle without a trade rests on the last one before it: lost trades in between are missing there too, until the fill', () => {
    const inputs = [trade(1, 0, 10), gap('a', 30_000, 40_000), mark(3 * MINUTE)]
    const flat = closed(run(inputs)).slice(1)
    expect(flat.map(({ close, coverage }) => [close, coverage! < 1])).toEqual([[10, true], [10, true]]) // prettier-ignore
    const more = [trade(2, 35_000, 12, 2, { backfill: true }), filled('a', 30_000, 40_000), mark(3 * MINUTE)]
    expect(standing(closed(run([...inputs, ...more]))).map(({ close, coverage }) => [close, coverage])).toEqual([[12, 1], [12, 1], [12, 1]]) // prettier-ignore
  })

  test('what was lost before the last trade changes no price after it; a gap told late revises what rests on it', () => {
    const before = [trade(1, 0, 10), trade(2, 50_000, 11), mark(3 * MINUTE), gap('a', 30_000, 40_000), mark(3 * MINUTE)]
    expect(closed(run(before)).map(({ start, revision }) => [start / MINUTE, revision])).toEqual([[0, 0], [1, 0], [2, 0], [0, 1]]) // prettier-ignore
    const after = [trade(1, 0, 10), trade(2, 20_000, 11), mark(3 * MINUTE), gap('a', 30_000, 40_000), mark(3 * MINUTE)]
    expect(standing(closed(run(after))).map(({ coverage, revision }) => [coverage! < 1, revision])).toEqual([[true, 1], [true, 1], [true, 1]]) // prettier-ignore
  })

  test('a gap of no length still hides a trade; a gap that is told again counts once, as it is told now', () => {
    expect(closed(run([trade(1, 0, 10), gap('a', 5, 5), mark(MINUTE)]))[0]?.coverage).toBeLessThan(1)
    const again = run([trade(1, 0, 10), gap('a', 0, 14_999), gap('a', 0, 29_999), mark(MINUTE)])
    expect(closed(again)[0]?.coverage).toBe(0.5)
  })

  test('a gap that is a provider’s own, or of another kind, takes nothing; one that is not takes, whosever it is', () => {
    const others = [gap('a', 0, 9_999, { provider: 'beta', own: true }), gap('b', 0, 9_999, { kind: 'book' })]
    expect(closed(run([trade(1, 0, 10), ...others, mark(MINUTE)]))[0]?.coverage).toBe(1)
    const arbitrated = gap('c', 30_000, 59_998, { provider: 'beta' })
    expect(closed(run([trade(1, 0, 10), arbitrated, mark(MINUTE)]))[0]?.coverage).toBeLessThan(0.51)
  })

  test('after a failover the gap of the former leader counts, and what it misses later does not', () => {
    const inputs = [trade(1, 0, 10), trade(1, 30_000, 11, 1, { provider: 'beta' }), gap('a', 15_000, 29_999)]
    expect(closed(run([...inputs, mark(MINUTE)]))[0]?.coverage).toBe(0.75)
    expect(closed(run([...inputs, gap('b', 40_000, 50_000, { own: true }), mark(MINUTE)]))[0]?.coverage).toBe(0.75)
  })

  test('gaps without end are bounded: the oldest become one, which claims less, never more', () => {
    const gaps = Array.from({ length: 400 }, (_, i) => gap(String(i), i * 100, i * 100))
    const out = closed(run([trade(1, 0, 10), ...gaps, ...gaps.map(({ id, from, to }) => filled(id!, from, to)), mark(MINUTE)]))
    expect(out[0]?.coverage).toBeLessThan(1)
    expect(out[0]?.coverage).toBeGreaterThan(0.7)
  })
})

describe('corrections and cancels', () => {
  const three = [trade(1, 0, 10), trade(2, 1, 50, 5), trade(3, 2, 12)]
  const rows = (inputs: readonly Input[], options?: CandleOptions) =>
    closed(run([...inputs, mark(MINUTE)], '1m', options)).map(brief)

  test('a cancelled trade was never there: neither its price, its size nor its count', () => {
    expect(rows([...three, cancel(2)])).toEqual([[0, 10, 12, 10, 12, 2, 2, 0, 1]])
    expect(rows([...three, cancel(1)])).toEqual([[0, 50, 50, 12, 12, 6, 2, 0, 1]])
    expect(rows([...three, cancel(3)])).toEqual([[0, 10, 50, 10, 50, 6, 2, 0, 1]])
  })

  test('a corrected trade has its new price and size where it stood; a correction of the correction too', () => {
    expect(rows([...three, correct(2, 11, 2)])).toEqual([[0, 10, 12, 10, 12, 4, 3, 0, 1]])
    expect(rows([...three, correct(2, 11, 2, 20), correct(20, 14, 3, 21), cancel(21)])).toEqual(rows([...three, cancel(2)]))
  })

  test('a closed candle is told again with the next revision, in every interval', () => {
    for (const interval of INTERVALS) {
      const end = mark(INTERVAL_MS[interval])
      const out = closed(run([...three, end, cancel(2), end], interval))
      expect(out.map((candle) => brief(candle).slice(1, 8))).toEqual([
        [10, 50, 10, 12, 7, 3, 0],
        [10, 12, 10, 12, 2, 2, 1]
      ])
    }
  })

  test('when the only trade of a minute is cancelled, it and the flat ones after it stand at the close before', () => {
    const out = run([trade(1, 0, 10), trade(2, MINUTE, 20), mark(3 * MINUTE), cancel(2), mark(3 * MINUTE)])
    expect(standing(closed(out)).map((candle) => brief(candle).slice(0, 8))).toEqual([
      [0, 10, 10, 10, 10, 1, 1, 0],
      [1, 10, 10, 10, 10, 0, 0, 1],
      [2, 10, 10, 10, 10, 0, 0, 1]
    ])
  })

  test('a correction that comes before its trade waits for it', () => {
    expect(rows([correct(2, 11, 2, 20), cancel(20), ...three])).toEqual(rows([...three, cancel(2)]))
  })

  test('an id that repeats is not counted twice, neither a cancelled nor a corrected one', () => {
    expect(rows([...three, ...three])).toEqual(rows(three))
    expect(rows([...three, cancel(2), ...three])).toEqual(rows([...three, cancel(2)]))
    expect(rows([...three, correct(2, 11, 2, 20), ...three, trade(20, 1, 11, 2)])).toEqual(rows([...three, correct(2, 11, 2)]))
  })

  test('the same id of another provider is another trade', () => {
    expect(rows([trade(1, 0, 10), trade(1, 1, 11, 1, { provider: 'beta' })])).toEqual([[0, 10, 11, 10, 11, 2, 2, 0, 1]])
  })

  test('an ineligible trade counts for volume and not for price, also when it is all there was', () => {
    const odd = { ineligible: true } as const
    expect(rows([trade(1, 0, 10), trade(2, 1, 99, 3, odd)])).toEqual([[0, 10, 10, 10, 10, 4, 2, 0, 1]])
    const out = closed(run([trade(1, 0, 10), trade(2, MINUTE, 99, 3, odd), mark(2 * MINUTE)]))
    expect(brief(out[1]!)).toEqual([1, 10, 10, 10, 10, 3, 1, 0, 1])
  })

  test('a trade with a time that cannot be, and one that is in quarantine, are in no candle', () => {
    const bad = [trade(4, 600_000, 999, 1, { clock: 'ahead', received: 5 }), trade(5, 4, 999, 1, { quarantined: 'too far' })]
    expect(rows([...three, ...bad])).toEqual(rows(three))
    const past = { clock: 'behind', received: 9_000_000 } as const
    expect(rows([...three, trade(6, 5, 999, 1, past)])).toEqual(rows(three))
    expect(rows([...three, trade(6, 5, 999, 1, { ...past, backfill: true })])).toEqual([[0, 10, 999, 10, 999, 8, 4, 0, 1]])
  })

  test('trades beyond the memory still count, but cannot be taken back', () => {
    const many = Array.from({ length: 50 }, (_, i) => trade(i + 1, i * 5_000, i + 1))
    const told = (inputs: Input[], remember: number) => text(run([...inputs, mark(4 * MINUTE)], '5m', { remember }))
    expect(told(many, 10)).toEqual(told(many, 100))
    // The last is remembered: its bar is made of what is remembered and of what was.
    expect(told([...many, cancel(50)], 10)).toEqual(told([...many, cancel(50)], 100))
    expect(told([...many, cancel(1)], 10)).toEqual(told(many, 10))
    expect(told([...many, cancel(1)], 100)).not.toEqual(told(many, 10))
  })
})

/** A tape of half an hour with many equal times, ids in order; sizes are decimals. */
const LENGTH = 30 * MINUTE
const tapes = fc
  .array(
    fc.record({
      time: fc.oneof(
        fc.integer({ min: 1, max: LENGTH }),
        fc.integer({ min: 1, max: 8 }).map((n) => n * 3.5 * MINUTE)
      ),
      price: fc.integer({ min: 1, max: 500 }),
      size: fc.integer({ min: 1, max: 1_000 }),
      ineligible: fc.boolean()
    }),
    { maxLength: 60 }
  )
  .map((rows) => [
    trade(100, 0, 50),
    ...rows
      .toSorted((a, b) => a.time - b.time)
      .map(({ time, price, size, ineligible }, i) =>
        trade(101 + i, time, price / 100, size / 1_000, ineligible && i % 4 === 0 ? { ineligible } : {})
      )
  ])
/** Runs of the tape that are lost: from which trade, how many. Runs may overlap: what is lost is lost. */
const losses = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 8 })), { minLength: 1, maxLength: 5 })

type Lost = { id: string; from: number; to: number; trades: Trade[] }
function lose(
  tape: readonly Trade[],
  runs: readonly (readonly [number, number])[]
): { heard: Input[]; lost: Lost[]; gone: Set<Trade> } {
  const gone = new Set<Trade>()
  // The first is heard, as there is no listening before it.
  for (const [at, count] of runs) for (const each of tape.slice(1 + at, 1 + at + count)) gone.add(each)
  const lost: Lost[] = []
  const heard: Input[] = []
  let current: Lost | undefined
  let before = tape[0]!
  for (const each of tape) {
    if (gone.has(each)) {
      if (!current) lost.push((current = { id: `gap${lost.length}`, from: before.time, to: each.time, trades: [] }))
      current.trades.push(each)
      current.to = each.time
      continue
    }
    if (current) {
      current.to = each.time
      heard.push(gap(current.id, current.from, current.to))
      current = undefined
    }
    heard.push(mark(each.time - 500), each)
    before = each
  }
  if (current) heard.push(gap(current.id, current.from, current.to))
  return { heard, lost, gone }
}
const SEED = 20_261_121
const END = 2 * LENGTH

describe('properties', () => {
  const amendments = fc.array(fc.tuple(fc.nat(60), fc.boolean(), fc.integer({ min: 1, max: 500 })), { maxLength: 4 })
  const correctionsOf = (tape: readonly Trade[], list: readonly (readonly [number, boolean, number])[]): Correction[] =>
    list.flatMap(([at, isCancel, price]) => {
      const id = Number(tape[at + 1]?.id)
      return Number.isNaN(id) ? [] : [isCancel ? cancel(id) : correct(id, price / 100, 0.5)]
    })

  test('[U13] losses that are filled later, in any order, leave the candles of the whole tape, byte for byte', () => {
    const shuffles = fc.infiniteStream(fc.nat(1_000))
    fc.assert(
      fc.property(tapes, losses, amendments, shuffles, fc.constantFrom(...INTERVALS), (tape, runs, list, chance, interval) => {
        const { heard, lost } = lose(tape, runs)
        // Of several corrections of one trade the last counts, so each trade has one here.
        const corrections = [...new Map(correctionsOf(tape, list).map((each) => [each.id, each])).values()]
        const whole = run(
          [...tape.flatMap((each): Input[] => [mark(each.time - 500), each]), ...corrections, mark(END)],
          interval
        )
        const pick = <T>(items: readonly T[]): T[] =>
          items
            .map((item): [number, T] => [chance.next().value, item])
            .toSorted(([a], [b]) => a - b)
            .map(([, item]) => item)
        const fills = pick(lost).flatMap(({ id, from, to, trades }): Input[] => {
          const items = pick(trades).map((each): Input => ({ ...each, backfill: true, received: each.received + 9_999 }))
          const done = filled(id, from, to, { items: items.length })
          return [...(chance.next().value % 2 ? [...items, done] : [done, ...items]), mark(LENGTH + 1)]
        })
        const early = corrections.slice(0, chance.next().value % 3)
        const later = corrections.slice(early.length)
        const pieced = run([...heard, ...early, ...fills, ...later, mark(END)], interval)
        expect(text(pieced)).toEqual(text(whole))
      }),
      { numRuns: 1_000, seed: SEED }
    )
  })

  test('[U13] without the fill no candle that lost a trade claims to be whole; each that does has all trades of its time', () => {
    fc.assert(
      fc.property(tapes, losses, fc.constantFrom(...INTERVALS), (tape, runs, interval) => {
        const { heard, gone } = lose(tape, runs)
        const length = INTERVAL_MS[interval]
        const told = new Map(standing(run([...heard, mark(END)], interval)).map((candle) => [candle.start, candle]))
        for (const { time } of gone) {
          const candle = told.get(Math.floor(time / length) * length)
          expect(candle?.coverage ?? 0).toBeLessThan(1)
        }
        // And it is the candle of the whole tape, price for price.
        const whole = tape.flatMap((each): Input[] => [mark(each.time - 500), each])
        const right = new Map(standing(run([...whole, mark(END)], interval)).map((candle) => [candle.start, candle]))
        for (const candle of told.values())
          if (candle.coverage === 1) expect(text([candle])).toEqual(text([right.get(candle.start)!]))
      }),
      { numRuns: 500, seed: SEED }
    )
  })

  test('[U13] whatever comes late or is corrected: closed exactly once, revisions rise by one and only after it', () => {
    fc.assert(
      fc.property(tapes, losses, amendments, (tape, runs, list) => {
        const { heard, lost } = lose(tape, runs)
        const fills = lost.flatMap(({ id, from, to, trades }) => [...trades, filled(id, from, to), mark(LENGTH)])
        const inputs = [...heard, ...fills, ...correctionsOf(tape, list).flatMap((each) => [each, mark(LENGTH)]), mark(END)]
        const newest = new Map<number, number>()
        for (const { start, closed: isClosed, revision } of run(inputs)) {
          if (!isClosed) expect(newest.has(start)).toBe(false)
          else {
            expect(revision).toBe((newest.get(start) ?? -1) + 1)
            newest.set(start, revision)
          }
        }
      }),
      { numRuns: 300, seed: SEED }
    )
  })
})
