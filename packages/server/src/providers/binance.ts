/** Binance spot, and Binance.US, which speaks the same. https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams */
import { INTERVALS } from '@tickwire/protocol'
import { adapter, type Adapter } from './adapter.ts'
import { ask, openSession, payload, snapshotOf, type Market, type Message, type Session } from './binance.market.ts'
import { answer } from './binance.rest.ts'
import * as values from './values.ts'

const SPOT: Market = { api: '/api/v3', chained: false }

/** All that the markets have in common: how they are asked and read. */
export const spoken = (market: Market) =>
  ({
    intervals: INTERVALS,
    needs: [],
    lifetime: 86_400_000,
    books: 'numbered',
    audit: (symbol) => ({ ...snapshotOf(market)(symbol), purpose: 'audit' }),
    listing: `${market.api}/exchangeInfo`,
    history: (symbol, interval, limit) => ({
      type: 'need',
      purpose: 'history',
      symbol,
      interval,
      path: `${market.api}/klines?symbol=${encodeURIComponent(symbol)}&interval=${interval}&limit=${Math.min(limit, 1000)}`
    }),
    // Aggregates are numbered without holes per symbol.
    countsTrades: true,
    // An hour at most, which is also what one call may span.
    fill(symbol, from, to) {
      const span = `startTime=${Math.max(Math.floor(from), Math.ceil(to) - 3_600_000)}&endTime=${Math.ceil(to)}&limit=1000`
      const path = `${market.api}/aggTrades?symbol=${encodeURIComponent(symbol)}&${span}`
      return { type: 'need', purpose: 'trades', symbol, path }
    },
    open: () => openSession(market),
    subscribe: (wanted, session) => ask('SUBSCRIBE', wanted, session),
    unsubscribe(unwanted, session) {
      for (const { kind, symbol } of unwanted) {
        if (kind === 'book') session.books.delete(symbol)
        if (kind === 'trade') session.aggregates.delete(symbol)
      }
      return ask('UNSUBSCRIBE', unwanted, session)
    },
    decode(frame, received, session, need) {
      try {
        const message = JSON.parse(values.textOf(frame)) as Message
        if (need) return answer(message, received, session, need)
        if (message.stream !== undefined) return payload(message.data!, received, session, message.stream)
        return payload(message, received, session, '')
      } catch {
        return values.unreadable(frame)
      }
    }
  }) satisfies Partial<Adapter<Session>>

export const binance = adapter<Session>({
  ...spoken(SPOT),
  provider: 'binance',
  title: 'Binance',
  wsUrl: 'wss://stream.binance.com:9443/stream',
  restUrl: 'https://api.binance.com',
  kinds: ['trade', 'quote', 'ticker', 'candle', 'book'],
  about: {
    docs: 'https://developers.binance.com/docs/binance-spot-api-docs',
    coverage: 'Crypto spot markets of Binance; trades as aggregated by taker order and price',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: {
    subscriptionsPerConnection: 1024,
    framesPerSecond: 4, // 5 are allowed, and pongs count
    attempts: { count: 300, per: 300_000 },
    requestsPerSecond: 2
  },
  // Control pings of the server come every 20 s; a question of our own shows life on a quiet symbol too.
  ping: { every: 15_000, frame: '{"method":"LIST_SUBSCRIPTIONS","id":0}' },
  staleAfter: 40_000
})

/** Off unless asked for: it serves the United States, where the other does not. */
export const binanceUs = adapter<Session>({
  ...binance,
  provider: 'binance-us',
  title: 'Binance.US',
  wsUrl: 'wss://stream.binance.us:9443/stream',
  restUrl: 'https://api.binance.us',
  offByDefault: true,
  about: {
    ...binance.about,
    docs: 'https://docs.binance.us',
    coverage: 'Crypto spot markets of Binance.US; trades as aggregated by taker order and price'
  }
})
