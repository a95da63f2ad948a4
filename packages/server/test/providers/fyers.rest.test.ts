import { describe, expect, test } from 'vitest'
import type { Interval } from '@tickwire/protocol'
import type { Need } from '../../src/providers/adapter.ts'
import { fyers } from '../../src/providers/fyers.ts'
import { countsOf, only } from './captures.ts'

const NOW = Date.UTC(2026, 0, 7, 5)
const access = { key: 'APP-100:token', account: true } as const
const open = (route = '') => fyers.open(access, route)
const history = (interval: Interval, limit: number) => fyers.history!('NSE:SBIN-EQ', interval, limit, NOW, access)
const hear = (body: unknown, need: Need) => fyers.decode(JSON.stringify(body), NOW, open(), need)
const snapshot: Need = { type: 'need', purpose: 'snapshot', path: '' }

describe('past candles', () => {
  test.each<[Interval, string]>([
    ['1m', '1'],
    ['3m', '3'],
    ['5m', '5'],
    ['15m', '15'],
    ['30m', '30'],
    ['1h', '60'],
    ['2h', '120'],
    ['4h', '240'],
    ['1d', 'D']
  ])('%s is its resolution %s; no call reaches further back than it may', (interval, resolution) => {
    const { path, headers } = history(interval, 1_000_000)
    const query = new URLSearchParams(path.split('?')[1])
    expect(path).toMatch(/^\/data\/history\?symbol=NSE%3ASBIN-EQ&/)
    expect(query.get('resolution')).toBe(resolution)
    expect([query.get('date_format'), query.get('cont_flag')]).toEqual(['0', '1'])
    const days = (Number(query.get('range_to')) - Number(query.get('range_from'))) / 86_400
    expect(days).toBe(interval === '1d' ? 366 : 100)
    expect(headers).toEqual({ authorization: 'APP-100:token' })
    expect(fyers.intervals).toContain(interval)
    expect(fyers.streams).toEqual([])
  })

  test('rows are candles, oldest first; the one that is not over is still forming', () => {
    const start = NOW / 1000 - 120
    const candles = [
      [start + 60, 3, 4, 2, 3.5, 20],
      [start, 417, 419.2, 405.3, 412.05, 142_964_052],
      [start + 120, 5, 6, 4, 5, 1]
    ]
    const all = only('candle', hear({ s: 'ok', candles }, history('1m', 5)))
    expect(all.map(({ start: s, close, volume, closed }) => [s / 1000 - start, close, volume, closed])).toEqual([
      [0, 412.05, 142_964_052, true],
      [60, 3.5, 20, true],
      [120, 5, 1, false]
    ])
  })

  test.each([
    [{ s: 'no_data' }, {}],
    [{ s: 'ok', candles: [] }, {}],
    [{ s: 'ok', candles: [[1, 2], null, 5, [1_621_814_400, 1, -2, 1, 1, 5]] }, { refused: 4 }],
    [{ s: 'ok', candles: 'none' }, { refused: 1 }],
    [{ s: 'error', code: -300, message: 'Invalid symbol' }, { reject: 1 }],
    [{ s: 'error', code: -16, message: 'Could not authenticate the user' }, { hangup: 1 }],
    [{ s: 'error', code: 429, message: 'request limit reached' }, { quiet: 1 }],
    [[], { refused: 1 }],
    [null, { refused: 1 }]
  ])('%j is %j', (body, counts) => {
    expect(countsOf(hear(body, history('1m', 5)))).toEqual(counts)
  })
})

describe('quotes and depth', () => {
  const v = { lp: 606.4, ch: -13.8, chp: -2.23, bid: 606.4, ask: 606.45, open_price: 609.85, high_price: 610.5, low_price: 0 }

  test('a quote is a ticker, of an index an index; a day in place of a time is none', () => {
    const d = [
      { n: 'NSE:SBIN-EQ', s: 'ok', v: { ...v, volume: 3_045_212, prev_close_price: 620.2, tt: 1_690_953_622 } },
      { n: 'NSE:NIFTY50-INDEX', s: 'ok', v: { ...v, tt: 1_690_934_400 } },
      { n: 'NSE:NO-EQ', s: 'error', v: { code: -300, errmsg: 'invalid symbol' } }
    ]
    const day = { open: 609.85, high: 610.5, change: -13.8, changePercent: -2.23 }
    expect(hear({ s: 'ok', d }, snapshot)).toEqual([
      {
        type: 'ticker',
        symbol: 'NSE:SBIN-EQ',
        time: 1_690_953_622_000,
        last: 606.4,
        ...day,
        volume: 3_045_212,
        prevClose: 620.2
      },
      { type: 'index', symbol: 'NSE:NIFTY50-INDEX', time: NOW, value: 606.4, ...day },
      { type: 'reject', symbol: 'NSE:NO-EQ', reason: 'invalid symbol (-300)' }
    ])
  })

  test('depth is a whole book without its empty levels', () => {
    const level = (price: number, volume: number) => ({ price, volume, ord: 1 })
    const d = { 'NSE:SBIN-EQ': { bids: [level(606.4, 5), level(0, 0)], ask: [level(606.45, 7)], ltp: 606.4 } }
    expect(hear({ s: 'ok', d }, snapshot)).toEqual([
      { type: 'delta', symbol: 'NSE:SBIN-EQ', time: NOW, snapshot: true, bids: [[606.4, 5]], asks: [[606.45, 7]], depth: 5 }
    ])
    expect(hear({ s: 'ok', d: { A: { bids: [level(-1, 5)] } } }, snapshot)).toMatchObject([{ type: 'refused' }])
  })
})

describe('the user’s own account', () => {
  const ORDER = {
    client_id: 'XP0001',
    exchange: 10,
    id: '23121800292158',
    ord_status: 20,
    ord_type: 2,
    org_ord_status: 4,
    qty: 10,
    qty_remaining: 10,
    status_msg: 'New Ack',
    symbol: 'NSE:BECTORFOOD-EQ',
    time_epoch_oms: 1_702_887_690,
    time_oms: '18-Dec-2023 13:51:30',
    tran_side: 1,
    update_time_epoch_oms: 1_702_887_690,
    update_time_exch: '01-Jan-1970 05:30:00'
  }
  const said = (message: unknown) => fyers.decode(new TextEncoder().encode(JSON.stringify(message)), NOW, open('orders'))

  test('orders and positions go by a socket of their own, which takes the token in its handshake', () => {
    const routes = (['order', 'position', 'trade', 'book'] as const).map((kind) => fyers.route!({ kind, symbol: '*' }))
    expect(routes).toEqual(['orders', 'orders', '', ''])
    expect(fyers.dial!(fyers.wsUrl!, access, 'orders')).toBe('wss://socket.fyers.in/trade/v3')
    expect(fyers.dial!('ws://127.0.0.1:9/hsm/v1-5/prod', access, 'orders')).toBe('ws://127.0.0.1:9/trade/v3')
    expect(fyers.dial!(fyers.wsUrl!, access, '')).toBe(fyers.wsUrl)
    expect(fyers.upgrade!(access)).toEqual({ authorization: 'APP-100:token' })
    expect(fyers.greet!(open('orders'))).toEqual([])
    expect(fyers.whole).toEqual(['order', 'position'])
  })

  test('it is asked for lists, and for the positions as they stand; any ask is confirmed', () => {
    const session = open('orders')
    const wanted = [{ kind: 'order', symbol: '*' } as const, { kind: 'position', symbol: '*' } as const]
    const [frame, poll] = fyers.subscribe(wanted, session)
    expect(frame).toBe('{"T":"SUB_ORD","SLIST":["orders","positions"],"SUB_T":1}')
    expect(poll).toMatchObject({
      need: { path: '/api/v3/positions', headers: { authorization: 'APP-100:token' } },
      every: Infinity
    })
    expect(fyers.decode('{"code":1605,"message":"Successfully subscribed","s":"ok"}', NOW, session)).toEqual([
      { type: 'ack', kind: 'order', symbol: '*' },
      { type: 'ack', kind: 'position', symbol: '*' }
    ])
    expect(fyers.unsubscribe(wanted.slice(0, 1), session)).toEqual(['{"T":"SUB_ORD","SLIST":["orders"],"SUB_T":-1}'])
    expect(fyers.decode('{"code":1605,"message":"Successfully unsubscribed","s":"ok"}', NOW, session)).toEqual([])
    expect(fyers.decode('pong', NOW, session)).toEqual([])
  })

  test('an order as documented', () => {
    expect(said({ orders: ORDER, s: 'ok' })).toEqual([
      {
        type: 'order',
        symbol: 'NSE:BECTORFOOD-EQ',
        time: 1_702_887_690_000,
        account: 'XP0001',
        id: '23121800292158',
        state: 'pending',
        side: 'buy',
        quantity: 10,
        filled: 0,
        reason: 'New Ack'
      }
    ])
  })

  test.each([
    [{ org_ord_status: 1 }, { state: 'cancelled', filled: 0 }],
    [
      { org_ord_status: 2, price_traded: 6.95, qty_remaining: 0 },
      { state: 'filled', filled: 10, averagePrice: 6.95 }
    ],
    [{ org_ord_status: 3 }, { state: 'unknown' }],
    [
      { org_ord_status: 5, oms_msg: 'RED:Margin Shortfall', tran_side: -1 },
      { state: 'rejected', side: 'sell', reason: 'RED:Margin Shortfall' }
    ],
    [
      { org_ord_status: 6, price_limit: 7 },
      { state: 'open', price: 7 }
    ],
    [
      { org_ord_status: 6, qty_remaining: 4 },
      { state: 'partial', filled: 6 }
    ],
    [
      { org_ord_status: 6, qty_filled: 3 },
      { state: 'partial', filled: 3 }
    ],
    [
      { org_ord_status: 7, status_msg: '' },
      { state: 'cancelled', reason: 'expired' }
    ]
  ])('%j is %j', (part, meaning) => {
    expect(said({ orders: { ...ORDER, ...part }, s: 'ok' })).toMatchObject([{ type: 'order', ...meaning }])
  })

  test('an order in the words of its clients; their clock is India’s', () => {
    const orders = {
      clientId: 'XP0001',
      id: '23121800388066',
      qty: 1,
      remainingQuantity: 0,
      filledQty: 1,
      tradedPrice: 540,
      limitPrice: 541,
      symbol: 'NSE:PRAJIND-EQ',
      orderDateTime: '18-Dec-2023 16:33:24',
      side: 1,
      status: 2
    }
    expect(said({ s: 'ok', orders })).toMatchObject([
      { time: Date.UTC(2023, 11, 18, 11, 3, 24), state: 'filled', filled: 1, price: 541, averagePrice: 540, account: 'XP0001' }
    ])
  })

  test('a position is told by its net quantity, of the socket and of REST', () => {
    const event = { type: 'position', symbol: 'NSE:SBIN-EQ', time: NOW, quantity: -5, averagePrice: 606.4, currency: 'INR' }
    const positions = {
      symbol: 'NSE:SBIN-EQ',
      net_qty: -5,
      net_avg: 606.4,
      pl_realized: 1.5,
      pl_unrealized: -2,
      client_id: 'XP1'
    }
    expect(said({ positions, s: 'ok' })).toEqual([{ ...event, account: 'XP1', realised: 1.5, unrealised: -2 }])
    const netPositions = [
      { symbol: 'NSE:SBIN-EQ', netQty: -5, netAvg: 606.4, ltp: 600, realized_profit: 0, unrealized_profit: 32 },
      { symbol: 'NSE:IDEA-EQ', netQty: 0, netAvg: 0 },
      { symbol: 'NSE:IDEA-EQ' }
    ]
    expect(hear({ s: 'ok', code: 200, netPositions }, snapshot)).toMatchObject([
      { ...event, marketPrice: 600, realised: 0, unrealised: 32 },
      { symbol: 'NSE:IDEA-EQ', quantity: 0 },
      { type: 'refused' }
    ])
  })

  test.each([
    [{ trades: { id: '1' }, s: 'ok' }, []],
    [{ s: 'ok', ws_type: 1, login: {} }, []],
    [{ orders: {}, s: 'ok' }, [{ type: 'refused' }]],
    [{ orders: { ...ORDER, qty: -1 }, s: 'ok' }, [{ type: 'refused' }]],
    [{ orders: 7, s: 'ok' }, [{ type: 'refused' }]],
    [{ anything: 1 }, [{ type: 'refused' }]]
  ])('%j means no more than it says', (message, meanings) => {
    expect(said(message)).toMatchObject(meanings)
  })
})

test('what HTTP alone refuses is quiet for a minute, or waits for another token; it is never asked again at once', () => {
  const asked = (text: string, status: number) => {
    const need = { ...fyers.history!('NSE:SBIN-EQ', '1m', 10, 1_800_000_000_000, {}), answered: { status, headers: {} } }
    expect(need).toMatchObject({ tolerate: true })
    return fyers.decode(text, 1_800_000_000_000, fyers.open({}), need)
  }
  expect(asked('<html>Too many requests</html>', 429)).toMatchObject([{ type: 'quiet', for: 60_000 }])
  expect(asked('', 401)).toMatchObject([{ type: 'hangup', wait: 300_000 }])
  expect(asked('{"s":"error","code":-8,"message":"Your token has expired"}', 403)).toMatchObject([
    { type: 'hangup', wait: 300_000 }
  ])
  expect(asked('<html>Bad request</html>', 400)).toMatchObject([{ type: 'reject', symbol: 'NSE:SBIN-EQ' }])
})
