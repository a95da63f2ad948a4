import { describe, expect, test } from 'vitest'
import { alpaca as typed } from '../../src/providers/alpaca.ts'
import { providers } from '../../src/providers/index.ts'
import { countsOf, decode, lines, only } from './captures.ts'

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
      side: 'unknown',
      venue: 'K',
      conditions: ['@', 'F', 'T', 'I'],
      ineligible: true,
      session: 'pre'
    })
    expect(only('ack', all).map(({ kind, symbol }) => `${kind} ${symbol}`)).toEqual([
      'trade AAPL',
      'quote AMD',
      'quote CLDR',
      'candle VOO'
    ])
  })

  test('the values of the SDKs decode: a bar, a trade, a halt, a cancel, a band, a correction', () => {
    const all = lines('alpaca/ws-kinds-sdk-tests.jsonl').flatMap((line) => decode(alpaca, line))
    expect(countsOf(all)).toEqual({ candle: 1, trade: 1, halt: 1, correction: 2, band: 1, reject: 3, hangup: 1 })
    expect(only('halt', all)).toEqual([
      {
        type: 'halt',
        symbol: 'STRR',
        time: expect.closeTo(10_000, 3),
        state: 'trading',
        code: 'C11',
        reason: 'Trading Resumption'
      }
    ])
    expect(only('band', all)).toEqual([
      { type: 'band', symbol: 'TEST', time: Date.parse('2021-07-05T13:32:00Z'), up: 4.21, down: 3.22, indicator: 'B' }
    ])
    expect(only('correction', all)).toEqual([
      {
        type: 'correction',
        symbol: 'DJT',
        time: expect.closeTo(10_000, 3),
        action: 'cancel',
        id: '-1-D-4868',
        price: 36.18,
        size: 31_800
      },
      {
        type: 'correction',
        symbol: 'TEST',
        time: Date.parse('2021-12-07T13:32:00Z'),
        action: 'correct',
        id: '18968-X-123',
        price: 123.123,
        size: 123,
        corrected: { id: '18968-X-124', price: 124.124, size: 124, conditions: [' ', '7', 'Z', 'V'] }
      }
    ])
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
    expect(before).toEqual([{ type: 'ticker', symbol: 'AAPL', time: expect.any(Number), last: 180.5, session: 'regular' }])
    const now = Date.parse('2026-06-17T14:12:00Z')
    expect(only('ticker', typed.decode(JSON.stringify([DAY]), now, session))).toEqual([
      {
        type: 'ticker',
        symbol: 'AAPL',
        time: now,
        last: 179.5,
        session: 'regular',
        open: 178,
        high: 180,
        low: 177,
        change: 1.5,
        changePercent: expect.closeTo(0.8427, 4)
      }
    ])
    const later = { ...TRADE, t: '2026-06-17T14:12:01Z' }
    expect(only('ticker', typed.decode(JSON.stringify([later]), 0, session))).toMatchObject([
      { last: 180.5, open: 178, change: 2.5 }
    ])
    // What was reported late is no last price any more.
    expect(countsOf(typed.decode(JSON.stringify([TRADE]), 0, session))).toEqual({ trade: 1 })
    // An odd lot is a trade, and no last price.
    const odd = { ...later, c: ['@', 'I'] }
    expect(countsOf(typed.decode(JSON.stringify([odd]), 0, session))).toEqual({ trade: 1 })
    const all = admitted('sip')
    expect(only('ticker', typed.decode(JSON.stringify([DAY]), 7, all))).toMatchObject([{ volume: 1000 }])
  })

  test('before a new day has a bar, yesterday has a close and today no statistics', () => {
    const session = admitted()
    typed.subscribe([{ kind: 'ticker', symbol: 'AAPL' }], session)
    typed.decode(JSON.stringify([DAY]), 7, session)
    const early = { ...TRADE, t: '2026-06-18T08:30:00Z', c: ['@', 'T'] }
    const [pre] = only('ticker', typed.decode(JSON.stringify([early]), 0, session))
    expect(pre).toEqual({
      type: 'ticker',
      symbol: 'AAPL',
      time: Date.parse(early.t),
      last: 180.5,
      prevClose: 179.5,
      session: 'pre'
    })
    const next = { ...DAY, o: 181, h: 182, t: '2026-06-18T04:00:00Z' }
    const [regular] = only('ticker', typed.decode(JSON.stringify([next]), Date.parse('2026-06-18T14:00:00Z'), session))
    expect(regular).toMatchObject({ open: 181, prevClose: 179.5, session: 'regular' })
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

describe('kinds of the documentation', () => {
  const crypto = (rows: unknown[]) => typed.decode(JSON.stringify(rows), 5, typed.open(access, 'crypto'))

  test('[S4-11] a crypto trade says who took; its id of 19 digits stays whole, and 0 is no id', () => {
    const row = '{"T":"t","S":"BTC/USD","p":37430.1,"s":0.0025,"t":"2023-11-20T10:52:43.5849Z","i":3447222699101865076,"tks":"B"}'
    const next = row.replace('865076', '865077').replace('"B"', '"S"')
    expect(typed.decode(`[${row},${next}]`, 5, typed.open(access, 'crypto'))).toEqual([
      {
        type: 'trade',
        symbol: 'BTC/USD',
        id: '19681-3447222699101865076',
        time: expect.closeTo(1_700_477_563_584.9, 1),
        price: 37430.1,
        size: 0.0025,
        side: 'buy'
      },
      expect.objectContaining({ id: '19681-3447222699101865077', side: 'sell' })
    ])
    const [none] = only('trade', crypto([{ T: 't', S: 'BTC/USD', p: 1, s: 1, t: '2022-02-25T12:54:12.4Z', i: 0, tks: 'B' }]))
    expect(none).toEqual({ type: 'trade', symbol: 'BTC/USD', time: expect.any(Number), price: 1, size: 1, side: 'buy' })
  })

  test('crypto quotes are in coins at all times', () => {
    const row = { T: 'q', S: 'BTC/USD', bp: 46805.5, bs: 0.75, ap: 46817.1, as: 0.28, t: '2022-04-12T13:01:44.1Z' }
    expect(crypto([row])).toMatchObject([{ type: 'quote', symbol: 'BTC/USD', bidSize: 0.75, askSize: 0.28 }])
  })

  test('a crypto book begins with r, then levels are absolute; a broken one is asked for anew', () => {
    const book = {
      T: 'o',
      S: 'BTC/USD',
      t: '2024-03-12T10:38:50.79613221Z',
      b: [{ p: 71859.5, s: 0.28 }],
      a: [{ p: 71939.7, s: 0.84 }],
      r: true
    }
    expect(crypto([book])).toEqual([
      {
        type: 'delta',
        symbol: 'BTC/USD',
        time: expect.closeTo(1_710_239_930_796.13, 1),
        snapshot: true,
        bids: [[71859.5, 0.28]],
        asks: [[71939.7, 0.84]]
      }
    ])
    const { r: _, ...delta } = { ...book, b: [{ p: 71859.5, s: 0 }], a: [] }
    expect(crypto([delta])).toMatchObject([{ snapshot: false, bids: [[71859.5, 0]], asks: [] }])
    for (const broken of [
      { ...book, b: [{ p: -1, s: 1 }] },
      { ...book, a: {} },
      { ...book, t: 'noon' },
      { ...book, b: [null] }
    ])
      expect(crypto([broken])).toMatchObject([{ type: 'refused' }, { type: 'gap', kind: 'book', symbol: 'BTC/USD' }])
  })

  test.each([
    ['H', 'halted'],
    ['2', 'halted'],
    ['T', 'trading'],
    ['3', 'trading'],
    ['P', 'paused'],
    ['Q', 'quoting'],
    ['E', 'unknown']
  ])('the status %s says that it is %s', (sc, state) => {
    const row = { T: 's', S: 'AAPL', sc, sm: 'Words', rc: 'T12', rm: 'Why', t: '2021-02-22T19:15:00Z', z: 'C' }
    expect(decode(alpaca, [row])).toMatchObject([{ type: 'halt', symbol: 'AAPL', state, code: 'T12', reason: 'Words: Why' }])
  })

  test('a status that says nothing about trading leaves a halt as it is', () => {
    const session = admitted()
    const told = ['H', 'E', 'T', 'E'].map((sc) => ({ T: 's', S: 'AAPL', sc, sm: '', rc: '', rm: '', t: '2021-02-22T19:15:00Z' }))
    const states = only('halt', typed.decode(JSON.stringify(told), 0, session)).map(({ state, code }) => `${state} ${code}`)
    expect(states).toEqual(['halted H', 'halted E', 'trading T', 'trading E'])
  })

  test('a story is text without entities, and an imbalance is nothing', () => {
    const row = {
      T: 'n',
      id: 24918784,
      headline: 'Bob&#39;s &amp; Co',
      summary: '<p>It <b>rose</b>.</p>',
      author: 'A',
      url: 'https://x.test/1',
      content: '',
      created_at: '2022-01-05T22:00:37Z',
      updated_at: '2022-01-05T22:00:38Z',
      symbols: ['BFRI', 'BTCUSD'],
      source: 'benzinga'
    }
    expect(typed.decode(JSON.stringify([row]), 1_700_000_000_000, typed.open(access, 'news'))).toEqual([
      {
        type: 'news',
        symbol: '*',
        id: '24918784',
        time: Date.parse('2022-01-05T22:00:37Z'),
        updated: Date.parse('2022-01-05T22:00:38Z'),
        headline: "Bob's & Co",
        summary: 'It rose.',
        author: 'A',
        url: 'https://x.test/1',
        source: 'benzinga',
        symbols: ['BFRI', 'BTCUSD']
      }
    ])
    expect(decode(alpaca, [{ T: 'i', S: 'AAPL', p: 1, t: '2022-01-05T22:00:37Z' }, { T: 'new' }])).toEqual([])
  })

  test('[S0-40] the session is that of New York, in summer and in winter; Form T within the hours is an early close', () => {
    const at = (t: string, c: string[] = ['@']) => only('trade', decode(alpaca, [{ ...TRADE, t, c }]))[0]!.session
    expect(['08:00', '13:29', '13:30', '19:59', '20:00', '23:59'].map((clock) => at(`2026-06-17T${clock}:00Z`))).toEqual([
      'pre',
      'pre',
      'regular',
      'regular',
      'post',
      'post'
    ])
    expect(['09:00', '14:29', '14:30', '20:59', '21:00'].map((clock) => at(`2026-01-14T${clock}:00Z`))).toEqual([
      'pre',
      'pre',
      'regular',
      'regular',
      'post'
    ])
    expect([at('2026-06-18T00:00:00Z'), at('2026-06-17T07:59:00Z')]).toEqual(['overnight', 'overnight'])
    expect([at('2026-06-20T15:00:00Z'), at('2026-06-20T01:00:00Z'), at('2026-06-22T01:00:00Z')]).toEqual([
      'closed',
      'closed',
      'overnight'
    ])
    expect(at('2026-11-27T19:00:00Z', ['@', 'T'])).toBe('post')
    expect(at('2026-06-17T13:30:05Z', ['@', 'T', 'U'])).toBe('pre')
    expect(at('2026-06-17T20:00:01Z', ['@', '6'])).toBe('regular')
  })

  test.each([
    [['@'], 'C', false],
    [['@', 'F'], 'C', false],
    [['@', 'T'], 'C', false],
    [['@', 'I'], 'C', true],
    [['W'], 'C', true],
    [['@', 'T', 'U'], 'C', true],
    [['B'], 'C', false],
    [['B'], 'A', true]
  ])('conditions %s on tape %s set no last price: %s', (c, z, ineligible) => {
    const [found] = only('trade', decode(alpaca, [{ ...TRADE, c, z }]))
    expect(found!.ineligible === true).toBe(ineligible)
  })

  test('all that comes from the feed that is held back says so; crypto beside it does not', () => {
    const late = admitted('delayed_sip')
    const rows = [TRADE, { T: 'l', S: 'AAPL', u: 4.21, d: 3.22, i: 'B', t: '2021-07-05T13:32:00Z' }]
    expect(typed.decode(JSON.stringify(rows), 0, late)).toMatchObject([{ delayed: 900_000 }, { type: 'band', delayed: 900_000 }])
    const pair = typed.open({ ...access, feed: 'delayed_sip' }, 'crypto')
    const [found] = typed.decode(JSON.stringify([{ T: 't', S: 'BTC/USD', i: 5, p: 1, s: 1, t: TRADE.t }]), 0, pair)
    expect(found).not.toHaveProperty('delayed')
  })

  test('the pretended stock trades at all hours, so its trades are of no session', () => {
    const [found] = only('trade', typed.decode(JSON.stringify([{ ...TRADE, S: 'FAKEPACA' }]), 0, admitted('test')))
    expect(found).not.toHaveProperty('session')
  })
})

describe('wrong input', () => {
  test.each([
    [{ T: 's', S: 'AAPL', t: 'noon', sc: 'H' }],
    [{ T: 's', S: 'AAPL', t: TRADE.t }],
    [{ T: 'l', S: 'AAPL', t: TRADE.t, u: 1, d: 2 }],
    [{ T: 'l', t: TRADE.t, u: 2, d: 1 }],
    [{ T: 'c', S: 'AAPL', t: TRADE.t, oi: 1, ci: 2, cp: 0, cs: 1 }],
    [{ T: 'c', S: 'AAPL', t: TRADE.t, ci: 2, cp: 1, cs: 1 }],
    [{ T: 'x', S: 'AAPL', t: TRADE.t }],
    [{ T: 'x', S: 'AAPL', i: 5, t: 5 }],
    [{ T: 'n', id: 5 }],
    [{ T: 't', S: 'AAPL', i: 5, p: 1, s: 1, t: 1_700_000_000_000 }],
    [{ T: 'o', t: TRADE.t }]
  ])('%o is refused', (row) => {
    expect(decode(alpaca, [row])).toMatchObject([{ type: 'refused' }])
  })

  test('a row that is none costs itself alone; a band of zeros is no band', () => {
    expect(countsOf(decode(alpaca, [null, TRADE, 7]))).toEqual({ refused: 2, trade: 1 })
    expect(decode(alpaca, [{ T: 'l', S: 'AAPL', t: TRADE.t, u: 0, d: 0 }])).toEqual([])
  })
})
