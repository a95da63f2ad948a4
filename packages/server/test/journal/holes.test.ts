/** What a journal does not hold within a run is told by its times, and history counts it as not heard. */
import { closeSync, openSync, readdirSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Published } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { candlesOf, heldOf } from '../../src/history/recorded.ts'
import { createTrades } from '../../src/history/trades.ts'
import { blocksOf } from '../../src/journal/batch.ts'
import type { BlockHead } from '../../src/journal/block.ts'
import { openDisk } from '../../src/journal/disk.ts'
import type { Entry } from '../../src/journal/journal.ts'
import { openReader } from '../../src/journal/reader.ts'
import { openSegment } from '../../src/journal/scan.ts'
import { files, type Storage } from '../../src/journal/storage.ts'
import { withLosses } from '../../src/recording.ts'
import { gridOf } from '../../src/services/sessions.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { newDirectory, readAll } from './kit.ts'

const BEGIN = Date.UTC(2026, 0, 5, 10)
const BATCH = 10
const SECOND = 1_000
const query = { run: 'run', what: 'events' as const }
const whole = { from: BEGIN, to: BEGIN + 60 * SECOND }

/** A trade a second. */
const tradeAt = (n: number): Entry => {
  const time = BEGIN + n * SECOND
  const stamp = { provider: 'acme', instrument: 'S1-USDT', time, received: time + 3 }
  const event = { type: 'trade', ...stamp, id: String(n), price: 100, size: 1, side: 'buy', topic: 'trade:S1-USDT', seq: n + 1 }
  return { type: 'event', time: time + 5, event: { ...event, published: time + 5 } as Published }
}
const batchAt = (batch: number) =>
  blocksOf(
    Array.from({ length: BATCH }, (_, i) => tradeAt(batch * BATCH + i)),
    batch
  )

/** Six batches of ten seconds; `missing` are lost before they come to the disk, and so counted. */
function journal(missing: readonly number[] = [], closed = true) {
  const directory = newDirectory()
  const options = {
    directory,
    run: 'run',
    what: ['events' as const],
    segmentBytes: 64 << 20,
    mostBytes: Infinity,
    mostAge: Infinity
  }
  const disk = openDisk(options, () => BEGIN)
  for (let batch = 0; batch < 6; batch++) {
    if (missing.includes(batch)) disk.miss(BATCH)
    else disk.write(batchAt(batch), BATCH)
  }
  if (closed) disk.close()
  const paths = readdirSync(join(directory, 'run')).map((file) => join(directory, 'run', file))
  return { directory, path: paths[0]!, paths, reader: openReader({ directory }) }
}

function flip(path: string, at: number): void {
  const byte = readFileSync(path)[at]!
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of(byte ^ 4), 0, 1, at)
  closeSync(file)
}
const blockOf = (path: string, n: number): BlockHead => openSegment(path).blocks[n]!
const at = (second: number) => BEGIN + second * SECOND

test('[T14] a journal that is whole has no holes, and is not unchecked once that was asked', async () => {
  const { reader } = journal()
  expect(reader.runs()).toMatchObject([{ damaged: 0, unchecked: true }])
  expect(await reader.holes(query)).toEqual([])
  expect(reader.runs()[0]).not.toHaveProperty('unchecked')
})

test('[B4] entries that could not be written are a hole between those around them, with their number', async () => {
  const { reader, paths } = journal([2, 3])
  expect(paths).toHaveLength(2)
  expect(await reader.holes(query)).toEqual([{ from: at(19), to: at(40) + 5, why: 'lost', entries: 20 }])
  expect(await reader.holes({ ...query, from: at(45) })).toEqual([])
})

test('[B4] what was lost at the end of a run is told when it is read, with its number', async () => {
  const { reader, paths } = journal([2, 4, 5])
  expect(paths).toHaveLength(3)
  expect(await reader.holes(query)).toEqual([
    { from: at(19), to: at(30) + 5, why: 'lost', entries: 10 },
    { from: at(39), to: at(39) + 1, why: 'lost', entries: 20 }
  ])
  expect(reader.runs()).toMatchObject([{ events: 30, damaged: 0, cut: 0, to: at(39) + 5 }])
  expect(await readAll(reader, query)).toHaveLength(30)
})

/** A disk that takes no more once `isFull`, but what is written over what is there. */
function fillable() {
  const lengths = new Map<number, number>()
  const disk = { isFull: false }
  const full = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  const storage: Storage = {
    ...files,
    create(path) {
      if (disk.isFull) throw full()
      return files.create(path)
    },
    write(file, chunk, place) {
      const length = lengths.get(file) ?? 0
      if (disk.isFull && place + chunk.length > length) throw full()
      lengths.set(file, Math.max(length, place + chunk.length))
      return files.write(file, chunk, place)
    },
    close(file) {
      lengths.delete(file)
      files.close(file)
    },
    room: () => (disk.isFull ? 0 : Infinity)
  }
  return { disk, storage }
}

test.each(['closed', 'killed'])(
  '[B4] a run that ends (%s) while the disk is full says how many were lost at its end',
  async (how) => {
    const directory = newDirectory()
    const { disk: medium, storage } = fillable()
    const limits = { segmentBytes: 64 << 20, mostBytes: Infinity, mostAge: Infinity }
    let now = at(0)
    const disk = openDisk({ directory, run: 'run', what: ['events'], ...limits }, () => now, storage)
    disk.write(batchAt(0), BATCH)
    medium.isFull = true
    disk.write(batchAt(1), BATCH)
    medium.isFull = false
    disk.retry()
    disk.write(batchAt(2), BATCH)
    const reader = openReader({ directory })
    const before = { from: at(9), to: at(20) + 5, why: 'lost', entries: 10 }
    expect(await reader.holes(query)).toEqual([before])
    medium.isFull = true
    now = at(45)
    for (const batch of [3, 4]) disk.write(batchAt(batch), BATCH)
    disk.retry()
    if (how === 'closed') {
      disk.miss(7)
      now = at(52)
      disk.close()
    }
    const end = how === 'closed' ? { to: at(52) + 1, entries: 27 } : { to: at(45) + 1, entries: 20 }
    for (const each of [reader, openReader({ directory })])
      expect(await each.holes(query)).toEqual([before, { from: at(29), why: 'lost', ...end }])
  }
)

test.each([
  ['full', [{ from: at(59) + 5, to: Infinity, why: 'lost' }]],
  ['recording', []]
] as const)(
  '[B4] while the state is %s, what is not written is known to be missing before any header says so',
  async (state, holes) => {
    const { reader } = journal()
    const counts = { bytes: 0, events: 60, frames: 0, lost: 3 }
    const status = () => ({ state, reason: '', what: ['events' as const], since: at(62), run: 'run', ...counts })
    expect(await withLosses(reader, { status }).holes(query)).toEqual(holes)
  }
)

test('[T14] a damaged payload is a hole of its own time, of the topics in it alone, before anybody has read it', async () => {
  const { reader, path } = journal()
  const { offset, length } = blockOf(path, 3)
  flip(path, offset + length - 20)
  expect(reader.runs()).toMatchObject([{ damaged: 0, unchecked: true }])
  const hole = { from: at(30), to: at(39) + 1, why: 'damaged', entries: 10 }
  expect(await reader.holes({ ...query, topics: new Set(['trade:S2-USDT']) })).toEqual([])
  expect(await reader.holes({ ...query, topics: new Set(['trade:S1-USDT']) })).toEqual([hole])
  expect(reader.runs()).toMatchObject([{ damaged: 1 }])
})

test.each([
  ['the header of a block', true],
  ['the header of a block, and the index', false]
])('[T14] damage of %s is a hole between its neighbours', async (_, indexed) => {
  const { reader, path } = journal()
  const { offset } = blockOf(path, 3)
  if (!indexed) truncateSync(path, readFileSync(path).length - 1)
  flip(path, offset + 33)
  const [hole, ...more] = await reader.holes(query)
  expect(more).toEqual([])
  expect(hole!.from).toBeLessThanOrEqual(at(30))
  expect(hole!.to).toBeGreaterThan(at(39))
  expect(hole!.to - hole!.from).toBeLessThanOrEqual(11 * SECOND + 5)
})

test('[T14] a segment that is gone, or torn at its end, is a hole up to the next one', async () => {
  const { reader, path, paths } = journal([3])
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, blockOf(path, 2).offset + 9))
  const [first] = await reader.holes(query)
  expect(first).toMatchObject({ from: at(19), to: at(40) + 5 })
  expect(reader.runs()[0]!.cut).toBe(9)
  expect(await readAll(openReader({ directory: join(path, '../..') }), query)).toHaveLength(40)
  expect(paths).toHaveLength(2)
})

test('[S1-71] what is lost or damaged is not counted as heard: by candles, nor by what history holds', async () => {
  const { reader, path } = journal([2, 3])
  const { offset, length } = blockOf(path, 0)
  flip(path, offset + length - 20)
  const { spans } = await heldOf(reader, 'S1-USDT', whole)
  expect(spans).toEqual([
    { from: at(10), to: at(19) },
    { from: at(40) + 5, to: at(59) + 5 }
  ])
  const grid = gridOf('1m')
  const [candle] = await candlesOf(reader, { instrument: 'S1-USDT', interval: '1m', grid, now: Infinity, ...whole })
  expect(candle!.trades).toBe(30)
  expect(candle!.coverage).toBeCloseTo((9 + 19) / 60, 2)
})

test.each([
  ['asked of REST', true],
  ['marked as a gap where nobody tells it', false]
])('[S4-29] a hole in a run is %s', async (_, serves) => {
  const { reader } = journal([2, 3])
  const asked: { from: number; to: number }[] = []
  const ask = createTrades({
    journal: reader,
    plant: createPlant({ epoch: 'now' }),
    rest: (_instrument, span) => {
      asked.push(span)
      if (!serves) return Promise.resolve({ ok: false, why: 'no provider serves past trades of it' })
      const trades = Array.from({ length: 60 }, (__, n) => tradeAt(n)).flatMap((entry) =>
        entry.type === 'event' && entry.event.type === 'trade' && entry.event.time >= span.from && entry.event.time < span.to
          ? [entry.event]
          : []
      )
      return Promise.resolve({ ok: true, provider: 'acme', trades, ...span })
    },
    hears: () => false,
    gaps: () => [],
    clock: () => at(600),
    startedAt: at(500)
  })
  const page = await ask({ instrument: 'S1-USDT', from: at(0), to: at(59), limit: 1_000 })
  if (!page.ok) throw new Error(page.message)
  const hole = { from: at(19), to: at(40) + 5 }
  expect(asked).toEqual([hole])
  expect(page.trades.map(({ id }) => Number(id))).toEqual(
    Array.from({ length: 59 }, (__, n) => n).filter((n) => serves || n < 20 || n >= 40)
  )
  expect(page.gaps).toEqual(serves ? [] : [{ ...hole, why: 'no provider serves past trades of it' }])
})
