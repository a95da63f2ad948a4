import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Adapter, Meaning, Need } from '../../src/providers/adapter.ts'
import { providers } from '../../src/providers/index.ts'
import { epoch, parseTime } from '../../src/providers/time.ts'
import { decimalsOf } from '../../src/providers/values.ts'
import { lines, text } from './captures.ts'
import { CORPUS } from './corpus.ts'

const POISON: unknown[] = [
  null,
  true,
  0,
  -1,
  -0,
  1e308,
  5e-324,
  1e21,
  '',
  'NaN',
  'Infinity',
  '-Infinity',
  '1,234.5',
  '0x10',
  ' ',
  [],
  {},
  [[]],
  [null],
  { __proto__: null },
  'x'.repeat(5_000),
  '9'.repeat(400)
]

/** Frames that are no JSON: to find that out again each time costs more than most of them. */
const WORDS = new Set<string>()
/** What a frame holds; nothing where it is no JSON. */
function read(frame: string): object | undefined {
  if (WORDS.has(frame)) return undefined
  try {
    return JSON.parse(frame) as object
  } catch {
    WORDS.add(frame)
    return undefined
  }
}

/** Any leaf or branch replaced, or the text itself cut or scrambled. */
const mutated = (frames: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...frames), fc.nat(), fc.constantFrom(...POISON), fc.integer({ min: 0, max: 9 }), fc.nat({ max: 255 }))
    .map(([frame, at, poison, way, byte]) => {
      if (way === 0) return frame.slice(0, at % frame.length)
      if (way === 1) return frame.slice(0, at % frame.length) + String.fromCharCode(byte) + frame.slice((at % frame.length) + 1)
      const whole = read(frame)
      if (whole === undefined)
        return frame.replace(/[^<>"]{3,}/g, (part, where: number) => (where > at % frame.length ? JSON.stringify(poison) : part))
      const places: [Record<string, unknown>, string][] = []
      const walk = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return
        for (const key of Object.keys(value)) {
          places.push([value as Record<string, unknown>, key])
          walk((value as Record<string, unknown>)[key])
        }
      }
      walk(whole)
      if (places.length === 0) return frame
      const [parent, key] = places[at % places.length]!
      if (way === 2) delete parent[key]
      else parent[key] = poison
      return JSON.stringify(whole)
    })

/** Where in what was decoded a number stands that is none. */
function broken(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : ` is ${value}`
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const place = broken(inner)
    if (place !== undefined) return `.${key}${place}`
  }
  return undefined
}
const ABOVE_ZERO = ['price', 'bid', 'ask', 'last', 'open', 'high', 'low', 'close', 'time', 'start']
const check = (meanings: readonly Meaning[]): void => {
  for (const meaning of meanings) {
    const place = broken(meaning)
    if (place !== undefined) throw new Error(`${meaning.type}${place}`)
    for (const key of ABOVE_ZERO) {
      const value = (meaning as unknown as Record<string, unknown>)[key]
      if (typeof value === 'number' && !(value > 0)) throw new Error(`${meaning.type}.${key} is ${value}`)
    }
    if ('symbol' in meaning && typeof meaning.symbol !== 'string') throw new Error(`${meaning.type} has no symbol`)
    if (meaning.type === 'refused' && meaning.reason === '') throw new Error('refused without a reason')
  }
}

const needs = (adapter: Adapter): Need[] => [
  { type: 'need', purpose: 'listing', path: '' },
  { type: 'need', purpose: 'book', path: '', symbol: 'BTCUSDT' },
  { type: 'need', purpose: 'trades', path: '', symbol: 'BTCUSDT' },
  { type: 'need', purpose: 'snapshot', path: '', symbol: 'BTCUSDT' },
  { type: 'need', purpose: 'snapshot', path: '', note: 'news' },
  { type: 'need', purpose: 'history', path: '', symbol: 'BTCUSDT', interval: adapter.intervals[0]! }
]

test('every provider of the map is attacked', () => {
  expect(Object.keys(CORPUS).sort()).toEqual(Object.keys(providers).sort())
  for (const [name, parts] of Object.entries(CORPUS))
    for (const { frames } of parts) expect(frames.length, name).toBeGreaterThan(0)
})

describe.each(Object.keys(CORPUS))('%s', (name) => {
  const adapter = providers[name]!
  const parts = CORPUS[name]!

  test('undamaged, its frames say something', () => {
    for (const { frames, need, open } of parts) {
      const session = open()
      const meanings = frames.flatMap((frame) => adapter.decode(frame, 1_700_000_000_000, session, need))
      expect(meanings.filter(({ type }) => type !== 'refused' && type !== 'reply').length).toBeGreaterThan(0)
      check(meanings)
    }
  })

  test(
    '[T15] no frame of 100,000 damaged ones throws, or makes a number that is none or a price that is not above zero',
    { timeout: 300_000 },
    () => {
      for (const { frames, need, open } of parts) {
        let session = open()
        let n = 0
        fc.assert(
          fc.property(mutated(frames), (frame) => {
            if (n++ % 50 === 0) session = open()
            check(adapter.decode(frame, 1_700_000_000_000, session, need))
          }),
          { numRuns: Math.ceil(100_000 / parts.length) }
        )
      }
    }
  )

  test('no answer of REST throws, whatever it holds', () => {
    const bodies = [
      ...POISON.map((p) => JSON.stringify(p)),
      '<html>502</html>',
      ...POISON.flatMap((p) =>
        ['symbols', 'products', 'candles', 'result', 'bars', 'bids'].map((key) => JSON.stringify({ [key]: p, lastUpdateId: 5 }))
      )
    ]
    for (const need of needs(adapter))
      for (const body of bodies) check(adapter.decode(body, 1_700_000_000_000, adapter.open({}), need))
  })

  test('what must be known of it is stated', () => {
    expect(adapter.provider).toBe(name)
    expect(adapter.kinds.length).toBeGreaterThan(0)
    expect(adapter.about.cost).not.toBe('')
    expect(adapter.about.docs).toMatch(/^https:\/\//)
    expect(adapter.staleAfter).toBeGreaterThan(0)
    expect((adapter.streams ?? []).every((interval) => adapter.intervals.includes(interval))).toBe(true)
  })
})

/** A space at the end sends a frame the general way. */
const sameEitherWay = (frame: string): void => {
  const adapter = providers.coinbase!
  const way = (text: string) => adapter.decode(text, 1_700_000_000_000, adapter.open({}))
  expect(way(frame)).toEqual(way(`${frame} `))
}
test('a book frame read from its text is what the general way makes of it, whole or damaged', () => {
  const frames = lines('coinbase/advanced-2026-08-09.jsonl.gz').filter((frame) => frame.includes('"l2_data"'))
  const short = frames.filter((frame) => frame.length < 2_000)
  expect(short.length).toBeGreaterThan(700)
  for (const frame of [...short.slice(0, 300), frames[0]!]) sameEitherWay(frame)
  fc.assert(fc.property(mutated(short), sameEitherWay), { numRuns: 1_000 })
})

test('5,000 damaged frames in one session leave it able to decode a good one', () => {
  const adapter = providers.coinbase!
  const session = adapter.open({})
  for (const frame of fc.sample(mutated(CORPUS.coinbase![0]!.frames), { numRuns: 5_000, seed: 7 }))
    check(adapter.decode(frame, 1_700_000_000_000, session))
  const good = CORPUS.coinbase![0]!.frames.find((frame) => frame.includes('"channel":"market_trades"'))!
  expect(adapter.decode(good, 0, session).some((meaning) => meaning.type === 'trade')).toBe(true)
})

/** A decimal without the zeros at its end. */
const plain = (decimal: string) => (decimal.includes('.') ? decimal.replace(/0+$/, '').replace(/\.$/, '') : decimal)
const back = (value: number) => (String(value).includes('e') ? plain(value.toFixed(18)) : String(value))

test('every decimal of the captures survives as a double: written back, it is the same text', () => {
  const sources = [
    lines('binance/spot-2021-10-12.jsonl').join(''),
    text('binance/us-2021-10-12.http.jsonl'),
    lines('coinbase/advanced-2026-08-09.jsonl.gz').slice(0, 400).join(''),
    text('kraken/derived-v2-v1-2021-04-17-book1000.jsonl').slice(0, 400_000)
  ]
  let compared = 0
  for (const source of sources) {
    for (const [decimal] of source.matchAll(/(?<=[":,[])\d+\.\d+(?=[",\]}])/g)) {
      if (back(+decimal) !== plain(decimal)) throw new Error(`${decimal} came back as ${back(+decimal)}`)
      compared++
    }
  }
  expect(compared).toBeGreaterThan(50_000)
})

describe('times', () => {
  test('a time equals that of Date.parse, with the fraction that it drops', () => {
    const date = fc.date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2199-12-31T23:59:59Z'), noInvalidDate: true })
    fc.assert(
      fc.property(date, fc.stringMatching(/^\d{0,6}$/), (date, digits) => {
        const text = date.toISOString().replace('Z', `${digits}Z`)
        expect(Math.abs(parseTime(text) - date.getTime() - Number(`0.${digits || 0}`))).toBeLessThan(0.001)
      })
    )
  })
  test.each([
    ['2026-08-09T21:05:48.228568804Z', 1_786_309_548_228.5688],
    ['2026-08-09T21:05:38.50436Z', 1_786_309_538_504.36],
    ['2024-06-17T14:11:00Z', 1_718_633_460_000],
    ['2024-02-29T23:59:60Z', 1_709_251_200_000],
    ['2024-06-17T16:11:00.5+02:00', 1_718_633_460_500],
    ['2024-06-17T09:41:00-0430', 1_718_633_460_000],
    ['1970-01-01T00:00:00Z', 0]
  ])('%s is %d', (written, ms) => expect(parseTime(written)).toBeCloseTo(ms, 3))

  test.each([
    '',
    'noon',
    '2024-06-17',
    '2024-13-17T14:11:00Z',
    '2024-06-17T14:61:00Z',
    '2024-06-17T14:11:00',
    '2024-06-17T14:11:00.5',
    '2024-06-17T14:11:00Zebra',
    '2O24-06-17T14:11:00Z',
    5,
    null,
    undefined
  ])('%s is not a time', (written) => expect(parseTime(written)).toBeNaN())
  test('an epoch is milliseconds, micro- or nanoseconds by its size', () => {
    expect([1_700_000_000_123, 1_700_000_000_123_456, 1_700_000_000_123_456_768].map((t) => Math.floor(epoch(t)))).toEqual(
      Array(3).fill(1_700_000_000_123)
    )
    expect([0, -5, NaN, '1700000000123', null].map(epoch)).toEqual(Array(5).fill(NaN))
  })
})

test('decimals are counted from increments in any notation', () => {
  expect(['0.01', '0.00000001', '1', '1e-8', '2.5e-3', '100', '0.10000000'].map(decimalsOf)).toEqual([2, 8, 0, 8, 4, 0, 1])
  expect(['', '0', 'x', undefined].map(decimalsOf)).toEqual(Array(4).fill(undefined))
})
