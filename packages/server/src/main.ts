/** Wires the rooms: providers → feed → plant → services and gateway. The only file that knows the configuration. Read it top to bottom. */
import { randomBytes } from 'node:crypto'
import { isTopicError, parseTopic, topicName, type Candle, type Interval, type Mode } from '@tickwire/protocol'
import type { Config } from './config.ts'
import { dialects } from './dialects/index.ts'
import type { Desk } from './dialects/dialect.ts'
import { createFeed } from './feed/feed.ts'
import { createInstruments, type Instruments } from './feed/instruments.ts'
import { createGateway, type Demand } from './gateway/gateway.ts'
import { createLog, type Log } from './ops/log.ts'
import { createPlant } from './plant/plant.ts'
import { providers } from './providers/index.ts'
import { candles, joinCandles } from './services/candles.ts'
import { hostServices } from './services/run.ts'

export const VERSION = '0.1.0'

export type ServerOptions = {
  mode: Mode
  /** Directory of the built page; without it the port serves programs only. */
  page?: string
  log?: Log
  clock?: () => number
  random?: () => number
}

export type Server = {
  host: string
  port: number
  /** Address for people, as in http://127.0.0.1:8000 */
  url: string
  stop: () => Promise<void>
}

/** Starts a server and resolves when it listens. Rejects when the port is taken, naming it. */
export async function startServer(config: Config, options: ServerOptions): Promise<Server> {
  const { mode, clock = Date.now, random = Math.random } = options
  const log = options.log ?? createLog({ level: config.log.level })
  const startedAt = clock()

  const plant = createPlant({ epoch: `${startedAt.toString(36)}-${randomBytes(4).toString('hex')}`, keep: config.plant.keep })
  const instruments = createInstruments()
  const feed = createFeed({
    providers: Object.entries(config.providers)
      .filter(([, provider]) => provider.enabled)
      .map(([name, { wsUrl, restUrl, key, secret, feed }]) => ({
        adapter: providers[name]!,
        wsUrl,
        restUrl,
        access: { ...(key && { key }), ...(secret && { secret }), ...(feed && { feed }) }
      })),
    plant,
    instruments,
    clock,
    random,
    log,
    simulated: mode !== 'live',
    settings: { grace: config.feed.grace, holdDown: config.feed.holdDown, bookLevels: config.feed.bookLevels }
  })

  const services = hostServices({ plant, services: [candles], clock, log, time: mode === 'capture' ? 'event' : 'clock' })

  /** A candle of ours is folded from trades; everything else is asked of the providers. Services run while anyone holds the instrument. */
  const demand: Demand = (topic) => {
    const { kind, instrument, provider } = topic
    const unwatch = services.watch(instrument)
    const { upstream, release } = feed.want(kind === 'candle' && provider === undefined ? { kind: 'trade', instrument } : topic)
    return {
      upstream,
      release() {
        unwatch()
        release()
      }
    }
  }

  const candlesOf = async (instrument: string, interval: Interval, limit: number): Promise<Candle[]> => {
    const live = plant.recent(topicName('candle', instrument, undefined, interval), config.plant.keep) as readonly Candle[]
    return joinCandles(await feed.history(instrument, interval, limit), live, interval, limit)
  }

  const desk: Desk = {
    server: `tickwire/${VERSION}`,
    epoch: plant.epoch,
    mode,
    resolve: instruments.resolve,
    instruments: instruments.all,
    instrument: instruments.info,
    last: plant.last,
    recent: plant.recent,
    connections: () => gateway.connections()
  }

  const gateway = createGateway({
    plant,
    desk,
    dialects,
    demand,
    clock,
    log,
    flushEvery: config.gateway.flushEvery,
    rest: {
      mode,
      startedAt,
      build: { version: VERSION },
      ready: feed.ready,
      candles: candlesOf,
      providers: () =>
        feed.providers().map((status) => {
          const { title, about, kinds, needs } = providers[status.provider]!
          return { ...status, title, about, kinds, needs }
        })
    },
    ...(options.page === undefined ? {} : { page: options.page }),
    auth: { keys: config.auth.keys },
    limits: { topics: config.gateway.topicsPerClient || Infinity },
    fanout: { cutAfter: config.gateway.slowAfter },
    origins: config.gateway.origins
  })

  const { host, port } = await gateway.listen(config.host, config.port)
  await feed.start()
  const watched = keepCollecting(config.watch, demand, instruments, log)

  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  log.info({ mode, url, instruments: watched }, mode === 'live' ? 'listening' : 'listening: prices are simulated')
  return {
    host,
    port,
    url,
    async stop() {
      await gateway.close()
      services.stop()
      await feed.stop()
    }
  }
}

/** Asks for the watched instruments on nobody's behalf, so that they are collected whether or not a client is there. `*` is all. */
function keepCollecting(watch: readonly string[], demand: Demand, instruments: Instruments, log: Log): number {
  const ids = watch.includes('*') ? instruments.all().map(({ instrument }) => instrument) : watch
  const known = ids.flatMap((id) => {
    const found = instruments.resolve(id)
    if (found.ok) return [found.instrument]
    log.warn({ instrument: id, nearest: found.nearest }, 'watch names an instrument that no provider lists')
    return []
  })
  for (const instrument of known)
    for (const kind of ['trade', 'quote', 'ticker', 'book'] as const) {
      const topic = parseTopic(topicName(kind, instrument))
      if (!isTopicError(topic)) demand(topic)
    }
  return known.length
}
