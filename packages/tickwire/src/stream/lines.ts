/** Events as lines for a pipe: aligned text, JSON or CSV. Pure. */
import { cell } from '@tickwire/server/history/csv.ts'
import { cut, decimal, plain, plainJson, widthOf } from '../terminal/plain.ts'
import { fieldsOf, type Field, type Streamed, type StreamType, type Value } from './fields.ts'

export const FORMATS = ['text', 'json', 'csv'] as const
export type Format = (typeof FORMATS)[number]

export type Lines = { head: string; line: (event: Streamed) => string }

export function createLines(format: Format, type: StreamType): Lines {
  if (format === 'json') return { head: '', line: (event) => `${plainJson(event)}\n` }
  const fields = fieldsOf(type)
  if (format === 'csv') {
    return {
      head: record(fields.map(({ name }) => name)),
      line: (event) => record(fields.map((field) => csvCell(field.of(event))))
    }
  }
  return { head: '', line: createAligned(fields.filter(({ name, rank }) => name === 'time' || rank !== undefined)) }
}

const record = (cells: readonly string[]): string => `${cells.join(',')}\r\n`

/** As REST writes them, but nothing in a text is obeyed by a terminal, and no number has an exponent. */
export const csvCell = (value: Value): string => (typeof value === 'number' ? decimal(value) : plain(cell(value)))

export const shown = (value: Value): string => (typeof value === 'number' ? decimal(value) : plain(value ?? ''))

const WIDEST = 28
/** Named where a line has several numbers of a kind; price and size speak for themselves. */
const NAMED = new Set(['bid', 'ask', 'open', 'high', 'low', 'close', 'volume', 'confidence', 'levels'])
const LABELS: Readonly<Record<string, string>> = { bidSize: '×', askSize: '×', changePercent: 'change %' }

/** Columns are as wide as the widest so far, so that they stand below each other once a few lines have come. */
function createAligned(fields: readonly Field[]): (event: Streamed) => string {
  const widths = fields.map(() => 0)
  return (event) => {
    const cells = fields.map((field, at) => {
      const text = cut(shown(field.of(event)), WIDEST)
      const width = (widths[at] = Math.max(widths[at] ?? 0, widthOf(text)))
      const space = ' '.repeat(width - widthOf(text))
      const label = NAMED.has(field.name) ? field.name : LABELS[field.name]
      const named = label !== undefined && text !== '' ? `${label} ` : label === undefined ? '' : ' '.repeat(label.length + 1)
      return width === 0 ? '' : `${named}${field.isText ? `${text}${space}` : `${space}${text}`}`
    })
    return `${cells
      .filter((cell) => cell !== '')
      .join('  ')
      .trimEnd()}\n`
  }
}
