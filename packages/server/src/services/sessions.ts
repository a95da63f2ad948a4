/** Where candles begin and end: on the clock's grid, or anchored at the sessions of an exchange. */
import { INTERVAL_MS, type Interval, type TradingSession } from '@tickwire/protocol'

/** The part of the exchange's day that a moment falls into, from `since` to `until`. */
export type Session = { session: TradingSession; since: number; until: number }
export type Sessions = (time: number) => Session

/** The place of one candle, from `start` (inclusive) to `end`. */
export type Slot = { start: number; end: number; session?: TradingSession | undefined }
export type Grid = {
  length: number
  /** The slot of a moment; nothing where this interval has no candle then (a daily one outside of regular hours). */
  at: (time: number) => Slot | undefined
  /** The first slot that starts then or later, of those that have a candle even without a trade. */
  after: (time: number) => Slot
  /** The slot that a provider's own candle of this start stands for, if any. */
  adopt: (start: number) => Slot | undefined
}

const NEVER: Slot = { start: Infinity, end: Infinity }
/** More spans than any calendar has between two sessions. */
const SPANS = 16

export function gridOf(interval: Interval, sessions?: Sessions): Grid {
  const length = INTERVAL_MS[interval]
  if (!sessions) return plainGrid(length)
  return interval === '1d' ? dailyGrid(length, sessions) : intradayGrid(length, sessions)
}

function plainGrid(length: number): Grid {
  const slot = (index: number): Slot => ({ start: index * length, end: (index + 1) * length })
  return {
    length,
    at: (time) => slot(Math.floor(time / length)),
    after: (time) => slot(Math.ceil(time / length)),
    adopt: (start) => (start % length === 0 ? slot(start / length) : undefined)
  }
}

/** The day is the exchange's: what is traded before and after its regular hours is in no daily candle, as brokers and charts have it. */
const dailyGrid = (length: number, sessions: Sessions): Grid => ({
  length,
  at: (time) => dayOf(sessions(time)),
  after: (time) => firstOf(time, sessions, (span) => (span.since >= time ? dayOf(span) : undefined)),
  // Providers name the day by its midnight, here or in Greenwich, or by its open: all of them are in it or before it.
  adopt: (start) => dayOf(sessions(start)) ?? firstOf(start, sessions, dayOf)
})

const dayOf = ({ session, since, until }: Session): Slot | undefined =>
  session === 'regular' ? { start: since, end: until, session } : undefined

/**
 * Counted from the beginning of each session, so that none straddles two of them; the last one of a session may be short. Outside
 * of all sessions there is a candle only where there was a trade.
 */
function intradayGrid(length: number, sessions: Sessions): Grid {
  const slot = ({ session, since, until }: Session, index: number): Slot => {
    const start = (Number.isFinite(since) ? since : 0) + index * length
    return { start, end: Math.min(start + length, until), session }
  }
  const place = ({ since }: Session, time: number): number => (time - (Number.isFinite(since) ? since : 0)) / length
  const at = (time: number): Slot => {
    const span = sessions(time)
    return slot(span, Math.floor(place(span, time)))
  }
  return {
    length,
    at,
    adopt: (start) => {
      const found = at(start)
      return found.start === start ? found : undefined
    },
    after: (time) =>
      firstOf(time, sessions, (span) => {
        if (span.session === 'closed') return undefined
        const found = slot(span, Math.ceil(place(span, Math.max(time, span.since))))
        return found.start < span.until ? found : undefined
      })
  }
}

function firstOf(time: number, sessions: Sessions, choose: (span: Session) => Slot | undefined): Slot {
  for (let at = time, n = 0; n < SPANS && Number.isFinite(at); n++) {
    const span = sessions(at)
    const found = choose(span)
    if (found) return found
    at = span.until
  }
  return NEVER
}

/**
 * The interval in which providers are asked for the past: their candles follow the clock, so where a session begins off it ours
 * are put together from quarters of an hour, of which every exchange's hours are made.
 */
export function askedAs(interval: Interval, sessions: Sessions | undefined, now: number): Interval {
  if (!sessions || interval === '1d') return interval
  const isOff = ({ session, since }: Session): boolean => session !== 'closed' && since % INTERVAL_MS[interval] !== 0
  for (let at = now, n = 0; n < SPANS && Number.isFinite(at); n++) {
    const span = sessions(at)
    if (isOff(span)) return '15m'
    at = span.until
  }
  return interval
}

/** Remembers the last spans that were asked for: a calendar works out days of a time zone, which is slow. */
export function remembered(sessions: Sessions, limit = 64): Sessions {
  const known: Session[] = []
  let last: Session | undefined
  return (time) => {
    const holds = ({ since, until }: Session): boolean => time >= since && time < until
    if (last && holds(last)) return last
    last = known.findLast(holds)
    if (last) return last
    if (known.push((last = sessions(time))) > limit) known.shift()
    return last
  }
}
