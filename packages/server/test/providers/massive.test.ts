import { describe, expect, test } from 'vitest'
import { massive as typed } from '../../src/providers/massive.ts'
import { providers } from '../../src/providers/index.ts'
import { countsOf, decode, lines, only, rows } from './captures.ts'

const massive = providers.massive!
const NOW = 1_700_000_000_000
const samples = lines('massive/ws-doc-samples.jsonl')
const rest = new Map(rows<{ path: string; body: unknown }>('massive/rest-responses.jsonl').map(({ path, body }) => [path, body]))
const find = (start: string) => [...rest].find(([path]) => path.startsWith(start))![1]

describe('the documented samples of the vendor', () => {
  const all = samples.flatMap((line) => decode(massive, line))
  test('each of our kinds decodes, and the others mean nothing', () => {
    expect(countsOf(all)).toEqual({ trade: 3, ticker: 1, candle: 6, band: 1, quote: 1, index: 1 })
  })
  test('a trade has its venue and conditions; its id holds day and exchange', () => {
    expect(only('trade', all)[0]).toEqual({
      type: 'trade',
      symbol: 'MSFT',
      id: '17777-4-12345',
      time: 1_536_036_818_784,
      price: 114.125,
      size: 100,
      side: 'unknown',
      venue: '4',
      conditions: ['0', '12'],
      session: 'overnight'
    })
  })
  test('a crypto trade has a side: 1 sold, 2 bought', () => {
    expect(only('trade', all)[2]).toMatchObject({ symbol: 'X:BTC-USD', side: 'buy', size: 0.01616617 })
  })
  test('times are told apart by their digits: microseconds in LULD', () => {
    expect(only('band', all)[0]).toEqual({
      type: 'band',
      symbol: 'MSFT',
      time: 1_601_316_752_683.746,
      up: 218.96,
      down: 198.11,
      indicator: '21'
    })
  })
  test('a minute is closed when it comes, also with the pair in another form', () => {
    expect(only('candle', all).map(({ symbol, closed }) => [symbol, closed])).toContainEqual(['C:USD/EUR', true])
  })
  test('an index has its value', () => {
    expect(only('index', all)).toEqual([{ type: 'index', symbol: 'I:SPX', time: 1_678_220_098_130, value: 3988.5 }])
  })
})

test.each([
  ['Q before shares', { ev: 'Q', sym: 'MSFT', bp: 1, bs: 3, ap: 2, as: 4, t: 1_536_036_818_784 }, { bidSize: 300, askSize: 400 }],
  ['Q in shares', { ev: 'Q', sym: 'MSFT', bp: 1, bs: 300, ap: 2, as: 4, t: 1_790_000_000_000 }, { bidSize: 300, askSize: 4 }],
  [
    'XQ',
    { ev: 'XQ', pair: 'BTC-USD', bp: 1, bs: 0.5, ap: 2, as: 4.522e-5, t: 1_790_000_000_000 },
    { symbol: 'X:BTC-USD', askSize: 4.522e-5 }
  ],
  [
    'C, whose pair stands in p',
    { ev: 'C', p: 'EUR/USD', a: 1.2, b: 1.1, t: 1_790_000_000_000 },
    { symbol: 'C:EUR/USD', bid: 1.1, ask: 1.2, bidSize: 0 }
  ]
])('a quote: %s', (_, row, expected) => {
  expect(decode(massive, [row])).toEqual([expect.objectContaining({ type: 'quote', ...expected })])
})

test.each([
  ['before the open', '2026-01-14T13:00:00Z', [12], 'pre'],
  ['in the session', '2026-01-14T15:00:00Z', [], 'regular'],
  ['after the close', '2026-01-14T21:30:00Z', [12], 'post'],
  ['the closing print', '2026-01-14T21:00:01Z', [8], 'regular'],
  ['after an early close', '2026-11-27T18:30:00Z', [12], 'post']
])('a stock trade %s is of its session', (_, at, c, session) => {
  const row = { ev: 'T', sym: 'AAPL', x: 4, i: '1', p: 1, s: 1, c, t: Date.parse(at) }
  expect(decode(massive, [row])).toMatchObject([{ session }])
})

test('a trade without an id keeps its side; an id of null is none; no band is set out of hours', () => {
  const row = { ev: 'XT', pair: 'BTC-USD', p: 1, s: 1, c: [1], x: 1, t: NOW }
  for (const i of [undefined, null, '']) {
    const [trade] = decode(massive, [{ ...row, i }])
    expect(trade).toMatchObject({ type: 'trade', side: 'sell' })
    expect(trade).not.toHaveProperty('id')
  }
  expect(decode(massive, [{ ev: 'LULD', T: 'A', h: 0, l: 0, i: [17], t: NOW }])).toEqual([])
  expect(decode(massive, [{ ev: 'CA', pair: 'USD/EUR', o: 1, c: 1, h: 1, l: 1, v: null, s: NOW }])).toMatchObject([{ volume: 0 }])
})

describe('the conversation', () => {
  const wanted = [
    { kind: 'trade', symbol: 'AAPL' },
    { kind: 'candle', symbol: 'AAPL', interval: '1m' },
    { kind: 'quote', symbol: 'X:BTC-USD' },
    { kind: 'index', symbol: 'I:SPX' }
  ] as const
  test('what is wanted is asked once the key is accepted, and each item is acknowledged', () => {
    const session = typed.open({ key: 'k' })
    expect(typed.subscribe(wanted.slice(0, 2), session)).toEqual([])
    const [reply] = only(
      'reply',
      typed.decode('[{"ev":"status","status":"auth_success","message":"authenticated"}]', NOW, session)
    )
    expect(JSON.parse(reply!.frame as string)).toEqual({ action: 'subscribe', params: 'T.AAPL,AM.AAPL' })
    expect(typed.decode('[{"ev":"status","status":"success","message":"subscribed to: AM.AAPL"}]', NOW, session)).toEqual([
      { type: 'ack', kind: 'candle', symbol: 'AAPL' }
    ])
  })
  test('each cluster has a connection and an address of its own', () => {
    expect(wanted.map((one) => typed.route!(one))).toEqual(['stocks', 'stocks', 'crypto', 'indices'])
    expect(typed.dial!('wss://socket.massive.com', {}, 'crypto')).toBe('wss://socket.massive.com/crypto')
    expect(typed.dial!('wss://socket.massive.com', { feed: 'delayed' }, 'stocks')).toBe('wss://delayed.massive.com/stocks')
    expect(typed.limits.connections).toBe(1)
  })
  test('data of the delayed cluster says so', () => {
    const session = typed.open({ feed: 'delayed' })
    expect(typed.decode(samples[0]!, NOW, session)).toEqual([expect.objectContaining({ type: 'trade', delayed: 900_000 })])
  })
  test.each([
    [
      { status: 'auth_failed', message: 'authentication failed' },
      { type: 'reject', denied: true }
    ],
    [
      { status: 'max_connections', message: 'Maximum number of connections exceeded.' },
      { type: 'reject', fatal: true }
    ],
    [{ status: 'auth_timeout', message: 'timed out' }, { type: 'hangup' }],
    [
      { status: 'error', message: 'not authorized to subscribe to: T.AAPL' },
      { type: 'reject', kind: 'trade', symbol: 'AAPL' }
    ]
  ])('%j', (row, expected) => {
    const session = typed.open({})
    typed.subscribe(wanted, session)
    expect(typed.decode(JSON.stringify([{ ev: 'status', ...row }]), NOW, session)).toEqual([expect.objectContaining(expected)])
  })
})

describe('REST', () => {
  const ask = (body: unknown, need: object) =>
    massive.decode(JSON.stringify(body), NOW, massive.open({}), { type: 'need', path: '', purpose: 'history', ...need } as never)
  test('the listing goes on through pages and markets', () => {
    const path = '/v3/reference/tickers?market=stocks&active=true&limit=1000'
    const [listing, next] = ask(find('v3/reference/tickers'), { purpose: 'listing', path })
    expect(listing).toMatchObject({
      type: 'listing',
      rows: expect.arrayContaining([expect.objectContaining({ symbol: 'A', base: 'A' })]) as unknown
    })
    expect(next).toMatchObject({ type: 'need', purpose: 'listing' })
    const crypto = {
      results: [{ ticker: 'X:BTCUSD', market: 'crypto', base_currency_symbol: 'BTC', currency_symbol: 'USD', active: true }]
    }
    expect(ask(crypto, { purpose: 'listing', path: '/v3/reference/tickers?market=crypto' })).toEqual([
      {
        type: 'listing',
        rows: [{ symbol: 'X:BTC-USD', base: 'BTC', quote: 'USD', aliases: ['X:BTCUSD'], calendar: '24/7', trading: true }]
      },
      { type: 'need', purpose: 'listing', path: '/v3/reference/tickers?market=fx&active=true&limit=1000' }
    ])
  })
  test('bars are closed candles, oldest first', () => {
    const candles = ask(find('v2/aggs/ticker/AAPL/range'), { symbol: 'AAPL', interval: '1d' })
    expect(candles[0]).toMatchObject({ type: 'candle', symbol: 'AAPL', open: 1.5032, close: 1.4604, trades: 82132, closed: true })
    expect(candles.length).toBe(2)
  })
  test('past trades fill a gap under the ids of the stream', () => {
    const trades = ask(find('v3/trades/AAPL'), { purpose: 'trades', symbol: 'AAPL' })
    expect(only('trade', trades)[0]).toMatchObject({ price: 156.43, size: 10, venue: '11', conditions: ['12', '37'] })
    expect(typed.fill!('X:BTC-USD', 1, 2, {})!.path).toContain('/v3/trades/X%3ABTCUSD')
  })
  test('a snapshot is a ticker with the day’s figures', () => {
    const [ticker] = ask(find('v2/snapshot/locale/us/markets/stocks/tickers/AAPL'), { purpose: 'snapshot' })
    expect(ticker).toMatchObject({ type: 'ticker', symbol: 'AAPL', high: 166.2, low: 159.8, volume: 68840127 })
  })
  test('news has its publisher, its tickers and its own id', () => {
    const stories = ask(find('v2/reference/news'), { purpose: 'snapshot', note: 'news' })
    expect(only('news', stories)[0]).toMatchObject({
      id: 'JeJEhAVoKaqJ2zF9nzQYMg07UlEeWlis6Dsop33TPQY',
      source: 'MarketWatch',
      symbol: '*'
    })
  })
  test('cancelled trades, and the records of a cancel or a correction, are no trades; a long break is asked in pages', () => {
    const row = { conditions: [37], exchange: 11, id: '1', price: 2, sip_timestamp: 1_651_181_822_461_979_400, size: 10 }
    const results = [1, 7, 8, 10, 11, 12, undefined].map((correction, i) => ({ ...row, id: String(i), correction }))
    const body = { results, status: 'DELAYED', next_url: 'https://api.massive.com/v3/trades/AAPL?cursor=c' }
    const found = ask(body, { purpose: 'trades', symbol: 'AAPL' })
    expect(only('trade', found)).toMatchObject([
      { id: expect.stringMatching(/-0$/) as string, ineligible: true, delayed: 900_000 },
      { id: expect.stringMatching(/-6$/) as string }
    ])
    expect(found.at(-1)).toMatchObject({ type: 'need', purpose: 'trades', symbol: 'AAPL', path: '/v3/trades/AAPL?cursor=c' })
  })
  test('past trades of crypto have their side, under the id of the stream', () => {
    const row = { conditions: [2], exchange: 1, id: '191450340', participant_timestamp: 1_625_097_600_103_000_000, price: 35_060 }
    const [past] = ask({ results: [{ ...row, size: 1.04e-5 }] }, { purpose: 'trades', symbol: 'X:BTC-USD' })
    const live = { ev: 'XT', pair: 'BTC-USD', p: 35_060, t: 1_625_097_600_103, s: 1.04e-5, c: [2], i: 191_450_340, x: 1 }
    expect(past).toEqual(decode(massive, [live])[0])
    expect(past).toMatchObject({ side: 'buy' })
  })
  test('each market is asked for its own tickers', () => {
    const paths = ['AAPL', 'X:BTC-USD', 'C:EUR/USD'].map((symbol) => {
      const [poll] = typed.subscribe([{ kind: 'ticker', symbol }], typed.open({}))
      return (poll as { need: { path: string } }).need.path
    })
    expect(paths).toEqual([
      '/v2/snapshot/locale/us/markets/stocks/tickers?tickers=AAPL',
      '/v2/snapshot/locale/global/markets/crypto/tickers?tickers=X%3ABTCUSD',
      '/v2/snapshot/locale/global/markets/forex/tickers?tickers=C%3AEURUSD'
    ])
  })
  test('the bar of a second is a ticker of the day, with what the last snapshot knew', () => {
    const session = typed.open({})
    const bar = { ev: 'A', sym: 'AAPL', av: 70, op: 161, c: 167, h: 167, l: 166, s: 1_651_251_948_000, e: 1_651_251_949_000 }
    const see = () => typed.decode(JSON.stringify([bar]), NOW, session)
    const day = { type: 'ticker', symbol: 'AAPL', time: bar.e, last: 167, open: 161, volume: 70 }
    expect(see()).toEqual([day])
    const ticker = { ticker: 'AAPL', day: { o: 161, h: 166, l: 160, v: 60 }, lastTrade: { p: 165, t: 1 }, prevDay: { c: 100 } }
    const need = { type: 'need', purpose: 'snapshot', path: '' } as const
    typed.decode(JSON.stringify({ tickers: [{ ...ticker, updated: 1_651_251_948_407_000_000 }] }), NOW, session, need)
    expect(see()).toEqual([{ ...day, high: 167, low: 160, prevClose: 100, change: 67, changePercent: 67 }])
    expect(typed.decode(JSON.stringify([{ ...bar, sym: 'I:SPX' }]), NOW, session)).toEqual([])
  })
  test('a refusal is told in its own words', () => {
    expect(ask({ status: 'ERROR', error: "You've exceeded the maximum requests per minute" }, { symbol: 'AAPL' })).toEqual([
      { type: 'reject', symbol: 'AAPL', reason: "You've exceeded the maximum requests per minute" }
    ])
  })
})

test('acks find their subscriptions without a search for each: twice as many cost twice as many look-ups, not four times', () => {
  const lookups = (count: number): number => {
    const session = typed.open({ key: 'k' })
    const list = Array.from({ length: count }, (_, i) => ({ kind: 'trade', symbol: `S${i}` }) as const)
    typed.subscribe(list, session)
    let steps = 0
    const counted = <T extends object>(map: T): T =>
      new Proxy(map, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name)
          if (name === 'get' || name === 'has') steps++
          // To walk the map is as many steps as it is long.
          else if (name !== 'set' && name !== 'delete') steps += count
          return typeof member === 'function' ? (member.bind(target) as unknown) : member
        }
      })
    session.wanted = counted(session.wanted)
    const acks = list.map(({ symbol }) => ({ ev: 'status', status: 'success', message: `subscribed to: T.${symbol}` }))
    expect(typed.decode(JSON.stringify(acks), NOW, session)).toHaveLength(count)
    expect(steps).toBeGreaterThanOrEqual(count)
    return steps
  }
  expect(lookups(2_000)).toBeLessThanOrEqual(2 * lookups(1_000))
})
