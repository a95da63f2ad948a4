/** Files of keys whose upgrade is killed at any moment: each is as it was, or as it will be, and nothing is missing of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { createRandom } from '../../src/replay/random.ts'
import { openKeyStore } from '../../src/store/keys.ts'
import { scratch } from '../power.ts'

const KILLS = 100
/** More than one is brought up to date before any is killed. */
const FILES = 24
const KEYS = 150
const PROGRAM = new URL('upgrading.ts', import.meta.url).pathname

const folder = scratch('tickwire-upgrade-')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As it was before rows had sums; so long that it is many pages. */
function oldFile(): string {
  const path = join(folder, 'old.db')
  const db = new DatabaseSync(path)
  db.exec(`
    create table keys (id text primary key, hash blob not null unique, name text not null, user text not null, scopes text not null,
      created integer not null, expires integer, revoked integer) strict;
    create table ended (user text primary key, at integer not null) strict;
  `)
  const add = db.prepare(`insert into keys values (?, ?, ?, ?, 'read', ?, null, ?)`)
  db.exec('begin')
  for (let n = 0; n < KEYS; n++)
    add.run(`k${n}`, Buffer.from([n >> 8, n & 255]), `${n} `.repeat(100), `u${n % 9}`, n, n % 3 ? null : n)
  db.exec(`insert into ended values ('u1', 5), ('u2', 7); commit`)
  db.close()
  return path
}

/** All that is in it, and of which version. */
function stateOf(path: string): string {
  const db = new DatabaseSync(path)
  try {
    const asked = ['pragma user_version', 'pragma integrity_check', 'select * from keys', 'select * from ended']
    return JSON.stringify([...asked, 'select sql from sqlite_schema order by name'].map((sql) => db.prepare(sql).all()))
  } finally {
    db.close()
  }
}

/** Killed a little after it has begun so many; answers how many it has begun. */
async function killedAfter(root: string, begun: number, wait: number): Promise<number> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') }
  const child = spawn(process.execPath, [PROGRAM, root, String(FILES)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = 0
  const ended = once(child, 'close')
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.stdout.on('data', (letters: Buffer) => {
      said += letters.length
      if (said >= begun) resolve()
    })
  })
  await setTimeout(wait)
  child.kill('SIGKILL')
  expect(await ended).toEqual([null, 'SIGKILL'])
  return said
}

test(
  `[B11] ${KILLS} processes are killed while they bring files of keys up to date: no file is of neither layout, and no key is missing`,
  { timeout: 240_000 },
  async () => {
    const from = oldFile()
    const done = join(folder, 'done.db')
    copyFileSync(from, done)
    openKeyStore(done).close()
    const [before, after] = [stateOf(from), stateOf(done)]
    expect(before).not.toBe(after)
    const random = createRandom('upgrades')
    const told = { kills: 0, before: 0, after: 0, under: 0, neither: [] as string[] }

    async function generation(i: number): Promise<void> {
      const root = join(folder, String(i))
      mkdirSync(root)
      for (let n = 0; n < FILES; n++) copyFileSync(from, join(root, `${n}.db`))
      const begun = await killedAfter(root, 1 + Math.floor(random() * 3), random() * 8)
      told.kills++
      for (let n = 0; n < begun; n++) {
        const path = join(root, `${n}.db`)
        // What SQLite takes back is in it: the process was killed within the change.
        if (existsSync(`${path}-journal`)) told.under++
        const found = stateOf(path)
        if (found === before) told.before++
        else if (found === after) told.after++
        else told.neither.push(found)
        // What was taken back is done anew, and what was done is left.
        openKeyStore(path).close()
        if (found !== after && stateOf(path) !== after) told.neither.push(path)
      }
      rmSync(root, { recursive: true })
    }
    const half = async (first: number): Promise<void> => {
      for (let i = first; i < KILLS; i += 2) await generation(i)
    }
    // The first compiles for all.
    await generation(0)
    await Promise.all([half(2), half(1)])
    expect(told).toMatchObject({ kills: KILLS, neither: [] })
    // A journal is left by those alone that were killed within a change.
    expect(told.under).toBeGreaterThan(KILLS / 10)
    expect(told.after).toBeGreaterThan(KILLS / 10)
  }
)
