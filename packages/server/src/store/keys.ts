/** API keys in an SQLite file: their SHA-256 only, so that whoever reads the file can use none of them. */
import { createHash, randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Scope } from '../gateway/auth.ts'
import { atOnce, damaged, inWords, openDatabase, type Layout } from './database.ts'

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

type Ended = { user: string; at: number }
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
type Summed<T> = T & { sum: Uint8Array }

const TABLES = `
  create table if not exists keys (
    id text primary key, hash blob not null unique, name text not null, user text not null, scopes text not null,
    created integer not null, expires integer, revoked integer
  ) strict;
  create table if not exists ended (user text primary key, at integer not null) strict;
`
const SUMS = `
  alter table keys add column sum blob not null default x'';
  alter table ended add column sum blob not null default x'';
`

const LAYOUT: Layout = {
  version: 1,
  upgrade(db) {
    db.exec(TABLES)
    db.exec(SUMS)
    for (const row of rowsOf(db)) sign(db, row)
    for (const row of endedOf(db)) signEnd(db, row)
  }
}

/** Named: of a damaged file a column may be `Hash`, which SQLite takes for `hash` and tells as it is. */
const named = (...columns: string[]): string => columns.map((column) => `${column} as ${column}`).join(', ')
const COLUMNS = named('id', 'hash', 'name', 'user', 'scopes', 'created', 'expires', 'revoked', 'sum')

const digest = (...values: readonly unknown[]): Uint8Array =>
  createHash('sha256').update(JSON.stringify(values)).digest().subarray(0, 16)
/** Of all a row says: SQLite has no checksums, and a bit that flips in a row could lengthen a key's life, or widen what it may. */
const sumOf = ({ id, hash, name, user, scopes, created, expires, revoked }: Row): Uint8Array =>
  digest(id, Buffer.from(hash).toString('hex'), name, user, scopes, created, expires, revoked)
const sumOfEnd = ({ user, at }: Ended): Uint8Array => digest(user, at)
/** Of a damaged file it need not even be bytes. */
const isSame = (found: unknown, sum: Uint8Array): boolean => found instanceof Uint8Array && Buffer.compare(found, sum) === 0

const rowsOf = (db: DatabaseSync) =>
  db.prepare(`select ${COLUMNS} from keys order by created, id`).all() as unknown as Summed<Row>[]
const endedOf = (db: DatabaseSync) =>
  db.prepare(`select ${named('user', 'at', 'sum')} from ended`).all() as unknown as Summed<Ended>[]
const sign = (db: DatabaseSync, row: Row): void => {
  db.prepare('update keys set sum = ? where id = ?').run(sumOf(row), row.id)
}
const signEnd = (db: DatabaseSync, row: Ended): void => {
  db.prepare('update ended set sum = ? where user = ?').run(sumOfEnd(row), row.user)
}

const keyOf = ({ id, name, user, scopes, created, expires, revoked }: Row): StoredKey => {
  const key: StoredKey = { id, name, user, scopes: scopes.split(' ') as Scope[], created }
  if (expires !== null) key.expires = expires
  if (revoked !== null) key.revoked = revoked
  return key
}

/** Opens the file, or makes it, readable by its owner only. Each call throws StoreError where the file cannot be used. */
export function openKeyStore(path: string) {
  const db = openDatabase(path, LAYOUT)
  const rows = (): Row[] =>
    inWords(path, () => rowsOf(db)).map((row) => {
      if (!isSame(row.sum, sumOf(row))) throw damaged(path, `the key ${JSON.stringify(row.id)} is not what was written`)
      return row
    })
  const change = <T>(act: () => T): T => inWords(path, () => atOnce(db, act))
  /** Those of them that are not revoked yet; how many that were. */
  const revoke = (those: readonly Row[], now: number): number => {
    const valid = those.filter(({ revoked }) => revoked === null)
    for (const row of valid) {
      db.prepare('update keys set revoked = ? where id = ?').run(now, row.id)
      sign(db, { ...row, revoked: now })
    }
    return valid.length
  }

  return {
    /** The key itself is in the answer, and nowhere else ever again. */
    create({ name, user, scopes, expires }: NewKey, now: number): { key: string; stored: StoredKey } {
      const id = randomBytes(6).toString('hex')
      const key = `tw_${id}_${randomBytes(32).toString('base64url')}`
      const hash = createHash('sha256').update(key).digest()
      const row: Row = { id, hash, name, user, scopes: scopes.join(' '), created: now, expires: expires ?? null, revoked: null }
      change(() =>
        db
          .prepare('insert into keys values (?, ?, ?, ?, ?, ?, ?, ?, ?)')
          .run(id, hash, name, user, row.scopes, now, row.expires, row.revoked, sumOf(row))
      )
      return { key, stored: keyOf(row) }
    },

    list: (): StoredKey[] => rows().map(keyOf),
    /** With the SHA-256 of each. */
    hashed: (): { hash: Buffer; key: StoredKey }[] => rows().map((row) => ({ hash: Buffer.from(row.hash), key: keyOf(row) })),

    /** False where there is none of this id, or it is revoked already. */
    revoke: (id: string, now: number): boolean =>
      change(() =>
        revoke(
          rows().filter((row) => row.id === id),
          now
        )
      ) > 0,

    /** Ends what was issued to a user until now: his keys, and his JSON Web Tokens. */
    end(user: string, now: number): void {
      change(() => {
        db.prepare(
          'insert into ended values (?, ?, ?) on conflict (user) do update set at = excluded.at, sum = excluded.sum'
        ).run(user, now, sumOfEnd({ user, at: now }))
        revoke(
          rows().filter((row) => row.user === user),
          now
        )
      })
    },
    ended: (): ReadonlyMap<string, number> =>
      new Map(
        inWords(path, () => endedOf(db)).map((row) => {
          if (!isSame(row.sum, sumOfEnd(row)))
            throw damaged(path, `what was ended for ${JSON.stringify(row.user)} is not what was written`)
          return [row.user, row.at]
        })
      ),

    /** A number that changes whenever another process has written. */
    version: (): number =>
      inWords(path, () => (db.prepare('pragma data_version').get() as { data_version: number }).data_version),
    close: (): void => db.close()
  }
}
