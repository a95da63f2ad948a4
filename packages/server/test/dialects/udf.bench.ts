/** A small reader of the UDF specification, as a chart reads it, over a gateway with known candles. */
import { afterEach } from 'vitest'
import { INTERVAL_MS, topicOf, type Candle, type Interval, type MarketEvent, type Mode } from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from '../../src/dialects/dialect.ts'
import { udf } from '../../src/dialects/udf.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { SILENT } from '../../src/ops/log.ts'
import { createPlant } from '../../src/plant/plant.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- answers as any chart sees them
export type Answer = any

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** Friday, 2 January 2026, 15:00:30 UTC. */
export const NOW = Date.UTC(2026, 0, 2, 15, 0, 30)
const carriers = (symbol: string) => [{ provider: 'alpha', symbol, trading: true }]
const INSTRUMENTS: readonly InstrumentInfo[] = [
  { instrument: 'BTC-USDT', base: 'BTC', quote: 'USDT', priceDecimals: 2, sizeDecimals: 5, providers: carriers('BTCUSDT') },
  { instrument: 'ETH-USDT', base: 'ETH', quote: 'USDT', priceDecimals: 2, providers: carriers('ETHUSDT') },
  { instrument: 'BTC-USDT-PERP', base: 'BTC', quote: 'USDT', priceDecimals: 1, providers: carriers('BTCUSDT') },
  { instrument: 'EUR-USD', base: 'EUR', quote: 'USD', priceDecimals: 5, providers: carriers('EURUSD') },
  { instrument: 'AAPL', base: 'AAPL', name: 'Apple Inc.', priceDecimals: 2, providers: carriers('AAPL') },
  { instrument: 'NSE:SBIN-EQ', base: 'NSE:SBIN-EQ', name: 'State Bank of India', providers: carriers('NSE:SBIN-EQ') },
  { instrument: 'INDEX:SPX', base: 'INDEX:SPX', name: 'S&P 500', priceDecimals: 2, providers: carriers('^GSPC') }
]

export const candleOf = (instrument: string, interval: Interval, start: number, close: number): Candle => {
  const stamp = { provider: 'alpha', instrument, time: start, received: start }
  const prices = { open: close - 1, high: close + 2, low: close - 3, close, volume: 7, trades: 2 }
  return { type: 'candle', ...stamp, interval, start, ...prices, closed: true, revision: 0 }
}

/** `past`: the candles there are, whatever is asked for; by interval, oldest first; `why`: there are more. */
type Options = { past?: Partial<Record<Interval, Candle[]>>; why?: string; mode?: Mode; instruments?: readonly InstrumentInfo[] }
export async function start({ past = {}, why, mode = 'live', instruments = INSTRUMENTS }: Options = {}) {
  const plant = createPlant({ epoch: 'e' })
  const patiences: (number | undefined)[] = []
  const asked: { instrument: string; interval: Interval; limit: number }[] = []
  const desk: Desk = {
    server: 'test',
    epoch: plant.epoch,
    mode,
    resolve(text) {
      const bare = (id: string) => id.toUpperCase().replaceAll(/[-/]/g, '')
      const info = instruments.find(({ instrument }) => bare(instrument) === bare(text))
      return info ? { ok: true, instrument: info.instrument } : { ok: false, nearest: [] }
    },
    instruments: () => instruments,
    instrument: (id) => instruments.find(({ instrument }) => instrument === id),
    unlisted: () => [],
    carries: () => true,
    last: plant.last,
    recent: plant.recent,
    hand: plant.last,
    candles(instrument, interval, limit) {
      return desk.past(instrument, interval, limit).then(({ candles }) => candles)
    },
    past(instrument, interval, limit, patience) {
      asked.push({ instrument, interval, limit })
      patiences.push(patience)
      const candles = (past[interval] ?? []).slice(-limit)
      return Promise.resolve(why === undefined ? { candles } : { candles, why })
    },
    connections: () => []
  }
  const gateway = createGateway({
    plant,
    desk,
    dialects: [udf],
    demand: () => ({ upstream: 'live', release: () => {} }),
    clock: () => NOW,
    log: SILENT
  })
  const { port } = await gateway.listen('127.0.0.1', 0)
  undo.push(() => gateway.close(0))
  const get = (path: string) => fetch(`http://127.0.0.1:${port}/udf${path}`)
  return {
    asked,
    patiences,
    get,
    /** The answer to a question, with its parameters. */
    ask: async (path: string, params: Record<string, string | number> = {}): Promise<Answer> => {
      const query = new URLSearchParams(Object.entries(params).map(([key, value]) => [key, String(value)]))
      return (await get(`${path}?${query.toString()}`)).json()
    },
    say: (...events: MarketEvent[]) => {
      for (const event of events) plant.publish(topicOf(event), event, NOW)
    },
    publish: (topic: string, event: MarketEvent) => plant.publish(topic, event, NOW)
  }
}

export type Row = { time: number; open: number; high: number; low: number; close: number; volume: number }
/** As the specification says: columns of one length, times in seconds that grow, and one of three outcomes. */
export function read(answer: Answer): { bars: Row[]; noData: boolean; nextTime?: number } {
  if (answer.s === 'no_data') return { bars: [], noData: true, ...('nextTime' in answer ? { nextTime: answer.nextTime } : {}) }
  if (answer.s !== 'ok') throw new Error(answer.errmsg)
  const columns = ['t', 'o', 'h', 'l', 'c', 'v'].map((key) => answer[key] as number[])
  const lengths = new Set(columns.map((column) => column.length))
  if (lengths.size !== 1) throw new Error(`columns of ${[...lengths].join(' and ')} rows`)
  const [t = [], o = [], h = [], l = [], c = [], v = []] = columns
  const bars = t.map((time, i) => ({ time, open: o[i]!, high: h[i]!, low: l[i]!, close: c[i]!, volume: v[i]! }))
  for (const [i, bar] of bars.entries()) {
    if (!Number.isInteger(bar.time) || bar.time > 1e11) throw new Error(`${bar.time} is no Unix time in seconds`)
    if (i > 0 && bar.time <= bars[i - 1]!.time) throw new Error(`${bar.time} does not come after the bar before it`)
    if (bar.high < Math.max(bar.open, bar.close) || bar.low > Math.min(bar.open, bar.close))
      throw new Error('a price is out of its bar')
  }
  return { bars, noData: false }
}

/** Minutes up to now, one bar each: closes 1 to `count`. */
export const minutes = (count: number, instrument = 'BTC-USDT'): Candle[] =>
  Array.from({ length: count }, (_, i) => {
    const last = Math.floor(NOW / INTERVAL_MS['1m']) * INTERVAL_MS['1m']
    return candleOf(instrument, '1m', last - (count - 1 - i) * INTERVAL_MS['1m'], i + 1)
  })
