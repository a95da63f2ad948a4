/** REST on what is recorded: whether it is now, and what there is of it. */
import { z } from 'zod'
import type { RecordingStatus } from '@tickwire/protocol'
import { failures } from './asked.ts'
import type { App, RestOptions } from './rest.ts'

const what = z.array(z.enum(['events', 'frames'])).readonly()
const status = z.object({
  state: z.enum(['off', 'recording', 'full', 'failed']).describe('full: the disk is; it goes on by itself when there is room'),
  reason: z.string(),
  what,
  since: z.number().describe('since this state holds, epoch milliseconds'),
  run: z.string().optional(),
  bytes: z.number(),
  events: z.number(),
  frames: z.number(),
  lost: z.number().describe('entries that could not be written since the start')
})
const run = z.object({
  run: z.string(),
  mode: z
    .enum(['demo', 'capture'])
    .optional()
    .describe('demo: its prices are simulated; capture: they are of a recorded session; absent: of live providers'),
  from: z.number().describe('first and last receive times, epoch milliseconds'),
  to: z.number(),
  what,
  bytes: z.number(),
  events: z.number(),
  frames: z.number(),
  open: z.boolean().describe('it is being written now'),
  damaged: z.number().describe('blocks that are damaged, and left out'),
  cut: z.number().describe('bytes of a torn tail that were cut'),
  unchecked: z.literal(true).optional().describe('not all blocks were compared with their checksums yet: damaged may be more'),
  reason: z
    .string()
    .optional()
    .describe('nothing of it can be read: what is known to be lost, and why; from and to are as far as they are known')
})

const NOTHING: RecordingStatus = {
  state: 'off',
  reason: 'this server records nothing',
  what: [],
  since: 0,
  bytes: 0,
  events: 0,
  frames: 0,
  lost: 0
}

export function mountRecordings(app: App, { sources: { recording } }: RestOptions): void {
  app.get(
    '/v1/recording',
    {
      schema: {
        tags: ['recordings'],
        summary: 'Whether it is being recorded, and how that goes',
        response: { 200: status, ...failures }
      }
    },
    () => {
      const { run: name, ...rest } = recording?.status() ?? NOTHING
      return name === undefined ? rest : { ...rest, run: name }
    }
  )
  app.get(
    '/v1/recordings',
    {
      schema: {
        tags: ['recordings'],
        summary: 'What was recorded, the oldest run first',
        response: { 200: z.object({ recordings: z.array(run) }), ...failures }
      }
    },
    () => ({ recordings: [...(recording?.runs() ?? [])] })
  )
}
