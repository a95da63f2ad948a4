/** From the bytes of a feed to its text: byte order mark, then the charset of HTTP, then that of the XML declaration, then UTF-8. */
import iconv from 'iconv-lite'

const MARKS: readonly (readonly [bytes: readonly number[], charset: string])[] = [
  [[0x00, 0x00, 0xfe, 0xff], 'utf-32be'],
  [[0xff, 0xfe, 0x00, 0x00], 'utf-32le'],
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0xff, 0xfe], 'utf-16le']
]
/** How `<?` or `<` begins without a mark. */
const OPENINGS: readonly (readonly [bytes: readonly number[], charset: string])[] = [
  [[0, 0, 0, 0x3c], 'utf-32be'],
  [[0x3c, 0, 0, 0], 'utf-32le'],
  [[0, 0x3c], 'utf-16be'],
  [[0x3c, 0], 'utf-16le']
]
const begins = (bytes: Uint8Array, start: readonly number[]): boolean => start.every((byte, i) => bytes[i] === byte)
/** ASCII is what some servers say of everything; every other charset holds it. */
const known = (charset: string | undefined): string | undefined =>
  charset !== undefined && !/^(?:us-)?ascii$/i.test(charset) && iconv.encodingExists(charset) ? charset : undefined

export function textOf(bytes: Uint8Array, contentType = ''): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const mark = MARKS.find(([start]) => begins(bytes, start))?.[1]
  const wide = OPENINGS.find(([start]) => begins(bytes, start))?.[1]
  const [, spoken] = /charset\s*=\s*["']?([\w:.-]+)/i.exec(contentType) ?? []
  const [, declared] = /^\s*<\?xml[^>]*encoding\s*=\s*["']([\w:.-]+)["']/i.exec(buffer.subarray(0, 200).toString('latin1')) ?? []
  const charset = mark ?? wide ?? known(spoken) ?? known(declared) ?? 'utf-8'
  const text = iconv.decode(buffer, charset).replace(/^\uFEFF/, '')
  return mark === undefined && /^utf-?8$/i.test(charset) && isAlien(text) ? iconv.decode(buffer, other(spoken, declared)) : text
}

/** More of it is unreadable as UTF-8 than readable beyond ASCII: it is something else, whatever was said. */
function isAlien(text: string): boolean {
  const bad = text.split('\uFFFD').length - 1
  return bad > 0 && bad >= (text.match(/[\u0080-\uFFFC]/g)?.length ?? 0)
}
/** What the other one of HTTP and document says, else what most such feeds are in. */
const other = (...said: readonly (string | undefined)[]): string =>
  said.find((charset) => known(charset) !== undefined && !/^utf-?8$/i.test(charset ?? '')) ?? 'windows-1252'
