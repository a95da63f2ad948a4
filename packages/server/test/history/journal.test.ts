/** Pages and candles from a real journal on disk, while it is written. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Trade } from '@tickwire/protocol'
import { afterAll, expect, test } from 'vitest'
import type { TradesAnswer, TradesPage } from '../../src/history/page.ts'
import { candlesOf } from '../../src/history/recorded.ts'
import { createTrades } from '../../src/history/trades.ts'
import { openReader } from '../../src/journal/reader.ts'
import { openWriter } from '../../src/journal/writer.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { gridOf } from '../../src/services/sessions.ts'

const BEGIN = Date.parse('2026-11-20T12:00Z')
const TOPIC = 'trade:BTC-USDT'
const directory = mkdtempSync(join(tmpdir(), 'history-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const tradeOf = (n: number): Trade => {
  const time = BEGIN + n * 100
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time, received: time + 3 }
  return { type: 'trade', ...stamp, price: 100 + n / 100, size: 1, side: 'buy', id: String(n) }
}
const page = (answer: TradesAnswer): TradesPage => {
  if (!answer.ok) throw new Error(answer.message)
  return answer
}

/** A run of a server: a plant whose memory is short, and its journal. */
function run(epoch: string) {
  let now = BEGIN
  const plant = createPlant({ epoch, keep: () => 20 })
  const writer = openWriter({ directory, what: ['events'], epoch, clock: () => now })
  const publish = (n: number): void => {
    const trade = tradeOf(n)
    now = trade.received
    writer.append({ type: 'event', time: now, event: plant.publish(TOPIC, trade, now) })
  }
  return { plant, writer, publish, clock: () => now }
}

test('[S1-71] two runs and the memory of the second give each trade once, while the second is written', async () => {
  const first = run('one')
  for (let n = 1; n <= 900; n++) first.publish(n)
  await first.writer.stop()
  const second = run('two')
  let n = 900
  for (; n < 1_800;) second.publish(++n)
  const reader = openReader({ directory })
  const ask = createTrades({
    journal: reader,
    flush: second.writer.flush,
    plant: second.plant,
    // Between the runs nothing was traded.
    rest: (_instrument, span) => Promise.resolve({ ok: true, provider: 'alpha', trades: [], ...span }),
    hears: () => true,
    gaps: () => [],
    clock: second.clock,
    startedAt: BEGIN + 900 * 100 + 50
  })
  const told: number[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 60; pages++) {
    const { trades, gaps, cursor: next, more } = page(await ask({ instrument: 'BTC-USDT', from: BEGIN, limit: 97, cursor }))
    expect(gaps).toEqual([])
    told.push(...trades.map(({ id }) => Number(id)))
    cursor = next
    if (pages < 10) for (let k = 0; k < 50; k++) second.publish(++n)
    else if (!more && told.length === n) break
  }
  expect(told).toEqual(Array.from({ length: 2_300 }, (_, i) => i + 1))
  await second.writer.stop()

  const span = { from: BEGIN, to: BEGIN + 240_000 }
  const candles = await candlesOf(reader, { instrument: 'BTC-USDT', interval: '1m', grid: gridOf('1m'), now: Infinity, ...span })
  reader.close()
  expect(candles.map(({ trades, open, close }) => [trades, open, close])).toEqual([
    [599, 100.01, 105.99],
    [600, 106, 111.99],
    [600, 112, 117.99],
    [501, 118, 123]
  ])
})
