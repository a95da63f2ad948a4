import { expect, test } from 'vitest'
import { demoBounds } from '../src/serve.ts'

const MB = 2 ** 20

test.for([4 * MB, 16 * MB, 256 * MB, 1e9, 1e12])(
  'of %d bytes that are free the recording of a demo never needs all, whatever the size of a segment',
  (free) => {
    for (const asked of [MB, 64 * MB, 4e9]) {
      const { mostBytes, segment } = demoBounds(free, asked)
      // Older segments are removed as one is closed, so that one more than the bound may be there.
      expect(mostBytes + segment).toBeLessThan(free)
      expect(mostBytes).toBeLessThanOrEqual(2 ** 31)
      expect(mostBytes).toBeGreaterThanOrEqual(MB)
      expect(segment).toBeLessThanOrEqual(asked)
      expect(mostBytes / segment).toBeGreaterThanOrEqual(8)
    }
  }
)
