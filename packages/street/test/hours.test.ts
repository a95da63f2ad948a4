/** Over the opening bell of New York, on a clock of the test's own: sessions of candles, a correction of a closed one, and a halt. */
import { startServer } from '@tickwire/server'
import { configSchema } from '@tickwire/server/config.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { providers as adapters } from '@tickwire/server/providers/index.ts'
import type { Candle, Published, Trade } from '@tickwire/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { open, street as createStreet, until } from './client.ts'

const BELL = Date.parse('2026-01-09T14:30:00Z')
/** Long enough that something is traded before the bell. */
const BEFORE = 10_000
const MINUTE = 60_000
const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

let url: string
let client: Awaited<ReturnType<typeof open>>
let street: ReturnType<typeof createStreet>
/** The clock runs as ours does; only the day is another. */
let clock: () => number
beforeAll(async () => {
  const shift = BELL - BEFORE - Date.now()
  clock = () => Date.now() + shift
  street = createStreet({ providers: ['alpaca'], clock })
  closing.push(() => street.stop())
  const address = (await street.start())['alpaca']!
  const others = Object.fromEntries(Object.keys(adapters).map((name) => [name, { enabled: false }]))
  const own = { ...address, enabled: true, key: 'street', secret: 'street' }
  const config = configSchema.parse({ port: 0, watch: ['AAPL'], providers: { ...others, alpaca: own } })
  const server = await startServer(config, { mode: 'live', log: SILENT, clock })
  closing.push(() => server.stop())
  url = server.url
  client = await open(`${url.replace('http', 'ws')}/v1/ws`, { op: 'subscribe', topics: ['trade:AAPL', 'candle:AAPL:1m'] })
  closing.push(async () => client.socket.close())
})

const told = <E>(type: string): E[] =>
  client.texts.flatMap((text) => [JSON.parse(text)].flat() as Published[]).filter((event) => event.type === type) as E[]
const get = async <T>(path: string): Promise<T> => (await (await fetch(url + path)).json()) as T
const candles = async (session: string): Promise<Candle[]> =>
  (await get<{ candles: Candle[] }>(`/v1/candles/AAPL?interval=1m&session=${session}`)).candles
/** Resolves with the first answer of which `test` holds; the runner's own limit ends it otherwise. */
async function first<T>(ask: () => Promise<T>, test: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (test(answer)) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test(
  'a candle belongs to the session of its minute: before the bell `extended`, from it on `regular`',
  { timeout: 90_000 },
  async () => {
    const regular = await first(
      () => candles('regular'),
      (all) => all.length > 0
    )
    const [extended, all] = [await candles('extended'), await candles('all')]
    expect(regular.map(({ start, session }) => [start, session])).toEqual([[BELL, 'regular']])
    expect(extended.at(-1)).toMatchObject({ start: BELL - MINUTE, session: 'pre', closed: true })
    expect(extended.every(({ start, session }) => start < BELL && session === 'pre')).toBe(true)
    expect(all.map(({ start }) => start)).toEqual([...extended, ...regular].map(({ start }) => start).slice(-all.length))
  }
)

test('a correction on the stream revises the candle that was closed, end to end', { timeout: 90_000 }, async () => {
  const closed = () => told<Candle>('candle').filter((candle) => candle.closed && candle.start === BELL - MINUTE)
  await until(() => closed().length > 0)
  const candle = closed().at(-1)!
  // As the venue knows it, by its own id.
  const heard = told<Trade>('trade').findLast(({ time }) => time < BELL)!
  const plant = street.plant('alpaca')
  const same = (e: Trade) => e.time === heard.time && e.price === heard.price && e.size === heard.size
  const wrong = plant.recent('trade:AAPL', 1_000).find((e) => e.type === 'trade' && same(e)) as Trade
  const corrected = { price: Number((candle.high * 1.01).toFixed(2)), size: wrong.size + 5 }
  const time = clock()
  const head = { type: 'correction', provider: 'alpaca', instrument: 'AAPL', time, received: time } as const
  const { id, price, size } = wrong
  plant.publish('correction:AAPL', { ...head, action: 'correct', id: id!, price, size, corrected }, time)
  await until(() => closed().at(-1)!.high === corrected.price)
  const revised = closed().at(-1)!
  expect(revised.revision).toBeGreaterThan(candle.revision)
  expect([revised.trades, revised.volume]).toEqual([candle.trades, candle.volume + 5])
})

test('a halt on the stream is why its instrument is silent: every source of it is `halted`', { timeout: 90_000 }, async () => {
  const time = clock()
  const halt = {
    type: 'halt',
    provider: 'alpaca',
    instrument: 'AAPL',
    time,
    received: time,
    state: 'halted',
    code: 'T1'
  } as const
  street.plant('alpaca').publish('halt:AAPL', halt, time)
  const last = () => get<{ last: Record<string, { state: string } | null> }>('/v1/last?topics=halt:AAPL')
  await first(last, (answer) => answer.last?.['halt:AAPL']?.state === 'halted')
  street.fault('alpaca', 'stall')
  const text = await first(
    async () => JSON.stringify(await get('/v1/arbitration/AAPL')),
    (answer) => answer.includes('"liveness":"halted"')
  )
  expect(text).not.toMatch(/"liveness":"(stale|dead)"/)
})
