/**
 * A JWKS from a file or an address, asked for again now and then, and when a token names a key that is not there. Not by jose: its
 * remote set asks while a token waits, and forgets what it has where it cannot ask; here the keys that are known go on.
 */
import { readFile } from 'node:fs/promises'
import { createLocalJWKSet } from 'jose'
import { keysIn, type KeySet } from '../gateway/jwt.ts'
import type { Log } from '../ops/log.ts'
import type { Cancel, Timers } from '../timers.ts'

export type Jwks = { current: () => KeySet; missing: () => void; stop: () => void }

const REFRESH = 300_000
/** Tokens with keys that nobody has must not make us ask without end. */
const PAUSE = 10_000
const PATIENCE = 5_000
const MAX_BYTES = 256 * 1024

const NONE = createLocalJWKSet({ keys: [] })

const isLocal = ({ hostname }: URL): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)

/** Throws where keys would come over a line that anybody could write to. */
function addressOf(location: string): URL | undefined {
  const url = /^https?:\/\//.test(location) ? new URL(location) : undefined
  if (url?.protocol === 'http:' && !isLocal(url)) throw new Error(`auth.jwt.jwks is ${location}: it takes https://, or a file`)
  return url
}

async function fetched(url: URL): Promise<string> {
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(PATIENCE) })
  if (!answer.ok || !answer.body) throw new Error(`it answers ${answer.status}`)
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of answer.body) {
    bytes += part.byteLength
    if (bytes > MAX_BYTES) throw new Error(`it is over ${MAX_BYTES} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

/** A file must be there and right at the start; an address may come up later: until then no such token is right. */
export async function openJwks(location: string, log: Log, timers: Timers): Promise<Jwks> {
  const url = addressOf(location)
  let keys = NONE
  let isAsking = false
  let isOutdated = false
  let isPausing = false

  const load = async () => {
    keys = await keysIn(url ? await fetched(url) : await readFile(location, 'utf8'))
    if (keys.jwks().keys.length === 0) log.warn({ jwks: location }, 'there is no Ed25519 key in the JWKS')
  }
  const tryLoad = () =>
    load().catch((error: Error) => log.error({ jwks: location, error: error.message }, 'the JWKS cannot be read'))
  /** Asked for while it is being read, it is read once more: what is under way may be from before a change. */
  const refresh = async () => {
    isOutdated = true
    if (isAsking) return
    isAsking = true
    while (isOutdated) {
      isOutdated = false
      await tryLoad()
    }
    isAsking = false
  }
  if (url) await refresh()
  else
    await load().catch((error: Error) => {
      throw new Error(`auth.jwt.jwks: ${location}: ${error.message}`, { cause: error })
    })
  const cancel = timers.every(REFRESH, () => void refresh())
  let resume: Cancel | undefined

  return {
    current: () => keys,
    missing() {
      if (isPausing) return
      isPausing = true
      resume = timers.after(PAUSE, () => (isPausing = false))
      void refresh()
    },
    stop() {
      cancel()
      resume?.()
    }
  }
}
