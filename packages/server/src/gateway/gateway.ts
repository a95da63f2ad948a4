/** The gateway: one port for WebSocket, SSE, REST, the page and the operators. It is handed everything it serves. */
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { ConnectionInfo, Desk, Dialect } from '../dialects/dialect.ts'
import type { Log } from '../ops/log.ts'
import { createMetrics } from '../ops/metrics.ts'
import type { Plant } from '../plant/plant.ts'
import { timers as real, type Cancel, type Timers } from '../timers.ts'
import { createDrain } from './drain.ts'
import { createEntry, type EntryOptions } from './entry.ts'
import { createFanout, FANOUT_LIMITS, type FanoutLimits } from './fanout.ts'
import { channelNames, perChannel } from './health.ts'
import { createHttp, type Tamper } from './http.ts'
import { BEAT, LIMITS, type Limits } from './limits.ts'
import { createMeters } from './meters.ts'
import { createPatience } from './patience.ts'
import { createPolls } from './polls.ts'
import { createReader } from './reader.ts'
import type { RestSources } from './rest.ts'
import { createRooms } from './halls.ts'
import type { Replays } from '../replay/registry.ts'
import type { Demand, Shared } from './session.ts'
import { createShelves } from './shelf.ts'
import { createSse } from './sse.ts'
import { createUnderstanding } from './understand.ts'
import { serveWebSockets, type Wire } from './ws.ts'

export type { RestSources, ProviderInfo } from './rest.ts'
export type { Demand } from './session.ts'
export type { Message, Wire } from './ws.ts'
export type { Tamper } from './http.ts'

export type GatewayOptions = EntryOptions & {
  plant: Plant
  desk: Desk
  dialects: readonly Dialect<any>[]
  /** Asks for a topic upstream; every session that holds it asks once, and releases when it goes. */
  demand: Demand
  clock: () => number
  timers?: Timers
  log: Log
  /** Milliseconds between writes to a client; 0 writes at the end of each turn of the event loop. */
  flushEvery?: number
  rest?: Partial<RestSources>
  /** Directory of the built dashboard. */
  page?: string
  limits?: Partial<Limits>
  fanout?: Partial<FanoutLimits>
  wire?: Wire
  /** Frames are compressed for the clients that ask for it; unless it is false. */
  compression?: boolean
  tamper?: Tamper
  /** Of what was recorded; `home` is heard in the place of the plant. */
  replays?: Replays
  home?: string
}

export type Gateway = ReturnType<typeof createGateway>

/** All of close() takes no longer than this: clients have it to take what is due to them, answers to be made. */
const DRAIN = 5_000

const NOWHERE = { outcome: 'failed', message: 'there is no feed here', after: 0 } as const
const nothing = (options: GatewayOptions): RestSources => ({
  providers: () => [],
  hops: () => [],
  moving: () => [],
  groups: () => [],
  candles: () => Promise.resolve({ candles: [] }),
  watched: () => [],
  confidence: () => ({ reliability: {}, calibrations: [] }),
  arbitration: () => [],
  gaps: () => [],
  standing: { books: () => [], resync: () => Promise.resolve(NOWHERE), reconnect: () => Promise.resolve(NOWHERE) },
  mode: options.desk.mode,
  ready: () => true,
  startedAt: options.clock(),
  build: { version: options.desk.server }
})

/** Connections that wait to be taken; the kernel may allow fewer. Those beyond it are refused by silence, and come back seconds later. */
const BACKLOG = 16_384

export function createGateway(options: GatewayOptions) {
  const { plant, desk, dialects, demand, clock, timers = real, log, flushEvery = 16, wire, compression = true } = options
  const limits: Limits = { ...LIMITS, ...options.limits }
  const sources: RestSources = { ...nothing(options), ...options.rest }
  const entry = createEntry(options, desk, sources, clock)
  const { auth, admission, quotas, visitors, redistribution } = entry
  const metrics = createMetrics(sources.hops)
  const meters = createMeters(metrics.observeWait)
  const patience = createPatience(clock, timers)
  const fanoutLimits = { ...FANOUT_LIMITS, ...options.fanout }
  const fanoutOf = (from: Plant, now: () => number) =>
    createFanout({ plant: from, clock: now, timers, patience, flushEvery, limits: fanoutLimits, meters })
  const fanout = fanoutOf(plant, clock)
  const reader = createReader({ plant, demand, timers })
  const understand = createUnderstanding(desk, clock)
  const shared: Shared = { plant, desk, understand, fanout, demand, auth, limits, clock, patience, redistribution }
  const { replays } = options
  const rooms = createRooms({ ...entry, ...options, base: shared, fanoutOf })
  const sse = createSse(shared, meters, randomUUID, quotas)
  const polls = createPolls({ plant, timers, auth, quotas, most: limits.connections })
  const open = { desk, understand, sources, reader }
  const asked = redistribution?.rest(open, visitors) ?? open
  const shelves = createShelves(asked.understand, demand)
  const served = { meters, sse, polls, replays, dialects, shelves, clock, log, connections }
  const app = createHttp({
    ...entry,
    ...asked,
    ...served,
    page: options.page,
    tamper: options.tamper,
    hops: metrics.hops,
    metrics: async () => ({ type: metrics.registry.contentType, text: await metrics.registry.metrics() })
  })
  const drain = createDrain(app, timers, meters)
  const ws = serveWebSockets(app.server, { ...entry, shared, rooms, meters, newId: randomUUID, wire, compression })
  const running: Cancel[] = []
  let unwatch: (() => void) | undefined

  function connections(): ConnectionInfo[] {
    return [...ws.connections.values(), ...sse.streams.values()].map(({ session }) => session.info())
  }

  const beat = () => {
    for (const each of [ws, sse, polls, metrics, auth, quotas]) each.beat(clock())
  }

  const startTimers = () => {
    running.push(timers.every(BEAT, beat))
    for (const dialect of dialects)
      if (dialect.tickEvery) running.push(timers.every(dialect.tickEvery, () => ws.tick(dialect, clock())))
  }

  return {
    async listen(host: string, port: number): Promise<{ host: string; port: number }> {
      await app.listen({ host, port, backlog: BACKLOG })
      unwatch = metrics.watch({
        meters,
        plant,
        channels: () => perChannel(channelNames(dialects), connections(), clock()),
        fanout: () => fanout.stats(),
        providers: () => sources.providers(),
        ready: () => sources.ready(),
        recording: sources.recording?.status,
        about: { mode: sources.mode, version: sources.build.version, startedAt: sources.startedAt }
      })
      startTimers()
      const bound = app.server.address() as AddressInfo
      admission.bind(host, bound.address)
      return { host, port: bound.port }
    },

    connections,
    stats: () => ({ ...meters, ...fanout.stats(), connections: ws.connections.size + sse.streams.size }),

    /** Tells every client, gives them what is due, closes with 1001, and stops listening. */
    async close(retryAfterMs = 1_000): Promise<void> {
      for (const cancel of running) cancel()
      fanout.flush()
      drain.begin()
      for (const each of [sse, polls]) each.close(retryAfterMs)
      await Promise.all([ws.close(retryAfterMs, 1001, DRAIN), drain.finished(DRAIN)])
      replays?.stop()
      rooms.stop()
      patience.stop()
      reader.stop()
      shelves.stop()
      unwatch?.()
      app.server.closeAllConnections()
      await app.close()
    }
  }
}
