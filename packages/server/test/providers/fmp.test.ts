import { describe, expect, test } from 'vitest'
import type { Need } from '../../src/providers/adapter.ts'
import { fmp as typed } from '../../src/providers/fmp.ts'
import { lines } from './captures.ts'

const NOW = 1_800_000_000_000
const frames = lines('fmp/ws-frames-documented.jsonl')
const ask = (body: unknown, need: Partial<Need> = {}, session = typed.open({ key: 'K' })) =>
  typed.decode(JSON.stringify(body), NOW, session, { type: 'need', purpose: 'snapshot', path: '', ...need })

describe('the socket', () => {
  test('nothing is asked before the login is answered', () => {
    const session = typed.open({ key: 'K' })
    expect(typed.greet!(session)).toEqual(['{"event":"login","data":{"apiKey":"K"}}'])
    expect(
      typed.subscribe(
        [
          { kind: 'trade', symbol: 'AAPL' },
          { kind: 'quote', symbol: 'AAPL' }
        ],
        session
      )
    ).toEqual([])
    expect(typed.decode(frames[0]!, NOW, session)).toEqual([
      { type: 'reply', frame: '{"event":"subscribe","data":{"ticker":["aapl"]}}' }
    ])
    expect(typed.decode(frames[1]!, NOW, session)).toEqual([
      { type: 'ack', kind: 'trade', symbol: 'AAPL' },
      { type: 'ack', kind: 'quote', symbol: 'AAPL' }
    ])
    const [quote, trade] = [frames[2]!, frames[3]!].map((frame) => typed.decode(frame, NOW, session))
    expect(quote).toMatchObject([
      { type: 'quote', symbol: 'AAPL', bid: 172.8, askSize: 300, time: expect.closeTo(1_645_045_389_021.303, 2) as number }
    ])
    expect(trade).toMatchObject([{ type: 'trade', symbol: 'AAPL', price: 172.85, size: 100 }])
  })
  test.each([1_645_045_389, 1_645_045_389_000, 1_645_045_389_000_000, 1_645_045_389_000_000_000])(
    'a time of %d is told by its digits',
    (t) => {
      expect(typed.decode(JSON.stringify({ s: 'aapl', t, type: 'T', lp: 1, ls: 1 }), NOW, typed.open({}))).toMatchObject([
        { time: 1_645_045_389_000 }
      ])
    }
  )
  test('a field of null is a field that is not there', () => {
    const row = { s: 'aapl', t: '1645045389021303000', type: 'Q', lp: null, ls: null, ap: '2', as: 1, bp: '1', bs: null }
    expect(typed.decode(JSON.stringify(row), NOW, typed.open({}))).toMatchObject([{ type: 'quote', bid: 1, bidSize: 0, ask: 2 }])
  })
  test('one type may carry the fields of both; a heartbeat means nothing; a refused login is a refusal', () => {
    const both = { s: 'aapl', t: 1_645_045_389, type: 'Q', lp: 1, ls: 1, ap: 2, as: 1, bp: 1, bs: 1 }
    expect(typed.decode(JSON.stringify(both), NOW, typed.open({})).map(({ type }) => type)).toEqual(['trade', 'quote'])
    expect(typed.decode('{"event":"heartbeat"}', NOW, typed.open({}))).toEqual([])
    expect(typed.decode('{"event":"login","status":401,"message":"Unauthorized"}', NOW, typed.open({}))).toMatchObject([
      { type: 'reject', denied: true }
    ])
  })
})

describe('REST', () => {
  const quote = {
    symbol: 'AAPL',
    price: 232.8,
    change: 4.8,
    volume: 44_489_128,
    dayLow: 226.65,
    dayHigh: 233.13,
    open: 227.2,
    previousClose: 228.01,
    timestamp: 1_738_702_801
  }
  test.each(['changePercentage', 'changesPercentage'])('the change in percent may be called %s', (name) => {
    expect(ask([{ ...quote, [name]: 2.1 }])).toMatchObject([
      { type: 'ticker', last: 232.8, changePercent: 2.1, prevClose: 228.01, time: 1_738_702_801_000 }
    ])
  })
  test('the same time again is no news', () => {
    const session = typed.open({})
    expect(ask([quote], {}, session).length).toBe(1)
    expect(ask([quote], {}, session)).toEqual([])
  })
  test.each([
    ['Invalid API KEY. Feel free to create one', { type: 'reject', denied: true }],
    ['Limit Reach . Please upgrade your plan', { type: 'quiet' }],
    ['Legacy Endpoint : Due to Legacy endpoints being no longer supported', { type: 'reject', symbol: 'AAPL' }],
    ['Exclusive Endpoint : This endpoint is not available', { type: 'reject', symbol: 'AAPL' }]
  ])('a failure that comes as a success is a failure: %s', (message, expected) => {
    expect(ask({ 'Error Message': message }, { symbol: 'AAPL' })).toMatchObject([expected])
  })
  test('candles are in New York’s time, of crypto in UTC', () => {
    const row = { date: '2025-07-01 09:30:00', open: 1, low: 1, high: 2, close: 2, volume: 5 }
    expect(ask([row], { purpose: 'history', symbol: 'AAPL', interval: '1m' })).toMatchObject([
      { start: Date.parse('2025-07-01T13:30:00Z') }
    ])
    expect(ask([row], { purpose: 'history', symbol: 'BTCUSD', interval: '1m' })).toMatchObject([
      { start: Date.parse('2025-07-01T09:30:00Z') }
    ])
    expect(
      ask(
        { symbol: 'AAPL', historical: [{ ...row, date: '2025-07-01' }] },
        { purpose: 'history', symbol: 'AAPL', interval: '1d' }
      ).length
    ).toBe(1)
  })
  test.each([
    ['SHEL.L', '2025-07-01T08:30:00Z'],
    ['USDCHF', '2025-07-01T09:30:00Z'],
    ['EURPLN', '2025-07-01T09:30:00Z'],
    ['GOOGL', '2025-07-01T13:30:00Z']
  ])('a chart of %s is in the time of its exchange', (symbol, start) => {
    const row = { date: '2025-07-01 09:30:00', open: 1, low: 1, high: 2, close: 2, volume: null }
    expect(ask([row], { purpose: 'history', symbol, interval: '1m' })).toMatchObject([{ start: Date.parse(start), volume: 0 }])
  })
  test.each([
    ['AAPL', 'stocks'],
    ['BTCUSD', 'crypto'],
    ['EURUSD', 'forex'],
    ['EURPLN', 'forex']
  ])('trades of %s come from %s', (symbol, route) => {
    expect(typed.route!({ kind: 'trade', symbol })).toBe(route)
  })
  test('a refusal in bare text is one, and a symbol that nobody knows is nothing', () => {
    const need = { type: 'need', purpose: 'history', symbol: 'AAPL', path: '' } as const
    expect(typed.decode('Premium Query Parameter: ask for a plan', NOW, typed.open({}), need)).toEqual([
      { type: 'reject', symbol: 'AAPL', reason: 'Premium Query Parameter: ask for a plan' }
    ])
    expect(ask([])).toEqual([])
  })
  test('a quote out of hours has both sides, and milliseconds', () => {
    const row = { symbol: 'AAPL', bidSize: 1, bidPrice: 232.45, askSize: 3, askPrice: 232.64, timestamp: 1_738_715_334_311 }
    expect(ask([row])).toEqual([
      { type: 'quote', symbol: 'AAPL', time: 1_738_715_334_311, bid: 232.45, bidSize: 1, ask: 232.64, askSize: 3 }
    ])
  })
  test('all quotes are one call', () => {
    const session = typed.open({})
    const [poll] = typed.subscribe(
      [
        { kind: 'ticker', symbol: 'AAPL' },
        { kind: 'index', symbol: '^GSPC' }
      ],
      session
    )
    expect(poll).toMatchObject({ poll: 'quotes', need: { path: '/batch-quote?symbols=AAPL,%5EGSPC' } })
    expect(
      typed.unsubscribe(
        [
          { kind: 'ticker', symbol: 'AAPL' },
          { kind: 'index', symbol: '^GSPC' }
        ],
        session
      )[0]
    ).not.toHaveProperty('need')
  })
})
