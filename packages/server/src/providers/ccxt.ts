/**
 * CCXT: any exchange that the library reaches, by name. The library runs in a shell (shells/ccxt.ts), which is told what to watch
 * and hands on its unified objects as JSON. https://docs.ccxt.com
 */
import { INTERVALS, type DataKind } from '@tickwire/protocol'
import { adapter, type Meaning, type Need, type Subscription } from './adapter.ts'
import { MAKER_SIDE } from './ccxt.exchanges.ts'
import { answer } from './ccxt.rest.ts'
import { candles, order, quoted, tick, traded, type Place, type Row } from './ccxt.rows.ts'
import type { Forming } from './forming.ts'
import * as values from './values.ts'

export type Session = {
  exchange: string
  forming: Forming
  /** Symbols of which trades were heard: the first of them are often from before. */
  begun: Set<string>
}
type Message = Row & { symbol?: unknown; rows?: unknown; lot?: unknown; timeframe?: unknown }

/** Our kinds in the words of the library. */
const WATCHED: Partial<Record<DataKind, string>> = {
  trade: 'trades',
  quote: 'bidsAsks',
  ticker: 'ticker',
  candle: 'ohlcv',
  book: 'orderbook'
}
const KIND = new Map(Object.entries(WATCHED).map(([kind, watched]) => [watched, kind as DataKind]))

/** `bybit:BTC/USDT:USDT` → `bybit`: the library's symbols hold colons too. */
const exchangeOf = (symbol: string): string => symbol.slice(0, Math.max(0, symbol.indexOf(':')))
const unified = (symbol: string): string => symbol.slice(symbol.indexOf(':') + 1)
const placeOf = (exchange: string, symbol: unknown, lot?: unknown): Place => ({
  symbol: typeof symbol !== 'string' || symbol === '' ? '' : exchange === '' ? symbol : `${exchange}:${symbol}`,
  ...(exchange === '' ? {} : { venue: exchange }),
  makerSide: MAKER_SIDE.has(exchange),
  lot: typeof lot === 'number' && values.isPrice(lot) ? lot : 1
})

/** `{"watch":"ohlcv","symbol":"BTC/USDT","timeframe":"1m"}` */
const say =
  (verb: 'watch' | 'unwatch') =>
  ({ kind, symbol, interval }: Subscription): string =>
    JSON.stringify({ [verb]: WATCHED[kind], symbol: unified(symbol), timeframe: interval })

const past = (symbol: string, from: number): Need => ({
  type: 'need',
  purpose: 'trades',
  symbol,
  path: `/trades?symbol=${encodeURIComponent(symbol)}&since=${Math.floor(from)}`
})

export const ccxt = adapter<Session>({
  provider: 'ccxt',
  title: 'CCXT',
  wsUrl: 'ccxt://exchange',
  restUrl: 'https://docs.ccxt.com',
  kinds: ['trade', 'quote', 'ticker', 'candle', 'book'],
  intervals: INTERVALS,
  needs: [],
  takes: {
    exchanges: 'Exchanges to use by the library’s names, as in "bybit,okx"; the first that lists an instrument carries it.',
    settings: 'JSON of the library’s own settings by exchange, as in {"bybit":{"hostname":"bybit.eu"}}.'
  },
  offByDefault: true,
  about: {
    docs: 'https://docs.ccxt.com',
    coverage: 'Spot markets, perpetuals and futures of the exchanges that you name, of more than 100; what each gives differs',
    redistribution: 'restricted',
    cost: 'free'
  },
  limits: {
    subscriptionsPerConnection: 300,
    framesPerSecond: 50, // the library paces what leaves
    attempts: { count: 30, per: 60_000 },
    requestsPerSecond: 5
  },
  ping: { every: 15_000, frame: '{"ping":1}' },
  staleAfter: 45_000,
  books: 'pieced', // the library makes them, and does not say of what
  // The library’s memory of sockets and subscriptions only grows: it is begun anew twice a day.
  lifetime: 43_200_000,
  listing: '/listing',
  history: (symbol, interval, limit) => ({
    type: 'need',
    purpose: 'history',
    symbol,
    interval,
    path: `/candles?symbol=${encodeURIComponent(symbol)}&interval=${interval}&limit=${Math.min(limit, 1000)}`
  }),
  fill: (symbol, from) => past(symbol, from),
  route: ({ symbol }) => exchangeOf(symbol),
  dial: (_wsUrl, _access, route = '') => `ccxt://${route}`,

  open: (_access, route = '') => ({ exchange: route, forming: new Map(), begun: new Set() }),
  // An exchange that could not be listed at the start is listed as soon as it can be.
  greet: () => [{ poll: 'listing', need: { type: 'need', purpose: 'listing', path: '/listing?changed' }, every: 600_000 }],
  subscribe: (wanted) => wanted.map(say('watch')),
  unsubscribe(unwanted, { forming, begun }) {
    for (const { kind, symbol, interval } of unwanted) {
      if (kind === 'candle') forming.delete(`${interval} ${symbol}`)
      if (kind === 'trade') begun.delete(symbol)
    }
    return unwanted.map(say('unwatch'))
  },

  decode(frame, received, session, need) {
    try {
      const message = JSON.parse(values.textOf(frame)) as unknown
      if (need) {
        const exchange = need.symbol === undefined ? session.exchange : exchangeOf(need.symbol)
        const lot = (message as Message).lot
        return answer(message as Row, received, need, placeOf(exchange, unified(need.symbol ?? ''), lot))
      }
      return payload(message, received, session)
    } catch {
      return values.unreadable(frame)
    }
  }
})

function payload(message: unknown, received: number, session: Session): readonly Meaning[] {
  // [{"id":"16599292","timestamp":1626992741421,"symbol":"CTK/USDT:USDT","side":"buy","price":1.011,"amount":10}]: as the library says it
  if (Array.isArray(message))
    return values.each(message as Row[], (row) => [traded(row, placeOf(session.exchange, row.symbol), received)])
  const m = message as Message
  const place = placeOf(session.exchange, m.symbol, m.lot)
  switch (m.kind) {
    // {"kind":"trades","symbol":"BTC/USDT","rows":[{"id":"5","timestamp":1626992741421,"side":"buy","price":1.011,"amount":10}]}
    case 'trades':
      return tape(rowsOf(m), place, received, session)
    // {"kind":"ticker","symbol":"BTC/USDT","rows":[{"timestamp":1786309548229,"last":65086.18,"open":65023.75,"baseVolume":2867.5}]}
    case 'ticker':
      return rowsOf(m).flatMap((row) => tick(row, place, received))
    // {"kind":"bidsAsks","symbol":"BTC/USDT","rows":[{"bid":0.3521,"bidVolume":672,"ask":0.3526,"askVolume":3199}]}
    case 'bidsAsks':
      return rowsOf(m).flatMap((row) => quoted(row, place, received))
    // {"kind":"ohlcv","symbol":"NKN/USDT","timeframe":"1m","rows":[[1633998480000,0.3527,0.3528,0.3522,0.3528,25877]]}
    case 'ohlcv':
      return candles(m.last === undefined ? m.rows : [m.last], m.timeframe, place, received, session.forming)
    // {"kind":"orderbook","symbol":"BTC/USD","rows":[{"timestamp":1786309548483,"nonce":7,"bids":[[65083.66,0.2]],"asks":[[65083.67,0.3]]}]}
    case 'orderbook':
      return (m.rows === undefined ? [m] : rowsOf(m)).map((row) => order(row, place, received))
    default:
      return told(m, place, received)
  }
}

/** Older than this when first heard, a trade is of the past with which exchanges greet, ms. */
const OLD = 10_000

function tape(rows: readonly Row[], place: Place, received: number, { begun }: Session): readonly Meaning[] {
  const first = !begun.has(place.symbol)
  begun.add(place.symbol)
  return rows.map((row) => {
    const event = traded(row, place, received)
    return first && event.type === 'trade' && event.time < received - OLD ? { ...event, backfill: true as const } : event
  })
}

/** What the shell says of itself, and single tickers. */
function told(m: Message, place: Place, received: number): readonly Meaning[] {
  const { symbol } = place
  // {"pong":1}: a socket of the exchange stands
  if (m.pong !== undefined) return []
  // {"denied":"invalid api key"}
  if (m.denied !== undefined) return [{ type: 'reject', reason: values.say(m.denied), denied: true }]
  // {"watching":"trades","symbol":"BTC/USDT"}
  const watching = KIND.get(m.watching as string)
  if (watching !== undefined && symbol !== '') return [{ type: 'ack', kind: watching, symbol }]
  // {"refused":"trades","symbol":"BTC/XYZ","reason":"BadSymbol: bybit does not have market symbol BTC/XYZ"}
  if (m.refused !== undefined) return [refusal(m, symbol)]
  // {"lost":"trades","symbol":"BTC/USDT","from":1786309548483}: the library was away, or held more than it kept
  if (m.lost !== undefined) return lost(m, symbol)
  // {"symbol":"NKN/USDT","bid":0.3521,"bidVolume":672,"ask":0.3526,"askVolume":3199}
  if (symbol !== '' && ['last', 'close', 'bid', 'ask'].some((key) => m[key] !== undefined))
    return [...tick(m, place, received), ...quoted(m, place, received)]
  return [values.refused('a frame of an unknown shape')]
}

function refusal(m: Message, symbol: string): Meaning {
  const kind = KIND.get(m.refused as string)
  const reason = values.say(m.reason)
  return kind === undefined || symbol === '' ? { type: 'reject', reason } : { type: 'reject', kind, symbol, reason }
}

function lost(m: Message, symbol: string): readonly Meaning[] {
  const kind = KIND.get(m.lost as string)
  const from = values.number(m.from)
  if (kind === undefined || symbol === '' || !(from > 0)) return [values.refused('a frame of an unknown shape')]
  const gap: Meaning = { type: 'gap', kind, symbol, cause: 'sequence' }
  return kind === 'trade' ? [gap, past(symbol, from)] : [gap]
}

const rowsOf = ({ rows }: Message): Row[] => {
  if (!Array.isArray(rows)) throw new TypeError('no rows')
  return rows as Row[]
}
