/** A simulated provider whose clock is wrong, heard over a real socket: the feed finds out by how much. */
import type { ProviderStatus } from '@tickwire/protocol'
import { mirrors } from '@tickwire/server/dialects/index.ts'
import { createFeed } from '@tickwire/server/feed/feed.ts'
import { createInstruments } from '@tickwire/server/feed/instruments.ts'
import { createLog } from '@tickwire/server/ops/log.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'
import { providers } from '@tickwire/server/providers/index.ts'
import { test, vi } from 'vitest'
import { createHouse } from '../src/house.ts'
import { VENUES } from '../src/venues.ts'

const log = createLog({ level: 'silent' })

// At once: an estimate needs samples, and those are told apart by time.
test.concurrent.for([3_000, -3_000])(
  'a clock that is %d ms ahead is known within 5 ms over loopback, and latency is told by ours',
  { timeout: 90_000 },
  async (by, { expect }) => {
    const clock = () => Date.now() + by
    // What a venue holds back looks like a way: here it tells at once.
    const venue = { ...VENUES['binance']!, latency: 0 }
    const house = createHouse({
      provider: 'binance',
      venue,
      dialect: mirrors['binance']!,
      seed: 1,
      clock,
      log,
      port: 0,
      flushEvery: 0
    })
    await house.start()
    const host = `127.0.0.1:${house.port()}`
    // The shortest round trip bounds the error: on a busy machine it takes some until one is short.
    const ping = { ...providers['binance']!.ping!, every: 1_000 }
    const adapter = { ...providers['binance']!, ping }
    const place = { wsUrl: `ws://${host}${new URL(adapter.wsUrl!).pathname}`, restUrl: `http://${host}` }
    const plant = createPlant({ epoch: 'e' })
    const feed = createFeed({
      providers: [{ adapter, ...place, readAccess: () => ({}) }],
      plant,
      instruments: createInstruments(),
      clock: Date.now,
      random: Math.random,
      log,
      simulated: true
    })
    await feed.start()
    for (const instrument of ['BTC-USDT', 'ETH-USDT', 'SOL-USDT'])
      for (const kind of ['trade', 'quote'] as const) feed.want({ kind, instrument })
    const status = (): ProviderStatus => feed.providers()[0]!
    await vi.waitFor(() => expect(Math.abs((status().clock?.offset ?? Infinity) - by)).toBeLessThan(5), 60_000)
    await vi.waitFor(() => expect(status().latency).toBeLessThan(200), 10_000)
    expect(status().latency).toBeGreaterThanOrEqual(0)
    const { offset, uncertainty } = status().clock!
    process.stdout.write(`${JSON.stringify({ by, offset, uncertainty, latency: status().latency })}\n`)
    await feed.stop()
    await house.stop()
  }
)
