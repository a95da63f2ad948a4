/** A provider that wants pings of the WebSocket protocol gets them, and no frame instead. */
import { expect, test } from 'vitest'
import { createPool } from '../../src/connection/pool.ts'
import { openVenue, until, venueAdapter } from '../feed/venue.ts'

test('where an adapter says so the ping is the protocol’s own, and nothing else is sent for it', async () => {
  const venue = await openVenue()
  const nothing = () => undefined
  const pool = createPool({
    adapter: venueAdapter('a', { ping: { every: 20, frame: { control: 'ping' } } }),
    wsUrl: venue.wsUrl,
    restUrl: venue.restUrl,
    readAccess: () => ({}),
    clock: Date.now,
    random: () => 0.5,
    hooks: {
      onEvent: nothing,
      onGap: nothing,
      onClosed: nothing,
      onFilled: nothing,
      onUnfilled: nothing,
      onRejected: nothing,
      onRefused: nothing,
      onListing: nothing,
      onPhase: nothing,
      isOutage: () => false,
      onDefect: nothing,
      onNotice: nothing
    }
  })
  const timer = setInterval(() => pool.tick(Date.now()), 5)
  try {
    pool.want([{ kind: 'trade', symbol: 'A' }])
    await until(() => venue.sockets.size === 1)
    let pings = 0
    for (const socket of venue.sockets) socket.on('ping', () => pings++)
    await until(() => pings >= 2)
    expect(venue.asked).toHaveLength(1)
  } finally {
    clearInterval(timer)
    pool.stop()
    await venue.close()
  }
})
