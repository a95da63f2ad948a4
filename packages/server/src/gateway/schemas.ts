/** Market events as zod schemas, for the OpenAPI document and the answers of REST; never used on the streaming road. */
import { ERRORS, INTERVALS, type ErrorCode } from '@tickwire/protocol'
import { z } from 'zod'

const stamp = {
  provider: z.string(),
  instrument: z.string(),
  time: z.number(),
  received: z.number(),
  confidence: z.number().optional(),
  quarantined: z.string().optional().describe('of one provider alone: why it is not believed yet'),
  delayed: z.number().optional().describe('held back by the provider by so many milliseconds'),
  clock: z.enum(['ahead', 'behind']).optional().describe('time cannot be right')
}
const published = { topic: z.string(), seq: z.number().int(), published: z.number(), ...stamp }
const session = z.enum(['pre', 'regular', 'post', 'overnight', 'closed'])
const level = z.array(z.number()).length(2).describe('[price, size]')

export const trade = z.object({
  ...published,
  type: z.literal('trade'),
  id: z.string().optional(),
  price: z.number(),
  size: z.number(),
  side: z.enum(['buy', 'sell', 'unknown']),
  venue: z.string().optional().describe('where it printed, in the provider’s code'),
  conditions: z.array(z.string()).readonly().optional().describe('the provider’s own codes'),
  session: session.optional(),
  ineligible: z.literal(true).optional().describe('it sets neither the last price nor the day’s high or low'),
  backfill: z.literal(true).optional()
})
export const quote = z.object({
  ...published,
  type: z.literal('quote'),
  bid: z.number(),
  bidSize: z.number(),
  ask: z.number(),
  askSize: z.number()
})
export const ticker = z.object({
  ...published,
  type: z.literal('ticker'),
  last: z.number(),
  open: z.number().optional(),
  high: z.number().optional(),
  low: z.number().optional(),
  volume: z.number().optional(),
  change: z.number().optional(),
  changePercent: z.number().optional(),
  prevClose: z.number().optional(),
  session: session.optional()
})
export const book = z.object({
  ...published,
  type: z.literal('book'),
  bids: z.array(level),
  asks: z.array(level),
  sequence: z.number().optional(),
  verified: z.literal(true).optional(),
  state: z.enum(['valid', 'suspect', 'stale']).optional().describe('syncing books are not sent'),
  proven: z.number().optional().describe('best levels a side of which valid speaks; absent: all'),
  checked: z.number().optional().describe('when it last agreed with a checksum or an audit')
})
export const liquidity = z.object({
  ...published,
  type: z.literal('liquidity'),
  bid: z.number(),
  ask: z.number(),
  mid: z.number(),
  spread: z.number(),
  spreadBps: z.number(),
  microprice: z.number(),
  imbalance: z.number().describe('of the widest of depth, or within reach where that is empty'),
  reach: z.number().describe('basis points from mid to the last level of the book, of the nearer side'),
  depth: z.array(z.object({ bps: z.number(), bids: z.number(), asks: z.number() })),
  support: z.array(level),
  resistance: z.array(level),
  stale: z.literal(true).optional().describe('its book is stale, empty or crossed by now: this is how it was last')
})
export const candle = z.object({
  ...stamp,
  type: z.literal('candle'),
  interval: z.enum(INTERVALS),
  start: z.number(),
  end: z.number().optional(),
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  volume: z.number(),
  trades: z.number().optional(),
  closed: z.boolean(),
  revision: z.number(),
  coverage: z.number().optional(),
  session: session.optional()
})
export const event = z.looseObject({ ...published, type: z.string() })

export const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])
export const topicError = z.object({
  topic: z.string(),
  code: errorCode,
  message: z.string(),
  nearest: z.array(z.string())
})

export const instrument = z.object({
  instrument: z.string(),
  base: z.string(),
  quote: z.string().optional(),
  name: z.string().optional(),
  priceDecimals: z.number().optional(),
  sizeDecimals: z.number().optional(),
  providers: z.array(z.object({ provider: z.string(), symbol: z.string(), trading: z.boolean() }))
})

export const provider = z.looseObject({
  provider: z.string(),
  phase: z.enum(['idle', 'connecting', 'live', 'stale', 'waiting', 'stopped']),
  since: z.number(),
  reason: z.string(),
  connections: z.number(),
  subscriptions: z.number(),
  rate: z.number(),
  latency: z.number().optional(),
  reconnects: z.number(),
  gaps: z.number(),
  simulated: z.boolean(),
  /** What its market does now, where it has hours. */
  market: z.enum(['pre', 'regular', 'post', 'overnight', 'closed']).optional(),
  title: z.string().optional(),
  feed: z.string().optional().describe('the feed that the operator chose, as in sip'),
  about: z
    .object({
      docs: z.string(),
      coverage: z.string(),
      redistribution: z.enum(['allowed', 'forbidden', 'restricted']),
      cost: z.string()
    })
    .optional(),
  audience: z
    .enum(['owner', 'all'])
    .optional()
    .describe('owner: its terms forbid redistribution, and it goes to the users of redistribution.owner only'),
  kinds: z.array(z.string()).readonly().optional(),
  needs: z.array(z.string()).readonly().optional(),
  limits: z
    .looseObject({ subscriptionsPerConnection: z.number(), connections: z.number().nullable(), requestsPerSecond: z.number() })
    .optional()
})
