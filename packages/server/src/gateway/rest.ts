/** REST: what is now, and what was; every answer is of a schema, and so is the OpenAPI document made of them. */
import {
  INTERVALS,
  topicName,
  type Calibration,
  type Arbitration,
  type Candle,
  type DataKind,
  type Interval,
  type Mode,
  type ProviderStatus,
  type Published
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
import { failures, interval, limit, ofInstrument, ofProvider, resolved, topicsOf } from './asked.ts'
import { RequestError } from './errors.ts'
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

type ValueOf = (kind: DataKind, asked: string, provider: string | undefined) => Promise<Published>

const createValueOf =
  ({ desk, understand, reader }: RestOptions): ValueOf =>
  async (kind, asked, provider) => {
    const instrument = resolved(desk, asked)
    const found = understand(topicName(kind, instrument, provider))
    if (!found.ok) throw new RequestError(found.code, found.message, found.nearest)
    const event = await reader.last(found.name)
    if (!event) throw new RequestError('NOT_FOUND', `no ${kind} of ${instrument} has arrived yet`)
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
  app.get('/v1/quotes/:instrument', { schema: schemaOf('Best bid and offer', schemas.quote) }, async ({ params, query }) => {
    const quote = await valueOf('quote', params.instrument, query.provider)
    return quote as unknown as z.infer<typeof schemas.quote>
  })
  app.get(
    '/v1/tickers/:instrument',
    { schema: schemaOf('Last price and the statistics of the day', schemas.ticker) },
    async ({ params, query }) => {
      const ticker = await valueOf('ticker', params.instrument, query.provider)
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
    async ({ params, query }) => {
      const { topic, instrument } = await valueOf('trade', params.instrument, query.provider)
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
    async ({ params, query }) => {
      const book = (await valueOf('book', params.instrument, query.provider)) as unknown as z.infer<typeof schemas.book>
      return { ...book, bids: book.bids.slice(0, query.depth), asks: book.asks.slice(0, query.depth) }
    }
  )
}

const lastAnswer = z.object({
  last: z.record(z.string(), schemas.event.nullable()).describe('by canonical topic; null where none has arrived'),
  errors: z.array(schemas.topicError).describe('the topics that are not known, as they were asked for')
})

function lastRoute(app: App, { understand, reader }: RestOptions): void {
  app.get(
    '/v1/last',
    {
      schema: {
        tags: ['market'],
        summary: 'The last value of each topic, and what is wrong with the others',
        querystring: z.object({ topics: topicsOf('trade:BTC-USDT,candle:BTC-USDT:1m') }),
        response: { 200: lastAnswer, ...failures }
      }
    },
    async ({ query }) => {
      const asked = query.topics.split(',').filter((topic) => topic !== '')
      if (asked.length === 0 || asked.length > 100) throw new RequestError('BAD_MESSAGE', 'topics: name 1 to 100 topics')
      const results = asked.map((text) => understand(text))
      const names = [...new Set(results.filter((result) => result.ok).map((result) => result.name))]
      const refused = results.filter((result) => !result.ok)
      if (names.length === 0) throw new RequestError(refused[0]!.code, refused[0]!.message, refused[0]!.nearest)
      const values = await Promise.all(names.map((name) => reader.last(name)))
      return {
        last: Object.fromEntries(names.map((name, i) => [name, values[i] ?? null])),
        errors: refused.map(({ asked: topic, code, message, nearest = [] }) => ({ topic, code, message, nearest }))
      }
    }
  )
}

const isRegular = ({ session }: Candle): boolean => session === undefined || session === 'regular'

const pastAnswer = z.object({
  instrument: z.string(),
  interval: z.enum(INTERVALS),
  candles: z.array(schemas.candle),
  missing: z.string().optional().describe('what of the past that was asked for is not here, and why; absent: nothing')
})

function candleRoute(app: App, { desk, sources }: RestOptions): void {
  app.get(
    '/v1/candles/:instrument',
    {
      schema: {
        tags: ['market'],
        summary: 'Candles, oldest first; the last may still be forming',
        params: ofInstrument,
        querystring: z.object({
          interval: interval.default('1m'),
          limit: limit(1_500, 300),
          session: z.enum(['regular', 'extended', 'all']).default('all')
        }),
        response: {
          200: pastAnswer,
          ...failures
        }
      }
    },
    async ({ params, query }) => {
      const instrument = resolved(desk, params.instrument)
      const { limit: count, session } = query
      // Regular hours are two fifths of the longest trading day, so that enough are left of what is asked.
      const { candles: all, why } = await sources.candles(instrument, query.interval, session === 'all' ? count : count * 3)
      const candles = session === 'all' ? all : all.filter((candle) => isRegular(candle) === (session === 'regular'))
      const answer = { instrument, interval: query.interval, candles: candles.slice(-count) }
      if (why === undefined || candles.length >= count) return answer
      return { ...answer, missing: candles.length > 0 ? `the past before these: ${why}` : `no candle is known: ${why}` }
    }
  )
}

export function mountRest(app: App, options: RestOptions): void {
  const valueOf = createValueOf(options)
  valueRoutes(app, valueOf)
  listRoutes(app, valueOf, options.desk)
  lastRoute(app, options)
  candleRoute(app, options)
}
