import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fromEnvironment, fromFile, resolveConfig } from '../../src/settings.ts'
import { feedSettings, sourcesOf } from '../../src/sources.ts'

const feeds = { feed: 'https://news.example/feed.xml' }
const intervalOf = (rss: object, env: Record<string, string> = {}): string | undefined => {
  const file = fromFile(JSON.stringify({ providers: { rss } }), 'f')
  const sources = sourcesOf(resolveConfig(file, fromEnvironment(env)))
  return sources.find(({ adapter }) => adapter.provider === 'rss')?.readAccess().options?.['interval']
}

test('[S1-46] news that is polled is asked as often as NEWS_UPDATE_INTERVAL says, unless its provider has an interval of its own', () => {
  expect(intervalOf({ ...feeds, enabled: true }, { NEWS_UPDATE_INTERVAL: '90' })).toBe('90')
  expect(intervalOf({ ...feeds, enabled: true, options: { interval: '600' } }, { NEWS_UPDATE_INTERVAL: '90' })).toBe('600')
})

const NOON = Date.parse('2026-11-23T17:00:00Z')
const calendarFrom = (content: object) => {
  const file = join(mkdtempSync(join(tmpdir(), 'calendars-')), 'calendars.json')
  writeFileSync(file, JSON.stringify(content))
  return feedSettings(resolveConfig(fromFile(JSON.stringify({ feed: { calendars: file } }), 'f'))).market!
}

test('a file of calendars replaces holidays and early closes; nonsense in it is named when the server starts', () => {
  expect(calendarFrom({ XNYS: { early: { '2026-11-23': '11:00' } } })('XNYS', NOON).session).toBe('post')
  expect(calendarFrom({ XNYS: { holidays: ['2026-11-23'] } })('XNYS', NOON).session).toBe('closed')
  expect(() => calendarFrom({ XNYS: { early: { '2026-11-23': '99:99' } } })).toThrow(
    /XNYS\.early\.2026-11-23: a time of day is written 13:00/
  )
  expect(() => calendarFrom({ XNYS: { holidays: ['23.11.2026'] } })).toThrow(/XNYS\.holidays\.0: a day is written 2026-12-25/)
  expect(() => calendarFrom({ NYSE: {} })).toThrow(/there is no calendar NYSE: there are XNYS, XNAS/)
})
