/**
 * When exchanges trade, as data: hours in their own zone, holidays and early closes from 2024 to 2028. Sources: the exchanges' published
 * calendars. India's of 2027 and 2028 are not published yet: only the holidays with fixed dates and Good Friday are here.
 */
import type { CalendarId } from '../providers/adapter.ts'

/** `from` and `to` as `HH:MM` of the exchange's day. */
export type Hours = readonly [from: string, to: string]
export type Calendar = {
  zone: string
  pre?: Hours
  regular: Hours
  post?: Hours
  /** Weekdays of trading, 1 is Monday. A session that starts on the eve (FX, futures) is of the next day. */
  days: readonly number[]
  /** Its day begins on the evening before at `regular[0]` and ends at `regular[1]`. */
  overnight?: true
  holidays: readonly string[]
  /** Date → when regular trading ends that day. */
  early: Readonly<Record<string, string>>
}

const WEEK = [1, 2, 3, 4, 5]
const dates = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [year, ...days] = line.trim().split(/\s+/)
      return days.map((day) => `${year}-${day}`)
    })
const at = (time: string, text: string): Record<string, string> => Object.fromEntries(dates(text).map((day) => [day, time]))

const US: Calendar = {
  zone: 'America/New_York',
  pre: ['04:00', '09:30'],
  regular: ['09:30', '16:00'],
  post: ['16:00', '20:00'],
  days: WEEK,
  holidays: dates(`
    2024 01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25
    2025 01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25
    2026 01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25
    2027 01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24
    2028 01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25`),
  early: at(
    '13:00',
    `2024 07-03 11-29 12-24
     2025 07-03 11-28 12-24
     2026 11-27 12-24
     2027 11-26
     2028 07-03 11-24`
  )
}

const INDIA: Calendar = {
  zone: 'Asia/Kolkata',
  pre: ['09:00', '09:15'],
  regular: ['09:15', '15:30'],
  days: WEEK,
  holidays: dates(`
    2024 01-22 01-26 03-08 03-25 03-29 04-11 04-17 05-01 05-20 06-17 07-17 08-15 10-02 11-01 11-15 11-20 12-25
    2025 02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-21 10-22 11-05 12-25
    2026 01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10 11-24 12-25
    2027 01-26 03-26 04-14
    2028 01-26 04-14 05-01 08-15 10-02 12-25`),
  early: {}
}

export const CALENDARS: Readonly<Record<CalendarId, Calendar>> = {
  XNYS: US,
  XNAS: US,
  XNSE: INDIA,
  XBOM: INDIA,
  // Commodities: on most other holidays the evening session is held, and silence in the morning is told as what it is.
  XIMC: {
    zone: 'Asia/Kolkata',
    regular: ['09:00', '23:30'],
    days: WEEK,
    holidays: dates(`
      2024 01-26 03-29 08-15 10-02 12-25
      2025 04-18 08-15 10-02 12-25
      2026 01-26 04-03 10-02 12-25
      2027 01-26 03-26
      2028 01-26 04-14 08-15 10-02 12-25`),
    early: {}
  },
  XLON: {
    zone: 'Europe/London',
    regular: ['08:00', '16:30'],
    days: WEEK,
    holidays: dates(`
      2024 01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26
      2025 01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26
      2026 01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28
      2027 01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28
      2028 01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26`),
    early: at(
      '12:30',
      `2024 12-24 12-31
       2025 12-24 12-31
       2026 12-24 12-31
       2027 12-24 12-31
       2028 12-22 12-29`
    )
  },
  // Globex: from 17:00 on the eve to 16:00, an hour's pause between; equity index futures stop at noon on most US holidays.
  CMES: {
    zone: 'America/Chicago',
    regular: ['17:00', '16:00'],
    days: WEEK,
    overnight: true,
    holidays: dates(`
      2024 01-01 03-29 12-25
      2025 01-01 04-18 12-25
      2026 01-01 04-03 12-25
      2027 01-01 03-26 12-24
      2028 04-14 12-25`),
    early: at(
      '12:00',
      `2024 01-15 02-19 05-27 06-19 07-04 09-02 11-28
       2025 01-20 02-17 05-26 06-19 07-04 09-01 11-27
       2026 01-19 02-16 05-25 06-19 07-03 09-07 11-26
       2027 01-18 02-15 05-31 06-18 07-05 09-06 11-25
       2028 01-17 02-21 05-29 06-19 07-04 09-04 11-23`
    )
  },
  FX: {
    zone: 'America/New_York',
    regular: ['17:00', '17:00'],
    days: WEEK,
    overnight: true,
    holidays: dates(`
      2024 01-01 12-25
      2025 01-01 12-25
      2026 01-01 12-25
      2027 01-01
      2028 12-25`),
    early: {}
  },
  '24/7': { zone: 'UTC', regular: ['00:00', '24:00'], days: [1, 2, 3, 4, 5, 6, 7], holidays: [], early: {} }
}
