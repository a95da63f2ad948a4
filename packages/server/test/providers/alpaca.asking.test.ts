import { decode as unpack, encode, encodeTimeSpecToTimestamp, ExtData } from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import type { Subscription } from '../../src/providers/adapter.ts'
import { alpaca } from '../../src/providers/alpaca.ts'
import { countsOf, only } from './captures.ts'

const access = { key: 'K', secret: 'S' }
const hear = (session: ReturnType<typeof alpaca.open>, ...rows: unknown[]) => alpaca.decode(JSON.stringify(rows), 0, session)
const admitted = (more: object = {}, route = '') => {
  const session = alpaca.open({ ...access, ...more }, route)
  hear(session, { T: 'success', msg: 'authenticated' })
  return session
}
const parsed = (frames: readonly unknown[]) => frames.map((frame) => JSON.parse(frame as string) as Record<string, unknown>)
const replies = (meanings: ReturnType<typeof hear>) => parsed(only('reply', meanings).map(({ frame }) => frame))
const error = (code: number) => ({ T: 'error', code, msg: 'why' })
const trades = (...symbols: string[]): Subscription[] => symbols.map((symbol) => ({ kind: 'trade', symbol }))

const wanted = [
  { kind: 'trade', symbol: 'AAPL' },
  { kind: 'ticker', symbol: 'AAPL' },
  { kind: 'quote', symbol: 'AMD' },
  { kind: 'candle', symbol: 'SPY', interval: '1m' }
] as const

describe('asking', () => {
  test('the key goes first; nothing is asked for before it is accepted, all that is wanted right after', () => {
    const session = alpaca.open(access)
    expect(alpaca.greet!(session)).toEqual(['{"action":"auth","key":"K","secret":"S"}'])
    expect(alpaca.subscribe(wanted, session)).toEqual([])
    expect(hear(session, { T: 'success', msg: 'connected' })).toEqual([])
    expect(replies(hear(session, { T: 'success', msg: 'authenticated' }))).toEqual([
      { action: 'subscribe', trades: ['AAPL'], dailyBars: ['AAPL'], quotes: ['AMD'], bars: ['SPY'], updatedBars: ['SPY'] }
    ])
  })

  test('each kind has its channel; corrections come with the trades', () => {
    const kinds = ['halt', 'band', 'correction'] as const
    const list = [...kinds.map((kind) => ({ kind, symbol: 'AAPL' })), { kind: 'candle', symbol: 'AAPL', interval: '1d' } as const]
    expect(parsed(alpaca.subscribe(list, admitted()) as string[])).toEqual([
      { action: 'subscribe', statuses: ['AAPL'], lulds: ['AAPL'], trades: ['AAPL'], dailyBars: ['AAPL'] }
    ])
    expect(parsed(alpaca.subscribe([{ kind: 'book', symbol: 'BTC/USD' }], admitted({}, 'crypto')) as string[])).toEqual([
      { action: 'subscribe', orderbooks: ['BTC/USD'] }
    ])
    expect(parsed(alpaca.subscribe([{ kind: 'news', symbol: '*' }], admitted({}, 'news')) as string[])).toEqual([
      { action: 'subscribe', news: ['*'] }
    ])
  })

  test('its stream of stocks carries no books, that of crypto no halts', () => {
    const carried = (kind: Subscription['kind'], symbol: string) => alpaca.carries!({ kind, symbol })
    expect([carried('book', 'AAPL'), carried('halt', 'AAPL'), carried('trade', 'AAPL')]).toEqual([false, true, true])
    expect([carried('book', 'BTC/USD'), carried('halt', 'BTC/USD')]).toEqual([true, false])
    expect([carried('news', '*'), carried('news', 'AAPL'), carried('position', '*')]).toEqual([true, false, true])
  })

  test('the full list of what is subscribed confirms, and the state of its tickers is asked of REST once', () => {
    const session = admitted()
    alpaca.subscribe(wanted, session)
    const list = {
      T: 'subscription',
      trades: ['AAPL'],
      quotes: ['AMD'],
      bars: ['SPY'],
      updatedBars: ['SPY'],
      dailyBars: ['AAPL'],
      statuses: [],
      lulds: [],
      corrections: ['AAPL'],
      cancelErrors: ['AAPL']
    }
    const meanings = hear(session, list)
    const acks = only('ack', meanings).map(({ kind, symbol }) => `${kind} ${symbol}`)
    expect(new Set(acks)).toEqual(new Set(['trade AAPL', 'ticker AAPL', 'quote AMD', 'candle SPY']))
    expect(only('need', meanings).map(({ path }) => path)).toEqual(['/v2/stocks/snapshots?symbols=AAPL&feed=iex'])
    expect(countsOf(hear(session, list))).not.toHaveProperty('need')
  })

  test('trades end with the last who wants them', () => {
    const session = admitted()
    alpaca.subscribe(wanted, session)
    expect(parsed(alpaca.unsubscribe([wanted[1]], session))).toEqual([{ action: 'unsubscribe', dailyBars: ['AAPL'] }])
    expect(parsed(alpaca.unsubscribe([wanted[0]], session))).toEqual([{ action: 'unsubscribe', trades: ['AAPL'] }])
  })

  test('many are asked ten a frame, four frames at once, the next with each answer', () => {
    const session = alpaca.open(access)
    alpaca.subscribe(trades(...Array.from({ length: 100 }, (_, i) => `S${i}`)), session)
    expect(only('reply', hear(session, { T: 'success', msg: 'authenticated' }))).toHaveLength(4)
    for (let answers = 0; answers < 6; answers++) expect(replies(hear(session, { T: 'subscription' }))).toHaveLength(1)
    expect(replies(hear(session, { T: 'subscription' }))).toEqual([])
  })

  test('what is subscribed is asked for again now and then, so that a mute connection is told from a dead one', () => {
    const { frame } = alpaca.ping!
    if (typeof frame !== 'function') throw new Error('no ping')
    expect(frame(alpaca.open(access))).toBeUndefined()
    const session = admitted()
    expect(frame(session)).toBeUndefined()
    alpaca.subscribe(wanted, session)
    expect(parsed([frame(session)])).toEqual([{ action: 'subscribe', trades: ['AAPL'] }])
  })
})

describe('errors', () => {
  test.each([
    [402, { type: 'reject', denied: true }],
    [409, { type: 'reject', denied: true }],
    [411, { type: 'reject', denied: true }],
    [400, { type: 'reject' }],
    [401, { type: 'reject' }],
    [405, { type: 'reject' }],
    [406, { type: 'hangup', wait: 95_000 }],
    [410, { type: 'reject' }],
    [412, { type: 'reject' }],
    [413, { type: 'reject' }],
    [404, { type: 'hangup' }],
    [407, { type: 'hangup' }],
    [500, { type: 'hangup' }],
    [999, { type: 'reject' }]
  ])('error %i ends the connection, the credentials or the ask, as documented', (code, meaning) => {
    expect(hear(alpaca.open(access), error(code))).toEqual([{ ...meaning, reason: `why (${code})` }])
  })

  test('let in already is let in', () => {
    const session = alpaca.open(access)
    alpaca.subscribe(trades('AAPL'), session)
    expect(replies(hear(session, error(403)))).toEqual([{ action: 'subscribe', trades: ['AAPL'] }])
    expect(hear(session, error(403))).toEqual([])
  })

  test('a frame that is refused is halved until the symbol is known; the rest is subscribed', () => {
    const session = admitted()
    alpaca.subscribe(trades('A', 'B', 'C'), session)
    expect(replies(hear(session, error(400)))).toEqual([{ action: 'subscribe', trades: ['A', 'B'] }])
    expect(replies(hear(session, { T: 'subscription', trades: ['A', 'B'] }))).toEqual([{ action: 'subscribe', trades: ['C'] }])
    expect(hear(session, error(400))).toEqual([{ type: 'reject', kind: 'trade', symbol: 'C', reason: 'why (400)' }])
  })

  test('past the limit of symbols further trades and quotes are refused at once, bars are not', () => {
    const session = admitted()
    alpaca.subscribe(trades('MSFT'), session)
    expect(hear(session, error(405))).toEqual([{ type: 'reject', kind: 'trade', symbol: 'MSFT', reason: 'why (405)' }])
    alpaca.subscribe([...trades('A', 'B'), { kind: 'candle', symbol: 'C', interval: '1m' }], session)
    const meanings = hear(session, error(405))
    expect(only('reject', meanings).map(({ symbol }) => symbol)).toEqual(['A', 'B'])
    expect(replies(meanings)).toEqual([{ action: 'subscribe', bars: ['C'], updatedBars: ['C'] }])
  })

  test('what the plan does not hold is refused by itself once the connection stands', () => {
    const session = admitted()
    alpaca.subscribe([{ kind: 'band', symbol: 'AAPL' }], session)
    expect(hear(session, error(409))).toEqual([{ type: 'reject', kind: 'band', symbol: 'AAPL', reason: 'why (409)' }])
  })
})

describe('addresses', () => {
  test('each route is an endpoint of its own, with one connection', () => {
    const routes = [
      ['trade', 'AAPL'],
      ['quote', 'BRK.B'],
      ['book', 'BTC/USD'],
      ['news', '*'],
      ['position', '*'],
      ['account', '*']
    ] as const
    expect(routes.map(([kind, symbol]) => alpaca.route!({ kind, symbol }))).toEqual([
      'stocks',
      'stocks',
      'crypto',
      'news',
      'account',
      'account'
    ])
    expect(alpaca.limits.connections).toBe(1)
    const dial = (route: string, more = {}) => alpaca.dial!(alpaca.wsUrl!, more, route)
    expect(['stocks', 'crypto', 'news', 'account'].map((route) => dial(route))).toEqual([
      'wss://stream.data.alpaca.markets/v2/iex',
      'wss://stream.data.alpaca.markets/v1beta3/crypto/us',
      'wss://stream.data.alpaca.markets/v1beta1/news',
      'wss://paper-api.alpaca.markets/stream'
    ])
    expect(['sip', 'delayed_sip', 'test', 'overnight'].map((feed) => dial('stocks', { feed }))).toEqual([
      'wss://stream.data.alpaca.markets/v2/sip',
      'wss://stream.data.alpaca.markets/v2/delayed_sip',
      'wss://stream.data.alpaca.markets/v2/test',
      'wss://stream.data.alpaca.markets/v1beta1/overnight'
    ])
    expect(dial('crypto', { feed: 'sip', options: { crypto: 'eu-1' } })).toBe(
      'wss://stream.data.alpaca.markets/v1beta3/crypto/eu-1'
    )
    expect(dial('account', { key: 'AKLIVE' })).toBe('wss://api.alpaca.markets/stream')
    expect(alpaca.dial!('ws://127.0.0.1:9/v2/iex', {}, 'news')).toBe('ws://127.0.0.1:9/v1beta1/news')
  })

  test('keys go in headers; a token goes as one', () => {
    expect(alpaca.headers!(access)).toEqual({ 'APCA-API-KEY-ID': 'K', 'APCA-API-SECRET-KEY': 'S' })
    expect(alpaca.headers!({ key: 'oauth', secret: 'T' })).toEqual({ authorization: 'Bearer T' })
  })
})

describe('MessagePack', () => {
  const options = { codec: 'msgpack' }
  const at = (sec: number, nsec: number) => new ExtData(-1, encodeTimeSpecToTimestamp({ sec, nsec }))

  test('it is asked for in the handshake and spoken in both directions', () => {
    expect(alpaca.upgrade!({ options })).toEqual({ 'Content-Type': 'application/msgpack' })
    expect(alpaca.upgrade!({})).toEqual({})
    const session = alpaca.open({ ...access, options })
    const [hello] = alpaca.greet!(session)
    expect(unpack(hello as Uint8Array)).toEqual({ action: 'auth', key: 'K', secret: 'S' })
    alpaca.subscribe(trades('AAPL'), session)
    const [reply] = only('reply', alpaca.decode(encode([{ T: 'success', msg: 'authenticated' }]), 0, session))
    expect(unpack(reply!.frame as Uint8Array)).toEqual({ action: 'subscribe', trades: ['AAPL'] })
  })

  test('a trade is the same as in JSON, with its nanoseconds and its long id', () => {
    const row = { T: 't', S: 'BTC/USD', p: 37430.5, s: 2, tks: 'B' }
    const packed = encode([{ ...row, i: 3447222699101865076n, t: at(1_700_477_563, 584_900_123) }], { useBigInt64: true })
    const text = `[{"T":"t","S":"BTC/USD","p":37430.5,"s":2,"tks":"B","i":3447222699101865076,"t":"2023-11-20T10:52:43.584900123Z"}]`
    const session = () => alpaca.open(access, 'crypto')
    expect(alpaca.decode(packed, 0, session())).toEqual(alpaca.decode(text, 0, session()))
    expect(alpaca.decode(new TextEncoder().encode(text), 0, session())).toEqual(alpaca.decode(text, 0, session()))
  })

  test('numbers written with 64 bits are numbers', () => {
    const bar = { T: 'b', S: 'AAPL', o: 1, h: 2, l: 1, c: 2, v: 8547n, n: 66n, t: at(1_718_633_460, 0) }
    expect(alpaca.decode(encode([bar], { useBigInt64: true }), 5, alpaca.open(access))).toMatchObject([
      { type: 'candle', start: 1_718_633_460_000, volume: 8547, trades: 66 }
    ])
  })

  test.each([[[]], [[0x91]], [[0xc1]], [[0xff, 0xff]], [[0x05]], [[0xdd, 0xff, 0xff, 0xff, 0xff]], [[0x91, 0xc7, 0xff, 0xff]]])(
    'the bytes %j are refused',
    (bytes) => {
      expect(alpaca.decode(new Uint8Array(bytes), 0, alpaca.open(access))).toMatchObject([{ type: 'refused' }])
    }
  )
})
