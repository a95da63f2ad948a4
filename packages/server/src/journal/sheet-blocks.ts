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
  const layout: Layout = LAYOUTS[sheet.type]
  const at = layout.named.topic.column * sheet.room
  return groupsOf(sheet.places.subarray(at, at + sheet.rows), aloneIn(total)).map(({ topics, rows }) => {
    const times = numbersOf(sheet, 0, rows)
    const [from, to] = spanOf(times)
    const [ownFrom, ownTo] = spanOf(numbersOf(sheet, layout.named.time.column, rows))
    const payload = joinTable(rows.length, columnsOf(sheet, layout, words, rows, times))
    const names = topics.map((topic) => words[topic] ?? '')
    return { kind: 'events', batch, total, count: rows.length, topics: names, from, to, ownFrom, ownTo, payload }
  })
}

/** Of each topic how often it was met, 0 but while a sheet is at hand; and its group. */
const counts = new Uint16Array(1 << 16)
const groups = new Uint16Array(1 << 16)

/** Those of a topic with many, and of all with few. */
function groupsOf(places: Uint16Array, alone: number): { topics: number[]; rows: Rows }[] {
  const met = metIn(places)
  const few = met.filter((topic) => counts[topic]! < alone && met.length > 1)
  const known = new Set(few)
  const all = met.filter((topic) => !known.has(topic)).map((topic) => [topic])
  if (few.length > 0) all.push(few)
  const sizes = Uint16Array.from(all, (topics) => topics.reduce((sum, topic) => sum + counts[topic]!, 0))
  for (const [group, topics] of all.entries()) for (const topic of topics) groups[topic] = group
  for (const topic of met) counts[topic] = 0
  const rows = sortedRows(places, sizes)
  let at = 0
  return all.map((topics, group) => ({ topics, rows: rows.subarray(at, (at += sizes[group]!)) }))
}

function metIn(places: Uint16Array): number[] {
  const met: number[] = []
  for (let row = 0; row < places.length; row++) {
    const topic = places[row]!
    if (counts[topic] === 0) met.push(topic)
    counts[topic]!++
  }
  return met
}

/** Group after group, in order within each. */
function sortedRows(places: Uint16Array, sizes: Uint16Array): Rows {
  const rows = new Uint16Array(places.length)
  const next = new Uint16Array(sizes.length)
  for (let group = 1; group < sizes.length; group++) next[group] = next[group - 1]! + sizes[group - 1]!
  for (let row = 0; row < places.length; row++) rows[next[groups[places[row]!]!]!++] = row
  return rows
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
      return packedIds(sheet, column, rows)
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

function packedIds(sheet: Sheet, column: number, rows: Rows): Packed {
  const { ids } = sheet
  if (ids) return packCells(Array.from(rows, (row) => ids[row]))
  const { spec, bytes } = packNumbers(numbersOf(sheet, column, rows))
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
