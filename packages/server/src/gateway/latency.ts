/** REST: how long each stage of an event's way took, over the last minutes. */
import { z } from 'zod'
import { spreadOf } from '../connection/histogram.ts'
import type { Hop } from '../feed/hops.ts'
import type { App } from './rest.ts'

const answer = z.object({
  hops: z.array(
    z.object({
      hop: z.enum(['provider_received', 'received_published', 'published_flushed']),
      provider: z.string().optional(),
      kind: z.string().optional(),
      count: z.number().describe('events, or of the last hop batches, in the last one to two minutes'),
      p50: z.number().describe('milliseconds'),
      p90: z.number(),
      p99: z.number()
    })
  )
})

export function mountLatency(app: App, hops: () => readonly Hop[]): void {
  app.get(
    '/v1/latency',
    {
      schema: {
        tags: ['operations'],
        summary: 'Latency per hop: provider to us (clock offset taken off), us to the plant, the plant to the sockets',
        response: { 200: answer }
      }
    },
    () => ({
      hops: hops().flatMap(({ histogram, ...hop }) => {
        const spread = spreadOf(histogram)
        return spread ? [{ ...hop, ...spread }] : []
      })
    })
  )
}
