/**
 * Columns of trades folded into candles: the same that the candle service makes of the same trades, without an object for each
 * trade. The columns hold no ids, so among trades of one time their order of arrival decides.
 */
import type { Candle, Interval } from '@tickwire/protocol'
import type { TradeColumns } from '../journal/journal.ts'
import type { Grid, Slot } from '../services/sessions.ts'
import { add, total, type Sum } from '../services/sum.ts'

/** Of the trades that set a price: open by the first, close by the last. */
type Bar = Slot & {
  open: number
  high: number
  low: number
  close: number
  priced: number
  first: number
  firstSeq: number
  last: number
  lastSeq: number
  /** What the bar stands at before any trade prices it, if none comes before it: that of the first to arrive. */
  made: number
  madeSeq: number
  volume: Sum
  trades: number
  received: number
}

export type Fold = ReturnType<typeof createFold>

const openBar = (slot: Slot): Bar => ({
  ...slot,
  open: Number.NaN,
  high: Number.NEGATIVE_INFINITY,
  low: Number.POSITIVE_INFINITY,
  close: Number.NaN,
  priced: 0,
  first: Number.POSITIVE_INFINITY,
  firstSeq: 0,
  last: Number.NEGATIVE_INFINITY,
  lastSeq: 0,
  made: Number.NaN,
  madeSeq: Number.POSITIVE_INFINITY,
  volume: [],
  trades: 0,
  received: Number.NEGATIVE_INFINITY
})

function price(bar: Bar, value: number, time: number, seq: number): void {
  bar.priced++
  if (value > bar.high) bar.high = value
  if (value < bar.low) bar.low = value
  if (time < bar.first || (time === bar.first && seq < bar.firstSeq)) {
    bar.open = value
    bar.first = time
    bar.firstSeq = seq
  }
  if (time > bar.last || (time === bar.last && seq >= bar.lastSeq)) {
    bar.close = value
    bar.last = time
    bar.lastSeq = seq
  }
}

function take(bar: Bar, { price: prices, size, time, received, seq, ineligible }: TradeColumns, i: number): void {
  add(bar.volume, size[i]!)
  bar.trades++
  if (received[i]! > bar.received) bar.received = received[i]!
  if (seq[i]! < bar.madeSeq) {
    bar.made = prices[i]!
    bar.madeSeq = seq[i]!
  }
  if (ineligible[i] === 0) price(bar, prices[i]!, time[i]!, seq[i]!)
}

/** In any order. `provider` is whom the candles name. */
export function createFold(instrument: string, interval: Interval, grid: Grid, provider: string) {
  const bars = new Map<number, Bar>()
  let bar: Bar | undefined
  const barAt = (time: number): Bar | undefined => {
    const slot = grid.at(time)
    if (!slot) return undefined
    let found = bars.get(slot.start)
    if (!found) bars.set(slot.start, (found = openBar(slot)))
    return found
  }
  const stamp = { type: 'candle', instrument, provider, interval } as const

  const told = (slot: Slot, before: Candle | undefined, one: Bar | undefined): Candle => {
    const isPriced = one !== undefined && one.priced > 0
    const close = isPriced ? one.close : (before?.close ?? one?.made ?? Number.NaN)
    const prices = isPriced
      ? { open: one.open, high: one.high, low: one.low, close }
      : { open: close, high: close, low: close, close }
    const { start, end, session } = slot
    const heard = one?.received ?? Number.NEGATIVE_INFINITY
    const candle: Candle = {
      ...stamp,
      time: isPriced ? one.last : start,
      received: isPriced ? heard : Math.max(heard, before?.received ?? heard),
      start,
      ...prices,
      volume: one ? total(one.volume) : 0,
      trades: one?.trades ?? 0,
      closed: true,
      revision: 0
    }
    if (end !== start + grid.length) candle.end = end
    if (session !== undefined) candle.session = session
    return candle
  }

  return {
    take(columns: TradeColumns): void {
      const { count, time, price: prices, size } = columns
      for (let i = 0; i < count; i++) {
        const at = time[i]!
        if (!bar || at < bar.start || at >= bar.end) bar = barAt(at)
        if (bar && Number.isFinite(prices[i]) && Number.isFinite(size[i])) take(bar, columns, i)
      }
    },

    /** Oldest first; between two bars those of the grid in which nothing was traded, flat at the close before. `now` says which are over; `last` is the candle before all of them, where it is known. */
    candles(now = Infinity, last?: Candle): Candle[] {
      const out: Candle[] = []
      let before = last
      for (const one of [...bars.values()].filter(({ trades }) => trades > 0).sort((a, b) => a.start - b.start)) {
        if (before)
          for (
            let slot = grid.after(before.end ?? before.start + grid.length);
            slot.start < one.start;
            slot = grid.after(slot.end)
          )
            out.push((before = told(slot, before, undefined)))
        out.push((before = told(one, before, one)))
      }
      for (const candle of out) if ((candle.end ?? candle.start + grid.length) > now) candle.closed = false
      return out
    }
  }
}
