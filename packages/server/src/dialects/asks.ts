/** What the REST of the seeds takes, as schemas for the OpenAPI document alone: each route says in its own words what is wrong. Pure. */
import { RESOLUTIONS } from '@tickwire/protocol'
import { z } from 'zod'
import { DATA_TYPES } from './datastream.updates.ts'
import type { Asks } from './dialect.ts'

const given = (what: string, example: string) =>
  z
    .string()
    .describe(what)
    .meta({ examples: [example] })
const perhaps = (what: string, example: string) => given(what, example).optional()
const count = (what: string, most: number, example: number) =>
  z
    .int()
    .min(1)
    .max(most)
    .optional()
    .describe(what)
    .meta({ examples: [example] })
const flag = z.boolean().optional()

const symbol = given('an instrument, in any spelling', 'BTC-USDT')
const resolution = z
  .enum(Object.keys(RESOLUTIONS) as [string, ...string[]])
  .describe('length of a bar: minutes, or 1D')
  .meta({ examples: ['1'] })
const unix = (what: string, example: number) =>
  z
    .number()
    .describe(`${what}, Unix time in seconds`)
    .meta({ examples: [example] })

const marked = z.object({ symbol, from: unix('inclusive', 0), to: unix('inclusive', 9_999_999_999), resolution })
export const udfAsks = {
  symbols: { query: z.object({ symbol }) },
  search: {
    query: z.object({
      query: perhaps('a part of a name; absent: all', 'btc'),
      type: z.string().optional().describe('a value of symbols_types in /udf/config'),
      exchange: z.string().optional().describe('a value of exchanges in /udf/config'),
      limit: count('most that are told; absent: 30', 100, 5)
    })
  },
  history: {
    query: z.object({
      symbol,
      from: unix('inclusive; needed where countback is absent', 0).optional(),
      to: unix('exclusive', 9_999_999_999),
      resolution,
      countback: count('so many bars before `to`, in the place of `from`', 999_999_999, 5)
    })
  },
  marks: { query: marked },
  quotes: { query: z.object({ symbols: given('up to 50, with commas between', 'AAPL,BTC-USDT') }) }
} satisfies Record<string, Asks>

const dataType = z.enum(DATA_TYPES).meta({ examples: ['SymbolUpdate'] })
const chosen = {
  symbols: given('up to 100, with commas between', 'AAPL,BTC-USDT'),
  data_type: dataType.optional().describe('absent: SymbolUpdate')
}
export const datastreamAsks = {
  subscribe: {
    query: z.object({ ...chosen, lite: flag.describe('without the fields that a price can do without; of SymbolUpdate') })
  },
  unsubscribe: { query: z.object(chosen) },
  data: { path: z.object({ data_type: dataType }) },
  symbol: {
    path: z.object({ symbol: given('one that is subscribed', 'AAPL') }),
    query: z.object({ data_type: chosen.data_type, lite: flag })
  }
} satisfies Record<string, Asks>

export const overviewAsks: Asks = {
  query: z.object({
    symbols: perhaps('up to 50, with commas between; absent: AAPL,MSFT', 'AAPL,BTC-USDT'),
    period_days: count('days back to the close of `ref`, 2 at least; absent: 30', 3_650, 5),
    since_open: flag.describe('`ref` is the open of the day')
  })
}
export const headlineAsks: Asks = {
  query: z.object({
    symbol: z.string().optional().describe('as `symbols`'),
    symbols: z.string().optional().describe('instruments, with commas between'),
    q: z.string().optional().describe('words, with commas between'),
    sources: z.string().optional().describe('with commas between'),
    lookback_days: count('days back; absent: 7', 30, 7),
    limit: count('most that are told; absent: 50', 200, 3)
  })
}

/** Of services that are not here yet: nothing of it is looked at. */
const anything = z.record(z.string(), z.unknown()).describe('As that service takes it: it is not here yet, and nothing is read.')
export const absentAsks = { path: z.object({ symbol }), body: anything.meta({ examples: [{}] }) } satisfies Asks
