/** The journal's thread: it packs, writes and syncs what the writer hands it, so that the event loop never waits for a disk. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Block } from './block.ts'
import { openDisk, SYNC_EVERY, type DiskOptions, type DiskState } from './disk.ts'

/** `missed`: entries that were lost before they came here. */
export type ToDisk =
  | { type: 'batch'; id: number; blocks: Block[]; entries: number; missed: number }
  | { type: 'sync'; id: number }
  | { type: 'stop'; id: number }
/** `id` is that of the message that this answers. */
export type FromDisk = DiskState & { id?: number; written?: boolean; bytes: number }

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
    port.postMessage({ ...disk.state(), bytes: disk.bytes(), ...more } satisfies FromDisk)
  const timers = [
    setInterval(() => disk.sync(), SYNC_EVERY),
    setInterval(() => disk.prune(), PRUNE_EVERY),
    setInterval(() => {
      if (disk.state().state === 'recording') return
      disk.retry()
      tell()
    }, retryEvery)
  ]
  port.on('message', (message: ToDisk) => {
    if (message.type === 'batch') {
      if (message.missed > 0) disk.miss(message.missed)
      tell({ id: message.id, written: disk.write(message.blocks, message.entries) })
      return
    }
    if (message.type === 'sync') disk.sync()
    else disk.close()
    tell({ id: message.id })
    if (message.type === 'sync') return
    for (const timer of timers) clearInterval(timer)
    port.close()
  })
}
