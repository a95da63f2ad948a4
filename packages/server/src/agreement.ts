/** What a client may ask of a topic's delivery (PROTOCOL.md, 3.3), as schemas: of the native protocol and of the addresses of SSE. Pure. */
import { SAMPLED, type AskedContract } from '@tickwire/protocol'
import { z } from 'zod'

const RANGE = `must be ${SAMPLED.least} to ${SAMPLED.most} ms`
const LEAST_RATE = 1_000 / SAMPLED.most
const RATE = `must be at least ${LEAST_RATE.toFixed(4)} a second, one in ${SAMPLED.most} ms`
const AGE = 'must be milliseconds above 0'
export const MOST_FIELDS = 64

export const delivery = z.enum(['every', 'latest', 'sampled'], 'must be every, latest or sampled')
export const interval = z.number(RANGE).int(RANGE).min(SAMPLED.least, RANGE).max(SAMPLED.most, RANGE)
export const maxRate = z.number(RATE).min(LEAST_RATE, RATE)
export const maxAge = z.number(AGE).positive(AGE)
/** A field is a word of the vocabulary; nobody names more of them than there are. */
export const field = z
  .string('must be names of fields')
  .regex(/^[A-Za-z]{1,40}$/, 'must be names of fields, as in ["price", "size"]')

/** What does not go together: the field that is wrong, and why. */
export function discordIn({
  delivery: how,
  interval: every,
  maxRate: most
}: AskedContract): { field: string; why: string } | undefined {
  if (how === 'sampled' && every === undefined && most === undefined)
    return { field: 'interval', why: `sampled needs one, ${SAMPLED.least} to ${SAMPLED.most} ms` }
  if (every !== undefined && how !== 'sampled') return { field: 'interval', why: 'goes with "delivery": "sampled" alone' }
  return undefined
}
