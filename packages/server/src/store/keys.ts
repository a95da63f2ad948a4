/** API keys in an SQLite file: their SHA-256 only, so that whoever reads the file can use none of them. */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Scope } from '../gateway/auth.ts'

export type StoredKey = {
  id: string
  /** What it is for, in the operator's words. */
  name: string
  user: string
  scopes: readonly Scope[]
  /** Epoch milliseconds. */
  created: number
  expires?: number
  revoked?: number
}
export type NewKey = Pick<StoredKey, 'name' | 'user' | 'scopes' | 'expires'>
export type KeyStore = ReturnType<typeof openKeyStore>

type Row = {
  id: string
  hash: Uint8Array
  name: string
  user: string
  scopes: string
  created: number
  expires: number | null
  revoked: number | null
}

const TABLES = `
  create table if not exists keys (
    id text primary key, hash blob not null unique, name text not null, user text not null, scopes text not null,
    created integer not null, expires integer, revoked integer
  ) strict;
  create table if not exists ended (user text primary key, at integer not null) strict;
`

const keyOf = ({ id, name, user, scopes, created, expires, revoked }: Row): StoredKey => {
  const key: StoredKey = { id, name, user, scopes: scopes.split(' ') as Scope[], created }
  if (expires !== null) key.expires = expires
  if (revoked !== null) key.revoked = revoked
  return key
}

/** Opens the file, or makes it, readable by its owner only. */
export function openKeyStore(path: string) {
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path)
  db.exec(`pragma busy_timeout = 5000; ${TABLES}`)
  const rows = () => db.prepare('select * from keys order by created, id').all() as unknown as Row[]

  return {
    /** The key itself is in the answer, and nowhere else ever again. */
    create({ name, user, scopes, expires }: NewKey, now: number): { key: string; stored: StoredKey } {
      const id = randomBytes(6).toString('hex')
      const key = `tw_${id}_${randomBytes(32).toString('base64url')}`
      const hash = createHash('sha256').update(key).digest()
      db.prepare('insert into keys values (?, ?, ?, ?, ?, ?, ?, null)').run(
        id,
        hash,
        name,
        user,
        scopes.join(' '),
        now,
        expires ?? null
      )
      const stored: StoredKey = { id, name, user, scopes, created: now }
      if (expires !== undefined) stored.expires = expires
      return { key, stored }
    },

    list: (): StoredKey[] => rows().map(keyOf),
    /** With the SHA-256 of each. */
    hashed: (): { hash: Buffer; key: StoredKey }[] => rows().map((row) => ({ hash: Buffer.from(row.hash), key: keyOf(row) })),

    /** False where there is none of this id, or it is revoked already. */
    revoke: (id: string, now: number): boolean =>
      db.prepare('update keys set revoked = ? where id = ? and revoked is null').run(now, id).changes > 0,

    /** Ends what was issued to a user until now: his keys, and his JSON Web Tokens. */
    end(user: string, now: number): void {
      db.prepare('insert into ended values (?, ?) on conflict (user) do update set at = excluded.at').run(user, now)
      db.prepare('update keys set revoked = ? where user = ? and revoked is null').run(now, user)
    },
    ended: (): ReadonlyMap<string, number> =>
      new Map(
        (db.prepare('select user, at from ended').all() as { user: string; at: number }[]).map(({ user, at }) => [user, at])
      ),

    /** A number that changes whenever another process has written. */
    version: (): number => (db.prepare('pragma data_version').get() as { data_version: number }).data_version,
    close: (): void => db.close()
  }
}
