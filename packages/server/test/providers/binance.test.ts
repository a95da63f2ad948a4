import { describe, expect, test } from 'vitest'
import type { Meaning, Need } from '../../src/providers/adapter.ts'
import { binance as typed } from '../../src/providers/binance.ts'
import { providers } from '../../src/providers/index.ts'
import { bookshelf, countsOf, decode, lines, only, rows, text, type BookRow, type CcxtRow, type Of } from './captures.ts'

const binance = providers.binance!
type Heard = { line: number; meanings: readonly Meaning[] }

/** The session as it was: frames and REST answers in the order and at the times of the trace. */
function replay(name: string): { heard: Heard[]; needs: Need[] } {
  const frames = lines(`binance/${name}.jsonl`)
  const answers = rows<{ url: string; body: unknown }>(`binance/${name}.http.jsonl`)
  const session = binance.open({})
  const heard: Heard[] = []
  const needs: Need[] = []
  for (const step of rows<{ t: string; ts: number; line?: number }>(`binance/${name}.trace.jsonl`)) {
    if (step.line === undefined) continue
    const received = step.ts * 1000
    if (step.t === 'recv') {
      const meanings = binance.decode(frames[step.line]!, received, session)
      needs.push(...only('need', meanings))
      heard.push({ line: step.line, meanings })
      continue
    }
    const { url, body } = answers[step.line]!
    const symbol = new URL(url).searchParams.get('symbol')!
    const need = needs.find((one) => one.symbol === symbol)!
    heard.push({ line: -1, meanings: binance.decode(JSON.stringify(body), received, session, need) })
  }
  return { heard, needs }
}

type Tardis = {
  line?: number
  expected: { type: string; symbol: string; timestamp: string; localTimestamp: string; [field: string]: unknown }[]
}
const pairs = (side: unknown) => (side as { price: number; amount: number }[]).map(({ price, amount }) => [price, amount])
const COUNTS = JSON.parse(text('cryptofeed-expected-counts.json')) as { counts: Record<string, Record<string, number>> }

describe.each(['spot-2021-10-12', 'us-2021-10-12'])('the session %s', (name) => {
  const { heard, needs } = replay(name)
  const all = heard.flatMap(({ meanings }) => meanings)
  const at = new Map(heard.map(({ line, meanings }) => [line, meanings]))
  const counts = COUNTS.counts[`binance/${name}`]!
  const frames = lines(`binance/${name}.jsonl`)

  test('[S4-08] every frame decodes, in the numbers that an independent parser counts', () => {
    expect(countsOf(all)).toMatchObject({ quote: counts.ticker, trade: counts.trades, candle: counts.candles })
    expect(only('refused', all)).toEqual([])
    expect(only('reject', all)).toEqual([])
    expect(only('gap', all)).toEqual([])
  })

  test('one snapshot is asked for per symbol, and only once its updates are being kept back', () => {
    expect(new Set(needs.map((need) => need.symbol)).size).toBe(needs.length)
    expect(needs.every((need) => need.path === `/api/v3/depth?symbol=${need.symbol}&limit=1000`)).toBe(true)
    const first = heard.find(({ meanings }) => meanings.some((m) => m.type === 'delta'))!
    expect(first.meanings[0]).toMatchObject({ type: 'delta', snapshot: true })
  })

  test('quotes equal those of tardis-dev in symbol, prices, sizes and time of receipt', () => {
    let compared = 0
    for (const { line, expected } of rows<Tardis>(`binance/expected-tardis-${name}.jsonl`)) {
      for (const e of expected.filter((one) => one.type === 'book_ticker')) {
        const [event] = only('quote', at.get(line!)!)
        expect(event).toEqual({
          type: 'quote',
          symbol: e.symbol,
          time: expect.closeTo(Date.parse(e.localTimestamp), -1),
          bid: e.bidPrice,
          bidSize: e.bidAmount,
          ask: e.askPrice,
          askSize: e.askAmount
        })
        compared++
      }
    }
    expect(compared).toBe(counts.ticker)
  })

  test('book changes equal those of tardis-dev in order, prices, sizes and time', () => {
    const bySymbol = new Map<string, Of<'delta'>[]>()
    for (const delta of only('delta', all).filter((d) => !d.snapshot))
      bySymbol.set(delta.symbol, [...(bySymbol.get(delta.symbol) ?? []), delta])
    let compared = 0
    for (const { expected } of rows<Tardis>(`binance/expected-tardis-${name}.jsonl`)) {
      for (const e of expected.filter((one) => one.type === 'book_change')) {
        const delta = bySymbol.get(e.symbol)!.shift()!
        expect(delta).toMatchObject({ time: Date.parse(e.timestamp), bids: pairs(e.bids), asks: pairs(e.asks) })
        compared++
      }
    }
    expect(compared).toBeGreaterThan(100)
  })

  test('trades and candles equal those of ccxt in price, size, side, id and time', () => {
    let compared = 0
    for (const { line, expected } of rows<CcxtRow>(`binance/expected-ccxt-${name}.jsonl`)) {
      for (const e of expected) {
        if (e.kind === 'trades') {
          const found = only('trade', at.get(line)!).map(({ id, time, price, size, side, symbol }) => ({
            id,
            time,
            price,
            size,
            side,
            symbol
          }))
          expect(found).toEqual(
            e.trades.map(({ id, timestamp: time, price, amount: size, side, symbol }) => {
              return { id, time, price, size, side, symbol: symbol.replace('/', '') }
            })
          )
          compared += found.length
        }
        if (e.kind === 'ohlcv') {
          const [c] = only('candle', at.get(line)!)
          expect([c!.start, c!.open, c!.high, c!.low, c!.close, c!.volume]).toEqual(e.last)
          expect(c).toMatchObject({ symbol: e.symbol.replace('/', ''), interval: e.timeframe, revision: 0 })
          expect(c!.closed).toBe(frames[line]!.includes('"x":true'))
          compared++
        }
      }
    }
    expect(compared).toBe(counts.trades! + counts.candles!)
  })

  test('books equal those of tardis-dev at every checkpoint', () => {
    const shelf = bookshelf()
    const checkpoints = rows<BookRow>(`binance/expected-book-${name}.jsonl`)
    let compared = 0
    for (const { line, meanings } of heard) {
      for (const delta of only('delta', meanings)) shelf.fold(delta)
      for (const { symbol, bids, asks } of checkpoints.filter((c) => c.afterLine === line)) {
        expect(shelf.best(symbol, 5)).toEqual({ bids, asks })
        compared++
      }
    }
    expect(compared).toBe(checkpoints.length)
    expect(shelf.results).toEqual({ ok: only('delta', all).length })
  })

  test('the listing of that day splits symbols by its own data', () => {
    const need = { type: 'need', purpose: 'listing', path: binance.listing! } as const
    const [listing] = only('listing', binance.decode(text(`binance/${name}.instruments.json.gz`), 0, binance.open({}), need))
    expect(listing!.rows.length).toBeGreaterThan(100)
    expect(listing!.rows.find((row) => row.symbol === 'BTCUSDT')).toMatchObject({ base: 'BTC', quote: 'USDT', trading: true })
    expect(listing!.rows.some((row) => !row.trading)).toBe(true)
  })
})

const AGG = {
  e: 'aggTrade',
  E: 1_700_000_000_100,
  s: 'BTCUSDT',
  a: 12,
  p: '0.001',
  q: '100',
  f: 100,
  l: 105,
  T: 1_700_000_000_050,
  m: true,
  M: true
}
const TRADE = {
  e: 'trade',
  E: 1_700_000_000_100,
  s: 'BTCUSDT',
  t: 12_345,
  p: '37000.01',
  q: '0.5',
  T: 1_700_000_000_050,
  m: false,
  M: true
}
const DAY = {
  e: '24hrTicker',
  E: 1_700_000_000_000,
  s: 'BNBBTC',
  p: '0.0015',
  P: '250.00',
  w: '0.0018',
  x: '0.0009',
  c: '0.0025',
  Q: '10',
  b: '0.0024',
  B: '10',
  a: '0.0026',
  A: '100',
  o: '0.0010',
  h: '0.0025',
  l: '0.0010',
  v: '10000',
  q: '18',
  O: 0,
  C: 86_400_000,
  F: 0,
  L: 18_150,
  n: 18_151
}
const BEST = { u: 400_900_217, s: 'BNBUSDT', b: '25.35190000', B: '31.21000000', a: '25.36520000', A: '40.66000000' }
const kline = (i: string, x: boolean) => ({
  e: 'kline',
  E: 1_700_000_000_000,
  s: 'BNBBTC',
  k: {
    t: 1_699_999_980_000,
    T: 1_700_000_039_999,
    s: 'BNBBTC',
    i,
    f: 100,
    L: 200,
    o: '0.0010',
    c: '0.0020',
    h: '0.0025',
    l: '0.0005',
    v: '1000',
    n: 100,
    x,
    q: '1',
    V: '500',
    Q: '0.5',
    B: '0'
  }
})

describe('frames as documented', () => {
  test.each([
    [
      'an aggregated trade, taken by the seller',
      AGG,
      { type: 'trade', id: '12', price: 0.001, size: 100, side: 'sell', time: 1_700_000_000_050 }
    ],
    [
      'a trade, taken by the buyer',
      TRADE,
      { type: 'trade', id: '12345', price: 37_000.01, size: 0.5, side: 'buy', symbol: 'BTCUSDT' }
    ],
    [
      'a day ticker',
      DAY,
      { type: 'ticker', last: 0.0025, open: 0.001, high: 0.0025, low: 0.001, volume: 10_000, change: 0.0015, changePercent: 250 }
    ],
    [
      'a mini ticker',
      { ...DAY, e: '24hrMiniTicker', p: undefined, P: undefined },
      { type: 'ticker', last: 0.0025, volume: 10_000 }
    ],
    [
      'a best quote without time',
      BEST,
      { type: 'quote', time: 1_700_000_000_000, bid: 25.3519, bidSize: 31.21, ask: 25.3652, askSize: 40.66 }
    ],
    ['the announced shutdown', { e: 'serverShutdown', E: 1_770_123_456_789 }, { type: 'ending' }]
  ])('%s means the same wrapped by its stream and bare', (_, frame, meaning) => {
    expect(decode(binance, frame)).toMatchObject([meaning])
    expect(decode(binance, { stream: 'x@y', data: frame })).toMatchObject([meaning])
  })

  test('microseconds are told from milliseconds by their size', () => {
    const micro = { ...TRADE, E: 1_700_000_000_100_000, T: 1_700_000_000_050_123 }
    expect(decode(binance, micro)).toMatchObject([{ time: 1_700_000_000_050.123 }])
    const bar = kline('1m', true)
    const inMicros = { ...bar, E: bar.E * 1000, k: { ...bar.k, t: bar.k.t * 1000 } }
    expect(decode(binance, inMicros)).toMatchObject([{ start: 1_699_999_980_000, time: 1_700_000_000_000 }])
  })

  test('[S4-08] klines of all twelve intervals are candles, closed when x says so; other intervals are not ours', () => {
    for (const interval of binance.intervals)
      expect(decode(binance, kline(interval, true))).toMatchObject([
        { type: 'candle', interval, closed: true, trades: 100, volume: 1000 }
      ])
    expect(binance.intervals).toHaveLength(12)
    expect(decode(binance, kline('1m', false))).toMatchObject([{ closed: false }])
    for (const other of ['1s', '3d', '1w', '1M']) expect(decode(binance, kline(other, false))).toEqual([])
  })

  test('arrays of tickers hold one each', () => {
    expect(decode(binance, { stream: '!miniTicker@arr', data: [DAY, { ...DAY, s: 'ETHBTC' }] })).toMatchObject([
      { symbol: 'BNBBTC' },
      { symbol: 'ETHBTC' }
    ])
  })

  test('a partial book takes its symbol from the name of its stream, and is refused without one', () => {
    const data = { lastUpdateId: 160, bids: [['0.0024', '10']], asks: [] }
    const whole = { type: 'delta', symbol: 'BNBBTC', snapshot: true, bids: [[0.0024, 10]], asks: [], sequence: 160 }
    expect(decode(binance, { stream: 'bnbbtc@depth5@100ms', data })).toMatchObject([whole])
    expect(decode(binance, data)).toMatchObject([{ type: 'refused' }])
  })

  test('days of another time zone are not ours, though they bear the same interval', () => {
    const data = kline('1d', true)
    expect(decode(binance, { stream: 'bnbbtc@kline_1d', data })).toHaveLength(1)
    expect(decode(binance, { stream: 'bnbbtc@kline_1d@+08:00', data })).toEqual([])
  })

  test('numbers come as text or as numbers, in any notation; a side that is null is an empty one', () => {
    expect(decode(binance, { ...AGG, p: '1.305e-05', q: 1e2 })).toMatchObject([{ price: 0.00001305, size: 100 }])
    const data = { lastUpdateId: 160, bids: null, asks: [[1.305e-5, '1E2']] }
    expect(decode(binance, { stream: 'bnbbtc@depth20', data })).toMatchObject([{ bids: [], asks: [[0.00001305, 100]] }])
  })

  test('a book with one empty side has no quote, and statistics that are missing are left out', () => {
    expect(decode(binance, { ...BEST, b: '0.00000000', B: '0.00000000' })).toEqual([])
    const [ticker] = only('ticker', decode(binance, { ...DAY, o: '0.00', h: undefined, v: '0' }))
    expect(ticker).toEqual({
      type: 'ticker',
      symbol: 'BNBBTC',
      time: DAY.E,
      last: 0.0025,
      low: 0.001,
      volume: 0,
      change: 0.0015,
      changePercent: 250
    })
  })

  test('ids of trades and of aggregates never meet, though both count from the same beginnings', () => {
    const session = binance.open({})
    const both = [AGG, { ...TRADE, t: 12 }].flatMap((frame) => binance.decode(JSON.stringify(frame), 0, session))
    expect(only('trade', both).map((t) => t.id)).toEqual(['12', 'trade:12'])
  })

  test('a hole in the numbers of aggregates is a gap, and is filled by number', () => {
    const session = binance.open({})
    binance.decode(JSON.stringify(AGG), 0, session)
    const meanings = binance.decode(JSON.stringify({ ...AGG, a: 15 }), 0, session)
    expect(meanings).toMatchObject([
      { type: 'gap', kind: 'trade', symbol: 'BTCUSDT', expected: 13, got: 15, cause: 'sequence' },
      { type: 'need', purpose: 'trades', path: '/api/v3/aggTrades?symbol=BTCUSDT&fromId=13&limit=2' },
      { type: 'trade', id: '15' }
    ])
    const filled = binance.decode(
      JSON.stringify([
        { ...AGG, e: undefined, a: 13 },
        { ...AGG, a: 14 }
      ]),
      0,
      session,
      only('need', meanings)[0]
    )
    expect(filled).toMatchObject([
      { id: '13', backfill: true },
      { id: '14', backfill: true }
    ])
    expect(binance.decode(JSON.stringify({ ...AGG, a: 16 }), 0, session)).toHaveLength(1)
  })

  test.each([
    ['text', 'hello'],
    ['cut short', '{"e":"trade","s":"BT'],
    ['null', 'null'],
    ['a number', '7'],
    ['no prices', JSON.stringify({ ...TRADE, p: '' })],
    ['price 0', JSON.stringify({ ...TRADE, p: '0.00' })],
    ['price -1', JSON.stringify({ ...TRADE, p: '-1' })],
    ['a price beyond all prices', JSON.stringify({ ...TRADE, p: '1e308' })],
    ['the least number there is', JSON.stringify({ ...TRADE, p: '5e-324' })],
    ['NaN', JSON.stringify({ ...TRADE, p: 'NaN' })],
    ['Infinity', JSON.stringify({ ...TRADE, p: 'Infinity' })],
    ['a thousands separator', JSON.stringify({ ...TRADE, p: '1,234.5' })],
    ['a price that is true', JSON.stringify({ ...TRADE, p: true })],
    ['a size of 0', JSON.stringify({ ...TRADE, q: '0' })],
    ['no symbol', JSON.stringify({ ...TRADE, s: undefined })],
    ['no time', JSON.stringify({ ...TRADE, T: null, E: null })],
    ['high under low', JSON.stringify({ ...kline('1m', true), k: { ...kline('1m', true).k, h: '0.0001' } })],
    ['an empty object', '{}']
  ])('%s is refused with a reason', (_, frame) => {
    expect(decode(binance, frame)).toMatchObject([{ type: 'refused', reason: expect.stringMatching(/\w/) }])
  })
})

describe('asking', () => {
  const subscriptions = [
    { kind: 'trade', symbol: 'BTCUSDT' },
    { kind: 'quote', symbol: 'BTCUSDT' },
    { kind: 'ticker', symbol: 'BTCUSDT' },
    { kind: 'book', symbol: 'ETHUSDT' },
    { kind: 'candle', symbol: 'BTCUSDT', interval: '15m' }
  ] as const

  test('subscriptions go out in one frame and each is confirmed by its id', () => {
    const session = typed.open({})
    const [frame] = typed.subscribe(subscriptions, session)
    const params = ['btcusdt@aggTrade', 'btcusdt@bookTicker', 'btcusdt@ticker', 'ethusdt@depth@100ms', 'btcusdt@kline_15m']
    expect(JSON.parse(frame as string)).toEqual({ method: 'SUBSCRIBE', params, id: 1 })
    const acks = typed.decode('{"result":null,"id":1}', 0, session)
    expect(acks).toEqual(subscriptions.map(({ kind, symbol }) => ({ type: 'ack', kind, symbol })))
    expect(typed.decode('{"result":null,"id":1}', 0, session)).toEqual([])
    expect(JSON.parse(typed.unsubscribe(subscriptions, session)[0] as string)).toEqual({ method: 'UNSUBSCRIBE', params, id: 2 })
    expect(typed.decode('{"result":null,"id":2}', 0, session)).toEqual([])
    expect(typed.decode('{"result":["btcusdt@aggTrade"],"id":0}', 0, session)).toEqual([])
  })

  test('a thousand subscriptions stay within five frames a second', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ kind: 'trade', symbol: `S${i}` }) as const)
    expect(typed.subscribe(many, typed.open({}))).toHaveLength(5)
  })

  test.each([
    ['nested', { error: { code: 2, msg: 'Invalid request: bad stream' }, id: 1 }],
    ['flat', { code: 2, msg: 'Invalid request: bad stream', id: 1 }]
  ])('the %s form of an error rejects what its frame asked for', (_, error) => {
    const session = typed.open({})
    typed.subscribe([{ kind: 'trade', symbol: 'BTCUSDT' }], session)
    expect(typed.decode(JSON.stringify(error), 0, session)).toEqual([
      { type: 'reject', kind: 'trade', symbol: 'BTCUSDT', reason: 'Invalid request: bad stream (2)' }
    ])
    expect(typed.decode(JSON.stringify({ ...error, id: null }), 0, session)).toMatchObject([{ type: 'reject' }])
  })
})

const row = (start: number) => [
  start,
  '0.01634790',
  '0.80000000',
  '0.01575800',
  '0.01577100',
  '148976.11427815',
  start + 59_999,
  '2434.19',
  308,
  '1756.8',
  '28.4',
  '0'
]

describe('answers of REST', () => {
  test('past candles come oldest first, the last one still forming', () => {
    const need = binance.history!('BNBBTC', '1m', 500, 0, {})
    expect(need.path).toBe('/api/v3/klines?symbol=BNBBTC&interval=1m&limit=500')
    const body = JSON.stringify([row(1_499_040_000_000), row(1_499_040_060_000)])
    expect(binance.decode(body, 1_499_040_090_000, binance.open({}), need)).toEqual([
      {
        type: 'candle',
        symbol: 'BNBBTC',
        interval: '1m',
        start: 1_499_040_000_000,
        time: 1_499_040_060_000,
        open: 0.0163479,
        high: 0.8,
        low: 0.015758,
        close: 0.015771,
        volume: 148_976.11427815,
        trades: 308,
        closed: true,
        revision: 0
      },
      expect.objectContaining({ start: 1_499_040_060_000, time: 1_499_040_090_000, closed: false })
    ])
  })

  test('an error instead of an answer is a reject with its symbol', () => {
    const need = binance.history!('NOPE', '1m', 5, 0, {})
    const answer = binance.decode('{"code":-1121,"msg":"Invalid symbol."}', 0, binance.open({}), need)
    expect(answer).toEqual([{ type: 'reject', symbol: 'NOPE', reason: 'Invalid symbol. (-1121)' }])
  })
})
