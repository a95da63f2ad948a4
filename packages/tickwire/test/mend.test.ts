/** Each known fault leads to what its user can do about it. */
import { expect, test } from 'vitest'
import { mendOf } from '../src/mend.ts'

test.each([
  ['its list of instruments cannot be loaded: not JSON', /^What answers there is not this provider/],
  ['its list of instruments cannot be loaded: unusable listing', /^What answers there is not this provider/],
  ['connected, but no quote of X came within 6 s: a frame of an unknown shape, or cut short', /^What answers there is not/],
  ['connected, but no news came within 6 s: not a feed: unexpected token', /^What answers there is no feed/],
  ['connected, but no quote of X came within 6 s', /^It accepts and stays mute/]
])('%s', (finding, mend) => {
  expect(mendOf(finding)).toMatch(mend)
})
