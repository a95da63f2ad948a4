/** The fields of the events that come by the thousand: known beforehand, so that their cells go into columns without a look at each. */
import type { MarketEvent, Published } from '@tickwire/protocol'

/** `id`: a text of its own in each event, kept as a number where it is written as one. `text`: one of few. `list`: texts, kept as JSON. `flag`: true, or not there. */
export type Cell = 'type' | 'number' | 'id' | 'text' | 'list' | 'flag'

type Kept<T> = T extends number ? 'number' : T extends string ? 'text' | 'id' : T extends true ? 'flag' : 'list'
/** A field that is added to the event, or kept as what it is not, does not compile. */
type Cells<E> = { readonly [K in keyof E]-?: K extends 'type' ? 'type' : Kept<NonNullable<E[K]>> }
type Of<T extends MarketEvent['type']> = Published<Extract<MarketEvent, { type: T }>>

const COMMON = {
  type: 'type',
  provider: 'text',
  instrument: 'text',
  time: 'number',
  received: 'number',
  delayed: 'number',
  clock: 'text',
  confidence: 'number',
  quarantined: 'text',
  topic: 'text',
  seq: 'number',
  published: 'number',
  replay: 'text'
} as const

const TRADE = {
  ...COMMON,
  id: 'id',
  price: 'number',
  size: 'number',
  side: 'text',
  venue: 'text',
  conditions: 'list',
  session: 'text',
  ineligible: 'flag',
  backfill: 'flag'
} as const satisfies Cells<Of<'trade'>>

const QUOTE = {
  ...COMMON,
  bid: 'number',
  bidSize: 'number',
  ask: 'number',
  askSize: 'number'
} as const satisfies Cells<Of<'quote'>>

/** `column`: which one it is of the sheet's numbers or places; `bit`: of the rows that have it. */
export type Field = { name: string; cell: Cell; column: number; bit: number }
/** `numbers` and `places`: how many columns there are of each. */
export type Layout<Name extends string = never> = {
  type: string
  fields: readonly Field[]
  named: Readonly<Record<Name | 'topic' | 'time', Field>>
  numbers: number
  places: number
}

/** The first column of numbers is of the receive times, the first of places that of the places in the batch. */
function layoutOf<Name extends string>(type: string, cells: Readonly<Record<Name, Cell>>): Layout<Name> {
  let [numbers, places] = [1, 1]
  const columnOf = (cell: Cell): number => {
    if (cell === 'number' || cell === 'id') return numbers++
    return cell === 'text' || cell === 'list' ? places++ : 0
  }
  const fields = Object.entries<Cell>(cells).map(([name, cell], i) => ({ name, cell, column: columnOf(cell), bit: 1 << i }))
  const named = Object.fromEntries(fields.map((field) => [field.name, field])) as Layout<Name>['named']
  return { type, fields, named, numbers, places }
}

export const LAYOUTS = { trade: layoutOf('trade', TRADE), quote: layoutOf('quote', QUOTE) }

/** The bits of what each event has: the same in all layouts, since the common fields come first. */
export const STAMPED = (['type', 'provider', 'instrument', 'time', 'received', 'topic', 'seq', 'published'] as const).reduce(
  (bits, name) => bits | LAYOUTS.trade.named[name].bit,
  0
)
