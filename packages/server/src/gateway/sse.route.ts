/** The address of the streams: what is wrong is an HTTP status and JSON, as long as the stream has not begun. */
import type { AskedContract } from '@tickwire/protocol'
import { z } from 'zod'
import { delivery, discordIn, interval, maxAge, maxRate, MOST_FIELDS } from '../agreement.ts'
import { notLetIn, type Admission } from './admission.ts'
import { chosenIn, fieldsUpTo, known, numeric, text, topicsOf } from './asked.ts'
import { errorSchema, RequestError } from './errors.ts'
import type { App } from './rest.ts'
import type { createSse } from './sse.ts'
import type { Visitors } from './visitors.ts'

const stream = {
  description:
    'A text/event-stream. `event` is the type of the market event, or subscribed, lost, contract, shutdown, closed, refused.',
  content: { 'text/event-stream': { schema: z.string() } }
}
const failures = Object.fromEntries([400, 401, 403, 404, 422, 429, 503].map((status) => [status, errorSchema]))

/** Section 3.3 of the protocol, for all topics of the stream; an address has texts for numbers. */
const contract = {
  delivery: delivery.optional().describe('each event, the newest at each flush, or the newest every `interval`'),
  interval: numeric(interval).describe('ms, of `sampled`'),
  maxRate: numeric(maxRate).describe('events per second at most, in the place of `delivery`'),
  maxAge: numeric(maxAge).describe('ms since it was received, past which an event is not sent'),
  fields: fieldsUpTo(MOST_FIELDS).describe('`lite`, or names joined by commas: only these are sent')
}
type Query = z.infer<z.ZodObject<typeof contract>>

function contractOf({
  fields: named,
  delivery: how,
  interval: every,
  maxRate: most,
  maxAge: oldest
}: Query): AskedContract | undefined {
  const all: { [K in keyof AskedContract]: AskedContract[K] | undefined } = {
    delivery: how,
    interval: every,
    maxRate: most,
    maxAge: oldest,
    fields: chosenIn(named)
  }
  const given = Object.entries(all).filter(([, value]) => value !== undefined)
  const asked = Object.fromEntries(given) as AskedContract
  const wrong = discordIn(asked)
  if (wrong) throw new RequestError('BAD_MESSAGE', `${wrong.field}: ${wrong.why}`)
  return given.length > 0 ? asked : undefined
}

export function mountSse(
  app: App,
  { sse, visitors, admission }: { sse: ReturnType<typeof createSse>; visitors: Visitors; admission: Admission }
): void {
  app.get(
    '/v1/events',
    {
      // It would be held open, and say nothing.
      exposeHeadRoute: false,
      schema: {
        tags: ['market'],
        summary: 'Events as a text/event-stream; Last-Event-ID resumes exactly',
        headers: z.object({
          'last-event-id': z.string().optional().describe('the id of the last event that was read: what was missed since follows')
        }),
        querystring: known({
          topics: topicsOf('trade:BTC-USDT,quote:BTC-USDT'),
          lastEventId: text(4_000)
            .optional()
            .describe('as the header, for a page that was loaded anew; the header counts. A cursor of /v1/last will do'),
          ...contract
        }),
        response: { 200: stream, ...failures }
      }
    },
    (request, reply) => {
      const { origin, host = '' } = request.headers
      // It could not be read, and would be held open all the same.
      if (origin !== undefined && !admission.allows(origin, host)) throw new RequestError('FORBIDDEN', notLetIn(origin))
      const topics = request.query.topics.split(',').filter((topic) => topic !== '')
      const last = request.headers['last-event-id'] || request.query.lastEventId || undefined
      const cors = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)])
      const wanted = { lastId: last, contract: contractOf(request.query) }
      sse.open(reply.raw, topics, wanted, Object.fromEntries(cors), visitors.now())
      reply.hijack()
    }
  )
}
