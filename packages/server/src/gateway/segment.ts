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
  for (let i = 0; i < segments.length; i++) {
    if (i > 0) to = put(between, into, to)
    to = put(segments[i]!.body, into, to)
  }
  return put(close, into, to)
}

function plainLength(segments: readonly Segment[], { open, between, close }: Brackets): number {
  let length = open.length + close.length + between.length * (segments.length - 1)
  for (const { body } of segments) length += body.length
  return length
}

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
export const bundle = (
  segments: readonly Segment[],
  encoding: Encoding,
  squeezeFor: (bytes: number) => Squeeze,
  take: Taking
): Batch => new Bundle(segments, encoding, squeezeFor, take)

/** A class, because one is made for each client and flush: a literal with a getter and functions of its own costs as much as a write. */
class Bundle implements Batch {
  readonly frames = 1
  readonly events: number
  private readonly segments: readonly Segment[]
  private readonly squeezeFor: (bytes: number) => Squeeze
  private readonly take: Taking
  private readonly binary: boolean
  private readonly brackets: Brackets
  private readonly length: number
  private made: Buffer | undefined

  constructor(segments: readonly Segment[], encoding: Encoding, squeezeFor: (bytes: number) => Squeeze, take: Taking) {
    this.segments = segments
    this.squeezeFor = squeezeFor
    this.take = take
    this.binary = encoding === 'msgpack'
    this.brackets = bracketsOf(encoding, segments)
    this.length = plainLength(segments, this.brackets)
    this.made = undefined
    let events = 0
    for (const segment of segments) events += segment.events
    this.events = events
  }

  get messages(): readonly Message[] {
    const payload = this.payload()
    return [this.binary ? payload : payload.toString()]
  }

  bytes(): Buffer {
    return (this.made ??= this.make())
  }

  private payload(): Buffer {
    const whole = Buffer.allocUnsafeSlow(this.length)
    writePlain(this.segments, this.brackets, whole, 0)
    return whole
  }

  private make(): Buffer {
    const { length, segments, brackets, binary, take } = this
    const squeeze = isWorth(length) ? this.squeezeFor(length) : 'no'
    if (squeeze === 'no') {
      const buffer = take(headerLength(length) + length)
      writePlain(segments, brackets, buffer, writeHeader({ binary, compressed: false, bytes: length }, buffer, 0))
      return buffer
    }
    if (squeeze === 'whole') {
      const small = deflated(this.payload())
      return compressedFrame([small.subarray(0, small.length - TAIL)], small.length - TAIL, binary, take)
    }
    const { pieces, bytes } = piecesOf(segments, brackets)
    return compressedFrame(pieces, bytes, binary, take)
  }
}

/** A message for one client alone, compressed when its socket asks. */
export function squeezed(message: Message): Batch {
  let made: Buffer | undefined
  const make = (): Buffer => {
    const small = deflated(typeof message === 'string' ? Buffer.from(message) : message)
    return compressedFrame([small.subarray(0, small.length - TAIL)], small.length - TAIL, typeof message !== 'string', fresh)
  }
  return { messages: [message], frames: 1, events: 0, bytes: () => (made ??= make()) }
}

function compressedFrame(pieces: readonly Buffer[], bytes: number, binary: boolean, take: Taking): Buffer {
  const buffer = take(headerLength(bytes) + bytes)
  let at = writeHeader({ binary, compressed: true, bytes }, buffer, 0)
  for (const piece of pieces) at = put(piece, buffer, at)
  return buffer
}
