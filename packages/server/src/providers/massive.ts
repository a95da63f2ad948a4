/** Massive (once Polygon.io): stocks, crypto, forex and indices, a cluster each. https://massive.com/docs/websocket/quickstart */
import { INTERVAL_MS, type DataKind, type Interval } from '@tickwire/protocol'
import { adapter, type Access, type Meaning, type Outgoing, type Subscription } from './adapter.ts'
import { answer, CODES, idOf, isLast, newsPoll, restSymbol, sideOf, tickerPoll, TIMESPAN, type Day } from './massive.rest.ts'
import { sessionOf, type Days } from './new-york.ts'
import { epoch } from './time.ts'
import * as values from './values.ts'

export type Session = {
  key: string
  delayed: boolean
  admitted: boolean
  /** By channel, as acks and refusals name it; what is on no channel is asked by REST alone. */
  wanted: Map<string, Subscription>
  tickers: Set<string>
  /** What the last snapshot said of a day that a bar of a second does not. */
  days: Map<string, Day>
  hours: Days
}
type Row = Record<string, unknown>

/** Symbols here are Massive's own with the prefix of REST and the separator of the socket: `AAPL`, `X:BTC-USD`, `C:EUR/USD`, `I:SPX`. */
const ROUTES: Readonly<Record<string, string>> = { X: 'crypto', C: 'forex', I: 'indices' }
const prefixOf = (symbol: string): string => (symbol[1] === ':' ? symbol[0]! : '')
export const clusterOf = (symbol: string): string => ROUTES[prefixOf(symbol)] ?? 'stocks'

const CHANNELS: Readonly<Record<string, Partial<Record<DataKind, string>>>> = {
  stocks: { trade: 'T', quote: 'Q', candle: 'AM', band: 'LULD', ticker: 'A' },
  crypto: { trade: 'XT', quote: 'XQ', candle: 'XA' },
  forex: { quote: 'C', candle: 'CA' },
  indices: { index: 'V', candle: 'AM' }
}
/** `T.AAPL`, `XT.BTC-USD`, `C.EUR/USD`, `V.I:SPX`; nothing where the cluster does not carry the kind. */
function channelOf({ kind, symbol }: Subscription): string | undefined {
  const cluster = clusterOf(symbol)
  const channel = CHANNELS[cluster]?.[kind]
  const name = cluster === 'crypto' || cluster === 'forex' ? symbol.slice(2) : symbol
  return channel === undefined ? undefined : `${channel}.${name}`
}

const DELAY = 900_000
/** Sizes of stock quotes are in shares since 3 November 2025, in round lots of 100 before. */
const SHARES_SINCE = 1_762_128_000_000

const frames = (action: string, list: readonly Subscription[]): string[] => {
  const params = list.flatMap((one) => channelOf(one) ?? [])
  return params.length > 0 ? [JSON.stringify({ action, params: params.join(',') })] : []
}

export const massive = adapter<Session>({
  provider: 'massive',
  title: 'Massive (Polygon)',
  wsUrl: 'wss://socket.massive.com',
  restUrl: 'https://api.massive.com',
  kinds: ['trade', 'quote', 'ticker', 'candle', 'index', 'band', 'news'],
  whole: ['news'],
  intervals: Object.keys(TIMESPAN) as Interval[],
  streams: ['1m'],
  needs: ['key'],
  about: {
    docs: 'https://massive.com/docs',
    coverage: 'US stocks (SIP), crypto, forex and indices; 15 minutes late with feed "delayed"',
    redistribution: 'forbidden',
    cost: 'by subscription; free for REST at 5 calls a minute'
  },
  limits: {
    subscriptionsPerConnection: 100_000,
    connections: 1, // a cluster and key: the newcomer wins, so a second process takes it away
    framesPerSecond: 10,
    attempts: { count: 5, per: 60_000 },
    requestsPerSecond: 5,
    requests: [{ count: 5, per: 60_000 }]
  },
  staleAfter: 600_000,
  calendar: (route) => (route === 'crypto' ? '24/7' : route === 'forex' ? 'FX' : 'XNYS'),
  listing: '/v3/reference/tickers?market=stocks&active=true&limit=1000',
  history(symbol, interval, limit, now) {
    const [count, unit] = TIMESPAN[interval]!
    // Sessions fill about a fifth of a week's hours: reach back far enough, and take the newest.
    const from = now - limit * INTERVAL_MS[interval] * (clusterOf(symbol) === 'crypto' ? 1 : 6) - 4 * 86_400_000
    const path = `/v2/aggs/ticker/${encodeURIComponent(restSymbol(symbol))}/range/${count}/${unit}/${Math.floor(from)}/${Math.floor(now)}`
    const query = `?adjusted=true&sort=desc&limit=${Math.min(limit * 6, 50_000)}`
    return { type: 'need', purpose: 'history', symbol, interval, path: path + query }
  },
  fill(symbol, from, to) {
    const span = `timestamp.gte=${Math.floor(from)}000000&timestamp.lte=${Math.ceil(to)}000000&order=asc&limit=50000`
    if (prefixOf(symbol) !== '' && prefixOf(symbol) !== 'X') return undefined
    return { type: 'need', purpose: 'trades', symbol, path: `/v3/trades/${encodeURIComponent(restSymbol(symbol))}?${span}` }
  },
  route: ({ kind, symbol }) => (kind === 'news' ? 'stocks' : clusterOf(symbol)),
  dial: (wsUrl, { feed }, route = 'stocks') =>
    `${(feed === 'delayed' ? wsUrl.replace('//socket.', '//delayed.') : wsUrl).replace(/\/$/, '')}/${route}`,
  headers: ({ key = '' }: Access) => ({ authorization: `Bearer ${key}` }),

  open: ({ key = '', feed }) => ({
    key,
    delayed: feed === 'delayed',
    admitted: false,
    wanted: new Map(),
    tickers: new Set(),
    days: new Map(),
    hours: new Map()
  }),
  greet: ({ key }) => [JSON.stringify({ action: 'auth', params: key })],
  isAdmitted: ({ admitted }) => admitted,
  subscribe(wanted, session) {
    for (const one of wanted) session.wanted.set(channelOf(one) ?? `${one.kind} ${one.symbol}`, one)
    return [...polled(wanted, session, true), ...(session.admitted ? frames('subscribe', wanted) : [])]
  },
  unsubscribe(unwanted, session) {
    for (const one of unwanted) session.wanted.delete(channelOf(one) ?? `${one.kind} ${one.symbol}`)
    return [...polled(unwanted, session, false), ...(session.admitted ? frames('unsubscribe', unwanted) : [])]
  },

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as unknown
      if (need) return answer(message as Row, received, need, session.delayed ? DELAY : undefined, session.days)
      return values.each(message as Row[], (row) => payload(row, session))
    } catch {
      return values.unreadable(frame)
    }
  }
})

/** News is on no socket; of tickers the socket has the bars of seconds (stocks alone), and one snapshot call serves the rest. */
function polled(list: readonly Subscription[], session: Session, add: boolean): Outgoing[] {
  const out: Outgoing[] = []
  for (const { symbol } of list.filter(({ kind }) => kind === 'ticker'))
    if (add) session.tickers.add(symbol)
    else session.tickers.delete(symbol)
  if (list.some(({ kind }) => kind === 'ticker')) out.push(tickerPoll([...session.tickers]))
  if (list.some(({ kind }) => kind === 'news')) out.push(newsPoll(add))
  return out
}

function payload(m: Row, session: Session): readonly Meaning[] {
  const meanings = decoded(m, session)
  return session.delayed
    ? meanings.map((one) => ('time' in one && one.type !== 'delta' ? { ...one, delayed: DELAY } : one))
    : meanings
}

function decoded(m: Row, session: Session): readonly Meaning[] {
  const { number } = values
  switch (m.ev) {
    case 'status':
      return status(m, session)
    // {"ev":"T","sym":"MSFT","x":4,"i":"12345","z":3,"p":114.125,"s":100,"c":[0,12],"t":1536036818784,"q":3681328}
    case 'T':
      return [traded(m, m.sym, 'unknown', session)]
    // {"ev":"XT","pair":"BTC-USD","p":33021.9,"t":1610462007425,"s":0.01616617,"c":[2],"i":14272084,"x":3,"r":1610462007576}
    case 'XT':
      return [traded(m, prefixed('X', m.pair), sideOf(m.c), session)]
    // {"ev":"Q","sym":"MSFT","bx":4,"bp":114.125,"bs":100,"ax":7,"ap":114.128,"as":160,"c":0,"i":[604],"t":1536036818784,"z":3}
    case 'Q': {
      const time = epoch(m.t)
      const lot = time < SHARES_SINCE && typeof m.sym === 'string' && m.sym[1] !== ':' ? 100 : 1
      return listed(values.quote(m.sym, time, number(m.bp), number(m.bs) * lot, number(m.ap), number(m.as) * lot))
    }
    // {"ev":"XQ","pair":"BTC-USD","bp":33052.79,"bs":0.48,"ap":33073.19,"as":0.601,"t":1610462411115,"x":1,"r":1610462411128}
    case 'XQ':
      return listed(values.quote(prefixed('X', m.pair), epoch(m.t), number(m.bp), number(m.bs), number(m.ap), number(m.as)))
    // {"ev":"C","p":"USD/CNH","x":44,"a":6.83366,"b":6.83363,"t":1536036818784}: the pair stands in p, and there are no sizes
    case 'C':
      return listed(values.quote(prefixed('C', m.p), epoch(m.t), number(m.b), 0, number(m.a), 0))
    // {"ev":"A","sym":"SPCE","v":200,"av":8642007,"op":25.66,"o":25.39,"c":25.39,"h":25.39,"l":25.39,"s":1610144868000,"e":1610144869000}
    case 'A':
      return second(m, session)
    // {"ev":"AM","sym":"GTE","v":4110,"av":9470157,"op":0.4372,"vw":0.4488,"o":0.4488,"c":0.4486,"h":0.4489,"l":0.4486,"s":1610144640000,"e":1610144700000}
    case 'AM':
      return [minute(m, clusterSymbol(m.sym))]
    case 'XA':
      return [minute(m, prefixed('X', m.pair))]
    case 'CA':
      return [minute(m, prefixed('C', m.pair))]
    // {"ev":"LULD","T":"MSFT","h":218.96,"l":198.11,"i":[21],"z":3,"t":1601316752683746,"q":290317}
    case 'LULD':
      return band(m)
    // {"ev":"V","val":3988.5,"T":"I:SPX","t":1678220098130}
    case 'V':
      return [values.index(m.T, epoch(m.t), number(m.val))]
    // Seconds of crypto and forex, fair values, imbalances, level 2 of crypto: not asked for; anything new must be ignored.
    default:
      return typeof m.ev === 'string' ? [] : [values.refused('a frame of an unknown shape')]
  }
}

const prefixed = (prefix: string, pair: unknown): unknown => (typeof pair === 'string' ? `${prefix}:${pair}` : pair)
/** Minutes of forex on the launchpad are named as in REST with a dash: `C:USD-EUR`. */
const clusterSymbol = (sym: unknown): unknown => (typeof sym === 'string' && sym.startsWith('C:') ? sym.replace('-', '/') : sym)
const listed = (meaning: Meaning | undefined): readonly Meaning[] => (meaning ? [meaning] : [])

function traded(m: Row, symbol: unknown, side: 'buy' | 'sell' | 'unknown', { hours }: Session): Meaning {
  const [time, price] = [epoch(m.t), values.number(m.p)]
  const size = values.number(m.ds ?? m.s)
  const id = idOf(time, m.x, m.trfi, m.i)
  // Trades of options have no id.
  const event = id === undefined ? values.print(symbol, time, price, size) : values.trade(symbol, id, time, price, size, side)
  if (event.type !== 'trade') return event
  event.side = side
  if (typeof m.x === 'number') event.venue = String(m.x)
  const conditions = values.codes(m.c)
  if (conditions) event.conditions = conditions
  if (m.ev !== 'T' || prefixOf(event.symbol) !== '') return event
  if (!isLast(conditions)) event.ineligible = true
  event.session = sessionOf(time, conditions ?? [], CODES, hours)
  return event
}

/** The bar of a second is a ticker: its close over the day's open and volume, and what the last snapshot knew. */
function second({ sym, c, h, l, op: open, av: volume, e, s }: Row, { days }: Session): readonly Meaning[] {
  if (typeof sym === 'string' && prefixOf(sym) !== '') return []
  const [last, day, time] = [values.number(c), days.get(sym as string), epoch(e ?? s)]
  if (day === undefined) return [values.ticker(sym, time, last, { open, volume })]
  const [high, low] = [Math.max(day.high, values.number(h) || 0), Math.min(day.low, values.number(l) || Infinity)]
  const change = last - day.prevClose
  const changePercent = (change / day.prevClose) * 100
  return [values.ticker(sym, time, last, { open, volume, high, low, change, changePercent, prevClose: day.prevClose })]
}

/** The bar of a minute, sent once when it is over; its start is `s`. */
function minute({ s, e, o: open, h: high, l: low, c: close, v: volume }: Row, symbol: unknown): Meaning {
  const start = epoch(s)
  return values.candle({
    symbol,
    interval: '1m',
    start,
    time: e === undefined ? start + 60_000 : epoch(e),
    open,
    high,
    low,
    close,
    volume: volume ?? 0,
    closed: true
  })
}

function band({ T: symbol, h, l, i, t }: Row): readonly Meaning[] {
  const [up, down, time] = [values.number(h), values.number(l), epoch(t)]
  // No band is set out of regular hours.
  if (up === 0 && down === 0) return []
  if (typeof symbol !== 'string' || !values.isPrice(up) || !values.isPrice(down) || up < down)
    return [values.refused('band: impossible')]
  const indicator = values.codes(i)?.join(',')
  return Number.isNaN(time)
    ? [values.refused('band: impossible time')]
    : [{ type: 'band', symbol, time, up, down, ...(indicator && { indicator }) }]
}

/** {"ev":"status","status":"auth_success","message":"authenticated"}; one `success` per item of a subscription */
function status({ status: what, message }: Row, session: Session): readonly Meaning[] {
  const reason = values.say(message)
  switch (what) {
    case 'connected':
      return []
    case 'auth_success':
      session.admitted = true
      return frames('subscribe', [...session.wanted.values()]).map((frame) => ({ type: 'reply', frame }))
    case 'success': {
      const one = session.wanted.get(/^subscribed to: (.+)$/.exec(reason)?.[1] ?? '')
      return one ? [{ type: 'ack', kind: one.kind, symbol: one.symbol }] : []
    }
    case 'auth_failed':
      return [{ type: 'reject', reason: `${reason} (auth_failed)`, denied: true }]
    case 'auth_timeout':
      return [{ type: 'hangup', reason }]
    case 'max_connections':
      return [{ type: 'reject', fatal: true, reason: `another program uses the same key: ${reason} (max_connections)` }]
    default: {
      // {"ev":"status","status":"error","message":"not authorized to subscribe to: T.AAPL"}
      const one = session.wanted.get(/: (\S+)$/.exec(reason)?.[1] ?? '')
      // Without the bars of a second its ticker still comes by REST.
      if (one?.kind === 'ticker') return []
      return [one ? { type: 'reject', kind: one.kind, symbol: one.symbol, reason } : { type: 'reject', reason }]
    }
  }
}
