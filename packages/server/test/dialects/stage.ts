/** A stage for a dialect: a plant, a desk over a few instruments, and clients that do what a session does, without sockets. */
import { parseTopic, topicOf, type ErrorCode, type MarketEvent, type Published, type TopicResult } from '@tickwire/protocol'
import { createHanded } from '../../src/plant/handed.ts'
import { keepFor } from '../../src/plant/keep.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { candlesOf } from '../../src/dialects/past.ts'
import type { Command, Desk, Dialect, InstrumentInfo } from '../../src/dialects/dialect.ts'

export const NOW = 1_768_478_400_000

/** What every event has, of an instrument at the stage's time. */
export const stampOf = <T extends string, I extends string = 'AAPL'>(type: T, instrument: I = 'AAPL' as I) =>
  ({ type, provider: 'any', instrument, time: NOW, received: NOW }) as const

const info = (
  instrument: string,
  provider: string,
  symbol: string,
  priceDecimals: number,
  sizeDecimals: number
): InstrumentInfo => {
  const [base = '', quote] = instrument.split('-')
  return {
    instrument,
    base,
    ...(quote === undefined ? {} : { quote }),
    priceDecimals,
    sizeDecimals,
    providers: [{ provider, symbol, trading: true }]
  }
}

export function createStage() {
  const plant = createPlant({ epoch: 'test', keep: keepFor(1_000) })
  const infos = [
    info('BTC-USDT', 'any', 'BTC-USDT', 2, 5),
    info('ETH-USDT', 'any', 'ETH-USDT', 2, 4),
    info('BTC-USD', 'any', 'BTC-USD', 1, 8),
    info('AAPL', 'any', 'AAPL', 2, 0),
    info('SPY', 'any', 'SPY', 2, 0)
  ]
  /** Topics that the gateway refuses, by what it says. */
  const refusals = new Map<string, ErrorCode>()
  const desk: Desk = {
    server: 'test',
    epoch: plant.epoch,
    mode: 'demo',
    resolve(text) {
      const found = infos.find((one) => [one.instrument, one.base + (one.quote ?? '')].includes(text.toUpperCase()))
      return found ? { ok: true, instrument: found.instrument } : { ok: false, nearest: [] }
    },
    instruments: () => infos,
    instrument: (id) => infos.find((one) => one.instrument === id),
    last: plant.last,
    ...createHanded(plant, () => NOW),
    candles: (instrument, interval, limit) => Promise.resolve(candlesOf(desk, instrument, interval, limit)),
    past: (instrument, interval, limit) => desk.candles(instrument, interval, limit).then((candles) => ({ candles })),
    unlisted: () => [],
    carries: () => true,
    forbids: (topic) => (refusals.get(topic) === 'FORBIDDEN' ? 'not for you' : undefined),
    connections: () => []
  }
  const publish = (event: MarketEvent, now = event.time): Published => plant.publish(topicOf(event), { ...event }, now)
  return { plant, desk, publish, refusals, infos }
}

export type Stage = ReturnType<typeof createStage>

/** A client of a dialect; `out` is every message that it was sent, in order. */
export function connect<M>(
  { plant, desk, refusals }: Stage,
  dialect: Dialect<M>,
  path = dialect.paths[0]!,
  query: Record<string, string> = {},
  rest = ''
) {
  const out: string[] = []
  const held = new Map<string, () => void>()
  let now = NOW
  let closed: string | undefined
  /** As the gateway does between two flushes: what it holds is rendered late, when the plant has moved on. */
  let waiting: Published[] | undefined
  const { memory, commands } = dialect.open({ path, query, rest, session: 'session-1' }, desk, now)

  const put = (text: string | undefined): void => {
    if (text !== undefined) out.push(dialect.frame ? dialect.frame([text]) : text)
  }
  const subscribe = (topics: readonly string[], tag: unknown): void => {
    const missed: Published[] = []
    const results = topics.map((asked): TopicResult => {
      const seq = plant.last(asked)?.seq ?? 0
      if ('code' in parseTopic(asked)) throw new Error(`the dialect made a topic that is none: ${asked}`)
      const code = refusals.get(asked)
      if (code !== undefined) return { asked, ok: false, code, message: code }
      if (!held.has(asked)) {
        const joined = plant.subscribe(asked, (event) => {
          if (waiting) waiting.push(event)
          else put(dialect.render(event, memory, now))
        })
        missed.push(...joined.missed)
        held.set(asked, joined.stop)
      }
      return { asked, topic: asked, ok: true, position: { epoch: plant.epoch, seq }, upstream: 'live' }
    })
    run(dialect.settled?.(results, tag, memory, now) ?? [])
    for (const event of missed) put(dialect.render(event, memory, now))
  }
  const run = (todo: readonly Command[]): void => {
    for (const command of todo) {
      if (command.type === 'send') out.push(command.text)
      else if (command.type === 'subscribe') subscribe(command.topics, command.tag)
      else if (command.type === 'close') closed = command.reason
      else if (command.type === 'authenticate') run(dialect.authenticated?.('user', command.tag, memory, now) ?? [])
      else if (command.type === 'unsubscribe')
        for (const topic of command.topics) {
          held.get(topic)?.()
          held.delete(topic)
        }
    }
  }
  run(commands)

  return {
    out,
    /** What came since the last call. */
    take: (): string[] => out.splice(0),
    taken: (): any[] => out.splice(0).map((text) => JSON.parse(text)),
    send: (message: unknown) =>
      run(dialect.receive(typeof message === 'string' ? message : JSON.stringify(message), memory, now)),
    /** Nothing is rendered until `flush`. */
    hold: () => void (waiting ??= []),
    flush(): void {
      const held = waiting ?? []
      waiting = undefined
      for (const event of held) put(dialect.render(event, memory, now))
    },
    /** Time passes: the dialect's own clock ticks. */
    pass(milliseconds: number): void {
      now += milliseconds
      run(dialect.tick?.(memory, now) ?? [])
    },
    topics: () => [...held.keys()],
    closed: () => closed
  }
}

/** Calls a dialect's REST route that asks for candles; the path may have a query. */
export const asked = <M>(stage: Stage, dialect: Dialect<M>, url: string) => Promise.resolve(request(stage, dialect, url))

/** The same for any other route: it answers at once. */
export function request<M>({ desk }: Stage, dialect: Dialect<M>, url: string) {
  const { pathname, searchParams } = new URL(url, 'http://street')
  const route = dialect.http!.find(({ route }) => {
    const stem = route.replace('GET ', '')
    return stem.endsWith('*') ? pathname.startsWith(stem.slice(0, -1)) : pathname === stem
  })
  if (!route) throw new Error(`no route for ${pathname}`)
  const answer = route.answer({ method: 'GET', path: pathname, query: Object.fromEntries(searchParams) }, desk, NOW)
  return answer as { status: number; body: any }
}
