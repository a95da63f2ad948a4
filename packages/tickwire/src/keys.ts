/** `tickwire keys`: makes, lists and revokes API keys in the file of `auth.store`; a server that runs takes it over at once. */
import { resolve } from 'node:path'
import { SCOPES, type Scope } from '@tickwire/server/gateway/auth.ts'
import { readTime } from '@tickwire/server/gateway/span.ts'
import { ConfigError } from '@tickwire/server/settings.ts'
import { StoreError } from '@tickwire/server/store/database.ts'
import { openKeyStore, type KeyStore, type StoredKey } from '@tickwire/server/store/keys.ts'
import { CommandError } from './ask.ts'
import { load, type Flags } from './options.ts'

export type CreateFlags = Flags & { name: string; user: string; scopes: string; expires?: string }

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function expiryOf(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
  const time =
    count === undefined
      ? ((/^\d{4}-/.test(text) ? readTime(text) : undefined) ?? Number.NaN)
      : now + Number(count) * (UNITS[unit] ?? 0)
  if (!(time > now))
    throw new ConfigError(`--expires is ${JSON.stringify(text)}: it takes a time to come, as in 90d or 2027-01-31`)
  return time
}

export function scopesOf(text: string): Scope[] {
  const names = text.split(',').map((name) => name.trim())
  const wrong = names.filter((name) => !SCOPES.some((scope) => scope === name))
  if (wrong.length > 0) throw new ConfigError(`--scopes holds ${JSON.stringify(wrong[0])}: there are ${SCOPES.join(', ')}`)
  // Whoever may change things may see them.
  return SCOPES.filter((scope) => scope === 'read' || names.includes(scope))
}

function within<T>(flags: Flags, act: (store: KeyStore, path: string) => T): T {
  const path = load(flags).config.auth.store
  if (path === '') throw new ConfigError('auth.store is empty: name the file that holds the keys')
  try {
    const store = openKeyStore(path)
    try {
      return act(store, path)
    } finally {
      store.close()
    }
  } catch (error) {
    throw error instanceof StoreError ? new CommandError(`auth.store: ${error.message}`) : error
  }
}

export function createKey(flags: CreateFlags): void {
  const { name, user, expires } = flags
  if (!/^[\w.@:-]{1,64}$/.test(user))
    throw new ConfigError(`--user is ${JSON.stringify(user)}: it takes 1 to 64 letters, digits, and . @ : _ -`)
  const now = Date.now()
  const until = expires === undefined ? {} : { expires: expiryOf(expires, now) }
  const { made, path } = within(flags, (store, file) => ({
    made: store.create({ name, user, scopes: scopesOf(flags.scopes), ...until }, now),
    path: resolve(file)
  }))
  console.error('This is the key; it is shown this once:\n')
  console.log(made.key)
  console.error(`\n${lineOf(made.stored, now)}`)
  // Made in another directory than the server's, it would be worth nothing there.
  console.error(`A server that keeps its keys in ${path} takes it from now on.`)
}

const day = (time: number | undefined): string => (time === undefined ? '' : new Date(time).toISOString().slice(0, 16))

function lineOf({ id, user, scopes, created, expires, revoked, name }: StoredKey, now: number): string {
  const state =
    revoked !== undefined
      ? `revoked ${day(revoked)}`
      : expires === undefined
        ? 'valid'
        : `${expires > now ? 'valid until' : 'expired'} ${day(expires)}`
  return `${id}  ${user.padEnd(12)}  ${scopes.join(',').padEnd(16)}  made ${day(created)}  ${state}  ${name}`.trimEnd()
}

export function listKeys(flags: Flags & { json?: true }): void {
  const all = within(flags, (store) => store.list())
  if (flags.json) return console.log(JSON.stringify(all, undefined, 2))
  const now = Date.now()
  for (const key of all) console.log(lineOf(key, now))
  if (all.length === 0) console.error('There is no key: make one with "tickwire keys create".')
}

export function revokeKey(id: string, flags: Flags): void {
  const isDone = within(flags, (store) => store.revoke(id, Date.now()))
  if (!isDone) throw new ConfigError(`no valid key has the id ${JSON.stringify(id)}: "tickwire keys list" tells them`)
  console.log(`${id} is revoked.`)
}

export function endUser(user: string, flags: Flags): void {
  const now = Date.now()
  const ended = within(flags, (store) => {
    const valid = store.list().filter((key) => key.user === user && key.revoked === undefined && (key.expires ?? now + 1) > now)
    store.end(user, now)
    return valid.length
  })
  const keys = ended === 0 ? `${user} had no valid key` : `${ended} key${ended === 1 ? '' : 's'} of ${user} ended`
  console.log(`${keys}; JSON Web Tokens issued to ${user} until now are no longer valid.`)
}
