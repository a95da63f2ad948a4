/** The FIML dialect as pure functions: every message, field, limit and error code, without a socket or a clock. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { STREAM_TYPES, subscribeSchema, unsubscribeSchema } from '../../src/dialects/fiml.messages.ts'
import { candleOf, connection, quoteOf, statusOf, tickerOf, tradeOf, type Message } from './fiml.bench.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const updates = (messages: Message[]) => messages.filter(({ type }) => type === 'data').flatMap(({ data }) => data)

const ids = (session: string) => {
  const { subscribe, take } = connection({ session })
  for (let i = 0; i < 5; i++) subscribe('price', ['AAPL'])
  return take().map(({ subscription_id }) => subscription_id)
}

describe('subscribe', () => {
  test('[S2-21] [S2-27] the acknowledgement names stream, symbols as written, id, interval, time and disclaimer; the defaults are price and 1 s', () => {
    const { subscribe, take } = connection()
    subscribe('price', [' aapl', 'btc/usdt', 'AAPL'])
    const [ack, ...rest] = take()
    expect(ack).toEqual({
      type: 'subscription_ack',
      stream_type: 'price',
      symbols: ['AAPL', 'BTC/USDT'],
      subscription_id: expect.stringMatching(UUID),
      interval_ms: 1_000,
      timestamp: expect.stringMatching(ISO),
      disclaimer: expect.stringContaining('Simulated')
    })
    expect(rest).toEqual([])
  })

  test('the key may be `type` or `action`, in any case', () => {
    const { send, take } = connection()
    send({ action: 'SUBSCRIBE', stream_type: 'PRICE', symbols: ['AAPL'] })
    send({ action: 'unsubscribe', stream_type: 'price' })
    expect(take().map(({ type }) => type)).toEqual(['subscription_ack', 'unsubscribe_ack'])
  })

  test('[S2-11] subscription ids differ within a connection and between connections, and are the same in a replay', () => {
    expect(new Set([...ids('a'), ...ids('b')]).size).toBe(10)
    expect(ids('a')).toEqual(ids('a'))
  })

  test.each([
    [{ stream_type: 'candles' }, 'stream_type', 'price, ohlcv, quote, trades, multi_asset'],
    [{ stream_type: undefined }, 'stream_type', 'price, ohlcv'],
    [{ symbols: [] }, 'symbols', 'at least one'],
    [{ symbols: 'AAPL' }, 'symbols', 'list of symbols'],
    [{ symbols: [7] }, 'symbols.0', 'string'],
    [{ symbols: [' '] }, 'symbols.0', 'empty'],
    [{ symbols: ['A'.repeat(65)] }, 'symbols.0', 'at most 64'],
    [{ symbols: Array.from({ length: 51 }, (_, i) => `S${i}`) }, 'symbols', 'at most 50'],
    [{ asset_type: 'coin' }, 'asset_type', 'equity, crypto, forex, commodity, index, etf, option, future'],
    [{ market: 'MOON' }, 'market', 'US, UK, EU, JP, CN, HK, CRYPTO, GLOBAL'],
    [{ interval_ms: 99 }, 'interval_ms', 'at least 100'],
    [{ interval_ms: 60_001 }, 'interval_ms', 'at most 60000'],
    [{ interval_ms: 100.5 }, 'interval_ms', 'whole'],
    [{ interval_ms: '1s' }, 'interval_ms', 'whole'],
    [{ data_type: 'weather' }, 'data_type', 'fundamentals'],
    [{ data_type: 'risk' }, 'data_type', 'only price, ohlcv, news'],
    [{ format: 'xml' }, 'format', 'json, msgpack'],
    [{ keepalive: 'yes' }, 'keepalive', 'true or false'],
    [{ params: { interval: '7m' } }, 'params.interval', '1m, 3m, 5m'],
    [{ params: 7 }, 'params', 'an object']
  ])('[S2-24] %j is refused, naming the field and what would be right', (wrong, field, hint) => {
    const { send, take, held } = connection()
    send({ type: 'subscribe', stream_type: 'price', symbols: ['AAPL'], ...wrong })
    const [error, ...rest] = take()
    expect(rest).toEqual([])
    expect(error).toMatchObject({ type: 'error', error_code: 'SUBSCRIPTION_ERROR', timestamp: expect.stringMatching(ISO) })
    expect(error.details.errors).toEqual([{ field, message: expect.stringContaining(hint) }])
    expect(error.message).toContain(field)
    expect(held.size).toBe(0)
  })

  test.each([
    ['the shortest interval', { interval_ms: 100 }],
    ['the longest interval', { interval_ms: 60_000 }],
    ['fifty symbols', { symbols: Array.from({ length: 50 }, () => 'AAPL') }],
    ['a market in lower case', { market: 'global' }]
  ])('[S2-08] [S2-10] %s is within the limits', (_, more) => {
    const { subscribe, take } = connection()
    subscribe('price', ['AAPL'], more)
    expect(take()).toMatchObject([{ type: 'subscription_ack' }])
  })

  test('[S2-24] an unknown symbol is refused with the nearest names', () => {
    const { subscribe, take } = connection()
    subscribe('price', ['APPL'])
    expect(take()).toMatchObject([
      { error_code: 'SUBSCRIPTION_ERROR', details: { symbols: ['APPL'], nearest: { APPL: expect.arrayContaining(['AAPL']) } } }
    ])
  })

  test('of a partly unknown list the known ones are subscribed, and an error names the others', () => {
    const { subscribe, take } = connection()
    subscribe('price', ['AAPL', 'NOSUCH', 'TSLA'])
    expect(take()).toMatchObject([
      { type: 'subscription_ack', symbols: ['AAPL', 'TSLA'] },
      { type: 'error', error_code: 'SUBSCRIPTION_ERROR', details: { symbols: ['NOSUCH'] } }
    ])
  })

  test('what the session refuses is told in its words, and nothing of that symbol stays held', () => {
    const { subscribe, take, held } = connection({}, (topic) => (topic === 'ticker:TSLA' ? 'too many topics' : undefined))
    subscribe('price', ['AAPL', 'TSLA'])
    expect(take()).toMatchObject([
      { type: 'subscription_ack', symbols: ['AAPL'] },
      { type: 'error', message: 'TSLA: too many topics', details: { symbols: ['TSLA'] } }
    ])
    expect([...held].filter((topic) => topic.includes('TSLA'))).toEqual([])
  })

  test('[S2-12] over the cap of subscriptions the answer is an error with the limit; Infinity has none', () => {
    const capped = connection({ maxSubscriptions: 2 })
    for (let i = 0; i < 3; i++) capped.subscribe('price', ['AAPL'])
    expect(capped.take()).toMatchObject([
      { type: 'subscription_ack' },
      { type: 'subscription_ack' },
      { error_code: 'SUBSCRIPTION_ERROR', details: { limit: 2, active_subscriptions: 2 } }
    ])
    const free = connection({ maxSubscriptions: Infinity })
    for (let i = 0; i < 150; i++) free.subscribe('price', ['AAPL'])
    expect(free.take().every(({ type }) => type === 'subscription_ack')).toBe(true)
    const usual = connection()
    for (let i = 0; i < 101; i++) usual.subscribe('price', ['AAPL'])
    expect(usual.take().at(-1)).toMatchObject({ type: 'error', details: { limit: 100 } })
  })

  test('a coin alone means its pair when the asset type is crypto, and is unknown otherwise', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('price', ['ETH'], { asset_type: 'crypto', market: 'CRYPTO' })
    say(tradeOf('ETH-USDT', 2_000))
    until(50)
    expect(updates(take())).toMatchObject([{ symbol: 'ETH', price: 2_000 }])
  })
})

describe('price', () => {
  test('[S2-16] [S2-17] [S2-28] an update has every field: the last trade, the day from the ticker, provider and measured confidence', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('price', ['AAPL'])
    const [{ subscription_id }] = take()
    say(
      tradeOf('AAPL', 190.5, 1_000),
      tickerOf('AAPL', 190, { change: 2, changePercent: 1.06, volume: 5_000 }),
      quoteOf('AAPL', 1, 3)
    )
    until(50)
    expect(take()).toEqual([
      {
        type: 'data',
        stream_type: 'price',
        subscription_id,
        data: [
          {
            symbol: 'AAPL',
            price: 190.5,
            change: 2.5,
            change_percent: 1.32979,
            volume: 5_000,
            timestamp: '1970-01-01T00:00:01.000Z',
            provider: 'alpha',
            confidence: 0.97
          }
        ],
        timestamp: '1970-01-01T00:00:00.050Z',
        metadata: { asset_type: 'equity', market: 'US', data_type: 'price', mode: 'demo' },
        disclaimer: expect.stringContaining('Simulated')
      }
    ])
  })

  test.each([
    ['the trade alone', [tradeOf('AAPL', 10)], { price: 10, change: null, change_percent: null, volume: null }],
    ['the middle of the quote', [quoteOf('AAPL', 10, 10.1)], { price: 10.05, change: null, volume: null }],
    ['the last price of the ticker rather than the middle', [quoteOf('AAPL', 10, 11), tickerOf('AAPL', 10.4)], { price: 10.4 }],
    [
      'the figures of the ticker as told',
      [tickerOf('AAPL', 10, { change: 0.1, changePercent: 1.01 })],
      { change: 0.1, change_percent: 1.01 }
    ],
    [
      'a change from the open',
      [tradeOf('AAPL', 0.3), tickerOf('AAPL', 0.2, { open: 0.1 })],
      { change: 0.2, change_percent: 200 }
    ],
    [
      'a change from the percentage alone',
      [tickerOf('AAPL', 110, { changePercent: 10 }), tradeOf('AAPL', 120)],
      { change: 20, change_percent: 20 }
    ],
    ['a change without the noise of doubles', [tickerOf('AAPL', 10, { change: 1.5500000000000114 })], { change: 1.55 }],
    [
      'a change of zero and a volume of zero',
      [tickerOf('AAPL', 10, { open: 10, volume: 0 })],
      { change: 0, change_percent: 0, volume: 0 }
    ]
  ])('price from what there is: %s; what nobody gave is null, never zero', (_, events, expected) => {
    const { subscribe, say, until, take } = connection()
    subscribe('price', ['AAPL'])
    say(...events)
    until(50)
    expect(updates(take())).toMatchObject([expected])
  })

  test('at most one update per interval, and it holds the newest', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('price', ['AAPL'], { interval_ms: 200 })
    for (let i = 1; i <= 100; i++) {
      say(tradeOf('AAPL', i, i))
      until(i * 10)
    }
    const prices = updates(take()).map(({ price }) => price)
    expect(prices).toHaveLength(5)
    expect(prices[0]).toBe(5)
    expect(prices.at(-1)).toBeGreaterThan(80)
  })

  test('[S2-08] at 100 ms the beat holds over a minute, whatever the ticks', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('price', ['AAPL'], { interval_ms: 100 })
    for (let at = 0; at < 60_000; at += 50) {
      say(tradeOf('AAPL', at + 1, at))
      until(at + 50)
    }
    expect(updates(take())).toHaveLength(600)
  })

  test('what did not change is not sent again; with keepalive it is, once per interval', () => {
    const quiet = connection()
    const alive = connection()
    quiet.subscribe('price', ['AAPL'])
    alive.subscribe('price', ['AAPL'], { keepalive: true })
    for (const { say, until } of [quiet, alive]) {
      say(tradeOf('AAPL', 10, 1))
      until(2_000)
      say(tradeOf('AAPL', 10, 2_000))
      until(5_000)
    }
    expect(updates(quiet.take())).toHaveLength(1)
    expect(updates(alive.take())).toHaveLength(5)
  })

  test('after a quiet spell news goes at once, and a symbol that comes late does not wait for the beat of the others', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('price', ['AAPL', 'TSLA'], { interval_ms: 10_000 })
    say(tradeOf('AAPL', 1, 1))
    until(50)
    say(tradeOf('TSLA', 2, 2))
    until(100)
    expect(updates(take()).map(({ symbol }) => symbol)).toEqual(['AAPL', 'TSLA'])
    until(25_000)
    say(tradeOf('AAPL', 3, 3))
    until(25_050)
    expect(updates(take())).toMatchObject([{ symbol: 'AAPL', price: 3 }])
  })

  test('a second subscription to what is held begins with what was heard already', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('price', ['AAPL'])
    say(tradeOf('AAPL', 10))
    until(50)
    take()
    subscribe('price', ['aapl'], { interval_ms: 500 })
    until(100)
    expect(updates(take())).toMatchObject([{ symbol: 'AAPL', price: 10 }])
  })

  test('the value that was there before the client came is its first update', () => {
    const { say, subscribe, until, take } = connection()
    say(tradeOf('AAPL', 10))
    subscribe('price', ['AAPL'])
    until(50)
    expect(updates(take())).toMatchObject([{ price: 10 }])
  })
})

describe('the other streams', () => {
  test('[S2-03] quote delivers bid, ask, sizes and spread, without the noise of doubles', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('quote', ['AAPL'])
    say(tradeOf('AAPL', 99), quoteOf('AAPL', 0.1, 0.3))
    until(50)
    expect(updates(take())).toEqual([
      {
        symbol: 'AAPL',
        bid: 0.1,
        ask: 0.3,
        bid_size: 3,
        ask_size: 4,
        spread: 0.2,
        timestamp: '1970-01-01T00:00:00.001Z',
        provider: 'alpha',
        confidence: 0.97
      }
    ])
  })

  test('[S2-34] trades delivers every trade, in order over all its symbols, none sampled away, batched per interval', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('trades', ['AAPL', 'TSLA'], { interval_ms: 1_000 })
    until(50)
    take()
    for (let i = 0; i < 200; i++) {
      say(tradeOf(i % 2 ? 'AAPL' : 'TSLA', i, i, i === 7 ? { side: 'unknown' } : {}))
      until(50 + i * 10)
    }
    until(4_000)
    const messages = take()
    expect(updates(messages).map(({ price }) => price)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    expect(messages.length).toBeLessThanOrEqual(4)
    expect(updates(messages)[7]).toEqual({
      symbol: 'AAPL',
      price: 7,
      quantity: 2,
      timestamp: '1970-01-01T00:00:00.007Z',
      trade_id: 't7',
      side: null,
      provider: 'alpha',
      confidence: 0.97
    })
  })

  test('a burst of trades neither waits for a long interval nor makes one huge message', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('trades', ['AAPL'], { interval_ms: 60_000 })
    say(tradeOf('AAPL', 1))
    until(50)
    for (let i = 0; i < 1_200; i++) say(tradeOf('AAPL', i, i))
    take()
    until(100)
    expect(take().map(({ data }) => data.length)).toEqual([500, 500, 200])
  })

  test('[S2-09] ohlcv samples the forming candle and delivers every closed one, with its revisions, as really closed', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('ohlcv', ['AAPL'], { interval_ms: 60_000 })
    say(candleOf('AAPL', 0, 5))
    until(50)
    say(
      candleOf('AAPL', 0, 6),
      candleOf('AAPL', 0, 7, { closed: true }),
      candleOf('AAPL', 60_000, 7),
      candleOf('AAPL', 60_000, 8, { closed: true })
    )
    say(candleOf('AAPL', 0, 9, { closed: true, revision: 1 }), candleOf('AAPL', 120_000, 8))
    until(1_000)
    expect(
      updates(take()).map(({ timestamp, close, is_closed, revision }) => [timestamp.slice(14, 16), close, is_closed, revision])
    ).toEqual([
      ['00', 5, false, 0],
      ['00', 7, true, 0],
      ['01', 8, true, 0],
      ['00', 9, true, 1]
    ])
    until(60_050)
    expect(updates(take())).toEqual([
      {
        symbol: 'AAPL',
        timestamp: '1970-01-01T00:02:00.000Z',
        open: 1,
        high: 9,
        low: 1,
        close: 8,
        volume: 5,
        is_closed: false,
        interval: '1m',
        revision: 0,
        provider: 'alpha',
        confidence: 0.97
      }
    ])
  })

  test('a closed candle is never followed by its own forming picture, and a new flat candle is news', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('ohlcv', ['AAPL'], { interval_ms: 100 })
    say(candleOf('AAPL', 0, 5))
    until(50)
    say(candleOf('AAPL', 0, 6), candleOf('AAPL', 0, 6, { closed: true }))
    until(500)
    say(candleOf('AAPL', 60_000, 5))
    until(700)
    expect(updates(take()).map(({ close, is_closed }) => [close, is_closed])).toEqual([
      [5, false],
      [6, true],
      [5, false]
    ])
  })

  test('ohlcv asks for the candle interval of params, and keeps two intervals of one symbol apart', () => {
    const { subscribe, held } = connection()
    subscribe('ohlcv', ['AAPL'])
    subscribe('ohlcv', ['AAPL'], { params: { interval: '1h' } })
    expect([...held].sort()).toEqual(['candle:AAPL:1h', 'candle:AAPL:1m', 'status:AAPL:trade'])
  })

  test('multi_asset delivers prices across asset types and says of which type each is', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('multi_asset', ['AAPL', 'BTC-USDT', 'EUR/USD'])
    say(tradeOf('AAPL', 1), tradeOf('BTC-USDT', 2), tradeOf('EUR-USD', 3))
    until(50)
    const [, message] = take()
    expect(message.metadata.asset_types).toEqual({ AAPL: 'equity', 'BTC-USDT': 'crypto', 'EUR/USD': 'forex' })
    expect(message.data).toMatchObject([
      { symbol: 'AAPL', price: 1, asset_type: 'equity' },
      { symbol: 'BTC-USDT', price: 2, asset_type: 'crypto' },
      { symbol: 'EUR/USD', price: 3, asset_type: 'forex' }
    ])
  })
})

describe('unsubscribe', () => {
  test('[S2-21] symbols go one by one, null takes all of that stream type, and topics are let go when nobody needs them', () => {
    const { subscribe, send, take, held } = connection()
    subscribe('price', ['AAPL', 'TSLA'])
    subscribe('trades', ['AAPL'])
    take()
    send({ type: 'unsubscribe', stream_type: 'price', symbols: ['aapl'] })
    expect(take()).toMatchObject([{ type: 'unsubscribe_ack', stream_type: 'price', symbols: ['AAPL'] }])
    expect([...held].sort()).toEqual([
      'quote:TSLA',
      'status:AAPL:trade',
      'status:TSLA:quote',
      'status:TSLA:ticker',
      'status:TSLA:trade',
      'ticker:TSLA',
      'trade:AAPL',
      'trade:TSLA'
    ])
    send({ type: 'unsubscribe', stream_type: 'price', symbols: null })
    expect(take()).toMatchObject([{ type: 'unsubscribe_ack', symbols: null }])
    expect([...held].sort()).toEqual(['status:AAPL:trade', 'trade:AAPL'])
  })

  test('after it nothing more comes, not even what was queued', () => {
    const { subscribe, send, say, until, take } = connection()
    subscribe('trades', ['AAPL', 'TSLA'], { interval_ms: 1_000 })
    say(tradeOf('AAPL', 1))
    until(50)
    say(tradeOf('AAPL', 2), tradeOf('TSLA', 3))
    send({ type: 'unsubscribe', stream_type: 'trades', symbols: ['AAPL'] })
    take()
    say(tradeOf('AAPL', 4))
    until(5_000)
    expect(updates(take()).map(({ price }) => price)).toEqual([3])
  })

  test.each([
    [{ stream_type: 'quote' }, { held: [] }],
    [
      { stream_type: 'price', symbols: ['TSLA'] },
      { symbols: ['TSLA'], held: ['AAPL'] }
    ],
    [{ stream_type: 'nothing' }, { errors: [{ field: 'stream_type' }] }],
    [{ stream_type: 'price', symbols: 7 }, { errors: [{ field: 'symbols' }] }]
  ])('[S2-24] %j is an UNSUBSCRIBE_ERROR that says what is held or wrong', (wrong, details) => {
    const { subscribe, send, take } = connection()
    subscribe('price', ['AAPL'])
    take()
    send({ type: 'unsubscribe', ...wrong })
    expect(take()).toMatchObject([{ type: 'error', error_code: 'UNSUBSCRIBE_ERROR', details }])
  })
})

describe('errors and life', () => {
  test.each(['', '{', '{"type":', 'subscribe', '\u0000'])('[S2-24] %j is INVALID_JSON', (text) => {
    const { send, take } = connection()
    send(text)
    expect(take()).toMatchObject([
      { type: 'error', error_code: 'INVALID_JSON', details: null, timestamp: expect.stringMatching(ISO) }
    ])
  })

  test.each([
    '{}',
    'null',
    '[]',
    '7',
    '"subscribe"',
    '{"type":"dance"}',
    '{"type":["subscribe"]}',
    '{"__proto__":{"type":"subscribe"}}'
  ])('[S2-24] %s is INVALID_MESSAGE_TYPE, naming the supported ones, and marked as no message of this protocol', (text) => {
    const { dialect, memory } = connection()
    const [command, ...rest] = dialect.receive(text, memory, 0)
    expect(rest).toEqual([])
    expect(command).toMatchObject({ type: 'send', bad: true })
    expect(JSON.parse((command as { text: string }).text)).toMatchObject({
      error_code: 'INVALID_MESSAGE_TYPE',
      details: { supported: ['subscribe', 'unsubscribe'] }
    })
  })

  test('[S2-18] a heartbeat every 30 s says how many subscriptions are active', () => {
    const { subscribe, until, take } = connection({ patience: Infinity })
    subscribe('price', ['AAPL'])
    subscribe('quote', ['AAPL'])
    take()
    until(29_950)
    expect(take()).toEqual([])
    until(90_000)
    expect(take()).toEqual(
      [30, 60, 90].map((s) => ({ type: 'heartbeat', timestamp: new Date(s * 1_000).toISOString(), active_subscriptions: 2 }))
    )
  })

  test('[S2-14] an instrument without a live source is told of once per outage, to each subscription that reads it', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('trades', ['AAPL', 'TSLA'])
    subscribe('quote', ['AAPL'])
    take()
    const outage = statusOf('AAPL', 'trade', undefined, 'outage')
    say(statusOf('AAPL', 'trade', 'alpha', 'first'))
    until(100)
    expect(take()).toEqual([])
    say({ ...outage }, { ...outage })
    until(200)
    say({ ...outage })
    until(1_000)
    expect(take()).toMatchObject([
      {
        type: 'error',
        error_code: 'PROCESSING_ERROR',
        details: { symbol: 'AAPL', reason: 'trade by outage', stream_type: 'trades' }
      }
    ])
    say(statusOf('AAPL', 'trade', 'beta', 'silence'))
    until(1_100)
    say({ ...outage })
    until(1_200)
    expect(take()).toMatchObject([{ error_code: 'PROCESSING_ERROR' }])
    say(statusOf('TSLA', 'trade', undefined, 'unsubscribed'))
    until(1_300)
    expect(take()).toEqual([])
  })

  test('an outage that is under way is told to who subscribes into it', () => {
    const { say, subscribe, until, take } = connection()
    say(statusOf('AAPL', 'trade', undefined, 'outage'), statusOf('AAPL', 'quote', 'alpha', 'first'))
    subscribe('ohlcv', ['AAPL'])
    until(50)
    expect(take()).toMatchObject([{ type: 'subscription_ack' }, { error_code: 'PROCESSING_ERROR', details: { symbol: 'AAPL' } }])
  })

  test('price goes on from the quote while trades alone have no source, and is without one when both are gone', () => {
    const { say, subscribe, until, take } = connection()
    subscribe('price', ['AAPL'], { interval_ms: 100 })
    say(tradeOf('AAPL', 10, 1), quoteOf('AAPL', 10, 12, 2))
    until(50)
    say(statusOf('AAPL', 'trade', undefined, 'outage'), quoteOf('AAPL', 20, 22, 3))
    until(200)
    expect(updates(take()).map(({ price }) => price)).toEqual([10, 21])
    say(statusOf('AAPL', 'quote', undefined, 'outage'))
    until(300)
    expect(take()).toMatchObject([{ error_code: 'PROCESSING_ERROR', details: { symbol: 'AAPL' } }])
  })

  test('a symbol of which nothing comes is told of once, after ten seconds', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('price', ['AAPL', 'TSLA'])
    say(tradeOf('AAPL', 1))
    until(9_950)
    take()
    until(25_000)
    expect(take()).toMatchObject([{ error_code: 'PROCESSING_ERROR', details: { symbols: ['TSLA'], reason: 'no data yet' } }])
  })

  test('lost events, a refusal of the session and a shutdown are said in this protocol', () => {
    const { dialect, memory } = connection()
    const texts = [
      dialect.lost!('trade:AAPL', 3, 5, 7, 0),
      dialect.refused!('RATE_LIMITED', 'slow down', memory, 0),
      dialect.shutdown!(1_000, 0)
    ]
    expect(texts.map((text) => JSON.parse(text!))).toMatchObject([
      { type: 'error', error_code: 'PROCESSING_ERROR', details: { reason: 'slow', topic: 'trade:AAPL', count: 3 } },
      { type: 'error', error_code: 'PROCESSING_ERROR', message: 'slow down', details: { reason: 'RATE_LIMITED' } },
      { type: 'error', error_code: 'PROCESSING_ERROR', details: { reason: 'shutdown', retry_after_ms: 1_000 } }
    ])
  })
})

describe('/ws/prices/{symbols}', () => {
  test('[S2-05] [S2-22] trims and upper-cases the list, subscribes prices each second, acknowledges, then sends data', () => {
    const { say, until, take } = connection({ path: '/ws/prices/aapl, googl ,' })
    expect(take()).toMatchObject([
      { type: 'subscription_ack', stream_type: 'price', symbols: ['AAPL', 'GOOGL'], interval_ms: 1_000 }
    ])
    say(tradeOf('AAPL', 1), tradeOf('GOOGL', 2))
    until(50)
    expect(updates(take())).toMatchObject([{ symbol: 'AAPL' }, { symbol: 'GOOGL' }])
  })

  test('takes interval and keepalive from the query, and the messages of /ws/stream', () => {
    const { send, take, say, until } = connection({ path: '/ws/prices/AAPL', query: { interval_ms: '100', keepalive: 'true' } })
    expect(take()).toMatchObject([{ interval_ms: 100 }])
    say(tradeOf('AAPL', 1))
    until(1_000)
    expect(updates(take())).toHaveLength(10)
    send({ type: 'unsubscribe', stream_type: 'price' })
    expect(take()).toMatchObject([{ type: 'unsubscribe_ack' }])
  })

  test.each([
    ['no symbol', ''],
    ['commas alone', ',,'],
    ['an unknown symbol', 'NOSUCH'],
    ['over fifty symbols', Array.from({ length: 51 }, (_, i) => `S${i}`).join(',')]
  ])('[S2-10] %s is a SUBSCRIPTION_ERROR', (_, symbols) => {
    expect(connection({ path: `/ws/prices/${symbols}` }).take()).toMatchObject([{ error_code: 'SUBSCRIPTION_ERROR' }])
  })

  test('a bad interval in the query is a SUBSCRIPTION_ERROR that names it', () => {
    expect(connection({ path: '/ws/prices/AAPL', query: { interval_ms: 'soon' } }).take()).toMatchObject([
      { error_code: 'SUBSCRIPTION_ERROR', details: { errors: [{ field: 'interval_ms' }] } }
    ])
  })
})

describe('the manual', () => {
  const manual = readFileSync(new URL('../../../../docs/websocket-s2.md', import.meta.url), 'utf8')
  const examples = [...manual.matchAll(/```json\n([^]*?)```/g)].map(([, text]): Message => JSON.parse(text!))
  const example = (type: string): Message => examples.find((message) => message.type === type)

  test('[S2-33] names every endpoint, stream, error code and limit', () => {
    const problems = ['SUBSCRIPTION_ERROR', 'UNSUBSCRIBE_ERROR', 'PROCESSING_ERROR', 'SERVICE_NOT_AVAILABLE']
    const codes = ['INVALID_JSON', 'INVALID_MESSAGE_TYPE', ...problems]
    const words = [
      '/ws/stream',
      '/ws/prices/',
      '/ws/connections',
      '100 ms to 60 s',
      'Every 30 seconds',
      ...STREAM_TYPES,
      ...codes
    ]
    for (const word of words) expect(manual).toContain(word)
  })

  test('[S2-02] [S2-03] [S2-33] its examples of requests are accepted, and those of answers have the fields that are sent', () => {
    expect(subscribeSchema.safeParse(example('subscribe')).success).toBe(true)
    expect(unsubscribeSchema.safeParse(example('unsubscribe')).success).toBe(true)
    const { subscribe, say, until, said } = connection({ heartbeat: 100 })
    subscribe('price', ['AAPL', 'APPL'])
    say(tradeOf('AAPL', 1))
    until(100)
    for (const type of ['subscription_ack', 'data', 'heartbeat', 'error'])
      expect(Object.keys(example(type))).toEqual(Object.keys(said.find((message) => message.type === type)))
    expect(Object.keys(example('data').data[0])).toEqual(Object.keys(updates(said)[0]))
    expect(Object.keys(example('data').metadata)).toEqual(Object.keys(said.find(({ type }) => type === 'data').metadata))
  })
})
