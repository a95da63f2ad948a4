import { readdirSync, readFileSync, statSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { dateOf } from '../../src/providers/rss.dates.ts'
import { canonical, rss } from '../../src/providers/rss.ts'
import { only } from './captures.ts'

const folder = new URL('../../../../captures/rss/', import.meta.url).pathname
const files = (path: string): string[] =>
  statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => files(`${path}/${name}`)) : [path]
const NOW = Date.parse('2026-06-01T00:00:00Z')
const FEED = 'https://news.example/feed.xml'
function read(bytes: Uint8Array | string, contentType?: string, session = rss.open({}), feed = FEED) {
  const need = { type: 'need', purpose: 'snapshot', path: feed, note: feed, bytes: true } as const
  const answered = { status: 200, headers: contentType === undefined ? {} : { 'content-type': contentType } }
  return rss.decode(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes, NOW, session, { ...need, answered })
}
const item = (inner: string) => `<rss version="2.0"><channel><title>C</title><item>${inner}</item></channel></rss>`

describe('real feeds', () => {
  const conformance = readdirSync(folder).filter((name) => name.endsWith('.expected.json'))
  test.each(conformance)('%s: as many stories as another parser finds, with its titles and links', (name) => {
    const expected = (JSON.parse(readFileSync(folder + name, 'utf8')) as { feed: { items: { title?: string; link?: string }[] } })
      .feed.items
    const found = read(readFileSync(folder + name.replace('.expected.json', '')))
    const stories = only('news', found)
    // Its one entry has no title and no text.
    if (stories.length === 0) return expect(name).toBe('incomplete-fields.atom.expected.json')
    expect(stories.length).toBe(expected.length)
    for (const [i, story] of stories.entries()) {
      const link = expected[i]!.link
      if (link?.startsWith('http')) expect(story.url).toBe(link)
      expect(story.headline).not.toMatch(/<\/?\w+[^>]*>/)
      expect(story.time).toBeLessThanOrEqual(NOW)
    }
  })
  test('ids are stable from look to look, and what was there at the first look is backlog', () => {
    const bytes = readFileSync(`${folder}guardian.rss`)
    const session = rss.open({})
    const [first, second] = [read(bytes, undefined, session), read(bytes, undefined, session)].map((all) => only('news', all))
    expect(first!.map(({ id }) => id)).toEqual(second!.map(({ id }) => id))
    expect(new Set(first!.map(({ id }) => id)).size).toBe(first!.length)
    expect([first!.every(({ backlog }) => backlog === true), second!.some(({ backlog }) => backlog === true)]).toEqual([
      true,
      false
    ])
  })
  test('the charset of a Portuguese feed is read', () => {
    expect(only('news', read(readFileSync(`${folder}encoding.rss`)))[0]!.headline).toBe(
      'Mãe de utente é a nova presidente da Raríssimas'
    )
  })
})

test.each(files(`${folder}feedparser`))('%s is read or refused with a reason, and never throws', (path) => {
  for (const type of [undefined, 'text/xml', 'application/xml; charset=utf-8', 'text/html; charset=bogus'])
    for (const meaning of read(readFileSync(path), type)) {
      if (meaning.type === 'refused') expect(meaning.reason).not.toBe('')
      else expect(meaning).toMatchObject({ type: 'news', id: expect.any(String) as string })
    }
})

test.each(['utf-16le', 'utf-16be', 'latin1'] as const)('%s is told by its mark, by HTTP or by the document', (charset) => {
  const text = item('<title>Zürich</title><guid>1</guid>')
  const le = Buffer.from(`\uFEFF${text}`, 'utf16le')
  const bytes = charset === 'latin1' ? Buffer.from(text, 'latin1') : charset === 'utf-16le' ? le : Buffer.from(le).swap16()
  expect(read(bytes, charset === 'latin1' ? 'text/xml; charset=iso-8859-1' : 'text/xml')).toMatchObject([{ headline: 'Zürich' }])
})

describe('what is not to be trusted', () => {
  test.each([
    ['a consent page', '<!doctype html><html><body>Before you continue</body></html>'],
    [
      'entities of its own',
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel><item><title>&b;</title></item></channel></rss>'
    ],
    [
      'a file of ours',
      '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&f;</title></item></channel></rss>'
    ],
    ['nothing', ''],
    ['compressed bytes', gzipSync('<rss/>')]
  ])('%s is refused', (_, body) => {
    expect(read(body)).toEqual([expect.objectContaining({ type: 'refused' })])
  })
  test('scripts, tags and addresses of scripts do not come through', () => {
    const description = '&lt;p&gt;Profit &lt;b&gt;up&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;/p&gt;'
    const [story] = only(
      'news',
      read(item(`<title>A &amp; B</title><link>javascript:alert(1)</link><description>${description}</description>`))
    )
    expect(story).toMatchObject({ headline: 'A & B', summary: 'Profit up' })
    expect(story).not.toHaveProperty('url')
  })
  test('a bare ampersand and HTML’s own entities are borne', () => {
    expect(read(item('<title>AT&T up&nbsp;2 %</title><guid>1</guid>'))).toMatchObject([
      { headline: expect.stringContaining('AT&T') as string }
    ])
  })
})

test.each([
  ['Mon, 06 Sep 2010 00:01:00 +0000', '2010-09-06T00:01:00Z'],
  ['Mon, 06 Sep 10 00:01 EST', '2010-09-06T05:01:00Z'],
  ['06 Sep 2010 00:01:00 PDT', '2010-09-06T07:01:00Z'],
  ['Mon, 06 Sep 2010 00:01:00 GMT+1', '2010-09-05T23:01:00Z'],
  ['2025-01-29T23:39:41Z', '2025-01-29T23:39:41Z'],
  ['2017-09-16T12:36:59+00:00', '2017-09-16T12:36:59Z'],
  ['2025-01-29', '2025-01-29T00:00:00Z']
])('the date %s', (text, time) => expect(dateOf(text)).toBe(Date.parse(time)))
test('a date that is none says so, one from the future is now', () => {
  expect(read(item('<title>T</title><pubDate>soon</pubDate>'))).toMatchObject([{ undated: true, time: NOW }])
  expect(read(item('<title>T</title><pubDate>2030-01-01T00:00:00Z</pubDate>'))).toMatchObject([{ time: NOW }])
})

test.each([
  ['<title>Why $AAPL fell</title>', ['AAPL']],
  ['<title>Apple (NASDAQ: AAPL) and ALL of IT</title>', ['AAPL']],
  ['<title>IT is ON</title>', []]
])('symbols are only those that are named outright: %s', (inner, symbols) => {
  expect(read(item(inner))).toMatchObject([{ symbols }])
})

test('one story has one canonical address', () => {
  expect(canonical('https://Finance.Yahoo.com/news/a/?.tsrc=rss&utm_source=x#top')).toBe('https://finance.yahoo.com/news/a')
})

test('each feed is a poll of its own, not more often than once a minute', () => {
  const session = rss.open({ feed: 'https://a.example/x, ftp://b, https://c.example/y', options: { interval: '5' } })
  expect(rss.subscribe([{ kind: 'news', symbol: '*' }], session)).toMatchObject([
    { poll: 'https://a.example/x', every: 60_000, need: { bytes: true } },
    { poll: 'https://c.example/y' }
  ])
})
