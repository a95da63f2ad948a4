/** A table of like rows as bytes and back, exactly: a list of columns in JSON, then their parts, each at a multiple of 8 bytes. */
import { packCells, skipCells, unpackCells, type Form, type Packed, type Parts } from './cells.ts'
import { packNumbers } from './numbers.ts'

export type Row = Record<string, unknown>
/** `present`: not all rows have it; a byte for each row says which do. */
type Column = { name: string; present?: true; cells: number } & Form
type Directory = { rows: number; columns: readonly Column[] }

/** Beside the rows of each block: the place of each entry in its batch, and its receive time. */
export const ORDER = '@order'
export const TIME = '@time'

const padded = (length: number): number => (length + 7) & ~7

/** Of one name, the cells of all rows; `count`: of how many rows it is. */
type Gathered = { name: string; cells: unknown[]; count: number }

/** Not to be grown: arrays of one sort, whatever is in them, are what keeps the loop below fast. */
const emptyCells = (rows: number): unknown[] => {
  const cells: unknown[] = []
  cells.length = rows
  return cells.fill(undefined)
}

/** All columns in one pass over the rows: rows of one shape name the same at the same place, which costs less than to look it up. */
function gather(rows: readonly Row[]): Gathered[] {
  const columns: Gathered[] = []
  const known = new Map<string, Gathered>()
  const columnFor = (name: string): Gathered => {
    let column = known.get(name)
    if (!column) {
      column = { name, cells: emptyCells(rows.length), count: 0 }
      known.set(name, column)
      columns.push(column)
    }
    return column
  }
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    let place = 0
    for (const name in row) {
      const cell = row[name]
      let column = columns[place++]
      if (column === undefined || column.name !== name) column = columnFor(name)
      if (cell === undefined) continue
      column.cells[i] = cell
      column.count++
    }
  }
  return columns.filter(({ name, count }) => count > 0 && name !== '__proto__')
}

/** `cells`: how many there are; `present`, where not all rows have one: 1 for each row that does. */
export type PackedColumn = Packed & { name: string; cells: number; present?: Uint8Array }

function columnOf({ name, cells, count }: Gathered): PackedColumn {
  if (count === cells.length) return { name, cells: count, ...packCells(cells) }
  const present = Uint8Array.from(cells, (cell) => (cell === undefined ? 0 : 1))
  return { name, cells: count, present, ...packCells(cells.filter((cell) => cell !== undefined)) }
}

/** `beside`: columns of numbers that stand beside the rows. Fields that are undefined are absent. */
export function packTable(rows: readonly Row[], beside: Readonly<Record<string, Float64Array>> = {}): Uint8Array {
  const columns: PackedColumn[] = Object.entries(beside).map(([name, values]) => {
    const { spec: numbers, bytes } = packNumbers(values)
    return { name, cells: values.length, form: { form: 'number', numbers }, parts: [bytes] }
  })
  for (const gathered of gather(rows)) columns.push(columnOf(gathered))
  return joinTable(rows.length, columns)
}

export function joinTable(rows: number, packed: readonly PackedColumn[]): Uint8Array {
  const columns: Column[] = []
  const parts: Uint8Array[] = []
  for (const { name, cells, present, form, parts: own } of packed) {
    columns.push(present ? { name, present: true, cells, ...form } : { name, cells, ...form })
    if (present) parts.push(present)
    for (const part of own) parts.push(part)
  }
  return joined({ rows, columns }, parts)
}

function joined(directory: Directory, parts: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.from(JSON.stringify(directory))
  const size = parts.reduce((sum, part) => sum + padded(part.length), padded(4 + head.length))
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, head.length, true)
  bytes.set(head, 4)
  let at = padded(4 + head.length)
  for (const part of parts) {
    bytes.set(part, at)
    at += padded(part.length)
  }
  return bytes
}

export type Table = { rows: number; columns: ReadonlyMap<string, ArrayLike<unknown>> }

/** `only`: columns of these names. A cell that is absent is undefined. */
export function unpackTable(payload: Uint8Array, only?: ReadonlySet<string>): Table {
  // The parts are looked at as arrays of numbers, which begin at multiples of 8 in their buffer.
  const bytes = payload.byteOffset % 8 === 0 ? payload : new Uint8Array(payload)
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const { rows, columns } = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 4, length).toString()) as Directory
  let at = padded(4 + length)
  const parts: Parts = {
    take(size) {
      const part = bytes.subarray(at, at + size)
      if (part.length < size) throw new RangeError('the table is shorter than it says')
      at += padded(size)
      return part
    }
  }
  const found = new Map<string, ArrayLike<unknown>>()
  for (const { name, present, cells, ...form } of columns) {
    const where = present ? parts.take(rows) : undefined
    if (only && !only.has(name)) skipCells(form, cells, parts)
    else found.set(name, spread(unpackCells(form, cells, parts), where))
  }
  return { rows, columns: found }
}

function spread(cells: ArrayLike<unknown>, present: Uint8Array | undefined): ArrayLike<unknown> {
  if (!present) return cells
  let at = 0
  return Array.from(present, (is) => (is === 1 ? cells[at++] : undefined))
}

/** The rows of a table, without the columns that stand beside them. */
export function rowsOf({ rows, columns }: Table, beside: ReadonlySet<string>): Row[] {
  const own = [...columns].filter(([name]) => !beside.has(name))
  const whole = own.filter(([, cells]) => !isSparse(cells))
  // A copy of a row that has all the names already costs a third of what it costs to add them one by one.
  const template = Object.fromEntries(whole.map(([name, cells]) => [name, cells[0]]))
  const all: Row[] = []
  for (let i = 0; i < rows; i++) all.push({ ...template })
  for (const [name, cells] of whole) for (let i = 0; i < rows; i++) all[i]![name] = cells[i]
  for (const [name, cells] of own) {
    if (!isSparse(cells)) continue
    for (let i = 0; i < rows; i++) if (cells[i] !== undefined) all[i]![name] = cells[i]
  }
  return all
}

const isSparse = (cells: ArrayLike<unknown>): boolean => Array.isArray(cells) && cells.includes(undefined)
