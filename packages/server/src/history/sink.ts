/** A file of rows as CSV, JSON lines or Parquet, written under another name and renamed when it is whole; a device is written itself. */
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { header, rows as lines, type Column } from './csv.ts'
import { openParquet } from './parquet.ts'

export const FORMATS = ['csv', 'json', 'parquet'] as const
export type Format = (typeof FORMATS)[number]

/** Rows of one row group of Parquet. */
const GROUP = 65_536

/** Rows in a format: what is to be written of them, and what stands behind all of them. */
type Encoder<Row> = {
  rows: (rows: readonly Row[]) => Promise<string | Uint8Array>
  end: () => Promise<string | Uint8Array>
}
export type Sink<Row> = {
  write: (rows: readonly Row[]) => Promise<void>
  /** The file stands under its name now. */
  close: () => Promise<void>
  /** Nothing is left of it. */
  abandon: () => Promise<void>
}

/** JSON lines: one object a row. */
function textual<Row>(format: 'csv' | 'json', columns: readonly Column<Row>[]): Encoder<Row> {
  let head = format === 'csv' ? header(columns) : ''
  const behindHead = (text: string): string => {
    const whole = head + text
    head = ''
    return whole
  }
  const textOf = (all: readonly Row[]): string =>
    format === 'csv' ? lines(columns, all) : all.map((row) => `${JSON.stringify(row)}\n`).join('')
  return { rows: async (all) => behindHead(textOf(all)), end: async () => behindHead('') }
}

/** Small pieces are gathered into row groups. */
function grouped<Row>(columns: readonly Column<Row>[]): Encoder<Row> {
  const parquet = openParquet(columns)
  let due: Row[] = []
  const groups = async (least: number): Promise<Uint8Array[]> => {
    const out: Uint8Array[] = []
    while (due.length >= least && due.length > 0) {
      out.push(await parquet.write(due.slice(0, GROUP)))
      due = due.slice(GROUP)
    }
    return out
  }
  return {
    async rows(all) {
      for (const row of all) due.push(row)
      return Buffer.concat(await groups(GROUP))
    },
    end: async () => Buffer.concat([...(await groups(1)), await parquet.finish()])
  }
}

export const encoderOf = <Row>(format: Format, columns: readonly Column<Row>[]): Encoder<Row> =>
  format === 'parquet' ? grouped(columns) : textual(format, columns)

type Place = { path: string; isFile: boolean }

/** Where a path leads: the file behind a link is written, and the link stays; what is no file has no other name to be written under. */
async function placeOf(path: string): Promise<Place> {
  const found = await stat(path).catch(({ code }: NodeJS.ErrnoException) => code)
  if (typeof found === 'object') return found.isFile() ? { path: await realpath(path), isFile: true } : { path, isFile: false }
  const target = found === 'ENOENT' ? await readlink(path).catch(() => undefined) : undefined
  return target === undefined ? { path, isFile: true } : placeOf(resolve(dirname(path), target))
}

export async function openSink<Row>(path: string, format: Format, columns: readonly Column<Row>[]): Promise<Sink<Row>> {
  const { path: name, isFile } = await placeOf(path)
  const unfinished = isFile ? `${name}.${process.pid}.part` : name
  const encoder = encoderOf(format, columns)
  const file = await open(unfinished, 'w')
  // Not write(), which may end in the middle, and says so only in what it returns.
  const put = (piece: string | Uint8Array): Promise<void> => file.appendFile(piece)
  return {
    write: async (all) => put(await encoder.rows(all)),
    async close() {
      await put(await encoder.end())
      if (isFile) await file.sync()
      await file.close()
      if (isFile) await rename(unfinished, name)
    },
    async abandon() {
      // What could not be written may be why: there is nothing more to be saved of it.
      await file.close().catch(() => {})
      if (isFile) await rm(unfinished, { force: true })
    }
  }
}
