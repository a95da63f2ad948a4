/** What a broken or hostile provider can send, kind by kind, through the whole road from the socket to the plant. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFeed } from '../../src/feed/feed.ts'
import { createInstruments } from '../../src/feed/instruments.ts'
import type { Dial, Hooks } from '../../src/connection/link.ts'
import { createPlant } from '../../src/plant/plant.ts'
import { providers } from '../../src/providers/index.ts'
import { quietLog } from './venue.ts'

const NOW = 1_795_000_000_000
beforeEach(() => void vi.useFakeTimers({ now: NOW }))
afterEach(() => void vi.useRealTimers())

type Path = readonly (string | number)[]
/** A good trade of each provider, the n-th of its connection, and where in it the values stand. */
type Tape = { symbol: string; trade: (n: number) => object; price: Path; size: Path; time: Path; name: Path; sequence?: string }

const iso = (n: number) => new Date(NOW + n).toISOString()
const TAPES: Record<string, Tape> = {
  binance: {
    symbol: 'BTCUSDT',
    trade: (n) => ({
      stream: 'btcusdt@aggTrade',
      data: { e: 'aggTrade', E: NOW + n, s: 'BTCUSDT', a: n, p: '100.5', q: '2', f: n, l: n, T: NOW + n, m: true, M: true }
    }),
    price: ['data', 'p'],
    size: ['data', 'q'],
    time: ['data', 'T'],
    name: ['data', 's']
  },
  coinbase: {
    symbol: 'BTC-USD',
    trade: (n) => ({
      channel: 'market_trades',
      timestamp: iso(n),
      sequence_num: n,
      events: [
        {
          type: 'update',
          trades: [{ product_id: 'BTC-USD', trade_id: String(n), price: '100.5', size: '2', time: iso(n), side: 'BUY' }]
        }
      ]
    }),
    price: ['events', 0, 'trades', 0, 'price'],
    size: ['events', 0, 'trades', 0, 'size'],
    time: ['events', 0, 'trades', 0, 'time'],
    name: ['events', 0, 'trades', 0, 'product_id'],
    sequence: 'sequence_num'
  },
  kraken: {
    symbol: 'BTC/USD',
    trade: (n) => ({
      channel: 'trade',
      type: 'update',
      data: [{ symbol: 'BTC/USD', side: 'sell', price: 100.5, qty: 2, ord_type: 'market', trade_id: n, timestamp: iso(n) }]
    }),
    price: ['data', 0, 'price'],
    size: ['data', 0, 'qty'],
    time: ['data', 0, 'timestamp'],
    name: ['data', 0, 'symbol']
  },
  alpaca: {
    symbol: 'AAPL',
    trade: (n) => [{ T: 't', S: 'AAPL', i: n, x: 'V', p: 100.5, s: 2, c: ['@'], z: 'C', t: iso(n) }],
    price: [0, 'p'],
    size: [0, 's'],
    time: [0, 't'],
    name: [0, 'S']
  },
  massive: {
    symbol: 'AAPL',
    trade: (n) => [{ ev: 'T', sym: 'AAPL', x: 4, i: String(n), z: 3, p: 100.5, s: 2, c: [0], t: NOW + n, q: n }],
    price: [0, 'p'],
    size: [0, 's'],
    time: [0, 't'],
    name: [0, 'sym']
  },
  finnhub: {
    symbol: 'AAPL',
    trade: (n) => ({ type: 'trade', data: [{ c: ['1'], p: 100.5, s: 'AAPL', t: NOW + n, v: 2 }] }),
    price: ['data', 0, 'p'],
    size: ['data', 0, 'v'],
    time: ['data', 0, 't'],
    name: ['data', 0, 's']
  },
  'binance-usdm': {
    symbol: 'BTCUSDT',
    trade: (n) => ({
      stream: 'btcusdt@aggTrade',
      data: { e: 'aggTrade', E: NOW + n, s: 'BTCUSDT', a: n, p: '100.5', q: '2', f: n, l: n, T: NOW + n, m: true }
    }),
    price: ['data', 'p'],
    size: ['data', 'q'],
    time: ['data', 'T'],
    name: ['data', 's']
  },
  'kraken-futures': {
    symbol: 'PF_XBTUSD',
    trade: (n) => ({
      feed: 'trade',
      product_id: 'PF_XBTUSD',
      uid: `u${n}`,
      side: 'sell',
      type: 'fill',
      seq: n + 1,
      time: NOW + n,
      qty: 2,
      price: 100.5
    }),
    price: ['price'],
    size: ['qty'],
    time: ['time'],
    name: ['product_id'],
    sequence: 'seq'
  },
  'coinbase-exchange': {
    symbol: 'BTC-USD',
    trade: (n) => ({
      type: 'match',
      trade_id: n + 1,
      maker_order_id: 'a',
      taker_order_id: 'b',
      side: 'sell',
      size: '2',
      price: '100.5',
      product_id: 'BTC-USD',
      sequence: n,
      time: iso(n)
    }),
    price: ['price'],
    size: ['size'],
    time: ['time'],
    name: ['product_id']
  }
}

/** The other addresses of Binance speak as these two do. */
TAPES['binance-us'] = TAPES.binance!
TAPES['binance-coinm'] = {
  ...TAPES['binance-usdm']!,
  symbol: 'BTCUSD_PERP',
  trade: (n) => {
    const tape = TAPES['binance-usdm']!.trade(n) as { data: object }
    return { stream: 'btcusd_perp@aggTrade', data: { ...tape.data, s: 'BTCUSD_PERP' } }
  }
}

/** Texts that are none of any provider's messages; `good` is a message that is. */
const TEXTS: Record<string, (good: string) => string> = {
  nothing: () => '',
  blanks: () => ' \n\t ',
  null: () => 'null',
  true: () => 'true',
  'a number': () => '0',
  'a string': () => '"hello"',
  'a list of null': () => '[null]',
  'a list of numbers': () => '[1,2]',
  'a list of lists': () => '[[]]',
  'a list of strings': () => '["x"]',
  'an object of unknown words': () => '{"what":"ever"}',
  'a list of an object of unknown words': () => '[{"what":"ever"}]',
  'cut in the middle': (good) => good.slice(0, good.length / 2),
  'without its last character': (good) => good.slice(0, -1),
  'a comma too many': (good) => good.replace(/([}\]])$/, ',$1'),
  'single quotes': (good) => good.replaceAll('"', "'"),
  'names without quotes': (good) => good.replaceAll(/"(\w+)":/g, '$1:'),
  'NaN as a word': (good) => good.replace(/100\.5"?/, 'NaN').replace(/"NaN/, 'NaN'),
  'Infinity as a word': (good) => good.replace(/"?100\.5"?/, 'Infinity'),
  'undefined as a word': (good) => good.replace(/"?100\.5"?/, 'undefined'),
  'a byte order mark': (good) => `\uFEFF${good}`,
  'a NUL inside': (good) => good.replace(':', ':\0'),
  'an open string': (good) => good.replace(/"([^"]*)$/, '$1'),
  'a comment': (good) => `${good} // so it is`,
  'two messages in one': (good) => good + good,
  'a web page': () => '<!doctype html><html><body>502 Bad Gateway</body></html>',
  xml: () => '<?xml version="1.0"?><trade price="1"/>',
  'bytes of something else': () => '\x81\xa7\x00\x7f\uFFFD\uFFFD',
  'fifty thousand lists in each other': () => '['.repeat(50_000) + ']'.repeat(50_000),
  'twenty million characters': () => `"${'x'.repeat(20_000_000)}"`,
  'a prototype': () => '{"__proto__":{"price":1},"constructor":{"prototype":{"size":1}}}'
}
const GONE = Symbol('gone')
const NO_NUMBER = [
  null,
  GONE,
  '',
  ' ',
  'abc',
  'NaN',
  'Infinity',
  '-Infinity',
  true,
  [],
  {},
  [[1]],
  '1,234.5',
  '0x10',
  '1e400',
  -1,
  '-1'
]
const VALUES: Record<'price' | 'size' | 'time' | 'name', readonly unknown[]> = {
  price: [...NO_NUMBER, 0, '0', -0, '1.2.3', '１００'],
  size: [...NO_NUMBER, '1.2.3'],
  time: [null, GONE, '', ' ', 'noon', 'NaN', {}, [], true, -1, '2024-13-45T99:00:00Z'],
  name: [null, GONE, '', 5, true, [], {}, 'NOBODY/KNOWS', 'x'.repeat(5_000), '__proto__']
}

function withValue(whole: object, path: Path, value: unknown): string {
  const copy = structuredClone(whole) as Record<string | number, any>
  const parent = path.slice(0, -1).reduce<Record<string | number, any>>((at, key) => at[key], copy)
  if (value === GONE) delete parent[path.at(-1)!]
  else parent[path.at(-1)!] = value
  return JSON.stringify(copy)
}
const shown = (value: unknown): string =>
  value === GONE ? 'absent' : typeof value === 'string' ? JSON.stringify(value.slice(0, 20)) : (JSON.stringify(value) ?? '-0')

const malformed = ({ trade, ...paths }: Tape): [string, string][] => [
  ...Object.entries(TEXTS).map(([name, make]): [string, string] => [name, make(JSON.stringify(trade(1)))]),
  ...(['price', 'size', 'time', 'name'] as const).flatMap((field) =>
    VALUES[field].map((value): [string, string] => [`${field} ${shown(value)}`, withValue(trade(1), paths[field], value)])
  )
]

/** A feed of one provider, whose frames the test says. */
async function open(provider: string, { symbol }: Tape) {
  const adapter = providers[provider]!
  const plant = createPlant({ epoch: 'test' })
  const instruments = createInstruments()
  let hooks: Hooks | undefined
  const dial: Dial = (_target, given) => {
    hooks = given
    queueMicrotask(() => given.onOpen())
    return { send: () => undefined, close: () => undefined }
  }
  const { listing: _listing, ...rest } = adapter
  const access = { key: 'k', secret: 's' }
  const feed = createFeed({
    providers: [{ adapter: rest, wsUrl: 'ws://127.0.0.1:1', restUrl: 'http://127.0.0.1:1', readAccess: () => access }],
    plant,
    instruments,
    clock: Date.now,
    random: () => 0.5,
    log: quietLog,
    simulated: true,
    dial
  })
  instruments.add(provider, [{ symbol, base: 'ONE', quote: 'USD', trading: true }])
  await feed.start()
  feed.want({ kind: 'trade', instrument: 'ONE-USD' })
  await vi.advanceTimersByTimeAsync(200)
  const trades = () => plant.recent(`trade:ONE-USD@${provider}`, 1_000)
  const refused = () => feed.providers()[0]!.refused
  return { say: (text: string) => hooks!.onFrame(text), trades, refused, stop: () => feed.stop() }
}
const total = (refused: Record<string, number>): number => Object.values(refused).reduce((sum, n) => sum + n, 0)

describe.each(Object.entries(TAPES))('%s', (provider, tape) => {
  const kinds = malformed(tape)

  test(`[T15] each of ${kinds.length} malformed kinds is refused and counted by its reason, and the next good trade arrives`, async () => {
    expect(kinds.length).toBeGreaterThanOrEqual(60)
    const wrong: string[] = []
    for (const [name, text] of kinds) {
      const { say, trades, refused, stop } = await open(provider, tape)
      say(JSON.stringify(tape.trade(0)))
      if (trades().length !== 1) throw new Error(`a good trade did not arrive: ${JSON.stringify(refused())}`)
      const before = total(refused())
      say(text)
      if (trades().length !== 1) wrong.push(`${name}: came through`)
      if (total(refused()) <= before) wrong.push(`${name}: not counted`)
      // A frame whose number could be read has used it up.
      const used = tape.sequence !== undefined && text.includes(`"${tape.sequence}":`) && isJson(text)
      say(JSON.stringify(tape.trade(used || tape.sequence === undefined ? 2 : 1)))
      if (trades().length !== 2) wrong.push(`${name}: the next trade did not arrive (${JSON.stringify(refused())})`)
      await stop()
    }
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
  })
})

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}
