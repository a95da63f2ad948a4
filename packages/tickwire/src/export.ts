/** `tickwire export`: recorded trades and candles as a file, from the journal's directory, with or without a server, or by REST. */
import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import type { Candle, Interval, RecordedRun } from '@tickwire/protocol'
import type { HeardCorrection } from '@tickwire/server/history/amend.ts'
import { CANDLES, TRADES, type Column } from '@tickwire/server/history/csv.ts'
import type { PastTrade } from '@tickwire/server/history/order.ts'
import { eventRuns, isReadable, modeOf, ofMode } from '@tickwire/server/history/runs.ts'
import { encoderOf, openSink, type Format, type Sink } from '@tickwire/server/history/sink.ts'
import type { Span } from '@tickwire/server/history/spans.ts'
import { candleTape, tradeTape } from '@tickwire/server/history/tape.ts'
import { openReader } from '@tickwire/server/journal/reader.ts'
import { absentIn } from './absent.ts'
import { baseOf, CommandError, keyOf } from './ask.ts'
import { tellHoles } from './holes.ts'
import { createProgress } from './progress.ts'
import { onInterrupt } from './signals.ts'
import { plain } from './terminal/plain.ts'
import { timeOf } from './time.ts'

export type ExportFlags = {
  from?: string
  to?: string
  interval: Interval
  format?: Format
  out?: string
  force?: true
  directory?: string
  mode?: ReturnType<typeof modeOf>
  url?: string
  keyFile?: string
}
type What = 'trades' | 'candles'
type Row = PastTrade | Candle
/** Pieces of rows in order, and how far in time they are. */
type Tape = AsyncGenerator<readonly Row[]>
/** Where they come from: the span that is there, and what is to be said of them beside the rows; `empty`: those that had none. */
type Source = {
  span: Span
  tape: (instrument: string) => Tape
  tellMore: (empty: readonly string[]) => Promise<void>
  close: () => void
}

const DIRECTORY = 'data/journal'
/** Trades are told at most so long after they happen; runs are known by when they were heard. */
const LATE = 25 * 3_600_000
const PAGE = { trades: 10_000, candles: 1_500 }

const ENDINGS: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.json': 'json',
  '.jsonl': 'json',
  '.ndjson': 'json',
  '.parquet': 'parquet'
}

function formatOf({ format, out = '' }: ExportFlags): Format {
  const ending = extname(out)
  const found = format ?? ENDINGS[ending]
  if (found === 'parquet' && out === '' && process.stdout.isTTY)
    throw new CommandError('Parquet is not for a screen: name a file with --out, or put a pipe behind it')
  if (found) return found
  if (ending !== '') console.error(plain(`${out} is written as CSV: no format ends with ${ending}; name one with --format`))
  return 'csv'
}

/** A span of nothing, told by what was asked. */
function checkSpan({ from, to }: Span, flags: ExportFlags): void {
  if (from < to) return
  const known = flags.url === undefined ? 'what is recorded' : 'what there is'
  if (flags.from === undefined) throw new CommandError(`--to is ${flags.to}, which is not after the beginning of ${known}`)
  if (flags.to !== undefined) throw new CommandError('--from is not before --to')
  throw new CommandError(`--from is ${flags.from}, which is not before the end of ${known}, ${new Date(to).toISOString()}`)
}

const SAID: Readonly<Record<string, string>> = {
  demo: 'these prices are simulated: they were recorded in the demo',
  capture: 'these prices are of recorded sessions that were played, under the times of the playing'
}

/** What was simulated and what was real is never told as one: where the span has both, a person says which. */
function modeFor(runs: readonly RecordedRun[], { mode }: ExportFlags): NonNullable<ExportFlags['mode']> {
  if (mode !== undefined) return mode
  const [first = 'live', ...others] = new Set(runs.map(modeOf))
  if (others.length === 0) return first
  const counts = [first, ...others].map((each) => `${runs.filter((run) => modeOf(run) === each).length} of mode ${each}`)
  throw new CommandError(
    `recordings of that time are not alike: ${counts.join(', ')} (demo: simulated prices); say which with --mode ${first} or --mode ${others.join(' or --mode ')}`
  )
}

function recorded(what: What, instruments: readonly string[], flags: ExportFlags): Source {
  const directory = flags.directory ?? DIRECTORY
  const all = openReader({ directory })
  const [asked, until] = [timeOf('--from', flags.from), timeOf('--to', flags.to)]
  const isNear = ({ from, to }: Span): boolean => from < (until ?? Infinity) + LATE && to + LATE >= (asked ?? -Infinity)
  const known = all.runs()
  const written = eventRuns({ runs: () => known })
  const near = written.filter(isNear)
  const mode = modeFor(near.length > 0 ? near : written, flags)
  const reader = ofMode(all, mode)
  const runs = written.filter((run) => modeOf(run) === mode)
  const gone = known.filter((run) => !isReadable(run))
  if (runs.length === 0)
    throw new CommandError(
      `no events ${written.length > 0 ? `of mode ${mode} ` : ''}are recorded in ${directory}: name another with --directory, or a running server with --url${gone.map(({ run, reason }) => `\n  ${run}: ${reason}`).join('')}`
    )
  const from = asked ?? Math.min(...runs.map((run) => run.from)) - LATE
  const to = until ?? Math.max(...runs.map((run) => run.to)) + 1
  const span = { from, to }
  const { interval } = flags
  const told = new Map<HeardCorrection, 'correct' | 'cancel'>()
  const hear = (corrections: readonly HeardCorrection[]): void => {
    for (const correction of corrections) told.set(correction, correction.action)
  }
  const tape = (instrument: string): Tape =>
    what === 'trades' ? tradeTape(reader, instrument, span, hear) : candleTape(reader, { instrument, interval, ...span })
  const tellMore = async (empty: readonly string[]): Promise<void> => {
    for (const line of absentIn(
      directory,
      runs.map(({ run }) => run),
      empty
    ))
      console.error(plain(line))
    const said = SAID[mode]
    if (said !== undefined) console.error(said)
    if (told.size > 0) console.error(amendments([...told.values()]))
    const topics = new Set(instruments.flatMap((instrument) => [`trade:${instrument}`, `gap:${instrument}`]))
    for (const run of [...runs, ...gone.filter((each) => modeOf(each) === mode)])
      if (isNear(run)) await tellHoles(reader, run, { what: 'events', topics, ...span })
  }
  return { span, tape, tellMore, close: all.close }
}

function amendments(actions: readonly string[]): string {
  const cancelled = actions.filter((action) => action === 'cancel').length
  return `told of these trades later, and done to them: corrections ${actions.length - cancelled}, cancels ${cancelled}`
}

type Page = { trades?: PastTrade[]; candles?: Candle[]; gaps?: unknown[]; cursor?: string; more?: boolean }
function served(what: What, flags: ExportFlags & { url: string }): Source {
  const base = baseOf(flags)
  const key = keyOf(flags)
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const to = timeOf('--to', flags.to) ?? Date.now()
  const from = timeOf('--from', flags.from) ?? to - 3_600_000
  let gaps = 0
  async function page(instrument: string, cursor: string | undefined): Promise<Page> {
    const query = new URLSearchParams({ instrument, from: String(from), to: String(to), limit: String(PAGE[what]) })
    if (what === 'candles') query.set('interval', flags.interval)
    if (cursor !== undefined) query.set('cursor', cursor)
    const response = await fetch(`${base}/v1/${what}?${query.toString()}`, { headers }).catch((error: Error) => {
      throw new CommandError(`no server answers at ${base} (${error.message}): start one with "tickwire", or leave out --url`)
    })
    const body = (await response.json().catch(() => ({}))) as Page & { error?: { message?: string } }
    if (response.ok) return body
    throw new CommandError(body.error?.message ?? `${base} answers ${response.status}: is --url right?`)
  }
  async function* tape(instrument: string): Tape {
    let cursor: string | undefined
    do {
      const found = await page(instrument, cursor)
      gaps += found.gaps?.length ?? 0
      yield found.trades ?? found.candles ?? []
      cursor = found.more === false ? undefined : found.cursor
    } while (cursor !== undefined)
  }
  const tellMore = async (): Promise<void> => {
    const about = await fetch(`${base}/health`, { headers })
      .then((response) => response.json())
      .catch(() => ({}))
    const said = SAID[(about as { mode?: string }).mode ?? 'live']
    if (said !== undefined) console.error(said)
    if (gaps > 0) console.error(`not all of it is there: the server marks ${gaps} gaps, which /v1/trades tells`)
  }
  return { span: { from, to }, tape, tellMore, close: () => {} }
}

/** Where it cannot be written, output.ts ends the program. */
const put = (piece: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => void process.stdout.write(piece, (error) => (error ? undefined : resolve())))

function toStdout(format: Format, columns: readonly Column<Row>[]): Sink<Row> {
  const encoder = encoderOf(format, columns)
  return {
    write: async (rows) => put(await encoder.rows(rows)),
    close: async () => put(await encoder.end()),
    abandon: () => Promise.resolve()
  }
}

async function sinkOf(what: What, flags: ExportFlags): Promise<Sink<Row>> {
  const format = formatOf(flags)
  const { out, force } = flags
  const columns = (what === 'trades' ? TRADES : CANDLES) as readonly Column<Row>[]
  if (out === undefined) return toStdout(format, columns)
  if (existsSync(out) && !force) throw new CommandError(`${out} exists: name another with --out, or overwrite it with --force`)
  const fail = (error: Error): never => {
    throw new CommandError(`${out} cannot be written: ${error.message}`)
  }
  const { write, close, abandon } = await openSink(out, format, columns).catch(fail)
  return { write: (rows) => write(rows).catch(fail), close: () => close().catch(fail), abandon }
}

const timeIn = (row: Row): number => ('start' in row ? row.start : row.time)

export async function exportPast(what: What, instruments: readonly string[], flags: ExportFlags): Promise<void> {
  const { url } = flags
  const source = url === undefined ? recorded(what, instruments, flags) : served(what, { ...flags, url })
  const { from, to } = source.span
  checkSpan(source.span, flags)
  const sink = await sinkOf(what, flags)
  const length = to - from
  const progress = createProgress({ total: length * instruments.length, label: `export ${what}` })
  // The reader of a pipe may have seen enough.
  process.once('exit', progress.clear)
  const calm = onInterrupt(sink.abandon)
  let count = 0
  const empty: string[] = []
  try {
    for (const [i, instrument] of instruments.entries()) {
      const before = count
      for await (const rows of source.tape(instrument)) {
        await sink.write(rows)
        count += rows.length
        const last = rows.at(-1)
        if (last)
          progress.set(i * length + Math.max(0, timeIn(last) - from), `${count.toLocaleString('en-US')} ${what} of ${instrument}`)
      }
      if (count === before) empty.push(instrument)
    }
    await sink.close()
    progress.clear()
    await source.tellMore(empty)
  } catch (error) {
    progress.clear()
    await sink.abandon()
    throw error
  } finally {
    process.off('exit', progress.clear)
    calm()
    source.close()
  }
  progress.end(`${count.toLocaleString('en-US')} ${what}${flags.out === undefined ? '' : ` in ${flags.out}`}`)
  if (count === 0) process.exitCode = 1
}
