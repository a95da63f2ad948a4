import { describe, expect, test } from 'vitest'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { only } from './captures.ts'
import { asked, callsOf, hear, subscribe } from './interactive-brokers.rig.ts'

describe('contracts', () => {
  test.each([
    ['AAPL', 'AAPL', { secType: 'STK', symbol: 'AAPL', exchange: 'SMART', currency: 'USD' }],
    ['BRK.B', 'BRK B', { secType: 'STK', symbol: 'BRK B', exchange: 'SMART', currency: 'USD' }],
    ['EUR-USD', 'EUR.USD', { secType: 'CASH', symbol: 'EUR', currency: 'USD', exchange: 'IDEALPRO' }],
    ['BTC-USD', 'BTC.USD', { secType: 'CRYPTO', symbol: 'BTC', currency: 'USD', exchange: 'PAXOS' }],
    ['ESZ5', 'ESZ5', { secType: 'FUT', localSymbol: 'ESZ5', exchange: 'CME' }],
    ['NYMEX:CLF6', 'NYMEX:CLF6', { secType: 'FUT', localSymbol: 'CLF6', exchange: 'NYMEX' }],
    [
      'ES-USD-251219',
      'ES-USD-251219',
      { secType: 'FUT', symbol: 'ES', currency: 'USD', exchange: 'CME', lastTradeDateOrContractMonth: '20251219' }
    ],
    ['INDEX:SPX', 'INDEX:SPX', { secType: 'IND', symbol: 'SPX', exchange: 'CBOE', currency: 'USD' }],
    ['INDEX:DJI', 'INDEX:DJI', { secType: 'IND', symbol: 'INDU', exchange: 'CME', currency: 'USD' }],
    ['LSE:SHEL', 'LSE:SHEL', { secType: 'STK', symbol: 'SHEL', exchange: 'SMART', primaryExch: 'LSE', currency: 'GBP' }],
    ['NSE:SBIN-EQ', 'NSE:SBIN-EQ', { secType: 'STK', symbol: 'SBIN', exchange: 'SMART', primaryExch: 'NSE', currency: 'INR' }]
  ])('%s is asked for as what it is called there, and found again by its own symbol', (id, symbol, contract) => {
    const row = adapter.identify!(id)!
    expect(row.symbol).toBe(symbol)
    const named = row.quote === undefined ? row.base : [row.base, row.quote, row.contract].filter(Boolean).join('-')
    expect(named).toBe(id)
    expect(adapter.identify!(symbol)).toEqual(row)
    expect(subscribe(adapter.open({}), { kind: 'quote', symbol })).toEqual([{ call: 'reqContractDetails', args: [1, contract] }])
  })
  test.each(['BTC-USDT', 'BTC-USDT-PERP', 'XYZ:FOO', '', 'NYMEX:OIL', 'a b c', 'INDEX:'])('%s is none of its own', (text) =>
    expect(adapter.identify!(text)).toBeUndefined()
  )
  test('an index by a name that every object has is an index', () => {
    expect(subscribe(adapter.open({}), { kind: 'index', symbol: 'INDEX:constructor' })[0]!.args[1]).toMatchObject({
      secType: 'IND'
    })
  })
  test('a contract is resolved once, and its id is what further requests name', () => {
    const { session, calls } = asked([
      { kind: 'quote', symbol: 'AAPL' },
      { kind: 'trade', symbol: 'AAPL' }
    ])
    expect(calls.map(({ call }) => call)).toEqual(['reqMktData', 'reqTickByTickData'])
    expect((calls[0]!.args[1] as { conId: number }).conId).toBeGreaterThan(265_597)
    expect(subscribe(session, { kind: 'book', symbol: 'AAPL' })).toMatchObject([{ call: 'reqMktDepth', args: [4, {}, 20, true] }])
    expect(subscribe(session, { kind: 'ticker', symbol: 'AAPL' })).toEqual([])
  })
  test('error 200, no answer or several contracts refuse all kinds of the symbol', () => {
    for (const answer of ['200', 'none', 'several']) {
      const session = adapter.open({})
      subscribe(session, { kind: 'quote', symbol: 'NOPE' }, { kind: 'trade', symbol: 'NOPE' })
      for (const conId of answer === 'several' ? [1, 2] : []) hear(session, 'contractDetails', 1, { contract: { conId } })
      const meanings =
        answer === '200'
          ? hear(session, 'error', 'No security definition has been found for the request', 200, 1)
          : hear(session, 'contractDetailsEnd', 1)
      expect(only('reject', meanings).map(({ kind, symbol }) => [kind, symbol])).toEqual([
        ['quote', 'NOPE'],
        ['trade', 'NOPE']
      ])
      expect(meanings.some((m) => 'fatal' in m)).toBe(false)
    }
  })
  test('the same contract on two exchanges is one', () => {
    const session = adapter.open({})
    subscribe(session, { kind: 'quote', symbol: 'ESZ5' })
    for (const exchange of ['CME', 'QBALGO']) hear(session, 'contractDetails', 1, { contract: { conId: 7, exchange } })
    expect(callsOf(hear(session, 'contractDetailsEnd', 1))).toMatchObject([
      { call: 'reqMktData', args: [2, { conId: 7 }, '', false, false] }
    ])
  })
})
