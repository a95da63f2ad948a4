/** The address of the streams: what is wrong is an HTTP status and JSON, as long as the stream has not begun. */
import { z } from 'zod'
import type { Admission } from './admission.ts'
import { text, topicsOf } from './asked.ts'
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
            .describe('as the header, for a page that was loaded anew; the header counts. A cursor of /v1/last will do')
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
      sse.open(reply.raw, topics, last, Object.fromEntries(cors), visitors.now())
      reply.hijack()
    }
  )
}
