/** The fold behind a row of the grid, the grid's order, and the log. */
import type { Published } from '@tickwire/client'
import { describe, expect, test } from 'vitest'
import { addNotice, gapNotice, statusNotice, type Notice } from '../src/model/notices.ts'
import { confidenceOf, foldRow, newestDecision, openRow, seedPoints, spreadBps } from '../src/model/row.ts'
import { matches, order } from '../src/model/sort.ts'
import { speedOf } from '../src/model/speed.ts'

let seq = 0
const event = (fields: object): Published =>
  ({
    provider: 'a',
    instrument: 'BTC-USDT',
    time: 1_000,
    received: 1_010,
    published: 1_011,
    topic: 't',
    seq: ++seq,
    ...fields
  }) as Published
const quote = (bid: number, ask: number, more: object = {}) => event({ type: 'quote', bid, bidSize: 1, ask, askSize: 1, ...more })
const trade = (price: number, more: object = {}) => event({ type: 'trade', price, size: 1, side: 'buy', ...more })
const ticker = (last: number, more: object = {}) => event({ type: 'ticker', last, ...more })
const fold = (...events: Published[]) => {
  const row = openRow('BTC-USDT')
  events.forEach((one, i) => foldRow(row, one, i * 100))
  return row
}

describe('confidence', () => {
  const status = (kind: string, more: object) =>
    event({ type: 'status', kind, standbys: [], cause: 'outage', reason: '', ...more })
  test.each([
    ['of a quote that leads', [quote(99, 101, { confidence: 0.98 }), status('quote', { leader: 'a' })], 0.98],
    ['is none where nobody leads', [quote(99, 101, { confidence: 0.98 }), status('quote', {})], undefined],
    ['is none either if the status came first', [status('quote', {}), quote(99, 101, { confidence: 0.98 })], undefined],
    [
      'is none of quotes, though trades go on',
      [quote(99, 101, { confidence: 0.98 }), status('quote', {}), trade(100, { confidence: 0.9 })],
      undefined
    ],
    ['is that of trades where there are no quotes', [trade(100, { confidence: 0.9 }), status('trade', { leader: 'a' })], 0.9]
  ])('%s', (_, events, sure) => expect(confidenceOf(fold(...events))).toBe(sure))
})

describe('the speed of a provider', () => {
  test('is told while it delivers, and not while it is down', () => {
    expect(speedOf({ phase: 'live', rate: 12.4, latency: 20 })).toEqual({ rate: 12, latency: 20 })
    for (const phase of ['idle', 'connecting', 'stale', 'waiting', 'stopped'] as const)
      expect(speedOf({ phase, rate: 12.4, latency: 20 })).toBeUndefined()
  })
})

describe('a row', () => {
  test('shows nothing that nobody has sent', () => {
    const row = openRow('BTC-USDT')
    expect([row.last, row.bid, row.change, row.received, spreadBps(row)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined
    ])
  })
  test('takes its last price from trades, and its change from the open of the ticker and the newest price', () => {
    const row = fold(ticker(110, { open: 100 }), trade(120, { time: 2_000 }))
    expect([row.last, row.change]).toEqual([120, expect.closeTo(20)])
  })
  test('an older ticker does not pull the price of a newer trade back', () => {
    const row = fold(trade(120, { time: 2_000 }), ticker(110, { time: 1_500, open: 100 }))
    expect([row.last, row.change]).toEqual([120, expect.closeTo(20)])
  })
  test('a trade filled in afterwards does not move the price', () => {
    expect(fold(trade(120), trade(90, { backfill: true })).last).toBe(120)
  })
  test('says which way the price went, and only a change is a move', () => {
    const row = fold(trade(100), trade(101), trade(101), trade(99))
    expect([row.direction, row.moved]).toEqual([-1, 300])
    expect(fold(trade(100), trade(101), trade(101)).moved).toBe(100)
  })
  test('names the provider of its quote and keeps the decision of each kind', () => {
    const row = fold(
      quote(1, 2, { provider: 'b', confidence: 0.9 }),
      trade(1.5),
      event({ type: 'status', kind: 'quote', reason: 'why' })
    )
    expect([row.provider, row.confidence, row.decisions.quote?.reason]).toEqual(['b', 0.9, 'why'])
  })
  test('a past for the sparkline goes before what is already there, one point a second', () => {
    const row = fold(trade(5))
    seedPoints(row, [
      { price: 1, time: 0 },
      { price: 2, time: 400 },
      { price: 3, time: 1_500 }
    ])
    expect(row.points).toEqual([2, 3, 5])
  })
})

const decided = (kind: string, published: number) => event({ type: 'status', kind, published, reason: kind, standbys: [] })

describe('why', () => {
  test.each([
    ['the newest of quote and trade', [decided('quote', 1), decided('trade', 2), decided('book', 3)], 'trade'],
    ['of two at once that on quotes', [decided('trade', 2), decided('quote', 2)], 'quote'],
    ['the later word on one kind', [decided('quote', 1), decided('trade', 2), decided('quote', 3)], 'quote']
  ])('shows %s', (_, events, kind) => expect(newestDecision(fold(...events))?.kind).toBe(kind))
  test('shows nothing before a decision', () => expect(newestDecision(fold(quote(1, 2)))).toBeUndefined())
})

describe('the grid', () => {
  const rows = [fold(trade(3)), fold(trade(9)), openRow('C')].map((row, i) => ({ ...row, id: 'ABC'[i]! }))
  test('a row without the value stands last in both directions', () => {
    expect(order(rows, { column: 'last', down: true })).toEqual(['B', 'A', 'C'])
    expect(order(rows, { column: 'last', down: false })).toEqual(['A', 'B', 'C'])
  })
  test.each([
    ['btc', true],
    ['btcusdt', true],
    ['BTC/usd', true],
    ['usdt', true],
    ['tc', false],
    ['eth', false]
  ])('the filter %j matches BTC-USDT: %s', (text, is) => expect(matches(text, 'BTC-USDT')).toBe(is))
})

const line = (at: number, group?: string): Notice => ({
  at,
  kind: 'failover',
  tone: 'warn',
  text: 'x',
  ...(group ? { group } : {})
})
const say = (more: object) => statusNotice(event({ type: 'status', kind: 'trade', standbys: [], reason: 'r', ...more }) as never)

describe('the log', () => {
  test('one cause that hits many instruments is one line with a count', () => {
    const lines = [line(0, 'g'), line(1, 'g'), line(2, 'g'), line(60_000, 'g')].reduce<Notice[]>(addNotice, [])
    expect(lines.map((one) => one.more)).toEqual([undefined, 2])
  })
  test('it is bounded, newest first', () => {
    const lines = Array.from({ length: 500 }, (_, i) => line(i)).reduce<Notice[]>(addNotice, [])
    expect([lines.length, lines[0]!.at]).toEqual([200, 499])
  })
  test('a first choice is no news, a failover is a warning, nobody left is bad', () => {
    expect(say({ cause: 'first', leader: 'a' })).toBeUndefined()
    expect(say({ cause: 'silence', leader: 'a', previous: 'b' })?.tone).toBe('warn')
    expect(say({ cause: 'outage', previous: 'b' })?.tone).toBe('bad')
  })
  test('a leader after an outage is good news, a leader after the last reader left is none', () => {
    const again = { type: 'status', kind: 'trade', standbys: [], reason: 'r', cause: 'first', leader: 'a' }
    const after = (cause: string) => statusNotice(event(again) as never, event({ ...again, leader: undefined, cause }) as never)
    expect(after('outage')).toMatchObject({ kind: 'leader', tone: 'good' })
    expect(after('unsubscribed')).toBeUndefined()
  })
  test('what is told late stands where it belongs in time', () => {
    expect([line(5), line(9), line(7)].reduce<Notice[]>(addNotice, []).map(({ at }) => at)).toEqual([9, 7, 5])
  })
  test('a gap says who, what, why, how long and what was done', () => {
    const gap = event({ type: 'gap', kind: 'book', cause: 'sequence', action: 'resync', from: 0, to: 1_500 })
    expect(gapNotice(gap as never).text).toBe('a book: a sequence was skipped (1.5 s), resynchronised')
  })
})
