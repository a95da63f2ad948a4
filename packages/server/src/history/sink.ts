/** A file of rows as CSV, JSON lines or Parquet, written under another name and renamed when it is whole; a device is written itself. */
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
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

type Place = { path: string; isFile: boolean }

/** Where a path leads: the file behind a link is written, and the link stays; what is no file has no other name to be written under. */
async function placeOf(path: string): Promise<Place> {
  const found = await stat(path).catch(({ code }: NodeJS.ErrnoException) => code)
  if (typeof found === 'object') return found.isFile() ? { path: await realpath(path), isFile: true } : { path, isFile: false }
  const target = found === 'ENOENT' ? await readlink(path).catch(() => undefined) : undefined
  return target === undefined ? { path, isFile: true } : placeOf(resolve(dirname(path), target))
}

async function textFile<Row>(
  { path, isFile }: Place,
  format: 'csv' | 'json',
  columns: readonly Column<Row>[]
): Promise<Writer<Row>> {
  const file = await open(path, 'w')
  let head = format === 'csv' ? header(columns) : ''
  const put = async (text: string): Promise<void> => {
    const whole = head + text
    head = ''
    // Not write(), which may end in the middle, and says so only in what it returns.
    await file.appendFile(whole)
  }
  return {
    write: (all) => put(textOf(format, columns, all)),
    finish: async () => {
      await put('')
      if (isFile) await file.sync()
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
  const place = await placeOf(path)
  const unfinished = place.isFile ? `${place.path}.${process.pid}.part` : place.path
  const writer: Writer<Row> =
    format === 'parquet'
      ? grouped(openParquet(unfinished, columns))
      : await textFile({ ...place, path: unfinished }, format, columns)
  return {
    write: writer.write,
    async close() {
      await writer.finish()
      if (place.isFile) await rename(unfinished, place.path)
    },
    async abandon() {
      // What could not be written may be why: there is nothing more to be saved of it.
      await writer.drop?.().catch(() => {})
      if (place.isFile) await rm(unfinished, { force: true })
    }
  }
}
