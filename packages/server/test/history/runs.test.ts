/** What was simulated is never told as the past of a live server, nor the other way round. */
import type { Mode, Published } from '@tickwire/protocol'
import { expect, onTestFinished, test } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { modeIn, runName } from '../../src/journal/names.ts'
import { openPlant } from '../../src/main.ts'
import { SILENT } from '../../src/ops/log.ts'
import { memoryJournal } from './memory.ts'

const NOW = Date.parse('2026-11-20T12:30Z')
const tradeOf = (price: number): Published => {
  const stamp = { provider: 'alpha', instrument: 'BTC-USDT', time: NOW - 60_000, received: NOW - 60_000, published: NOW - 60_000 }
  return { type: 'trade', topic: 'trade:BTC-USDT', seq: 1, id: String(price), price, size: 1, side: 'buy', ...stamp }
}

/** Prices of the runs in it: 1 of a live one, 666 of a simulated one, 7 of a capture that was played. */
const journal = memoryJournal([
  { run: 'real', to: NOW, events: [tradeOf(1)] },
  { run: 'simulated', mode: 'demo', to: NOW, events: [tradeOf(666)] },
  { run: 'played', mode: 'capture', to: NOW, events: [tradeOf(7)] }
])

test.each<[Mode, number]>([
  ['live', 1],
  ['demo', 666],
  ['capture', 7]
])('a server in mode %s tells the past of runs of its own mode alone, in trades and candles', async (mode, price) => {
  const off = Object.keys(configSchema.parse({}).providers).map((name) => [name, { enabled: false }])
  const config = configSchema.parse({ providers: Object.fromEntries(off) })
  const open = openPlant(config, { mode, log: SILENT, journal, connections: () => [], clock: () => NOW })
  onTestFinished(() => open.stop())
  const { trades, candles } = open.figures.history
  const span = { instrument: 'BTC-USDT', from: NOW - 120_000, to: NOW, limit: 10 }
  const page = await trades(span)
  expect(page.ok && page.trades.map((trade) => trade.price)).toEqual([price])
  const found = await candles({ ...span, interval: '1m' })
  expect(found.candles.filter(({ trades: count = 0 }) => count > 0).map(({ close }) => close)).toEqual([price])
})

test('a run of simulated prices says so in its name, however long its epoch; one of live ones says nothing', () => {
  const epoch = 'e'.repeat(80)
  for (const mode of ['demo', 'capture'] as const) {
    expect(runName(NOW, epoch, mode)).toMatch(new RegExp(`^20261120-123000-e+-${mode}$`))
    expect(runName(NOW, epoch, mode)).toHaveLength(64)
    expect(modeIn(runName(NOW, 'mi8-4f', mode))).toBe(mode)
  }
  expect(modeIn(runName(NOW, 'mi8-4f', 'live'))).toBeUndefined()
})
