/** What a user may not be told, and what cannot be had, each mirror refuses in its provider's own words, and acknowledges none of it. */
import { topicName, type Kind } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import { mirrors } from '../../src/dialects/index.ts'
import { connect, createStage, request, stampOf } from './stage.ts'

const KINDS: readonly Kind[] = ['trade', 'quote', 'ticker', 'book', 'halt', 'band', 'correction', 'news']
const topicsOf = (instrument: string): string[] => [
  ...KINDS.map((kind) => topicName(kind, instrument)),
  ...(['1m', '5m', '1d'] as const).map((interval) => topicName('candle', instrument, undefined, interval))
]

/** AAPL, BTC-USDT, BTC-USD and what is told of all are not for this user; SPY and ETH-USDT are. */
function setup(code: 'FORBIDDEN' | 'TOO_MANY_SYMBOLS' | 'NOT_FOUND' = 'FORBIDDEN') {
  const stage = createStage()
  for (const id of ['AAPL', 'BTC-USDT', 'BTC-USD', 'all']) for (const topic of topicsOf(id)) stage.refusals.set(topic, code)
  for (const instrument of ['AAPL', 'SPY', 'BTC-USDT', 'ETH-USDT', 'BTC-USD'])
    stage.publish({ ...stampOf('ticker', instrument), last: 7, open: 6, prevClose: 5 })
  return stage
}
const opened = (stage: ReturnType<typeof setup>, provider: keyof typeof mirrors, path?: string) => {
  const client = connect(stage, mirrors[provider]!, path, { token: 'any' })
  return client
}

describe('over WebSocket', () => {
  const alpaca = (code?: Parameters<typeof setup>[0], path = '/v2/iex') => {
    const client = opened(setup(code), 'alpaca', path)
    client.send({ action: 'auth', key: 'k', secret: 's' })
    client.take()
    return client
  }

  test('Alpaca refuses a message with a forbidden symbol as a whole, with 409, and lists what was held before', () => {
    const client = alpaca()
    client.send({ action: 'subscribe', quotes: ['SPY'] })
    client.send({ action: 'subscribe', trades: ['AAPL', 'SPY'] })
    expect(client.taken().at(-1)).toEqual([{ T: 'error', code: 409, msg: 'insufficient subscription' }])
    expect(client.topics()).toEqual(['quote:SPY'])
    client.send({ action: 'subscribe', trades: ['SPY'] })
    expect(client.taken().at(-1)).toMatchObject([{ T: 'subscription', trades: ['SPY'], quotes: ['SPY'] }])
    client.send({ action: 'subscribe', trades: ['AAPL'] })
    expect(client.taken().at(-1)).toMatchObject([{ T: 'error', code: 409 }])
  })

  test('Alpaca’s star stands for the symbols that may be had, and is refused where there is none', () => {
    const client = alpaca()
    client.send({ action: 'subscribe', quotes: ['*'] })
    expect(client.taken().at(-1)).toMatchObject([{ T: 'subscription', quotes: ['*'] }])
    expect(client.topics()).toEqual(['quote:SPY'])
    client.send({ action: 'subscribe', quotes: ['AAPL'] })
    expect(client.taken().at(-1)).toMatchObject([{ T: 'error', code: 409 }])
    const news = alpaca('FORBIDDEN', '/v1beta1/news')
    news.send({ action: 'subscribe', news: ['*'] })
    expect(news.taken().at(-1)).toMatchObject([{ T: 'error', code: 409 }])
  })

  test('Alpaca says 405 of too many symbols, and leaves out of its answer what nobody sends', () => {
    const full = alpaca('TOO_MANY_SYMBOLS')
    full.send({ action: 'subscribe', trades: ['AAPL'] })
    expect(full.taken().at(-1)).toMatchObject([{ T: 'error', code: 405 }])
    const unsent = alpaca('NOT_FOUND')
    unsent.send({ action: 'subscribe', statuses: ['AAPL', 'SPY'] })
    expect(unsent.taken().at(-1)).toMatchObject([{ T: 'subscription', statuses: ['SPY'] }])
    expect(unsent.topics()).toEqual(['halt:SPY'])
  })

  test.for([
    ['FORBIDDEN', { code: -2015, msg: 'Invalid API-key, IP, or permissions for action.' }],
    ['TOO_MANY_SYMBOLS', { code: 2, msg: 'Invalid request: too many streams' }],
    ['NOT_FOUND', { code: 2, msg: 'Invalid request: a stream is not available' }]
  ] as const)('Binance answers an error to what is %s, and lists no such stream', ([code, error]) => {
    const client = opened(setup(code), 'binance', '/ws')
    client.send({ method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 1 })
    expect(client.taken()).toEqual([{ error, id: 1 }])
    client.send({ method: 'LIST_SUBSCRIPTIONS', id: 2 })
    expect(client.taken()).toEqual([{ result: [], id: 2 }])
  })

  test.for([
    ['FORBIDDEN', "You don't have access to this resource."],
    ['TOO_MANY_SYMBOLS', 'Subscribing to too many symbols'],
    ['NOT_FOUND', 'Invalid symbol AAPL']
  ] as const)('Finnhub answers an error to what is %s', ([code, msg]) => {
    const client = opened(setup(code), 'finnhub')
    client.send({ type: 'subscribe', symbol: 'AAPL' })
    expect(client.taken()).toEqual([{ type: 'error', msg }])
  })

  test.for([
    ['FORBIDDEN', 'EGeneral:Permission denied'],
    ['TOO_MANY_SYMBOLS', 'Exceeded the number of subscriptions'],
    ['NOT_FOUND', 'Currency pair not supported BTC/USD']
  ] as const)('Kraken refuses a pair that is %s by itself, and acknowledges the others', ([code, error]) => {
    const client = opened(setup(code), 'kraken')
    client.take()
    client.send({ method: 'subscribe', params: { channel: 'trade', symbol: ['BTC/USD', 'ETH/USDT'] } })
    expect(client.taken()).toMatchObject([
      { method: 'subscribe', success: false, error, symbol: 'BTC/USD' },
      { method: 'subscribe', success: true, result: { symbol: 'ETH/USDT' } }
    ])
  })

  test.for([
    ['FORBIDDEN', 'permission denied'],
    ['TOO_MANY_SYMBOLS', 'too many subscriptions'],
    ['NOT_FOUND', 'channel is not available for the product']
  ] as const)('Coinbase answers an error to what is %s, and lists no such product', ([code, message]) => {
    const client = opened(setup(code), 'coinbase')
    client.send({ type: 'subscribe', channel: 'market_trades', product_ids: ['BTC-USD'] })
    expect(client.taken()).toEqual([{ type: 'error', message }])
    client.send({ type: 'subscribe', channel: 'heartbeats' })
    expect(client.taken()).toMatchObject([{ events: [{ subscriptions: { heartbeats: ['heartbeats'] } }] }])
  })

  test('Massive is not authorized for an item that was refused, also where a star was asked for before, nor for a star without any', () => {
    const stage = setup()
    const said = (...params: string[]): string[] => {
      const client = opened(stage, 'massive', '/stocks')
      client.send({ action: 'auth', params: 'k' })
      client.take()
      for (const each of params) client.send({ action: 'subscribe', params: each })
      return client.taken().map(([{ status, message }]) => `${status}: ${message}`)
    }
    const refused = 'error: not authorized to subscribe to: T.AAPL'
    expect(said('T.AAPL,T.SPY')).toEqual([refused, 'success: subscribed to: T.SPY'])
    expect(said('T.*', 'T.AAPL')).toEqual(['success: subscribed to: T.*', refused])
    stage.refusals.set('trade:SPY', 'FORBIDDEN')
    expect(said('T.*')).toEqual(['error: not authorized to subscribe to: T.*'])
  })
})

const NO_ALPACA = { message: 'subscription does not permit querying this data' }
const NO_BINANCE = { code: -2015, msg: 'Invalid API-key, IP, or permissions for action.' }
const NO_FINNHUB = { error: "You don't have access to this resource." }
const NO_KRAKEN = { error: ['EGeneral:Permission denied'] }
const NO_COINBASE = { error: 'PERMISSION_DENIED' }
const NO_MASSIVE = { status: 'NOT_AUTHORIZED', message: 'You are not entitled to this data.' }

describe('over REST', () => {
  test.for([
    ['alpaca', '/v2/stocks/snapshots?symbols=SPY,AAPL', 403, NO_ALPACA],
    ['alpaca', '/v2/stocks/trades/latest?symbols=AAPL', 403, NO_ALPACA],
    ['alpaca', '/v2/stocks/bars?symbols=AAPL&timeframe=1Min', 403, NO_ALPACA],
    ['alpaca', '/v2/stocks/trades?symbols=AAPL', 403, NO_ALPACA],
    ['alpaca', '/v2/stocks/AAPL/quotes/latest', 403, NO_ALPACA],
    ['alpaca', '/v1beta3/crypto/us/latest/orderbooks?symbols=BTC/USD', 403, NO_ALPACA],
    ['alpaca', '/v1beta1/news', 403, NO_ALPACA],
    ['binance', '/api/v3/ticker/price?symbol=BTCUSDT', 401, NO_BINANCE],
    ['binance', '/api/v3/ticker/24hr?symbols=["ETHUSDT","BTCUSDT"]', 401, NO_BINANCE],
    ['binance', '/api/v3/klines?symbol=BTCUSDT&interval=1m', 401, NO_BINANCE],
    ['binance', '/api/v3/depth?symbol=BTCUSDT', 401, NO_BINANCE],
    ['finnhub', '/api/v1/quote?symbol=AAPL', 403, NO_FINNHUB],
    ['finnhub', '/api/v1/stock/candle?symbol=AAPL&resolution=1&from=1&to=2', 403, NO_FINNHUB],
    ['finnhub', '/api/v1/news', 403, NO_FINNHUB],
    ['finnhub', '/api/v1/company-news?symbol=AAPL&from=2023-01-09&to=2023-01-10', 403, NO_FINNHUB],
    ['kraken', '/0/public/Ticker?pair=XBTUSD', 200, NO_KRAKEN],
    ['kraken', '/0/public/Depth?pair=XBTUSD', 200, NO_KRAKEN],
    ['coinbase', '/api/v3/brokerage/market/products/BTC-USD', 403, NO_COINBASE],
    ['coinbase', '/api/v3/brokerage/market/product_book?product_id=BTC-USD', 403, NO_COINBASE],
    ['massive', '/v2/last/trade/AAPL', 403, NO_MASSIVE],
    ['massive', '/v2/aggs/ticker/AAPL/prev', 403, NO_MASSIVE],
    ['massive', '/v1/last/crypto/BTC/USD', 403, NO_MASSIVE],
    ['massive', '/v2/snapshot/locale/us/markets/stocks/tickers/AAPL', 403, NO_MASSIVE],
    ['massive', '/v2/snapshot/locale/us/markets/stocks/tickers?tickers=SPY,AAPL', 403, NO_MASSIVE],
    ['massive', '/v2/reference/news', 403, NO_MASSIVE]
  ] as const)('%s refuses %s', ([provider, url, status, body]) => {
    expect(request(setup(), mirrors[provider]!, url)).toMatchObject({ status, body })
  })

  test.for([
    ['binance', '/api/v3/ticker/price', [{ symbol: 'ETHUSDT' }]],
    ['massive', '/v2/snapshot/locale/us/markets/stocks/tickers', { tickers: [{ ticker: 'SPY' }], count: 1 }],
    ['alpaca', '/v2/stocks/snapshots?symbols=SPY', {}]
  ] as const)('%s tells the others at %s', ([provider, url, body]) => {
    const stage = setup()
    stage.desk.last = (topic) => (stage.desk.forbids?.(topic) === undefined ? stage.plant.last(topic) : undefined)
    expect(request(stage, mirrors[provider]!, url)).toMatchObject({ status: 200, body })
  })
})

describe('a listing', () => {
  const row = (instrument: string, base: string, quote?: string) => ({
    instrument,
    base,
    ...(quote !== undefined && { quote }),
    providers: [{ provider: 'any', symbol: instrument, trading: true }]
  })
  /** Besides the stage's own: a perpetual, an index, a stock of London's and a pair of currencies. */
  function listed(provider: keyof typeof mirrors, url: string): any {
    const stage = createStage()
    stage.infos.push(
      row('BTC-USDT-PERP', 'BTC', 'USDT'),
      row('INDEX:SPX', 'INDEX:SPX'),
      row('LSE:SHEL', 'LSE:SHEL'),
      row('EUR-USD', 'EUR', 'USD')
    )
    return request(stage, mirrors[provider]!, url).body
  }

  test('of an exchange of pairs holds pairs only, each once', () => {
    const binance = listed('binance', '/api/v3/exchangeInfo').symbols.map(({ symbol }: { symbol: string }) => symbol)
    expect(binance).toEqual(['BTCUSDT', 'ETHUSDT', 'BTCUSD', 'EURUSD'])
    expect(Object.keys(listed('kraken', '/0/public/AssetPairs').result)).toHaveLength(4)
    expect(listed('coinbase', '/api/v3/brokerage/market/products').num_products).toBe(4)
    expect(listed('binance', '/api/v3/exchangeInfo?symbol=AAPL')).toMatchObject({ code: -1121 })
  })

  test('of a broker’s stocks holds stocks only, and of its coins coins', () => {
    const symbols = (body: { symbol: string }[]) => body.map(({ symbol }) => symbol)
    expect(symbols(listed('alpaca', '/v2/assets'))).toEqual(['AAPL', 'SPY'])
    expect(symbols(listed('alpaca', '/v2/assets?asset_class=crypto'))).toEqual(['BTC/USDT', 'ETH/USDT', 'BTC/USD'])
  })

  test('of Kraken’s socket holds pairs only, each once', () => {
    const stage = createStage()
    stage.infos.push(row('BTC-USDT-PERP', 'BTC', 'USDT'))
    const client = connect(stage, mirrors['kraken']!)
    client.take()
    client.send({ method: 'subscribe', params: { channel: 'instrument' } })
    const { pairs } = client.taken().at(-1).data
    expect(pairs.map(({ symbol }: { symbol: string }) => symbol)).toEqual(['BTC/USDT', 'ETH/USDT', 'BTC/USD'])
  })
})
