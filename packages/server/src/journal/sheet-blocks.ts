/** A sheet as blocks: one for each topic that has many of its rows, and one for all others together. */
import { aloneIn, spanOf } from './batch.ts'
import type { Block } from './block.ts'
import { packCells, wordsOf, type Packed } from './cells.ts'
import { joinTable, ORDER, TIME, type PackedColumn } from './columns.ts'
import { LAYOUTS, type Field, type Layout } from './fields.ts'
import { packNumbers } from './numbers.ts'
import type { Sheet } from './sheet.ts'

/** Rows of a sheet. */
type Rows = Uint16Array

export function blocksOfSheet(sheet: Sheet, words: readonly string[], batch: number, total: number): Block[] {
  const layout = LAYOUTS.get(sheet.type)
  if (!layout) throw new Error(`there is no layout of ${sheet.type}`)
  const at = layout.topic.column * sheet.room
  return groupsOf(sheet.places.subarray(at, at + sheet.rows), aloneIn(total)).map(({ topics, rows }) => {
    const times = numbersOf(sheet, 0, rows)
    const [from, to] = spanOf(times)
    const [ownFrom, ownTo] = spanOf(numbersOf(sheet, layout.time.column, rows))
    const payload = joinTable(rows.length, columnsOf(sheet, layout, words, rows, times))
    const names = topics.map((topic) => words[topic] ?? '')
    return { kind: 'events', batch, total, count: rows.length, topics: names, from, to, ownFrom, ownTo, payload }
  })
}

/** Those of a topic with many, and of all with few. */
function groupsOf(places: Uint16Array, alone: number): { topics: number[]; rows: Rows }[] {
  const counts = new Uint16Array(1 << 16)
  const met: number[] = []
  for (let row = 0; row < places.length; row++) {
    const topic = places[row]!
    if (counts[topic]!++ === 0) met.push(topic)
  }
  const isFew = (topic: number): boolean => counts[topic]! < alone && met.length > 1
  const groups = met
    .filter((topic) => !isFew(topic))
    .map((topic) => ({ topics: [topic], rows: rowsWhere(places, (one) => one === topic) }))
  const few = met.filter(isFew)
  if (few.length > 0) groups.push({ topics: few, rows: rowsWhere(places, isFew) })
  return groups
}

function rowsWhere(places: Uint16Array, is: (place: number) => boolean): Rows {
  const rows = new Uint16Array(places.length)
  let count = 0
  for (let row = 0; row < places.length; row++) if (is(places[row]!)) rows[count++] = row
  return rows.subarray(0, count)
}

function columnsOf(sheet: Sheet, layout: Layout, words: readonly string[], rows: Rows, times: Float64Array): PackedColumn[] {
  const order = new Float64Array(rows.length)
  let [all, some] = [-1, 0]
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    order[i] = sheet.places[row]!
    all &= sheet.bits[row]!
    some |= sheet.bits[row]!
  }
  const columns: PackedColumn[] = [
    { name: ORDER, cells: rows.length, ...packedNumbers(order) },
    { name: TIME, cells: rows.length, ...packedNumbers(times) }
  ]
  for (const index of sheet.order) {
    const field = layout.fields[index]!
    if ((some & field.bit) === 0) continue
    if ((all & field.bit) !== 0) {
      columns.push({ name: field.name, cells: rows.length, ...packedCells(sheet, field, words, rows) })
      continue
    }
    const having = rows.filter((row) => (sheet.bits[row]! & field.bit) !== 0)
    const present = Uint8Array.from(rows, (row) => ((sheet.bits[row]! & field.bit) === 0 ? 0 : 1))
    columns.push({ name: field.name, cells: having.length, present, ...packedCells(sheet, field, words, having) })
  }
  return columns
}

function packedCells(sheet: Sheet, { cell, column }: Field, words: readonly string[], rows: Rows): Packed {
  switch (cell) {
    case 'number':
      return packedNumbers(numbersOf(sheet, column, rows))
    case 'id':
      return packedIds(sheet.ids, rows)
    case 'flag':
      return { form: { form: 'flag' }, parts: [] }
    case 'type':
      return { form: { form: 'choice', values: [sheet.type], width: 0 }, parts: [] }
    default: {
      const { form, parts, values } = wordsOf(sheet.places.subarray(column * sheet.room), rows, words)
      if (cell === 'text') return { form, parts }
      return { form: { ...form, values: values.map((text) => JSON.parse(text) as unknown) }, parts }
    }
  }
}

function packedNumbers(values: Float64Array): Packed {
  const { spec, bytes } = packNumbers(values)
  return { form: { form: 'number', numbers: spec }, parts: [bytes] }
}

function packedIds(ids: Sheet['ids'], rows: Rows): Packed {
  if (!(ids instanceof Float64Array)) return packCells(Array.from(rows, (row) => ids[row]))
  const { spec, bytes } = packNumbers(pick(ids, 0, rows, ids.length))
  return { form: { form: 'digits', numbers: spec }, parts: [bytes] }
}

const numbersOf = ({ numbers, room, rows: all }: Sheet, column: number, rows: Rows): Float64Array =>
  pick(numbers, column * room, rows, all)

/** Of `all` cells from `at` on those of the rows. */
function pick(numbers: Float64Array, at: number, rows: Rows, all: number): Float64Array {
  if (rows.length === all) return numbers.subarray(at, at + all)
  const values = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) values[i] = numbers[at + rows[i]!]!
  return values
}
