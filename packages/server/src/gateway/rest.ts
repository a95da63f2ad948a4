/** REST: what is now, and what was; every answer is of a schema, and so is the OpenAPI document made of them. */
import {
  topicName,
  type Calibration,
  type Arbitration,
  type Candle,
  type DataKind,
  type Interval,
  type Mode,
  type ProviderStatus,
  type Published,
  type RecordedRun,
  type RecordingStatus
} from '@tickwire/protocol'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Desk } from '../dialects/dialect.ts'
import { failures, limit, ofInstrument, ofProvider, resolved } from './asked.ts'
import type { PastCandles } from '../history/candles.ts'
import type { PastTrades } from '../history/trades.ts'
import { RequestError } from './errors.ts'
import { tagOf } from './etag.ts'
import type { KnownGap } from '../feed/gap.ts'
import type { Hop } from '../feed/hops.ts'
import type { createReader } from './reader.ts'
import * as schemas from './schemas.ts'
import type { BookSources } from './standing.ts'
import type { Understand } from './understand.ts'

export type ProviderInfo = ProviderStatus & {
  title?: string
  /** The provider's feed that the operator chose, as in `sip`. */
  feed?: string
  about?: { docs: string; coverage: string; redistribution: 'allowed' | 'forbidden' | 'restricted'; cost: string }
  /** To whom it may be given: what a source forbids to pass on goes to the owner's users only. */
  audience?: 'owner' | 'all'
  /** What it carries, and what must be configured for it. */
  kinds?: readonly string[]
  needs?: readonly string[]
  limits?: { subscriptionsPerConnection: number; connections: number | null; requestsPerSecond: number }
}

/** What main.ts hands in for the answers that the plant does not hold. */
export type RestSources = {
  providers: () => readonly ProviderInfo[]
  /** How long each stage takes, up to the plant. */
  hops: () => readonly Hop[]
  /** Oldest first; `why`: the past before them is not here, for this reason. */
  candles: (instrument: string, interval: Interval, limit: number) => Promise<{ candles: readonly Candle[]; why?: string }>
  /** Spans of the past, in pages; absent where there is none. */
  history?: { trades: PastTrades; candles: PastCandles }
  /** Absent where nothing can be recorded. */
  recording?: { status: () => RecordingStatus; runs: () => readonly RecordedRun[]; logLost: () => number }
  /** Instruments of which changes are told, and groups of which breadth is. */
  moving: () => readonly string[]
  groups: () => readonly string[]
  /** Instruments collected whether or not anyone asks for them. */
  watched: () => readonly string[]
  /** Calibrations, and by provider how often its prices held. */
  confidence: () => { reliability: Readonly<Record<string, number>>; calibrations: readonly Calibration[] }
  arbitration: (instrument: string) => readonly Arbitration[]
  /** The last ones, oldest first. */
  gaps: (instrument: string) => readonly KnownGap[]
  standing: BookSources
  mode: Mode
  /** In capture mode: whose recorded session, and at how many times its pace. */
  playing?: { capture: string; speed: number }
  ready: () => boolean
  startedAt: number
  build: { version: string; commit?: string }
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

export type RestOptions = { desk: Desk; understand: Understand; sources: RestSources; reader: ReturnType<typeof createReader> }

/** Where the answer to one request is written to. */
type Answered = { header: (name: string, value: string) => unknown }
/** The last event of a topic; the answer is made of it and of what came before, so that it is tagged by it. */
type ValueOf = (reply: Answered, kind: DataKind, asked: string, provider: string | undefined) => Promise<Published>

const createValueOf =
  ({ desk, understand, reader }: RestOptions): ValueOf =>
  async (reply, kind, asked, provider) => {
    const instrument = resolved(desk, asked)
    const found = understand(topicName(kind, instrument, provider))
    if (!found.ok) throw new RequestError(found.code, found.message, found.nearest)
    const event = await reader.last(found.name)
    if (!event) throw new RequestError('NOT_FOUND', `no ${kind} of ${instrument} has arrived yet`)
    reply.header('etag', tagOf(desk.epoch, [found.name], [event]))
    return event
  }

const schemaOf = <S extends z.ZodType>(summary: string, schema: S) => ({
  tags: ['market'],
  summary,
  params: ofInstrument,
  querystring: ofProvider,
  response: { 200: schema, ...failures }
})
function valueRoutes(app: App, valueOf: ValueOf): void {
  app.get(
    '/v1/quotes/:instrument',
    { schema: schemaOf('Best bid and offer', schemas.quote) },
    async ({ params, query }, reply) => {
      const quote = await valueOf(reply, 'quote', params.instrument, query.provider)
      return quote as unknown as z.infer<typeof schemas.quote>
    }
  )
  app.get(
    '/v1/tickers/:instrument',
    { schema: schemaOf('Last price and the statistics of the day', schemas.ticker) },
    async ({ params, query }, reply) => {
      const ticker = await valueOf(reply, 'ticker', params.instrument, query.provider)
      return ticker as unknown as z.infer<typeof schemas.ticker>
    }
  )
}

function listRoutes(app: App, valueOf: ValueOf, desk: Desk): void {
  app.get(
    '/v1/trades/:instrument',
    {
      schema: {
        tags: ['market'],
        summary: 'The last trades, oldest first',
        params: ofInstrument,
        querystring: ofProvider.extend({ limit: limit(1_000, 100) }),
        response: { 200: z.object({ instrument: z.string(), trades: z.array(schemas.trade) }), ...failures }
      }
    },
    async ({ params, query }, reply) => {
      const { topic, instrument } = await valueOf(reply, 'trade', params.instrument, query.provider)
      return { instrument, trades: desk.recent(topic, query.limit) as z.infer<typeof schemas.trade>[] }
    }
  )
  app.get(
    '/v1/book/:instrument',
    {
      schema: {
        tags: ['market'],
        summary: 'The best levels of both sides',
        params: ofInstrument,
        querystring: ofProvider.extend({ depth: limit(1_000, 50) }),
        response: { 200: schemas.book, ...failures }
      }
    },
    async ({ params, query }, reply) => {
      const book = (await valueOf(reply, 'book', params.instrument, query.provider)) as unknown as z.infer<typeof schemas.book>
      return { ...book, bids: book.bids.slice(0, query.depth), asks: book.asks.slice(0, query.depth) }
    }
  )
}

export function mountRest(app: App, options: RestOptions): void {
  const valueOf = createValueOf(options)
  valueRoutes(app, valueOf)
  listRoutes(app, valueOf, options.desk)
}
