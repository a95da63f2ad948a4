import { describe, expect, test } from 'vitest'
import type { Subscription } from '../../src/providers/adapter.ts'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { countsOf, only } from './captures.ts'
import { asked, callsOf, cells, data, DELAY, field, hear, hearAll, NOW } from './interactive-brokers.rig.ts'

describe('level 1, on what a notebook printed of EUR-USD', () => {
  const printed = cells('tick')[1]!.output
  const ticks = (id: number): [string, ...unknown[]][] => [
    ['tickPrice', id, 1, field(printed, 'bid'), false],
    ['tickSize', id, 0, field(printed, 'bidSize')],
    ['tickPrice', id, 2, field(printed, 'ask'), false],
    ['tickSize', id, 3, field(printed, 'askSize')],
    ['tickPrice', id, 6, field(printed, 'high')],
    ['tickPrice', id, 7, field(printed, 'low')],
    ['tickPrice', id, 9, field(printed, 'close')],
    ['tickGeneric', id, 49, field(printed, 'halted')]
  ]
  const golden = { symbol: 'EUR.USD', time: NOW, bid: 1.12245, bidSize: 10_700_000, ask: 1.1225, askSize: 2_000_000 }
  const all: Subscription[] = (['quote', 'ticker', 'halt'] as const).map((kind) => ({ kind, symbol: 'EUR.USD' }))

  test('ticks that came together are one quote and one ticker, whose last price is the middle', () => {
    const { session, id } = asked(all)
    const meanings = hearAll(session, ...ticks(id('reqMktData')))
    expect(countsOf(meanings)).toEqual({ ack: 3, quote: 1, ticker: 1, halt: 1 })
    expect(only('quote', meanings)).toEqual([{ type: 'quote', ...golden }])
    expect(only('ticker', meanings)).toEqual([
      {
        type: 'ticker',
        symbol: 'EUR.USD',
        time: NOW,
        last: 1.1224750000000001,
        high: 1.1239,
        low: 1.11985,
        prevClose: 1.12,
        session: 'regular'
      }
    ])
    expect(only('halt', meanings)).toMatchObject([{ state: 'trading', code: '0' }])
    // The same again is nothing new.
    expect(hearAll(session, ...ticks(id('reqMktData')).slice(0, 7))).toEqual([])
  })
  test('ticks that come apart make a quote with each change, once both sides are known', () => {
    const { session, id } = asked([{ kind: 'quote', symbol: 'EUR.USD' }])
    const told = ticks(id('reqMktData'))
      .slice(0, 4)
      .map((tick) => data(hear(session, ...tick)).length)
    expect(told).toEqual([0, 0, 0, 1])
    expect(data(hear(session, 'tickSize', id('reqMktData'), 0, 9_000_000))).toEqual([
      { type: 'quote', ...golden, bidSize: 9_000_000 }
    ])
    expect(data(hear(session, 'tickSize', id('reqMktData'), 0, 9_000_000))).toEqual([])
  })
  test('-1, -100, 0 and none are no prices: the side has no offer until the next one', () => {
    for (const none of [-1, -100, 0, null]) {
      const { session, id } = asked([{ kind: 'quote', symbol: 'EUR.USD' }])
      hearAll(session, ...ticks(id('reqMktData')))
      const n = id('reqMktData')
      expect(hearAll(session, ['tickPrice', n, 2, none], ['tickSize', n, 3, 0])).toEqual([])
      expect(hear(session, 'tickPrice', n, 2, 1.13)).toEqual([])
      expect(hear(session, 'tickSize', n, 3, 500)).toEqual([{ type: 'quote', ...golden, ask: 1.13, askSize: 500 }])
    }
  })
  test('the table of six pairs of the notebook, each its quote', () => {
    const table = cells('tick')[3]!
      .output.trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/\s+/))
    expect(table.length).toBe(6)
    for (const [pair = '', bidSize, bid, ask, askSize] of table) {
      const symbol = `${pair.slice(0, 3)}.${pair.slice(3)}`
      const { session, id } = asked([{ kind: 'quote', symbol }])
      const n = id('reqMktData')
      const meanings = hearAll(
        session,
        ['tickSize', n, 0, Number(bidSize)],
        ['tickPrice', n, 1, Number(bid)],
        ['tickPrice', n, 2, Number(ask)],
        ['tickSize', n, 3, Number(askSize)]
      )
      expect(only('quote', meanings)).toEqual([
        {
          type: 'quote',
          symbol,
          time: NOW,
          bid: Number(bid),
          bidSize: Number(bidSize),
          ask: Number(ask),
          askSize: Number(askSize)
        }
      ])
    }
  })
  test('bid and ask tick by tick, as the notebook recorded them, in their order within one second', () => {
    const { session, id } = asked([{ kind: 'quote', symbol: 'EUR.USD' }], { options: { quotes: 'tick' } })
    const recorded = [...cells('tick')[4]!.output.matchAll(/TickByTickBidAsk\([^)]*\)[^)]*\)/g)].map(([text]) => text)
    expect(recorded.length).toBe(3)
    const quotes = recorded.flatMap((text) =>
      only(
        'quote',
        hear(
          session,
          'tickByTickBidAsk',
          id('reqTickByTickData'),
          '1577811935',
          ...['bidPrice', 'askPrice', 'bidSize', 'askSize'].map((name) => field(text, name)),
          {
            bidPastLow: false,
            askPastHigh: false
          }
        )
      )
    )
    expect(quotes.map(({ bid, bidSize, ask, askSize, time }) => [time, bid, bidSize, ask, askSize])).toEqual([
      [1_577_811_935_000, 1.1225, 11_500_000, 1.12255, 1_000_000],
      [1_577_811_935_000, 1.1225, 11_000_000, 1.12255, 1_000_000],
      [1_577_811_935_000, 1.1225, 11_000_000, 1.1226, 11_500_000]
    ])
  })
})

describe('level 1 of a stock', () => {
  const kinds: Subscription[] = (['quote', 'ticker'] as const).map((kind) => ({ kind, symbol: 'AAPL' }))
  const day = (n: number, late: boolean): [string, ...unknown[]][] => {
    const [bid, ask, last, sizes, high, low, volume, close, open] = late
      ? [66, 67, 68, [69, 70, 71], 72, 73, 74, 75, 76]
      : [1, 2, 4, [0, 3, 5], 6, 7, 8, 9, 14]
    const [bidSize, askSize, lastSize] = sizes
    return [
      ['tickPrice', n, bid, 293.6],
      ['tickSize', n, bidSize, 300],
      ['tickPrice', n, ask, 293.7],
      ['tickSize', n, askSize, 200],
      ['tickString', n, late ? 88 : 45, '1577811900'],
      ['tickPrice', n, last, 293.65],
      ['tickSize', n, lastSize, 100],
      ['tickPrice', n, high, 294],
      ['tickPrice', n, low, 289.52],
      ['tickSize', n, volume, 25_201_369],
      ['tickPrice', n, close, 291.52],
      ['tickPrice', n, open, 290]
    ]
  }
  test.each([false, true])('the ticks of a day, late: %s', (late) => {
    const { session, id } = asked(kinds)
    const meanings = hearAll(session, ...day(id('reqMktData'), late))
    const stamp = late ? { delayed: DELAY } : {}
    expect(only('quote', meanings)).toEqual([
      {
        type: 'quote',
        symbol: 'AAPL',
        time: late ? NOW - DELAY : NOW,
        bid: 293.6,
        bidSize: 300,
        ask: 293.7,
        askSize: 200,
        ...stamp
      }
    ])
    expect(only('ticker', meanings)).toEqual([
      {
        type: 'ticker',
        symbol: 'AAPL',
        time: 1_577_811_900_000,
        last: 293.65,
        open: 290,
        high: 294,
        low: 289.52,
        volume: 25_201_369,
        prevClose: 291.52,
        change: expect.closeTo(3.65, 6),
        changePercent: expect.closeTo(1.2586, 3),
        session: 'regular',
        ...stamp
      }
    ])
  })
  test('old servers count in round lots, new ones in shares', () => {
    const { session, id } = asked(kinds)
    hear(session, 'server', 151, '20191231 12:00:00 EST')
    const meanings = hearAll(session, ...day(id('reqMktData'), false))
    expect(only('quote', meanings)[0]).toMatchObject({ bidSize: 30_000, askSize: 20_000 })
    expect(only('ticker', meanings)[0]).toMatchObject({ volume: 2_520_136_900 })
  })
  test('the type of the data that TWS announces flags it before a tick does', () => {
    const { session, id } = asked(kinds)
    hear(session, 'marketDataType', id('reqMktData'), 3)
    expect([...session.lines.values()][0]!.delayed).toBe(true)
    hear(session, 'marketDataType', id('reqMktData'), 1)
    expect([...session.lines.values()][0]!.delayed).toBe(false)
  })
  test('an index tells its value, not a price', () => {
    const { session, id } = asked([{ kind: 'index', symbol: 'INDEX:SPX' }])
    expect(data(hear(session, 'tickPrice', id('reqMktData'), 4, 3_230.78))).toMatchObject([{ type: 'index', value: 3_230.78 }])
  })
  test.each([
    [1, 'halted'],
    [2, 'paused']
  ])('halted %d is %s', (code, state) => {
    const { session, id } = asked([{ kind: 'halt', symbol: 'AAPL' }])
    expect(data(hear(session, 'tickGeneric', id('reqMktData'), 49, code))).toMatchObject([
      { type: 'halt', state, code: String(code) }
    ])
    expect(data(hear(session, 'tickGeneric', id('reqMktData'), 49, -1))).toEqual([])
  })
  test.each([
    ['tickPrice', 1, 'x'],
    ['tickPrice', 1, -7],
    ['tickPrice', 4, 1e17],
    ['tickSize', 0, -7],
    ['tickSize', 8, 'many']
  ])('%s %d of %s is refused', (event, type, value) => {
    const { session, id } = asked(kinds)
    hearAll(session, ...day(id('reqMktData'), false))
    expect(data(hear(session, event, id('reqMktData'), type, value))).toEqual([
      { type: 'refused', reason: expect.stringContaining('impossible') }
    ])
  })
})

describe('trades', () => {
  test('tick by tick: seconds as text, the venue, the conditions, the part of the day', () => {
    const { session, id, calls } = asked([{ kind: 'trade', symbol: 'AAPL' }])
    expect(calls).toMatchObject([{ call: 'reqTickByTickData', args: [2, {}, 'AllLast', 0, false] }])
    const n = id('reqTickByTickData')
    const plain = { pastLimit: false, unreported: false }
    const trade = {
      type: 'trade',
      symbol: 'AAPL',
      time: 1_577_811_935_000,
      price: 293.2,
      size: 100,
      side: 'unknown',
      session: 'regular'
    }
    expect(data(hear(session, 'tickByTickAllLast', n, 2, '1577811935', 293.2, 100, plain, 'ARCA', ' F  I '))).toEqual([
      { ...trade, venue: 'ARCA', conditions: ['F', 'I'] }
    ])
    expect(
      data(hear(session, 'tickByTickAllLast', n, 2, 1_577_811_935, 293.2, 100, { ...plain, unreported: true }, '', ''))
    ).toEqual([{ ...trade, ineligible: true }])
    // Two equal rows are two trades.
    const twice: [string, ...unknown[]] = ['tickByTickAllLast', n, 1, '1577840000', 293.2, 100, plain, 'ISLAND', '']
    expect(only('trade', hearAll(session, twice, twice)).map((t) => t.session)).toEqual(['post', 'post'])
    expect(data(hear(session, 'tickByTickAllLast', n, 1, '1577784000', 293.2, 1, plain, '', ''))).toMatchObject([
      { session: 'pre' }
    ])
  })
  test.each([
    ['x', 1],
    [-1, 100],
    [293.2, 0],
    [293.2, null]
  ])('a trade of %s at %s is refused', (price, size) => {
    const { session, id } = asked([{ kind: 'trade', symbol: 'AAPL' }])
    expect(
      countsOf(data(hear(session, 'tickByTickAllLast', id('reqTickByTickData'), 1, '1577811935', price, size, {}, '', '')))
    ).toEqual({ refused: 1 })
  })
  test('10190: beyond the few that TWS serves tick by tick, prints come aggregated', () => {
    const { session, id } = asked([{ kind: 'trade', symbol: 'AAPL' }])
    const [print] = callsOf(
      hear(session, 'error', 'Max number of tick-by-tick requests has been reached', 10_190, id('reqTickByTickData'))
    )
    expect(print).toMatchObject({ call: 'reqMktData', args: [3, {}, '233', false, false] })
    const n = print!.args[0]
    expect(data(hear(session, 'tickString', n, 48, '701.28;1;1348075471534;67854;701.46918464;true'))).toEqual([
      { type: 'trade', symbol: 'AAPL', time: 1_348_075_471_534, price: 701.28, size: 1, side: 'unknown' }
    ])
    expect(hear(session, 'tickString', n, 48, ';0;1348075471534;67854;701.46918464;true')).toEqual([])
    expect(adapter.unsubscribe([{ kind: 'trade', symbol: 'AAPL' }], session)).toEqual([
      `{"call":"cancelMktData","args":[${String(n)}]}`
    ])
  })
})
