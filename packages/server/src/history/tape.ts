/** All that a journal holds of an instrument, in order and piece by piece: what an export reads. */
import { INTERVAL_MS, type Candle, type Interval } from '@tickwire/protocol'
import type { JournalReader } from '../journal/journal.ts'
import { gridOf } from '../services/sessions.ts'
import { amended, fatesOf, type HeardCorrection } from './amend.ts'
import { correctionsOf } from './amended.ts'
import { keyOf, type Key, type PastTrade } from './order.ts'
import { candlesOf, tradesOf } from './recorded.ts'
import type { Span } from './spans.ts'

/** Rows of a piece. */
const PIECE = 20_000
/** Candles of a piece. */
const SLOTS = 5_000

/** As they are true now; `tell` hears what was corrected or cancelled of each piece. */
export async function* tradeTape(
  reader: JournalReader,
  instrument: string,
  { from, to }: Span,
  tell: (corrections: readonly HeardCorrection[]) => void = () => {}
): AsyncGenerator<PastTrade[]> {
  const fates = fatesOf(await correctionsOf(reader, instrument, from))
  let after: Key | undefined
  for (;;) {
    const rows = await tradesOf(reader, { instrument, from, to, limit: PIECE, after, takes: () => true })
    const last = rows.at(-1)
    if (!last) return
    after = keyOf(last)
    for (const row of rows) delete row.run
    const { trades, corrections } = amended(rows, fates)
    tell(corrections)
    yield trades
  }
}

/** By the clock: a journal does not know when an exchange opens. */
export async function* candleTape(
  reader: JournalReader,
  { instrument, interval, from, to }: Span & { instrument: string; interval: Interval }
): AsyncGenerator<Candle[]> {
  const grid = gridOf(interval)
  const length = INTERVAL_MS[interval]
  let last: Candle | undefined
  for (let at = Math.floor(from / length) * length; at < to; at += SLOTS * length) {
    const end = Math.min(Math.ceil(to / length) * length, at + SLOTS * length)
    const candles = await candlesOf(reader, { instrument, interval, grid, now: to, from: at, to: end, last })
    last = candles.at(-1) ?? last
    if (candles.length > 0) yield candles
  }
}
