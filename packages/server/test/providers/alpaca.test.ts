import { describe, expect, test } from 'vitest'
import { alpaca as typed } from '../../src/providers/alpaca.ts'
import { providers } from '../../src/providers/index.ts'
import { countsOf, decode, lines, only, rows } from './captures.ts'

const alpaca = providers.alpaca!
const access = { key: 'K', secret: 'S' }
const admitted = (feed?: string) => {
  const session = typed.open(feed === undefined ? access : { ...access, feed })
  typed.decode('[{"T":"success","msg":"authenticated"}]', 0, session)
  return session
}
const DAY = { T: 'd', S: 'AAPL', o: 178, h: 180, l: 177, c: 179.5, v: 1000, n: 50, vw: 179, t: '2026-06-17T04:00:00Z' }
const TRADE = { T: 't', S: 'AAPL', i: 6142, x: 'V', p: 180.5, s: 90, c: ['@'], z: 'C', t: '2026-06-17T14:11:00.123456789Z' }

describe('recorded frames', () => {
  test('[S4-11] the session of 2023-04-06 decodes: quotes in round lots then, ids that hold the exchange and the day', () => {
    const session = alpaca.open({})
    const all = lines('alpaca/ws-session-sip-2023-04-06.jsonl').flatMap((line) => alpaca.decode(line, 0, session))
    expect(countsOf(all)).toEqual({ ack: 4, quote: 2, trade: 3 })
    expect(only('quote', all)[0]).toEqual({
      type: 'quote',
      symbol: 'AMD',
      time: expect.closeTo(1_680_782_061_670.905, 2),
      bid: 91.95,
      bidSize: 200,
      ask: 91.98,
      askSize: 100
    })
    expect(only('trade', all)[0]).toEqual({
      type: 'trade',
      symbol: 'AAPL',
      id: '19453-K-628',
      time: expect.closeTo(1_680_782_066_838.232, 2),
      price: 162.92,
      size: 3,
      side: 'unknown'
    })
    expect(only('ack', all).map(({ kind, symbol }) => `${kind} ${symbol}`)).toEqual([
      'trade AAPL',
      'quote AMD',
      'quote CLDR',
      'candle VOO'
    ])
  })

  test('kinds that are not ours mean nothing', () => {
    const all = lines('alpaca/ws-kinds-sdk-tests.jsonl').flatMap((line) => decode(alpaca, line))
    expect(countsOf(all)).toEqual({ candle: 1, trade: 1, reject: 4 })
    expect(only('candle', all)[0]).toEqual({
      type: 'candle',
      symbol: 'AAPL',
      interval: '1m',
      start: 1_718_633_460_000,
      time: 1_700_000_000_000,
      open: 177.94,
      high: 178.005,
      low: 177.94,
      close: 178.005,
      volume: 8547,
      trades: 66,
      closed: true,
      revision: 0
    })
  })

  test('recorded bars of REST are candles, whatever their order', () => {
    const need = alpaca.history!('TSLA', '1d', 10, 1_700_000_000_000, access)
    expect(need.path).toMatch(
      /^\/v2\/stocks\/bars\?symbols=TSLA&timeframe=1Day&start=.*&limit=10&sort=desc&adjustment=split&feed=iex$/
    )
    const bodies = rows<{ test: string; body: unknown }>('alpaca/rest-responses-py-sdk.jsonl')
    const { body } = bodies.find((row) => row.test === 'test_get_bars_desc')!
    const candles = only('candle', alpaca.decode(JSON.stringify(body), 1_700_000_000_000, alpaca.open({}), need))
    expect(candles.map((c) => [c.start, c.close, c.closed])).toEqual([
      [Date.parse('2023-09-25T04:00:00Z'), 246.99, true],
      [Date.parse('2023-09-26T04:00:00Z'), 244.12, true],
      [Date.parse('2023-09-27T04:00:00Z'), 240.5, true]
    ])
  })

  test('recorded assets are a listing without a quote currency', () => {
    const bodies = rows<{ test: string; body: unknown }>('alpaca/rest-responses-py-sdk.jsonl')
    const { body } = bodies.find((row) => row.test === 'test_get_all_assets')!
    const need = { type: 'need', purpose: 'listing', path: alpaca.listing! } as const
    expect(alpaca.decode(JSON.stringify(body), 0, alpaca.open({}), need)).toEqual([
      { type: 'listing', rows: [{ symbol: 'AAPL', base: 'AAPL', name: 'Apple Inc. Common Stock', trading: true }] }
    ])
    expect(alpaca.decode('{"code":40110000,"message":"request is not authorized"}', 0, alpaca.open({}), need)).toEqual([
      { type: 'reject', reason: 'request is not authorized' }
    ])
  })
})

describe('frames as documented', () => {
  test('sizes of quotes are shares since November 2025; no price on a side is no quote', () => {
    const quote = {
      T: 'q',
      S: 'AMD',
      bx: 'K',
      bp: 91.95,
      bs: 2,
      ax: 'Q',
      ap: 91.98,
      as: 1,
      c: ['R'],
      z: 'C',
      t: '2026-04-06T11:54:21.6Z'
    }
    expect(decode(alpaca, [quote])).toMatchObject([{ bidSize: 2, askSize: 1 }])
    expect(decode(alpaca, [{ ...quote, bp: 0, bs: 0 }])).toEqual([])
  })

  test('a late bar is a revision of a closed one; a daily bar forms until the next begins', () => {
    const session = alpaca.open({})
    const hear = (row: unknown) => only('candle', alpaca.decode(JSON.stringify([row]), 0, session))
    const late = { ...DAY, T: 'u', t: '2026-06-17T14:11:00Z' }
    expect(alpaca.decode(JSON.stringify([late, late]), 5, session)).toMatchObject([
      { interval: '1m', closed: true, revision: 1 },
      { interval: '1m', closed: true, revision: 2 }
    ])
    alpaca.decode(JSON.stringify([DAY]), 5, session)
    expect(
      only('candle', alpaca.decode(JSON.stringify([{ ...DAY, t: '2026-06-18T04:00:00Z' }]), 5, session)).map((c) => [
        c.interval,
        c.closed
      ])
    ).toEqual([
      ['1d', true],
      ['1d', false]
    ])
    expect(hear({ ...DAY, o: 0 })).toEqual([])
  })

  test('a ticker is the last trade over the statistics of the day; the volume of one exchange alone is not the market', () => {
    const session = admitted()
    typed.subscribe([{ kind: 'ticker', symbol: 'AAPL' }], session)
    const before = only('ticker', typed.decode(JSON.stringify([TRADE]), 0, session))
    expect(before).toEqual([{ type: 'ticker', symbol: 'AAPL', time: expect.any(Number), last: 180.5 }])
    expect(only('ticker', typed.decode(JSON.stringify([DAY]), 7, session))).toEqual([
      {
        type: 'ticker',
        symbol: 'AAPL',
        time: 7,
        last: 179.5,
        open: 178,
        high: 180,
        low: 177,
        change: 1.5,
        changePercent: expect.closeTo(0.8427, 4)
      }
    ])
    expect(only('ticker', typed.decode(JSON.stringify([TRADE]), 0, session))).toMatchObject([
      { last: 180.5, open: 178, change: 2.5 }
    ])
    const all = admitted('sip')
    expect(only('ticker', typed.decode(JSON.stringify([DAY]), 7, all))).toMatchObject([{ volume: 1000 }])
  })

  test('trades of two exchanges, or of two days, may bear one number and keep apart', () => {
    const ids = [TRADE, { ...TRADE, x: 'Q' }, { ...TRADE, t: '2026-06-18T14:11:00Z' }].map(
      (row) => only('trade', decode(alpaca, [row]))[0]!.id
    )
    expect(new Set(ids).size).toBe(3)
    const evening = ['2026-01-14T23:59:59Z', '2026-01-15T00:59:59Z'].map(
      (t) => only('trade', decode(alpaca, [{ ...TRADE, t }]))[0]!.id
    )
    expect(new Set(evening).size).toBe(1)
  })

  test.each([
    [402, { type: 'reject', fatal: true }],
    [409, { type: 'reject', fatal: true }],
    [411, { type: 'reject', fatal: true }],
    [400, { type: 'reject' }],
    [401, { type: 'reject' }],
    [405, { type: 'reject' }],
    [406, { type: 'reject' }],
    [410, { type: 'reject' }],
    [404, { type: 'ending' }],
    [407, { type: 'ending' }],
    [500, { type: 'ending' }]
  ])('error %i is fatal, final or passing as documented', (code, meaning) => {
    const [found] = decode(alpaca, [{ T: 'error', code, msg: 'why' }])
    expect(found).toEqual({ ...meaning, reason: `why (${code})` })
    expect(decode(alpaca, [{ T: 'error', code: 403, msg: 'already authenticated' }])).toEqual([])
  })

  test('anything that is not an array of rows is refused', () => {
    for (const frame of [
      '{}',
      '[null]',
      '[7]',
      '"x"',
      'x',
      '[{"T":5}]',
      JSON.stringify([{ ...TRADE, p: -1 }]),
      JSON.stringify([{ ...TRADE, t: 'noon' }])
    ])
      expect(decode(alpaca, frame)).toMatchObject([{ type: 'refused' }])
  })
})

describe('asking', () => {
  const wanted = [
    { kind: 'trade', symbol: 'AAPL' },
    { kind: 'ticker', symbol: 'AAPL' },
    { kind: 'quote', symbol: 'AMD' },
    { kind: 'candle', symbol: 'SPY', interval: '1m' }
  ] as const

  test('the key goes first; nothing is asked for before it is accepted, all that is wanted right after', () => {
    const session = typed.open(access)
    expect(typed.greet!(session)).toEqual(['{"action":"auth","key":"K","secret":"S"}'])
    expect(typed.subscribe(wanted, session)).toEqual([])
    expect(typed.decode('[{"T":"success","msg":"connected"}]', 0, session)).toEqual([])
    const [reply, ...more] = only('reply', typed.decode('[{"T":"success","msg":"authenticated"}]', 0, session))
    expect(more).toEqual([])
    expect(JSON.parse(String(reply!.frame))).toEqual({
      action: 'subscribe',
      trades: ['AAPL'],
      dailyBars: ['AAPL'],
      quotes: ['AMD'],
      bars: ['SPY'],
      updatedBars: ['SPY']
    })
  })

  test('the full list of what is subscribed confirms, over the limit the frame is rejected', () => {
    const session = admitted()
    typed.subscribe(wanted, session)
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
    const acks = only('ack', typed.decode(JSON.stringify([list]), 0, session)).map(({ kind, symbol }) => `${kind} ${symbol}`)
    expect(new Set(acks)).toEqual(new Set(['trade AAPL', 'ticker AAPL', 'quote AMD', 'candle SPY']))
    typed.subscribe([{ kind: 'trade', symbol: 'MSFT' }], session)
    expect(typed.decode('[{"T":"error","code":405,"msg":"symbol limit exceeded"}]', 0, session)).toEqual([
      { type: 'reject', kind: 'trade', symbol: 'MSFT', reason: 'symbol limit exceeded (405)' }
    ])
  })

  test('trades end with the last who wants them', () => {
    const session = admitted()
    typed.subscribe(wanted, session)
    expect(typed.unsubscribe([wanted[1]], session).map((f) => JSON.parse(String(f)) as unknown)).toEqual([
      { action: 'unsubscribe', dailyBars: ['AAPL'] }
    ])
    expect(typed.unsubscribe([wanted[0]], session).map((f) => JSON.parse(String(f)) as unknown)).toEqual([
      { action: 'unsubscribe', trades: ['AAPL'] }
    ])
  })

  test('the feed chosen in the access decides the address', () => {
    expect(alpaca.dial!(alpaca.wsUrl!, {})).toBe('wss://stream.data.alpaca.markets/v2/iex')
    expect(alpaca.dial!(alpaca.wsUrl!, { feed: 'sip' })).toBe('wss://stream.data.alpaca.markets/v2/sip')
    expect(alpaca.headers!(access)).toEqual({ 'APCA-API-KEY-ID': 'K', 'APCA-API-SECRET-KEY': 'S' })
  })
})
