import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alpaca as adapter } from '../../src/providers/alpaca.ts'
import { alpaca } from '../../src/dialects/alpaca.ts'
import { candles, quotes, trades } from './events.ts'
import { asked, connect, createStage, NOW, request, stampOf } from './stage.ts'

const AUTH = { action: 'auth', key: 'k', secret: 's' }
const subscribed = (wanted: object) => {
  const stage = createStage()
  const client = connect(stage, alpaca)
  client.send(AUTH)
  client.send({ action: 'subscribe', ...wanted })
  const session = adapter.open({ key: 'k', secret: 's' })
  const meanings = () => client.take().flatMap((text) => adapter.decode(text, NOW, session))
  return { stage, client, meanings }
}

describe('an event that is rendered and decoded again is the same', () => {
  test('trades, which do not tell the side', () => {
    fc.assert(
      fc.property(trades('AAPL', true), (event) => {
        const { stage, client, meanings } = subscribed({ trades: ['AAPL'] })
        client.take()
        stage.publish(event)
        const { type, price, size, time } = event
        expect(meanings()).toContainEqual(expect.objectContaining({ type, symbol: 'AAPL', price, size, time }))
      })
    )
  })
  test('quotes', () => {
    fc.assert(
      fc.property(quotes('AAPL'), (event) => {
        const { stage, client, meanings } = subscribed({ quotes: ['AAPL'] })
        client.take()
        stage.publish(event)
        const { type, bid, bidSize, ask, askSize, time } = event
        expect(meanings()).toMatchObject([{ type, symbol: 'AAPL', bid, bidSize, ask, askSize, time }])
      })
    )
  })
  test('closed minute bars', () => {
    fc.assert(
      fc.property(candles('AAPL', '1m'), (event) => {
        const { stage, client, meanings } = subscribed({ bars: ['AAPL'] })
        client.take()
        stage.publish(event)
        const { type, interval, start, open, high, low, close, volume, trades } = event
        const expected = { type, symbol: 'AAPL', interval, start, open, high, low, close, volume, trades, closed: true }
        expect(meanings()).toMatchObject(event.closed ? [expected] : [])
      })
    )
  })
})

describe('the connection', () => {
  test('it greets, lets in, and answers a subscription with the whole current set', () => {
    const client = connect(createStage(), alpaca)
    client.send(AUTH)
    client.send({ action: 'subscribe', trades: ['AAPL'], bars: ['*'] })
    client.send({ action: 'subscribe', quotes: ['SPY', 'NOBODY'] })
    const none = { updatedBars: [], dailyBars: [], statuses: [], lulds: [] }
    expect(client.taken()).toEqual([
      [{ T: 'success', msg: 'connected' }],
      [{ T: 'success', msg: 'authenticated' }],
      [{ T: 'subscription', trades: ['AAPL'], quotes: [], bars: ['*'], ...none, corrections: ['AAPL'], cancelErrors: ['AAPL'] }],
      [
        {
          T: 'subscription',
          trades: ['AAPL'],
          quotes: ['SPY', 'NOBODY'],
          bars: ['*'],
          ...none,
          corrections: ['AAPL'],
          cancelErrors: ['AAPL']
        }
      ]
    ])
    expect(client.topics()).toEqual(['trade:AAPL', 'correction:AAPL', 'candle:AAPL:1m', 'candle:SPY:1m', 'quote:SPY'])
  })
  test('unsubscribing is answered with what is left', () => {
    const { client } = subscribed({ trades: ['AAPL', 'SPY'] })
    client.take()
    client.send({ action: 'unsubscribe', trades: ['AAPL'] })
    expect(client.taken()).toMatchObject([[{ T: 'subscription', trades: ['SPY'] }]])
    expect(client.topics()).toEqual(['trade:SPY', 'correction:SPY'])
  })
  test.each([
    [['{'], 400],
    [[{ action: 'subscribe', trades: ['AAPL'] }], 401],
    [[{ action: 'auth' }], 402],
    [[AUTH, AUTH], 403],
    [[AUTH, { action: 'subscribe', trades: 'AAPL' }], 400]
  ])('%j is answered with %i', (messages, code) => {
    const client = connect(createStage(), alpaca)
    for (const message of messages) client.send(message)
    expect(client.taken().at(-1)).toEqual([{ T: 'error', code, msg: expect.any(String) }])
  })
  test('who does not say who he is within ten seconds is told so and hung up on', () => {
    const client = connect(createStage(), alpaca)
    client.pass(10_000)
    expect(client.taken().at(-1)).toMatchObject([{ T: 'error', code: 404 }])
    expect(client.closed()).toBe('auth timeout')
  })
  test('what is due at once leaves in one array', () => {
    expect(alpaca.frame!(['{"T":"t"}', '{"T":"q"}'])).toBe('[{"T":"t"},{"T":"q"}]')
  })
  test('a corrected bar comes as an updated one, and a minute without a trade brings none', () => {
    const { stage, client } = subscribed({ bars: ['AAPL'], updatedBars: ['AAPL'] })
    client.take()
    const bar = {
      ...stampOf('candle'),
      interval: '1m',
      start: NOW,
      open: 1,
      high: 1,
      low: 1,
      close: 1,
      volume: 1,
      closed: true
    } as const
    stage.publish({ ...bar, trades: 0, revision: 0 })
    stage.publish({ ...bar, trades: 1, revision: 0 })
    stage.publish({ ...bar, trades: 2, revision: 1 })
    expect(client.taken().map(([row]) => row.T)).toEqual(['b', 'u'])
  })
})

describe('REST', () => {
  test('the listing decodes to the equities', () => {
    const { body } = request(createStage(), alpaca, '/v2/assets?status=active')
    const [listing] = adapter.decode(JSON.stringify(body), NOW, adapter.open({}), {
      type: 'need',
      path: '',
      purpose: 'listing'
    }) as any
    expect(listing.rows.map(({ symbol, trading }: any) => [symbol, trading])).toEqual([
      ['AAPL', true],
      ['SPY', true]
    ])
  })
  test('past bars decode to the candles that were published', async () => {
    const stage = createStage()
    const [candle] = fc.sample(candles('AAPL', '1m'), 1)
    stage.publish({ ...candle!, start: NOW - 600_000, closed: true })
    const need = adapter.history!('AAPL', '1m', 10, NOW, {})
    const { body } = await asked(stage, alpaca, need.path)
    const { open, high, low, close, volume } = candle!
    expect(adapter.decode(JSON.stringify(body), NOW, adapter.open({}), need)).toMatchObject([
      { type: 'candle', start: NOW - 600_000, open, high, low, close, volume }
    ])
  })
  test('a snapshot holds the last of each kind', async () => {
    const stage = createStage()
    stage.publish({ ...stampOf('trade'), id: '7', price: 235.5, size: 100, side: 'unknown' })
    const { body } = await asked(stage, alpaca, '/v2/stocks/snapshots?symbols=AAPL,NOBODY')
    expect(body).toMatchObject({ AAPL: { latestTrade: { i: 7, p: 235.5, s: 100, t: '2026-01-15T12:00:00Z' } } })
    expect(Object.keys(body)).toEqual(['AAPL'])
  })
  test('an unknown timeframe is refused', async () => {
    expect(await asked(createStage(), alpaca, '/v2/stocks/bars?symbols=AAPL&timeframe=7Min')).toMatchObject({ status: 400 })
  })
})
