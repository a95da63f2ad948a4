/** The session of a US stock trade by its time and conditions: no message of Alpaca's says it. Holidays need none: nothing prints. */
import type { TradingSession } from '@tickwire/protocol'
import { zoned } from './time.ts'

const ZONE = 'America/New_York'
const DAY = 86_400_000
/** A trading day in New York never crosses midnight at UTC-5. */
export const dayOf = (time: number): number => Math.floor((time - 18_000_000) / DAY)

/** The limits of one day, kept for the next trade of the same day. */
export type Hours = { day: number; weekday: number; pre: number; open: number; close: number; end: number }

export function hoursOf(time: number, known?: Hours): Hours {
  const day = dayOf(time)
  if (known?.day === day) return known
  const midnight = new Date(day * DAY)
  const at = (clock: string): number => zoned(`${midnight.toISOString().slice(0, 10)} ${clock}`, ZONE)
  return { day, weekday: midnight.getUTCDay(), pre: at('04:00'), open: at('09:30'), close: at('16:00'), end: at('20:00') }
}

const EXTENDED = new Set(['T', 'U'])
/** Closing print and official close of a listing market: reported after 16:00, and of the regular session all the same. */
const CLOSING = new Set(['6', 'M'])
const MORNING = 3 * 3_600_000
const [SUNDAY, FRIDAY, SATURDAY] = [0, 5, 6]

export function sessionOf(
  time: number,
  { weekday, pre, open, close, end }: Hours,
  conditions: readonly string[]
): TradingSession {
  if (time < pre) return weekday === SATURDAY || weekday === SUNDAY ? 'closed' : 'overnight'
  if (time >= end) return weekday === FRIDAY || weekday === SATURDAY ? 'closed' : 'overnight'
  if (weekday === SATURDAY || weekday === SUNDAY) return 'closed'
  if (time < open) return 'pre'
  if (time >= close) return conditions.some((code) => CLOSING.has(code)) ? 'regular' : 'post'
  if (!conditions.some((code) => EXTENDED.has(code))) return 'regular'
  // Form T within the hours: reported late in the morning, or the market closed early today (at 13:00).
  return time - open > MORNING ? 'post' : 'pre'
}
