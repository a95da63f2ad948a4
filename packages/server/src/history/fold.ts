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
  /** Volume: their sum, and what a double of it has lost. */
  sum: number
  rest: number
  trades: number
  received: number
}

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
  sum: 0,
  rest: 0,
  trades: 0,
  received: Number.NEGATIVE_INFINITY
})

/**
 * Takes trades from `i` on as long as they are of this bar, and answers where it stopped. What changes with each trade is held in
 * local variables: this loop sees every trade there is. The volume is two doubles, so that no sum of a day loses a digit.
 */
function run(bar: Bar, columns: TradeColumns, i: number): number {
  const { count, time, price, size, received, seq, ineligible } = columns
  const { start, end } = bar
  let { high, low, sum, rest, trades, priced, received: heard } = bar
  for (; i < count; i++) {
    const at = time[i]!
    if (at < start || at >= end) break
    const value = price[i]!
    const amount = size[i]!
    if (!(value - value === 0 && amount - amount === 0)) continue
    const next = sum + amount
    const part = next - sum
    rest += sum - (next - part) + (amount - part)
    sum = next
    trades++
    if (received[i]! > heard) heard = received[i]!
    if (seq[i]! < bar.madeSeq) {
      bar.made = value
      bar.madeSeq = seq[i]!
    }
    if (ineligible[i] !== 0) continue
    priced++
    if (value > high) high = value
    if (value < low) low = value
    if (at > bar.last || (at === bar.last && seq[i]! >= bar.lastSeq)) {
      bar.close = value
      bar.last = at
      bar.lastSeq = seq[i]!
    }
    if (at < bar.first || (at === bar.first && seq[i]! < bar.firstSeq)) {
      bar.open = value
      bar.first = at
      bar.firstSeq = seq[i]!
    }
  }
  Object.assign(bar, { high, low, sum, rest, trades, priced, received: heard })
  return i
}

function volumeOf({ sum, rest }: Bar): number {
  const exact: Sum = []
  add(exact, rest)
  add(exact, sum)
  return total(exact)
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
      volume: one ? volumeOf(one) : 0,
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
      const { count, time } = columns
      for (let i = 0; i < count;) {
        const at = time[i]!
        if (!bar || at < bar.start || at >= bar.end) bar = barAt(at)
        if (bar) i = run(bar, columns, i)
        else i++
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
