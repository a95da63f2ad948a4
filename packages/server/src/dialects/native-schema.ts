/** The native protocol's control messages as schemas, and the reading of a frame into one of them or into what is wrong. */
import type { ClientMessage, ErrorCode } from '@tickwire/protocol'
import { z } from 'zod'

const id = z.union([z.string(), z.number()], 'must be a string or a number').optional()
const topics = z.array(z.string('must be a string'), 'must be a list of topics').min(1, 'must name at least one topic')
const position = z.object({ epoch: z.string(), seq: z.number().int().nonnegative() })

const SCHEMAS = {
  hello: z.object({
    op: z.literal('hello'),
    version: z.number(),
    client: z.string().optional(),
    encoding: z.enum(['json', 'msgpack'], 'must be json or msgpack').optional()
  }),
  auth: z.object({ op: z.literal('auth'), token: z.string('must be a string'), id }),
  subscribe: z.object({
    op: z.literal('subscribe'),
    topics,
    id,
    resume: z.record(z.string(), position, 'must be positions {epoch, seq} by topic').optional(),
    notices: z.boolean('must be true or false').optional()
  }),
  unsubscribe: z.object({ op: z.literal('unsubscribe'), topics, id }),
  ping: z.object({ op: z.literal('ping'), id }),
  pong: z.object({ op: z.literal('pong'), id })
}

const OPS = Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]

/** What the schemas accept; the tests hold it equal to wire.ts. */
export type Accepted = z.infer<(typeof SCHEMAS)[keyof typeof SCHEMAS]>

export type Read =
  | { ok: true; message: ClientMessage }
  | { ok: false; code: ErrorCode; message: string; id?: string | number | undefined }

export function readMessage(frame: string): Read {
  let json: unknown
  try {
    json = JSON.parse(frame)
  } catch {
    return { ok: false, code: 'BAD_JSON', message: `not JSON: ${JSON.stringify(frame.slice(0, 60))}` }
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return { ok: false, code: 'BAD_MESSAGE', message: 'a message is an object with an op' }
  const { op, id: asked } = json as { op?: unknown; id?: unknown }
  const known = typeof asked === 'string' || typeof asked === 'number' ? asked : undefined
  if (typeof op !== 'string')
    return { ok: false, code: 'BAD_MESSAGE', message: `op: must be a string, one of ${OPS.join(', ')}`, id: known }
  const name = OPS.find((each) => each === op)
  if (!name)
    return {
      ok: false,
      code: 'UNKNOWN_OP',
      message: `op: ${JSON.stringify(op.slice(0, 60))} is none of ${OPS.join(', ')}`,
      id: known
    }
  const parsed = SCHEMAS[name].safeParse(json)
  if (parsed.success) return { ok: true, message: parsed.data as ClientMessage }
  const [issue] = parsed.error.issues
  return { ok: false, code: 'BAD_MESSAGE', message: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, id: known }
}
