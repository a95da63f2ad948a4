import { describe, expect, test } from 'vitest'
import type { Need } from '../../src/providers/adapter.ts'
import { providers } from '../../src/providers/index.ts'
import { readPricing } from '../../src/providers/yahoo.pricing.ts'
import { yahoo as typed } from '../../src/providers/yahoo.ts'
import { decode, lines, only, rows } from './captures.ts'

const yahoo = providers.yahoo!
const NOW = 1_800_000_000_000
const frames = lines('yahoo/stream-frames.jsonl')
type Expected = { line: number; expected: Record<string, string | number> }
type Recorded = { fixture: string; url: string; status: number; headers: Record<string, string>; body: unknown }
const recorded = (name: string) => rows<Recorded>(`yahoo/${name}.jsonl.gz`)

describe('recorded frames', () => {
  test.each(rows<Expected>('yahoo/expected-stream-frames.jsonl'))(
    'frame $line equals an independent decoder’s fields',
    ({ line, expected: e }) => {
      const text = frames[line]!
      const pricing = readPricing(text.startsWith('{') ? (JSON.parse(text) as { message: string }).message : text)!
      expect(pricing).toMatchObject({ id: e.id, time: Number(e.time), marketHours: e.market_hours, quoteType: e.quote_type })
      expect(pricing.price).toBeCloseTo(Number(e.price), 2)
      if (e.day_volume !== undefined) expect(pricing.dayVolume).toBe(Number(e.day_volume))
    }
  )
  test('the noise of 32-bit floats is not shown', () => {
    expect(decode(yahoo, frames[0]!)[0]).toMatchObject({ type: 'ticker', symbol: 'BTC-USD', last: 94_745.08 })
  })
  test('every frame is a ticker with its session, the overnight one too', () => {
    const all = frames.flatMap((frame) => decode(yahoo, frame))
    expect(all.map(({ type }) => type)).toEqual(frames.map(() => 'ticker'))
    expect(decode(yahoo, frames[4]!)[0]).toMatchObject({ symbol: 'AAPL', session: 'overnight' })
  })
  test('a message older than the last of its symbol is dropped', () => {
    const session = typed.open({})
    expect(typed.decode(frames[2]!, NOW, session).length).toBe(1)
    expect(typed.decode(frames[3]!, NOW, session)).toEqual([])
  })
})

test('other types of frames mean nothing; what is no message is refused', () => {
  expect(decode(yahoo, { type: 'hello' })).toEqual([])
  expect(decode(yahoo, { type: 'pricing', message: '%%%' })).toEqual([expect.objectContaining({ type: 'refused' })])
  expect(decode(yahoo, { type: 'pricing', message: 7 })).toEqual([expect.objectContaining({ type: 'refused' })])
})

describe('REST', () => {
  const ask = (body: unknown, need: Partial<Need>, session = typed.open({})) =>
    typed.decode(typeof body === 'string' ? body : JSON.stringify(body), NOW, session, {
      type: 'need',
      purpose: 'snapshot',
      path: '',
      ...need
    })

  test('each recorded chart is candles in order without a null, or a refusal in its words', () => {
    for (const { body, url } of recorded('rest-chart')) {
      const symbol = decodeURIComponent(new URL(url).pathname.split('/').at(-1)!)
      const all = ask(body, { purpose: 'history', symbol, interval: '1d' })
      const candles = only('candle', all)
      expect(candles.map(({ start }) => start)).toEqual(candles.map(({ start }) => start).toSorted((a, b) => a - b))
      expect(candles.every((c) => c.symbol === symbol && c.close > 0)).toBe(true)
      expect(all.length - candles.length, url).toBe(0)
    }
  })
  test('each recorded quote is a ticker or an index, or has no price', () => {
    let priced = 0
    for (const { body } of recorded('rest-quote'))
      for (const m of ask(body, {})) {
        if (m.type === 'ticker' || m.type === 'index') priced++
        else expect(m.type).toBe('refused')
      }
    expect(priced).toBe(18)
  })
  test('news has its uuid, its publisher and the symbols it is about', () => {
    const stories = recorded('rest-search-and-news').flatMap(({ body }) => only('news', ask(body, { note: 'news' })))
    expect(stories.length).toBeGreaterThan(5)
    expect(stories.every(({ id, headline, url }) => id.length > 10 && headline !== '' && url !== undefined)).toBe(true)
  })
})

describe('the cookie and the crumb', () => {
  const reply = (text: string, note: string, status = 200, headers: Record<string, string> = {}, session = typed.open({})) => ({
    session,
    meanings: typed.decode(text, NOW, session, { type: 'need', purpose: 'login', path: '', note, answered: { status, headers } })
  })
  test('a 429 is quiet for minutes and its body is never a crumb', () => {
    const { session, meanings } = reply('Too Many Requests\r\n', 'crumb', 429)
    expect(meanings).toEqual([expect.objectContaining({ type: 'quiet', for: 300_000 })])
    expect(session.crumb).toBeUndefined()
    expect(reply('Edge: Too Many Requests', 'crumb', 200).session.crumb).toBeUndefined()
  })
  test.each(['<html>consent</html>', '', '{"finance":{"error":{}}}'])('%j is no crumb', (text) => {
    expect(reply(text, 'crumb').session.crumb).toBeUndefined()
  })
  test('a cookie leads to a crumb, a crumb to quotes of all symbols in one call', () => {
    const session = typed.open({})
    typed.subscribe(
      [
        { kind: 'ticker', symbol: 'AAPL' },
        { kind: 'ticker', symbol: '^GSPC' }
      ],
      session
    )
    const { meanings } = reply('', 'cookie', 404, { 'set-cookie': 'A3=d=x&S=y; Expires=Mon; Path=/, A1=z; Secure' }, session)
    expect(meanings).toMatchObject([
      { type: 'reply', frame: { poll: 'login', need: { headers: { cookie: 'A3=d=x&S=y; A1=z' } } } }
    ])
    const [quotes] = reply('AbC.dEf/123', 'crumb', 200, {}, session).meanings
    expect(quotes).toMatchObject({
      frame: { poll: 'quotes', need: { path: '/v7/finance/quote?symbols=AAPL,%5EGSPC&crumb=AbC.dEf%2F123' } }
    })
  })
  test('an invalid crumb is dropped and asked for once more, not again', () => {
    const session = typed.open({})
    session.crumb = 'old'
    const refused = { finance: { result: null, error: { code: 'Unauthorized', description: 'Invalid Crumb' } } }
    const ask = () =>
      typed.decode(JSON.stringify(refused), NOW, session, {
        type: 'need',
        purpose: 'snapshot',
        path: '',
        answered: { status: 401, headers: {} }
      })
    expect(ask().map(({ type }) => type)).toEqual(['reply', 'reply'])
    expect(ask()).toEqual([expect.objectContaining({ type: 'reject' })])
    expect(session.crumb).toBeUndefined()
  })
})

test.each([
  ['AAPL', 'AAPL', 'AAPL'],
  ['BRK.B', 'BRK-B', 'BRK.B'],
  ['BTC-USD', 'BTC-USD', 'BTC'],
  ['EUR-USD', 'EURUSD=X', 'EUR'],
  ['JPY=X', 'JPY=X', 'USD'],
  ['INDEX:SPX', '^GSPC', 'INDEX:SPX'],
  ['^GSPC', '^GSPC', 'INDEX:SPX'],
  ['NSE:RELIANCE-EQ', 'RELIANCE.NS', 'NSE:RELIANCE-EQ'],
  ['RELIANCE.NS', 'RELIANCE.NS', 'NSE:RELIANCE-EQ']
])('%s is %s there', (text, symbol, base) => {
  expect(typed.identify!(text)).toMatchObject({ symbol, base })
})

test('the whole subscription is said again every 15 s', () => {
  const session = typed.open({})
  const { frame, every } = typed.ping!
  expect([every, typeof frame === 'function' && frame(session)]).toEqual([15_000, undefined])
  typed.subscribe([{ kind: 'ticker', symbol: 'AAPL' }], session)
  expect(typeof frame === 'function' && frame(session)).toBe('{"subscribe":["AAPL"]}')
})

describe('prices as they are', () => {
  /** A message with these fields, numbers in varint and floats, as the stream packs it. */
  const packed = (fields: readonly (readonly [id: number, value: number | string | bigint])[]) => {
    const varint = (n: bigint): number[] => (n < 128n ? [Number(n)] : [Number(n & 127n) | 128, ...varint(n >> 7n)])
    const bytes = fields.flatMap(([id, value]) => {
      const key = (wire: number) => varint(BigInt(id * 8 + wire))
      if (typeof value === 'string') return [...key(2), ...varint(BigInt(value.length)), ...Buffer.from(value)]
      if (typeof value === 'bigint') return [...key(0), ...varint(value)]
      const float = Buffer.alloc(4)
      float.writeFloatLE(value)
      return [...key(5), ...float]
    })
    return Buffer.from(bytes).toString('base64')
  }
  const AT = 1_765_436_844_000n
  const frame = (more: readonly (readonly [number, number | string | bigint])[], id = 'AAPL') =>
    packed([[1, id], [3, AT * 2n], ...more])
  test.each([94_745.08, 24.535, 276.34, 105_123.45, 1_346.86, 0.076522574, 0.00001234, 314.765, 67_123.5])(
    '%d stays %d',
    (price) => {
      expect(decode(yahoo, frame([[2, price]]))).toMatchObject([{ last: price, time: Number(AT) }])
    }
  )
  test('a change has no more decimals than its price', () => {
    expect(
      decode(
        yahoo,
        frame([
          [2, 276.34],
          [12, -2.44000244]
        ])
      )
    ).toMatchObject([{ change: -2.44 }])
  })
  test.each([
    [0n, 'pre'],
    [1n, 'regular'],
    [2n, 'post'],
    [3n, 'closed'],
    [4n, 'overnight']
  ])('market hours %d are %s', (hours, session) => {
    expect(
      decode(
        yahoo,
        frame([
          [2, 1],
          [6, 8n],
          [7, hours]
        ])
      )
    ).toMatchObject([{ session }])
  })
  test('hours that are left out are 0; what trades around the clock is always in its regular session', () => {
    expect(
      decode(
        yahoo,
        frame([
          [2, 1],
          [6, 8n]
        ])
      )
    ).toMatchObject([{ session: 'pre' }])
    for (const type of [14n, 41n])
      expect(
        decode(
          yahoo,
          frame([
            [2, 1],
            [6, type]
          ])
        )
      ).toMatchObject([{ session: 'regular' }])
  })
  test('fields of tomorrow are skipped by their wire type, whatever they are', () => {
    expect(
      decode(
        yahoo,
        frame([
          [46, 1.5],
          [2, 10],
          [47, 2.5],
          [99, 'new'],
          [100, 7n]
        ])
      )
    ).toMatchObject([{ last: 10 }])
  })
  test('a heartbeat says nothing, with a price of 0 or without one', () => {
    expect(
      decode(
        yahoo,
        frame([
          [2, 0],
          [6, 7n]
        ])
      )
    ).toEqual([])
    expect(decode(yahoo, frame([[6, 7n]]))).toEqual([])
  })
  test('an index is an index', () => {
    expect(
      decode(
        yahoo,
        frame(
          [
            [2, 6_000.5],
            [6, 9n]
          ],
          '^GSPC'
        )
      )
    ).toMatchObject([{ type: 'index', symbol: '^GSPC', value: 6_000.5 }])
  })
})

describe('REST of other days', () => {
  const ask = (body: unknown, more: Partial<Need> = {}, session = typed.open({})) =>
    typed.decode(typeof body === 'string' ? body : JSON.stringify(body), NOW, session, {
      type: 'need',
      purpose: 'snapshot',
      path: '',
      ...more
    })
  const quote = (row: object) => ({
    quoteResponse: {
      result: [{ symbol: 'AAPL', quoteType: 'EQUITY', regularMarketPrice: 100, regularMarketTime: 1_739_566_800, ...row }],
      error: null
    }
  })
  test.each([
    ['PRE', { preMarketPrice: 101, preMarketTime: 1_739_610_000 }, { last: 101, time: 1_739_610_000_000, session: 'pre' }],
    ['POST', { postMarketPrice: 102, postMarketTime: 1_739_570_000 }, { last: 102, time: 1_739_570_000_000, session: 'post' }],
    ['POST', {}, { last: 100, session: 'post' }],
    ['REGULAR', { exchangeDataDelayedBy: 15 }, { last: 100, session: 'regular', delayed: 900_000 }],
    ['PREPRE', {}, { session: 'closed' }],
    ['POSTPOST', { postMarketPrice: 102, postMarketTime: 1_739_570_000 }, { last: 100, session: 'closed' }]
  ])('%s %j', (marketState, row, expected) => expect(ask(quote({ marketState, ...row }))).toMatchObject([expected]))
  test('a quote that is older than what streamed says nothing', () => {
    const session = typed.open({})
    session.seen.set('AAPL', { time: 1_739_566_801_000, volume: 0 })
    expect(ask(quote({}), {}, session)).toEqual([])
  })
  const chart = (timestamp: number[], interval: '1d' | '1h' | '1m', regular = 1_740_061_800) =>
    only(
      'candle',
      ask(
        {
          chart: {
            result: [
              {
                meta: { currentTradingPeriod: { regular: { start: regular } } },
                timestamp,
                indicators: {
                  quote: [
                    Object.fromEntries(['open', 'high', 'low', 'close', 'volume'].map((key) => [key, timestamp.map(() => 1)]))
                  ]
                }
              }
            ],
            error: null
          }
        },
        { purpose: 'history', symbol: 'AAPL', interval }
      )
    ).map(({ start }) => start / 1_000)
  test('the live bar begins where its bar begins, hours at half past, days with their session', () => {
    expect(chart([1_740_061_800, 1_740_065_400, 1_740_068_777], '1h')).toEqual([1_740_061_800, 1_740_065_400])
    expect(chart([1_740_061_800, 1_740_065_400, 1_740_069_777], '1h')).toEqual([1_740_061_800, 1_740_065_400, 1_740_069_000])
    expect(chart([1_739_975_400, 1_740_064_321], '1d')).toEqual([1_739_975_400, 1_740_061_800])
    expect(chart([1_740_061_800, 1_740_061_860, 1_740_061_901], '1m')).toEqual([1_740_061_800, 1_740_061_860])
  })
  test('errors are told in Yahoo’s words, under whichever name they come', () => {
    const error = { code: 'Bad Request', description: 'Missing value for the "q" argument' }
    for (const name of ['finance', 'chart', 'quoteResponse'])
      expect(ask({ [name]: { result: null, error } })).toEqual([{ type: 'reject', reason: error.description }])
    expect(ask('<html>consent</html>', { purpose: 'history', symbol: 'AAPL', interval: '1d' })).toMatchObject([
      { type: 'reject', symbol: 'AAPL' }
    ])
  })
})

test.each(['ES=F', 'AAPL251219C00150000'])('%s is its own name', (text) => {
  expect(typed.identify!(text)).toMatchObject({ symbol: text, base: text })
})
