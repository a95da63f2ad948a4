/** Who may: tokens of the configuration, and those that other books know (keys of the store, JWT). Without any the gateway is open. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { decodeJwt } from 'jose'
import type { Keys } from '../dialects/dialect.ts'
import { createGuesses } from './guesses.ts'

export const SCOPES = ['read', 'trade', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** Whoever brought a token that holds. */
export type Identity = {
  user: string
  scopes: ReadonlySet<Scope>
  /** Until when, epoch milliseconds. */
  expires?: number
  /** Of a key of the store. */
  key?: string
  /** Of a token that was issued to a user: when, epoch milliseconds. */
  issued?: number
  /** The operator himself: it stands in his configuration. */
  isOperator?: true
}

/** A book of tokens. */
export type Verifier = {
  /** Whether there is anything in it, be it revoked: then nobody is let in without a token. */
  isUsed: () => boolean
  check: (token: string, now: number) => Promise<Identity | undefined>
  isRevoked: (who: Identity) => boolean
}

/** Who it is; or that the token is wrong, and how many seconds nothing more is looked at, where too many were. */
export type Tried = { who: Identity; wait?: never } | { who?: never; wait?: number }

export type Auth = {
  readonly required: boolean
  /** By a clock, not at a time: it takes a while. It never rejects. */
  try: (token: string, address: string, clock: () => number) => Promise<Tried>
  standing: (who: Identity, now: number) => 'valid' | 'expired' | 'revoked'
  /** Forgets what no longer counts. */
  beat: (now: number) => void
}

/** A token longer than this is none of ours, and is not looked at. */
const MAX_TOKEN = 8 * 1024

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The tokens of `auth.keys`: the operator's own, with every scope. */
function configured(keys: readonly string[]): Verifier {
  const hashes = keys.map((hex) => {
    if (!/^[0-9a-f]{64}$/i.test(hex))
      throw new Error(`auth.keys holds ${hex.slice(0, 8)}…: each must be a SHA-256 in 64 hex digits`)
    return Buffer.from(hex, 'hex')
  })
  return {
    isUsed: () => hashes.length > 0,
    async check(token) {
      const hash = sha256(token)
      // All are compared, so that the time taken tells nothing.
      const matches = hashes.filter((known) => timingSafeEqual(known, hash))
      if (matches.length === 0) return undefined
      return { user: `key:${hash.toString('hex').slice(0, 8)}`, scopes: new Set(SCOPES), isOperator: true }
    },
    isRevoked: () => false
  }
}

/** The account that a token claims to be of, whether or not it is: wrong ones are counted by it. */
export function claimed(token: string): string | undefined {
  const id = /^tw_([0-9a-f]{12})_/.exec(token)?.[1]
  if (id !== undefined) return `key:${id}`
  try {
    const { sub } = decodeJwt<{ sub?: unknown }>(token)
    return typeof sub === 'string' ? `user:${sub.slice(0, 128)}` : undefined
  } catch {
    return undefined
  }
}

/** `wrongTokens`: how many a minute, of one address or account, before no more are looked at. */
export function createAuth(keys: readonly string[] = [], others: readonly Verifier[] = [], wrongTokens = 10): Auth {
  const books = [configured(keys), ...others]
  const guesses = createGuesses(wrongTokens)
  const find = async (token: string, now: number): Promise<Identity | undefined> => {
    if (token.length > MAX_TOKEN) return undefined
    try {
      for (const book of books) {
        const who = await book.check(token, now)
        if (who) return who
      }
    } catch {
      // A book that fails lets nobody in.
    }
    return undefined
  }
  const standing = (who: Identity, now: number) => {
    if (who.expires !== undefined && now >= who.expires) return 'expired'
    return books.some((book) => book.isRevoked(who)) ? 'revoked' : 'valid'
  }
  return {
    get required() {
      return books.some((book) => book.isUsed())
    },
    async try(token, address, clock) {
      const place = `address:${address}`
      const name = `${place} ${sha256(token.slice(0, MAX_TOKEN)).toString('base64')}`
      const shut = (now: number): number => (guesses.wasRight(name, now) ? 0 : guesses.wait(place, now))
      const blocked = shut(clock())
      if (blocked > 0) return { wait: blocked }
      const who = await find(token, clock())
      // Meanwhile others of this address may have been wrong, and who was right may be so no longer.
      const now = clock()
      const since = shut(now)
      if (since > 0) return { wait: since }
      if (who && standing(who, now) === 'valid') {
        guesses.right(name, now)
        return { who }
      }
      const account = token.length > MAX_TOKEN ? undefined : claimed(token)
      // A right token is let in all the same: otherwise anybody could lock an account out by naming it.
      const wait = account === undefined ? 0 : guesses.wait(account, now)
      guesses.wrong(place, now)
      if (account !== undefined) guesses.wrong(account, now)
      return wait > 0 ? { wait } : {}
    },
    standing,
    beat: (now) => guesses.beat(now)
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

/** A browser can set no header on a WebSocket, but it can name subprotocols: `tickwire.bearer.<token>`. */
export const BEARER = 'tickwire.bearer.'
export const PLAIN = 'tickwire.v1'

export function tokenOffered(headers: Headers): string | undefined {
  const offered = String(headers['sec-websocket-protocol'] ?? '').split(',')
  const token = offered.map((each) => each.trim()).find((each) => each.startsWith(BEARER))
  return token?.slice(BEARER.length)
}

/** One of the offered must be named in the answer; the one that holds no secret, where there is one. */
export const subprotocol = (offered: ReadonlySet<string>): string | false =>
  offered.has(PLAIN) ? PLAIN : ([...offered].find((each) => each.startsWith(BEARER)) ?? false)
