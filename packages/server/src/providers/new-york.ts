/** The session of a US stock trade by its time and conditions, for providers whose messages do not say it. Holidays need none: nothing prints. */
import type { TradingSession } from '@tickwire/protocol'
import { zoned } from './time.ts'

const ZONE = 'America/New_York'
const DAY = 86_400_000
const HOUR = 3_600_000
/** A trading day in New York never crosses midnight at UTC-5. */
export const dayOf = (time: number): number => Math.floor((time - 18_000_000) / DAY)

/** The limits of one day. */
type Hours = { weekday: number; pre: number; open: number; close: number; end: number }
/** Those that one connection has met, by day: trades of one day follow each other, in batches of several days when asked of REST. */
export type Days = Map<number, Hours>
const MOST = 16

function hoursOf(time: number, days: Days): Hours {
  const day = dayOf(time)
  const known = days.get(day)
  if (known) return known
  if (days.size >= MOST) days.clear()
  const midnight = new Date(day * DAY)
  // Counted from noon: the clock is changed before, at night.
  const noon = zoned(`${midnight.toISOString().slice(0, 10)} 12:00`, ZONE)
  const at = (hours: number): number => noon + hours * HOUR
  const hours = { weekday: midnight.getUTCDay(), pre: at(-8), open: at(-2.5), close: at(4), end: at(8) }
  days.set(day, hours)
  return hours
}

/** Codes of a provider: of trades out of the regular session, and of a listing market's closing prints, which come after 16:00 and belong to it. */
export type Codes = { extended: ReadonlySet<string>; closing: ReadonlySet<string> }

const MORNING = 3 * HOUR
const [SUNDAY, FRIDAY, SATURDAY] = [0, 5, 6]

export function sessionOf(time: number, conditions: readonly string[], { extended, closing }: Codes, days: Days): TradingSession {
  const { weekday, pre, open, close, end } = hoursOf(time, days)
  if (time < pre) return weekday === SATURDAY || weekday === SUNDAY ? 'closed' : 'overnight'
  if (time >= end) return weekday === FRIDAY || weekday === SATURDAY ? 'closed' : 'overnight'
  if (weekday === SATURDAY || weekday === SUNDAY) return 'closed'
  if (time < open) return 'pre'
  if (time >= close) return conditions.some((code) => closing.has(code)) ? 'regular' : 'post'
  if (!conditions.some((code) => extended.has(code))) return 'regular'
  // Form T within the hours: reported late in the morning, or the market closed early today (at 13:00).
  return time - open > MORNING ? 'post' : 'pre'
}
