/** Journals and files of keys whose process is killed at any moment: what was acknowledged is there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { openReader } from '../../src/journal/reader.ts'
import { createRandom } from '../../src/replay/random.ts'
import { openKeyStore } from '../../src/store/keys.ts'
import { scratch } from '../power.ts'
import { entryAt, readAll } from './kit.ts'

/** Each ends so many writers of journals and of keys with one signal, each at another point of its work. */
const KILLS = 40
const LANES = 5
const KEYS = 500
const PROGRAM = new URL('killed.ts', import.meta.url).pathname

const folder = scratch('tickwire-killed-')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Killed when it has told so much of both, at least; it tells into a file, which never makes it wait. */
async function killedAfter(root: string, keys: number, recorded: number, pace: number): Promise<void> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') }
  const path = join(root, 'told')
  const file = openSync(path, 'w')
  const child = spawn(process.execPath, [PROGRAM, root, String(LANES), String(pace)], { env, stdio: ['ignore', file, 'inherit'] })
  const ended = once(child, 'exit')
  closeSync(file)
  while (child.exitCode === null) {
    const told = readFileSync(path, 'utf8')
    const made = told.replaceAll('j', '').length
    if (made >= keys && told.length - made >= recorded) break
    await setTimeout(2)
  }
  child.kill('SIGKILL')
  expect(await ended).toEqual([null, 'SIGKILL'])
}

const linesOf = <T>(path: string): T[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)

/** How many entries it was told of. */
async function checkJournal(directory: string): Promise<number> {
  const { n, run } = linesOf<{ n: number; run: string }>(join(directory, 'recorded')).at(-1) ?? { n: 0, run: '' }
  if (n === 0) return 0
  const reader = openReader({ directory: join(directory, 'journal') })
  const found = await readAll(reader, { run, what: 'events' })
  expect(found.length).toBeGreaterThanOrEqual(n)
  expect(found).toEqual(found.map((_, i) => entryAt(i)))
  expect(reader.runs()).toMatchObject([{ open: false, damaged: 0, events: found.length }])
  return n
}

/** How many changes it was told of. */
function checkKeys(directory: string): number {
  const told = linesOf<{ made?: string; revoked?: string }>(join(directory, 'kept'))
  const store = openKeyStore(join(directory, 'keys.db'))
  const all = new Map(store.list().map((key) => [key.id, key]))
  store.close()
  const made = told.flatMap(({ made: id }) => id ?? [])
  const revoked = new Set(told.flatMap(({ revoked: id }) => id ?? []))
  expect(made.filter((id) => !all.has(id))).toEqual([])
  expect([...revoked].filter((id) => all.get(id)?.revoked === undefined)).toEqual([])
  // Of what it was not told of there is one at most: the one under way.
  const more = [...all.values()].filter(({ revoked: at }) => at !== undefined).length - revoked.size + all.size - made.length
  expect([0, 1]).toContain(more)
  return told.length
}

test(
  `[T13] [T14] [B6] ${KILLS * LANES} writers of journals and as many of keys are killed at random moments: nothing that was acknowledged is lost`,
  { timeout: 480_000 },
  async () => {
    const random = createRandom('kills')
    const told = { kills: 0, keys: 0, journals: 0 }
    const generation = async (i: number) => {
      const root = join(folder, String(i))
      const lanes = Array.from({ length: LANES }, (_, lane) => join(root, String(lane)))
      for (const lane of lanes) mkdirSync(lane, { recursive: true })
      await killedAfter(root, KEYS + Math.floor(random() * 200), 5 + Math.floor(random() * 20), 5 + Math.floor(random() * 60))
      told.kills += LANES
      for (const lane of lanes) {
        told.journals += Number((await checkJournal(lane)) > 0)
        told.keys += checkKeys(lane)
      }
      rmSync(root, { recursive: true })
    }
    const half = async (first: number) => {
      for (let i = first; i < KILLS; i += 2) await generation(i)
    }
    // The first compiles for all.
    await generation(0)
    await Promise.all([half(2), half(1)])
    expect(told.kills).toBe(KILLS * LANES)
    expect(told.keys).toBeGreaterThanOrEqual(20_000)
    // On a busy machine a lane may not have come to a first word; all of a generation cannot.
    expect(told.journals).toBeGreaterThanOrEqual(KILLS)
  }
)
