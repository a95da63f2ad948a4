import { describe, expect, test } from 'vitest'
import { readFrame } from '../../src/providers/fyers.hsm.ts'
import { messageOf } from '../../src/providers/fyers.market.ts'
import { fyers } from '../../src/providers/fyers.ts'
import { countsOf, lines, only, rows } from './captures.ts'
import { control, data, lite, NOTHING, scrip, snapshot, update } from './fyers.frames.ts'

const NOW = 1_735_814_830_000
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const frames = rows<{ hex: string }>('fyers/derived-hsm-frames.jsonl').map(({ hex }) => bytes(hex))
const expected = rows<Record<string, number | string>>('fyers/derived-hsm-frames.expected.jsonl')
const open = () => fyers.open({})
const hear = (frame: Uint8Array | string, session = open()) => fyers.decode(frame, NOW, session)
const text = (message: unknown, session = open()) => hear(JSON.stringify(message), session)

describe('recorded messages', () => {
  test('every frame makes the message that the official client makes of it', () => {
    const session = open()
    const messages = frames.flatMap((frame) => {
      const packet = readFrame(frame, true)
      return packet.type === 'data' ? packet.entries.map((entry) => messageOf(entry, session)) : []
    })
    expect(messages.length).toBe(40)
    messages.forEach((message, i) => {
      // The limits of the day come in a scale that nothing states: their client says 0.
      const { lower_ckt: _, upper_ckt: __, ...known } = expected[i]!
      // Its change of an index lags now and then behind its own two prices.
      const near =
        known.type === 'if' ? { ch: expect.closeTo(Number(known.ch), 0), chp: expect.closeTo(Number(known.chp), 1) } : {}
      expect(message).toMatchObject({ ...known, ...near })
    })
  })

  test('each becomes a quote and a ticker, an index or a book; one last price and one volume are no trade', () => {
    const session = open()
    const all = frames.flatMap((frame) => fyers.decode(frame, NOW, session))
    expect(countsOf(all)).toEqual({ quote: 9, ticker: 9, index: 30, delta: 1 })
    expect(only('quote', all)[2]).toEqual({
      type: 'quote',
      symbol: 'MCX:CRUDEOIL25JAN5900CE',
      time: 1_735_814_812_000,
      bid: 374.1,
      bidSize: 1,
      ask: 375.3,
      askSize: 1
    })
    expect(only('ticker', all)[8]).toEqual({
      type: 'ticker',
      symbol: 'MCX:CRUDEOIL25JAN5900CE',
      time: 1_735_814_824_000,
      last: 373.8,
      open: 333.3,
      high: 381.1,
      low: 311,
      volume: 1385,
      change: 56.4,
      changePercent: 17.7694,
      prevClose: 317.4
    })
    expect(only('index', all)[29]).toEqual({
      type: 'index',
      symbol: 'NSE:NIFTYBANK-INDEX',
      time: 1_719_308_667_000,
      value: 52_605.65,
      open: 51_759.45,
      high: 52_669.3,
      low: 51_747.65,
      prevClose: 51_703.95,
      change: 901.7,
      changePercent: 1.74
    })
    expect(only('delta', all)[0]).toMatchObject({
      symbol: 'MCX:SILVER24MARFUT',
      time: NOW,
      snapshot: true,
      bids: [
        [70_293, 1],
        [70_292, 11],
        [70_290, 2],
        [70_289, 1],
        [70_288, 3]
      ],
      asks: [
        [70_308, 1],
        [70_309, 2],
        [70_310, 10],
        [70_312, 3],
        [70_313, 1]
      ]
    })
  })

  test.each([
    ['symbolupdate-full-mcx-2025-01-02.jsonl', { quote: 9, ticker: 9 }],
    ['symbolupdate-full-nse.jsonl', { quote: 1, ticker: 1 }],
    ['indexupdate-niftybank-2024-06-25.jsonl', { index: 30 }],
    ['depthupdate.jsonl', { delta: 2 }],
    ['symbolupdate-lite-shape.jsonl', { ticker: 1, index: 1 }]
  ])('%s, as the official client passes it on, means the same', (name, counts) => {
    const session = open()
    expect(countsOf(lines(`fyers/${name}`).flatMap((line) => fyers.decode(line, NOW, session)))).toEqual(counts)
  })

  test('a lite message has no time: it is stamped on receipt', () => {
    expect(text({ ltp: 606.4, symbol: 'NSE:SBIN-EQ', type: 'sf', v: 5, ltt: 1, tvalue: 3 })).toEqual([
      { type: 'ticker', symbol: 'NSE:SBIN-EQ', time: NOW, last: 606.4 }
    ])
  })
})

describe('binary frames', () => {
  const TOPIC = 'sf|nse_cm|3045'
  const begun = (tail = {}) => {
    const session = open()
    session.symbols.set(TOPIC, 'NSE:SBIN-EQ')
    hear(data(1, snapshot(7, TOPIC, scrip({}), tail)), session)
    return session
  }

  test('an update keeps what it does not name, and the grown volume is a trade of the difference', () => {
    const session = begun()
    const fields = Array<number>(21).fill(NOTHING)
    fields[0] = 60_650
    fields[1] = 1_075
    fields[2] = 1_690_953_623
    const all = hear(data(2, update(7, fields)), session)
    expect(only('trade', all)).toEqual([
      { type: 'trade', symbol: 'NSE:SBIN-EQ', time: 1_690_953_623_000, price: 606.5, size: 75, side: 'unknown' }
    ])
    expect(only('quote', all)[0]).toMatchObject({ bid: 606.4, ask: 606.45, bidSize: 2081, askSize: 903 })
    expect(only('ticker', all)[0]).toMatchObject({ last: 606.5, volume: 1_075, change: -13.7 })
  })

  test('a volume that stays or falls is no trade: a new day begins at nothing', () => {
    const session = begun()
    expect(only('trade', hear(data(2, update(7, [NOTHING, 1_000])), session))).toEqual([])
    expect(only('trade', hear(data(3, update(7, [NOTHING, 10])), session))).toEqual([])
    expect(only('trade', hear(data(4, update(7, [NOTHING, 25])), session))).toMatchObject([{ size: 15, price: 606.4 }])
  })

  test.each([
    [1, 2, 606.4],
    [100, 2, 6.064],
    [1, 4, 6.064],
    [1, 0, 60_640],
    [1, 7, 0.006064]
  ])('prices are scaled as the message says: multiplier %i, precision %i', (multiplier, precision, last) => {
    const all = hear(data(1, snapshot(1, 'sf|cde_fo|9', scrip({}), { multiplier, precision, name: 'USDINR25JANFUT' })))
    expect(only('ticker', all)).toMatchObject([{ symbol: 'NSE:USDINR25JANFUT', last }])
  })

  test.each([
    ['sf|nse_cm|3045', 'SBIN-EQ', 'NSE:SBIN-EQ'],
    ['sf|nse_fo|4', 'NIFTY25D0926000CE', 'NSE:NIFTY25D0926000CE'],
    ['sf|nse_com|4', 'GOLD25DECFUT', 'NSE:GOLD25DECFUT'],
    ['sf|bse_cm|500331', 'PIDILITIND-A', 'BSE:PIDILITIND-A'],
    ['sf|bse_fo|8', 'SENSEX25DECFUT', 'BSE:SENSEX25DECFUT'],
    ['sf|bcs_fo|8', 'USDINR25DECFUT', 'BSE:USDINR25DECFUT'],
    ['sf|mcx_fo|4', 'MCX:GOLD25DECFUT', 'MCX:GOLD25DECFUT']
  ])('%s named %s is %s', (topic, name, symbol) => {
    expect(only('ticker', hear(data(1, snapshot(1, topic, scrip({}), { name }))))).toMatchObject([{ symbol }])
  })

  test.each([
    ['if|nse_cm|Nifty 50', 'NSE:NIFTY50-INDEX'],
    ['if|nse_cm|India VIX', 'NSE:INDIAVIX-INDEX'],
    ['if|nse_cm|Nifty Fin Service', 'NSE:FINNIFTY-INDEX'],
    ['if|bse_cm|SENSEX', 'BSE:SENSEX-INDEX'],
    ['if|bse_cm|BSE IT', 'BSE:IT-INDEX'],
    ['if|nse_cm|Nifty New One', 'NSE:NIFTYNEWONE-INDEX']
  ])('the index %s is %s, without bid, ask or volume', (topic, symbol) => {
    expect(hear(data(1, snapshot(1, topic, [1_950_010, NOTHING, 1_719_308_652, 0, 0, 0])))).toEqual([
      { type: 'index', symbol, time: 1_719_308_652_000, value: 19_500.1 }
    ])
  })

  test('a frame holds many topics; each keeps its own scale and fields', () => {
    const all = hear(
      data(
        9,
        snapshot(1, 'sf|nse_cm|1', scrip({ ltp: 100 }), { name: 'A-EQ' }),
        snapshot(2, 'sf|cde_fo|2', scrip({ ltp: 834_525 }), { precision: 4, name: 'USDINR25JANFUT' }),
        update(1, [200]),
        lite(2, 834_550)
      )
    )
    expect(only('ticker', all).map(({ symbol, last }) => [symbol, last])).toEqual([
      ['NSE:A-EQ', 1],
      ['NSE:USDINR25JANFUT', 83.4525],
      ['NSE:A-EQ', 2],
      ['NSE:USDINR25JANFUT', 83.455]
    ])
  })

  test('a lite update is a price alone, stamped on receipt', () => {
    expect(hear(data(2, lite(7, 60_700)), begun())).toEqual([{ type: 'ticker', symbol: 'NSE:SBIN-EQ', time: NOW, last: 607 }])
  })

  test('an empty side is no quote, an empty level no level, a price of 0 no ticker', () => {
    const scripless = hear(data(1, snapshot(1, 'sf|nse_cm|1', scrip({ ltp: 0, bid: 0 }), { name: 'A-EQ' })))
    expect(scripless).toEqual([])
    const depth = [10_000, 0, 0, 0, 0, 10_100, 10_200, 0, 0, 0, 5, 0, 0, 0, 0, 7, 8, 0, 0, 0, ...Array<number>(10).fill(1)]
    expect(only('delta', hear(data(1, snapshot(1, 'dp|nse_cm|1', depth, { name: 'A-EQ' }))))).toMatchObject([
      {
        bids: [[100, 5]],
        asks: [
          [101, 7],
          [102, 8]
        ]
      }
    ])
  })

  test('the number of a message may be left out where no acks are wanted', () => {
    const session = open()
    hear(control(1, 'K', 0), session)
    expect(only('ticker', hear(data(undefined, snapshot(1, 'sf|nse_cm|1', scrip({}), { name: 'A-EQ' })), session)).length).toBe(1)
    expect(only('ticker', hear(data(5, update(1, [100])), session))).toMatchObject([{ last: 1 }])
  })

  test('after as many frames as the login said, the last number is acknowledged', () => {
    const session = open()
    hear(control(1, 'K', 2), session)
    const replies = [101, 102, 103, 70_000].map((n) =>
      only('reply', hear(data(n, snapshot(1, 'sf|nse_cm|1', scrip({}), { name: 'A-EQ' })), session)).map(({ frame }) => frame)
    )
    const ack = (n: number[]) => Uint8Array.from([0, 9, 3, 1, 1, 0, 4, ...n])
    expect(replies).toEqual([[], [ack([0, 0, 0, 102])], [], [ack([0, 1, 17, 112])]])
  })

  test('times are seconds since 1970 in every time zone', () => {
    const zone = process.env.TZ
    try {
      const times = ['UTC', 'Asia/Kolkata', 'America/New_York'].map((tz) => {
        process.env.TZ = tz
        return only('quote', hear(frames[0]!))[0]!.time
      })
      expect(times).toEqual([1_735_814_810_000, 1_735_814_810_000, 1_735_814_810_000])
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })

  test.each<[string, Uint8Array, string]>([
    ['an update before its snapshot', data(1, update(3, [1])), 'an update of an unknown topic'],
    ['a lite update before its snapshot', data(1, lite(3, 1)), 'an update of an unknown topic'],
    ['a multiplier of 0', data(1, snapshot(1, 'sf|nse_cm|1', scrip({}), { multiplier: 0, name: 'A' })), 'an impossible scale'],
    ['a precision of 200', data(1, snapshot(1, 'sf|nse_cm|1', scrip({}), { precision: 200, name: 'A' })), 'an impossible scale'],
    ['an unknown channel', data(1, snapshot(1, 'zz|nse_cm|1', [1], { name: 'A' })), 'a topic of an unknown channel'],
    ['an unknown exchange', data(1, snapshot(1, 'sf|lse|1', [1], { name: 'A' })), 'a topic of an unknown exchange'],
    ['a negative index', data(1, snapshot(1, 'if|nse_cm|Nifty 50', [-5])), 'index: impossible value'],
    ['half a frame', frames[0]!.slice(0, 60), 'a frame cut short, or of an unknown shape'],
    ['no bytes', new Uint8Array(), 'a frame cut short, or of an unknown shape'],
    ['too many bytes', Uint8Array.from([...frames[0]!, 1, 2, 3]), 'a frame cut short, or of an unknown shape']
  ])('%s is refused', (_, frame, reason) => {
    expect(hear(frame)).toEqual([{ type: 'refused', reason }])
  })

  test('a book crossed in the auction is refused without damage', () => {
    const depth = [10_200, 0, 0, 0, 0, 10_100, 0, 0, 0, 0, 5, 0, 0, 0, 0, 7, 0, 0, 0, 0]
    expect(hear(data(1, snapshot(1, 'dp|nse_cm|1', depth, { name: 'A-EQ' })))).toEqual([
      { type: 'refused', reason: 'book: bid at or above the ask' }
    ])
  })
})
