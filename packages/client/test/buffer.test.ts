/** The buffer between a stream and a slow loop. */
import type { Published } from '@tickwire/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBuffer } from '../src/buffer.ts'

const event = (type: string, topic: string, seq: number, over: object = {}) =>
  ({ type, topic, seq, ...over }) as unknown as Published
const candle = (seq: number, closed: boolean) => event('candle', 'candle:A:1m', seq, { closed })
const drain = (buffer: ReturnType<typeof createBuffer>): Published[] => {
  const all: Published[] = []
  for (let next = buffer.take(); next; next = buffer.take()) all.push(next)
  return all
}

test('a slow reader is given the newest state of each topic', () => {
  const buffer = createBuffer(10)
  for (let seq = 1; seq <= 100; seq++) for (const topic of ['quote:A', 'quote:B']) buffer.push(event('quote', topic, seq))
  expect(drain(buffer).map(({ topic, seq }) => `${topic} ${seq}`)).toEqual(['quote:A 100', 'quote:B 100'])
  expect(buffer.lost()).toEqual([])
})

test('of events past the bound the oldest are dropped, and counted once per topic', () => {
  const buffer = createBuffer(3)
  for (let seq = 1; seq <= 8; seq++) buffer.push(event('trade', 'trade:A', seq))
  expect(buffer.lost()).toEqual([{ topic: 'trade:A', count: 5, from: 1, to: 5, where: 'iterator' }])
  expect(buffer.lost()).toEqual([])
  expect(drain(buffer).map(({ seq }) => seq)).toEqual([6, 7, 8])
})

test('a closed candle takes the place of its forming one, and the next forming one comes after it', () => {
  const buffer = createBuffer(3)
  for (const [seq, closed] of [
    [1, false],
    [2, false],
    [3, true],
    [4, false],
    [5, false]
  ] as const)
    buffer.push(candle(seq, closed))
  expect(drain(buffer).map(({ seq }) => seq)).toEqual([3, 5])
})

test('it never holds more than its bound and one state per topic; what it gives and what it counts as lost is what came', () => {
  const item = fc.record({ state: fc.boolean(), topic: fc.nat(3), take: fc.nat(3) })
  fc.assert(
    fc.property(fc.array(item, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (items, limit) => {
      const buffer = createBuffer(limit)
      const given: Published[] = []
      let events = 0
      let lost = 0
      items.forEach(({ state, topic, take }, i) => {
        if (!state) events++
        buffer.push(state ? event('quote', `quote:${topic}`, i) : event('trade', `trade:${topic}`, i))
        expect(buffer.size()).toBeLessThanOrEqual(limit + 4)
        for (let n = 0; n < take; n++) given.push(...[buffer.take()].flatMap((next) => next ?? []))
        lost += buffer.lost().reduce((sum, report) => sum + report.count, 0)
      })
      given.push(...drain(buffer))
      const trades = given.filter(({ type }) => type === 'trade').map(({ seq }) => seq)
      expect(trades.length + lost).toBe(events)
      expect(trades).toEqual([...trades].sort((a, b) => a - b))
    })
  )
})
