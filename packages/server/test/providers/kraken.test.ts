import { describe, expect, test } from 'vitest'
import { providers } from '../../src/providers/index.ts'
import { kraken as typed } from '../../src/providers/kraken.ts'
import { bookshelf, decode, lines, only, rows, text, type BookRow } from './captures.ts'

const kraken = providers.kraken!
const NAME = 'derived-v2-v1-2021-04-17-book1000'
const frames = lines(`kraken/${NAME}.jsonl`)
type Precision = Record<string, { price_precision: number; qty_precision: number }>
const precision = JSON.parse(text(`kraken/${NAME}.precision.json`)) as Precision
const instruments = JSON.stringify({
  channel: 'instrument',
  type: 'snapshot',
  data: { assets: [], pairs: Object.entries(precision).map(([symbol, decimals]) => ({ symbol, ...decimals, status: 'online' })) }
})

describe('the book session of 2021-04-17 in the form of v2', () => {
  const session = kraken.open({})
  expect(kraken.decode(instruments, 0, session)).toEqual([])
  const deltas = frames.map((frame) => only('delta', kraken.decode(frame, 1_618_678_132_000, session))[0]!)

  test('[S4-12] all 4,279 checksums are those of our own book, and every checkpoint equals that of ccxt', () => {
    const shelf = bookshelf()
    const checkpoints = rows<BookRow>(`kraken/expected-book-${NAME}.jsonl`)
    let compared = 0
    for (const [line, delta] of deltas.entries()) {
      expect(delta.checksum).toBeDefined()
      expect(shelf.fold(delta).verified).toBe(true)
      for (const { symbol, bids, asks } of checkpoints.filter((c) => c.afterLine === line)) {
        expect(shelf.best(symbol, 5)).toEqual({ bids, asks })
        compared++
      }
    }
    expect(compared).toBe(checkpoints.length)
    expect(shelf.results).toEqual({ ok: 4279 })
  })

  test('an update lost shows as a checksum that does not fit', () => {
    const shelf = bookshelf()
    const symbol = 'XMR/USD'
    const own = deltas.filter((d) => d.symbol === symbol)
    for (const delta of own.filter((_, i) => i !== 40)) shelf.fold(delta)
    expect(shelf.results.checksum).toBeGreaterThan(0)
  })

  test('without known decimals no checksum is claimed', () => {
    const [delta] = only('delta', decode(kraken, frames[0]!))
    expect(delta).not.toHaveProperty('checksum')
    expect(delta).toMatchObject({ symbol: 'ADA/BTC', snapshot: true, depth: 1000 })
  })

  test('every price and size is the very decimal of the frame', () => {
    for (const [i, frame] of frames.slice(0, 10).entries()) {
      const written = frame.match(/(?<="price":|"qty":)[\d.e-]+/g)!
      const { bids, asks } = deltas[i]!
      expect([...bids, ...asks].flat().map(Number)).toEqual(written.map(Number))
    }
  })

  test('updates bear the time of the frame to the microsecond', () => {
    const frame = frames.findIndex((one) => one.includes('2021-04-17T16:48:54.262531Z'))
    expect(deltas[frame]!.time).toBe(1_618_678_134_262.531)
  })
})

const TRADE = {
  symbol: 'MATIC/USD',
  side: 'sell',
  price: 0.5117,
  qty: 40.0,
  ord_type: 'market',
  trade_id: 4_665_906,
  timestamp: '2023-09-25T07:49:37.708706Z'
}
const TICKER = {
  symbol: 'ALGO/USD',
  bid: 0.10025,
  bid_qty: 740.0,
  ask: 0.10036,
  ask_qty: 1361.44813783,
  last: 0.10035,
  volume: 997_038.98383185,
  vwap: 0.10148,
  low: 0.09979,
  high: 0.10285,
  change: -0.00017,
  change_pct: -0.17
}
const BAR = {
  symbol: 'ALGO/USD',
  open: 0.09875,
  high: 0.09875,
  low: 0.09874,
  close: 0.09874,
  trades: 3,
  volume: 4401.0,
  vwap: 0.0987,
  interval_begin: '2023-10-04T16:25:00.000000000Z',
  interval: 5,
  timestamp: '2023-10-04T16:30:00.000000Z'
}
const channel = (name: string, type: string, ...data: unknown[]) => ({ channel: name, type, data })

describe('frames as documented', () => {
  test('a trade has the side of its taker; the snapshot is history, oldest first', () => {
    expect(decode(kraken, channel('trade', 'update', TRADE))).toEqual([
      { type: 'trade', symbol: 'MATIC/USD', id: '4665906', time: 1_695_628_177_708.706, price: 0.5117, size: 40, side: 'sell' }
    ])
    const earlier = { ...TRADE, trade_id: 4_665_905, side: 'buy' }
    expect(decode(kraken, channel('trade', 'snapshot', TRADE, earlier))).toMatchObject([
      { id: '4665905', side: 'buy', backfill: true },
      { id: '4665906', backfill: true }
    ])
  })

  test('a ticker is a ticker and a quote, at its own time where it has one', () => {
    expect(decode(kraken, channel('ticker', 'snapshot', TICKER), 5_000)).toEqual([
      {
        type: 'ticker',
        symbol: 'ALGO/USD',
        time: 5_000,
        last: 0.10035,
        high: 0.10285,
        low: 0.09979,
        volume: 997_038.98383185,
        change: -0.00017,
        changePercent: -0.17
      },
      { type: 'quote', symbol: 'ALGO/USD', time: 5_000, bid: 0.10025, bidSize: 740, ask: 0.10036, askSize: 1361.44813783 }
    ])
    const timed = { ...TICKER, timestamp: '2025-09-25T07:49:37.708706Z' }
    expect(decode(kraken, channel('ticker', 'update', timed))).toMatchObject([
      { time: 1_758_786_577_708.706 },
      { time: 1_758_786_577_708.706 }
    ])
  })

  test.each([
    ['a closed market', { ...TICKER, bid: 0, ask: 0, bid_qty: 0, ask_qty: 0, timestamp: '1970-01-01T00:00:00Z' }, []],
    ['nothing but the time of a closed market', { ...TICKER, timestamp: '1970-01-01T00:00:00.000000Z' }, []],
    ['a market without offers', { ...TICKER, ask: 0, ask_qty: 0 }, ['ticker']],
    ['a market never traded', { ...TICKER, last: 0 }, ['quote']]
  ])('%s says what there is and no more', (_, row, kinds) => {
    expect(decode(kraken, channel('ticker', 'update', row)).map((m) => m.type)).toEqual(kinds)
  })

  test('a candle is closed when a later one of its symbol and interval appears', () => {
    const session = kraken.open({})
    const hear = (type: string, ...bars: unknown[]) =>
      only(
        'candle',
        kraken.decode(
          JSON.stringify({ ...channel('ohlc', type, ...bars), timestamp: '2023-10-04T16:26:30.524394914Z' }),
          0,
          session
        )
      )
    const next = { ...BAR, interval_begin: '2023-10-04T16:30:00.000000000Z' }
    const minute = { ...BAR, interval: 1, interval_begin: '2023-10-04T16:31:00.000000000Z' }
    expect(hear('snapshot', { ...BAR, interval_begin: '2023-10-04T16:20:00.000000000Z' }, BAR).map((c) => c.closed)).toEqual([
      true,
      false
    ])
    expect(hear('update', minute)).toMatchObject([{ interval: '1m', closed: false }])
    expect(hear('update', next)).toMatchObject([
      { interval: '5m', start: 1_696_436_700_000, closed: true, trades: 3, volume: 4401 },
      { interval: '5m', start: 1_696_437_000_000, closed: false, time: expect.closeTo(1_696_436_790_524.394, 2) }
    ])
    expect(hear('update', { ...BAR, interval: 10_080 })).toEqual([])
  })

  test('a book is cut to the depth that its ack names', () => {
    const session = kraken.open({})
    kraken.decode(
      '{"method":"subscribe","result":{"channel":"book","depth":25,"snapshot":true,"symbol":"BTC/USD"},"success":true,"req_id":1}',
      0,
      session
    )
    const row = { symbol: 'BTC/USD', bids: [{ price: 27_000.5, qty: 1 }], asks: [], checksum: 1 }
    expect(kraken.decode(JSON.stringify(channel('book', 'snapshot', row)), 5_000, session)).toMatchObject([
      { depth: 25, snapshot: true, asks: [] }
    ])
  })

  test('without an ack a thin book has the depth that was asked for', () => {
    const session = typed.open({})
    typed.subscribe([{ kind: 'book', symbol: 'BTC/USD' }], session)
    const row = { symbol: 'BTC/USD', bids: [{ price: 27_000.5, qty: 1 }], asks: [], checksum: 1 }
    expect(typed.decode(JSON.stringify(channel('book', 'snapshot', row)), 5_000, session)).toMatchObject([{ depth: 100 }])
  })

  test('a time that is null is none', () => {
    expect(decode(kraken, channel('ticker', 'update', { ...TICKER, timestamp: null }), 5_000)).toMatchObject([
      { type: 'ticker', time: 5_000 },
      { type: 'quote', time: 5_000 }
    ])
  })

  test('a side that is null is an empty one', () => {
    const row = { symbol: 'BTC/USD', bids: null, asks: [{ price: 27_000.5, qty: 1e-8 }], checksum: 1 }
    expect(decode(kraken, channel('book', 'update', row))).toMatchObject([{ type: 'delta', bids: [], asks: [[27_000.5, 1e-8]] }])
  })

  test('an impossible level is refused and leaves a hole in that book alone', () => {
    const row = { symbol: 'BTC/USD', bids: [{ price: 27_000.5, qty: -1 }], asks: [], checksum: 1 }
    expect(decode(kraken, channel('book', 'update', row))).toMatchObject([
      { type: 'refused' },
      { type: 'gap', kind: 'book', symbol: 'BTC/USD' }
    ])
  })

  test.each([
    ['a heartbeat', { channel: 'heartbeat' }],
    [
      'an engine that is online',
      channel('status', 'update', { version: '2.0.4', system: 'online', api_version: 'v2', connection_id: 1 })
    ],
    ['a pong', { method: 'pong', req_id: 101, time_in: '2023-09-24T14:10:23.799685Z', time_out: '2023-09-24T14:10:23.799703Z' }],
    [
      'a confirmed unsubscription',
      { method: 'unsubscribe', result: { channel: 'trade', symbol: 'BTC/USD' }, success: true, req_id: 9 }
    ],
    [
      'the ack of the instrument channel',
      {
        method: 'subscribe',
        result: { channel: 'instrument', snapshot: true, warnings: ['tick_size is deprecated'] },
        success: true
      }
    ],
    ['a channel that is new', channel('weather', 'update')]
  ])('%s is life and nothing more', (_, frame) => {
    expect(decode(kraken, frame)).toEqual([])
  })

  test('an engine in maintenance is left for five seconds; other states and errors without a symbol are rejects that say so', () => {
    expect(decode(kraken, channel('status', 'update', { system: 'maintenance' }))).toEqual([
      { type: 'hangup', reason: 'the matching engine is in the state maintenance', wait: 5_000 }
    ])
    expect(decode(kraken, channel('status', 'update', { system: 'post_only' }))).toEqual([
      { type: 'reject', reason: 'the matching engine is in the state post_only' }
    ])
    expect(decode(kraken, { error: 'Exceeded msg rate' })).toEqual([{ type: 'reject', reason: 'Exceeded msg rate' }])
  })
})

describe('asking', () => {
  test('the instrument channel comes first: it brings the decimals that checksums need', () => {
    expect(kraken.greet!(kraken.open({}))).toEqual(['{"method":"subscribe","params":{"channel":"instrument","snapshot":true}}'])
  })

  test('one frame a channel; each symbol is confirmed by itself, for all kinds that the channel carries', () => {
    const session = typed.open({})
    const wanted = [
      { kind: 'ticker', symbol: 'BTC/USD' },
      { kind: 'quote', symbol: 'BTC/USD' },
      { kind: 'quote', symbol: 'ETH/USD' },
      { kind: 'book', symbol: 'BTC/USD' },
      { kind: 'candle', symbol: 'BTC/USD', interval: '1h' }
    ] as const
    expect(typed.subscribe(wanted, session).map((f) => JSON.parse(f as string) as unknown)).toEqual([
      {
        method: 'subscribe',
        params: { channel: 'ticker', symbol: ['BTC/USD', 'ETH/USD'], event_trigger: 'bbo', snapshot: true },
        req_id: 1
      },
      { method: 'subscribe', params: { channel: 'book', symbol: ['BTC/USD'], depth: 100, snapshot: true }, req_id: 2 },
      { method: 'subscribe', params: { channel: 'ohlc', symbol: ['BTC/USD'], interval: 60, snapshot: true }, req_id: 3 }
    ])
    const ack = (result: unknown) =>
      typed.decode(
        JSON.stringify({ method: 'subscribe', result, success: true, time_in: '', time_out: '', req_id: 1 }),
        0,
        session
      )
    expect(ack({ channel: 'ticker', event_trigger: 'bbo', snapshot: true, symbol: 'BTC/USD' })).toMatchObject([
      { kind: 'ticker' },
      { kind: 'quote', symbol: 'BTC/USD' }
    ])
    expect(ack({ channel: 'ticker', event_trigger: 'bbo', snapshot: true, symbol: 'ETH/USD' })).toEqual([
      { type: 'ack', kind: 'quote', symbol: 'ETH/USD' }
    ])
    expect(ack({ channel: 'ohlc', interval: 60, symbol: 'BTC/USD' })).toEqual([
      { type: 'ack', kind: 'candle', symbol: 'BTC/USD' }
    ])
    expect(typed.unsubscribe([wanted[0]], session)).toEqual([])
    expect(typed.unsubscribe([wanted[1]], session)).toHaveLength(1)
  })

  test('a refused symbol is rejected for what was asked of it, and only it', () => {
    const session = typed.open({})
    typed.subscribe([{ kind: 'trade', symbol: 'ZZZ/USD' }], session)
    const error = {
      error: 'Currency pair not supported ZZZ/USD',
      method: 'subscribe',
      success: false,
      symbol: 'ZZZ/USD',
      req_id: 1
    }
    expect(typed.decode(JSON.stringify(error), 0, session)).toEqual([
      { type: 'reject', kind: 'trade', symbol: 'ZZZ/USD', reason: 'Currency pair not supported ZZZ/USD' }
    ])
    expect(typed.decode(JSON.stringify({ ...error, error: 'Already subscribed to one of the symbols' }), 0, session)).toEqual([
      { type: 'ack', kind: 'trade', symbol: 'ZZZ/USD' }
    ])
  })
})

describe('answers of REST', () => {
  const session = kraken.open({})
  const listingNeed = { type: 'need', purpose: 'listing', path: kraken.listing! } as const

  test('the listing of that day speaks of BTC and DOGE, and knows their older names', () => {
    const [listing] = only(
      'listing',
      kraken.decode(text('kraken/v1-2021-04-17-trade.instruments.json.gz'), 0, session, listingNeed)
    )
    const row = (symbol: string) => listing!.rows.find((one) => one.symbol === symbol)
    expect(row('BTC/USD')).toEqual({
      symbol: 'BTC/USD',
      base: 'BTC',
      quote: 'USD',
      trading: true,
      aliases: ['XBT/USD', 'XBTUSD', 'XXBTZUSD'],
      priceDecimals: 1,
      sizeDecimals: 8
    })
    expect(row('DOGE/BTC')).toMatchObject({ base: 'DOGE', quote: 'BTC' })
    expect(listing!.rows.filter(({ base, quote }) => ['XBT', 'XDG'].includes(base) || quote === 'XBT')).toEqual([])
    expect(Object.keys(precision).every((symbol) => row(symbol) !== undefined)).toBe(true)
  })

  test('past candles are found under whatever name the answer has, the last one open', () => {
    const need = kraken.history!('DOGE/USD', '1m', 720, 0, {})
    expect(need.path).toBe('/public/OHLC?pair=XDGUSD&interval=1')
    const body =
      '{"error":[],"result":{"XDGUSD":[[1688671200,"30306.1","30306.2","30305.7","30305.7","30306.1","3.39243896",23],[1688671260,"30304.5","30304.5","30300.0","30300.0","30300.0","4.42996871",18]],"last":1688671200}}'
    expect(kraken.decode(body, 1_688_671_270_000, session, need)).toMatchObject([
      {
        type: 'candle',
        symbol: 'DOGE/USD',
        interval: '1m',
        start: 1_688_671_200_000,
        open: 30_306.1,
        close: 30_305.7,
        volume: 3.39243896,
        trades: 23,
        closed: true
      },
      { start: 1_688_671_260_000, closed: false }
    ])
  })

  test('past trades have the ids of the socket and the side of the taker', () => {
    const need = kraken.fill!('DOGE/USD', 1_688_669_597_827.7, 1_688_669_600_000, {})!
    expect(need.path).toBe('/public/Trades?pair=XDGUSD&since=1688669597827000000')
    const body =
      '{"error":[],"result":{"XDGUSD":[["30243.40000","0.34507674",1688669597.827736,"b","m","",61044952],["30243.30000","0.00376960",1688669598.280489,"s","l","",61044953]],"last":"1688669598280489000"}}'
    expect(kraken.decode(body, 0, session, need)).toEqual([
      {
        type: 'trade',
        symbol: 'DOGE/USD',
        id: '61044952',
        time: 1_688_669_597_827.736,
        price: 30_243.4,
        size: 0.34507674,
        side: 'buy'
      },
      {
        type: 'trade',
        symbol: 'DOGE/USD',
        id: '61044953',
        time: 1_688_669_598_280.489,
        price: 30_243.3,
        size: 0.0037696,
        side: 'sell'
      }
    ])
  })

  test('errors that come with status 200 are rejects, and a limit reached asks for quiet', () => {
    expect(kraken.decode('{"error":["EGeneral:Too many requests"],"result":{}}', 0, session, listingNeed)).toEqual([
      { type: 'quiet', for: 15_000, reason: 'EGeneral:Too many requests' },
      { type: 'reject', reason: 'EGeneral:Too many requests' }
    ])
  })
})
