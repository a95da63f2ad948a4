/** `/ws/market` as pure functions: what is subscribed, what is sent and when, without a socket or a clock. */
import { describe, expect, test } from 'vitest'
import { createMarket, WATCHLIST } from '../../src/dialects/ziggy.market.ts'
import { quoteOf, statusOf, tickerOf, tradeOf, type Message } from './fiml.bench.ts'
import { connection } from './ziggy.bench.ts'

const open = (options: Parameters<typeof connection>[1] = {}) => connection(createMarket(), options)
const quotes = (messages: Message[]): Message[] => messages.filter(({ type }) => type === 'quote_update')
const symbolsOf = (messages: Message[]): string[] => quotes(messages).map(({ data }) => data.symbol)

describe('what is streamed', () => {
  test('[S0-03] a client that names nothing gets the watchlist after one interval', () => {
    const { until, take, held } = open()
    until(900)
    expect(take()).toEqual([])
    until(1_000)
    expect(take()).toEqual([
      {
        type: 'subscription_ack',
        symbols: ['AAPL', 'MSFT', 'GOOGL', 'TSLA', 'NVDA', 'SPY'],
        status: 'subscribed',
        watchlist: true,
        timestamp: 1
      }
    ])
    for (const symbol of WATCHLIST) expect(held).toContain(`quote:${symbol}`)
  })

  test('[S0-03] a subscribe without symbols is the watchlist at once', () => {
    const { send, take } = open()
    send({ action: 'subscribe', symbols: [] })
    expect(take()).toMatchObject([{ symbols: WATCHLIST, watchlist: true }])
  })

  test('a client that names its own is never sent the watchlist, and its first list replaces one that was', () => {
    const early = open()
    early.send({ action: 'subscribe', symbols: ['BTC-USDT'] })
    early.until(3_000)
    expect([...early.held].filter((topic) => topic.startsWith('trade:'))).toEqual(['trade:BTC-USDT'])
    const late = open()
    late.until(1_000)
    late.send({ action: 'subscribe', symbols: ['TSLA', 'BTC-USDT'] })
    expect([...late.held].filter((topic) => topic.startsWith('trade:')).toSorted()).toEqual(['trade:BTC-USDT', 'trade:TSLA'])
    late.send({ action: 'subscribe', symbols: ['AAPL'] })
    expect(late.held).toContain('trade:TSLA')
  })

  test('[S0-02] [S1-06] symbols come and go while connected; unsubscribe without any lets all go', () => {
    const { send, say, until, take, held } = open()
    send({ action: 'subscribe', symbols: ['AAPL', 'TSLA'] })
    send({ action: 'unsubscribe', symbols: ['AAPL'] })
    expect(take()).toMatchObject([
      { type: 'subscription_ack', symbols: ['AAPL', 'TSLA'], status: 'subscribed' },
      { type: 'subscription_ack', symbols: ['AAPL'], status: 'unsubscribed' }
    ])
    say(tradeOf('AAPL', 1), tradeOf('TSLA', 2))
    until(1_000)
    expect(symbolsOf(take())).toEqual(['TSLA'])
    send({ action: 'unsubscribe' })
    expect(held.size).toBe(0)
    until(10_000)
    expect(take()).toMatchObject([{ status: 'unsubscribed', symbols: ['TSLA'] }])
  })

  test('two spellings of one instrument share its topics, and it is let go with the second', () => {
    const { send, held, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['BTC/USDT', 'btc-usdt'] })
    say(tradeOf('BTC-USDT', 5))
    until(100)
    expect(symbolsOf(take())).toEqual(['BTC/USDT', 'BTC-USDT'])
    send({ action: 'unsubscribe', symbols: ['BTC/USDT'] })
    expect(held).toContain('trade:BTC-USDT')
    send({ action: 'unsubscribe', symbols: ['BTC-USDT'] })
    expect(held.size).toBe(0)
  })

  test('[S0-30] the key is `action` or `type`, and a timestamp of the client’s is no hindrance', () => {
    const { send, take } = open()
    send({ type: 'subscribe', symbols: ['AAPL'], timestamp: 1_698_012_345.123 })
    send({ action: 'UNSUBSCRIBE', symbols: ['AAPL'], filters: {} })
    expect(take().map(({ status }) => status)).toEqual(['subscribed', 'unsubscribed'])
  })

  test('of a partly unknown list the known ones are acknowledged, and an error names the others with the nearest names', () => {
    const { send, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL', 'APPL'] })
    expect(take()).toMatchObject([
      { type: 'subscription_ack', symbols: ['AAPL'] },
      { type: 'error', code: 'UNKNOWN_SYMBOL', data: { symbols: ['APPL'], nearest: { APPL: expect.arrayContaining(['AAPL']) } } }
    ])
  })

  test('a symbol that there is no room for is refused whole, and nothing of it stays held', () => {
    const { send, take, held } = open({ refuse: (topic) => (topic === 'ticker:TSLA' ? 'too many topics' : undefined) })
    send({ action: 'subscribe', symbols: ['AAPL', 'TSLA'] })
    expect(take()).toMatchObject([
      { symbols: ['AAPL'] },
      { type: 'error', code: 'LIMIT_REACHED', message: 'TSLA: too many topics', data: { symbols: ['TSLA'] } }
    ])
    expect([...held].filter((topic) => topic.includes('TSLA'))).toEqual([])
  })

  test('unsubscribing what is not held is told, with what is', () => {
    const { send, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    send({ action: 'unsubscribe', symbols: ['TSLA'] })
    expect(take().at(-1)).toMatchObject({ type: 'error', code: 'NOT_SUBSCRIBED', data: { symbols: ['TSLA'], held: ['AAPL'] } })
  })
})

describe('quotes', () => {
  test('[S0-17] [S0-31] [S1-07] carry price, change, volume, bid, ask, day high and day low; times are epoch seconds', () => {
    const { send, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    take()
    say(
      tickerOf('AAPL', 189, { change: 1, changePercent: 0.53, volume: 1e6, high: 191, low: 187, open: 188, prevClose: 188 }),
      quoteOf('AAPL', 189.9, 190.1),
      tradeOf('AAPL', 190, 1_698_012_345_123)
    )
    until(500)
    expect(take()).toEqual([
      {
        type: 'quote_update',
        symbol: 'AAPL',
        data: {
          symbol: 'AAPL',
          price: 190,
          change: 2,
          change_percent: expect.closeTo(1.0638, 3),
          volume: 1e6,
          bid: 189.9,
          ask: 190.1,
          bid_size: 3,
          ask_size: 4,
          day_high: 191,
          day_low: 187,
          open: 188,
          previous_close: 188,
          session: null,
          timestamp: 1_698_012_345.123,
          market_time: '2023-10-22T22:05:45.123Z',
          provider: 'alpha',
          confidence: 0.97
        },
        timestamp: 0.1
      }
    ])
  })

  test.each([
    ['a trade since the ticker widens the range of the day', {}, [12, 8]],
    ['one out of the session does not', { session: 'post' }, [11, 9]],
    ['nor does one that sets no prices', { ineligible: true }, [11, 9]]
  ] as const)('[S0-17] %s', (_, more, [high, low]) => {
    const { send, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    say(tickerOf('AAPL', 10, { high: 11, low: 9, volume: 1 }))
    for (const [price, at] of [
      [12, 200],
      [8, 1_300]
    ] as const) {
      say(tradeOf('AAPL', price, at, more))
      until(at)
    }
    until(3_000)
    const all = quotes(take())
    const [first, last] = [all[0], all.at(-1)]
    expect([first?.data.day_high, last?.data.day_low]).toEqual([high, low])
  })

  test('a figure that nobody gave is null, never zero', () => {
    const { send, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    say(tradeOf('AAPL', 190))
    until(100)
    const [, { data }] = take()
    expect(data).toMatchObject({ price: 190, change: null, volume: null, bid: null, ask: null, day_high: null, day_low: null })
  })

  test('[S0-19] the first goes at once, then at most one a second with the newest price', () => {
    const { send, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    take()
    for (let tenth = 1; tenth <= 35; tenth++) {
      say(tradeOf('AAPL', tenth, tenth))
      until(tenth * 100)
    }
    expect(quotes(take()).map(({ data, timestamp }) => [timestamp, data.price])).toEqual([
      [0.1, 1],
      [1, 10],
      [2, 20],
      [3, 30]
    ])
  })

  test('[S0-38] what did not change is not sent again, unless the client asked for that with keepalive', () => {
    const { send, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    say(tradeOf('AAPL', 5, 1))
    until(1_500)
    take()
    say(tradeOf('AAPL', 5, 2))
    until(5_000)
    expect(quotes(take())).toEqual([])
    send({ action: 'subscribe', symbols: ['AAPL'], keepalive: true })
    until(8_000)
    expect(quotes(take()).length).toBeGreaterThanOrEqual(3)
  })

  test('under ?dialect=ziggy-code they bear the name of that code', () => {
    const { send, say, until, take } = open({ query: { dialect: 'ziggy-code' } })
    send({ type: 'subscribe', symbols: ['AAPL'] })
    say(tradeOf('AAPL', 5))
    until(100)
    expect(take()[1]).toMatchObject({ type: 'market_data', symbol: 'AAPL', data: { price: 5 } })
  })

  test('a symbol that loses its last live source is told of once, and its quotes go on when one is back', () => {
    const { send, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    say(quoteOf('AAPL', 9, 11), tradeOf('AAPL', 10))
    until(1_000)
    take()
    say(statusOf('AAPL', 'trade', undefined, 'outage'))
    until(1_100)
    expect(take().filter(({ type }) => type === 'error')).toEqual([])
    say(statusOf('AAPL', 'quote', undefined, 'outage'))
    until(3_000)
    expect(take().filter(({ type }) => type === 'error')).toMatchObject([
      { code: 'NO_LIVE_SOURCE', data: { symbol: 'AAPL', reason: 'quote by outage' } }
    ])
    say(statusOf('AAPL', 'trade', 'beta', 'failback'), tradeOf('AAPL', 12, 5, { provider: 'beta' }))
    until(4_000)
    expect(quotes(take()).at(-1)).toMatchObject({ data: { price: 12, provider: 'beta' } })
  })
})

describe('asking', () => {
  test('get_snapshot answers with the quotes that are known, of what is held or of what is named', () => {
    const { send, say, take, plant } = open()
    plant.publish('trade:TSLA', tradeOf('TSLA', 7), 0)
    send({ action: 'subscribe', symbols: ['AAPL', 'MSFT'] })
    say(tradeOf('AAPL', 5))
    take()
    send({ action: 'get_snapshot' })
    send({ action: 'get_snapshot', symbol: 'tsla' })
    const [held, named] = take()
    expect(held).toMatchObject({ type: 'market_snapshot', data: { quotes: [{ symbol: 'AAPL', price: 5 }] } })
    expect(named.data.quotes).toMatchObject([{ symbol: 'TSLA', price: 7 }])
  })

  test('force_update sends what is held again, changed or not', () => {
    const { send, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL'] })
    say(tradeOf('AAPL', 5))
    until(300)
    take()
    send({ action: 'force_update' })
    expect(take()).toMatchObject([{ type: 'quote_update', forced: true, data: { price: 5 } }])
  })

  test('get_performance_stats counts updates and errors of this connection', () => {
    const { send, say, until, take } = open()
    send({ action: 'subscribe', symbols: ['AAPL', 'APPL'] })
    say(tradeOf('AAPL', 5))
    until(300)
    take()
    send({ action: 'get_performance_stats' })
    const figures = {
      channel: 'market_data',
      update_count: 1,
      error_count: 1,
      last_update_time: 0.1,
      is_running: true,
      update_interval: 1
    }
    expect(take()).toMatchObject([{ type: 'performance_stats', data: figures, stats: figures }])
  })
})
