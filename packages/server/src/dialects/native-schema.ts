/** The native protocol's control messages as schemas, and the reading of a frame into one of them or into what is wrong. */
import type { AskedContract, ClientMessage, ErrorCode, Position } from '@tickwire/protocol'
import { z } from 'zod'
import '../complaints.ts'
import { delivery, discordIn, field, interval, maxAge, maxRate, MOST_FIELDS } from '../agreement.ts'

const id = z.union([z.string(), z.number()], 'must be a string or a number').optional()
const topics = z.array(z.string('must be a string'), 'must be a list of topics').min(1, 'must name at least one topic')
const place = 'must be a whole number, 0 or more'
const position = z.object({
  epoch: z.string(),
  seq: z.number(place).int(place).nonnegative(place),
  digest: z.number(place).int(place).nonnegative(place).optional()
}) as unknown as z.ZodType<Position>

const FIELDS = `must be "lite" or a list of up to ${MOST_FIELDS} fields, as in ["price", "size"]`
const contract = z
  .strictObject(
    {
      delivery: delivery.optional(),
      interval: interval.optional(),
      maxRate: maxRate.optional(),
      fields: z.union([z.literal('lite'), z.array(field).min(1, FIELDS).max(MOST_FIELDS, FIELDS)], FIELDS).optional(),
      maxAge: maxAge.optional()
    },
    { error: contractError }
  )
  .superRefine((asked, context) => {
    const wrong = discordIn(asked as AskedContract)
    if (wrong) context.addIssue({ code: 'custom', path: [wrong.field], message: wrong.why })
  }) as unknown as z.ZodType<AskedContract>

function contractError({ code, keys }: { code: string; keys?: unknown }): string {
  if (code === 'unrecognized_keys')
    return `${(keys as string[]).join(', ')}: not of a contract, which has delivery, interval, maxRate, fields, maxAge`
  return 'must be an object, as in {"delivery": "latest"}'
}

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
    notices: z.boolean('must be true or false').optional(),
    contract: contract.optional()
  }),
  unsubscribe: z.object({ op: z.literal('unsubscribe'), topics, id }),
  digest: z.object({ op: z.literal('digest'), id }),
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
