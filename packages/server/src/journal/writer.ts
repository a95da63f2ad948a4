/** The journal's writing end on the event loop: it puts entries into columns, and leaves the rest to a thread. */
import { Worker } from 'node:worker_threads'
import type { RecordedWhat, RecordingStatus } from '@tickwire/protocol'
import { timers as real, type Timers } from '../timers.ts'
import { blocksOf } from './batch.ts'
import type { DiskState } from './disk.ts'
import type { Entry, JournalWriter } from './journal.ts'
import { takeLock } from './lock.ts'
import { runName } from './names.ts'
import { createSheets } from './sheet.ts'
import type { Batch, FromDisk, ToDisk } from './worker.ts'

export type WriterOptions = {
  directory: string
  what: readonly RecordedWhat[]
  /** Of the plant whose events are written; the run's name ends with it. */
  epoch: string
  /** Its name, where it is not made of the time and the epoch. */
  run?: string
  /** A segment is closed at this size. */
  segmentBytes?: number
  /** Of all runs together; the oldest segments go first. */
  mostBytes?: number
  mostAge?: number
  clock?: () => number
  timers?: Timers
  /** Each change of the state, once. */
  onState?: (status: RecordingStatus) => void
  /** How often a full disk is tried again. */
  retryEvery?: number
}

/**
 * What was appended is handed over at this age, or when there is so much of it: as much as may be lost with the power, but where the
 * thread is still at what came before, since to write and sync more at once is all that helps it.
 */
const GATHER = 200
const MOST_ENTRIES = { idle: 1_000, busy: 4_096 }
const MOST_BYTES = 2 << 20
/** More than this on its way to the disk: what comes then is lost, and counted. */
const MOST_WAITING = 64 << 20

/** Takes the lock, and starts a run. Throws in words where another process writes there, or nothing can be written. */
export function openWriter(options: WriterOptions): JournalWriter & { run: string } {
  const { directory, what, epoch, clock = Date.now, timers = real, onState = () => {} } = options
  const run = options.run ?? runName(clock(), epoch)
  const lock = takeLock(directory, run, clock())
  const disk = openThread(options, run)
  const status: RecordingStatus = {
    state: 'recording',
    reason: 'recording',
    what,
    since: clock(),
    run,
    bytes: 0,
    events: 0,
    frames: 0,
    lost: 0
  }
  const sheets = createSheets(MOST_ENTRIES.busy)
  /** What is of no sheet, and its places in the batch. */
  let others: Entry[] = []
  let places: number[] = []
  let entries = 0
  let most = 0
  let events = 0
  let weight = 0
  let due: (() => void) | undefined
  let batch = 0
  let missed = 0
  /** No entry is older than the one before it, whatever is done to the clock. */
  let latest = -Infinity
  let stopped: Promise<void> | undefined

  const become = ({ state, reason }: DiskState) => {
    if (state === status.state) return
    Object.assign(status, { state, reason, since: clock() })
    onState({ ...status })
  }
  const lose = (entries: number) => {
    status.lost += entries
    missed += entries
  }

  function hand(): void {
    due?.()
    due = undefined
    if (entries === 0) return
    const count = { entries, events }
    const [rest, at] = [others, places]
    ;[others, places] = [[], []]
    entries = events = weight = 0
    if (disk.waiting() > MOST_WAITING) {
      sheets.drop()
      return lose(count.entries)
    }
    const blocks = blocksOf(rest, batch, at, count.entries)
    const handed = { batch: batch++, entries: count.entries, ...sheets.take(), blocks, missed }
    missed = 0
    disk.write(handed, (written) => {
      if (!written) {
        status.lost += count.entries
        return
      }
      status.events += count.events
      status.frames += count.entries - count.events
    })
  }

  disk.onTold(({ bytes, spare, ...told }) => {
    status.bytes = bytes
    spare?.forEach(sheets.give)
    become(told)
  })

  return {
    run,
    append(entry) {
      // What cannot be written now is not even gathered, so that memory is bounded however long it lasts.
      if (status.state !== 'recording' || stopped) return lose(1)
      if (entry.time > latest) latest = entry.time
      if (entries === 0) most = disk.waiting() > 0 ? MOST_ENTRIES.busy : MOST_ENTRIES.idle
      if (entry.type !== 'event' || !sheets.put(entry.event, entries, latest)) {
        others.push(entry.time < latest ? { ...entry, time: latest } : entry)
        places.push(entries)
        if (entry.type !== 'event') weight += weightOf(entry)
      }
      entries++
      if (entry.type === 'event') events++
      if (entries >= most || weight >= MOST_BYTES) hand()
      else due ??= timers.after(GATHER, hand)
    },
    async flush() {
      hand()
      await disk.ask({ type: 'sync' })
    },
    status: () => ({ ...status }),
    stop: () =>
      (stopped ??= (async () => {
        hand()
        await disk.ask({ type: 'stop', missed })
        lock.release()
        // What was lost to the last is told with its cause.
        const reason = status.state === 'recording' ? 'stopped' : status.reason
        Object.assign(status, { state: 'off', reason, since: clock() })
      })())
  }
}

const weightOf = (entry: Entry): number =>
  'frame' in entry ? entry.frame.length : entry.type === 'answer' ? entry.body.length : 0

type Settled = (told?: FromDisk) => void

/** The thread, and what is on its way to it. */
function openThread({ directory, what, epoch, segmentBytes, mostBytes, mostAge, retryEvery }: WriterOptions, run: string) {
  const workerData = {
    directory,
    run,
    what,
    epoch,
    segmentBytes: segmentBytes ?? 64 << 20,
    mostBytes: mostBytes ?? Infinity,
    mostAge: mostAge ?? Infinity,
    ...(retryEvery !== undefined && { retryEvery })
  }
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData })
  const asked = new Map<number, Settled>()
  let next = 0
  let waiting = 0
  let onTold: ((told: FromDisk) => void) | undefined
  let gone: DiskState | undefined
  worker.unref()

  const end = (reason: string) => {
    gone ??= { state: 'failed', reason }
    for (const settle of asked.values()) settle()
    asked.clear()
  }
  worker.on('message', (told: FromDisk) => {
    onTold?.(told)
    if (told.id === undefined) return
    asked.get(told.id)?.(told)
    asked.delete(told.id)
    // The process may end while nothing is under way.
    if (asked.size === 0) worker.unref()
  })
  worker.on('error', (error) => {
    onTold?.({ state: 'failed', reason: `the thread of the journal ended: ${(error as Error).message}`, bytes: 0 })
    end((error as Error).message)
  })
  worker.on('exit', () => end('the thread of the journal has ended'))

  const send = (message: ToDisk, settle: Settled, transfer: ArrayBuffer[] = []) => {
    if (gone) return settle()
    worker.ref()
    asked.set(message.id, settle)
    worker.postMessage(message, transfer)
  }

  return {
    onTold: (listener: (told: FromDisk) => void): void => void (onTold = listener),
    waiting: () => waiting,
    write(batch: Batch, done: (written: boolean) => void): void {
      const transfer = [
        ...batch.sheets.map(({ numbers }) => numbers.buffer),
        ...batch.blocks.map(({ payload }) => payload.buffer)
      ]
      const size = transfer.reduce((sum, { byteLength }) => sum + byteLength, 0)
      waiting += size
      const settle: Settled = (told) => {
        waiting -= size
        done(told?.written === true)
      }
      send({ ...batch, type: 'batch', id: next++ }, settle, transfer as ArrayBuffer[])
    },
    ask: (message: { type: 'sync' } | { type: 'stop'; missed: number }): Promise<void> =>
      new Promise((resolve) => {
        send({ ...message, id: next++ }, () => resolve())
      })
  }
}
