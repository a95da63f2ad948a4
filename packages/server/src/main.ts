/** Wires the rooms: providers → feed → plant → services and gateway. The only file that knows the configuration. Read it top to bottom. */
import { randomBytes } from 'node:crypto'
import { isTopicError, parseTopic, topicName, type Candle, type Interval, type Mode } from '@tickwire/protocol'
import type { Config } from './config.ts'
import { dialects } from './dialects/index.ts'
import type { Desk } from './dialects/dialect.ts'
import { createFeed, type Feed } from './feed/feed.ts'
import { createInstruments, type Instruments } from './feed/instruments.ts'
import { createGateway, type Demand } from './gateway/gateway.ts'
import { createLog, type Log } from './ops/log.ts'
import { createPlant, type Plant } from './plant/plant.ts'
import { providers } from './providers/index.ts'
import { candles, joinCandles } from './services/candles.ts'
import { hostServices, type Services } from './services/run.ts'

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

/** Starts a server and resolves when it listens. Rejects when the port is taken; then nothing is left running. */
export async function startServer(config: Config, options: ServerOptions): Promise<Server> {
  const { mode, page, clock = Date.now, random = Math.random } = options
  const log = options.log ?? createLog({ level: config.log.level })
  const startedAt = clock()

  const plant = createPlant({ epoch: `${startedAt.toString(36)}-${randomBytes(4).toString('hex')}`, keep: config.plant.keep })
  const instruments = createInstruments()
  const feed = createFeed({
    providers: enabled(config),
    plant,
    instruments,
    clock,
    random,
    log,
    simulated: mode !== 'live',
    times: mode === 'capture' ? 'recorded' : 'live',
    settings: config.feed
  })
  const services = hostServices({ plant, services: [candles], clock, log, time: mode === 'capture' ? 'event' : 'clock' })
  const demand = demandOf(feed, services)
  const desk = deskOf(mode, plant, instruments, () => gateway.connections())
  const gateway = createGateway({
    plant,
    desk,
    dialects,
    demand,
    clock,
    log,
    rest: { mode, startedAt, build: { version: VERSION }, ...sourcesOf(feed, plant) },
    ...(page === undefined ? {} : { page }),
    ...gatewayOptions(config)
  })

  const stop = async () => {
    await gateway.close()
    services.stop()
    await feed.stop()
  }
  const { host, port } = await gateway.listen(config.host, config.port).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  await feed.start()
  const watched = keepCollecting(config.watch, demand, instruments, log)

  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  log.info({ mode, url, instruments: watched }, mode === 'live' ? 'listening' : 'listening: prices are simulated')
  return { host, port, url, stop }
}

const enabled = (config: Config) =>
  Object.entries(config.providers)
    .filter(([, provider]) => provider.enabled)
    .map(([name, { wsUrl, restUrl, key, secret, feed }]) => ({
      adapter: providers[name]!,
      wsUrl,
      restUrl,
      access: { ...(key && { key }), ...(secret && { secret }), ...(feed && { feed }) }
    }))

/** A candle of ours is folded from trades; everything else is asked of the providers. Services run while anyone holds the instrument. */
const demandOf =
  (feed: Feed, services: Services): Demand =>
  (topic) => {
    const { kind, instrument, provider } = topic
    const unwatch = services.watch(instrument)
    const { upstream, release } = feed.want(kind === 'candle' && provider === undefined ? { kind: 'trade', instrument } : topic)
    const both = () => {
      unwatch()
      release()
    }
    return { upstream, release: both }
  }

const deskOf = (mode: Mode, plant: Plant, instruments: Instruments, connections: Desk['connections']): Desk => ({
  server: `tickwire/${VERSION}`,
  epoch: plant.epoch,
  mode,
  resolve: instruments.resolve,
  instruments: instruments.all,
  instrument: instruments.info,
  last: plant.last,
  recent: plant.recent,
  connections
})

/** What REST asks beyond the plant. */
const sourcesOf = (feed: Feed, plant: Plant) => ({
  ready: () => feed.ready(),
  providers: () =>
    feed.providers().map((status) => {
      const { title, about, kinds, needs } = providers[status.provider]!
      return { ...status, title, about, kinds, needs }
    }),
  async candles(instrument: string, interval: Interval, limit: number): Promise<Candle[]> {
    const live = plant.recent(topicName('candle', instrument, undefined, interval), Infinity) as readonly Candle[]
    return joinCandles(await feed.history(instrument, interval, limit), live, interval, limit)
  }
})

const gatewayOptions = ({ gateway, auth }: Config) => ({
  flushEvery: gateway.flushEvery,
  auth: { keys: auth.keys },
  limits: { topics: gateway.topicsPerClient || Infinity },
  fanout: { cutAfter: gateway.slowAfter },
  origins: gateway.origins
})

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
