/** The log of events for people and scripts: JSON lines or CSV, put aside by size and day; never in the way of what it tells of. */
import { appendFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Published } from '@tickwire/protocol'
import { timers as real, type Timers } from '../timers.ts'
import { csvHead, csvLine } from './csv.ts'
import { takeFileLock } from './lock.ts'
import { dayOf } from './names.ts'

export type ReadableOptions = {
  file: string
  /** It is put aside at this size. */
  mostBytes: number
  /** So many that were put aside are kept. */
  keep: number
  clock?: () => number
  timers?: Timers
  /** Told once when it cannot be written, and once when it can again. */
  onTrouble?: (reason: string | undefined) => void
}
export type ReadableLog = {
  append: (event: Published) => void
  lost: () => number
  flush: () => Promise<void>
  stop: () => Promise<void>
}

const GATHER = 200
/** Characters that wait for the disk; what comes beyond is lost, and counted. */
const MOST_WAITING = 16 << 20

/** Names of holders within this process. */
let opened = 0

/** Throws in words where another process, or this one, writes to the file. */
export function openReadableLog(options: ReadableOptions): ReadableLog {
  const { file, mostBytes, keep, clock = Date.now, timers = real, onTrouble = () => {} } = options
  const isCsv = file.toLowerCase().endsWith('.csv')
  const lock = takeFileLock(file, `${process.pid}-${opened++}`, clock())
  let lines: string[] = []
  let waiting = 0
  let lost = 0
  let due: (() => void) | undefined
  let writing = Promise.resolve()
  let open: { bytes: number; day: number } | undefined
  let isTroubled = false

  const start = async () => {
    await mkdir(dirname(file), { recursive: true })
    const about = await stat(file).catch(() => undefined)
    open = { bytes: about?.size ?? 0, day: dayOf(about?.mtimeMs ?? clock()) }
  }

  async function write(text: string, count: number): Promise<void> {
    try {
      if (!open) await start()
      if (open!.bytes > 0 && (open!.bytes >= mostBytes || open!.day !== dayOf(clock()))) {
        await putAside(file, keep, clock())
        open = { bytes: 0, day: dayOf(clock()) }
      }
      const all = isCsv && open!.bytes === 0 ? `${csvHead}\n${text}` : text
      await appendFile(file, all)
      open = { bytes: open!.bytes + Buffer.byteLength(all), day: dayOf(clock()) }
      trouble(undefined)
    } catch (error) {
      lost += count
      open = undefined
      trouble((error as Error).message)
    }
  }
  const trouble = (reason: string | undefined) => {
    if (isTroubled === (reason !== undefined)) return
    isTroubled = reason !== undefined
    onTrouble(reason)
  }

  function hand(): void {
    due?.()
    due = undefined
    if (lines.length === 0) return
    const [text, count] = [`${lines.join('\n')}\n`, lines.length]
    lines = []
    writing = writing.then(() => write(text, count)).then(() => void (waiting -= text.length))
  }

  return {
    append(event) {
      if (waiting > MOST_WAITING) {
        lost++
        return
      }
      const line = isCsv ? csvLine(event) : JSON.stringify(event)
      lines.push(line)
      waiting += line.length + 1
      due ??= timers.after(GATHER, hand)
    },
    lost: () => lost,
    flush() {
      hand()
      return writing
    },
    async stop() {
      hand()
      await writing
      lock.release()
    }
  }
}

/** `events.csv` becomes `events-2026-01-31T10-00-00-000Z.csv`; of these the oldest go. */
async function putAside(file: string, keep: number, now: number): Promise<void> {
  const dot = basename(file).lastIndexOf('.')
  const name = dot > 0 ? basename(file).slice(0, dot) : basename(file)
  const ending = dot > 0 ? basename(file).slice(dot) : ''
  const folder = dirname(file)
  await rename(file, join(folder, `${name}-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}${ending}`))
  const dated = /^-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/
  const aside = (await readdir(folder))
    .filter(
      (each) => each.startsWith(name) && each.endsWith(ending) && dated.test(each.slice(name.length, each.length - ending.length))
    )
    .sort()
  for (const old of aside.slice(0, Math.max(0, aside.length - keep))) await rm(join(folder, old), { force: true })
}
