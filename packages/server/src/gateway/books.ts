/** REST on books: how each stands, how liquid an instrument is, and the commands that renew a book or a connection. */
import { topicName } from '@tickwire/protocol'
import { z } from 'zod'
import type { Admission } from './admission.ts'
import { failures, knownProvider, ofInstrument, ofProvider, resolved, text } from './asked.ts'
import { errorSchema, RequestError } from './errors.ts'
import { createBucket } from './limits.ts'
import type { App, RestOptions } from './rest.ts'
import * as schemas from './schemas.ts'

const standing = z.object({
  instrument: z.string(),
  provider: z.string(),
  state: z
    .enum(['syncing', 'valid', 'suspect', 'stale'])
    .describe('valid: by all we know the provider’s book; suspect: nothing proves it, or something speaks against it'),
  sequence: z.number().optional().describe('the provider’s own, of the last update in it'),
  checked: z.number().optional().describe('when it last agreed with a checksum or an audit'),
  age: z.number().optional().describe('of what was published last, ms'),
  levels: z.object({ bids: z.number(), asks: z.number() }),
  resyncs: z.number().describe('how often it was asked for anew'),
  damage: z
    .object({ at: z.number(), cause: z.string(), healedAfter: z.number().optional().describe('ms; absent while it is not') })
    .optional()
    .describe('the last one')
})
const outcome = z.object({
  outcome: z.enum(['healed', 'failed', 'timeout']),
  message: z.string(),
  after: z.number().describe('ms')
})

/** Commands of all clients together: each costs a provider's budget. */
const COMMANDS = { perSecond: 0.5, burst: 10 }

type BookOptions = RestOptions & { admission: Admission; clock: () => number }

function tables(app: App, { desk, sources, understand, reader }: BookOptions): void {
  app.get(
    '/v1/books',
    {
      schema: {
        tags: ['market'],
        summary: 'How each book stands, by instrument and provider: state, age, damages and how long they took to heal',
        querystring: ofProvider.extend({ instrument: text(100).optional() }),
        response: { 200: z.object({ books: z.array(standing) }), ...failures }
      }
    },
    ({ query }) => {
      const instrument = query.instrument === undefined ? undefined : resolved(desk, query.instrument)
      const books = sources.standing.books(instrument).filter(({ provider }) => (query.provider ?? provider) === provider)
      return { books: [...books] }
    }
  )
  app.get(
    '/v1/liquidity/:instrument',
    {
      schema: {
        tags: ['market'],
        summary: 'Spread, depth, imbalance, largest levels and microprice, from the book',
        params: ofInstrument,
        response: { 200: schemas.liquidity, ...failures }
      }
    },
    async ({ params }) => {
      const instrument = resolved(desk, params.instrument)
      const found = understand(topicName('liquidity', instrument))
      if (!found.ok) throw new RequestError(found.code, found.message, found.nearest)
      const event = await reader.last(found.name)
      if (!event) throw new RequestError('NOT_FOUND', `no book of ${instrument} has arrived yet`)
      return event as unknown as z.infer<typeof schemas.liquidity>
    }
  )
}

export function mountBooks(app: App, options: BookOptions): void {
  const { desk, sources, admission, clock } = options
  const isWithin = createBucket(COMMANDS, clock())
  tables(app, options)
  /** They change what everybody sees: no page of another origin may give them, and nobody too many. */
  const admit = ({ origin, host = '' }: { origin?: string | undefined; host?: string | undefined }): void => {
    if (origin !== undefined && !admission.allows(origin, host))
      throw new RequestError('FORBIDDEN', 'a page of another origin gives no commands')
    if (!isWithin(clock())) throw new RequestError('RATE_LIMITED', 'too many commands: one in two seconds')
  }
  const response = { 200: outcome, ...failures, 403: errorSchema, 429: errorSchema }
  app.post(
    '/v1/books/:instrument/resync',
    {
      schema: {
        tags: ['market'],
        summary: 'Asks one provider for its book anew, and answers once it is whole',
        params: ofInstrument,
        querystring: z.object({ provider: text(50) }),
        response
      }
    },
    ({ params, query, headers }) => {
      admit(headers)
      return sources.standing.resync(resolved(desk, params.instrument), query.provider)
    }
  )
  app.post(
    '/v1/providers/:provider/reconnect',
    {
      schema: {
        tags: ['providers'],
        summary: 'Renews a provider’s connections, the new one first, and answers once they have taken over',
        params: z.object({ provider: text(50) }),
        response
      }
    },
    ({ params, headers }) => {
      admit(headers)
      return sources.standing.reconnect(knownProvider(sources.providers(), params.provider))
    }
  )
}
