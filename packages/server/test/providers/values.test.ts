/** What all adapters share when they read rows and prices. */
import { describe, expect, test } from 'vitest'
import type { Meaning } from '../../src/providers/adapter.ts'
import { providers } from '../../src/providers/index.ts'
import * as values from '../../src/providers/values.ts'

const bar = { symbol: 'X', interval: '1m', start: 1_700_000_000_000, time: 1_700_000_060_000, volume: 1, closed: true } as const
const day = (high: unknown, low: unknown) => values.ticker('X', 1_700_000_000_000, 100, { high, low })

test.each([
  [{ open: 500, high: 101, low: 99, close: 100 }, 'refused'],
  [{ open: 100, high: 101, low: 99, close: 98 }, 'refused'],
  [{ open: 100, high: 99, low: 101, close: 100 }, 'refused'],
  [{ open: 100, high: 101, low: 99, close: 101 }, 'candle'],
  [{ open: 100, high: Math.fround(100.1), low: 99, close: 100.1 }, 'candle']
])('a candle opens and closes within its range, but for the last digits of a float: %o is %s', (prices, type) => {
  expect(values.candle({ ...bar, ...prices }).type).toBe(type)
})

test('a ticker whose high is below its low is refused', () => {
  expect(day(1, 200)).toEqual({ type: 'refused', reason: 'ticker: high below low' })
  expect(day(200, 1)).toMatchObject({ type: 'ticker', high: 200, low: 1 })
  expect(day(undefined, 1).type).toBe('ticker')
})

test('a text is no list of rows, and is not walked letter by letter', () => {
  let walked = 0
  const found = values.each('xxxx' as unknown as string[], () => (walked++, []))
  expect([found, walked]).toEqual([[values.refused('a frame of an unknown shape')], 0])
})

test('of a huge list of nonsense the first refusals are told, and that there are more; what is good is kept', () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => i)
  const good: Meaning = { type: 'ack', symbol: 'X' }
  const found = values.each(rows, (row) => [row === 49_999 ? good : values.refused('bad')])
  expect(found).toHaveLength(102)
  expect(found).toContain(good)
})

/** Told to every adapter, whether it could be a frame of its socket or the answer to a call. */
const HOSTILE: [string, string][] = [
  ['a text of twenty million letters', `"${'x'.repeat(20_000_000)}"`],
  ['a list of nothing', `[${'null,'.repeat(100_000)}null]`],
  ['a list of empty objects', `[${'{},'.repeat(100_000)}{}]`]
]
describe.each(HOSTILE)('%s', (_name, text) => {
  test.each(Object.values(providers))('costs $provider little', (adapter) => {
    const session = adapter.open({ key: 'k', secret: 's', feed: 'https://x.test/f' }, '')
    // Few meanings, and in time: whoever walks it letter by letter, or by the square of its rows, meets the runner's own limit.
    expect(adapter.decode(text, 1_795_000_000_000, session).length).toBeLessThan(200)
  })
})
