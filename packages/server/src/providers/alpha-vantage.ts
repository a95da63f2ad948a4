/** Alpha Vantage: one GET call, polled within a small budget. Every failure comes as HTTP 200. https://www.alphavantage.co/documentation */
import type { Interval } from '@tickwire/protocol'
import { adapter, type Access, type Listing, type Outgoing, type Subscription } from './adapter.ts'
import { answer, historyOf, NEWS, SERIES, type Session } from './alpha-vantage.answers.ts'
import { nameOf, spelled } from './grammar.ts'
import * as values from './values.ts'
import { batches } from './wants.ts'

const QUOTE_EVERY = 60_000
const NEWS_EVERY = 900_000
const DAY = 86_400_000

export const query = (parts: Record<string, string>): string => `/query?${new URLSearchParams(parts).toString()}`

/** `BTC-USD` and `EUR-USD` are asked as a rate of exchange, everything else as a quote. */
function pathOf(symbol: string): string {
  const [from, to] = symbol.split('/')
  return to === undefined
    ? query({ function: 'GLOBAL_QUOTE', symbol })
    : query({ function: 'CURRENCY_EXCHANGE_RATE', from_currency: from!, to_currency: to })
}
const keyed = (path: string, { key, entitlement }: Session): string => {
  const isStock = /function=(GLOBAL_QUOTE|REALTIME_BULK_QUOTES|TIME_SERIES_)/.test(path)
  const plan = entitlement !== undefined && isStock ? `&entitlement=${encodeURIComponent(entitlement)}` : ''
  return `${path}${plan}&apikey=${encodeURIComponent(key)}`
}
function sessionOf({ key = '', options }: Access): Session {
  const session: Session = { key, delayed: options?.entitlement !== 'realtime', bulk: new Set() }
  if (options?.entitlement !== undefined) session.entitlement = options.entitlement
  return session
}
const NEED = { type: 'need', purpose: 'snapshot' } as const
const newsPoll = (session: Session, wanted: boolean): Outgoing => ({
  poll: 'news',
  every: NEWS_EVERY,
  ...(wanted && { need: { ...NEED, path: keyed(NEWS, session), note: 'news' } })
})
const quotePoll = (symbol: string, session: Session, wanted: boolean): Outgoing => ({
  poll: symbol,
  every: QUOTE_EVERY,
  ...(wanted && { need: { ...NEED, symbol, path: keyed(pathOf(symbol), session) } })
})

/** A call may name so many. */
const BULK = 100
/** With an entitlement, US stocks are asked by the hundred; the rest, and all on the free plan, one by one. */
const isBulk = (symbol: string, { entitlement }: Session): boolean =>
  entitlement !== undefined && /^[A-Z]+(-[A-Z])?$/.test(symbol)
function bulkPolls(session: Session, before: number): Outgoing[] {
  const lists = batches([...session.bulk], BULK)
  return Array.from({ length: Math.max(lists.length, Math.ceil(before / BULK)) }, (_, i) => {
    const symbol = lists[i]?.join(',')
    const path = symbol === undefined ? '' : keyed(query({ function: 'REALTIME_BULK_QUOTES', symbol }), session)
    return { poll: `bulk ${i + 1}`, every: QUOTE_EVERY, ...(symbol !== undefined && { need: { ...NEED, path } }) }
  })
}

function polls(list: readonly Subscription[], session: Session, add: boolean): readonly Outgoing[] {
  const before = session.bulk.size
  const together = list.filter(({ kind, symbol }) => kind === 'ticker' && isBulk(symbol, session))
  for (const { symbol } of together)
    if (add) session.bulk.add(symbol)
    else session.bulk.delete(symbol)
  const alone = list.filter((one) => !together.includes(one))
  return [
    ...alone.map(({ kind, symbol }) => (kind === 'news' ? newsPoll(session, add) : quotePoll(symbol, session, add))),
    ...(together.length > 0 ? bulkPolls(session, before) : [])
  ]
}

export const alphaVantage = adapter<Session>({
  provider: 'alpha-vantage',
  title: 'Alpha Vantage',
  restUrl: 'https://www.alphavantage.co',
  kinds: ['ticker', 'quote', 'candle', 'news'],
  whole: ['news'],
  intervals: Object.keys(SERIES) as Interval[],
  streams: [],
  needs: ['key'],
  takes: { entitlement: '"realtime" or "delayed" on a premium plan; absent: the free plan, whose US data is late' },
  about: {
    docs: 'https://www.alphavantage.co/documentation/',
    coverage:
      'Stocks of most of the world, forex, crypto, news with sentiment; US stocks late by 15 minutes or a day on the free plan',
    redistribution: 'forbidden',
    cost: 'free for 25 calls a day; premium from 75 a minute'
  },
  limits: {
    subscriptionsPerConnection: 1_000,
    connections: 1,
    framesPerSecond: 100,
    attempts: { count: 10, per: 60_000 },
    requestsPerSecond: 0.9,
    requests: [
      { count: 5, per: 60_000 },
      { count: 25, per: DAY }
    ]
  },
  staleAfter: 2 * DAY, // a budget of 25 a day, shared by many symbols, asks each but seldom
  identify,
  history(symbol, interval, limit, _now, access) {
    const path = keyed(historyOf(symbol, interval, limit, access.options?.entitlement), sessionOf(access))
    return { type: 'need', purpose: 'history', symbol, interval, path }
  },
  open: sessionOf,
  subscribe: (wanted, session) => polls(wanted, session, true),
  unsubscribe: (unwanted, session) => polls(unwanted, session, false),
  decode(frame, received, session, need) {
    if (!need) return [values.refused('there is no socket')]
    try {
      return answer(values.textOf(frame), received, session, need)
    } catch {
      return values.unreadable(frame)
    }
  }
})

const SUFFIX: Readonly<Record<string, string>> = { LSE: 'LON', TSX: 'TRT', XETRA: 'DEX', BSE: 'BSE' }

function identify(text: string): Listing | undefined {
  const named = nameOf(text) ?? spelled(text)
  switch (named?.type) {
    case 'stock':
      return { symbol: named.ticker.replace('.', '-'), base: named.ticker, trading: true, calendar: 'XNYS' }
    case 'crypto':
    case 'forex':
      return { symbol: `${named.base}/${named.quote}`, base: named.base, quote: named.quote, trading: true }
    case 'listed': {
      const suffix = SUFFIX[named.exchange]
      return suffix === undefined
        ? undefined
        : { symbol: `${named.ticker}.${suffix}`, base: `${named.exchange}:${named.ticker}`, trading: true }
    }
    default:
      return undefined
  }
}
