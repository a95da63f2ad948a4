/** REST: a span of time in an address, an opaque place in it, and answers as CSV. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { header, rows, type Column } from '../history/csv.ts'
import { text } from './asked.ts'
import { RequestError } from './errors.ts'

const TIME = /^(?:-?\d{1,16}(?:\.\d+)?|\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?)$/
const right = 'must be a time: epoch milliseconds, or ISO 8601 with its zone, as in 2026-11-20T14:30:00Z'
const time = z.string(right).regex(TIME, right)

/** The same rows in another form, where `format` asks for it. */
export const orCsv = (schema: z.ZodType) => ({
  description: 'What was asked for, in the format that was asked for.',
  content: { 'application/json': { schema }, 'text/csv': { schema: z.string() } }
})

export const ofSpan = {
  from: time.optional().describe('inclusive; epoch milliseconds or ISO 8601'),
  to: time.optional().describe('exclusive; absent: what is still to come, too'),
  cursor: text(4_096).optional().describe('of the answer before'),
  format: z.enum(['json', 'csv'], 'must be json or csv').default('json')
}

/** Epoch milliseconds; `undefined` for what is not of the form, and for what is of the form and no time (February 30th). */
export function readTime(text: string): number | undefined {
  if (!TIME.test(text)) return undefined
  const value = /^\d{4}-/.test(text) ? Date.parse(text) : Number(text)
  if (!Number.isFinite(value) || Math.abs(value) > 8.64e15) return undefined
  const day = /^\d{4}-\d\d-\d\d/.exec(text)?.[0]
  // Else February 30th were March 2nd.
  return day === undefined || new Date(day).toISOString().startsWith(day) ? value : undefined
}

export function timeOf(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = readTime(text)
  if (value !== undefined) return value
  throw new RequestError('BAD_MESSAGE', `${field}: ${right}, not ${JSON.stringify(text)}`)
}

type Reply = Pick<FastifyReply, 'header' | 'type' | 'send'>
/** What JSON says beside the rows stands in headers. */
export function sendCsv<Row>(
  reply: Reply,
  columns: readonly Column<Row>[],
  all: readonly Row[],
  about: Readonly<Record<string, string | undefined>>
) {
  for (const [name, value] of Object.entries(about)) if (value !== undefined) reply.header(name, value)
  reply.header('access-control-expose-headers', ['ETag', 'Retry-After', ...Object.keys(about)].join(', '))
  return reply.type('text/csv; charset=utf-8; header=present').send(header(columns) + rows(columns, all))
}
