/** Who may: API keys, kept as SHA-256. Without any key configured the gateway is open. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Keys } from '../dialects/dialect.ts'

export type Auth = {
  required: boolean
  /** The user behind a token, or nothing. */
  check: (token: string) => string | undefined
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

export function createAuth(keys: readonly string[] = []): Auth {
  const hashes = keys.map((hex) => {
    if (!/^[0-9a-f]{64}$/i.test(hex))
      throw new Error(`auth.keys holds ${hex.slice(0, 8)}…: each must be a SHA-256 in 64 hex digits`)
    return Buffer.from(hex, 'hex')
  })
  return {
    required: hashes.length > 0,
    check(token) {
      const hash = sha256(token)
      // All are compared, so that the time taken tells nothing.
      const matches = hashes.filter((known) => timingSafeEqual(known, hash))
      return matches.length > 0 ? `key:${hash.toString('hex').slice(0, 8)}` : undefined
    }
  }
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>
type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** The token where a dialect's own clients put it; an empty one is none. */
export function tokenIn({ headers: names, query: parameters }: Keys, headers: Headers, query: Query): string | undefined {
  const found = [...names.map((name) => headers[name]), ...parameters.map((name) => query[name])]
  return found.find((value): value is string => typeof value === 'string' && value !== '')
}

/** The token of an HTTP request: `Authorization: Bearer …` or `X-API-Key`. */
export function tokenOf(headers: Headers): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(String(headers.authorization ?? ''))?.[1]
  const key = headers['x-api-key']
  return bearer ?? (typeof key === 'string' && key !== '' ? key : undefined)
}
