import { describe, expect, test } from 'vitest'
import type { Need } from '../../src/providers/adapter.ts'
import { alphaVantage as typed } from '../../src/providers/alpha-vantage.ts'
import { countsOf, only, rows } from './captures.ts'

const NOW = Date.parse('2025-12-05T18:00:00Z')
const recorded = new Map(
  rows<{ fixture: string; body: unknown }>('alpha-vantage/rest-romeltorres.jsonl.gz').map(({ fixture, body }) => [fixture, body])
)
const ask = (body: unknown, need: Partial<Need> = {}, options = {}) =>
  typed.decode(typeof body === 'string' ? body : JSON.stringify(body), NOW, typed.open({ key: 'K', options }), {
    type: 'need',
    purpose: 'snapshot',
    path: '',
    symbol: 'MSFT',
    ...need
  })

describe('recorded answers', () => {
  test('a quote is a ticker, late, and dated by its day', () => {
    expect(ask(recorded.get('global_quote'))).toEqual([
      {
        type: 'ticker',
        symbol: 'MSFT',
        time: Date.parse('2018-10-05T20:00:00Z'),
        last: 112.13,
        open: 112.63,
        high: 113.17,
        low: 110.64,
        volume: 29_062_853,
        change: -0.66,
        changePercent: -0.5852,
        prevClose: 112.79,
        delayed: 900_000
      }
    ])
  })
  test.each([
    ['BTC/USD', 18_780.028_149_54],
    ['BTC/CNY', 123_574.463_226_82]
  ])('the form of crypto before 2024 is read too, in the money of %s', (symbol, close) => {
    const candles = only('candle', ask(recorded.get('mock_crypto_currencies'), { purpose: 'history', interval: '5m', symbol }))
    expect(candles.length).toBeGreaterThan(10)
    expect(candles.at(-1)).toMatchObject({ start: Date.parse('2017-12-20T19:30:00Z'), close })
  })
  test('rows of text are candles in New York’s time', () => {
    const all = ask(recorded.get('mock_time_series_extended'), { purpose: 'history', interval: '1m' })
    // Its last line was cut off.
    expect(countsOf(all)).toEqual({ candle: 1_093, refused: 1 })
    expect(only('candle', all).at(-1)).toMatchObject({ start: Date.parse('2020-12-19T01:00:00Z') })
  })
  test.each(['mock_fundamental_data', 'mock_technical_indicator'])('%s is none of ours and is refused', (name) => {
    expect(ask(recorded.get(name))[0]!.type).toBe('refused')
  })
})

test.each([
  [
    'a day’s limit is quiet until midnight in New York',
    { Information: 'We have detected your API key as ABC and our standard API rate limit is 25 requests per day.' },
    { type: 'quiet', for: 11 * 3_600_000 }
  ],
  [
    'a burst is quiet for a moment',
    { Information: 'Please consider spreading out your free API requests more sparingly (1 request per second).' },
    { type: 'quiet', for: 1_500 }
  ],
  [
    'a burst that names the day’s limit as well',
    {
      Information:
        'Please consider spreading out your free API requests more sparingly (1 request per second). You may subscribe to any of the premium plans to lift the free key rate limit (25 requests per day), raise the per-second burst limit'
    },
    { type: 'quiet', for: 1_500 }
  ],
  [
    'the old minute’s limit',
    { Note: 'Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and 500 calls per day.' },
    { type: 'quiet' }
  ],
  [
    'a wrong call',
    { 'Error Message': 'Invalid API call. Please retry or visit the documentation' },
    { type: 'reject', symbol: 'MSFT' }
  ],
  [
    'a premium endpoint',
    { Information: 'Thank you for using Alpha Vantage! This is a premium endpoint.' },
    { type: 'reject', symbol: 'MSFT' }
  ],
  ['an unknown symbol', { 'Global Quote': {} }, { type: 'reject', symbol: 'MSFT' }],
  ['a notice in rows of letters', 'I,n,f,o,r,m,a\nT,h,a,n,k', { type: 'reject' }]
])('%s', (_, body, expected) => {
  const [meaning] = ask(body)
  expect(meaning).toMatchObject(expected)
  expect(JSON.stringify(meaning)).not.toContain('ABC')
})

test('a rate of exchange is a ticker, and a quote where both sides are there', () => {
  const rate = {
    '5. Exchange Rate': '1.1',
    '6. Last Refreshed': '2025-12-05 10:20:01',
    '7. Time Zone': 'UTC',
    '8. Bid Price': '1.09',
    '9. Ask Price': '1.11'
  }
  const found = ask({ 'Realtime Currency Exchange Rate': rate }, { symbol: 'EUR/USD' })
  expect(found).toMatchObject([
    { type: 'ticker', last: 1.1, time: Date.parse('2025-12-05T10:20:01Z') },
    { type: 'quote', bid: 1.09, ask: 1.11 }
  ])
  expect(ask({ 'Realtime Currency Exchange Rate': { ...rate, '8. Bid Price': '-' } }).map(({ type }) => type)).toEqual(['ticker'])
})

test.each([
  ['2025-03-07 15:55:00', '2025-03-07T20:55:00Z'],
  ['2025-03-10 15:55:00', '2025-03-10T19:55:00Z'],
  ['2025-11-03 15:55:00', '2025-11-03T20:55:00Z']
])('a bar of %s in New York began at %s', (at, start) => {
  const body = {
    'Meta Data': { '6. Time Zone': 'US/Eastern' },
    'Time Series (5min)': { [at]: { '1. open': '1', '2. high': '2', '3. low': '1', '4. close': '2', '5. volume': '0' } }
  }
  expect(ask(body, { purpose: 'history', interval: '5m' })).toMatchObject([
    { type: 'candle', start: Date.parse(start), volume: 0 }
  ])
})

test('news is judged per symbol, and its time is UTC', () => {
  const item = {
    title: 'T',
    url: 'https://x.example/a',
    time_published: '20251205T103000',
    authors: ['A', 'B'],
    summary: 'S',
    source: 'X',
    overall_sentiment_score: 0.2,
    ticker_sentiment: [
      { ticker: 'CRYPTO:BTC', ticker_sentiment_score: '-0.1' },
      { ticker: 'AAPL', ticker_sentiment_score: '0.5' }
    ]
  }
  expect(ask({ items: '1', feed: [item] }, { note: 'news' })).toMatchObject([
    {
      type: 'news',
      id: item.url,
      time: Date.parse('2025-12-05T10:30:00Z'),
      author: 'A, B',
      symbols: ['BTC/USD', 'AAPL'],
      sentiment: 0.2,
      sentiments: { AAPL: 0.5, 'BTC/USD': -0.1 }
    }
  ])
  expect(ask({ feed: [], items: '0' }, { note: 'news' })).toEqual([])
})

describe('with an entitlement', () => {
  const access = { key: 'K', options: { entitlement: 'delayed' } }
  const row = {
    symbol: 'MSFT',
    timestamp: '2025-12-05 12:59:59.250',
    open: '1',
    high: '3',
    low: '1',
    close: '2',
    volume: '10',
    previous_close: '1.9',
    change: '0.1',
    change_percent: '5.2632%',
    extended_hours_quote: 'N/A'
  }
  const bulk = (body: object) => ask({ endpoint: 'Realtime Bulk Quotes', message: 'delayed', ...body }, {}, access.options)
  test('stocks are asked by the hundred, pairs and other markets one by one', () => {
    const session = typed.open(access)
    const letters = Array.from({ length: 101 }, (_, i) => String.fromCharCode(65 + (i % 26), 65 + Math.floor(i / 26)))
    const symbols = [...letters, 'TSCO.LON', 'EUR/USD']
    const list = symbols.map((symbol) => ({ kind: 'ticker', symbol }) as const)
    const polls = typed.subscribe(list, session)
    expect(polls.map((one) => (one as { poll: string }).poll)).toEqual(['TSCO.LON', 'EUR/USD', 'bulk 1', 'bulk 2'])
    expect(polls[3]).toMatchObject({
      need: { path: `/query?function=REALTIME_BULK_QUOTES&symbol=${letters[100]}&entitlement=delayed&apikey=K` }
    })
    expect(typed.unsubscribe(list.slice(0, 1), session)[1]).toEqual({ poll: 'bulk 2', every: 60_000 })
  })
  test('each row is a ticker of its own time, and late where the plan is', () => {
    expect(bulk({ data: [row] })).toEqual([
      {
        type: 'ticker',
        symbol: 'MSFT',
        time: Date.parse('2025-12-05T17:59:59.250Z'),
        last: 2,
        open: 1,
        high: 3,
        low: 1,
        volume: 10,
        prevClose: 1.9,
        change: 0.1,
        changePercent: 5.2632,
        delayed: 900_000
      }
    ])
    expect(bulk({ data: [{ ...row, symbol: 'NONE', close: 'N/A' }] })).toMatchObject([{ type: 'reject', symbol: 'NONE' }])
  })
  test('what it shows to a free key in place of data is never data', () => {
    expect(bulk({ data: [row], message: 'This is a premium endpoint: the data below is a sample' })).toMatchObject([
      { type: 'reject' }
    ])
  })
  test('the full history of days is asked of a plan that has it', () => {
    const path = (options: Record<string, string>) => typed.history!('IBM', '1d', 500, NOW, { key: 'K', options }).path
    expect(path({})).toContain('outputsize=compact&apikey=K')
    expect(path({ entitlement: 'realtime' })).toContain('outputsize=full&entitlement=realtime&apikey=K')
  })
})

test('rows of text with an adjusted close have their volume by its name', () => {
  const text = 'timestamp,open,high,low,close,adjusted_close,volume\n2025-12-04,1,2,1,2,1.9,77'
  expect(ask(text, { purpose: 'history', interval: '1d' })).toMatchObject([{ type: 'candle', close: 2, volume: 77 }])
})

test('what is wanted is polled, one call a symbol, within 25 a day and 5 a minute', () => {
  expect(typed.limits.requests).toEqual([
    { count: 5, per: 60_000 },
    { count: 25, per: 86_400_000 }
  ])
  const [poll] = typed.subscribe([{ kind: 'ticker', symbol: 'EUR/USD' }], typed.open({ key: 'K' }))
  expect(poll).toMatchObject({
    poll: 'EUR/USD',
    need: { path: '/query?function=CURRENCY_EXCHANGE_RATE&from_currency=EUR&to_currency=USD&apikey=K' }
  })
})

test.each(['MXN/USD', 'ZAR/USD', 'TRY/USD'])('the history of %s is asked as of a currency, not of a coin', (symbol) => {
  expect(typed.history!(symbol, '1d', 50, NOW, { key: 'K' }).path).toContain('function=FX_DAILY')
})
