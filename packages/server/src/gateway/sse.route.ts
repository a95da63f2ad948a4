/** The address of the streams: what is wrong is an HTTP status and JSON, as long as the stream has not begun. */
import { SAMPLED, type AskedContract } from '@tickwire/protocol'
import { z } from 'zod'
import type { Admission } from './admission.ts'
import { chosenIn, fields, text, topicsOf } from './asked.ts'
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

const whole = (least: number, most: number) => {
  const right = `must be a whole number from ${least} to ${most}`
  return z.coerce.number(right).int(right).min(least, right).max(most, right).optional()
}
/** Section 3.3 of the protocol, for all topics of the stream. */
const contract = {
  delivery: z
    .enum(['every', 'latest', 'sampled'], 'must be one of every, latest, sampled')
    .optional()
    .describe('each event, the newest at each flush, or the newest every `interval`'),
  interval: whole(SAMPLED.least, SAMPLED.most).describe('ms, of `sampled`'),
  maxRate: whole(1, 1_000).describe('events per second at most, in the place of `delivery`'),
  maxAge: whole(0, 3_600_000).describe('ms since it was received, past which an event is not sent'),
  fields: fields.describe('`lite`, or names joined by commas: only these are sent')
}
type Query = z.infer<z.ZodObject<typeof contract>>

function contractOf({ fields: named, delivery, interval, maxRate, maxAge }: Query): AskedContract | undefined {
  if (delivery === 'sampled' && interval === undefined)
    throw new RequestError('BAD_MESSAGE', 'interval: sampled needs one, from 100 to 60000')
  if (interval !== undefined && delivery !== 'sampled')
    throw new RequestError('BAD_MESSAGE', 'interval: of delivery=sampled alone')
  const chosen = chosenIn(named)
  const asked = { delivery, interval, maxRate, maxAge, fields: chosen }
  const given = Object.entries(asked).filter(([, value]) => value !== undefined)
  return given.length > 0 ? Object.fromEntries(given) : undefined
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
        querystring: z.object({
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
      if (origin !== undefined && !admission.allows(origin, host))
        throw new RequestError('FORBIDDEN', `pages of ${JSON.stringify(origin)} are not let in; list it in gateway.origins`)
      const topics = request.query.topics.split(',').filter((topic) => topic !== '')
      const last = request.headers['last-event-id'] || request.query.lastEventId || undefined
      const cors = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)])
      const wanted = { lastId: last, contract: contractOf(request.query) }
      sse.open(reply.raw, topics, wanted, Object.fromEntries(cors), visitors.now())
      reply.hijack()
    }
  )
}
