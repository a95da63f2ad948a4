/** REST of replays: ordered, looked at, steered and ended. What they tell is heard at their own address (halls.ts). */
import { topicName, type ReplayChange, type ReplayOrder } from '@tickwire/protocol'
import { z } from 'zod'
import type { Answer, Replays } from '../replay/registry.ts'
import { limit, ofInstrument, text } from './asked.ts'
import { errorSchema, RequestError } from './errors.ts'
import type { App } from './rest.ts'
import * as schemas from './schemas.ts'
import type { Visitors } from './visitors.ts'

const what = z.enum(['events', 'frames'], 'must be events or frames')
const time = z.number('must be epoch milliseconds')
const speed = z.number('must be a number').describe('1 is as it was; 0 is as fast as it goes; else from 0.1 on')
const flag = z.boolean('must be true or false')

const state = z.object({
  replay: z.string().describe('heard at /v1/replay/<replay>/ws'),
  run: z.string(),
  from: z.number(),
  to: z.number(),
  what,
  speed,
  loop: z.boolean(),
  // oxlint-disable-next-line unicorn/no-thenable -- a word of the protocol, and no function
  then: z.enum(['end', 'live']),
  phase: z.enum(['playing', 'paused', 'seeking', 'ended', 'live', 'failed']),
  at: z.number().describe('recorded time; past the seam, now'),
  entries: z.number(),
  events: z.number(),
  seam: z.number().optional().describe('where live began'),
  reason: z.string().optional()
})
const order = z.strictObject({
  run: z.string('must be a run of GET /v1/recordings').regex(/^[\w-]{1,64}$/, 'must be a run of GET /v1/recordings'),
  from: time.optional(),
  to: time.optional(),
  what: what.optional(),
  speed: speed.optional(),
  paused: flag.optional(),
  loop: flag.optional(),
  // oxlint-disable-next-line unicorn/no-thenable -- a word of the protocol, and no function
  then: z.enum(['end', 'live'], 'must be end or live').optional()
})
const MOST_STEPS = 100_000
const steps = `must be a whole number from ${-MOST_STEPS} to ${MOST_STEPS}`
const change = z.strictObject({
  speed: speed.optional(),
  paused: flag.optional(),
  loop: flag.optional(),
  seek: time.optional(),
  step: z.number(steps).int(steps).min(-MOST_STEPS, steps).max(MOST_STEPS, steps).optional()
})

const replayed = schemas.trade.extend({ replay: z.string().describe('its name: what it tells is of the past') })

const params = z.object({ replay: text(64) })
const failures = { 400: errorSchema, 404: errorSchema, 403: errorSchema, 429: errorSchema }
const tags = ['replays']

export type ReplayRoutes = { replays: Replays | undefined; visitors: Visitors }

const given = <T>(answer: Answer<T>): T => {
  if (answer.ok) return answer.value
  throw new RequestError(answer.code, answer.message)
}

export function mountReplays(app: App, { replays, visitors }: ReplayRoutes): void {
  if (!replays) return
  const by = () => {
    const who = visitors.now()?.who
    return who && { user: who.user, admin: who.scopes.has('admin') }
  }
  app.post(
    '/v1/replays',
    { schema: { tags, summary: 'Orders a replay of a recorded span', body: order, response: { 201: state, ...failures } } },
    ({ body }, reply) => {
      const made = given(replays.order(body as ReplayOrder, by()?.user))
      reply.status(201).header('location', `/v1/replays/${made.replay}`)
      return made
    }
  )
  app.get(
    '/v1/replays',
    { schema: { tags, summary: 'Replays that are open', response: { 200: z.object({ replays: z.array(state) }) } } },
    () => ({ replays: replays.all() })
  )
  app.get(
    '/v1/replays/:replay',
    { schema: { tags, summary: 'How a replay stands', params, response: { 200: state, ...failures } } },
    (request) => given(replays.state(request.params.replay))
  )
  app.post(
    '/v1/replays/:replay',
    {
      schema: {
        tags,
        summary: 'Steers a replay: pace, pause, step, seek, loop',
        params,
        body: change,
        response: { 200: state, ...failures }
      }
    },
    (request) => {
      return given(replays.change(request.params.replay, request.body as ReplayChange, by()))
    }
  )
  app.get(
    '/v1/replays/:replay/trades/:instrument',
    {
      schema: {
        tags,
        summary: 'The last trades that a replay has told since it was last sent elsewhere, and before, oldest first',
        params: params.extend(ofInstrument.shape),
        querystring: z.object({ limit: limit(1_000, 100) }),
        response: { 200: z.object({ instrument: z.string(), trades: z.array(replayed) }), ...failures }
      }
    },
    ({ params: { replay, instrument: asked }, query }) => {
      given(replays.state(replay))
      const { desk, plant } = replays.find(replay)!.shown()
      const found = desk.resolve(asked)
      if (!found.ok) throw new RequestError('BAD_SYMBOL', `the replay has no instrument ${JSON.stringify(asked)}`)
      const { instrument } = found
      const trades = plant.recent(topicName('trade', instrument), query.limit) as z.infer<typeof replayed>[]
      return { instrument, trades }
    }
  )
  app.delete(
    '/v1/replays/:replay',
    { schema: { tags, summary: 'Ends a replay; answers how it stood', params, response: { 200: state, ...failures } } },
    (request) => {
      return given(replays.end(request.params.replay, by()))
    }
  )
}
