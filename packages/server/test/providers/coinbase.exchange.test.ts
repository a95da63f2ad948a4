import { describe, expect, test } from 'vitest'
import type { Adapter } from '../../src/providers/adapter.ts'
import { coinbaseExchange as typed } from '../../src/providers/coinbase.exchange.ts'
import { bookshelf, decode, only } from './captures.ts'

const exchange = typed as unknown as Adapter
const MATCH = {
  type: 'match',
  trade_id: 10,
  maker_order_id: 'ac928c66-ca53-498f-9c13-a110027a60e8',
  taker_order_id: '132fb6ae-456b-4654-b4e0-d681ac05cea1',
  side: 'sell',
  size: '5.23512',
  price: '400.23',
  product_id: 'BTC-USD',
  sequence: 50,
  time: '2014-11-07T08:19:27.028459Z'
}
const TICKER = {
  type: 'ticker',
  sequence: 37_475_248_783,
  product_id: 'ETH-USD',
  price: '1285.22',
  open_24h: '1310.79',
  volume_24h: '245532.79269678',
  low_24h: '1280.52',
  high_24h: '1313.8',
  volume_30d: '9788783.60117027',
  best_bid: '1285.04',
  best_bid_size: '0.46688654',
  best_ask: '1285.27',
  best_ask_size: '1.56637040',
  side: 'buy',
  time: '2022-10-19T23:28:22.061769Z',
  trade_id: 370_843_401,
  last_size: '11.4396987'
}
const SNAPSHOT = {
  type: 'snapshot',
  product_id: 'BTC-USD',
  bids: [
    ['10101.10', '0.45054140'],
    ['10101.00', '1']
  ],
  asks: [['10102.55', '0.57753524']]
}
const UPDATE = {
  type: 'l2update',
  product_id: 'BTC-USD',
  time: '2019-08-14T20:42:27.265Z',
  changes: [
    ['buy', '10101.10', '0'],
    ['sell', '10102.00', '0.162567']
  ]
}
const beat = (last_trade_id: number) => ({
  type: 'heartbeat',
  sequence: 90,
  last_trade_id,
  product_id: 'BTC-USD',
  time: '2014-11-07T08:19:28.464459Z'
})
const hear = (...sent: unknown[]) => {
  const session = exchange.open({})
  return sent.map((one) => exchange.decode(JSON.stringify(one), 1_700_000_000_000, session))
}
const types = (meanings: readonly { type: string }[]) => meanings.map(({ type }) => type)

describe('frames as documented', () => {
  test('a match names the side of its maker: the taker had the other; the number of the trade is its id', () => {
    expect(decode(exchange, MATCH)).toEqual([
      { type: 'trade', symbol: 'BTC-USD', id: '10', time: 1_415_348_367_028.459, price: 400.23, size: 5.23512, side: 'buy' }
    ])
    expect(decode(exchange, { ...MATCH, side: 'buy' })).toMatchObject([{ side: 'sell' }])
    expect(decode(exchange, { ...MATCH, side: 'both' })).toMatchObject([{ side: 'unknown' }])
  })

  test('the last match before subscribing is history and no trade, and yet the next one is held against it', () => {
    const [history, next] = hear({ ...MATCH, type: 'last_match' }, { ...MATCH, trade_id: 12 })
    expect(history).toEqual([])
    expect(next).toMatchObject([
      { type: 'gap', kind: 'trade', symbol: 'BTC-USD', expected: 11, got: 12, cause: 'sequence' },
      { type: 'need', purpose: 'trades', symbol: 'BTC-USD', path: '/products/BTC-USD/trades?limit=1000' },
      { type: 'trade', id: '12' }
    ])
  })

  test('matches in a row, said twice or out of order are no gap', () => {
    const found = hear(...[10, 11, 11, 9, 12].map((trade_id) => ({ ...MATCH, trade_id })))
    expect(found.map(types)).toEqual(Array.from({ length: 5 }, () => ['trade']))
  })

  test('a trade that a heartbeat named and the next one finds missing is a gap, told once', () => {
    const found = hear(MATCH, beat(10), beat(12), beat(12), beat(12), { ...MATCH, trade_id: 13 })
    expect(found.slice(1).map(types)).toEqual([[], [], ['gap', 'need'], [], ['trade']])
    // 12 is missing too.
    expect(found[3]).toMatchObject([{ expected: 11, got: 13 }, {}])
  })

  test('a heartbeat that runs ahead of its match by less than a beat is no gap', () => {
    expect(hear(MATCH, beat(11), { ...MATCH, trade_id: 11 }, beat(11)).map(types)).toEqual([['trade'], [], ['trade'], []])
    expect(hear(beat(5), beat(9), beat(12)).flat()).toEqual([])
  })

  test('after the trades were left, heartbeats of other kinds miss nothing', () => {
    const session = typed.open({})
    const trades = [{ kind: 'trade', symbol: 'BTC-USD' }] as const
    const say = (one: unknown) => typed.decode(JSON.stringify(one), 0, session)
    typed.subscribe([...trades, { kind: 'ticker', symbol: 'BTC-USD' }], session)
    typed.unsubscribe(trades, session)
    say(MATCH)
    expect([12, 14, 16].flatMap((id) => say(beat(id)))).toEqual([])
  })

  test('a ticker is a ticker and a quote', () => {
    const at = { symbol: 'ETH-USD', time: 1_666_222_102_061.769 }
    const day = { open: 1310.79, high: 1313.8, low: 1280.52, volume: 245_532.79269678 }
    expect(decode(exchange, TICKER)).toEqual([
      { type: 'ticker', ...at, last: 1285.22, ...day },
      { type: 'quote', ...at, bid: 1285.04, bidSize: 0.46688654, ask: 1285.27, askSize: 1.5663704 }
    ])
  })

  test.each([
    ['of before 2022, without sizes', { ...TICKER, best_bid_size: undefined, best_ask_size: undefined }, ['ticker']],
    ['of a product without offers', { ...TICKER, best_ask: '', best_ask_size: '' }, ['ticker']],
    ['of a product never traded', { ...TICKER, price: '0' }, ['quote']],
    ['without a price', { ...TICKER, price: undefined }, ['quote']],
    ['of an impossible price', { ...TICKER, price: '-1' }, ['refused', 'quote']],
    ['of a time that is none', { ...TICKER, time: 'noon' }, ['refused', 'refused']]
  ])('a ticker %s says what there is and no more', (_, frame, expected) => {
    expect(types(decode(exchange, frame))).toEqual(expected)
  })

  test('the first ticker of a quiet product has no time: that of its receipt stands in', () => {
    const { time: _, trade_id: __, side: ___, last_size: ____, ...quiet } = TICKER
    expect(decode(exchange, quiet, 5_000)).toMatchObject([{ time: 5_000 }, { time: 5_000 }])
  })

  test('a time, a price, a size or a side that is null is none', () => {
    const quiet = { ...TICKER, time: null, best_bid_size: null }
    expect(decode(exchange, quiet, 5_000)).toMatchObject([{ type: 'ticker', time: 5_000 }])
    expect(types(decode(exchange, { ...TICKER, price: null }))).toEqual(['quote'])
    expect(decode(exchange, { ...SNAPSHOT, bids: null })).toMatchObject([{ type: 'delta', snapshot: true, bids: [] }])
    expect(decode(exchange, { type: 'subscriptions', channels: [{ name: 'ticker', product_ids: null }] })).toEqual([])
  })

  test('a book is its snapshot with absolute sizes put over it; 0 deletes', () => {
    const shelf = bookshelf()
    const deltas = only('delta', hear(SNAPSHOT, UPDATE).flat())
    expect(deltas).toMatchObject([
      { snapshot: true, time: 1_700_000_000_000 },
      { snapshot: false, time: 1_565_815_347_265 }
    ])
    for (const delta of deltas) shelf.fold(delta)
    expect(shelf.best('BTC-USD', 5)).toEqual({
      bids: [[10_101, 1]],
      asks: [
        [10_102, 0.162567],
        [10_102.55, 0.57753524]
      ]
    })
  })

  test('the time of year 1 in a snapshot means none', () => {
    expect(decode(exchange, { ...SNAPSHOT, time: '0001-01-01T00:00:00.000000Z' }, 5_000)).toMatchObject([{ time: 5_000 }])
  })

  test.each([
    ['a side that is none', { ...UPDATE, changes: [['both', '1', '1']] }],
    ['an impossible price', { ...UPDATE, changes: [['buy', '-1', '1']] }],
    ['a size that is none', { ...UPDATE, changes: [['buy', '1', 'NaN']] }],
    ['a change that is none', { ...UPDATE, changes: [null] }],
    ['no changes', { ...UPDATE, changes: undefined }],
    ['a time that is none', { ...UPDATE, time: 'noon' }],
    ['a snapshot of impossible levels', { ...SNAPSHOT, asks: [['0', '1']] }]
  ])('%s is refused and leaves a hole in that book alone', (_, frame) => {
    expect(decode(exchange, frame)).toMatchObject([{ type: 'refused' }, { type: 'gap', kind: 'book', symbol: 'BTC-USD' }])
  })

  test.each([
    ['a heartbeat', beat(20)],
    ['the status of all products', { type: 'status', products: [], currencies: [] }],
    ['a type that is new', { type: 'weather' }]
  ])('%s is life and nothing more', (_, frame) => {
    expect(decode(exchange, frame)).toEqual([])
  })

  test.each(['', 'null', '[]', '{}', '{"type":5}', '{"type":"subscriptions"}', '<html>'])('%s is refused', (frame) => {
    expect(types(decode(exchange, frame))).toEqual(['refused'])
  })
})

describe('asking', () => {
  const wanted = [
    { kind: 'ticker', symbol: 'BTC-USD' },
    { kind: 'quote', symbol: 'BTC-USD' },
    { kind: 'trade', symbol: 'BTC-USD' },
    { kind: 'book', symbol: 'ETH-USD' }
  ] as const

  test('one frame a channel, and a heartbeat for every product until nothing of it is wanted', () => {
    const session = typed.open({})
    expect(typed.subscribe(wanted, session)).toEqual([
      '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker"]}',
      '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches"]}',
      '{"type":"subscribe","product_ids":["ETH-USD"],"channels":["level2_batch"]}',
      '{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channels":["heartbeat"]}'
    ])
    expect(typed.unsubscribe([wanted[0], wanted[2]], session)).toEqual([
      '{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["matches"]}'
    ])
    expect(typed.unsubscribe([wanted[1]], session)).toEqual([
      '{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["ticker"]}',
      '{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["heartbeat"]}'
    ])
  })

  test('the list of subscriptions confirms what is new in it, by whatever name the channel has there', () => {
    const session = typed.open({})
    typed.subscribe(wanted, session)
    const list = (...channels: unknown[]) => typed.decode(JSON.stringify({ type: 'subscriptions', channels }), 0, session)
    const tickers = { name: 'ticker', product_ids: ['BTC-USD'], account_ids: null }
    expect(list(tickers, { name: 'heartbeat', product_ids: ['BTC-USD'] })).toEqual([
      { type: 'ack', kind: 'ticker', symbol: 'BTC-USD' },
      { type: 'ack', kind: 'quote', symbol: 'BTC-USD' }
    ])
    expect(list(tickers, { name: 'level2_50', product_ids: ['ETH-USD'] })).toEqual([
      { type: 'ack', kind: 'book', symbol: 'ETH-USD' }
    ])
  })

  test('an error is a reject, of the product that it names', () => {
    const session = typed.open({})
    typed.subscribe([{ kind: 'trade', symbol: 'FOO-BAR' }], session)
    const error = { type: 'error', message: 'Failed to subscribe', reason: 'FOO-BAR is not a valid product' }
    expect(typed.decode(JSON.stringify(error), 0, session)).toEqual([
      { type: 'reject', symbol: 'FOO-BAR', reason: 'Failed to subscribe: FOO-BAR is not a valid product' }
    ])
    expect(decode(exchange, { type: 'error', message: 'Malformed JSON' })).toEqual([{ type: 'reject', reason: 'Malformed JSON' }])
  })
})

describe('answers of REST', () => {
  const session = exchange.open({})
  const listing = { type: 'need', purpose: 'listing', path: '' } as const

  test('the listing says base, quote, decimals and what trades', () => {
    const product = {
      id: 'BTC-USD',
      base_currency: 'BTC',
      quote_currency: 'USD',
      quote_increment: '0.01',
      base_increment: '0.00000001',
      status: 'online',
      trading_disabled: false
    }
    const old = { ...product, id: 'XYZ-USD', base_currency: 'XYZ', status: 'delisted' }
    expect(exchange.decode(JSON.stringify([product, old]), 0, session, listing)).toEqual([
      {
        type: 'listing',
        rows: [
          { symbol: 'BTC-USD', base: 'BTC', quote: 'USD', trading: true, priceDecimals: 2, sizeDecimals: 8 },
          { symbol: 'XYZ-USD', base: 'XYZ', quote: 'USD', trading: false, priceDecimals: 2, sizeDecimals: 8 }
        ]
      }
    ])
  })

  test('past candles have low before high before open, and come the newest first; the last one is open', () => {
    const need = exchange.history!('BTC-USD', '5m', 1_000, 1_639_508_700_000, {})
    expect(need.path).toBe('/products/BTC-USD/candles?granularity=300&start=1639419000&end=1639508700')
    const body = [
      [1_639_508_400, 140, 142, 141, 141.5, 7],
      [1_639_508_100, 140.21, 141.9, 140.3, 141.1, 56.437345]
    ]
    const [first, second] = exchange.decode(JSON.stringify(body), 1_639_508_500_000, session, need)
    expect(first).toEqual({
      type: 'candle',
      symbol: 'BTC-USD',
      interval: '5m',
      start: 1_639_508_100_000,
      time: 1_639_508_400_000,
      low: 140.21,
      high: 141.9,
      open: 140.3,
      close: 141.1,
      volume: 56.437345,
      closed: true,
      revision: 0
    })
    expect(second).toMatchObject({ start: 1_639_508_400_000, closed: false })
  })

  test('past trades turn the side of the maker too, oldest first', () => {
    const need = exchange.fill!('BTC-USD', 0, 1, {})!
    const row = { trade_id: 74, price: '10.00000000', size: '0.01000000', side: 'buy', time: '2014-11-07T22:19:28.578544Z' }
    const older = { ...row, trade_id: 73, side: 'sell', time: '2014-11-07T01:08:43.642366Z' }
    expect(exchange.decode(JSON.stringify([row, older]), 0, session, need)).toEqual([
      { type: 'trade', symbol: 'BTC-USD', id: '73', time: 1_415_322_523_642.366, price: 10, size: 0.01, side: 'buy' },
      { type: 'trade', symbol: 'BTC-USD', id: '74', time: 1_415_398_768_578.544, price: 10, size: 0.01, side: 'sell' }
    ])
  })

  test('an error is a reject; anything else that is no list is refused', () => {
    expect(exchange.decode('{"message":"NotFound"}', 0, session, listing)).toEqual([{ type: 'reject', reason: 'NotFound' }])
    for (const body of ['null', '5', '[null]', '<html>'])
      expect(types(exchange.decode(body, 0, session, listing))).toEqual(['refused'])
  })
})
