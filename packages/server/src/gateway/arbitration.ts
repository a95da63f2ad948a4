/** REST on the arbiter's decisions: who leads for an instrument and why, how each source fares, and what all say together. */
import { ARBITRATED_KINDS, LIVENESS } from '@tickwire/protocol'
import { z } from 'zod'
import { failures, ofInstrument, resolved } from './asked.ts'
import type { App, RestOptions } from './rest.ts'

const share = z.number().min(0).max(1)
const source = z.object({
  provider: z.string(),
  role: z.enum(['leader', 'standby', 'candidate', 'out']),
  liveness: z.enum(LIVENESS),
  score: share.describe('weighted sum of the inputs'),
  inputs: z.object({ freshness: share, latency: share, uptime: share, completeness: share, reliability: share }),
  price: z.number().optional(),
  age: z.number().optional().describe('of that price, milliseconds'),
  latency: z.number().optional().describe('of its events, milliseconds'),
  weight: share.describe('in the consensus; 0: refused'),
  basis: z.number().optional().describe('its lasting distance from the others, basis points, which is allowed for'),
  reason: z.string()
})
const consensus = z.object({
  price: z.number(),
  toleranceBps: z.number(),
  used: z.number(),
  sources: z.number(),
  at: z.number()
})
const decision = z.object({
  type: z.literal('arbitration'),
  provider: z.string(),
  instrument: z.string(),
  time: z.number(),
  received: z.number(),
  kind: z.enum(ARBITRATED_KINDS),
  leader: z.string().optional().describe('absent: nobody leads'),
  since: z.number(),
  standbys: z.array(z.string()).readonly(),
  sentence: z.string(),
  sources: z.array(source).readonly(),
  consensus: consensus.optional().describe('absent: no price still counts'),
  switches: z.number().describe('changes of leader in the last minute')
})

export function mountArbitration(app: App, { desk, sources }: Pick<RestOptions, 'desk' | 'sources'>): void {
  app.get(
    '/v1/arbitration/:instrument',
    {
      schema: {
        tags: ['market'],
        summary: 'Which provider leads for each kind of data, and why',
        params: ofInstrument,
        response: { 200: z.object({ instrument: z.string(), decisions: z.array(decision).readonly() }), ...failures }
      }
    },
    ({ params }) => {
      const instrument = resolved(desk, params.instrument)
      return { instrument, decisions: sources.arbitration(instrument) }
    }
  )
}
