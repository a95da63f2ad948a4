/** A file of rows as CSV, JSON lines or Parquet, written under another name and renamed when it is whole. */
import { open, rename, rm } from 'node:fs/promises'
import { header, rows as lines, type Column } from './csv.ts'
import { openParquet } from './parquet.ts'

export const FORMATS = ['csv', 'json', 'parquet'] as const
export type Format = (typeof FORMATS)[number]

/** Rows of one row group of Parquet. */
const GROUP = 65_536

type Writer<Row> = { write: (rows: readonly Row[]) => Promise<void>; finish: () => Promise<void>; drop?: () => Promise<void> }
export type Sink<Row> = {
  write: (rows: readonly Row[]) => Promise<void>
  /** The file stands under its name now. */
  close: () => Promise<void>
  /** Nothing is left of it. */
  abandon: () => Promise<void>
}

/** JSON lines: one object a row. */
export const textOf = <Row>(format: 'csv' | 'json', columns: readonly Column<Row>[], all: readonly Row[]): string =>
  format === 'csv' ? lines(columns, all) : all.map((row) => `${JSON.stringify(row)}\n`).join('')

async function textFile<Row>(path: string, format: 'csv' | 'json', columns: readonly Column<Row>[]): Promise<Writer<Row>> {
  const file = await open(path, 'w')
  if (format === 'csv') await file.write(header(columns))
  return {
    write: async (all) => void (await file.write(textOf(format, columns, all))),
    finish: async () => {
      await file.sync()
      await file.close()
    },
    drop: () => file.close()
  }
}

/** Small pieces are gathered into row groups. */
function grouped<Row>({ write, finish }: Writer<Row>): Writer<Row> {
  let due: Row[] = []
  return {
    async write(all) {
      for (const row of all) due.push(row)
      while (due.length >= GROUP) {
        await write(due.slice(0, GROUP))
        due = due.slice(GROUP)
      }
    },
    async finish() {
      await write(due)
      await finish()
    }
  }
}

export async function openSink<Row>(path: string, format: Format, columns: readonly Column<Row>[]): Promise<Sink<Row>> {
  const unfinished = `${path}.${process.pid}.part`
  const writer: Writer<Row> =
    format === 'parquet' ? grouped(openParquet(unfinished, columns)) : await textFile(unfinished, format, columns)
  return {
    write: writer.write,
    async close() {
      await writer.finish()
      await rename(unfinished, path)
    },
    async abandon() {
      // What could not be written may be why: there is nothing more to be saved of it.
      await writer.drop?.().catch(() => {})
      await rm(unfinished, { force: true })
    }
  }
}
