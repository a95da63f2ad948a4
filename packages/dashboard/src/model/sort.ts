/** The order of the grid: by any column, with rows that lack the value last in both directions. */
import { confidenceOf, spreadBps, type Row } from './row.ts'

export type Column = 'symbol' | 'last' | 'change' | 'bid' | 'ask' | 'spread' | 'provider' | 'age' | 'confidence'
type Value = string | number | undefined

export const SORTS: Record<Column, { title: string; downFirst: boolean; value: (row: Row) => Value }> = {
  symbol: { title: 'Symbol', downFirst: false, value: (row) => row.id },
  last: { title: 'Last', downFirst: true, value: (row) => row.last },
  change: { title: '24h %', downFirst: true, value: (row) => row.change },
  bid: { title: 'Bid', downFirst: true, value: (row) => row.bid },
  ask: { title: 'Ask', downFirst: true, value: (row) => row.ask },
  spread: { title: 'Spread', downFirst: false, value: spreadBps },
  provider: { title: 'Source', downFirst: false, value: (row) => row.provider },
  age: { title: 'Age', downFirst: true, value: (row) => row.received && -row.received },
  confidence: { title: 'Conf', downFirst: true, value: confidenceOf }
}

const compare = (a: Exclude<Value, undefined>, b: Exclude<Value, undefined>): number =>
  typeof a === 'string' || typeof b === 'string' ? String(a).localeCompare(String(b)) : a - b

export function order(rows: readonly Row[], sort: { column: Column; down: boolean } | undefined): string[] {
  if (!sort) return rows.map((row) => row.id)
  const { value } = SORTS[sort.column]
  return rows
    .map((row) => ({ id: row.id, value: value(row) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined) return Number(a.value === undefined) - Number(b.value === undefined)
      return (sort.down ? -1 : 1) * compare(a.value, b.value)
    })
    .map((row) => row.id)
}

/** Every word of the filter must begin something in the id or the name: `btc usd`, `usdt`, `apple`. */
export function matches(filter: string, id: string, name = ''): boolean {
  const hay = ` ${id} ${id.replaceAll(/[-:/]/g, ' ')} ${id.replaceAll(/[-:/]/g, '')} ${name}`.toLowerCase()
  return filter
    .toLowerCase()
    .split(/[\s/-]+/)
    .every((word) => hay.includes(` ${word}`))
}
