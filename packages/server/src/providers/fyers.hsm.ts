/** The binary frames of the data socket ("HSM"), big-endian: what we send, and what comes back. What the numbers mean is not known here. */

/** Of "no value" in a snapshot and "unchanged" in an update. */
export const NOTHING = -2_147_483_648
/** We put all topics on one of its channels: the one its own clients use. */
const CHANNEL = 11
const SOURCE = 'tickwire'

export const TYPE = { auth: 1, ack: 3, subscribe: 4, unsubscribe: 5, data: 6, pause: 7, resume: 8, mode: 12 } as const

export type Snapshot = {
  type: 'snapshot'
  id: number
  topic: string
  fields: readonly number[]
  multiplier: number
  precision: number
  exchange: string
  /** The exchange's own number of it, and its name there. */
  token: string
  name: string
}
export type Entry =
  | Snapshot
  | { type: 'update'; id: number; fields: readonly number[] }
  | { type: 'lite'; id: number; last: number }

export type Packet =
  | { type: 'data'; number: number | undefined; entries: readonly Entry[] }
  | { type: 'control'; of: number; status: string; number: number }

// ---- what we send ------------------------------------------------------------------------------------------------

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const u16 = (n: number): number[] => [(n >> 8) & 255, n & 255]
const u32 = (n: number): number[] => [...u16(n >>> 16), ...u16(n & 65_535)]
const CHANNELS = [...u32(0), ...u32(1 << CHANNEL)]

/** `u16 length, u8 type, u8 count`, then of each field `u8 id, u16 length, bytes`; ids count from 1. */
function frameOf(type: number, ...fields: (readonly number[] | Uint8Array)[]): Uint8Array {
  const body = fields.flatMap((field, i) => [i + 1, ...u16(field.length), ...field])
  return Uint8Array.from([...u16(body.length + 2), type, fields.length, ...body])
}

export const authFrame = (key: string): Uint8Array => frameOf(TYPE.auth, ascii(key), [80], [1], ascii(SOURCE))
export const modeFrame = (lite: boolean): Uint8Array => frameOf(TYPE.mode, CHANNELS, [lite ? 76 : 70])
export const ackFrame = (number: number): Uint8Array => frameOf(TYPE.ack, u32(number))
export function topicsFrame(type: number, topics: readonly string[]): Uint8Array {
  const list = topics.map(ascii).flatMap((topic) => [topic.length, ...topic])
  return frameOf(type, [...u16(topics.length), ...list], [CHANNEL])
}

// ---- what comes back ---------------------------------------------------------------------------------------------

/** Reads forward; past the end it throws a RangeError, as DataView does. */
class Cursor {
  at: number
  readonly view: DataView
  constructor(bytes: Uint8Array, at: number) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }
  u8(): number {
    return this.view.getUint8(this.at++)
  }
  u16(): number {
    return this.view.getUint16((this.at += 2) - 2)
  }
  u32(): number {
    return this.view.getUint32((this.at += 4) - 4)
  }
  i32(): number {
    return this.view.getInt32((this.at += 4) - 4)
  }
  text(length: number): string {
    const { buffer, byteOffset, byteLength } = this.view
    if (this.at + length > byteLength) throw new RangeError('cut short')
    this.at += length
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset + this.at - length, length))
  }
  fields(): number[] {
    return Array.from({ length: this.u8() }, () => this.i32())
  }
  isAtEnd(): boolean {
    return this.at === this.view.byteLength
  }
}

function entryOf(cursor: Cursor): Entry {
  const kind = cursor.u8()
  const id = cursor.u16()
  switch (kind) {
    // 53 000b 10 "sf|mcx_fo|440939" 15 (21 fields) 0000 0001 02 06 "mcx_fo" 06 "440939" 13 "CRUDEOIL25JAN5900CE"
    case 83: {
      const topic = cursor.text(cursor.u8())
      const fields = cursor.fields()
      cursor.at += 2
      const multiplier = cursor.u16()
      const precision = cursor.u8()
      const [exchange, token, name] = [cursor.text(cursor.u8()), cursor.text(cursor.u8()), cursor.text(cursor.u8())]
      return { type: 'snapshot', id, topic, fields, multiplier, precision, exchange, token, name }
    }
    // 55 000c 06 00503a52 80000000 667a916d 80000000 80000000 80000000
    case 85:
      return { type: 'update', id, fields: cursor.fields() }
    // 4c 000b 00009204
    case 76:
      return { type: 'lite', id, last: cursor.i32() }
    default:
      throw new RangeError('an entry of an unknown type')
  }
}

/** Undefined where the frame cannot be laid out so, to its very end. */
function entriesOf(bytes: Uint8Array, at: number): readonly Entry[] | undefined {
  try {
    const cursor = new Cursor(bytes, at)
    const entries = Array.from({ length: cursor.u16() }, () => entryOf(cursor))
    return cursor.isAtEnd() ? entries : undefined
  } catch {
    return undefined
  }
}

/** With no acks asked for, the message number may be left out: then the entries begin where it would stand. */
function dataOf(bytes: Uint8Array, numbered: boolean): Packet {
  for (const withNumber of numbered ? [true, false] : [false, true]) {
    const entries = entriesOf(bytes, withNumber ? 7 : 3)
    // Of a frame cut short the first half of its number would be a count of none.
    if (entries && (withNumber || entries.length > 0))
      return { type: 'data', number: withNumber ? new Cursor(bytes, 3).u32() : undefined, entries }
  }
  throw new RangeError('data cut short, or of an unknown shape')
}

/** Throws a RangeError on what is cut short or is no such frame. */
export function readFrame(bytes: Uint8Array, numbered: boolean): Packet {
  const cursor = new Cursor(bytes, 2)
  const of = cursor.u8()
  if (of === TYPE.data) return dataOf(bytes, numbered)
  let status = ''
  let number = 0
  // 000e 01 02, 01 0001 "K", 02 0004 00000005: let in; an ack is wanted after every 5 frames
  for (let left = cursor.isAtEnd() ? 0 : cursor.u8(); left > 0; left--) {
    const id = cursor.u8()
    const length = cursor.u16()
    if (id === 2 && (length === 2 || length === 4)) number = length === 4 ? cursor.u32() : cursor.u16()
    else if (id === 1) status = cursor.text(length)
    else cursor.text(length)
  }
  return { type: 'control', of, status, number }
}
