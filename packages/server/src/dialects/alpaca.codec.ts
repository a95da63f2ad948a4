/** Alpaca's binary form: MessagePack, in which times are timestamps and not text. */
import { decode, encode, encodeTimestampExtension, ExtensionCodec, EXT_TIMESTAMP } from '@msgpack/msgpack'

const TIMES = new Set(['t', 'created_at', 'updated_at'])
const timestamps = new ExtensionCodec()
timestamps.register({
  type: EXT_TIMESTAMP,
  encode: (value) => (value instanceof Date ? encodeTimestampExtension(value) : null),
  decode: () => null
})

const timed = (key: string, value: unknown): unknown => (TIMES.has(key) && typeof value === 'string' ? new Date(value) : value)

/** The bytes of a frame that was written as JSON. */
export const pack = (text: string): Uint8Array => encode(JSON.parse(text, timed), { extensionCodec: timestamps })

/** What a client sent, as JSON; nothing where it is no MessagePack. */
export function unpack(bytes: Uint8Array): string | undefined {
  try {
    return JSON.stringify(decode(bytes)) ?? undefined
  } catch {
    return undefined
  }
}
