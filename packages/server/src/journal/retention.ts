/** What is kept: whole segments go, the oldest first, while there is too much of them or they are too old. */
import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isRunName, segmentNumber } from './names.ts'

export type Retention = {
  directory: string
  mostBytes: number
  mostAge: number
  /** This run's segments from this number on are being written. */
  keep: string
  number: number
}

type Kept = { path: string; folder: string; bytes: number; at: number; isOpen: boolean }

export function prune(retention: Retention, now: number): void {
  const { mostBytes, mostAge } = retention
  if (mostBytes === Infinity && mostAge === Infinity) return
  const all = segmentsIn(retention).sort((a, b) => a.at - b.at || (a.path < b.path ? -1 : 1))
  let bytes = all.reduce((sum, each) => sum + each.bytes, 0)
  for (const { path, folder, bytes: own, at, isOpen } of all) {
    if (isOpen || (bytes <= mostBytes && now - at <= mostAge)) continue
    try {
      rmSync(path, { force: true })
      bytes -= own
      rmdirSync(folder)
    } catch {
      // A run that has more segments stays; what cannot be removed is tried again the next time.
    }
  }
}

/** Their age is that of what was last written to them. */
function segmentsIn({ directory, keep, number }: Retention): Kept[] {
  return listed(directory)
    .filter(isRunName)
    .flatMap((run) => {
      const folder = join(directory, run)
      return listed(folder).flatMap((file) => {
        const own = segmentNumber(file)
        if (own === undefined) return []
        const path = join(folder, file)
        const about = statSync(path, { throwIfNoEntry: false })
        return about ? [{ path, folder, bytes: about.size, at: about.mtimeMs, isOpen: run === keep && own >= number }] : []
      })
    })
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
