import { describe, expect, test } from 'vitest'
import type { Interval } from '@tickwire/protocol'
import { interactiveBrokers as adapter } from '../../src/providers/interactive-brokers.ts'
import { countsOf, only } from './captures.ts'
import { asked, cells, data, field, hear, hearAll, NOW } from './interactive-brokers.rig.ts'

const candles = (symbol: string, interval: Interval = '1m', options: Record<string, string> = {}) =>
  asked([{ kind: 'candle', symbol, interval }], { options })

describe('bars that TWS keeps up to date', () => {
  test('each interval has its bar size; currencies are asked by their midpoint, coins in aggregate', () => {
    const sizes = adapter.intervals.map((interval) => candles('AAPL', interval).calls[0]!.args)
    expect(sizes.map((args) => args[4])).toEqual([
      '1 min',
      '3 mins',
      '5 mins',
      '15 mins',
      '30 mins',
      '1 hour',
      '2 hours',
      '4 hours',
      '8 hours',
      '1 day'
    ])
    expect(sizes[0]).toMatchObject([2, { secType: 'STK' }, '', '240 S', '1 min', 'TRADES', 0, 2, true])
    expect(candles('EUR.USD').calls[0]!.args[5]).toBe('MIDPOINT')
    expect(candles('BTC.USD').calls[0]!.args[5]).toBe('AGGTRADES')
  })
  test('the rows up to the finished one are closed but for the newest, which goes on forming', () => {
    const { session, id } = candles('AAPL')
    const n = id('reqHistoricalData')
    const rows: [string, ...unknown[]][] = [
      ['historicalData', n, '1577811780', 293, 294, 292, 293.5, 1_000, 10, 293.2],
      ['historicalData', n, '1577811840', 293.5, 293.6, 293.4, 293.5, 500, 5, 293.5],
      ['historicalData', n, 'finished-20191231 11:00:00-20191231 12:05:00', -1, -1, -1, -1, -1, -1, -1, false]
    ]
    const told = only('candle', hearAll(session, ...rows))
    expect(told.map(({ start, closed, close, volume, trades }) => [start, closed, close, volume, trades])).toEqual([
      [1_577_811_780_000, true, 293.5, 1_000, 10],
      [1_577_811_840_000, false, 293.5, 500, 5]
    ])
    const same = hear(session, 'historicalDataUpdate', n, '1577811840', 293.5, 293.9, 293.4, 293.8, 700, 8, 293.6)
    expect(only('candle', same)).toMatchObject([{ start: 1_577_811_840_000, high: 293.9, closed: false }])
    const next = hear(session, 'historicalDataUpdate', n, '1577811900', 293.8, 293.8, 293.8, 293.8, 10, 1, 293.8)
    expect(only('candle', next).map(({ start, closed, close }) => [start, closed, close])).toEqual([
      [1_577_811_840_000, true, 293.8],
      [1_577_811_900_000, false, 293.8]
    ])
  })
  test('a day is told as a date, and begins in the zone of the contract', () => {
    const { session, id } = candles('AAPL', '1d')
    const [day] = only(
      'candle',
      hear(session, 'historicalDataUpdate', id('reqHistoricalData'), '20191231', 290, 294, 289, 293, 25_201_369, 9, 292)
    )
    expect(day!.start).toBe(Date.parse('2019-12-31T05:00:00Z'))
  })
  test.each(['x', '', null, '20191399', -5])('a bar at %s is refused', (date) => {
    const { session, id } = candles('AAPL')
    const meanings = hear(session, 'historicalDataUpdate', id('reqHistoricalData'), date, 1, 1, 1, 1, 1, 1, 1)
    expect(countsOf(data(meanings))).toEqual({ refused: 1 })
  })
  test('162: a query that was cancelled by ourselves is no refusal, no data is', () => {
    const { session, id } = candles('AAPL')
    const n = id('reqHistoricalData')
    const [, said] = /reqId \d+: (.*)\n/.exec(cells('bar')[9]!.output)!
    expect(hear(session, 'error', said, 162, n)).toEqual([])
    expect(
      hear(session, 'error', 'Historical Market Data Service error message:HMDS query returned no data: AAPL', 162, n)
    ).toMatchObject([{ type: 'reject', kind: 'candle', symbol: 'AAPL' }])
  })
})

describe('five-second bars', () => {
  const live = { bars: 'live' }
  test('as the notebook recorded them they fold into the minute; what was not heard from its start is not told', () => {
    const recorded = cells('bar')[10]!.output.trim().split('\n')
    expect(recorded.length).toBe(6)
    const { session, id, calls } = candles('EUR.USD', '1m', live)
    expect(calls).toMatchObject([{ call: 'reqRealTimeBars', args: [2, {}, 5, 'MIDPOINT', false] }])
    const n = id('reqRealTimeBars')
    const events = recorded.map((text): [string, ...unknown[]] => {
      const [, s] = /, (\d+), tzinfo/.exec(text)!
      const time = Date.UTC(2019, 11, 31, 12, 27, Number(s)) / 1_000
      return [
        'realtimeBar',
        n,
        time,
        ...['open_', 'high', 'low', 'close', 'volume', 'wap', 'count'].map((name) => field(text, name))
      ]
    })
    expect(countsOf(hearAll(session, ...events))).toEqual({ ack: 1 })
    const minute = Date.UTC(2019, 11, 31, 12, 28) / 1_000
    const bar = (at: number, ...[o, h, l, c]: number[]): [string, ...unknown[]] => ['realtimeBar', n, at, o, h, l, c, -1, -1, -1]
    const told = hearAll(
      session,
      bar(minute, 1.12, 1.13, 1.12, 1.125),
      bar(minute + 5, 1.125, 1.14, 1.11, 1.13),
      bar(minute + 60, 1.13, 1.13, 1.13, 1.13)
    )
    expect(
      only('candle', told).map(({ start, open, high, low, close, volume, closed }) => [
        start / 1_000,
        open,
        high,
        low,
        close,
        volume,
        closed
      ])
    ).toEqual([
      [minute, 1.12, 1.13, 1.12, 1.125, 0, false],
      [minute, 1.12, 1.14, 1.11, 1.13, 0, false],
      [minute, 1.12, 1.14, 1.11, 1.13, 0, true],
      [minute + 60, 1.13, 1.13, 1.13, 1.13, 0, false]
    ])
  })
  test('volumes and counts add up', () => {
    const { session, id } = candles('AAPL', '5m', live)
    const n = id('reqRealTimeBars')
    const at = 1_577_811_900
    const told = hearAll(
      session,
      ['realtimeBar', n, at, 1, 2, 1, 2, 100, 1.5, 3],
      ['realtimeBar', n, at + 5, 2, 3, 2, 3, 50, 2.5, 2]
    )
    expect(only('candle', told).at(-1)).toMatchObject({
      interval: '5m',
      volume: 150,
      trades: 5,
      open: 1,
      close: 3,
      closed: false
    })
  })
  test('420: an invalid query refuses the candles', () => {
    const { session, id } = candles('AAPL', '1m', live)
    expect(
      hear(session, 'error', 'Invalid Real-time Query:No market data permissions for ISLAND STK', 420, id('reqRealTimeBars'))
    ).toMatchObject([{ type: 'reject', kind: 'candle', symbol: 'AAPL', reason: expect.stringContaining('420') }])
  })
  test('a day cannot be folded from what is heard of it', () => {
    expect(candles('AAPL', '1d', live).calls[0]!.call).toBe('reqHistoricalData')
  })
})

describe('past candles', () => {
  const need = adapter.history!('TSLA', '1h', 300, NOW, {})
  const frames = (...events: [string, ...unknown[]][]) => JSON.stringify(events.map(([event, ...args]) => ({ event, args })))
  const decode = (body: string) => adapter.decode(body, NOW, adapter.open({}), need)

  test('they are asked by a call that the shell makes', () => {
    expect(need).toMatchObject({
      path: 'history?symbol=TSLA&interval=1h&limit=300',
      purpose: 'history',
      symbol: 'TSLA',
      interval: '1h'
    })
    const contract = { secType: 'STK', symbol: 'TSLA', exchange: 'SMART', currency: 'USD' }
    expect(need.post).toEqual({ call: 'reqHistoricalData', args: [null, contract, '', '20 D', '1 hour', 'TRADES', 0, 2, false] })
    const year = adapter.history!('EUR.USD', '1d', 1_000, NOW, {}).post as { args: unknown[] }
    expect(year.args.slice(3, 6)).toEqual(['4 Y', '1 day', 'MIDPOINT'])
  })
  test('the bars of the notebook, which an old server counted in round lots', () => {
    const table = [cells('bar')[3]!, cells('bar')[4]!].flatMap(({ output }) => {
      const [prices = '', counts = ''] = output.split('\n\n')
      const count = new Map(counts.split('\n').map((line) => line.trim().split(/\s+/) as [string, string]))
      return prices
        .split('\n')
        .slice(1)
        .map((line) => {
          const [n = '', date, time, open, high, low, close, volume, average] = line.trim().split(/\s+/)
          // The notebook was in the Netherlands, in summer time until the end of October.
          const at = Date.parse(`${date}T${time}+0${date?.includes('-10-') ? 2 : 1}:00`) / 1_000
          return { at, row: [String(at), ...[open, high, low, close, volume, count.get(n), average].map(Number)] }
        })
    })
    expect(table.length).toBe(10)
    const events = table.map(({ row }): [string, ...unknown[]] => ['historicalData', 1e9, ...row])
    const body = frames(['server', 151, 'x'], ...events, [
      'historicalData',
      1e9,
      'finished-a-b',
      -1,
      -1,
      -1,
      -1,
      -1,
      -1,
      -1,
      false
    ])
    const told = only('candle', decode(body))
    expect(told.length).toBe(10)
    expect(told[0]).toEqual({
      type: 'candle',
      symbol: 'TSLA',
      interval: '1h',
      start: Date.parse('2019-10-04T13:30:00Z'),
      time: Date.parse('2019-10-04T14:30:00Z'),
      open: 231.82,
      high: 234.78,
      low: 230.29,
      close: 233.06,
      volume: 1_206_600,
      trades: 5_981,
      closed: true,
      revision: 0
    })
    expect(told.at(-1)).toMatchObject({ close: 414.62, volume: 920_400, trades: 5_979 })
    const now = only('candle', decode(body.replace('"args":[151', '"args":[176')))
    expect(now[0]).toMatchObject({ volume: 12_066 })
  })
  test('an error is why there are none, an advisory is not', () => {
    expect(decode(frames(['error', 'No security definition has been found for the request', 200, 1e9]))).toEqual([
      { type: 'reject', symbol: 'TSLA', reason: 'No security definition has been found for the request (200)' }
    ])
    expect(decode('[{"event":"historicalData"}]')).toMatchObject([{ type: 'refused' }])
    expect(decode('{')).toMatchObject([{ type: 'refused' }])
  })
})

test('trades missed are asked by their time in UTC, and told with their venue up to the moment asked', () => {
  const need = adapter.fill!('AAPL', Date.UTC(2019, 11, 31, 17, 5, 2), Date.UTC(2019, 11, 31, 17, 6), {})!
  const { args } = need.post as { args: unknown[] }
  expect(args.slice(2)).toEqual(['20191231-17:05:02', '', 1_000, 'TRADES', 0, true])
  const row = { time: 1_577_811_935, price: 293.2, size: 100, exchange: 'ARCA', tickAttribLast: {}, specialConditions: '' }
  const rows = [row, row, { ...row, price: -1 }, { ...row, time: 1_577_819_999 }]
  const body = JSON.stringify([{ event: 'historicalTicksLast', args: [1e9, rows, true] }])
  const trade = {
    type: 'trade',
    symbol: 'AAPL',
    time: 1_577_811_935_000,
    price: 293.2,
    size: 100,
    side: 'unknown',
    venue: 'ARCA'
  }
  expect(adapter.decode(body, NOW, adapter.open({}), need)).toEqual([
    trade,
    trade,
    { type: 'refused', reason: 'trade: impossible price' }
  ])
  expect(adapter.fill!('EUR.USD', 0, 1, {})).toBeUndefined()
})
