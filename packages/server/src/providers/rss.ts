/** News feeds by their addresses: RSS, RDF, Atom and JSON Feed, polled politely. What they send is not to be trusted. */
import { adapter, type Meaning, type Need, type Poll } from './adapter.ts'
import { textOf } from './rss.charset.ts'
import { documentOf, isAddress, type Item } from './rss.items.ts'
import { laterOf, refusedBy, restOf, type Looks } from './rss.manners.ts'
import { canonical, hash, plain, symbolsIn } from './rss.words.ts'
import * as values from './values.ts'

type Session = {
  feeds: readonly string[]
  every: number
  /** Feeds that were read before: what was there at the first look is old. */
  read: Set<string>
  looks: Looks
}

const USUALLY = 120_000
/** No feed is asked more often. */
const LEAST = 60_000
const LARGEST = 5 * 1024 * 1024

const needOf = (path: string, feed: string): Need => ({
  type: 'need',
  purpose: 'snapshot',
  path,
  bytes: true,
  tolerate: true,
  roams: true,
  note: feed
})
const poll = (url: string, every: number, wanted = true): Poll => ({
  poll: url,
  every,
  ...(wanted && { need: needOf(url, url) })
})

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
    read: new Set(),
    looks: new Map()
  }),
  subscribe: (_wanted, { feeds, every }) => feeds.map((url) => poll(url, every)),
  unsubscribe: (_unwanted, { feeds, every }) => feeds.map((url) => poll(url, every, false)),
  headers: () => ({ 'user-agent': 'tickwire (news reader)', accept: ACCEPTED }),
  decode(frame, received, session, need) {
    if (!need) return [values.refused('there is no socket')]
    const feed = typeof need.note === 'string' ? need.note : need.path
    const { status = 200, headers = {}, moved } = need.answered ?? {}
    const refusal = refusedBy(feed, status, headers, session)
    if (refusal) return again(refusal, feed, need.path)
    const bytes = typeof frame === 'string' ? new TextEncoder().encode(frame) : frame
    if (bytes.byteLength > LARGEST) return [values.refused('a feed of more than 5 MB')]
    try {
      const document = documentOf(textOf(bytes, headers['content-type']), moved ?? need.path)
      const backlog = !session.read.has(feed)
      session.read.add(feed)
      const look = laterOf(feed, moved ?? need.path, restOf(document, headers, received, session.every), session)
      return [...storiesOf(document, received, feed, backlog), ...(look ? again(look, feed, need.path) : [])]
    } catch (error) {
      // A consent page, an error page, a broken document.
      return [values.refused(`not a feed: ${(error as Error).message}`.slice(0, 200))]
    }
  }
})
const ACCEPTED =
  'application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.5'

/** When and where a feed is looked at the next time; never, where no time is named. */
function again(
  { every, path, reason }: { every?: number; path?: string; reason?: string },
  feed: string,
  before: string
): Meaning[] {
  const next: Poll =
    every === undefined ? { poll: feed, every: Infinity } : { poll: feed, every, later: true, need: needOf(path ?? before, feed) }
  return [...(reason === undefined ? [] : [{ type: 'reject', reason } as const]), { type: 'reply', frame: next }]
}

function storiesOf({ title, items }: ReturnType<typeof documentOf>, received: number, feed: string, backlog: boolean): Meaning[] {
  const seen = new Set<string>()
  return items.flatMap((item): Meaning[] => {
    const one = story(item, received, feed, title, seen)
    if (one === undefined) return []
    if (one.type !== 'news') return [one]
    return backlog ? [{ ...one, backlog: true as const }] : [one]
  })
}

/** Nothing for a story that stands in the document already. */
function story(item: Item, received: number, feed: string, title: string | undefined, seen: Set<string>): Meaning | undefined {
  const { guid, link, time } = item
  const summary = plain(item.body)
  // One without words goes by its address.
  const headline = plain(item.title) || summary?.slice(0, 120) || link || guid
  const fallback = link === undefined ? hash(`${headline ?? ''} ${Math.floor(time / 60_000)}`) : canonical(link)
  const own = guid === undefined ? fallback : `${new URL(feed).host} ${guid}`
  // Where several stories have one guid it names none of them.
  const id = seen.has(own) ? fallback : own
  if (seen.has(id) || (id === fallback && seen.has(`of ${fallback}`))) return undefined
  seen.add(id).add(`of ${fallback}`)
  const text = `${headline ?? ''} ${summary ?? ''}`
  return values.story({
    id,
    time,
    received,
    headline,
    source: plain(item.source) || plain(title),
    symbols: [...new Set([...item.symbols, ...symbolsIn(text, feed)])],
    summary,
    author: plain(item.author),
    categories: item.categories.map((one) => plain(one)),
    updated: item.updated,
    image: item.image,
    ...(link === undefined ? {} : { url: link })
  })
}
