/** `GET /news/headlines` of the Ziggy endpoints. Pure. */
import type { News } from '@tickwire/protocol'
import { headlineAnswers } from './answers.ts'
import { headlineAsks } from './asks.ts'
import type { Desk, HttpAnswer, HttpRequest } from './dialect.ts'
import { first, wholeOf } from './past.ts'
import { seconds } from './ziggy.messages.ts'
import { find } from './ziggy.naming.ts'
import { labelOf, matches, storiesOf, story } from './ziggy.stories.ts'

const DAY = 86_400_000

const siteOf = (url: string | undefined): string | null => (url !== undefined && URL.canParse(url) ? new URL(url).hostname : null)
const split = (text: string): string[] => text.split(',').flatMap((part) => part.trim() || [])

function item(event: News) {
  const { id, source, title, url, published, summary, tickers, provider } = story(event)
  const [score, label] = [event.sentiment ?? null, labelOf(event.sentiment) ?? null]
  const about = { id, source, site: siteOf(event.url), title, url, published, date: published?.slice(0, 10) ?? null, summary }
  return { ...about, tickers, symbols: tickers, favicon: null, source_id: provider, score, label }
}

const wrong = (message: string): HttpAnswer => ({
  status: 400,
  body: { error: { code: 'INVALID_MESSAGE', message, retry: false } }
})

/** Newest first. `symbols`, `q`, `sources`, `lookback_days` and `limit` narrow it down. */
export function headlines({ query }: HttpRequest, desk: Desk, now: number): HttpAnswer {
  if (!desk.carries({ kind: 'news', instrument: 'all' })) {
    const error = { code: 'SERVICE_NOT_AVAILABLE', message: 'no provider of news is configured', retry: false, service: 'news' }
    return { status: 503, body: { error } }
  }
  const days = wholeOf(query.lookback_days, 7, { least: 1, most: 30 })
  if (days === undefined) return wrong('lookback_days: a whole number from 1 to 30')
  const limit = wholeOf(query.limit, 50, { least: 1, most: 200 })
  if (limit === undefined) return wrong('limit: a whole number from 1 to 200')
  const asked = split(`${first(query.symbol)},${first(query.symbols)}`).map((symbol) => symbol.toUpperCase())
  const { known, refused } = find(desk, [...new Set(asked)].slice(0, 100))
  if (asked.length > 0 && known.length === 0) {
    const message = refused.map(({ symbol, message: why }) => `${symbol}: ${why}`).join('; ')
    return { status: 404, body: { error: { code: 'UNKNOWN_SYMBOL', message, retry: false } } }
  }
  const only = asked.length === 0 ? undefined : new Set(known.map(({ instrument }) => instrument))
  const filters = { keywords: split(first(query.q)), sources: split(first(query.sources)) }
  const since = now - days * DAY
  const items = storiesOf(desk)
    .filter((event) => event.time >= since && matches(event, filters, only))
    .slice(-limit)
    .reverse()
    .map(item)
  return { status: 200, body: { asof: seconds(now), count: items.length, items } }
}

export const headlineRoutes = ['/news/headlines', '/api/news/headlines'].map((path) => ({
  route: `GET ${path}`,
  answer: headlines,
  answers: headlineAnswers,
  asks: headlineAsks
}))
