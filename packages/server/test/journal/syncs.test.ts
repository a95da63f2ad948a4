/** How much a power cut may cost: how many entries are written together, and how many of them are not synced yet. */
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { blocksOf } from '../../src/journal/batch.ts'
import { openDisk, SYNC_EVERY } from '../../src/journal/disk.ts'
import { segmentName } from '../../src/journal/names.ts'
import { openSegment } from '../../src/journal/scan.ts'
import { files, type Storage } from '../../src/journal/storage.ts'
import { openWriter } from '../../src/journal/writer.ts'
import { entries, entryAt, newDirectory } from './kit.ts'

/** How many entries each batch of a run has that lies in one segment. */
const batchesIn = (directory: string, run: string): number[] => [
  ...new Map(openSegment(join(directory, run, segmentName(0))).blocks.map(({ batch, total }) => [batch, total])).values()
]

test('[B7] a batch has 1,000 entries at most, and 4,096 where the thread is still at the one before it', async () => {
  const directory = newDirectory()
  const writer = openWriter({ directory, what: ['events'], epoch: 'e' })
  const append = (count: number) => entries(count).forEach((entry) => writer.append(entry))
  // In one turn: the thread's answer to the first batch cannot have come yet.
  append(10_000)
  await writer.flush()
  // It is idle again.
  append(1_000)
  await writer.flush()
  append(1_300)
  await writer.stop()
  expect(batchesIn(directory, writer.run)).toEqual([1_000, 4_096, 4_096, 808, 1_000, 1_000, 300])
  expect(writer.status().lost).toBe(0)
})

/** A disk that counts what is written to it and not synced. `most`: of that, at any moment. */
function countedDisk(segmentBytes = 64 << 20) {
  let now = 0
  let [handed, written, synced, most, syncs] = [0, 0, 0, 0, 0]
  const storage: Storage = {
    ...files,
    write(file, chunk, at) {
      written = handed
      most = Math.max(most, written - synced)
      return files.write(file, chunk, at)
    },
    sync() {
      synced = written
      syncs++
    },
    syncFolder: () => {}
  }
  const options = { directory: newDirectory(), run: 'run', what: ['events' as const], segmentBytes }
  const disk = openDisk({ ...options, mostBytes: Infinity, mostAge: Infinity }, () => now, storage)
  const block = blocksOf([entryAt(0)], 0)
  return {
    /** What of it all is not on the disk once it is acknowledged. */
    write(count: number, after = 0): number {
      now += after
      handed += count
      expect(disk.write(block, count)).toBe(true)
      return written - synced
    },
    close: disk.close,
    most: () => most,
    syncs: () => syncs
  }
}

test('[B7] once a batch is acknowledged fewer than 1,000 entries are not synced, and never more than 1,000 or one batch', () => {
  const batch = fc.record({
    count: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 4_096 })),
    after: fc.nat(400)
  })
  fc.assert(
    fc.property(fc.array(batch, { minLength: 1, maxLength: 30 }), (batches) => {
      const disk = countedDisk(2_000)
      for (const { count, after } of batches) expect(disk.write(count, after)).toBeLessThan(1_000)
      expect(disk.most()).toBeLessThanOrEqual(Math.max(1_000, ...batches.map(({ count }) => count)))
      disk.close()
    }),
    { numRuns: 25 }
  )
})

test('[B7] what is little is synced together, and within a second', () => {
  const disk = countedDisk()
  for (let i = 0; i < 99; i++) disk.write(10)
  expect(disk.syncs()).toBe(0)
  expect(disk.write(10)).toBe(0)
  expect(disk.write(10, SYNC_EVERY - 1)).toBe(10)
  expect(disk.write(10, 1)).toBe(0)
  expect(disk.syncs()).toBe(2)
  disk.close()
})
