/** A gateway that speaks the stream of S3 over a plant with Indian shares and an index; what its tests share. */
import { afterEach, expect } from 'vitest'
import { WebSocket } from 'ws'
import { topicOf, type Book, type Index, type MarketEvent, type Quote, type Ticker, type Trade } from '@tickwire/protocol'
import type { Desk } from '../../src/dialects/dialect.ts'
import { datastream } from '../../src/dialects/datastream.ts'
import { createInstruments } from '../../src/feed/instruments.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts'
import { SILENT } from '../../src/ops/log.ts'
import { createPlant } from '../../src/plant/plant.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- messages as any client sees them
export type Message = any

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const stamp = (instrument: string) => ({ provider: 'alpha', instrument, time: 1_700_000_000_000, received: 1_700_000_000_005 })
export const tradeOf = (instrument: string, price: number, more: Partial<Trade> = {}): Trade => {
  return { type: 'trade', ...stamp(instrument), price, size: 2, side: 'buy', ...more }
}
export const quoteOf = (instrument: string, bid: number, ask: number): Quote => {
  return { type: 'quote', ...stamp(instrument), bid, bidSize: 3, ask, askSize: 4 }
}
export const tickerOf = (instrument: string, last: number, more: Partial<Ticker> = {}): Ticker => {
  return { type: 'ticker', ...stamp(instrument), last, ...more }
}
export const indexOf = (instrument: string, value: number, more: Partial<Index> = {}): Index => {
  return { type: 'index', ...stamp(instrument), value, ...more }
}
export const bookOf = (instrument: string, bids: Book['bids'], asks: Book['asks']): Book => {
  return { type: 'book', ...stamp(instrument), bids, asks }
}
/** What the seed shows of SBIN: 2.50 up from 608.00. */
export const SBIN = tickerOf('NSE:SBIN-EQ', 610.5, {
  open: 608,
  high: 612,
  low: 607.5,
  change: 2.5,
  changePercent: 0.41,
  prevClose: 607.9,
  volume: 9
})

export async function start(options: Partial<GatewayOptions> = {}) {
  const plant = createPlant({ epoch: 'e' })
  const demanded = new Map<string, number>()
  const instruments = createInstruments()
  const equities = ['NSE:SBIN-EQ', 'NSE:INFY-EQ', 'NSE:ADANIENT-EQ', 'AAPL']
  instruments.add('alpha', [
    ...equities.map((symbol) => ({ symbol, base: symbol, trading: true })),
    { symbol: '^NSEI', base: 'INDEX:NIFTY50', trading: true },
    { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT', trading: true }
  ])
  const desk: Desk = {
    server: 'test',
    epoch: plant.epoch,
    mode: 'demo',
    resolve: instruments.resolve,
    instruments: instruments.all,
    instrument: instruments.info,
    unlisted: () => [],
    carries: ({ kind, instrument }) => (kind === 'index') === instrument.startsWith('INDEX:'),
    last: plant.last,
    recent: plant.recent,
    hand: plant.last,
    candles: () => Promise.resolve([]),
    past: () => Promise.resolve({ candles: [] }),
    connections: () => gateway.connections()
  }
  const gateway: Gateway = createGateway({
    plant,
    desk,
    dialects: [datastream],
    demand({ kind, instrument }) {
      const name = `${kind}:${instrument}`
      demanded.set(name, (demanded.get(name) ?? 0) + 1)
      return { upstream: 'live', release: () => void demanded.set(name, demanded.get(name)! - 1) }
    },
    clock: Date.now,
    log: SILENT,
    ...options
  })
  const { port } = await gateway.listen('127.0.0.1', 0)
  undo.push(() => gateway.close(0))
  const base = `http://127.0.0.1:${port}/api/websocket`
  const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(base + path, { method, headers })
    return { status: response.status, body: (await response.json()) as Message }
  }
  return {
    gateway,
    say: (...events: MarketEvent[]) => {
      for (const event of events) plant.publish(topicOf(event), event, Date.now())
    },
    get: (path: string, headers?: Record<string, string>) => ask('GET', path, headers),
    post: (path: string, headers?: Record<string, string>) => ask('POST', path, headers),
    /** What is held upstream now. */
    held: () => [...demanded].filter(([, count]) => count > 0).map(([name]) => name),
    counts: demanded,
    open: () => connect(`ws://127.0.0.1:${port}/api/websocket/stream`)
  }
}

async function connect(url: string) {
  const ws = new WebSocket(url)
  const said: Message[] = []
  let closed: number | undefined
  ws.on('message', (data: Buffer) => said.push(JSON.parse(data.toString())))
  ws.on('close', (code) => (closed = code))
  undo.push(() => ws.terminate())
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
  const of = (type: string): Message[] => said.filter((message) => message.type === type).map(({ data }) => data)
  return {
    ws,
    said,
    of,
    send: (message: unknown) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    subscribe: (symbols: unknown, data_type: unknown = 'SymbolUpdate', more: object = {}) =>
      ws.send(JSON.stringify({ action: 'subscribe', symbols, data_type, ...more })),
    /** The data of the nth message of this type. */
    message: async (type: string, nth = 0): Promise<Message> => {
      await expect.poll(() => of(type).length, { timeout: 30_000, interval: 5 }).toBeGreaterThan(nth)
      return of(type)[nth]
    },
    closed: async () => {
      await expect.poll(() => closed, { timeout: 30_000, interval: 5 }).toBeDefined()
      return closed
    }
  }
}
