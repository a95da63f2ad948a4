import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { binance as adapter } from '../../src/providers/binance.ts'
import { binance } from '../../src/dialects/binance.ts'
import { books, candles, createBook, quotes, tickers, trades } from './events.ts'
import { asked, connect, createStage, NOW, request } from './stage.ts'

const subscribed = (...params: string[]) => {
  const stage = createStage()
  const client = connect(stage, binance)
  client.send({ method: 'SUBSCRIBE', params, id: 1 })
  return { stage, client }
}
const decode = (text: string, session = adapter.open({})) => adapter.decode(text, NOW, session)

describe('an event that is rendered and decoded again is the same', () => {
  test('trades, also as aggregates', () => {
    for (const stream of ['btcusdt@trade', 'btcusdt@aggTrade'])
      fc.assert(
        fc.property(trades('BTC-USDT'), (event) => {
          const { stage, client } = subscribed(stream)
          client.take()
          stage.publish(event)
          const { type, id, price, size, side, time } = event
          expect(client.take().flatMap((text) => decode(text))).toMatchObject([
            { type, symbol: 'BTCUSDT', id, price, size, side, time }
          ])
        })
      )
  })
  test('quotes, which carry no time', () => {
    fc.assert(
      fc.property(quotes('BTC-USDT'), (event) => {
        const { stage, client } = subscribed('btcusdt@bookTicker')
        client.take()
        stage.publish(event)
        const { type, bid, bidSize, ask, askSize } = event
        expect(client.take().flatMap((text) => decode(text))).toMatchObject([
          { type, symbol: 'BTCUSDT', bid, bidSize, ask, askSize }
        ])
      })
    )
  })
  test('tickers', () => {
    fc.assert(
      fc.property(tickers('BTC-USDT'), (event) => {
        const { stage, client } = subscribed('btcusdt@ticker')
        client.take()
        stage.publish(event)
        const { type, last, open, high, low, volume, change, changePercent, time } = event
        expect(client.take().flatMap((text) => decode(text))).toMatchObject([
          { type, symbol: 'BTCUSDT', last, open, high, low, volume, change, changePercent, time }
        ])
      })
    )
  })
  test('candles', () => {
    fc.assert(
      fc.property(candles('BTC-USDT', '1m'), (event) => {
        const { stage, client } = subscribed('btcusdt@kline_1m')
        client.take()
        stage.publish(event)
        const { type, interval, start, open, high, low, close, volume, closed, trades } = event
        expect(client.take().flatMap((text) => decode(text))).toMatchObject([
          { type, symbol: 'BTCUSDT', interval, start, open, high, low, close, volume, closed, trades }
        ])
      })
    )
  })
})

describe('books', () => {
  test('differences on a snapshot fetched at any moment give the whole book, and no gap', () => {
    fc.assert(
      fc.property(
        books('BTC-USDT', 8),
        fc.nat(20),
        fc.array(fc.boolean(), { minLength: 25, maxLength: 25 }),
        (pictures, at, ticks) => {
          const { stage, client } = subscribed('btcusdt@depth@100ms')
          const session = adapter.open({})
          const book = createBook()
          let whole = false
          const apply = (meanings: readonly any[]) => {
            for (const meaning of meanings) {
              expect(meaning.type).not.toBe('gap')
              if (meaning.type !== 'delta') continue
              whole ||= meaning.snapshot
              if (whole) book.apply(meaning)
            }
          }
          const read = () => client.take().forEach((text) => apply(adapter.decode(text, NOW, session)))
          const need = {
            type: 'need',
            path: '/api/v3/depth?symbol=BTCUSDT&limit=1000',
            purpose: 'book',
            symbol: 'BTCUSDT'
          } as const
          pictures.forEach((picture, i) => {
            stage.publish(picture)
            // Several books may lie between two frames: what changed and changed back must still be told.
            if (ticks[i]) client.pass(100)
            read()
            if (i >= at && !whole)
              apply(adapter.decode(JSON.stringify(request(stage, binance, need.path).body), NOW, session, need))
          })
          client.pass(100)
          read()
          if (whole) expect(book.sides()).toEqual({ bids: pictures.at(-1)!.bids, asks: pictures.at(-1)!.asks })
        }
      )
    )
  })
  test('U follows the u before it, and the snapshot has the same numbers', () => {
    const { stage, client } = subscribed('btcusdt@depth@100ms')
    client.take()
    for (const size of [1, 2, 3]) stage.publish(bookOf(size))
    client.pass(100)
    stage.publish(bookOf(4))
    client.pass(100)
    expect(client.taken().map(({ data }) => [data.U, data.u])).toEqual([
      [1, 3],
      [4, 4]
    ])
    expect(request(stage, binance, '/api/v3/depth?symbol=BTCUSDT').body.lastUpdateId).toBe(4)
  })
  test('a partial book is whole and has no symbol in it', () => {
    const { stage, client } = subscribed('btcusdt@depth5@100ms')
    client.take()
    stage.publish({ ...stampOf('book'), bids: Array.from({ length: 9 }, (_, i) => [100 - i, 1] as const), asks: [] })
    client.pass(100)
    const [{ stream, data }] = client.taken()
    expect(stream).toBe('btcusdt@depth5@100ms')
    expect(Object.keys(data)).toEqual(['lastUpdateId', 'bids', 'asks'])
    expect(data.bids).toHaveLength(5)
  })
})

const stampOf = <T extends string>(type: T) => ({ type, provider: 'any', instrument: 'BTC-USDT', time: NOW, received: NOW })

const bookOf = (size: number) => ({ ...stampOf('book'), bids: [[100, size]] as [number, number][], asks: [] })

describe('requests', () => {
  test('a subscription is acknowledged with its id, listed, and ended', () => {
    const { stage, client } = subscribed('btcusdt@trade', 'ethusdt@trade')
    client.send({ method: 'LIST_SUBSCRIPTIONS', id: 2 })
    client.send({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 3 })
    expect(client.taken()).toEqual([
      { result: null, id: 1 },
      { result: ['btcusdt@trade', 'ethusdt@trade'], id: 2 },
      { result: null, id: 3 }
    ])
    expect(client.topics()).toEqual(['trade:ETH-USDT'])
    stage.publish({ ...stampOf('trade'), price: 1, size: 1, side: 'buy' })
    expect(client.take()).toEqual([])
  })
  test('an unknown symbol is acknowledged and silent', () => {
    const { client } = subscribed('zzzusdt@trade')
    expect(client.taken()).toEqual([{ result: null, id: 1 }])
    expect(client.topics()).toEqual([])
  })
  test.each([
    ['{', { error: { code: 3 }, id: null }],
    [{ method: 'JUMP', id: 7 }, { error: { code: 2 } }],
    [
      { method: 'SUBSCRIBE', params: 'btcusdt@trade', id: 7 },
      { error: { code: 2 }, id: 7 }
    ],
    [{ params: [] }, { error: { code: 2 } }],
    [
      { method: 'SET_PROPERTY', params: ['colour', true], id: 7 },
      { error: { code: 0 }, id: 7 }
    ]
  ])('what is no request is answered with an error: %j', (message, answer) => {
    const client = connect(createStage(), binance)
    client.send(message)
    expect(client.taken()).toMatchObject([answer])
  })
  test('/stream wraps its frames in the name of the stream, /ws does not, and both take streams in the address', () => {
    const stage = createStage()
    const combined = connect(stage, binance, '/stream', { streams: 'btcusdt@trade/btcusdt@bookTicker' })
    const raw = connect(stage, binance, '/ws/btcusdt@trade', {}, 'btcusdt@trade')
    stage.publish({ ...stampOf('trade'), id: '5', price: 95_000.1, size: 0.5, side: 'sell' })
    const frame = { e: 'trade', E: NOW, s: 'BTCUSDT', t: 5, p: '95000.10000000', q: '0.50000000', T: NOW, m: true, M: true }
    expect(combined.taken()).toEqual([{ stream: 'btcusdt@trade', data: frame }])
    expect(raw.taken()).toEqual([frame])
  })
  test('what happened before the subscription is not told as if it were live', () => {
    const stage = createStage()
    stage.publish({ ...stampOf('trade'), id: '5', price: 1, size: 1, side: 'buy' })
    const client = connect(stage, binance, '/stream', { streams: 'btcusdt@trade' })
    expect(client.take()).toEqual([])
  })
  test('one trade makes a frame for each stream over it', () => {
    const { stage, client } = subscribed('btcusdt@trade', 'btcusdt@aggTrade')
    client.take()
    stage.publish({ ...stampOf('trade'), id: '5', price: 1, size: 1, side: 'buy' })
    client.pass(50)
    expect(client.taken().map(({ stream }) => stream)).toEqual(['btcusdt@trade', 'btcusdt@aggTrade'])
  })
})

describe('REST', () => {
  test('the listing decodes to the instruments', () => {
    const { body } = request(createStage(), binance, '/api/v3/exchangeInfo')
    const [listing] = adapter.decode(JSON.stringify(body), NOW, adapter.open({}), { type: 'need', path: '', purpose: 'listing' })
    expect(listing).toMatchObject({ type: 'listing' })
    expect((listing as any).rows).toContainEqual({
      symbol: 'BTCUSDT',
      base: 'BTC',
      quote: 'USDT',
      trading: true,
      priceDecimals: 2,
      sizeDecimals: 5
    })
  })
  test('past candles decode to those that were published', async () => {
    const stage = createStage()
    const [candle] = fc.sample(candles('BTC-USDT', '1m'), 1)
    stage.publish({ ...candle!, start: NOW - 120_000, closed: true })
    const need = adapter.history!('BTCUSDT', '1m', 10, NOW, {})
    const { body } = await asked(stage, binance, need.path)
    const { open, high, low, close, volume } = candle!
    expect(adapter.decode(JSON.stringify(body), NOW, adapter.open({}), need)).toMatchObject([
      { type: 'candle', start: NOW - 120_000, open, high, low, close, volume }
    ])
  })
  test.each([
    ['/api/v3/depth', -1102],
    ['/api/v3/depth?symbol=ZZZUSDT', -1121],
    ['/api/v3/klines?symbol=BTCUSDT&interval=7m', -1120]
  ])('%s is refused with %i', async (url, code) => {
    expect(await asked(createStage(), binance, url)).toMatchObject({ status: 400, body: { code } })
  })
})
