/** The runs of a journal that may stand beside each other: what was simulated is never told as if it were real, nor the other way round. */
import type { Mode, RecordedRun } from '@tickwire/protocol'
import type { JournalReader } from '../journal/journal.ts'
import { overlap, type Span } from './spans.ts'

export const modeOf = ({ mode }: Pick<RecordedRun, 'mode'>): 'live' | 'demo' | 'capture' => mode ?? 'live'

/** Nothing can be read of those that say why. */
export const isReadable = ({ reason }: Pick<RecordedRun, 'reason'>): boolean => reason === undefined

/** Runs with events that can be read. */
export const eventRuns = (reader: Pick<JournalReader, 'runs'>): RecordedRun[] =>
  reader.runs().filter((run) => isReadable(run) && run.what.includes('events'))

/** More of them are counted, and not named. */
const MOST_NAMED = 3

/** Recordings of a span that nothing can be read of, in words that follow others. */
export function lostWords(reader: Pick<JournalReader, 'runs'> | undefined, span: Span): string {
  const isLost = (run: RecordedRun): boolean =>
    !isReadable(run) &&
    (run.what.length === 0 || run.what.includes('events')) &&
    overlap({ from: run.from, to: run.to + 1 }, span)
  const lost = reader?.runs().filter(isLost) ?? []
  const named = lost.slice(0, MOST_NAMED).map(({ run, reason }) => `; the recording ${run}: ${reason}`)
  return named.join('') + (lost.length > MOST_NAMED ? `; and ${lost.length - MOST_NAMED} more recordings` : '')
}

/** The same journal, as if it had the runs of this mode alone. */
export const ofMode = (reader: JournalReader, mode: Mode): JournalReader => {
  const runs = (): RecordedRun[] => reader.runs().filter((run) => modeOf(run) === mode)
  return {
    ...reader,
    runs,
    trades: (instrument, from, to) =>
      reader.trades(
        instrument,
        from,
        to,
        new Set(
          runs()
            .filter(isReadable)
            .map(({ run }) => run)
        )
      )
  }
}
