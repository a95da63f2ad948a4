/** The wait that the shells share. */
import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { pause } from '../../src/connection/pause.ts'
import { timers } from '../../src/timers.ts'

test('a pause that is over leaves no listener behind', async () => {
  const { signal } = new AbortController()
  const waiting = pause(timers, 1, signal)
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  await waiting
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
test('it ends early when its signal aborts, and at once when that was before', async () => {
  const stopping = new AbortController()
  const waiting = pause(timers, 3_600_000, stopping.signal)
  stopping.abort()
  await waiting
  await pause(timers, 3_600_000, stopping.signal)
  expect(getEventListeners(stopping.signal, 'abort')).toHaveLength(0)
})
