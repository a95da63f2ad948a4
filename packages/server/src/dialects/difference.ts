/** What changed between whole books: dialects whose protocol sends differences make them from the pictures that the plant holds. */
import type { Level } from '@tickwire/protocol'

export type Sides = { bids: readonly Level[]; asks: readonly Level[] }

/**
 * Every level touched on the way from the first book to the last, with its size in the last, 0 where it is gone. All books
 * between count: a level that came back to its old size must still be told to a reader whose snapshot was taken half way.
 */
export function differenceOf(books: readonly Sides[]): { bids: Level[]; asks: Level[] } {
  return {
    bids: touched(books.map((book) => book.bids)).sort((a, b) => b[0] - a[0]),
    asks: touched(books.map((book) => book.asks)).sort((a, b) => a[0] - b[0])
  }
}

function touched(sides: readonly (readonly Level[])[]): Level[] {
  const prices = new Set<number>()
  let before = new Map(sides[0])
  for (const side of sides.slice(1)) {
    const after = new Map(side)
    for (const [price, size] of after) if (before.get(price) !== size) prices.add(price)
    for (const price of before.keys()) if (!after.has(price)) prices.add(price)
    before = after
  }
  return [...prices].map((price) => [price, before.get(price) ?? 0])
}
