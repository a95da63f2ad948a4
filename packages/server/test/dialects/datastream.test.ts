/** When the data stream of S3 says something, by a clock of the test's own. */
import { expect, test } from 'vitest'
import { datastream } from '../../src/dialects/datastream.ts'
import { quoteOf, tickerOf, tradeOf } from './datastream.bench.ts'
import { connect, createStage } from './stage.ts'

function subscribed(more: object = {}) {
  const stage = createStage()
  const client = connect(stage, datastream)
  client.send({ action: 'subscribe', symbols: ['AAPL'], data_type: 'SymbolUpdate', ...more })
  client.take()
  const prices = (): unknown[] => client.taken().map(({ data }) => data.ltp)
  /** To the next beat. */
  const pass = (): void => client.pass(50)
  return { ...stage, ...client, pass, prices }
}

test('[S3-52] of all that comes between two beats the newest is sent, once', () => {
  const { publish, pass, prices } = subscribed()
  for (const price of [1, 2, 3]) publish(tradeOf('AAPL', price))
  expect(prices()).toEqual([])
  pass()
  expect(prices()).toEqual([3])
  pass()
  expect(prices()).toEqual([])
})

test('[S3-52] what looks the same as before is not sent again, though it is of another moment and otherwise believed', () => {
  const { publish, pass, prices } = subscribed()
  publish(tickerOf('AAPL', 3, { confidence: 0.5 }))
  pass()
  publish(tickerOf('AAPL', 3, { confidence: 0.9, time: 1_700_000_001_000 }))
  pass()
  expect(prices()).toEqual([3])
  publish(tickerOf('AAPL', 3, { volume: 8 }))
  pass()
  expect(prices()).toEqual([3])
})

test('[S3-04] the lite form is silent where only an offer moved', () => {
  const { publish, pass, prices } = subscribed({ lite: true })
  publish(tradeOf('AAPL', 3))
  pass()
  publish(quoteOf('AAPL', 2, 4))
  pass()
  expect(prices()).toEqual([3])
  publish(tradeOf('AAPL', 4))
  pass()
  expect(prices()).toEqual([4])
})

test('asked for again in the other form, a subscription is replaced and begins with what is known', () => {
  const { publish, pass, send, taken } = subscribed()
  publish(tradeOf('AAPL', 3))
  pass()
  taken()
  send({ action: 'subscribe', symbols: ['AAPL'], lite: true })
  pass()
  expect(taken().map(({ type, data }) => [type, Object.keys(data)])).toEqual([
    ['subscribed', ['status', 'message', 'data_type', 'symbols']],
    ['SymbolUpdate', ['symbol', 'ltp']]
  ])
})

test('of a symbol that two spellings name, each is told under its own', () => {
  const { publish, pass, send, taken, topics } = subscribed()
  send({ action: 'subscribe', symbols: ['BTCUSDT', 'BTC-USDT'], data_type: 'SymbolUpdate' })
  taken()
  publish(tradeOf('BTC-USDT', 3))
  pass()
  expect(taken().map(({ data }) => data.symbol)).toEqual(['BTCUSDT', 'BTC-USDT'])
  send({ action: 'unsubscribe', symbols: ['BTCUSDT'] })
  expect(topics()).toContain('trade:BTC-USDT')
  send({ action: 'unsubscribe', symbols: ['BTC-USDT'] })
  expect(topics()).not.toContain('trade:BTC-USDT')
})
