/** Alpaca's other streams: crypto, news, what the tape says beside its prices, and the binary form. */
import { decode, encode } from '@msgpack/msgpack'
import { expect, test } from 'vitest'
import { alpaca } from '../../src/dialects/alpaca.ts'
import { asked, connect, createStage, NOW, request, stampOf } from './stage.ts'

const AUTH = { action: 'auth', key: 'k', secret: 's' }
const AT = '2026-01-15T12:00:00Z'

function subscribed(path: string, wanted: object) {
  const stage = createStage()
  const client = connect(stage, alpaca, path)
  client.send(AUTH)
  client.send({ action: 'subscribe', ...wanted })
  return { stage, client, rows: () => client.taken().flat() }
}

test('crypto is named with a slash, tells the taker, and its book comes whole and then in changes', () => {
  const { stage, client, rows } = subscribed('/v1beta3/crypto/us', { trades: ['BTC/USD'], orderbooks: ['BTC/USD'] })
  client.take()
  stage.publish({ ...stampOf('trade', 'BTC-USD'), id: '7', price: 95_000, size: 0.5, side: 'sell' })
  stage.publish({ ...stampOf('book', 'BTC-USD'), bids: [[1, 2]], asks: [[3, 4]] })
  stage.publish({
    ...stampOf('book', 'BTC-USD'),
    bids: [[1.5, 2]],
    asks: [
      [3, 4],
      [5, 6]
    ]
  })
  expect(rows()).toEqual([
    { T: 't', S: 'BTC/USD', i: 7, tks: 'S', p: 95_000, s: 0.5, t: AT },
    { T: 'o', S: 'BTC/USD', t: AT, b: [{ p: 1, s: 2 }], a: [{ p: 3, s: 4 }], r: true },
    {
      T: 'o',
      S: 'BTC/USD',
      t: AT,
      b: [
        { p: 1.5, s: 2 },
        { p: 1, s: 0 }
      ],
      a: [{ p: 5, s: 6 }]
    }
  ])
})

test('a book that is asked for again comes whole again', () => {
  const { stage, client, rows } = subscribed('/v1beta3/crypto/us', { orderbooks: ['BTC/USD'] })
  stage.publish({ ...stampOf('book', 'BTC-USD'), bids: [[1, 2]], asks: [[3, 4]] })
  client.send({ action: 'unsubscribe', orderbooks: ['BTC/USD'] })
  client.send({ action: 'subscribe', orderbooks: ['BTC/USD'] })
  client.take()
  stage.publish({ ...stampOf('book', 'BTC-USD'), bids: [[1, 3]], asks: [[3, 4]] })
  expect(rows()).toMatchObject([{ T: 'o', r: true, b: [{ p: 1, s: 3 }] }])
})

test('equities are none of the crypto stream, and a channel of another stream is refused', () => {
  const { client } = subscribed('/v1beta3/crypto/us', { trades: ['AAPL', 'BTC/USD'] })
  expect(client.topics()).toEqual(['trade:BTC-USD'])
  client.take()
  client.send({ action: 'subscribe', lulds: ['AAPL'] })
  expect(client.taken()).toEqual([[{ T: 'error', code: 410, msg: 'invalid subscribe action for this feed' }]])
})

test('the star on the news stream is every story, a symbol those about it', () => {
  const { stage, client, rows } = subscribed('/v1beta1/news', { news: ['*'] })
  expect(client.topics()).toEqual(['news:all'])
  client.take()
  const story = { id: '24843171', headline: 'H', summary: 'S', url: 'https://x.example', author: 'A', source: 'benzinga' }
  stage.publish({ ...stampOf('news', 'all'), ...story, instruments: ['AAPL', 'BTC-USD'] })
  expect(rows()).toEqual([
    {
      T: 'n',
      ...story,
      id: 24_843_171,
      content: '',
      created_at: AT,
      updated_at: AT,
      symbols: ['AAPL', 'BTC/USD']
    }
  ])
  expect(request(stage, alpaca, '/v1beta1/news?symbols=').body.news).toMatchObject([{ id: 24_843_171, headline: 'H' }])
})

test('halts, bands, corrections and cancels are told as the tape tells them', () => {
  const { stage, client, rows } = subscribed('/v2/iex', { trades: ['AAPL'], statuses: ['*'], lulds: ['AAPL'] })
  client.take()
  stage.publish({ ...stampOf('halt', 'AAPL'), state: 'halted', code: 'LUDP', reason: 'Volatility Trading Pause' })
  stage.publish({ ...stampOf('band', 'AAPL'), up: 240, down: 230, indicator: 'B' })
  const wrong = { id: '5', price: 10, size: 2 }
  stage.publish({ ...stampOf('correction', 'AAPL'), ...wrong, action: 'correct', corrected: { id: '6', price: 11, size: 2 } })
  stage.publish({ ...stampOf('correction', 'AAPL'), ...wrong, action: 'cancel' })
  expect(rows()).toMatchObject([
    { T: 's', S: 'AAPL', sc: 'H', rc: 'LUDP', rm: 'Volatility Trading Pause', t: AT },
    { T: 'l', S: 'AAPL', u: 240, d: 230, i: 'B' },
    { T: 'c', S: 'AAPL', oi: 5, op: 10, os: 2, ci: 6, cp: 11, cs: 2 },
    { T: 'x', S: 'AAPL', i: 5, p: 10, s: 2, a: 'C' }
  ])
})

test('whoever asks for MessagePack is sent it, with times as timestamps, and may send it', () => {
  const { desk } = createStage()
  const headers = { 'content-type': 'application/msgpack' }
  const { memory } = alpaca.open({ path: '/v2/iex', query: {}, rest: '', session: 's', headers }, desk, NOW)
  const { encode: packed, decode: unpacked } = alpaca.codec!
  expect(decode(packed(`[{"T":"t","t":"${AT}"}]`, memory)!)).toEqual([{ T: 't', t: new Date(NOW) }])
  expect(JSON.parse(unpacked(encode(AUTH), memory)!)).toEqual(AUTH)
  expect(unpacked(new Uint8Array([0xc1]), memory)).toBeUndefined()
  const plain = alpaca.open({ path: '/v2/iex', query: {}, rest: '', session: 's' }, desk, NOW)
  expect(packed('[]', plain.memory)).toBeUndefined()
})

test('a key in the handshake lets in without a message', () => {
  const { desk } = createStage()
  const headers = { 'apca-api-key-id': 'k', 'apca-api-secret-key': 's' }
  const request = { path: '/v2/iex', query: {}, rest: '', session: 's', headers }
  const sent = (text: object) => ({ type: 'send', text: JSON.stringify([text]) })
  const connected = sent({ T: 'success', msg: 'connected' })
  expect(alpaca.open(request, desk, NOW).commands).toEqual([connected, sent({ T: 'success', msg: 'authenticated' })])
  const terms = { auth: 'required' as const, heartbeat: { interval: 1, timeout: 2 }, limits: { message: 1, topics: 1 } }
  expect(alpaca.open({ ...request, terms }, desk, NOW).commands).toEqual([connected, { type: 'authenticate', token: 'k' }])
})

test('ids that are texts elsewhere are numbers of their own, the same for a trade and what corrects it', () => {
  const stage = createStage()
  const client = connect(stage, alpaca, '/v2/iex')
  client.send({ action: 'auth', key: 'k', secret: 's' })
  client.send({ action: 'subscribe', trades: ['AAPL'] })
  client.take()
  const ids = ['52983525029461', 'a-1', 'a-2', '0012', '12', '20034-4-77']
  for (const id of ids) stage.publish({ ...stampOf('trade', 'AAPL'), id, price: 100, size: 1, side: 'unknown' })
  for (const id of ids) stage.publish({ ...stampOf('correction', 'AAPL'), id, price: 100, size: 1, action: 'cancel' })
  const told = client.taken().flat() as { T: string; i: number }[]
  const of = (type: string) => told.filter(({ T }) => T === type).map(({ i }) => i)
  expect(new Set(of('t')).size).toBe(ids.length)
  expect(of('x')).toEqual(of('t'))
  expect([of('t')[0], of('t')[4]]).toEqual([52_983_525_029_461, 12])
  for (const i of of('t')) expect(Number.isSafeInteger(i)).toBe(true)
  expect((request(stage, alpaca, '/v2/stocks/AAPL/trades/latest').body as { trade: { i: number } }).trade.i).toBe(of('t').at(-1))
})

test('crypto is asked by REST under its own addresses', async () => {
  const stage = createStage()
  stage.publish({ ...stampOf('trade', 'BTC-USD'), id: '7', price: 95_000, size: 0.5, side: 'buy' })
  stage.publish({ ...stampOf('book', 'BTC-USD'), bids: [[1, 2]], asks: [[3, 4]] })
  const root = '/v1beta3/crypto/us'
  const of = async (path: string) => (await asked(stage, alpaca, `${root}/${path}symbols=BTC/USD,AAPL`)).body
  expect(await of('latest/trades?')).toEqual({ trades: { 'BTC/USD': { i: 7, tks: 'B', p: 95_000, s: 0.5, t: AT } } })
  expect(await of('latest/orderbooks?')).toEqual({
    orderbooks: { 'BTC/USD': { t: AT, b: [{ p: 1, s: 2 }], a: [{ p: 3, s: 4 }] } }
  })
  expect(await of('snapshots?')).toMatchObject({ snapshots: { 'BTC/USD': { latestTrade: { p: 95_000 } } } })
  expect(await of('bars?timeframe=1Min&')).toEqual({ bars: { 'BTC/USD': [] }, next_page_token: null })
})
