/** Keys on a machine that loses its power: a key that was shown holds, one that was revoked does not. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { openKeyStore, type KeyStore } from '../../src/store/keys.ts'
import { createPowerDisk, onceFor, PowerCut, scratch } from '../power.ts'
import { commit } from './commit.ts'

const SEEDS = 5_000
const PATH = '/data/keys.db'
const ANN = { name: 'of the desk', user: 'ann', scopes: ['read', 'trade'] as const }
const BOB = { name: '', user: 'bob', scopes: ['read'] as const, expires: 90_000 }

const folder = scratch('tickwire-keys-')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const stateOf = (store: KeyStore): string => JSON.stringify([store.hashed(), [...store.ended()]])

/** The bytes of the file and what it says, after each thing that was done; the first is one that was just made. */
function history(): { bytes: Buffer; state: string }[] {
  const path = join(folder, 'made.db')
  const store = openKeyStore(path)
  const states = [{ bytes: readFileSync(path), state: stateOf(store) }]
  const deeds = [
    () => store.create(ANN, 1),
    () => store.create(BOB, 2),
    () => store.revoke(store.list()[0]?.id ?? '', 3),
    () => store.end('bob', 4),
    () => store.create({ ...ANN, name: 'n'.repeat(5_000) }, 5)
  ]
  for (const deed of deeds) {
    deed()
    states.push({ bytes: readFileSync(path), state: stateOf(store) })
  }
  store.close()
  return states
}
const states = history()

const read = onceFor(folder, (root) => {
  const store = openKeyStore(join(root, PATH))
  try {
    return Promise.resolve(stateOf(store))
  } finally {
    store.close()
  }
})

/** Seeds after which something that was acknowledged is not there, or what is there was never said. */
async function lost(count: number, extra: boolean): Promise<number[]> {
  const found: number[] = []
  for (let seed = 0; seed < count; seed++) {
    const disk = createPowerDisk(seed, 3 + (seed % 101))
    let done = -1
    try {
      disk.mkdir('/data')
      disk.syncFolder('/')
      const file = disk.create(PATH)
      let before: Buffer = Buffer.alloc(0)
      for (const { bytes } of states) {
        commit(disk, PATH, file, [before, bytes], extra)
        before = bytes
        done++
      }
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error
    }
    const state = await read(disk.found())
    // What was under way is there whole, or not at all.
    if (state !== states[Math.max(done, 0)]?.state && state !== states[done + 1]?.state) found.push(seed)
  }
  return found
}

test(
  '[B7] [T13] power is cut at any moment of 5,000: what was acknowledged is there, and nothing half',
  { timeout: 120_000 },
  async () => {
    const db = openDatabase(join(folder, 'settings.db'), { version: 1, upgrade: () => {} })
    const { synchronous } = db.prepare('pragma synchronous').get() as { synchronous: number }
    const { journal_mode: mode } = db.prepare('pragma journal_mode').get() as { journal_mode: string }
    db.close()
    expect({ mode, synced: synchronous >= 2 }).toEqual({ mode: 'delete', synced: true })
    expect(await lost(SEEDS, synchronous === 3)).toEqual([])
  }
)

test('[B7] the same disk undoes a commit whose deleted journal comes back', async () => {
  expect((await lost(300, false)).length).toBeGreaterThan(3)
})
