/** Frames of Alpaca in both of its codecs: JSON, and MessagePack, whose times are timestamps and whose numbers may have 64 bits. */
import { decode, decodeTimestampToTimeSpec, encode, ExtensionCodec } from '@msgpack/msgpack'
import type { Frame } from './adapter.ts'
import { parseTime } from './time.ts'

/** A time of MessagePack with its nanoseconds: a Date would drop them, and a bare number in JSON is no time. */
class Moment {
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
}

const extensionCodec = new ExtensionCodec()
extensionCodec.register({
  type: -1,
  encode: () => null,
  decode(data) {
    const { sec, nsec } = decodeTimestampToTimeSpec(data)
    return new Moment(sec * 1_000 + nsec / 1e6)
  }
})

const utf8 = new TextDecoder()
/** Ids of crypto trades have 19 digits, more than a number holds: they are read as text. */
const LONG_ID = /("(?:i|oi|ci)"\s*:\s*)(\d{16,})/g

export const write = (message: unknown, binary: boolean): Frame => (binary ? encode(message) : JSON.stringify(message))

/** Text, its bytes, or MessagePack: there a first byte below 0x80 is a small number, which no message is. Throws on what is neither. */
export function read(frame: Frame): unknown {
  if (typeof frame !== 'string' && frame.length > 0 && frame[0]! >= 0x80)
    return plain(decode(frame, { extensionCodec, useBigInt64: true }))
  const text = typeof frame === 'string' ? frame : utf8.decode(frame)
  const message = JSON.parse(text) as unknown
  return hasLongId(message) ? JSON.parse(text.replace(LONG_ID, '$1"$2"')) : message
}

/** Rows of a stream are looked at, answers of REST have theirs deeper: only where one may be is the text read a second time. */
function hasLongId(message: unknown): boolean {
  if (!Array.isArray(message)) return true
  for (const row of message as ({ i?: unknown; oi?: unknown } | null)[])
    if (row && ((row.i as number) > Number.MAX_SAFE_INTEGER || (row.oi as number) > Number.MAX_SAFE_INTEGER)) return true
  return false
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Moment || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

/** RFC 3339 with nanoseconds, or a timestamp of MessagePack; NaN for anything else. */
export const timeOf = (value: unknown): number => (value instanceof Moment ? value.ms : parseTime(value))
