/** Pages of past trades: every trade once, whichever of journal, memory and REST has it, and however many come meanwhile. */
import type { Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KnownGap } from '../../src/feed/gap.ts'
import { tradesOf } from '../../src/history/recorded.ts'
import type { Rest } from '../../src/history/shelf.ts'
import type { TradesAnswer, TradesPage } from '../../src/history/page.ts'
import { createTrades, type HistoryOptions } from '../../src/history/trades.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { memoryJournal, type Run } from './memory.ts'

const BEGIN = Date.parse('2026-11-20T12:00Z')
const SECOND = 1_000
const TOPIC = 'trade:BTC-USDT'

const tradeOf = (n: number, time: number, more: Partial<Trade> = {}): Trade => {
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time, received: time + 3 }
  return { type: 'trade', ...stamp, id: String(n), price: 100 + n, size: 1, side: 'buy', ...more }
}

/** A provider that knows a tape, and tells at most so many trades at once. */
const restOf =
  (tape: () => readonly Trade[], most: number, asked: { count: number } = { count: 0 }): Rest =>
  async (_instrument, { from, to }) => {
    asked.count++
    const all = tape().filter(({ time }) => time >= from && time < to)
    const trades = all.slice(0, most)
    const isCut = all.length > most
    // All of one time are told, or none of it.
    const end = isCut ? Math.max(trades.at(-1)!.time, from + 1) : to
    return await Promise.resolve({ ok: true, provider: 'alpha', from, to: end, trades: all.filter(({ time }) => time < end) })
  }

const page = (answer: TradesAnswer): TradesPage => {
  if (!answer.ok) throw new Error(answer.message)
  return answer
}
const idsOf = (trades: readonly { id?: string }[]): number[] => trades.map(({ id }) => Number(id))

/** What happened before us, what a run before this one wrote down, what nobody heard, and what this run has published. */
function stage({ keep, records, most = 1_000 }: { keep: number; records: boolean; most?: number }) {
  const plant = createPlant({ epoch: 'now-1', keep: () => keep })
  const old = createPlant({ epoch: 'old-1', keep: () => 1 })
  const current: { run: string; open: true; events: Run['events'][number][] } = { run: 'now-1', open: true, events: [] }
  const before: { run: string; events: Run['events'][number][] } = { run: 'old-1', events: [] }
  const tape: Trade[] = []
  let now = BEGIN
  const asked = { count: 0 }
  const options: HistoryOptions = {
    plant,
    rest: restOf(() => tape.filter(({ time }) => time <= now).toSorted((a, b) => a.time - b.time), most, asked),
    hears: () => true,
    gaps: () => [],
    clock: () => now,
    startedAt: Infinity
  }
  if (records) options.journal = memoryJournal([before, current])
  const put = (trade: Trade) => {
    tape.push(trade)
    now = Math.max(now, trade.time + 1)
  }
  return {
    options,
    asked,
    plant,
    current,
    before,
    /** Nobody heard it. */
    miss: put,
    record(trade: Trade) {
      put(trade)
      if (records) before.events.push(old.publish(TOPIC, { ...trade }, trade.received))
    },
    start: () => void (options.startedAt = now),
    publish(trade: Trade) {
      put(trade)
      current.events.push(plant.publish(TOPIC, { ...trade }, trade.received))
    },
    wait: (ms: number) => void (now += ms)
  }
}

type Ask = { from?: number; to?: number; limit: number }
async function all(
  ask: ReturnType<typeof createTrades>,
  asked: Ask,
  between: (n: number) => boolean = () => false
): Promise<TradesPage[]> {
  const pages: TradesPage[] = []
  let cursor: string | undefined
  for (let n = 0; n < 500; n++) {
    const one = page(await ask({ instrument: 'BTC-USDT', ...asked, cursor }))
    pages.push(one)
    const isNews = between(n)
    cursor = one.cursor
    if (cursor === undefined || (!one.more && one.trades.length === 0 && !isNews)) return pages
  }
  throw new Error('the pages never end')
}

test('[S4-29] the union of the pages is every trade once, while new and late ones come and the memory forgets', async () => {
  const scene = fc.record({
    counts: fc.tuple(fc.nat(12), fc.nat(25), fc.nat(12), fc.integer({ min: 1, max: 25 })),
    arrivals: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 15 }),
    steps: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 140, maxLength: 140 }),
    limit: fc.integer({ min: 1, max: 20 }),
    keep: fc.integer({ min: 8, max: 40 }),
    most: fc.integer({ min: 5, max: 60 }),
    late: fc.boolean()
  })
  await fc.assert(
    fc.asyncProperty(scene, async ({ counts, arrivals, steps, limit, keep, most, late }) => {
      const s = stage({ keep, records: true, most })
      let n = 0
      let time = BEGIN
      const next = (): Trade => tradeOf(++n, (time += steps[n % steps.length]! * SECOND))
      const [missed, recorded, lost, live] = counts
      for (let i = 0; i < missed; i++) s.miss(next())
      time += SECOND
      for (let i = 0; i < recorded; i++) s.record(next())
      time += 5 * SECOND
      for (let i = 0; i < lost; i++) s.miss(next())
      s.wait(SECOND)
      time += 2 * SECOND
      s.start()
      const begun = time + 3 * SECOND
      time = begun
      for (let i = 0; i < live; i++) s.publish(next())
      const ask = createTrades(s.options)
      const pages = await all(ask, { from: BEGIN - SECOND, limit }, (i) => {
        for (let k = 0; k < (arrivals[i] ?? 0); k++) {
          const trade = next()
          // Before our beginning REST knew all of it when it was asked.
          s.publish(late && k === 1 ? { ...trade, time: Math.max(begun + 3 * SECOND, trade.time - 2 * SECOND) } : trade)
        }
        return i < arrivals.length
      })
      const told = idsOf(pages.flatMap(({ trades }) => trades))
      expect(told.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i + 1))
      expect(pages.flatMap(({ gaps }) => gaps)).toEqual([])
      for (const { trades } of pages) {
        expect(trades.length).toBeLessThanOrEqual(limit)
        expect(trades.map((trade) => trade.time)).toEqual(trades.map((trade) => trade.time).toSorted((a, b) => a - b))
      }
    }),
    { numRuns: 100 }
  )
})

test('what is in journal and memory is told once, and sources say what came from where', async () => {
  const s = stage({ keep: 3, records: true })
  for (let n = 1; n <= 4; n++) s.record(tradeOf(n, BEGIN + n * SECOND))
  for (let n = 5; n <= 6; n++) s.miss(tradeOf(n, BEGIN + n * SECOND))
  s.start()
  for (let n = 7; n <= 12; n++) s.publish(tradeOf(n, BEGIN + n * SECOND))
  const { trades, sources, gaps } = page(await createTrades(s.options)({ instrument: 'BTC-USDT', from: BEGIN, limit: 100 }))
  expect(idsOf(trades)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  expect(sources.map(({ source, provider, trades: count }) => [source, provider, count])).toEqual([
    ['journal', 'alpha', 7],
    ['rest', 'alpha', 2],
    ['memory', 'alpha', 3]
  ])
  expect(gaps).toEqual([])
})

test('[S1-71] trades that were recorded while nobody was connected are told without asking any provider', async () => {
  const s = stage({ keep: 1, records: true })
  s.start()
  for (let n = 1; n <= 50; n++) s.publish(tradeOf(n, BEGIN + n * SECOND))
  const ask = createTrades({ ...s.options, hears: () => true })
  const { trades } = page(await ask({ instrument: 'BTC-USDT', from: BEGIN + SECOND, to: BEGIN + 50 * SECOND, limit: 100 }))
  expect(idsOf(trades)).toEqual(Array.from({ length: 49 }, (_, i) => i + 1))
  expect(s.asked.count).toBe(0)
})

test('what nobody heard and no provider tells is marked as a gap, with the reason', async () => {
  const s = stage({ keep: 100, records: true })
  for (let n = 1; n <= 3; n++) s.record(tradeOf(n, BEGIN + n * SECOND))
  s.miss(tradeOf(4, BEGIN + 4 * SECOND))
  s.start()
  for (let n = 5; n <= 6; n++) s.publish(tradeOf(n, BEGIN + n * SECOND))
  const rest: Rest = () => Promise.resolve({ ok: false, why: 'alpha: serves no past trades of it' })
  const ask = createTrades({ ...s.options, rest })
  const { trades, gaps } = page(await ask({ instrument: 'BTC-USDT', from: BEGIN + SECOND, limit: 100 }))
  expect(idsOf(trades)).toEqual([1, 2, 3, 5, 6])
  expect(gaps).toEqual([{ from: BEGIN + 3 * SECOND + 3, to: BEGIN + 5 * SECOND, why: 'alpha: serves no past trades of it' }])
})

test('gaps that were told are marked, as far as they are not filled', async () => {
  const s = stage({ keep: 100, records: false })
  s.start()
  for (let n = 1; n <= 9; n++) s.publish(tradeOf(n, BEGIN + n * SECOND))
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time: BEGIN, received: BEGIN }
  const gap = { type: 'gap', ...stamp, kind: 'trade', cause: 'sequence', action: 'open', fills: [] } as const
  const span = (from: number, to: number) => ({ from: BEGIN + from * SECOND, to: BEGIN + to * SECOND })
  const fill = {
    type: 'gap_filled',
    ...stamp,
    kind: 'trade',
    gap: 'b',
    how: 'rest',
    by: 'alpha',
    items: 1,
    ...span(5, 6)
  } as const
  const known: KnownGap[] = [
    { ...gap, fills: [], id: 'a', state: 'filled', ...span(2, 3) },
    { ...gap, fills: [fill], id: 'b', state: 'open', why: 'its REST has not all of it', ...span(5, 7) }
  ]
  const ask = createTrades({ ...s.options, gaps: () => known })
  const { gaps } = page(await ask({ instrument: 'BTC-USDT', from: BEGIN + SECOND, limit: 100 }))
  expect(gaps).toEqual([{ ...span(6, 7), why: 'its REST has not all of it', gap: 'b', provider: 'alpha' }])
})

test('a cursor goes on in another run of the server', async () => {
  const s = stage({ keep: 100, records: true })
  for (let n = 1; n <= 10; n++) s.record(tradeOf(n, BEGIN + n * SECOND))
  s.wait(SECOND)
  const first = createTrades({ ...s.options, plant: createPlant({ epoch: 'old-1' }), hears: () => false })
  const { cursor, trades } = page(await first({ instrument: 'BTC-USDT', from: BEGIN + SECOND, limit: 4 }))
  s.start()
  for (let n = 11; n <= 12; n++) s.publish(tradeOf(n, BEGIN + (n + 2) * SECOND))
  const rest = page(await createTrades(s.options)({ instrument: 'BTC-USDT', limit: 100, cursor }))
  expect(idsOf([...trades, ...rest.trades])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
})

test('a span that is over ends with its last page; one that is not can always be gone on with', async () => {
  const s = stage({ keep: 100, records: false })
  s.start()
  for (let n = 1; n <= 5; n++) s.publish(tradeOf(n, BEGIN + n * SECOND))
  const ask = createTrades(s.options)
  const past = page(await ask({ instrument: 'BTC-USDT', from: BEGIN + SECOND, to: BEGIN + 4 * SECOND, limit: 10 }))
  expect([idsOf(past.trades), past.cursor, past.more]).toEqual([[1, 2, 3], undefined, false])
  const open = page(await ask({ instrument: 'BTC-USDT', from: BEGIN + SECOND, limit: 10 }))
  const idle = page(await ask({ instrument: 'BTC-USDT', limit: 10, cursor: open.cursor }))
  expect([idsOf(open.trades), open.more, idle.trades, idle.more]).toEqual([[1, 2, 3, 4, 5], false, [], false])
  s.publish(tradeOf(6, BEGIN + 6 * SECOND))
  expect(idsOf(page(await ask({ instrument: 'BTC-USDT', limit: 10, cursor: idle.cursor })).trades)).toEqual([6])
})

test.each([
  ['a cursor of another instrument', { instrument: 'ETH-USDT' }, 'cursor'],
  ['a cursor with another beginning', { from: 7 }, 'cursor'],
  ['a text that is no cursor', { cursor: 'garbage' }, 'cursor']
])('%s is refused', async (_, wrong, reason) => {
  const s = stage({ keep: 100, records: false })
  s.start()
  for (let n = 1; n <= 5; n++) s.publish(tradeOf(n, BEGIN + n * SECOND))
  const ask = createTrades(s.options)
  const { cursor } = page(await ask({ instrument: 'BTC-USDT', from: BEGIN, limit: 2 }))
  expect(await ask({ instrument: 'BTC-USDT', limit: 2, cursor, ...wrong })).toMatchObject({ ok: false, reason })
})

test.each([
  ['a time before all dates', { from: -1e300 }],
  ['an end after all dates', { to: 1e300 }],
  ['a trade of no date', { after: { time: 9e15, provider: 'alpha', received: 0 } }],
  ['a sequence below all', { done: -1 }],
  ['half a sequence', { last: 0.5 }],
  ['a span of no date', { rest: [{ from: -1e300, to: 0 }] }]
])('a cursor with %s is none', async (_, wrong) => {
  const s = stage({ keep: 100, records: false })
  for (let n = 1; n <= 4; n++) s.publish(tradeOf(n, BEGIN + n * SECOND))
  const ask = createTrades(s.options)
  const { cursor } = page(await ask({ instrument: 'BTC-USDT', from: BEGIN, limit: 2 }))
  const place = JSON.parse(Buffer.from(cursor!, 'base64url').toString()) as object
  const forged = (change: object) => Buffer.from(JSON.stringify({ ...place, ...change })).toString('base64url')
  expect(await ask({ instrument: 'BTC-USDT', limit: 2, cursor: forged({}) })).toMatchObject({ ok: true })
  expect(await ask({ instrument: 'BTC-USDT', limit: 2, cursor: forged(wrong) })).toMatchObject({ ok: false, reason: 'cursor' })
})

test('who answered that there is no trade in a span is named, with the span', async () => {
  const s = stage({ keep: 100, records: true })
  s.record(tradeOf(1, BEGIN))
  s.start()
  const ask = createTrades(s.options)
  const from = Date.UTC(2020, 0, 1)
  const empty = page(await ask({ instrument: 'BTC-USDT', from, to: from + 3_000 * SECOND, limit: 5 }))
  expect(empty).toMatchObject({ trades: [], gaps: [], more: false })
  const word = { source: 'rest', provider: 'alpha', trades: 0 }
  expect(empty.sources).toEqual([{ ...word, from, to: from + 3_000 * SECOND }])
  const silent: Rest = () => Promise.resolve({ ok: false, why: 'alpha: is not asked' })
  const nobody = await createTrades({ ...s.options, rest: silent })({ instrument: 'BTC-USDT', from, to: from + SECOND, limit: 5 })
  expect(nobody).toMatchObject({ ok: false, reason: 'nothing' })
})

test('a span that ends before it begins, and one that lies too far back, say so, and what is there', async () => {
  const s = stage({ keep: 100, records: true })
  for (let n = 1; n <= 3; n++) s.record(tradeOf(n, BEGIN + n * SECOND))
  s.start()
  const rest: Rest = () => Promise.resolve({ ok: false, why: 'alpha: does not go back so far' })
  const ask = createTrades({ ...s.options, rest })
  const wrong = await ask({ instrument: 'BTC-USDT', from: BEGIN, to: BEGIN - 1, limit: 5 })
  expect(wrong).toMatchObject({ ok: false, reason: 'span' })
  const old = await ask({ instrument: 'BTC-USDT', from: BEGIN - 7_200_000, to: BEGIN - 3_600_000, limit: 5 })
  expect(old).toMatchObject({ ok: false, reason: 'nothing' })
  expect(!old.ok && old.message).toContain('alpha: does not go back so far; known here: 2026-11-20T12:00:01.000Z to')
})

test('where a provider does not go back so far, one mark says up to when, after few questions', async () => {
  const s = stage({ keep: 100, records: false })
  const HOUR = 3_600_000
  const begun = BEGIN - 5 * HOUR - 7
  s.miss(tradeOf(1, BEGIN - 2 * HOUR))
  s.start()
  s.publish(tradeOf(2, BEGIN))
  let asked = 0
  const rest: Rest = async (instrument, span) => {
    asked++
    if (span.from < begun) return { ok: false, why: 'one: too far back' }
    return s.options.rest(instrument, span)
  }
  const ask = createTrades({ ...s.options, rest })
  const { trades, gaps } = page(await ask({ instrument: 'BTC-USDT', from: BEGIN - 1_000 * HOUR, limit: 100 }))
  expect(idsOf(trades)).toEqual([1, 2])
  expect(gaps).toEqual([{ from: BEGIN - 1_000 * HOUR, to: expect.any(Number), why: 'one: too far back' }])
  expect(gaps[0]!.to).toBeGreaterThanOrEqual(begun)
  expect(gaps[0]!.to).toBeLessThan(begun + HOUR)
  expect(asked).toBeLessThan(20)
})

/** A provider that has trades from `begun` on, each in its hour, and takes its time. */
function slow(begun: number, takes: number, isOpen: (hour: number) => boolean = () => true) {
  const HOUR = 3_600_000
  let now = BEGIN
  let asked = 0
  const rest: Rest = async (_instrument, { from, to }) => {
    asked++
    now += takes
    const trades: Trade[] = []
    for (let at = Math.ceil(from / HOUR) * HOUR; at < to; at += HOUR)
      if (at >= begun && at < BEGIN && isOpen(at)) trades.push(tradeOf(at / HOUR, at))
    return await Promise.resolve({ ok: true, provider: 'alpha', from, to, trades })
  }
  const plant = createPlant({ epoch: 'now-1' })
  const options = { plant, rest, hears: () => false, gaps: () => [], clock: () => now, startedAt: BEGIN }
  return { ask: createTrades(options), clock: () => now, asked: () => asked }
}

test.each([
  ['a market that never closes', () => true, 300],
  // Thursday, 1 January 1970: two days later it is a weekend.
  ['one that is open on weekdays and by day', (at: number) => (at / 86_400_000 + 5) % 7 > 2 && (at / 3_600_000) % 24 > 16, 300],
  ['a provider that tells the last days alone', () => true, 9]
] as const)(
  'what lies before all that is known is skipped in few pages, each in about a second: of %s',
  async (_, isOpen, days) => {
    const begun = BEGIN - days * 86_400_000
    const s = slow(begun, 400, isOpen)
    let cursor: string | undefined
    let pages = 0
    for (let first: number | undefined; first === undefined; pages++) {
      const before = s.clock()
      const one = page(await s.ask({ instrument: 'BTC-USDT', from: Date.UTC(2000, 0, 1), to: BEGIN, limit: 1, cursor }))
      expect(s.clock() - before).toBeLessThan(1_500)
      if (one.trades.length === 0) expect([one.more, one.gaps.length > 0]).toEqual([true, true])
      cursor = one.cursor
      first = one.trades[0]?.time
      if (first !== undefined) expect(first - begun).toBeLessThan(4 * 86_400_000)
      if (pages > 40) throw new Error('it is not skipped')
    }
    expect(pages).toBeLessThan(20)
  }
)

test('hours without a trade between two that have some are not skipped', async () => {
  const begun = BEGIN - 10 * 86_400_000
  const s = slow(begun, 10, (at) => (at / 3_600_000) % 24 === 7)
  const told: number[] = []
  let cursor: string | undefined
  do {
    const one = page(await s.ask({ instrument: 'BTC-USDT', from: begun - 86_400_000, to: BEGIN, limit: 100, cursor }))
    told.push(...one.trades.map(({ time }) => time))
    cursor = one.cursor
  } while (cursor !== undefined)
  expect(told).toHaveLength(10)
})

test('the first trades of years are found, however many come at once after a quiet beginning', async () => {
  // More than a call takes as its arguments.
  const events = Array.from({ length: 200_000 }, (_, n) => {
    const trade = tradeOf(n, BEGIN + n * 50)
    return { ...trade, topic: TOPIC, seq: n + 1, published: trade.received }
  })
  const journal = memoryJournal([{ run: 'old', events }], 100_000)
  const wanted = { instrument: 'BTC-USDT', to: Infinity, limit: 10, after: undefined, takes: () => true }
  const trades = await tradesOf(journal, { ...wanted, from: BEGIN - 5 * 365 * 86_400_000 })
  expect(idsOf(trades).slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('trades that are far between are read in few goes, so that a page of them takes no longer', async () => {
  const played = stage({ keep: 1, records: true })
  for (let n = 0; n < 400; n++) played.record(tradeOf(n, BEGIN + n * 30 * SECOND))
  played.start()
  played.wait(SECOND)
  let goes = 0
  const { journal } = played.options
  if (!journal) throw new Error('nothing is recorded')
  const read: typeof journal.read = (query) => {
    if (query.topics?.has(TOPIC) && query.from !== undefined) goes++
    return journal.read(query)
  }
  const ask = createTrades({ ...played.options, journal: { ...journal, read } })
  const { trades } = page(await ask({ instrument: 'BTC-USDT', from: BEGIN, limit: 300 }))
  expect(idsOf(trades)).toEqual(Array.from({ length: 300 }, (_, n) => n))
  expect(goes).toBeLessThan(20)
})
