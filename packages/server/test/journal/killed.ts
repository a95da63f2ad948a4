/**
 * A process that records into several journals and writes several files of keys until it is killed. Each thing that it was told is on
 * the disk goes, synced, to a file of its own beside what it is about; and a letter of it to standard output, for whoever kills it.
 */
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { openWriter } from '../../src/journal/writer.ts'
import { openKeyStore } from '../../src/store/keys.ts'
import { entryAt } from './kit.entries.ts'

function tellIn(directory: string, name: string, letter: string): (what: unknown) => void {
  const file = openSync(join(directory, name), 'a')
  return (what) => {
    writeSync(file, `${JSON.stringify(what)}\n`)
    fdatasyncSync(file)
    writeSync(1, letter)
  }
}

async function record(directory: string, pace: number): Promise<never> {
  const tell = tellIn(directory, 'recorded', 'j')
  const writer = openWriter({ directory: join(directory, 'journal'), what: ['events'], epoch: 'e', segmentBytes: 20_000 })
  for (let n = 0; ;) {
    for (let i = 0; i < pace; i++) writer.append(entryAt(n++))
    await writer.flush()
    tell({ n, run: writer.run })
  }
}

function keep(directory: string): never {
  const tell = tellIn(directory, 'kept', 'k')
  const store = openKeyStore(join(directory, 'keys.db'))
  for (let n = 1; ; n++) {
    const { id } = store.create({ name: `${n}`, user: 'ann', scopes: ['read'] }, n).stored
    tell({ made: id })
    if (n % 4 !== 0) continue
    store.revoke(id, n)
    tell({ revoked: id })
  }
}

if (isMainThread) {
  const [root = '', lanes = '1', pace = '20'] = process.argv.slice(2)
  for (let lane = 0; lane < Number(lanes); lane++) {
    const directory = join(root, String(lane))
    const keeper = new Worker(new URL(import.meta.url), { workerData: directory })
    keeper.once('error', (error) => {
      throw error
    })
    void record(directory, Number(pace) + lane * 7)
  }
  flushCompileCache()
} else keep(workerData as string)
