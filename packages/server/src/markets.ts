/** From an instrument to the sessions of its exchange, and to its past, for services that know neither calendars nor listings. A part of main.ts. */
import { INTERVAL_MS, type Candle, type Interval } from '@tickwire/protocol'
import type { Clockwork } from './calendar/calendar.ts'
import type { Past } from './dialects/dialect.ts'
import type { Feed } from './feed/feed.ts'
import { calendarIdOf, type Carrier } from './feed/hours.ts'
import type { Instruments } from './feed/instruments.ts'
import { createCandlePages } from './history/candles.ts'
import { createTrades, type HistoryOptions } from './history/trades.ts'
import type { CalendarId } from './providers/adapter.ts'
import { joinCandles, regroup } from './services/history.ts'
import { askedAs, gridOf, remembered, type Sessions } from './services/sessions.ts'
import { timers as real, type Cancel, type Timers } from './timers.ts'

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

export type { Past }
export type PastOptions = {
  /** A provider's own candles, oldest first; `why`: it has them and cannot be asked. */
  history: (instrument: string, interval: Interval, limit: number, until?: number) => Promise<Past>
  /** Ours. */
  live: (instrument: string, interval: Interval) => readonly Candle[]
  sessions: (instrument: string) => Sessions | undefined
  clock: () => number
  timers?: Timers
}

/** Who names no patience waits so long for a provider's past; what comes later is kept for so long, for who asks again. */
const PATIENCE = 1_000
const KEEP = 10_000
const late = (patience: number): Past => ({
  candles: [],
  why: `no provider has answered within ${patience / 1_000} s; ask again`
})

/** The last `limit` candles: a provider's history with ours after it; ours alone, and why, where no provider answers in time. */
export function pastFrom({ history, live, sessions, clock, timers = real }: PastOptions) {
  const inTime = patient(history, timers)
  return async (instrument: string, interval: Interval, limit: number, patience = PATIENCE): Promise<Past> => {
    const hours = sessions(instrument)
    const grid = gridOf(interval, hours)
    const asked = askedAs(interval, hours, clock())
    const count = Math.ceil((limit * INTERVAL_MS[interval]) / INTERVAL_MS[asked])
    const found = await inTime(patience, instrument, asked, count)
    const past = asked === interval ? found.candles : regroup(found.candles, interval, grid)
    return { ...found, candles: joinCandles(past, live(instrument, interval), interval, limit, grid) }
  }
}

type Question = Parameters<PastOptions['history']>

/** As `history`, but nobody waits longer for it than for their patience; who asks the same meanwhile waits for the same answer. */
function patient(history: PastOptions['history'], timers: Timers) {
  const asked = new Map<string, { answer: Promise<Past>; isLate: boolean }>()
  const ask = (...question: Question) => {
    const key = question.join(' ')
    const known = asked.get(key)
    if (known) return known
    const one = { answer: history(...question), isLate: false }
    asked.set(key, one)
    const forget = (): void => void asked.delete(key)
    const settled = (): void => (one.isLate ? void timers.after(KEEP, forget) : forget())
    void one.answer.then(settled, settled)
    return one
  }
  return async (patience: number, ...question: Question): Promise<Past> => {
    const one = ask(...question)
    let stop: Cancel | undefined
    const outOfTime = new Promise<Past>((resolve) => {
      stop = timers.after(patience, () => {
        one.isLate = true
        resolve(late(patience))
      })
    })
    return Promise.race([one.answer, outOfTime]).finally(() => stop?.())
  }
}

export type HistoryWiring = Omit<HistoryOptions, 'rest' | 'hears' | 'gaps'> &
  Pick<PastOptions, 'live' | 'sessions'> & {
    feed: Pick<Feed, 'history' | 'trades' | 'hearsTrades' | 'gaps'>
    timers?: Timers
  }

/** Spans of the past, in pages: of trades, and of candles. */
export function historyFrom({ feed, live, sessions, timers = real, ...rest }: HistoryWiring) {
  const { journal, flush, clock } = rest
  const inTime = patient(feed.history, timers)
  return {
    trades: createTrades({ ...rest, rest: feed.trades, hears: feed.hearsTrades, gaps: feed.gaps }),
    candles: createCandlePages({ journal, flush, history: (...question) => inTime(PATIENCE, ...question), live, sessions, clock })
  }
}
