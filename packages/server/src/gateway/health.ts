/** What operators ask: /health, /ready, /metrics and /ws/status. */
import { z } from 'zod'
import { spreadOf } from '../connection/histogram.ts'
import type { ConnectionInfo, Dialect } from '../dialects/dialect.ts'
import type { Hop } from '../feed/hops.ts'
import { mountDocuments } from './documents.ts'
import { errorSchema, RequestError } from './errors.ts'
import type { App, RestSources } from './rest.ts'

export type HealthOptions = {
  sources: RestSources
  epoch: string
  clock: () => number
  dialects: readonly Dialect<any>[]
  connections: () => readonly ConnectionInfo[]
  hops: () => readonly Hop[]
  /** The Prometheus text and its content type. */
  metrics: () => Promise<{ type: string; text: string }>
}

const health = z.object({
  status: z.enum(['ok', 'degraded']),
  mode: z.enum(['demo', 'capture', 'live', 'replay']),
  simulated: z.boolean(),
  playing: z
    .object({ capture: z.string(), speed: z.number() })
    .optional()
    .describe('in capture mode: whose recorded session, and at how many times its pace'),
  uptime: z.number().describe('seconds'),
  version: z.string(),
  epoch: z.string(),
  recording: z
    .object({ state: z.enum(['off', 'recording', 'full', 'failed']), reason: z.string(), lost: z.number() })
    .optional()
    .describe('where something is to be recorded: whether it is'),
  providers: z.object({
    total: z.number(),
    live: z.number(),
    phases: z.record(z.string(), z.string())
  })
})

const figures = { description: 'The Prometheus text format.', content: { 'text/plain': { schema: z.string() } } }

const channel = z.object({
  connections: z.number(),
  subscribers: z.number(),
  queue_len: z.number(),
  queue_dropped: z.number(),
  conflated: z.number(),
  sent: z.number(),
  broadcasts_attempted: z.number().describe('sent and dropped'),
  broadcasts_failed: z.number().describe('dropped: the client read too slowly'),
  broadcast_latency_ms: z
    .number()
    .nullable()
    .describe('p50 of all channels, which are written together; null where nobody here was sent anything'),
  portfolio_queue_len: z.number().describe('of `queue_len`, what is of a portfolio'),
  avg_uptime_s: z.number()
})
type Channel = z.infer<typeof channel>

const latency = z
  .object({ p50: z.number(), p90: z.number(), p99: z.number() })
  .nullable()
  .describe('milliseconds from publishing to the sockets, over the last minutes; null where nothing was sent')

const latencyOf = (hops: readonly Hop[]): z.infer<typeof latency> => {
  const flushed = hops.find(({ hop }) => hop === 'published_flushed')
  const spread = flushed && spreadOf(flushed.histogram)
  return spread ? { p50: spread.p50, p90: spread.p90, p99: spread.p99 } : null
}

const sum = (rows: readonly ConnectionInfo[], read: (row: ConnectionInfo) => number) => rows.reduce((n, row) => n + read(row), 0)

/** All that we speak at an address, and the streams of SSE. */
export const channelNames = (dialects: readonly Dialect<any>[]): string[] => [
  ...new Set([...dialects.filter(({ paths }) => paths.length > 0).map(({ name }) => name), 'sse'])
]

const PORTFOLIO = 'portfolio'

/** One row per dialect, idle ones too. */
export function perChannel(
  names: readonly string[],
  connections: readonly ConnectionInfo[],
  now: number,
  latency_ms: number | null = null
): Record<string, Channel> {
  return Object.fromEntries(
    names.map((name) => {
      const rows = connections.filter((row) => row.dialect === name)
      const uptime = sum(rows, (row) => now - row.since) / 1_000
      const pending = sum(rows, (row) => row.pending)
      const [sent, dropped] = [sum(rows, (row) => row.sent), sum(rows, (row) => row.dropped)]
      return [
        name,
        {
          connections: rows.length,
          subscribers: rows.filter((row) => row.topics.length > 0).length,
          queue_len: pending,
          queue_dropped: dropped,
          conflated: sum(rows, (row) => row.conflated),
          sent,
          broadcasts_attempted: sent + dropped,
          broadcasts_failed: dropped,
          broadcast_latency_ms: sent > 0 ? latency_ms : null,
          portfolio_queue_len: name === PORTFOLIO ? pending : 0,
          avg_uptime_s: rows.length === 0 ? 0 : Math.round((uptime / rows.length) * 10) / 10
        }
      ]
    })
  )
}

export function mountHealth(app: App, options: HealthOptions): void {
  const { sources, epoch, clock, metrics } = options
  mountStatus(app, options)
  mountDocuments(app)
  const recordingOf = () => {
    const status = sources.recording?.status()
    if (!status || status.what.length === 0) return {}
    const { state, reason, lost } = status
    return { recording: { state, reason, lost } }
  }
  const isItWell = (): z.infer<typeof health> => {
    const providers = sources.providers()
    const live = providers.filter((each) => each.phase === 'live').length
    return {
      status: sources.ready() ? ('ok' as const) : ('degraded' as const),
      mode: sources.mode,
      simulated: sources.mode !== 'live',
      ...(sources.playing && { playing: sources.playing }),
      uptime: Math.round((clock() - sources.startedAt) / 100) / 10,
      version: sources.build.version,
      epoch,
      ...recordingOf(),
      providers: {
        total: providers.length,
        live,
        phases: Object.fromEntries(providers.map((each) => [each.provider, each.phase]))
      }
    }
  }
  for (const path of ['/health', '/api/core/health'])
    app.get(path, { schema: { tags: ['operations'], summary: 'Is it well?', response: { 200: health } } }, isItWell)
  app.get(
    '/ready',
    {
      schema: {
        tags: ['operations'],
        summary: '503 until a provider is live',
        response: { 200: z.object({ ready: z.literal(true) }), 503: errorSchema }
      }
    },
    () => {
      if (!sources.ready()) throw new RequestError('UNAVAILABLE', 'no provider is live')
      return { ready: true as const }
    }
  )
  app.get(
    '/metrics',
    { schema: { tags: ['operations'], summary: 'Prometheus metrics', response: { 200: figures } } },
    async (_request, reply) => {
      const { type, text } = await metrics()
      return reply.header('content-type', type).send(text)
    }
  )
}

function mountStatus(app: App, { clock, dialects, connections, hops }: Omit<HealthOptions, 'epoch'>): void {
  app.get(
    '/ws/status',
    {
      schema: {
        tags: ['operations'],
        summary: 'Open connections by protocol',
        response: {
          200: z.object({
            total_connections: z.number(),
            broadcast_latency_ms: latency,
            per_channel: z.record(z.string(), channel)
          })
        }
      }
    },
    () => {
      const rows = connections()
      const spread = latencyOf(hops())
      return {
        total_connections: rows.length,
        broadcast_latency_ms: spread,
        per_channel: perChannel(channelNames(dialects), rows, clock(), spread?.p50 ?? null)
      }
    }
  )
}
