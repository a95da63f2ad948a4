/** One simulated provider: its plant, the market or the recording that feeds it, and a gateway that speaks its protocol. */
import { isTopicError, parseTopic, topicName, type Candle, type Interval } from '@tickwire/protocol'
import type { Dialect } from '@tickwire/server/dialects/dialect.ts'
import { createGateway, type Gateway } from '@tickwire/server/gateway/gateway.ts'
import type { Log } from '@tickwire/server/ops/log.ts'
import { keepFor } from '@tickwire/server/plant/keep.ts'
import { createPlant, type Plant } from '@tickwire/server/plant/plant.ts'
import type { Listing } from '@tickwire/server/providers/adapter.ts'
import { createDesk } from './desk.ts'
import { createFaults } from './faults.ts'
import { createMarket, type Market } from './market.ts'
import { seedOf } from './random.ts'
import { instrumentOf, type Venue } from './venues.ts'
import { stories } from './wire.ts'

export type House = ReturnType<typeof createHouse>
export type HouseOptions = {
  provider: string
  seed: number
  clock: () => number
  log: Log
  dialect: Dialect<any>
  /** 0 takes a free one; after a `kill` the same one is taken again. */
  port: number
  /** Milliseconds between writes to a client. */
  flushEvery?: number
} & ({ venue: Venue } | { listing: readonly Listing[] })

const STEP = 25
/** Lived through before opening, so that last values, trades and books are there at once. */
const WARM_UP = 15_000
/** After a longer pause (the machine slept) the market goes on from now. */
const TOO_LATE = 10_000
const CANDLES_EVERY = 1_000
const NEWS_EVERY = 1_000
/** Told at the opening, so that a newcomer finds headlines. */
const NEWS_BEFORE = 300_000
const HOST = '127.0.0.1'
/** Recordings hold snapshots of several megabytes; a provider waits longer for a pong than we do. */
const LIMITS = { message: 16 * 1024 * 1024, heartbeat: { interval: 20_000, deadline: 60_000 } }

/** Everything is always there. */
const demand = () => ({ upstream: 'live' as const, release: () => {} })

export function createHouse(options: HouseOptions) {
  const { provider, seed, clock, log, dialect } = options
  const venue = 'venue' in options ? options.venue : undefined
  const plant = createPlant({ epoch: `${provider}-${clock().toString(36)}`, keep: keepFor(1_000) })
  const faults = createFaults({ seed: seedOf(seed, `faults:${provider}`), clock })
  const market = venue && createMarket({ seed, venue, start: clock() - WARM_UP })
  const desk = createDesk({
    provider,
    listing: 'venue' in options ? options.venue.listing : options.listing,
    plant,
    clock,
    past: (instrument, interval, count) =>
      market && venue ? market.candles(instrument, interval, count, clock() - venue.latency) : []
  })
  const door = createDoor(options.port, () =>
    createGateway({
      plant,
      desk,
      dialects: [dialect],
      demand,
      clock,
      log,
      flushEvery: options.flushEvery ?? 4,
      limits: LIMITS,
      wire: faults.wire,
      tamper: faults.tamper
    })
  )
  let timers: NodeJS.Timeout[] = []

  /** Sockets are cut before the port closes, so that nobody is told that it will. */
  const shut = (): Promise<void> => {
    faults.cut()
    return door.shut()
  }

  return {
    provider,
    plant,
    faults,
    port: door.port,
    isOpen: door.isOpen,
    connections: () => door.gateway()?.connections().length ?? 0,

    async start(): Promise<void> {
      if (market)
        timers = [...runMarket(plant, market, clock), ...(market.venue.news ? [runWire(plant, market.venue, seed, clock)] : [])]
      await door.open()
    },

    /** Its port refuses, its sockets are cut. The market goes on behind closed doors. */
    kill: shut,
    revive: door.open,

    async stop(): Promise<void> {
      for (const timer of timers) clearInterval(timer)
      faults.stop()
      await shut()
    }
  }
}

/** Publishes what happened since the last look, a venue's latency late. Returns the timers that keep it going. */
function runMarket(plant: Plant, market: Market, clock: () => number): NodeJS.Timeout[] {
  const { latency } = market.venue
  const candles = createCandles(plant, market)
  const step = (): void => {
    const now = clock()
    if (now - latency - market.time() > TOO_LATE + WARM_UP) market.skip(now - latency - TOO_LATE)
    for (const event of market.advance(now - latency)) plant.publish(topicName(event.type, event.instrument), event, now)
  }
  step()
  return [setInterval(step, STEP), setInterval(() => candles(clock() - latency, clock()), CANDLES_EVERY)]
}

/** Tells the stories since the last look; at the opening those of the last minutes. */
function runWire(plant: Plant, venue: Venue, seed: number, clock: () => number): NodeJS.Timeout {
  const subjects = venue.listing.map((row) => ({
    instrument: instrumentOf(row),
    name: (row.name ?? row.base).replace(/( Class \w)? Common Stock$/, '')
  }))
  let told = clock() - NEWS_BEFORE
  const step = (): void => {
    const now = clock()
    for (const event of stories(seed, venue.provider, subjects, told, now))
      for (const about of ['all', ...event.instruments]) plant.publish(topicName('news', about), event, now)
    told = now
  }
  step()
  return setInterval(step, NEWS_EVERY)
}

/** A gateway that can be shut and opened again on the same port. */
function createDoor(wanted: number, make: () => Gateway) {
  let gateway: Gateway | undefined
  let port = wanted
  let turn = Promise.resolve()
  /** One after the other: a port cannot be taken again before it is free. */
  const after = (act: () => Promise<void>): Promise<void> => (turn = turn.then(act, act))
  return {
    port: () => port,
    gateway: () => gateway,
    isOpen: () => gateway !== undefined,
    open: () =>
      after(async () => {
        if (gateway) return
        const made = make()
        port = (await made.listen(HOST, port)).port
        gateway = made
      }),
    shut: () =>
      after(async () => {
        const old = gateway
        gateway = undefined
        await old?.close(0)
      })
  }
}

/** Candles are made for those who listen: the forming one each time, and the one before it once more when it closed. */
function createCandles(plant: Plant, market: Market) {
  const forming = new Map<string, number>()
  const told = (topic: string, candle: Candle, now: number) => plant.publish(topic, candle, now)
  const update = (topic: string, instrument: string, interval: Interval, t: number, now: number) => {
    const [before, current] = market.candles(instrument, interval, 2, t) as [Candle, Candle]
    if (forming.get(topic) === before.start) told(topic, before, now)
    forming.set(topic, current.start)
    told(topic, current, now)
  }
  return (t: number, now: number): void => {
    for (const topic of plant.topics()) {
      const parsed = topic.startsWith('candle:') && plant.listeners(topic) > 0 ? parseTopic(topic) : undefined
      if (!parsed || isTopicError(parsed) || !parsed.interval) forming.delete(topic)
      else update(topic, parsed.instrument, parsed.interval, t, now)
    }
  }
}
