/** How often a feed is looked at: as seldom as it asks for, less and less often while it refuses, and not again once it is gone. */
import type { Document } from './rss.items.ts'

/** What was last agreed on with each feed: how often, where, and how often in a row it refused. */
export type Looks = Map<string, { every: number; path: string; refusals: number }>
type Session = { looks: Looks; every: number }
export type Look = { every?: number; path?: string; reason?: string }

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** What a feed may ask for, so that one slip of its maker does not silence it. */
const LONGEST = 3 * HOUR
const SLOWEST = HOUR
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** `Retry-After: 120`; as a date it is left to the usual pauses. */
const secondsOf = (text: string | undefined): number => Number(/^\s*(\d{1,7})\s*$/.exec(text ?? '')?.[1] ?? 0)

/** Nothing where the feed answered. */
export function refusedBy(
  feed: string,
  status: number,
  headers: Readonly<Record<string, string>>,
  { looks, every }: Session
): Look | undefined {
  if (status < 400) return undefined
  const before = looks.get(feed)
  const words = `${feed}: HTTP ${status}`
  if (status === 410) {
    looks.delete(feed)
    return { reason: `${words}: it is gone for good, and is not asked again` }
  }
  const refusals = (before?.refusals ?? 0) + 1
  const wait = Math.max(Math.min(every * 2 ** refusals, SLOWEST), Math.min(secondsOf(headers['retry-after']) * 1_000, 24 * HOUR))
  const path = before?.path ?? feed
  looks.set(feed, { every: wait, path, refusals })
  return { every: wait, path, reason: `${words}; asked again in ${Math.round(wait / MINUTE)} min` }
}

/** How long it wants to be left alone: its own `ttl`, the server's `max-age`, and the hours and days that it names. */
export function restOf(
  { ttl = 0, skipHours, skipDays }: Document,
  headers: Readonly<Record<string, string>>,
  now: number,
  every: number
): number {
  const fresh = Number(/(?:^|[\s,])max-age=(\d{1,8})/i.exec(headers['cache-control'] ?? '')?.[1] ?? 0) * 1_000
  const usual = Math.max(every, Math.min(Math.max(ttl * MINUTE, fresh), LONGEST))
  const hours = new Set(skipHours)
  const days = new Set(skipDays)
  const isOff = (at: number) => hours.has(new Date(at).getUTCHours()) || days.has(DAYS[new Date(at).getUTCDay()]!)
  let next = now + usual
  while (isOff(next) && next - now < LONGEST) next = (Math.floor(next / HOUR) + 1) * HOUR
  return Math.min(next - now, Math.max(LONGEST, usual))
}

/** Nothing where all stays as it is. */
export function laterOf(feed: string, path: string, every: number, { looks, every: usual }: Session): Look | undefined {
  const before = looks.get(feed) ?? { every: usual, path: feed, refusals: 0 }
  looks.set(feed, { every, path, refusals: 0 })
  return before.every === every && before.path === path ? undefined : { every, path }
}
