import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Need } from '../../src/providers/adapter.ts'
import { massive as adapter } from '../../src/providers/massive.ts'
import type { Desk, InstrumentInfo } from '../../src/dialects/dialect.ts'
import { massive } from '../../src/dialects/massive.ts'
import { candles, quotes } from './events.ts'
import { asked, connect, createStage, NOW, type Stage, stampOf } from './stage.ts'

const trade = (more: object = {}) => ({
  ...stampOf('trade'),
  id: '7',
  price: 235.5,
  size: 100,
  side: 'unknown' as const,
  ...more
})

/** The stage with a currency pair, an index, a foreign stock and a perpetual beside what it has. */
function wider(): Stage {
  const stage = createStage()
  const more = ['EUR-USD', 'INDEX:SPX', 'LSE:SHEL', 'BTC-USDT-PERP'].map((instrument): InstrumentInfo => {
    const [base = '', quote] = instrument.split('-')
    return { instrument, base, ...(quote && { quote }), providers: [{ provider: 'any', symbol: instrument, trading: true }] }
  })
  const all = [...stage.desk.instruments(), ...more]
  const found = (text: string) => all.find(({ instrument, base, quote = '' }) => [instrument, base + quote].includes(text))
  const desk: Desk = {
    ...stage.desk,
    instruments: () => all,
    instrument: (id) => all.find(({ instrument }) => instrument === id),
    resolve(text) {
      const info = found(text)
      return info ? { ok: true, instrument: info.instrument } : { ok: false, nearest: [] }
    }
  }
  return { ...stage, desk }
}

const AUTH = { action: 'auth', params: 'k' }
const status = (what: string, message: string) => [{ ev: 'status', status: what, message }]
const subscribed = (params: string, path = '/stocks') => {
  const stage = wider()
  const client = connect(stage, massive, path)
  client.send(AUTH)
  client.send({ action: 'subscribe', params })
  return { stage, client }
}
/** The gateway hands on the path decoded. */
const ask = (stage: Stage, url: string) => asked(stage, massive, decodeURIComponent(url))
/** What our adapter makes of the answer to its own question. */
const answered = async (stage: Stage, need: Need) => {
  const { body } = await ask(stage, need.path)
  return adapter.decode(JSON.stringify(body), NOW, adapter.open({}), need)
}

describe('the connection', () => {
  test('it greets, lets in, and answers each item of a subscription by a frame of its own', () => {
    const { client } = subscribed('T.AAPL,Q.*,AM.NOBODY')
    expect(client.taken()).toEqual([
      status('connected', 'Connected Successfully'),
      status('auth_success', 'authenticated'),
      status('success', 'subscribed to: T.AAPL'),
      status('success', 'subscribed to: Q.*'),
      status('success', 'subscribed to: AM.NOBODY')
    ])
    expect(client.topics()).toEqual(['trade:AAPL', 'quote:AAPL', 'quote:SPY'])
  })
  test('what is held already is not answered again', () => {
    const { client } = subscribed('T.AAPL')
    client.take()
    client.send({ action: 'subscribe', params: 'T.AAPL,T.SPY' })
    expect(client.taken()).toEqual([status('success', 'subscribed to: T.SPY')])
  })
  test('unsubscribing is answered item by item, and a topic stays while another channel needs it', () => {
    const { client } = subscribed('T.AAPL,A.AAPL,T.SPY')
    client.take()
    client.send({ action: 'unsubscribe', params: 'T.AAPL,T.SPY' })
    expect(client.taken()).toEqual([status('success', 'unsubscribed to: T.AAPL'), status('success', 'unsubscribed to: T.SPY')])
    expect(client.topics()).toEqual(['trade:AAPL'])
  })
  test('each cluster carries its own market, by the names it has there', () => {
    expect(subscribed('XT.BTC-USD,XQ.*,XT.EUR-USD', '/crypto').client.topics()).toEqual([
      'trade:BTC-USD',
      'quote:BTC-USDT',
      'quote:ETH-USDT',
      'quote:BTC-USD'
    ])
    expect(subscribed('C.EUR/USD,CA.*,C.BTC/USD', '/forex').client.topics()).toEqual(['quote:EUR-USD', 'candle:EUR-USD:1m'])
    expect(subscribed('V.I:SPX,AM.I:SPX', '/indices').client.topics()).toEqual(['index:INDEX:SPX', 'candle:INDEX:SPX:1m'])
    expect(subscribed('T.LSE:SHEL,T.INDEX:SPX', '/stocks').client.topics()).toEqual([])
  })
  test.each([
    ['{', 'error'],
    [[], 'error'],
    [{ action: 'subscribe', params: 'T.AAPL' }, 'error'],
    [{ action: 'auth', params: '' }, 'auth_failed'],
    [{ action: 'auth' }, 'error'],
    [{ action: 'jump', params: 'T.AAPL' }, 'error']
  ])('what is no request, or comes too soon, is answered with a status: %j', (message, what) => {
    const client = connect(createStage(), massive)
    client.take()
    client.send(message)
    expect(client.taken()).toEqual([[{ ev: 'status', status: what, message: expect.any(String) }]])
    expect(client.topics()).toEqual([])
    expect(client.closed() !== undefined).toBe(what === 'auth_failed')
  })
  test('a channel of another cluster is not authorized, and the adapter knows which one is meant', () => {
    const { client } = subscribed('XT.BTC-USD,T.AAPL')
    expect(client.taken().at(-1)).toEqual(status('error', 'not authorized to subscribe to: XT.BTC-USD'))
  })
  test('who does not say who he is within ten seconds is told so and hung up on', () => {
    const client = connect(createStage(), massive)
    client.pass(10_000)
    expect(client.taken().at(-1)).toMatchObject([{ ev: 'status', status: 'auth_timeout' }])
    expect(client.closed()).toBeDefined()
  })
  test('where the gateway wants a token, the key is that token', () => {
    const request = {
      path: '/stocks',
      query: {},
      rest: '',
      session: 's',
      terms: { auth: 'required' as const, heartbeat: { interval: 1, timeout: 2 }, limits: { message: 1, topics: 1 } }
    }
    const { memory } = massive.open(request, createStage().desk, NOW)
    expect(massive.receive(JSON.stringify(AUTH), memory, NOW)).toEqual([{ type: 'authenticate', token: 'k' }])
    expect(massive.receive('{"action":"subscribe","params":"T.AAPL"}', memory, NOW)).toMatchObject([{ bad: true }])
    expect(massive.authenticated!('user', undefined, memory, NOW)).toMatchObject([{ type: 'send' }])
    expect(massive.receive('{"action":"subscribe","params":"T.AAPL"}', memory, NOW)).toMatchObject([{ type: 'subscribe' }])
  })
  test('a topic that the gateway refuses is not authorized', () => {
    const { memory } = massive.open({ path: '/stocks', query: {}, rest: '', session: 's' }, createStage().desk, NOW)
    massive.receive(JSON.stringify(AUTH), memory, NOW)
    const [command] = massive.receive('{"action":"subscribe","params":"T.AAPL"}', memory, NOW)
    if (command?.type !== 'subscribe') throw new Error('nothing was subscribed')
    const refused = { asked: 'trade:AAPL', ok: false, code: 'TOO_MANY_SYMBOLS', message: 'no' } as const
    expect(massive.settled!([refused], command.tag, memory, NOW)).toMatchObject([
      { text: JSON.stringify(status('error', 'not authorized to subscribe to: T.AAPL')) }
    ])
  })
})

describe('events', () => {
  test('what happened before the subscription is not told as if it were live', () => {
    const stage = createStage()
    stage.publish(trade())
    const client = connect(stage, massive)
    client.send(AUTH)
    client.send({ action: 'subscribe', params: 'T.AAPL' })
    expect(
      client
        .taken()
        .flat()
        .filter(({ ev }) => ev === 'T')
    ).toEqual([])
  })
  test('a trade has the fields and the units of the documented sample', () => {
    const { stage, client } = subscribed('T.AAPL')
    client.take()
    stage.publish(trade({ time: NOW + 0.5 }))
    expect(client.taken()).toEqual([[{ ev: 'T', sym: 'AAPL', x: 15, i: '7', z: 3, p: 235.5, s: 100, t: NOW, q: 1 }]])
  })
  test('ids, exchanges and conditions that came from Massive are handed on as they were', () => {
    const sample = { ev: 'T', sym: 'AAPL', x: 4, i: '12-a', z: 3, p: 1.5, s: 3, c: [0, 12], t: NOW, q: 1, trfi: 202 }
    const [event] = adapter.decode(JSON.stringify([sample]), NOW, adapter.open({}))
    if (event?.type !== 'trade') throw new Error('no trade')
    const { symbol, ...more } = event
    const { stage, client } = subscribed('T.AAPL')
    client.take()
    stage.publish({ ...more, provider: 'massive', instrument: symbol, received: NOW })
    expect(client.taken()).toEqual([[sample]])
  })
  test('an odd lot and a trade out of hours say so by a condition', () => {
    const { stage, client } = subscribed('T.AAPL')
    client.take()
    stage.publish(trade({ ineligible: true, session: 'pre', conditions: ['I', '9'] }))
    expect(client.taken()[0]![0].c).toEqual([37, 12])
  })
  test('quotes of before 3 November 2025 count in lots of a hundred', () => {
    const { stage, client } = subscribed('Q.AAPL')
    client.take()
    const quote = { ...stampOf('quote'), bid: 1, bidSize: 300, ask: 2, askSize: 400 }
    stage.publish({ ...quote, time: 1_700_000_000_000 })
    stage.publish(quote)
    expect(client.taken().map(([{ bs, as }]) => [bs, as])).toEqual([
      [3, 4],
      [300, 400]
    ])
  })
  test('a minute is told once, when it is over and had a trade', () => {
    const { stage, client } = subscribed('AM.AAPL')
    client.take()
    const bar = { ...stampOf('candle'), interval: '1m', start: NOW, open: 1, high: 3, low: 1, close: 2, volume: 10 } as const
    stage.publish({ ...stampOf('ticker'), last: 2, open: 1.5, high: 4, low: 1, volume: 5_000 })
    stage.publish({ ...bar, closed: false, trades: 2, revision: 0 })
    stage.publish({ ...bar, closed: true, trades: 0, revision: 0 })
    stage.publish({ ...bar, closed: true, trades: 4, revision: 0 })
    stage.publish({ ...bar, closed: true, trades: 5, revision: 1 })
    const own = { o: 1, c: 2, h: 3, l: 1, v: 10, vw: 2, z: 3, s: NOW, e: NOW + 60_000 }
    expect(client.taken()).toEqual([[{ ev: 'AM', sym: 'AAPL', ...own, av: 5_000, op: 1.5, a: 2.33333333 }]])
  })
  test('a second is folded from its trades, told once it is over, and not told again', () => {
    const { stage, client } = subscribed('A.AAPL')
    client.take()
    for (const [price, size, at] of [
      [10, 1, 0],
      [12, 3, 400],
      [11, 2, 900]
    ] as const)
      stage.publish(trade({ price, size, time: NOW + at }))
    client.pass(900)
    expect(client.take()).toEqual([])
    client.pass(250)
    const bar = { ev: 'A', sym: 'AAPL', o: 10, h: 12, l: 10, c: 11, v: 6, z: 2, s: NOW, e: NOW + 1_000 }
    expect(client.taken()).toMatchObject([[{ ...bar, vw: 11.33333333 }]])
    stage.publish(trade({ time: NOW + 950 }))
    stage.publish(trade({ price: 9, time: NOW + 1_500 }))
    client.pass(1_000)
    expect(client.taken()).toMatchObject([[{ o: 9, s: NOW + 1_000 }]])
    client.pass(10_000)
    expect(client.take()).toEqual([])
  })
  test('a later second ends the one before it, also where the data are late', () => {
    const { stage, client } = subscribed('XAS.BTC-USD', '/crypto')
    client.take()
    for (const at of [0, 1_000, 2_000]) stage.publish({ ...trade({ time: NOW - 900_000 + at }), instrument: 'BTC-USD' }, NOW)
    client.pass(250)
    expect(client.taken()).toMatchObject([
      [
        { ev: 'XAS', pair: 'BTC-USD', s: NOW - 900_000 },
        { ev: 'XAS', s: NOW - 899_000 }
      ]
    ])
  })
  test('a price band has its time in microseconds, and an index its value', () => {
    const stocks = subscribed('LULD.AAPL')
    stocks.client.take()
    stocks.stage.publish({ ...stampOf('band'), up: 200, down: 180, indicator: '21' })
    const [band] = stocks.client.take().flatMap((text) => adapter.decode(text, NOW, adapter.open({})))
    expect(band).toEqual({ type: 'band', symbol: 'AAPL', time: NOW, up: 200, down: 180, indicator: '21' })
    const indices = subscribed('V.I:SPX', '/indices')
    indices.client.take()
    indices.stage.publish({ ...stampOf('index', 'INDEX:SPX'), value: 6_000.5 })
    expect(indices.client.taken()).toEqual([[{ ev: 'V', val: 6_000.5, T: 'I:SPX', t: NOW }]])
  })
  test('any quote of a currency pair comes back with both prices, and without sizes', () => {
    const { stage, client } = subscribed('C.EUR/USD', '/forex')
    client.take()
    fc.assert(
      fc.property(quotes('EUR-USD'), (quote) => {
        stage.publish(quote)
        const { bid, ask, time } = quote
        expect(client.take().flatMap((text) => adapter.decode(text, NOW, adapter.open({})))).toEqual([
          { type: 'quote', symbol: 'C:EUR/USD', time, bid, bidSize: 0, ask, askSize: 0 }
        ])
      })
    )
  })
  test('a book of crypto is told whole, a hundred levels a side', () => {
    const { stage, client } = subscribed('XL2.BTC-USD', '/crypto')
    client.take()
    const bids = Array.from({ length: 150 }, (_, i) => [1_000 - i, 1] as const)
    stage.publish({ ...stampOf('book', 'BTC-USD'), bids, asks: [[1_001, 2]] })
    const [[row]] = client.taken() as [[any]]
    expect(row).toMatchObject({ ev: 'XL2', pair: 'BTC-USD', a: [[1_001, 2]], t: NOW })
    expect(row.b).toHaveLength(100)
  })
  test('what is due at once leaves in one array', () => {
    expect(massive.frame!(['{"ev":"T"}', '{"ev":"Q"}'])).toBe('[{"ev":"T"},{"ev":"Q"}]')
  })
})

describe('REST', () => {
  test('the adapter walks the listing from market to market and finds every instrument that has a name there', async () => {
    const stage = wider()
    const rows: { symbol: string; base: string; quote?: string }[] = []
    for (let need: Need | undefined = { type: 'need', purpose: 'listing', path: adapter.listing! }; need;) {
      const meanings = await answered(stage, need)
      need = undefined
      for (const meaning of meanings)
        if (meaning.type === 'listing') rows.push(...meaning.rows)
        else if (meaning.type === 'need') need = meaning
    }
    expect(rows.map(({ symbol, base, quote }) => [symbol, base, quote])).toEqual([
      ['AAPL', 'AAPL', undefined],
      ['SPY', 'SPY', undefined],
      ['X:BTC-USDT', 'BTC', 'USDT'],
      ['X:ETH-USDT', 'ETH', 'USDT'],
      ['X:BTC-USD', 'BTC', 'USD'],
      ['C:EUR/USD', 'EUR', 'USD'],
      ['I:SPX', 'INDEX:SPX', undefined]
    ])
  })
  test.each([
    ['AAPL', 'AAPL'],
    ['X:BTC-USD', 'BTC-USD']
  ])('past bars of %s decode to the candles that were published', async (symbol, instrument) => {
    const stage = createStage()
    const [candle] = fc.sample(candles(instrument, '1m'), 1)
    stage.publish({ ...candle!, start: NOW - 600_000, closed: true })
    const { open, high, low, close, volume, trades } = candle!
    expect(await answered(stage, adapter.history!(symbol, '1m', 10, NOW, {}))).toMatchObject([
      { type: 'candle', symbol, start: NOW - 600_000, open, high, low, close, volume, trades }
    ])
  })
  test('bars without any are an answer without results, and those nobody keeps are refused', async () => {
    const none = await ask(createStage(), '/v2/aggs/ticker/AAPL/range/1/day/2026-01-01/2026-01-10')
    expect(none).toMatchObject({ status: 200, body: { ticker: 'AAPL', resultsCount: 0, status: 'OK' } })
    expect(none.body.results).toBeUndefined()
    for (const path of ['range/7/minute/1/2', 'range/1/week/1/2', 'range/1/day/soon/2'])
      expect(await ask(createStage(), `/v2/aggs/ticker/AAPL/${path}`)).toMatchObject({ status: 400, body: { status: 'ERROR' } })
  })
  test('trades that were missed are found again', async () => {
    const stage = createStage()
    for (const at of [-20_000, -10_000, 0]) stage.publish(trade({ time: NOW + at, id: String(at + 50_000) }))
    const found = await answered(stage, adapter.fill!('AAPL', NOW - 15_000, NOW + 1, {})!)
    expect(found.map((one) => one.type === 'trade' && one.id)).toEqual(['20468-15-40000', '20468-15-50000'])
  })
  test('a snapshot serves the adapter as a ticker, and holds the last of each kind', async () => {
    const stage = createStage()
    stage.publish({ ...stampOf('ticker'), last: 235.5, open: 230, high: 240, low: 229, volume: 7, prevClose: 231, change: 4.5 })
    stage.publish(trade())
    stage.publish({ ...stampOf('quote'), bid: 235.4, bidSize: 100, ask: 235.6, askSize: 200 })
    const { body } = await ask(stage, '/v2/snapshot/locale/us/markets/stocks/tickers/AAPL')
    expect(body.ticker).toMatchObject({
      day: { c: 235.5, o: 230 },
      lastTrade: { p: 235.5, s: 100, i: '7' },
      lastQuote: { P: 235.6, S: 200, p: 235.4, s: 100 },
      prevDay: { c: 231 },
      todaysChange: 4.5
    })
    const [poll] = adapter.subscribe([{ kind: 'ticker', symbol: 'AAPL' }], adapter.open({})) as unknown as [{ need: Need }]
    expect(await answered(stage, poll.need)).toMatchObject([
      { type: 'ticker', symbol: 'AAPL', last: 235.5, open: 230, high: 240, low: 229, volume: 7, prevClose: 231, change: 4.5 }
    ])
  })
  test('the last trade and quote are told, the capitals of the ask', async () => {
    const stage = createStage()
    expect(await ask(stage, '/v2/last/trade/AAPL')).toMatchObject({ status: 404, body: { status: 'NOT_FOUND' } })
    stage.publish(trade())
    stage.publish({ ...stampOf('quote'), bid: 1, bidSize: 3, ask: 2, askSize: 4 })
    expect((await ask(stage, '/v2/last/trade/AAPL')).body.results).toMatchObject({ T: 'AAPL', p: 235.5, s: 100, i: '7' })
    expect((await ask(stage, '/v2/last/nbbo/AAPL')).body.results).toMatchObject({ P: 2, S: 4, p: 1, s: 3 })
  })
  test('the last trade and quote of a pair are told by its two names', async () => {
    const stage = wider()
    stage.publish({ ...trade({ side: 'buy' }), instrument: 'BTC-USD' })
    stage.publish({ ...stampOf('quote', 'EUR-USD'), bid: 1.1, bidSize: 0, ask: 1.2, askSize: 0 })
    const last = { conditions: [2], exchange: 1, price: 235.5, size: 100, timestamp: NOW }
    expect((await ask(stage, '/v1/last/crypto/BTC/USD')).body).toMatchObject({ last, status: 'success', symbol: 'BTC-USD' })
    expect((await ask(stage, '/v1/last_quote/currencies/EUR/USD')).body.last).toMatchObject({ ask: 1.2, bid: 1.1 })
    expect(await ask(stage, '/v1/last/crypto/EUR/USD')).toMatchObject({ status: 404 })
  })
  test('news decode to the stories that were told', async () => {
    const stage = createStage()
    const said = { id: 'n1', headline: 'H', summary: 'S', url: 'https://a.example/1', source: 'W', instruments: ['AAPL'] }
    stage.publish({ ...stampOf('news', 'all'), ...said })
    const need: Need = { type: 'need', purpose: 'snapshot', path: '/v2/reference/news?limit=50&order=desc', note: 'news' }
    const { instruments: symbols, ...more } = said
    expect(await answered(stage, need)).toMatchObject([{ type: 'news', time: NOW, ...more, symbols }])
  })
  test.each([
    ['/v3/trades/NOBODY', 404],
    ['/v2/snapshot/locale/us/markets/stocks/tickers/AAPL', 404],
    ['/v2/aggs/ticker/X:NOPE/prev', 404],
    ['/v3/reference/tickers?apiKey=', 401]
  ])('%s is refused with %i', async (url, status) => {
    expect(await ask(createStage(), url)).toMatchObject({ status })
  })
})
