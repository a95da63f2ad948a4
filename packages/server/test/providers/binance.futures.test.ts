import { describe, expect, test } from 'vitest'
import type { Meaning, Need } from '../../src/providers/adapter.ts'
import { binanceCoinm, binanceUsdm } from '../../src/providers/binance.futures.ts'
import { providers } from '../../src/providers/index.ts'
import { bookshelf, countsOf, decode, lines, only, rows, text, type BookRow } from './captures.ts'

type Step = { t: string; ts: number; line?: number }
type Heard = { line: number; meanings: readonly Meaning[] }
const COUNTS = JSON.parse(text('cryptofeed-expected-counts.json')) as { counts: Record<string, Record<string, number>> }

/** The session as it was: frames and REST answers in the order and at the times of the trace. */
function replay(provider: string, name: string): Heard[] {
  const adapter = providers[provider]!
  const frames = lines(`binance/${name}.jsonl.gz`)
  const answers = rows<{ url: string; body: unknown }>(`binance/${name}.http.jsonl`)
  const session = adapter.open({})
  const needs = new Map<string, Need>()
  return rows<Step>(`binance/${name}.trace.jsonl`).flatMap(({ t, ts, line }): Heard[] => {
    if (line === undefined) return []
    if (t === 'recv') {
      const meanings = adapter.decode(frames[line]!, ts * 1_000, session)
      for (const need of only('need', meanings)) needs.set(need.symbol!, need)
      return [{ line, meanings }]
    }
    const { url, body } = answers[line]!
    const need = needs.get(new URL(url).searchParams.get('symbol')!)
    return need ? [{ line: -1, meanings: adapter.decode(JSON.stringify(body), ts * 1_000, session, need) }] : []
  })
}

describe.each([
  ['binance-usdm', 'usdm-futures-2021-07-22'],
  ['binance-coinm', 'coinm-futures-2021-07-22']
])('%s in the session %s', (provider, name) => {
  const heard = replay(provider, name)
  const all = heard.flatMap(({ meanings }) => meanings)
  const counts = COUNTS.counts[`binance/${name}`]!

  test('[S4-08] every frame decodes, in the numbers that an independent parser counts', () => {
    expect(countsOf(all)).toMatchObject({ quote: counts.ticker, trade: counts.trades, candle: counts.candles })
    expect([...only('refused', all), ...only('reject', all), ...only('gap', all)]).toEqual([])
  })

  test('quotes equal those of tardis-dev', () => {
    const at = new Map(heard.map(({ line, meanings }) => [line, meanings]))
    type Row = { line?: number; expected: { type: string; symbol: string; timestamp: string; [field: string]: unknown }[] }
    let compared = 0
    for (const { line, expected } of rows<Row>(`binance/expected-tardis-${name}.jsonl.gz`))
      for (const e of expected.filter(({ type }) => type === 'book_ticker')) {
        const [quote] = only('quote', at.get(line!)!)
        expect(quote).toEqual({
          type: 'quote',
          symbol: e.symbol,
          time: Date.parse(e.timestamp),
          bid: e.bidPrice,
          bidSize: e.bidAmount,
          ask: e.askPrice,
          askSize: e.askAmount
        })
        compared++
      }
    expect(compared).toBe(counts.ticker)
  })

  test('books, chained by pu, equal those of tardis-dev at every checkpoint', () => {
    const shelf = bookshelf()
    const checkpoints = rows<BookRow>(`binance/expected-book-${name}.jsonl`)
    let compared = 0
    for (const { line, meanings } of heard) {
      for (const delta of only('delta', meanings)) shelf.fold(delta)
      for (const { symbol, bids, asks } of checkpoints.filter((c) => c.afterLine === line)) {
        expect(shelf.best(symbol, 5)).toEqual({ bids, asks })
        compared++
      }
    }
    expect(compared).toBe(checkpoints.length)
  })
})

describe('what futures say otherwise than spot', () => {
  const usdm = providers['binance-usdm']!
  const UPDATE = { e: 'depthUpdate', E: 1_700_000_000_100, T: 1_700_000_000_090, s: 'BTCUSDT', U: 5, u: 9, pu: 4 }

  test('best levels alone look like a difference: the name of the stream tells that they are whole', () => {
    const data = { ...UPDATE, b: [['37000.1', '2']], a: [] }
    const whole = {
      type: 'delta',
      symbol: 'BTCUSDT',
      time: 1_700_000_000_100,
      snapshot: true,
      bids: [[37_000.1, 2]],
      asks: [],
      sequence: 9
    }
    for (const stream of ['btcusdt@depth5', 'btcusdt@depth10@500ms', 'btcusdt@depth20@100ms'])
      expect(decode(usdm, { stream, data })).toEqual([whole])
    for (const stream of ['btcusdt@depth', 'btcusdt@depth@500ms'])
      expect(decode(usdm, { stream, data })).toMatchObject([{ type: 'need', purpose: 'book' }])
  })

  test('mark and index share one stream, which the last of them leaves', () => {
    const session = binanceUsdm.open({})
    const [mark, index] = (['mark', 'index'] as const).map((kind) => ({ kind, symbol: 'BTCUSDT' }))
    expect(binanceUsdm.subscribe([mark!, index!], session)).toEqual([
      '{"method":"SUBSCRIBE","params":["btcusdt@markPrice@1s"],"id":1}'
    ])
    expect(binanceUsdm.unsubscribe([index!], session)).toEqual([])
    expect(binanceUsdm.unsubscribe([mark!], session)).toEqual([
      '{"method":"UNSUBSCRIBE","params":["btcusdt@markPrice@1s"],"id":2}'
    ])
  })

  test('a snapshot is of the time that it says', () => {
    const session = usdm.open({})
    const [need] = only('need', usdm.decode(JSON.stringify({ ...UPDATE, b: [], a: [] }), 1_700_000_000_200, session))
    const body = { lastUpdateId: 12, E: 1_700_000_000_150, T: 1_700_000_000_140, bids: [['37000.1', '2']], asks: [] }
    expect(usdm.decode(JSON.stringify(body), 1_700_000_000_300, session, need)).toMatchObject([
      { type: 'delta', snapshot: true, time: 1_700_000_000_150 }
    ])
  })

  test('single trades that nobody took say so', () => {
    const trade = { e: 'trade', E: 1_700_000_000_100, T: 1_700_000_000_090, s: 'BTCUSDT', t: 7, p: '37000.1', q: '0.5', m: true }
    expect(decode(usdm, { ...trade, X: 'MARKET' })[0]).not.toHaveProperty('conditions')
    expect(decode(usdm, { ...trade, X: 'INSURANCE_FUND' })).toMatchObject([{ type: 'trade', conditions: ['INSURANCE_FUND'] }])
  })
})

describe('listings', () => {
  const listing = (provider: string, name: string) => {
    const adapter = providers[provider]!
    const need = { type: 'need', purpose: 'listing', path: adapter.listing! } as const
    const found = adapter.decode(text(`binance/${name}.instruments.json.gz`), 0, adapter.open({}), need)
    return new Map(only('listing', found)[0]!.rows.map((row) => [row.symbol, row]))
  }
  test('USD-M: perpetuals and quarterlies', () => {
    const rowsOf = listing('binance-usdm', 'usdm-futures-2021-07-22')
    expect(rowsOf.get('BTCUSDT')).toMatchObject({ base: 'BTC', quote: 'USDT', contract: 'PERP', trading: true, priceDecimals: 2 })
    expect([...rowsOf.values()].filter(({ symbol }) => symbol.includes('_')).every((r) => /^\d{6}$/.test(r.contract!))).toBe(true)
  })
  test('COIN-M: inverse ones', () => {
    const rowsOf = listing('binance-coinm', 'coinm-futures-2021-07-22')
    expect(rowsOf.get('BTCUSD_PERP')).toMatchObject({ base: 'BTC', quote: 'USD', contract: 'INVERSE', trading: true })
    expect(rowsOf.get('BTCUSD_210924')).toMatchObject({ contract: 'INVERSE-210924' })
  })
})

describe('the chain of book updates', () => {
  const update = (U: number, u: number, pu: number) =>
    JSON.stringify({ e: 'depthUpdate', E: 1_700_000_000_000, T: 1_700_000_000_000, s: 'X', U, u, pu, b: [['1', '1']], a: [] })
  const begin = (last: number, ...updates: [number, number, number][]) => {
    const session = binanceUsdm.open({})
    const first = updates.map((one) => binanceUsdm.decode(update(...one), 0, session))
    const need = only('need', first.flat())[0]!
    const snapshot = JSON.stringify({ lastUpdateId: last, bids: [['0.9', '1']], asks: [['2', '1']] })
    const meanings = binanceUsdm.decode(snapshot, 0, session, need)
    return { session, deltas: only('delta', meanings), again: only('need', meanings) }
  }
  test.each([
    ['older than the snapshot is dropped', 100, [[90, 99, 89]], 1],
    ['one that ends at the snapshot is applied', 100, [[95, 100, 94]], 2],
    ['one that reaches over it is applied', 100, [[95, 105, 94]], 2],
    ['one that directly continues the snapshot is applied', 100, [[103, 105, 100]], 2]
  ] as [string, number, [number, number, number][], number][])('%s', (_, last, updates, count) => {
    expect(begin(last, ...updates).deltas.length).toBe(count)
  })
  test('a snapshot older than what was kept back is fetched again', () => {
    const { deltas, again } = begin(50, [90, 99, 89])
    expect([deltas.length, again.length]).toEqual([0, 1])
  })
  test('afterwards each update must name the one before it', () => {
    const { session } = begin(100, [95, 105, 94])
    expect(only('delta', binanceUsdm.decode(update(107, 110, 105), 0, session)).length).toBe(1)
    expect(binanceUsdm.decode(update(112, 115, 111), 0, session)).toEqual([
      { type: 'gap', kind: 'book', symbol: 'X', expected: 110, got: 111, cause: 'sequence' },
      expect.objectContaining({ type: 'need', purpose: 'book', path: '/fapi/v1/depth?symbol=X&limit=1000' })
    ])
  })
})

test('a mark brings the index under it and the funding', () => {
  const frame = {
    e: 'markPriceUpdate',
    E: 1_562_305_380_000,
    s: 'BTCUSDT',
    p: '11794.15',
    i: '11784.62',
    r: '0.00038167',
    T: 1_562_306_400_000
  }
  expect(decode(providers['binance-usdm']!, frame)).toEqual([
    {
      type: 'mark',
      symbol: 'BTCUSDT',
      time: 1_562_305_380_000,
      price: 11_794.15,
      index: 11_784.62,
      fundingRate: 0.000_381_67,
      nextFunding: 1_562_306_400_000
    },
    { type: 'index', symbol: 'BTCUSDT', time: 1_562_305_380_000, value: 11_784.62 }
  ])
})

test('USD-M is asked on the routed addresses of 2026, COIN-M on its one address', () => {
  expect(binanceUsdm.route!({ kind: 'book', symbol: 'X' })).toBe('public')
  expect(binanceUsdm.route!({ kind: 'trade', symbol: 'X' })).toBe('market')
  expect(binanceUsdm.dial!('wss://fstream.binance.com', {}, 'public')).toBe('wss://fstream.binance.com/public/stream')
  expect(binanceCoinm.route).toBeUndefined()
  const [frame] = binanceUsdm.subscribe(
    [
      { kind: 'mark', symbol: 'BTCUSDT' },
      { kind: 'index', symbol: 'BTCUSDT' }
    ],
    binanceUsdm.open({})
  )
  expect(JSON.parse(frame as string)).toMatchObject({ params: ['btcusdt@markPrice@1s'] })
})
