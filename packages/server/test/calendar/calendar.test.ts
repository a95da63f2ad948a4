/** Exchange hours against dates that are known: early closes, both daylight-saving switches, holidays, eves. */
import { describe, expect, test } from 'vitest'
import { createCalendar } from '../../src/calendar/calendar.ts'
import { CALENDARS } from '../../src/calendar/calendars.ts'
import type { CalendarId } from '../../src/providers/adapter.ts'

const sessionAt = (id: CalendarId, time: string) => createCalendar()(id, Date.parse(time)).session

test.each([
  ['XNYS', '2025-11-28T17:59:00Z', 'regular', 'the day after Thanksgiving, before 13:00'],
  ['XNYS', '2025-11-28T18:01:00Z', 'post', 'the day after Thanksgiving, after 13:00'],
  ['XNYS', '2025-11-27T16:00:00Z', 'closed', 'Thanksgiving'],
  ['XNAS', '2026-07-03T15:00:00Z', 'closed', 'Independence Day, observed'],
  ['XNYS', '2025-01-09T15:00:00Z', 'closed', 'the day of mourning'],
  ['XNYS', '2025-03-07T14:29:00Z', 'pre', 'before the switch to summer time, 9:29 is 14:29 UTC'],
  ['XNYS', '2025-03-10T13:31:00Z', 'regular', 'after it, 9:31 is 13:31 UTC'],
  ['XNYS', '2025-11-03T14:31:00Z', 'regular', 'after the switch back, 9:31 is 14:31 UTC'],
  ['XNYS', '2025-11-03T13:31:00Z', 'pre', 'after the switch back, 8:31'],
  ['XNYS', '2025-06-14T15:00:00Z', 'closed', 'a Saturday'],
  ['XNSE', '2025-12-05T03:46:00Z', 'regular', '9:16 in Mumbai'],
  ['XNSE', '2025-12-05T03:35:00Z', 'pre', '9:05 in Mumbai'],
  ['XBOM', '2025-10-21T06:00:00Z', 'closed', 'Diwali'],
  ['XLON', '2025-12-24T12:29:00Z', 'regular', 'Christmas Eve before 12:30'],
  ['XLON', '2025-12-24T12:31:00Z', 'closed', 'Christmas Eve after 12:30'],
  ['FX', '2025-06-15T21:01:00Z', 'regular', 'Sunday evening in New York'],
  ['FX', '2025-06-15T20:59:00Z', 'closed', 'Sunday afternoon in New York'],
  ['FX', '2025-06-13T21:01:00Z', 'closed', 'Friday evening in New York'],
  ['CMES', '2025-06-11T21:30:00Z', 'closed', 'the daily pause'],
  ['CMES', '2025-06-11T22:01:00Z', 'regular', 'after it'],
  ['24/7', '2025-12-25T00:00:00Z', 'regular', 'never closed']
] as [CalendarId, string, string, string][])('%s at %s is %s: %s', (id, time, session) => {
  expect(sessionAt(id, time)).toBe(session)
})

test('every calendar tells when the session changes, and the next one begins right there', () => {
  const calendar = createCalendar()
  for (const id of Object.keys(CALENDARS) as CalendarId[])
    for (let now = Date.parse('2024-01-01'), steps = 0; now < Date.parse('2028-12-20'); steps++) {
      const { session, since, until } = calendar(id, now)
      expect(until).toBeGreaterThan(now)
      expect(since).toBeLessThanOrEqual(now)
      if (id !== '24/7') expect(calendar(id, until).session).not.toBe(session === 'closed' ? 'closed' : '')
      now = until
    }
})

test('holidays and early closes fall on days that would have been trading days', () => {
  for (const [id, { holidays, early, days }] of Object.entries(CALENDARS))
    for (const date of [...holidays, ...Object.keys(early)])
      expect(days, `${id} ${date}`).toContain(Temporal.PlainDate.from(date).dayOfWeek)
})

describe('an operator’s file', () => {
  test('replaces the holidays and early closes of a calendar, and leaves its hours', () => {
    const calendar = createCalendar({ XNSE: { holidays: ['2027-03-22'] } })
    expect(calendar('XNSE', Date.parse('2027-03-22T05:00:00Z')).session).toBe('closed')
    expect(calendar('XNSE', Date.parse('2027-01-26T05:00:00Z')).session).toBe('regular')
  })
})
