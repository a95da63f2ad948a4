/** Whose events a journal has, by the heads of its blocks alone: no payload is read. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { segmentNumber } from './names.ts'
import { NewerFormat, openSegment } from './scan.ts'

/** Topics of events in these runs. */
export function topicsIn(directory: string, runs: readonly string[]): ReadonlySet<string> {
  const topics = new Set<string>()
  for (const run of runs)
    for (const file of readdirSync(join(directory, run)))
      if (segmentNumber(file) !== undefined) for (const topic of topicsOf(join(directory, run, file))) topics.add(topic)
  return topics
}

/** None where it was removed meanwhile, or a newer version wrote it. */
function topicsOf(path: string): readonly string[] {
  try {
    return openSegment(path).blocks.flatMap(({ kind, topics }) => (kind === 'events' ? topics : []))
  } catch (error) {
    if (error instanceof NewerFormat || (error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
