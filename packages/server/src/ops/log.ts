/** The log: JSON lines with a constant message and fields, and never a secret in them, whoever logs it and in whatever form. */
import { destination as openDestination, pino, type DestinationStream, type Logger } from 'pino'
import { CENSORED, createSecrets, isSecretName } from './secrets.ts'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'> & {
  /** From here on these values are never written: keys that were read from a file meanwhile. */
  conceal?: (values: Iterable<string | undefined>) => void
}

export type LogOptions = { level?: string; destination?: DestinationStream; secrets?: Iterable<string | undefined> }

/** Deeper than this nothing is worth a line. */
const DEEPEST = 6

/** Of an error what a person needs; what libraries hang on it (requests, headers, answers) stays out. */
const ofError = (error: Error, depth: number): object => {
  const { name, message, stack, cause } = error
  const { code } = error as { code?: string | number }
  return {
    type: name,
    message,
    stack,
    ...(code !== undefined && { code: String(code) }),
    ...(cause !== undefined && { cause: shown(cause, depth + 1) })
  }
}

function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) return '…'
  if (value instanceof Error) return ofError(value, depth)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof URL) return value.href
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `${value.byteLength} bytes`
  if (Array.isArray(value)) return pairs(value).map((each) => shown(each, depth + 1))
  if (value instanceof Set) return [...value].map((each) => shown(each, depth + 1))
  const entries = value instanceof Map || value instanceof Headers ? [...value.entries()] : Object.entries(value)
  return Object.fromEntries(
    entries.map(([name, each]) => [name, isSecretName(String(name)) ? hidden(each) : shown(each, depth + 1)])
  )
}

/** Whether it is set may be known. */
const hidden = (value: unknown): unknown => (value === undefined || value === null || value === '' ? value : CENSORED)

/** Raw headers: a list of names and values by turns. */
const pairs = (list: readonly unknown[]): readonly unknown[] =>
  list.map((each, i) => (i % 2 === 1 && typeof list[i - 1] === 'string' && isSecretName(list[i - 1] as string) ? CENSORED : each))

/** JSON lets these stand; terminals obey some of them, others end a line or turn its direction. */
const UNSEEN = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g
const escaped = (line: string): string =>
  line.replace(UNSEEN, (each) => `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)

export function createLog(options: LogOptions = {}): Logger & Required<Pick<Log, 'conceal'>> {
  const secrets = createSecrets(options.secrets)
  const to = options.destination ?? openDestination(1)
  const log = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: (fields) => shown(fields, 0) as Record<string, unknown> },
      serializers: { err: (error: unknown) => error }
    },
    {
      write(line: string): void {
        to.write(escaped(secrets.censor(line)))
      }
    }
  )
  return Object.assign(log, { conceal: secrets.add })
}

export const SILENT: Log = createLog({ level: 'silent' })
