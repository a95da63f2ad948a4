/** What is said of a provider's connections. */
import { expect, test } from 'vitest'
import { countFrame, openTally, setPhase, statusOf } from '../../src/connection/tally.ts'

test('a connection that is open and has said nothing is not said to be more than that', () => {
  const tally = openTally('one')
  const more = { connections: 1, subscriptions: 1, simulated: false, gaps: 0 }
  const reason = (now: number) => statusOf(tally, now, more).reason
  setPhase(tally, ['live'], { phase: 'live', reason: 'connected' }, 1_000)
  expect(reason(9_000)).toBe('connected, and nothing heard yet')
  countFrame(tally, 9_500)
  expect(reason(10_000)).toBe('connected')
  setPhase(tally, ['waiting'], { phase: 'waiting', reason: 'reset' }, 11_000)
  setPhase(tally, ['live'], { phase: 'live', reason: 'connected' }, 12_000)
  expect(reason(13_000)).toBe('connected, and nothing heard yet')
})
