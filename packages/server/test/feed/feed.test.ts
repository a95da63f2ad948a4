import { parseTopic, type MarketEvent, type Topic } from '@tickwire/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { createFeed, type FeedOptions } from '../../src/feed/feed.ts'
import { createInstruments } from '../../src/feed/instruments.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { json, listing, openVenue, quietLog, until, venueAdapter, type Venue } from './venue.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const venue = async (answers: Parameters<typeof openVenue>[0] = {}) => {
  const opened = await openVenue({ '/listing': listing, ...answers })
  closing.push(() => opened.close())
  return opened
}

function open(venues: Record<string, Pick<Venue, 'wsUrl' | 'restUrl'>>, change: Partial<FeedOptions> = {}) {
  const plant = createPlant({ epoch: 'test' })
  const instruments = createInstruments()
  const feed = createFeed({
    providers: Object.entries(venues).map(([name, { wsUrl, restUrl }]) => ({
      adapter: venueAdapter(name),
      wsUrl,
      restUrl,
      readAccess: () => ({})
    })),
    plant,
    instruments,
    clock: Date.now,
    random: Math.random,
    log: quietLog,
    simulated: true,
    settings: { grace: 50, backoff: { base: 20, cap: 100 } },
    ...change
  })
  closing.push(() => feed.stop())
  const heard: Record<string, MarketEvent[]> = {}
  const listen = (...names: string[]) => {
    for (const name of names) plant.subscribe(name, (event) => (heard[name] ??= []).push(event))
  }
  return { feed, plant, instruments, heard, listen }
}

const topic = (text: string): Topic => parseTopic(text) as Topic
const trade = (id: string, price = 100, symbol = 'BTC/USD') => ({
  type: 'trade',
  symbol,
  id,
  price,
  size: 1,
  side: 'buy',
  time: Date.now()
})

const candle = (start: number, close: number) => {
  const shape = { type: 'candle', symbol: 'BTC/USD', interval: '1m', closed: true, revision: 0, volume: 1 }
  return { ...shape, start, time: start, open: 1, high: 9, low: 1, close }
}

describe('the feed, end to end on loopback', () => {
  test('a trade that a provider sends arrives on the arbitrated topic and on the provider’s own', async () => {
    const a = await venue()
    const { feed, heard, listen } = open({ a })
    await feed.start()
    listen('trade:BTC-USD', 'trade:BTC-USD@a', 'status:BTC-USD:trade')
    expect(feed.want(topic('trade:BTC-USD')).upstream).toBe('pending')
    await until(() => a.asked.length > 0)
    expect(JSON.parse(a.asked[0]!)).toEqual({ subscribe: ['trade:BTC/USD'] })
    a.say(trade('1'))
    await until(() => heard['trade:BTC-USD']?.length === 1)
    expect(heard['trade:BTC-USD']![0]).toMatchObject({ provider: 'a', instrument: 'BTC-USD', price: 100, id: '1' })
    expect(heard['trade:BTC-USD']![0]).not.toHaveProperty('symbol')
    expect(heard['trade:BTC-USD@a']![0]).toMatchObject({ topic: 'trade:BTC-USD@a', id: '1' })
    expect(heard['status:BTC-USD:trade']![0]).toMatchObject({ cause: 'first', leader: 'a', kind: 'trade' })
    expect(feed.want(topic('trade:BTC-USD')).upstream).toBe('live')
    expect(feed.ready()).toBe(true)
  })

  test('when the leader’s connection drops the standby leads at once and the trades it heard since are filled in [S2-14]', async () => {
    const a = await venue()
    const b = await venue()
    const { feed, heard, listen } = open({ a, b })
    await feed.start()
    listen('trade:BTC-USD', 'status:BTC-USD:trade', 'gap:BTC-USD')
    feed.want(topic('trade:BTC-USD'))
    await until(() => a.asked.length > 0 && b.asked.length > 0)
    a.say(trade('a1', 100))
    await until(() => heard['trade:BTC-USD']?.length === 1)
    b.say(trade('b1', 101))
    await until(() => feed.providers().every((p) => p.events === 1))
    a.drop()
    await until(() => heard['trade:BTC-USD']?.length === 2)
    expect(heard['trade:BTC-USD']![1]).toMatchObject({ provider: 'b', id: 'b1', backfill: true })
    expect(heard['status:BTC-USD:trade']!.at(-1)).toMatchObject({ cause: 'closed', leader: 'b', previous: 'a' })
    expect(heard['gap:BTC-USD']![0]).toMatchObject({ provider: 'a', cause: 'disconnect', action: 'failover' })
    await until(() => a.accepted() === 2 && a.asked.length === 2)
    expect(feed.providers()[0]).toMatchObject({
      provider: 'a',
      reconnects: 1,
      lastFailover: { instrument: 'BTC-USD', kind: 'trade' }
    })
  })

  test('the last leaver ends the upstream subscription, after the grace time', async () => {
    const a = await venue()
    const { feed } = open({ a })
    await feed.start()
    const one = feed.want(topic('trade:BTC-USD'))
    const two = feed.want(topic('trade:BTC-USD'))
    feed.want(topic('trade:ETH-USD'))
    await until(() => a.asked.length === 1)
    expect(JSON.parse(a.asked[0]!)).toEqual({ subscribe: ['trade:BTC/USD', 'trade:ETH/USD'] })
    one.release()
    one.release()
    two.release()
    await until(() => a.asked.length === 2)
    expect(JSON.parse(a.asked[1]!)).toEqual({ unsubscribe: ['trade:BTC/USD'] })
  })

  test('a provider that is down at the start is listed, connected and subscribed as soon as it is up', async () => {
    const a = await venue()
    let up = false
    const late = await venue({
      '/listing': (request, response) => (up ? listing(request, response) : void response.writeHead(404).end())
    })
    const { feed, heard, listen, instruments } = open({ a, late })
    await feed.start()
    expect(instruments.symbolOf('late', 'BTC-USD')).toBeUndefined()
    listen('quote:BTC-USD@late')
    feed.want(topic('quote:BTC-USD'))
    up = true
    await until(() => late.asked.length > 0)
    late.say({ type: 'quote', symbol: 'BTC/USD', bid: 1, bidSize: 1, ask: 2, askSize: 1, time: Date.now() })
    await until(() => heard['quote:BTC-USD@late']?.length === 1)
  })

  test('book deltas become whole books, and a wrong checksum asks for that book alone again', async () => {
    const a = await venue()
    const { feed, heard, listen } = open({ a })
    await feed.start()
    listen('book:BTC-USD', 'gap:BTC-USD')
    feed.want(topic('book:BTC-USD'))
    feed.want(topic('trade:BTC-USD'))
    await until(() => a.asked.length === 1)
    const delta = { type: 'delta', symbol: 'BTC/USD', time: Date.now(), bids: [[99, 1]], asks: [[101, 2]] }
    a.say({ ...delta, snapshot: true })
    a.say({ ...delta, snapshot: false, bids: [[100, 3]], asks: [] })
    await until(() => heard['book:BTC-USD']?.length === 2)
    expect(heard['book:BTC-USD']![1]).toMatchObject({ bids: [[100, 3], [99, 1]], asks: [[101, 2]] }) // prettier-ignore
    a.say({ ...delta, snapshot: false, checksum: { value: 1, priceDecimals: 1, sizeDecimals: 1 } })
    await until(() => a.asked.length === 3)
    expect(a.asked.slice(1).map((f) => JSON.parse(f))).toEqual([
      { unsubscribe: ['book:BTC/USD'] },
      { subscribe: ['book:BTC/USD'] }
    ])
    expect(heard['gap:BTC-USD']![0]).toMatchObject({ kind: 'book', cause: 'checksum', action: 'resync' })
    expect(a.accepted()).toBe(1)
  })

  test('hostile frames are counted by reason and harm nobody', async () => {
    const a = await venue()
    const { feed, heard, listen } = open({ a })
    await feed.start()
    listen('trade:BTC-USD')
    feed.want(topic('trade:BTC-USD'))
    await until(() => a.asked.length > 0)
    a.raw('{')
    a.say({ throw: 1 })
    a.say({ ...trade('1'), price: -1 }, { ...trade('2'), price: null }, trade('3', 1, 'NO/PE'), {
      type: 'refused',
      reason: 'odd'
    })
    a.say(trade('4'))
    await until(() => heard['trade:BTC-USD']?.length === 1)
    expect(feed.providers()[0]!.refused).toEqual({ undecodable: 2, 'impossible price': 2, 'unknown symbol': 1, odd: 1 })
  })

  test('past candles come from the next provider when the first fails, oldest first and one per start', async () => {
    const a = await venue({ '/candles': (_, response) => void response.writeHead(400).end('no') })
    const b = await venue({
      '/candles': json([candle(120_000, 3), candle(60_000, 2), candle(0, 1), candle(60_000, 2.5), candle(5, -1)])
    })
    const { feed } = open({ a, b })
    await feed.start()
    const { candles } = await feed.history('BTC-USD', '1m', 2)
    expect(candles.map((c) => [c.provider, c.instrument, c.start, c.close])).toEqual([
      ['b', 'BTC-USD', 60_000, 2.5],
      ['b', 'BTC-USD', 120_000, 3]
    ])
    expect(a.requests).toContain('/candles?symbol=BTC/USD&interval=1m&limit=2')
    expect(await feed.history('XYZ-USD', '1m', 2)).toEqual({ candles: [] })
  })

  test('a reader or a listing that throws costs itself alone: the stream goes on, the log has it once', async () => {
    const a = await venue()
    const odd = await venue({ '/listing': json([{ type: 'listing', rows: [null, { symbol: 7 }] }]) })
    const errors: unknown[] = []
    const rejections: unknown[] = []
    const note = (reason: unknown) => void rejections.push(reason)
    process.on('unhandledRejection', note)
    closing.push(async () => void process.off('unhandledRejection', note))
    const { feed, plant, heard, listen } = open({ a, odd }, { log: { ...quietLog, error: (fields) => errors.push(fields) } })
    await feed.start()
    plant.subscribe('trade:BTC-USD@a', () => {
      throw new Error('of the reader')
    })
    listen('trade:ETH-USD')
    feed.want(topic('trade:BTC-USD'))
    feed.want(topic('trade:ETH-USD'))
    await until(() => a.asked.length > 0)
    a.say(trade('1'))
    a.say(trade('2'))
    a.say(trade('3', 1, 'ETH/USD'))
    await until(() => heard['trade:ETH-USD']?.length === 1)
    expect(errors).toMatchObject([{ provider: 'a' }])
    expect(feed.providers()[0]!.refused).toEqual({ defect: 2 })
    expect(rejections).toEqual([])
  })

  test('the log tells each phase once and what befell many streams at once in one line; single decisions are for debug', async () => {
    const a = await venue()
    const b = await venue()
    const lines: { message: string; [field: string]: unknown }[] = []
    const write = (fields: object, message: string) => void lines.push({ ...fields, message })
    const { feed } = open({ a, b }, { log: { debug: () => undefined, info: write, warn: write, error: write } })
    await feed.start()
    for (const kind of ['trade', 'quote', 'ticker']) feed.want(topic(`${kind}:BTC-USD`))
    feed.want(topic('trade:ETH-USD'))
    await until(() => a.asked.length > 0 && b.asked.length > 0)
    const now = Date.now()
    const quote = { type: 'quote', symbol: 'BTC/USD', bid: 1, bidSize: 1, ask: 2, askSize: 1, time: now }
    for (const v of [a, b])
      v.say(trade('1'), trade('1', 1, 'ETH/USD'), quote, { type: 'ticker', symbol: 'BTC/USD', last: 1, time: now })
    await until(() => feed.providers().every((p) => p.events === 4))
    await a.close()
    await until(() => lines.some((l) => l.message === 'lead changed'))
    expect(lines.filter((l) => l.message === 'listing loaded').length).toBe(2)
    expect(lines.filter((l) => l.message === 'lead changed')).toMatchObject([
      {
        from: 'a',
        to: ['b'],
        streams: 4,
        cause: 'closed',
        reason: expect.stringMatching(/^b leads .*: a disconnected/) as string
      }
    ])
    // By now it was dialled many times in vain.
    expect(lines.filter((l) => l.message === 'provider phase').map((l) => `${l.provider as string} ${l.phase as string}`)).toEqual([
      'a live', 'b live', 'a waiting'
    ]) // prettier-ignore
  })

  test('a listing that refuses the credentials is tried three times, then every five minutes, and the status says why', async () => {
    let asked = 0
    const a = await venue({ '/listing': (_, response) => (asked++, void response.writeHead(403).end('no')) })
    let skip = 0
    const { feed, heard, listen } = open({ a }, { clock: () => Date.now() + skip, random: () => 0 })
    listen('provider:a')
    await feed.start()
    for (const times of [1, 2, 3]) {
      await until(() => asked === times)
      skip += 60_000
    }
    await until(() => feed.providers()[0]!.reason.includes('HTTP 403'))
    const told = heard['provider:a']!.length
    skip += 60_000
    // Each tick that tells the status also asks for what is due.
    await until(() => heard['provider:a']!.length > told)
    expect(asked).toBe(3)
    skip += 300_000
    await until(() => asked === 4)
  })

  test('listings are asked for again now and then: new instruments appear, vanished ones are not trading', async () => {
    let rows = [{ symbol: 'BTC/USD', base: 'BTC', quote: 'USD', trading: true }]
    const a = await venue({ '/listing': (request, response) => json([{ type: 'listing', rows }])(request, response) })
    const { feed, instruments } = open({ a }, { settings: { listingEvery: 20 } })
    await feed.start()
    feed.want(topic('trade:NEW-USD'))
    rows = [{ symbol: 'NEW/USD', base: 'NEW', quote: 'USD', trading: true }]
    await until(() => a.asked.length > 0)
    expect(JSON.parse(a.asked[0]!)).toEqual({ subscribe: ['trade:NEW/USD'] })
    expect(instruments.info('BTC-USD')!.providers).toMatchObject([{ trading: false }])
  })

  test('a provider that is given up says so', async () => {
    const a = await venue()
    const { feed } = open({ a }, { settings: { backoff: { base: 5, cap: 5 }, reconnectAttempts: 2 } })
    await feed.start()
    feed.want(topic('trade:BTC-USD'))
    await until(() => a.asked.length > 0)
    await a.close()
    await until(() => feed.providers()[0]!.phase === 'stopped')
    expect(feed.providers()[0]!.reason).toMatch(/^given up after 2 failed attempts in a row: .*ECONNREFUSED/)
  })

  test('each provider tells its state on its topic, with each change of phase', async () => {
    const a = await venue()
    const { feed, heard, listen } = open({ a })
    listen('provider:a')
    await feed.start()
    feed.want(topic('ticker:ETH-USD'))
    const phases = () => heard['provider:a']!.map((e) => e.type === 'provider' && e.phase)
    await until(() => phases().includes('live'))
    expect(phases().filter((phase, i, all) => phase !== all[i - 1])).toEqual(['idle', 'connecting', 'live'])
    expect(heard['provider:a']!.at(-1)).toMatchObject({
      simulated: true,
      subscriptions: 1,
      reason: expect.stringMatching(/^connected/)
    })
  })
})
