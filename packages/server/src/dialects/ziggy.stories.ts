/** Stories as the Ziggy endpoints send them, and which of them pass a filter. Pure. */
import { topicName, type News } from '@tickwire/protocol'
import type { Desk } from './dialect.ts'
import { iso } from './fiml.messages.ts'
import { storyOf } from './stories.ts'
import { seconds, type Filters } from './ziggy.messages.ts'

export const TOPIC = topicName('news', 'all')
const KEPT = 1_000
/** Closer to zero than this is neutral. */
const NEUTRAL = 0.05

export type Label = 'positive' | 'neutral' | 'negative'

/** A story that its source did not judge has no label. */
export const labelOf = (sentiment: number | undefined): Label | undefined => {
  if (sentiment === undefined) return undefined
  return sentiment >= NEUTRAL ? 'positive' : sentiment <= -NEUTRAL ? 'negative' : 'neutral'
}

export const story = (event: News) => ({
  ...storyOf(event),
  published: iso(event.time),
  tickers: event.instruments,
  sentiment_label: labelOf(event.sentiment) ?? null,
  timestamp: seconds(event.time)
})

const has = (list: readonly string[], text: string | undefined): boolean =>
  text !== undefined && list.some((each) => each.toLowerCase() === text.toLowerCase())

/** All filters must pass; within one, any of its values will do. `only`: the instruments that are wanted. */
export function matches(event: News, filters: Filters, only: ReadonlySet<string> | undefined): boolean {
  const { sentiment, sources, categories, keywords } = filters
  if (only && !event.instruments.some((instrument) => only.has(instrument))) return false
  const label = labelOf(event.sentiment)
  if (sentiment && !(label && [sentiment].flat().includes(label))) return false
  if (sources && sources.length > 0 && !has(sources, event.source) && !has(sources, event.provider)) return false
  if (categories && categories.length > 0 && !event.categories?.some((each) => has(categories, each))) return false
  const text = `${event.headline} ${event.summary ?? ''}`.toLowerCase()
  return !keywords || keywords.length === 0 || keywords.some((word) => text.includes(word.toLowerCase()))
}

/** The last stories, oldest first, each as it was last told. */
export function storiesOf(desk: Desk): News[] {
  const byId = new Map<string, News>()
  for (const event of desk.recent(TOPIC, KEPT)) if (event.type === 'news') byId.set(`${event.provider} ${event.id}`, event)
  return [...byId.values()].sort((a, b) => a.time - b.time)
}
