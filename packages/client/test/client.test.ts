/** The SDK against a real gateway over real sockets. */
import { createHash } from 'node:crypto'
import type { Published } from '@tickwire/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Refused, type ClientEvents } from '../src/index.ts'
import { createStand, until, type Stand } from './stand.ts'

let stand: Stand
beforeEach(async () => {
  stand = await createStand()
})
afterEach(() => stand.close())

const sha = (text: string) => createHash('sha256').update(text).digest('hex')
const seqs = (events: readonly Published[]) => events.map((event) => event.seq)

describe('subscribe', () => {
  test('[S4-02] a callback gets the last value, then every event, until the handle is closed', async () => {
    stand.trade(100)
    const got: Published[] = []
    const client = stand.connect()
    const subscription = client.subscribe('trade:BTC-USDT', (event) => got.push(event))
    expect(await subscription.ready).toMatchObject([
      { ok: true, topic: 'trade:BTC-USDT', position: { epoch: 'epoch-1', seq: 1 } }
    ])
    stand.trade(101)
    await until(() => got.length === 2)
    expect(got[1]).toMatchObject({ type: 'trade', price: 101, seq: 2, provider: 'kraken' })
    subscription.close()
    await until(() => stand.demanded.length === 0, 'the topic to be released upstream')
    stand.trade(102)
    expect(seqs(got)).toEqual([1, 2])
  })

  test('[S4-03] one callback may read many topics, each in order', async () => {
    const got: Published[] = []
    const subscription = stand.connect().subscribe(['trade:BTC-USDT', 'trade:ETH-USDT', 'trade:AAPL'], (event) => got.push(event))
    await subscription.ready
    for (let i = 0; i < 5; i++) for (const instrument of ['BTC-USDT', 'ETH-USDT', 'AAPL']) stand.trade(i, instrument)
    await until(() => got.length === 15)
    for (const topic of ['trade:BTC-USDT', 'trade:ETH-USDT', 'trade:AAPL'])
      expect(seqs(got.filter((event) => event.topic === topic))).toEqual([1, 2, 3, 4, 5])
  })

  test('a topic is asked for once however many read it, late ones get its last value, and the last to leave ends it', async () => {
    const client = stand.connect()
    const first: Published[] = []
    const second: Published[] = []
    const one = client.subscribe('trade:BTC-USDT', (event) => first.push(event))
    await one.ready
    stand.trade(1)
    stand.trade(2)
    await until(() => first.length === 2)
    const two = client.subscribe('trade:btcusdt', (event) => second.push(event))
    await two.ready
    await until(() => second.length === 1)
    expect(seqs(second)).toEqual([2])
    expect(stand.demanded).toEqual(['trade:BTC-USDT'])
    one.close()
    stand.trade(3)
    await until(() => second.length === 2)
    expect(seqs(first)).toEqual([1, 2])
    two.close()
    await until(() => stand.demanded.length === 0)
  })

  test('an unknown instrument is refused alone, with the nearest names', async () => {
    const client = stand.connect()
    const errors: ClientEvents['error'][] = []
    client.on('error', (error) => errors.push(error))
    const [good, bad] = await client.subscribe(['trade:BTC-USDT', 'trade:NOPE'], () => {}).ready
    expect(good).toMatchObject({ ok: true })
    expect(bad).toMatchObject({ asked: 'trade:NOPE', ok: false, code: 'BAD_SYMBOL', nearest: ['BTC-USDT'] })
    expect(errors).toMatchObject([{ code: 'BAD_SYMBOL', topic: 'trade:NOPE', retry: false }])
  })

  test.each([undefined, { delivery: 'latest' }] as const)(
    'a wrong contract is refused to who asked for it, once, whatever the others have (%o), and disturbs none of them',
    async (contract) => {
      const client = stand.connect()
      const errors: ClientEvents['error'][] = []
      client.on('error', (error) => errors.push(error))
      await client.subscribe('quote:BTC-USDT', () => {}, contract ? { contract } : {}).ready
      const wrong = { contract: { delivery: 'sampled', interval: -4 } } as const
      const bad = client.subscribe('quote:BTC-USDT', () => {}, wrong)
      const message = 'contract.interval: must be 100 to 60000 ms'
      expect(await bad.ready).toEqual([{ asked: 'quote:BTC-USDT', ok: false, code: 'BAD_MESSAGE', message }])
      bad.close()
      await expect(client.events('quote:BTC-USDT', wrong)[Symbol.asyncIterator]().next()).rejects.toThrow(message)
      expect(await client.subscribe('quote:BTC-USDT', () => {}).ready).toMatchObject([{ ok: true }])
      const once = { code: 'BAD_MESSAGE', message: `quote:BTC-USDT: ${message}`, retry: false, topic: 'quote:BTC-USDT' }
      expect(errors).toEqual([once, once])
    }
  )

  test('[S4-27] a callback that throws, or whose promise fails, is reported and stops nobody', async () => {
    const client = stand.connect()
    const errors: ClientEvents['error'][] = []
    const got: Published[] = []
    client.on('error', (error) => errors.push(error))
    const bad = client.subscribe('trade:BTC-USDT', () => {
      throw new Error('mine')
    })
    const worse = client.subscribe('trade:BTC-USDT', () => Promise.reject(new Error('later')))
    const good = client.subscribe('trade:BTC-USDT', (event) => got.push(event))
    await Promise.all([bad.ready, worse.ready, good.ready])
    stand.trade(1)
    await until(() => errors.length === 2 && got.length === 1)
    expect(errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'CALLBACK: a callback of trade:BTC-USDT threw: Error: mine',
      'CALLBACK: a callback of trade:BTC-USDT threw: Error: later'
    ])
  })

  test('a signal closes the subscription', async () => {
    const abort = new AbortController()
    const subscription = stand.connect().subscribe('trade:BTC-USDT', () => {}, { signal: abort.signal })
    await subscription.ready
    abort.abort()
    await until(() => stand.demanded.length === 0)
  })

  test('what nobody listens to as an error is printed, and never thrown', async () => {
    const print = vi.spyOn(console, 'error').mockReturnValue()
    await stand.connect().subscribe('trade:NOPE', () => {}).ready
    expect(print.mock.calls[0]?.[0]).toContain('trade:NOPE: no provider lists "NOPE"')
    print.mockRestore()
  })
})

describe('for await', () => {
  test('[S4-01] a loop reads the stream, and break ends its subscription', async () => {
    const client = stand.connect()
    const got: number[] = []
    stand.trade(1)
    for await (const event of client.events('trade:BTC-USDT')) {
      got.push(event.seq)
      if (got.length === 4) break
      stand.trade(got.length)
    }
    expect(got).toEqual([1, 2, 3, 4])
    await until(() => stand.demanded.length === 0)
  })

  test('an error inside the loop ends its subscription', async () => {
    stand.trade(1)
    const run = async () => {
      for await (const _ of stand.connect().events('trade:BTC-USDT')) throw new Error('mine')
    }
    await expect(run()).rejects.toThrow('mine')
    await until(() => stand.demanded.length === 0)
  })

  test('a loop over nothing but refused topics fails with the reason and the nearest names', async () => {
    const client = stand.connect()
    client.on('error', () => {})
    const run = async () => {
      for await (const _ of client.events('trade:NOPE')) throw new Error('not reached')
    }
    const failure = await run().then(
      () => undefined,
      (error: unknown) => error
    )
    expect(failure).toBeInstanceOf(Refused)
    expect(failure).toMatchObject({ code: 'BAD_SYMBOL', nearest: ['BTC-USDT'] })
  })

  test('a slow loop gets the newest quote, the newest trades, and a count of the trades it lost', async () => {
    const client = stand.connect()
    const lost: ClientEvents['lost'][] = []
    let arrived = 0
    client.on('lost', (report) => lost.push(report))
    const counter = client.subscribe(['trade:BTC-USDT', 'quote:BTC-USDT'], () => arrived++)
    const loop = client.events(['trade:BTC-USDT', 'quote:BTC-USDT'], { limit: 5 })[Symbol.asyncIterator]()
    const first = loop.next()
    await counter.ready
    for (let i = 1; i <= 21; i++) stand.trade(i)
    for (let i = 1; i <= 50; i++) stand.quote(i)
    await first
    await until(() => arrived === 71)
    const rest = [
      await loop.next(),
      await loop.next(),
      await loop.next(),
      await loop.next(),
      await loop.next(),
      await loop.next()
    ]
    await loop.return?.()
    expect(rest.map(({ value }) => `${value.type} ${value.seq}`)).toEqual([
      'trade 17',
      'trade 18',
      'trade 19',
      'trade 20',
      'trade 21',
      'quote 50'
    ])
    expect(lost).toEqual([{ topic: 'trade:BTC-USDT', count: 15, from: 2, to: 16, where: 'iterator' }])
  })

  test('a signal and a closed client end the loop quietly', async () => {
    const client = stand.connect()
    const abort = new AbortController()
    const run = async (signal?: AbortSignal) => {
      for await (const _ of client.events('trade:BTC-USDT', signal ? { signal } : {}));
      return 'over'
    }
    const loops = [run(abort.signal), run()]
    await until(() => stand.demanded.length === 1)
    abort.abort()
    expect(await loops[0]).toBe('over')
    client.close()
    expect(await loops[1]).toBe('over')
    expect(await run()).toBe('over')
  })
})

describe('the client', () => {
  test('[S4-04] closing it ends the connection, every loop and every unanswered subscription, and rejects nothing', async () => {
    const client = stand.connect()
    const pending = client.subscribe('trade:BTC-USDT', () => {})
    client.close()
    expect(await pending.ready).toMatchObject([{ ok: false, code: 'UNAVAILABLE' }])
    expect(client.state()).toMatchObject({ phase: 'closed', reason: 'Closed by this program.' })
    expect(await client.subscribe('trade:BTC-USDT', () => {}).ready).toMatchObject([{ ok: false }])
    await until(() => stand.gateway.connections().length === 0)
  })

  test('it is let go at the end of its block', async () => {
    {
      using client = stand.connect()
      using subscription = client.subscribe('trade:BTC-USDT', () => {})
      await subscription.ready
      expect(client.state().phase).toBe('open')
    }
    await until(() => stand.gateway.connections().length === 0)
  })

  test('statuses and gaps of subscribed instruments are told unasked', async () => {
    const client = stand.connect()
    const told: string[] = []
    client.on('status', ({ reason }) => told.push(reason))
    client.on('gap', (hole) => told.push(`${hole.source} ${hole.topic}`))
    await client.subscribe('trade:BTC-USDT', () => {}).ready
    const stamp = { provider: 'kraken', instrument: 'BTC-USDT', time: 1, received: 2 }
    const status = { type: 'status', kind: 'trade', standbys: [], cause: 'silence', reason: 'binance is silent for 2 s' } as const
    stand.plant.publish('status:BTC-USDT:trade', { ...stamp, ...status }, 3)
    const gap = { type: 'gap', kind: 'trade', from: 1, to: 2, cause: 'sequence', action: 'resync' } as const
    stand.plant.publish('gap:BTC-USDT', { ...stamp, ...gap }, 3)
    await until(() => told.length === 2)
    expect(told.sort()).toEqual(['binance is silent for 2 s', 'provider gap:BTC-USDT'])
  })

  test('an unknown event name is refused with those there are', () => {
    expect(() => stand.connect().on('message' as 'state', () => {})).toThrow(/there are state, status, gap, gap_filled, lost/)
  })
})

describe('a server that asks for tokens', () => {
  beforeEach(async () => {
    await stand.close()
    stand = await createStand({ auth: { keys: [sha('right')] } })
  })

  test.each(['right', () => 'right', () => Promise.resolve('right')])('accepts one that is right, given as %s', async (token) => {
    expect(await stand.connect({ token }).subscribe('trade:BTC-USDT', () => {}).ready).toMatchObject([{ ok: true }])
  })

  test('[S1-39] ends a client with a wrong one for good: it does not knock again, and says why', async () => {
    const client = stand.connect({ token: 'wrong' })
    const states: string[] = []
    client.on('state', ({ phase }) => states.push(phase))
    const { ready } = client.subscribe('trade:BTC-USDT', () => {})
    const loop = client.events('trade:BTC-USDT')[Symbol.asyncIterator]().next()
    await expect(loop).rejects.toThrow(/4501 unauthorized/)
    expect(await ready).toMatchObject([{ ok: false }])
    expect(states).toEqual(['connecting', 'closed'])
    expect(client.state().reason).toContain('Not trying again.')
  })

  test('ends a client that has none, and says how to give one', async () => {
    const client = stand.connect()
    await client.subscribe('trade:BTC-USDT', () => {}).ready
    expect(client.state()).toMatchObject({ phase: 'closed', reason: 'The server needs a token: connect({ url, token }).' })
  })

  test('is tried again when the token could not be fetched', async () => {
    let calls = 0
    const token = () => (++calls < 3 ? Promise.reject(new Error('no network')) : Promise.resolve('right'))
    expect(await stand.connect({ token }).subscribe('trade:BTC-USDT', () => {}).ready).toMatchObject([{ ok: true }])
    expect(calls).toBe(3)
  })
})
