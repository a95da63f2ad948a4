/** How long something takes, or how old it is, in few characters. Pure. */

const two = (value: number): string => String(value).padStart(2, '0')

/** 4 s, 3:07, 1:02:09. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}
