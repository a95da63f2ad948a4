/** The feed: providers in, the plant's topics out. It asks upstream only for what someone reads. */
import { nameOf, type Arbitration, type Interval, type ProviderStatus, type Topic } from '@tickwire/protocol'
import type { Plant } from '../plant/plant.ts'
import type { Access, Adapter } from '../providers/adapter.ts'
import { createArbiter } from '../arbiter/arbiter.ts'
import { books, reconnect, resync, settleDue } from './commands.ts'
import type { Clockwork } from '../calendar/calendar.ts'
import { SETTINGS, type Settings } from '../connection/connection.ts'
import { createDemand } from './demand.ts'
import { openDigest, takeLines } from './digest.ts'
import { explain } from './explain.ts'
import { hearsTrades, history, list, pastTrades, type History, type PastAnswer } from './listing.ts'
import { reportOf, type Targets } from '../arbiter/forecasts.ts'
import { gapsOf, openGaps, type KnownGap } from './gap.ts'
import { openHistogram, turn } from '../connection/histogram.ts'
import { hopsOf, type Hop } from './hops.ts'
import { hooksOf } from './reports.ts'
import { judge, speak, statusOf, type FeedLog, type Hub } from './hub.ts'
import { marketsOf } from './hours.ts'
import type { Instruments } from './instruments.ts'
import type { Dial } from '../connection/link.ts'
import { createPool } from '../connection/pool.ts'
import type { Transport } from '../connection/http.ts'
import type { Rest } from '../connection/rest.ts'
import type { BookReport, Outcome } from '../connection/standing.ts'
import { WEIGHTS, type Weights } from '../arbiter/score.ts'
import { timers as real, type Cancel, type Timers } from '../timers.ts'
import { attach, detach, isLive, isNotice, placesOf } from './upstream.ts'
import { arbitrationsOf } from '../arbiter/verdict.ts'

export type { FeedLog }
export type FeedSettings = {
  /** How long an upstream subscription outlives its last reader, ms. */
  grace: number
  /** How long a better provider must be faultless before it leads again, ms. */
  holdDown: number
  /** What each input is worth in the score of a provider. */
  weights?: Weights
  /** What confidence is held to; classes not named have the usual. */
  targets?: Partial<Targets>
  /** Levels per side of the books published. */
  bookLevels: number
  /** One book of each connection is compared with a snapshot this often, ms; 0: none. */
  auditEvery: number
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
    transport?: Transport
  }[]
  plant: Plant
  instruments: Instruments
  clock: () => number
  /** Real ones unless named. */
  timers?: Timers
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
const DEFAULTS: FeedSettings = {
  grace: 10_000,
  holdDown: 30_000,
  bookLevels: 50,
  auditEvery: SETTINGS.auditEvery,
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
  const { timers = real } = options
  let stopTicking: Cancel | undefined
  return {
    async start(): Promise<void> {
      tick(hub)
      stopTicking = timers.every(TICK, () => tick(hub))
      const first = Promise.all(
        [...hub.providers.values()].filter(({ adapter }) => adapter.listing !== undefined).map((provider) => list(hub, provider))
      )
      await new Promise<void>((resolve) => {
        const giveUp = timers.after(START_PATIENCE, resolve)
        void first.then(() => (giveUp(), resolve()))
      })
    },

    async stop(): Promise<void> {
      hub.stopped = true
      stopTicking?.()
      for (const { pool } of hub.providers.values()) pool.stop()
    },

    /** Reference counted: call `release` once when done. `pending` also while no provider's listing is there yet. */
    want: (topic: Topic): { upstream: 'live' | 'pending'; release: () => void } => want(hub, topic),

    /** How the books stand that are asked for, of this instrument or of all. */
    books: (instrument?: string): BookReport[] => books(hub, instrument),
    resync: (instrument: string, provider: string): Promise<Outcome> => resync(hub, instrument, provider),
    reconnect: (provider: string): Promise<Outcome> => reconnect(hub, provider),

    confidence: () => reportOf(hub.arbiter.forecasts),

    /** Who leads for each kind of an instrument that someone reads, and why. */
    arbitration: (instrument: string): Arbitration[] => arbitrationsOf(hub.arbiter, instrument, hub.clock()),

    providers: (): ProviderStatus[] => [...hub.providers.values()].map((provider) => statusOf(hub, provider, hub.clock())),

    /** How long each stage takes, up to the plant. */
    hops: (): Hop[] => hopsOf(hub.providers, hub.published),

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
    history: (instrument: string, interval: Interval, limit: number, until?: number): Promise<History> =>
      history(hub, instrument, interval, limit, until),
    /** A provider's own past trades, oldest first. */
    trades: (instrument: string, span: { from: number; to: number }): Promise<PastAnswer> => pastTrades(hub, instrument, span),
    hearsTrades: (instrument: string): boolean => hearsTrades(hub, instrument),

    /** The last gaps of an instrument, oldest first, with what became of each. */
    gaps: (instrument: string): readonly KnownGap[] => gapsOf(hub.gaps, instrument),

    /** Some provider is known and, if anything is wanted, some provider delivers. */
    ready(): boolean {
      const all = [...hub.providers.values()]
      return all.some((p) => p.listed) && (hub.users.size === 0 || all.some((p) => p.pool.anyLive()))
    }
  }
}

function openHub(options: FeedOptions): Hub {
  const { plant, instruments, clock, random, log, simulated, times = 'live' } = options
  const {
    grace,
    holdDown,
    bookLevels,
    reconnectAttempts,
    listingEvery,
    targets = {},
    weights = WEIGHTS,
    ...own
  } = { ...DEFAULTS, ...options.settings }
  const order = options.providers.map(({ adapter }) => adapter.provider)
  // A street never closes.
  const market = simulated ? undefined : own.market
  const hub: Hub = {
    plant,
    instruments,
    clock,
    random,
    log,
    simulated,
    arbiter: createArbiter({
      order,
      holdDown,
      times,
      targets,
      weights,
      market: marketsOf(market, instruments, options.providers)
    }),
    gaps: openGaps(),
    digest: openDigest(),
    explained: new Map(),
    published: openHistogram(),
    listingEvery,
    market,
    onListing: options.onListing ?? (() => {}),
    providers: new Map(),
    topics: createDemand(grace),
    users: new Map(),
    pending: new Set(),
    stopped: false
  }
  const settings = { ...own, market: hub.market, attempts: reconnectAttempts, bookDepth: bookLevels }
  for (const each of options.providers) addProvider(hub, each, options, settings)
  return hub
}

function addProvider(hub: Hub, each: FeedOptions['providers'][number], options: FeedOptions, settings: Partial<Settings>): void {
  const { adapter, restUrl, readAccess, dial = options.dial } = each
  const { timers = real, times = 'live' } = options
  const { instruments, clock, random } = hub
  if (adapter.identify) instruments.learn(adapter.provider, adapter.identify)
  const hooks = hooksOf(hub, adapter.provider)
  const pool = createPool({ ...each, dial, clock, timers, random, hooks, settings, times })
  hub.providers.set(adapter.provider, {
    adapter,
    pool,
    source: { adapter, restUrl, readAccess, rest: pool.rest, clock },
    listed: adapter.listing === undefined,
    asking: [],
    spokenAt: -Infinity,
    listAt: Infinity,
    listTries: 0,
    listDenials: 0
  })
}

function tick(hub: Hub): void {
  const now = hub.clock()
  try {
    for (const provider of hub.providers.values()) {
      provider.pool.tick(now)
      if (now - provider.spokenAt >= STATUS_EVERY) speak(hub, provider, now)
      if (now >= provider.listAt) void list(hub, provider)
    }
    turn(hub.published, now)
    judge(hub, { type: 'tick', now })
    explain(hub, now)
    for (const line of takeLines(hub.digest, now)) hub.log.info(line, 'lead changed')
    for (const topic of hub.topics.expired(now)) detach(hub, topic)
    settleDue(hub)
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
