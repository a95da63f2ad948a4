/** What the REST of the seeds answers, as schemas for the OpenAPI document; a test asks them all and holds them to it. Pure. */
import { z } from 'zod'
import type { Answers } from './dialect.ts'

const text = z.string()
const number = z.number()
const figure = z.number().nullable().describe('null where nobody gave it')

const refusal = z.object({
  error: z.object({ code: text, message: text, retry: z.boolean(), service: text.optional(), nearest: z.array(text).optional() })
})
const sorry = { 400: refusal, 404: refusal, 503: refusal }

export const overviewAnswers: Answers = {
  200: z.object({
    asof: number.describe('epoch seconds'),
    since_open: z.boolean(),
    period_days: number,
    symbols: z
      .record(text, z.object({ last: figure, chg1d: figure, chg5d: figure, chg20d: figure, ref: figure, chg_ref: figure }))
      .describe('percent against the close so many days ago'),
    errors: z.record(text, text).describe('by symbol: why it is not among them')
  }),
  ...sorry
}

const headline = z.object({
  id: text,
  source: text,
  site: text.nullable(),
  title: text,
  url: text.nullable(),
  published: text,
  date: text.nullable(),
  summary: text.nullable(),
  tickers: z.array(text),
  symbols: z.array(text),
  favicon: z.null(),
  source_id: text,
  score: figure,
  label: z.enum(['positive', 'neutral', 'negative']).nullable()
})
export const headlineAnswers: Answers = {
  200: z.object({ asof: number, count: number, items: z.array(headline).describe('newest first') }),
  ...sorry
}

export const connectionAnswers: Answers = {
  200: z.object({ active_connections: number, total_subscriptions: number, subscribed_symbols: z.array(text) }),
  ...sorry
}

const wrong = z.object({ s: z.literal('error'), errmsg: text })
const charted = (success: Answers[number]): Answers => ({ 200: success, 400: wrong, 401: wrong, 404: wrong, 503: wrong })
const named = z.object({ value: text, name: text, desc: text.optional() })
const mark = { id: text, time: number.describe('epoch seconds'), color: text, label: text }
const column = z.array(number)
export const udfAnswers = {
  config: charted(
    z.object({
      supports_search: z.boolean(),
      supports_group_request: z.boolean(),
      supports_marks: z.boolean(),
      supports_timescale_marks: z.boolean(),
      supports_time: z.boolean(),
      exchanges: z.array(named),
      symbols_types: z.array(named),
      supported_resolutions: z.array(text)
    })
  ),
  symbols: charted(
    z.object({
      name: text,
      ticker: text,
      full_name: text,
      description: text,
      type: text,
      exchange: text,
      listed_exchange: text,
      session: text,
      timezone: text,
      session_holidays: text.optional(),
      corrections: text.optional(),
      format: text,
      minmov: number,
      pricescale: number,
      has_intraday: z.boolean(),
      intraday_multipliers: z.array(text),
      has_daily: z.boolean(),
      has_weekly_and_monthly: z.boolean(),
      supported_resolutions: z.array(text),
      volume_precision: number,
      currency_code: text.optional(),
      data_status: text
    })
  ),
  search: charted(
    z.array(z.object({ symbol: text, full_name: text, ticker: text, description: text, exchange: text, type: text }))
  ),
  history: charted(
    z.union([
      z.object({ s: z.literal('ok'), t: column, o: column, h: column, l: column, c: column, v: column }),
      z.object({ s: z.literal('no_data'), nextTime: number.optional() })
    ])
  ),
  marks: charted(
    z.object({
      id: z.array(text),
      time: column,
      color: z.array(text),
      text: z.array(text),
      label: z.array(text),
      labelFontColor: z.array(text),
      minSize: column
    })
  ),
  timescaleMarks: charted(z.array(z.object({ ...mark, tooltip: z.array(text) }))),
  time: charted({ description: 'Epoch seconds.', content: { 'text/plain': { schema: text.regex(/^\d+$/) } } }),
  quotes: charted(
    z.object({
      s: z.literal('ok'),
      d: z.array(
        z.object({
          s: z.enum(['ok', 'error']),
          n: text,
          v: z.record(text, z.union([text, number])).describe('lp, ask, bid, ch, chp, volume and so on: those that are known')
        })
      )
    })
  )
}

const denied = z.looseObject({ status: z.literal('error'), code: text, message: text })
const streamed = (fields: z.ZodRawShape): Answers => ({
  200: z.object({ status: z.literal('success'), ...fields }),
  400: denied,
  404: denied,
  503: denied
})
const pictures = z.looseObject({}).nullable()
const symbols = z.array(text)
export const datastreamAnswers = {
  changed: { ...streamed({}), 200: z.looseObject({ status: z.literal('success') }) },
  status: streamed({
    data: z.object({
      connected: z.boolean(),
      subscriptions: z.object({ SymbolUpdate: symbols, DepthUpdate: symbols, IndexUpdate: symbols }),
      data_cache: z.object({ SymbolUpdate: number, DepthUpdate: number, IndexUpdate: number })
    })
  }),
  data: streamed({ data_type: text, data: z.record(text, pictures) }),
  symbol: streamed({ symbol: text, data: pictures })
}
