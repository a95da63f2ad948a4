/** A file of keys that is damaged, of another version, or not one: it is refused in words, and never read as something else. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { SILENT } from '../../src/ops/log.ts'
import { createRandom } from '../../src/replay/random.ts'
import { openAccess } from '../../src/store/access.ts'
import { openDatabase, StoreError } from '../../src/store/database.ts'
import { openKeyStore } from '../../src/store/keys.ts'
import { scratch } from '../power.ts'

const folder = scratch('tickwire-keys-')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0
const newPath = (): string => join(folder, `${made++}.db`)

function read(path: string): string {
  const store = openKeyStore(path)
  try {
    return JSON.stringify([store.hashed(), [...store.ended()]])
  } finally {
    store.close()
  }
}

function someKeys(): string {
  const path = newPath()
  const store = openKeyStore(path)
  for (const user of ['ann', 'bob', 'eve'])
    store.create({ name: `of ${user}`, user, scopes: ['read'], expires: 1_900_000_000_000 }, 1)
  store.revoke(store.list()[0]?.id ?? '', 2)
  store.end('bob', 3)
  store.close()
  return path
}

test(
  '[B8] of 10,000 flipped bits none changes what is read: it is refused, with a word of the backup, or harms nothing',
  { timeout: 120_000 },
  () => {
    const path = someKeys()
    const whole = readFileSync(path)
    const expected = read(path)
    const random = createRandom('flips')
    const told = { same: 0, refused: 0, wrong: [] as number[], words: new Set<string>() }
    for (let i = 0; i < 10_000; i++) {
      const bit = Math.floor(random() * whole.length * 8)
      const bytes = Buffer.from(whole)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      writeFileSync(path, bytes)
      try {
        if (read(path) === expected) told.same++
        else told.wrong.push(bit)
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        told.refused++
        if (!/put a backup in its place|put the copy from before in its place/.test(error.message)) told.words.add(error.message)
      }
    }
    expect(told).toMatchObject({ wrong: [], words: new Set() })
    // The rest are pages that nothing is on yet.
    expect(told.refused).toBeGreaterThan(250)
  }
)

test('[B11] a file of a newer version is refused in words, and not touched', async () => {
  const path = someKeys()
  const db = new DatabaseSync(path)
  db.exec('pragma user_version = 7')
  db.close()
  const bytes = readFileSync(path)
  expect(() => openKeyStore(path)).toThrow(/is of version 7, which a newer Tickwire wrote, and this one knows 1: update it/)
  const options = { host: '127.0.0.1', keys: [], insecure: false, store: path, jwt: { audience: 'tickwire' }, log: SILENT }
  await expect(openAccess(options)).rejects.toThrow(/^auth\.store: .*newer Tickwire/)
  expect(readFileSync(path).equals(bytes)).toBe(true)
})

test('[B8] a file that is none of ours is refused in words, and not touched', () => {
  const path = newPath()
  writeFileSync(path, 'these are no keys, and nobody wants them overwritten'.repeat(100))
  const bytes = readFileSync(path)
  expect(() => openKeyStore(path)).toThrow(
    /is damaged \(file is not a database\): nothing of it is used; put a backup in its place/
  )
  expect(readFileSync(path).equals(bytes)).toBe(true)
})

/** As it was before rows had sums. */
function oldKeys(): string {
  const path = newPath()
  const db = new DatabaseSync(path)
  db.exec(`
    create table keys (id text primary key, hash blob not null unique, name text not null, user text not null, scopes text not null,
      created integer not null, expires integer, revoked integer) strict;
    create table ended (user text primary key, at integer not null) strict;
    insert into keys values ('a', x'01', 'old', 'ann', 'read trade', 1, null, null), ('b', x'02', '', 'bob', 'read', 2, 9, 5);
    insert into ended values ('bob', 5);
  `)
  db.close()
  return path
}

test('[B11] a file from before is brought up to date at once, with all that was in it', () => {
  const path = oldKeys()
  const store = openKeyStore(path)
  expect(store.hashed()).toEqual([
    { hash: Buffer.from([1]), key: { id: 'a', name: 'old', user: 'ann', scopes: ['read', 'trade'], created: 1 } },
    { hash: Buffer.from([2]), key: { id: 'b', name: '', user: 'bob', scopes: ['read'], created: 2, expires: 9, revoked: 5 } }
  ])
  expect([...store.ended()]).toEqual([['bob', 5]])
  expect(store.revoke('a', 10)).toBe(true)
  store.close()
  expect(read(path)).toContain('"revoked":10')
})

test('[B11] what is interrupted while tables are changed leaves the file as it was', () => {
  const path = oldKeys()
  const bytes = readFileSync(path)
  expect(() =>
    openDatabase(path, {
      version: 1,
      upgrade(db) {
        db.exec('alter table keys add column sum blob; delete from ended')
        throw new StoreError('interrupted')
      }
    })
  ).toThrow('interrupted')
  expect(readFileSync(path).equals(bytes)).toBe(true)
})
