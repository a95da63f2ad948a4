import { expect, test } from 'vitest'
import { fromEnvironment, fromFile, resolveConfig } from '../../src/settings.ts'
import { sourcesOf } from '../../src/sources.ts'

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
