/**
 * JSON Web Tokens (RFC 7519, 8725): HS256 with our secret, EdDSA with the Ed25519 keys of a JWKS, and nothing else. The algorithm
 * says which of the two is looked at, so that a public key is never taken for a secret; a key that a token brings or names by an
 * address is never looked at.
 */
import { createHmac, createPublicKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto'
import { SCOPES, type Identity, type Scope, type Verifier } from './auth.ts'

export type JwtOptions = {
  secret?: string
  /** Keys of a JWKS by their id, as they are now; the token's is asked for anew where it is not there. */
  keys?: { byId: () => ReadonlyMap<string, KeyObject>; missing: () => void }
  issuer?: string
  audience: string
  /** When all of a user's tokens were ended, epoch milliseconds. */
  endedAt?: (user: string) => number | undefined
}

type Claims = { sub: string; exp: number; nbf?: number; iat?: number; iss?: unknown; aud: unknown; scope?: unknown }
type Header = { alg: 'HS256' | 'EdDSA'; kid?: string }

/** Their clocks and ours may differ by this much where a token begins; where it ends ours counts. */
const LEEWAY = 5_000
/** All that a header may hold: not jwk, jku, x5u, x5c, crit or b64, which would say how to be believed. */
const HEADER: ReadonlySet<string> = new Set(['alg', 'typ', 'kid'])
const MIN_SECRET = 32

function decoded(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined
}

/** Bytes that are no UTF-8 are no claims: two users must not be read as one. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function objectIn(part: string): Record<string, unknown> | undefined {
  const bytes = decoded(part)
  if (!bytes) return undefined
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function headerOf(part: string): Header | undefined {
  const header = objectIn(part)
  if (!header || Object.keys(header).some((name) => !HEADER.has(name))) return undefined
  const { alg, typ, kid } = header
  if (alg !== 'HS256' && alg !== 'EdDSA') return undefined
  if (typ !== undefined && !/^(at\+)?jwt$/i.test(typeof typ === 'string' ? typ : '')) return undefined
  if (kid === undefined) return { alg }
  return typeof kid === 'string' && /^[\w.:=-]{1,128}$/.test(kid) ? { alg, kid } : undefined
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isTimeOrNone = (value: unknown): boolean => value === undefined || isTime(value)

function claimsOf(part: string): Claims | undefined {
  const claims = objectIn(part)
  if (!claims) return undefined
  const { sub, exp, nbf, iat } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > 128) return undefined
  return isTime(exp) && isTimeOrNone(nbf) && isTimeOrNone(iat) ? (claims as Claims) : undefined
}

/** `scope` as in RFC 8693: names parted by spaces; those that are not ours count for nothing. */
const scopesOf = ({ scope }: Claims): ReadonlySet<Scope> => {
  const named = typeof scope === 'string' ? scope.split(' ') : []
  return new Set(SCOPES.filter((each) => named.includes(each)))
}

export function createJwt({ secret, keys, issuer, audience, endedAt }: JwtOptions): Verifier {
  if (secret !== undefined && Buffer.byteLength(secret) < MIN_SECRET)
    throw new Error(`auth.jwt.secret is too short: HS256 wants ${MIN_SECRET} bytes or more`)

  const isSigned = ({ alg, kid }: Header, signed: string, signature: Buffer): boolean => {
    if (alg === 'HS256') {
      if (secret === undefined) return false
      const right = createHmac('sha256', secret).update(signed).digest()
      return signature.length === right.length && timingSafeEqual(right, signature)
    }
    const known = keys?.byId()
    // Without an id only where there is nothing to choose.
    const key = kid === undefined ? (known?.size === 1 ? [...known.values()][0] : undefined) : known?.get(kid)
    if (!key) {
      keys?.missing()
      return false
    }
    return signature.length === 64 && verify(undefined, Buffer.from(signed), key, signature)
  }

  const isForUs = ({ iss, aud, nbf, iat, exp }: Claims, now: number): boolean =>
    (issuer === undefined || iss === issuer) &&
    (Array.isArray(aud) ? aud.includes(audience) : aud === audience) &&
    now < exp * 1_000 &&
    (nbf ?? 0) * 1_000 <= now + LEEWAY &&
    (iat ?? 0) * 1_000 <= now + LEEWAY

  const isEnded = (user: string, issued: number): boolean => issued <= (endedAt?.(user) ?? -1)

  return {
    isUsed: () => secret !== undefined || keys !== undefined,
    check(token, now) {
      const [head, body, tail, ...more] = token.split('.')
      if (head === undefined || body === undefined || tail === undefined || more.length > 0) return undefined
      const header = headerOf(head)
      const signature = decoded(tail)
      if (!header || !signature || !isSigned(header, `${head}.${body}`, signature)) return undefined
      const claims = claimsOf(body)
      if (!claims || !isForUs(claims, now)) return undefined
      const issued = (claims.iat ?? 0) * 1_000
      if (isEnded(claims.sub, issued)) return undefined
      const who: Identity = { user: claims.sub, scopes: scopesOf(claims), expires: claims.exp * 1_000, issued }
      return who
    },
    isRevoked: ({ user, issued }) => issued !== undefined && isEnded(user, issued)
  }
}

/** The Ed25519 keys of a JWKS by their id; a key without one is kept where it is the only one. Others are not ours to use. */
export function keysIn(text: string): ReadonlyMap<string, KeyObject> {
  const { keys } = JSON.parse(text) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('it holds no list "keys"')
  const found = new Map<string, KeyObject>()
  for (const each of keys as Record<string, unknown>[]) {
    if (each.kty !== 'OKP' || each.crv !== 'Ed25519' || typeof each.x !== 'string') continue
    if ((each.use ?? 'sig') !== 'sig' || (each.alg ?? 'EdDSA') !== 'EdDSA') continue
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: each.x }, format: 'jwk' })
    found.set(typeof each.kid === 'string' ? each.kid : '', key)
  }
  return found
}
