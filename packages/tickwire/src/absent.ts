/** Instruments of which a journal has no trades at all, in words: what is most like them, and what is there. */
import { topicsIn } from '@tickwire/server/journal/topics.ts'
import { nearest } from '@tickwire/server/nearest.ts'

const NEAREST = 3
const SHOWN = 20
const TRADES = 'trade:'

/** A line for each; nothing for those that are there, whatever the span has of them. */
export function absentIn(directory: string, runs: readonly string[], asked: readonly string[]): string[] {
  if (asked.length === 0) return []
  const topics = [...topicsIn(directory, runs)].filter((topic) => topic.startsWith(TRADES) && !topic.includes('@'))
  const there = topics.map((topic) => topic.slice(TRADES.length)).sort()
  const more = there.length > SHOWN ? ` and ${there.length - SHOWN} others` : ''
  const known = there.length === 0 ? 'no trades at all' : `those of ${there.slice(0, SHOWN).join(', ')}${more}`
  return asked
    .filter((instrument) => !there.includes(instrument))
    .map((instrument) => {
      const like = nearest(instrument, there, NEAREST)
      // Where all are shown there is nothing to find among them but the nearest.
      const hint = there.length > NEAREST ? `; the nearest are ${like.join(', ')}` : ''
      return `no trades of ${instrument} are recorded in ${directory}${hint}; there are ${known}`
    })
}
