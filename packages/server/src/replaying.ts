/** A process that plays one recording and nothing else: its port, its page, or its digest alone. A part of main.ts. */
import { isTopicError, parseTopic, type Kind, type RecordedWhat, type ReplayOrder, type ReplayState } from '@tickwire/protocol'
import type { Config } from './config.ts'
import { native } from './dialects/native.ts'
import type { Desk } from './dialects/dialect.ts'
import { createInstruments } from './feed/instruments.ts'
import { createGateway } from './gateway/gateway.ts'
import type { ProviderInfo } from './gateway/rest.ts'
import type { Entry, JournalReader } from './journal/journal.ts'
import type { Log } from './ops/log.ts'
import { createPlant, type Plant } from './plant/plant.ts'
import type { Adapter } from './providers/adapter.ts'
import { openReplays } from './replays.ts'
import { ConfigError } from './settings.ts'
import { feedSettings, sourcesOf } from './sources.ts'
import { VERSION } from './version.ts'

export type ReplayingOptions = { config: Config; reader: JournalReader; order: ReplayOrder; log: Log; page?: string }

/** So that the same is played under the same name on every run. */
const NAME = 'replay'
/** So many entries are looked at to know what is in it. */
const LOOK = 20_000
const TRADED: ReadonlySet<Kind> = new Set<Kind>(['trade', 'quote', 'ticker', 'book', 'index', 'mark'])

/** Whose traffic it is, whether it came from this machine, as that of a street does, and which instruments are in it. */
type Found = { providers: Set<string>; local: boolean; instruments: Set<string> }

const instrumentOf = (text: string): string | undefined => {
  const topic = parseTopic(text)
  return isTopicError(topic) || !TRADED.has(topic.kind) || topic.provider !== undefined ? undefined : topic.instrument
}

function note(found: Found, entry: Entry): void {
  if ('provider' in entry) found.providers.add(entry.provider)
  if (entry.type === 'opened' && URL.canParse(entry.url))
    found.local ||= /^(127\.|localhost$|\[::1\])/.test(new URL(entry.url).hostname)
  const topic = entry.type === 'want' ? entry.topic : entry.type === 'event' ? entry.event.topic : undefined
  const instrument = topic === undefined ? undefined : instrumentOf(topic)
  if (instrument !== undefined) found.instruments.add(instrument)
}

async function lookInto(reader: JournalReader, run: string, what: readonly RecordedWhat[]): Promise<Found> {
  const found: Found = { providers: new Set(), local: false, instruments: new Set() }
  for (const each of what) {
    let looked = 0
    for await (const entries of reader.read({ run, what: each })) {
      for (const entry of entries) note(found, entry)
      if ((looked += entries.length) > LOOK) break
    }
  }
  return found
}

/** No account is needed: what is sent goes nowhere. */
const onlyThese = (config: Config, names: ReadonlySet<string>): Config => ({
  ...config,
  providers: Object.fromEntries(
    Object.entries(config.providers).map(([name, provider]) => [
      name,
      { ...provider, enabled: names.has(name), key: provider.key ?? NAME, secret: provider.secret ?? NAME }
    ])
  )
})

async function open({ config, reader, order, log }: ReplayingOptions, digests: boolean) {
  const run = reader.runs().find((each) => each.run === order.run)
  const { providers, local, instruments: recorded } = await lookInto(reader, order.run, run?.what ?? [])
  const own = onlyThese(config, providers)
  const sources = sourcesOf(own, log.conceal)
  const instruments = createInstruments()
  const replays = openReplays({
    sectors: own.sectors,
    reader,
    sources,
    settings: feedSettings(own),
    simulated: local,
    instruments,
    clock: Date.now,
    log,
    newId: () => NAME,
    lasting: true,
    digests
  })
  const ordered = replays.order(order)
  if (ordered.ok) return { replays, recorded, adapters: new Map(sources.map(({ adapter }) => [adapter.provider, adapter])) }
  replays.stop()
  throw new ConfigError(ordered.message)
}

/** Plays it once, and says what came out of it. */
export async function digestOf(
  options: ReplayingOptions,
  onState: (state: ReplayState) => void
): Promise<{ digest: string; state: ReplayState }> {
  const order = { ...options.order, paused: false, loop: false }
  const { replays } = await open({ ...options, order }, true)
  const replay = replays.find(NAME)
  if (!replay) throw new Error('a replay that was ordered is not there')
  try {
    for (;;) {
      const state = replay.state()
      onState(state)
      if (state.phase === 'failed') throw new ConfigError(state.reason ?? 'it failed')
      if (state.phase === 'ended') return { digest: replay.digest() ?? '', state }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  } finally {
    replays.stop()
  }
}

/** Nothing is live here: what the page asks of instruments is answered by what is played. */
const deskOf = (shown: () => Desk | undefined, epoch: string): Desk => ({
  server: `tickwire/${VERSION}`,
  epoch,
  mode: 'replay',
  resolve: (text) => shown()?.resolve(text) ?? { ok: false, nearest: [] },
  instruments: () => shown()?.instruments() ?? [],
  instrument: (id) => shown()?.instrument(id),
  unlisted: () => [],
  carries: () => true,
  last: (topic) => shown()?.last(topic),
  recent: (topic, count) => shown()?.recent(topic, count) ?? [],
  hand: (topic) => shown()?.hand(topic),
  candles: () => Promise.resolve([]),
  past: () => Promise.resolve({ candles: [] }),
  connections: () => []
})

/** Providers as they said they were, at the recorded time, and what they are known for. */
const providersIn = (plant: Plant | undefined, adapters: ReadonlyMap<string, Adapter>): ProviderInfo[] =>
  [...(plant?.topics() ?? [])].flatMap((topic) => {
    const told = plant?.last(topic)
    if (told?.type !== 'provider') return []
    const { title, about, kinds, needs, limits } = adapters.get(told.provider) ?? {}
    return [
      {
        ...told,
        ...(title !== undefined && { title }),
        ...(about && { about }),
        ...(kinds && { kinds }),
        ...(needs && { needs }),
        ...(limits && { limits: { ...limits, connections: limits.connections ?? null } })
      }
    ]
  })

/** Serves it: at the address of the native protocol the replay is heard, as at its own. */
export async function serveReplay(
  options: ReplayingOptions
): Promise<{ url: string; replay: string; stop: () => Promise<void> }> {
  const { config, log, page, reader } = options
  const { replays, recorded, adapters } = await open(options, false)
  const shown = () => replays.find(NAME)?.shown()
  const plant = createPlant({ epoch: NAME })
  const idle = {
    state: 'off' as const,
    reason: 'a recording is played here',
    what: [],
    since: Date.now(),
    bytes: 0,
    events: 0,
    frames: 0,
    lost: 0
  }
  const gateway = createGateway({
    plant,
    desk: deskOf(() => shown()?.desk, plant.epoch),
    dialects: [native],
    demand: () => ({ upstream: 'live', release: () => {} }),
    clock: Date.now,
    log,
    replays,
    home: NAME,
    rest: {
      providers: () => providersIn(shown()?.plant, adapters),
      watched: () => [...recorded],
      recording: { status: () => idle, runs: () => reader.runs(), logLost: () => 0 },
      build: { version: VERSION }
    },
    auth: { keys: config.auth.keys },
    origins: config.gateway.origins,
    flushEvery: config.gateway.flushEvery,
    ...(page !== undefined && { page })
  })
  const stop = async (): Promise<void> => {
    await gateway.close()
    reader.close()
  }
  const { host, port } = await gateway.listen(config.host, config.port).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, replay: NAME, stop }
}
