import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { INTERVALS, type Published } from '@tickwire/protocol'
import { eventText } from '../../src/dialects/native-text.ts'

const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1e21, 5e-324, Number.NaN, Number.POSITIVE_INFINITY))
const text = fc.oneof(fc.string(), fc.constantFrom('"', '\\', '\u2028', '\ud800', 'a\nb'))
const stamp = {
  provider: text,
  instrument: text,
  topic: text,
  time: number,
  received: number,
  published: number,
  seq: fc.nat()
}
const stamped = ['provider', 'instrument', 'topic', 'time', 'received', 'published', 'seq', 'type'] as const
const level = fc.tuple(number, number)
const levels = fc.array(level, { maxLength: 4 })
const confidence = number

const trade = fc.record(
  {
    ...stamp,
    confidence,
    type: fc.constant('trade'),
    id: text,
    price: number,
    size: number,
    side: fc.constantFrom('buy', 'sell', 'unknown'),
    backfill: fc.constant(true)
  },
  { requiredKeys: [...stamped, 'price', 'size', 'side'] }
)
const quote = fc.record(
  { ...stamp, confidence, type: fc.constant('quote'), bid: number, bidSize: number, ask: number, askSize: number },
  { requiredKeys: [...stamped, 'bid', 'bidSize', 'ask', 'askSize'] }
)
const ticker = fc.record(
  {
    ...stamp,
    confidence,
    type: fc.constant('ticker'),
    last: number,
    open: number,
    high: number,
    low: number,
    volume: number,
    change: number,
    changePercent: number,
    prevClose: number
  },
  { requiredKeys: [...stamped, 'last'] }
)
const candle = fc.record(
  {
    ...stamp,
    confidence,
    type: fc.constant('candle'),
    interval: fc.constantFrom(...INTERVALS),
    start: number,
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number,
    trades: number,
    closed: fc.boolean(),
    revision: number
  },
  { requiredKeys: [...stamped, 'interval', 'start', 'open', 'high', 'low', 'close', 'volume', 'closed', 'revision'] }
)
const book = fc.record(
  { ...stamp, confidence, type: fc.constant('book'), bids: levels, asks: levels, sequence: number, verified: fc.constant(true) },
  { requiredKeys: [...stamped, 'bids', 'asks'] }
)
const gap = fc.record({
  ...stamp,
  type: fc.constant('gap'),
  kind: fc.constant('trade'),
  from: number,
  to: number,
  cause: text,
  action: text
})

test('the text of every event says what JSON.stringify says of it', () => {
  fc.assert(
    fc.property(fc.oneof(trade, quote, ticker, candle, book, gap), (event) => {
      expect(JSON.parse(eventText(event as unknown as Published))).toEqual(JSON.parse(JSON.stringify(event)))
    }),
    { numRuns: 1_000 }
  )
})
