import { describe, expect, test } from 'vitest'
import { coinbase as typed } from '../../src/providers/coinbase.ts'
import { providers } from '../../src/providers/index.ts'
import { bookshelf, countsOf, decode, lines, only, rows, text, type CcxtRow } from './captures.ts'

const coinbase = providers.coinbase!
const NAME = 'advanced-2026-08-09'
const frames = lines(`coinbase/${NAME}.jsonl.gz`)
const flip: Record<string, string> = { buy: 'sell', sell: 'buy' }
/** ccxt cuts microseconds. */
const cut = (time: number) => Math.floor(time)

describe('the session of 2026-08-09', () => {
  const session = coinbase.open({})
  const heard = frames.map((frame) => coinbase.decode(frame, 1_786_309_548_000, session))
  const all = heard.flat()
  const ccxt = rows<CcxtRow>(`coinbase/expected-ccxt-${NAME}.jsonl`)

  test('[S4-09] every frame decodes, in the numbers that an independent parser counts', () => {
    const counts = (JSON.parse(text('cryptofeed-expected-counts.json')) as { counts: Record<string, Record<string, number>> })
      .counts[`coinbase/${NAME}`]!
    expect(countsOf(all)).toEqual({
      ack: 10,
      candle: counts.candles,
      delta: counts.l2_book,
      quote: 160,
      ticker: counts.ticker,
      trade: 279
    })
    expect(only('trade', all).filter((trade) => !trade.backfill)).toHaveLength(counts.trades!)
  })

  test('trades equal those of ccxt in id, price, size and time, with the side of the taker; a snapshot is history, oldest first', () => {
    let compared = 0
    for (const { line, expected } of ccxt) {
      for (const e of expected) {
        if (e.kind !== 'trades') continue
        const found = only('trade', heard[line]!).map((t) => [t.symbol, t.id, t.price, t.size, cut(t.time), t.side])
        expect(found).toEqual(
          e.trades.map((t) => [t.symbol.replace('/', '-'), t.id, t.price, t.amount, t.timestamp, flip[t.side]])
        )
        expect(only('trade', heard[line]!).every((t) => (t.backfill === true) === line < 2)).toBe(true)
        compared += found.length
      }
    }
    expect(compared).toBe(279)
  })

  test('the taker lifts offers and hits bids: of the live trades against the quote before them, nearly all agree', () => {
    const quotes = new Map<string, { bid: number; ask: number }>()
    let agree = 0
    let against = 0
    for (const event of all) {
      if (event.type === 'quote') quotes.set(event.symbol, event)
      const quote = event.type === 'trade' && !event.backfill ? quotes.get(event.symbol) : undefined
      if (event.type !== 'trade' || !quote) continue
      const middle = (quote.bid + quote.ask) / 2
      if (event.price > middle === (event.side === 'buy')) agree++
      else against++
    }
    expect(agree).toBeGreaterThan(10 * against)
  })

  test('tickers and quotes equal those of ccxt in prices, sizes and time', () => {
    let compared = 0
    for (const { line, expected } of ccxt) {
      for (const e of expected) {
        if (e.kind !== 'ticker') continue
        const { ticker: t } = e
        const [ticker] = only('ticker', heard[line]!)
        const [quote] = only('quote', heard[line]!)
        expect([ticker!.last, ticker!.high, ticker!.low, ticker!.volume, ticker!.changePercent, cut(ticker!.time)]).toEqual([
          t.last,
          t.high,
          t.low,
          t.baseVolume,
          t.percentage,
          t.timestamp
        ])
        expect([quote!.bid, quote!.bidSize, quote!.ask, quote!.askSize, quote!.symbol]).toEqual([
          t.bid,
          t.bidVolume,
          t.ask,
          t.askVolume,
          t.symbol.replace('/', '-')
        ])
        compared++
      }
    }
    expect(compared).toBe(160)
  })

  test('books equal those of ccxt at every checkpoint, and no update leaves one crossed', () => {
    const shelf = bookshelf()
    const checkpoints = new Map(ccxt.map((row) => [row.line, row.expected.filter((e) => e.kind === 'orderbook')]))
    let compared = 0
    for (const [line, meanings] of heard.entries()) {
      for (const delta of only('delta', meanings)) shelf.fold(delta)
      for (const { symbol, bids, asks } of checkpoints.get(line) ?? []) {
        expect(shelf.best(symbol.replace('/', '-'), 5)).toEqual({ bids, asks })
        compared++
      }
    }
    expect(compared).toBeGreaterThan(10)
    expect(shelf.results).toEqual({ ok: 775 })
  })

  test('each subscription is confirmed once, though the list of all is sent each time', () => {
    const acks = only('ack', all).map(({ kind, symbol }) => `${kind} ${symbol}`)
    expect(new Set(acks).size).toBe(10)
    expect(acks).toEqual(
      expect.arrayContaining(['ticker BTC-USD', 'quote BTC-USD', 'book ETH-USD', 'candle ETH-USD', 'trade BTC-USD'])
    )
  })

  test('candles of the first snapshot are closed but for the newest, which its updates go on forming', () => {
    const btc = only('candle', all).filter((c) => c.symbol === 'BTC-USD')
    expect(btc.filter((c) => c.closed)).toHaveLength(99)
    expect(btc.filter((c) => !c.closed).map((c) => c.start)).toEqual(Array(3).fill(1_786_309_500_000))
    expect(btc.every((c) => c.interval === '5m' && c.high >= c.low)).toBe(true)
  })

  test('a frame lost anywhere is a gap of the whole connection, and its book changes are not used', () => {
    for (const lost of [3, 20, 500]) {
      const session = coinbase.open({})
      for (const frame of frames.slice(lost - 2, lost)) coinbase.decode(frame, 0, session)
      const next = coinbase.decode(frames[lost + 1]!, 0, session)
      expect(next[0]).toMatchObject({ type: 'gap', expected: lost, got: lost + 1, cause: 'sequence' })
      expect(next[0]).not.toHaveProperty('symbol')
      expect(only('delta', next)).toEqual([])
    }
  })

  test('a frame that came twice counts once', () => {
    const session = coinbase.open({})
    expect(coinbase.decode(frames[9]!, 0, session)).toHaveLength(1)
    expect(coinbase.decode(frames[9]!, 0, session)).toEqual([])
  })

  test('the listing of that day names base, quote, decimals and the pairs whose books are merged', () => {
    const need = { type: 'need', purpose: 'listing', path: coinbase.listing! } as const
    const [listing] = only('listing', coinbase.decode(text(`coinbase/${NAME}.instruments.json.gz`), 0, coinbase.open({}), need))
    const row = (symbol: string) => listing!.rows.find((one) => one.symbol === symbol)
    expect(listing!.rows).toHaveLength(920)
    expect(listing!.rows.filter((one) => !one.trading).length).toBeGreaterThanOrEqual(8)
    expect(row('BTC-USD')).toEqual({
      symbol: 'BTC-USD',
      base: 'BTC',
      quote: 'USD',
      trading: true,
      name: 'Bitcoin',
      priceDecimals: 2,
      sizeDecimals: 8,
      aliases: ['BTC-USDC']
    })
    expect(row('ETH-USDC')).toMatchObject({ base: 'ETH', quote: 'USDC', aliases: ['ETH-USD'] })
  })
})

const envelope = (channel: string, ...events: unknown[]) => ({
  channel,
  client_id: '',
  timestamp: '2023-02-09T20:30:37.167359596Z',
  sequence_num: 0,
  events
})

describe('frames as documented', () => {
  const CANDLE = {
    start: '1688998200',
    high: '1867.72',
    low: '1865.63',
    open: '1867.38',
    close: '1866.81',
    volume: '0.20269406',
    product_id: 'ETH-USD'
  }
  const at = (start: number) => ({ ...CANDLE, start: String(start) })

  test('a batched ticker is a ticker, and one without offers has no quote', () => {
    const row = {
      type: 'ticker',
      product_id: 'BTC-USD',
      price: '21932.98',
      volume_24_h: '16038.28770938',
      low_24_h: '21835.29',
      high_24_h: '23011.18',
      low_52_w: '15460',
      high_52_w: '48240',
      price_percent_chg_24_h: '-4.15775596190603'
    }
    expect(decode(coinbase, envelope('ticker_batch', { type: 'snapshot', tickers: [row] }))).toEqual([
      {
        type: 'ticker',
        symbol: 'BTC-USD',
        time: expect.closeTo(1_675_974_637_167.36, 2),
        last: 21_932.98,
        high: 23_011.18,
        low: 21_835.29,
        volume: 16_038.28770938,
        changePercent: -4.15775596190603
      }
    ])
    expect(decode(coinbase, envelope('ticker', { tickers: [{ ...row, best_bid: '', best_ask: '' }] }))).toHaveLength(1)
  })

  test('a best price without a size makes no quote, and lists that are null are empty', () => {
    const row = { product_id: 'BTC-USD', price: '21932.98', best_bid: '21932.97', best_ask: '21932.98' }
    expect(decode(coinbase, envelope('ticker', { tickers: [row] })).map(({ type }) => type)).toEqual(['ticker'])
    const untraded = { ...row, price: '0', best_bid_quantity: '1', best_ask_quantity: '2' }
    expect(decode(coinbase, envelope('ticker', { tickers: [untraded] })).map(({ type }) => type)).toEqual(['quote'])
    for (const [channel, list] of [
      ['ticker', 'tickers'],
      ['market_trades', 'trades'],
      ['candles', 'candles']
    ] as const)
      expect(decode(coinbase, envelope(channel, { type: 'snapshot', [list]: null }))).toEqual([])
    expect(decode(coinbase, envelope('l2_data', { type: 'snapshot', product_id: 'BTC-USD', updates: null }))).toMatchObject([
      { type: 'delta', snapshot: true, bids: [], asks: [] }
    ])
    expect(decode(coinbase, envelope('subscriptions', { subscriptions: { ticker: null } }))).toEqual([])
  })

  test('who asked for a pair in USDC is told what comes under its twin in dollars, but not of those with their own book', () => {
    const row = { trade_id: '7', price: '1.5', size: '2', time: '2023-02-09T20:30:37.167Z', side: 'BUY' }
    const level = { side: 'bid', event_time: '2023-02-09T20:30:37Z', price_level: '1.5', new_quantity: '2' }
    const heard = (symbols: readonly string[], product_id: string) => {
      const session = typed.open({})
      typed.subscribe(
        symbols.flatMap((symbol) => (['trade', 'book'] as const).map((kind) => ({ kind, symbol }))),
        session
      )
      const frames = [
        envelope('market_trades', { type: 'update', trades: [{ ...row, product_id }] }),
        { channel: 'l2_data', timestamp: '', sequence_num: 1, events: [{ type: 'update', product_id, updates: [level] }] },
        { ...envelope('subscriptions', { subscriptions: { level2: [product_id] } }), sequence_num: 2 }
      ]
      return frames.map((frame) =>
        typed.decode(JSON.stringify(frame), 0, session).map((m) => ('symbol' in m ? m.symbol : m.type))
      )
    }
    expect(heard(['BTC-USDC'], 'BTC-USD')).toEqual([['BTC-USDC'], ['BTC-USDC'], ['BTC-USDC']])
    const both = ['BTC-USD', 'BTC-USDC']
    expect(heard(both, 'BTC-USD')).toEqual([both, both, both])
    expect(heard(['BTC-USDC'], 'BTC-USDC')).toEqual([['BTC-USDC'], ['BTC-USDC'], ['BTC-USDC']])
    expect(heard(['USDT-USDC'], 'USDT-USD')).toEqual([['USDT-USD'], ['USDT-USD'], ['USDT-USD']])
  })

  test('a candle is closed when a later one of its product appears, and a late change to it is a revision', () => {
    const session = coinbase.open({})
    const hear = (...candles: unknown[]) => {
      const frame = { ...envelope('candles', { type: 'update', candles }), sequence_num: undefined }
      return only('candle', coinbase.decode(JSON.stringify(frame), 0, session)).map((c) => [c.start / 1000, c.closed, c.revision])
    }
    expect(hear(at(1_688_998_200))).toEqual([[1_688_998_200, false, 0]])
    expect(hear(at(1_688_998_200))).toEqual([[1_688_998_200, false, 0]])
    expect(hear(at(1_688_998_500))).toEqual([
      [1_688_998_200, true, 0],
      [1_688_998_500, false, 0]
    ])
    expect(hear(at(1_688_998_200))).toEqual([[1_688_998_200, true, 1]])
    expect(hear(at(1_688_998_200))).toEqual([[1_688_998_200, true, 2]])
  })

  test('a snapshot of a one-sided book is a book', () => {
    const row = { side: 'offer', event_time: '1970-01-01T00:00:00Z', price_level: '21921.73', new_quantity: '0.06317902' }
    expect(decode(coinbase, envelope('l2_data', { type: 'snapshot', product_id: 'BTC-USD', updates: [row] }))).toMatchObject([
      { type: 'delta', snapshot: true, bids: [], asks: [[21_921.73, 0.06317902]], time: expect.closeTo(1_675_974_637_167.36, 2) }
    ])
    expect(decode(coinbase, envelope('l2_data', { type: 'snapshot', product_id: 'BTC-USD', updates: [] }))).toMatchObject([
      { bids: [], asks: [] }
    ])
  })

  test('an impossible level is refused and leaves a hole in that book alone', () => {
    const row = { side: 'bid', event_time: '2023-02-09T20:30:37Z', price_level: '-3', new_quantity: '1' }
    expect(decode(coinbase, envelope('l2_data', { type: 'update', product_id: 'BTC-USD', updates: [row] }))).toMatchObject([
      { type: 'refused' },
      { type: 'gap', kind: 'book', symbol: 'BTC-USD' }
    ])
  })

  test('a book change that cannot be read to the end shows as a hole with the next frame', () => {
    const session = coinbase.open({})
    const hear = (sequence_num: number, event: unknown) =>
      coinbase.decode(JSON.stringify({ ...envelope('l2_data', event), sequence_num }), 0, session)
    expect(hear(1, { type: 'snapshot', product_id: 'BTC-USD', updates: [] })).toHaveLength(1)
    expect(hear(2, { type: 'update', product_id: 'BTC-USD', updates: 5 })).toMatchObject([{ type: 'refused' }])
    expect(hear(3, { type: 'update', product_id: 'BTC-USD', updates: [] })).toMatchObject([{ type: 'gap', expected: 2, got: 3 }])
  })

  test.each([
    [
      'a heartbeat with a time in the manner of Go',
      envelope('heartbeats', {
        current_time: '2023-06-23 20:31:56.121961769 +0000 UTC m=+91717.525857105',
        heartbeat_counter: '3049'
      })
    ],
    [
      'the status channel',
      envelope('status', { type: 'snapshot', products: [{ product_type: 'SPOT', id: 'BTC-USD', status: 'online' }] })
    ],
    ['a channel that is new', envelope('weather', {})]
  ])('%s is life and nothing more', (_, frame) => {
    expect(decode(coinbase, frame)).toEqual([])
  })

  test('an error is a reject, of the product that it names', () => {
    const session = typed.open({})
    typed.subscribe([{ kind: 'trade', symbol: 'FOO-USD' }], session)
    const error = (message: string) => typed.decode(JSON.stringify({ type: 'error', message }), 0, session)
    expect(error('FOO-USD is not a valid product')).toEqual([
      { type: 'reject', symbol: 'FOO-USD', reason: 'FOO-USD is not a valid product' }
    ])
    expect(error('rate limit exceeded')).toEqual([{ type: 'reject', reason: 'rate limit exceeded' }])
  })
})

const bar = (start: number) => ({
  start: String(start),
  low: '140.21',
  high: '140.22',
  open: '140.21',
  close: '140.21',
  volume: '56437345'
})

describe('asking', () => {
  const both = [
    { kind: 'ticker', symbol: 'BTC-USD' },
    { kind: 'quote', symbol: 'BTC-USD' }
  ] as const

  test('heartbeats are asked for at once, or quiet connections would be closed', () => {
    expect(coinbase.greet!(coinbase.open({}))).toEqual(['{"type":"subscribe","channel":"heartbeats"}'])
  })

  test('one frame a channel; ticker and quote share one, which ends with the last of them', () => {
    const session = typed.open({})
    const wanted = [...both, { kind: 'book', symbol: 'ETH-USD' }, { kind: 'candle', symbol: 'ETH-USD', interval: '5m' }] as const
    expect(typed.subscribe(wanted, session).map((f) => JSON.parse(f as string) as unknown)).toEqual([
      { type: 'subscribe', product_ids: ['BTC-USD'], channel: 'ticker' },
      { type: 'subscribe', product_ids: ['ETH-USD'], channel: 'level2' },
      { type: 'subscribe', product_ids: ['ETH-USD'], channel: 'candles' }
    ])
    expect(typed.unsubscribe([both[1]], session)).toEqual([])
    expect(typed.unsubscribe([both[0]], session)).toEqual(['{"type":"unsubscribe","product_ids":["BTC-USD"],"channel":"ticker"}'])
  })

  test('what is asked anew is confirmed anew', () => {
    const session = typed.open({})
    const list = JSON.stringify({ channel: 'subscriptions', events: [{ subscriptions: { ticker: ['BTC-USD'] } }] })
    typed.subscribe([both[0]], session)
    expect(typed.decode(list, 0, session)).toEqual([{ type: 'ack', kind: 'ticker', symbol: 'BTC-USD' }])
    expect(typed.decode(list, 0, session)).toEqual([])
    typed.subscribe([both[1]], session)
    expect(typed.decode(list, 0, session)).toHaveLength(2)
  })

  test('past candles are asked for by their span and come oldest first', () => {
    const need = coinbase.history!('BTC-USD', '1h', 1000, 1_700_000_000_000, {})
    expect(need.path).toBe('/market/products/BTC-USD/candles?start=1698740000&end=1700000000&granularity=ONE_HOUR&limit=350')
    const body = JSON.stringify({ candles: [bar(1_699_999_200), bar(1_699_995_600)] })
    expect(coinbase.decode(body, 1_700_000_000_000, coinbase.open({}), need)).toMatchObject([
      { type: 'candle', interval: '1h', start: 1_699_995_600_000, closed: true },
      { start: 1_699_999_200_000, closed: false }
    ])
    const error = '{"error":"NOT_FOUND","error_details":"valid product_id is required","message":"valid product_id is required"}'
    expect(coinbase.decode(error, 0, coinbase.open({}), need)).toEqual([
      { type: 'reject', symbol: 'BTC-USD', reason: 'valid product_id is required' }
    ])
  })
})

test('public answers are asked for fresh', () => {
  expect(coinbase.headers!({})).toEqual({ 'cache-control': 'no-cache' })
})

test('past trades turn the side of the maker as those of the socket do, oldest first', () => {
  const need = coinbase.fill!('BTC-USD', 1_622_455_198_900, 1_622_455_200_100, {})!
  expect(need.path).toBe('/market/products/BTC-USD/ticker?limit=1000&start=1622455198&end=1622455201')
  const row = { trade_id: '2', product_id: 'BTC-USD', price: '140.91', size: '4', time: '2021-05-31T10:00:00.000Z', side: 'BUY' }
  const older = { ...row, trade_id: '1', time: '2021-05-31T09:59:59.000Z', side: 'SELL' }
  expect(
    coinbase.decode(JSON.stringify({ trades: [row, older], best_bid: '1', best_ask: '2' }), 0, coinbase.open({}), need)
  ).toEqual([
    { type: 'trade', symbol: 'BTC-USD', id: '1', time: 1_622_455_199_000, price: 140.91, size: 4, side: 'buy' },
    { type: 'trade', symbol: 'BTC-USD', id: '2', time: 1_622_455_200_000, price: 140.91, size: 4, side: 'sell' }
  ])
})
