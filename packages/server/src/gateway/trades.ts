/** REST: past trades of an instrument, from all that has them, in pages. */
import { z } from 'zod'
import { TRADES } from '../history/csv.ts'
import type { PastTrade } from '../history/order.ts'
import type { TradesPage } from '../history/page.ts'
import type { PastTrades, TradesAsked } from '../history/trades.ts'
import { failures, limit, ofInstrument, resolved } from './asked.ts'
import { RequestError } from './errors.ts'
import type { App, RestOptions } from './rest.ts'
import * as schemas from './schemas.ts'
import { ofSpan, orCsv, sendCsv, timeOf } from './span.ts'

const span = { from: z.number(), to: z.number() }
const { topic: _topic, seq, published, ...fields } = schemas.trade.shape
const was = z.object({ price: z.number(), size: z.number() }).optional()
const trade = z.looseObject({
  ...fields,
  seq: seq.optional(),
  published: published.optional(),
  was: was.describe('what was told of it before it was corrected')
})
const correction = z.looseObject({ provider: z.string(), action: z.enum(['correct', 'cancel']), id: z.string() })
const answer = z.object({
  instrument: z.string(),
  trades: z.array(trade).describe('oldest first, as they are true now: corrected, without those that were cancelled'),
  corrections: z.array(correction).describe('what was told of these trades after them, and of any since the page before'),
  gaps: z
    .array(z.object({ ...span, why: z.string(), gap: z.string().optional(), provider: z.string().optional() }))
    .describe('where trades of the span of this page may be missing; gap: as in /v1/gaps'),
  sources: z
    .array(z.object({ ...span, source: z.enum(['journal', 'memory', 'rest']), provider: z.string(), trades: z.number() }))
    .describe('what came from where'),
  cursor: z.string().optional().describe('for what follows; absent: the span is over'),
  more: z.boolean().describe('there is more now')
})

const WRONG = { cursor: 'cursor: ', span: 'from: ', nothing: '' } as const

const NONE = 'this server has no past trades'
/** They would be of a time that the replay has not come to. */
const REPLAYED =
  'a recording is played here, which has no past trades: "tickwire export trades" writes them to a file, and the server that records tells them'

async function pageFor(past: PastTrades, asked: TradesAsked): Promise<TradesPage> {
  const found = await past(asked)
  if (found.ok) return found
  throw new RequestError(found.reason === 'nothing' ? 'NOT_FOUND' : 'BAD_MESSAGE', WRONG[found.reason] + found.message)
}

export function mountTrades(app: App, { desk, sources }: RestOptions): void {
  app.get(
    '/v1/trades',
    {
      schema: {
        tags: ['market'],
        summary:
          'Past trades of a span, oldest first, from the journal, providers and memory; the last hour unless from is named',
        querystring: ofInstrument.extend({ ...ofSpan, limit: limit(10_000, 1_000) }),
        response: { 200: orCsv(answer), ...failures }
      }
    },
    async ({ query }, reply) => {
      const past = sources.history?.trades
      if (!past) throw new RequestError('NOT_FOUND', desk.mode === 'replay' ? REPLAYED : NONE)
      const instrument = resolved(desk, query.instrument)
      const { cursor } = query
      const asked = { instrument, limit: query.limit, cursor, from: timeOf('from', query.from), to: timeOf('to', query.to) }
      const { trades, corrections, gaps, sources: used, cursor: next, more } = await pageFor(past, asked)
      if (query.format === 'csv') {
        const about = {
          'x-cursor': next,
          'x-more': String(more),
          'x-gaps': gaps.length > 0 ? JSON.stringify(gaps) : undefined,
          'x-corrections': String(corrections.length)
        }
        return sendCsv<PastTrade>(reply, TRADES, trades, about)
      }
      return { instrument, trades, corrections, gaps, sources: used, more, ...(next !== undefined && { cursor: next }) }
    }
  )
}
