/** Rows as CSV (RFC 4180). A spreadsheet runs a text that begins like a formula, so such a text gets an apostrophe before it. */
import type { Candle } from '@tickwire/protocol'
import type { PastTrade } from './order.ts'

export type Cell = string | number | boolean | undefined
export type Column<Row> = { name: string; of: (row: Row) => Cell }

const FORMULA = /^[=+\-@\t\r\n]/

export function cell(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const safe = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const line = (cells: readonly Cell[]): string => `${cells.map(cell).join(',')}\r\n`
export const header = <Row>(columns: readonly Column<Row>[]): string => line(columns.map(({ name }) => name))
export const rows = <Row>(columns: readonly Column<Row>[], all: readonly Row[]): string =>
  all.map((row) => line(columns.map(({ of }) => of(row)))).join('')

/** As in 2026-11-21T09:30:00.000Z; of what no calendar has, nothing. */
export const utc = (time: number): string | undefined => (Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : undefined)

export const TRADES: readonly Column<PastTrade>[] = [
  { name: 'instrument', of: ({ instrument }) => instrument },
  { name: 'time', of: ({ time }) => time },
  { name: 'utc', of: ({ time }) => utc(time) },
  { name: 'price', of: ({ price }) => price },
  { name: 'size', of: ({ size }) => size },
  { name: 'side', of: ({ side }) => side },
  { name: 'id', of: ({ id }) => id },
  { name: 'provider', of: ({ provider }) => provider },
  { name: 'venue', of: ({ venue }) => venue },
  { name: 'conditions', of: ({ conditions }) => conditions?.join(',') },
  { name: 'session', of: ({ session }) => session },
  { name: 'ineligible', of: ({ ineligible }) => ineligible },
  { name: 'backfill', of: ({ backfill }) => backfill },
  { name: 'received', of: ({ received }) => received },
  { name: 'seq', of: ({ seq }) => seq },
  { name: 'was_price', of: ({ was }) => was?.price },
  { name: 'was_size', of: ({ was }) => was?.size }
]

export const CANDLES: readonly Column<Candle>[] = [
  { name: 'instrument', of: ({ instrument }) => instrument },
  { name: 'interval', of: ({ interval }) => interval },
  { name: 'start', of: ({ start }) => start },
  { name: 'utc', of: ({ start }) => utc(start) },
  { name: 'end', of: ({ end }) => end },
  { name: 'open', of: ({ open }) => open },
  { name: 'high', of: ({ high }) => high },
  { name: 'low', of: ({ low }) => low },
  { name: 'close', of: ({ close }) => close },
  { name: 'volume', of: ({ volume }) => volume },
  { name: 'trades', of: ({ trades }) => trades },
  { name: 'closed', of: ({ closed }) => closed },
  { name: 'coverage', of: ({ coverage }) => coverage },
  { name: 'session', of: ({ session }) => session },
  { name: 'provider', of: ({ provider }) => provider }
]
