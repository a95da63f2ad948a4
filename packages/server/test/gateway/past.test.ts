/** REST of spans of the past, as clients ask for them: pages, CSV, and what is wrong with a question. */
import { INTERVAL_MS, type Candle, type Trade } from '@tickwire/protocol'
import { afterEach, expect, test } from 'vitest'
import type { RestSources } from '../../src/gateway/gateway.ts'
import { historyFrom, type HistoryWiring } from '../../src/markets.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { memoryJournal } from '../history/memory.ts'
import { startRig, type Rig } from './rig.ts'

const BEGIN = Date.parse('2026-11-20T12:00Z')
const MINUTE = INTERVAL_MS['1m']
let rig: Rig | undefined
afterEach(async () => {
  await rig?.gateway.close(0)
  rig = undefined
})

const tradeOf = (n: number, time: number): Trade => {
  const stamp = { provider: 'one', instrument: 'BTC-USDT', time, received: time + 3 }
  return { type: 'trade', ...stamp, id: String(n), price: 100 + n, size: 1, side: 'buy' }
}
const candleOf = (start: number, close: number): Candle => {
  const stamp = { provider: 'one', instrument: 'BTC-USDT', time: start, received: start }
  const prices = { open: close, high: close, low: close, close, volume: 1 }
  return { type: 'candle', ...stamp, interval: '1m', start, ...prices, closed: true, revision: 0 }
}

const SOURCES: Omit<RestSources, 'history'> = {
  providers: () => [],
  hops: () => [],
  moving: () => [],
  groups: () => [],
  candles: () => Promise.resolve({ candles: [] }),
  watched: () => [],
  confidence: () => ({ reliability: {}, calibrations: [] }),
  arbitration: () => [],
  gaps: () => [],
  standing: {
    books: () => [],
    resync: () => Promise.resolve({ outcome: 'failed', message: '', after: 0 }),
    reconnect: () => Promise.resolve({ outcome: 'failed', message: '', after: 0 })
  },
  mode: 'live',
  ready: () => true,
  startedAt: 0,
  build: { version: 'test' }
}

/** Ten minutes recorded in a run before this one, a trade every ten seconds; the provider's REST has the candles of the first five. */
async function start(more: Partial<HistoryWiring> = {}) {
  const old = createPlant({ epoch: 'old' })
  const events = Array.from({ length: 60 }, (_, i) =>
    old.publish('trade:BTC-USDT', tradeOf(i + 1, BEGIN + i * 10_000), BEGIN + i * 10_000 + 3)
  )
  const plant = createPlant({ epoch: 'e1' })
  const now = BEGIN + 10 * MINUTE
  const history = historyFrom({
    journal: memoryJournal([{ run: 'old', events, to: now }]),
    plant,
    feed: {
      history: () => Promise.resolve({ candles: [0, 1, 2, 3, 4].map((n) => candleOf(BEGIN + n * MINUTE, 7)) }),
      trades: () => Promise.resolve({ ok: false, why: 'one: serves no past trades of it' }),
      hearsTrades: () => true,
      gaps: () => []
    },
    live: () => [],
    sessions: () => undefined,
    clock: () => now,
    startedAt: now,
    ...more
  })
  return (rig = await startRig({ plant, rest: { ...SOURCES, history } }))
}
const read = async (path: string) => {
  const answer = await fetch(`${rig!.base}${path}`)
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, never> }
}
type Page = { trades: { id: string }[]; candles: Candle[]; cursor?: string; missing?: string; more?: boolean }

test('[S4-29] trades of a span come in pages, each with a cursor for the next', async () => {
  await start()
  const ids: string[] = []
  let cursor = ''
  for (let pages = 0; pages < 20; pages++) {
    const { body } = await read(
      `/v1/trades?instrument=btcusdt&from=2026-11-20T12:01:00Z&to=${BEGIN + 5 * MINUTE}&limit=7${cursor}`
    )
    const page = body as unknown as Page
    ids.push(...page.trades.map(({ id }) => id))
    if (page.cursor === undefined) break
    cursor = `&cursor=${page.cursor}`
  }
  expect(ids).toEqual(Array.from({ length: 24 }, (_, i) => String(i + 7)))
})

test('as CSV the cursor and the gaps stand in headers', async () => {
  await start()
  const answer = await fetch(`${rig!.base}/v1/trades?instrument=BTC-USDT&from=${BEGIN - MINUTE}&limit=2&format=csv`)
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
  expect(answer.headers.get('x-more')).toBe('true')
  expect(answer.headers.get('x-cursor')).toMatch(/^[\w-]+$/)
  const gap = { from: BEGIN - MINUTE, to: BEGIN, why: 'one: serves no past trades of it' }
  expect(JSON.parse(answer.headers.get('x-gaps')!)).toEqual([gap])
  const [head, first] = (await answer.text()).split('\r\n')
  expect(head).toMatch(/^instrument,time,utc,price,/)
  expect(first).toMatch(/^BTC-USDT,1795176000000,2026-11-20T12:00:00.000Z,101,1,buy,1,one,/)
})

test.for([
  ['/v1/trades?instrument=NOPE', 404, 'BAD_SYMBOL', 'NOPE'],
  ['/v1/trades', 400, 'BAD_MESSAGE', 'instrument'],
  ['/v1/trades?instrument=BTC-USDT&from=yesterday', 400, 'BAD_MESSAGE', 'from: must be a time'],
  ['/v1/trades?instrument=BTC-USDT&from=2026-11-20T12:00', 400, 'BAD_MESSAGE', 'with its zone'],
  ['/v1/trades?instrument=BTC-USDT&from=2026-13-20', 400, 'BAD_MESSAGE', 'from: must be a time'],
  ['/v1/trades?instrument=BTC-USDT&from=2026-02-30', 400, 'BAD_MESSAGE', 'from: must be a time'],
  ['/v1/trades?instrument=BTC-USDT&from=20&to=10', 400, 'BAD_MESSAGE', 'is not before to'],
  ['/v1/trades?instrument=BTC-USDT&limit=10001', 400, 'BAD_MESSAGE', 'limit: must be a whole number from 1 to 10000'],
  ['/v1/trades?instrument=BTC-USDT&cursor=x', 400, 'BAD_MESSAGE', 'cursor: '],
  ['/v1/trades?instrument=BTC-USDT&format=xml', 400, 'BAD_MESSAGE', 'format: must be json or csv'],
  ['/v1/trades?instrument=BTC-USDT&from=2020-01-01&to=2020-01-02', 404, 'NOT_FOUND', 'known here: 2026-11-20T12:00:00.000Z to'],
  ['/v1/candles?instrument=BTC-USDT&from=20&to=10', 400, 'BAD_MESSAGE', 'is not before to'],
  ['/v1/candles/BTC-USDT?to=10', 400, 'BAD_MESSAGE', 'from: it goes with to'],
  ['/v1/candles/BTC-USDT?cursor=x', 400, 'BAD_MESSAGE', 'cursor: ']
] as const)('GET %s is refused in words', async ([path, status, code, words]) => {
  await start()
  const { status: told, body } = await read(path)
  expect([told, body]).toMatchObject([status, { error: { code } }])
  expect((body as unknown as { error: { message: string } }).error.message).toContain(words)
})

test("candles of a span are the provider's where it has them, and the journal's where it has none", async () => {
  await start()
  const { body } = await read(`/v1/candles?instrument=BTC-USDT&from=${BEGIN}&to=${BEGIN + 10 * MINUTE}`)
  const { candles, cursor, missing } = body as unknown as Page
  expect(candles.map(({ start: at, close, provider }) => [(at - BEGIN) / MINUTE, close, provider])).toEqual([
    [0, 7, 'one'],
    [1, 7, 'one'],
    [2, 7, 'one'],
    [3, 7, 'one'],
    [4, 7, 'one'],
    [5, 136, 'journal'],
    [6, 142, 'journal'],
    [7, 148, 'journal'],
    [8, 154, 'journal'],
    [9, 160, 'journal']
  ])
  expect([cursor, missing]).toEqual([undefined, undefined])
})

test('candles of a span come in pages without hole or overlap, in CSV too, and what nobody has is told', async () => {
  await start({
    feed: {
      history: () => Promise.resolve({ candles: [], why: 'one: 503' }),
      trades: () => Promise.resolve({ ok: false, why: '' }),
      hearsTrades: () => true,
      gaps: () => []
    }
  })
  const from = BEGIN - 2 * MINUTE
  const first = (await read(`/v1/candles/BTC-USDT?from=${from}&limit=4`)).body as unknown as Page
  expect(first.candles.map(({ start: at }) => (at - BEGIN) / MINUTE)).toEqual([0, 1])
  expect(first.missing).toBe('before these, from 2026-11-20T11:58:00.000Z to 2026-11-20T12:00:00.000Z: one: 503')
  const second = (await read(`/v1/candles/BTC-USDT?limit=4&cursor=${first.cursor}`)).body as unknown as Page
  expect(second.candles.map(({ start: at }) => (at - BEGIN) / MINUTE)).toEqual([2, 3, 4, 5])
  const answer = await fetch(`${rig!.base}/v1/candles/BTC-USDT?limit=4&format=csv&cursor=${second.cursor}`)
  const starts = (await answer.text())
    .trim()
    .split('\r\n')
    .slice(1)
    .map((line) => (Number(line.split(',')[2]) - BEGIN) / MINUTE)
  expect([starts, answer.headers.get('x-cursor')]).toEqual([[6, 7, 8, 9], null])
})
