/** REST: how prices move, one by one and together; who polls may ask for what differs since he asked last. */
import { topicName } from '@tickwire/protocol'
import { z } from 'zod'
import { errorSchema } from './errors.ts'
import type { App, RestOptions } from './rest.ts'
import { event } from './schemas.ts'

const windows = z.record(z.string(), z.number()).describe('percent per window; one that is not yet full is absent')
const change = event.extend({
  type: z.literal('change'),
  price: z.number(),
  windows,
  volume: z.object({ last: z.number(), usual: z.number(), ratio: z.number() }).optional(),
  gap: z.number().optional()
})
const breadth = event.extend({
  type: z.literal('breadth'),
  window: z.string(),
  advancing: z.number(),
  declining: z.number(),
  unchanged: z.number(),
  mean: z.number(),
  median: z.number()
})
const since = z.object({
  since: z.coerce
    .number('must be a number')
    .default(0)
    .describe('only what was published after this time, epoch milliseconds; take `latest` of the answer before')
})
const latest = z.number().describe('the newest publishing time of all: the next `since`')

export function mountMoves(app: App, { desk, sources }: Pick<RestOptions, 'desk' | 'sources'>): void {
  const answer = (kind: 'change' | 'breadth', names: readonly string[], after: number) => {
    const all = names.map((name) => desk.last(topicName(kind, name))).filter((each) => each !== undefined)
    const newest = all.reduce((time, { published }) => Math.max(time, published), after)
    return { latest: newest, events: all.filter(({ published }) => published > after) }
  }
  app.get(
    '/v1/changes',
    {
      schema: {
        tags: ['market'],
        summary: 'Changes in percent over windows, of every instrument that is watched',
        querystring: since,
        response: { 200: z.object({ latest, changes: z.array(change) }), 400: errorSchema }
      }
    },
    ({ query }) => {
      const { latest: newest, events } = answer('change', sources.moving(), query.since)
      return { latest: newest, changes: events as unknown as z.infer<typeof change>[] }
    }
  )
  app.get(
    '/v1/breadth',
    {
      schema: {
        tags: ['market'],
        summary: 'How many of the watched instruments rise and fall, all of them and by sector',
        querystring: since,
        response: { 200: z.object({ latest, groups: z.array(z.string()), breadth: z.array(breadth) }), 400: errorSchema }
      }
    },
    ({ query }) => {
      const groups = [...sources.groups()]
      const { latest: newest, events } = answer('breadth', groups, query.since)
      return { latest: newest, groups, breadth: events as unknown as z.infer<typeof breadth>[] }
    }
  )
}
