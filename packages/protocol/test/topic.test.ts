import { assert, constantFrom, option, property, stringMatching } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DATA_KINDS, INTERVALS, isTopicError, parseTopic, topicName } from '../src/index.ts'

describe('topics', () => {
  test.each([
    ['trade:BTC-USDT', { kind: 'trade', instrument: 'BTC-USDT' }],
    ['quote:BTC-USDT@kraken', { kind: 'quote', instrument: 'BTC-USDT', provider: 'kraken' }],
    ['candle:BTC-USDT:1m', { kind: 'candle', instrument: 'BTC-USDT', interval: '1m' }],
    ['candle:NSE:SBIN-EQ@fyers:15m', { kind: 'candle', instrument: 'NSE:SBIN-EQ', provider: 'fyers', interval: '15m' }],
    ['quote:NSE:SBIN-EQ', { kind: 'quote', instrument: 'NSE:SBIN-EQ' }],
    ['provider:binance', { kind: 'provider', instrument: 'binance' }]
  ])('%s is read', (text, topic) => {
    expect(parseTopic(text)).toEqual(topic)
  })

  test.each(['', 'BTC-USDT', 'price:BTC-USDT', 'trade:', 'quote:BTC@', 'candle:BTC-USDT', 'candle:BTC-USDT:7m', '__proto__:x'])(
    '%j is refused with what would be right',
    (text) => {
      expect(parseTopic(text)).toMatchObject({ code: 'BAD_TOPIC', message: expect.stringMatching(/kinds|intervals|empty/) })
    }
  )

  test('a name that was made is read back to its parts', () => {
    const instrument = stringMatching(/^[A-Z0-9]+(:[A-Z0-9]+)?(-[A-Z0-9]+)?$/)
    assert(
      property(
        constantFrom(...DATA_KINDS),
        instrument,
        option(stringMatching(/^[a-z-]+$/), { nil: undefined }),
        constantFrom(...INTERVALS),
        (kind, id, provider, interval) => {
          const of = kind === 'candle' ? interval : undefined
          const topic = parseTopic(topicName(kind, id, provider, of))
          expect(isTopicError(topic)).toBe(false)
          expect(topic).toEqual({ kind, instrument: id, ...(provider && { provider }), ...(of && { interval: of }) })
        }
      )
    )
  })
})
