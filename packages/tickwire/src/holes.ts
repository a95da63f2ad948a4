/** What a recording does not hold of what is asked of it, in words on stderr: no row says by itself that others are missing. */
import type { RecordedRun } from '@tickwire/protocol'
import type { Hole, JournalReader, Query } from '@tickwire/server/journal/journal.ts'

const iso = (time: number): string => new Date(Math.max(-8.64e15, Math.min(8.64e15, time))).toISOString()
const amount = (count: number, one: string, many: string): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`

const WHY = {
  lost: 'could not be written',
  damaged: 'are damaged, and left out'
}

function wordsOf(holes: readonly Hole[], why: Hole['why']): string[] {
  const those = holes.filter((hole) => hole.why === why)
  const [from, to] = [Math.min(...those.map((hole) => hole.from)), Math.max(...those.map((hole) => hole.to))]
  const known = those.reduce((sum, { entries = 0 }) => sum + entries, 0)
  const least = those.some(({ entries }) => entries === undefined) ? 'at least ' : ''
  const what = known > 0 ? `${least}${amount(known, 'entry', 'entries')}` : 'entries'
  return those.length === 0
    ? []
    : [`${what} in ${amount(those.length, 'place', 'places')} from ${iso(from)} to ${iso(to)} ${WHY[why]}`]
}

/** Nothing where all of it is there. */
export async function holesIn(reader: JournalReader, run: RecordedRun, query: Omit<Query, 'run'>): Promise<string | undefined> {
  if (run.reason !== undefined) return `${run.run}: ${run.reason}`
  const holes = await reader.holes({ ...query, run: run.run })
  const isEnd = query.to === undefined || query.to >= run.to
  const cut = isEnd && run.cut > 0 ? [`${amount(run.cut, 'byte', 'bytes')} of a torn end cut`] : []
  const words = [...wordsOf(holes, 'lost'), ...wordsOf(holes, 'damaged'), ...cut]
  return words.length === 0 ? undefined : `not all of ${run.run} is there: ${words.join('; ')}`
}

export async function tellHoles(reader: JournalReader, run: RecordedRun, query: Omit<Query, 'run'>): Promise<void> {
  const words = await holesIn(reader, run, query)
  if (words !== undefined) console.error(words)
}
