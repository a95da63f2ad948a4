/** The log: JSON lines with a constant message and fields, and never a secret in them. */
import { pino, type DestinationStream, type Logger } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

const SECRETS = ['token', 'key', 'secret', 'password', 'authorization', 'apiKey', 'cookie']

/** Secrets are cut at any of the first levels of the fields, and in the headers of a logged request. */
const PATHS = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `headers["x-api-key"]`])

export const createLog = (options: { level?: string; destination?: DestinationStream } = {}): Logger =>
  pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...new Set(PATHS)], censor: '[redacted]' }
    },
    options.destination ?? pino.destination(1)
  )

export const SILENT: Log = createLog({ level: 'silent' })
