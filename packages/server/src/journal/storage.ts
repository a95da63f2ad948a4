/** What the journal's writing end asks of a file system: so few things that a test can put a disk in its place that loses its power. */
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

export type Storage = {
  /** With those above it; answers the uppermost one that was not there. */
  mkdir: (folder: string) => string | undefined
  /** Throws where there is one. */
  create: (path: string) => number
  /** How much of it was written. */
  write: (file: number, chunk: Uint8Array, at: number) => number
  cut: (file: number, length: number) => void
  /** What was written to it is on the disk then; not its name. */
  sync: (file: number) => void
  close: (file: number) => void
  remove: (path: string) => void
  /** The names in it are on the disk then. */
  syncFolder: (folder: string) => void
  /** Free bytes. */
  room: (folder: string) => number
}

/** Some systems do not open a folder as a file, or do not sync one: they know no more that could be done. */
const CANNOT = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'])

export const files: Storage = {
  mkdir: (folder) => mkdirSync(folder, { recursive: true }),
  create: (path) => openSync(path, 'wx'),
  write: (file, chunk, at) => writeSync(file, chunk, 0, chunk.length, at),
  cut: ftruncateSync,
  sync: fsyncSync,
  close: closeSync,
  remove: (path) => rmSync(path, { force: true }),
  syncFolder(folder) {
    try {
      const handle = openSync(folder, 'r')
      try {
        fsyncSync(handle)
      } finally {
        closeSync(handle)
      }
    } catch (error) {
      if (!CANNOT.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  },
  room(folder) {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
}

/** A folder whose own name, and the names of those above it, are on the disk too: else what is in it is gone with them. */
export function makeFolder(folder: string, storage: Storage = files): void {
  const first = storage.mkdir(folder)
  if (first === undefined) return
  const above = dirname(first)
  for (let each = dirname(folder); each.length >= above.length; each = dirname(each)) {
    storage.syncFolder(each)
    if (each === dirname(each)) break
  }
}
