/** News feeds by their addresses: RSS, RDF, Atom and JSON Feed, polled politely. What they send is not to be trusted. */
import { convert } from 'html-to-text'
import { parseFeed } from 'feedsmith'
import { adapter, type Meaning, type Need, type Poll } from './adapter.ts'
import { textOf } from './rss.charset.ts'
import { dateOf } from './rss.dates.ts'
import * as values from './values.ts'

type Session = {
  feeds: readonly string[]
  every: number
  /** Feeds that were read before: what was there at the first look is old. */ read: Set<string>
}
type Row = Record<string, unknown>

const USUALLY = 120_000
/** No feed is asked more often. */
const LEAST = 60_000
const LARGEST = 5 * 1024 * 1024
const ITEMS = 500

const poll = (url: string, every: number, wanted = true): Poll => ({
  poll: url,
  every,
  ...(wanted && { need: { type: 'need', purpose: 'snapshot', path: url, bytes: true, note: url } satisfies Need })
})
const isAddress = (text: string): boolean => URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)

export const rss = adapter<Session>({
  provider: 'rss',
  title: 'RSS and Atom feeds',
  restUrl: 'https://localhost',
  kinds: ['news'],
  whole: ['news'],
  intervals: [],
  needs: ['feed'],
  takes: { interval: 'Seconds between two looks at a feed; at least 60, usually 120' },
  about: {
    docs: 'https://www.rssboard.org/rss-specification',
    coverage: 'Headlines and summaries of the feeds that you name',
    redistribution: 'restricted',
    cost: 'free; each feed has its own terms'
  },
  limits: {
    subscriptionsPerConnection: 1_000,
    framesPerSecond: 1_000,
    attempts: { count: 10, per: 60_000 },
    requestsPerSecond: 2
  },
  staleAfter: 4 * 3_600_000,
  open: ({ feed = '', options }) => ({
    feeds: feed.split(/[\s,]+/).filter(isAddress),
    every: Math.max(LEAST, Number(options?.interval ?? NaN) * 1_000 || USUALLY),
    read: new Set()
  }),
  subscribe: (_wanted, { feeds, every }) => feeds.map((url) => poll(url, every)),
  unsubscribe: (_unwanted, { feeds, every }) => feeds.map((url) => poll(url, every, false)),
  decode(frame, received, session, need) {
    const bytes = typeof frame === 'string' ? new TextEncoder().encode(frame) : frame
    if (!need) return [values.refused('there is no socket')]
    if (bytes.byteLength > LARGEST) return [values.refused('a feed of more than 5 MB')]
    try {
      return stories(
        textOf(bytes, need.answered?.headers['content-type']),
        received,
        session,
        typeof need.note === 'string' ? need.note : need.path
      )
    } catch (error) {
      // A consent page, an error page, a broken document.
      return [values.refused(`not a feed: ${(error as Error).message}`.slice(0, 200))]
    }
  }
})

function stories(text: string, received: number, session: Session, feed: string): readonly Meaning[] {
  // Entities of its own are how a small document becomes a large one, and how it reads our files.
  if (/<!ENTITY/i.test(text)) return [values.refused('a feed that declares entities')]
  const document = parseFeed(repaired(text)) as { format: string; feed: Row }
  const rows = (document.feed.items ?? document.feed.entries ?? []) as Row[]
  const backlog = !session.read.has(feed)
  session.read.add(feed)
  return rows.slice(0, ITEMS).flatMap((row) => {
    const one = story(row, received, feed, named(document.feed.title))
    return one.type === 'news' && backlog ? [{ ...one, backlog: true as const }] : [one]
  })
}

/** Bare ampersands, and HTML's entities in XML, which knows five. */
const repaired = (text: string): string =>
  text.trimStart().startsWith('{')
    ? text
    : text.replaceAll(/&(?!#\d+;|#x[\da-f]+;|\w{2,10};)/gi, '&amp;').replaceAll('&nbsp;', '&#160;')

const named = (value: unknown): unknown => (values.isRecord(value) ? (value.value ?? value.name) : value)
const first = (list: unknown): unknown => (Array.isArray(list) ? list[0] : list)
const part = (row: Row, key: string): Row => (values.isRecord(row[key]) ? row[key] : {})

/** HTML as its text, without pictures and addresses. */
function plain(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const html = value.slice(0, 50_000)
  if (!/[<&]/.test(html)) return html.trim()
  return convert(html, {
    wordwrap: false,
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'script', format: 'skip' },
      { selector: 'style', format: 'skip' }
    ]
  })
    .replaceAll(/\s+/g, ' ')
    .trim()
}

/** Atom says which link is the story; only addresses of the web are kept. */
function linkOf(row: Row): string | undefined {
  const links = (Array.isArray(row.links) ? row.links : []) as Row[]
  const chosen =
    links.find(({ rel }) => rel === 'alternate' || rel === undefined) ??
    links.find(({ rel }) => rel !== 'self' && rel !== 'enclosure')
  const guid = part(row, 'guid')
  const permanent = guid.isPermaLink === false ? undefined : guid.value
  return [row.url, row.link, chosen?.href, permanent]
    .find((one): one is string => typeof one === 'string' && isAddress(one.trim()))
    ?.trim()
}

const TRACKING = /^(utm_\w+|guccounter|guce_referrer\w*|\.tsrc|tsrc|fbclid|gclid|cmpid|rss)$/i
/** One story has many addresses: host in lower case, without fragment, tracking and a slash at the end. */
export function canonical(link: string): string {
  const url = new URL(link)
  url.hash = ''
  for (const key of Array.from(url.searchParams.keys())) if (TRACKING.test(key)) url.searchParams.delete(key)
  return `${url.origin}${url.pathname.replace(/\/$/, '')}${url.search}`
}

/** FNV-1a, for stories that have neither an id nor a link. */
function hash(text: string): string {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0
  return h.toString(16).padStart(8, '0')
}

function story(row: Row, received: number, feed: string, title: unknown): Meaning {
  const dc = part(row, 'dc')
  const link = linkOf(row)
  const said = row.pubDate ?? row.published ?? row.date_published ?? first(dc.dates) ?? dc.date ?? row.updated
  const time = dateOf(said)
  const body =
    named(row.description) ??
    named(row.summary) ??
    part(row, 'content').encoded ??
    named(row.content) ??
    row.content_text ??
    row.content_html
  const headline = plain(named(row.title)) || plain(body)?.slice(0, 120)
  const own = part(row, 'guid').value ?? (typeof row.guid === 'string' ? row.guid : row.id) ?? part(row, 'rdf').about
  const id =
    typeof own === 'string' && own !== ''
      ? `${new URL(feed).host} ${own}`
      : link !== undefined
        ? canonical(link)
        : hash(`${headline ?? ''} ${Math.floor(time / 60_000)}`)
  const tags = ((row.categories ?? row.tags ?? []) as unknown[]).map((tag) =>
    values.isRecord(tag) ? (tag.name ?? tag.term ?? tag.value) : tag
  )
  const updated = dateOf(row.updated ?? row.date_modified)
  return values.story({
    id,
    time,
    received,
    headline,
    source: title,
    symbols: symbolsOf(row, feed, `${headline ?? ''} ${plain(body) ?? ''}`),
    summary: plain(body),
    author: authorOf(row, dc),
    categories: tags,
    updated,
    ...(link === undefined ? {} : { url: link })
  })
}

function authorOf(row: Row, dc: Row): unknown {
  const author = first(row.authors) ?? row.author ?? first(dc.creators) ?? dc.creator
  return named(author)
}

const EXCHANGE_TAG = /\((?:NASDAQ|NYSE|NYSEARCA|AMEX)\s*:\s*([A-Z][A-Z.]{0,5})\)/g
const CASH_TAG = /(?<![\w$])\$([A-Z]{1,5}(?:\.[A-Z])?)\b/g
/** Named outright: the feed's own ticker, `$AAPL`, `(NASDAQ: AAPL)`, a category of type symbol. Bare words are never symbols. */
function symbolsOf(row: Row, feed: string, text: string): string[] {
  const asked = URL.canParse(feed) ? (new URL(feed).searchParams.get('s') ?? new URL(feed).searchParams.get('symbol')) : undefined
  const own = asked && !asked.includes(',') ? [asked] : []
  const typed = ((row.categories ?? []) as unknown[]).flatMap((tag) =>
    values.isRecord(tag) && (tag.domain === 'symbol' || tag.scheme === 'symbol' || tag.type === 'symbol')
      ? [String(tag.name ?? tag.term)]
      : []
  )
  const tagged = [...text.matchAll(CASH_TAG), ...text.matchAll(EXCHANGE_TAG)].map(([, symbol]) => symbol!)
  return [...new Set([...own, ...typed, ...tagged])]
}
