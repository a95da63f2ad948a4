/** Messages in WebSocket frames: unmasked and unfragmented, as a server sends them (RFC 6455, 5.2). */

/** A text frame, or a binary one. */
export type Message = string | Uint8Array

export const headerLength = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10)

const TEXT = 0x81
const BINARY = 0x82
/** RSV1: the payload is compressed (RFC 7692, 6). */
const COMPRESSED = 0x40

export type Payload = { binary: boolean; compressed: boolean; bytes: number }

/** Returns where the payload begins. */
export function writeHeader({ binary, compressed, bytes }: Payload, into: Buffer, at: number): number {
  into[at] = (binary ? BINARY : TEXT) | (compressed ? COMPRESSED : 0)
  if (bytes < 126) into[at + 1] = bytes
  else if (bytes < 65_536) {
    into[at + 1] = 126
    into.writeUInt16BE(bytes, at + 2)
  } else {
    into[at + 1] = 127
    into.writeUInt32BE(Math.floor(bytes / 0x1_0000_0000), at + 2)
    into.writeUInt32BE(bytes >>> 0, at + 6)
  }
  return at + headerLength(bytes)
}

/** Returns where it ends. */
export function writeText(text: string, bytes: number, into: Buffer, at: number): number {
  // As many bytes as characters: ASCII, which needs no transcoding.
  into.write(text, at, bytes === text.length ? 'latin1' : 'utf8')
  return at + bytes
}

function writeFrame(message: Message, bytes: number, into: Buffer, at: number): number {
  const start = writeHeader({ binary: typeof message !== 'string', compressed: false, bytes }, into, at)
  if (typeof message === 'string') return writeText(message, bytes, into, start)
  into.set(message, start)
  return start + bytes
}

/** All messages in one buffer, each a frame of its own, for one write. */
export function framesOf(messages: readonly Message[]): Buffer {
  const sizes = messages.map((message) => Buffer.byteLength(message))
  const buffer = Buffer.allocUnsafe(sizes.reduce((sum, bytes) => sum + headerLength(bytes) + bytes, 0))
  let at = 0
  for (const [i, message] of messages.entries()) at = writeFrame(message, sizes[i]!, buffer, at)
  return buffer
}

/**
 * Messages that leave together. The bytes are made once, when the first socket asks, and shared by all of them; `frames` counts the
 * messages, `events` what is told in them.
 */
export type Batch = { readonly messages: readonly Message[]; frames: number; events: number; bytes: () => Buffer }

export function createBatch(messages: readonly Message[], events: number): Batch {
  let bytes: Buffer | undefined
  return { messages, frames: messages.length, events, bytes: () => (bytes ??= framesOf(messages)) }
}
