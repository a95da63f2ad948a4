/** Finnhub: trades of US stocks, crypto and forex on one socket; quotes, candles and news by REST. https://finnhub.io/docs/api */
import { INTERVAL_MS, type Interval } from '@tickwire/protocol'
import { adapter, type Listing, type Meaning, type Need, type Outgoing, type Poll, type Subscription } from './adapter.ts'
import { sessionOf, type Days } from './new-york.ts'
import { epoch } from './time.ts'
import * as values from './values.ts'

type Session = { trades: Set<string>; tickers: Set<string>; news: Set<string>; asked: string[]; hours: Days }
type Row = Record<string, unknown>

const RESOLUTION: Partial<Record<Interval, string>> = { '1m': '1', '5m': '5', '15m': '15', '30m': '30', '1h': '60', '1d': 'D' }
/**
 * Average price, cash sale, bunched sold, price variation, odd lot, official close, next day, official open, prior reference,
 * seller, extended hours out of sequence, contingent, out of sequence, derivatively priced, qualified contingent: they do not set
 * the last price. The numbers are Finnhub's own.
 */
const NOT_LAST = new Set(['3', '5', '9', '10', '12', '16', '17', '20', '21', '22', '25', '26', '30', '32', '37'])
/** Form T, and the closing prints and official closes. */
const CODES = { extended: new Set(['24', '25']), closing: new Set(['16', '35', '36']) }
const TICKER_EVERY = 15_000
const NEWS_EVERY = 60_000

export const finnhub = adapter<Session>({
  provider: 'finnhub',
  title: 'Finnhub',
  wsUrl: 'wss://ws.finnhub.io',
  restUrl: 'https://finnhub.io',
  kinds: ['trade', 'ticker', 'candle', 'news'],
  whole: ['news'],
  intervals: Object.keys(RESOLUTION) as Interval[],
  streams: [],
  needs: ['key'],
  about: {
    docs: 'https://finnhub.io/docs/api',
    coverage:
      'US stocks of one exchange in real time, crypto and forex of named venues; trades only, without ids; candles by subscription',
    redistribution: 'forbidden',
    cost: 'free for 50 symbols and 60 calls a minute'
  },
  limits: {
    subscriptionsPerConnection: 50,
    connections: 1, // a key: a second one is refused with 429, or ends the first
    framesPerSecond: 10,
    attempts: { count: 6, per: 60_000 },
    requestsPerSecond: 5,
    requests: [{ count: 60, per: 60_000 }]
  },
  staleAfter: 90_000, // it says {"type":"ping"} each minute, also when markets are closed
  calendar: 'XNYS',
  listing: '/api/v1/stock/symbol?exchange=US',
  history(symbol, interval, limit, now) {
    const from = now - limit * INTERVAL_MS[interval] * (isCrypto(symbol) ? 1 : 6) - 4 * 86_400_000
    const span = `resolution=${RESOLUTION[interval]}&from=${Math.floor(from / 1_000)}&to=${Math.ceil(now / 1_000)}`
    const kind = isCrypto(symbol) ? (symbol.startsWith('OANDA:') ? 'forex' : 'crypto') : 'stock'
    const path = `/api/v1/${kind}/candle?symbol=${encodeURIComponent(symbol)}&${span}`
    return { type: 'need', purpose: 'history', symbol, interval, path }
  },
  dial: (wsUrl, { key = '' }) => `${wsUrl}${wsUrl.includes('?') ? '&' : '?'}token=${encodeURIComponent(key)}`,
  headers: ({ key = '' }) => ({ 'x-finnhub-token': key }),

  open: () => ({ trades: new Set(), tickers: new Set(), news: new Set(), asked: [], hours: new Map() }),
  subscribe: (wanted, session) => wanted.flatMap((one) => ask(one, session)),
  unsubscribe: (unwanted, session) => unwanted.flatMap((one) => leave(one, session)),

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as unknown
      if (need) return answer(message, received, need)
      return payload(message as Row, session)
    } catch {
      return values.unreadable(frame)
    }
  }
})

const isCrypto = (symbol: string): boolean => symbol.includes(':')
const quotePoll = (symbol: string, wanted: boolean): Poll => ({
  poll: `quote ${symbol}`,
  every: TICKER_EVERY,
  ...(wanted && {
    need: { type: 'need', purpose: 'snapshot', symbol, path: `/api/v1/quote?symbol=${encodeURIComponent(symbol)}` }
  })
})
const newsPoll = (wanted: boolean): Poll => ({
  poll: 'news',
  every: NEWS_EVERY,
  ...(wanted && { need: { type: 'need', purpose: 'snapshot', note: 'news', path: '/api/v1/news?category=general' } })
})

function ask({ kind, symbol }: Subscription, { trades, asked }: Session): Outgoing[] {
  if (kind === 'ticker') return [quotePoll(symbol, true)]
  if (kind === 'news') return [newsPoll(true)]
  trades.add(symbol)
  asked.push(symbol)
  return [JSON.stringify({ type: 'subscribe', symbol })]
}
function leave({ kind, symbol }: Subscription, { trades }: Session): Outgoing[] {
  if (kind === 'ticker') return [quotePoll(symbol, false)]
  if (kind === 'news') return [newsPoll(false)]
  trades.delete(symbol)
  return [JSON.stringify({ type: 'unsubscribe', symbol })]
}

function payload(m: Row, session: Session): readonly Meaning[] {
  switch (m.type) {
    // {"data":[{"c":["1","12"],"p":164.06,"s":"AAPL","t":1680286538064,"v":10}],"type":"trade"}: rows alike are trades of their own
    case 'trade':
      return values.each((m.data ?? []) as Row[], (row) => [traded(row, session)])
    // {"type":"ping"}, about once a minute
    case 'ping':
      return []
    case 'error':
      return [failed(values.say(m.msg), session)]
    // {"data":[{"category":"company","datetime":1569550360000,"headline":"...","id":25286,"related":"AAPL","source":"...","url":"..."}],"type":"news"}
    case 'news':
      return values.each((m.data ?? []) as Row[], (row) => [story(row, Number.NaN)])
    default:
      return [values.refused('a frame of an unknown shape')]
  }
}

/** Volume is missing or 0 in forex, where nobody counts it. Pairs name their venue; a stock's session is known by its time. */
function traded({ s, p, t, v, c }: Row, session: Session): Meaning {
  const end = typeof s === 'string' ? s.indexOf(':') : -1
  const size = values.number(end > 0 ? (v ?? 0) : v)
  const time = epoch(t)
  const event = values.print(s, time, values.number(p), size === 0 ? 1 : size)
  if (event.type !== 'trade') return event
  if (size === 0) event.size = 0
  if (end > 0) event.venue = event.symbol.slice(0, end)
  const conditions = values.codes(c)
  if (conditions !== undefined) {
    event.conditions = conditions
    if (conditions.some((code) => NOT_LAST.has(code))) event.ineligible = true
  }
  if (isUnitedStates(event.symbol)) event.session = sessionOf(time, conditions ?? [], CODES, session.hours)
  return event
}

/** `AAPL`, `BRK.B`; other markets follow a dot by two letters or one that is no class of shares (`VOD.L`, `SAP.DE`). */
const isUnitedStates = (symbol: string): boolean => /^[A-Z]+(\.[AB])?$/.test(symbol)

/** {"type":"error","msg":"Invalid symbol FOO"}; {"msg":"Subscribing to too many symbols","type":"error"}, which does not say which */
function failed(reason: string, { asked, trades }: Session): Meaning {
  const named = [...trades].find((symbol) => reason.endsWith(` ${symbol}`))
  const symbol = named ?? (/too many symbols/i.test(reason) ? lastOf(asked, trades) : undefined)
  if (/invalid (api )?(key|token)/i.test(reason)) return { type: 'reject', reason, denied: true }
  return symbol === undefined ? { type: 'reject', reason } : { type: 'reject', kind: 'trade', symbol, reason }
}

/** Each such error is of one more of those that were asked last. */
function lastOf(asked: string[], trades: ReadonlySet<string>): string | undefined {
  for (let symbol = asked.pop(); symbol !== undefined; symbol = asked.pop()) if (trades.has(symbol)) return symbol
  return undefined
}

// ---- answers of REST ---------------------------------------------------------------------------------------------

function answer(m: unknown, received: number, need: Need): readonly Meaning[] {
  // {"error":"You don't have access to this resource."}
  if (values.isRecord(m) && m.error !== undefined) return [values.rejected(need.symbol, values.say(m.error))]
  if (need.purpose === 'listing') return listing(m as Row[], need)
  if (need.purpose === 'history') return candles(m as Record<string, unknown>, received, need)
  if (need.note === 'news') return values.each(m as Row[], (row) => [story(row, received)])
  return [quote(m as Row, received, need)]
}

/** {"c":162.65,"d":0.29,"dp":0.1786,"h":163.09,"l":162.13,"o":162.44,"pc":162.36,"t":1680273039}; zeros for a symbol it does not know */
function quote({ c, d, dp, h, l, o, pc, t }: Row, received: number, { symbol }: Need): Meaning {
  if (c === 0 && (t === 0 || d === null)) return values.rejected(symbol, 'unknown symbol: the quote is all zeros')
  const time = typeof t === 'number' && t > 0 ? t * 1_000 : received
  return values.ticker(symbol, time, values.number(c), { open: o, high: h, low: l, change: d, changePercent: dp, prevClose: pc })
}

/** {"c":[217.68],"h":[222.49],"l":[217.19],"o":[221.03],"s":"ok","t":[1569297600],"v":[33463820]}; {"s":"no_data"} */
function candles(m: Record<string, unknown>, received: number, { symbol, interval }: Need): readonly Meaning[] {
  if (m.s === 'no_data') return []
  const [open, high, low, close, volume, start] = ['o', 'h', 'l', 'c', 'v', 't'].map((key) =>
    Array.isArray(m[key]) ? m[key] : []
  ) as unknown[][]
  const rows = start!.map((t, i) => ({
    symbol,
    interval: interval!,
    start: values.number(t) * 1_000,
    time: received,
    closed: false,
    open: open![i],
    high: high![i],
    low: low![i],
    close: close![i],
    volume: volume![i] ?? 0
  }))
  return values.pastCandles(rows, received)
}

/** First the stocks, then the pairs of the venues that are most asked for. */
const PAGES = [
  '/api/v1/stock/symbol?exchange=US',
  '/api/v1/crypto/symbol?exchange=binance',
  '/api/v1/crypto/symbol?exchange=coinbase',
  '/api/v1/forex/symbol?exchange=oanda'
]

/** {"currency":"USD","description":"APPLE INC","displaySymbol":"AAPL","symbol":"AAPL","type":"Common Stock"}; {"description":"Binance BTC/USDT","displaySymbol":"BTC/USDT","symbol":"BINANCE:BTCUSDT"} */
function listing(rows: readonly Row[], { path }: Need): readonly Meaning[] {
  const found = rows.flatMap(({ symbol, displaySymbol, description }): Listing[] => {
    if (typeof symbol !== 'string' || symbol === '') return []
    const name = typeof description === 'string' && description !== '' ? { name: description } : {}
    if (!isCrypto(symbol)) return [{ symbol, base: symbol, trading: true, ...name }]
    const [base, quote] = typeof displaySymbol === 'string' ? displaySymbol.split('/') : []
    const calendar = symbol.startsWith('OANDA:') ? 'FX' : '24/7'
    return base && quote ? [{ symbol, base, quote, trading: true, calendar, ...name }] : []
  })
  const next = PAGES[PAGES.indexOf(path) + 1]
  return [
    { type: 'listing', rows: found },
    ...(next === undefined ? [] : [{ type: 'need', purpose: 'listing', path: next } as const])
  ]
}

/** The socket writes milliseconds, REST seconds. */
function story(m: Row, received: number): Meaning {
  const at = values.number(m.datetime)
  const time = at < 1e11 ? at * 1_000 : at
  const related = typeof m.related === 'string' ? m.related.split(',').filter(Boolean) : []
  return values.story({
    id: m.id,
    time,
    received: Number.isNaN(received) ? time : received,
    headline: m.headline,
    summary: m.summary,
    url: m.url,
    source: m.source,
    image: m.image,
    symbols: related,
    categories: [m.category]
  })
}
