/** A process that plays one recording and nothing else: its port, its page, or its digest alone. A part of main.ts. */
import type { ReplayOrder, ReplayState } from '@tickwire/protocol'
import type { Config } from './config.ts'
import { native } from './dialects/native.ts'
import type { Desk } from './dialects/dialect.ts'
import { createInstruments } from './feed/instruments.ts'
import { createGateway } from './gateway/gateway.ts'
import type { JournalReader } from './journal/journal.ts'
import type { Log } from './ops/log.ts'
import { createPlant } from './plant/plant.ts'
import { openReplays } from './replays.ts'
import { ConfigError } from './settings.ts'
import { feedSettings, sourcesOf } from './sources.ts'
import { VERSION } from './version.ts'

export type ReplayingOptions = { config: Config; reader: JournalReader; order: ReplayOrder; log: Log; page?: string }

/** So that the same is played under the same name on every run. */
const NAME = 'replay'
/** What is looked at to know whose traffic it is. */
const LOOK = 20_000

/** The providers whose traffic it is, and whether it came from this machine, as that of a street does. */
async function trafficIn(reader: JournalReader, run: string): Promise<{ providers: Set<string>; local: boolean }> {
  const providers = new Set<string>()
  let local = false
  let looked = 0
  for await (const entries of reader.read({ run, what: 'frames' })) {
    for (const entry of entries) {
      if ('provider' in entry) providers.add(entry.provider)
      if (entry.type === 'opened' && URL.canParse(entry.url))
        local ||= /^(127\.|localhost$|\[::1\])/.test(new URL(entry.url).hostname)
    }
    if ((looked += entries.length) > LOOK) break
  }
  return { providers, local }
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
  const frames = run?.what.includes('frames') === true ? await trafficIn(reader, order.run) : undefined
  const own = onlyThese(config, frames?.providers ?? new Set())
  const sources = sourcesOf(own, log.conceal)
  const instruments = createInstruments()
  const replays = openReplays({
    sectors: own.sectors,
    reader,
    sources,
    settings: feedSettings(own),
    simulated: frames?.local ?? false,
    instruments,
    clock: Date.now,
    log,
    newId: () => NAME,
    lasting: true,
    digests
  })
  const ordered = replays.order(order)
  if (ordered.ok) return { replays, reader }
  replays.stop()
  throw new ConfigError(ordered.message)
}

/** Plays it as fast as it goes, and says what came out of it. */
export async function digestOf(
  options: ReplayingOptions,
  onState: (state: ReplayState) => void
): Promise<{ digest: string; state: ReplayState }> {
  const order = { ...options.order, speed: 0, paused: false, loop: false }
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
  connections: () => []
})

/** Serves it: at the address of the native protocol the replay is heard, as at its own. */
export async function serveReplay(
  options: ReplayingOptions
): Promise<{ url: string; replay: string; stop: () => Promise<void> }> {
  const { config, log, page, reader } = options
  const { replays } = await open(options, false)
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
    desk: deskOf(() => replays.find(NAME)?.shown().desk, plant.epoch),
    dialects: [native],
    demand: () => ({ upstream: 'live', release: () => {} }),
    clock: Date.now,
    log,
    replays,
    home: NAME,
    rest: {
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
