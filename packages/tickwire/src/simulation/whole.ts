/** What was missed: once it is calm, each gap is filled or says why it is not, and candles are whole again. Pure. */
import type { Published } from '@tickwire/protocol'
import type { KnownGap } from '@tickwire/server/feed/gap.ts'
import { coverageOf, fill, heard, open, openCoverage, type Coverage } from '@tickwire/server/services/coverage.ts'

/** The part of the calm that new candles are of. */
const NEWEST = 10_000
/** In transit is what is younger than this. */
const TRANSIT = 1_000

export function createWhole() {
  const coverages = new Map<string, Coverage>()
  return {
    /** As the candles hear it. */
    published(event: Published): void {
      const { instrument, topic } = event
      if (topic !== `trade:${instrument}` && topic !== `gap:${instrument}`) return
      let coverage = coverages.get(instrument)
      if (!coverage) coverages.set(instrument, (coverage = openCoverage()))
      if (event.type === 'trade') heard(coverage, event)
      else if (event.type === 'gap') open(coverage, event)
      else if (event.type === 'gap_filled') fill(coverage, event)
    },

    /** What the newest candles say of themselves, where it is not that they are whole. */
    broken(now: number): string[] {
      return [...coverages].flatMap(([instrument, coverage]) => {
        const share = coverageOf(coverage, now - NEWEST, now - TRANSIT)
        return share === 1 ? [] : [`new candles of ${instrument} cover ${share} of their time`]
      })
    }
  }
}

export const unexplained = (gaps: readonly KnownGap[]): string[] =>
  gaps
    .filter(({ state, why }) => state === 'open' && why === undefined)
    .map(
      ({ id, provider, kind, instrument, cause, own }) =>
        `gap ${id} of ${kind} of ${instrument} at ${provider} (${cause}${own ? ', its own' : ''}) is open without a reason`
    )
