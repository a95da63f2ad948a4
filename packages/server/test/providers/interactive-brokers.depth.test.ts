import { describe, expect, test } from 'vitest'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { countsOf, only } from './captures.ts'
import { asked, data, hear, hearAll, NOW, subscribe } from './interactive-brokers.rig.ts'

describe('depth', () => {
  const book = () => {
    const { session, id } = asked([{ kind: 'book', symbol: 'AAPL' }])
    return { session, n: id('reqMktDepth') }
  }
  const deltas = (meanings: ReturnType<typeof hear>) => only('delta', meanings).map(({ bids, asks }) => [bids, asks])

  test('an insert moves rows down, an update replaces one, a delete moves them up', () => {
    const { session, n } = book()
    const told = (...rows: unknown[][]) =>
      deltas(hearAll(session, ...rows.map((row): [string, ...unknown[]] => ['updateMktDepth', n, ...row]))).at(-1)
    expect(told([0, 0, 1, 10, 100], [1, 0, 1, 9, 200], [0, 0, 0, 11, 50])).toEqual([
      [
        [10, 100],
        [9, 200]
      ],
      [[11, 50]]
    ])
    expect(told([0, 0, 1, 10.5, 5])).toEqual([
      [
        [10.5, 5],
        [10, 100],
        [9, 200]
      ],
      [[11, 50]]
    ])
    expect(told([1, 1, 1, 10, 150])).toEqual([
      [
        [10.5, 5],
        [10, 150],
        [9, 200]
      ],
      [[11, 50]]
    ])
    expect(told([0, 2, 1, 0, 0])).toEqual([
      [
        [10, 150],
        [9, 200]
      ],
      [[11, 50]]
    ])
    expect(only('delta', hear(session, 'updateMktDepth', n, 0, 1, 0, 11, 60))[0]).toMatchObject({
      snapshot: true,
      symbol: 'AAPL',
      time: NOW
    })
  })
  test('market makers at one price are one level', () => {
    const { session, n } = book()
    const told = hearAll(
      session,
      ['updateMktDepthL2', n, 0, 'ARCA', 0, 1, 10, 100, true],
      ['updateMktDepthL2', n, 1, 'DRCTEDGE', 0, 1, 10, 50, true]
    )
    expect(deltas(told).at(-1)).toEqual([[[10, 150]], []])
  })
  test('a book that is crossed while its rows move is not told', () => {
    const { session, n } = book()
    const rows: [string, ...unknown[]][] = [
      ['updateMktDepth', n, 0, 0, 1, 10, 100],
      ['updateMktDepth', n, 0, 0, 0, 10, 100],
      ['updateMktDepth', n, 0, 1, 0, 10.1, 100]
    ]
    expect(deltas(hearAll(session, ...rows))).toEqual([
      [[[10, 100]], []],
      [[[10, 100]], [[10.1, 100]]]
    ])
  })
  test('317 clears it; a row that does not fit is a gap', () => {
    const { session, n } = book()
    hear(session, 'updateMktDepth', n, 0, 0, 1, 10, 100)
    expect(
      hear(
        session,
        'error',
        'Market depth data has been RESET. Please empty deep book contents before applying any new entries.',
        317,
        n
      )
    ).toEqual([{ type: 'delta', symbol: 'AAPL', time: NOW, snapshot: true, bids: [], asks: [] }])
    expect(hear(session, 'updateMktDepth', n, 3, 0, 1, 10, 100)).toEqual([
      { type: 'gap', kind: 'book', symbol: 'AAPL', cause: 'sequence' }
    ])
  })
  test.each([
    [-1, 0, 1, 10, 5],
    [0, 0, 2, 10, 5],
    [0, 0, 1, -10, 5],
    [0, 0, 1, 10, -5],
    ['0', 0, 1, 10, 5]
  ])('row %s %s %s %s %s is refused', (...row) => {
    const { session, n } = book()
    expect(countsOf(data(hear(session, 'updateMktDepth', n, ...row)))).toEqual({ refused: 1 })
  })
  test('leaving it says whether it was the smart one', () => {
    const { session } = book()
    expect(adapter.unsubscribe([{ kind: 'book', symbol: 'AAPL' }], session)).toEqual([
      '{"call":"cancelMktDepth","args":[2,true]}'
    ])
    expect(hear(session, 'updateMktDepth', 2, 0, 0, 1, 10, 100)).toEqual([])
  })
})

describe('the account', () => {
  const wanted = [
    { kind: 'position', symbol: '*' },
    { kind: 'account', symbol: '*' }
  ] as const
  test('it is asked for only where the user wants it shown', () => {
    expect(subscribe(adapter.open({}), ...wanted)).toEqual([])
    expect(subscribe(adapter.open({ account: true }), ...wanted).map(({ call }) => call)).toEqual([
      'reqPositions',
      'reqAccountSummary'
    ])
  })
  test.each([
    [
      { symbol: 'AAPL', secType: 'STK', currency: 'USD', multiplier: 0 },
      100,
      150.25,
      { symbol: 'AAPL', quantity: 100, averagePrice: 150.25 }
    ],
    [
      { symbol: 'ES', localSymbol: 'ESZ5', secType: 'FUT', currency: 'USD', multiplier: 50 },
      -2,
      300_000,
      { symbol: 'ESZ5', quantity: -2, averagePrice: 6_000 }
    ],
    [{ symbol: 'EUR', secType: 'CASH', currency: 'USD' }, 1_000, 1.1, { symbol: 'EUR.USD', quantity: 1_000, averagePrice: 1.1 }],
    [{ symbol: 'SHEL', secType: 'STK', currency: 'GBP', exchange: 'LSE' }, 5, 25, { symbol: 'LSE:SHEL', quantity: 5 }]
  ])('a position in %o', (contract, held, cost, golden) => {
    const session = adapter.open({ account: true })
    subscribe(session, ...wanted)
    expect(hear(session, 'position', 'DU123', contract, held, cost)).toMatchObject([
      { type: 'position', account: 'DU123', time: NOW, ...golden }
    ])
  })
  test('a position that was closed has a quantity of 0, and no price', () => {
    const session = adapter.open({ account: true })
    subscribe(session, ...wanted)
    expect(hear(session, 'position', 'DU123', { symbol: 'AAPL', secType: 'STK', currency: 'USD' }, 0, 0)).toEqual([
      { type: 'position', symbol: 'AAPL', time: NOW, account: 'DU123', quantity: 0, currency: 'USD' }
    ])
    expect(countsOf(hear(session, 'position', 'DU123', { symbol: 'AAPL', secType: 'STK' }, null, 0))).toEqual({ refused: 1 })
    expect(hear(session, 'positionEnd')).toEqual([{ type: 'ack', kind: 'position', symbol: '*' }])
  })
  test('the figures come one by one and are told together', () => {
    const session = adapter.open({ account: true })
    subscribe(session, ...wanted)
    const figures: [string, ...unknown[]][] = [
      ['accountSummary', 2, 'DU123', 'NetLiquidation', '1000000.50', 'USD'],
      ['accountSummary', 2, 'DU123', 'BuyingPower', '4000000', 'USD'],
      ['accountSummary', 2, 'DU123', 'AccountType', 'INDIVIDUAL', '']
    ]
    expect(data(hearAll(session, ...figures))).toEqual([])
    const told = { type: 'account', symbol: '*', time: NOW, account: 'DU123', currency: 'USD' }
    expect(hear(session, 'accountSummaryEnd', 2)).toEqual([
      { ...told, values: { NetLiquidation: 1_000_000.5, BuyingPower: 4_000_000 } }
    ])
    expect(hear(session, 'accountSummary', 2, 'DU123', 'NetLiquidation', '1', 'USD')).toEqual([
      { ...told, values: { NetLiquidation: 1, BuyingPower: 4_000_000 } }
    ])
  })
})
