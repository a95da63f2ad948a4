/** Market depth of Interactive Brokers: rows by their position, of which several may be of one price, made into a book. */
import type { Level } from '@tickwire/protocol'
import type { Meaning } from './adapter.ts'
import type { Asked, Rows, Session } from './interactive-brokers.state.ts'
import * as values from './values.ts'

const MAX_ROWS = 200

/** An insert moves the rows below it down, a delete moves them up. Undefined: it does not fit to the rows that we have. */
function apply(
  rows: (readonly [number, number])[],
  position: number,
  operation: unknown,
  row: readonly [number, number]
): boolean {
  if (operation === 0 && position <= rows.length) rows.splice(position, 0, row)
  else if (operation === 1 && position < rows.length) rows[position] = row
  // Some exchanges fill an empty row with an update.
  else if (operation === 1 && position === rows.length) rows.push(row)
  else if (operation === 2 && position < rows.length) rows.splice(position, 1)
  // The last row is deleted after it fell out by an insert.
  else return operation === 2
  if (rows.length > MAX_ROWS) rows.length = MAX_ROWS
  return true
}

/** `position, operation (0 insert, 1 update, 2 delete), side (0 ask, 1 bid), price, size` */
export function depth(asked: Asked, args: readonly unknown[], received: number, session: Session): readonly Meaning[] {
  const [position, operation, side, written, size] = args
  const { symbol, id } = asked
  const book = session.depths.get(id)
  if (!book) return []
  const rows = side === 1 ? book.bids : side === 0 ? book.asks : undefined
  const price = values.number(written)
  const shares = size === null ? 0 : values.number(size)
  if (!rows || !Number.isInteger(position) || (position as number) < 0) return [values.refused('depth: impossible row')]
  // What a delete says of price and size is no longer so.
  if (operation !== 2 && (!values.isPrice(price) || !values.isSize(shares))) return [values.refused('depth: impossible level')]
  if (!apply(rows, position as number, operation, [price, shares]))
    return [{ type: 'gap', kind: 'book', symbol, cause: 'sequence' }]
  return picture(symbol, book, received)
}

/** 317: what was there is void, and comes anew. */
export function reset({ id, symbol }: Asked, received: number, session: Session): readonly Meaning[] {
  const book: Rows = { bids: [], asks: [] }
  session.depths.set(id, book)
  return picture(symbol, book, received)
}

/** Several market makers stand at one price: their sizes are one level's. */
function picture(symbol: string, book: Rows, time: number): readonly Meaning[] {
  const bids = levels(book.bids)
  const asks = levels(book.asks)
  // Rows of several exchanges cross for a moment while they are moved one by one.
  const bid = Math.max(...bids.map(([price]) => price))
  const ask = Math.min(...asks.map(([price]) => price))
  return bid >= ask ? [] : [{ type: 'delta', symbol, time, snapshot: true, bids, asks }]
}

function levels(rows: readonly (readonly [number, number])[]): Level[] {
  const sums = new Map<number, number>()
  for (const [price, size] of rows) if (size > 0) sums.set(price, (sums.get(price) ?? 0) + size)
  return [...sums]
}
