/**
 * permessage-deflate as it can be shared (RFC 7692 with server_no_context_takeover): what is compressed looks at nothing that any
 * one client was sent before, so that the same bytes serve all of them.
 */
import { constants, deflateRawSync } from 'node:zlib'

/** Below this many bytes compressing costs more than it saves. */
const THRESHOLD = 1_024
export const isWorth = (bytes: number): boolean => bytes >= THRESHOLD

/** The fastest level, with tables that are quick to set up: it is called once per lane and flush. */
const OPTIONS = { level: 1, memLevel: 4, finishFlush: constants.Z_SYNC_FLUSH }
/** Ends with an empty block on a whole byte, whose last bytes a message leaves out at its end. */
export const deflated = (bytes: Uint8Array): Buffer => deflateRawSync(bytes, OPTIONS)
export const TAIL = 4

const MOST_STORED = 65_535
/** The same bytes, as blocks of a deflate stream that hold them as they are. */
export function stored(bytes: Uint8Array): Buffer {
  const blocks = Math.ceil(bytes.length / MOST_STORED)
  const out = Buffer.allocUnsafe(bytes.length + 5 * blocks)
  for (let block = 0, at = 0; block < blocks; block++) {
    const part = bytes.subarray(block * MOST_STORED, (block + 1) * MOST_STORED)
    out[at] = 0
    out.writeUInt16LE(part.length, at + 1)
    out.writeUInt16LE(~part.length & 0xffff, at + 3)
    out.set(part, at + 5)
    at += 5 + part.length
  }
  return out
}
/** The end of a message after stored blocks: the head of the empty block whose rest is left out. */
export const STORED = Buffer.from([0])

/** Bytes that may be compressed for a few clients alone: about a twentieth of a core. */
const ALONE = { perSecond: 6 * 1024 * 1024, burst: 1024 * 1024 }
/** A frame for this many is compressed whatever it costs: it is paid back by what is not written. */
const MANY = 32

/** Whether one frame for `members` clients is compressed as a whole, or put together from compressed parts. */
export function createThrift(now: number) {
  let allowance = ALONE.burst
  let at = now
  return (bytes: number, members: number, now: number): 'whole' | 'parts' => {
    if (members >= MANY) return 'whole'
    allowance = Math.min(ALONE.burst, allowance + (Math.max(0, now - at) / 1_000) * ALONE.perSecond)
    at = now
    if (bytes > allowance) return 'parts'
    allowance -= bytes
    return 'whole'
  }
}
