/** REST answers for what goes wrong: one shape, and only codes of the table in wire.ts. */
import { ERRORS, type ErrorCode } from '@tickwire/protocol'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import '../complaints.ts'
import type { Log } from '../ops/log.ts'
import { errorCode } from './schemas.ts'
import { isComingBack, refusedBlock } from './sse.frames.ts'

export class RequestError extends Error {
  readonly code: ErrorCode
  readonly nearest: readonly string[] | undefined
  /** Seconds, where it is known when to come back. */
  readonly retryAfter: number | undefined
  constructor(code: ErrorCode, message: string, nearest?: readonly string[], retryAfter?: number) {
    super(message)
    this.code = code
    this.nearest = nearest
    this.retryAfter = retryAfter
  }
}

export const errorSchema = z.object({
  error: z.object({
    code: errorCode,
    message: z.string(),
    retry: z.boolean(),
    nearest: z.array(z.string()).optional()
  })
})

export const errorBody = (code: ErrorCode, message: string, nearest?: readonly string[]): z.infer<typeof errorSchema> => ({
  error: { code, message, retry: ERRORS[code].retry, ...(nearest && nearest.length > 0 ? { nearest: [...nearest] } : {}) }
})

/** The code for what the HTTP layer itself refused, by its status. */
export const codeOf = (status: number): ErrorCode => {
  if (status === 401) return 'UNAUTHORIZED'
  if (status === 403) return 'FORBIDDEN'
  if (status === 404) return 'NOT_FOUND'
  if (status === 405) return 'BAD_METHOD'
  if (status === 413 || status === 414 || status === 431) return 'TOO_BIG'
  if (status === 426) return 'UPGRADE_REQUIRED'
  if (status === 429) return 'RATE_LIMITED'
  if (status === 503) return 'UNAVAILABLE'
  return status < 500 ? 'BAD_MESSAGE' : 'INTERNAL'
}

type Invalid = Error & {
  statusCode?: number
  validationContext?: string
  validation?: readonly { instancePath: string; message?: string }[]
}

type Asked = { query: unknown; params: unknown; body: unknown }

/** What the schemas refused: the field, what would be right, and what it was. */
function textFor({ message, validation, validationContext }: Invalid, request: Asked): string {
  const [first] = validation ?? []
  if (!first) return message
  const field = first.instancePath.split('/')[1]
  // Of the whole: parameters that there are not, which the message names.
  if (!field) return first.message ?? message
  const { params, body, query } = request
  const values = (validationContext === 'params' ? params : validationContext === 'body' ? body : query) as Record<
    string,
    unknown
  >
  const was = Object.hasOwn(values, field) ? `not ${JSON.stringify(values[field]).slice(0, 100)}` : 'and is missing'
  return `${field}: ${first.message}, ${was}`
}

export function answerErrors(app: FastifyInstance<any, any, any, any>, log: Log): void {
  app.setErrorHandler((error: Invalid, request, reply) => {
    if (error instanceof RequestError && ERRORS[error.code].retry) {
      const after = error.retryAfter ?? 2
      reply.header('retry-after', String(after))
      // A browser's EventSource would give up for good on any other status.
      if (isComingBack(request))
        return reply
          .headers({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
          .send(refusedBlock(after * 1_000, errorBody(error.code, error.message, error.nearest)))
    }
    if (error instanceof RequestError)
      return reply.status(ERRORS[error.code].status).send(errorBody(error.code, error.message, error.nearest))
    const status = error.statusCode ?? 500
    if (status < 500) return reply.status(status).send(errorBody(codeOf(status), textFor(error, request)))
    log.error(
      { error: error.message, stack: error.stack, method: request.method, path: request.url.split('?')[0] },
      'request failed'
    )
    return reply.status(500).send(errorBody('INTERNAL', 'a defect of the server; it is logged there'))
  })
}
