/** Providers whose frames are bytes: what they send when well, and each way in which such bytes can be wrong. */
import type { Frame } from '../../src/providers/adapter.ts'
import { control, data, lite, NOTHING, scrip, snapshot, update } from '../providers/fyers.frames.ts'
import { texts, type Malformed } from './hostile.kinds.ts'
import { NOW, socketRoad } from './hostile.roads.ts'
import type { Tape } from './hostile.tape.ts'

/** Each beginning of a good frame, up to so many: what a cut connection leaves. */
const cuts = (bytes: Uint8Array, make: (part: Uint8Array) => Frame): Malformed[] =>
  Array.from({ length: Math.min(24, bytes.length) }, (_, i): Malformed => {
    const length = Math.floor((bytes.length * i) / Math.min(24, bytes.length))
    return [`cut after ${length} of ${bytes.length} bytes`, make(bytes.slice(0, length))]
  })

// ---- protobuf in base64 --------------------------------------------------------------------------------------------

const varint = (n: bigint): number[] => (n < 128n ? [Number(n)] : [Number(n & 127n) | 128, ...varint(n >> 7n)])
const float = (id: number, value: number) => [(id << 3) | 5, ...new Uint8Array(new Float32Array([value]).buffer)]
const sint = (id: number, value: number) => [
  id << 3,
  ...varint(BigInt(value) < 0n ? -BigInt(value) * 2n - 1n : BigInt(value) * 2n)
]
const int = (id: number, value: number) => [id << 3, ...varint(BigInt(value))]
const text = (id: number, value: string) => [(id << 3) | 2, ...varint(BigInt(value.length)), ...Buffer.from(value)]

const pricing = (id: number[], price: number[], time: number[], ...more: number[][]): Uint8Array =>
  Uint8Array.from([...id, ...price, ...time, ...int(6, 8), ...int(7, 1), ...more.flat()])
const carried = (message: unknown): string => JSON.stringify({ type: 'pricing', message })
const based = (bytes: Uint8Array): string => carried(Buffer.from(bytes).toString('base64'))
const NAME = text(1, 'BTC-USD')
const PRICE = float(2, 100.5)
const TIME = sint(3, NOW + 1)
const yahooGood = (n: number): string => based(pricing(NAME, PRICE, sint(3, NOW + n)))

const yahooKinds = (): readonly Malformed[] => [
  ...texts(yahooGood(1)),
  ...cuts(Uint8Array.from([...NAME, ...PRICE, ...TIME]), based),
  ...[null, 5, true, [], {}, '', '%%%', 'AAAA'].map((message): Malformed => [
    `message ${JSON.stringify(message)}`,
    carried(message)
  ]),
  ['price NaN', based(pricing(NAME, float(2, NaN), TIME))],
  ['price Infinity', based(pricing(NAME, float(2, Infinity), TIME))],
  ['price -Infinity', based(pricing(NAME, float(2, -Infinity), TIME))],
  ['price -1', based(pricing(NAME, float(2, -1), TIME))],
  ['price 1e30', based(pricing(NAME, float(2, 1e30), TIME))],
  ['price 1e-30', based(pricing(NAME, float(2, 1e-30), TIME))],
  ['price as text', based(pricing(NAME, text(2, '100.5'), TIME))],
  ['price as a whole number', based(pricing(NAME, int(2, 100), TIME))],
  ['time 0', based(pricing(NAME, PRICE, sint(3, 0)))],
  ['time -1', based(pricing(NAME, PRICE, sint(3, -1)))],
  ['time absent', based(pricing(NAME, PRICE, []))],
  ['time of another age', based(pricing(NAME, PRICE, sint(3, 9e15)))],
  ['time as text', based(pricing(NAME, PRICE, text(3, 'noon')))],
  ['name absent', based(pricing([], PRICE, TIME))],
  ['name empty', based(pricing(text(1, ''), PRICE, TIME))],
  ['name unknown', based(pricing(text(1, 'NOBODY KNOWS'), PRICE, TIME))],
  ['name __proto__', based(pricing(text(1, '__proto__'), PRICE, TIME))],
  ['name of five thousand letters', based(pricing(text(1, 'x'.repeat(5_000)), PRICE, TIME))],
  ['name as a number', based(pricing(int(1, 5), PRICE, TIME))],
  ['a length beyond the end', based(pricing(NAME, PRICE, TIME, [(13 << 3) | 2, 255, 255, 3]))],
  ['a number without an end', based(pricing(NAME, PRICE, TIME, [9 << 3, ...Array<number>(12).fill(255)]))],
  ['a wire type that there is not', based(pricing(NAME, PRICE, TIME, [(13 << 3) | 7]))]
]

const yahoo: Tape = {
  provider: 'yahoo',
  what: 'protobuf in base64 on a socket',
  good: yahooGood,
  malformed: yahooKinds,
  road: () =>
    socketRoad({ provider: 'yahoo', symbol: 'BTC-USD', kind: 'ticker', access: (base) => ({ options: { loginUrl: base } }) })
}

// ---- binary frames -------------------------------------------------------------------------------------------------

const TOPIC = 'sf|nse_cm|3045'
const shown = (part: Parameters<typeof scrip>[0], tail: Parameters<typeof snapshot>[3] = {}, topic = TOPIC): number[] =>
  snapshot(7, topic, scrip(part), { name: 'SBIN-EQ', ...tail })
const fyersGood = (n: number): Uint8Array => data(n, shown({ volume: 1_000 + n }))
const GOOD = fyersGood(1)
const changed = (at: number, value: number): Uint8Array => GOOD.map((byte, i) => (i === at ? value : byte))

const fyersKinds = (): readonly Malformed[] => [
  ...texts('{"type":"sf","symbol":"NSE:SBIN-EQ","ltp":100.5,"exch_feed_time":1795000000}'),
  ...cuts(GOOD, (part) => part),
  ['a byte too many', Uint8Array.from([...GOOD, 0])],
  ['twice in one', Uint8Array.from([...GOOD, ...GOOD])],
  ['more entries than there are', changed(8, 200)],
  ['entries by the ten thousand', changed(7, 255)],
  ['no entry of those that are there', changed(8, 0)],
  ['an entry of an unknown type', changed(9, 99)],
  ['a topic longer than the frame', changed(12, 255)],
  ['an update of a topic that nobody began', data(1, update(99, [1, 2]))],
  ['a lite update of a topic that nobody began', data(1, lite(99, 5))],
  ['a lite update without a price', data(1, lite(7, NOTHING))],
  ['a price below nothing', data(1, shown({ ltp: -5 }))],
  ['a change to a price below nothing', data(1, update(7, [-5]))],
  ['a scale of nothing', data(1, shown({}, { multiplier: 0 }))],
  ['a scale of two hundred digits', data(1, shown({}, { precision: 200 }))],
  ['a topic of an unknown channel', data(1, shown({}, {}, 'zz|nse_cm|3045'))],
  ['a topic without a channel', data(1, shown({}, {}, ''))],
  ['a topic of an unknown exchange', data(1, shown({}, {}, 'sf|mars|1'))],
  ['a topic of nobody', data(1, shown({}, { name: 'NOBODY-EQ' }, 'sf|nse_cm|1'))],
  ['a name that is none', data(1, shown({}, { name: '__proto__' }, 'sf|nse_cm|1'))],
  ['an answer cut short', control(1, 'K').slice(0, 5)],
  ['noise', Uint8Array.from({ length: 400 }, (_, i) => (i * 167 + 13) % 256)],
  ['zeros', new Uint8Array(400)],
  ['ones', new Uint8Array(400).fill(255)]
]
const rest = () => ({ body: '{"s":"ok","validSymbol":{"NSE:SBIN-EQ":"10100000003045"}}' })

const fyers: Tape = {
  provider: 'fyers',
  what: 'binary frames on a socket',
  good: fyersGood,
  malformed: fyersKinds,
  // What nobody asked for, and a type of frame that may be new.
  silent: new Set(['a topic of nobody', 'zeros']),
  road: () => socketRoad({ provider: 'fyers', symbol: 'NSE:SBIN-EQ', kind: 'ticker', rest }, [control(1, 'K')])
}

export const packed: readonly Tape[] = [yahoo, fyers]
