/** REST on how good our own confidence was: reliability diagram, Brier score and calibration error by provider and class. */
import type { Calibration } from '@tickwire/protocol'
import { z } from 'zod'
import { failures, knownProvider, text } from './asked.ts'
import type { App, RestOptions } from './rest.ts'

const bin = z.object({ from: z.number(), to: z.number(), count: z.number(), mean: z.number(), hits: z.number() })
const calibration = z.object({
  provider: z.string(),
  class: z.string().describe('trade, quote or ticker'),
  bps: z.number().describe('a forecast is right within so many basis points of the consensus (more where the market moves more)'),
  horizon: z.number().describe('so many ms later'),
  count: z.number().describe('forecasts resolved, fading'),
  mean: z.number().describe('mean confidence'),
  hits: z.number().describe('share that came true'),
  brier: z.number().describe('mean squared error of the confidence'),
  ece: z.number().describe('expected calibration error over the bins'),
  bins: z.array(bin).readonly()
})
const answer = z.object({
  reliability: z.record(z.string(), z.number()).readonly().describe('by provider: how often its prices held a little later'),
  calibrations: z.array(calibration).readonly()
})

export function mountConfidence(app: App, { sources }: RestOptions): void {
  app.get(
    '/v1/confidence',
    {
      schema: {
        tags: ['providers'],
        summary: 'What confidence was said, and what came true of it: by provider and class',
        querystring: z.object({ provider: text(100).optional(), class: z.enum(['trade', 'quote', 'ticker']).optional() }),
        response: { 200: answer, ...failures }
      }
    },
    ({ query }) => {
      const { reliability, calibrations } = sources.confidence()
      if (query.provider !== undefined) knownProvider([...sources.providers(), ...calibrations], query.provider)
      const isAsked = (each: Calibration) =>
        (query.provider ?? each.provider) === each.provider && (query.class ?? each.class) === each.class
      const named = Object.entries(reliability).filter(([provider]) => (query.provider ?? provider) === provider)
      return { reliability: Object.fromEntries(named), calibrations: calibrations.filter(isAsked) }
    }
  )
}
