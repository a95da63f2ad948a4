/** Text in WebSocket frames: unmasked, unfragmented, uncompressed, as a server sends them (RFC 6455, 5.2). */

const headerLength = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10)

function writeFrame(text: string, bytes: number, into: Buffer, at: number): number {
  into[at] = 0x81
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
  // As many bytes as characters: ASCII, which needs no transcoding.
  return start + into.write(text, start, bytes === text.length ? 'latin1' : 'utf8')
}

/** All messages in one buffer, each a frame of its own, for one write. */
export function textFrames(messages: readonly string[]): Buffer {
  const sizes = messages.map((text) => Buffer.byteLength(text))
  const buffer = Buffer.allocUnsafe(sizes.reduce((sum, bytes) => sum + headerLength(bytes) + bytes, 0))
  let at = 0
  for (const [i, text] of messages.entries()) at = writeFrame(text, sizes[i]!, buffer, at)
  return buffer
}

/** Messages that leave together. The bytes are made once, when the first socket asks, and shared by all of them. */
export type Batch = { messages: readonly string[]; events: number; bytes: () => Buffer }

export function createBatch(messages: readonly string[], events: number): Batch {
  let bytes: Buffer | undefined
  return { messages, events, bytes: () => (bytes ??= textFrames(messages)) }
}
