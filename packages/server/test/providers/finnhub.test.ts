import { describe, expect, test } from 'vitest'
import { finnhub as typed } from '../../src/providers/finnhub.ts'
import { providers } from '../../src/providers/index.ts'
import { countsOf, decode, lines, only, rows } from './captures.ts'

const finnhub = providers.finnhub!
const NOW = 1_700_000_000_000
const frames = lines('finnhub/ws-trades.jsonl')

describe('recorded frames', () => {
  test('every row is a trade, also those that are alike', () => {
    const expected = frames.flatMap((line) => {
      const frame = JSON.parse(line) as { type: string; data?: unknown[] }
      return frame.type === 'trade' ? frame.data! : []
    }).length
    const counts = countsOf(frames.flatMap((line) => decode(finnhub, line)))
    expect(counts.trade).toBe(expected)
    expect(counts.refused).toBeUndefined()
  })
  test('a trade has no id and no side; odd lots do not set the last price', () => {
    const [first] = decode(finnhub, frames[0]!)
    expect(first).toEqual({
      type: 'trade',
      symbol: 'AAPL',
      time: 1_680_286_537_580,
      price: 164.0601,
      size: 5,
      side: 'unknown',
      conditions: ['1', '12'],
      ineligible: true,
      session: 'regular'
    })
  })
  test('[U6] equal rows of one frame are separate prints', () => {
    const row = { c: ['1'], p: 164.06, s: 'AAPL', t: 1_680_286_537_953, v: 100 }
    expect(decode(finnhub, { type: 'trade', data: [row, row, row] }).length).toBe(3)
  })
  test('a quote is a ticker of its second', () => {
    const [body] = rows('finnhub/rest-quote.jsonl')
    const need = { type: 'need', purpose: 'snapshot', symbol: 'AAPL', path: '' } as const
    expect(finnhub.decode(JSON.stringify(body), NOW, finnhub.open({}), need)).toEqual([
      {
        type: 'ticker',
        symbol: 'AAPL',
        time: 1_680_273_039_000,
        last: 162.65,
        open: 162.44,
        high: 163.09,
        low: 162.13,
        change: 0.29,
        changePercent: 0.1786,
        prevClose: 162.36
      }
    ])
  })
})

test.each([
  ['conditions null, as in crypto', { c: null, p: 2, s: 'BINANCE:BTCUSDT', t: NOW, v: 0.001 }, { venue: 'BINANCE', size: 0.001 }],
  ['no volume, as in forex', { p: 1.1, s: 'OANDA:EUR_USD', t: NOW }, { size: 0 }],
  ['after hours', { c: ['24'], p: 1.1, s: 'AAPL', t: NOW, v: 1.5 }, { session: 'post', size: 1.5 }],
  ['before hours', { c: ['1', '24'], p: 1, s: 'AAPL', t: Date.parse('2026-01-14T13:00:00Z'), v: 1 }, { session: 'pre' }],
  ['an official close', { c: ['16'], p: 1, s: 'AAPL', t: Date.parse('2026-01-14T21:00:02Z'), v: 1 }, { session: 'regular' }],
  ['a price as text', { c: [], p: '1.5', s: 'AAPL', t: NOW, v: '2' }, { price: 1.5, size: 2 }]
])('%s', (_, row, expected) => {
  expect(decode(finnhub, { type: 'trade', data: [row] })).toEqual([expect.objectContaining({ type: 'trade', ...expected })])
})

test.each([
  [['1'], false],
  [['1', '8'], false],
  [['2'], false],
  [['15'], false],
  [['3'], true],
  [['12'], true],
  [['25'], true],
  [['30'], true],
  [['37'], true]
])('conditions %j, by its own numbers: no last price is %s', (c, ineligible) => {
  const [trade] = decode(finnhub, { type: 'trade', data: [{ c, p: 1, s: 'AAPL', t: NOW, v: 100 }] })
  expect('ineligible' in trade!).toBe(ineligible)
})

test('what trades in London or in a pair has no session of New York', () => {
  const rows = ['VOD.L', 'BINANCE:BTCUSDT'].map((s) => ({ p: 1, s, t: NOW, v: 1 }))
  for (const trade of decode(finnhub, { type: 'trade', data: rows })) expect(trade).not.toHaveProperty('session')
})

describe('what else it says', () => {
  test('each error of too many symbols is of one more of those asked last', () => {
    const session = typed.open({})
    typed.subscribe(
      ['A', 'B', 'C'].map((symbol) => ({ kind: 'trade', symbol }) as const),
      session
    )
    typed.unsubscribe([{ kind: 'trade', symbol: 'B' }], session)
    const see = () => typed.decode('{"msg":"Subscribing to too many symbols","type":"error"}', NOW, session)
    expect([see(), see()]).toMatchObject([[{ symbol: 'C' }], [{ symbol: 'A' }]])
  })
  test('its ping is a sign of life and nothing else', () => expect(decode(finnhub, { type: 'ping' })).toEqual([]))
  test.each([
    ['Invalid symbol FOO', { kind: 'trade', symbol: 'FOO' }],
    ['Subscribing to too many symbols', { kind: 'trade', symbol: 'BAR' }],
    ['Invalid API key', { denied: true }]
  ])('%s', (msg, expected) => {
    const session = typed.open({})
    typed.subscribe(
      [
        { kind: 'trade', symbol: 'FOO' },
        { kind: 'trade', symbol: 'BAR' }
      ],
      session
    )
    expect(typed.decode(JSON.stringify({ msg, type: 'error' }), NOW, session)).toEqual([
      expect.objectContaining({ type: 'reject', ...expected })
    ])
  })
  test('news of the socket is in milliseconds, of REST in seconds, under the same id', () => {
    const row = {
      category: 'company',
      headline: 'H',
      id: 25286,
      related: 'AAPL,MSFT',
      source: 'Reuters',
      url: 'https://x.example/1'
    }
    const [a] = decode(finnhub, { type: 'news', data: [{ ...row, datetime: 1_569_550_360_000 }] })
    const need = { type: 'need', purpose: 'snapshot', note: 'news', path: '' } as const
    const [b] = finnhub.decode(JSON.stringify([{ ...row, datetime: 1_569_550_360 }]), NOW, finnhub.open({}), need)
    expect(a).toMatchObject({ type: 'news', id: '25286', time: 1_569_550_360_000, symbols: ['AAPL', 'MSFT'] })
    expect(b).toEqual(a)
  })
})

describe('REST', () => {
  const ask = (body: unknown, need: object) =>
    finnhub.decode(JSON.stringify(body), NOW, finnhub.open({}), {
      type: 'need',
      path: '',
      purpose: 'snapshot',
      symbol: 'AAPL',
      ...need
    } as never)
  test('zeros are an unknown symbol, never a price', () => {
    expect(ask({ c: 0, d: null, dp: null, h: 0, l: 0, o: 0, pc: 0, t: 0 }, {})).toEqual([
      expect.objectContaining({ type: 'reject' })
    ])
  })
  test('candles come in columns; none, and none allowed, are borne', () => {
    const body = { c: [217.68], h: [222.49], l: [217.19], o: [221.03], s: 'ok', t: [1_569_297_600], v: [33_463_820] }
    expect(only('candle', ask(body, { purpose: 'history', interval: '1d' }))).toEqual([
      expect.objectContaining({ start: 1_569_297_600_000, open: 221.03, volume: 33_463_820, closed: true })
    ])
    expect(ask({ s: 'no_data' }, { purpose: 'history', interval: '1d' })).toEqual([])
    expect(ask({ error: "You don't have access to this resource." }, { purpose: 'history', interval: '1d' })).toEqual([
      expect.objectContaining({ type: 'reject' })
    ])
  })
  test('listings of stocks, then of the crypto and forex venues', () => {
    const [stocks, next] = ask([{ symbol: 'AAPL', displaySymbol: 'AAPL', description: 'APPLE INC' }], {
      purpose: 'listing',
      path: typed.listing
    })
    expect(stocks).toMatchObject({ rows: [{ symbol: 'AAPL', base: 'AAPL', name: 'APPLE INC' }] })
    expect(next).toMatchObject({ purpose: 'listing', path: '/api/v1/crypto/symbol?exchange=binance' })
    const crypto = ask([{ symbol: 'BINANCE:BTCUSDT', displaySymbol: 'BTC/USDT', description: '' }], {
      purpose: 'listing',
      path: 'x'
    })
    expect(crypto[0]).toMatchObject({ rows: [{ symbol: 'BINANCE:BTCUSDT', base: 'BTC', quote: 'USDT', calendar: '24/7' }] })
  })
  test('the token travels in the address of the socket and in a header of REST', () => {
    expect(typed.dial!('wss://ws.finnhub.io', { key: 'a b' })).toBe('wss://ws.finnhub.io?token=a%20b')
    expect(typed.headers!({ key: 'k' })).toEqual({ 'x-finnhub-token': 'k' })
  })
})
