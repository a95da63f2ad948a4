/** Alpaca US equities, stream v2. https://docs.alpaca.markets/docs/real-time-stock-pricing-data */
import { INTERVAL_MS, type DataKind, type Interval } from '@tickwire/protocol'
import { adapter, type Access, type Listing, type Meaning, type Need, type Subscription } from './adapter.ts'
import { follow, type Forming } from './forming.ts'
import { parseTime } from './time.ts'
import * as values from './values.ts'
import { batches, kindsOf, leave, want, type Wants } from './wants.ts'

type Session = {
  access: Access
  authenticated: boolean
  wants: Wants
  /** What each frame that was sent and not yet answered asked for: errors do not name it. */
  sent: (readonly Subscription[])[]
  /** The day's bar of each symbol, for its ticker. */
  days: Map<string, Row>
  corrections: number
  forming: Forming
}

const TIMEFRAME: Record<Interval, string> = {
  '1m': '1Min',
  '3m': '3Min',
  '5m': '5Min',
  '15m': '15Min',
  '30m': '30Min',
  '1h': '1Hour',
  '2h': '2Hour',
  '4h': '4Hour',
  '6h': '6Hour',
  '8h': '8Hour',
  '12h': '12Hour',
  '1d': '1Day'
}
/** There is no ticker on the socket: its last price is that of the trades, its statistics those of the day's bar. */
const channelsOf = ({ kind, interval }: Subscription): readonly string[] =>
  kind === 'candle'
    ? interval === '1d'
      ? ['dailyBars']
      : ['bars', 'updatedBars']
    : kind === 'ticker'
      ? ['trades', 'dailyBars']
      : [`${kind}s`]
const CARRIED: Record<string, readonly DataKind[]> = {
  trades: ['trade'],
  quotes: ['quote'],
  bars: ['candle'],
  dailyBars: ['candle']
}

/** Sizes of quotes are in shares since 3 November 2025, in round lots of 100 before. */
const SHARES_SINCE = 1_762_128_000_000
/** Trade ids are unique per symbol, exchange and trading day; a day in New York never crosses midnight at UTC-5. */
const dayOf = (time: number): number => Math.floor((time - 18_000_000) / 86_400_000)

export const alpaca = adapter<Session>({
  provider: 'alpaca',
  title: 'Alpaca',
  wsUrl: 'wss://stream.data.alpaca.markets/v2/iex',
  restUrl: 'https://data.alpaca.markets',
  kinds: ['trade', 'quote', 'ticker', 'candle'],
  intervals: Object.keys(TIMEFRAME) as Interval[],
  streams: ['1m', '1d'],
  needs: ['key', 'secret'],
  about: {
    docs: 'https://docs.alpaca.markets/docs/about-market-data-api',
    coverage: 'US equities; the free feed is IEX alone, 2 to 3 % of the volume: never a total',
    redistribution: 'forbidden',
    cost: 'free for IEX with an account; SIP by subscription'
  },
  limits: {
    subscriptionsPerConnection: 10_000, // one connection an account: a second one is refused (406)
    framesPerSecond: 10,
    attempts: { count: 10, per: 60_000 },
    requestsPerSecond: 3 // 200 a minute
  },
  staleAfter: 600_000, // out of hours nothing comes, and there is no frame to ask for life
  listing: '/v2/assets?status=active&asset_class=us_equity',
  listingUrl: 'https://paper-api.alpaca.markets',
  history(symbol, interval, limit, now, access) {
    const count = Math.min(limit, 10_000)
    // Sessions fill about a fifth of the hours of a week: reach back far enough, and take the newest.
    const start = new Date(now - count * INTERVAL_MS[interval] * 6 - 4 * 86_400_000).toISOString()
    const query = `symbols=${encodeURIComponent(symbol)}&timeframe=${TIMEFRAME[interval]}&start=${start}&limit=${count}`
    const path = `/v2/stocks/bars?${query}&sort=desc&adjustment=split&feed=${encodeURIComponent(access.feed ?? 'iex')}`
    return { type: 'need', purpose: 'history', symbol, interval, path }
  },
  dial: (wsUrl, { feed }) => (feed === undefined ? wsUrl : wsUrl.replace(/\/v2\/\w+$/, `/v2/${encodeURIComponent(feed)}`)),
  headers: ({ key = '', secret = '' }) => ({ 'APCA-API-KEY-ID': key, 'APCA-API-SECRET-KEY': secret }),

  open: (access) => ({
    access,
    authenticated: false,
    wants: new Map(),
    sent: [],
    days: new Map(),
    corrections: 0,
    forming: new Map()
  }),
  greet: ({ access: { key, secret } }) => [JSON.stringify({ action: 'auth', key, secret })],

  subscribe(wanted, session) {
    for (const one of wanted) for (const channel of channelsOf(one)) want(session.wants, channel, one.symbol, one.kind)
    // Asked before it is let in, the server answers 401; all that is wanted is sent once it has.
    return session.authenticated ? ask('subscribe', wanted, session) : []
  },
  unsubscribe(unwanted, session) {
    const free = unwanted.flatMap((one) =>
      channelsOf(one)
        .filter((channel) => leave(session.wants, channel, one.symbol, one.kind))
        .map((channel) => ({ channel, symbol: one.symbol }))
    )
    if (free.length === 0 || !session.authenticated) return []
    session.sent.push([])
    return [JSON.stringify({ action: 'unsubscribe', ...byChannel(free) })]
  },

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as Row[]
      if (need) return answer(message, received, need)
      return values.each(message, (row) => payload(row, received, session))
    } catch {
      return values.unreadable(frame)
    }
  }
})

/** `{"action":"subscribe","trades":["AAPL"],"quotes":["AMD"]}`, few at a time: over the plan's limit a whole frame is refused. */
function ask(action: 'subscribe', wanted: readonly Subscription[], session: Session): readonly string[] {
  return batches(wanted, 10).map((batch) => {
    session.sent.push(batch)
    const pairs = batch.flatMap((one) => channelsOf(one).map((channel) => ({ channel, symbol: one.symbol })))
    return JSON.stringify({ action, ...byChannel(pairs) })
  })
}

function byChannel(pairs: readonly { channel: string; symbol: string }[]): Record<string, string[]> {
  const channels: Record<string, string[]> = {}
  for (const { channel, symbol } of pairs) {
    const symbols = (channels[channel] ??= [])
    if (!symbols.includes(symbol)) symbols.push(symbol)
  }
  return channels
}

function payload(m: Row, received: number, session: Session): readonly Meaning[] {
  switch (m.T) {
    // {"T":"t","S":"AAPL","i":628,"x":"K","p":162.92,"s":3,"c":["@","F"],"z":"C","t":"2023-04-06T11:54:26.838232225Z"}
    case 't':
      return traded(m, session)
    // {"T":"q","S":"AMD","bx":"K","bp":91.95,"bs":2,"ax":"Q","ap":91.98,"as":1,"c":["R"],"z":"C","t":"2023-04-06T11:54:21.670905508Z"}
    case 'q':
      return quoted(m)
    // {"T":"b","S":"AAPL","o":177.94,"c":178.005,"h":178.005,"l":177.94,"v":8547,"t":"2024-06-17T14:11:00Z","n":66,"vw":177.98}
    case 'b':
      return [bar(m, '1m', received, { closed: true })]
    // The same bar again, half a minute later, with the trades that were late.
    case 'u':
      return [bar(m, '1m', received, { closed: true, revision: ++session.corrections })]
    case 'd':
      return daily(m, received, session)
    // [{"T":"success","msg":"connected"}], then, when the key is good, [{"T":"success","msg":"authenticated"}]
    case 'success':
      return m.msg === 'authenticated' ? admitted(session) : []
    // {"T":"subscription","trades":["AAPL"],"quotes":["AMD"],"bars":["*"],"dailyBars":["VOO"],...}: all that is subscribed now
    case 'subscription':
      return confirmed(m, session)
    case 'error':
      return failed(m, session)
    // Statuses, limits up and down, corrections and cancellations; anything new must be ignored.
    default:
      return typeof m.T === 'string' ? [] : [values.refused('a frame of an unknown shape')]
  }
}

function traded(m: Row, session: Session): readonly Meaning[] {
  const time = parseTime(m.t)
  const taker = m.tks === 'B' ? 'buy' : m.tks === 'S' ? 'sell' : 'unknown'
  const id =
    typeof m.i === 'number' || typeof m.i === 'string' ? `${dayOf(time)}-${typeof m.x === 'string' ? m.x : ''}-${m.i}` : undefined
  const event = values.trade(m.S, id, time, values.number(m.p), values.number(m.s), taker)
  if (event.type !== 'trade' || !session.wants.get('trades')?.get(event.symbol)?.has('ticker')) return [event]
  return [event, ticker(event.symbol, time, event.price, session)]
}

/** On IEX alone the day's volume is not the market's, so it is left out. */
function ticker(symbol: string, time: number, last: number, session: Session): Meaning {
  const day = session.days.get(symbol)
  if (!day) return values.ticker(symbol, time, last, {})
  const change = last - values.number(day.o)
  const changePercent = (change / values.number(day.o)) * 100
  const volume = (session.access.feed ?? 'iex') === 'iex' ? undefined : day.v
  return values.ticker(symbol, time, last, { open: day.o, high: day.h, low: day.l, volume, change, changePercent })
}

/** Price 0: nobody quotes on that side. */
function quoted(m: Row): readonly Meaning[] {
  const { number } = values
  const time = parseTime(m.t)
  const lot = time < SHARES_SINCE ? 100 : 1
  const event = values.quote(m.S, time, number(m.bp), number(m.bs) * lot, number(m.ap), number(m.as) * lot)
  return event ? [event] : []
}

/** `t` is the start of the bar. */
function bar(m: Row, interval: Interval, time: number, { closed, revision = 0 }: { closed: boolean; revision?: number }) {
  const { S: symbol, o: open, h: high, l: low, c: close, v: volume, n: trades } = m
  return values.candle({
    symbol,
    interval,
    start: parseTime(m.t),
    time,
    open,
    high,
    low,
    close,
    volume,
    trades,
    closed,
    revision
  })
}

/** The day's bar so far, every minute: {"T":"d", and the rest as in a minute bar} */
function daily(m: Row, received: number, session: Session): readonly Meaning[] {
  const event = bar(m, '1d', received, { closed: false })
  if (event.type !== 'candle') return [event]
  session.days.set(event.symbol, m)
  return [...follow(session.forming, event), ticker(event.symbol, received, event.close, session)]
}

// ---- login, acks, errors -----------------------------------------------------------------------------------------

function admitted(session: Session): readonly Meaning[] {
  session.authenticated = true
  const wanted: Subscription[] = []
  for (const [channel, symbols] of session.wants)
    for (const [symbol, kinds] of symbols)
      for (const kind of kinds) {
        if (kind === 'ticker' && channel !== 'trades') continue
        if (kind === 'candle' && channel === 'updatedBars') continue
        wanted.push(kind === 'candle' ? { kind, symbol, interval: channel === 'bars' ? '1m' : '1d' } : { kind, symbol })
      }
  return ask('subscribe', wanted, session).map((frame) => ({ type: 'reply', frame }))
}

function confirmed(m: Row, session: Session): readonly Meaning[] {
  session.sent.shift()
  return Object.entries(CARRIED).flatMap(([channel, carried]) =>
    ((m[channel] ?? []) as string[])
      .filter((symbol) => typeof symbol === 'string' && symbol !== '*')
      .flatMap((symbol) =>
        Array.from(kindsOf(session.wants, channel, symbol, carried), (kind) => ({ type: 'ack', kind, symbol }) as const)
      )
  )
}

/** Nothing but another key or plan helps: refused, already told so, or not paid for. */
const FATAL = new Set([402, 409, 411])
/** The server closes after these, or should be left: too late, too slow, broken. */
const ENDING = new Set([404, 407, 500])

/** {"T":"error","code":406,"msg":"connection limit exceeded"} */
function failed(m: Row, session: Session): readonly Meaning[] {
  const code = m.code as number
  const reason = `${values.say(m.msg)} (${values.say(code)})`
  if (FATAL.has(code)) return [{ type: 'reject', reason, fatal: true }]
  if (ENDING.has(code)) return [{ type: 'ending', reason }]
  // 401 and 406 are about the connection: 406 passes, a half-dead session is held for about 90 s. 403: already let in.
  if (code === 403) return []
  const asked = code === 401 || code === 406 ? [] : (session.sent.shift() ?? [])
  if (asked.length === 0) return [{ type: 'reject', reason }]
  return asked.map(({ kind, symbol }) => ({ type: 'reject', kind, symbol, reason }))
}

// ---- answers of REST ---------------------------------------------------------------------------------------------

function answer(m: unknown, received: number, need: Need): readonly Meaning[] {
  // {"code":40110000,"message":"request is not authorized"}
  if (values.isRecord(m) && m.message !== undefined) return [values.rejected(need.symbol, values.say(m.message))]
  if (need.purpose === 'listing') return [{ type: 'listing', rows: (m as Row[]).flatMap(listed) }]
  // {"bars":{"AAPL":[{"t":"2021-10-13T04:00:00Z","o":141.21,"h":141.4,"l":139.2,"c":140.91,"v":78993712,"n":595435,"vw":140.36}]}}
  const bars = (m as { bars: Record<string, Row[]> | null }).bars?.[need.symbol!] ?? []
  const rows = bars.map(({ t, o: open, h: high, l: low, c: close, v: volume, n: trades }) => {
    const parts = { symbol: need.symbol, interval: need.interval!, start: parseTime(t), time: received, closed: false }
    return { ...parts, open, high, low, close, volume, trades }
  })
  return values.pastCandles(rows, received)
}

/** {"class":"us_equity","exchange":"NASDAQ","symbol":"AAPL","name":"Apple Inc. Common Stock","status":"active","tradable":true,...} */
function listed({ symbol, name, status, tradable, class: kind }: Row): readonly Listing[] {
  if (typeof symbol !== 'string' || (kind !== undefined && kind !== 'us_equity')) return []
  const row: Listing = { symbol, base: symbol, trading: status === 'active' && tradable !== false }
  return [typeof name === 'string' && name !== '' ? { ...row, name } : row]
}

type Row = Record<string, unknown>
