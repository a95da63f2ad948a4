import { describe, expect, test } from 'vitest'
import { instrumentId } from '../../src/feed/instruments.ts'
import type { Adapter } from '../../src/providers/adapter.ts'
import { krakenFutures as typed } from '../../src/providers/kraken.futures.ts'
import { bookshelf, countsOf, decode, lines, only, rows, text, type BookRow } from './captures.ts'

const futures = typed as unknown as Adapter
const NAME = 'futures-2021-07-22'
const frames = lines(`kraken/${NAME}.jsonl.gz`)
type Tardis = {
  line: number
  expected: (
    | { type: 'trade'; symbol: string; id: string; price: number; amount: number; side: string; timestamp: string }
    | { type: 'book_change'; symbol: string; isSnapshot: boolean; bids: PriceAmount[]; asks: PriceAmount[]; timestamp: string }
  )[]
}
type PriceAmount = { price: number; amount: number }
const pairs = (levels: PriceAmount[]) => levels.map(({ price, amount }) => [price, amount])

describe('the session of 2021-07-22', () => {
  const session = futures.open({})
  const heard = frames.map((frame) => futures.decode(frame, 1_626_994_930_000, session))
  const all = heard.flat()

  test('[S4-09] every frame decodes, in the numbers that an independent parser counts', () => {
    const counts = (JSON.parse(text('cryptofeed-expected-counts.json')) as { counts: Record<string, Record<string, number>> })
      .counts[`kraken/${NAME}`]!
    // 7,014 updates and 10 snapshots; 3 trades lived through and a hundred of each product before; an ack of ticker_lite is none.
    expect(countsOf(all)).toEqual({ ack: 20, delta: counts.l2_book, trade: 1003 })
    expect(only('trade', all).filter((trade) => !trade.backfill)).toHaveLength(counts.trades!)
  })

  test('books and trades equal those of an independent parser, line by line', () => {
    let compared = 0
    for (const { line, expected } of rows<Tardis>(`kraken/expected-tardis-${NAME}.jsonl`))
      for (const e of expected) {
        const [delta] = only('delta', heard[line]!)
        const [trade] = only('trade', heard[line]!)
        const time = Date.parse(e.timestamp)
        if (e.type === 'trade')
          expect(trade).toEqual({
            type: 'trade',
            symbol: e.symbol,
            id: e.id,
            time,
            price: e.price,
            size: e.amount,
            side: e.side
          })
        else
          expect(delta).toMatchObject({
            symbol: e.symbol,
            snapshot: e.isSnapshot,
            bids: pairs(e.bids),
            asks: pairs(e.asks),
            time
          })
        compared++
      }
    expect(compared).toBeGreaterThanOrEqual(118)
  })

  test('every book equals that of an independent parser at each checkpoint', () => {
    const shelf = bookshelf()
    const checkpoints = rows<BookRow>(`kraken/expected-book-${NAME}.jsonl`)
    let compared = 0
    for (const [line, meanings] of heard.entries()) {
      for (const delta of only('delta', meanings)) shelf.fold(delta)
      for (const { symbol, bids, asks } of checkpoints.filter((c) => c.afterLine === line)) {
        expect(shelf.best(symbol, 5)).toEqual({ bids, asks })
        compared++
      }
    }
    expect(compared).toBe(checkpoints.length)
    expect(shelf.results).toEqual({ ok: 7024 })
  })

  test('an update that is lost is a gap of that product alone, and its later updates wait for a snapshot', () => {
    const own = futures.open({})
    const book = frames.filter((frame) => frame.includes('"feed":"book'))
    const lost = book.findIndex((frame) => frame.includes('"feed":"book","product_id":"PI_ETHUSD"'))
    const meanings = book.filter((_, i) => i !== lost).flatMap((frame) => futures.decode(frame, 0, own))
    const seq = (JSON.parse(book[lost]!) as { seq: number }).seq
    expect(only('gap', meanings)).toEqual([
      { type: 'gap', kind: 'book', symbol: 'PI_ETHUSD', expected: seq, got: seq + 1, cause: 'sequence' }
    ])
    const others = (list: typeof meanings) => only('delta', list).filter(({ symbol }) => symbol !== 'PI_ETHUSD').length
    expect(others(meanings)).toBe(others(all))
    expect(only('delta', meanings).filter(({ symbol }) => symbol === 'PI_ETHUSD')).toHaveLength(1)
  })
})

const TICKER = {
  time: 1_680_811_086_487,
  product_id: 'PI_XBTUSD',
  funding_rate: 7.792297e-12,
  relative_funding_rate: 2.18013888889e-7,
  next_funding_rate_time: 1_680_811_200_000,
  feed: 'ticker',
  bid: 28_060,
  ask: 28_070,
  bid_size: 2844,
  ask_size: 1902,
  volume: 19_628_180,
  index: 28_062.14,
  last: 28_053.5,
  change: -0.7710945651981715,
  suspended: false,
  markPrice: 28_064.92082724592
}
const TRADE = {
  feed: 'trade',
  product_id: 'PI_LTCUSD',
  uid: 'a',
  side: 'buy',
  type: 'fill',
  seq: 10,
  time: 1_626_994_929_946,
  qty: 320,
  price: 119.44
}
const SNAPSHOT = {
  feed: 'book_snapshot',
  product_id: 'PF_XBTUSD',
  timestamp: 1_626_994_925_378,
  seq: 7,
  bids: [{ price: 100, qty: 1.5 }],
  asks: [{ price: 101, qty: 2 }]
}
const LEVEL = { feed: 'book', product_id: 'PF_XBTUSD', side: 'sell', seq: 8, price: 101, qty: 0, timestamp: 1_626_994_925_400 }
const hear = (...sent: unknown[]) => {
  const session = futures.open({})
  return sent.map((one) => futures.decode(JSON.stringify(one), 1_700_000_000_000, session))
}

describe('frames as documented', () => {
  test('a ticker is a ticker, a quote, a mark with its funding, and an index', () => {
    const at = { symbol: 'PI_XBTUSD', time: 1_680_811_086_487 }
    expect(decode(futures, TICKER)).toEqual([
      { type: 'ticker', ...at, last: 28_053.5, volume: 19_628_180, changePercent: -0.7710945651981715 },
      { type: 'quote', ...at, bid: 28_060, bidSize: 2844, ask: 28_070, askSize: 1902 },
      {
        type: 'mark',
        ...at,
        price: 28_064.92082724592,
        index: 28_062.14,
        fundingRate: 2.18013888889e-7,
        nextFunding: 1_680_811_200_000
      },
      { type: 'index', ...at, value: 28_062.14 }
    ])
  })

  test.each([
    ['never traded', { ...TICKER, last: 0 }, ['quote', 'mark', 'index']],
    ['without a last price', { ...TICKER, last: undefined }, ['quote', 'mark', 'index']],
    ['without a bid', { ...TICKER, bid: undefined }, ['ticker', 'mark', 'index']],
    [
      'dated, without funding',
      { ...TICKER, relative_funding_rate: undefined, next_funding_rate_time: undefined, index: 0 },
      ['ticker', 'quote', 'mark']
    ],
    ['of an impossible price', { ...TICKER, last: -1 }, ['refused', 'quote', 'mark', 'index']],
    ['without a time', { ...TICKER, time: 0 }, ['refused']],
    ['without a product', { ...TICKER, product_id: undefined }, ['refused']]
  ])('what is %s says what there is and no more', (_, frame, types) => {
    expect(decode(futures, frame).map(({ type }) => type)).toEqual(types)
  })

  test('a liquidation says so; the snapshot is history, oldest first', () => {
    expect(decode(futures, { ...TRADE, type: 'liquidation', side: 'sell' })).toMatchObject([
      { id: 'a', side: 'sell', conditions: ['liquidation'] }
    ])
    const snapshot = { feed: 'trade_snapshot', product_id: 'PI_LTCUSD', trades: [{ ...TRADE, uid: 'b', seq: 11 }, TRADE] }
    expect(decode(futures, snapshot)).toMatchObject([
      { id: 'a', backfill: true },
      { id: 'b', backfill: true }
    ])
  })

  test('a number that trades skip is a gap, and what was skipped is asked for', () => {
    const [, , third, fourth] = hear(TRADE, { ...TRADE, seq: 11 }, { ...TRADE, seq: 14 }, { ...TRADE, seq: 15 })
    expect(third).toMatchObject([
      { type: 'gap', kind: 'trade', symbol: 'PI_LTCUSD', expected: 12, got: 14 },
      {
        type: 'need',
        purpose: 'trades',
        path: '/derivatives/api/v3/history?symbol=PI_LTCUSD&lastTime=2021-07-22T23:02:09.946Z'
      },
      { type: 'trade' }
    ])
    expect(fourth).toMatchObject([{ type: 'trade' }])
  })

  test('an update before its snapshot, or said twice, means nothing; one of a book begun anew is a gap', () => {
    const again = { ...LEVEL, seq: 1, timestamp: LEVEL.timestamp + 1 }
    const [early, first, second, twice, anew, later] = hear(LEVEL, SNAPSHOT, LEVEL, LEVEL, again, { ...LEVEL, seq: 9 })
    expect([early, twice, later]).toEqual([[], [], []])
    expect(first).toMatchObject([{ type: 'delta', snapshot: true, sequence: 7, bids: [[100, 1.5]], asks: [[101, 2]] }])
    expect(second).toMatchObject([{ type: 'delta', snapshot: false, sequence: 8, bids: [], asks: [[101, 0]] }])
    expect(anew).toMatchObject([{ type: 'gap', kind: 'book', symbol: 'PF_XBTUSD', expected: 9, got: 1 }])
  })

  test.each([
    ['an impossible price', { ...LEVEL, price: -1 }],
    ['a size that is none', { ...LEVEL, qty: 'NaN' }],
    ['a side that is none', { ...LEVEL, side: 'both' }],
    ['no time', { ...LEVEL, timestamp: undefined }],
    ['no number', { ...LEVEL, seq: null }],
    ['a snapshot of impossible levels', { ...SNAPSHOT, bids: [{ price: 0, qty: 1 }] }]
  ])('%s is refused and leaves a hole in that book', (_, frame) => {
    expect(hear(SNAPSHOT, frame)[1]).toMatchObject([{ type: 'refused' }, { type: 'gap', kind: 'book', symbol: 'PF_XBTUSD' }])
  })

  test.each([
    ['the greeting', { event: 'info', version: 1 }],
    ['a heartbeat', { feed: 'heartbeat', time: 1_534_262_350_627 }],
    ['the ack of the heartbeat', { event: 'subscribed', feed: 'heartbeat' }],
    ['a lite ticker, which has no sizes, time or last price', { feed: 'ticker_lite', product_id: 'PI_XBTUSD', bid: 1, ask: 2 }],
    ['a confirmed unsubscription', { event: 'unsubscribed', feed: 'book', product_ids: ['PI_XBTUSD'] }],
    ['what is subscribed already', { event: 'alert', message: 'Already subscribed to feed, re-requesting' }],
    ['a feed that is new', { feed: 'weather' }]
  ])('%s is life and nothing more', (_, frame) => {
    expect(decode(futures, frame)).toEqual([])
  })

  test('sides and lists that are null are empty', () => {
    const empty = { ...SNAPSHOT, bids: null, asks: null, tickSize: null }
    expect(hear(empty)[0]).toMatchObject([{ type: 'delta', snapshot: true, bids: [], asks: [] }])
    expect(decode(futures, { feed: 'trade_snapshot', product_id: 'PF_XBTUSD', trades: null })).toEqual([])
  })

  test('errors and alerts are rejects, of the product that they name', () => {
    expect(decode(futures, { event: 'alert', message: 'Bad request' })).toEqual([{ type: 'reject', reason: 'Bad request' }])
    const error = { event: 'error', message: 'Invalid product id' }
    expect(decode(futures, error)).toEqual([{ type: 'reject', reason: 'Invalid product id' }])
    expect(decode(futures, { ...error, feed: 'book', product_ids: ['PI_XXXUSD'] })).toEqual([
      { type: 'reject', kind: 'book', symbol: 'PI_XXXUSD', reason: 'Invalid product id' }
    ])
    expect(decode(futures, { event: 'error', message: 'Invalid product id FI_XBTUSD_210730' })).toMatchObject([
      { symbol: 'FI_XBTUSD_210730' }
    ])
  })

  test.each(['', 'null', '[]', '{}', '{"feed":5}', '{"feed":"trade_snapshot"}', '<html>'])('%s is refused', (frame) => {
    expect(decode(futures, frame).map(({ type }) => type)).toEqual(['refused'])
  })
})

describe('asking', () => {
  test('four kinds share one feed of a product, which each of them confirms and the last leaves', () => {
    const session = typed.open({})
    const wanted = (['ticker', 'quote', 'mark', 'index', 'trade'] as const).map((kind) => ({ kind, symbol: 'PF_XBTUSD' }))
    expect(typed.subscribe(wanted, session)).toEqual([
      '{"event":"subscribe","feed":"ticker","product_ids":["PF_XBTUSD"]}',
      '{"event":"subscribe","feed":"trade","product_ids":["PF_XBTUSD"]}'
    ])
    const ack = '{"event":"subscribed","feed":"ticker","product_ids":["PF_XBTUSD"]}'
    expect(only('ack', typed.decode(ack, 0, session)).map(({ kind }) => kind)).toEqual(['ticker', 'quote', 'mark', 'index'])
    expect(typed.unsubscribe(wanted.slice(0, 3), session)).toEqual([])
    expect(typed.unsubscribe(wanted.slice(3, 4), session)).toEqual([
      '{"event":"unsubscribe","feed":"ticker","product_ids":["PF_XBTUSD"]}'
    ])
  })

  test('it is heard from and pings by the WebSocket protocol itself well within a minute, or it is put out', () => {
    expect(typed.greet!(typed.open({}))).toEqual(['{"event":"subscribe","feed":"heartbeat"}'])
    expect(typed.ping!.every).toBeLessThan(60_000)
    expect(typed.ping!.frame).toEqual({ control: 'ping' })
    expect(typed.staleAfter).toBeLessThan(60_000)
  })
})

describe('answers of REST', () => {
  const session = futures.open({})
  const listing = (body: string) =>
    only('listing', futures.decode(body, 0, session, { type: 'need', purpose: 'listing', path: '' }))[0]!.rows

  test('the listing of that day names every product of the session, inverse perpetuals and dates; indices are left out', () => {
    const found = listing(text(`kraken/${NAME}.instruments.json`))
    const symbols = new Set(found.map(({ symbol }) => symbol))
    const sent = frames.map((frame) => (JSON.parse(frame) as { product_id?: string }).product_id)
    expect(sent.every((symbol) => symbol === undefined || symbols.has(symbol))).toBe(true)
    expect(found).toHaveLength(17)
    expect(found.find(({ symbol }) => symbol === 'PI_XBTUSD')).toEqual({
      symbol: 'PI_XBTUSD',
      base: 'BTC',
      quote: 'USD',
      contract: 'INVERSE',
      trading: true,
      priceDecimals: 1,
      sizeDecimals: 0
    })
    expect(found.map(instrumentId)).toContain('ETH-USD-INVERSE-211231')
  })

  test.each([
    [
      {
        symbol: 'PF_XBTUSD',
        type: 'flexible_futures',
        tradeable: true,
        base: 'BTC',
        quote: 'USD',
        tickSize: 1,
        contractValueTradePrecision: 4
      },
      'BTC-USD-PERP',
      4
    ],
    [
      { symbol: 'PF_PEPEUSD', type: 'flexible_futures', tradeable: true, pair: 'PEPE:USD', contractValueTradePrecision: -3 },
      'PEPE-USD-PERP',
      0
    ],
    [{ symbol: 'FF_XBTUSD_251226', type: 'flexible_futures', tradeable: true }, 'BTC-USD-251226', undefined],
    [{ symbol: 'fi_xbtusd_260327', type: 'futures_inverse', tradeable: false }, 'BTC-USD-INVERSE-260327', 0],
    [{ symbol: 'pv_xrpxbt', type: 'futures_vanilla', tradeable: true }, 'XRP-BTC-PERP', undefined]
  ])('%j is %s', (instrument, id, decimals) => {
    const [row] = listing(JSON.stringify({ result: 'success', instruments: [instrument] }))
    expect(instrumentId(row!)).toBe(id)
    expect(row).toMatchObject({ symbol: instrument.symbol.toUpperCase(), trading: instrument.tradeable })
    expect(row!.sizeDecimals).toBe(decimals)
  })

  test('past candles come in the span asked for, the last one open', () => {
    const need = futures.history!('PF_XBTUSD', '1m', 2, 1_620_817_090_000, {})
    expect(need.path).toBe('/api/charts/v1/trade/PF_XBTUSD/1m?from=1620816970&to=1620817090')
    const bar = { time: 1_620_816_960_000, open: '49900.0', high: '49915.0', low: '49895.0', close: '49901.0', volume: '25' }
    const body = { candles: [bar, { ...bar, time: 1_620_817_080_000 }], more_candles: false }
    expect(futures.decode(JSON.stringify(body), 1_620_817_090_000, session, need)).toMatchObject([
      { type: 'candle', symbol: 'PF_XBTUSD', interval: '1m', open: 49_900, close: 49_901, volume: 25, closed: true },
      { start: 1_620_817_080_000, closed: false }
    ])
  })

  test('past trades have the ids of the socket, oldest first', () => {
    const need = futures.fill!('PI_LTCUSD', 0, 1_626_994_929_946, {})!
    const row = { time: '2021-07-22T23:02:09.946Z', trade_id: 3, price: 119.44, size: 320, side: 'buy', type: 'fill', uid: 'b' }
    const older = { ...row, time: '2021-07-22T23:02:08.946Z', uid: 'a', side: 'sell' }
    expect(futures.decode(JSON.stringify({ result: 'success', history: [row, older] }), 0, session, need)).toEqual([
      { type: 'trade', symbol: 'PI_LTCUSD', id: 'a', time: 1_626_994_928_946, price: 119.44, size: 320, side: 'sell' },
      { type: 'trade', symbol: 'PI_LTCUSD', id: 'b', time: 1_626_994_929_946, price: 119.44, size: 320, side: 'buy' }
    ])
  })

  test('errors that come with status 200 are rejects, and a limit reached asks for quiet', () => {
    const body = '{"result":"error","error":"apiLimitExceeded","serverTime":"2016-02-25T09:45:53.818Z"}'
    expect(futures.decode(body, 0, session, { type: 'need', purpose: 'listing', path: '' })).toEqual([
      { type: 'quiet', for: 15_000, reason: 'apiLimitExceeded' },
      { type: 'reject', reason: 'apiLimitExceeded' }
    ])
  })
})
