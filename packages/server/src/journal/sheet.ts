/**
 * Sheets: trades and quotes of a batch as columns of plain numbers, filled while each event is at hand and handed to the journal's
 * thread without a copy. Texts are words of a list that both sides have, so that a cell of text is a number, too.
 */
import type { Published } from '@tickwire/protocol'
import { LAYOUTS } from './fields.ts'
import { bitsOfQuote, bitsOfTrade, columnsOf, countOf, forget, type Filling } from './fill.ts'
import { createWords, type Words } from './words.ts'

/** Columns of one type of event, as its layout says; `bits`: the fields that each row has; `order`: that of the first row's fields. */
export type Sheet = {
  type: keyof typeof LAYOUTS
  rows: number
  /** Each column is so long. */
  room: number
  numbers: Float64Array<ArrayBuffer>
  bits: Uint32Array
  places: Uint16Array
  order: readonly number[]
  /** Where not all are digits: those stand among the numbers. */
  ids: readonly (string | undefined)[] | undefined
}
type Open = Sheet & Filling

/** Columns that begin at like places of the lines of a cache push each other out of it. */
const ASIDE = 40
/** Buffers that came back and are kept: those of the batches that 64 K entries of two types at once are. */
const KEPT = 32

export type Sheets = ReturnType<typeof createSheets>

/** `most`: entries of a batch. */
export function createSheets(most: number) {
  const words = createWords()
  const room = most + ASIDE
  const size = room * Math.max(...Object.values(LAYOUTS).map(({ numbers, places }) => 8 * numbers + 4 + 2 * places))
  const trades = columnsOf(LAYOUTS.trade, room)
  const quotes = columnsOf(LAYOUTS.quote, room)
  const spare: ArrayBuffer[] = []
  let trade: Open | undefined
  let quote: Open | undefined

  function start(type: Sheet['type'], event: Published): Open {
    const { fields, numbers, places } = LAYOUTS[type]
    const buffer = spare.pop() ?? new ArrayBuffer(size)
    const names = new Map(Object.keys(event).map((name, i) => [name, i]))
    const rankOf = (index: number): number => names.get(fields[index]!.name) ?? names.size
    return {
      type,
      rows: 0,
      room,
      numbers: new Float64Array(buffer, 0, room * numbers),
      bits: new Uint32Array(buffer, room * 8 * numbers, room),
      places: new Uint16Array(buffer, room * (8 * numbers + 4), room * places),
      order: fields.map((_, index) => index).toSorted((a, b) => rankOf(a) - rankOf(b)),
      ids: undefined,
      placeOf: words.placeOf
    }
  }
  const give = (buffer: ArrayBuffer): void => {
    if (spare.length < KEPT) spare.push(buffer)
  }
  function close(): Sheet[] {
    const filled = [trade, quote].filter((sheet) => sheet !== undefined)
    trade = quote = undefined
    return filled.map(closed)
  }

  return {
    /** False: it is of no sheet, or has what its sheet has no column for. */
    put(event: Published, place: number, time: number): boolean {
      let sheet: Open
      let bits: number
      let keys = 0
      for (const _ in event) keys++
      if (event.type === 'trade') bits = bitsOfTrade((sheet = trade ??= start('trade', event)), trades, event, keys)
      else if (event.type === 'quote') bits = bitsOfQuote((sheet = quote ??= start('quote', event)), quotes, event, keys)
      else return false
      if (countOf(bits) !== keys && countOf(bits) !== presentIn(event)) return false
      const { rows } = sheet
      sheet.bits[rows] = bits
      sheet.numbers[rows] = time
      sheet.places[rows] = place
      sheet.rows++
      return true
    },
    /** What was put, and an end to it. */
    take(): { sheets: Sheet[]; words: Words } {
      const { words: told, anew } = words.take()
      if (anew) for (const column of [...Object.values(trades), ...Object.values(quotes)]) forget(column)
      return { sheets: close().filter(({ rows }) => rows > 0), words: told }
    },
    /** The buffer of a sheet that was taken, to be filled again. */
    give,
    drop: (): void => close().forEach(({ numbers }) => give(numbers.buffer))
  }
}

/** A function cannot be handed to a thread. */
const closed = ({ type, rows, room, numbers, bits, places, order, ids }: Open): Sheet => ({
  type,
  rows,
  room,
  numbers,
  bits,
  places,
  order,
  ids
})

/** Those that are undefined are not there. */
function presentIn(event: Published): number {
  let present = 0
  for (const name in event) if (event[name as keyof Published] !== undefined) present++
  return present
}
