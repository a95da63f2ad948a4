/** Reads what a server wrote to a socket: whole frames, compressed or not, of text or MessagePack. */
import { constants, inflateRawSync } from 'node:zlib'
import { decode } from '@msgpack/msgpack'

const TAIL = Buffer.from([0, 0, 0xff, 0xff])
const lengthOf = (bytes: Buffer): [length: number, header: number] => {
  const short = bytes[1]!
  if (short < 126) return [short, 2]
  return short === 126 ? [bytes.readUInt16BE(2), 4] : [Number(bytes.readBigUInt64BE(2)), 10]
}

export type Frame = { value: unknown; compressed: boolean; binary: boolean; bytes: number }

export function readFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let rest = bytes; rest.length > 0;) {
    const [length, header] = lengthOf(rest)
    const payload = rest.subarray(header, header + length)
    if (payload.length < length) throw new Error('a frame is cut short')
    const compressed = (rest[0]! & 0x40) !== 0
    const binary = (rest[0]! & 0x0f) === 2
    const plain = compressed
      ? inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH })
      : Buffer.from(payload)
    frames.push({ value: binary ? decode(plain) : JSON.parse(plain.toString()), compressed, binary, bytes: length })
    rest = rest.subarray(header + length)
  }
  return frames
}
