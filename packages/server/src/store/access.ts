/** The books of tokens as the gateway asks them: the file of API keys, looked at again every second, and the keys of JWTs. */
import { createHmac, randomBytes, timingSafeEqual, createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { isLoopback } from '../gateway/admission.ts'
import type { Identity, Verifier } from '../gateway/auth.ts'
import { createJwt } from '../gateway/jwt.ts'
import type { Log } from '../ops/log.ts'
import { timers as real, type Timers } from '../timers.ts'
import { openJwks, type Jwks } from './jwks.ts'
import { openKeyStore, type KeyStore, type StoredKey } from './keys.ts'

export type AccessOptions = {
  /** Where the server will listen. */
  host: string
  /** Through these others reach it as well, wherever it listens. */
  proxies?: readonly string[]
  /** The operator's own tokens. */
  keys: readonly string[]
  insecure: boolean
  /** File of the API keys; it need not be there yet. Empty: none. */
  store: string
  jwt: { secret?: string | undefined; jwks?: string | undefined; issuer?: string | undefined; audience: string }
  log: Log
  timers?: Timers
}
export type Access = { verifiers: readonly Verifier[]; stop: () => void }

/** Another process revokes; a connection is cut within 5 s of it. */
const LOOK_EVERY = 1_000

/** Rejects where everybody could come in from outside, and nobody said that he may. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { host, proxies = [], keys, insecure, store, jwt, log, timers = real } = options
  const book = createBook(store, log)
  const { secret, jwks: location, issuer, audience } = jwt
  if (location !== undefined && issuer === undefined)
    throw new Error('auth.jwt.issuer is missing: keys of a JWKS may sign for others too, so say whose tokens are meant')
  const jwks: Jwks | undefined = location === undefined ? undefined : await openJwks(location, log, timers)
  const tokens = createJwt({
    audience,
    endedAt: book.endedAt,
    ...(secret !== undefined && { secret }),
    ...(jwks && { keys: jwks }),
    ...(issuer !== undefined && { issuer })
  })
  book.look()
  const isOpen = keys.length === 0 && !book.verifier.isUsed() && !tokens.isUsed()
  const isLocal = isLoopback(host) && proxies.length === 0
  if (isOpen && !isLocal && !insecure) {
    jwks?.stop()
    book.close()
    throw new Error(closed(host))
  }
  if (isOpen) log.warn({ host, local: isLocal }, 'open: no key is configured, so whoever reaches this address may connect')
  const cancel = timers.every(LOOK_EVERY, () => book.look())
  const stop = () => {
    cancel()
    jwks?.stop()
    book.close()
  }
  return { verifiers: [book.verifier, tokens], stop }
}

const closed = (host: string): string => {
  const way = isLoopback(host)
    ? 'gateway.proxies names a proxy, by which others reach it'
    : `host is ${JSON.stringify(host)}, which others reach`
  return `${way}, and nobody would need a token: make a key with "tickwire keys create", or say --insecure`
}

type Known = { hash: Buffer; key: StoredKey }

function createBook(path: string, log: Log) {
  let store: KeyStore | undefined
  let version: number | undefined
  let byIndex = new Map<string, Known>()
  let byId = new Map<string, StoredKey>()
  let ended: ReadonlyMap<string, number> = new Map()
  // Looked up by what nobody outside can compute, so that how long it takes tells nothing of the hashes.
  const pepper = randomBytes(32)
  const indexOf = (hash: Buffer): string => createHmac('sha256', pepper).update(hash).digest('base64')

  const read = (from: KeyStore) => {
    const all = from.hashed()
    byIndex = new Map(all.map((known) => [indexOf(known.hash), known]))
    byId = new Map(all.map(({ key }) => [key.id, key]))
    ended = from.ended()
  }

  const find = (token: string, now: number): Identity | undefined => {
    if (!token.startsWith('tw_')) return undefined
    const hash = createHash('sha256').update(token).digest()
    const known = byIndex.get(indexOf(hash))
    const isSame = timingSafeEqual(known?.hash ?? pepper, hash)
    if (!known || !isSame) return undefined
    const { id, user, scopes, expires, revoked } = known.key
    if (revoked !== undefined || (expires !== undefined && now >= expires)) return undefined
    const who: Identity = { user, scopes: new Set(scopes), key: id }
    if (expires !== undefined) who.expires = expires
    return who
  }

  const verifier: Verifier = {
    // Also when all are revoked: taking the last key away must not open the door.
    isUsed: () => byId.size > 0,
    check: async (token, now) => find(token, now),
    isRevoked: ({ key }) => {
      const known = key === undefined ? undefined : byId.get(key)
      return key !== undefined && known?.revoked !== undefined
    }
  }

  return {
    verifier,
    endedAt: (user: string) => ended.get(user),
    look(): void {
      if (path === '' || (!store && !existsSync(path))) return
      try {
        store ??= openKeyStore(path)
        const now = store.version()
        if (now === version) return
        version = now
        read(store)
      } catch (error) {
        // Those that are known go on; at the start nobody would be, so the server must not come up open.
        if (version === undefined) throw new Error(`auth.store: ${(error as Error).message}`, { cause: error })
        log.error({ file: path, error: (error as Error).message }, 'the file of the keys cannot be read')
      }
    },
    close: (): void => store?.close()
  }
}
