import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kraken as adapter } from '../../src/providers/kraken.ts'
import { kraken } from '../../src/dialects/kraken.ts'
import { checksum } from '../../src/dialects/kraken.frames.ts'
import { books, candles, createBook, quotes, tickers, trades } from './events.ts'
import { asked, connect, createStage, NOW, request } from './stage.ts'

const stampOf = <T extends string>(type: T) => ({ type, provider: 'any', instrument: 'BTC-USD', time: NOW, received: NOW })
const subscribe = (channel: string, symbol: string[], rest: object = {}) => ({
  method: 'subscribe',
  params: { channel, symbol, ...rest },
  req_id: 1
})

const subscribed = (channel: string, rest: object = {}, symbol = 'BTC/USD') => {
  const stage = createStage()
  const client = connect(stage, kraken)
  const session = adapter.open({})
  const meanings = () => client.take().flatMap((text) => adapter.decode(text, NOW, session))
  client.send({ method: 'subscribe', params: { channel: 'instrument' } })
  client.send(subscribe(channel, [symbol], rest))
  meanings()
  return { stage, client, meanings }
}

describe('an event that is rendered and decoded again is the same', () => {
  test('trades', () => {
    fc.assert(
      fc.property(trades('BTC-USD'), (event) => {
        const { stage, meanings } = subscribed('trade')
        stage.publish(event)
        const { type, id, price, size, side, time } = event
        expect(meanings()).toMatchObject([{ type, symbol: 'BTC/USD', id, price, size, side, time }])
      })
    )
  })
  test('tickers and quotes, which share a row', () => {
    fc.assert(
      fc.property(tickers('BTC-USD'), quotes('BTC-USD'), (ticker, quote) => {
        const { stage, meanings } = subscribed('ticker', { event_trigger: 'bbo' })
        stage.publish(ticker)
        meanings()
        stage.publish(quote)
        const { last, high, low, volume, change, changePercent } = ticker
        const { bid, bidSize, ask, askSize } = quote
        const found = meanings()
        expect(found.find((meaning) => meaning.type === 'ticker')).toMatchObject({
          last,
          high,
          low,
          volume,
          change,
          changePercent
        })
        expect(found.find((meaning) => meaning.type === 'quote')).toMatchObject({ symbol: 'BTC/USD', bid, bidSize, ask, askSize })
      })
    )
  })
  test('candles', () => {
    fc.assert(
      fc.property(candles('BTC-USD', '5m'), (event) => {
        const { stage, meanings } = subscribed('ohlc', { interval: 5 })
        stage.publish(event)
        const { type, interval, start, open, high, low, close, volume } = event
        expect(meanings()).toMatchObject([{ type, symbol: 'BTC/USD', interval, start, open, high, low, close, volume }])
      })
    )
  })
})

const levels = (side: { price: number; qty: number }[]) => side.map(({ price, qty }) => [price, qty] as const)
const capture = (name: string) =>
  readFileSync(
    fileURLToPath(new URL(`../../../../captures/kraken/derived-v2-v1-2021-04-17-book1000.${name}`, import.meta.url)),
    'utf8'
  )

/** Folds as Kraken's guide says: apply, then cut to the depth. */
const follow = (depth: number, pictures: ReturnType<typeof books> extends fc.Arbitrary<infer B> ? B : never) => {
  const { stage, client } = subscribed('book', { depth }, 'BTC/USDT')
  const book = createBook()
  for (const picture of pictures) {
    stage.publish(picture)
    for (const { channel, type, data } of client.taken()) {
      if (channel !== 'book') continue
      book.apply({ snapshot: type === 'snapshot', bids: levels(data[0].bids), asks: levels(data[0].asks) }, depth)
      const { bids, asks } = book.sides()
      expect(checksum(bids, asks, { price: 2, size: 5 })).toBe(data[0].checksum)
    }
    expect(book.sides()).toEqual({ bids: picture.bids.slice(0, depth), asks: picture.asks.slice(0, depth) })
  }
}

describe('books', () => {
  test('a reader who cuts to the depth holds the best levels, and every checksum is that of his book', () => {
    fc.assert(fc.property(books('BTC-USDT', 16), (pictures) => follow(10, pictures)))
    fc.assert(fc.property(books('BTC-USDT', 16), (pictures) => follow(25, pictures)))
  })
  test('the checksum is the one that Kraken computed for 4,269 recorded updates', () => {
    const precisions = JSON.parse(capture('precision.json'))
    const held = new Map<string, ReturnType<typeof createBook>>()
    let checked = 0
    for (const line of capture('jsonl').trim().split('\n')) {
      const { type, data } = JSON.parse(line)
      const { symbol, bids, asks, checksum: expected } = data[0]
      const book = held.get(symbol) ?? createBook()
      held.set(symbol, book)
      book.apply({ snapshot: type === 'snapshot', bids: levels(bids), asks: levels(asks) }, 1_000)
      const sides = book.sides()
      const { price_precision: price, qty_precision: size } = precisions[symbol]
      if (type !== 'update') continue
      expect(checksum(sides.bids, sides.asks, { price, size })).toBe(expected)
      checked++
    }
    expect(checked).toBe(4_269)
  })
})

describe('the connection', () => {
  test('it begins with the status, and answers each symbol by itself, then its snapshot', () => {
    const stage = createStage()
    stage.publish({ ...stampOf('book'), bids: [[1, 2]], asks: [[3, 4]] })
    const client = connect(stage, kraken)
    client.send(subscribe('book', ['BTC/USD', 'BTC/USDT', 'ZZZ/USD'], { depth: 10 }))
    const frames = client.taken()
    expect(frames[0]).toMatchObject({ channel: 'status', type: 'update', data: [{ system: 'online', api_version: 'v2' }] })
    expect(frames.slice(1)).toMatchObject([
      { method: 'subscribe', success: false, error: 'Currency pair not supported ZZZ/USD', symbol: 'ZZZ/USD', req_id: 1 },
      {
        method: 'subscribe',
        success: true,
        result: { channel: 'book', depth: 10, snapshot: true, symbol: 'BTC/USD' },
        req_id: 1
      },
      { channel: 'book', type: 'snapshot' },
      { method: 'subscribe', success: true, result: { symbol: 'BTC/USDT' } }
    ])
  })
  test('the trades before the subscription come as a snapshot, and only when asked for', () => {
    const stage = createStage()
    for (const id of ['1', '2']) stage.publish({ ...stampOf('trade'), id, price: 1, size: 1, side: 'sell' })
    for (const snapshot of [true, false]) {
      const client = connect(stage, kraken)
      client.send(subscribe('trade', ['BTC/USD'], { snapshot }))
      const told = client.taken().filter(({ channel }) => channel === 'trade')
      expect(told.map(({ type, data }) => [type, data.map((row: any) => row.trade_id)])).toEqual(
        snapshot ? [['snapshot', [1, 2]]] : []
      )
    }
  })
  test('a ticker without the bbo trigger stays silent when only the quote changes', () => {
    const { stage, client } = subscribed('ticker')
    stage.publish({ ...stampOf('ticker'), last: 1 })
    client.take()
    stage.publish({ ...stampOf('quote'), bid: 1, bidSize: 1, ask: 2, askSize: 2 })
    expect(client.take()).toEqual([])
  })
  test('a heartbeat comes each second in which nothing else did, and none without a subscription', () => {
    const { stage, client } = subscribed('trade')
    client.pass(1_000)
    expect(client.take()).toEqual(['{"channel":"heartbeat"}'])
    client.pass(500)
    stage.publish({ ...stampOf('trade'), price: 1, size: 1, side: 'buy' })
    client.take()
    client.pass(500)
    expect(client.take()).toEqual([])
    const idle = connect(stage, kraken)
    idle.take()
    idle.pass(1_000)
    expect(idle.take()).toEqual([])
  })
  test('ping is answered with pong, the unknown with an error', () => {
    const client = connect(createStage(), kraken)
    client.take()
    client.send({ method: 'ping', req_id: 101 })
    client.send(subscribe('dreams', ['BTC/USD']))
    client.send(subscribe('book', ['BTC/USD'], { depth: 7 }))
    client.send('{')
    expect(client.taken()).toMatchObject([
      { method: 'pong', req_id: 101 },
      { success: false },
      { success: false },
      { success: false }
    ])
  })
  test('unsubscribing is acknowledged per symbol, and what was not held is an error', () => {
    const { client } = subscribed('trade')
    client.send({ method: 'unsubscribe', params: { channel: 'trade', symbol: ['BTC/USD', 'BTC/USDT'] }, req_id: 2 })
    expect(client.taken()).toMatchObject([
      { method: 'unsubscribe', success: true, result: { symbol: 'BTC/USD' }, req_id: 2 },
      { method: 'unsubscribe', success: false, symbol: 'BTC/USDT' }
    ])
    expect(client.topics()).toEqual([])
  })
})

describe('REST', () => {
  test('the listing has the legacy names and decodes to the instruments', () => {
    const { body } = request(createStage(), kraken, '/0/public/AssetPairs')
    expect(body.result.XXBTZUSD).toMatchObject({ altname: 'XBTUSD', wsname: 'XBT/USD', base: 'XXBT', quote: 'ZUSD' })
    const [listing] = adapter.decode(JSON.stringify(body), NOW, adapter.open({}), {
      type: 'need',
      path: '',
      purpose: 'listing'
    }) as any
    expect(listing.rows).toContainEqual(
      expect.objectContaining({ symbol: 'BTC/USD', base: 'BTC', quote: 'USD', trading: true, priceDecimals: 1, sizeDecimals: 8 })
    )
  })
  test('past candles decode to those that were published', async () => {
    const stage = createStage()
    const [candle] = fc.sample(candles('BTC-USD', '5m'), 1)
    stage.publish({ ...candle!, start: NOW - 600_000, closed: true })
    const need = adapter.history!('BTC/USD', '5m', 10, NOW, {})
    const { body } = await asked(stage, kraken, `/0${need.path}`)
    const { open, high, low, close, volume } = candle!
    expect(adapter.decode(JSON.stringify(body), NOW, adapter.open({}), need)).toMatchObject([
      { type: 'candle', start: NOW - 600_000, open, high, low, close, volume }
    ])
  })
  test.each([
    ['/0/public/OHLC?pair=ZZZUSD', 'EQuery:Unknown asset pair'],
    ['/0/public/Depth', 'EGeneral:Invalid arguments'],
    ['/0/public/OHLC?pair=XBTUSD&interval=7', 'EGeneral:Invalid arguments']
  ])('%s is refused with status 200 and %s', async (url, error) => {
    expect(await asked(createStage(), kraken, url)).toEqual({ status: 200, body: { error: [error] } })
  })
})

test('tickers without a pair are those of all pairs, and of several where several are named', () => {
  const stage = createStage()
  stage.publish({ ...stampOf('ticker'), last: 100, open: 99, high: 101, low: 98, volume: 5 })
  const result = (path: string) => (request(stage, kraken, path).body as { result: object }).result
  expect(Object.keys(result('/0/public/Ticker'))).toEqual(['XXBTZUSD'])
  expect(result('/0/public/Ticker?pair=XBTUSD')).toEqual(result('/0/public/Ticker'))
  expect(request(stage, kraken, '/0/public/Ticker?pair=XBTUSD,ZZZ').body).toEqual({ error: ['EQuery:Unknown asset pair'] })
})
