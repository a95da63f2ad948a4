/** What clients of the mirrors should not send: each is answered as the provider answers it, and nothing is thrown. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mirrors } from '../../src/dialects/index.ts'
import { connect, createStage, NOW, request } from './stage.ts'

const names = Object.keys(mirrors)
const mirrorOf = (name: string) => mirrors[name]!
const join = (name: string, path?: string) => connect(createStage(), mirrorOf(name), path, { token: 'k' })
/** A client that is let in and sends these; what it was answered, without the greeting. */
function said(name: string, messages: readonly unknown[], path?: string): unknown[] {
  const client = join(name, path)
  if (name === 'alpaca') client.send({ action: 'auth', key: 'k', secret: 's' })
  if (name === 'massive') client.send({ action: 'auth', params: 'k' })
  client.take()
  for (const message of messages) client.send(message)
  return client.taken().flat()
}

const WORDS = [
  'subscribe',
  'unsubscribe',
  'auth',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'LIST_SUBSCRIPTIONS',
  'SET_PROPERTY',
  'combined',
  'ping',
  'trades',
  'ticker',
  'book',
  'ohlc',
  'level2',
  'candles',
  'market_trades',
  'heartbeats',
  'instrument',
  'AAPL',
  '*',
  'T.*',
  'T.AAPL',
  'A.AAPL',
  'BTC/USDT',
  'BTC-USDT',
  'btcusdt@trade',
  'btcusdt@depth5@100ms',
  'btcusdt@kline_1m',
  '__proto__',
  'constructor',
  '',
  '\u0000',
  'ÿ'
]
const KEYS = [
  'type',
  'action',
  'method',
  'params',
  'id',
  'req_id',
  'channel',
  'symbol',
  'product_ids',
  'trades',
  'quotes',
  'bars',
  'orderbooks',
  'depth',
  'interval',
  'snapshot',
  'event_trigger',
  'token',
  'jwt',
  'key',
  'secret',
  '__proto__',
  'constructor'
]
const scalar = fc.oneof(
  fc.constantFrom<unknown>(...WORDS, null, true, false, 0, -1, 1, 10, 1e308, {}, []),
  fc.string({ maxLength: 8 })
)
const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 4 }),
  fc.dictionary(fc.constantFrom(...KEYS), fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), { maxKeys: 5 })
)
const message = fc.oneof(
  { weight: 6, arbitrary: fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 6 }).map((each) => JSON.stringify(each)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) }
)

describe.each(names)('%s', (name) => {
  test('[C9] no message throws, none makes a topic that is none, and a good event is rendered after all of them', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const stage = createStage()
        const client = connect(stage, mirrorOf(name), undefined, { token: 'k' })
        for (const each of messages) client.send(each)
        stage.publish({
          type: 'trade',
          provider: 'any',
          instrument: 'BTC-USDT',
          time: NOW,
          received: NOW,
          price: 1,
          size: 1,
          side: 'buy',
          id: '5'
        })
        client.pass(1_000)
        for (const text of client.take()) JSON.parse(text)
      }),
      { numRuns: 1_500 }
    )
  })

  test.each([
    'null',
    '[]',
    '5',
    '"subscribe"',
    '{',
    '',
    '\u0000\u0001',
    '{"action":null,"method":null,"type":null,"params":null}'
  ])('%j is answered with an error, and the next message is heard', (text) => {
    const [error, ...more] = said(name, [text]) as Record<string, unknown>[]
    expect(more).toEqual([])
    expect(JSON.stringify(error)).toMatch(/"(?:error|T":"error|status":"error|type":"error)"?/)
  })

  test('lists of thousands are taken or refused in one go', () => {
    const many = Array.from({ length: 5_000 }, (_, n) => `ZZ${n}`)
    const asks: Record<string, object> = {
      alpaca: { action: 'subscribe', trades: many },
      massive: { action: 'subscribe', params: many.map((one) => `T.${one}`).join(',') },
      finnhub: { type: 'subscribe', symbol: many.join(',') },
      binance: { method: 'SUBSCRIBE', params: many.map((one) => `${one.toLowerCase()}@trade`), id: 1 },
      kraken: { method: 'subscribe', params: { channel: 'trade', symbol: many } },
      coinbase: { type: 'subscribe', channel: 'market_trades', product_ids: many }
    }
    expect(said(name, [asks[name]!]).length).toBeGreaterThan(0)
  })

  test('REST: no query throws or fails, and all that is refused says why', () => {
    const junk = fc.dictionary(
      fc.constantFrom(
        'symbol',
        'symbols',
        'pair',
        'limit',
        'count',
        'interval',
        'resolution',
        'timeframe',
        'start',
        'end',
        'from',
        'to',
        'startTime',
        'endTime',
        'granularity',
        'product_id',
        'product_type',
        'since',
        'sort',
        'ticker',
        'timestamp.gte',
        'q',
        'exchange',
        'fromId'
      ),
      fc.oneof(
        fc.constantFrom(
          '',
          'AAPL',
          'BTCUSDT',
          'BTC/USDT',
          '["BTCUSDT"]',
          '-1',
          '0',
          '1e999',
          'NaN',
          '1m',
          '__proto__',
          'ÿ',
          '9'.repeat(40)
        ),
        fc.constant(['a', 'b'])
      ),
      { maxKeys: 6 }
    )
    const { desk } = createStage()
    return fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...mirrorOf(name).http!),
        junk,
        fc.constantFrom('AAPL', 'X:BTCUSDT', 'BTC-USDT', '..', '', '%00', 'a/b/c'),
        async ({ route, answer }, query, tail) => {
          const path = route.replace('GET ', '').replace('*', tail)
          const { status, body } = await answer({ method: 'GET', path, query }, desk, NOW)
          expect(status).toBeLessThan(500)
          const text = JSON.stringify(body)
          // A client that asks for NaN is told so in its own words.
          if (!JSON.stringify(query).includes('NaN')) expect(text).not.toContain('NaN')
          if (status >= 400) expect(text).toMatch(/[a-z]{4,}/i)
        }
      ),
      { numRuns: 10_000 }
    )
  })
})

describe('in the words of each provider', () => {
  test.each([
    [
      'binance',
      '/api/v3/depth',
      { code: -1102, msg: "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed." }
    ],
    ['binance', '/api/v3/depth?symbol=', { code: -1105, msg: "Parameter 'symbol' was empty." }],
    [
      'binance',
      '/api/v3/depth?symbol=btc%20usdt',
      { code: -1100, msg: "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'." }
    ],
    ['binance', '/api/v3/depth?symbol=ZZZ', { code: -1121, msg: 'Invalid symbol.' }],
    [
      'binance',
      '/api/v3/trades?symbol=BTCUSDT&limit=-1',
      { code: -1100, msg: "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'." }
    ],
    ['binance', '/api/v3/trades?symbol=BTCUSDT&limit=0', { code: -1130, msg: "Data sent for parameter 'limit' is not valid." }],
    [
      'binance',
      '/api/v3/klines?symbol=BTCUSDT',
      { code: -1102, msg: "Mandatory parameter 'interval' was not sent, was empty/null, or malformed." }
    ],
    ['binance', '/api/v3/klines?symbol=BTCUSDT&interval=7m', { code: -1120, msg: 'Invalid interval.' }],
    [
      'binance',
      '/api/v3/ticker/price?symbol=BTCUSDT&symbols=["BTCUSDT"]',
      { code: -1128, msg: 'Combination of optional parameters invalid.' }
    ],
    ['binance', '/api/v3/ticker/price?symbols=["ZZZ"]', { code: -1121, msg: 'Invalid symbol.' }],
    ['kraken', '/0/public/Depth', { error: ['EGeneral:Invalid arguments'] }],
    ['kraken', '/0/public/Trades?pair=BTC/USD&since=NaN', { error: ['EGeneral:Invalid arguments'] }],
    ['kraken', '/0/public/Depth?pair=ZZZ', { error: ['EQuery:Unknown asset pair'] }],
    [
      'coinbase',
      '/api/v3/brokerage/market/products?product_type=DREAM',
      {
        error: 'INVALID_ARGUMENT',
        error_details: 'product_type argument is invalid',
        message: 'product_type argument is invalid'
      }
    ],
    ['alpaca', '/v2/stocks/snapshots', { message: 'symbols is required' }],
    ['finnhub', '/api/v1/quote', { error: 'Symbol is required.' }]
  ])('%s %s', (name, url, body) => {
    const answer = request(createStage(), mirrorOf(name), url)
    expect(answer.body).toEqual(body)
    expect(answer.status).toBe(name === 'kraken' ? 200 : name === 'finnhub' ? 422 : 400)
  })

  test('whoever asks Coinbase for the futures is not told of the pairs again', () => {
    const ask = (query: string) => request(createStage(), mirrorOf('coinbase'), `/api/v3/brokerage/market/products?${query}`).body
    expect(ask('product_type=FUTURE')).toEqual({ products: [], num_products: 0 })
    expect(ask('product_type=SPOT').num_products).toBe(3)
    expect(ask('limit=1&offset=1').products).toMatchObject([{ product_id: 'ETH-USDT' }])
  })

  test.each([
    ['binance', { method: 'SUBSCRIBE', params: 'x', id: 1 }, { error: { code: 2 }, id: 1 }],
    ['binance', { method: 'JUMP', params: [], id: 1 }, { error: { code: 2 } }],
    ['binance', { method: 'SUBSCRIBE', params: ['zzzusdt@trade'], id: 1 }, { result: null, id: 1 }],
    ['binance', '{', { error: { code: 3 } }],
    [
      'kraken',
      { method: 'subscribe', params: { channel: 'book', symbol: ['ZZZ/USD'] }, req_id: 3 },
      { error: 'Currency pair not supported ZZZ/USD', success: false, symbol: 'ZZZ/USD', req_id: 3 }
    ],
    ['kraken', { method: 'subscribe', params: null, req_id: 3 }, { success: false, req_id: 3 }],
    [
      'kraken',
      { method: 'subscribe', params: { channel: 'book', symbol: ['BTC/USD'], depth: 11 } },
      { error: 'Depth not supported', success: false }
    ],
    ['alpaca', { action: 'subscribe', trades: 'AAPL' }, { T: 'error', code: 400, msg: 'invalid syntax' }],
    [
      'alpaca',
      { action: 'subscribe', orderbooks: ['AAPL'] },
      { T: 'error', code: 410, msg: 'invalid subscribe action for this feed' }
    ],
    ['alpaca', { action: 'auth', key: 'k', secret: 's' }, { T: 'error', code: 403, msg: 'already authenticated' }],
    [
      'massive',
      { action: 'subscribe', params: 'ZZ.AAPL' },
      { status: 'error', message: 'not authorized to subscribe to: ZZ.AAPL' }
    ],
    ['finnhub', { type: 'subscribe', symbol: 'BINANCE:BTC/USDT' }, { type: 'error', msg: 'Invalid symbol BINANCE:BTC/USDT' }],
    [
      'coinbase',
      { type: 'subscribe', channel: 'ticker', product_ids: ['AAPL'] },
      { type: 'error', message: 'AAPL is not a valid product' }
    ]
  ])('%s %j', (name, message, answer) => expect(said(name, [message])).toMatchObject([answer]))

  test('Alpaca: whoever is not let in may not subscribe, whoever brings nothing is cut', () => {
    const client = join('alpaca')
    client.take()
    client.send({ action: 'subscribe', trades: ['AAPL'] })
    expect(client.taken()).toEqual([[{ T: 'error', code: 401, msg: 'not authenticated' }]])
    client.send({ action: 'auth', key: '', secret: '' })
    expect(client.taken()).toEqual([[{ T: 'error', code: 402, msg: 'auth failed' }]])
    expect(client.closed()).toBe('auth failed')
    const silent = join('alpaca')
    silent.take()
    silent.pass(10_000)
    expect(silent.taken()).toEqual([[{ T: 'error', code: 404, msg: 'auth timeout' }]])
  })
})
