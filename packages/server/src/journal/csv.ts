/** An event as a line of CSV (RFC 4180): the fields that most events have as columns, all others as JSON in the last one. */
import type { Published } from '@tickwire/protocol'

const COLUMNS = [
  'published',
  'received',
  'time',
  'topic',
  'seq',
  'type',
  'provider',
  'instrument',
  'price',
  'size',
  'side',
  'id',
  'bid',
  'bidSize',
  'ask',
  'askSize',
  'last',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'interval',
  'start',
  'closed'
] as const
const KNOWN: ReadonlySet<string> = new Set(COLUMNS)

export const csvHead = [...COLUMNS, 'more'].join(',')

/** A spreadsheet runs what begins so; with a ' before it, it shows it. */
const isFormula = (text: string): boolean => /^[=+\-@\t\r]/.test(text)

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const safe = isFormula(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export function csvLine(event: Published): string {
  const row = event as unknown as Record<string, unknown>
  const more = Object.entries(row).filter(([name]) => !KNOWN.has(name))
  const cells = COLUMNS.map((name) => cellOf(row[name]))
  return [...cells, more.length > 0 ? cellOf(Object.fromEntries(more)) : ''].join(',')
}
