/** What is said on the Ziggy endpoints, both ways: the client's messages as schemas, the server's as text. Pure. */
import { INTERVALS } from '@tickwire/protocol'
import { z } from 'zod'
import type { Command } from './dialect.ts'

export type Message = Readonly<Record<string, unknown>>
export type Code =
  | 'INVALID_JSON'
  | 'INVALID_MESSAGE'
  | 'UNKNOWN_ACTION'
  | 'UNKNOWN_SYMBOL'
  | 'NOT_SUBSCRIBED'
  | 'LIMIT_REACHED'
  | 'NOT_PERMITTED'
  | 'NO_LIVE_SOURCE'
  | 'NO_HISTORY'
  | 'SERVICE_NOT_AVAILABLE'
  | 'RATE_LIMITED'
  | 'SLOW_CLIENT'
  | 'SHUTDOWN'

export const MAX_SYMBOLS = 100
const MAX_LENGTH = 64
const MAX_COMPLAINTS = 5

/** Epoch seconds with a fraction, as all times of these endpoints. */
export const seconds = (time: number): number => time / 1_000

const textOf = (type: string, fields: object, now: number): string => JSON.stringify({ type, ...fields, timestamp: seconds(now) })
export const say = (type: string, fields: object, now: number): Command => ({ type: 'send', text: textOf(type, fields, now) })
export const errorText = (code: Code, message: string, data: object, now: number): string =>
  textOf('error', { code, message, data }, now)
export const fail = (code: Code, message: string, data: object, now: number): Command => ({
  type: 'send',
  text: errorText(code, message, data, now)
})

const word = (what: string) =>
  z
    .string(`${what} is a string`)
    .trim()
    .min(1, `${what} is empty`)
    .max(MAX_LENGTH, `${what} has at most ${MAX_LENGTH} characters`)
const listOf = (what: string) =>
  z
    .array(word(what), { error: 'a list of strings' })
    .max(MAX_SYMBOLS, `at most ${MAX_SYMBOLS} in one message; send another one for the rest`)
const upper = (texts: readonly string[]): string[] => [...new Set(texts.map((text) => text.toUpperCase()))]

/** `symbols`, or one `symbol`; nothing named is an empty list. */
const naming = { symbols: listOf('a symbol').nullish(), symbol: word('a symbol').nullish() }
type Naming = { symbols?: string[] | null | undefined; symbol?: string | null | undefined }
const named = ({ symbols, symbol }: Naming): string[] =>
  upper([...(symbols ?? []), ...(typeof symbol === 'string' ? [symbol] : [])])

export const symbolsSchema = z
  .object({ ...naming, keepalive: z.boolean('true or false').optional() })
  .transform((message) => ({ symbols: named(message), keepalive: message.keepalive }))

const timeframe = z.enum(INTERVALS, { error: `one of ${INTERVALS.join(', ')}` })
export const chartSchema = z
  .object({
    ...naming,
    timeframe: timeframe.nullish(),
    timeframes: z.array(timeframe, 'a list of timeframes').max(INTERVALS.length, 'each timeframe once').nullish()
  })
  .transform((message) => ({
    symbols: named(message),
    timeframes: [...new Set([...(message.timeframes ?? []), ...(message.timeframe ? [message.timeframe] : [])])]
  }))

const SENTIMENTS = ['positive', 'neutral', 'negative'] as const
const sentiment = z.enum(SENTIMENTS, { error: `one of ${SENTIMENTS.join(', ')}` })
/** What is absent does not filter. */
export const filtersSchema = z.strictObject(
  {
    symbols: listOf('a symbol').nullish(),
    sentiment: z
      .union([sentiment, z.array(sentiment).max(3)], { error: `one of ${SENTIMENTS.join(', ')}, or a list of them` })
      .nullish(),
    sources: listOf('a source').nullish(),
    categories: listOf('a category').nullish(),
    keywords: listOf('a keyword').nullish()
  },
  {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? 'a filter is one of symbols, sentiment, sources, categories, keywords' : 'an object'
  }
)
export type Filters = z.output<typeof filtersSchema>

export const setFiltersSchema = z.object({
  filters: filtersSchema.nullish().transform((filters) => filters ?? {}),
  symbols: listOf('a symbol').nullish()
})

export const testAlertSchema = z.object({
  symbol: word('a symbol').nullish(),
  symbols: listOf('a symbol').nullish(),
  message: z.string('message is a string').max(500, 'at most 500 characters').nullish()
})

export const authSchema = z.object({
  token: z.string('token is a string').min(1, 'the token is empty').max(8_192, 'too long for a token')
})

/** `then` on what the schema made of the message; else one error that names the fields and what would be right. */
export function reading<S extends z.ZodType>(
  schema: S,
  message: Message,
  now: number,
  then: (read: z.output<S>) => readonly Command[]
): readonly Command[] {
  const parsed = schema.safeParse(message)
  if (parsed.success) return then(parsed.data)
  const { issues } = parsed.error
  const errors = issues
    .slice(0, MAX_COMPLAINTS)
    .map(({ path, message: text }) => ({ field: path.join('.') || 'message', message: text }))
  const text = errors.map(({ field, message: wrong }) => `${field}: ${wrong}`).join('; ')
  return [fail('INVALID_MESSAGE', text, { errors, count: issues.length }, now)]
}
