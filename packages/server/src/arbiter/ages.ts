/**
 * How old events usually are on arrival, by medians, which a few odd times do not move: of each tick, and of the last ticks that had
 * any. So it follows a change within half of those ticks, and not what one frame says.
 */
export type Ages = {
  /** Since the last tick. */
  waiting: number[]
  /** The medians of the last ticks that had any, oldest first. */
  ticks: number[]
}

export const openAges = (): Ages => ({ waiting: [], ticks: [] })

const TICKS = 9
/** In one tick after a standstill of ours there may be any number: these are enough. */
const MOST = 1_000

export function heardAge({ waiting }: Ages, age: number): void {
  if (waiting.length < MOST) waiting.push(age)
}

/** Of at least one; of an even number the lower one. */
const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!

/** Moves on by a tick: what is usual now, or nothing if nothing came. */
export function passAges({ waiting, ticks }: Ages): number | undefined {
  // Of most ticks, and ticks are many.
  if (waiting.length === 0) return undefined
  const median = medianOf(waiting)
  waiting.length = 0
  if (ticks.length >= TICKS) ticks.shift()
  ticks.push(median)
  return medianOf(ticks)
}
