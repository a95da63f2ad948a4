import { expect, test } from 'vitest'
import { isState, mayReconnect, CLOSES, type MarketEvent } from '../src/index.ts'

const of = (fields: object) => isState(fields as MarketEvent)

test('a forming candle may be replaced by a newer one, a closed one and a trade may not', () => {
  expect(of({ type: 'candle', closed: false })).toBe(true)
  expect(of({ type: 'candle', closed: true })).toBe(false)
  expect(of({ type: 'trade' })).toBe(false)
  expect(of({ type: 'gap' })).toBe(false)
  expect(of({ type: 'quote' })).toBe(true)
  expect(of({ type: 'book' })).toBe(true)
})

test('the range of a close code says whether to come back', () => {
  const back = Object.keys(CLOSES).map(Number).filter(mayReconnect)
  expect(back).toEqual([1001, 1011, 1013, 4001, 4002, 4003, 4004])
})
