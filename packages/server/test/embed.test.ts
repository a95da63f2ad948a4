/** The embedded plant: what it refuses at once, and that it is gone as soon as it is told to. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { configSchema } from '../src/config.ts'
import { embed } from '../src/embed.ts'
import { SILENT } from '../src/ops/log.ts'

const off = Object.fromEntries(Object.keys(configSchema.parse({}).providers).map((name) => [name, { enabled: false }]))

test.each([
  [{ alpaca: { secret: 's' } }, 'key'],
  [{ alpaca: { key: 'k' } }, 'secret'],
  [{ finnhub: {} }, 'key'],
  [{ binance: { secret: 's' } }, 'key']
])('[S4-06] half of the keys of a provider, %j, is refused: %s is missing', (keys, missing) => {
  expect(() => embed({ keys, log: SILENT })).toThrow(new RegExp(`^providers\\.[a-z]+: its ${missing} is missing$`))
})

/** Its start alone would wait for that list for 5 s. */
test('[S4-04] it stops at once, also while a provider still owes it the list', { timeout: 3_500 }, async () => {
  const asked = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const mute = createServer((_request, response) => {
    response.on('close', gone.resolve)
    asked.resolve()
  })
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  const { port } = mute.address() as AddressInfo
  const addresses = { restUrl: `http://127.0.0.1:${port}`, wsUrl: `ws://127.0.0.1:${port}` }
  try {
    const plant = embed({
      config: { providers: { ...off, binance: { enabled: true, ...addresses } } },
      simulated: true,
      log: SILENT
    })
    await asked.promise
    await plant.stop()
    await gone.promise
  } finally {
    mute.closeAllConnections()
    mute.close()
  }
})
