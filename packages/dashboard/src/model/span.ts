/** Spans of time as people read them, and places within them. */
import { clockTime, fullTime } from './format.ts'

/** `4 h 12 m`, `12 m 5 s`, `8 s`: the two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's']
  ] as const
  const first = parts.findIndex(([n]) => n > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([n], i) => i === 0 || n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ')
}

const DAY = 86_400_000
/** A time of day where the span is short enough that it says all. */
export const timeIn = (at: number, from: number, to: number): string => (to - from < DAY ? clockTime(at) : fullTime(at))

/** 0.1 is `0.1×`, 0 is `max`. */
export const speedText = (speed: number): string => (speed === 0 ? 'max' : `${speed}×`)

/** From 0 to 1. */
export const shareOf = (at: number, from: number, to: number): number =>
  to <= from ? 0 : Math.max(0, Math.min(1, (at - from) / (to - from)))

/** Arrow keys move by a hundredth, but by no less than a second and no more than ten. */
const stepOf = (span: number): number => Math.max(Math.min(span, 1_000), Math.min(10_000, span / 100))

/** Where a key of a slider leads, if it is one of its keys. */
export function moved(key: string, at: number, from: number, to: number): number | undefined {
  const step = stepOf(to - from)
  const leads: Record<string, number> = {
    ArrowRight: at + step,
    ArrowUp: at + step,
    ArrowLeft: at - step,
    ArrowDown: at - step,
    PageUp: at + (to - from) / 10,
    PageDown: at - (to - from) / 10,
    Home: from,
    End: to
  }
  const lead = Object.hasOwn(leads, key) ? leads[key] : undefined
  return lead === undefined ? undefined : Math.max(from, Math.min(to, lead))
}
