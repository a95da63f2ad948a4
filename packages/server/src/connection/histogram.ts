/** Durations counted in buckets of our own: a few nanoseconds to count one, and read only when somebody asks. Milliseconds inside. */

/** Upper bounds, milliseconds; what is beyond the last one has a bucket of its own. */
export const BOUNDS: readonly number[] = [
  0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 16, 20, 30, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000
]

export type Histogram = {
  /** Since the start: what a scraper wants. */
  counts: Float64Array
  sum: number
  /** The counts as they were up to two turns ago: what a person wants is how it goes now. */
  earlier: Float64Array
  last: Float64Array
  turnedAt: number
}

const SIZE = BOUNDS.length + 1
/** Quantiles are of the current turn and the one before it. */
const TURN = 60_000

export const openHistogram = (): Histogram => ({
  counts: new Float64Array(SIZE),
  sum: 0,
  earlier: new Float64Array(SIZE),
  last: new Float64Array(SIZE),
  turnedAt: -Infinity
})

export function observe(histogram: Histogram, milliseconds: number): void {
  let [low, high] = [0, SIZE - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (milliseconds <= BOUNDS[middle]!) high = middle
    else low = middle + 1
  }
  histogram.counts[low]!++
  histogram.sum += milliseconds
}

/** To be called now and then, as often as one likes: moves the window of the quantiles on. */
export function turn(histogram: Histogram, now: number): void {
  if (Math.abs(now - histogram.turnedAt) < TURN) return
  const { counts, last } = histogram
  histogram.earlier = last
  histogram.last = counts.slice()
  histogram.turnedAt = now
}

export type Spread = { count: number; p50: number; p90: number; p99: number }

/** Of the last one to two minutes, milliseconds; between the bounds of a bucket as if it were filled evenly. */
export function spreadOf({ counts, earlier }: Histogram): Spread | undefined {
  const recent = counts.map((count, i) => count - earlier[i]!)
  const count = recent.reduce((sum, n) => sum + n, 0)
  if (count === 0) return undefined
  const quantile = (share: number): number => {
    let left = share * count
    for (let i = 0; i < SIZE; i++) {
      const inside = recent[i]!
      if (inside > 0 && left <= inside) {
        const low = BOUNDS[i - 1] ?? 0
        const value = low + ((BOUNDS[i] ?? low) - low) * (left / inside)
        return Math.round(value * 1_000) / 1_000
      }
      left -= inside
    }
    return BOUNDS.at(-1)!
  }
  return { count, p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99) }
}
