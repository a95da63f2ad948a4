/** DataStream, each line of S4's API, over the running server on the street and over the same plant embedded. */
import { INTERVALS } from '@tickwire/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { DataStream, Refused, type DataStreamOptions, type Failover, type StreamMessage } from '../src/index.ts'
import { openPlant, type Plant } from './plant.ts'
import { until as awaited } from './stand.ts'

// On a busy machine a market takes its time.
vi.setConfig({ testTimeout: 120_000 })
const until = (condition: () => boolean) => awaited(condition, String(condition), 60_000)

let plant: Plant
beforeAll(async () => {
  plant = await openPlant()
})
afterAll(() => plant.stop())

const open: DataStream[] = []
afterEach(async () => {
  for (const stream of open.splice(0)) await stream.disconnectStreams()
})

/** Connected, subscribed, normalised and given: the same of each provider. */
async function own(stream: DataStream, some: [provider: string, symbol: string][]): Promise<void> {
  const firsts = some.map(async ([provider, symbol]) => {
    for await (const message of stream.stream(symbol, { provider })) return message
    return undefined
  })
  for (const [i, message] of (await Promise.all(firsts)).entries()) {
    const [provider, symbol] = some[i]!
    expect(message).toMatchObject({ symbol, provider, event: { type: 'trade', provider, price: message!.price } })
    expect(message!.event.topic).toMatch(new RegExp(`^trade:.*@${provider}$`))
    expect([message!.price > 0, message!.volume > 0, message!.timestamp > 0]).toEqual([true, true, true])
  }
}

describe.each(['a server', 'embedded'] as const)('DataStream, %s', (which) => {
  const create = (options: DataStreamOptions = {}): DataStream => {
    const stream = new DataStream({ ...(which === 'embedded' ? { embed: plant.embed } : { url: plant.url }), ...options })
    open.push(stream)
    return stream
  }
  const first = async (messages: AsyncIterable<StreamMessage>, count = 1): Promise<StreamMessage[]> => {
    const all: StreamMessage[] = []
    for await (const message of messages) if (all.push(message) === count) break
    return all
  }

  test('[S4-01] [S4-05] [S4-16] a loop over a symbol gives prices with their volume, time and source', async () => {
    const stream = create()
    for (const message of await first(stream.stream('BTCUSDT'), 3)) {
      expect(message).toMatchObject({ symbol: 'BTCUSDT', instrument: 'BTC-USDT', provider: expect.any(String) as string })
      expect(message.price).toBeGreaterThan(0)
      expect(message.volume).toBeGreaterThan(0)
      expect(Math.abs(message.timestamp - Date.now())).toBeLessThan(60_000)
      expect(message.event).toMatchObject({ type: 'trade', price: message.price, size: message.volume })
    }
    expect(stream.state()).toMatchObject({ phase: 'open', via: which === 'embedded' ? 'memory' : 'websocket' })
  })

  test('[S4-01] [S4-05] [S4-17] kline gives candles of the interval: open, high, low, close', async () => {
    const [candle] = await first(create().stream('ETHUSDT', { type: 'kline', interval: '1m' }))
    expect(candle).toMatchObject({ symbol: 'ETHUSDT', interval: '1m' })
    const { open: from, high, low, close, price, timestamp } = candle!
    expect(close).toBe(price)
    expect(high).toBeGreaterThanOrEqual(Math.max(from!, close!))
    expect(low).toBeLessThanOrEqual(Math.min(from!, close!))
    expect(timestamp % 60_000).toBe(0)
  })

  test('[S4-08] each of the twelve intervals is served', async () => {
    const stream = create()
    const candles = await Promise.all(INTERVALS.map((interval) => first(stream.stream('BTCUSDT', { type: 'kline', interval }))))
    expect(candles.map(([candle]) => candle?.interval)).toEqual([...INTERVALS])
  })

  test('[S4-01] [S4-28] quotes, books and the figures of the day have a price too', async () => {
    const stream = create()
    const [[quote], [book], [stats]] = await Promise.all([
      first(stream.stream('BTCUSDT', { type: 'quote' })),
      first(stream.stream('BTCUSDT', { type: 'book' })),
      first(stream.stream('AAPL', { type: 'stats' }))
    ])
    expect(quote!.price).toBeCloseTo((quote!.bid! + quote!.ask!) / 2)
    expect(book!.event).toMatchObject({ type: 'book' })
    expect(book!.price).toBeCloseTo((book!.bid! + book!.ask!) / 2)
    expect(stats!.event).toMatchObject({ type: 'ticker', last: stats!.price })
  })

  test('[S4-01] [S4-15] a provider is chosen by arbitration, or by name', async () => {
    const stream = create()
    const [led] = await first(stream.stream('BTCUSDT'))
    expect(led!.event.topic).toBe('trade:BTC-USDT')
    const [own] = await first(stream.stream('BTCUSDT', { provider: 'kraken' }))
    expect(own).toMatchObject({ provider: 'kraken', event: { topic: 'trade:BTC-USDT@kraken' } })
  })

  test('[S4-07] [S4-08] [S4-09] [S4-11] [S4-12] each provider, by its name, streams its own prices in the one shape', async () => {
    await own(create(), [
      ['binance', 'BTCUSDT'],
      ['coinbase', 'BTC-USD'],
      ['kraken', 'ETHUSDT'],
      ['alpaca', 'AAPL']
    ])
  })

  test('[S4-02] [S4-18] a callback gets prices until its handle is closed', async () => {
    const prices: StreamMessage[] = []
    const stream = create()
    const handle = stream.subscribe('BTCUSDT', (message) => prices.push(message), { type: 'quote' })
    expect(await handle.ready).toMatchObject([{ ok: true, topic: 'quote:BTC-USDT' }])
    await until(() => prices.length > 3)
    handle.close()
    const count = prices.length
    expect(await handle.ended).toBe('The subscription was closed.')
    await first(stream.stream('BTCUSDT', { type: 'quote' }), 5)
    expect(prices).toHaveLength(count)
  })

  test('[S4-02] a signal and the end of a block close it too', async () => {
    const stream = create()
    const controller = new AbortController()
    const byName = stream.subscribe('BTCUSDT', () => {}, { signal: controller.signal })
    controller.abort()
    expect(await byName.ended).toBe('Its signal was aborted.')
    let ended: Promise<string>
    {
      using handle = stream.subscribe('BTCUSDT', () => {})
      ended = handle.ended
    }
    expect(await ended).toBe('The subscription was closed.')
  })

  test('[S4-03] [S4-15] [S4-19] many symbols, crypto and equities in one call: once per event, by the names that were given', async () => {
    const symbols = ['BTCUSDT', 'ETH-USDT', 'AAPL', 'GOOGL', 'BTC-USDT']
    const seen: StreamMessage[] = []
    // Of quotes there are many a second.
    const handle = create().streamMany(symbols, (message) => seen.push(message), { type: 'quote' })
    expect((await handle.ready).map(({ ok }) => ok)).toEqual([true, true, true, true, true])
    await until(() => new Set(seen.map(({ symbol }) => symbol)).size === 4 && seen.length > 50)
    expect([...new Set(seen.map(({ symbol }) => symbol))].sort()).toEqual(['AAPL', 'BTCUSDT', 'ETH-USDT', 'GOOGL'])
    const places = seen.map(({ event }) => `${event.topic} ${event.seq}`)
    expect(new Set(places).size).toBe(places.length)
  })

  test('[S4-04] disconnectStreams ends every loop and subscription, and what comes after it connects anew', async () => {
    const stream = create()
    const handle = stream.subscribe('BTCUSDT', () => {})
    const loop = first(stream.stream('ETHUSDT'), Infinity)
    await handle.ready
    await stream.disconnectStreams()
    expect(await handle.ended).toMatch(/closed by this program/i)
    await loop
    expect(stream.state()).toBeUndefined()
    expect(await first(stream.stream('BTCUSDT'))).toHaveLength(1)
  })

  test('[S4-23] from the venue to the callback it takes less than half a second', async () => {
    const delays: number[] = []
    let begun = Infinity
    const late = ({ timestamp }: StreamMessage): void => {
      // What happened before is as old as it is.
      if (timestamp >= begun) delays.push(Date.now() - timestamp)
    }
    const handle = create().streamMany(['BTCUSDT', 'ETHUSDT', 'AAPL'], late, { type: 'quote' })
    await handle.ready
    begun = Date.now()
    const middle = () => delays.slice(-51).sort((a, b) => a - b)[25] ?? Infinity
    // On a machine that was busy at first the last are looked at: what always takes longer does so to the end.
    await until(() => delays.length > 50 && middle() < 500)
  })

  test('[S4-24] a hundred streams and more are one connection', async () => {
    const stream = create()
    const types = [{}, { type: 'quote' }, { type: 'stats' }, { type: 'kline' }, { type: 'kline', interval: '5m' }] as const
    const ready = plant.street.watch.flatMap((symbol) =>
      types.map((options) => stream.subscribe(symbol, () => {}, options).ready)
    )
    expect(ready.length).toBeGreaterThanOrEqual(100)
    const results = (await Promise.all(ready)).flat()
    expect(results.filter(({ ok }) => !ok)).toEqual([])
    expect(await plant.connections()).toBe(1)
  })

  test('[S4-27] [S4-31] what is refused is told to its reader, and as an error with its code and the nearest names', async () => {
    const stream = create()
    const errors: unknown[] = []
    stream.on('error', (error) => errors.push(error))
    const refused = await first(stream.stream('BTCUSDX')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Refused)
    const { message, nearest } = refused as Refused
    // Each once.
    for (const name of nearest) expect(message.split(/[^\w:-]+/).filter((word) => word === name)).toHaveLength(1)
    expect(nearest).toContain('BTC-USDT')
    const [result] = await stream.subscribe('AAPLE', () => {}).ready
    expect(result).toMatchObject({ ok: false, code: 'BAD_SYMBOL', nearest: expect.arrayContaining(['AAPL']) as string[] })
    expect(errors).toMatchObject([{ code: 'BAD_SYMBOL' }, { code: 'BAD_SYMBOL' }])
  })

  test('[S4-27] a callback that throws or whose promise fails is told as an error, and stops nobody', async () => {
    const stream = create()
    const causes: unknown[] = []
    stream.on('error', ({ code, cause }) => code === 'CALLBACK' && causes.push(String(cause)))
    stream.subscribe('BTCUSDT', () => {
      throw new Error('mine')
    })
    stream.subscribe('BTCUSDT', () => Promise.reject(new Error('late')))
    expect(await first(stream.stream('BTCUSDT'), 3)).toHaveLength(3)
    await until(() => causes.includes('Error: mine') && causes.includes('Error: late'))
  })

  test('[S4-25] [S4-31] a loop that is slow holds no more than its limit; what it lost is counted', async () => {
    const stream = create()
    const lost: number[] = []
    stream.on('lost', ({ where, count }) => where === 'iterator' && lost.push(count))
    const slow = stream.stream('BTCUSDT', { limit: 2 })[Symbol.asyncIterator]()
    const start = await slow.next()
    let seen = 0
    stream.subscribe('BTCUSDT', () => seen++)
    await until(() => seen > 6)
    const seqs: number[] = []
    for (let i = 0; i < 2; i++) seqs.push((await slow.next()).value!.event.seq)
    expect(seqs[0]! - (start.value as StreamMessage).event.seq).toBe(1 + lost.reduce((sum, count) => sum + count, 0))
    await slow.return?.()
  })

  test('[S4-27] [S4-31] when a provider falls, the streams go on and say who leads from here on, and why', async () => {
    const stream = create()
    const failovers: Failover[] = []
    stream.on('failover', (report) => report.kind === 'trade' && failovers.push(report))
    let leads: string | undefined
    stream.on('status', (status) => status.kind === 'trade' && (leads = status.leader))
    let last: StreamMessage | undefined
    stream.subscribe('BTCUSDT', (each) => (last = each))
    await until(() => last !== undefined && leads !== undefined)
    const fallen = new Set<string>()
    try {
      // A plant that has just started may come to its first choice meanwhile, which replaces nobody: then that one falls next.
      while (failovers.length === 0) {
        const leader = leads!
        fallen.add(leader)
        await plant.street.kill(leader)
        await until(() => leads !== undefined && leads !== leader)
      }
      const [{ previous, reason }] = failovers as [Failover]
      expect(fallen).toContain(previous)
      expect(reason).not.toBe('')
      await until(() => !fallen.has(last!.provider))
    } finally {
      for (const each of fallen) await plant.street.revive(each)
    }
  })
})

describe('the constructor', () => {
  test('[S4-06] keys of providers go to the embedded plant, in either spelling', async () => {
    const given: unknown[] = []
    const embed: NonNullable<DataStreamOptions['embed']> = (options) => {
      given.push(options)
      return plant.embed(options)
    }
    const ports = () => process.getActiveResourcesInfo().filter((resource) => resource.startsWith('TCPServer')).length
    const before = ports()
    const stream = new DataStream({ embed, binanceKey: 'b', alpaca_key: 'k', alpacaSecret: 's' })
    for await (const _ of stream.stream('BTCUSDT')) break
    // An embedded plant listens nowhere.
    expect(ports()).toBe(before)
    await stream.disconnectStreams()
    expect(given).toEqual([{ keys: { binance: { key: 'b' }, alpaca: { key: 'k', secret: 's' } } }])
    expect(plant.embedded()).toBe(0)
  })

  test('[S4-06] a key without a plant to use it is refused, and so are an unknown type, interval or symbol', () => {
    expect(() => new DataStream({ url: plant.url, finnhubKey: 'x' })).toThrow(/keys go with embed/)
    expect(() => new DataStream({ url: plant.url, embed: plant.embed })).toThrow(/one of them/)
    expect(() => new DataStream({ embed: plant.embed, alpacaSecret: 'x' })).toThrow(/alpaca: a secret without its key/)
    const stream = new DataStream({ url: plant.url })
    expect(() => stream.stream('BTCUSDT', { type: 'tick' as 'ticker' })).toThrow(/there are ticker, kline/)
    expect(() => stream.stream('BTCUSDT', { type: 'kline', interval: '7m' as '1m' })).toThrow(/there are 1m, 3m/)
    expect(() => stream.stream('BTCUSDT', { interval: '1m' })).toThrow(/goes with type 'kline'/)
    expect(() => stream.subscribe('', () => {})).toThrow(/names none/)
    expect(() => stream.streamMany([], () => {})).toThrow(/^symbols: \[\] names none.*'BTCUSDT'/)
    expect(() => stream.streamMany('BTCUSDT' as unknown as string[], () => {})).toThrow(/^symbols: "BTCUSDT" names none/)
    expect(() => stream.subscribe('BTCUSDT', undefined as unknown as () => void)).toThrow(/^callback: it takes a function/)
    expect(stream.state()).toBeUndefined()
  })
})

test('[S4-27] [S4-31] where nobody answers, the handle and its results say so, and not that somebody closed it', async () => {
  const stream = new DataStream({ url: 'http://127.0.0.1:1', attempts: 2, backoff: { min: 10, max: 20 } })
  const { ready, ended } = stream.subscribe('BTCUSDT', () => {})
  const reason = await ended
  expect(reason).toMatch(/Given up after 2 attempts\.$/)
  expect(await ready).toMatchObject([{ ok: false, code: 'UNAVAILABLE', message: reason }])
  const late = stream.subscribe('ETHUSDT', () => {})
  expect([await late.ended, await late.ready]).toMatchObject([reason, [{ ok: false, message: reason }]])
})

test('[S4-07] [S4-10] [S4-13] Finnhub and Polygon stream with a key', async () => {
  const shares = await openPlant(['finnhub', 'massive'])
  const stream = new DataStream({ embed: shares.embed, finnhubKey: 'f', massiveKey: 'm' })
  try {
    await own(stream, [
      ['finnhub', 'AAPL'],
      ['massive', 'AAPL']
    ])
  } finally {
    await stream.disconnectStreams()
    await shares.stop()
  }
})
