import type { Book } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { admit, createArbiter } from '../../src/arbiter/arbiter.ts'

const book = (provider: string, at: number, state: NonNullable<Book['state']>): Book => ({
  type: 'book', provider, instrument: 'X', time: at, received: at, bids: [[99, 1]], asks: [[101, 1]], state
}) // prettier-ignore

test('a book that we mark as stale is no sign of life: it makes nobody the leader', () => {
  const state = createArbiter({ order: ['a', 'b'] })
  for (const provider of ['a', 'b']) admit(state, { type: 'subscribed', provider, kind: 'book', instrument: 'X', now: 0 })
  admit(state, { type: 'event', event: book('a', 0, 'valid') })
  const lane = state.lanes.get('book:X')!
  admit(state, { type: 'closed', provider: 'a', kind: 'book', instrument: 'X', now: 10, reason: 'reset' })
  const outputs = admit(state, { type: 'event', event: book('b', 20, 'stale') })
  expect(outputs.map((output) => 'topic' in output && output.topic)).toEqual(['book:X@b'])
  expect(lane.sources.get('b')!.state).toBe('asked')
  // The leader's own fading is told to those who read the instrument.
  const faded = admit(state, { type: 'event', event: book('a', 30, 'stale') })
  expect(faded.map((output) => 'topic' in output && output.topic)).toEqual(['book:X@a', 'book:X'])
  expect(lane.sources.get('a')!.state).toBe('closed')
})
