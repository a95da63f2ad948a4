/** Dates as feeds write them: RFC 822 with its variants, RFC 3339, a bare day. */
import { isTime, parseTime, zoned } from './time.ts'

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const ZONES: Readonly<Record<string, number>> = {
  UT: 0,
  UTC: 0,
  GMT: 0,
  Z: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  BST: 1,
  CET: 1,
  CEST: 2,
  IST: 5.5,
  JST: 9
}

/** `Mon, 06 Sep 10 00:01 EST`, `6 September 2010 00:01:00 GMT+1`; NaN for what is none. */
export function dateOf(text: unknown): number {
  if (typeof text !== 'string') return NaN
  const said = text.trim()
  const iso = parseTime(said.replace(/^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(?=Z|[+-])/, '$1T$2:00'))
  if (isTime(iso)) return iso
  const bare = zoned(said, 'UTC')
  if (isTime(bare)) return bare
  const found =
    /(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ -](\d{2,4})(?:[ ,]+(\d{1,2}):(\d\d)(?::(\d\d))?)?\s*([A-Za-z]{1,4})?\s*([+-]\d{1,2}:?\d{0,2})?/.exec(
      said
    )
  if (!found) return NaN
  const [, day, name, year, hour = '0', minute = '0', second = '0', zone, offset] = found
  const month = MONTHS.indexOf(name!.slice(0, 3).toLowerCase())
  if (month < 0) return NaN
  const full = year!.length > 2 ? Number(year) : Number(year) + (Number(year) < 70 ? 2_000 : 1_900)
  const hours = offset === undefined ? (ZONES[(zone ?? 'GMT').toUpperCase()] ?? 0) : hoursOf(offset)
  const ms = Date.UTC(full, month, Number(day), Number(hour), Number(minute), Number(second)) - hours * 3_600_000
  return isTime(ms) ? ms : NaN
}

/** `+0200`, `-04:30`, `+1` */
function hoursOf(offset: string): number {
  const digits = offset.slice(1).replace(':', '')
  const hours = digits.length <= 2 ? Number(digits) : Number(digits.slice(0, -2)) + Number(digits.slice(-2)) / 60
  return offset.startsWith('-') ? -hours : hours
}
