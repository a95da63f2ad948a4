/** A journal whose machine loses its power: what was said to be on the disk is there, and nothing else is taken for it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { blocksOf } from '../../src/journal/batch.ts'
import { openDisk } from '../../src/journal/disk.ts'
import type { Entry } from '../../src/journal/journal.ts'
import { openReader } from '../../src/journal/reader.ts'
import { createRandom } from '../../src/replay/random.ts'
import { createPowerDisk, onceFor, scratch, type PowerDisk } from '../power.ts'
import { entryAt, readAll } from './kit.ts'

const SEEDS = 5_000
const BATCHES = 5
const EACH = 2
/** More operations than any recording here has. */
const MOMENTS = 61
const DIRECTORY = '/var/data/journal'
const RUN = 'run'

/** Trades alone, so that a batch is one block. */
const entriesOf = (batch: number): Entry[] => Array.from({ length: EACH }, (_, i) => entryAt((batch * EACH + i) * 9, 1))
const all = Array.from({ length: BATCHES }, (_, batch) => entriesOf(batch))
const packed = all.map((entries, batch) => blocksOf(entries, batch))
const written = all.map((entries) => entries.map((entry) => JSON.stringify(entry)))

const folder = scratch('tickwire-power-')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Batches that were said to be on the disk before power was cut; `faults`: some writes and syncs fail before that. */
function record(seed: number, faults: boolean, change: (disk: PowerDisk) => PowerDisk) {
  const random = createRandom(`deeds ${seed}`)
  const fails = (kind: 'write' | 'sync') => faults && random() < (kind === 'write' ? 0.1 : 0.15)
  const storage = change(createPowerDisk(seed, seed % MOMENTS, fails))
  const segmentBytes = [1, 700, 64 << 20][seed % 3] ?? 1
  const options = {
    directory: DIRECTORY,
    run: RUN,
    what: ['events' as const],
    segmentBytes,
    mostBytes: Infinity,
    mostAge: Infinity
  }
  const disk = openDisk(options, () => 0, storage)
  const sure = new Set<number>()
  let waiting: number[] = []
  const settle = (isOnDisk: boolean) => {
    if (isOnDisk && disk.state().state === 'recording' && !storage.isCut()) for (const batch of waiting) sure.add(batch)
    waiting = []
  }
  for (const [batch, blocks] of packed.entries()) {
    if (disk.write(blocks, EACH)) waiting.push(batch)
    else waiting = []
    if (random() < 0.6) settle(disk.sync())
    if (disk.state().state !== 'recording') disk.retry()
  }
  settle(disk.close())
  return { storage, sure }
}

const read = onceFor(folder, async (root) => {
  const reader = openReader({ directory: join(root, DIRECTORY) })
  return (await readAll(reader, { run: RUN, what: 'events' })).map((entry) => JSON.stringify(entry))
})

/** Seeds of which something that was acknowledged is lost, and those that read what was never written, or not in order. */
async function seeds(count: number, faults: boolean, change: (disk: PowerDisk) => PowerDisk = (disk) => disk) {
  const known = written.flat()
  const told = { lost: [] as number[], wrong: [] as number[] }
  let acknowledged = 0
  for (let seed = 0; seed < count; seed++) {
    const { storage, sure } = record(seed, faults, change)
    const there = await read(storage.found())
    const held = new Set(there)
    if ([...sure].some((batch) => !written[batch]?.every((entry) => held.has(entry)))) told.lost.push(seed)
    if (there.join('\n') !== known.filter((entry) => held.has(entry)).join('\n')) told.wrong.push(seed)
    acknowledged += sure.size
  }
  return { told, acknowledged }
}

test.each([
  ['and nothing else fails', false],
  ['after some writes and syncs failed', true]
])(
  '[B7] [T14] power is cut at any moment, %s: what was synced is read, in order, and nothing that was not written',
  { timeout: 120_000 },
  async (_, faults) => {
    const { told, acknowledged } = await seeds(SEEDS / 2, faults)
    expect(told).toEqual({ lost: [], wrong: [] })
    expect(acknowledged).toBeGreaterThan(SEEDS / 2)
  }
)

test.each(['sync', 'syncFolder'] as const)('[B7] a disk on which %s does nothing is noticed', async (what) => {
  const { told } = await seeds(300, false, (disk) => ({ ...disk, [what]: () => {} }))
  expect(told.lost.length).toBeGreaterThan(10)
  expect(told.wrong).toEqual([])
})
