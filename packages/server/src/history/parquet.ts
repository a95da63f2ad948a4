/** Rows as Parquet, a row group at a time: times are timestamps in UTC (microseconds), numbers doubles, whole numbers INT64, the rest texts. */
import { zstdCompressSync } from 'node:zlib'
import { ByteWriter, ParquetWriter, type ColumnSource, type SchemaElement } from 'hyparquet-writer'
import type { Cell, Column } from './csv.ts'

type Type = 'time' | 'double' | 'int' | 'boolean' | 'text'
const TYPES: Readonly<Record<string, Type>> = {
  time: 'time',
  received: 'time',
  start: 'time',
  end: 'time',
  price: 'double',
  size: 'double',
  open: 'double',
  high: 'double',
  low: 'double',
  close: 'double',
  volume: 'double',
  coverage: 'double',
  was_price: 'double',
  was_size: 'double',
  seq: 'int',
  trades: 'int',
  ineligible: 'boolean',
  backfill: 'boolean',
  closed: 'boolean'
}
const typeOf = (name: string): Type => TYPES[name] ?? 'text'

const ELEMENTS: Readonly<Record<Type, Omit<SchemaElement, 'name'>>> = {
  time: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' }
  },
  double: { type: 'DOUBLE' },
  int: { type: 'INT64' },
  boolean: { type: 'BOOLEAN' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }
}

/** A time of another column says the same. */
const isNeeded = ({ name }: { name: string }): boolean => name !== 'utc'

function valueOf(type: Type, value: Cell): unknown {
  if (value === undefined) return null
  if (type === 'time') return BigInt(Math.round(Number(value) * 1_000))
  return type === 'int' ? BigInt(Math.round(Number(value))) : value
}

/**
 * Hands out the bytes of a file piece by piece, so that whoever takes them opens it once: a pipe has no second beginning. Memory is that
 * of one row group: whoever writes gives so many rows at a time.
 */
export function openParquet<Row>(columns: readonly Column<Row>[]) {
  const needed = columns.filter(isNeeded)
  const schema: SchemaElement[] = [
    { name: 'root', num_children: needed.length },
    ...needed.map(({ name }): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...ELEMENTS[typeOf(name)] }))
  ]
  const compressors = { ZSTD: (input: Uint8Array): Uint8Array => zstdCompressSync(input) }
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({ writer: bytes, schema, codec: 'ZSTD', compressors, createdBy: 'tickwire' })
  const taken = (): Uint8Array => {
    const piece = new Uint8Array(bytes.buffer.slice(0, bytes.index))
    bytes.index = 0
    return piece
  }
  return {
    async write(rows: readonly Row[]): Promise<Uint8Array> {
      const columnData = needed.map(({ name, of }): ColumnSource => {
        const type = typeOf(name)
        return { name, data: rows.map((row) => valueOf(type, of(row))) }
      })
      if (rows.length > 0) await writer.write({ columnData, rowGroupSize: rows.length })
      return taken()
    },
    async finish(): Promise<Uint8Array> {
      await writer.finish()
      return taken()
    }
  }
}
