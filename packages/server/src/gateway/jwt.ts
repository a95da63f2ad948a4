/**
 * JSON Web Tokens (RFC 7519, 8725), verified by jose: HS256 with our secret, EdDSA with the Ed25519 keys of a JWKS, and nothing else.
 * The algorithm says which of the two is looked at, so that a public key is never taken for a secret. What stands here is what jose
 * leaves open: what a header may hold at all, one spelling for each token, and whose clock counts at either end.
 */
import {
  createLocalJWKSet,
  errors,
  importJWK,
  jwtVerify,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTPayload
} from 'jose'
import { SCOPES, type Identity, type Scope, type Verifier } from './auth.ts'

/** Finds the key that a token names, or rejects; `jwks` tells them all. */
export type KeySet = ReturnType<typeof createLocalJWKSet>

export type JwtOptions = {
  secret?: string
  /** Keys of a JWKS as they are now; the token's is asked for anew where it is not there. */
  keys?: { current: () => KeySet; missing: () => void }
  issuer?: string
  audience: string
  /** When all of a user's tokens were ended, epoch milliseconds. */
  endedAt?: (user: string) => number | undefined
}

/** Their clocks and ours may differ by this much where a token begins; where it ends ours counts. */
const LEEWAY = 5_000
/** All that a header may hold: not jwk, jku, x5u, x5c, crit or b64, which would say how to be believed. */
const HEADER: ReadonlySet<string> = new Set(['alg', 'typ', 'kid'])
const MIN_SECRET = 32
const MAX_USER = 128

/** A byte order mark in base64url: what it stands before would be read as if it were not there. */
const MARK = '77u_'
/** jose reads spaces, padding and stray bits as well: a token has one spelling, so that nobody makes another out of it. */
const isPlain = (token: string): boolean =>
  token.split('.').every((part) => !part.startsWith(MARK) && Buffer.from(part, 'base64url').toString('base64url') === part)

function isOurs({ typ, kid, ...header }: JWTHeaderParameters): boolean {
  if (Object.keys(header).some((name) => !HEADER.has(name))) return false
  if (typ !== undefined && !(typeof typ === 'string' && /^(at\+)?jwt$/i.test(typ))) return false
  return kid === undefined || (typeof kid === 'string' && /^[\w.:=-]{1,128}$/.test(kid))
}

/** `scope` as in RFC 8693: names parted by spaces; those that are not ours count for nothing. */
const scopesOf = ({ scope }: JWTPayload): ReadonlySet<Scope> => {
  const named = typeof scope === 'string' ? scope.split(' ') : []
  return new Set(SCOPES.filter((each) => named.includes(each)))
}

/** To the millisecond, which jose does not look at. */
function identityIn(claims: JWTPayload, now: number): (Identity & { issued: number }) | undefined {
  const { sub, exp = 0, iat = 0 } = claims
  const [expires, issued] = [exp * 1_000, iat * 1_000]
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_USER) return undefined
  if (!Number.isFinite(expires) || now >= expires || issued > now + LEEWAY) return undefined
  return { user: sub, scopes: scopesOf(claims), expires, issued }
}

export function createJwt({ secret, keys, issuer, audience, endedAt }: JwtOptions): Verifier {
  if (secret !== undefined && Buffer.byteLength(secret) < MIN_SECRET)
    throw new Error(`auth.jwt.secret is too short: HS256 wants ${MIN_SECRET} bytes or more`)
  const bytes = secret === undefined ? undefined : new TextEncoder().encode(secret)
  const algorithms = [...(bytes ? ['HS256'] : []), ...(keys ? ['EdDSA'] : [])]
  const rules = { algorithms, audience, requiredClaims: ['exp', 'sub'], clockTolerance: LEEWAY / 1_000 }
  const issued = issuer === undefined ? rules : { ...rules, issuer }

  const keyFor = async (header: JWTHeaderParameters) => {
    const key = !isOurs(header) ? undefined : header.alg === 'HS256' ? bytes : await keys?.current()(header)
    if (!key) throw new errors.JWSInvalid('none of ours')
    return key
  }

  const isEnded = (user: string, since: number): boolean => since <= (endedAt?.(user) ?? -1)

  return {
    isUsed: () => secret !== undefined || keys !== undefined,
    async check(token, now) {
      if (!isPlain(token)) return undefined
      try {
        const { payload } = await jwtVerify(token, keyFor, { ...issued, currentDate: new Date(now) })
        const who = identityIn(payload, now)
        return who && !isEnded(who.user, who.issued) ? who : undefined
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey) keys?.missing()
        return undefined
      }
    },
    isRevoked: ({ user, issued: since }) => since !== undefined && isEnded(user, since)
  }
}

/** The Ed25519 keys for signatures in a JWKS. Others are not ours to use; one of ours that is broken, or private, is told at once. */
export async function keysIn(text: string): Promise<KeySet> {
  const all = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet).jwks()
  const keys = all.keys.filter(
    ({ kty, crv, use = 'sig', alg = 'EdDSA' }) => kty === 'OKP' && crv === 'Ed25519' && use === 'sig' && alg === 'EdDSA'
  )
  for (const key of keys) {
    const found = await importJWK(key, 'EdDSA')
    if (!('type' in found) || found.type !== 'public') throw new Error('it holds a private key')
  }
  return createLocalJWKSet({ keys })
}
