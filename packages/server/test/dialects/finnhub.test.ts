import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Need } from '../../src/providers/adapter.ts'
import { finnhub as adapter } from '../../src/providers/finnhub.ts'
import { finnhub } from '../../src/dialects/finnhub.ts'
import { candles } from './events.ts'
import { asked, connect, createStage, NOW, type Stage, stampOf } from './stage.ts'

const trade = (more: object = {}) => ({ ...stampOf('trade'), price: 235.5, size: 100, side: 'unknown' as const, ...more })
const on = (stage: Stage, token: string | undefined = 'k') => connect(stage, finnhub, '/', token === undefined ? {} : { token })
const subscribed = (...symbols: string[]) => {
  const stage = createStage()
  const client = on(stage)
  for (const symbol of symbols) client.send({ type: 'subscribe', symbol })
  return { stage, client }
}
const ask = (stage: Stage, url: string) => asked(stage, finnhub, url)
const answered = async (stage: Stage, need: Need) => {
  const { body } = await ask(stage, need.path)
  return adapter.decode(JSON.stringify(body), NOW, adapter.open({}), need)
}

describe('the connection', () => {
  test('nothing answers a subscription but its trades', () => {
    const { stage, client } = subscribed('AAPL', 'ANY:BTC-USDT')
    expect(client.take()).toEqual([])
    expect(client.topics()).toEqual(['trade:AAPL', 'trade:BTC-USDT'])
    stage.publish(trade({ time: NOW + 0.5 }))
    stage.publish({ ...trade({ price: 95_000.5, size: 0.001 }), instrument: 'BTC-USDT' })
    expect(client.taken()).toEqual([
      { data: [{ c: ['1'], p: 235.5, s: 'AAPL', t: NOW, v: 100 }], type: 'trade' },
      { data: [{ c: null, p: 95_000.5, s: 'ANY:BTC-USDT', t: NOW, v: 0.001 }], type: 'trade' }
    ])
  })
  test('trades due at once leave in one frame, whatever their symbols', () => {
    const frame = finnhub.frame!(['{"s":"AAPL"}', '{"s":"SPY"}'])
    expect(JSON.parse(frame)).toEqual({ data: [{ s: 'AAPL' }, { s: 'SPY' }], type: 'trade' })
  })
  test('what is unsubscribed is silent, also without an answer', () => {
    const { stage, client } = subscribed('AAPL', 'SPY')
    client.send({ type: 'unsubscribe', symbol: 'AAPL' })
    client.send({ type: 'unsubscribe', symbol: 'MSFT' })
    stage.publish(trade())
    expect(client.take()).toEqual([])
    expect(client.topics()).toEqual(['trade:SPY'])
  })
  test('it pings once a minute', () => {
    const { client } = subscribed()
    client.pass(59_000)
    expect(client.take()).toEqual([])
    client.pass(1_000)
    client.pass(1_000)
    expect(client.taken()).toEqual([{ type: 'ping' }])
  })
  test.each([undefined, ''])('without a token (%j) nobody stays', (token) => {
    const client = connect(createStage(), finnhub, '/', token === undefined ? {} : { token })
    expect(client.taken()).toEqual([{ msg: 'Invalid API key', type: 'error' }])
    expect(client.closed()).toBe('Invalid API key')
  })
  test.each(['x-finnhub-token', 'authorization', 'x-api-key'])(
    'a token need not stand in the address: %s holds it too',
    (name) => {
      const request = { path: '/', query: {}, rest: '', session: 's', headers: { [name]: 'k' } }
      expect(finnhub.open(request, createStage().desk, NOW).commands).toEqual([])
    }
  )
  test.each([
    ['{', /Invalid JSON/],
    [[], /Invalid message/],
    [{ type: 'jump' }, /Invalid message type/],
    [{ type: 'subscribe' }, /Invalid symbol/],
    [{ type: 'subscribe', symbol: 'NOBODY' }, /Invalid symbol NOBODY/],
    [{ type: 'subscribe', symbol: 'ANY:BTC/USDT' }, /Invalid symbol ANY:BTC\/USDT/],
    [{ type: 'subscribe', symbol: 'BTC-USDT' }, /Invalid symbol/]
  ])('what is wrong is answered with an error: %j', (message, reason) => {
    const client = on(createStage())
    client.send(message)
    expect(client.taken()).toEqual([{ msg: expect.stringMatching(reason) as string, type: 'error' }])
    expect(client.topics()).toEqual([])
  })
  test('a topic that the gateway refuses is one symbol too many', () => {
    const { memory } = finnhub.open({ path: '/', query: { token: 'k' }, rest: '', session: 's' }, createStage().desk, NOW)
    finnhub.receive('{"type":"subscribe","symbol":"AAPL"}', memory, NOW)
    const refused = { asked: 'trade:AAPL', ok: false, code: 'TOO_MANY_SYMBOLS', message: 'no' } as const
    expect(finnhub.settled!([refused], undefined, memory, NOW)).toMatchObject([
      { text: '{"msg":"Subscribing to too many symbols","type":"error"}' }
    ])
  })
  test('what happened before the subscription is not told as if it were live', () => {
    const stage = createStage()
    stage.publish(trade())
    const client = on(stage)
    client.send({ type: 'subscribe', symbol: 'AAPL' })
    expect(client.take()).toEqual([])
  })
  test('conditions that came from Finnhub are handed on; of others only what has a word there', () => {
    const { stage, client } = subscribed('AAPL')
    stage.publish({ ...trade({ conditions: ['1', '8'] }), provider: 'finnhub' })
    stage.publish(trade({ conditions: ['37'], ineligible: true, session: 'post' }))
    expect(client.taken().map(({ data }) => data[0].c)).toEqual([
      ['1', '8'],
      ['1', '24', '12']
    ])
  })
})

describe('REST', () => {
  test('the listing decodes to the stocks, and each exchange lists its own pairs', async () => {
    const stage = createStage()
    const [listing] = await answered(stage, { type: 'need', purpose: 'listing', path: adapter.listing! })
    expect(listing).toMatchObject({ type: 'listing', rows: [{ symbol: 'AAPL' }, { symbol: 'SPY' }] })
    expect((await ask(stage, '/api/v1/crypto/exchange')).body).toEqual(['any'])
    const path = '/api/v1/crypto/symbol?exchange=any'
    const [pairs] = await answered(stage, { type: 'need', purpose: 'listing', path })
    expect(pairs).toMatchObject({
      rows: [
        { symbol: 'ANY:BTC-USDT', base: 'BTC', quote: 'USDT' },
        { symbol: 'ANY:ETH-USDT' },
        { symbol: 'ANY:BTC-USD', base: 'BTC', quote: 'USD' }
      ]
    })
    expect((await ask(stage, '/api/v1/crypto/symbol?exchange=other')).body).toEqual([])
    expect((await ask(stage, '/api/v1/stock/symbol?exchange=L')).body).toEqual([])
  })
  test('a quote decodes to the ticker of its second; of an unknown symbol it is all zeros', async () => {
    const stage = createStage()
    const need = (symbol: string): Need => ({ type: 'need', purpose: 'snapshot', symbol, path: `/api/v1/quote?symbol=${symbol}` })
    const day = { last: 10, open: 9, high: 11, low: 8, change: 1, changePercent: 11.1111, prevClose: 9 }
    stage.publish({ ...stampOf('ticker'), ...day, volume: 5 })
    expect(await answered(stage, need('AAPL'))).toEqual([{ type: 'ticker', symbol: 'AAPL', time: NOW, ...day }])
    expect((await ask(stage, '/api/v1/quote?symbol=NOBODY')).body).toEqual({
      c: 0,
      d: null,
      dp: null,
      h: 0,
      l: 0,
      o: 0,
      pc: 0,
      t: 0
    })
    expect(await answered(stage, need('NOBODY'))).toMatchObject([{ type: 'reject', symbol: 'NOBODY' }])
  })
  test('without a ticker a quote is made of the last trade', async () => {
    const stage = createStage()
    stage.publish({ ...trade(), instrument: 'SPY' })
    expect((await ask(stage, '/api/v1/quote?symbol=SPY')).body).toMatchObject({ c: 235.5, d: 0, t: NOW / 1_000 })
  })
  test.each([
    ['AAPL', 'AAPL', 'stock'],
    ['ANY:BTC-USD', 'BTC-USD', 'crypto']
  ])('past bars of %s decode to the candles that were published', async (symbol, instrument, kind) => {
    const stage = createStage()
    const [candle] = fc.sample(candles(instrument, '1m'), 1)
    stage.publish({ ...candle!, start: NOW - 600_000, closed: true })
    const need = adapter.history!(symbol, '1m', 10, NOW, {})
    expect(need.path).toContain(`/${kind}/`)
    const { open, high, low, close, volume } = candle!
    expect(await answered(stage, need)).toMatchObject([
      { type: 'candle', symbol, start: NOW - 600_000, open, high, low, close, volume }
    ])
    expect((await ask(stage, `/api/v1/${kind}/candle?symbol=${symbol}&resolution=D&from=1&to=2`)).body).toEqual({ s: 'no_data' })
  })
  test('a search finds by symbol and by name', async () => {
    const { body } = await ask(createStage(), '/api/v1/search?q=btc/usdt')
    expect(body).toEqual({
      count: 1,
      result: [{ description: 'Any BTC/USDT', displaySymbol: 'BTC/USDT', symbol: 'ANY:BTC-USDT', type: 'Crypto' }]
    })
    expect((await ask(createStage(), '/api/v1/search?q=aap')).body.result).toMatchObject([
      { symbol: 'AAPL', type: 'Common Stock' }
    ])
  })
  test('news decode to the stories that were told', async () => {
    const stage = createStage()
    const said = { id: '17', headline: 'H', summary: 'S', url: 'https://a.example/1', source: 'W' }
    stage.publish({ ...stampOf('news', 'all'), ...said, instruments: ['AAPL'], categories: ['general'] })
    const need: Need = { type: 'need', purpose: 'snapshot', note: 'news', path: '/api/v1/news?category=general' }
    expect(await answered(stage, need)).toMatchObject([{ type: 'news', time: NOW, ...said, symbols: ['AAPL'] }])
    expect((await ask(stage, '/api/v1/company-news?symbol=AAPL&from=2026-01-01&to=2026-01-31')).body).toEqual([])
  })
  test.each([
    ['/api/v1/quote?symbol=AAPL&token=', 401, 'Invalid API key'],
    ['/api/v1/quote', 422, 'Symbol is required.'],
    ['/api/v1/stock/candle?symbol=AAPL&resolution=7&from=1&to=2', 422, expect.stringContaining('Wrong resolution') as string],
    ['/api/v1/stock/candle?symbol=AAPL&resolution=D&from=soon&to=2', 422, expect.any(String) as string],
    ['/api/v1/search', 422, 'Query is required.']
  ])('%s is refused with %i', async (url, status, error) => {
    expect(await ask(createStage(), url)).toEqual({ status, body: { error } })
  })
})
