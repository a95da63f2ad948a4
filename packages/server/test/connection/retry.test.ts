import { expect, test } from 'vitest'
import { retryAfter } from '../../src/connection/retry.ts'

const NOW = Date.parse('2026-11-21T09:00:00Z')

test.each<[string | undefined, number, number | undefined]>([
  ['7', 503, 7_000],
  ['0.5', 503, 500],
  ['Sat, 21 Nov 2026 09:01:00 GMT', 503, 60_000],
  ['Sat, 21 Nov 2026 09:01:00 GMT', 429, 60_000],
  ['Sat, 21 Nov 2026 08:59:00 GMT', 503, undefined],
  ['86400', 429, 3_600_000],
  ['soon', 503, undefined],
  [undefined, 503, undefined],
  [undefined, 429, 5_000],
  [undefined, 418, 5_000]
])('Retry-After %s of a %i is a wait of %s ms', (header, status, wait) => {
  expect(retryAfter(header, status, NOW)).toBe(wait)
})
