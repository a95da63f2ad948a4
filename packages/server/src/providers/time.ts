/** RFC 3339 to epoch milliseconds, keeping micro- and nanoseconds as a fraction: Date.parse drops them and is slower. */

/** Two digits at `i`; anything else makes the sum NaN or out of range, which the caller's checks refuse. */
const two = (text: string, i: number): number => {
  const tens = text.charCodeAt(i) - 48
  const ones = text.charCodeAt(i + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar, counted from a year that begins in March. */
const days = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year
  const century = Math.floor(y / 100)
  return (
    365 * y + (y >> 2) - century + (century >> 2) + Math.trunc((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 719_469
  )
}

const ZULU = 90
const POINT = 46
const SCALE = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

/** The offset behind the seconds: `Z`, `+02:00` or `-0400`, in milliseconds. */
function offsetOf(text: string, i: number): number {
  const sign = text.charCodeAt(i)
  if ((sign | 32) === (ZULU | 32)) return text.length === i + 1 ? 0 : NaN
  if (sign !== 43 && sign !== 45) return NaN
  const minutes = text.charCodeAt(i + 3) === 58 ? i + 4 : i + 3
  if (text.length !== minutes + 2) return NaN
  return (sign === 45 ? -1 : 1) * (two(text, i + 1) * 60 + two(text, minutes)) * 60_000
}

/** `2026-08-09T21:05:48.228568804Z` → 1786309548228.5688; NaN for anything that is not such a time. */
export function parseTime(text: unknown): number {
  if (typeof text !== 'string' || text.length < 20 || text.length > 40) return NaN
  const year = two(text, 0) * 100 + two(text, 2)
  const month = two(text, 5)
  const day = two(text, 8)
  const hour = two(text, 11)
  const minute = two(text, 14)
  const second = two(text, 17)
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 24 && minute <= 59 && second <= 60)) return NaN
  let i = 19
  let digits = 0
  let fraction = 0
  if (text.charCodeAt(i) === POINT) {
    for (i = 20; i < text.length; i++) {
      const digit = text.charCodeAt(i) - 48
      if (digit < 0 || digit > 9) break
      if (digits < 9) {
        fraction = fraction * 10 + digit
        digits++
      }
    }
  }
  const whole = days(year, month, day) * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1000
  const milliseconds = digits <= 3 ? fraction * SCALE[3 - digits]! : fraction / SCALE[digits - 3]!
  return whole - offsetOf(text, i) + milliseconds
}

/** An epoch in milliseconds from one in milliseconds, microseconds or nanoseconds, told apart by magnitude. */
export function epoch(value: unknown): number {
  if (typeof value !== 'number') return NaN
  // A number has not the digits of nanoseconds: the last ones would put a trade of a full minute into the one before.
  const ms = value < 1e14 ? value : value < 1e17 ? value / 1000 : Math.round(value / 1e3) / 1e3
  return isTime(ms) ? ms : NaN
}

/** Up to 2200: years beyond are a wrong unit; 1970-01-01T00:00:00Z is how some write "none". */
export const isTime = (ms: number): boolean => ms > 0 && ms < 7_258_118_400_000

/** `2025-12-05 19:55:00` or `2025-12-05` as a clock in `zone` shows it; NaN for anything else, and for times that were skipped. */
export function zoned(text: unknown, zone: string): number {
  const [, date, time = '00:00:00'] =
    typeof text === 'string' ? (/^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?$/.exec(text) ?? []) : []
  if (date === undefined) return NaN
  try {
    return Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(zone).epochMilliseconds
  } catch {
    return NaN
  }
}
