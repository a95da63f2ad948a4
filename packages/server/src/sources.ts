/** From the configuration to what the feed is handed: adapters with their addresses, credentials and budgets. A part of main.ts. */
import { existsSync, readFileSync } from 'node:fs'
import { ZodError } from 'zod'
import { calendarsSchema, type Config } from './config.ts'
import { createCalendar, type Overrides } from './calendar/calendar.ts'
import type { FeedOptions, FeedSettings } from './feed/feed.ts'
import type { Access } from './providers/adapter.ts'
import { providers } from './providers/index.ts'
import { ConfigError } from './settings.ts'
import { shells } from './shells/index.ts'

export type Source = FeedOptions['providers'][number]

export const feedSettings = ({ feed: { confidence, ...feed } }: Config): Partial<FeedSettings> => ({
  ...feed,
  targets: confidence,
  rotateAt: feed.rotateAt.map(timeOfDay),
  market: createCalendar(calendarsFrom(feed.calendars))
})

/** `05:30` → milliseconds since midnight, UTC. */
function timeOfDay(text: string): number {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim()) ?? []
  if (minutes === undefined)
    throw new ConfigError(`feed.rotateAt holds ${JSON.stringify(text)}: it takes times of day, as in "05:30"`)
  return (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** What an operator knows better than our data. */
function calendarsFrom(file: string | undefined): Overrides {
  if (file === undefined) return {}
  try {
    return calendarsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const why =
      error instanceof ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : String(error)
    throw new ConfigError(`feed.calendars is ${JSON.stringify(file)}, which cannot be used: ${why}`)
  }
}

const WINDOWS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** `25/1d`: 25 calls in a day. */
function windowOf(text: string): { count: number; per: number } {
  const [, count, length, unit] = /^(\d+)\/(\d+)([smhd])$/.exec(text.trim()) ?? []
  if (unit === undefined)
    throw new ConfigError(`a REST budget is ${JSON.stringify(text)}: it takes calls per time, as in "25/1d"`)
  return { count: Number(count), per: Number(length) * WINDOWS[unit]! }
}

const read = (file: string | undefined, value: string | undefined) =>
  file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').trim() : value

/** A secret kept in a file is read again each time: tokens are renewed under a running server. */
function accessOf(config: Config, name: string): Access {
  const own = config.providers[name]!
  const { key, keyFile, secret, secretFile } = own
  const now = { key: read(keyFile, key), secret: read(secretFile, secret), feed: own.feed }
  const { takes, kinds } = providers[name]!
  const polled = takes?.interval !== undefined && kinds.includes('news')
  const usual: [string, string][] = polled ? [['interval', String(config.news.interval / 1_000)]] : []
  const options = Object.fromEntries(
    [...usual, ...Object.entries(own.options ?? {})].filter((entry): entry is [string, string] => entry[1] !== undefined)
  )
  return {
    ...(Object.fromEntries(Object.entries(now).filter(([, value]) => value !== undefined)) as Access),
    ...(own.account === true ? { account: true } : {}),
    ...(Object.keys(options).length > 0 ? { options } : {})
  }
}

/** The providers that are switched on, as the feed takes them. */
export const sourcesOf = (config: Config): Source[] =>
  Object.entries(config.providers)
    .filter(([, provider]) => provider.enabled)
    .map(([name, { wsUrl, restUrl, requests }]) => {
      const known = providers[name]!
      const budget = requests.length > 0 ? { limits: { ...known.limits, requests: requests.map(windowOf) } } : {}
      const readAccess = () => accessOf(config, name)
      const shell = shells[name]?.({ wsUrl, readAccess })
      return { adapter: { ...known, ...budget }, wsUrl, restUrl, readAccess, ...shell }
    })
