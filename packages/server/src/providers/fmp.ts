/** Financial Modeling Prep: quotes for all symbols in one polled call, candles and news by REST; a premium socket per market. */
import type { Interval } from '@tickwire/protocol'
import { adapter, type Listing, type Meaning, type Outgoing, type Subscription } from './adapter.ts'
import { answer, CHART, clusterOf, failure, historyOf, quotesPoll, newsPoll, type Session } from './fmp.rest.ts'
import { nameOf, spelled } from './grammar.ts'
import { isTime } from './time.ts'
import * as values from './values.ts'

type Row = Record<string, unknown>

const HOSTS: Readonly<Record<string, string>> = { stocks: 'websockets', crypto: 'crypto', forex: 'forex' }

const frame = (event: 'subscribe' | 'unsubscribe', list: readonly Subscription[]): string[] => {
  const ticker = [...new Set(list.map(({ symbol }) => symbol.toLowerCase()))]
  return ticker.length > 0 ? [JSON.stringify({ event, data: { ticker } })] : []
}
const isStreamed = ({ kind }: Subscription): boolean => kind === 'trade' || kind === 'quote'

export const fmp = adapter<Session>({
  provider: 'fmp',
  title: 'Financial Modeling Prep',
  wsUrl: 'wss://websockets.financialmodelingprep.com',
  restUrl: 'https://financialmodelingprep.com/stable',
  kinds: ['ticker', 'index', 'trade', 'quote', 'candle', 'news'],
  whole: ['news'],
  intervals: Object.keys(CHART) as Interval[],
  streams: [],
  needs: ['key'],
  about: {
    docs: 'https://site.financialmodelingprep.com/developer/docs/stable',
    coverage:
      'Stocks, crypto, forex and indices; some exchanges 15 minutes late on small plans; trades and quotes need a premium plan',
    redistribution: 'forbidden',
    cost: 'free for 250 calls a day; more by subscription'
  },
  limits: {
    subscriptionsPerConnection: 500,
    connections: 1,
    framesPerSecond: 5,
    attempts: { count: 5, per: 60_000 },
    requestsPerSecond: 2,
    requests: [{ count: 250, per: 86_400_000 }]
  },
  staleAfter: 7_200_000,
  calendar: (route) => (route === 'crypto' ? '24/7' : route === 'forex' ? 'FX' : 'XNYS'),
  identify,
  history: historyOf,
  route: (one) => (isStreamed(one) ? clusterOf(one.symbol) : 'stocks'),
  dial: (wsUrl, _access, route = 'stocks') => wsUrl.replace('//websockets.', `//${HOSTS[route] ?? 'websockets'}.`),
  headers: ({ key = '' }) => ({ apikey: key }),

  open: ({ key = '' }) => ({ key, socket: false, admitted: false, streams: new Map(), polled: new Set(), seen: new Map() }),
  // Asked before the login is answered, a subscription is lost: it waits.
  greet: ({ key }) => [JSON.stringify({ event: 'login', data: { apiKey: key } })],
  // Without the premium plan only the calls are of use.
  isAdmitted: ({ admitted, streams }) => admitted || streams.size === 0,
  subscribe(wanted, session) {
    const streamed = wanted.filter(isStreamed)
    for (const one of streamed) session.streams.set(`${one.kind} ${one.symbol}`, one)
    return [...polls(wanted, session, true), ...(session.admitted ? frame('subscribe', streamed) : [])]
  },
  unsubscribe(unwanted, session) {
    for (const one of unwanted) session.streams.delete(`${one.kind} ${one.symbol}`)
    const gone = unwanted.filter(
      (one) => isStreamed(one) && ![...session.streams.values()].some(({ symbol }) => symbol === one.symbol)
    )
    return [...polls(unwanted, session, false), ...(session.admitted ? frame('unsubscribe', gone) : [])]
  },

  decode(raw, received, session, need) {
    try {
      const text = values.textOf(raw)
      // Exclusive Endpoint: and Premium Query Parameter: may come as bare text.
      if (need && /^\s*[A-Za-z]/.test(text)) return [failure(text.trim().slice(0, 300), need)]
      const message = JSON.parse(text) as Row
      if (need) return answer(message, received, session, need)
      return 'event' in message ? control(message, session) : priced(message, session)
    } catch {
      return values.unreadable(raw)
    }
  }
})

/** One call brings the quotes of all symbols. */
function polls(list: readonly Subscription[], session: Session, add: boolean): Outgoing[] {
  const quoted = list.filter(({ kind }) => kind === 'ticker' || kind === 'index')
  for (const { symbol } of quoted)
    if (add) session.polled.add(symbol)
    else session.polled.delete(symbol)
  return [
    ...(quoted.length > 0 ? [quotesPoll([...session.polled])] : []),
    ...(list.some(({ kind }) => kind === 'news') ? [newsPoll(add)] : [])
  ]
}

/** {"event":"login","status":200,"message":"Authenticated"}; {"event":"subscribe","status":200,"message":"Subscribed to aapl"} */
function control({ event, status, message }: Row, session: Session): readonly Meaning[] {
  const reason = values.say(message)
  const good = status === 200
  if (event === 'login' && !good) {
    // Without the premium plan the quotes by REST still come.
    return session.polled.size > 0 && session.streams.size === 0
      ? []
      : [{ type: 'reject', reason: `login: ${reason}`, denied: true }]
  }
  if (event === 'login') {
    session.admitted = true
    return frame('subscribe', [...session.streams.values()]).map((text) => ({ type: 'reply', frame: text }))
  }
  if (event !== 'subscribe') return []
  const named = [...session.streams.values()].filter(({ symbol }) =>
    new RegExp(`\\b${symbol.replaceAll(/\W/g, '.')}\\b`, 'i').test(reason)
  )
  if (good) return named.map(({ kind, symbol }) => ({ type: 'ack', kind, symbol }))
  return named.length === 0
    ? [{ type: 'reject', reason }]
    : named.map(({ kind, symbol }) => ({ type: 'reject', kind, symbol, reason }))
}

/** Seconds, milliseconds, micro- or nanoseconds, told apart by their digits. */
function timeOf(value: unknown): number {
  const t = values.number(value)
  const ms = t < 1e11 ? t * 1_000 : t < 1e14 ? t : t < 1e17 ? t / 1_000 : t / 1e6
  return isTime(ms) ? ms : NaN
}

const isNone = (value: unknown): boolean => value === undefined || value === null

/** {"s":"aapl","t":1645045389021303000,"type":"T","lp":172.85,"ls":100}; one type may hold the fields of both */
function priced(m: Row, session: Session): readonly Meaning[] {
  const { s, t, e, lp, ls, ap, as, bp, bs } = m
  if (typeof s !== 'string' || s === '') return [values.refused('a frame of an unknown shape')]
  const [symbol, time, { number }] = [s.toUpperCase(), timeOf(t), values] as const
  const found: Meaning[] = []
  const asked = (kind: 'trade' | 'quote') => session.streams.has(`${kind} ${symbol}`)
  const wants = (kind: 'trade' | 'quote') => asked(kind) || !asked(kind === 'trade' ? 'quote' : 'trade')
  if (m.type === 'T' && isNone(lp)) return [values.refused('trade: no price')]
  if (!isNone(lp) && wants('trade')) {
    const event = values.print(symbol, time, number(lp), number(ls))
    found.push(event.type === 'trade' && typeof e === 'string' ? { ...event, venue: e } : event)
  }
  if (!isNone(bp) && !isNone(ap) && wants('quote')) {
    const event = values.quote(symbol, time, number(bp), number(bs ?? 0), number(ap), number(as ?? 0))
    if (event) found.push(event)
  }
  return found.length > 0 || m.type !== undefined ? found : [values.refused('a frame of an unknown shape')]
}

const INDICES: Readonly<Record<string, string>> = { SPX: '^GSPC', NDX: '^NDX', DJI: '^DJI', RUT: '^RUT', VIX: '^VIX' }

function identify(text: string): Listing | undefined {
  const typed = text.startsWith('^')
    ? `INDEX:${Object.keys(INDICES).find((name) => INDICES[name] === text) ?? text.slice(1)}`
    : text
  const named = nameOf(typed) ?? spelled(typed)
  switch (named?.type) {
    case 'stock':
      return { symbol: named.ticker.replace('.', '-'), base: named.ticker, trading: true, calendar: 'XNYS' }
    case 'crypto':
    case 'forex':
      return {
        symbol: `${named.base}${named.quote}`,
        base: named.base,
        quote: named.quote,
        trading: true,
        calendar: named.type === 'crypto' ? '24/7' : 'FX'
      }
    case 'index':
      return { symbol: INDICES[named.name] ?? `^${named.name}`, base: `INDEX:${named.name}`, trading: true, calendar: 'XNYS' }
    case 'listed':
      return named.exchange === 'LSE'
        ? { symbol: `${named.ticker}.L`, base: `LSE:${named.ticker}`, trading: true, calendar: 'XLON' }
        : undefined
    default:
      return undefined
  }
}
