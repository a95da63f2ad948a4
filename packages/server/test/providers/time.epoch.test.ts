/** Nanoseconds in a JSON number have lost their last digits. */
import { expect, test } from 'vitest'
import { epoch } from '../../src/providers/time.ts'

test('a whole millisecond in nanoseconds is that millisecond, not a hair before it, where another candle would be', () => {
  for (let ms = 1_795_255_440_000; ms < 1_795_255_441_000; ms++) expect(epoch(JSON.parse(`${ms}000000`))).toBe(ms)
  expect(epoch(1_795_255_440_000_250_000)).toBe(1_795_255_440_000.25)
})
