/** Messages in WebSocket frames: unmasked, unfragmented, uncompressed, as a server sends them (RFC 6455, 5.2). */

/** A text frame, or a binary one. */
export type Message = string | Uint8Array

const headerLength = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10)

function writeFrame(message: Message, bytes: number, into: Buffer, at: number): number {
  into[at] = typeof message === 'string' ? 0x81 : 0x82
  if (bytes < 126) into[at + 1] = bytes
  else if (bytes < 65_536) {
    into[at + 1] = 126
    into.writeUInt16BE(bytes, at + 2)
  } else {
    into[at + 1] = 127
    into.writeUInt32BE(Math.floor(bytes / 0x1_0000_0000), at + 2)
    into.writeUInt32BE(bytes >>> 0, at + 6)
  }
  const start = at + headerLength(bytes)
  if (typeof message !== 'string') into.set(message, start)
  // As many bytes as characters: ASCII, which needs no transcoding.
  else into.write(message, start, bytes === message.length ? 'latin1' : 'utf8')
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

/** Messages that leave together. The bytes are made once, when the first socket asks, and shared by all of them. */
export type Batch = { messages: readonly Message[]; events: number; bytes: () => Buffer }

export function createBatch(messages: readonly Message[], events: number): Batch {
  let bytes: Buffer | undefined
  return { messages, events, bytes: () => (bytes ??= framesOf(messages)) }
}
