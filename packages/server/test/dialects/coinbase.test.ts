import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coinbase as adapter } from '../../src/providers/coinbase.ts'
import { coinbase } from '../../src/dialects/coinbase.ts'
import { books, candles, createBook, quotes, tickers, trades } from './events.ts'
import { asked, connect, createStage, NOW, request } from './stage.ts'

const stampOf = <T extends string>(type: T) => ({ type, provider: 'any', instrument: 'BTC-USD', time: NOW, received: NOW })
const subscribe = (channel: string, ...product_ids: string[]) => ({ type: 'subscribe', product_ids, channel })
const subscribed = (channel: string) => {
  const stage = createStage()
  const client = connect(stage, coinbase)
  const session = adapter.open({})
  client.send(subscribe(channel, 'BTC-USD'))
  const meanings = () => client.take().flatMap((text) => adapter.decode(text, NOW, session))
  return { stage, client, meanings }
}

describe('an event that is rendered and decoded again is the same', () => {
  test('trades: the side is turned to the maker and back', () => {
    fc.assert(
      fc.property(trades('BTC-USD'), (event) => {
        const { stage, meanings } = subscribed('market_trades')
        meanings()
        stage.publish(event)
        const { type, id, price, size, side, time } = event
        expect(meanings()).toMatchObject([{ type, symbol: 'BTC-USD', id, price, size, side, time }])
      })
    )
  })
  test('tickers and quotes, which share a row', () => {
    fc.assert(
      fc.property(tickers('BTC-USD'), quotes('BTC-USD'), (ticker, quote) => {
        const { stage, meanings } = subscribed('ticker')
        stage.publish(ticker)
        meanings()
        stage.publish(quote)
        const { last, high, low, volume, changePercent } = ticker
        const { bid, bidSize, ask, askSize, time } = quote
        const found = meanings()
        expect(found.find((meaning) => meaning.type === 'ticker')).toMatchObject({
          symbol: 'BTC-USD',
          last,
          high,
          low,
          volume,
          changePercent
        })
        expect(found.find((meaning) => meaning.type === 'quote')).toMatchObject({
          symbol: 'BTC-USD',
          bid,
          bidSize,
          ask,
          askSize,
          time
        })
      })
    )
  })
  test('five-minute candles', () => {
    fc.assert(
      fc.property(candles('BTC-USD', '5m'), (event) => {
        const { stage, meanings } = subscribed('candles')
        meanings()
        stage.publish(event)
        const { type, interval, start, open, high, low, close, volume } = event
        expect(meanings()).toMatchObject([{ type, symbol: 'BTC-USD', interval, start, open, high, low, close, volume }])
      })
    )
  })
  test('books, by snapshot and differences', () => {
    fc.assert(
      fc.property(books('BTC-USD', 8), (pictures) => {
        const stage = createStage()
        stage.publish(pictures[0]!)
        const client = connect(stage, coinbase)
        client.send(subscribe('level2', 'BTC-USD'))
        const session = adapter.open({})
        const book = createBook()
        const read = () => {
          for (const text of client.take())
            for (const meaning of adapter.decode(text, NOW, session)) if (meaning.type === 'delta') book.apply(meaning)
        }
        read()
        for (const picture of pictures) {
          stage.publish(picture)
          read()
          expect(book.sides()).toEqual({ bids: picture.bids, asks: picture.asks })
        }
        // Those that are told late, when the plant holds newer ones.
        client.hold()
        for (const picture of pictures) stage.publish(picture)
        client.flush()
        read()
        const { bids, asks } = pictures.at(-1)!
        expect(book.sides()).toEqual({ bids, asks })
      })
    )
  })
})

describe('the connection', () => {
  test('one sequence runs over all channels, from 0 and without a hole', () => {
    const stage = createStage()
    const client = connect(stage, coinbase)
    for (const channel of ['heartbeats', 'market_trades', 'ticker', 'level2'])
      client.send(subscribe(channel, 'BTC-USD', 'BTC-USDT'))
    for (let i = 0; i < 5; i++) {
      stage.publish({ ...stampOf('trade'), price: 1, size: 1, side: 'buy' })
      stage.publish({ ...stampOf('ticker'), last: i })
      stage.publish({ ...stampOf('book'), bids: [[1, i + 1]], asks: [] })
      client.pass(1_000)
    }
    const sequence = client.taken().map((frame) => frame.sequence_num)
    expect(sequence).toEqual(Array.from(sequence, (_, i) => i))
    expect(sequence.length).toBeGreaterThan(20)
  })
  test('the acknowledgement comes after the snapshot and lists everything subscribed so far', () => {
    const stage = createStage()
    stage.publish({ ...stampOf('trade'), id: '9', price: 1, size: 1, side: 'buy' })
    const client = connect(stage, coinbase)
    client.send(subscribe('market_trades', 'BTC-USD'))
    client.send(subscribe('heartbeats'))
    const frames = client.taken()
    expect(frames.map(({ channel }) => channel)).toEqual(['market_trades', 'subscriptions', 'subscriptions'])
    expect(frames[0].events[0]).toMatchObject({ type: 'snapshot', trades: [{ trade_id: '9', side: 'SELL' }] })
    expect(frames[2].events).toEqual([{ subscriptions: { market_trades: ['BTC-USD'], heartbeats: ['heartbeats'] } }])
  })
  test('level2 arrives as l2_data', () => {
    const { stage, client } = subscribed('level2')
    client.take()
    stage.publish({ ...stampOf('book'), bids: [[1, 2]], asks: [[3, 4]] })
    expect(client.taken()).toMatchObject([
      {
        channel: 'l2_data',
        events: [
          {
            type: 'snapshot',
            product_id: 'BTC-USD',
            updates: [
              { side: 'bid', price_level: '1', new_quantity: '2' },
              { side: 'offer', price_level: '3', new_quantity: '4' }
            ]
          }
        ]
      }
    ])
  })
  test('heartbeats count, with the time as Go prints it', () => {
    const { client } = subscribed('heartbeats')
    client.take()
    client.pass(1_000)
    expect(client.taken()).toMatchObject([
      { channel: 'heartbeats', events: [{ current_time: '2026-01-15 12:00:01 +0000 UTC m=+1', heartbeat_counter: 1 }] }
    ])
  })
  test('unsubscribing one channel keeps the topics that another one needs', () => {
    const stage = createStage()
    const client = connect(stage, coinbase)
    client.send(subscribe('ticker', 'BTC-USD'))
    client.send(subscribe('ticker_batch', 'BTC-USD'))
    client.send({ type: 'unsubscribe', channel: 'ticker', product_ids: ['BTC-USD'] })
    expect(client.topics()).toEqual(['ticker:BTC-USD', 'quote:BTC-USD'])
    client.send({ type: 'unsubscribe', channel: 'ticker_batch', product_ids: ['BTC-USD'] })
    expect(client.topics()).toEqual([])
  })
  test('who says nothing for five seconds is hung up on', () => {
    const client = connect(createStage(), coinbase)
    client.pass(4_000)
    expect(client.closed()).toBeUndefined()
    client.pass(1_000)
    expect(client.closed()).toMatch(/5 seconds/)
  })
  test.each([
    ['{'],
    [subscribe('market_trades', 'ZZZ-USD')],
    [subscribe('dreams', 'BTC-USD')],
    [{ type: 'jump' }],
    [subscribe('user')]
  ])('what cannot be is answered with an error, without a sequence: %j', (message) => {
    const client = connect(createStage(), coinbase)
    client.send(message)
    expect(client.taken()).toEqual([{ type: 'error', message: expect.any(String) }])
  })
})

describe('REST', () => {
  test('the listing decodes to the instruments, without the equities', () => {
    const { body } = request(createStage(), coinbase, '/api/v3/brokerage/market/products')
    const [listing] = adapter.decode(JSON.stringify(body), NOW, adapter.open({}), {
      type: 'need',
      path: '',
      purpose: 'listing'
    }) as any
    expect(listing.rows.map(({ symbol }: { symbol: string }) => symbol)).toEqual(['BTC-USDT', 'ETH-USDT', 'BTC-USD'])
    expect(listing.rows[2]).toMatchObject({ base: 'BTC', quote: 'USD', trading: true, priceDecimals: 1, sizeDecimals: 8 })
  })
  test('past candles come newest first and decode oldest first', async () => {
    const stage = createStage()
    const sample = fc.sample(candles('BTC-USD', '5m'), 2)
    for (const [i, candle] of sample.entries()) stage.publish({ ...candle, start: NOW - 900_000 + i * 300_000, closed: true })
    const need = adapter.history!('BTC-USD', '5m', 10, NOW, {})
    const { body } = await asked(stage, coinbase, `/api/v3/brokerage${need.path}`)
    expect(body.candles.map(({ start }: { start: string }) => Number(start) * 1_000)).toEqual([NOW - 600_000, NOW - 900_000])
    const decoded = adapter.decode(JSON.stringify(body), NOW, adapter.open({}), need) as any[]
    expect(decoded.map(({ close }) => close)).toEqual(sample.map(({ close }) => close))
  })
  test('an unknown product is not found, a granularity that is none is refused', async () => {
    const stage = createStage()
    expect(request(stage, coinbase, '/api/v3/brokerage/market/products/ZZZ-USD').status).toBe(404)
    expect(
      await asked(stage, coinbase, '/api/v3/brokerage/market/products/BTC-USD/candles?granularity=TWO_MINUTES')
    ).toMatchObject({
      status: 400,
      body: { error: 'INVALID_ARGUMENT' }
    })
  })
})
