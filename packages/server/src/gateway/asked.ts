/** What REST takes in its addresses, and what it says of what it does not take. */
import { INTERVALS, type Contract } from '@tickwire/protocol'
import { z } from 'zod'
import type { Desk } from '../dialects/dialect.ts'
import { distance } from '../nearest.ts'
import { errorSchema, RequestError } from './errors.ts'
import { unknownSymbol } from './understand.ts'

/** What was wrong is told in these words, after the field's name: see errors.ts. */
export const limit = (max: number, usual: number) => {
  const right = `must be a whole number from 1 to ${max}`
  return z.coerce.number(right).int(right).min(1, right).max(max, right).default(usual)
}
export const text = (max: number) => z.string('must be given once').max(max, `must have at most ${max} characters`)
export const interval = z.enum(INTERVALS, `must be one of ${INTERVALS.join(', ')}`)
export const topicsOf = (example: string) =>
  z
    .string(`must be topics joined by commas, as in ${example}`)
    .describe(`comma-separated, as in ${example}`)
    .meta({ examples: [example] })
export const fieldsUpTo = (most: number) => {
  const right = `must be lite, or up to ${most} names of fields joined by commas`
  return z
    .string(right)
    .regex(new RegExp(`^[a-zA-Z]{1,40}(,[a-zA-Z]{1,40}){0,${most - 1}}$`), right)
    .optional()
}
/** A number that an address writes as text; no text is no number, and not zero. */
export const numeric = (schema: z.ZodNumber) =>
  z.preprocess((value) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value), schema).optional()

/** Parameters of which none may be misspelt: what somebody asked for must not be thought to have counted. */
export const known = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: ({ code, keys }) =>
      code === 'unrecognized_keys' ? `${keys.join(', ')}: not known here; there are ${Object.keys(shape).join(', ')}` : undefined
  })
export const chosenIn = (fields: string | undefined): Contract['fields'] =>
  fields === undefined || fields === 'lite' ? fields : [...new Set(fields.split(','))]
export const failures = { 400: errorSchema, 404: errorSchema, 503: errorSchema }
export const ofInstrument = z.object({
  instrument: text(100)
    .describe('BTC-USDT, or any spelling people use: btcusdt, BTC/USDT')
    .meta({ examples: ['BTC-USDT'] })
})
export const ofProvider = z.object({ provider: text(50).optional().describe('one provider instead of the arbitrated stream') })

/** A provider there is, or those whose names are nearest. */
export function knownProvider(providers: readonly { provider: string }[], name: string): string {
  const names = [...new Set(providers.map(({ provider }) => provider))]
  if (names.length === 0 || names.includes(name)) return name
  const far = (known: string): number => distance(name.toLowerCase(), known)
  const nearest = names.toSorted((a, b) => far(a) - far(b) || (a < b ? -1 : 1)).slice(0, 3)
  const message = `there is no provider ${JSON.stringify(name)}; ${nearest.length === 1 ? 'there is' : 'the nearest are'} ${nearest.join(', ')}`
  throw new RequestError('BAD_PROVIDER', message, nearest)
}

export function resolved(desk: Desk, text: string): string {
  const found = desk.resolve(text)
  if (found.ok) return found.instrument
  const { code, message } = unknownSymbol(desk, text, found.nearest)
  throw new RequestError(code, message, found.nearest)
}
