import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Subscription } from '../../src/providers/adapter.ts'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { only } from './captures.ts'
import { asked, callsOf, data, hear, hearAll, NOW, subscribe } from './interactive-brokers.rig.ts'

const WANTED: Subscription[] = [
  { kind: 'quote', symbol: 'AAPL' },
  { kind: 'trade', symbol: 'AAPL' },
  { kind: 'book', symbol: 'AAPL' },
  { kind: 'candle', symbol: 'AAPL', interval: '1m' }
]
const named = (calls: { call: string; args: unknown[] }[]) => calls.map(({ call, args }) => [call, args[0]])

describe('the connection of TWS to its servers', () => {
  test('1100 ends nothing by itself', () => {
    const { session } = asked(WANTED)
    expect(hear(session, 'info', 'Connectivity between IB and Trader Workstation has been lost.', 1100)).toEqual([
      { type: 'reject', reason: expect.stringContaining('1100') }
    ])
    expect(session.asked.size).toBe(4)
  })
  test('1101: all is asked again under fresh ids, the hole is told, and old ids are of nobody', () => {
    const { session, calls } = asked(WANTED)
    expect(named(calls)).toEqual([
      ['reqMktData', 2],
      ['reqTickByTickData', 3],
      ['reqMktDepth', 4],
      ['reqHistoricalData', 5]
    ])
    const told = hear(session, 'error', 'Connectivity between IB and TWS has been restored- data lost.', 1101, -1)
    expect(named(callsOf(told))).toEqual([
      ['reqMktData', 6],
      ['reqTickByTickData', 7],
      ['reqHistoricalData', 8]
    ])
    expect(only('gap', told).map(({ kind, symbol }) => [kind, symbol])).toEqual([
      ['trade', 'AAPL'],
      ['book', 'AAPL']
    ])
    expect(hear(session, 'tickPrice', 2, 1, 290)).toEqual([])
    // The machine answers the gap of the book so:
    const book = WANTED.slice(2, 3)
    expect(adapter.unsubscribe(book, session)).toEqual([])
    expect(named(subscribe(session, ...book))).toEqual([['reqMktDepth', 9]])
  })
  test('1101 in front of the details asks for them again', () => {
    const session = adapter.open({})
    subscribe(session, WANTED[0]!)
    expect(named(callsOf(hear(session, 'info', 'restored', 1101)))).toEqual([['reqContractDetails', 2]])
  })
  test('1102: what was asked for is kept', () => {
    const { session } = asked(WANTED)
    expect(hear(session, 'info', 'Connectivity restored - data maintained.', 1102)).toEqual([])
    expect(session.ids.get('lines AAPL')).toBe(2)
  })
  test('2103, then 2104 of the same farm: ticks and books are asked again, the old requests cancelled', () => {
    const { session } = asked(WANTED)
    hear(session, 'info', 'Market data farm connection is broken:usfarm', 2103)
    expect(hear(session, 'info', 'Market data farm connection is OK:eufarm', 2104)).toEqual([])
    expect(named(callsOf(hear(session, 'info', 'Market data farm connection is OK:usfarm', 2104)))).toEqual([
      ['cancelMktData', 2],
      ['cancelTickByTickData', 3],
      ['cancelMktDepth', 4],
      ['reqMktData', 6],
      ['reqTickByTickData', 7]
    ])
    expect(hear(session, 'info', 'Market data farm connection is OK:usfarm', 2104)).toEqual([])
  })
  test('2105, then 2106: bars alone', () => {
    const { session } = asked(WANTED)
    hear(session, 'info', 'HMDS data farm connection is broken:ushmds', 2105)
    expect(named(callsOf(hear(session, 'info', 'HMDS data farm connection is OK:ushmds', 2106)))).toEqual([
      ['cancelHistoricalData', 5],
      ['reqHistoricalData', 6]
    ])
  })
  test.each([2104, 2106, 2107, 2108, 2119, 2158, 2100, 2152])('%d is news, and nothing happens', (code) => {
    const { session } = asked(WANTED)
    expect(hear(session, 'info', 'Market data farm connection is OK:usfarm', code)).toEqual([])
    expect(hear(session, 'error', 'Warning: a message', code, -1)).toEqual([])
  })
  test.each([326, 502, 504, 507, 509, 1300])('%d: the connection is of no use', (code) => {
    expect(hear(adapter.open({}), 'error', 'no', code, -1)).toEqual([{ type: 'hangup', reason: `no (${code})` }])
  })
  test('10197: logged in elsewhere, tried again in a minute', () => {
    const { session, id } = asked(WANTED)
    const told = hear(session, 'error', 'No market data during competing live session', 10_197, id('reqMktData'))
    expect(told).toMatchObject([{ type: 'hangup', wait: 60_000 }])
  })
})

describe('what is wrong with a request', () => {
  test.each([101, 310, 320, 321, 354, 10_186, 10_189, 10_092, 99])('%d refuses the quote and leaves the rest', (code) => {
    const { session, id } = asked(WANTED)
    expect(hear(session, 'error', 'no', code, id('reqMktData'))).toEqual([
      { type: 'reject', kind: 'quote', symbol: 'AAPL', reason: `no (${code})` }
    ])
    expect(session.asked.size).toBe(3)
    expect(hear(session, 'tickPrice', id('reqMktData'), 1, 290)).toEqual([])
  })
  test.each([10_089, 10_090, 10_167, 10_168, 366])('%d is an advisory: data still flows', (code) => {
    const { session, id } = asked(WANTED)
    expect(
      hear(session, 'error', 'Requested market data is not subscribed. Displaying delayed market data.', code, id('reqMktData'))
    ).toEqual([])
    expect(session.asked.has(id('reqMktData'))).toBe(true)
  })
  test('309: no more books', () => {
    const { session, id } = asked(WANTED)
    expect(
      hear(session, 'error', 'Max number (3) of market depth requests has been reached', 309, id('reqMktDepth'))
    ).toMatchObject([{ type: 'reject', kind: 'book', symbol: 'AAPL' }])
  })
  test('100: sent too fast, so that it is asked again in time', () => {
    const { session, id } = asked(WANTED)
    expect(hear(session, 'error', 'Max rate of messages per second has been exceeded', 100, id('reqMktData'))).toMatchObject([
      { type: 'reject' }
    ])
    expect(named(subscribe(session, WANTED[0]!))).toEqual([['reqMktData', 6]])
    expect(hear(session, 'info', 'Max rate of messages per second has been exceeded', 100)).toMatchObject([{ type: 'reject' }])
  })
  test.each([322, 300])('%d: the same under another id, once', (code) => {
    const { session, id } = asked(WANTED)
    expect(named(callsOf(hear(session, 'error', 'Duplicate ticker id', code, id('reqMktData'))))).toEqual([['reqMktData', 6]])
    expect(hear(session, 'error', 'Duplicate ticker id', code, 6)).toMatchObject([{ type: 'reject', kind: 'quote' }])
  })
  test('10190 refuses what has no aggregated trades', () => {
    const { session, id } = asked([{ kind: 'trade', symbol: 'EUR.USD' }])
    expect(hear(session, 'error', 'Max number of tick-by-tick requests', 10_190, id('reqTickByTickData'))).toMatchObject([
      { type: 'reject', kind: 'trade', symbol: 'EUR.USD' }
    ])
  })
  test('316: a halted book is asked for again', () => {
    const { session, id } = asked(WANTED)
    expect(
      hear(session, 'error', 'Market depth data has been HALTED. Please re-subscribe.', 316, id('reqMktDepth'))
    ).toMatchObject([{ type: 'gap', kind: 'book' }])
  })
  test('an error of a request that was given up is of nobody', () => {
    expect(hear(adapter.open({}), 'error', "Can't find EId with tickerId:77", 300, 77)).toEqual([])
  })
})

describe('life', () => {
  test('the type of data is asked for first: delayed where nothing is subscribed, or as configured', () => {
    const greet = (options: Record<string, string>) => adapter.greet!(adapter.open({ options }))
    expect(greet({})).toEqual(['{"call":"reqMarketDataType","args":[3]}'])
    expect(greet({ data: 'live' })).toEqual(['{"call":"reqMarketDataType","args":[1]}'])
  })
  test('the options decide where to', () => {
    expect(adapter.dial!(adapter.wsUrl!, {})).toBe('ib://127.0.0.1:4002')
    expect(adapter.dial!('ib://10.0.0.2:7497?clientId=7', {})).toBe('ib://10.0.0.2:7497?clientId=7')
    expect(adapter.dial!(adapter.wsUrl!, { options: { host: 'tws', port: '7496', clientId: '3' } })).toBe(
      'ib://tws:7496?clientId=3'
    )
  })
  test('the time proves that TWS read what was asked: a request that it did not refuse until the second one is confirmed', () => {
    const { session } = asked(WANTED)
    expect(hear(session, 'currentTime', 1_577_811_900)).toEqual([])
    expect(only('ack', hear(session, 'currentTime', 1_577_811_905)).map(({ kind }) => kind)).toEqual([
      'quote',
      'trade',
      'book',
      'candle'
    ])
    expect(hear(session, 'currentTime', 1_577_811_910)).toEqual([])
  })
  test('a line is left when the last kind that it carries is', () => {
    const { session } = asked([WANTED[0]!, { kind: 'ticker', symbol: 'AAPL' }])
    expect(adapter.unsubscribe([{ kind: 'ticker', symbol: 'AAPL' }], session)).toEqual([])
    expect(adapter.unsubscribe([WANTED[0]!], session)).toEqual(['{"call":"cancelMktData","args":[2]}'])
  })
  test('what was left before its contract was known is not asked for', () => {
    const session = adapter.open({})
    subscribe(session, WANTED[0]!)
    adapter.unsubscribe([WANTED[0]!], session)
    hear(session, 'contractDetails', 1, { contract: { conId: 5 } })
    expect(hear(session, 'contractDetailsEnd', 1)).toEqual([])
  })
  test.each(['', '{', '7', 'null', '[]', '[7]', '{"event":"tickPrice"}', '{"event":7,"args":[]}', '<html>'])(
    '%s is refused or nothing',
    (frame) => {
      const told = adapter.decode(frame, NOW, adapter.open({}))
      expect(told.every(({ type }) => type === 'refused')).toBe(true)
      expect(told.length).toBe(frame === '[]' ? 0 : 1)
    }
  )
  test.each(['managedAccounts', 'nextValidId', 'tickOptionComputation', 'newsProviders', 'somethingNew'])(
    '%s emits nothing',
    (event) => {
      const { session, id } = asked(WANTED)
      expect(data(hear(session, event, id('reqMktData'), 1, 2, 3))).toEqual([])
    }
  )
})

test('[T15] no event with anything in the place of anything throws, or makes a number that is none', { timeout: 60_000 }, () => {
  const EVENTS = [
    ['tickPrice', 2, 1, 293.6],
    ['tickSize', 2, 0, 300],
    ['tickString', 2, 45, '1577811900'],
    ['tickGeneric', 2, 49, 0],
    ['tickByTickAllLast', 3, 1, '1577811935', 293.2, 100, { unreported: false }, 'ARCA', 'F'],
    ['updateMktDepth', 4, 0, 0, 1, 10, 100],
    ['updateMktDepthL2', 4, 0, 'ARCA', 0, 1, 10, 100, true],
    ['historicalData', 5, '1577811780', 293, 294, 292, 293.5, 1_000, 10, 293.2],
    ['historicalData', 5, 'finished-a-b', -1, -1, -1, -1, -1, -1, -1, false],
    ['historicalDataUpdate', 5, '1577811780', 293, 294, 292, 293.5, 1_000, 10, 293.2],
    ['realtimeBar', 5, 1_577_811_780, 293, 294, 292, 293.5, 1_000, 10, 293.2],
    ['position', 'DU123', { symbol: 'AAPL', secType: 'STK', currency: 'USD' }, 100, 150],
    ['accountSummary', 7, 'DU123', 'NetLiquidation', '1', 'USD'],
    ['contractDetails', 9, { contract: { conId: 7 }, tradingHours: '20191231:0400-20191231:2000' }],
    ['error', 'no', 354, 2],
    ['info', 'broken:usfarm', 2103],
    ['server', 176, 'x']
  ]
  const poison = fc.oneof(
    fc.constantFrom(null, true, 0, -1, 1e308, 5e-324, '', 'NaN', {}, { toString: null }, [[]], 'x'.repeat(500)),
    fc.jsonValue({ maxDepth: 2 })
  )
  const damaged = fc
    .tuple(fc.constantFrom(...EVENTS), fc.nat(), poison, fc.boolean())
    .map(([event, at, value, keep]): [string, ...unknown[]] => {
      const copy = [...event] as [string, ...unknown[]]
      if (!keep) copy[1 + (at % (copy.length - 1))] = value
      return copy
    })
  let session = asked(WANTED, { account: true }).session
  let n = 0
  fc.assert(
    fc.property(damaged, (event) => {
      if (n++ % 100 === 0) {
        session = asked(WANTED, { account: true }).session
        subscribe(session, { kind: 'position', symbol: '*' }, { kind: 'account', symbol: '*' }, { kind: 'quote', symbol: 'MSFT' })
      }
      for (const meaning of hearAll(session, event)) {
        for (const [key, value] of Object.entries(meaning)) {
          if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${meaning.type}.${key} is ${value}`)
          if (/^(price|bid|ask|last|open|high|low|close|time|start)$/.test(key) && !(Number(value) > 0))
            throw new Error(`${meaning.type}.${key} is ${String(value)}`)
        }
        if (meaning.type === 'refused' && meaning.reason === '') throw new Error('refused without a reason')
        if (meaning.type === 'refused' && meaning.reason.includes('unknown shape'))
          throw new Error(`not understood: ${JSON.stringify(event)}`)
      }
    }),
    { numRuns: 20_000 }
  )
})
