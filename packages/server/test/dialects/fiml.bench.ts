/** A desk with a few instruments, events for them, and the dialect run by hand: what its tests share. */
import {
  topicOf,
  type MarketEvent,
  type Published,
  type Quote,
  type Status,
  type Ticker,
  type TopicResult,
  type Trade,
  type Candle
} from '@tickwire/protocol'
import type { Command, Desk } from '../../src/dialects/dialect.ts'
import { createFiml, type FimlOptions } from '../../src/dialects/fiml.ts'
import { createInstruments } from '../../src/feed/instruments.ts'
import { createPlant, type Plant } from '../../src/plant/plant.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- messages as any client sees them
export type Message = any

const EQUITIES = ['AAPL', 'MSFT', 'GOOGL', 'TSLA', 'NVDA', 'SPY']
const COINS = ['BTC', 'ETH', 'SOL']

export function deskOf(plant: Plant, connections: Desk['connections'] = () => []): Desk {
  const instruments = createInstruments()
  instruments.add('alpha', [
    ...EQUITIES.map((symbol) => ({ symbol, base: symbol, trading: true })),
    ...COINS.map((coin) => ({ symbol: `${coin}USDT`, base: coin, quote: 'USDT', trading: true })),
    { symbol: 'EURUSD', base: 'EUR', quote: 'USD', trading: true }
  ])
  return {
    server: 'test',
    epoch: plant.epoch,
    mode: 'demo',
    resolve: (text) => instruments.resolve(text),
    candles: () => Promise.resolve([]),
    past: () => Promise.resolve({ candles: [] }),
    unlisted: () => [],
    carries: () => true,
    instruments: () => instruments.all(),
    instrument: (id) => instruments.info(id),
    last: (topic) => plant.last(topic),
    recent: (topic, count) => plant.recent(topic, count),
    hand: (topic) => plant.last(topic),
    connections
  }
}

const stamp = (instrument: string, time: number) => ({ provider: 'alpha', instrument, time, received: time, confidence: 0.97 })
export const tradeOf = (instrument: string, price: number, time = 1, more: Partial<Trade> = {}): Trade => {
  return { type: 'trade', ...stamp(instrument, time), price, size: 2, side: 'buy', id: `t${time}`, ...more }
}
export const quoteOf = (instrument: string, bid: number, ask: number, time = 1): Quote => {
  return { type: 'quote', ...stamp(instrument, time), bid, bidSize: 3, ask, askSize: 4 }
}
export const tickerOf = (instrument: string, last: number, more: Partial<Ticker> = {}): Ticker => {
  return { type: 'ticker', ...stamp(instrument, 1), last, ...more }
}
export const candleOf = (instrument: string, start: number, close: number, more: Partial<Candle> = {}): Candle => {
  const prices = { open: 1, high: 9, low: 1, close, volume: 5, trades: 2 }
  return { type: 'candle', ...stamp(instrument, start), interval: '1m', start, ...prices, closed: false, revision: 0, ...more }
}
export const statusOf = (
  instrument: string,
  kind: Status['kind'],
  leader: string | undefined,
  cause: Status['cause']
): Status => {
  const { confidence: _, ...rest } = stamp(instrument, 1)
  return {
    type: 'status',
    ...rest,
    kind,
    ...(leader === undefined ? {} : { leader }),
    standbys: [],
    cause,
    reason: `${kind} by ${cause}`
  }
}

export const publish = (plant: Plant, event: MarketEvent, now = 0): Published => plant.publish(topicOf(event), event, now)

/** One connection run by hand: a session without a socket. `refuse` answers for topics that the session would not give. */
export function connection(
  {
    path = '/ws/stream',
    query = {},
    session = 's1',
    ...options
  }: FimlOptions & { path?: string; query?: Record<string, string>; session?: string } = {},
  refuse: (topic: string) => string | undefined = () => undefined
) {
  const plant = createPlant({ epoch: 'e' })
  const dialect = createFiml(options)
  const said: Message[] = []
  const held = new Set<string>()
  let now = 0
  let nextTick = 50
  const rest = path.startsWith('/ws/prices/') ? path.slice('/ws/prices/'.length) : ''
  const { memory, commands } = dialect.open({ path, query, rest, session }, deskOf(plant), now)

  const result = (asked: string): TopicResult => {
    const message = refuse(asked)
    if (message !== undefined) return { asked, ok: false, code: 'TOO_MANY_SYMBOLS', message }
    return { asked, topic: asked, ok: true, position: { epoch: 'e', seq: 0 }, upstream: 'live' }
  }
  const run = (list: readonly Command[]): void => {
    for (const command of list) {
      if (command.type === 'send') said.push(JSON.parse(command.text))
      if (command.type === 'unsubscribe') for (const topic of command.topics) held.delete(topic)
      if (command.type !== 'subscribe') continue
      const results = command.topics.map(result)
      const fresh = results.flatMap((each) => (each.ok && !held.has(each.topic) ? [each.topic] : []))
      for (const topic of fresh) held.add(topic)
      run(dialect.settled!(results, command.tag, memory, now))
      for (const topic of fresh) {
        const last = plant.last(topic)
        if (last && held.has(topic)) dialect.render(last, memory, now)
      }
    }
  }
  run(commands)

  return {
    plant,
    dialect,
    memory,
    held,
    said,
    send: (message: unknown) =>
      run(dialect.receive(typeof message === 'string' ? message : JSON.stringify(message), memory, now)),
    subscribe: (stream_type: string, symbols: string[], more: object = {}) =>
      run(dialect.receive(JSON.stringify({ type: 'subscribe', stream_type, symbols, ...more }), memory, now)),
    say: (...events: MarketEvent[]) => {
      for (const event of events) {
        const published = publish(plant, event, now)
        if (held.has(published.topic)) dialect.render(published, memory, now)
      }
    },
    /** Ticks every 50 ms until this time. */
    until: (time: number) => {
      for (; nextTick <= time; nextTick += 50) run(dialect.tick!(memory, (now = nextTick)))
      now = time
    },
    /** What was said since last asked. */
    take: (): Message[] => said.splice(0),
    data: (): Message[] => said.filter(({ type }) => type === 'data')
  }
}
