import { describe, expect, test } from 'vitest'
import type { Access, Meaning, Need } from '../../src/providers/adapter.ts'
import { alpaca } from '../../src/providers/alpaca.ts'
import { countsOf, only, rows } from './captures.ts'

const access = { key: 'K', secret: 'S' }
const NOW = 1_700_000_000_000
const bodies = rows<{ test: string; body: Record<string, unknown> }>('alpaca/rest-responses-py-sdk.jsonl').concat(
  rows('alpaca/rest-responses-go-sdk.jsonl')
)
/** Some tests of the SDKs share a name: `holding` tells them apart. */
const bodyOf = (name: string, holding = '') => {
  const found = bodies.find(({ test: title, body }) => title === name && JSON.stringify(body).includes(holding))
  if (!found) throw new Error(`no body of ${name}`)
  return found.body
}
const need = (purpose: Need['purpose'], more: Partial<Need> = {}): Need => ({ type: 'need', purpose, path: '', ...more })
const hear = (body: unknown, asked: Need, session = alpaca.open(access)): readonly Meaning[] =>
  alpaca.decode(JSON.stringify(body), NOW, session, asked)

describe('paths', () => {
  const history = (symbol: string, more: Access = {}) =>
    decodeURIComponent(alpaca.history!(symbol, '1m', 10, Date.parse('2026-06-17T15:00:00Z'), { ...access, ...more }).path)

  test('bars of stocks are adjusted and of the feed chosen; those of crypto are of its place', () => {
    expect(history('AAPL')).toBe(
      '/v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2026-06-13T14:00:00.000Z&limit=10&sort=desc&adjustment=split&feed=iex'
    )
    expect(history('AAPL', { feed: 'sip' })).toMatch(/&feed=sip$/)
    expect(history('BTC/USD')).toBe(
      '/v1beta3/crypto/us/bars?symbols=BTC/USD&timeframe=1Min&start=2026-06-13T14:00:00.000Z&limit=10&sort=desc'
    )
    expect(history('BTC/USD', { options: { crypto: 'eu-1' } })).toMatch(/^\/v1beta3\/crypto\/eu-1\//)
    expect(alpaca.history!('AAPL', '1d', 10_000, NOW, access).path).toContain('start=2016-01-01')
  })

  test('the delayed feed asks for nothing younger than a quarter of an hour', () => {
    expect(history('AAPL', { feed: 'delayed_sip' })).toMatch(
      /&end=2026-06-17T14:44:00.000Z&limit=10&sort=desc&adjustment=split&feed=sip$/
    )
    expect(alpaca.fill!('AAPL', NOW - 60_000, NOW, { ...access, feed: 'delayed_sip' })).toBeUndefined()
  })

  test('trades after a break are asked for from the last one, oldest first', () => {
    expect(decodeURIComponent(alpaca.fill!('BTC/USD', 0, 60_000, access)!.path)).toBe(
      '/v1beta3/crypto/us/trades?symbols=BTC/USD&start=1970-01-01T00:00:00.000Z&end=1970-01-01T00:01:00.000Z&limit=10000&sort=asc'
    )
    expect(alpaca.fill!('AAPL', 0, 60_000, access)!.path).toMatch(/^\/v2\/stocks\/trades\?symbols=AAPL&.*&feed=iex$/)
  })
})

describe('recorded answers', () => {
  test('bars are candles, oldest first, whatever their order; of one symbol where one was asked', () => {
    const asked = alpaca.history!('TSLA', '1d', 3, NOW, access)
    const candles = only('candle', hear(bodyOf('test_get_bars_desc'), asked))
    expect(candles.map((c) => [c.start, c.close, c.closed])).toEqual([
      [Date.parse('2023-09-25T04:00:00Z'), 246.99, true],
      [Date.parse('2023-09-26T04:00:00Z'), 244.12, true],
      [Date.parse('2023-09-27T04:00:00Z'), 240.5, true]
    ])
    const one = hear(bodyOf('test_multisymbol_get_bars', '"AAPL":'), need('history', { symbol: 'AAPL', interval: '1d' }))
    expect(only('candle', one).map(({ symbol, volume }) => [symbol, volume])).toEqual([['AAPL', 88_496_480]])
    const crypto = hear(bodyOf('TestGetCryptoBars'), need('history', { symbol: 'BCH/USD', interval: '1m' }))
    expect(only('candle', crypto)[0]).toMatchObject({ symbol: 'BCH/USD', close: 679.26, volume: 3.67960285, trades: 10 })
    expect(hear({ bars: {}, next_page_token: null }, asked)).toEqual([])
    expect(hear({ bars: null, next_page_token: null }, asked)).toEqual([])
  })

  test('a page that is not all of it names the next', () => {
    const asked = alpaca.history!('META', '1d', 10, NOW, access)
    const [next] = only('need', hear(bodyOf('TestGetBars_Asof'), asked))
    expect(next).toEqual({
      ...asked,
      path: `${asked.path}&page_token=${encodeURIComponent('TUVUQXxEfDIwMjItMDYtMDlUMDQ6MDA6MDAuMDAwMDAwMDAwWg==')}`
    })
    const all = alpaca.history!('META', '1d', 2, NOW, access)
    expect(countsOf(hear(bodyOf('TestGetBars_Asof'), all))).toEqual({ candle: 2 })
    const [third] = only('need', hear({ trades: {}, next_page_token: 'b' }, { ...next!, purpose: 'trades' }))
    expect(third!.path).toBe(`${asked.path}&page_token=b`)
  })

  test('trades after a break bear the ids of the stream', () => {
    const stock = only('trade', hear(bodyOf('test_multisymbol_get_trades'), need('trades', { symbol: 'AAPL' })))
    expect(stock).toEqual([
      {
        type: 'trade',
        symbol: 'AAPL',
        id: '19060-D-151',
        time: expect.closeTo(Date.parse('2022-03-09T05:00:02.183Z'), 2),
        price: 159.07,
        size: 1,
        side: 'unknown',
        venue: 'D',
        conditions: ['@', 'T', 'I'],
        ineligible: true,
        session: 'overnight'
      }
    ])
    const crypto = only('trade', hear(bodyOf('test_get_crypto_trades'), need('trades', { symbol: 'BTC/USD' })))
    expect(crypto).toMatchObject([{ id: '19060-293648598', side: 'buy', price: 41516.08, size: 0.00315427 }])
  })

  test('snapshots are tickers with yesterday; a symbol that is not there is left out', () => {
    const session = alpaca.open({ ...access, feed: 'sip' })
    expect(hear(bodyOf('TestSnapshots'), need('snapshot'), session)).toEqual([
      {
        type: 'ticker',
        symbol: 'AAPL',
        time: expect.closeTo(Date.parse('2021-05-03T14:48:06.563Z'), 2),
        last: 133.4201,
        open: 132.04,
        high: 134.07,
        low: 131.83,
        volume: 25_846_800,
        change: expect.closeTo(1.3801, 6),
        changePercent: expect.closeTo(1.0452, 4),
        prevClose: 131.46,
        session: 'regular'
      },
      expect.objectContaining({ symbol: 'MSFT', last: 253.8738 })
    ])
    expect(only('ticker', hear(bodyOf('TestSnapshots'), need('snapshot')))[0]).not.toHaveProperty('volume')
    const pairs = hear(bodyOf('test_crypto_get_snapshot'), need('snapshot'), alpaca.open(access, 'crypto'))
    expect(pairs).toMatchObject([
      { symbol: 'ETH/USD', last: 3373.04, volume: 112_120.6572392, prevClose: 3319.46 },
      { symbol: 'BTC/USD', last: 47_537.64 }
    ])
    expect(hear({}, need('snapshot'))).toEqual([])
  })

  test('what the stream told already is newer than a snapshot', () => {
    const session = alpaca.open(access)
    alpaca.decode('[{"T":"success","msg":"authenticated"}]', 0, session)
    alpaca.subscribe([{ kind: 'ticker', symbol: 'AAPL' }], session)
    const trade = { T: 't', S: 'AAPL', i: 1, x: 'V', p: 134, s: 100, c: ['@'], z: 'C', t: '2021-05-03T14:48:07Z' }
    alpaca.decode(JSON.stringify([trade]), 0, session)
    expect(only('ticker', hear(bodyOf('TestSnapshots'), need('snapshot'), session)).map(({ symbol }) => symbol)).toEqual(['MSFT'])
    const next = JSON.stringify([{ ...trade, t: '2021-05-03T14:48:08Z' }])
    expect(only('ticker', alpaca.decode(next, 0, session))).toMatchObject([{ last: 134, open: 132.04, prevClose: 131.46 }])
  })

  test('the latest quotes and books', () => {
    expect(hear(bodyOf('TestLatestCryptoQuote'), need('snapshot'))).toMatchObject([
      { type: 'quote', symbol: 'BCH/USD', bid: 564.52, bidSize: 44.2403 }
    ])
    expect(hear(bodyOf('test_get_latest_quote'), need('snapshot'))).toMatchObject([
      { type: 'quote', symbol: 'AAPL', bid: 161.1, bidSize: 200, askSize: 1_300 }
    ])
    const book = { orderbooks: { 'BTC/USD': { a: [{ p: 2, s: 1 }], b: [{ p: 1, s: 3 }], t: '2024-03-12T10:38:50.79Z' } } }
    expect(hear(book, need('book', { symbol: 'BTC/USD' }))).toMatchObject([
      { type: 'delta', symbol: 'BTC/USD', snapshot: true, bids: [[1, 3]], asks: [[2, 1]] }
    ])
  })

  test('[S0-27] the latest news, oldest first, are backlog but for those of the last minutes', () => {
    const asked = need('snapshot', { note: 'news' })
    const stories = only('news', hear(bodyOf('TestGetNews'), asked))
    expect(stories.map(({ id, backlog, symbols }) => [id, backlog, symbols.length])).toEqual([
      ['20472512', true, 11],
      ['20472678', true, 3]
    ])
    expect(stories[1]).toMatchObject({
      headline: 'CEO John Krafcik Leaves Waymo',
      summary: 'Waymo’s chief technology officer and its chief operating officer will serve as co-CEOs.'.replace('’', "'"),
      image: expect.stringContaining('2048x1536') as string
    })
    const fresh = alpaca.decode(
      JSON.stringify(bodyOf('TestGetNews')),
      Date.parse('2021-04-03T15:36:00Z'),
      alpaca.open(access),
      asked
    )
    expect(only('news', fresh).map(({ backlog }) => backlog)).toEqual([true, undefined])
    const session = alpaca.open(access, 'news')
    alpaca.decode('[{"T":"success","msg":"authenticated"}]', 0, session)
    alpaca.subscribe([{ kind: 'news', symbol: '*' }], session)
    const joined = alpaca.decode('[{"T":"subscription","news":["*"]}]', 0, session)
    expect(joined).toMatchObject([
      { type: 'ack', kind: 'news', symbol: '*' },
      { type: 'need', note: 'news' }
    ])
    expect(countsOf(alpaca.decode('[{"T":"subscription","news":["*"]}]', 0, session))).toEqual({ ack: 1 })
  })

  test('no recorded answer for stocks and crypto is refused, whatever was asked', () => {
    const market = bodies.filter(({ body }) => ['bars', 'trades', 'quotes', 'snapshots'].some((name) => name in body))
    expect(market.length).toBeGreaterThan(35)
    for (const { body } of market)
      for (const asked of [need('history', { interval: '1d' }), need('trades'), need('snapshot')])
        expect(countsOf(hear(body, asked))).not.toHaveProperty('refused')
  })
})

describe('listing', () => {
  const first = need('listing', { path: alpaca.listing! })

  test('assets are stocks without a quote currency; the pairs are the next page', () => {
    const [listing, next] = hear(bodyOf('test_get_all_assets'), first)
    expect(listing).toEqual({
      type: 'listing',
      rows: [{ symbol: 'AAPL', base: 'AAPL', calendar: 'XNYS', name: 'Apple Inc. Common Stock', trading: true }]
    })
    expect(next).toEqual({ type: 'need', purpose: 'listing', path: '/v2/assets?status=active&asset_class=crypto' })
    const elsewhere = hear([], need('listing', { path: `https://paper-api.alpaca.markets${alpaca.listing!}` }))
    expect(only('need', elsewhere)[0]!.path).toBe('https://paper-api.alpaca.markets/v2/assets?status=active&asset_class=crypto')
  })

  test('a pair is of base and quote, and answers to its name without a slash', () => {
    const row = {
      class: 'crypto',
      symbol: 'BTC/USD',
      name: 'Bitcoin  / US Dollar',
      status: 'active',
      tradable: true,
      min_trade_increment: '0.000000001',
      price_increment: '0.01'
    }
    const page = need('listing', { path: '/v2/assets?status=active&asset_class=crypto' })
    expect(
      hear([row, { ...row, class: 'us_option', symbol: 'AAPL240119C00100000' }, { ...row, symbol: 'BTCUSD' }, null], page)
    ).toEqual([
      {
        type: 'listing',
        rows: [
          {
            symbol: 'BTC/USD',
            base: 'BTC',
            quote: 'USD',
            calendar: '24/7',
            aliases: ['BTCUSD'],
            name: 'Bitcoin / US Dollar',
            trading: true,
            priceDecimals: 2,
            sizeDecimals: 9
          }
        ]
      }
    ])
  })

  test('the pretended stock is listed where its feed is chosen', () => {
    const [listing] = only('listing', hear([], first, alpaca.open({ ...access, feed: 'test' })))
    expect(listing!.rows.map(({ symbol }) => symbol)).toEqual(['FAKEPACA'])
  })
})

describe('refusals', () => {
  test('what the plan does not hold is said with what to do', () => {
    const body = { code: 42210000, message: 'subscription does not permit querying recent SIP data.' }
    const asked = need('history', { symbol: 'AAPL', interval: '1m', answered: { status: 403, headers: {} } })
    expect(hear(body, asked)).toEqual([
      {
        type: 'reject',
        symbol: 'AAPL',
        reason:
          'subscription does not permit querying recent SIP data: the free plan has it only 15 minutes later; choose feed "iex" or "delayed_sip", or take the paid plan'
      }
    ])
    expect(hear({ code: 40110000, message: 'request is not authorized' }, need('listing'))).toEqual([
      { type: 'reject', reason: 'request is not authorized' }
    ])
    expect(hear(bodyOf('TestDefaultDo_Error'), need('snapshot'))).toEqual([{ type: 'reject', reason: 'custom error message' }])
  })

  test('too many requests ask for quiet, for as long as the headers say', () => {
    const after = (headers: Record<string, string>) =>
      hear({ message: 'too many requests.' }, need('snapshot', { answered: { status: 429, headers } }))
    expect(after({ 'retry-after': '7' })).toEqual([{ type: 'quiet', for: 7_000, reason: 'too many requests.' }])
    expect(after({ 'x-ratelimit-reset': String(NOW / 1_000 + 12) })).toMatchObject([{ for: 12_000 }])
    expect(after({})).toMatchObject([{ for: 60_000 }])
  })

  test.each([[null], [7], ['x'], [[]], [{ bars: 7 }], [{ bars: { AAPL: [null] } }], [{ trades: { AAPL: 'x' } }], [{ news: {} }]])(
    'an answer %j is nothing or refused',
    (body) => {
      for (const asked of [
        need('history', { interval: '1m' }),
        need('trades'),
        need('snapshot'),
        need('snapshot', { note: 'news' })
      ])
        for (const { type } of hear(body, asked)) expect(['refused', 'reject']).toContain(type)
    }
  )
})

describe('account', () => {
  const mine = { key: 'PK1', secret: 'S', account: true } as const
  const ACCOUNT = {
    id: 'e6fe',
    account_number: '010203ABCD',
    status: 'ACTIVE',
    currency: 'USD',
    cash: '-23140.2',
    equity: '103820.56',
    multiplier: '4',
    pattern_day_trader: false
  }
  const asked = (path: string) => need('snapshot', { path, note: path.slice(path.lastIndexOf('/') + 1) })
  const all = (['position', 'account', 'order'] as const).map((kind) => ({ kind, symbol: '*' }))

  test('nobody asks for it unless the user said so', () => {
    expect(alpaca.subscribe(all, alpaca.open(access, 'account'))).toEqual([])
  })

  test('the account is asked first, by the key of paper or of money, then its positions and orders', () => {
    const session = alpaca.open(mine, 'account')
    expect(alpaca.subscribe(all, session)).toMatchObject([
      { poll: 'account', every: 30_000, need: { path: 'https://paper-api.alpaca.markets/v2/account' } }
    ])
    expect(alpaca.greet!(session)).toEqual(['{"action":"authenticate","data":{"key_id":"PK1","secret_key":"S"}}'])
    expect(
      alpaca.decode('{"stream":"authorization","data":{"status":"authorized","action":"authenticate"}}', 0, session)
    ).toEqual([])
    const meanings = hear(ACCOUNT, asked('https://paper-api.alpaca.markets/v2/account'), session)
    expect(only('account', meanings)).toEqual([
      {
        type: 'account',
        symbol: '*',
        time: NOW,
        account: '010203ABCD',
        currency: 'USD',
        values: { cash: -23140.2, equity: 103820.56, multiplier: 4 }
      }
    ])
    expect(only('reply', meanings)).toMatchObject([
      { frame: { poll: 'positions', need: { path: 'https://paper-api.alpaca.markets/v2/positions' } } },
      { frame: '{"action":"listen","data":{"streams":["trade_updates"]}}' }
    ])
    expect(countsOf(hear(ACCOUNT, asked('/v2/account'), session))).toEqual({ account: 1 })
    const live = alpaca.open({ ...mine, key: 'AK1' }, 'account')
    expect(alpaca.subscribe(all, live)).toMatchObject([{ need: { path: 'https://api.alpaca.markets/v2/account' } }])
    expect(alpaca.unsubscribe(all, session)).toEqual([
      { poll: 'account', every: 30_000 },
      { poll: 'positions', every: 15_000 }
    ])
  })

  test('positions are signed by their side; one that is gone is told as nothing', () => {
    const session = alpaca.open(mine, 'account')
    hear(ACCOUNT, asked('/v2/account'), session)
    const recorded = bodyOf('test_get_all_positions') as unknown as Record<string, unknown>[]
    expect(hear(recorded, asked('/v2/positions'), session)).toEqual([
      { type: 'ack', kind: 'position', symbol: '*' },
      {
        type: 'position',
        symbol: 'AAPL',
        time: NOW,
        account: '010203ABCD',
        quantity: 5,
        currency: 'USD',
        averagePrice: 100,
        marketPrice: 120,
        marketValue: 600,
        unrealised: 100
      }
    ])
    const short = [
      { ...recorded[0], symbol: 'TSLA', side: 'short', qty: '3' },
      { symbol: 'X', qty: 'many' }
    ]
    expect(hear(short, asked('/v2/positions'), session)).toMatchObject([
      { type: 'ack' },
      { symbol: 'TSLA', quantity: -3 },
      { type: 'refused' },
      { symbol: 'AAPL', quantity: 0 }
    ])
  })

  test('what becomes of an order, in text or in bytes', () => {
    const session = alpaca.open(mine, 'account')
    const order = {
      id: '7b76',
      symbol: 'TSLA',
      side: 'buy',
      qty: '100',
      filled_qty: '40',
      filled_avg_price: '179.08',
      limit_price: '180',
      status: 'partially_filled'
    }
    const update = { stream: 'trade_updates', data: { event: 'partial_fill', timestamp: '2018-02-28T20:38:22Z', order } }
    const expected = [
      {
        type: 'order',
        symbol: 'TSLA',
        time: Date.parse('2018-02-28T20:38:22Z'),
        account: 'unknown',
        id: '7b76',
        state: 'partial',
        side: 'buy',
        quantity: 100,
        filled: 40,
        price: 180,
        averagePrice: 179.08,
        reason: 'partial_fill'
      }
    ]
    expect(alpaca.decode(JSON.stringify(update), NOW, session)).toEqual(expected)
    expect(alpaca.decode(new TextEncoder().encode(JSON.stringify(update)), NOW, session)).toEqual(expected)
    expect(alpaca.decode('{"stream":"authorization","data":{"status":"unauthorized"}}', 0, session)).toMatchObject([
      { type: 'reject', denied: true }
    ])
    expect(alpaca.decode('{"stream":"listening","data":{"streams":["trade_updates"]}}', 0, session)).toEqual([
      { type: 'ack', kind: 'order', symbol: '*' }
    ])
    expect(alpaca.decode('{"stream":"trade_updates","data":{}}', 0, session)).toMatchObject([{ type: 'refused' }])
    expect(alpaca.decode('{}', 0, session)).toMatchObject([{ type: 'refused' }])
  })
})
