import type { Status } from '@tickwire/protocol'
import { expect, test } from 'vitest'
import { note, openDigest, takeLines } from '../../src/feed/digest.ts'

const decision = (time: number, more: Partial<Status>): Status => ({
  type: 'status', provider: 'b', instrument: 'BTC-USD', time, received: time, kind: 'trade', standbys: [], cause: 'closed', reason: 'why', previous: 'a', leader: 'b', ...more
}) // prettier-ignore

test('one line per provider and cause and second, with the number of streams, who leads now, and the first reason', () => {
  const digest = openDigest()
  for (let i = 0; i < 50; i++) note(digest, decision(i * 10, { leader: i < 40 ? 'b' : 'c', reason: `why ${i}` }))
  note(digest, decision(900, { cause: 'gap' }))
  expect(takeLines(digest, 999)).toEqual([])
  expect(takeLines(digest, 1_000)).toEqual([{ from: 'a', to: ['b', 'c'], streams: 50, cause: 'closed', reason: 'why 0' }])
  expect(takeLines(digest, 2_000)).toMatchObject([{ cause: 'gap', streams: 1 }])
  expect(takeLines(digest, 9_000)).toEqual([])
})

test('first leaders and leavers are no news; that nobody leads, and that the lost leader speaks again, is', () => {
  const digest = openDigest()
  note(digest, { ...decision(0, { cause: 'first' }), previous: undefined } as unknown as Status)
  note(digest, decision(0, { cause: 'first' }))
  note(digest, decision(0, { cause: 'unsubscribed' }))
  note(digest, { ...decision(0, { cause: 'silence' }), leader: undefined } as unknown as Status)
  note(digest, decision(0, { cause: 'first', leader: 'a' }))
  expect(takeLines(digest, 1_000)).toEqual([
    { from: 'a', to: [], streams: 1, cause: 'silence', reason: 'why' },
    { from: 'a', to: ['a'], streams: 1, cause: 'first', reason: 'why' }
  ])
})
