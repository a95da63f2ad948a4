/** Past trades after corrections and cancels: pages, exports and candles of the journal say what is true now, and what was told of it. */
import { topicName, type Candle, type Correction, type Trade } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { amended, fatesOf, type HeardCorrection } from '../../src/history/amend.ts'
import { rows, TRADES } from '../../src/history/csv.ts'
import type { TradesPage } from '../../src/history/page.ts'
import { candlesOf } from '../../src/history/recorded.ts'
import { tradeTape } from '../../src/history/tape.ts'
import { createTrades, type HistoryOptions } from '../../src/history/trades.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { createCandles, recentCandles } from '../../src/services/candles.ts'
import { gridOf } from '../../src/services/sessions.ts'
import { memoryJournal, type Run } from './memory.ts'

const BEGIN = Date.parse('2026-11-20T15:00Z')
const SECOND = 1_000
const TRADE = topicName('trade', 'AAPL')
const CORRECTION = topicName('correction', 'AAPL')

const stampAt = (time: number) => ({ provider: 'alpha', instrument: 'AAPL', time, received: time + 3 })
const tradeOf = (n: number, more: Partial<Trade> = {}): Trade => {
  return { type: 'trade', ...stampAt(BEGIN + n * SECOND), id: `t${n}`, price: 100 + n, size: 10, side: 'unknown', ...more }
}
const cancelOf = (n: number, at: number): Correction => {
  return { type: 'correction', ...stampAt(BEGIN + at * SECOND), action: 'cancel', id: `t${n}`, price: 100 + n, size: 10 }
}
const correctOf = (id: string, at: number, corrected: Correction['corrected'] = { price: 1, size: 1 }): Correction => {
  return { type: 'correction', ...stampAt(BEGIN + at * SECOND), action: 'correct', id, ...(corrected && { corrected }) }
}

/** One run of a server, its memory of so many trades, and its journal. */
function stage({ keep = 1_000, records = true }: { keep?: number; records?: boolean } = {}) {
  const plant = createPlant({ epoch: 'now', keep: () => keep })
  const run: Run & { events: Run['events'][number][] } = { run: 'now', open: true, events: [] }
  let now = BEGIN
  const options: HistoryOptions = {
    plant,
    rest: (_instrument, span) => Promise.resolve({ ok: true, provider: 'alpha', trades: [], ...span }),
    hears: () => true,
    gaps: () => [],
    clock: () => now,
    startedAt: BEGIN - 1
  }
  const journal = memoryJournal([run])
  if (records) options.journal = journal
  const publish = (event: Trade | Correction): void => {
    now = Math.max(now, event.received)
    run.events.push(plant.publish(event.type === 'trade' ? TRADE : CORRECTION, { ...event }, now))
  }
  const past = createTrades(options)
  const ask = async (more: { cursor?: string | undefined; limit?: number; to?: number } = {}): Promise<TradesPage> => {
    const answer = await past({ instrument: 'AAPL', from: BEGIN, limit: 100, ...more })
    if (!answer.ok) throw new Error(answer.message)
    return answer
  }
  return { journal, publish, ask }
}
const pricesOf = ({ trades }: TradesPage): [string | undefined, number][] => trades.map(({ id, price }) => [id, price])

test.each([
  ['the memory alone', { records: false }],
  ['the journal', { keep: 1 }]
])('a page from %s has corrected trades as they are true now and no cancelled ones, and tells what was told', async (_, how) => {
  const { publish, ask } = stage(how)
  for (let n = 0; n < 5; n++) publish(tradeOf(n))
  publish(correctOf('t1', 10, { id: 'c1', price: 50, size: 7, conditions: ['@'] }))
  publish(cancelOf(3, 11))
  const page = await ask()
  expect(pricesOf(page)).toEqual([
    ['t0', 100],
    ['t1', 50],
    ['t2', 102],
    ['t4', 104]
  ])
  expect(page.trades[1]).toMatchObject({ size: 7, conditions: ['@'], was: { price: 101, size: 10 }, time: BEGIN + SECOND })
  expect(page.trades[0]).not.toHaveProperty('was')
  expect(page.corrections.map(({ action, id }) => `${action} ${id}`)).toEqual(['correct t1', 'cancel t3'])
})

test('a page whose trades were all cancelled goes on, and its corrections say why it is empty', async () => {
  const { publish, ask } = stage()
  for (let n = 0; n < 4; n++) publish(tradeOf(n))
  for (const n of [0, 1]) publish(cancelOf(n, 10))
  const first = await ask({ limit: 2 })
  expect({ trades: first.trades, more: first.more, told: first.corrections.length }).toEqual({ trades: [], more: true, told: 2 })
  expect(pricesOf(await ask({ limit: 2, cursor: first.cursor }))).toEqual([
    ['t2', 102],
    ['t3', 103]
  ])
})

test('who goes on with a cursor is told of each correction that came since, once, also of trades told before', async () => {
  const { publish, ask } = stage()
  for (let n = 0; n < 4; n++) publish(tradeOf(n))
  const first = await ask()
  expect(first).toMatchObject({ corrections: [], more: false })
  publish(correctOf('t0', 20))
  publish(tradeOf(21))
  const second = await ask({ cursor: first.cursor })
  expect(pricesOf(second)).toEqual([['t21', 121]])
  expect(second.corrections).toMatchObject([{ id: 't0', corrected: { price: 1 } }])
  publish(tradeOf(22))
  const third = await ask({ cursor: second.cursor })
  expect(third).toMatchObject({ trades: [{ id: 't22' }], corrections: [] })
})

test('an export gives the same trades, and its rows say what they were', async () => {
  const { journal, publish } = stage()
  for (let n = 0; n < 4; n++) publish(tradeOf(n))
  publish(correctOf('t1', 10, { price: 50, size: 7 }))
  publish(cancelOf(2, 11))
  const told: string[] = []
  const pieces = tradeTape(journal, 'AAPL', { from: BEGIN, to: Infinity }, (all) => told.push(...all.map(({ id }) => id)))
  const [trades = [], ...rest] = await Array.fromAsync(pieces)
  expect(rest).toEqual([])
  const wasAt = TRADES.findIndex(({ name }) => name === 'was_price')
  const cells = rows(TRADES, trades)
    .trim()
    .split('\r\n')
    .map((line) => line.split(','))
  expect(cells.map((row) => [row[6], row[3], row[wasAt], row[wasAt + 1]])).toEqual([
    ['t0', '100', '', ''],
    ['t1', '50', '101', '10'],
    ['t3', '103', '', '']
  ])
  expect(told).toEqual(['t1', 't2'])
})

type Told = { event: Trade | Correction }
const heard = (told: readonly Told[]): HeardCorrection[] =>
  told.flatMap(({ event }, seq) => {
    if (event.type !== 'correction') return []
    return [{ ...event, topic: CORRECTION, seq, published: event.received }]
  })

test('a correction of a correction is one of the trade, whichever of them is heard first; and a cancel is the last word', () => {
  const trade = tradeOf(0)
  const first = correctOf('t0', 1, { id: 'b', price: 2, size: 2 })
  const second = correctOf('b', 2, { id: 'c', price: 3, size: 3 })
  const third = correctOf('c', 3, { price: 4, size: 4 })
  for (const order of [
    [first, second, third],
    [second, first, third],
    [third, second, first],
    [second, third, first]
  ]) {
    const { trades, corrections } = amended([trade], fatesOf(heard(order.map((event) => ({ event })))))
    expect(trades).toMatchObject([{ id: 't0', price: 4, was: { price: 100, size: 10 } }])
    expect(corrections).toHaveLength(3)
  }
  const cancelled = [first, { ...cancelOf(0, 4), id: 'b' }, third, correctOf('t0', 5)]
  expect(amended([trade], fatesOf(heard(cancelled.map((event) => ({ event })))))).toMatchObject({ trades: [] })
})

test('of a trade that the past tells again under its new id there is one; what is not a number corrects nothing', () => {
  const trade = tradeOf(0)
  const again = { ...trade, id: 'b', price: 2 }
  const fates = fatesOf(heard([{ event: correctOf('t0', 1, { id: 'b', price: 2, size: 10 }) }]))
  expect(amended([trade, again], fates).trades).toMatchObject([{ id: 't0', price: 2 }])
  expect(amended([again], fates).trades).toEqual([again])
  const nothing = fatesOf(heard([{ event: correctOf('t0', 1, { price: Number.NaN, size: 1 }) }]))
  expect(amended([trade], nothing)).toEqual({ trades: [trade], corrections: [] })
})

const shape = ({ start, open, high, low, close, volume, trades }: Candle) => ({ start, open, high, low, close, volume, trades })

const change = fc.record({
  of: fc.nat(39),
  isCancel: fc.boolean(),
  price: fc.integer({ min: 1, max: 300 }),
  saysWhat: fc.boolean()
})

test('candles folded from the journal are those of the service after the same corrections', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 8 }), async (changes) => {
      const trades = Array.from({ length: 40 }, (_, n) => tradeOf(n * 7))
      const corrections = changes
        // The last minute keeps a trade: what comes after a journal's last one nobody knows.
        .filter(({ of }) => of < 39)
        .map(({ of, isCancel, price, saysWhat }, i): Correction => {
          const at = 300 + i
          const { id = '', price: was, size } = trades[of]!
          const told = saysWhat && changes.findIndex((each) => each.of === of) === i ? { price: was, size } : {}
          if (isCancel) return { type: 'correction', ...stampAt(BEGIN + at * SECOND), action: 'cancel', id, ...told }
          return { ...correctOf(id, at, { price, size: 3 }), ...told }
        })
      const { journal, publish } = stage()
      const candles = createCandles()
      const state = candles.open()
      for (const event of [...trades, ...corrections]) {
        publish(event)
        candles.fold(state, event)
      }
      candles.fold(state, { type: 'watermark', instrument: 'AAPL', time: BEGIN + 300 * SECOND - 1 })
      const live = recentCandles(state, 'AAPL', '1m')
      const span = { from: BEGIN, to: BEGIN + 300 * SECOND }
      const found = await candlesOf(journal, { instrument: 'AAPL', interval: '1m', grid: gridOf('1m'), now: Infinity, ...span })
      expect(found.map(shape)).toEqual(live.map(shape))
    }),
    { numRuns: 60 }
  )
})
