/**
 * Candles of every interval from arbitrated trades, closed by watermark. An interval without a trade gets a flat candle at the last
 * close; what changes a closed one (a late trade, a correction, a gap or its filling) makes a new revision at the next watermark.
 */
import { INTERVALS, isOfItsTime, type Candle, type Correction, type Interval, type Trade } from '@tickwire/protocol'
import { fill, heard, open, openCoverage, type Coverage, type Span } from './coverage.ts'
import { amendBar, candleOf, pass, settleMinute, take, touchSpan, type Lane } from './lane.ts'
import { service, type Input, type Output, type Service, type Watermark } from './service.ts'
import { gridOf, type Sessions } from './sessions.ts'
import { amend, forgetOld, isKnown, openTape, remember, takeWaiting, type Tape } from './tape.ts'

export { joinCandles, regroup } from './history.ts'

export type CandleOptions = {
  /** Closed candles per interval that are remembered, and so can still be revised. */
  keep?: number
  /** Trades per instrument that are remembered one by one, for a day at most, and so can still be corrected. */
  remember?: number
  /** When an instrument's exchange trades; nothing: always, and candles follow the clock. */
  sessions?: (instrument: string) => Sessions | undefined
}

type Series = { lanes: Lane[]; watermark: number; tape: Tape; coverage: Coverage }

export type CandleState = Required<CandleOptions> & {
  series: Map<string, Series>
  /** Trades that no remembered candle could take: older than all of them, or absurdly far ahead. Counted once per interval. */
  refused: number
}

const DAY = 86_400_000

const isNumber = ({ time, price, size }: Trade): boolean =>
  Number.isFinite(time) && Number.isFinite(price) && Number.isFinite(size)
/** What is filled in is long past, and may be. */
const isOf = (trade: Trade): boolean => (trade.backfill ? trade.clock !== 'ahead' : isOfItsTime(trade))
const usable = (trade: Trade): boolean => isNumber(trade) && isOf(trade) && trade.quarantined === undefined

function seriesOf(state: CandleState, instrument: string): Series {
  const known = state.series.get(instrument)
  if (known) return known
  const sessions = state.sessions(instrument)
  const coverage = openCoverage()
  const lanes = INTERVALS.map((interval): Lane => {
    const grid = gridOf(interval, sessions)
    return { instrument, interval, grid, coverage, bars: [], closed: 0, revised: false }
  })
  const series = { lanes, watermark: -Infinity, tape: openTape(), coverage }
  state.series.set(instrument, series)
  return series
}

/** The closed candles that are remembered and the one that forms, oldest first. */
export function recentCandles(state: CandleState, instrument: string, interval: Interval): Candle[] {
  const lane = state.series.get(instrument)?.lanes.find((each) => each.interval === interval)
  return lane ? lane.bars.slice(0, lane.closed + 1).map((bar) => candleOf(lane, bar)) : []
}

function hear(state: CandleState, trade: Trade): void {
  const series = seriesOf(state, trade.instrument)
  const { lanes, tape, watermark, coverage } = series
  if (isKnown(tape, trade)) return
  let taken = false
  for (const lane of lanes) {
    if (take(lane, trade, watermark, state.keep)) taken = true
    else state.refused++
  }
  if (!taken) return
  heard(coverage, trade)
  remember(tape, trade)
  forget(state, series, -Infinity)
  const waiting = takeWaiting(tape, trade.provider, trade.id)
  if (waiting) correct(series, waiting)
}

function correct(series: Series, correction: Correction): void {
  const { lanes, tape } = series
  const amended = amend(tape, correction)
  if (!amended) return
  for (const lane of lanes) amendBar(lane, tape, amended.was, amended.now)
  const { provider, corrected } = correction
  const next = takeWaiting(tape, provider, corrected?.id)
  if (next) correct(series, next)
}

const forget = ({ remember: limit }: CandleState, { tape, lanes }: Series, before: number): void =>
  forgetOld(tape, before, limit, (start, prices) => {
    for (const lane of lanes) settleMinute(lane, start, prices)
  })

const touch = ({ lanes }: Series, span: Span | undefined): void => {
  if (span) for (const lane of lanes) touchSpan(lane, span)
}

function advance(state: CandleState, { instrument, time }: Watermark): Output[] {
  const series = seriesOf(state, instrument)
  // A watermark never goes back: a clock that does must not reopen what was closed.
  series.watermark = Math.max(series.watermark, time)
  const out = series.lanes.flatMap((lane) => pass(lane, series.watermark, state.keep))
  forget(state, series, series.watermark - DAY)
  return out
}

function fold(state: CandleState, input: Input): Output[] {
  switch (input.type) {
    case 'watermark':
      return advance(state, input)
    case 'trade':
      if (usable(input)) hear(state, input)
      return []
    case 'correction':
      correct(seriesOf(state, input.instrument), input)
      return []
    case 'gap': {
      const series = seriesOf(state, input.instrument)
      touch(series, open(series.coverage, input))
      return []
    }
    case 'gap_filled': {
      const series = seriesOf(state, input.instrument)
      touch(series, fill(series.coverage, input))
      return []
    }
    default:
      return []
  }
}

export const createCandles = ({
  keep = 300,
  remember: limit = 20_000,
  sessions = () => undefined
}: CandleOptions = {}): Service<CandleState> =>
  service({
    name: 'candles',
    reads: ['trade', 'correction', 'gap'],
    open: () => ({ keep, remember: limit, sessions, series: new Map(), refused: 0 }),
    fold,
    forget: (state, instrument) => void state.series.delete(instrument)
  })
