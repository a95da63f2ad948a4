/**
 * A block: a header that tells what is in it, the names of its topics, and its payload, each under a checksum, so that no flipped
 * bit is ever read as data. All numbers are little-endian. docs/recording.md shows the bytes.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** `events`: a table of events; `traffic`: a table of entries of the wire; `index`: what the closed segment holds. */
export const BLOCK_KINDS = ['events', 'traffic', 'index'] as const
export type BlockKind = (typeof BLOCK_KINDS)[number]

/** A block before it is packed. */
export type Block = {
  kind: BlockKind
  /** Batches count up in a run; all entries of one were written before those of the next. */
  batch: number
  /** Entries of the batch, over all its blocks. */
  total: number
  count: number
  topics: readonly string[]
  /** First and last receive times, and of events the least and greatest of their own. */
  from: number
  to: number
  ownFrom: number
  ownTo: number
  payload: Uint8Array
}
/** Where it stands in its segment, and all of it but the payload. */
export type BlockHead = Omit<Block, 'payload'> & {
  offset: number
  length: number
  codec: number
  stored: number
  raw: number
  crc: number
}

export const BLOCK_MAGIC = Buffer.from('TWBK')
const FIXED = 80
/** Its own checksum stands at the end of the fixed part. */
const CRC_AT = 76
const CODECS = { none: 0, zstd: 1 }
/** Nothing that is written is larger: a length beyond it is damage. */
const LARGEST = 1 << 30
const LEVEL_1 = { [constants.ZSTD_c_compressionLevel]: 1 }
/** What comes out is gathered in pieces of this size: small, since most blocks are. */
const PIECE = { least: 1 << 10, most: 1 << 16 }

export function packBlock(block: Block): Buffer {
  const chunkSize = Math.min(Math.max(PIECE.least, block.payload.length), PIECE.most)
  const zipped = zstdCompressSync(block.payload, { params: LEVEL_1, chunkSize, pledgedSrcSize: block.payload.length })
  const isSmaller = zipped.length < block.payload.length
  const stored = isSmaller ? zipped : block.payload
  const names = Buffer.from(JSON.stringify(block.topics))
  const bytes = Buffer.alloc(FIXED + names.length + stored.length)
  BLOCK_MAGIC.copy(bytes, 0)
  bytes.writeUInt8(BLOCK_KINDS.indexOf(block.kind), 4)
  bytes.writeUInt8(isSmaller ? CODECS.zstd : CODECS.none, 5)
  bytes.writeUInt32LE(block.batch, 8)
  bytes.writeUInt32LE(block.total, 12)
  bytes.writeUInt32LE(block.count, 16)
  bytes.writeUInt32LE(names.length, 20)
  bytes.writeUInt32LE(stored.length, 24)
  bytes.writeUInt32LE(block.payload.length, 28)
  bytes.writeDoubleLE(block.from, 32)
  bytes.writeDoubleLE(block.to, 40)
  bytes.writeDoubleLE(block.ownFrom, 48)
  bytes.writeDoubleLE(block.ownTo, 56)
  bytes.writeUInt32LE(crc32(stored), 64)
  names.copy(bytes, FIXED)
  bytes.writeUInt32LE(headCrc(bytes, names.length), CRC_AT)
  bytes.set(stored, FIXED + names.length)
  return bytes
}

/** Of a block that was just packed. */
export const headOf = ({ payload, ...block }: Block, bytes: Buffer, offset: number): BlockHead => ({
  ...block,
  offset,
  length: bytes.length,
  codec: bytes.readUInt8(5),
  stored: bytes.readUInt32LE(24),
  raw: payload.length,
  crc: bytes.readUInt32LE(64)
})

/** Over the fixed part up to it, and over the names. */
const headCrc = (bytes: Buffer, names: number): number =>
  crc32(bytes.subarray(FIXED, FIXED + names), crc32(bytes.subarray(0, CRC_AT)))

/** The head of the block that begins at `at`; nothing where there is none, or it is damaged, or does not end in these bytes. */
export function headAt(bytes: Buffer, at: number, base = 0): BlockHead | undefined {
  if (bytes.length - at < FIXED || bytes.compare(BLOCK_MAGIC, 0, 4, at, at + 4) !== 0) return undefined
  const names = bytes.readUInt32LE(at + 20)
  if (names > LARGEST || bytes.length - at < FIXED + names) return undefined
  const own = bytes.subarray(at, at + FIXED + names)
  if (headCrc(own, names) !== own.readUInt32LE(CRC_AT)) return undefined
  const kind = BLOCK_KINDS[own.readUInt8(4)]
  if (kind === undefined) return undefined
  const stored = own.readUInt32LE(24)
  return {
    kind,
    codec: own.readUInt8(5),
    batch: own.readUInt32LE(8),
    total: own.readUInt32LE(12),
    count: own.readUInt32LE(16),
    stored,
    raw: own.readUInt32LE(28),
    from: own.readDoubleLE(32),
    to: own.readDoubleLE(40),
    ownFrom: own.readDoubleLE(48),
    ownTo: own.readDoubleLE(56),
    crc: own.readUInt32LE(64),
    topics: JSON.parse(own.subarray(FIXED).toString()) as string[],
    offset: base + at,
    length: FIXED + names + stored
  }
}

/** Bytes of a head before its names are known; and with so many of them. */
export const HEAD_LEAST = FIXED

/** Whether the bytes of a block are what was written. */
export const isSound = (head: BlockHead, bytes: Buffer): boolean => storedOf(head, bytes) !== undefined

/** The payload of a whole block; nothing where it is damaged. `bytes` are those of the block. */
export function payloadOf(head: BlockHead, bytes: Buffer): Uint8Array | undefined {
  const stored = storedOf(head, bytes)
  if (!stored) return undefined
  if (head.codec === CODECS.none) return stored
  if (head.codec !== CODECS.zstd || head.raw > LARGEST) return undefined
  try {
    return zstdDecompressSync(stored, { maxOutputLength: Math.max(1, head.raw) })
  } catch {
    return undefined
  }
}

function storedOf(head: BlockHead, bytes: Buffer): Buffer | undefined {
  const again = headAt(bytes, 0, head.offset)
  if (!again || again.crc !== head.crc || again.length !== head.length || bytes.length < head.length) return undefined
  const stored = bytes.subarray(head.length - head.stored, head.length)
  return crc32(stored) === head.crc ? stored : undefined
}
