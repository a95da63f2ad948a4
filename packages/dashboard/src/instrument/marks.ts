/** What a candle should be doubted for: gaps in it, open or filled; that it was revised; that a part of it is not known. */
import type { Candle } from '@tickwire/client'
import { percentShare } from '../model/format.ts'
import { gapStory } from '../model/gaps.ts'
import type { KnownGap } from '../model/rest.ts'

/** `time` is the start of its candle in epoch seconds; `words` say what a pointer over it is told. */
export type ChartMark = { time: number; what: 'open' | 'filled' | 'revised' | 'partial'; words: string }

/** The last bar that began at or before `at`: a quiet minute may have none of its own. */
function barAt(starts: readonly number[], at: number): number | undefined {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= at) low = middle + 1
    else high = middle
  }
  return starts[low - 1]
}

/** Marks in order of time. `candles` are in order too. */
export function marksOf(candles: readonly Candle[], gaps: readonly KnownGap[]): ChartMark[] {
  const starts = candles.map((candle) => candle.start)
  const marks: ChartMark[] = []
  for (const gap of gaps) {
    const start = barAt(starts, gap.from)
    if (start !== undefined) marks.push({ time: start / 1_000, what: gap.state, words: gapStory(gap) })
  }
  for (const { start, revision, coverage, closed } of candles) {
    const time = start / 1_000
    if (closed && revision > 0)
      marks.push({ time, what: 'revised', words: `revised ${revision === 1 ? 'once' : `${revision} times`}` })
    // A candle that still forms began to be watched when it began, or it says so once it closes.
    if (coverage !== undefined && coverage < 1)
      marks.push({ time, what: 'partial', words: `${percentShare(coverage)} of it known to be complete` })
  }
  return marks.sort((a, b) => a.time - b.time)
}
