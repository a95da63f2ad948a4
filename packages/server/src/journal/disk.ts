/** The writing end: blocks go to the newest segment, which is closed when it is full or its day is over; a full disk is a state, no error. */
import { join } from 'node:path'
import type { RecordedWhat } from '@tickwire/protocol'
import { headOf, packBlock, type Block, type BlockHead } from './block.ts'
import { createLastWord } from './last-word.ts'
import { dayOf, segmentName } from './names.ts'
import { prune } from './retention.ts'
import { addTo, emptySummary, packIndex, packSegmentHeader, type SegmentHeader, type Summary } from './segment.ts'
import { files, makeFolder, type Storage } from './storage.ts'

export type DiskOptions = {
  directory: string
  run: string
  what: readonly RecordedWhat[]
  epoch?: string
  /** A segment is closed at this size. */
  segmentBytes: number
  /** Of all runs together; whole segments are removed, the oldest first, never the open one. */
  mostBytes: number
  /** Milliseconds. */
  mostAge: number
}

/** What became of it: `full` and `failed` lose what was handed in. */
export type DiskState = { state: 'recording' | 'full' | 'failed'; reason: string }

/** On the disk at least this often, milliseconds and entries. */
export const SYNC_EVERY = 1_000
const SYNC_ENTRIES = 1_000
/** Room for this much must be there before a full disk is tried again. */
const ROOM = 1 << 20
const TRIAL = 64 << 10
const OUT_OF_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

type Open = { file: number; path: string; number: number; bytes: number; day: number; summary: Summary; blocks: BlockHead[] }
export type Disk = ReturnType<typeof openDisk>

export function openDisk(options: DiskOptions, clock: () => number, storage: Storage = files) {
  const folder = join(options.directory, options.run)
  let open: Open | undefined
  let next = 0
  let bytes = 0
  let unsynced = 0
  let syncedAt = clock()
  let lost: SegmentHeader['lost']
  let now: DiskState = { state: 'recording', reason: 'recording' }
  const lastWord = createLastWord(folder, { run: options.run, what: options.what, created: clock() }, storage)
  /** Until a next segment does. */
  const sayLost = () => lastWord.say(lost && { ...lost, until: clock() })

  function start(day: number): Open {
    makeFolder(folder, storage)
    lastWord.reserve()
    const path = join(folder, segmentName(next))
    const file = storage.create(path)
    const { run, what, epoch } = options
    const header: SegmentHeader = { run, segment: next, what, created: clock() }
    if (epoch !== undefined) header.epoch = epoch
    if (lost) header.lost = lost
    const started: Open = { file, path, number: next, bytes: 0, day, summary: emptySummary(), blocks: [] }
    next++
    try {
      append(started, packSegmentHeader(header))
      // A segment whose name is not on the disk is not there after a power cut.
      storage.syncFolder(folder)
    } catch (error) {
      discard(started)
      throw error
    }
    return started
  }

  function append(segment: Open, chunk: Uint8Array): void {
    for (let written = 0; written < chunk.length;)
      written += storage.write(segment.file, chunk.subarray(written), segment.bytes + written)
    segment.bytes += chunk.length
    bytes += chunk.length
  }

  function discard(segment: Open): void {
    quietly(() => storage.close(segment.file))
    quietly(() => storage.remove(segment.path))
    bytes -= segment.bytes
  }

  function sync(): void {
    if (!open || unsynced === 0) return
    storage.sync(open.file)
    unsynced = 0
    syncedAt = clock()
  }

  /** Throws where it cannot be synced: what was not synced before is lost then, whatever a second try would say. */
  function close(): void {
    if (!open) return
    const closing = open
    open = undefined
    const end = closing.bytes
    try {
      append(closing, packIndex(end, closing.summary, closing.blocks))
    } catch {
      // Without an index it is read by its blocks.
      quietly(() => storage.cut(closing.file, end))
    }
    try {
      storage.sync(closing.file)
      unsynced = 0
      syncedAt = clock()
    } finally {
      if (closing.blocks.length === 0) discard(closing)
      else quietly(() => storage.close(closing.file))
    }
  }

  function put(packed: Buffer, heads: readonly BlockHead[], day: number): void {
    // What was lost stands in a header: so it is known between which two segments that was.
    if (open && (open.day !== day || open.bytes >= options.segmentBytes || lost)) {
      close()
      prune({ ...options, keep: options.run, number: next }, clock())
    }
    open ??= start(day)
    const at = open.bytes
    try {
      append(open, packed)
    } catch (error) {
      // What is half written must not stand before what comes after it.
      quietly(() => storage.cut(open!.file, at))
      bytes -= open.bytes - at
      open.bytes = at
      throw error
    }
    lost = undefined
    sayLost()
    for (const head of heads) {
      const placed = { ...head, offset: at + head.offset }
      open.blocks.push(placed)
      addTo(open.summary, placed)
    }
  }

  function fail(error: NodeJS.ErrnoException, entries: number): void {
    lost ??= { entries: 0, since: clock() }
    lost.entries += entries
    try {
      close()
    } catch {
      lost.entries += unsynced
      unsynced = 0
    }
    now = OUT_OF_ROOM.has(error.code ?? '')
      ? { state: 'full', reason: `there is no room in ${options.directory}: ${error.message}` }
      : { state: 'failed', reason: `${options.directory} cannot be written: ${error.message}` }
    sayLost()
  }

  function trySync(act: () => void): boolean {
    try {
      act()
      return true
    } catch (error) {
      const entries = unsynced
      unsynced = 0
      fail(error as NodeJS.ErrnoException, entries)
      return false
    }
  }

  return {
    /** True when they are written. */
    write(blocks: readonly Block[], entries: number): boolean {
      if (now.state !== 'recording') {
        if (lost) lost.entries += entries
        return false
      }
      const first = blocks[0]
      if (!first) return true
      const { packed, heads } = pack(blocks)
      const day = dayOf(first.from)
      try {
        // Never more than that is on its way, however much comes at once.
        if (unsynced > 0 && unsynced + entries > SYNC_ENTRIES) sync()
        try {
          put(packed, heads, day)
        } catch (error) {
          // A limit on the size of a file is met by the next file, if by any.
          if ((error as NodeJS.ErrnoException).code !== 'EFBIG' || (open?.blocks.length ?? 0) === 0) throw error
          close()
          put(packed, heads, day)
        }
      } catch (error) {
        fail(error as NodeJS.ErrnoException, entries)
        return false
      }
      unsynced += entries
      return unsynced < SYNC_ENTRIES && clock() - syncedAt < SYNC_EVERY ? true : trySync(sync)
    },

    sync: (): boolean => trySync(sync),

    /** Tries whether there is room again. */
    retry(): void {
      if (now.state === 'recording') return
      sayLost()
      try {
        makeFolder(folder, storage)
        if (storage.room(folder) < ROOM) return
        const trial = join(folder, 'trial')
        storage.remove(trial)
        const file = storage.create(trial)
        try {
          if (storage.write(file, Buffer.alloc(TRIAL), 0) < TRIAL) return
          storage.sync(file)
        } finally {
          storage.close(file)
          storage.remove(trial)
        }
        now = { state: 'recording', reason: 'recording: there is room again' }
      } catch {
        // Not yet.
      }
    },

    /** Notes what was lost before it came here. */
    miss(entries: number): void {
      lost ??= { entries: 0, since: clock() }
      lost.entries += entries
    },
    prune: (): void => prune({ ...options, keep: options.run, number: open?.number ?? next }, clock()),
    close: (): boolean => {
      const isWritten = trySync(close)
      sayLost()
      lastWord.end()
      return isWritten
    },
    state: (): DiskState => now,
    bytes: (): number => bytes
  }
}

function pack(blocks: readonly Block[]): { packed: Buffer; heads: BlockHead[] } {
  const heads: BlockHead[] = []
  const parts: Buffer[] = []
  let at = 0
  for (const block of blocks) {
    const part = packBlock(block)
    heads.push(headOf(block, part, at))
    parts.push(part)
    at += part.length
  }
  return { packed: Buffer.concat(parts), heads }
}

function quietly(act: () => void): void {
  try {
    act()
  } catch {
    // Nothing more can be done about it here.
  }
}
