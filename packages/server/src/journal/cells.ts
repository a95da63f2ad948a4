/** One column of a table as bytes and back: what its cells have in common decides in which of the forms it is kept. */
import { packNumbers, unpackNumbers, type NumbersSpec } from './numbers.ts'

/**
 * How a column is kept. `number`: see numbers.ts. `digits`: texts that are whole numbers, as numbers. `flag`: all cells are true.
 * `choice`: few different values, listed here, and for each cell the place in that list, in `width` bytes. `text`: lengths, and the
 * characters after each other. `json`: the same, each text being JSON. `bytes`: lengths, then 1 where the cell was text and 0 where
 * it was bytes, then all bytes. `levels`: how many levels each cell has, then all prices, then all sizes.
 */
export type Form =
  | { form: 'number' | 'digits'; numbers: NumbersSpec }
  | { form: 'flag' }
  | { form: 'choice'; values: readonly unknown[]; width: 0 | 1 | 2 }
  | { form: 'text' | 'json'; lengths: NumbersSpec; ascii: boolean }
  | { form: 'bytes'; lengths: NumbersSpec }
  | { form: 'levels'; levels: number; lengths: NumbersSpec; prices: NumbersSpec; sizes: NumbersSpec }
export type Packed = { form: Form; parts: readonly Uint8Array[] }

/** More different values than this are no choice. */
const CHOICES = 4_096
const DIGITS_MOST = 15

export function packCells(cells: readonly unknown[]): Packed {
  const first = cells[0]
  const packed =
    typeof first === 'number'
      ? packAll(cells)
      : typeof first === 'string'
        ? (packDigits(cells) ?? packChoice(cells) ?? packText(cells))
        : first === true
          ? packFlags(cells)
          : Array.isArray(first)
            ? packLevels(cells)
            : undefined
  return packed ?? packBytes(cells) ?? packJson(cells)
}

function packAll(cells: readonly unknown[]): Packed | undefined {
  const values = new Float64Array(cells.length)
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]
    if (typeof cell !== 'number') return undefined
    values[i] = cell
  }
  const { spec, bytes } = packNumbers(values)
  return { form: { form: 'number', numbers: spec }, parts: [bytes] }
}

const packFlags = (cells: readonly unknown[]): Packed | undefined =>
  cells.every((cell) => cell === true) ? { form: { form: 'flag' }, parts: [] } : undefined

/** The places of the cells among their different values; nothing where these are many. */
function packChoice(cells: readonly unknown[]): Packed | undefined {
  const most = Math.min(CHOICES, 8 + (cells.length >> 2))
  const known = new Map<string, number>()
  const places = new Uint16Array(cells.length)
  let last: unknown
  let place = 0
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]
    if (cell !== last) {
      if (typeof cell !== 'string') return undefined
      const found = known.get(cell)
      if (found === undefined) {
        if (known.size >= most || !cell.isWellFormed()) return undefined
        known.set(cell, known.size)
      }
      place = found ?? known.size - 1
      last = cell
    }
    places[i] = place
  }
  return ofChoices([...known.keys()], places)
}

type Choices = { form: Extract<Form, { form: 'choice' }>; parts: readonly Uint8Array[] }

function ofChoices(values: readonly unknown[], places: Uint16Array): Choices {
  if (values.length === 1) return { form: { form: 'choice', values, width: 0 }, parts: [] }
  if (values.length <= 256) return { form: { form: 'choice', values, width: 1 }, parts: [new Uint8Array(places)] }
  const bytes = new Uint8Array(places.buffer, places.byteOffset, places.byteLength)
  return { form: { form: 'choice', values, width: 2 }, parts: [bytes] }
}

/** For each word of the list its place among the choices and one more: 0, but while a column is made. */
const chosen = new Uint16Array(1 << 16)

/** The words of these rows, of a list that has others, too. `of`: where each row's word stands in that list. */
export function wordsOf(of: Uint16Array, rows: Uint16Array, words: readonly string[]): Choices & { values: readonly string[] } {
  const used: number[] = []
  const places = new Uint16Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const word = of[rows[i]!]!
    if (chosen[word] === 0) chosen[word] = used.push(word)
    places[i] = chosen[word]! - 1
  }
  for (const word of used) chosen[word] = 0
  const values = used.map((word) => words[word]!)
  return { ...ofChoices(values, places), values }
}

/** Trade ids are numbers in most places; only those that are written as a number is. */
function digitsOf(cells: readonly unknown[]): Float64Array<ArrayBuffer> | undefined {
  const values = new Float64Array(cells.length)
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]
    const whole = typeof cell === 'string' ? wholeOf(cell) : -1
    if (whole < 0) return undefined
    values[i] = whole
  }
  return values
}

/** What the text says, written as that number is; -1 where it is no whole number, or another way to write it. */
export function wholeOf(text: string): number {
  if (text.length === 0 || text.length > DIGITS_MOST) return -1
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return text.length > 1 && text.charCodeAt(0) === 48 ? -1 : value
}

function packDigits(cells: readonly unknown[]): Packed | undefined {
  const values = digitsOf(cells)
  if (!values) return undefined
  const { spec, bytes } = packNumbers(values)
  return { form: { form: 'digits', numbers: spec }, parts: [bytes] }
}

function packText(cells: readonly unknown[], form: 'text' | 'json' = 'text'): Packed | undefined {
  const joined = form === 'text' && !cells.every((cell) => typeof cell === 'string' && cell.isWellFormed()) ? undefined : cells
  if (joined === undefined) return undefined
  const bytes = Buffer.from(joined.join(''))
  const lengths = new Float64Array(cells.length)
  let sum = 0
  for (let i = 0; i < cells.length; i++) sum += lengths[i] = (cells[i] as string).length
  const ascii = sum === bytes.length
  if (!ascii) for (let i = 0; i < cells.length; i++) lengths[i] = Buffer.byteLength(cells[i] as string)
  const packed = packNumbers(lengths)
  return { form: { form, lengths: packed.spec, ascii }, parts: [packed.bytes, bytes] }
}

/** JSON writes no character that is not well-formed, but by its escape. */
function packJson(cells: readonly unknown[]): Packed {
  const texts = cells.map((cell) => JSON.stringify(cell))
  const choice = packChoice(texts)
  if (choice?.form.form !== 'choice') return packText(texts, 'json')!
  const { values, width } = choice.form
  return {
    form: { form: 'choice', values: values.map((text) => JSON.parse(text as string) as unknown), width },
    parts: choice.parts
  }
}

function packBytes(cells: readonly unknown[]): Packed | undefined {
  if (!cells.every((cell) => cell instanceof Uint8Array || (typeof cell === 'string' && cell.isWellFormed()))) return undefined
  const all = cells.map((cell) => (typeof cell === 'string' ? Buffer.from(cell) : (cell as Uint8Array)))
  const { spec, bytes } = packNumbers(Float64Array.from(all, (each) => each.length))
  const tags = Uint8Array.from(cells, (cell) => (typeof cell === 'string' ? 1 : 0))
  return { form: { form: 'bytes', lengths: spec }, parts: [bytes, tags, Buffer.concat(all)] }
}

const isLevel = (level: unknown): level is readonly [number, number] =>
  Array.isArray(level) && level.length === 2 && typeof level[0] === 'number' && typeof level[1] === 'number'

function packLevels(cells: readonly unknown[]): Packed | undefined {
  let count = 0
  for (const cell of cells) {
    if (!Array.isArray(cell) || !cell.every(isLevel)) return undefined
    count += cell.length
  }
  if (count === 0) return undefined
  const prices = new Float64Array(count)
  const sizes = new Float64Array(count)
  const lengths = new Float64Array(cells.length)
  let at = 0
  cells.forEach((cell, i) => {
    const levels = cell as readonly (readonly [number, number])[]
    lengths[i] = levels.length
    for (const [price, size] of levels) {
      prices[at] = price
      sizes[at++] = size
    }
  })
  const [l, p, s] = [packNumbers(lengths), packNumbers(prices), packNumbers(sizes)]
  return {
    form: { form: 'levels', levels: count, lengths: l.spec, prices: p.spec, sizes: s.spec },
    parts: [l.bytes, p.bytes, s.bytes]
  }
}

/** Hands out the parts of a payload in order. */
export type Parts = { take: (bytes: number) => Uint8Array }

const numbersFrom = (parts: Parts, spec: NumbersSpec, count: number): Float64Array =>
  unpackNumbers(spec, count, parts.take(spec.width * count))

/** Called for each form, so that what is not wanted is passed over without being unpacked. */
export function unpackCells(form: Form, count: number, parts: Parts): ArrayLike<unknown> {
  switch (form.form) {
    case 'number':
      return numbersFrom(parts, form.numbers, count)
    case 'digits':
      return Array.from(numbersFrom(parts, form.numbers, count), String)
    case 'flag':
      return filled(count, true)
    case 'choice':
      return choicesFrom(form, count, parts.take(form.width * count))
    case 'text':
      return textsFrom(form, count, parts)
    case 'json':
      return textsFrom(form, count, parts).map((text) => JSON.parse(text) as unknown)
    case 'bytes':
      return bytesFrom(form, count, parts)
    default:
      return levelsFrom(form, count, parts)
  }
}

const filled = (count: number, value: unknown): unknown[] => {
  const cells: unknown[] = []
  cells.length = count
  return cells.fill(value)
}

function choicesFrom({ values, width }: Extract<Form, { form: 'choice' }>, count: number, bytes: Uint8Array): unknown[] {
  if (width === 0) return filled(count, values[0])
  const places = width === 2 ? new Uint16Array(bytes.buffer, bytes.byteOffset, count) : bytes
  const cells: unknown[] = []
  for (let i = 0; i < count; i++) cells.push(values[places[i]!])
  return cells
}

function textsFrom({ lengths: spec, ascii }: Extract<Form, { ascii: boolean }>, count: number, parts: Parts): string[] {
  const lengths = numbersFrom(parts, spec, count)
  const { buffer, byteOffset, length } = parts.take(lengths.reduce((sum, each) => sum + each, 0))
  const bytes = Buffer.from(buffer, byteOffset, length)
  const all = ascii ? bytes.toString('latin1') : ''
  let at = 0
  return Array.from(lengths, (length) => {
    const from = at
    at += length
    return ascii ? all.slice(from, at) : bytes.toString('utf8', from, at)
  })
}

function bytesFrom({ lengths: spec }: Extract<Form, { form: 'bytes' }>, count: number, parts: Parts): (string | Uint8Array)[] {
  const lengths = numbersFrom(parts, spec, count)
  const tags = parts.take(count)
  const { buffer, byteOffset, length } = parts.take(lengths.reduce((sum, each) => sum + each, 0))
  const bytes = Buffer.from(buffer, byteOffset, length)
  let at = 0
  return Array.from(lengths, (length, i) => {
    const from = at
    at += length
    return tags[i] === 1 ? bytes.toString('utf8', from, at) : new Uint8Array(bytes.subarray(from, at))
  })
}

function levelsFrom(form: Extract<Form, { form: 'levels' }>, count: number, parts: Parts): [number, number][][] {
  const lengths = numbersFrom(parts, form.lengths, count)
  const prices = numbersFrom(parts, form.prices, form.levels)
  const sizes = numbersFrom(parts, form.sizes, form.levels)
  let at = 0
  return Array.from(lengths, (length) => Array.from({ length }, () => [prices[at]!, sizes[at++]!] as [number, number]))
}

/** Bytes of the parts of a column, to pass over them. */
export function skipCells(form: Form, count: number, parts: Parts): void {
  if (form.form === 'number' || form.form === 'digits') parts.take(form.numbers.width * count)
  else if (form.form === 'choice') parts.take(form.width * count)
  else unpackCells(form, count, parts)
}
