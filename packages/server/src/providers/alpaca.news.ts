/** Alpaca's news: Benzinga's stories, the same on the stream and from REST. */
import { convert } from 'html-to-text'
import type { Meaning, Need } from './adapter.ts'
import { timeOf } from './alpaca.codec.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>

/** A story younger than this at the first look was missed in a break, not there before. */
const RECENT = 600_000

/** The latest stories, once after the stream was joined. */
export const newsNeed: Need = {
  type: 'need',
  purpose: 'snapshot',
  path: '/v1beta1/news?limit=50&sort=desc',
  note: 'news',
  tolerate: true
}

/** Headlines come with entities, summaries with tags. */
const plain = (html: unknown): unknown =>
  typeof html === 'string' && /[<&]/.test(html)
    ? convert(html, {
        wordwrap: false,
        selectors: [
          { selector: 'img', format: 'skip' },
          { selector: 'a', options: { ignoreHref: true } }
        ]
      })
        .replaceAll(/\s+/g, ' ')
        .trim()
    : html

/** An update of a story comes under its id, with a later `updated_at`. */
export function story(m: Row, received: number): Meaning {
  const { id, headline, summary, author, created_at: created, updated_at: updated, url, symbols, source, images } = m
  const pictures = Array.isArray(images) ? images.filter(values.isRecord) : []
  const image = (pictures.find(({ size }) => size === 'large') ?? pictures[0])?.url
  return values.story({
    id,
    time: timeOf(created),
    received,
    updated: timeOf(updated),
    headline: plain(headline),
    summary: plain(summary),
    url,
    author,
    source,
    image,
    symbols: Array.isArray(symbols) ? (symbols as unknown[]) : []
  })
}

/** Oldest first, so that an update follows what it updates. */
export const backfill = (rows: readonly Row[], received: number): readonly Meaning[] =>
  rows
    .filter(values.isRecord)
    .map((row) => {
      const event = story(row, received)
      return event.type === 'news' && received - event.time > RECENT ? { ...event, backlog: true as const } : event
    })
    .reverse()
