/** The whole product on simulated time: providers, feed, plant, services, sessions and clients, wired as main.ts does. */
import { createHash } from 'node:crypto'
import type { MarketEvent, Published } from '@tickwire/protocol'
import { demandOf, deskOf } from '@tickwire/server'
import { dialects } from '@tickwire/server/dialects/index.ts'
import { createFeed, type FeedLog } from '@tickwire/server/feed/feed.ts'
import { createInstruments } from '@tickwire/server/feed/instruments.ts'
import type { Dial } from '@tickwire/server/connection/link.ts'
import { keepFor } from '@tickwire/server/plant/keep.ts'
import { createPlant, type Plant } from '@tickwire/server/plant/plant.ts'
import { createCandles } from '@tickwire/server/services/candles.ts'
import { hostServices } from '@tickwire/server/services/run.ts'
import { seedOf, stream } from '@tickwire/street/random.ts'
import { instrumentOf, VENUES } from '@tickwire/street/venues.ts'
import { createPerson, type Reports } from './crowd.ts'
import type { Complain } from './checks.ts'
import { createHall } from './hall.ts'
import type { Schedule } from '@tickwire/server/replay/schedule.ts'
import type { Truth } from './truth.ts'
import { createVenue, type SimulatedVenue } from './venue.ts'

export type WorldOptions = {
  seed: number
  schedule: Schedule
  truth: Truth
  reports: Reports
  onPublished: (event: Published) => void
  complain: Complain
  /** Breaks what is published: how the tests see that each check can fail. */
  tamper?: ((event: MarketEvent) => MarketEvent) | undefined
}
export type World = ReturnType<typeof createWorld>

/** What is traded; each seed takes one of them, with all venues that carry it. */
const MARKETS = [['BTC-USDT', 'ETH-USDT'], ['AAPL', 'MSFT'], ['BTC-USD']] as const
const PEOPLE = 3
const TOKEN = 'simulated'
/** Small, so that their bounds are reached with little data. */
export const BOUNDS = {
  backlog: 8 * 1024,
  patience: 1_000,
  cutAfter: 5_000,
  outbox: { maxItems: 100, maxWeight: 32 * 1024 },
  burst: 32 * 1024
}
/** Within 30 s of calm everyone shall be back: the pauses are shorter than those of production. */
const SETTINGS = { backoff: { base: 250, cap: 5_000 }, breakFor: 5_000, holdDown: 10_000 }

const nothing = (): void => {}

function venuesOf({ seed, schedule, truth, complain }: WorldOptions): SimulatedVenue[] {
  const instruments = MARKETS[seedOf(seed, 'market') % MARKETS.length]!
  return Object.values(VENUES)
    .filter(({ listing }) => listing.some((row) => instruments.some((each) => each === instrumentOf(row))))
    .slice(0, 3)
    .map(({ provider }) =>
      createVenue({ provider, instruments, seed, schedule, truth, complain: (what) => complain('limits', what) })
    )
}

/** Counts the connections that the feed holds, and notes since when there is none: one may live between two looks. */
function counted(
  dial: Dial,
  links: Map<string, number>,
  downSince: Map<string, number>,
  provider: string,
  clock: () => number
): Dial {
  const change = (by: number): void => {
    const count = (links.get(provider) ?? 0) + by
    links.set(provider, count)
    if (count > 0) downSince.delete(provider)
    else downSince.set(provider, clock())
  }
  return (target, hooks) => {
    let open = false
    const ended = (): void => {
      if (open) change(-1)
      open = false
    }
    const link = dial(target, {
      ...hooks,
      onOpen() {
        open = true
        change(1)
        hooks.onOpen()
      },
      onClose(ending) {
        ended()
        hooks.onClose(ending)
      }
    })
    return {
      send: link.send,
      close() {
        ended()
        link.close()
      }
    }
  }
}

const topicsFor = (instruments: readonly string[], venues: readonly SimulatedVenue[], draw: () => number): string[] => [
  ...instruments.flatMap((each) => ['trade', 'quote', 'ticker'].map((kind) => `${kind}:${each}`)),
  ...instruments.map((each) => `candle:${each}:1m`),
  ...instruments.flatMap((each) =>
    venues
      .filter((venue) => venue.adapter.kinds.includes('book') && draw() < 0.5)
      .map(({ provider }) => `book:${each}@${provider}`)
  )
]

/** A plant whose every event is seen before its listeners, who publish what follows from it. */
function watchedPlant({ seed, onPublished, tamper = (event) => event }: WorldOptions): Plant {
  const plant = createPlant({ epoch: `simulated-${seed}`, keep: keepFor(1_000) })
  return {
    ...plant,
    publish(topic, untouched, now) {
      const event = tamper(untouched)
      onPublished({ ...event, topic, seq: (plant.last(topic)?.seq ?? 0) + 1, published: now })
      return plant.publish(topic, event, now)
    }
  }
}

export function createWorld(options: WorldOptions) {
  const { seed, schedule, reports, complain } = options
  const clock = schedule.now
  const venues = venuesOf(options)
  const links = new Map<string, number>()
  const downSince = new Map(venues.map(({ provider }) => [provider, clock()]))
  const plant = watchedPlant(options)
  const log: FeedLog = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: (fields, message) => complain('defect', `${message} ${describe(fields)}`)
  }
  const instruments = createInstruments()
  const feed = createFeed({
    providers: venues.map(({ adapter, dial, transport, access, provider }) => ({
      adapter,
      wsUrl: adapter.wsUrl ?? '',
      restUrl: adapter.restUrl,
      readAccess: () => ({ ...access }),
      dial: counted(dial, links, downSince, provider, clock),
      transport
    })),
    plant,
    instruments,
    clock,
    timers: schedule,
    random: stream(seedOf(seed, 'feed')),
    log,
    simulated: true,
    settings: SETTINGS
  })
  const candles = createCandles()
  const services = hostServices({ plant, services: [candles], clock, timers: schedule, log })
  const demand = demandOf(feed, services)
  const desk = deskOf(
    'demo',
    plant,
    clock,
    instruments,
    feed,
    () => Promise.resolve({ candles: [] }),
    () => []
  )
  const draw = stream(seedOf(seed, 'world'))
  const hall = createHall({
    plant,
    desk,
    dialects: dialects.slice(0, 1),
    demand,
    schedule,
    draw,
    flushEvery: 16,
    fanout: BOUNDS,
    keys: [createHash('sha256').update(TOKEN).digest('hex')]
  })
  const traded = [...new Set(venues.flatMap((venue) => venue.instruments))]
  void feed.start()
  // As the collector of main.ts: what is watched goes on when nobody reads it.
  for (const instrument of traded) for (const kind of ['trade', 'quote', 'ticker', 'book'] as const) demand({ kind, instrument })
  const people = Array.from({ length: PEOPLE }, (_, at) =>
    createPerson({ name: `client ${at}`, topics: topicsFor(traded, venues, draw), hall, schedule, seed, reports, token: TOKEN })
  )
  return { venues, people, feed, plant, links, downSince, traded, connections: hall.open }
}

function describe(fields: object): string {
  const cause = Object.values(fields).find((value) => value instanceof Error)
  return cause?.stack?.split('\n').slice(0, 4).join(' | ') ?? JSON.stringify(fields)
}
