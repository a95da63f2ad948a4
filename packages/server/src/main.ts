/** Wires the rooms: providers → feed → plant → services and gateway. The only file that knows the configuration. Read it top to bottom. */
import { randomBytes } from 'node:crypto'
import type { Interval, Mode } from '@tickwire/protocol'
import { collector } from './collector.ts'
import type { Config } from './config.ts'
import { demandOf, deskOf } from './demand.ts'
import { dialects, emulations } from './dialects/index.ts'
import type { Desk } from './dialects/dialect.ts'
import { createFeed, type Feed } from './feed/feed.ts'
import { createInstruments, type Instruments } from './feed/instruments.ts'
import { createGateway } from './gateway/gateway.ts'
import { ofMode } from './history/runs.ts'
import type { JournalReader } from './journal/journal.ts'
import { historyFrom, pastFrom, sessionsFrom } from './markets.ts'
import { createLog, type Log } from './ops/log.ts'
import { keepFor } from './plant/keep.ts'
import { createPlant, type Plant } from './plant/plant.ts'
import { providers } from './providers/index.ts'
import { openRecording, type Recording } from './recording.ts'
import { openReplays } from './replays.ts'
import { ConfigError } from './settings.ts'
import { openAccess, type Access } from './store/access.ts'
import { feedSettings, sourcesOf } from './sources.ts'
import { createCandles, recentCandles } from './services/candles.ts'
import { createBreadth, groupsOf } from './services/breadth.ts'
import { change, knownChanges } from './services/change.ts'
import { liquidity } from './services/liquidity.ts'
import { news } from './services/news.ts'
import { VERSION } from './version.ts'
import { hostServices } from './services/run.ts'

export { demandOf, deskOf } from './demand.ts'

export type ServerOptions = {
  mode: Mode
  /** What a capture plays, for /health. */
  playing?: { capture: string; speed: number }
  /** Directory of the built page; without it the port serves programs only. */
  page?: string
  /** What is recorded, for replays. */
  journal?: JournalReader
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
  const { mode, playing, page, clock = Date.now } = options
  const log = options.log ?? createLog({ level: config.log.level })
  const startedAt = clock()

  const access = await openAccess({ host: config.host, proxies: config.gateway.proxies, ...config.auth, log }).catch(
    (error: Error) => {
      throw new ConfigError(error.message)
    }
  )
  const open = opened(() => openPlant(config, { ...options, log, connections: () => gateway.connections() }), access)
  const { plant, desk, demand, watched, figures } = open
  const { sources, settings, instruments } = open
  const wired = {
    sectors: config.sectors,
    sources,
    settings,
    instruments,
    simulated: mode !== 'live',
    live: { plant, demand },
    clock,
    log
  }
  const replays = openReplays({
    ...wired,
    reader: options.journal ?? open.recording.reader,
    time: mode === 'capture' ? 'event' : 'clock'
  })
  const gateway = createGateway({
    plant,
    desk,
    dialects: [...dialects, ...emulations],
    demand,
    replays,
    clock,
    log,
    rest: { ...aboutOf(mode, playing, startedAt), watched, recording: recordingOf(open.recording), ...figures },
    ...(page === undefined ? {} : { page }),
    ...gatewayOptions(config, mode, access.verifiers)
  })

  const stop = async () => {
    await gateway.close()
    access.stop()
    await open.stop()
  }
  const { host, port } = await gateway.listen(config.host, config.port).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  await open.start()

  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  log.info({ mode, url }, LISTENING[mode])
  return { host, port, url, stop }
}

/** Where another server records into the same directory nothing of this one is left running. */
function opened<T>(open: () => T, access: Access): T {
  try {
    return open()
  } catch (error) {
    access.stop()
    throw error
  }
}

export type PlantOptions = Pick<ServerOptions, 'mode' | 'journal' | 'clock' | 'random'> & {
  log: Log
  connections: Desk['connections']
  /** What was heard by now is in the journal then. */
  flush?: () => Promise<void>
}

/** All but the gateway: providers → feed → plant → services, and what clients may ask of them. No port is opened. */
export function openPlant(config: Config, options: PlantOptions) {
  const { mode, log, connections, clock = Date.now, random = Math.random } = options
  const plant = createPlant({
    epoch: `${clock().toString(36)}-${randomBytes(4).toString('hex')}`,
    keep: keepFor(config.plant.keep)
  })
  const instruments = createInstruments()
  const sources = sourcesOf(config, log.conceal)
  const settings = feedSettings(config)
  // What the feed makes is recorded; what services and replays make of it can be made anew.
  const recording = openRecording(config, mode, plant.epoch, clock, log)
  const feed = recording.feed(
    createFeed({
      providers: recording.sources(sources),
      plant: recording.plant(plant),
      instruments,
      clock,
      random,
      log,
      simulated: mode !== 'live',
      onListing: () => collection.collect(),
      times: mode === 'capture' ? 'recorded' : 'live',
      settings
    })
  )
  const journal = ofMode(options.journal ?? recording.reader, mode)
  const { services, figures } = openServices(
    config,
    { ...options, journal, flush: recording.flush },
    { plant, instruments, sources, settings, feed, clock, log }
  )
  const demand = demandOf(feed, services)
  const collection = collector(config.watch, demand, instruments)
  const desk = deskOf(mode, plant, clock, instruments, feed, figures.candles, connections, figures.groups())

  return {
    plant,
    desk,
    demand,
    figures,
    sources,
    settings,
    instruments,
    recording,
    watched: collection.watched,
    async start(): Promise<void> {
      await feed.start()
      const missing = collection.collect()
      if (missing.length > 0) log.warn({ instruments: missing }, 'no provider lists these instruments of watch so far')
    },
    async stop(): Promise<void> {
      services.stop()
      await feed.stop()
      await recording.stop()
    }
  }
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
function openServices(config: Config, { mode, journal, flush }: PlantOptions, wired: Wired) {
  const { plant, instruments, sources, settings, feed, clock, log } = wired
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
  const history = historyFrom({ journal, flush, plant, feed, live, sessions, clock, startedAt: clock() })
  const figures = {
    ...figuresOf(feed),
    moving: () => services.read(change, knownChanges),
    groups: () => services.read(breadth, groupsOf),
    candles: candlesFrom,
    history
  }
  return { services, figures }
}

const LISTENING = {
  live: 'listening',
  demo: 'listening: prices are simulated',
  capture: 'listening: prices are of a recorded session',
  replay: 'listening: prices are of a recording'
} satisfies Record<Mode, string>

const recordingOf = ({ status, runs, logLost }: Recording) => ({ status, runs, logLost })

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
