/** The runs of a journal that may stand beside each other: what was simulated is never told as if it were real, nor the other way round. */
import type { Mode, RecordedRun } from '@tickwire/protocol'
import type { JournalReader } from '../journal/journal.ts'

export const modeOf = ({ mode }: Pick<RecordedRun, 'mode'>): 'live' | 'demo' | 'capture' => mode ?? 'live'

/** The same journal, as if it had the runs of this mode alone. */
export const ofMode = (reader: JournalReader, mode: Mode): JournalReader => {
  const runs = (): RecordedRun[] => reader.runs().filter((run) => modeOf(run) === mode)
  return {
    ...reader,
    runs,
    trades: (instrument, from, to) => reader.trades(instrument, from, to, new Set(runs().map(({ run }) => run)))
  }
}
