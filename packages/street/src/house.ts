/** One simulated provider: its plant, the market or the recording that feeds it, and a gateway that speaks its protocol. */
import { isTopicError, parseTopic, topicName, type Candle, type Interval } from '@tickwire/protocol'
import type { Dialect } from '@tickwire/server/dialects/dialect.ts'
import { createGateway, type Gateway } from '@tickwire/server/gateway/gateway.ts'
import type { Log } from '@tickwire/server/ops/log.ts'
import { createPlant, type Plant } from '@tickwire/server/plant/plant.ts'
import type { Listing } from '@tickwire/server/providers/adapter.ts'
import { createDesk } from './desk.ts'
import { createFaults } from './faults.ts'
import { createMarket, type Market } from './market.ts'
import { seedOf } from './random.ts'
import type { Venue } from './venues.ts'

export type House = ReturnType<typeof createHouse>
export type HouseOptions = {
  provider: string
  seed: number
  clock: () => number
  log: Log
  dialect: Dialect<any>
  /** 0 takes a free one; after a `kill` the same one is taken again. */
  port: number
} & ({ venue: Venue } | { listing: readonly Listing[] })

const STEP = 25
/** Lived through before opening, so that last values, trades and books are there at once. */
const WARM_UP = 15_000
/** After a longer pause (the machine slept) the market goes on from now. */
const TOO_LATE = 10_000
const CANDLES_EVERY = 1_000
const HOST = '127.0.0.1'
/** Recordings hold snapshots of several megabytes; a provider waits longer for a pong than we do. */
const LIMITS = { message: 16 * 1024 * 1024, heartbeat: { interval: 20_000, deadline: 60_000 } }

/** Everything is always there. */
const demand = () => ({ upstream: 'live' as const, release: () => {} })

export function createHouse(options: HouseOptions) {
  const { provider, seed, clock, log, dialect } = options
  const venue = 'venue' in options ? options.venue : undefined
  const plant = createPlant({ epoch: `${provider}-${clock().toString(36)}` })
  const faults = createFaults({ seed: seedOf(seed, `faults:${provider}`), clock })
  const market = venue && createMarket({ seed, venue, start: clock() - WARM_UP })
  const desk = createDesk({
    provider,
    listing: 'venue' in options ? options.venue.listing : options.listing,
    plant,
    past: (instrument, interval, count) =>
      market && venue ? market.candles(instrument, interval, count, clock() - venue.latency) : []
  })
  const candles = market && createCandles(plant, market)
  let gateway: Gateway | undefined
  let turn = Promise.resolve()
  let port = options.port
  let timers: NodeJS.Timeout[] = []

  const step = (): void => {
    if (!market || !venue) return
    const now = clock()
    if (now - venue.latency - market.time() > TOO_LATE + WARM_UP) market.skip(now - venue.latency - TOO_LATE)
    for (const event of market.advance(now - venue.latency)) plant.publish(topicName(event.type, event.instrument), event, now)
  }

  const open = async (): Promise<void> => {
    gateway = createGateway({
      plant,
      desk,
      dialects: [dialect],
      demand,
      clock,
      log,
      flushEvery: 4,
      limits: LIMITS,
      wire: faults.wire,
      tamper: faults.tamper
    })
    port = (await gateway.listen(HOST, port)).port
  }

  const shut = async (): Promise<void> => {
    const old = gateway
    gateway = undefined
    faults.cut()
    await old?.close(0)
  }

  /** One after the other: a port cannot be taken again before it is free. */
  const after = (act: () => Promise<void>): Promise<void> => (turn = turn.then(act, act))

  return {
    provider,
    plant,
    faults,
    port: () => port,
    isOpen: () => gateway !== undefined,
    connections: () => gateway?.connections() ?? [],

    async start(): Promise<void> {
      step()
      await open()
      timers = [setInterval(step, STEP)]
      if (candles && venue) timers.push(setInterval(() => candles(clock() - venue.latency, clock()), CANDLES_EVERY))
    },

    /** Its port refuses, its sockets are cut. The market goes on behind closed doors. */
    kill: () => after(shut),
    revive: () => after(async () => void (gateway ?? (await open()))),

    async stop(): Promise<void> {
      for (const timer of timers) clearInterval(timer)
      faults.stop()
      await after(shut)
    }
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
