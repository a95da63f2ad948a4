/** A segment's two ends: the header that says what wrote it, and the index and trailer that a closed one ends with. */
import { crc32 } from 'node:zlib'
import type { RecordedWhat } from '@tickwire/protocol'
import { headAt, packBlock, payloadOf, type BlockHead } from './block.ts'

/** Readers refuse a newer one. */
export const FORMAT = 1

export type SegmentHeader = {
  run: string
  segment: number
  what: readonly RecordedWhat[]
  created: number
  /** Of the plant whose events these are. */
  epoch?: string
  /** Entries that were lost before it, when that began, and in the last word of a run until when: the disk was full. */
  lost?: { entries: number; since: number; until?: number }
}

const MAGIC = Buffer.from('TICKWIRE')
const FIXED = 20
const MOST_HEADER = 1 << 20

/** `width`: its text is so long, with spaces at its end, so that another may be written over it. */
export function packSegmentHeader(header: SegmentHeader, { version = FORMAT, width = 0 } = {}): Buffer {
  const text = Buffer.from(JSON.stringify(header).padEnd(width))
  const bytes = Buffer.alloc(FIXED + text.length)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(version, 8)
  bytes.writeUInt32LE(text.length, 12)
  text.copy(bytes, FIXED)
  bytes.writeUInt32LE(crc32(text, crc32(bytes.subarray(0, 16))), 16)
  return bytes
}

/** `short`: it is not there yet; `damaged`: its checksum is wrong. These two fields and the checksum stay where they are in every version. */
export type ReadHeader =
  | { ok: true; header: SegmentHeader; length: number }
  | { ok: false; why: 'short' | 'damaged' }
  | { ok: false; why: 'newer'; version: number }

export function readSegmentHeader(bytes: Buffer): ReadHeader {
  if (bytes.length < FIXED) return { ok: false, why: 'short' }
  const length = bytes.readUInt32LE(12)
  if (length > MOST_HEADER || bytes.compare(MAGIC, 0, 8, 0, 8) !== 0) return { ok: false, why: 'damaged' }
  if (bytes.length < FIXED + length) return { ok: false, why: 'short' }
  const text = bytes.subarray(FIXED, FIXED + length)
  if (crc32(text, crc32(bytes.subarray(0, 16))) !== bytes.readUInt32LE(16)) return { ok: false, why: 'damaged' }
  const version = bytes.readUInt32LE(8)
  if (version > FORMAT) return { ok: false, why: 'newer', version }
  return { ok: true, header: JSON.parse(text.toString()) as SegmentHeader, length: FIXED + length }
}

/** What a closed segment says of itself, so that nobody has to read its blocks to know. */
export type Summary = { from: number; to: number; events: number; frames: number }
type Index = { summary: Summary; blocks: readonly BlockHead[] }

export const emptySummary = (): Summary => ({ from: Infinity, to: -Infinity, events: 0, frames: 0 })
export function addTo(summary: Summary, { kind, from, to, count }: BlockHead): void {
  if (kind === 'index') return
  summary.from = Math.min(summary.from, from)
  summary.to = Math.max(summary.to, to)
  if (kind === 'events') summary.events += count
  else summary.frames += count
}

const END = Buffer.from('TWEND\0\0\0')
export const TRAILER = 24

/** What is appended to a segment of so many bytes to close it. */
export function packIndex(offset: number, summary: Summary, blocks: readonly BlockHead[]): Buffer {
  const { from, to } = summary.from > summary.to ? { from: 0, to: 0 } : summary
  const payload = Buffer.from(JSON.stringify({ summary: { ...summary, from, to }, blocks } satisfies Index))
  const none = { batch: 0, total: 0, topics: [], ownFrom: 0, ownTo: 0 }
  const block = packBlock({ kind: 'index', ...none, count: blocks.length, from, to, payload })
  const trailer = Buffer.alloc(TRAILER)
  trailer.writeBigUInt64LE(BigInt(offset), 0)
  trailer.writeUInt32LE(block.length, 8)
  trailer.writeUInt32LE(crc32(trailer.subarray(0, 12)), 12)
  END.copy(trailer, 16)
  return Buffer.concat([block, trailer])
}

/** Where the index of a file of `size` bytes stands, by its last bytes. */
export function readTrailer(trailer: Buffer, size: number): { offset: number; length: number } | undefined {
  if (trailer.length < TRAILER || trailer.compare(END, 0, 8, 16, 24) !== 0) return undefined
  if (crc32(trailer.subarray(0, 12)) !== trailer.readUInt32LE(12)) return undefined
  const offset = Number(trailer.readBigUInt64LE(0))
  const length = trailer.readUInt32LE(8)
  return offset + length + TRAILER === size ? { offset, length } : undefined
}

export function readIndex(bytes: Buffer): Index | undefined {
  const head = headAt(bytes, 0)
  const payload = head?.kind === 'index' ? payloadOf(head, bytes) : undefined
  return payload && (JSON.parse(Buffer.from(payload).toString()) as Index)
}
