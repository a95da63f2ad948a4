/** FIML's later streams as pure functions: depth, news, what there is no service for, and MessagePack. */
import { readFileSync } from 'node:fs'
import { decode, encode } from '@msgpack/msgpack'
import type { Book, Level, News } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import { fiml } from '../../src/dialects/fiml.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { connection, deskOf, statusOf, type Message } from './fiml.bench.ts'

const updates = (messages: Message[]) => messages.filter(({ type }) => type === 'data').flatMap(({ data }) => data)

const bookOf = (instrument: string, bids: readonly Level[], asks: readonly Level[], more: Partial<Book> = {}): Book => {
  return { type: 'book', provider: 'alpha', instrument, time: 1, received: 1, confidence: 0.97, bids, asks, ...more }
}
const storyOf = (id: string, instruments: readonly string[], more: Partial<News> = {}): News => {
  return {
    type: 'news',
    provider: 'wire',
    instrument: 'all',
    time: 1,
    received: 1,
    id,
    headline: `Story ${id}`,
    instruments,
    ...more
  }
}
/** On all its topics, as the news service publishes it. */
const topicsOf = (story: News): News[] => ['all', ...story.instruments].map((instrument) => ({ ...story, instrument }))

describe('depth', () => {
  test('[S2-35] [S2-03] an update has the best levels of both sides, best first, the spread and the state of the book', () => {
    const { subscribe, say, until, take, held } = connection()
    subscribe('depth', ['btc/usdt'], { asset_type: 'crypto', params: { levels: 2 } })
    expect(take()).toMatchObject([{ type: 'subscription_ack', stream_type: 'depth', symbols: ['BTC/USDT'], interval_ms: 1_000 }])
    expect([...held]).toEqual(['book:BTC-USDT', 'status:BTC-USDT:book'])
    const [bids, asks]: Level[][] = [
      [
        [0.1, 3],
        [0.09, 2],
        [0.08, 1]
      ],
      [
        [0.3, 4],
        [0.31, 5],
        [0.32, 6]
      ]
    ]
    say(bookOf('BTC-USDT', bids!, asks!, { state: 'valid', sequence: 7 }))
    until(50)
    const [message] = take()
    expect(message).toMatchObject({ type: 'data', stream_type: 'depth', metadata: { asset_type: 'crypto', mode: 'demo' } })
    expect(message.data).toEqual([
      {
        symbol: 'BTC/USDT',
        bids: [
          { price: 0.1, quantity: 3 },
          { price: 0.09, quantity: 2 }
        ],
        asks: [
          { price: 0.3, quantity: 4 },
          { price: 0.31, quantity: 5 }
        ],
        spread: 0.2,
        state: 'valid',
        timestamp: '1970-01-01T00:00:00.001Z',
        provider: 'alpha',
        confidence: 0.97
      }
    ])
  })

  test('[S2-35] it is sampled: at most one per interval, the newest, and only when what is shown of it changed', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('depth', ['AAPL'], { interval_ms: 200, params: { levels: 1 } })
    for (let i = 1; i <= 100; i++) {
      say(bookOf('AAPL', [[i, 1]], [[i + 1, 1]]))
      until(i * 10)
    }
    const seen = updates(take())
    expect(seen).toHaveLength(5)
    expect(seen.at(-1).bids[0].price).toBeGreaterThan(80)
    until(1_400)
    expect(updates(take())).toMatchObject([{ bids: [{ price: 100 }] }])
    say(
      bookOf(
        'AAPL',
        [
          [100, 1],
          [50, 9]
        ],
        [[101, 1]]
      )
    )
    until(3_000)
    expect(updates(take())).toEqual([])
  })

  test('[S2-35] ten levels unless asked otherwise; of an empty side nothing is made up', () => {
    const { subscribe, say, until, take } = connection()
    subscribe('depth', ['AAPL'])
    say(
      bookOf(
        'AAPL',
        Array.from({ length: 30 }, (_, i): Level => [100 - i, 1]),
        []
      )
    )
    until(50)
    const [update] = updates(take())
    expect(update.bids).toHaveLength(10)
    expect(update).toMatchObject({ asks: [], spread: null, state: null })
  })

  test.each([
    [0, 'at least 1'],
    [1_001, 'at most 1000'],
    [2.5, 'whole'],
    ['5', 'whole']
  ])('[S2-35] %j levels are refused, naming the field', (levels, hint) => {
    const { subscribe, take, held } = connection()
    subscribe('depth', ['AAPL'], { params: { levels } })
    expect(take()).toMatchObject([
      {
        error_code: 'SUBSCRIPTION_ERROR',
        details: { errors: [{ field: 'params.levels', message: expect.stringContaining(hint) }] }
      }
    ])
    expect(held.size).toBe(0)
  })

  test('[S2-35] an instrument of which nobody sends books is refused; one that loses them is told of; unsubscribe ends it', () => {
    const refusing = connection({}, () => 'no provider of AAPL sends books')
    refusing.subscribe('depth', ['AAPL'])
    expect(refusing.take()).toMatchObject([
      { error_code: 'SUBSCRIPTION_ERROR', message: 'AAPL: no provider of AAPL sends books', details: { symbols: ['AAPL'] } }
    ])
    const { subscribe, send, say, until, take, held } = connection()
    subscribe('depth', ['AAPL'])
    take()
    say(statusOf('AAPL', 'book', undefined, 'outage'))
    until(50)
    expect(take()).toMatchObject([
      { error_code: 'PROCESSING_ERROR', details: { symbol: 'AAPL', stream_type: 'depth', reason: 'book by outage' } }
    ])
    send({ type: 'unsubscribe', stream_type: 'depth', symbols: ['AAPL'] })
    expect(take()).toMatchObject([{ type: 'unsubscribe_ack', stream_type: 'depth', symbols: ['AAPL'] }])
    expect(held.size).toBe(0)
  })
})

describe('news', () => {
  test('[S2-36] without symbols it is of all stories, each of them whole', () => {
    const { subscribe, send, say, until, take, held, dialect, memory } = connection()
    send({ type: 'subscribe', stream_type: 'news' })
    expect(take()).toMatchObject([{ type: 'subscription_ack', stream_type: 'news', symbols: null, interval_ms: 1_000 }])
    expect([...held]).toEqual(['news:all'])
    expect(dialect.describe!(memory)).toEqual({ subscriptions: 1, symbols: [] })
    say(storyOf('1', ['AAPL', 'TSLA'], { summary: 'Long', source: 'Paper', sentiment: 0.4, updated: 2 }), storyOf('2', []))
    until(50)
    const [message] = take()
    expect(message).toMatchObject({ type: 'data', stream_type: 'news', metadata: { data_type: 'news' } })
    expect(message.data).toEqual([
      {
        symbol: 'AAPL',
        symbols: ['AAPL', 'TSLA'],
        id: '1',
        title: 'Story 1',
        summary: 'Long',
        url: null,
        source: 'Paper',
        author: null,
        image: null,
        categories: [],
        sentiment: 0.4,
        updated: '1970-01-01T00:00:00.002Z',
        timestamp: '1970-01-01T00:00:00.001Z',
        provider: 'wire',
        confidence: null
      },
      expect.objectContaining({ symbol: null, symbols: [], id: '2', source: 'wire' })
    ])
    subscribe('news', [])
    expect(take()).toMatchObject([{ error_code: 'SUBSCRIPTION_ERROR', message: expect.stringContaining('at least one symbol') }])
  })

  test('[S2-36] with symbols it is of those alone; a story about two of them is told once, and names both as they were written', () => {
    const { subscribe, say, until, take, held } = connection()
    subscribe('news', ['aapl', 'btc/usdt'])
    expect([...held]).toEqual(['news:AAPL', 'news:BTC-USDT'])
    take()
    say(...topicsOf(storyOf('1', ['TSLA', 'BTC-USDT', 'AAPL'])), ...topicsOf(storyOf('2', ['TSLA'])))
    say(...topicsOf(storyOf('3', ['BTC-USDT', 'TSLA'])))
    until(50)
    expect(updates(take())).toMatchObject([
      { id: '1', symbol: 'AAPL', symbols: ['AAPL', 'BTC/USDT'] },
      { id: '3', symbol: 'BTC/USDT', symbols: ['BTC/USDT'] }
    ])
  })

  test('[S2-36] every story is told, in order, in one message per interval, and a quiet one is no fault', () => {
    const { send, say, until, take } = connection()
    send({ type: 'subscribe', stream_type: 'news', symbols: null, interval_ms: 500, keepalive: true })
    until(20_000)
    expect(take().map(({ type }) => type)).toEqual(['subscription_ack'])
    for (let i = 0; i < 20; i++) {
      say(storyOf(String(i), []))
      until(20_000 + (i + 1) * 50)
    }
    until(22_000)
    const messages = take()
    expect(updates(messages).map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => String(i)))
    expect(messages.length).toBeLessThanOrEqual(4)
  })

  test('[S2-36] a symbol goes alone, a story that waits stays while it is about another; null takes all', () => {
    const { subscribe, send, say, until, take, held } = connection()
    subscribe('news', ['AAPL', 'TSLA'])
    send({ type: 'subscribe', stream_type: 'news' })
    say(...topicsOf(storyOf('0', ['AAPL'])))
    until(50)
    take()
    say(...topicsOf(storyOf('1', ['AAPL', 'TSLA'])), ...topicsOf(storyOf('2', ['AAPL'])))
    send({ type: 'unsubscribe', stream_type: 'news', symbols: ['AAPL'] })
    expect(take()).toMatchObject([{ type: 'unsubscribe_ack', symbols: ['AAPL'] }])
    until(2_000)
    const [own, all] = [...Map.groupBy(take(), ({ subscription_id }) => subscription_id).values()]
    expect(updates(own!).map(({ id }) => id)).toEqual(['1'])
    expect(updates(all!).map(({ id }) => id)).toEqual(['1', '2'])
    send({ type: 'unsubscribe', stream_type: 'news', symbols: ['MSFT'] })
    expect(take()).toMatchObject([{ error_code: 'UNSUBSCRIBE_ERROR', details: { symbols: ['MSFT'], held: ['TSLA'] } }])
    send({ type: 'unsubscribe', stream_type: 'news' })
    expect(take()).toMatchObject([{ type: 'unsubscribe_ack', symbols: null }])
    expect(held.size).toBe(0)
  })

  test('[S2-36] what the session refuses of all stories is told in its words', () => {
    const { send, take } = connection({}, () => 'too many topics')
    send({ type: 'subscribe', stream_type: 'news' })
    expect(take()).toMatchObject([{ error_code: 'SUBSCRIPTION_ERROR', message: 'too many topics', details: { symbols: [] } }])
  })
})

describe('what is not here', () => {
  const asked = (stream_type: string) => ({ type: 'subscribe', stream_type, symbols: ['AAPL'] })
  const said = (message: object, carries = true): Message[] => {
    const desk = { ...deskOf(createPlant({ epoch: 'e' })), carries: () => carries }
    const { memory } = fiml.open({ path: '/ws/stream', query: {}, rest: '', session: 's' }, desk, 0)
    return fiml.receive(JSON.stringify(message), memory, 0).map((each) => ('text' in each ? JSON.parse(each.text) : each))
  }

  test.each(['scan', 'alerts', 'SCAN'])('%s is a service that this server does not have, and no unknown stream', (stream) => {
    const service = stream.toLowerCase()
    expect(said(asked(stream))).toMatchObject([
      { type: 'error', error_code: 'SERVICE_NOT_AVAILABLE', message: expect.stringContaining(service), details: { service } }
    ])
  })

  test('news is such a service where no provider sends any', () => {
    expect(said(asked('news'), false)).toMatchObject([{ error_code: 'SERVICE_NOT_AVAILABLE', details: { service: 'news' } }])
    expect(said(asked('news'))).toMatchObject([{ type: 'subscribe', topics: ['news:AAPL'] }])
  })
})

describe('requests that contradict themselves', () => {
  test.each([
    ['price', 'ohlcv'],
    ['trades', 'ohlcv'],
    ['depth', 'ohlcv'],
    ['multi_asset', 'ohlcv'],
    ['price', 'news'],
    ['news', 'ohlcv'],
    ['news', 'price']
  ])('[S2-24] stream type %s of data type %s is refused, naming both', (stream, data_type) => {
    const { subscribe, take, held } = connection()
    subscribe(stream, ['AAPL'], { data_type })
    const [error, ...rest] = take()
    expect(rest).toEqual([])
    expect(error).toMatchObject({ error_code: 'SUBSCRIPTION_ERROR', details: { errors: [{ field: 'data_type' }] } })
    expect(error.message).toContain(`data_type ${data_type} contradicts stream_type ${stream}`)
    expect(held.size).toBe(0)
  })

  test.each([
    ['price', 'price'],
    ['ohlcv', 'ohlcv'],
    ['ohlcv', 'price'],
    ['depth', 'price'],
    ['news', 'news']
  ])('stream type %s may be asked for as data type %s', (stream, data_type) => {
    const { subscribe, take } = connection()
    subscribe(stream, ['AAPL'], { data_type })
    expect(take()).toMatchObject([{ type: 'subscription_ack', stream_type: stream }])
  })

  test('[S2-24] `type` and `action` of different requests are refused, naming both', () => {
    const { send, take } = connection()
    send({ type: 'subscribe', action: 'unsubscribe', stream_type: 'price', symbols: ['AAPL'] })
    expect(take()).toMatchObject([
      { error_code: 'INVALID_MESSAGE_TYPE', message: '"type" says subscribe and "action" says unsubscribe: send one of them' }
    ])
  })
})

describe('the key of a request', () => {
  test.each(
    ['type', 'action'].flatMap((key) =>
      ['subscribe', 'unsubscribe'].flatMap((name) => [name, name.toUpperCase()].map((said) => [key, said]))
    )
  )('[S2-02] is %s as well, for %s and every stream', (key, said) => {
    const isEnd = said.toLowerCase() === 'unsubscribe'
    for (const stream of ['price', 'ohlcv', 'quote', 'trades', 'multi_asset', 'depth', 'news']) {
      const { subscribe, send, take } = connection()
      if (isEnd) subscribe(stream, ['AAPL'])
      take()
      send({ [key]: said, stream_type: stream, symbols: ['AAPL'] })
      expect(take()).toMatchObject([{ type: isEnd ? 'unsubscribe_ack' : 'subscription_ack', stream_type: stream }])
    }
  })

  test('[S2-02] the other one may say something of its own, or the same', () => {
    const { send, take } = connection()
    send({ type: 'subscribe', action: 'subscribe', stream_type: 'price', symbols: ['AAPL'] })
    send({ type: 7, action: 'subscribe', stream_type: 'quote', symbols: ['AAPL'] })
    expect(take().map(({ type }) => type)).toEqual(['subscription_ack', 'subscription_ack'])
  })
})

describe('MessagePack', () => {
  const codec = fiml.codec!
  const opened = (query: Record<string, string>, path = '/ws/stream') => {
    const desk = deskOf(createPlant({ epoch: 'e' }))
    const rest = path.startsWith('/ws/prices/') ? path.slice('/ws/prices/'.length) : ''
    return fiml.open({ path, query, rest, session: 's' }, desk, 0)
  }

  test('[S2-40] whoever asks for it in a subscription is answered in it from there on, and may go back', () => {
    const { subscribe, send, memory } = connection()
    expect(codec.encode('{"a":1}', memory)).toBeUndefined()
    expect(codec.decode(encode({ a: 1 }), memory)).toBeUndefined()
    subscribe('price', ['AAPL'], { format: 'MsgPack' })
    expect(decode(codec.encode('{"a":[1,null]}', memory)!)).toEqual({ a: [1, null] })
    expect(codec.decode(encode({ a: 1 }), memory)).toBe('{"a":1}')
    send({ type: 'subscribe', stream_type: 'quote', symbols: ['AAPL'] })
    expect(codec.encode('{}', memory)).toBeDefined()
    send({ type: 'subscribe', stream_type: 'quote', symbols: ['AAPL'], format: 'json' })
    expect(codec.encode('{}', memory)).toBeUndefined()
  })

  test.each(['/ws/stream', '/ws/prices/AAPL'])(
    '[S2-40] %s?format=msgpack begins with it; an unknown format is refused, naming the field',
    (path) => {
      expect(codec.encode('{}', opened({ format: 'msgpack' }, path).memory)).toBeDefined()
      const { memory, commands } = opened({ format: 'xml' }, path)
      expect(codec.encode('{}', memory)).toBeUndefined()
      expect(commands.map((each) => 'text' in each && JSON.parse(each.text))).toMatchObject([
        { error_code: 'SUBSCRIPTION_ERROR', details: { errors: [{ field: 'format', message: 'one of json, msgpack' }] } }
      ])
    }
  )

  test('[S2-40] [S2-24] bytes that are none are answered with INVALID_JSON', () => {
    const { memory } = opened({ format: 'msgpack' })
    for (const bytes of [new Uint8Array(), Uint8Array.of(0xc1), Uint8Array.of(0x92, 1)]) {
      const text = codec.decode(bytes, memory)
      const [command] = fiml.receive(text!, memory, 0)
      expect(command).toMatchObject({ type: 'send', bad: true })
      expect(JSON.parse((command as { text: string }).text)).toMatchObject({
        error_code: 'INVALID_JSON',
        message: 'the message is not MessagePack'
      })
    }
  })
})

describe('the manual', () => {
  test('[S2-33] names every field of a depth and of a news update', () => {
    const manual = readFileSync(new URL('../../../../docs/websocket-s2.md', import.meta.url), 'utf8')
    const { subscribe, send, say, until, take } = connection()
    subscribe('depth', ['AAPL'])
    send({ type: 'subscribe', stream_type: 'news' })
    say(bookOf('AAPL', [[1, 1]], [[2, 1]]), storyOf('1', ['AAPL']))
    until(50)
    const messages = take().filter(({ type }) => type === 'data')
    expect(messages).toHaveLength(2)
    for (const { stream_type, data } of messages) {
      const row = manual.split('\n').find((line) => line.startsWith(`| \`${stream_type}\` `)) ?? ''
      for (const field of Object.keys(data[0]).filter((key) => key !== 'provider' && key !== 'confidence'))
        expect(row).toContain(`\`${field}\``)
    }
  })
})
