/** A provider's own candles for the past, ours for the present: joined into one series without hole or overlap. Pure. */
import { INTERVAL_MS, type Candle, type Interval } from '@tickwire/protocol'

const flatAfter = (candle: Candle, start: number): Candle => {
  const { close } = candle
  return {
    ...candle,
    start,
    time: start,
    open: close,
    high: close,
    low: close,
    close,
    volume: 0,
    trades: 0,
    closed: true,
    revision: 0
  }
}

/**
 * The last `limit` candles, oldest first. Ours win from the second on: the first of `live` began before we listened, so
 * the provider's is taken for it where there is one. `live` may hold several pictures of one candle (forming, closed,
 * revised): the last counts. Where both are silent nothing was traded, and the candle is flat at the close before it.
 */
export function joinCandles(history: readonly Candle[], live: readonly Candle[], interval: Interval, limit: number): Candle[] {
  const length = INTERVAL_MS[interval]
  const byStart = new Map<number, Candle>()
  for (const candle of history) if (candle.start % length === 0) byStart.set(candle.start, candle)
  const partial = live.reduce((least, { start }) => Math.min(least, start), Infinity)
  const theirs = byStart.get(partial)
  for (const candle of live) byStart.set(candle.start, candle)
  if (theirs) byStart.set(partial, theirs)

  const known = [...byStart.values()].sort((a, b) => a.start - b.start)
  const newest = known.at(-1)
  if (!newest || limit < 1) return []
  const from = Math.max(known[0]!.start, newest.start - (limit - 1) * length)
  let before = known.findLast(({ start }) => start < from)
  const joined: Candle[] = []
  for (let start = from; start <= newest.start; start += length) {
    const candle: Candle = byStart.get(start) ?? flatAfter(before!, start)
    joined.push(candle)
    before = candle
  }
  return joined
}
