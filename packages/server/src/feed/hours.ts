/**
 * By which calendar an instrument trades: its listing says so, else whoever carries it says it of all that he has.
 * No clock: time is an argument. But `marketsOf` remembers what it found for a minute.
 */
import type { Adapter, CalendarId } from '../providers/adapter.ts'
import type { Clockwork, Market } from '../calendar/calendar.ts'
import type { Instruments } from './instruments.ts'

type Known = Pick<Instruments, 'calendarOf' | 'info'>
export type Carrier = { adapter: Pick<Adapter, 'provider' | 'calendar'> }

export function calendarIdOf(instruments: Known, carriers: Iterable<Carrier>, instrument: string): CalendarId | undefined {
  const listed = instruments.calendarOf(instrument)
  if (listed !== undefined) return listed
  const names = new Set(instruments.info(instrument)?.providers.map(({ provider }) => provider))
  for (const { adapter } of carriers)
    if (names.has(adapter.provider) && typeof adapter.calendar === 'string') return adapter.calendar
  return undefined
}

/** What the market of an instrument does now; nothing of what trades around the clock. Its calendar is looked up once a minute. */
export function marketsOf(market: Clockwork | undefined, instruments: Known, carriers: readonly Carrier[]) {
  if (!market) return undefined
  const known = new Map<string, { calendar: CalendarId | undefined; until: number }>()
  return (instrument: string, now: number): Market | undefined => {
    let found = known.get(instrument)
    if (!found || now >= found.until) {
      found = { calendar: calendarIdOf(instruments, carriers, instrument), until: now + 60_000 }
      known.set(instrument, found)
    }
    return found.calendar === undefined ? undefined : market(found.calendar, now)
  }
}
