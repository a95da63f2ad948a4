/**
 * What is due to a client in one flush, from parts that it shares with others: each lane's events are encoded once, as the inside
 * of an array, and a client's frame is those of its lanes put together: an array head, copies of bytes, an end.
 */
import type { Encoding } from '@tickwire/protocol'
import { deflated, isWorth, stored, STORED, TAIL } from './deflate.ts'
import { headerLength, writeHeader, writeText, type Batch, type Message } from './frame.ts'

/** `body`: the inside of an array; `small`: the same compressed, made when first asked for. */
export type Segment = { body: Buffer; count: number; events: number; small?: Buffer }

export type Taking = (bytes: number) => Buffer
export const fresh: Taking = (bytes) => Buffer.allocUnsafe(bytes)

export function segmentOf(parts: readonly Message[], encoding: Encoding, events: number, take: Taking = fresh): Segment {
  const count = parts.length
  if (encoding === 'msgpack') {
    const body = take((parts as Uint8Array[]).reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts as Uint8Array[]) at = put(part, body, at)
    return { body, count, events }
  }
  return textSegment(count === 1 ? String(parts[0]) : parts.join(','), events, take)
}

/** Of text that is the inside of an array already. */
export function textSegment(text: string, events: number, take: Taking): Segment {
  const body = take(Buffer.byteLength(text))
  writeText(text, body.length, body, 0)
  return { body, count: events, events }
}

const OPEN = Buffer.from('[')
const BETWEEN = Buffer.from(',')
const CLOSE = Buffer.from(']')
const NONE = Buffer.alloc(0)

/** The head of an array of so many, in MessagePack. */
function arrayHead(count: number): Buffer {
  if (count < 16) return Buffer.from([0x90 | count])
  if (count < 65_536) return Buffer.from([0xdc, count >>> 8, count & 0xff])
  return Buffer.from([0xdd, count >>> 24, (count >>> 16) & 0xff, (count >>> 8) & 0xff, count & 0xff])
}

type Brackets = { open: Buffer; between: Buffer; close: Buffer }
const bracketsOf = (encoding: Encoding, segments: readonly Segment[]): Brackets =>
  encoding === 'json'
    ? { open: OPEN, between: BETWEEN, close: CLOSE }
    : { open: arrayHead(segments.reduce((sum, { count }) => sum + count, 0)), between: NONE, close: NONE }

const put = (from: Uint8Array, into: Buffer, at: number): number => {
  into.set(from, at)
  return at + from.length
}

function writePlain(segments: readonly Segment[], { open, between, close }: Brackets, into: Buffer, at: number): number {
  let to = put(open, into, at)
  for (const [i, { body }] of segments.entries()) {
    if (i > 0) to = put(between, into, to)
    to = put(body, into, to)
  }
  return put(close, into, to)
}

const plainLength = (segments: readonly Segment[], { open, between, close }: Brackets): number =>
  segments.reduce((sum, { body }) => sum + body.length, open.length + close.length + between.length * (segments.length - 1))

/** Compressed parts follow each other in one stream: each ends on a whole byte and looks at nothing before it. */
function piecesOf(segments: readonly Segment[], { open, between, close }: Brackets): { pieces: Buffer[]; bytes: number } {
  const pieces: Buffer[] = []
  for (const [i, segment] of segments.entries()) {
    const mark = i === 0 ? open : between
    if (isWorth(segment.body.length)) pieces.push(stored(mark), (segment.small ??= deflated(segment.body)))
    else pieces.push(stored(mark), stored(segment.body))
  }
  pieces.push(stored(close), STORED)
  return { pieces, bytes: pieces.reduce((sum, { length }) => sum + length, 0) }
}

/** How a frame is compressed: not at all, from parts that are, or as a whole. */
export type Squeeze = 'no' | 'parts' | 'whole'
/** One frame of all these, made when the first socket asks. `take` gives the room. */
export function bundle(
  segments: readonly Segment[],
  encoding: Encoding,
  squeezeFor: (bytes: number) => Squeeze,
  take: Taking
): Batch {
  const binary = encoding === 'msgpack'
  const brackets = bracketsOf(encoding, segments)
  const length = plainLength(segments, brackets)
  let made: Buffer | undefined

  const framed = (bytes: number, compressed: boolean, write: (into: Buffer, at: number) => void): Buffer => {
    const buffer = take(headerLength(bytes) + bytes)
    write(buffer, writeHeader({ binary, compressed, bytes }, buffer, 0))
    return buffer
  }
  const payload = (): Buffer => {
    const whole = Buffer.allocUnsafeSlow(length)
    writePlain(segments, brackets, whole, 0)
    return whole
  }
  const make = (): Buffer => {
    const squeeze = isWorth(length) ? squeezeFor(length) : 'no'
    if (squeeze === 'no') return framed(length, false, (into, at) => writePlain(segments, brackets, into, at))
    if (squeeze === 'whole') {
      const small = deflated(payload())
      return framed(small.length - TAIL, true, (into, at) => small.copy(into, at, 0, small.length - TAIL))
    }
    const { pieces, bytes } = piecesOf(segments, brackets)
    return framed(bytes, true, (into, at) => void pieces.reduce((to, piece) => put(piece, into, to), at))
  }
  return {
    get messages() {
      return [binary ? payload() : payload().toString()]
    },
    frames: 1,
    events: segments.reduce((sum, { events }) => sum + events, 0),
    bytes: () => (made ??= make())
  }
}
