import { readdirSync, readFileSync, statSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Need } from '../../src/providers/adapter.ts'
import { dateOf } from '../../src/providers/rss.dates.ts'
import { rss } from '../../src/providers/rss.ts'
import { canonical } from '../../src/providers/rss.words.ts'
import { only } from './captures.ts'

const folder = new URL('../../../../captures/rss/', import.meta.url).pathname
const files = (path: string): string[] =>
  statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => files(`${path}/${name}`)) : [path]
const NOW = Date.parse('2026-06-01T00:00:00Z')
const FEED = 'https://news.example/feed.xml'
function read(
  bytes: Uint8Array | string,
  contentType?: string,
  session = rss.open({}),
  feed = FEED,
  more: Partial<Need['answered']> = {}
) {
  const need = { type: 'need', purpose: 'snapshot', path: feed, note: feed, bytes: true } as const
  const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType }
  const answered = { status: 200, headers, ...more }
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
    ['nothing', ''],
    ['compressed bytes', gzipSync('<rss/>')]
  ])('%s is refused', (_, body) => {
    expect(read(body)).toEqual([expect.objectContaining({ type: 'refused' })])
  })
  test.each([
    ['small ones that become large', '<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">', '&b;'],
    ['a file of ours', '<!ENTITY f SYSTEM "file:///etc/passwd">', '&f;'],
    ['another document', '<!ENTITY % d PUBLIC "x" "http://127.0.0.1/x.dtd"> %d;', 'T']
  ])('entities that a feed declares are never looked up: %s', (_, declared, title) => {
    const body = `<!DOCTYPE rss [${declared}]><rss><channel><item><title>${title}</title></item></channel></rss>`
    expect(read(body)).toMatchObject([{ headline: title }])
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
  ['2025-01-29', '2025-01-29T00:00:00Z'],
  ['2025-01-29 23:39:41 +0530', '2025-01-29T18:09:41Z'],
  ['20250129', '2025-01-29T00:00:00Z'],
  ['Mon Sep  6 00:01:00 PDT 2010', '2010-09-06T07:01:00Z'],
  ['Sep 6, 2010, 12:01 am EST', '2010-09-06T05:01:00Z'],
  ['Mo, 06 Mär 2010 00:01:00 +0100', '2010-03-05T23:01:00Z'],
  ['lundi 6 juillet 2010 00:01:00 GMT', '2010-07-06T00:01:00Z'],
  ['06 de ago de 2010 10:00:00 -03:00', '2010-08-06T13:00:00Z'],
  ['1283731260', '2010-09-06T00:01:00Z']
])('the date %s', (text, time) => expect(dateOf(text)).toBe(Date.parse(time)))
test.each(['soon', '', '0', 'Mon, 31 Feb 2010 00:00:00 GMT', 'Mon, 06 Sep 2010 25:00:00 GMT', '06/09/2010', '2010'])(
  '%j is no date',
  (text) => expect(dateOf(text)).toBeNaN()
)
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

describe('shapes of documents', () => {
  const atom = (inner: string) => `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/x/">${inner}</feed>`
  test.each([
    [
      'an address in CDATA',
      item('<title>T</title><link><![CDATA[https://n.example/?a=1&b=2]]></link>'),
      { url: 'https://n.example/?a=1&b=2' }
    ],
    ['a relative address', item('<title>T</title><link>/a?x=1&amp;y=2</link>'), { url: 'https://news.example/a?x=1&y=2' }],
    [
      'an address by xml:base',
      atom('<entry><id>1</id><title>T</title><link href="y.html"/></entry>'),
      { url: 'https://b.example/x/y.html' }
    ],
    [
      'Atom text that looks like HTML',
      atom('<entry><id>1</id><title>the &lt;blink> tag</title></entry>'),
      { headline: 'the <blink> tag' }
    ],
    [
      'Atom HTML',
      atom('<entry><id>1</id><title type="html">A &lt;b&gt;B&lt;/b&gt; &amp;lt;c&amp;gt;</title></entry>'),
      { headline: 'A B <c>' }
    ],
    [
      'Atom XHTML',
      atom('<entry><id>1</id><title type="xhtml"><div>1 &lt; 2 <br/><b>x</b></div></title></entry>'),
      { headline: '1 < 2 x' }
    ],
    [
      'Atom by a prefix',
      '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:id>1</a:id><a:title>T</a:title><a:updated>2026-01-02T03:04:05Z</a:updated></a:entry></a:feed>',
      { headline: 'T', time: 1_767_323_045_000 }
    ],
    [
      'Dublin Core by another prefix',
      item('<title>T</title><p:date xmlns:p="http://purl.org/dc/elements/1.1/">2026-01-02</p:date>'),
      { time: 1_767_312_000_000 }
    ],
    [
      'RDF',
      '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>C</title></channel><item r:about="https://n.example/9"><title>T</title></item></r:RDF>',
      { id: 'news.example https://n.example/9', source: 'C' }
    ],
    [
      'capitals',
      '<RSS><CHANNEL><ITEM><TITLE>T</TITLE><LINK>http://n.example/1</LINK></ITEM></CHANNEL></RSS>',
      { headline: 'T', url: 'http://n.example/1' }
    ],
    [
      'fields left open',
      '<rss><channel><item><title>T<description>x</description></item></channel>',
      { headline: 'T', summary: 'x' }
    ],
    ['words before it', `<br />Warning: x\n${item('<title>T</title>')}`, { headline: 'T' }],
    ['HTML’s entities', item('<title>caf&eacute; &mdash; &foo; &amp;amp; &#146;</title>'), { headline: 'café — &foo; & ’' }],
    [
      'a table and a list',
      item(
        '<title>T</title><description>&lt;ul>&lt;li>a&lt;/li>&lt;/ul>&lt;table>&lt;tr>&lt;td>x&lt;/td>&lt;td>y&lt;/td>&lt;/tr>&lt;/table></description>'
      ),
      { summary: 'a x y' }
    ],
    ['an image', item('<title>T</title><media:content url="https://i.example/a.jpg"/>'), { image: 'https://i.example/a.jpg' }],
    [
      'a source and an author',
      item('<title>T</title><source url="https://r.example">R</source><author>a@b.example (Bob)</author>'),
      { source: 'R', author: 'Bob' }
    ],
    [
      'tickers',
      item('<title>T</title><nasdaq:tickers>AAPL,MSFT</nasdaq:tickers><category type="symbol">TSLA</category>'),
      { symbols: ['AAPL', 'MSFT', 'TSLA'] }
    ],
    ['no words', item('<link>https://n.example/1</link>'), { headline: 'https://n.example/1' }],
    [
      'JSON',
      JSON.stringify({
        version: 'https://jsonfeed.org/version/1.1',
        title: 'J',
        items: [{ id: '5', url: '/x', title: 'a <b>', content_html: '<p>c</p>' }]
      }),
      { id: 'news.example 5', headline: 'a <b>', summary: 'c', url: 'https://news.example/x' }
    ]
  ])('%s', (_, body, expected) => expect(read(body)).toMatchObject([expected]))
  test('a story that the end of the document cuts off is left out', () => {
    const whole = item('<title>T1</title><guid>11</guid></item><item><title>T2</title><guid>22</guid>')
    expect(read(whole.slice(0, whole.indexOf('22') + 1))).toMatchObject([{ headline: 'T1' }])
  })
  test('stories of one guid are told apart, one that stands there twice is told once', () => {
    const one = '<title>T1</title><guid isPermaLink="false">1</guid><link>https://n.example/1</link>'
    const two = '<title>T2</title><guid isPermaLink="false">1</guid><link>https://n.example/2</link>'
    expect(only('news', read(item(`${one}</item><item>${two}</item><item>${one}`))).map(({ id }) => id)).toEqual([
      'news.example 1',
      'https://n.example/2'
    ])
  })
  test.each([
    ['UTF-8 said, Windows sent', Buffer.from(item('<title>Z\xFCrich</title>'), 'latin1'), 'text/xml; charset=utf-8'],
    ['ASCII said, UTF-8 sent', Buffer.from(item('<title>Zürich</title>')), 'text/xml; charset=us-ascii']
  ])('%s', (_, bytes, type) => expect(read(bytes, type)).toMatchObject([{ headline: 'Zürich' }]))
  const inNoTime = (part: string) => {
    const start = performance.now()
    read(`<rss><channel>${part.repeat(Math.ceil(1e6 / part.length))}`)
    expect(performance.now() - start).toBeLessThan(5_000)
  }
  test.each(['<', '<!--', '<![CDATA[', '<a "', '<a ', '</a', '&#', '<item>', '<!DOCTYPE ['])(
    'a megabyte of %j is read in no time',
    inNoTime
  )
  test('a megabyte of long names of attributes without values is read in no time', () => inNoTime(`<a ${'x'.repeat(19_000)}>`))
})

describe('manners', () => {
  const body = (channel: string) => `<rss><channel>${channel}<item><title>T</title></item></channel></rss>`
  const replies = (meanings: ReturnType<typeof read>) => only('reply', meanings).map(({ frame }) => frame)
  test('a feed that says how long it keeps is asked no sooner, and is told so once', () => {
    const session = rss.open({})
    const first = replies(read(body('<ttl>30</ttl>'), undefined, session))
    expect(first).toMatchObject([{ poll: FEED, every: 1_800_000, later: true, need: { path: FEED } }])
    expect(replies(read(body('<ttl>30</ttl>'), undefined, session))).toEqual([])
    expect(replies(read(body(''), undefined, session))).toMatchObject([{ every: 120_000 }])
  })
  test('max-age counts too, three hours at most', () => {
    const headers = { 'cache-control': 'public, max-age=600' }
    expect(replies(read(body(''), undefined, rss.open({}), FEED, { status: 200, headers }))).toMatchObject([{ every: 600_000 }])
    expect(replies(read(body('<ttl>100000</ttl>')))).toMatchObject([{ every: 10_800_000 }])
  })
  test('it is left alone in the hours and on the days that it names', () => {
    // It is midnight of a Monday.
    const hours = '<skipHours><hour>0</hour><hour>1</hour></skipHours>'
    expect(replies(read(body(hours)))).toMatchObject([{ every: 7_200_000 }])
    expect(replies(read(body('<skipDays><day>Monday</day></skipDays>')))).toMatchObject([{ every: 10_800_000 }])
    expect(replies(read(body('<skipDays><day>Tuesday</day></skipDays>')))).toEqual([])
  })
  test('what moved for good is asked there from then on', () => {
    const moved = 'https://new.example/feed'
    const answer = read(body(''), undefined, rss.open({}), FEED, { status: 200, headers: {}, moved })
    expect(replies(answer)).toMatchObject([{ poll: FEED, later: true, need: { path: moved, note: FEED } }])
  })
  test('what is gone is not asked again, and says so', () => {
    expect(read('', undefined, rss.open({}), FEED, { status: 410, headers: {} })).toEqual([
      { type: 'reject', reason: expect.stringContaining('410') as string },
      { type: 'reply', frame: { poll: FEED, every: Infinity } }
    ])
  })
  test('a feed that refuses is asked less and less often, and after as long as it says', () => {
    const session = rss.open({})
    const waits = Array.from({ length: 7 }, () => replies(read('x', undefined, session, FEED, { status: 403, headers: {} }))[0])
    expect(waits.map((one) => (one as { every: number }).every / 60_000)).toEqual([4, 8, 16, 32, 60, 60, 60])
    const told = read('x', undefined, rss.open({}), FEED, { status: 429, headers: { 'retry-after': '7200' } })
    expect(replies(told)).toMatchObject([{ every: 7_200_000 }])
    expect(replies(read(body(''), undefined, session))).toMatchObject([{ every: 120_000 }])
  })
})
