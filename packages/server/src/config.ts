/** Every option there is, in one schema: its default, its meaning, and where it may come from. docs/configuration.md is made from it. */
import { z } from 'zod'
import { allowance, auth, redistribution } from './config.access.ts'
import { budget, duration, isAddress, list, network, origin, target, timeOfDay, url, weight } from './config.fields.ts'
import { journal } from './config.journal.ts'
import { CALENDAR_IDS } from './providers/adapter.ts'
import { providers as adapters } from './providers/index.ts'

const needed = (title: string, needs: readonly string[], off: boolean): string =>
  `Whether ${title} is used${needs.length > 0 ? ` (needs ${needs.join(' and ')})` : off ? ' (off unless you say so: read its terms)' : ''}.`

const providerSchema = (name: string) => {
  const { wsUrl, restUrl, needs, title, takes = {}, kinds, offByDefault = false } = adapters[name]!
  const options = Object.entries(takes).map(([option, meaning]) => [option, z.string().optional().describe(meaning)])
  return z
    .strictObject({
      enabled: z
        .boolean()
        .default(needs.length === 0 && !offByDefault)
        .describe(needed(title, needs, offByDefault)),
      wsUrl: z
        .string()
        .refine(
          isAddress(['ws:', 'wss:', ...(wsUrl === undefined ? [] : [new URL(wsUrl).protocol])]),
          'an address starting with ws:// or wss://'
        )
        .default(wsUrl ?? '')
        .describe(wsUrl === undefined ? `${title} has no socket: no effect.` : `Address of ${title}'s stream.`),
      restUrl: url(['http:', 'https:']).default(restUrl).describe(`REST address of ${title}.`),
      key: z.string().optional().meta({ secret: true }).describe(`API key for ${title}.`),
      keyFile: z.string().optional().describe(`File that holds the API key for ${title}; read again before each connection.`),
      secret: z.string().optional().meta({ secret: true }).describe(`API secret for ${title}.`),
      secretFile: z
        .string()
        .optional()
        .describe(`File that holds the API secret for ${title}; read again before each connection.`),
      feed: z.string().optional().describe(`Which of ${title}'s feeds, where it has several.`),
      requests: list([], `REST budget in place of the usual one, as in "25/1d", "5/1m".`, budget),
      ...(kinds.includes('position') || kinds.includes('order')
        ? { account: z.boolean().default(false).describe('Also your own account: whoever may connect here can read it.') }
        : {}),
      ...(options.length > 0
        ? { options: z.strictObject(Object.fromEntries(options)).prefault({}).describe('Further choices.') }
        : {})
    })
    .prefault({})
    .describe(`${title}.`)
}

export const configSchema = z.strictObject({
  mode: z
    .enum(['live', 'demo'])
    .optional()
    .describe(
      'Real providers or the simulated street; absent: live where there is a configuration file. `--live` and `--demo` win.'
    ),
  host: z.string().default('127.0.0.1').describe('Address to listen on. Any other than loopback is reachable from outside.'),
  port: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8000)
    .describe('The one port for page, REST, WebSocket and SSE; 0 takes a free one.'),
  watch: list(
    ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'XRP-USDT', 'BTC-USD', 'ETH-USD', 'SOL-USD', 'XRP-USD'],
    'Instruments collected whether or not a client is connected. Live mode; the demo watches its whole street.'
  ),
  sectors: z
    .record(
      z.string().regex(/^(?!all$)[a-z][a-z0-9-]*$/, 'a sector is named in small letters, and not "all"'),
      z.array(z.string())
    )
    .default({})
    .describe(
      'Which instruments make a sector of `breadth:<sector>`, as in {"chips": ["NVDA", "AMD"]}; empty: ours. In the file only.'
    ),
  providers: z
    .strictObject(Object.fromEntries(Object.keys(adapters).map((name) => [name, providerSchema(name)])))
    .prefault({})
    .describe('One section per provider.'),
  feed: z
    .strictObject({
      grace: duration('30s', 'How long an upstream subscription outlives its last client.'),
      holdDown: duration('30s', 'How long a provider must be well before it may lead again.'),
      weights: z
        .strictObject({
          freshness: weight(0.3, 'how young its last word is'),
          latency: weight(0.25, 'how fast its events come'),
          uptime: weight(0.2, 'the share of time in which it spoke'),
          completeness: weight(0.15, 'what it did not lose'),
          reliability: weight(0.1, 'how often its prices held')
        })
        .prefault({})
        .refine((all) => Object.values(all).some((value) => value > 0), 'at least one weight must be above 0')
        .describe('What each measurement is worth in the score by which a provider leads; only their proportions count.'),
      reconnectAttempts: z.coerce
        .number()
        .int()
        .min(0)
        .default(0)
        .describe('Failed attempts in a row after which a provider is given up; 0 is without end.'),
      breakAfter: z.coerce
        .number()
        .int()
        .min(1)
        .default(5)
        .describe('Failures in a row after which a provider is left alone for a while.'),
      breakFor: duration('30s', 'How long it is left alone then.'),
      rotateAt: list([], 'Times of day (UTC) at which connections are renewed, as in "05:00".', timeOfDay),
      calendars: z
        .string()
        .optional()
        .describe('JSON file with holidays and early closes that replace ours, as docs/operations.md shows.'),
      auditEvery: duration('60s', 'How often one book of each connection is compared with a snapshot by REST; 0s is never.'),
      confidence: z
        .strictObject({
          trade: target('trade', 10, '2s'),
          quote: target('quote', 5, '1s'),
          ticker: target('ticker', 20, '5s')
        })
        .prefault({})
        .describe('What confidence is held to.'),
      bookLevels: z.coerce.number().int().min(1).max(1000).default(50).describe('Levels a side that a published book holds.')
    })
    .prefault({})
    .describe('Connections to providers and the choice between them.'),
  plant: z
    .strictObject({
      keep: z.coerce
        .number()
        .int()
        .min(1)
        .max(1_000_000)
        .default(1000)
        .describe('Events each topic remembers for clients that come back.')
    })
    .prefault({})
    .describe('The ticker plant.'),
  gateway: z
    .strictObject({
      flushEvery: duration(
        '16ms',
        'How often what is due to a client leaves in one write; 0ms flushes once per event-loop turn.'
      ),
      topicsPerClient: z.coerce
        .number()
        .int()
        .min(0)
        .default(1000)
        .describe('Most topics one client may hold; 0 is without limit.'),
      slowAfter: duration('5s', 'A client that does not read for this long is closed with 4001.'),
      compression: z
        .boolean()
        .default(true)
        .describe('Whether frames are compressed for the clients that ask for it (permessage-deflate).'),
      origins: list([], 'Web origins allowed besides the own one and loopback, as in "https://desk.example".', origin),
      proxies: list(
        [],
        'Addresses and networks of your proxies, as in "10.0.0.0/8": the X-Forwarded-For of others counts for nothing.',
        network
      ),
      perAddress: allowance('address', 10_000, 500_000, 120_000, 12_000),
      perUser: allowance('user', 1_000, 100_000, 60_000, 6_000)
    })
    .prefault({})
    .describe('Delivery to clients.'),
  auth,
  redistribution,
  journal,
  street: z
    .strictObject({
      seed: z.coerce.number().int().default(1).describe('Seed of the simulated market; the same seed gives the same prices.'),
      control: z.coerce
        .number()
        .int()
        .min(0)
        .max(65_535)
        .default(8100)
        .describe('Port on which faults are commanded; 0 takes a free one.')
    })
    .prefault({})
    .describe('The simulated providers of the demo.'),
  news: z
    .strictObject({
      interval: duration(
        '30s',
        'How often news that is polled is asked for, where the provider has no interval of its own; feeds are asked once a minute at most.'
      )
    })
    .prefault({})
    .describe('News.'),
  portfolio: z
    .strictObject({ interval: duration('5s', 'How often a portfolio is sent. No effect yet: there is no portfolio service.') })
    .prefault({})
    .describe('Portfolio.'),
  chat: z
    .strictObject({
      openai: z
        .boolean()
        .default(false)
        .describe('Use OpenAI instead of a local model. No effect yet: there is no chat service.'),
      baseUrl: url(['http:', 'https:'])
        .default('http://localhost:11434/v1')
        .describe('Address of the local model. No effect yet.'),
      model: z.string().default('llama3.2:3b').describe('Name of the local model. No effect yet.'),
      timeout: duration('90s', 'Longest wait for an answer. No effect yet.')
    })
    .prefault({})
    .describe('Chat.'),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('Least severe line that is written.')
    })
    .prefault({})
    .describe('Logs: one JSON object per line on standard output.')
})

const day = z.iso.date('a day is written 2026-12-25')
/** The file of `feed.calendars`. */
export const calendarsSchema = z.partialRecord(
  z.enum(CALENDAR_IDS),
  z.strictObject({
    holidays: z.array(day).exactOptional(),
    early: z.record(day, z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is written 13:00')).exactOptional()
  }),
  {
    error: ({ keys }) =>
      Array.isArray(keys) ? `there is no calendar ${keys.join(', ')}: there are ${CALENDAR_IDS.join(', ')}` : undefined
  }
)

export type Config = z.output<typeof configSchema>
export type ConfigInput = z.input<typeof configSchema>
export type ProviderConfig = Config['providers'][string]

/**
 * The variable names of the systems that Tickwire replaces (requirement S1-46, S1-47). `path` is the option that the value
 * goes to; without one the name is understood and has no effect, for the reason given.
 */
export const ALIASES: Record<string, { path: string; convert: (value: string) => string } | { path?: never; why: string }> = {
  PORT: { path: 'port', convert: (value) => value },
  WS_MAX_RECONNECT_ATTEMPTS: { path: 'feed.reconnectAttempts', convert: (value) => value },
  WS_ENQUEUE_TIMEOUT_MS: { why: 'no event ever waits for a client: each has an outbox of its own' },
  NEWS_UPDATE_INTERVAL: { path: 'news.interval', convert: (value) => `${value}s` },
  PORTFOLIO_UPDATE_INTERVAL: { path: 'portfolio.interval', convert: (value) => `${value}s` },
  USE_OPENAI: { path: 'chat.openai', convert: (value) => value },
  LOCAL_LLM_BASE_URL: { path: 'chat.baseUrl', convert: (value) => value },
  LOCAL_LLM_MODEL: { path: 'chat.model', convert: (value) => value },
  CHAT_REQUEST_TIMEOUT_SEC: { path: 'chat.timeout', convert: (value) => `${value}s` },
  NEXT_PUBLIC_API_URL: { why: 'the page is served by the port that it talks to' },
  NEXT_PUBLIC_WS_URL: { why: 'the page is served by the port that it talks to' },
  NEXT_PUBLIC_WS_MAX_RECONNECT_ATTEMPTS: { why: 'the page reconnects without end' }
}
