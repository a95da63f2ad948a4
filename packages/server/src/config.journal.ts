/** The options of what is recorded, and of the log of events in a file. */
import { z } from 'zod'
import { age } from './config.fields.ts'

const SIZES = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 } as const
/** `'64mb'`, `'20gb'`; inside, bytes. */
const size = (fallback: string, description: string) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?(b|kb|mb|gb|tb)$/i, 'a size is a number and a unit (kb, mb, gb, tb), as in "64mb"')
    .transform((text) => {
      const unit = text.replace(/^[\d.]+/, '').toLowerCase() as keyof typeof SIZES
      return Math.floor(Number.parseFloat(text) * SIZES[unit])
    })
    .prefault(fallback)
    .describe(description)

export const RECORDED = ['off', 'events', 'frames', 'both'] as const

export const journal = z
  .strictObject({
    record: z
      .enum(RECORDED)
      .optional()
      .describe(
        'What is recorded, for replays, history and export: events as they are published, raw frames of the providers, or both. ' +
          'Absent: nothing; the demo records events, and removes them at its end.'
      ),
    directory: z.string().min(1).default('data/journal').describe('Where; one server writes to it at a time.'),
    segment: size('64mb', 'Size at which a file is closed and the next one begun; one of yesterday (UTC) is closed, too.'),
    mostBytes: size('20gb', 'Most that is kept, over all runs; whole files go, the oldest first.'),
    mostAge: age('30d', 'How long it is kept.'),
    logFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File into which each event goes as a line for people and scripts: CSV where its name ends with .csv, JSON where not; one server writes to it at a time.'
      ),
    logBytes: size('100mb', 'Size at which that file is put aside, as it is at the end of a day (UTC), and begun anew.'),
    logKeep: z.coerce.number().int().min(0).max(10_000).default(10).describe('How many of those put aside are kept.')
  })
  .prefault({})
  .describe('Recording.')
