/** A good trade of each provider that speaks JSON on a socket, and where in it the values stand. */
import { NOW } from './hostile.roads.ts'
import type { Path } from './hostile.kinds.ts'

/** The n-th trade of a connection. */
export type Spoken = {
  symbol: string
  trade: (n: number) => object
  price: Path
  size: Path
  time: Path
  name: Path
  /** Counts frames: a malformed one whose number could be read has used it up. */
  sequence?: string
  /** As in `Tape`. */
  through?: ReadonlySet<string>
}

const iso = (n: number) => new Date(NOW + n).toISOString()
export const SPOKEN: Record<string, Spoken> = {
  binance: {
    symbol: 'BTCUSDT',
    trade: (n) => ({
      stream: 'btcusdt@aggTrade',
      data: { e: 'aggTrade', E: NOW + n, s: 'BTCUSDT', a: n, p: '100.5', q: '2', f: n, l: n, T: NOW + n, m: true, M: true }
    }),
    price: ['data', 'p'],
    size: ['data', 'q'],
    time: ['data', 'T'],
    name: ['data', 's']
  },
  coinbase: {
    symbol: 'BTC-USD',
    trade: (n) => ({
      channel: 'market_trades',
      timestamp: iso(n),
      sequence_num: n,
      events: [
        {
          type: 'update',
          trades: [{ product_id: 'BTC-USD', trade_id: String(n), price: '100.5', size: '2', time: iso(n), side: 'BUY' }]
        }
      ]
    }),
    price: ['events', 0, 'trades', 0, 'price'],
    size: ['events', 0, 'trades', 0, 'size'],
    time: ['events', 0, 'trades', 0, 'time'],
    name: ['events', 0, 'trades', 0, 'product_id'],
    sequence: 'sequence_num'
  },
  kraken: {
    symbol: 'BTC/USD',
    trade: (n) => ({
      channel: 'trade',
      type: 'update',
      data: [{ symbol: 'BTC/USD', side: 'sell', price: 100.5, qty: 2, ord_type: 'market', trade_id: n, timestamp: iso(n) }]
    }),
    price: ['data', 0, 'price'],
    size: ['data', 0, 'qty'],
    time: ['data', 0, 'timestamp'],
    name: ['data', 0, 'symbol']
  },
  alpaca: {
    symbol: 'AAPL',
    trade: (n) => [{ T: 't', S: 'AAPL', i: n, x: 'V', p: 100.5, s: 2, c: ['@'], z: 'C', t: iso(n) }],
    price: [0, 'p'],
    size: [0, 's'],
    time: [0, 't'],
    name: [0, 'S']
  },
  massive: {
    symbol: 'AAPL',
    trade: (n) => [{ ev: 'T', sym: 'AAPL', x: 4, i: String(n), z: 3, p: 100.5, s: 2, c: [0], t: NOW + n, q: n }],
    price: [0, 'p'],
    size: [0, 's'],
    time: [0, 't'],
    name: [0, 'sym']
  },
  finnhub: {
    symbol: 'AAPL',
    trade: (n) => ({ type: 'trade', data: [{ c: ['1'], p: 100.5, s: 'AAPL', t: NOW + n, v: 2 }] }),
    price: ['data', 0, 'p'],
    size: ['data', 0, 'v'],
    time: ['data', 0, 't'],
    name: ['data', 0, 's']
  },
  'binance-usdm': {
    symbol: 'BTCUSDT',
    trade: (n) => ({
      stream: 'btcusdt@aggTrade',
      data: { e: 'aggTrade', E: NOW + n, s: 'BTCUSDT', a: n, p: '100.5', q: '2', f: n, l: n, T: NOW + n, m: true }
    }),
    price: ['data', 'p'],
    size: ['data', 'q'],
    time: ['data', 'T'],
    name: ['data', 's']
  },
  'kraken-futures': {
    symbol: 'PF_XBTUSD',
    trade: (n) => ({
      feed: 'trade',
      product_id: 'PF_XBTUSD',
      uid: `u${n}`,
      side: 'sell',
      type: 'fill',
      seq: n + 1,
      time: NOW + n,
      qty: 2,
      price: 100.5
    }),
    price: ['price'],
    size: ['qty'],
    time: ['time'],
    name: ['product_id'],
    sequence: 'seq'
  },
  'coinbase-exchange': {
    symbol: 'BTC-USD',
    trade: (n) => ({
      type: 'match',
      trade_id: n + 1,
      maker_order_id: 'a',
      taker_order_id: 'b',
      side: 'sell',
      size: '2',
      price: '100.5',
      product_id: 'BTC-USD',
      sequence: n,
      time: iso(n)
    }),
    price: ['price'],
    size: ['size'],
    time: ['time'],
    name: ['product_id']
  },
  fmp: {
    symbol: 'AAPL',
    trade: (n) => ({ s: 'aapl', t: NOW + n, type: 'T', lp: 100.5, ls: 2 }),
    price: ['lp'],
    size: ['ls'],
    time: ['t'],
    name: ['s']
  },
  // The words of its shell, in which the library's own objects are.
  ccxt: {
    symbol: 'bybit:BTC/USD',
    trade: (n) => ({
      kind: 'trades',
      symbol: 'BTC/USD',
      lot: 1,
      rows: [{ id: String(n), timestamp: NOW + n, symbol: 'BTC/USD', side: 'buy', price: 100.5, amount: 2 }]
    }),
    price: ['rows', 0, 'price'],
    through: new Set(['time null', 'time absent']),
    size: ['rows', 0, 'amount'],
    time: ['rows', 0, 'timestamp'],
    name: ['symbol']
  }
}

/** The other addresses of Binance speak as these two do. */
SPOKEN['binance-us'] = SPOKEN.binance!
SPOKEN['binance-coinm'] = {
  ...SPOKEN['binance-usdm']!,
  symbol: 'BTCUSD_PERP',
  trade: (n) => {
    const tape = SPOKEN['binance-usdm']!.trade(n) as { data: object }
    return { stream: 'btcusd_perp@aggTrade', data: { ...tape.data, s: 'BTCUSD_PERP' } }
  }
}
