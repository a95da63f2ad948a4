/** What is said on the FIML streaming endpoints, both ways: the client's messages as schemas, the server's as text. */
import { INTERVALS } from '@tickwire/protocol'
import { z } from 'zod'

export const STREAM_TYPES = ['price', 'ohlcv', 'quote', 'trades', 'multi_asset', 'depth', 'news'] as const
export type StreamType = (typeof STREAM_TYPES)[number]
/** Streams of services that this server does not have. */
const ABSENT: ReadonlySet<unknown> = new Set(['scan', 'alerts'])

/** How its messages come: as text, or as MessagePack in binary ones. */
export const FORMATS = ['json', 'msgpack'] as const
export type Format = (typeof FORMATS)[number]

export const MAX_SYMBOLS = 50
export const MAX_SYMBOL_LENGTH = 64
export const MAX_LEVELS = 1_000

const ASSET_TYPES = ['equity', 'crypto', 'forex', 'commodity', 'index', 'etf', 'option', 'future'] as const
const MARKETS = ['US', 'UK', 'EU', 'JP', 'CN', 'HK', 'CRYPTO', 'GLOBAL'] as const
/** Most of them are part of the protocol, but nothing here streams them: asking for one is an error, not prices under its name. */
const DATA_TYPES = [
  'price',
  'ohlcv',
  'fundamentals',
  'technical',
  'sentiment',
  'news',
  'macro',
  'correlation',
  'risk',
  'options'
] as const
const STREAMED = ['price', 'ohlcv', 'news'] as const
type Streamed = (typeof STREAMED)[number]
const isStreamed = (type: string): type is Streamed => STREAMED.some((each) => each === type)

const oneOf = <const T extends readonly [string, ...string[]]>(choices: T, letters: 'lower' | 'upper' = 'lower') =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.trim()[letters === 'lower' ? 'toLowerCase' : 'toUpperCase']() : value),
    z.enum(choices, { error: `one of ${choices.join(', ')}` })
  )

/** Of each side of a book. */
const levels = z.int('a whole number of levels').min(1, 'at least 1').max(MAX_LEVELS, `at most ${MAX_LEVELS}`).default(10)

/** As the client wrote them, trimmed, in upper case, each once. */
const symbolList = z
  .array(
    z
      .string({ error: 'each symbol is a string' })
      .trim()
      .toUpperCase()
      .min(1, 'a symbol is empty')
      .max(MAX_SYMBOL_LENGTH, `a symbol has at most ${MAX_SYMBOL_LENGTH} characters`),
    { error: 'a list of symbols, as in ["AAPL", "BTC-USDT"]' }
  )
  .min(1, 'name at least one symbol')
  .max(MAX_SYMBOLS, `at most ${MAX_SYMBOLS} symbols per subscription; open another one for the rest`)
  .transform((symbols) => [...new Set(symbols)])

const fields = {
  stream_type: oneOf(STREAM_TYPES),
  asset_type: oneOf(ASSET_TYPES).default('equity'),
  market: oneOf(MARKETS, 'upper').default('US'),
  interval_ms: z
    .int('a whole number of milliseconds')
    .min(100, 'at least 100 (10 updates per second)')
    .max(60_000, 'at most 60000 (one update per minute)')
    .default(1_000),
  data_type: oneOf(DATA_TYPES)
    .refine(isStreamed, { error: `only ${STREAMED.join(', ')} can be streamed here`, abort: true })
    .optional(),
  keepalive: z.boolean('true or false').default(false),
  format: oneOf(FORMATS).optional(),
  params: z.object({ interval: oneOf(INTERVALS).default('1m'), levels }, 'an object, as in {"interval": "5m"}').prefault({})
}

/** `price` is what clients say that never thought of it, so it contradicts a stream of stories alone. */
const mayBe = (stream: StreamType, type: Streamed): boolean => (type === 'price' ? stream !== 'news' : type === stream)

function agree(
  { stream_type, data_type }: { stream_type: StreamType; data_type?: Streamed | undefined },
  context: z.RefinementCtx
) {
  if (data_type === undefined || mayBe(stream_type, data_type)) return
  const message = `data_type ${data_type} contradicts stream_type ${stream_type}: ask for one of them`
  context.addIssue({ code: 'custom', path: ['data_type'], message })
}

export const subscribeSchema = z.object({ ...fields, symbols: symbolList }).superRefine(agree)
/** Without symbols it is of all stories. */
const newsSchema = z.object({ ...fields, symbols: symbolList.nullish().transform((list) => list ?? null) }).superRefine(agree)
export type SubscribeRequest = z.output<typeof newsSchema>

const streamIn = (message: unknown): unknown => {
  const { stream_type } = message as { stream_type?: unknown }
  return typeof stream_type === 'string' ? stream_type.trim().toLowerCase() : stream_type
}
export const readSubscribe = (message: unknown): z.ZodSafeParseResult<SubscribeRequest> =>
  (streamIn(message) === 'news' ? newsSchema : subscribeSchema).safeParse(message)

/** The service that is missing where this is asked for. */
export const absentService = (message: unknown): string | undefined => {
  const stream = streamIn(message)
  return ABSENT.has(stream) ? String(stream) : undefined
}

export const formatSchema = z.object({ format: fields.format })

export const unsubscribeSchema = z.object({
  stream_type: oneOf(STREAM_TYPES),
  symbols: symbolList.nullish().transform((symbols) => symbols ?? null)
})

/** Field by field, what is wrong and what would be right. */
export const complaints = (error: z.ZodError): { field: string; message: string }[] =>
  error.issues.map(({ path, message }) => ({ field: path.map(String).join('.') || 'message', message }))

export type ErrorName =
  | 'INVALID_JSON'
  | 'INVALID_MESSAGE_TYPE'
  | 'SUBSCRIPTION_ERROR'
  | 'UNSUBSCRIBE_ERROR'
  | 'PROCESSING_ERROR'
  | 'SERVICE_NOT_AVAILABLE'

/** ISO 8601 in UTC, to the millisecond; null for a time that no calendar has. */
export const iso = (time: number): string | null => (Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : null)

export const errorText = (error_code: ErrorName, message: string, details: object | null, now: number): string =>
  JSON.stringify({ type: 'error', error_code, message, details, timestamp: iso(now) })

/** 128 bits from the session and a counter (FNV-1a, four lanes), in the form of a version 8 (custom) UUID. */
export function uuidOf(text: string): string {
  const hash = (seed: number): string => {
    let h = 0x811c9dc5 ^ seed
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    return ((h ^ (h >>> 13)) >>> 0).toString(16).padStart(8, '0')
  }
  const hex = [0x0, 0x9e3779b9, 0x3c6ef372, 0xdaa66d2b].map(hash).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}
