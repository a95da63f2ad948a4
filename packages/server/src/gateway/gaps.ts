/** REST: what is known to have been missing of an instrument, and what became of it. */
import type { GapFilled } from '@tickwire/protocol'
import { z } from 'zod'
import type { KnownGap } from '../feed/gap.ts'
import { failures, ofInstrument, resolved } from './asked.ts'
import type { App, RestOptions } from './rest.ts'

const fill = z.object({
  at: z.number().describe('epoch milliseconds'),
  how: z.enum(['rest', 'provider', 'snapshot']),
  by: z.string(),
  items: z.number(),
  from: z.number(),
  to: z.number(),
  own: z.boolean().optional().describe('on the provider’s own topic only')
})
const row = z.object({
  id: z.string(),
  provider: z.string(),
  kind: z.string(),
  cause: z.enum(['sequence', 'checksum', 'asked', 'silence', 'disconnect']),
  action: z.enum(['resync', 'failover', 'open']),
  from: z.number(),
  to: z.number(),
  expected: z.union([z.number(), z.string()]).optional(),
  got: z.union([z.number(), z.string()]).optional(),
  own: z.boolean().optional().describe('another provider led: only the provider’s own topic misses it'),
  lasting: z.boolean().optional().describe('it goes on: its end is not known yet'),
  delayed: z.number().optional().describe('the provider holds its data back by so many milliseconds'),
  state: z.enum(['open', 'filled']),
  why: z.string().optional().describe('why it cannot be filled'),
  fills: z.array(fill)
})
const answer = z.object({
  instrument: z.string(),
  gaps: z.array(row).describe('oldest first: the last 50, and the last 50 that only a provider’s own topic missed')
})

const told = ({ time: at, how, by, items, from, to, own }: GapFilled): z.infer<typeof fill> => {
  const row: z.infer<typeof fill> = { at, how, by, items, from, to }
  if (own) row.own = true
  return row
}

/** The event without what its topic says of it. */
function known({
  fills,
  instrument: _instrument,
  type: _type,
  time: _time,
  received: _received,
  clock: _clock,
  ...gap
}: KnownGap): z.infer<typeof row> {
  return { ...gap, fills: fills.map(told) }
}

export function mountGaps(app: App, { desk, sources }: RestOptions): void {
  app.get(
    '/v1/gaps/:instrument',
    {
      schema: {
        tags: ['market'],
        summary: 'The last gaps of an instrument, and how each was filled or why it is open',
        params: ofInstrument,
        response: { 200: answer, ...failures }
      }
    },
    ({ params }) => {
      const instrument = resolved(desk, params.instrument)
      return { instrument, gaps: sources.gaps(instrument).map(known) }
    }
  )
}
