/** Who may: API keys, kept as SHA-256. Without any key configured the gateway is open. */
import { createHash, timingSafeEqual } from 'node:crypto'

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

/** The token of an HTTP request: `Authorization: Bearer …` or `X-API-Key`. */
export function tokenOf(headers: Record<string, string | string[] | undefined>): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(String(headers.authorization ?? ''))?.[1]
  const key = headers['x-api-key']
  return bearer ?? (typeof key === 'string' && key !== '' ? key : undefined)
}
