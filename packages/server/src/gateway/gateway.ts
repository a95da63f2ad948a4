/** The gateway: one port for WebSocket, SSE, REST, the page and the operators. It is handed everything it serves. */
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { ConnectionInfo, Desk, Dialect } from '../dialects/dialect.ts'
import type { Log } from '../ops/log.ts'
import { createMetrics } from '../ops/metrics.ts'
import type { Plant } from '../plant/plant.ts'
import { timers as real, type Cancel, type Timers } from '../timers.ts'
import { createAdmission } from './admission.ts'
import { createAuth } from './auth.ts'
import { createFanout, FANOUT_LIMITS, type FanoutLimits } from './fanout.ts'
import { createHttp, type Tamper } from './http.ts'
import { LIMITS, type Limits } from './limits.ts'
import { createMeters } from './meters.ts'
import { createPatience } from './patience.ts'
import { createReader } from './reader.ts'
import type { RestSources } from './rest.ts'
import type { Demand, Shared } from './session.ts'
import { createSse } from './sse.ts'
import { createUnderstanding } from './understand.ts'
import { serveWebSockets, type Wire } from './ws.ts'

export type { RestSources, ProviderInfo } from './rest.ts'
export type { Demand } from './session.ts'
export type { Message, Wire } from './ws.ts'
export type { Tamper } from './http.ts'

export type GatewayOptions = {
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
  rest?: RestSources
  /** Directory of the built dashboard. */
  page?: string
  /** SHA-256 of each API key, in hex. Without any the gateway is open. */
  auth?: { keys: readonly string[] }
  /** Origins of foreign pages that may connect, or `*`. */
  origins?: readonly string[]
  limits?: Partial<Limits>
  fanout?: Partial<FanoutLimits>
  wire?: Wire
  tamper?: Tamper
}

export type Gateway = ReturnType<typeof createGateway>

const BEAT = 500
/** All of close() takes no longer than this: clients have it to take what is due to them. */
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

export function createGateway(options: GatewayOptions) {
  const { plant, desk, dialects, demand, clock, timers = real, log, flushEvery = 16 } = options
  const limits: Limits = { ...LIMITS, ...options.limits }
  const sources = options.rest ?? nothing(options)
  const auth = createAuth(options.auth?.keys)
  const admission = createAdmission(options.origins ?? [], !auth.required)
  const metrics = createMetrics(sources.hops)
  const meters = createMeters(metrics.observeWait)
  const patience = createPatience(clock, timers)
  const fanoutLimits = { ...FANOUT_LIMITS, ...options.fanout }
  const fanout = createFanout({ plant, clock, timers, patience, flushEvery, limits: fanoutLimits, meters })
  const reader = createReader({ plant, demand, timers })
  const understand = createUnderstanding(desk, clock)
  const shared: Shared = { plant, desk, understand, fanout, demand, auth, limits, clock, patience }
  const sse = createSse(shared, meters, randomUUID)
  const app = createHttp({
    desk,
    understand,
    sources,
    reader,
    sse,
    auth,
    dialects,
    admission,
    page: options.page,
    tamper: options.tamper,
    clock,
    log,
    connections,
    hops: metrics.hops,
    metrics: async () => ({ type: metrics.registry.contentType, text: await metrics.registry.metrics() })
  })
  const ws = serveWebSockets(app.server, { shared, dialects, meters, newId: randomUUID, admission, wire: options.wire })
  const running: Cancel[] = []
  let unwatch: (() => void) | undefined

  function connections(): ConnectionInfo[] {
    return [...ws.connections.values(), ...sse.streams.values()].map(({ session }) => session.info())
  }

  const countByDialect = (): Record<string, number> => {
    const counts: Record<string, number> = { sse: sse.streams.size }
    for (const { name } of dialects) counts[name] = 0
    for (const { session } of ws.connections.values()) counts[session.dialect.name] = (counts[session.dialect.name] ?? 0) + 1
    return counts
  }

  const beat = () => {
    for (const each of [ws, sse, metrics]) each.beat(clock())
  }

  const startTimers = () => {
    running.push(timers.every(BEAT, beat))
    for (const dialect of dialects)
      if (dialect.tickEvery) running.push(timers.every(dialect.tickEvery, () => ws.tick(dialect, clock())))
  }

  return {
    async listen(host: string, port: number): Promise<{ host: string; port: number }> {
      await app.listen({ host, port })
      unwatch = metrics.watch({
        meters,
        plant,
        connections: countByDialect,
        behind: () => fanout.stats().behind,
        providers: () => sources.providers()
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
      sse.close(retryAfterMs)
      await ws.close(retryAfterMs, 1001, DRAIN)
      fanout.stop()
      patience.stop()
      reader.stop()
      unwatch?.()
      app.server.closeAllConnections()
      await app.close()
    }
  }
}
