/** Where candles begin and end, against an oracle that works out the hours of every exchange's day in another way. */
import { INTERVALS, INTERVAL_MS, type Candle, type Interval, type Trade, type TradingSession } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCalendar } from '../../src/calendar/calendar.ts'
import { CALENDARS } from '../../src/calendar/calendars.ts'
import type { CalendarId } from '../../src/providers/adapter.ts'
import { createCandles } from '../../src/services/candles.ts'
import type { Input } from '../../src/services/service.ts'
import { askedAs, gridOf, remembered, type Grid, type Sessions, type Slot } from '../../src/services/sessions.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Each of those with hours; of two that share theirs (as do both of New York) one. */
const IDS = (Object.keys(CALENDARS) as CalendarId[]).filter(
  (id, i, all) => id !== '24/7' && all.findIndex((other) => CALENDARS[other] === CALENDARS[id]) === i
)
/** One pass over the years: what is asked again comes from here. */
const sessionsOf = (id: CalendarId): Sessions => {
  const market = createCalendar()
  return remembered((time) => market(id, time), 512)
}
const SESSIONS = new Map(IDS.map((id) => [id, sessionsOf(id)]))
const gridFor = (id: CalendarId, interval: Interval): Grid => gridOf(interval, SESSIONS.get(id))

type Span = { session: TradingSession; from: number; to: number }

/** The zone's offset by Intl: what the calendar uses is Temporal. */
function clockOf(zone: string): (date: string, time: string) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  const offsets = new Map<number, number>()
  const offsetAt = (time: number): number => {
    const hour = Math.floor(time / HOUR)
    const known = offsets.get(hour)
    if (known !== undefined) return known
    const text = format.formatToParts(hour * HOUR).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign = '+', hours = 0, minutes = 0] = /GMT(?:([+-])(\d+):(\d+))?/.exec(text) ?? []
    const offset = (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE)
    offsets.set(hour, offset)
    return offset
  }
  return (date, time) => {
    const local = Date.parse(`${date}T${time}:00Z`)
    const guess = local - offsetAt(local)
    return local - offsetAt(guess)
  }
}

/** All sessions of the years 2024 to 2028, by the data alone. */
function oracle(id: CalendarId): Span[] {
  const { zone, days, holidays, early, pre, regular, post, overnight } = CALENDARS[id]
  const at = clockOf(zone)
  const spans: Span[] = []
  for (let noon = Date.UTC(2024, 0, 1, 12); noon < Date.UTC(2029, 0, 1); noon += DAY) {
    const date = new Date(noon).toISOString().slice(0, 10)
    const eve = new Date(noon - DAY).toISOString().slice(0, 10)
    if (!days.includes(new Date(noon).getUTCDay() || 7) || holidays.includes(date)) continue
    const end = early[date] ?? regular[1]
    if (pre) spans.push({ session: 'pre', from: at(date, pre[0]), to: at(date, pre[1]) })
    spans.push({ session: 'regular', from: at(overnight ? eve : date, regular[0]), to: at(date, end) })
    const late = early[date] === undefined ? post?.[1] : `${Number(end.slice(0, 2)) + 4}:${end.slice(3)}`
    if (post && late) spans.push({ session: 'post', from: at(date, end), to: at(date, late) })
  }
  return spans
}
const ORACLES = new Map(IDS.map((id) => [id, oracle(id)]))

function slotsOf({ session, from, to }: Span, interval: Interval): Slot[] {
  if (interval === '1d') return session === 'regular' ? [{ start: from, end: to, session }] : []
  const slots: Slot[] = []
  for (let start = from; start < to; start += INTERVAL_MS[interval])
    slots.push({ start, end: Math.min(start + INTERVAL_MS[interval], to), session })
  return slots
}
const key = ({ start, end, session }: Slot): string => `${start} ${end} ${session}`

/** What differs, walking from the first candle to the last. */
function wrong(id: CalendarId, interval: Interval, spans: readonly Span[]): string[] {
  const grid = gridFor(id, interval)
  const complaints: string[] = []
  let before: number | undefined
  for (const span of spans)
    for (const expected of slotsOf(span, interval)) {
      const found = grid.after(before ?? expected.start)
      before = expected.end
      const inside = [expected.start, (expected.start + expected.end) / 2, expected.end - 1].map((moment) => grid.at(moment))
      for (const slot of [found, ...inside])
        if (!slot || key(slot) !== key(expected)) complaints.push(`${id} ${interval} ${key(expected)}: ${slot && key(slot)}`)
    }
  return complaints
}

describe('[L5] no candle begins or ends elsewhere than the oracle says, 2024 to 2028', () => {
  const COARSE = INTERVALS.filter((interval) => INTERVAL_MS[interval] >= 15 * MINUTE)
  test.each(IDS)('%s: intervals from a quarter of an hour to a day, all five years', (id) => {
    const spans = ORACLES.get(id)!
    expect(spans.length).toBeGreaterThan(1_000)
    // By the quarter, so that each day is worked out once for all intervals.
    for (let i = 0; i < spans.length; i += 100)
      expect(COARSE.flatMap((interval) => wrong(id, interval, spans.slice(i, i + 101)))).toEqual([])
  })

  test.each(IDS)('%s: the fine ones in the weeks of both switches, of the leap days and of the holidays', (id) => {
    const weeks = ['2024-02-26', '2024-03-08', '2025-10-24', '2026-03-05', '2026-03-26', '2026-10-29', '2027-12-22', '2028-02-26']
    for (const week of weeks.map((date) => Date.parse(date))) {
      const spans = ORACLES.get(id)!.filter(({ from }) => from >= week && from < week + 6 * DAY)
      for (const interval of ['1m', '3m', '5m'] as const) expect(wrong(id, interval, spans)).toEqual([])
    }
  })

  test.each([
    ['XNYS', '2026-03-06', '2026-03-06T14:30Z', '2026-03-06T21:00Z'],
    ['XNYS', '2026-03-09', '2026-03-09T13:30Z', '2026-03-09T20:00Z'],
    ['XNYS', '2026-10-30', '2026-10-30T13:30Z', '2026-10-30T20:00Z'],
    ['XNYS', '2026-11-02', '2026-11-02T14:30Z', '2026-11-02T21:00Z'],
    ['XNYS', '2026-11-26', '2026-11-27T14:30Z', '2026-11-27T18:00Z'],
    ['XNYS', '2024-02-29', '2024-02-29T14:30Z', '2024-02-29T21:00Z'],
    ['XLON', '2026-03-30', '2026-03-30T07:00Z', '2026-03-30T15:30Z'],
    ['XNSE', '2028-02-29', '2028-02-29T03:45Z', '2028-02-29T10:00Z'],
    ['CMES', '2026-03-09', '2026-03-09T22:00Z', '2026-03-10T21:00Z'],
    ['FX', '2026-11-02', '2026-11-02T22:00Z', '2026-11-03T22:00Z']
  ] as const)('%s: the first day from %s on is from %s to %s', (id, from, start, end) => {
    const day = gridFor(id, '1d').after(Date.parse(from))
    expect([day.start, day.end]).toEqual([Date.parse(start), Date.parse(end)])
  })

  test("hours of New York begin at half past nine, the last is half an hour; India's at a quarter past nine", () => {
    const starts = (id: CalendarId, time: string) => {
      const found: string[] = []
      const grid = gridFor(id, '1h')
      for (let slot = grid.at(Date.parse(time))!; slot.session === 'regular'; slot = grid.after(slot.end))
        found.push(`${new Date(slot.start).toISOString().slice(11, 16)} ${(slot.end - slot.start) / MINUTE}`)
      return found.join(', ')
    }
    expect(starts('XNYS', '2026-07-06T13:30Z')).toBe('13:30 60, 14:30 60, 15:30 60, 16:30 60, 17:30 60, 18:30 60, 19:30 30')
    expect(starts('XNSE', '2026-07-06T03:45Z')).toBe('03:45 60, 04:45 60, 05:45 60, 06:45 60, 07:45 60, 08:45 60, 09:45 15')
    expect(starts('XNYS', '2026-11-27T14:30Z')).toBe('14:30 60, 15:30 60, 16:30 60, 17:30 30')
  })

  test("a provider's daily candle is that of its day, whichever midnight or open it is named by", () => {
    const day = (id: CalendarId, start: string) => new Date(gridFor(id, '1d').adopt(Date.parse(start))!.start).toISOString()
    for (const name of ['2026-07-06T00:00Z', '2026-07-06T04:00Z', '2026-07-06T13:30Z'])
      expect(day('XNYS', name)).toBe('2026-07-06T13:30:00.000Z')
    for (const name of ['2026-07-06T00:00Z', '2026-07-05T18:30Z', '2026-07-06T03:45Z'])
      expect(day('XNSE', name)).toBe('2026-07-06T03:45:00.000Z')
    for (const name of ['2026-07-06T00:00Z', '2026-07-06T04:00Z', '2026-07-05T21:00Z'])
      expect(day('FX', name)).toBe('2026-07-05T21:00:00.000Z')
  })

  test("the past is asked for in quarters of an hour where a session begins off the clock's grid", () => {
    const asked = (id: CalendarId, interval: Interval) => askedAs(interval, SESSIONS.get(id), Date.parse('2026-07-06'))
    expect([asked('XNYS', '15m'), asked('XNYS', '30m'), asked('XNYS', '1h'), asked('XNYS', '1d')]).toEqual([
      '15m',
      '30m',
      '15m',
      '1d'
    ])
    expect([asked('XNSE', '15m'), asked('XNSE', '30m'), asked('XLON', '1h'), asked('FX', '1h')]).toEqual([
      '15m',
      '15m',
      '1h',
      '1h'
    ])
    expect(askedAs('4h', undefined, 0)).toBe('4h')
  })
})

const trade = (time: number, price: number, id: number): Trade => {
  const stamp = { provider: 'alpha', instrument: 'AAPL', time, received: time }
  return { type: 'trade', ...stamp, id: String(id), price, size: 1, side: 'buy' }
}
const mark = (time: number): Input => ({ type: 'watermark', instrument: 'AAPL', time })

function run(id: CalendarId, inputs: readonly Input[], interval: Interval): Candle[] {
  const service = createCandles({ keep: 5_000, sessions: () => SESSIONS.get(id) })
  const state = service.open()
  return inputs
    .flatMap((input) => service.fold(state, input))
    .filter(({ topic }) => topic === `candle:AAPL:${interval}`)
    .map(({ event }) => event as Candle)
}

describe('candles of an instrument with sessions', () => {
  const open = Date.parse('2026-11-27T14:30Z')
  const regularEnd = Date.parse('2026-11-27T18:00Z')

  test('the daily candle is of regular hours, closes with the session (here early), and none forms while the exchange sleeps', () => {
    const trades = [trade(open - HOUR, 1, 1), trade(open, 10, 2), trade(regularEnd - 1, 12, 3), trade(regularEnd, 99, 4)]
    const marks = [mark(regularEnd - 1), mark(regularEnd), mark(regularEnd + 20 * HOUR)]
    const out = run('XNYS', [...trades, ...marks], '1d')
    expect(out.map(({ closed }) => closed)).toEqual([false, true])
    expect(out[1]).toMatchObject({ start: open, end: regularEnd, open: 10, high: 12, close: 12, volume: 2, session: 'regular' })
  })

  test('pre, regular and post are flagged, also where nothing was traded; between two days there is no candle', () => {
    const monday = Date.parse('2026-11-30T09:00Z')
    const out = run('XNYS', [trade(open - 5.5 * HOUR, 1, 1), mark(monday + 2 * HOUR)], '1h')
    const closed = out.filter((candle) => candle.closed)
    const sessions = closed.map(({ session }) => session?.slice(0, 2)).join(' ')
    // From four to half past nine, a short day of regular hours and four hours after it, then Monday.
    expect(sessions).toBe('pr pr pr pr pr pr re re re re po po po po pr pr')
    expect(closed.at(-2)?.start).toBe(monday)
  })

  test('a trade while the exchange sleeps makes a candle that is flagged closed, and fills nothing around it', () => {
    const night = Date.parse('2026-11-28T03:00Z')
    const inputs = [trade(regularEnd, 5, 1), mark(regularEnd + 12 * HOUR), trade(night, 6, 2), mark(night + 3 * HOUR)]
    const closed = run('XNYS', inputs, '1h').filter((candle) => candle.closed)
    expect(closed.at(-1)).toMatchObject({ session: 'closed', close: 6, trades: 1, revision: 0 })
    expect(closed.filter(({ session }) => session === 'closed')).toHaveLength(1)
  })

  test('the first trade after a long weekend is taken before the watermark has moved', () => {
    const monday = Date.parse('2026-11-30T14:30Z')
    const out = run('XNYS', [trade(open, 5, 1), mark(open + 1), trade(monday, 6, 2), mark(monday + 1)], '1m')
    expect(out.at(-1)).toMatchObject({ start: monday, close: 6, closed: false })
  })

  test.each(IDS)('[L5] %s: days of trades across the switches, in a minute: every candle is that of the oracle', (id) => {
    const weeks = ['2024-02-28', '2026-03-05', '2026-10-22', '2026-10-29', '2026-11-25'].map((date) => Date.parse(date))
    const tapes = fc.tuple(
      fc.constantFrom(...weeks),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 6 * DAY }), fc.integer({ min: 1, max: 99 })), { minLength: 1, maxLength: 40 })
    )
    fc.assert(
      fc.property(tapes, fc.constantFrom(...INTERVALS.slice(2)), ([week, rows], interval) => {
        const spans = ORACLES.get(id)!.filter(({ from }) => from >= week - 2 * DAY && from < week + 9 * DAY)
        const inSession = rows
          .map(([at, price]): [number, number] => [week + at, price])
          .filter(([time]) => spans.some(({ from, to }) => time >= from && time < to))
          .toSorted(([a], [b]) => a - b)
        const end = week + 7 * DAY
        const inputs = inSession.flatMap(([time, price], i): Input[] => [mark(time - 500), trade(time, price, i + 1)])
        const closed = run(id, [...inputs, mark(end)], interval).filter((candle) => candle.closed)
        const slots = spans.flatMap((span) => slotsOf(span, interval)).filter((slot) => slot.end <= end)
        const mine = inSession.map(([time]) => slots.findIndex((slot) => time >= slot.start && time < slot.end))
        const first = mine.find((at) => at >= 0)
        const expected = first === undefined ? [] : slots.slice(first).map(key)
        expect(
          closed.map(({ start, end: ends, session }) => `${start} ${ends ?? start + INTERVAL_MS[interval]} ${session}`)
        ).toEqual(expected)
        const counts = slots.slice(first ?? slots.length).map((_, i) => mine.filter((at) => at === i + (first ?? 0)).length)
        expect(closed.map(({ trades }) => trades)).toEqual(counts)
        expect(new Set(closed.map(({ start }) => start)).size).toBe(closed.length)
      }),
      { numRuns: 20, seed: 20_261_121 }
    )
  })
})
