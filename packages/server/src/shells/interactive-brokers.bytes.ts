/** What TWS sends, cut into whole messages before its SDK sees them, which would read for ever where a length is impossible. */

/** Ten thousand bars are less than a million bytes. */
export const MOST_BYTES = 4 << 20
const LENGTH_BYTES = 4

/** The whole messages so far, each with its length before it; or why nothing that follows can be read. */
export type Cut = { messages: readonly Buffer[]; broken?: string }

export function openCutter(): (data: Buffer) => Cut {
  let parts: Buffer[] = []
  let held = 0
  /** How many bytes are needed to go on: joined once they are there, not with every part. */
  let needed = LENGTH_BYTES
  let broken: string | undefined

  return (data) => {
    if (broken !== undefined) return { messages: [], broken }
    parts.push(data)
    held += data.length
    if (held < needed) return { messages: [] }
    let rest = Buffer.concat(parts)
    const messages: Buffer[] = []
    needed = LENGTH_BYTES
    while (rest.length >= LENGTH_BYTES) {
      const length = rest.readUInt32BE()
      if (length === 0 || length > MOST_BYTES) {
        broken = `TWS announced a message of ${length} bytes, where 1 to ${MOST_BYTES} are possible`
        return { messages, broken }
      }
      needed = LENGTH_BYTES + length
      if (rest.length < needed) break
      messages.push(rest.subarray(0, needed))
      rest = rest.subarray(needed)
      needed = LENGTH_BYTES
    }
    parts = [rest]
    held = rest.length
    return { messages }
  }
}

/** Never asked for; the SDK makes room for as many entries as they announce, before it reads them. */
const UNASKED = new Set([5, 77, 78, 79, 80, 85, 89, 93, 101, 106])
/** Past ticks, which are asked for: their number, a request and how many there are. */
const TICKS = new Set([96, 97, 98])
const HEAD_BYTES = 64

export const isUnasked = (message: Buffer): boolean => UNASKED.has(headOf(message).code)

/** Why a message must not reach the SDK. */
export function faultOf(message: Buffer): string | undefined {
  const { code, count } = headOf(message)
  if (!TICKS.has(code) || !(count < 0 || count > message.length)) return undefined
  return `TWS announced ${count} ticks in a message of ${message.length - LENGTH_BYTES} bytes`
}

/** Numbers as the SDK reads them. */
function headOf(message: Buffer): { code: number; count: number } {
  const [code = '', , count = ''] = message.toString('latin1', LENGTH_BYTES, LENGTH_BYTES + HEAD_BYTES).split('\0')
  return { code: parseInt(code, 10), count: parseInt(count, 10) }
}

/** The SDK's queue of fields, with `undefined` at both ends of a message. An array of many takes as long for each as for all. */
export class Fields {
  #fields: (string | undefined)[] = []
  #at = 0

  get length(): number {
    return this.#fields.length - this.#at
  }
  get 0(): string | undefined {
    return this.#fields[this.#at]
  }
  push(field: string | undefined): void {
    this.#fields.push(field)
  }
  concat(fields: readonly string[]): this {
    for (const field of fields) this.#fields.push(field)
    return this
  }
  shift(): string | undefined {
    const field = this.#fields[this.#at++]
    if (this.#at >= this.#fields.length) {
      this.#fields = []
      this.#at = 0
    }
    return field
  }
  /** The SDK writes what it left unread into its error. */
  toJSON(): unknown {
    return this.#fields.slice(this.#at, this.#at + 20)
  }
}

/** As the SDK does it, in one go instead of one search from the start for each. */
export const unescaped = (text: string): string =>
  text.replaceAll(/\\u([\da-f]{4})/gi, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)))
