/**
 * Candles of every interval from arbitrated trades, closed by watermark. An interval without a trade gets a flat candle
 * at the last close; a trade that comes after its candle was closed makes a new revision of it at the next watermark.
 */
import { INTERVALS, INTERVAL_MS, topicName, type Candle, type Interval, type Trade } from '@tickwire/protocol'
import { service, type Output, type Service, type Watermark } from './service.ts'
import { add, total, type Sum } from './sum.ts'

export { joinCandles } from './history.ts'

type Prices = { open: number; high: number; low: number; close: number }
/** Of the trade that gave the close. */
type Origin = { provider: string; received: number; confidence?: number | undefined }

/** One candle in the making. `first` and `last` are the times of the trades that gave open and close. */
type Bar = Prices &
  Origin & {
    start: number
    volume: Sum
    trades: number
    first: number
    last: number
    closed: boolean
    revision: number
    /** Holds what was not yet told. */
    dirty: boolean
  }

/** Bars of one interval, oldest first and without a hole: closed ones, then open ones. */
type Lane = {
  instrument: string
  interval: Interval
  length: number
  bars: Bar[]
  /** How many of `bars` are closed. */
  closed: number
  /** Some closed bar is dirty. */
  revised: boolean
}

type Series = { lanes: Lane[]; watermark: number }

export type CandleState = {
  /** Closed candles per interval that are remembered, and so can still be revised. */
  keep: number
  series: Map<string, Series>
  /** Trades that no remembered candle could take: older than all of them, or absurdly far ahead. Counted once per interval. */
  refused: number
}

const floor = (time: number, length: number): number => Math.floor(time / length) * length

const flat = (start: number, price: number, { provider, received, confidence }: Origin): Bar => {
  const prices = { open: price, high: price, low: price, close: price }
  const none = { volume: [], trades: 0, first: start, last: start }
  return { start, ...prices, ...none, provider, received, confidence, closed: false, revision: 0, dirty: false }
}

/** Opens by the earliest trade and closes by the latest; among equal times the first and the last to arrive. */
function count(bar: Bar, { price, size, time, provider, received, confidence }: Trade): void {
  const fresh = bar.trades === 0
  bar.high = fresh ? price : Math.max(bar.high, price)
  bar.low = fresh ? price : Math.min(bar.low, price)
  if (fresh || time < bar.first) {
    bar.open = price
    bar.first = time
  }
  if (fresh || time >= bar.last) {
    bar.close = price
    bar.last = time
    bar.provider = provider
    bar.confidence = confidence
  }
  bar.received = fresh ? received : Math.max(bar.received, received)
  add(bar.volume, size)
  bar.trades++
  bar.dirty = true
}

/** Where the bar that begins at `start` stands, made if need be; -1 where none may be made any more. */
function placeOf(lane: Lane, start: number, trade: Trade, watermark: number, keep: number): number {
  const { bars, length } = lane
  const horizon = Math.max(bars.at(-1)?.start ?? -Infinity, watermark)
  if (horizon > -Infinity && start - horizon > keep * length) return -1
  const first = bars[0]?.start ?? Infinity
  // Before the first: out of order at the very beginning. What the watermark has passed began before we did.
  if (start < first && start + length <= watermark) return -1
  if (bars.length > 0 && first - start > keep * length) return -1
  if (bars.length === 0) bars.push(flat(start, trade.price, trade))
  for (let at = bars[0]!.start - length; at >= start; at -= length) bars.unshift(flat(at, trade.price, trade))
  const newest = bars.at(-1)!
  for (let at = newest.start + length; at <= start; at += length) bars.push(flat(at, newest.close, newest))
  return (start - bars[0]!.start) / length
}

function trade(lane: Lane, event: Trade, watermark: number, keep: number): boolean {
  const place = placeOf(lane, floor(event.time, lane.length), event, watermark, keep)
  const bar = lane.bars[place]
  if (!bar) return false
  count(bar, event)
  if (bar.closed) lane.revised = true
  // The flat ones that follow stand at this close.
  for (let i = place + 1; lane.bars[i]?.trades === 0; i++) {
    const next = lane.bars[i]!
    if (next.close === bar.close) break
    lane.bars[i] = { ...flat(next.start, bar.close, bar), closed: next.closed, revision: next.revision, dirty: true }
  }
  return true
}

function candleOf({ instrument, interval }: Lane, bar: Bar): Candle {
  const { volume, confidence, first: _first, last: time, dirty: _dirty, ...rest } = bar
  const candle: Candle = { type: 'candle', instrument, interval, time, ...rest, volume: total(volume) }
  if (confidence !== undefined) candle.confidence = confidence
  return candle
}

const told = (lane: Lane, bar: Bar): Output => {
  bar.dirty = false
  return { topic: topicName('candle', lane.instrument, undefined, lane.interval), event: candleOf(lane, bar) }
}

/** The closed candles that are remembered and the one that forms, oldest first. */
export function recentCandles(state: CandleState, instrument: string, interval: Interval): Candle[] {
  const lane = state.series.get(instrument)?.lanes.find((each) => each.interval === interval)
  return lane ? lane.bars.slice(0, lane.closed + 1).map((bar) => candleOf(lane, bar)) : []
}

function close(lane: Lane, time: number, keep: number, out: Output[]): void {
  const { bars, length } = lane
  for (let bar = bars[lane.closed]; bar && bar.start + length <= time; bar = bars[lane.closed]) {
    bar.closed = true
    out.push(told(lane, bar))
    lane.closed++
    if (lane.closed === bars.length) {
      // After a very long sleep the series goes on from `keep` intervals ago, instead of filling months with flat candles.
      const next = Math.max(bar.start + length, floor(time, length) - keep * length)
      if (next > bar.start + length) bars.length = lane.closed = 0
      bars.push(flat(next, bar.close, bar))
    }
    if (lane.closed > keep) lane.closed -= bars.splice(0, lane.closed - keep).length
  }
}

/**
 * Tells, in this order, revised candles, closed ones, and the one that forms. Candles that began already but wait for
 * an older one to close are held back, so a topic's candles come in order of start, and its last value is the newest.
 */
function pass(lane: Lane, time: number, keep: number): Output[] {
  const out: Output[] = []
  if (lane.revised)
    for (let i = 0; i < lane.closed; i++) {
      const bar = lane.bars[i]!
      if (!bar.dirty) continue
      bar.revision++
      out.push(told(lane, bar))
    }
  lane.revised = false
  close(lane, time, keep, out)
  const forming = lane.bars[lane.closed]
  if (forming && (forming.dirty || out.length > 0)) out.push(told(lane, forming))
  return out
}

/** A trade dated further ahead of its arrival than clocks differ belongs to no candle: one of 2099 must not end all others. */
const AHEAD = 300_000
const usable = ({ time, received, price, size }: Trade): boolean =>
  Number.isFinite(time) && time - received <= AHEAD && Number.isFinite(price) && Number.isFinite(size)

function seriesOf(state: CandleState, instrument: string): Series {
  let series = state.series.get(instrument)
  if (!series) {
    const lanes = INTERVALS.map((interval): Lane => ({
      instrument,
      interval,
      length: INTERVAL_MS[interval],
      bars: [],
      closed: 0,
      revised: false
    }))
    state.series.set(instrument, (series = { lanes, watermark: -Infinity }))
  }
  return series
}

function advance(state: CandleState, { instrument, time }: Watermark): Output[] {
  const series = seriesOf(state, instrument)
  // A watermark never goes back: a clock that does must not reopen what was closed.
  series.watermark = Math.max(series.watermark, time)
  return series.lanes.flatMap((lane) => pass(lane, series.watermark, state.keep))
}

export const createCandles = (keep = 300): Service<CandleState> =>
  service({
    name: 'candles',
    reads: ['trade'],
    open: () => ({ keep, series: new Map(), refused: 0 }),
    fold(state, input) {
      if (input.type === 'watermark') return advance(state, input)
      if (input.type !== 'trade' || !usable(input)) return []
      const { lanes, watermark } = seriesOf(state, input.instrument)
      for (const lane of lanes) if (!trade(lane, input, watermark, state.keep)) state.refused++
      return []
    },
    forget: (state, instrument) => void state.series.delete(instrument)
  })

export const candles = createCandles()
