/** Closes candles of providers that never say so: one is final when a later one of its kind appears. */
import type { Meaning } from './adapter.ts'

type Candle = Extract<Meaning, { type: 'candle' }>

/** The newest candle of each symbol and interval, and how often an older one was corrected. */
export type Forming = Map<string, { newest: Candle; corrections: number }>

/** The candles to report, oldest first, now that `candle` was heard. */
export function follow(forming: Forming, candle: Candle): readonly Candle[] {
  const key = `${candle.interval} ${candle.symbol}`
  const known = forming.get(key)
  if (known === undefined) {
    forming.set(key, { newest: candle, corrections: 0 })
    return [candle]
  }
  if (candle.start < known.newest.start) return [{ ...candle, closed: true, revision: ++known.corrections }]
  const previous = known.newest
  known.newest = candle
  return candle.start === previous.start ? [candle] : [{ ...previous, time: candle.time, closed: true }, candle]
}

/** A snapshot, in any order and of any symbols: all but the newest of each are closed. */
export function settle(forming: Forming, candles: readonly Candle[]): readonly Candle[] {
  for (const candle of candles) {
    const key = `${candle.interval} ${candle.symbol}`
    const known = forming.get(key)
    if (known === undefined || candle.start >= known.newest.start)
      forming.set(key, { newest: candle, corrections: known?.corrections ?? 0 })
  }
  return candles
    .toSorted((a, b) => a.start - b.start)
    .map((candle) => {
      const { newest } = forming.get(`${candle.interval} ${candle.symbol}`)!
      return candle.start < newest.start ? { ...candle, closed: true } : candle
    })
}
