import type { Published, Trade, Candle, Quote } from '@tickwire/protocol'
import { describe, expect, test } from 'vitest'
import { createBoard, onEvent, onResult, onStatus, rateOf } from '../src/stream/board.ts'
import { createLines, csvCell } from '../src/stream/lines.ts'
import { noteOf } from '../src/stream/notes.ts'
import { ageText, drawTable, type View } from '../src/stream/table.ts'
import { noPaint, paintFor } from '../src/terminal/colours.ts'
import { cut, decimal, plain, plainJson, widthOf } from '../src/terminal/plain.ts'

const AT = Date.UTC(2026, 10, 21, 12)
const HOSTILE = '\x1b]0;owned\x07\x1b[2J\u009b31m\u202eevil\r\n'
const stamp = { provider: 'x', instrument: 'BTC-USDT', time: AT, received: AT + 5, published: AT + 6, confidence: 0.5 }
const trade = (over: Partial<Published<Trade>> = {}, seq = 1): Published<Trade> => ({
  ...stamp,
  type: 'trade',
  topic: 'trade:BTC-USDT',
  seq,
  price: 100,
  size: 1e-7,
  side: 'buy',
  ...over
})

describe('[S10] nothing from outside reaches a terminal as more than text', () => {
  const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u // oxlint-disable-line no-control-regex
  test.for(['text', 'json', 'csv'] as const)('as %s', (format) => {
    const line = createLines(format, 'trade').line(trade({ provider: HOSTILE, instrument: HOSTILE, id: HOSTILE, venue: HOSTILE }))
    expect(line.replace(/\r?\n$/, '')).not.toMatch(controls)
    expect(line.trimEnd()).not.toContain('\n')
  })
  test('as a note, and in the table', () => {
    const board = createBoard([`trade:${HOSTILE}`], 'http://here')
    onResult(board, { asked: `trade:${HOSTILE}`, ok: false, code: 'BAD_SYMBOL', message: HOSTILE })
    expect(drawTable(board, view()).join('')).not.toMatch(controls)
    expect(noteOf.error({ code: 'BAD_SYMBOL', message: HOSTILE, retry: false })).not.toMatch(controls)
    expect(noteOf.shutdown({ reason: HOSTILE, retryAfterMs: 1 })).not.toMatch(controls)
  })
  test('what is unfit is seen, and JSON means the same', () => {
    expect(plain('a\x1b[2Jb')).toBe('a\ufffd[2Jb')
    expect(JSON.parse(plainJson({ name: `${HOSTILE}\u{e0041}` }))).toEqual({ name: `${HOSTILE}\u{e0041}` })
  })
})

describe('CSV', () => {
  test('[S10] is quoted as RFC 4180 says, and a spreadsheet runs none of it', () => {
    expect(csvCell('a,b')).toBe('"a,b"')
    expect(csvCell('say "x"')).toBe('"say ""x"""')
    for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1']) expect(csvCell(formula)).toMatch(/^"?'/)
    expect([csvCell(-1.5), csvCell(1e-7), csvCell(undefined)]).toEqual(['-1.5', '0.0000001', ''])
  })
  test('has a cell for each title of its header, whatever the event has', () => {
    for (const type of ['trade', 'quote', 'ticker', 'candle', 'book'] as const)
      expect(createLines('csv', type).head).toMatch(/^time,instrument,.*,seq,quarantined\r\n$/)
    const { head, line } = createLines('csv', 'trade')
    expect(line(trade()).split(',')).toHaveLength(head.split(',').length)
    expect(line(trade())).toContain(',100,0.0000001,buy,')
  })
})

test('a number is written with all its digits and never with an exponent', () => {
  expect([1e-7, 1.25e-9, -3e-8, 1e21, 12.5].map(decimal)).toEqual([
    '0.0000001',
    '0.00000000125',
    '-0.00000003',
    '1000000000000000000000',
    '12.5'
  ])
})

test('lines stand below each other once the widest has come', () => {
  const { line } = createLines('text', 'trade')
  line(trade({ price: 12_345.25, instrument: 'LONG-NAME-USDT' }))
  const [first, second] = [line(trade({ price: 1 })), line(trade({ price: 12_345.25, instrument: 'LONG-NAME-USDT' }))]
  expect(first.indexOf('buy')).toBe(second.indexOf('buy'))
})

const view = (over: Partial<View> = {}): View => ({
  now: AT + 1_000,
  width: 100,
  height: 20,
  paint: noPaint,
  type: 'trade',
  staleAfter: 30_000,
  ...over
})
function opened(topics = ['trade:BTC-USDT']) {
  const board = createBoard(topics, 'http://here')
  return Object.assign(board, { isOpen: true, words: 'live', mode: 'live' })
}

describe('the table', () => {
  test('tells the age of each price by the clock of who said it, and it grows', () => {
    const board = opened()
    onEvent(board, trade(), AT)
    const ageAt = (ms: number) => drawTable(board, view({ now: AT + ms }))[1]
    expect(ageAt(1_000)).toContain('1.0 s ')
    expect(ageAt(12_000)).toContain('12 s ')
    expect(ageAt(31_000)).toMatch(/31 s! +stale/)
    expect(ageAt(3 * 86_400_000)).toContain('3 d!')
  })
  test('corrects for a clock of ours that is not that of the server', () => {
    const board = Object.assign(opened(), { offset: -60_000 })
    onEvent(board, trade(), AT)
    expect(drawTable(board, view({ now: AT + 62_000 }))[1]).toContain('2.0 s')
  })
  test('an impossible time is no age: then it is how long the server has known', () => {
    const board = opened()
    onEvent(board, trade({ time: AT - 86_400_000, clock: 'behind' }), AT)
    expect(drawTable(board, view())[1]).toContain('1.0 s')
  })
  test('marks every price while the server is gone, and those whom nobody leads', () => {
    const board = opened(['trade:BTC-USDT', 'trade:BTC-USD'])
    onEvent(board, trade(), AT)
    onEvent(board, trade({ topic: 'trade:BTC-USD', instrument: 'BTC-USD' }), AT)
    onStatus(board, {
      ...stamp,
      type: 'status',
      kind: 'trade',
      standbys: [],
      cause: 'outage',
      reason: 'gone'
    })
    const [, first, second] = drawTable(board, view())
    expect(first).toContain('no source')
    expect(second).not.toContain('no source')
    board.isOpen = false
    expect(drawTable(board, view())[1]).toContain('offline')
  })
  test('flashes when a price moves, for a moment', () => {
    const board = opened()
    const paint = paintFor({ isTTY: true }, {})
    onEvent(board, trade(), AT)
    onEvent(board, trade({ price: 101 }, 2), AT + 100)
    expect(drawTable(board, view({ paint, now: AT + 200 }))[1]).toContain('\x1b[30;42m101')
    expect(drawTable(board, view({ paint, now: AT + 2_000 }))[1]).toContain('\x1b[32m101')
  })
  test.for([
    [100, 20],
    [60, 10],
    [40, 6],
    [24, 4],
    [12, 3],
    [3, 2],
    [1, 1]
  ])('keeps within %i by %i cells', ([width = 0, height = 0]) => {
    const board = opened(['trade:BTC-USDT', 'trade:ETH-USDT', 'trade:AAPL', 'trade:X'])
    onEvent(board, trade(), AT)
    board.notes.push('one note that is rather long, and wide: 価格', 'another')
    const lines = drawTable(board, view({ width, height }))
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width)
    expect(lines.length).toBeLessThanOrEqual(Math.max(3, height))
  })
  test('in a narrow terminal price and age stay longest', () => {
    const board = opened()
    onEvent(board, trade(), AT)
    const [header] = drawTable(board, view({ width: 26 }))
    expect(header).toMatch(/^instrument +price +age$/)
  })
  test('two spellings of one instrument are one row', () => {
    const board = opened(['trade:btcusdt', 'trade:BTC-USDT'])
    const position = { epoch: 'e', seq: 0 }
    for (const asked of ['trade:btcusdt', 'trade:BTC-USDT'])
      onResult(board, { asked, topic: 'trade:BTC-USDT', ok: true, position, upstream: 'live' })
    onEvent(board, trade(), AT)
    expect(board.rows).toHaveLength(1)
    expect(board.rows[0]?.event?.seq).toBe(1)
  })
  test('says aloud that simulated prices are not real', () => {
    expect(drawTable(Object.assign(opened(), { mode: 'demo' }), view()).at(-1)).toContain('DEMO: not real prices')
    expect(drawTable(opened(), view()).at(-1)).not.toContain('not real')
  })
  test('tells the rate over the last whole seconds', () => {
    const board = opened()
    for (let at = 0; at < 10_000; at += 100) onEvent(board, trade(), AT + at)
    expect(rateOf(board, AT + 10_000)).toBe(10)
    expect(rateOf(board, AT + 60_000)).toBe(0)
  })
})

test('colours are for terminals whose reader has not said no', () => {
  const red = (isTTY: boolean, env: Record<string, string>) => paintFor({ isTTY }, env)('red', 'x')
  expect(red(true, {})).toBe('\x1b[31mx\x1b[0m')
  for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: '1', FORCE_COLOR: '1' }, { TERM: 'dumb' }, { FORCE_COLOR: '0' }])
    expect(red(true, env)).toBe('x')
  expect(red(true, { NO_COLOR: '' })).not.toBe('x')
  expect([red(false, {}), red(false, { FORCE_COLOR: '1' })]).toEqual(['x', '\x1b[31mx\x1b[0m'])
})

test('what is cut says so, and wide characters count twice', () => {
  expect([cut('price', 5), cut('price', 3), cut('価格表', 4), cut('x', 0)]).toEqual(['price', 'pr…', '価…', ''])
})

test('the beginning of a reign is no news, its change is', () => {
  const status = {
    ...stamp,
    type: 'status',
    kind: 'trade',
    standbys: [],
    reason: 'x was silent',
    topic: 't',
    epoch: 'e',
    seq: 1
  } as const
  expect(noteOf.status({ ...status, cause: 'first', leader: 'x' })).toBeUndefined()
  expect(noteOf.status({ ...status, cause: 'silence', leader: 'y', previous: 'x' })).toBe(
    'failover: BTC-USDT trade: x → y: x was silent'
  )
})

test('ages are read at a glance', () => {
  expect([0, 9_900, 9_960, 59_400, 187_000, 3_729_000].map(ageText)).toEqual([
    '0.0 s',
    '9.9 s',
    '10 s',
    '59 s',
    '3:07',
    '1:02:09'
  ])
})

test('a candle says whether it is still forming, a quote both its sides', () => {
  const candle = { ...stamp, type: 'candle', interval: '1m', start: AT, open: 1, high: 2, low: 1, close: 2, volume: 3 } as const
  const published = { topic: 'candle:BTC-USDT:1m', seq: 1 }
  const line = (over: Pick<Candle, 'closed' | 'revision'>) =>
    createLines('text', 'candle').line({ ...candle, ...published, ...over })
  expect(line({ closed: false, revision: 0 })).toContain('forming')
  expect(line({ closed: true, revision: 2 })).toContain('revised 2')
  const quote: Quote = { ...stamp, type: 'quote', bid: 1, bidSize: 2, ask: 3, askSize: 4 }
  expect(createLines('text', 'quote').line({ ...quote, ...published, published: AT })).toContain('bid 1  × 2  ask 3  × 4')
})
