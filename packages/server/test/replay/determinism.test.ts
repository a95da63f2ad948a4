/** The same bytes at every speed and on every run, of events and of frames, with the services on. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { RecordedWhat } from '@tickwire/protocol'
import { journalOf, play, record, wiringOf, type Recording } from './kit.ts'

const SECONDS = 4
let recording: Recording
beforeAll(async () => {
  const kinds = ['trade', 'quote', 'ticker', 'book'] as const
  const topics = ['BTC-USDT', 'BTC-USD', 'ETH-USDT'].flatMap((instrument) => kinds.map((kind) => ({ kind, instrument })))
  recording = await record(SECONDS, topics)
}, 60_000)

async function digestAt(what: RecordedWhat, speed: number): Promise<{ digest: string; events: number; topics: Set<string> }> {
  const { entries, sources } = recording
  const { replay, ended } = play(wiringOf(journalOf(entries), sources), { what, speed })
  await ended()
  const { events } = replay.state()
  const topics = new Set(replay.shown().plant.topics())
  const digest = replay.digest()
  replay.stop()
  if (digest === undefined) throw new Error('no digest')
  return { digest, events, topics }
}

describe.each(['events', 'frames'] as const)('[S2-39] [S4-29] a replay of %s', (what) => {
  test('publishes the same bytes at once, at fifty times its pace, at its pace, and again', async () => {
    const [first, fast, own, again] = await Promise.all([
      digestAt(what, 0),
      digestAt(what, 50),
      digestAt(what, 1),
      digestAt(what, 0)
    ])
    expect(first.events).toBeGreaterThan(200)
    expect([...first.topics].some((topic) => topic.startsWith('candle:'))).toBe(true)
    expect([...first.topics].some((topic) => topic.startsWith('liquidity:'))).toBe(true)
    for (const other of [fast, own, again]) expect(other).toEqual(first)
  }, 60_000)
})

test('frames are decided anew: what was recorded as events comes out of the recorded frames as well', async () => {
  const { topics } = await digestAt('frames', 0)
  const recorded = new Set(recording.entries.flatMap((entry) => (entry.type === 'event' ? [entry.event.topic] : [])))
  const missing = [...recorded].filter((topic) => /^(trade|quote|ticker|book):/.test(topic) && !topics.has(topic))
  expect(missing).toEqual([])
})
