/** The candles of one instrument and interval: where a trade goes, what closes, and what is told. */
import { topicName, type Candle, type Interval, type Trade } from '@tickwire/protocol'
import { count, flat, noPrices, merge, sign, type Bar, type Prices } from './bar.ts'
import { coverageOf, type Coverage, type Span } from './coverage.ts'
import type { Output } from './service.ts'
import type { Grid } from './sessions.ts'
import { add, total } from './sum.ts'
import { replay, type Tape } from './tape.ts'

/** Bars oldest first, of each slot of the grid one: closed ones, then open ones. */
export type Lane = {
  instrument: string
  interval: Interval
  grid: Grid
  coverage: Coverage
  bars: Bar[]
  /** How many of `bars` are closed. */
  closed: number
  /** Some closed bar is dirty. */
  revised: boolean
}

/** No bar may be made for it any more (or yet), and: this interval has no candle at that time. */
const REFUSED = -1
const NONE = -2

/** The last bar that starts at or before then; -1 if none does. */
function search(bars: readonly Bar[], time: number): number {
  let low = 0
  let high = bars.length - 1
  // Nearly all trades belong to the newest.
  if (high < 0 || bars[high]!.start <= time) return high
  while (low <= high) {
    const middle = (low + high) >> 1
    if (bars[middle]!.start <= time) low = middle + 1
    else high = middle - 1
  }
  return high
}

const barAt = ({ bars }: Lane, time: number): number => {
  const at = search(bars, time)
  return at >= 0 && time < bars[at]!.end ? at : -1
}

/** Where the bar stands that a trade belongs to, made if need be. */
function placeOf(lane: Lane, trade: Trade, watermark: number, keep: number): number {
  const { bars, grid } = lane
  const at = search(bars, trade.time)
  const before = bars[at]
  if (before && trade.time < before.end) return at
  const slot = grid.at(trade.time)
  if (!slot) return NONE
  const reach = keep * grid.length
  const horizon = Math.max(bars.at(-1)?.start ?? -Infinity, watermark)
  if (slot.start - horizon > reach && horizon > -Infinity && slot.start - grid.after(horizon).start > reach) return REFUSED
  if (!before) return prepend(lane, flat(slot, trade.price, trade), watermark, reach)
  const made = flat(slot, before.close, before)
  if (at === bars.length - 1) {
    fillTo(lane, before, slot.start)
    return bars.push(made) - 1
  }
  // Outside of sessions a candle is made by its first trade, however late; it was never told before.
  bars.splice(at + 1, 0, made)
  if (at + 1 < lane.closed) {
    made.closed = true
    made.revision = -1
    lane.closed++
  }
  return at + 1
}

/** Before the first: out of order at the very beginning. What the watermark has passed began before we did. */
function prepend(lane: Lane, made: Bar, watermark: number, reach: number): number {
  const { bars } = lane
  const first = bars[0]?.start ?? made.start
  if (made.end <= watermark || first - made.start > reach) return REFUSED
  const later = bars.splice(0)
  bars.push(made)
  if (later.length > 0) fillTo(lane, made, first)
  bars.push(...later)
  return 0
}

function fillTo({ bars, grid }: Lane, before: Bar, start: number): void {
  for (let slot = grid.after(before.end); slot.start < start; slot = grid.after(slot.end))
    bars.push(flat(slot, before.close, before))
}

function touch(lane: Lane, bar: Bar): void {
  bar.dirty = true
  if (bar.closed) lane.revised = true
}

/** Bars that no trade priced stand at the close before them. */
function settle(lane: Lane, place: number): void {
  const { bars } = lane
  for (let i = place; i < bars.length; i++) {
    const bar = bars[i]!
    const before = bars[i - 1]
    if (bar.priced > 0) {
      if (i > place) return
      continue
    }
    if (!before) continue
    const { close, provider, confidence, since } = before
    if (
      bar.close === close &&
      bar.open === close &&
      bar.since === since &&
      bar.provider === provider &&
      bar.confidence === confidence
    ) {
      if (i > place) return
      continue
    }
    Object.assign(bar, noPrices(close), {
      provider,
      confidence,
      since,
      time: bar.start,
      received: Math.max(bar.received, before.received)
    })
    touch(lane, bar)
  }
}

/** Whether this trade is in a candle now, or this interval has none for it. */
export function take(lane: Lane, trade: Trade, watermark: number, keep: number): boolean {
  const place = placeOf(lane, trade, watermark, keep)
  const bar = lane.bars[place]
  if (!bar) return place === NONE
  count(bar, trade)
  if (bar.closed) lane.revised = true
  if (place + 1 < lane.bars.length || bar.priced === 0) settle(lane, place)
  return true
}

/** A trade that was counted was not so: its bar is made anew from what is remembered. The tape knows what is true already. */
export function amendBar(lane: Lane, tape: Tape, was: Trade, now: Trade | undefined): void {
  const place = barAt(lane, was.time)
  const bar = lane.bars[place]
  if (!bar) return
  add(bar.volume, -was.size)
  bar.trades--
  if (now) {
    add(bar.volume, now.size)
    bar.trades++
  }
  const prices: Prices = noPrices(bar.close)
  if (bar.base) merge(prices, bar.base)
  replay(tape, bar.start, bar.end, prices)
  // What nothing prices any more keeps its last price, unless there is one before it.
  Object.assign(bar, prices)
  if (prices.priced === 0) bar.time = bar.start
  sign(bar)
  touch(lane, bar)
  settle(lane, place)
}

/** Trades of the minute at `start` are not remembered one by one any more. */
export function settleMinute(lane: Lane, start: number, prices: Prices): void {
  const bar = lane.bars[barAt(lane, start)]
  if (bar) merge((bar.base ??= noPrices()), prices)
}

/** More or less is known of a span, and of what rests on its last price. */
export function touchSpan(lane: Lane, { from, to }: Span): void {
  for (let i = Math.max(0, search(lane.bars, from)); i < lane.bars.length; i++) {
    const bar = lane.bars[i]!
    if (bar.start >= to && (bar.priced > 0 || bar.since >= to)) return
    if (bar.end > from) touch(lane, bar)
  }
}

/** Where no trade set a price it is one of before: whoever does not know all from there on does not know that it still stands. */
function shareOf(coverage: Coverage, { start, end, priced, since }: Bar): number {
  const own = coverageOf(coverage, start, end)
  return priced > 0 || since >= start ? own : Math.min(own, coverageOf(coverage, since, end))
}

export function candleOf({ instrument, interval, grid, coverage }: Lane, bar: Bar): Candle {
  const { start, end, open, high, low, close, provider, received, confidence, time, session } = bar
  const stamp = { provider, instrument, time, received }
  const { trades, closed, revision } = bar
  const volume = total(bar.volume)
  const share = shareOf(coverage, bar)
  const candle: Candle = {
    type: 'candle',
    ...stamp,
    interval,
    start,
    open,
    high,
    low,
    close,
    volume,
    trades,
    closed,
    revision,
    coverage: share
  }
  if (end !== start + grid.length) candle.end = end
  if (session !== undefined) candle.session = session
  if (confidence !== undefined) candle.confidence = confidence
  return candle
}

const told = (lane: Lane, bar: Bar): Output => {
  bar.dirty = false
  return { topic: topicName('candle', lane.instrument, undefined, lane.interval), event: candleOf(lane, bar) }
}

/** The bar after the last one, once its time has come; nothing while the exchange sleeps. */
function next(lane: Lane, time: number, keep: number): Bar | undefined {
  const { bars, grid } = lane
  const last = bars.at(-1)
  if (!last) return undefined
  const slot = grid.after(last.end)
  if (slot.start > time) return undefined
  // After a very long sleep the series goes on from `keep` intervals ago, instead of filling months with flat candles.
  const late = grid.after(Math.max(last.end, (Math.floor(time / grid.length) - keep) * grid.length))
  if (late.start > time) return undefined
  if (late.start > slot.start) bars.length = lane.closed = 0
  bars.push(flat(late, last.close, last))
  return bars[lane.closed]
}

function close(lane: Lane, time: number, keep: number, out: Output[]): void {
  const { bars } = lane
  for (
    let bar = bars[lane.closed] ?? next(lane, time, keep);
    bar && bar.end <= time;
    bar = bars[lane.closed] ?? next(lane, time, keep)
  ) {
    bar.closed = true
    out.push(told(lane, bar))
    lane.closed++
    if (lane.closed > keep) lane.closed -= bars.splice(0, lane.closed - keep).length
  }
}

/**
 * Tells, in this order, revised candles, closed ones, and the one that forms. Candles that began already but wait for
 * an older one to close are held back, so a topic's candles come in order of start, and its last value is the newest.
 */
export function pass(lane: Lane, time: number, keep: number): Output[] {
  const out: Output[] = []
  if (lane.revised)
    for (let i = 0; i < lane.closed; i++) {
      const bar = lane.bars[i]!
      if (!bar.dirty) continue
      bar.revision++
      out.push(told(lane, bar))
    }
  lane.revised = false
  const forming = lane.bars[lane.closed]
  close(lane, time, keep, out)
  const now = lane.bars[lane.closed]
  if (now && (now.dirty || out.length > 0 || now !== forming)) out.push(told(lane, now))
  return out
}
