/** The journal's thread: it packs, writes and syncs what the writer hands it, so that the event loop never waits for a disk. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Block } from './block.ts'
import { blocksOfSheet } from './sheet-blocks.ts'
import type { Sheet } from './sheet.ts'
import { openDisk, SYNC_EVERY, type DiskOptions, type DiskState } from './disk.ts'
import type { Words } from './words.ts'

/** What is written together: `entries` in sheets, or in blocks already. `missed`: entries that were lost before it. */
export type Batch = {
  batch: number
  entries: number
  sheets: readonly Sheet[]
  words: Words
  blocks: readonly Block[]
  missed: number
}
export type ToDisk =
  | (Batch & { type: 'batch'; id: number })
  | { type: 'sync'; id: number }
  | { type: 'stop'; id: number; missed: number }
/** `id` is that of the message that this answers; `spare`: the buffers of its sheets, to be filled again. */
export type FromDisk = DiskState & { id?: number; written?: boolean; bytes: number; spare?: readonly ArrayBuffer[] }

const RETRY_EVERY = 2_000
const PRUNE_EVERY = 600_000

if (parentPort) serve(parentPort, workerData as DiskOptions & { retryEvery?: number })

function serve(
  port: NonNullable<typeof parentPort>,
  { retryEvery = RETRY_EVERY, ...options }: DiskOptions & { retryEvery?: number }
) {
  const disk = openDisk(options, Date.now)
  disk.prune()
  const tell = (more: Partial<FromDisk> = {}) =>
    port.postMessage({ ...disk.state(), bytes: disk.bytes(), ...more } satisfies FromDisk, [...(more.spare ?? [])])
  const timers = [
    setInterval(() => disk.sync(), SYNC_EVERY),
    setInterval(() => disk.prune(), PRUNE_EVERY),
    setInterval(() => {
      if (disk.state().state === 'recording') return
      disk.retry()
      tell()
    }, retryEvery)
  ]
  const words: string[] = []
  const blocksOf = ({ batch, entries, sheets, words: { from, added }, blocks }: Batch): Block[] => {
    words.length = from
    words.push(...added)
    return [...sheets.flatMap((sheet) => blocksOfSheet(sheet, words, batch, entries)), ...blocks]
  }
  port.on('message', (message: ToDisk) => {
    if (message.type === 'batch') {
      if (message.missed > 0) disk.miss(message.missed)
      const written = disk.write(blocksOf(message), message.entries)
      tell({ id: message.id, written, spare: message.sheets.map(({ numbers }) => numbers.buffer) })
      return
    }
    if (message.type === 'sync') disk.sync()
    else {
      if (message.missed > 0) disk.miss(message.missed)
      disk.close()
    }
    tell({ id: message.id })
    if (message.type === 'sync') return
    for (const timer of timers) clearInterval(timer)
    port.close()
  })
}
