/** Yahoo's REST: charts need nothing, quotes a cookie and the crumb that goes with it. What is refused is never taken for data. */
import { INTERVAL_MS, type Interval } from '@tickwire/protocol'
import type { Meaning, Need, Poll } from './adapter.ts'
import * as values from './values.ts'

export type Session = {
  /** Any page of theirs that gives a cookie. */
  page: string
  symbols: Set<string>
  cookie?: string
  crumb?: string
  /** The crumb was refused once already. */
  retried: boolean
  /** Symbol → time and volume of its last message: it is no tape, and comes out of order. */
  seen: Map<string, { time: number; volume: number }>
}

type Row = Record<string, unknown>

export const CHART: Readonly<Partial<Record<Interval, string>>> = {
  '1m': '1m',
  '5m': '5m',
  '15m': '15m',
  '30m': '30m',
  '1h': '60m',
  '1d': '1d'
}
/** How far back Yahoo serves each interval, days. */
const REACH: Readonly<Record<string, number>> = { '1m': 7, '1h': 720, '1d': 20_000 }
const DAY = 86_400_000
const QUOTES_EVERY = 60_000
const NEWS_EVERY = 120_000
/** After a 429 it is left alone for minutes. */
const QUIET = 300_000
const BATCH = 50

export function chartOf(symbol: string, interval: Interval, limit: number, now: number): Need {
  const back = Math.min(limit * INTERVAL_MS[interval] * 6 + 4 * DAY, (REACH[interval] ?? 59) * DAY)
  const span = `period1=${Math.floor((now - back) / 1_000)}&period2=${Math.ceil(now / 1_000)}`
  const path = `/v8/finance/chart/${encodeURIComponent(symbol)}?interval=${CHART[interval]}&${span}&includePrePost=false`
  return { type: 'need', purpose: 'history', symbol, interval, path, tolerate: true }
}

/** Gives a cookie to whoever asks, with an error page. */
export const PAGE = 'https://fc.yahoo.com'

/** First the cookie of any page, then the crumb that belongs to it. */
export const login = ({ page, cookie }: Session): Poll => ({
  poll: 'login',
  every: Infinity,
  need:
    cookie === undefined
      ? { type: 'need', purpose: 'login', path: page, tolerate: true, note: 'cookie' }
      : { type: 'need', purpose: 'login', path: '/v1/test/getcrumb', headers: { cookie }, tolerate: true, note: 'crumb' }
})

export function tickersPoll({ symbols, cookie, crumb }: Session): Poll {
  if (symbols.size === 0 || crumb === undefined || cookie === undefined) return { poll: 'quotes', every: QUOTES_EVERY }
  const names = [...symbols].slice(0, BATCH).map(encodeURIComponent).join(',')
  const path = `/v7/finance/quote?symbols=${names}&crumb=${encodeURIComponent(crumb)}`
  return {
    poll: 'quotes',
    every: QUOTES_EVERY,
    need: { type: 'need', purpose: 'snapshot', path, headers: { cookie }, tolerate: true }
  }
}
export const newsPoll = (wanted: boolean): Poll => ({
  poll: 'news',
  every: NEWS_EVERY,
  ...(wanted && {
    need: {
      type: 'need',
      purpose: 'snapshot',
      path: '/v1/finance/search?q=market&newsCount=20&quotesCount=0',
      tolerate: true,
      note: 'news'
    }
  })
})

export function answer(text: string, received: number, session: Session, need: Need): readonly Meaning[] {
  const { status = 200, headers = {} } = need.answered ?? {}
  // The body of a 429 is "Too Many Requests", also where a crumb was asked for.
  if (status === 429 || /^(Edge: )?Too Many Requests/.test(text))
    return [{ type: 'quiet', for: QUIET, reason: 'too many requests (429)' }]
  if (need.note === 'cookie') return cookieOf(headers['set-cookie'], session)
  if (need.note === 'crumb') return crumbOf(text, status, session)
  // Behind a 5xx, and where a consent page stands in between, there is a page.
  if (!text.trimStart().startsWith('{')) return [values.rejected(need.symbol, `no data but a page (HTTP ${status})`)]
  const body = JSON.parse(text) as Row
  if (need.purpose === 'history') return chart(body, received, need)
  if (need.note === 'news') return refusalOf(body) ?? values.each((body.news ?? []) as Row[], (row) => [story(row, received)])
  return quotes(body, status, session)
}

function cookieOf(header: string | undefined, session: Session): readonly Meaning[] {
  const cookie = [...(header ?? '').matchAll(/\b(A1|A3|A1S)=[^;,]+/g)].map(([pair]) => pair).join('; ')
  if (cookie === '')
    return [
      {
        type: 'reject',
        reason: 'no cookie: its consent page stands in between, or it refuses this address; prices stream without quotes'
      }
    ]
  session.cookie = cookie
  return [{ type: 'reply', frame: login(session) }]
}

/** A crumb is a dozen characters; anything else is a page or an error, and is not kept. */
function crumbOf(text: string, status: number, session: Session): readonly Meaning[] {
  if (status !== 200 || !/^[^\s<>{}"]{6,40}$/.test(text.trim()))
    return [{ type: 'reject', reason: `no crumb (HTTP ${status}); prices stream without quotes` }]
  session.crumb = text.trim()
  return [{ type: 'reply', frame: tickersPoll(session) }]
}

/** {"quoteResponse":{"result":[{"symbol":"AAPL","regularMarketPrice":..,"regularMarketTime":1739998801,...}],"error":null}}; unknown symbols are left out */
function quotes(body: Row, status: number, session: Session): readonly Meaning[] {
  // {"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}
  if (status === 401 || status === 403) {
    delete session.crumb
    delete session.cookie
    if (session.retried) return [{ type: 'reject', reason: 'the crumb was refused twice; prices stream without quotes' }]
    session.retried = true
    return [
      { type: 'reply', frame: tickersPoll(session) },
      { type: 'reply', frame: login(session) }
    ]
  }
  const refused = refusalOf(body)
  if (refused) return refused
  const { result } = body.quoteResponse as { result?: Row[] | null }
  return values.each(result ?? [], (row) => quote(row, session))
}

/** {"finance":{"result":null,"error":{"code":"Bad Request","description":"Missing value"}}}, or under the name of the call */
function refusalOf(body: Row, symbol?: string): readonly Meaning[] | undefined {
  const error = [body.finance, body.quoteResponse, body.chart].flatMap((one) =>
    values.isRecord(one) ? (one.error ?? []) : []
  )[0]
  if (!values.isRecord(error)) return undefined
  return [values.rejected(symbol, values.say(error.description ?? error.code))]
}

const SESSIONS: Readonly<Record<string, 'pre' | 'regular' | 'post' | 'closed'>> = {
  PRE: 'pre',
  PREPRE: 'closed',
  REGULAR: 'regular',
  POST: 'post',
  POSTPOST: 'closed',
  CLOSED: 'closed'
}

/** Before and after the regular session that one's last price stands beside the price of now. */
const ASIDE: Readonly<Record<string, string>> = { PRE: 'preMarket', POST: 'postMarket' }

function quote(m: Row, { seen }: Session): readonly Meaning[] {
  const state = typeof m.marketState === 'string' ? m.marketState : ''
  const aside = ASIDE[state]
  const from = aside !== undefined && values.isPrice(values.number(m[`${aside}Price`])) ? aside : 'regularMarket'
  const at = values.number(m[`${from}Time`]) * 1_000
  const day = {
    open: m.regularMarketOpen,
    high: m.regularMarketDayHigh,
    low: m.regularMarketDayLow,
    volume: m.regularMarketVolume,
    change: m[`${from}Change`],
    changePercent: m[`${from}ChangePercent`],
    prevClose: m.regularMarketPreviousClose
  }
  // The stream knew better already.
  if ((seen.get(values.say(m.symbol))?.time ?? -Infinity) > at) return []
  const price = values.number(m[`${from}Price`])
  const delayed = values.number(m.exchangeDataDelayedBy) * 60_000
  const late = delayed > 0 ? { delayed } : {}
  const event = m.quoteType === 'INDEX' ? values.index(m.symbol, at, price, day) : values.ticker(m.symbol, at, price, day)
  if (event.type === 'index') return [{ ...event, ...late }]
  if (event.type !== 'ticker') return [event]
  const session = SESSIONS[state]
  return [{ ...event, ...(session && { session }), ...late }]
}

/** Nulls stand for minutes without a trade; the last bar is the live one, with an odd second as its start. */
function chart(body: Row, received: number, { symbol, interval }: Need): readonly Meaning[] {
  const refused = refusalOf(body, symbol)
  if (refused) return refused
  const { result } = (body.chart ?? {}) as { result?: Row[] | null }
  const starts = (result?.[0]?.timestamp ?? []) as unknown[]
  const { quote: rows } = (result?.[0]?.indicators ?? {}) as { quote?: Record<string, unknown[]>[] }
  const columns = rows?.[0] ?? {}
  const length = INTERVAL_MS[interval!]
  const opening = openingOf(result?.[0]?.meta)
  let before = NaN
  const found = starts.flatMap((t, i) => {
    const at = values.number(t) * 1_000
    // Bars are counted from the opening: those of an hour begin at half past nine in New York.
    const isLive = i === starts.length - 1 && (interval === '1d' ? at > opening && at < opening + length : at % 60_000 !== 0)
    const grid =
      interval === '1d'
        ? opening
        : Number.isNaN(before)
          ? Math.floor(at / length) * length
          : before + Math.floor((at - before) / length) * length
    const start = isLive ? grid : at
    const [open, high, low, close, volume] = ['open', 'high', 'low', 'close', 'volume'].map((key) => columns[key]?.[i])
    // The minute that is on may stand there twice: whole so far, and its last price.
    if ([open, high, low, close].some((value) => value === null || value === undefined) || start === before) return []
    before = start
    return [{ symbol, interval: interval!, start, time: received, closed: false, open, high, low, close, volume: volume ?? 0 }]
  })
  return values.pastCandles(found, received)
}

/** When the current or next regular session begins. */
function openingOf(meta: unknown): number {
  const { currentTradingPeriod: periods } = values.isRecord(meta) ? meta : {}
  const regular = values.isRecord(periods) ? periods.regular : undefined
  return values.isRecord(regular) ? values.number(regular.start) * 1_000 : NaN
}

/** {"uuid":"...","title":"...","publisher":"...","link":"...","providerPublishTime":1739998801,"relatedTickers":["AAPL"]} */
const story = (m: Row, received: number): Meaning =>
  values.story({
    id: m.uuid,
    time: values.number(m.providerPublishTime) * 1_000,
    received,
    headline: m.title,
    url: m.link,
    source: m.publisher,
    symbols: Array.isArray(m.relatedTickers) ? (m.relatedTickers as unknown[]) : []
  })
