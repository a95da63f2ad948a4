/** Intervals as charts name them: minutes as a number, days with a letter; and the time under which they know a bar. */
import { INTERVALS, type Interval } from './market.ts'

const minutesOf = (interval: Interval): string => {
  const count = Number.parseInt(interval, 10)
  return String(interval.endsWith('h') ? count * 60 : count)
}

export const RESOLUTIONS: Readonly<Record<string, Interval>> = Object.fromEntries([
  ...INTERVALS.filter((interval) => interval !== '1d').map((interval) => [minutesOf(interval), interval] as const),
  ['1D', '1d'],
  ['D', '1d']
])

const DAY = 86_400_000
/** Epoch milliseconds; a daily bar is named by 00:00 UTC of its day, whenever its session begins. */
export const barTime = (interval: Interval, start: number): number => (interval === '1d' ? Math.floor(start / DAY) * DAY : start)
