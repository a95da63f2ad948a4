/** One connection of a Ziggy channel run by hand, and a gateway that speaks them all: what their tests share. */
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import type { Candle, ErrorCode, MarketEvent, News, Published, Topic, TopicResult } from '@tickwire/protocol'
import type { Command, Desk, Dialect } from '../../src/dialects/dialect.ts'
import { createAlerts } from '../../src/dialects/ziggy.alerts.ts'
import { createCharts } from '../../src/dialects/ziggy.charts.ts'
import { chat } from '../../src/dialects/ziggy.chat.ts'
import { createMarket } from '../../src/dialects/ziggy.market.ts'
import { createNews } from '../../src/dialects/ziggy.news.ts'
import { createPortfolio } from '../../src/dialects/ziggy.portfolio.ts'
import { createSignals } from '../../src/dialects/ziggy.signals.ts'
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts'
import { SILENT } from '../../src/ops/log.ts'
import { createPlant, type Plant } from '../../src/plant/plant.ts'
import { candleOf, deskOf, publish, type Message } from './fiml.bench.ts'

const MINUTE = 60_000

export const newsOf = (id: string, headline: string, more: Partial<News> = {}): News => ({
  type: 'news',
  provider: 'wire',
  instrument: 'all',
  time: 1_000,
  received: 1_000,
  id,
  headline,
  instruments: [],
  ...more
})

/** Closed minutes up to `now`, the last one still forming. */
export const pastOf = (instrument: string, count: number, closeOf: (i: number) => number = (i) => 100 + i): Candle[] =>
  Array.from({ length: count }, (_, i) => {
    const close = closeOf(i)
    return candleOf(instrument, i * MINUTE, close, { open: close, high: close + 1, low: close - 1, closed: i < count - 1 })
  })

const deskWith = (plant: Plant, more: Partial<Desk>): Desk => ({ ...deskOf(plant), ...more })

/** A session without a socket. `refuse` answers for topics that the session would not give. */
export function connection<M>(
  dialect: Dialect<M>,
  options: {
    query?: Record<string, string>
    desk?: Partial<Desk>
    refuse?: (topic: string) => string | undefined
    code?: ErrorCode
  } = {}
) {
  const { query = {}, desk = {}, refuse = () => undefined, code = 'TOO_MANY_SYMBOLS' } = options
  const plant = createPlant({ epoch: 'e' })
  const said: Message[] = []
  const held = new Set<string>()
  let now = 0
  let nextTick = 100
  let closed: number | undefined
  let bad = 0
  const path = dialect.paths[0] ?? ''
  const { memory, commands } = dialect.open({ path, query, rest: '', session: 's1' }, deskWith(plant, desk), now)

  const result = (asked: string): TopicResult => {
    const message = refuse(asked)
    if (message !== undefined) return { asked, ok: false, code, message }
    return { asked, topic: asked, ok: true, position: { epoch: 'e', seq: 0 }, upstream: 'live' }
  }
  const keep = (text: string | undefined) => text !== undefined && said.push(JSON.parse(text))
  const run = (list: readonly Command[]): void => {
    for (const command of list) {
      if (command.type === 'send') keep(command.text)
      if (command.type === 'send' && command.bad) bad++
      if (command.type === 'authenticate') run(dialect.authenticated?.(command.token, command.tag, memory, now) ?? [])
      if (command.type === 'close') closed = command.code
      if (command.type === 'unsubscribe') for (const topic of command.topics) held.delete(topic)
      if (command.type !== 'subscribe') continue
      const results = command.topics.map(result)
      const fresh = results.flatMap((each) => (each.ok && !held.has(each.topic) ? [each.topic] : []))
      for (const topic of fresh) held.add(topic)
      run(dialect.settled?.(results, command.tag, memory, now) ?? [])
      for (const topic of fresh) {
        const last = plant.last(topic)
        if (last && held.has(topic)) keep(dialect.render(last, memory, now))
      }
    }
  }
  run(commands)

  const hear = (event: Published) => held.has(event.topic) && keep(dialect.render(event, memory, now))
  return {
    plant,
    held,
    said,
    send: (message: unknown) =>
      run(dialect.receive(typeof message === 'string' ? message : JSON.stringify(message), memory, now)),
    say: (...events: MarketEvent[]) => {
      for (const event of events) hear(publish(plant, event, now))
    },
    tell: (...stories: News[]) => {
      for (const each of stories) hear(plant.publish('news:all', each, now))
    },
    /** Ticks every 100 ms until this time. */
    until: (time: number) => {
      for (; nextTick <= time; nextTick += 100) run(dialect.tick?.(memory, (now = nextTick)) ?? [])
      now = time
    },
    take: (): Message[] => said.splice(0),
    closed: () => closed,
    bad: () => bad
  }
}

export type StartOptions = {
  past?: (instrument: string) => readonly Candle[]
  /** There is more of it. */
  why?: string
  carries?: (topic: Topic) => boolean
  heartbeat?: { every: number; timeout: number }
  watchlistAfter?: number
  /** SHA-256 of each, in hex. */
  keys?: readonly string[]
}

/** A gateway that speaks all channels, on a real port. */
export async function start({
  past = () => [],
  why,
  carries = () => true,
  heartbeat = { every: 25_000, timeout: 10_000 },
  watchlistAfter = 60_000,
  keys = []
}: StartOptions = {}) {
  const plant = createPlant({ epoch: 'e' })
  const demanded = new Map<string, number>()
  const desk = deskWith(plant, {
    carries,
    past: (instrument) => Promise.resolve(why === undefined ? { candles: past(instrument) } : { candles: past(instrument), why }),
    connections: () => gateway.connections()
  })
  const interval = 50
  const dialects: Dialect<any>[] = [
    createMarket({ interval, watchlistAfter, heartbeat }),
    createNews({ heartbeat }),
    createAlerts({ heartbeat }),
    createSignals({ heartbeat }),
    createPortfolio({ heartbeat }),
    createCharts({ interval, heartbeat }),
    chat
  ]
  const gateway: Gateway = createGateway({
    plant,
    desk,
    dialects,
    auth: { keys },
    demand: ({ kind, instrument }) => {
      const name = `${kind}:${instrument}`
      demanded.set(name, (demanded.get(name) ?? 0) + 1)
      return { upstream: 'live', release: () => void demanded.set(name, (demanded.get(name) ?? 0) - 1) }
    },
    clock: Date.now,
    log: SILENT
  })
  const { port } = await gateway.listen('127.0.0.1', 0)
  const clients: WebSocket[] = []
  return {
    plant,
    gateway,
    demanded,
    base: `http://127.0.0.1:${port}`,
    say: (...events: MarketEvent[]) => {
      for (const event of events) publish(plant, event, Date.now())
    },
    tell: (story: News) => plant.publish('news:all', story, Date.now()),
    open: async (path: string) => {
      const client = await connect(`ws://127.0.0.1:${port}${path}`)
      clients.push(client.ws)
      return client
    },
    stop: async () => {
      for (const client of clients) client.terminate()
      await gateway.close(0)
    }
  }
}

/** A client that keeps all it was told. */
async function connect(url: string) {
  const ws = new WebSocket(url)
  const said: Message[] = []
  let closed: number | undefined
  ws.on('message', (data: Buffer) => said.push(JSON.parse(data.toString())))
  ws.on('close', (code) => (closed = code))
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
  const of = (type: string): Message[] => said.filter((message) => message.type === type)
  return {
    ws,
    said,
    of,
    closed: () => closed,
    send: (message: unknown) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    /** The nth message of this type. */
    message: async (type: string, nth = 0): Promise<Message> => {
      await expect.poll(() => of(type).length, { timeout: 30_000, interval: 5 }).toBeGreaterThan(nth)
      return of(type)[nth]
    }
  }
}
