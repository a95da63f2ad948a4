/**
 * Sheets: trades and quotes of a batch as columns of plain numbers, filled while each event is at hand and handed to the journal's
 * thread without a copy. Texts are words of a list that both sides have, so that a cell of text is a number, too.
 */
import type { Published } from '@tickwire/protocol'
import { digitsOf } from './cells.ts'
import { LAYOUTS, type Field, type Layout } from './fields.ts'

/** Columns of one type of event, as its layout says; `bits`: the fields that each row has; `order`: that of the first row's fields. */
export type Sheet = {
  type: string
  rows: number
  /** Each column is so long. */
  room: number
  numbers: Float64Array<ArrayBuffer>
  bits: Uint32Array
  places: Uint16Array
  order: readonly number[]
  /** As numbers where all are whole ones. */
  ids: Float64Array<ArrayBuffer> | readonly (string | undefined)[]
}
/** Words that are new; `from` 0 begins the list anew. */
export type Words = { from: number; added: readonly string[] }

/** Then it begins anew, so that neither side keeps what nobody says any more; a batch adds less than nine for each of its entries. */
const MOST_WORDS = 16_384

/** `at`: where it begins; `last`, `place`: the word that was met last. */
type Column = Field & { index: number; at: number; last: unknown; place: number }
type Open = Omit<Sheet, 'ids' | 'order'> & {
  columns: readonly Column[]
  named: ReadonlyMap<string, Column>
  ids: (string | undefined)[]
}

export type Sheets = ReturnType<typeof createSheets>

export function createSheets() {
  const words = createWords()
  const open = new Map<string, Open>()

  return {
    /** False: it is of no sheet, or has what its sheet has no column for. `room`: entries of the batch at most. */
    put(event: Published, place: number, time: number, room: number): boolean {
      let sheet = open.get(event.type)
      if (!sheet) {
        const layout = LAYOUTS.get(event.type)
        if (!layout) return false
        open.set(event.type, (sheet = openSheet(layout, room)))
      }
      const row = event as unknown as Readonly<Record<string, unknown>>
      if (sheet.rows === 0) sheet.columns = inOrderOf(row, sheet)
      if (!fill(sheet, row, words.placeOf)) return false
      sheet.numbers[sheet.rows] = time
      sheet.places[sheet.rows] = place
      sheet.rows++
      return true
    },
    /** What was put, and an end to it. */
    take(): { sheets: Sheet[]; words: Words } {
      const sheets = [...open.values()].filter(({ rows }) => rows > 0).map(closed)
      open.clear()
      return { sheets, words: words.take() }
    },
    drop: (): void => open.clear()
  }
}

function createWords() {
  const known = new Map<string, number>()
  let added: string[] = []
  return {
    placeOf: (word: string): number => {
      const place = known.get(word)
      if (place !== undefined) return place
      added.push(word)
      known.set(word, known.size)
      return known.size - 1
    },
    take(): Words {
      const told = { from: known.size - added.length, added }
      added = []
      if (known.size > MOST_WORDS) known.clear()
      return told
    }
  }
}

function openSheet({ type, fields, numbers, places }: Layout, room: number): Open {
  const columns = fields.map((field, index) => ({ ...field, index, at: field.column * room, last: undefined, place: 0 }))
  const buffer = new ArrayBuffer(room * (8 * numbers + 4 + 2 * places))
  return {
    type,
    rows: 0,
    room,
    numbers: new Float64Array(buffer, 0, room * numbers),
    bits: new Uint32Array(buffer, room * 8 * numbers, room),
    places: new Uint16Array(buffer, room * (8 * numbers + 4), room * places),
    columns,
    named: new Map(columns.map((column) => [column.name, column])),
    ids: []
  }
}

const inOrderOf = (row: Readonly<Record<string, unknown>>, { named }: Open): Column[] => {
  const first = Object.keys(row).flatMap((name) => named.get(name) ?? [])
  return [...new Set([...first, ...named.values()])]
}

/** Names come by the shape of the object, which costs less than to look each of them up in it. */
function fill(sheet: Open, row: Readonly<Record<string, unknown>>, placeOf: (word: string) => number): boolean {
  const { columns, numbers, places, rows } = sheet
  let next = 0
  let bits = 0
  let id: string | undefined
  for (const name in row) {
    const value = row[name]
    let column = columns[next++]
    if (column === undefined || column.name !== name) column = sheet.named.get(name)
    if (value === undefined) continue
    if (column === undefined) return false
    bits |= column.bit
    switch (column.cell) {
      case 'number':
        if (typeof value !== 'number') return false
        numbers[column.at + rows] = value
        break
      case 'text':
        if (value !== column.last) {
          if (typeof value !== 'string') return false
          column.place = placeOf(value)
          column.last = value
        }
        places[column.at + rows] = column.place
        break
      case 'id':
        if (typeof value !== 'string') return false
        id = value
        break
      case 'list':
        if (!isTexts(value)) return false
        places[column.at + rows] = placeOf(JSON.stringify(value))
        break
      case 'flag':
        if (value !== true) return false
        break
      default:
    }
  }
  sheet.bits[rows] = bits
  sheet.ids[rows] = id
  return true
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string')

const closed = ({ type, rows, room, numbers, bits, places, columns, ids }: Open): Sheet => ({
  type,
  rows,
  room,
  numbers,
  bits,
  places,
  order: columns.map(({ index }) => index),
  ids: digitsOf(ids) ?? ids
})
