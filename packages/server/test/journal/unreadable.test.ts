/** A run of which nothing can be read is told of: what is known of it, and why; what lies beside it is read all the same. */
import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCandlePages } from '../../src/history/candles.ts'
import { lostWords, ofMode } from '../../src/history/runs.ts'
import { createTrades } from '../../src/history/trades.ts'
import { blocksOf } from '../../src/journal/batch.ts'
import { openDisk } from '../../src/journal/disk.ts'
import { startIn } from '../../src/journal/names.ts'
import { openReader } from '../../src/journal/reader.ts'
import { openSegment } from '../../src/journal/scan.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { createReplays } from '../../src/replay/registry.ts'
import { entryAt, newDirectory, readAll, T0 } from './kit.ts'

const RUN = '20260105-100000-e'
const BEGIN = Date.UTC(2026, 0, 5, 10)
const BATCH = 10
const batchAt = (batch: number) =>
  blocksOf(
    Array.from({ length: BATCH }, (_, i) => entryAt(batch * BATCH + i)),
    batch
  )

function diskOf(directory: string, run: string, clock = () => BEGIN) {
  const limits = { segmentBytes: 64 << 20, mostBytes: Infinity, mostAge: Infinity }
  return openDisk({ directory, run, what: ['events'], ...limits }, clock)
}

/** One of three batches to be hurt, and one beside it that is not. */
function journal() {
  const directory = newDirectory()
  for (const run of [RUN, '20260106-100000-e']) {
    const disk = diskOf(directory, run)
    for (const batch of [0, 1, 2]) disk.write(batchAt(batch), BATCH)
    disk.close()
  }
  const path = join(directory, RUN, '00000.twj')
  return { directory, path, reader: openReader({ directory }) }
}

const HURTS: [string, (path: string) => void, RegExp][] = [
  ['is empty', (path) => truncateSync(path, 0), /a file of it is torn before its first entry ends$/],
  ['ends within its header', (path) => truncateSync(path, 30), /a file of it is torn before its first entry ends$/],
  ['ends within its first block', (path) => truncateSync(path, openSegment(path).blocks[0]!.offset + 90), /is torn before/],
  [
    'is of other bytes',
    (path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length, 7)),
    /what was written is damaged$/
  ],
  [
    'cannot be read',
    (path) => {
      rmSync(path)
      mkdirSync(path)
    },
    /a file of it cannot be read \(EISDIR: /
  ]
]

test.each(HURTS)(
  '[T14] a run whose only file %s is listed with why, and is a hole of the time that is known',
  async (_, hurt, why) => {
    const { path, reader } = journal()
    hurt(path)
    const [lost, whole] = reader.runs()
    expect(lost).toMatchObject({ run: RUN, from: BEGIN, open: false, events: 0, reason: expect.stringMatching(why) })
    expect(lost!.reason).toContain('nothing of it can be read, as far as is known from 2026-01-05T10:00:00.000Z to ')
    expect(lost!.to).toBeGreaterThan(BEGIN)
    expect(whole).toMatchObject({ events: 3 * BATCH })
    expect(whole).not.toHaveProperty('reason')
    const query = { run: RUN, what: 'events' as const }
    expect(await readAll(reader, query)).toEqual([])
    expect(await reader.holes(query)).toEqual([{ from: BEGIN, to: lost!.to + 1, why: 'damaged' }])
    expect(await Array.fromAsync(reader.trades('S1-USDT', 0, Infinity))).not.toEqual([])
  }
)

test('[T14] a run of which every payload is damaged says so once that was looked for', async () => {
  const { path, reader } = journal()
  const bytes = readFileSync(path)
  for (const { offset, length } of openSegment(path).blocks) bytes[offset + length - 1]! ^= 1
  writeFileSync(path, bytes)
  expect(reader.runs()[0]).toMatchObject({ unchecked: true, damaged: 0 })
  const holes = await reader.holes({ run: RUN, what: 'events' })
  expect(holes.reduce((sum, { entries = 0 }) => sum + entries, 0)).toBe(3 * BATCH)
  const words = expect.stringMatching(/^nothing of it can be read, .*: what was written is damaged$/)
  expect(reader.runs()[0]).toMatchObject({ from: entryAt(0).time, reason: words })
})

test('[B4] a run of which nothing could be written, since there was no room from its start, says how much that was and when', async () => {
  const directory = newDirectory()
  let now = BEGIN
  const disk = diskOf(directory, RUN, () => now)
  disk.miss(25)
  now += 60_000
  disk.close()
  const reader = openReader({ directory })
  const span = { from: BEGIN, to: BEGIN + 60_000 }
  const reason =
    'nothing of it can be read, as far as is known from 2026-01-05T10:00:00.000Z to 2026-01-05T10:01:00.000Z: 25 entries could not be written'
  expect(reader.runs()).toMatchObject([{ run: RUN, ...span, what: ['events'], reason }])
  const query = { run: RUN, what: 'events' as const }
  expect(await reader.holes(query)).toEqual([{ from: span.from, to: span.to + 1, why: 'lost', entries: 25 }])
})

test.each([
  ['was made on a full disk', RUN, 1],
  ['is none of ours', 'backup', 0]
])('[B4] a folder without a file that %s is told of as it is', async (_, name, count) => {
  const directory = newDirectory()
  mkdirSync(join(directory, name))
  const reader = openReader({ directory })
  const words = expect.stringMatching(/it has no file, since there was no room for one, or it was removed$/)
  expect(reader.runs()).toMatchObject(Array.from({ length: count }, () => ({ run: RUN, from: BEGIN, reason: words })))
  expect(await reader.holes({ run: name, what: 'events' })).toHaveLength(count)
})

test('a run that was ended before there was anything to write down is none', () => {
  const directory = newDirectory()
  const disk = diskOf(directory, RUN)
  disk.write(batchAt(0), BATCH)
  // As a killed process leaves it: the room for its last word, and no segment yet.
  rmSync(join(directory, RUN, '00000.twj'))
  expect(openReader({ directory }).runs()).toEqual([])
})

test.each([
  ['first', 0],
  ['last', 2]
])('[T14] of several files the %s cannot be read: the others are, and there is a hole', async (_, hurt) => {
  const directory = newDirectory()
  const disk = diskOf(directory, RUN)
  for (const batch of [0, 1, 2]) {
    disk.write(batchAt(batch), BATCH)
    // Each begins a segment of its own.
    if (batch < 2) disk.miss(1)
  }
  disk.close()
  const path = join(directory, RUN, `0000${hurt}.twj`)
  renameSync(path, `${path}.aside`)
  mkdirSync(path)
  const reader = openReader({ directory })
  const [run] = reader.runs()
  expect(run).toMatchObject({ events: 2 * BATCH, damaged: 1 })
  expect(run).not.toHaveProperty('reason')
  const query = { run: RUN, what: 'events' as const }
  expect(await readAll(reader, query)).toHaveLength(2 * BATCH)
  const holes = await reader.holes(query)
  const missed = entryAt(hurt * BATCH).time
  expect(holes.some(({ from, to, why }) => why === 'damaged' && missed >= from && missed < to)).toBe(true)
})

test.each([
  ['names it with what is missing', BEGIN, true],
  ['does not speak of it where it was not', BEGIN - 86_400_000, false]
])('[S4-29] a page of past trades over a run of which nothing is left %s', async (_, from, isThere) => {
  const { path, reader } = journal()
  truncateSync(path, 0)
  const ask = createTrades({
    journal: ofMode(reader, 'live'),
    plant: createPlant({ epoch: 'now' }),
    rest: () => Promise.resolve({ ok: false, why: 'no provider serves past trades of it' }),
    hears: () => false,
    gaps: () => [],
    clock: () => T0 + 86_400_000,
    startedAt: T0 + 86_400_000
  })
  const page = await ask({ instrument: 'S1-USDT', from, to: from + 60_000, limit: 10 })
  const said = page.ok ? page.gaps.map(({ why }) => why).join() : page.message
  expect(said).toContain('no provider serves past trades of it')
  expect(said.includes(`the recording ${RUN}: nothing of it can be read`)).toBe(isThere)
})

test('[S4-29] candles that are missing of the time of a run of which nothing is left are told with its name', async () => {
  const { path, reader } = journal()
  truncateSync(path, 0)
  const ask = createCandlePages({
    journal: ofMode(reader, 'live'),
    history: () => Promise.resolve({ candles: [] }),
    live: () => [],
    sessions: () => undefined,
    clock: () => T0 + 86_400_000
  })
  const page = await ask({ instrument: 'S9-USDT', interval: '1m', from: BEGIN, to: BEGIN + 300_000, limit: 5 })
  expect(page.missing).toContain(`no provider and no recording has them; the recording ${RUN}: nothing of it can be read`)
})

test('a replay of it is refused with why', () => {
  const { path, reader } = journal()
  truncateSync(path, 0)
  const never = (): never => {
    throw new Error('nothing is opened')
  }
  const timers = { after: never, every: () => () => {} }
  const replays = createReplays({ reader, openWorld: never, clock: () => 0, timers, elapsed: () => 0, newId: never })
  const message = expect.stringMatching(/^run: nothing of it can be read, .*: a file of it is torn/)
  expect(replays.order({ run: RUN })).toEqual({ ok: false, code: 'BAD_MESSAGE', message })
  replays.stop()
})

test('of many such runs a few are named, and the others counted', () => {
  const run = { from: 0, to: 10, what: [], bytes: 0, events: 0, frames: 0, open: false, damaged: 1, cut: 0, reason: 'gone' }
  const runs = () => Array.from({ length: 5 }, (_, i) => ({ ...run, run: `r${i}` }))
  expect(lostWords({ runs }, { from: 5, to: 6 })).toBe(
    '; the recording r0: gone; the recording r1: gone; the recording r2: gone; and 2 more recordings'
  )
})

test('when a run began is in its name', () => {
  expect(startIn(RUN)).toBe(BEGIN)
  expect(['run', '20261399-000000-e', 'a-20260105-100000-e'].map(startIn)).toEqual([undefined, undefined, undefined])
})
