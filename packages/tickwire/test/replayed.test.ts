/** The same bytes at every speed and on every run, of events and of frames that were really recorded, with the services on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordedWhat } from '@tickwire/protocol'
import { configSchema } from '@tickwire/server/config.ts'
import { createInstruments } from '@tickwire/server/feed/instruments.ts'
import { openReader } from '@tickwire/server/journal/reader.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { openReplays } from '@tickwire/server/replays.ts'
import { feedSettings, sourcesOf } from '@tickwire/server/sources.ts'
import { DEMO } from '@tickwire/street/venues.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { tickwire } from './plant.ts'

// A whole program is started, and what it recorded is played at its own pace.
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 })

let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tickwire-replayed-'))
  const where = ['--set', 'street.control=0', '--directory', directory]
  await tickwire(['record', '--demo', ...where, '--what', 'both', '--for', '4s', 'BTC-USDT', 'BTC-USD', 'AAPL'])
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function played(what: RecordedWhat, speed: number) {
  const reader = openReader({ directory })
  const usual = configSchema.parse({})
  const providers = Object.entries(usual.providers).map(([name, provider]) => {
    const own = { ...provider, enabled: DEMO.includes(name), key: 'street', secret: 'street' }
    return [name, own] as const
  })
  const config = { ...usual, providers: Object.fromEntries(providers) }
  const replays = openReplays({
    sectors: config.sectors,
    reader,
    sources: sourcesOf(config),
    settings: feedSettings(config),
    simulated: true,
    instruments: createInstruments(),
    clock: Date.now,
    log: SILENT,
    newId: () => 'r1',
    digests: true
  })
  const [run] = reader.runs()
  expect(replays.order({ run: run?.run ?? '', what, speed })).toMatchObject({ ok: true })
  const replay = replays.find('r1')
  await expect.poll(() => replay?.state().phase, { timeout: 120_000 }).toBe('ended')
  const { events = 0, entries = 0 } = replay?.state() ?? {}
  const topics = [...(replay?.shown().plant.topics() ?? [])].toSorted()
  const digest = replay?.digest()
  replays.stop()
  reader.close()
  return { digest, events, entries, topics }
}

describe.each(['events', 'frames'] as const)('[S2-39] [S4-29] [S4-30] a replay of %s', (what) => {
  test('publishes the same bytes at once, at fifty times its pace, at its pace, and again', async () => {
    const [first, fast, own, again] = await Promise.all([played(what, 0), played(what, 50), played(what, 1), played(what, 0)])
    expect(first.digest).toMatch(/^[0-9a-f]{64}$/)
    expect(first.events).toBeGreaterThan(200)
    for (const made of ['candle:BTC-USDT:1m', 'liquidity:BTC-USDT', 'change:BTC-USDT']) expect(first.topics).toContain(made)
    for (const other of [fast, own, again]) expect(other).toEqual(first)
  })
})

test('frames are decided anew: what was published then comes out of the recorded frames as well', async () => {
  const [events, frames] = [await played('events', 0), await played('frames', 0)]
  const led = /^(trade|quote|ticker|book):/
  expect(events.topics.filter((topic) => led.test(topic)).length).toBeGreaterThan(4)
  expect(events.topics.filter((topic) => led.test(topic) && !frames.topics.includes(topic))).toEqual([])
})
