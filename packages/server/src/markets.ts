/** From an instrument to the sessions of its exchange, and to its past, for services that know neither calendars nor listings. A part of main.ts. */
import { INTERVAL_MS, type Candle, type Interval } from '@tickwire/protocol'
import type { Clockwork } from './calendar/calendar.ts'
import { calendarIdOf, type Carrier } from './feed/hours.ts'
import type { Instruments } from './feed/instruments.ts'
import type { CalendarId } from './providers/adapter.ts'
import { joinCandles, regroup } from './services/history.ts'
import { askedAs, gridOf, remembered, type Sessions } from './services/sessions.ts'

type Known = Pick<Instruments, 'calendarOf' | 'info'>

/** Nothing for what trades around the clock: its candles follow the clock. */
export function sessionsFrom(
  market: Clockwork | undefined,
  instruments: Known,
  sources: readonly Carrier[]
): (instrument: string) => Sessions | undefined {
  const made = new Map<CalendarId, Sessions>()
  return (instrument) => {
    const calendar = market && calendarIdOf(instruments, sources, instrument)
    if (!market || calendar === undefined || calendar === '24/7') return undefined
    let sessions = made.get(calendar)
    if (!sessions) made.set(calendar, (sessions = remembered((time) => market(calendar, time))))
    return sessions
  }
}

export type PastOptions = {
  /** A provider's own candles, oldest first. */
  history: (instrument: string, interval: Interval, limit: number) => Promise<Candle[]>
  /** Ours. */
  live: (instrument: string, interval: Interval) => readonly Candle[]
  sessions: (instrument: string) => Sessions | undefined
  clock: () => number
}

/** The last `limit` candles: a provider's history with ours after it. */
export const pastFrom =
  ({ history, live, sessions, clock }: PastOptions) =>
  async (instrument: string, interval: Interval, limit: number): Promise<Candle[]> => {
    const hours = sessions(instrument)
    const grid = gridOf(interval, hours)
    const asked = askedAs(interval, hours, clock())
    const count = Math.ceil((limit * INTERVAL_MS[interval]) / INTERVAL_MS[asked])
    const found = await history(instrument, asked, count)
    const past = asked === interval ? found : regroup(found, interval, grid)
    return joinCandles(past, live(instrument, interval), interval, limit, grid)
  }
