/** What is said on /api/websocket, both ways: the client's requests as schemas, the server's answers and errors. */
import type { ErrorCode } from '@tickwire/protocol'
import { ERRORS } from '@tickwire/protocol'
import { z } from 'zod'
import { DATA_TYPES } from './datastream.updates.ts'

export const MAX_SYMBOLS = 100
const MAX_LENGTH = 64

const named = (value: unknown): unknown =>
  typeof value === 'string' ? (DATA_TYPES.find((type) => type.toLowerCase() === value.trim().toLowerCase()) ?? value) : value
export const dataType = z.preprocess(named, z.enum(DATA_TYPES, { error: `one of ${DATA_TYPES.join(', ')}` }))

/** In messages a boolean, in addresses its word. */
const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean('true or false').default(false)
)

const symbol = z
  .string('each symbol is a string')
  .trim()
  .toUpperCase()
  .min(1, 'a symbol is empty')
  .max(MAX_LENGTH, `a symbol has at most ${MAX_LENGTH} characters`)

/** One alone may stand without a list; in an address several may stand with commas between them. */
const symbols = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',') : value),
  z
    .array(symbol, 'a list of symbols, as in ["NSE:SBIN-EQ", "NSE:NIFTY50-INDEX"]')
    .min(1, 'name at least one symbol')
    .max(MAX_SYMBOLS, `at most ${MAX_SYMBOLS} symbols at once`)
    .transform((list) => [...new Set(list)])
)

export const askSchema = z
  .object({ symbols, data_type: dataType.default('SymbolUpdate'), lite: flag }, 'an object with an action')
  .refine(({ lite, data_type }) => !lite || data_type === 'SymbolUpdate', {
    error: 'the lite form is of SymbolUpdate only',
    path: ['lite']
  })
export type Ask = z.output<typeof askSchema>

export const oneSchema = z.object({ symbol, data_type: dataType.default('SymbolUpdate'), lite: flag })

/** Field by field, what is wrong and what would be right. */
export const complaint = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'message'}: ${message}`).join('; ')

/** A symbol that was refused, and why. */
export type Refused = { symbol: string; code: ErrorCode; message: string; nearest?: readonly string[] }

export type Trouble = { status: 'error'; code: ErrorCode; message: string; errors?: readonly Refused[] }
export const trouble = (code: ErrorCode, message: string, errors: readonly Refused[] = []): Trouble => ({
  status: 'error',
  code,
  message,
  ...(errors.length > 0 ? { errors } : {})
})
/** All were refused: the first one's code stands for them. */
export const refusedAll = (refused: readonly Refused[]): Trouble =>
  trouble(refused[0]?.code ?? 'BAD_SYMBOL', refused.map(({ symbol: name, message }) => `${name}: ${message}`).join('; '), refused)

export const statusOf = (code: ErrorCode): number => ERRORS[code].status
