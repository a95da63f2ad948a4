/** What Alpha Vantage answers: numbers as text under numbered names, and its refusals, which look like answers. */
import type { Interval } from '@tickwire/protocol'
import type { Meaning, Need } from './adapter.ts'
import { FIAT } from './grammar.ts'
import { isTime, zoned } from './time.ts'
import * as values from './values.ts'

/** The memory of one connection: its key, what the plan is entitled to, and the stocks whose quotes come in one call. */
export type Session = { delayed: boolean; key: string; entitlement?: string; bulk: Set<string> }
type Row = Record<string, unknown>

export const SERIES: Readonly<Partial<Record<Interval, string>>> = {
  '1m': '1min',
  '5m': '5min',
  '15m': '15min',
  '30m': '30min',
  '1h': '60min',
  '1d': 'daily'
}
export const NEWS = '/query?function=NEWS_SENTIMENT&sort=LATEST&limit=50'
const NEW_YORK = 'America/New_York'
const DELAY = 900_000

/** Without an entitlement the plan is free, and a full history of days is not: the latest hundred are. */
export function historyOf(symbol: string, interval: Interval, limit: number, entitlement?: string): string {
  const [from, to] = symbol.split('/')
  const daily = interval === '1d'
  const size = limit > 100 && (entitlement !== undefined || !daily) ? 'full' : 'compact'
  const parts: Record<string, string> =
    to === undefined
      ? { function: daily ? 'TIME_SERIES_DAILY' : 'TIME_SERIES_INTRADAY', symbol }
      : FIAT.has(from!) && FIAT.has(to)
        ? { function: daily ? 'FX_DAILY' : 'FX_INTRADAY', from_symbol: from!, to_symbol: to }
        : { function: daily ? 'DIGITAL_CURRENCY_DAILY' : 'CRYPTO_INTRADAY', symbol: from!, market: to }
  return `/query?${new URLSearchParams({ ...parts, ...(daily ? {} : { interval: SERIES[interval]! }), outputsize: size }).toString()}`
}

export function answer(text: string, received: number, session: Session, need: Need): readonly Meaning[] {
  if (!text.trimStart().startsWith('{')) return csv(text, received, need)
  const m = JSON.parse(text) as Row
  const said = m['Error Message'] ?? m.Information ?? m.Note
  if (typeof said === 'string') return [refusal(said, received, need)]
  if (need.purpose === 'history') return series(m, received, need)
  if (need.note === 'news') return values.each((m.feed ?? []) as Row[], (row) => [story(row, received)])
  if (Array.isArray(m.data)) return bulk(m, session)
  const [name, body] = Object.entries(m)[0] ?? []
  if (name?.startsWith('Global Quote') && values.isRecord(body)) return [quote(body, received, session, need, name)]
  if (name === 'Realtime Currency Exchange Rate' && values.isRecord(body)) return rate(body, received, need)
  return [values.refused('an answer of an unknown shape')]
}

/** When the day's budget is new: midnight in New York. */
function untilMidnight(now: number): number {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(NEW_YORK)
  return today.startOfDay().add({ days: 1 }).epochMilliseconds - now
}

/** They all come with HTTP 200 and are told apart by their words. */
function refusal(reason: string, now: number, { symbol }: Need): Meaning {
  const said = reason.replaceAll(/\b(API key as )\S+/gi, '$1…')
  // The notice of a burst names the day's limit too, as something that a plan would lift.
  if (/spreading out|sparingly|burst/i.test(said)) return { type: 'quiet', for: 1_500, reason: said }
  if (/call frequency|per minute/i.test(said)) return { type: 'quiet', for: 60_000, reason: said }
  if (/per day|daily/i.test(said) && /rate limit|requests/i.test(said))
    return { type: 'quiet', for: untilMidnight(now), reason: said }
  if (/api ?key is invalid|apikey.*(invalid|missing)|claim your free API key/i.test(said) && !/Invalid API call/.test(said))
    return { type: 'reject', reason: said, denied: true }
  return values.rejected(symbol, said)
}

/** `-0.6581%` → -0.6581 */
const percent = (value: unknown): number => values.number(typeof value === 'string' ? value.replace('%', '') : value)

/** {"Global Quote":{"01. symbol":"MSFT","02. open":"112.63",...,"07. latest trading day":"2018-10-05","10. change percent":"-0.5852%"}} */
function quote(m: Row, received: number, { delayed }: Session, { symbol }: Need, name: string): Meaning {
  if (Object.keys(m).length === 0) return values.rejected(symbol, 'unknown symbol: the quote is empty')
  // There is no time of day: the close of its day, or now.
  const day = m['07. latest trading day']
  const close = zoned(day, NEW_YORK) + 16 * 3_600_000
  const event = values.ticker(
    symbol ?? m['01. symbol'],
    day === undefined || day === null ? received : Math.min(close, received),
    values.number(m['05. price']),
    {
      open: m['02. open'],
      high: m['03. high'],
      low: m['04. low'],
      volume: m['06. volume'],
      prevClose: m['08. previous close'],
      change: m['09. change'],
      changePercent: percent(m['10. change percent'])
    }
  )
  return event.type === 'ticker' && (delayed || name.includes('DELAYED')) ? { ...event, delayed: DELAY } : event
}

/** {"data":[{"symbol":"MSFT","timestamp":"2025-12-05 15:59:59.123","open":"..","close":"112.13",..,"change_percent":"-0.58","extended_hours_quote":"112.2"}]}; "N/A" where it knows none */
function bulk({ data, message }: Row, { delayed }: Session): readonly Meaning[] {
  // To a free key it shows what the plan would give, with figures made up.
  if (typeof message === 'string' && /premium|sample/i.test(message)) return [values.rejected(undefined, message)]
  return values.each((data as unknown[]).filter(values.isRecord), (row) => {
    const { symbol, timestamp, open, high, low, close, volume, previous_close: prevClose, change, change_percent: part } = row
    if (typeof symbol !== 'string' || symbol === '') return [values.refused('a quote without a symbol')]
    const price = values.number(close)
    if (Number.isNaN(price)) return [values.rejected(symbol, 'unknown symbol: the quote is empty')]
    const [, whole, fraction = '0'] = typeof timestamp === 'string' ? (/^([^.]+)(?:\.(\d+))?$/.exec(timestamp) ?? []) : []
    const time = zoned(whole, NEW_YORK) + Number(`0.${fraction}`) * 1_000
    const day = { open, high, low, volume, prevClose, change, changePercent: percent(part) }
    const event = values.ticker(symbol, time, price, day)
    return [event.type === 'ticker' && delayed ? { ...event, delayed: DELAY } : event]
  })
}

/** {"Realtime Currency Exchange Rate":{"5. Exchange Rate":"..","6. Last Refreshed":"2025-12-05 10:20:01","7. Time Zone":"UTC","8. Bid Price":"-","9. Ask Price":".."}} */
function rate(m: Row, received: number, need: Need): readonly Meaning[] {
  const told = m['6. Last Refreshed']
  const time = told === undefined || told === null ? received : Math.min(zoned(told, zoneOf(m['7. Time Zone'])), received)
  const [bid, ask] = [values.number(m['8. Bid Price']), values.number(m['9. Ask Price'])]
  const last = values.ticker(need.symbol, time, values.number(m['5. Exchange Rate']), {})
  const both = bid > 0 && ask > 0 ? values.quote(need.symbol, time, bid, 0, ask, 0) : undefined
  return both ? [last, both] : [last]
}

const zoneOf = (zone: unknown): string =>
  zone === 'US/Eastern' ? NEW_YORK : typeof zone === 'string' && zone.startsWith('UTC') ? 'UTC' : NEW_YORK

/** A column by the end of its numbered name: "1. open", of old "1a. open (CNY)" and "1b. open (USD)", where the pair says which. */
function column(row: Row, name: string, quote: string): unknown {
  const keys = Object.keys(row).filter((key) => new RegExp(`^\\d+[ab]?\\. ${name}\\b`).test(key))
  return row[keys.find((key) => key.endsWith(`(${quote})`)) ?? keys[0] ?? '']
}

/** {"Meta Data":{"6. Time Zone":"US/Eastern"},"Time Series (5min)":{"2025-12-05 19:55:00":{"1. open":"..","5. volume":".."}}}, newest first, by start */
function series(m: Row, received: number, { symbol, interval }: Need): readonly Meaning[] {
  const meta = Object.entries(values.isRecord(m['Meta Data']) ? m['Meta Data'] : {})
  const zone = zoneOf(meta.find(([key]) => key.endsWith('Time Zone'))?.[1])
  const rows = Object.entries(m).find(([key]) => key.startsWith('Time Series'))?.[1]
  if (!values.isRecord(rows)) return [values.refused('an answer of an unknown shape')]
  const quote = symbol?.split('/')[1] ?? 'USD'
  const found = Object.entries(rows).flatMap(([at, row]) => {
    if (!values.isRecord(row)) return []
    const [open, high, low, close, volume] = ['open', 'high', 'low', 'close', 'volume'].map((name) => column(row, name, quote))
    const price = values.number(column(row, 'price', quote))
    const flat = Number.isNaN(price) ? { open, high, low, close } : { open: price, high: price, low: price, close: price }
    return [{ symbol, interval: interval!, start: zoned(at, zone), time: received, closed: false, ...flat, volume: volume ?? 0 }]
  })
  return values.pastCandles(found, received)
}

/** `time,open,high,low,close,volume`; a notice comes as rows of single letters, "I,n,f,o,r,m,a,t,i,o,n". */
function csv(text: string, received: number, { symbol, interval, purpose }: Need): readonly Meaning[] {
  const [head = '', ...lines] = text.trim().split(/\r?\n/)
  const names = head.split(',')
  if (purpose !== 'history' || !/^(time|timestamp),open,high,low,close,/.test(head) || !names.includes('volume'))
    return [values.rejected(symbol, `a notice in place of data: ${text.replaceAll(',', '').slice(0, 200)}`)]
  const rows = lines.flatMap((line) => {
    const [at, open, high, low, close, ...more] = line.split(',')
    const volume = more[names.indexOf('volume') - 5]
    return [
      { symbol, interval: interval!, start: zoned(at, NEW_YORK), time: received, closed: false, open, high, low, close, volume }
    ]
  })
  return values.pastCandles(rows, received)
}

/** {"title":"..","url":"..","time_published":"20251205T103000","summary":"..","source":"..","overall_sentiment_score":0.2,"ticker_sentiment":[{"ticker":"CRYPTO:BTC","ticker_sentiment_score":"0.1"}]} */
function story(m: Row, received: number): Meaning {
  const [, y, mo, d, h, mi, s = '00'] =
    typeof m.time_published === 'string' ? (/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?$/.exec(m.time_published) ?? []) : []
  const time = y === undefined ? NaN : Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`)
  const about = (Array.isArray(m.ticker_sentiment) ? (m.ticker_sentiment as unknown[]) : []).filter(values.isRecord)
  const scores = about.flatMap(({ ticker, ticker_sentiment_score: score }) => {
    const n = values.number(score)
    return typeof ticker === 'string' && Math.abs(n) <= 1 ? [[symbolOf(ticker), n] as const] : []
  })
  const overall = values.number(m.overall_sentiment_score)
  return values.story({
    id: m.url,
    time: isTime(time) ? time : NaN,
    received,
    headline: m.title,
    summary: m.summary,
    url: m.url,
    source: m.source,
    image: m.banner_image,
    author: Array.isArray(m.authors) ? (m.authors as unknown[]).join(', ') : undefined,
    symbols: about.map(({ ticker }) => symbolOf(String(ticker))),
    ...(Number.isNaN(overall) ? {} : { sentiment: overall }),
    sentiments: Object.fromEntries(scores)
  })
}

/** `CRYPTO:BTC` and `FOREX:EUR` are named against the dollar here. */
const symbolOf = (ticker: string): string => ticker.replace(/^(?:CRYPTO|FOREX):(\w+)$/, '$1/USD')
