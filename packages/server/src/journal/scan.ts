/** The reading end of one segment: its index where it was closed, else its blocks one by one, over damage to the next one that is whole. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { BLOCK_MAGIC, headAt, HEAD_LEAST, isSound, payloadOf, type BlockHead } from './block.ts'
import {
  addTo,
  emptySummary,
  readIndex,
  readSegmentHeader,
  readTrailer,
  TRAILER,
  type SegmentHeader,
  type Summary
} from './segment.ts'

export type Segment = {
  path: string
  size: number
  /** When it was last written to: another size or time is another segment. */
  changed: number
  header: SegmentHeader | undefined
  summary: Summary
  blocks: readonly BlockHead[]
  /** It ends with its index: nothing more comes. */
  closed: boolean
  /** Places where bytes are not what was written. */
  damaged: number
  /** Bytes at its end that are no whole block. */
  cut: number
}

/** A newer Tickwire wrote it. */
export class NewerFormat extends Error {}

/** Read at a time while blocks are looked for. */
const WINDOW = 1 << 20
/** Topics of one block have names of less than this together. */
const HEAD_MOST = 1 << 22

type File = { handle: number; size: number; changed: number; path: string }

/** Of one that was `known` only what was appended since is read. Throws where there is no such file, or a newer version wrote it. */
export function openSegment(path: string, known?: Segment): Segment {
  const handle = openSync(path, 'r')
  try {
    const { size, mtimeMs: changed } = fstatSync(handle)
    const file = { handle, size, changed, path }
    if (known && !known.closed && known.blocks.length > 0 && known.header && known.damaged === 0 && size >= known.size)
      return scanned(file, { header: known.header, at: known.size - known.cut, damaged: 0 }, known)
    const start = headerOf(file)
    return closedSegment(file, start.header) ?? scanned(file, start)
  } finally {
    closeSync(handle)
  }
}

function read({ handle, size }: File, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - at)))
  let done = 0
  while (done < bytes.length) {
    const got = readSync(handle, bytes, done, bytes.length - done, at + done)
    if (got === 0) break
    done += got
  }
  return bytes.subarray(0, done)
}

type Start = { header: SegmentHeader | undefined; at: number; damaged: number }

function headerOf(file: File): Start {
  const found = readSegmentHeader(read(file, 0, WINDOW))
  if (found.ok) return { header: found.header, at: found.length, damaged: 0 }
  if (found.why === 'newer')
    throw new NewerFormat(
      `${file.path} is of version ${found.version} of the journal's format, which a newer Tickwire wrote: update this one to read it`
    )
  // Too short for a header it was cut; else what is wrong is in the header, and blocks follow.
  return { header: undefined, at: 0, damaged: found.why === 'damaged' || file.size > WINDOW ? 1 : 0 }
}

function closedSegment(file: File, header: SegmentHeader | undefined): Segment | undefined {
  const at = file.size < TRAILER ? undefined : readTrailer(read(file, file.size - TRAILER, TRAILER), file.size)
  const index = at && readIndex(read(file, at.offset, at.length))
  if (!index) return undefined
  const { path, size, changed } = file
  return { path, size, changed, header, ...index, closed: true, damaged: header ? 0 : 1, cut: 0 }
}

function scanned(file: File, start: Start, known?: Segment): Segment {
  const blocks = [...(known?.blocks ?? [])]
  const summary = known ? { ...known.summary } : emptySummary()
  let { at, damaged } = start
  let closed = false
  let whole = at
  while (at < file.size) {
    const head = blockAt(file, at)
    if (!head) {
      const next = nextBlock(file, at + 1)
      if (next === undefined) break
      // The header of a segment that is damaged is counted already.
      if (at > 0 || start.header) damaged++
      at = next
      continue
    }
    at += head.length
    whole = at
    if (head.kind === 'index') {
      closed = true
      break
    }
    blocks.push(head)
    addTo(summary, head)
  }
  const { path, size, changed } = file
  // Closed, but not to be found by its end: that is torn off, or damaged.
  if (closed && !known && size - whole >= TRAILER) damaged++
  if (closed && size - whole >= TRAILER) whole = size
  return { path, size, changed, header: start.header, summary, blocks, closed, damaged, cut: size - whole }
}

/** A whole block: its head is right, and it does not reach beyond the end. */
function blockAt(file: File, at: number): BlockHead | undefined {
  const few = read(file, at, 4_096)
  const known = headAt(few, 0, at)
  const names = few.length >= HEAD_LEAST ? few.readUInt32LE(20) : 0
  const head = known ?? (names > 0 && names < HEAD_MOST ? headAt(read(file, at, HEAD_LEAST + names), 0, at) : undefined)
  return head && at + head.length <= file.size ? head : undefined
}

/** Where the next whole block begins. */
function nextBlock(file: File, from: number): number | undefined {
  for (let base = from; base < file.size; base += WINDOW - 3) {
    const bytes = read(file, base, WINDOW)
    for (let i = bytes.indexOf(BLOCK_MAGIC); i >= 0; i = bytes.indexOf(BLOCK_MAGIC, i + 1))
      if (blockAt(file, base + i)) return base + i
  }
  return undefined
}

/** The payloads of these blocks, in their order; nothing in the place of one that is damaged. */
export const payloadsOf = (path: string, blocks: readonly BlockHead[]): (Uint8Array | undefined)[] =>
  eachOf(path, blocks, payloadOf)

/** Those that are not what was written. */
export function damagedOf(path: string, blocks: readonly BlockHead[]): BlockHead[] {
  const sound = eachOf(path, blocks, isSound)
  return blocks.filter((_, i) => !sound[i])
}

function eachOf<T>(path: string, blocks: readonly BlockHead[], take: (head: BlockHead, bytes: Buffer) => T): T[] {
  const handle = openSync(path, 'r')
  try {
    const file = { handle, path, changed: 0, size: fstatSync(handle).size }
    return blocks.map((head) => take(head, read(file, head.offset, head.length)))
  } finally {
    closeSync(handle)
  }
}
