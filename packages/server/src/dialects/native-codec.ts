/** The native protocol's binary form: MessagePack of the same values, in which what is undefined is left out as in JSON. */
import { decode, Encoder } from '@msgpack/msgpack'

const encoder = new Encoder({ ignoreUndefined: true })

export const pack = (value: unknown): Uint8Array => encoder.encode(value)

/** What a client sent, as JSON; nothing where it is no MessagePack. */
export function unpack(bytes: Uint8Array): string | undefined {
  try {
    return JSON.stringify(decode(bytes)) ?? undefined
  } catch {
    return undefined
  }
}
