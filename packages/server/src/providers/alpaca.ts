/** Alpaca: US stocks, crypto and news, a connection each, and the user's own account. https://docs.alpaca.markets/docs/streaming-market-data */
import type { Interval } from '@tickwire/protocol'
import { adapter, type Meaning } from './adapter.ts'
import { ACCOUNT_KINDS, accountPolls, endedPolls, LISTEN, login, tradingUrl, traded } from './alpaca.account.ts'
import { admitted, ask, carries, channelsOf, confirmed, failed, keyOf, keepalive, subscribing } from './alpaca.channels.ts'
import { read, write } from './alpaca.codec.ts'
import { dated, payload } from './alpaca.data.ts'
import { answer, bookOf, historyOf, locationOf, STOCKS, TIMEFRAME, tradesOf } from './alpaca.rest.ts'
import { isCrypto, isMessagePack, openSession, type Row, type Session } from './alpaca.session.ts'
import * as values from './values.ts'
import { leave, want } from './wants.ts'

/** Feeds that are under another version than the rest. */
const BETA = new Set(['boats', 'overnight'])

export const alpaca = adapter<Session>({
  provider: 'alpaca',
  title: 'Alpaca',
  wsUrl: 'wss://stream.data.alpaca.markets/v2/iex',
  restUrl: 'https://data.alpaca.markets',
  kinds: ['trade', 'quote', 'ticker', 'candle', 'book', 'halt', 'band', 'correction', 'news', 'position', 'account', 'order'],
  whole: ['news', 'position', 'account', 'order'],
  intervals: Object.keys(TIMEFRAME) as Interval[],
  streams: ['1m', '1d'],
  needs: ['key', 'secret'],
  takes: {
    codec: 'Form of the frames: json (the usual one) or msgpack',
    crypto: 'Where crypto is traded: us (the usual one), us-1 or eu-1',
    tradingUrl: 'Trading API, for the account; default by the key: https://paper-api.alpaca.markets or https://api.alpaca.markets'
  },
  about: {
    docs: 'https://docs.alpaca.markets/docs/about-market-data-api',
    coverage: 'US equities, crypto, news; the free feed of stocks is IEX alone, 2 to 3 % of the volume: never a total',
    redistribution: 'forbidden',
    cost: 'free for IEX, crypto and news with an account; SIP by subscription'
  },
  limits: {
    subscriptionsPerConnection: 10_000,
    connections: 1, // an account and endpoint: a second one is refused (406)
    framesPerSecond: 10,
    attempts: { count: 10, per: 60_000 },
    requestsPerSecond: 3 // 200 a minute
  },
  // What is subscribed already is asked again: the list that answers it says that the connection lives.
  ping: { every: 120_000, frame: (session) => (session.listening ? LISTEN : keepalive(session)) },
  staleAfter: 600_000,
  calendar: (route) => (route === 'crypto' || route === 'news' ? '24/7' : 'XNYS'),
  binary: true, // MessagePack on choice; the trading stream of paper accounts writes its text into binary frames anyway
  listing: STOCKS,
  listingUrl: tradingUrl,
  history: historyOf,
  fill: tradesOf,
  audit: bookOf,
  route: ({ kind, symbol }) =>
    kind === 'news' ? 'news' : ACCOUNT_KINDS.has(kind) ? 'account' : isCrypto(symbol) ? 'crypto' : 'stocks',
  dial(wsUrl, access, route = '') {
    const { feed } = access
    const base = wsUrl.replace(/\/v\d\w*\/\w+$/, '')
    if (route === 'account') return `${tradingUrl(access).replace(/^http/, 'ws')}/stream`
    if (route === 'news') return `${base}/v1beta1/news`
    if (route === 'crypto') return `${base}/v1beta3/crypto/${encodeURIComponent(locationOf(access))}`
    return feed === undefined ? wsUrl : `${base}/${BETA.has(feed) ? 'v1beta1' : 'v2'}/${encodeURIComponent(feed)}`
  },
  carries,
  upgrade: (access) => (isMessagePack(access) ? { 'Content-Type': 'application/msgpack' } : {}),
  headers: ({ key = '', secret = '' }): Readonly<Record<string, string>> =>
    key === 'oauth' ? { authorization: `Bearer ${secret}` } : { 'APCA-API-KEY-ID': key, 'APCA-API-SECRET-KEY': secret },

  open: openSession,
  greet: (session) => {
    const { key, secret } = session.access
    return session.route === 'account'
      ? [login(session)]
      : [write({ action: 'auth', key, secret }, isMessagePack(session.access))]
  },

  isAdmitted: ({ authenticated }) => authenticated,
  subscribe(wanted, session) {
    for (const one of wanted) session.wanted.set(keyOf(one), one)
    if (session.route === 'account') return accountPolls(session)
    for (const one of wanted) for (const channel of channelsOf(one)) want(session.wants, channel, one.symbol, one.kind)
    // Asked before it is let in, the server answers 401; all that is wanted is sent once it has.
    return session.authenticated ? subscribing(wanted, session) : []
  },
  unsubscribe(unwanted, session) {
    for (const one of unwanted) session.wanted.delete(keyOf(one))
    const free = unwanted.flatMap((one) =>
      channelsOf(one)
        .filter((channel) => leave(session.wants, channel, one.symbol, one.kind))
        .map((channel) => ({ channel, symbol: one.symbol }))
    )
    for (const { kind, symbol } of unwanted) session.fetched.delete(`${kind} ${symbol}`)
    session.full = false
    if (session.route === 'account') return endedPolls(session)
    if (free.length === 0 || !session.authenticated) return []
    return [ask('unsubscribe', free, [], session)]
  },

  decode(frame, received, session, need) {
    try {
      const message = read(frame)
      if (need) return answer(message, received, need, session)
      if (session.route === 'account' && values.isRecord(message)) return traded(message, received, session)
      const found = values.each(message as Row[], (row) => meant(row, received, session))
      return dated(found, session)
    } catch {
      return values.unreadable(frame)
    }
  }
})

function meant(m: Row, received: number, session: Session): readonly Meaning[] {
  if (!values.isRecord(m)) return [values.refused('a frame of an unknown shape')]
  switch (m.T) {
    // [{"T":"success","msg":"connected"}], then, when the key is good, [{"T":"success","msg":"authenticated"}]
    case 'success':
      return m.msg === 'authenticated' ? admitted(session) : []
    // {"T":"subscription","trades":["AAPL"],"quotes":["AMD"],"bars":["*"],"dailyBars":["VOO"],...}: all that is subscribed now
    case 'subscription':
      return confirmed(m, session)
    // {"T":"error","code":406,"msg":"connection limit exceeded"}
    case 'error':
      return failed(m, session)
    default:
      return payload(m, received, session)
  }
}
