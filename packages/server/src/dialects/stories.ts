/** A story as the seeds' protocols tell it: what they have in common. Pure. */
import type { News } from '@tickwire/protocol'
import { iso } from './fiml.messages.ts'

export const storyOf = (news: News) => ({
  id: news.id,
  title: news.headline,
  summary: news.summary ?? null,
  url: news.url ?? null,
  source: news.source ?? news.provider,
  author: news.author ?? null,
  image: news.image ?? null,
  categories: news.categories ?? [],
  sentiment: news.sentiment ?? null,
  updated: news.updated === undefined ? null : iso(news.updated),
  provider: news.provider
})
