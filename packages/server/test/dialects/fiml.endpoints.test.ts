/** The FIML endpoints on a real port: the eighteen tests that the seed lists, and one of each that it could not run. */
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { MarketEvent } from '@tickwire/protocol'
import type { Desk } from '../../src/dialects/dialect.ts'
import { createFiml, type FimlOptions } from '../../src/dialects/fiml.ts'
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts'
import { SILENT } from '../../src/ops/log.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { createCandles } from '../../src/services/candles.ts'
import { hostServices } from '../../src/services/run.ts'
import { deskOf, publish, quoteOf, statusOf, tickerOf, tradeOf, type Message } from './fiml.bench.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** A gateway that speaks FIML over a plant, with candles made from whatever trades are said. */
async function start(options: FimlOptions = {}) {
  const plant = createPlant({ epoch: 'e' })
  const demanded: string[] = []
  let ahead = 0
  const services = hostServices({ plant, services: [createCandles()], clock: () => Date.now() + ahead, log: SILENT, every: 20 })
  const desk: Desk = deskOf(plant, () => gateway.connections())
  const gateway: Gateway = createGateway({
    plant,
    desk,
    dialects: [createFiml({ heartbeat: 150, ...options })],
    demand({ kind, instrument }) {
      demanded.push(`${kind}:${instrument}`)
      return { upstream: 'live', release: services.watch(instrument) }
    },
    clock: Date.now,
    log: SILENT
  })
  const { port } = await gateway.listen('127.0.0.1', 0)
  undo.push(
    () => services.stop(),
    () => gateway.close(0)
  )
  const say = (...events: MarketEvent[]) => {
    for (const event of events) publish(plant, event, Date.now())
  }
  const base = `http://127.0.0.1:${port}`
  const status = async (): Promise<Message> => (await fetch(`${base}/ws/connections`)).json()
  /** Lets the minute pass for the candles. */
  const skip = (milliseconds: number) => void (ahead += milliseconds)
  return { plant, gateway, base, demanded, say, status, skip, open: (path: string) => connect(`ws://127.0.0.1:${port}${path}`) }
}

/** A client that keeps all it was told. */
async function connect(url: string) {
  const ws = new WebSocket(url)
  const said: Message[] = []
  ws.on('message', (data: Buffer) => said.push(JSON.parse(data.toString())))
  undo.push(() => ws.terminate())
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
  const of = (type: string): Message[] => said.filter((message) => message.type === type)
  return {
    ws,
    said,
    of,
    updates: (stream?: string): Message[] =>
      of('data').flatMap(({ stream_type, data }) => ((stream ?? stream_type) === stream_type ? data : [])),
    send: (message: unknown) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    subscribe: (stream_type: string, symbols: string[], more: object = {}) =>
      ws.send(JSON.stringify({ type: 'subscribe', stream_type, symbols, ...more })),
    /** The nth message of this type. */
    message: async (type: string, nth = 0): Promise<Message> => {
      await expect.poll(() => of(type).length, { timeout: 30_000, interval: 5 }).toBeGreaterThan(nth)
      return of(type)[nth]
    }
  }
}
const eventually = (look: () => unknown) => expect.poll(look, { timeout: 30_000, interval: 5 })

describe('connection', () => {
  test('[S2-31] [S2-04] connect and disconnect: a client connects, leaves, and is gone from the count', async () => {
    const { open, gateway } = await start()
    const { ws } = await open('/ws/stream')
    expect(gateway.connections()).toHaveLength(1)
    ws.close()
    await eventually(() => gateway.connections().length).toBe(0)
  })

  test('[S2-31] multiple connections each hear what they asked for and nothing else', async () => {
    const { open, say } = await start()
    const clients = await Promise.all(['AAPL', 'TSLA', 'MSFT'].map((symbol) => open(`/ws/prices/${symbol}`)))
    await Promise.all(clients.map(({ message }) => message('subscription_ack')))
    say(tradeOf('AAPL', 1), tradeOf('TSLA', 2), tradeOf('MSFT', 3))
    await Promise.all(clients.map(({ message }) => message('data')))
    expect(clients.map(({ updates }) => updates().map(({ symbol, price }) => [symbol, price]))).toEqual([
      [['AAPL', 1]],
      [['TSLA', 2]],
      [['MSFT', 3]]
    ])
  })

  test('[S2-31] [S2-18] a heartbeat is received, with the number of active subscriptions', async () => {
    const { open } = await start()
    const { message } = await open('/ws/prices/AAPL')
    expect(await message('heartbeat', 1)).toEqual({ type: 'heartbeat', timestamp: expect.any(String), active_subscriptions: 1 })
  })
})

describe('subscriptions', () => {
  test('[S2-31] subscribe to price: acknowledged, asked upstream', async () => {
    const { open, demanded } = await start()
    const { subscribe, message } = await open('/ws/stream')
    subscribe('price', ['AAPL', 'TSLA'], { asset_type: 'equity', market: 'US', interval_ms: 1_000, data_type: 'price' })
    expect(await message('subscription_ack')).toMatchObject({
      stream_type: 'price',
      symbols: ['AAPL', 'TSLA'],
      interval_ms: 1_000
    })
    expect(demanded).toEqual(expect.arrayContaining(['trade:AAPL', 'quote:AAPL', 'ticker:AAPL', 'trade:TSLA']))
  })

  test('[S2-31] [S2-09] subscribe to ohlcv: candles of the trades arrive, and the closed one is marked closed', async () => {
    const { open, say, skip } = await start()
    // From the beginning of a minute, so that none ends before it is told to.
    const minute = Math.ceil(Date.now() / 60_000) * 60_000
    skip(minute - Date.now())
    const { subscribe, message, updates } = await open('/ws/stream')
    subscribe('ohlcv', ['AAPL'], { interval_ms: 60_000 })
    expect(await message('subscription_ack')).toMatchObject({ stream_type: 'ohlcv' })
    say(tradeOf('AAPL', 12, minute), tradeOf('AAPL', 10, minute + 1))
    const bar = { symbol: 'AAPL', timestamp: new Date(minute).toISOString(), open: 12, high: 12, low: 10, close: 10, volume: 4 }
    await eventually(() => updates()).toMatchObject([{ ...bar, is_closed: false }])
    skip(61_000)
    await eventually(() => updates()).toMatchObject([{ is_closed: false }, { ...bar, is_closed: true }])
  })

  test('[S2-31] [S2-01] [S2-11] subscribe to multiple streams on one connection: each delivers what its name says', async () => {
    const { open, say } = await start()
    const { subscribe, message, updates, of } = await open('/ws/stream')
    for (const stream of ['price', 'quote', 'trades', 'ohlcv', 'multi_asset'])
      subscribe(stream, ['BTC-USDT'], { interval_ms: 100 })
    await message('subscription_ack', 4)
    say(quoteOf('BTC-USDT', 9, 11), tradeOf('BTC-USDT', 10, Date.now()), tickerOf('BTC-USDT', 10, { volume: 7 }))
    for (const stream of ['price', 'quote', 'trades', 'ohlcv', 'multi_asset'])
      await eventually(() => updates(stream).length).toBeGreaterThan(0)
    expect(updates('price').at(-1)).toMatchObject({ price: 10, volume: 7 })
    expect(updates('quote')[0]).toMatchObject({ bid: 9, ask: 11, spread: 2 })
    expect(updates('trades')[0]).toMatchObject({ price: 10, quantity: 2, side: 'buy' })
    expect(updates('ohlcv')[0]).toMatchObject({ open: 10, close: 10, is_closed: false })
    expect(updates('multi_asset').at(-1)).toMatchObject({ price: 10, asset_type: 'crypto' })
    expect(new Set(of('data').map(({ subscription_id }) => subscription_id)).size).toBe(5)
  })

  test('[S2-31] unsubscribe: acknowledged, nothing more comes, and upstream is let go', async () => {
    const { open, say, plant } = await start()
    const { subscribe, send, message, updates } = await open('/ws/stream')
    subscribe('trades', ['AAPL', 'TSLA'], { interval_ms: 100 })
    await message('subscription_ack')
    send({ type: 'unsubscribe', stream_type: 'trades', symbols: ['AAPL'] })
    expect(await message('unsubscribe_ack')).toMatchObject({ stream_type: 'trades', symbols: ['AAPL'] })
    say(tradeOf('AAPL', 1), tradeOf('TSLA', 2))
    await message('data')
    expect(updates()).toMatchObject([{ symbol: 'TSLA' }])
    expect(plant.listeners('trade:AAPL')).toBe(0)
  })

  test('[S2-31] an invalid subscription request is refused with the field and the remedy, and the connection stays usable', async () => {
    const { open } = await start()
    const { subscribe, message } = await open('/ws/stream')
    subscribe('price', ['AAPL'], { interval_ms: 5 })
    expect(await message('error')).toMatchObject({
      error_code: 'SUBSCRIPTION_ERROR',
      details: { errors: [{ field: 'interval_ms' }] }
    })
    subscribe('price', ['AAPL'])
    await message('subscription_ack')
  })
})

describe('data', () => {
  test('[S2-31] [S2-28] [S2-15] price updates are received: an array of updates with price, provider and confidence, the same as by REST', async () => {
    const { open, say, base } = await start()
    const { message, updates } = await open('/ws/prices/AAPL')
    await message('subscription_ack')
    say(tickerOf('AAPL', 189, { change: 1, changePercent: 0.53, volume: 1e6 }), tradeOf('AAPL', 190, Date.now()))
    await message('data')
    expect(updates()).toMatchObject([{ symbol: 'AAPL', price: 190, change: 2, volume: 1e6, provider: 'alpha', confidence: 0.97 }])
    const { trades } = (await (await fetch(`${base}/v1/trades/AAPL?limit=1`)).json()) as Message
    expect(trades).toMatchObject([{ price: 190, provider: 'alpha', confidence: 0.97 }])
  })

  test('[S2-31] [S2-05] the price endpoint is a shortcut: acknowledged and streaming without a message, for escaped paths too', async () => {
    const { open, say } = await start()
    const { message, updates } = await open('/ws/prices/aapl,%20googl')
    expect(await message('subscription_ack')).toMatchObject({ symbols: ['AAPL', 'GOOGL'], interval_ms: 1_000 })
    say(tradeOf('AAPL', 1), tradeOf('GOOGL', 2))
    await eventually(() => updates().map(({ symbol }) => symbol)).toEqual(['AAPL', 'GOOGL'])
  })
})

describe('errors', () => {
  test('[S2-31] [S2-19] invalid JSON is answered with INVALID_JSON', async () => {
    const { open } = await start()
    const { send, message } = await open('/ws/stream')
    send('{not json')
    expect(await message('error')).toMatchObject({ error_code: 'INVALID_JSON' })
  })

  test('[S2-31] an unknown message type is answered with INVALID_MESSAGE_TYPE', async () => {
    const { open } = await start()
    const { send, message } = await open('/ws/stream')
    send({ type: 'dance' })
    expect(await message('error')).toMatchObject({ error_code: 'INVALID_MESSAGE_TYPE', details: { received: 'dance' } })
  })

  test('[S2-31] [S2-10] the subscription limit: fifty symbols are taken, fifty-one refused', async () => {
    const { open } = await start()
    const { subscribe, message } = await open('/ws/stream')
    const names = Array.from({ length: 51 }, (_, i) => `S${i}`)
    subscribe('price', names)
    expect(await message('error')).toMatchObject({
      error_code: 'SUBSCRIPTION_ERROR',
      message: expect.stringContaining('at most 50')
    })
    subscribe('price', ['AAPL', ...names.slice(0, 49)])
    expect(await message('subscription_ack')).toMatchObject({ symbols: ['AAPL'] })
  })
})

describe('tracking', () => {
  test('[S2-31] [S2-20] connections are tracked, and all that one held is given back when it goes', async () => {
    const { open, plant, gateway, status } = await start()
    const { ws, subscribe, message } = await open('/ws/stream')
    subscribe('price', ['AAPL'])
    subscribe('quote', ['AAPL'])
    await message('subscription_ack', 1)
    expect(gateway.connections()).toMatchObject([{ dialect: 'fiml', subscriptions: 2, symbols: ['AAPL'] }])
    ws.terminate()
    await eventually(async () => (await status()).active_connections).toBe(0)
    await eventually(() => ['trade:AAPL', 'quote:AAPL', 'status:AAPL:trade'].map((topic) => plant.listeners(topic))).toEqual([
      0, 0, 0
    ])
  })

  test('[S2-31] [S2-06] [S2-07] GET /ws/connections counts connections and subscriptions and lists the symbols', async () => {
    const { open, status } = await start()
    expect(await status()).toEqual({ active_connections: 0, total_subscriptions: 0, subscribed_symbols: [] })
    const first = await open('/ws/prices/TSLA,AAPL')
    const second = await open('/ws/stream')
    second.subscribe('quote', ['btc/usdt'])
    second.subscribe('trades', ['AAPL'])
    await Promise.all([first.message('subscription_ack'), second.message('subscription_ack', 1)])
    expect(await status()).toEqual({
      active_connections: 2,
      total_subscriptions: 3,
      subscribed_symbols: ['AAPL', 'BTC/USDT', 'TSLA']
    })
  })
})

describe('arbitration', () => {
  test('[S2-31] [S2-13] [S2-14] updates carry the provider that arbitration chose, across a failover, and an outage is told', async () => {
    const { open, say } = await start()
    const { subscribe, message, updates } = await open('/ws/stream')
    subscribe('price', ['AAPL'], { interval_ms: 100 })
    await message('subscription_ack')
    say(statusOf('AAPL', 'trade', 'alpha', 'first'), tradeOf('AAPL', 10, 1))
    await eventually(() => updates().at(-1)?.provider).toBe('alpha')
    say(statusOf('AAPL', 'trade', 'beta', 'silence'), tradeOf('AAPL', 11, 2, { provider: 'beta', confidence: 0.8 }))
    await eventually(() => updates().at(-1)).toMatchObject({ provider: 'beta', confidence: 0.8, price: 11 })
    say(statusOf('AAPL', 'trade', undefined, 'outage'))
    expect(await message('error')).toMatchObject({
      error_code: 'PROCESSING_ERROR',
      details: { symbol: 'AAPL', reason: 'trade by outage' }
    })
  })
})

describe('performance', () => {
  test('[S2-31] [S2-12] concurrent subscriptions: a hundred on each of ten connections all deliver', async () => {
    const { open, say } = await start()
    const clients = await Promise.all(Array.from({ length: 10 }, () => open('/ws/stream')))
    for (const { subscribe } of clients)
      for (let i = 0; i < 100; i++) subscribe(i % 2 ? 'price' : 'trades', ['AAPL'], { interval_ms: 100 })
    await Promise.all(clients.map(({ message }) => message('subscription_ack', 99)))
    say(tradeOf('AAPL', 1))
    for (const { of } of clients)
      await eventually(() => new Set(of('data').map(({ subscription_id }) => subscription_id)).size).toBe(100)
  })

  test('[S2-31] high-frequency updates: trades all arrive in order, prices no oftener than the interval', async () => {
    const { open, say } = await start()
    const { subscribe, message, updates } = await open('/ws/stream')
    subscribe('trades', ['AAPL'], { interval_ms: 100 })
    subscribe('price', ['AAPL'], { interval_ms: 100 })
    await message('subscription_ack', 1)
    const began = Date.now()
    let count = 0
    const timer = setInterval(() => {
      for (let i = 0; i < 50; i++) say(tradeOf('AAPL', ++count, count))
      if (count >= 2_000) clearInterval(timer)
    }, 5)
    undo.push(() => clearInterval(timer))
    await eventually(() => updates('trades').length).toBe(2_000)
    const prices = updates('price').length
    expect(updates('trades').map(({ price }) => price)).toEqual(Array.from({ length: 2_000 }, (_, i) => i + 1))
    expect(prices).toBeLessThanOrEqual((Date.now() - began) / 100 + 1)
    await eventually(() => updates('price').at(-1)?.price).toBe(2_000)
  })
})
