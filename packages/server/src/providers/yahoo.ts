/** Yahoo Finance, unofficial: a stream of protobuf in base64, and REST behind a cookie and a crumb. Best effort, off unless asked for. */
import { type Interval } from '@tickwire/protocol'
import { adapter, type Listing, type Meaning, type Outgoing } from './adapter.ts'
import { nameOf, spelled, type Named } from './grammar.ts'
import { answer, chartOf, CHART, login, newsPoll, PAGE, tickersPoll, type Session } from './yahoo.rest.ts'
import { readPricing, type Pricing } from './yahoo.pricing.ts'
import * as values from './values.ts'

/** 0 is PRE; proto3 would also leave a 0 out, so a message without it is PRE too, but for what trades at all hours. */
const SESSIONS = ['pre', 'regular', 'post', 'closed', 'overnight'] as const
const AROUND_THE_CLOCK = new Set([14, 41])
const HEARTBEAT = 7
const INDEX = 9

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

const frame = (method: 'subscribe' | 'unsubscribe', symbols: Iterable<string>): string =>
  JSON.stringify({ [method]: [...symbols] })

export const yahoo = adapter<Session>({
  provider: 'yahoo',
  title: 'Yahoo Finance',
  wsUrl: 'wss://streamer.finance.yahoo.com/?version=2',
  restUrl: 'https://query2.finance.yahoo.com',
  kinds: ['ticker', 'index', 'candle', 'news'],
  whole: ['news'],
  intervals: Object.keys(CHART) as Interval[],
  streams: [],
  needs: [],
  takes: { loginUrl: 'Page that gives the cookie of the quote call; default https://fc.yahoo.com' },
  offByDefault: true,
  about: {
    docs: 'https://finance.yahoo.com',
    coverage:
      'Stocks, funds, indices, forex, crypto and futures of most of the world; conflated, many of them late; no service level',
    redistribution: 'forbidden',
    cost: 'free'
  },
  limits: {
    subscriptionsPerConnection: 500,
    framesPerSecond: 2,
    attempts: { count: 5, per: 60_000 },
    requestsPerSecond: 1,
    requests: [{ count: 60, per: 60_000 }]
  },
  // A socket that hears nothing for 20 minutes is cut: all is asked again, as its own page does.
  ping: { every: 15_000, frame: ({ symbols }) => (symbols.size > 0 ? frame('subscribe', symbols) : undefined) },
  staleAfter: 600_000,
  calendar: 'XNYS',
  identify,
  history: chartOf,
  upgrade: () => ({ origin: 'https://finance.yahoo.com', 'user-agent': BROWSER }),
  headers: () => ({ 'user-agent': BROWSER }),

  open: ({ options }) => ({ page: options?.loginUrl ?? PAGE, symbols: new Set(), retried: false, seen: new Map() }),
  subscribe(wanted, session) {
    const fresh = wanted.filter(({ kind }) => kind !== 'news').map(({ symbol }) => symbol)
    const first = session.symbols.size === 0
    for (const symbol of fresh) session.symbols.add(symbol)
    const news: Outgoing[] = wanted.some(({ kind }) => kind === 'news') ? [newsPoll(true)] : []
    if (fresh.length === 0) return news
    const rest: Outgoing[] = session.crumb !== undefined ? [tickersPoll(session)] : first ? [login(session)] : []
    return [...news, frame('subscribe', new Set(fresh)), ...rest]
  },
  unsubscribe(unwanted, session) {
    const gone = unwanted.filter(({ kind }) => kind !== 'news').map(({ symbol }) => symbol)
    for (const symbol of gone) session.symbols.delete(symbol)
    const news: Outgoing[] = unwanted.some(({ kind }) => kind === 'news') ? [newsPoll(false)] : []
    return gone.length === 0 ? news : [...news, frame('unsubscribe', new Set(gone)), tickersPoll(session)]
  },

  decode(raw, received, session, need) {
    try {
      const text = values.textOf(raw)
      if (need) return answer(text, received, session, need)
      // {"type":"pricing","message":"CgdCVEMtVVNE..."}; without ?version=2 the message stands alone
      const packed = text.startsWith('{')
        ? (JSON.parse(text) as { type?: unknown; message?: unknown })
        : { type: 'pricing', message: text }
      if (typeof packed.type !== 'string') return [values.refused('a frame of an unknown shape')]
      if (packed.type !== 'pricing') return []
      const pricing = readPricing(packed.message)
      return pricing ? priced(pricing, session) : [values.refused('not a pricing message')]
    } catch {
      return values.unreadable(raw)
    }
  }
})

/** A single price that is no trade: it is conflated, and repeats itself. */
function priced(m: Pricing, session: Session): readonly Meaning[] {
  if (m.quoteType === HEARTBEAT) return []
  const last = session.seen.get(m.id)
  if (last && m.time < last.time) return []
  session.seen.set(m.id, { time: m.time, volume: m.dayVolume ?? 0 })
  const session_ = SESSIONS[AROUND_THE_CLOCK.has(m.quoteType ?? 0) ? 1 : (m.marketHours ?? 0)]
  const day = {
    open: m.openPrice,
    high: m.dayHigh,
    low: m.dayLow,
    change: m.change,
    changePercent: m.changePercent,
    prevClose: m.previousClose
  }
  if (m.quoteType === INDEX) return [values.index(m.id, m.time, m.price, day)]
  const event = values.ticker(m.id, m.time, m.price, { ...day, volume: m.dayVolume })
  return [event.type === 'ticker' && session_ !== undefined ? { ...event, session: session_ } : event]
}

// ---- symbols -----------------------------------------------------------------------------------------------------

const INDICES: Readonly<Record<string, string>> = {
  SPX: '^GSPC',
  NDX: '^NDX',
  DJI: '^DJI',
  RUT: '^RUT',
  VIX: '^VIX',
  FTSE: '^FTSE',
  NIFTY50: '^NSEI',
  SENSEX: '^BSESN'
}
const SUFFIX: Readonly<Record<string, string>> = { LSE: '.L', NSE: '.NS', BSE: '.BO', TSX: '.TO', XETRA: '.DE' }
const inverted = (map: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(map).map(([a, b]) => [b, a]))
const BY_SYMBOL = inverted(INDICES)
const BY_SUFFIX = inverted(SUFFIX)

const symbolOf = (named: Named): string | undefined => {
  switch (named.type) {
    case 'stock':
      return named.ticker.replace('.', '-')
    case 'crypto':
      return `${named.base}-${named.quote}`
    case 'forex':
      return named.base === 'USD' ? `${named.quote}=X` : `${named.base}${named.quote}=X`
    case 'index':
      return INDICES[named.name] ?? `^${named.name}`
    default: {
      const suffix = SUFFIX[named.exchange]
      return suffix === undefined ? undefined : `${named.ticker.replace(/-EQ$/, '')}${suffix}`
    }
  }
}

/** Yahoo's own spelling as a canonical id: `^GSPC`, `EURUSD=X`, `JPY=X`, `RELIANCE.NS`, `BRK-B`. */
function canonical(text: string): string | undefined {
  if (text.startsWith('^')) return `INDEX:${BY_SYMBOL[text] ?? text.slice(1)}`
  const [, fx] = /^([A-Z]{3}|[A-Z]{6})=X$/.exec(text) ?? []
  if (fx !== undefined) return fx.length === 3 ? `USD-${fx}` : `${fx.slice(0, 3)}-${fx.slice(3)}`
  const [, ticker, suffix] = /^([A-Z0-9&-]+)(\.(?:L|NS|BO|TO|DE))$/.exec(text) ?? []
  if (ticker === undefined || suffix === undefined) return undefined
  const exchange = BY_SUFFIX[suffix]!
  return `${exchange}:${ticker}${exchange === 'NSE' ? '-EQ' : ''}`
}

/** `ES=F`, `AAPL251219C00150000`: futures and options go by Yahoo's own symbols. */
const OWN = /^(?:[A-Z0-9]{1,6}=F|[A-Z]{1,6}\d{6}[CP]\d{8})$/

function identify(text: string): Listing | undefined {
  if (OWN.test(text)) return { symbol: text, base: text, trading: true, calendar: text.endsWith('=F') ? 'CMES' : 'XNYS' }
  const named = nameOf(canonical(text) ?? text) ?? spelled(text)
  const symbol = named && symbolOf(named)
  if (!named || symbol === undefined) return undefined
  switch (named.type) {
    case 'crypto':
      return { symbol, base: named.base, quote: named.quote, trading: true, calendar: '24/7' }
    case 'forex':
      return { symbol, base: named.base, quote: named.quote, trading: true, calendar: 'FX' }
    case 'stock':
      return { symbol, base: named.ticker, trading: true, calendar: 'XNYS' }
    case 'index':
      return { symbol, base: `INDEX:${named.name}`, trading: true }
    default:
      return { symbol, base: `${named.exchange}:${named.ticker}`, trading: true }
  }
}
