/** One story of what several sources tell: the same id, the same address or the same headline within a day. */
import { topicName, type News } from '@tickwire/protocol'
import { service, type Output } from './service.ts'

/** What is remembered of a story: as it was last published. */
type Told = { news: News; at: number }
type State = {
  /** Every key that names a story → the story. */
  keys: Map<string, Told>
}

const DAY = 86_400_000
const KEPT_FOR = 7 * DAY
/** Names, of which a story has three: its id, its address, its headline. */
const KEPT = 15_000

/** Letters and digits alone: sources differ in quotes, dashes and capitals. */
const title = (headline: string): string =>
  headline
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
const TRACKING = /^(utm_\w+|guccounter|guce_\w+|\.tsrc|tsrc|fbclid|gclid)$/i
function address(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined
  const { host, pathname, searchParams } = new URL(url)
  const query = [...searchParams].filter(([key]) => !TRACKING.test(key)).map(([key, value]) => `${key}=${value}`)
  return `${host}${pathname.replace(/\/$/, '')}${query.length > 0 ? `?${query.join('&')}` : ''}`
}

const keysOf = ({ provider, id, url, headline }: News): { own: string; shared: string[]; heading: string } => ({
  own: `id ${provider} ${id}`,
  shared: [address(url)].flatMap((one) => (one === undefined ? [] : [`url ${one}`])),
  heading: `title ${title(headline)}`
})

export const news = service<State>({
  name: 'news',
  reads: ['news'],
  open: () => ({ keys: new Map() }),
  fold(state, event) {
    if (event.type !== 'news') return []
    const { own, shared, heading } = keysOf(event)
    const named = state.keys.get(own) ?? shared.map((key) => state.keys.get(key)).find((told) => told !== undefined)
    const alike = state.keys.get(heading)
    const known = named ?? (alike && Math.abs(alike.news.time - event.time) < DAY ? alike : undefined)
    const told = known ? merged(known.news, event) : event
    if (known && told === known.news) return remember(state, [own, ...shared, heading], known)
    const kept: Told = { news: told, at: event.received }
    remember(state, [own, ...shared, heading, ...(known ? Object.values(keysOf(known.news)).flat() : [])], kept)
    return published(told)
  }
})

/** The first teller's story under its id, with what a later one adds; the same object where nothing is new. */
function merged(first: News, next: News): News {
  const instruments = [...new Set([...first.instruments, ...next.instruments])]
  const same = first.provider === next.provider && first.id === next.id
  const edited = same && (first.headline !== next.headline || first.summary !== next.summary)
  if (!edited && instruments.length === first.instruments.length) return first
  const story = edited
    ? { ...first, headline: next.headline, ...(next.summary === undefined ? {} : { summary: next.summary }) }
    : first
  return { ...story, instruments, received: next.received, ...(edited ? { updated: next.updated ?? next.received } : {}) }
}

function remember({ keys }: State, names: readonly string[], told: Told): readonly Output[] {
  for (const name of names) {
    keys.delete(name)
    keys.set(name, told)
  }
  for (const [name, { at }] of keys) {
    if (keys.size <= KEPT && told.at - at < KEPT_FOR) break
    keys.delete(name)
  }
  return []
}

const published = (event: News): readonly Output[] => [
  { topic: topicName('news', 'all'), event },
  ...event.instruments.map((instrument) => ({ topic: topicName('news', instrument), event: { ...event, instrument } }))
]
