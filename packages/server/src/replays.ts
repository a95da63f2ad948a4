/** Wires the world of a replay as main.ts wires the live one: its plant, services and, for frames, a feed that hears the recording. A part of main.ts. */
import { randomBytes } from 'node:crypto'
import { DATA_KINDS, isTopicError, parseTopic, type Kind, type Topic } from '@tickwire/protocol'
import type { Desk, InstrumentInfo } from './dialects/dialect.ts'
import { createFeed, type FeedSettings } from './feed/feed.ts'
import { createInstruments, type Instruments } from './feed/instruments.ts'
import type { Demand } from './gateway/gateway.ts'
import type { Entry, JournalReader } from './journal/journal.ts'
import { sessionsFrom } from './markets.ts'
import type { Log } from './ops/log.ts'
import { createHanded } from './plant/handed.ts'
import type { Plant } from './plant/plant.ts'
import { createRandom } from './replay/random.ts'
import { createTraffic } from './replay/recorded.ts'
import { createReplays, type Replays } from './replay/registry.ts'
import type { Live } from './replay/seam.ts'
import type { KeptWorld, OpenWorld, World, WorldOptions } from './replay/stage.ts'
import { createBreadth } from './services/breadth.ts'
import { createCandles } from './services/candles.ts'
import { change } from './services/change.ts'
import { liquidity } from './services/liquidity.ts'
import { news } from './services/news.ts'
import { hostServices, type KeptServices, type Services, type Time } from './services/run.ts'
import type { Source } from './sources.ts'
import { timers } from './timers.ts'
import { VERSION } from './version.ts'

export type ReplayWiring = {
  /** Members of each, as configured. */
  sectors: Readonly<Record<string, readonly string[]>>
  reader: Pick<JournalReader, 'runs' | 'read'> | undefined
  sources: readonly Source[]
  settings: Partial<FeedSettings>
  /** Recorded of a street, which never closes. */
  simulated: boolean
  /** What the recorded services went by. */
  time?: Time
  /** For the spelling of what is recorded as events. */
  instruments: Instruments
  live?: { plant: Plant; demand: Demand }
  clock: () => number
  log: Log
  newId?: () => string
  lasting?: boolean
  digests?: boolean
}

const silent = (): void => {}
const ASKED: ReadonlySet<Kind> = new Set<Kind>([...DATA_KINDS, 'liquidity', 'change'])

/** The live plant as a replay may use it: nothing in it can be published. */
const liveOf = ({ plant, demand }: { plant: Plant; demand: Demand }): Live => {
  const reading: Live['plant'] = {
    subscribe: (...asked) => plant.subscribe(...asked),
    recent: plant.recent,
    last: plant.last,
    position: plant.position
  }
  const hold = (topic: Topic) => (ASKED.has(topic.kind) ? demand(topic) : { release: silent })
  return { plant: reading, demand: hold }
}

export function openReplays(wiring: ReplayWiring): Replays {
  const { reader, live, clock, newId = () => randomBytes(4).toString('hex'), lasting = false, digests = false } = wiring
  return createReplays({
    reader,
    openWorld: worldOf(wiring),
    clock,
    timers,
    elapsed: () => performance.now(),
    newId,
    lasting,
    digests,
    ...(live && { live: liveOf(live) })
  })
}

export const worldOf =
  (wiring: ReplayWiring): OpenWorld =>
  (options) =>
    options.what === 'frames' ? openFrames(wiring, options) : openEvents(wiring, options)

/** All that main.ts hosts, anew: whatever services publish goes into the plant of the replay and nowhere else. */
function openServices(
  wiring: ReplayWiring,
  { plant, schedule }: WorldOptions,
  instruments: Instruments,
  kept?: KeptServices
): Services {
  const { sectors, sources, settings, simulated, time = 'clock', log } = wiring
  const sessions = sessionsFrom(simulated ? undefined : settings.market, instruments, sources)
  return hostServices({
    plant,
    services: [createCandles({ sessions }), news, change, createBreadth(sectors), liquidity],
    sources: sources.map(({ adapter }) => adapter.provider),
    clock: schedule.now,
    timers: schedule,
    log,
    time,
    ...(kept && { kept })
  })
}

/** Services run on each instrument from its first entry on, since nobody asked whose it was. */
function watcher(services: Services) {
  const watched = new Set<string>(services.kept().watched)
  return (instrument: string): void => {
    if (watched.has(instrument)) return
    watched.add(instrument)
    services.watch(instrument)
  }
}

/** The instrument of a topic of data. */
const instrumentOf = (name: string): string | undefined => {
  const topic = parseTopic(name)
  return isTopicError(topic) || !ASKED.has(topic.kind) ? undefined : topic.instrument
}

/** By its id alone, where nobody lists it. */
function infoOf(instrument: string, provider: string): InstrumentInfo {
  const [base = instrument, quote] = instrument.includes(':') ? [instrument] : instrument.split('-')
  const providers = [{ provider, symbol: instrument, trading: true }]
  return { instrument, base, providers, ...(quote !== undefined && { quote }) }
}

/** What a world of events knows beside its plant. */
type KeptEvents = KeptWorld & { services: KeptServices; seen: Map<string, InstrumentInfo> }

function openEvents(wiring: ReplayWiring, options: WorldOptions): World {
  const { plant, schedule } = options
  const kept = options.kept as KeptEvents | undefined
  const services = openServices(wiring, options, wiring.instruments, kept?.services)
  const watch = watcher(services)
  const known = new Map<string, string | undefined>()
  const seen = kept?.seen ?? new Map<string, InstrumentInfo>()
  const play = (entry: Entry): void => {
    if (entry.type !== 'event') return
    const { topic } = entry.event
    if (!known.has(topic)) known.set(topic, instrumentOf(topic))
    const instrument = known.get(topic)
    if (instrument !== undefined) {
      watch(instrument)
      if (!seen.has(instrument) && instrument !== 'all') seen.set(instrument, infoOf(instrument, entry.event.provider))
    }
    plant.publish(topic, entry.event, schedule.now())
  }
  const { instruments } = wiring
  const desk: Desk = {
    ...deskOf(plant, schedule.now, instruments),
    resolve: (text) => (seen.has(text) ? { ok: true, instrument: text } : instruments.resolve(text)),
    instruments: () => [...new Map([...seen, ...instruments.all().map((info) => [info.instrument, info] as const)]).values()],
    instrument: (id) => instruments.info(id) ?? seen.get(id)
  }
  const keep = (): KeptEvents => {
    const kept = services.kept()
    return { opened: kept.ticked, services: kept, seen }
  }
  return { desk, play, keep, stop: () => services.stop() }
}

function openFrames(wiring: ReplayWiring, options: WorldOptions): World {
  const { plant, schedule, seed } = options
  const { sources, settings, simulated, log } = wiring
  const traffic = createTraffic(schedule)
  const instruments = createInstruments()
  const feed = createFeed({
    // Without the REST of its own that a shell may have.
    providers: sources.map(({ adapter, wsUrl, restUrl, readAccess }) => ({
      adapter,
      wsUrl,
      restUrl,
      readAccess,
      ...traffic.of(adapter.provider)
    })),
    plant,
    instruments,
    clock: schedule.now,
    timers: schedule,
    random: createRandom(seed),
    log: { debug: silent, info: silent, warn: silent, error: (fields, message) => log.error(fields, message) },
    simulated,
    settings
  })
  const services = openServices(wiring, options, instruments)
  const watch = watcher(services)
  const wants = new Map<string, (() => void)[]>()
  void feed.start()

  const want = (name: string): void => {
    const topic = parseTopic(name)
    if (isTopicError(topic)) return
    if (ASKED.has(topic.kind)) watch(topic.instrument)
    wants.set(name, [...(wants.get(name) ?? []), feed.want(topic).release])
  }
  const play = (entry: Entry): void => {
    if (entry.type === 'want') want(entry.topic)
    else if (entry.type === 'release') wants.get(entry.topic)?.pop()?.()
    else traffic.hear(entry)
  }
  const stop = (): void => {
    services.stop()
    void feed.stop()
  }
  return { desk: deskOf(plant, schedule.now, instruments), play, stop }
}

/** What is recorded may be asked for by any name that it may have had. */
const deskOf = (plant: Plant, clock: () => number, instruments: Instruments): Desk => ({
  server: `tickwire/${VERSION}`,
  epoch: plant.epoch,
  mode: 'replay',
  resolve: instruments.resolve,
  instruments: instruments.all,
  instrument: instruments.info,
  unlisted: () => [],
  carries: () => true,
  last: plant.last,
  ...createHanded(plant, clock),
  candles: () => Promise.resolve([]),
  past: () => Promise.resolve({ candles: [] }),
  connections: () => []
})
