/** Which part of an exchange's day a moment falls into. Pure: the zone's rules are data too, and time is an argument. */
import type { TradingSession } from '@tickwire/protocol'
import type { CalendarId } from '../providers/adapter.ts'
import { CALENDARS, type Calendar, type Hours } from './calendars.ts'

/** What an operator knows better: holidays and early closes that replace ours, per calendar. */
export type Overrides = Readonly<Partial<Record<CalendarId, Partial<Pick<Calendar, 'holidays' | 'early'>>>>>
/** From `since` to `until`, epoch milliseconds. */
export type Market = { session: TradingSession; since: number; until: number }
export type Clockwork = (calendar: CalendarId, now: number) => Market

type Span = { session: TradingSession; from: number; to: number }

/** Remembers the days it has worked out: it is asked for each event. */
export function createCalendar(overrides: Overrides = {}): Clockwork {
  const known = new Map<CalendarId, { last: Market | undefined; calendar: Calendar; days: Days }>()
  return (id, now) => {
    let entry = known.get(id)
    if (!entry) known.set(id, (entry = { last: undefined, ...openDays({ ...CALENDARS[id], ...overrides[id] }) }))
    const { last } = entry
    if (last && now >= last.since && now < last.until) return last
    return (entry.last = marketAt(entry.calendar, entry.days, now))
  }
}

type Days = (date: Temporal.PlainDate) => Span[]
const DAYS_KNOWN = 100

/** Days are of a time zone, which is slow to ask; the same ones are looked at again and again. */
function openDays(calendar: Calendar): { calendar: Calendar; days: Days } {
  const known = new Map<string, Span[]>()
  const days = (date: Temporal.PlainDate): Span[] => {
    const name = date.toString()
    const found = known.get(name) ?? spansOf(calendar, date)
    if (known.size >= DAYS_KNOWN) known.clear()
    known.set(name, found)
    return found
  }
  return { calendar, days }
}

/** Further back and ahead than any run of days without trading. */
const DAYS = 10

function marketAt({ zone }: Calendar, days: Days, now: number): Market {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).toPlainDate()
  let since = -Infinity
  for (let day = -DAYS; day <= DAYS; day++)
    for (const { session, from, to } of days(today.add({ days: day }))) {
      if (now < from) return { session: 'closed', since, until: from }
      if (now < to) return { session, since: from, until: to }
      since = to
    }
  return { session: 'closed', since, until: Infinity }
}

/** The sessions of one trading day, in order. */
function spansOf(calendar: Calendar, date: Temporal.PlainDate): Span[] {
  const { days, holidays, early, pre, regular, post, overnight } = calendar
  const name = date.toString()
  if (!days.includes(date.dayOfWeek) || holidays.includes(name)) return []
  const end = early[name] ?? regular[1]
  const eve = overnight ? date.subtract({ days: 1 }) : date
  const span = (session: TradingSession, [from, to]: Hours, start = date): Span => ({
    session,
    from: moment(calendar, start, from),
    to: moment(calendar, date, to)
  })
  return [
    ...(pre ? [span('pre', pre)] : []),
    span('regular', [regular[0], end], eve),
    // After an early close the evening session begins early and ends where ours is not known better: four hours later.
    ...(post ? [span('post', [end, end === regular[1] ? post[1] : plusFourHours(end)])] : [])
  ]
}

const plusFourHours = (time: string): string => `${String(Number(time.slice(0, 2)) + 4).padStart(2, '0')}${time.slice(2)}`

function moment({ zone }: Calendar, date: Temporal.PlainDate, time: string): number {
  if (time === '24:00') return moment({ zone } as Calendar, date.add({ days: 1 }), '00:00')
  return date.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds
}

/** Trades outside regular hours are few: only then is silence a fault. */
export const isTrading = ({ session }: Market): boolean => session === 'regular'
