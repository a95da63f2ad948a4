/**
 * Where a reader of past trades stands, as one opaque text. New trades do not move it: the pages go through what was known when
 * the first was asked, in the order of time, and then through what came since, each trade once. Nothing is remembered of it here.
 */
import { z } from 'zod'
import type { Key } from './order.ts'
import type { Span } from './spans.ts'

export type Place = {
  instrument: string
  from: number
  /** Absent: what is still to come, too. */
  to?: number
  /** The server's, whose sequences these are. */
  epoch: string
  /** Trades of this epoch up to here have been told; 0: none for this reason. */
  done: number
  /** Trades of this epoch after this one wait for the next round. */
  last: number
  /** The last one that was told in this round. */
  after?: Key
  /** Once all that was known is told: the time up to which it was. */
  told?: number
  /** When the last correction of it was published of which a reader knows. */
  corrected?: number
  /** Where REST has told all: what is filled in there later was told already. */
  rest?: Span[]
}

/** Of more the oldest are forgotten. */
export const MOST_SPANS = 32

/** Of a date that there is, as REST takes it too. */
const time = z.number().min(-8.64e15).max(8.64e15)
const seq = z.int().min(0)
const key = z.object({ time, id: z.string().optional(), provider: z.string(), received: time, seq: seq.optional() })
const place = z.object({
  instrument: z.string(),
  from: time,
  to: time.optional(),
  epoch: z.string(),
  done: seq,
  last: seq,
  after: key.optional(),
  told: time.optional(),
  corrected: time.optional(),
  rest: z
    .array(z.object({ from: time, to: time }))
    .max(MOST_SPANS)
    .optional()
})

export const encode = (at: Place): string => Buffer.from(JSON.stringify(at)).toString('base64url')

/** Nothing where it is none of ours. */
export function decode(text: string): Place | undefined {
  try {
    return place.parse(JSON.parse(Buffer.from(text, 'base64url').toString())) as Place
  } catch {
    return undefined
  }
}
