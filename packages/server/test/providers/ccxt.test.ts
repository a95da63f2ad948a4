import { describe, expect, test } from 'vitest'
import type { Meaning, Need } from '../../src/providers/adapter.ts'
import { ccxt } from '../../src/providers/ccxt.ts'
import { countsOf, lines, only, rows, type ExpectedTrade } from './captures.ts'

const NOW = 1_800_000_000_000
const frames = (name: string) => lines(`ccxt/unified-${name}.jsonl`)
const decodeAll = (exchange: string, all: readonly string[], received = NOW): Meaning[] => {
  const session = ccxt.open({}, exchange)
  return all.flatMap((frame) => [...ccxt.decode(frame, received, session)])
}
const say = (exchange: string, ...messages: unknown[]): Meaning[] =>
  decodeAll(
    exchange,
    messages.map((message) => (typeof message === 'string' ? message : JSON.stringify(message)))
  )

describe('what the library resolved with over recorded frames', () => {
  test.each([
    ['trades-binance-spot-2021-10-12', 'binance', { trade: 2 }],
    ['trades-binance-usdm-futures-2021-07-22', 'binance', { trade: 91 }],
    ['trades-coinbase-advanced-2026-08-09', 'coinbase', { trade: 279 }],
    ['ticker-binance-spot-2021-10-12', 'binance', { quote: 84 }],
    ['ticker-binance-usdm-futures-2021-07-22', 'binance', { quote: 120 }],
    ['ticker-coinbase-advanced-2026-08-09', 'coinbase', { ticker: 120, quote: 120 }],
    ['orderbook-coinbase-advanced-2026-08-09', 'coinbase', { delta: 30 }],
    ['ohlcv-binance-spot-2021-10-12', 'binance', { candle: 2 }],
    ['ohlcv-binance-usdm-futures-2021-07-22', 'binance', { candle: 71 }]
  ])('%s', (name, exchange, counts) => {
    expect(countsOf(decodeAll(exchange, frames(name)))).toEqual(counts)
  })

  test('a trade is as the library says it, under the exchange’s name', () => {
    const [trade] = decodeAll('binance', frames('trades-binance-spot-2021-10-12'))
    expect(trade).toEqual({
      type: 'trade',
      symbol: 'binance:NKN/USDT',
      id: '15683430',
      time: 1_633_998_523_963,
      price: 0.3528,
      size: 58,
      side: 'buy',
      venue: 'binance'
    })
  })
  test('an exchange of which the library tells the maker’s side has it turned, any other has not', () => {
    const name = 'trades-coinbase-advanced-2026-08-09'
    const expected = rows<ExpectedTrade[]>(`ccxt/unified-${name}.jsonl`).flat()
    const sides = (exchange: string) => only('trade', decodeAll(exchange, frames(name))).map(({ side }) => side)
    expect(sides('coinbase')).toEqual(expected.map(({ side }) => (side === 'buy' ? 'sell' : 'buy')))
    expect(sides('bybit')).toEqual(expected.map(({ side }) => side))
  })
  test('the microseconds that `timestamp` cuts off are kept', () => {
    const [trade] = only('trade', decodeAll('coinbase', frames('trades-coinbase-advanced-2026-08-09')))
    expect(trade!.time).toBeCloseTo(1_786_309_475_345.704, 3)
  })
  test('a best bid and offer without a time is of when it was heard', () => {
    expect(decodeAll('binance', frames('ticker-binance-spot-2021-10-12'))[0]).toEqual({
      type: 'quote',
      symbol: 'binance:NKN/USDT',
      time: NOW,
      bid: 0.3521,
      bidSize: 672,
      ask: 0.3526,
      askSize: 3199
    })
  })
  test('a ticker has its day, and its best prices beside it', () => {
    const [ticker, quote] = decodeAll('coinbase', frames('ticker-coinbase-advanced-2026-08-09'))
    expect(ticker).toMatchObject({
      type: 'ticker',
      symbol: 'coinbase:BTC/USD',
      last: 65086.18,
      open: 65023.75,
      high: 65252.99,
      low: 64675.22,
      volume: 2867.54532609,
      changePercent: 0.09601107287722
    })
    expect(quote).toMatchObject({ type: 'quote', bid: 65083.66, bidSize: 0.20371215, ask: 65083.67, askSize: 0.24290402 })
  })
  test('a book is a whole picture each time', () => {
    const [book] = decodeAll('coinbase', frames('orderbook-coinbase-advanced-2026-08-09'))
    expect(book).toMatchObject({ type: 'delta', symbol: 'coinbase:BTC/USD', snapshot: true, time: 1_786_309_548_483 })
    expect(book).toMatchObject({ bids: expect.objectContaining({ length: 5, 0: [65083.66, 0.20371215] }) as unknown })
    expect(book).not.toHaveProperty('sequence')
  })
  test('a candle is final, once, when the next one begins', () => {
    const candles = only('candle', decodeAll('binance', frames('ohlcv-binance-usdm-futures-2021-07-22')))
    const closed = candles.filter((candle) => candle.closed)
    expect(closed.length).toBe(4)
    expect(new Set(closed.map(({ symbol, start }) => `${symbol} ${start}`)).size).toBe(4)
    expect(candles[0]).toMatchObject({ symbol: 'binance:CTK/USDT:USDT', interval: '1m', start: 1_626_992_700_000, close: 1.011 })
  })
})

describe('frames of the shell', () => {
  const trade = { id: 7, timestamp: NOW, side: 'sell', price: 2, amount: 3 }
  test('sizes in contracts become base units, without the noise of the product', () => {
    const frame = { symbol: 'BTC/USDT:USDT', lot: 0.01 }
    expect(
      say(
        'okx',
        { ...frame, kind: 'trades', rows: [{ ...trade, amount: 7 }] },
        { ...frame, kind: 'bidsAsks', rows: [{ bid: 1, bidVolume: 29, ask: 2, askVolume: 3 }] },
        { ...frame, kind: 'orderbook', rows: [{ nonce: 5, bids: [[1, 29, 'x']], asks: [[2, 3]] }] }
      )
    ).toMatchObject([
      { id: '7', size: 0.07 },
      { bidSize: 0.29, askSize: 0.03 },
      { sequence: 5, time: NOW, bids: [[1, 0.29]], asks: [[2, 0.03]] }
    ])
  })
  test('a trade without an id has none, and one without a side is unknown', () => {
    const { id: _, side: __, ...row } = trade
    const [event] = say('okx', { kind: 'trades', symbol: 'A/B', rows: [row] })
    expect(event).toMatchObject({ type: 'trade', side: 'unknown', price: 2, size: 3 })
    expect(event).not.toHaveProperty('id')
  })
  test('rows alike are trades of their own', () => {
    expect(say('okx', { kind: 'trades', symbol: 'A/B', rows: [trade, trade] }).length).toBe(2)
  })
  test('old trades with which an exchange greets are marked, later ones never', () => {
    const rows = [{ ...trade, timestamp: NOW - 60_000 }]
    const all = say('okx', { kind: 'trades', symbol: 'A/B', rows }, { kind: 'trades', symbol: 'A/B', rows })
    expect(only('trade', all).map(({ backfill }) => backfill)).toEqual([true, undefined])
  })
  test('a ticker without a last price is none; its close is one', () => {
    expect(say('okx', { kind: 'ticker', symbol: 'A/B', rows: [{ bid: 1 }] })).toEqual([])
    expect(say('okx', { kind: 'ticker', symbol: 'A/B', rows: [{ close: 5 }] })).toMatchObject([{ last: 5, time: NOW }])
  })
  test('best prices without their sizes are no quote', () => {
    expect(say('okx', { kind: 'bidsAsks', symbol: 'A/B', rows: [{ bid: 1, ask: 2 }] })).toEqual([])
  })
  test.each([
    [
      { watching: 'ohlcv', symbol: 'A/B' },
      { type: 'ack', kind: 'candle', symbol: 'okx:A/B' }
    ],
    [
      { refused: 'orderbook', symbol: 'A/B', reason: 'BadSymbol: no' },
      { type: 'reject', kind: 'book', symbol: 'okx:A/B', reason: 'BadSymbol: no' }
    ],
    [
      { refused: 'dreams', reason: 'no' },
      { type: 'reject', reason: 'no' }
    ],
    [{ denied: 'AuthenticationError: key' }, { type: 'reject', reason: 'AuthenticationError: key', denied: true }]
  ])('%j', (message, meaning) => expect(say('okx', message)).toEqual([meaning]))
  test('lost trades are a gap, and asked for', () => {
    expect(say('okx', { lost: 'trades', symbol: 'A/B', from: 5.5 })).toEqual([
      { type: 'gap', kind: 'trade', symbol: 'okx:A/B', cause: 'sequence' },
      { type: 'need', purpose: 'trades', symbol: 'okx:A/B', path: '/trades?symbol=okx%3AA%2FB&since=5' }
    ])
  })
  test('a sign of life means nothing more', () => expect(say('okx', { pong: 1 })).toEqual([]))
})

describe('what is wrong is refused, with a reason', () => {
  const trades = (row: object) => ({ kind: 'trades', symbol: 'A/B', rows: [row] })
  const row = { id: '1', timestamp: NOW, side: 'buy', price: 2, amount: 3 }
  test.each([
    ['no JSON', '<html>'],
    ['cut short', '{"kind":"trades","rows":[{'],
    ['nothing', 'null'],
    ['a number', '5'],
    ['no kind', {}],
    ['an unknown kind', { kind: 'dreams', symbol: 'A/B' }],
    ['no rows', { kind: 'trades', symbol: 'A/B' }],
    ['a row that is none', { kind: 'trades', symbol: 'A/B', rows: [null] }],
    ['no symbol', { kind: 'trades', rows: [row] }],
    ['no symbol of a book', { kind: 'orderbook', rows: [{ bids: [], asks: [] }] }],
    ['price 0', trades({ ...row, price: 0 })],
    ['a negative price', trades({ ...row, price: -1 })],
    ['no price', trades({ ...row, price: undefined })],
    [
      'an endless price',
      '{"kind":"trades","symbol":"A/B","rows":[{"id":"1","timestamp":1800000000000,"price":1e999,"amount":1}]}'
    ],
    ['size 0', trades({ ...row, amount: 0 })],
    ['a time of seconds ago in the year 1970', trades({ ...row, timestamp: -5 })],
    ['a time as text', trades({ ...row, timestamp: 'noon' })],
    ['a level without a price', { kind: 'orderbook', symbol: 'A/B', rows: [{ bids: [['x', 1]], asks: [] }] }],
    ['a side that is no list', { kind: 'orderbook', symbol: 'A/B', rows: [{ bids: {}, asks: [] }] }],
    ['an unknown interval', { kind: 'ohlcv', symbol: 'A/B', timeframe: '7m', rows: [[NOW, 1, 2, 1, 2, 3]] }],
    ['a candle whose high is below its low', { kind: 'ohlcv', symbol: 'A/B', timeframe: '1m', rows: [[NOW, 1, 1, 2, 1, 3]] }],
    ['a candle that is none', { kind: 'ohlcv', symbol: 'A/B', timeframe: '1m', rows: [7] }],
    ['a ticker of nothing', { kind: 'ticker', symbol: 'A/B', rows: [{ last: 0 }] }],
    ['lost since never', { lost: 'trades', symbol: 'A/B' }]
  ])('%s', (_what, message) => {
    expect(say('okx', message)).toEqual([{ type: 'refused', reason: expect.stringMatching(/./) as string }])
  })
})

describe('what is asked', () => {
  const session = ccxt.open({}, 'bybit')
  test('each exchange has a connection of its own', () => {
    expect(ccxt.route!({ kind: 'trade', symbol: 'bybit:BTC/USDT:USDT' })).toBe('bybit')
    expect(ccxt.dial!('', {}, 'bybit')).toBe('ccxt://bybit')
  })
  test('a subscription is what to watch, in the library’s words', () => {
    const symbol = 'bybit:BTC/USDT:USDT'
    const wanted = (['trade', 'quote', 'ticker', 'book'] as const).map((kind) => ({ kind, symbol }))
    expect(ccxt.subscribe([...wanted, { kind: 'candle', symbol, interval: '5m' }], session)).toEqual([
      '{"watch":"trades","symbol":"BTC/USDT:USDT"}',
      '{"watch":"bidsAsks","symbol":"BTC/USDT:USDT"}',
      '{"watch":"ticker","symbol":"BTC/USDT:USDT"}',
      '{"watch":"orderbook","symbol":"BTC/USDT:USDT"}',
      '{"watch":"ohlcv","symbol":"BTC/USDT:USDT","timeframe":"5m"}'
    ])
    expect(ccxt.unsubscribe(wanted.slice(0, 1), session)).toEqual(['{"unwatch":"trades","symbol":"BTC/USDT:USDT"}'])
  })
  test('it is off until somebody switches it on, and needs nothing', () => {
    expect([ccxt.offByDefault, ccxt.needs]).toEqual([true, []])
    expect(ccxt.greet!(session)).toMatchObject([{ poll: 'listing', need: { purpose: 'listing' } }])
  })
})

describe('answers', () => {
  const answer = (body: unknown, need: Partial<Need>) =>
    ccxt.decode(JSON.stringify(body), NOW, ccxt.open({}), { type: 'need', purpose: 'listing', path: '', ...need })
  const market = { base: 'BTC', quote: 'USDT', active: true, precision: { price: 0.1, amount: 0.001 } }
  const swap = { ...market, swap: true, linear: true, contractSize: 0.01, precision: { price: 0.1, amount: 1 } }
  const listed = (...markets: object[]) => {
    const [listing] = answer({ exchanges: { okx: { precisionMode: 4, markets } } }, {})
    if (listing?.type !== 'listing') throw new Error('no listing')
    return listing.rows
  }
  test('a market is what its own fields say', () => {
    expect(
      listed(
        { ...market, symbol: 'BTC/USDT', spot: true },
        { ...swap, symbol: 'BTC/USDT:USDT' },
        { ...market, symbol: 'BTC/USD:BTC', quote: 'USD', swap: true, inverse: true, contractSize: 100 },
        { ...market, symbol: 'BTC/USDT:USDT-251226', future: true, linear: true, active: false },
        { ...market, symbol: 'BTC/USD:BTC-251226', quote: 'USD', future: true, inverse: true }
      ).map(({ symbol, base, quote, contract, trading }) => [symbol, base, quote, contract, trading])
    ).toEqual([
      ['okx:BTC/USDT', 'BTC', 'USDT', undefined, true],
      ['okx:BTC/USDT:USDT', 'BTC', 'USDT', 'PERP', true],
      ['okx:BTC/USD:BTC', 'BTC', 'USD', 'INVERSE', true],
      ['okx:BTC/USDT:USDT-251226', 'BTC', 'USDT', '251226', false],
      ['okx:BTC/USD:BTC-251226', 'BTC', 'USD', 'INVERSE-251226', true]
    ])
  })
  test('digits are of ticks or of places, and of contracts in base units', () => {
    expect(listed({ ...swap, symbol: 'BTC/USDT:USDT' })).toMatchObject([{ priceDecimals: 1, sizeDecimals: 2 }])
    const markets = [{ ...market, symbol: 'A/B', spot: true, precision: { price: 5, amount: 8 } }]
    expect(answer({ exchanges: { okx: { precisionMode: 2, markets } } }, {})).toMatchObject([
      { rows: [{ priceDecimals: 5, sizeDecimals: 8 }] }
    ])
  })
  test('options, contracts of no kind, and names that part an id are left out', () => {
    expect(
      listed(
        { ...market, symbol: 'BTC/USD:BTC-251226-100000-C', option: true, inverse: true },
        { ...market, symbol: 'BTC/USDT:EUR', swap: true },
        { ...market, symbol: 'A-B/USDT', base: 'A-B', spot: true },
        { ...market, symbol: 'A B/USDT', base: 'A B', spot: true },
        { ...market, spot: true }
      )
    ).toEqual([])
  })
  test('an exchange that could not be listed is told beside the others', () => {
    expect(answer({ exchanges: {}, failed: { bybit: 'RequestTimeout: x' } }, {})).toEqual([
      { type: 'listing', rows: [] },
      { type: 'refused', reason: 'listing of bybit: RequestTimeout: x' }
    ])
    expect(answer({}, {})).toMatchObject([{ type: 'refused' }])
  })
  test('past candles are closed but for the one that is now', () => {
    const symbol = 'okx:BTC/USDT'
    const rows = [
      [NOW - 60_000, 1, 2, 1, 2, 3],
      [NOW, 2, 2, 2, 2, 1]
    ]
    expect(answer({ rows }, { purpose: 'history', symbol, interval: '1m' })).toMatchObject([
      { symbol, start: NOW - 60_000, closed: true },
      { symbol, start: NOW, closed: false }
    ])
    expect(answer({}, { purpose: 'history', symbol, interval: '1m' })).toMatchObject([{ type: 'refused' }])
    expect(ccxt.history!(symbol, '1m', 5_000, NOW, {})).toMatchObject({
      path: '/candles?symbol=okx%3ABTC%2FUSDT&interval=1m&limit=1000'
    })
  })
  test('past trades are of the symbol that was asked, the maker’s side turned where it is told', () => {
    const rows = [{ id: '2', timestamp: NOW, side: 'buy', price: 1, amount: 5 }]
    const need = (symbol: string): Partial<Need> => ({ purpose: 'trades', symbol })
    expect(answer({ lot: 0.1, rows }, need('okx:A/B:B'))).toMatchObject([
      { symbol: 'okx:A/B:B', side: 'buy', size: 0.5, venue: 'okx' }
    ])
    expect(answer({ rows }, need('coinbase:A/B'))).toMatchObject([{ symbol: 'coinbase:A/B', side: 'sell' }])
    expect(answer(null, need('okx:A/B'))).toMatchObject([{ type: 'refused' }])
  })
})
