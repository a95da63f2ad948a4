/** What needs the real library, but no exchange. */
import { describe, expect, test } from 'vitest'
import type { Access } from '../../src/providers/adapter.ts'
import {
  closeExchange,
  judge,
  KEPT,
  loadLibrary,
  makeExchange,
  namesOf,
  reasonOf,
  type Exchange
} from '../../src/shells/ccxt.library.ts'
import { sourceOf } from '../../src/shells/ccxt.watch.ts'

const library = await loadLibrary()
const make = (name: string, access: Access = {}): Exchange => makeExchange(library, access, name)
type Inner = Exchange &
  Record<'apiKey' | 'secret' | 'hostname', string | undefined> & { options: Record<string, unknown> } & {
    urls: Record<string, unknown>
  } & { newUpdates: boolean; enableRateLimit: boolean }

describe('an exchange of the library', () => {
  test('is made with bounded caches, its own pace, and only what is new', () => {
    const { options, newUpdates, enableRateLimit } = make('bybit') as Inner
    expect({ newUpdates, enableRateLimit }).toEqual({ newUpdates: true, enableRateLimit: true })
    expect(options).toMatchObject({ tradesLimit: KEPT, OHLCVLimit: KEPT, ordersLimit: KEPT })
  })
  test('takes the library’s own settings from the configuration, and leaves the rest as it is', () => {
    const settings = JSON.stringify({ bybit: { hostname: 'venue.test', options: { tradesLimit: 50 } }, okx: { hostname: 'x' } })
    const bybit = make('bybit', { options: { exchanges: 'bybit', settings } }) as Inner
    expect(bybit.hostname).toBe('venue.test')
    expect(bybit.options).toMatchObject({ tradesLimit: 50, OHLCVLimit: KEPT })
  })
  test('is given the key where it is the only one, and no other exchange ever sees it', () => {
    const credentials = { key: 'k', secret: 's' }
    const alone = make('bybit', { ...credentials, options: { exchanges: 'bybit' } }) as Inner
    expect([alone.apiKey, alone.secret]).toEqual(['k', 's'])
    const one = make('bybit', { ...credentials, options: { exchanges: 'bybit,okx' } }) as Inner
    expect([one.apiKey, one.secret].filter(Boolean)).toEqual([])
  })
  test('is given its own of the credentials that a key of JSON holds by exchange', () => {
    const access = {
      key: JSON.stringify({ okx: { apiKey: 'a', secret: 'b', password: 'c' } }),
      options: { exchanges: 'okx,bybit' }
    }
    expect(make('okx', access)).toMatchObject({ apiKey: 'a', secret: 'b', password: 'c' })
    expect((make('bybit', access) as Inner).apiKey).toBeFalsy()
  })
  test.each([
    ['one that there is not', 'bibyt', {}, /bibyt/],
    ['a word of the language', 'constructor', {}, /constructor/],
    ['settings that are no JSON', 'okx', { options: { settings: '{' } }, /no JSON/],
    ['a key that is no JSON', 'okx', { key: '{"okx"' }, /the key is no JSON/],
    ['settings that are no object', 'okx', { options: { settings: '{"okx":5}' } }, /no object for okx/]
  ])('%s is an error that says so', (_what, name, access, message) => {
    expect(() => make(name, access)).toThrow(message)
  })
  test('opens no socket any more once it was closed', async () => {
    const bybit = make('bybit')
    await closeExchange(bybit)
    expect(() => bybit.client('ws://127.0.0.1:9')).toThrow(/closed/)
  })
})

test('names are separated by commas or spaces, each once', () => {
  expect(namesOf({ options: { exchanges: ' Bybit, okx,,bybit ' } })).toEqual(['bybit', 'okx'])
  expect(namesOf({})).toEqual([])
})

describe('an error', () => {
  const raised = (name: string) => new (library[name] as new (message: string) => Error)('x')
  test.each([
    ['RequestTimeout', 'again'],
    ['ExchangeNotAvailable', 'again'],
    ['OnMaintenance', 'again'],
    ['ChecksumError', 'again'],
    ['InvalidNonce', 'again'],
    ['BadResponse', 'again'],
    ['DDoSProtection', 'later'],
    ['RateLimitExceeded', 'later'],
    ['BadSymbol', 'refused'],
    ['NotSupported', 'refused'],
    ['PermissionDenied', 'refused'],
    ['ArgumentsRequired', 'refused'],
    ['BadRequest', 'refused'],
    ['AuthenticationError', 'denied'],
    ['AccountSuspended', 'denied'],
    ['ExchangeError', 'unclear']
  ])('%s means %s', (name, verdict) => expect(judge(library, raised(name))).toBe(verdict))
  test('of no kind of the library is unclear', () => expect(judge(library, new TypeError('x'))).toBe('unclear'))
})

describe('where a thing comes from', () => {
  const exchange = make('bybit')
  exchange.setMarkets([
    { id: 'BTCUSDT', symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT', spot: true, type: 'spot' },
    {
      id: 'X',
      symbol: 'BTC/USDT:USDT',
      base: 'BTC',
      quote: 'USDT',
      settle: 'USDT',
      swap: true,
      type: 'swap',
      linear: true,
      contractSize: 0.01
    }
  ])
  test.each([
    [{ kind: 'trades', symbol: 'NO/SUCH' }, /BadSymbol/],
    [{ kind: 'ohlcv', symbol: 'BTC/USDT', timeframe: '7m' }, /no candles of 7m/],
    [{ kind: 'dreams', symbol: 'BTC/USDT' }, /NotSupported/]
  ])('%j is refused with the reason', (asked, reason) => expect(sourceOf(exchange, asked)).toMatch(reason))

  const said = async (method: keyof Exchange, asked: { kind: string; symbol: string; timeframe?: string }, value: unknown) => {
    const own = make('bybit')
    own.setMarkets(Object.values(exchange.markets!))
    Object.assign(own, { [method]: () => Promise.resolve(value) })
    const source = sourceOf(own, asked)
    if (typeof source === 'string') throw new Error(source)
    return source.next()
  }
  test('a frame holds the unified rows without the exchange’s own message, and the size of a contract', async () => {
    const trade = { id: '1', timestamp: 5, price: 2, amount: 3, side: 'buy', info: { raw: true }, fee: {}, fees: [] }
    const { frame, full } = await said('watchTrades', { kind: 'trades', symbol: 'BTC/USDT:USDT' }, [trade])
    expect(JSON.parse(frame)).toEqual({
      kind: 'trades',
      symbol: 'BTC/USDT:USDT',
      lot: 0.01,
      rows: [{ id: '1', timestamp: 5, price: 2, amount: 3, side: 'buy' }]
    })
    expect(full).toBe(false)
  })
  test('as many trades as the cache holds may have been more', async () => {
    const trades = Array.from({ length: KEPT }, (_, id) => ({ id, price: 1 }))
    expect((await said('watchTrades', { kind: 'trades', symbol: 'BTC/USDT' }, trades)).full).toBe(true)
  })
  test('of a book the best levels are copied, price and size alone', async () => {
    const side = (from: number, step: number) => Array.from({ length: 500 }, (_, i) => [from + i * step, 1, 'id'])
    const live = { bids: side(1_000, -1), asks: side(1_001, 1), timestamp: 7, nonce: 9, symbol: 'BTC/USDT' }
    const { frame } = await said('watchOrderBook', { kind: 'orderbook', symbol: 'BTC/USDT' }, live)
    const { rows } = JSON.parse(frame) as { rows: [{ bids: unknown[]; asks: unknown[]; nonce: number }] }
    expect(rows[0].nonce).toBe(9)
    expect([rows[0].bids.length, rows[0].asks.length, rows[0].bids[0]]).toEqual([100, 100, [1_000, 1]])
  })
})

test('candles that are asked for again tell only what changed', async () => {
  const asked = { kind: 'ohlcv', symbol: 'BTC/USDT', timeframe: '1m' }
  const own = make('bybit')
  own.setMarkets([{ id: 'BTCUSDT', symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT', spot: true, type: 'spot' }])
  ;(own.has as Record<string, unknown>).watchOHLCV = false
  const rows = [
    [60_000, 1],
    [120_000, 2],
    [180_000, 3]
  ]
  Object.assign(own, { fetchOHLCV: () => Promise.resolve(structuredClone(rows)) })
  const source = sourceOf(own, asked)
  if (typeof source === 'string') throw new Error(source)
  const next = async () => (JSON.parse((await source.next()).frame) as { rows: unknown }).rows
  expect(await next()).toEqual([
    [120_000, 2],
    [180_000, 3]
  ])
  expect(await next()).toEqual([])
  rows[2] = [180_000, 4]
  expect(await next()).toEqual([[180_000, 4]])
})
test('of best prices only those of the symbol that was asked are told', async () => {
  const own = make('bybit')
  own.setMarkets([{ id: 'BTCUSDT', symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT', spot: true, type: 'spot' }])
  const changed = { 'ETH/USDT': { symbol: 'ETH/USDT', bid: 1 }, 'BTC/USDT': { symbol: 'BTC/USDT', bid: 2, info: {} } }
  Object.assign(own, { watchBidsAsks: () => Promise.resolve(changed) })
  ;(own.has as Record<string, unknown>).watchBidsAsks = true
  const source = sourceOf(own, { kind: 'bidsAsks', symbol: 'BTC/USDT' })
  if (typeof source === 'string') throw new Error(source)
  expect(JSON.parse((await source.next()).frame)).toMatchObject({ rows: [{ symbol: 'BTC/USDT', bid: 2 }] })
})
test('a reason holds no query: it may be signed', () => {
  expect(reasonOf(new Error('okx GET https://venue.test/v5?sign=abc&x=1 451'))).toBe('Error: okx GET https://venue.test/v5 451')
})

test('an exchange without best prices gives those of its tickers; one that does not stream is asked', () => {
  const asked = { kind: 'bidsAsks', symbol: 'BTC/USDT' }
  const own = make('bybit')
  own.setMarkets([{ id: 'BTCUSDT', symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT', spot: true, type: 'spot' }])
  const has = own.has as Record<string, unknown>
  has.watchBidsAsks = false
  expect(sourceOf(own, asked)).toMatchObject({ streams: true, channel: 'watchTicker ["BTC/USDT"]' })
  has.watchTicker = undefined
  expect(sourceOf(own, asked)).toMatchObject({ streams: false, channel: 'fetchTicker ["BTC/USDT"]' })
})
