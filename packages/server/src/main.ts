/** Wires the rooms: providers → feed → plant → services and gateway. The only file that knows the configuration. Read it top to bottom. */
import { randomBytes } from 'node:crypto'
import { isWhole, type DataKind, type Interval, type Kind, type Mode, type Topic } from '@tickwire/protocol'
import type { Config } from './config.ts'
import { dialects, emulations } from './dialects/index.ts'
import type { Desk } from './dialects/dialect.ts'
import { createFeed, type Feed } from './feed/feed.ts'
import { createInstruments, type Instruments } from './feed/instruments.ts'
import { createGateway, type Demand } from './gateway/gateway.ts'
import { pastFrom, sessionsFrom } from './markets.ts'
import { createLog, type Log } from './ops/log.ts'
import { createHanded } from './plant/handed.ts'
import { keepFor } from './plant/keep.ts'
import { createPlant, type Plant } from './plant/plant.ts'
import { providers } from './providers/index.ts'
import { ConfigError } from './settings.ts'
import { openAccess, type Access } from './store/access.ts'
import { feedSettings, sourcesOf } from './sources.ts'
import { createCandles, recentCandles } from './services/candles.ts'
import { createBreadth, groupsOf } from './services/breadth.ts'
import { change, knownChanges } from './services/change.ts'
import { liquidity } from './services/liquidity.ts'
import { news } from './services/news.ts'
import { VERSION } from './version.ts'
import { hostServices, type Services } from './services/run.ts'

export type ServerOptions = {
  mode: Mode
  /** What a capture plays, for /health. */
  playing?: { capture: string; speed: number }
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
  const { mode, playing, page, clock = Date.now, random = Math.random } = options
  const log = options.log ?? createLog({ level: config.log.level })
  const startedAt = clock()

  const access = await openAccess({ host: config.host, ...config.auth, log }).catch((error: Error) => {
    throw new ConfigError(error.message)
  })
  const plant = createPlant({
    epoch: `${startedAt.toString(36)}-${randomBytes(4).toString('hex')}`,
    keep: keepFor(config.plant.keep)
  })
  const instruments = createInstruments()
  const sources = sourcesOf(config, log.conceal)
  const settings = feedSettings(config)
  const feed = createFeed({
    providers: sources,
    plant,
    instruments,
    clock,
    random,
    log,
    simulated: mode !== 'live',
    onListing: () => collection.collect(),
    times: mode === 'capture' ? 'recorded' : 'live',
    settings
  })
  const { services, figures } = openServices(config, mode, { plant, instruments, sources, settings, feed, clock, log })
  const demand = demandOf(feed, services)
  const collection = collector(config.watch, demand, instruments)
  const desk = deskOf(mode, plant, clock, instruments, feed, figures.known, () => gateway.connections(), figures.groups())
  const gateway = createGateway({
    plant,
    desk,
    dialects: [...dialects, ...emulations],
    demand,
    clock,
    log,
    rest: { ...aboutOf(mode, playing, startedAt), watched: collection.watched, ...figures },
    ...(page === undefined ? {} : { page }),
    ...gatewayOptions(config, mode, access.verifiers)
  })

  const stop = async () => {
    await gateway.close()
    access.stop()
    services.stop()
    await feed.stop()
  }
  const { host, port } = await gateway.listen(config.host, config.port).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  await feed.start()
  const missing = collection.collect()
  if (missing.length > 0) log.warn({ instruments: missing }, 'no provider lists these instruments of watch so far')

  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  log.info({ mode, url }, LISTENING[mode])
  return { host, port, url, stop }
}

type Wired = {
  plant: Plant
  instruments: Instruments
  sources: ReturnType<typeof sourcesOf>
  settings: ReturnType<typeof feedSettings>
  feed: Feed
  clock: () => number
  log: Log
}

/** The services, and what REST asks of them and of the feed. */
function openServices(config: Config, mode: Mode, { plant, instruments, sources, settings, feed, clock, log }: Wired) {
  // A street never closes.
  const sessions = sessionsFrom(mode === 'demo' ? undefined : settings.market, instruments, sources)
  const candles = createCandles({ sessions })
  const breadth = createBreadth(config.sectors)
  const services = hostServices({
    plant,
    services: [candles, news, change, breadth, liquidity],
    sources: sources.map(({ adapter }) => adapter.provider),
    clock,
    log,
    time: mode === 'capture' ? 'event' : 'clock'
  })
  const live = (instrument: string, interval: Interval) => services.read(candles, recentCandles, instrument, interval)
  const candlesFrom = pastFrom({ history: feed.history, live, sessions, clock })
  const figures = {
    ...figuresOf(feed),
    moving: () => services.read(change, knownChanges),
    groups: () => services.read(breadth, groupsOf),
    candles: candlesFrom,
    known: knownOf(candlesFrom)
  }
  return { services, figures }
}

const LISTENING = {
  live: 'listening',
  demo: 'listening: prices are simulated',
  capture: 'listening: prices are of a recorded session',
  replay: 'listening: prices are of a recording'
} satisfies Record<Mode, string>

/** What our own kinds are made of. */
const MADE_OF: Partial<Record<Kind, DataKind>> = { liquidity: 'book', change: 'trade' }

/** What a topic needs of the providers: a candle of ours is folded from trades; news of an instrument is picked from all news. */
function sourceOf(topic: Topic): Topic {
  const { instrument } = topic
  if (topic.kind === 'candle' && topic.provider === undefined) return { kind: 'trade', instrument }
  if (topic.kind === 'arbitration' && topic.of) return { kind: topic.of, instrument }
  const made = MADE_OF[topic.kind]
  if (made) return { kind: made, instrument }
  return isWhole(topic.kind) ? { ...topic, instrument: 'all' } : topic
}

/** What trades are not right without: what was wrong of them, and whether their silence is a halt. */
const BESIDE: Partial<Record<Kind, readonly DataKind[]>> = { trade: ['correction', 'halt'] }
const neededFor = (topic: Topic): Topic[] => {
  const source = sourceOf(topic)
  return [source, ...(BESIDE[source.kind] ?? []).map((kind) => ({ ...source, kind }))]
}

/** Other venues' protocols have no words for why a past is short. */
const knownOf =
  (past: ReturnType<typeof pastFrom>): Desk['candles'] =>
  (...question) =>
    past(...question).then(({ candles }) => candles)

/** Services run while anyone holds the instrument. */
export const demandOf =
  (feed: Feed, services: Services): Demand =>
  (topic) => {
    // Of what is watched anyhow: nobody is asked for it.
    if (topic.kind === 'breadth') return { upstream: 'live', release: () => {} }
    const [source, ...beside] = neededFor(topic)
    const unwatch = services.watch(source!.instrument)
    const { upstream, release } = feed.want(source!)
    const others = beside.map((each) => feed.want(each).release)
    const both = () => {
      unwatch()
      release()
      for (const each of others) each()
    }
    return { upstream, release: both }
  }

export const deskOf = (
  mode: Mode,
  plant: Plant,
  clock: () => number,
  instruments: Instruments,
  feed: Feed,
  candles: Desk['candles'],
  connections: Desk['connections'],
  /** Those whose breadth is told. */
  groups: readonly string[] = []
): Desk => ({
  server: `tickwire/${VERSION}`,
  epoch: plant.epoch,
  mode,
  resolve: instruments.resolve,
  instruments: instruments.all,
  instrument: instruments.info,
  unlisted: feed.unlisted,
  carries: (topic) => (topic.kind === 'breadth' ? groups.includes(topic.instrument) : feed.carries(sourceOf(topic))),
  last: plant.last,
  ...createHanded(plant, clock),
  candles,
  connections
})

const aboutOf = (mode: Mode, playing: ServerOptions['playing'], startedAt: number) => ({
  mode,
  ...(playing && { playing }),
  startedAt,
  build: { version: VERSION }
})

/** What REST asks beyond the plant. */
const figuresOf = (feed: Feed) => ({
  ready: () => feed.ready(),
  confidence: () => feed.confidence(),
  arbitration: (instrument: string) => feed.arbitration(instrument),
  gaps: (instrument: string) => feed.gaps(instrument),
  standing: { books: feed.books, resync: feed.resync, reconnect: feed.reconnect },
  hops: () => feed.hops(),
  providers: () =>
    feed.providers().map((status) => {
      const { title, about, kinds, needs, limits } = providers[status.provider]!
      const chosen = feed.choice(status.provider)
      return {
        ...status,
        title,
        about,
        kinds,
        needs,
        limits: { ...limits, connections: limits.connections ?? null },
        ...(chosen !== undefined && { feed: chosen })
      }
    })
})

const unlimited = <T extends Record<string, number>>(limits: T): T =>
  Object.fromEntries(Object.entries(limits).map(([name, most]) => [name, most || Infinity])) as T

const gatewayOptions = ({ gateway, auth, redistribution }: Config, mode: Mode, verifiers: Access['verifiers']) => ({
  flushEvery: gateway.flushEvery,
  auth: { keys: auth.keys, verifiers, wrongTokens: auth.wrongTokens },
  proxies: gateway.proxies,
  allowances: { perAddress: unlimited(gateway.perAddress), perUser: unlimited(gateway.perUser) },
  // What is simulated or recorded is nobody's to forbid.
  ...(mode === 'live' && { redistribution }),
  limits: { topics: gateway.topicsPerClient || Infinity },
  fanout: { cutAfter: gateway.slowAfter },
  compression: gateway.compression,
  origins: gateway.origins
})

/**
 * Asks for the watched instruments on nobody's behalf, so that they are collected whether or not a client is there. `*` is
 * all.
 */
function collector(watch: readonly string[], demand: Demand, instruments: Instruments) {
  const collected = new Set<string>()
  const collectOne = (instrument: string): void => {
    if (collected.has(instrument)) return
    collected.add(instrument)
    for (const kind of ['trade', 'quote', 'ticker', 'book'] as const) demand({ kind, instrument })
  }
  const named = () => (watch.includes('*') ? instruments.all().map(({ instrument }) => instrument) : watch)
  return {
    /** To be called again whenever a listing came; returns those that nobody lists yet. */
    collect: (): string[] =>
      named().filter((text) => {
        const found = instruments.resolve(text)
        if (found.ok) collectOne(found.instrument)
        return !found.ok
      }),
    /** Canonical ids of those that are listed, in the operator's order. */
    watched: (): string[] => [
      ...new Set(
        named().flatMap((text) => {
          const found = instruments.resolve(text)
          return found.ok ? [found.instrument] : []
        })
      )
    ]
  }
}
