/** The feed: providers in, the plant's topics out. It asks upstream only for what someone reads. */
import { nameOf, type Candle, type Interval, type ProviderStatus, type Topic } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Access, Adapter } from '../providers/adapter.ts'
import { createArbiter } from './arbiter.ts'
import type { Clockwork } from './calendar.ts'
import { DENIED, SETTINGS, type Settings } from './connection.ts'
import { createDemand } from './demand.ts'
import { openDigest, takeLines } from './digest.ts'
import { hooksOf, listed } from './reports.ts'
import { judge, speak, statusOf, type FeedLog, type Hub, type Provider } from './hub.ts'
import type { Instruments } from './instruments.ts'
import type { Dial } from './link.ts'
import { fetchCandles, fetchListing } from './lookup.ts'
import { createPool } from './pool.ts'
import type { Rest } from './rest.ts'
import { attach, detach, isLive, isNotice, placesOf } from './upstream.ts'

export type { FeedLog }
export type FeedSettings = {
  /** How long an upstream subscription outlives its last reader, ms. */
  grace: number
  /** How long a better provider must be faultless before it leads again, ms. */
  holdDown: number
  /** Levels per side of the books published. */
  bookLevels: number
  backoff: Settings['backoff']
  /** Failed attempts in a row after which a connection is given up; 0: never. */
  reconnectAttempts: number
  /** Failures in a row after which a provider is left alone for `breakFor` ms. */
  breakAfter: number
  breakFor: number
  /** Times of day, ms since midnight UTC, at which connections are renewed. */
  rotateAt: readonly number[]
  /** When markets trade; absent: always. */
  market?: Clockwork | undefined
  /** About how often listings are asked anew, ms. */
  listingEvery: number
}

export type FeedOptions = {
  /** The preferred first. */
  providers: readonly {
    adapter: Adapter
    wsUrl: string
    restUrl: string
    /** Read again whenever it is used: tokens change. */
    readAccess: () => Access
    dial?: Dial
    rest?: Rest
  }[]
  plant: Plant
  instruments: Instruments
  clock: () => number
  random: () => number
  log: FeedLog
  simulated: boolean
  /** `recorded`: the times in the events are of another day, so that no age is measured. */
  times?: 'live' | 'recorded'
  /** A provider's listing was loaded: instruments may have come. */
  onListing?: () => void
  settings?: Partial<FeedSettings>
  dial?: Dial
}

const TICK = 100
const STATUS_EVERY = 1_000
/** A start does not wait longer than this for providers that are down; they are asked again in the background. */
const START_PATIENCE = 5_000
const LISTING_RETRY = { base: 1_000, cap: 30_000 }
const DEFAULTS: FeedSettings = {
  grace: 10_000,
  holdDown: 30_000,
  bookLevels: 50,
  backoff: SETTINGS.backoff,
  reconnectAttempts: SETTINGS.attempts,
  breakAfter: SETTINGS.breakAfter,
  breakFor: SETTINGS.breakFor,
  rotateAt: SETTINGS.rotateAt,
  listingEvery: 6 * 3_600_000
}

export type Feed = ReturnType<typeof createFeed>

export function createFeed(options: FeedOptions) {
  const hub = openHub(options)
  let timer: NodeJS.Timeout | undefined
  return {
    async start(): Promise<void> {
      tick(hub)
      timer = setInterval(() => tick(hub), TICK)
      const first = Promise.all(
        [...hub.providers.values()].filter(({ adapter }) => adapter.listing !== undefined).map((provider) => list(hub, provider))
      )
      await Promise.race([first, new Promise((resolve) => setTimeout(resolve, START_PATIENCE).unref())])
    },

    async stop(): Promise<void> {
      hub.stopped = true
      clearInterval(timer)
      for (const { pool } of hub.providers.values()) pool.stop()
    },

    /** Reference counted: call `release` once when done. `pending` also while no provider's listing is there yet. */
    want: (topic: Topic): { upstream: 'live' | 'pending'; release: () => void } => want(hub, topic),

    providers: (): ProviderStatus[] => [...hub.providers.values()].map((provider) => statusOf(hub, provider, hub.clock())),

    /** The provider's feed that the operator chose, as in `sip`. What a provider needs to know is not told: it may hold a key. */
    choice(provider: string): string | undefined {
      const { adapter, source } = hub.providers.get(provider)!
      return adapter.needs.includes('feed') ? undefined : source.readAccess().feed
    },

    /** Whether any provider can be asked for this. */
    carries: (topic: Topic): boolean => isNotice(topic) || placesOf(hub, topic).length > 0,

    /** Names of the providers whose listing is not loaded yet. */
    unlisted: (): string[] => [...hub.providers.values()].filter((p) => !p.listed).map((p) => p.adapter.provider),

    /** A provider's own past candles, oldest first: the leader's if it serves them, else the next one's; empty if nobody does. */
    history: (instrument: string, interval: Interval, limit: number): Promise<Candle[]> =>
      history(hub, instrument, interval, limit),

    /** Some provider is known and, if anything is wanted, some provider delivers. */
    ready(): boolean {
      const all = [...hub.providers.values()]
      return all.some((p) => p.listed) && (hub.users.size === 0 || all.some((p) => p.pool.anyLive()))
    }
  }
}

function openHub({ plant, instruments, clock, random, log, simulated, dial, times = 'live', ...options }: FeedOptions): Hub {
  const { grace, holdDown, bookLevels, reconnectAttempts, listingEvery, ...own } = { ...DEFAULTS, ...options.settings }
  const order = options.providers.map(({ adapter }) => adapter.provider)
  const hub: Hub = {
    plant,
    instruments,
    clock,
    random,
    log,
    simulated,
    arbiter: createArbiter({ order, holdDown, times }),
    digest: openDigest(),
    listingEvery,
    // A street never closes.
    market: simulated ? undefined : own.market,
    onListing: options.onListing ?? (() => {}),
    providers: new Map(),
    topics: createDemand(grace),
    users: new Map(),
    stopped: false
  }
  for (const { adapter, wsUrl, restUrl, readAccess, rest, dial: shell = dial } of options.providers) {
    if (adapter.identify) instruments.learn(adapter.provider, adapter.identify)
    const settings = { ...own, market: hub.market, attempts: reconnectAttempts, bookDepth: bookLevels }
    const hooks = hooksOf(hub, adapter.provider)
    const pool = createPool({
      adapter,
      wsUrl,
      restUrl,
      readAccess,
      clock,
      random,
      hooks,
      settings,
      times,
      ...(shell && { dial: shell }),
      ...(rest && { rest })
    })
    const source = { adapter, restUrl, readAccess, rest: pool.rest, clock }
    hub.providers.set(adapter.provider, {
      adapter,
      pool,
      source,
      listed: adapter.listing === undefined,
      asking: [],
      spokenAt: -Infinity,
      listAt: Infinity,
      listTries: 0,
      listDenials: 0
    })
  }
  return hub
}

function tick(hub: Hub): void {
  const now = hub.clock()
  try {
    for (const provider of hub.providers.values()) {
      provider.pool.tick(now)
      if (now - provider.spokenAt >= STATUS_EVERY) speak(hub, provider, now)
      if (now >= provider.listAt) void list(hub, provider)
    }
    judge(hub, { type: 'tick', now })
    for (const line of takeLines(hub.digest, now)) hub.log.info(line, 'lead changed')
    for (const topic of hub.topics.expired(now)) detach(hub, topic)
  } catch (error) {
    // A defect of ours must not end the stream of everyone.
    hub.log.error({ err: error }, 'defect in the feed')
  }
}

function want(hub: Hub, topic: Topic) {
  const name = nameOf(topic)
  if (hub.topics.hold(name, topic)) attach(hub, topic)
  let released = false
  const release = () => {
    if (!released) hub.topics.release(name, hub.clock())
    released = true
  }
  return { upstream: isNotice(topic) || isLive(hub, topic) ? ('live' as const) : ('pending' as const), release }
}

/** Asks for a provider's listing; the tick does it again, soon after a failure and now and then for what is new. */
async function list(hub: Hub, provider: Provider): Promise<void> {
  const { clock, random, log, listingEvery } = hub
  provider.listAt = Infinity
  const failure = await listOnce(hub, provider)
  if (failure === undefined) {
    provider.listTries = provider.listDenials = 0
    // Between half and one and a half times, so that restarts do not bring all servers to the provider at one time.
    provider.listAt = clock() + listingEvery * (0.5 + random())
  } else {
    const { base, cap } = LISTING_RETRY
    provider.listDenials = failure.denied ? provider.listDenials + 1 : 0
    const least = provider.listDenials > DENIED.tries ? DENIED.wait : 0
    const usual = base / 2 + random() * Math.min(cap, base * 2 ** Math.min(provider.listTries++, 30))
    const wait = Math.max(usual, least)
    provider.listAt = clock() + wait
    if (failure.reason !== provider.listFailure && !hub.stopped)
      log.warn({ provider: provider.adapter.provider, reason: failure.reason, retryInMs: Math.round(wait) }, 'listing failed')
  }
  provider.listFailure = failure?.reason
}

type Failure = { reason: string; denied: boolean }
/** Why it failed, or nothing. */
async function listOnce(hub: Hub, { adapter: { provider }, source, listed: before }: Provider): Promise<Failure | undefined> {
  try {
    const found = await fetchListing(source)
    if (!found.ok) return { reason: found.reason, denied: found.status === 401 || found.status === 403 }
    listed(hub, provider, found.value)
    hub.log[before ? 'debug' : 'info']({ provider, instruments: found.value.length }, 'listing loaded')
    hub.onListing()
    return undefined
  } catch (error) {
    return { reason: `unusable listing: ${(error as Error).message}`, denied: false }
  }
}

async function history(hub: Hub, instrument: string, interval: Interval, limit: number): Promise<Candle[]> {
  const leader = hub.arbiter.lanes.get(`trade:${instrument}`)?.leader?.provider
  const all = [...hub.providers.values()]
  const ordered = all.sort((a, b) => Number(b.adapter.provider === leader) - Number(a.adapter.provider === leader))
  for (const { adapter, source } of ordered) {
    const symbol = hub.instruments.symbolOf(adapter.provider, instrument)
    if (symbol === undefined) continue
    const found = await fetchCandles(source, instrument, symbol, interval, limit)
    if (found.ok) return found.value
    hub.log.warn({ provider: adapter.provider, instrument, interval, reason: found.reason }, 'no history')
  }
  return []
}
