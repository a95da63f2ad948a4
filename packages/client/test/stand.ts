/** A real plant behind a real gateway on loopback, with hands on its sockets. */
import type { Published, Trade } from '@tickwire/protocol'
import { native } from '@tickwire/server/dialects/native.ts'
import type { Desk } from '@tickwire/server/dialects/dialect.ts'
import { createGateway, type GatewayOptions } from '@tickwire/server/gateway/gateway.ts'
import { SILENT } from '@tickwire/server/ops/log.ts'
import { createPlant } from '@tickwire/server/plant/plant.ts'
import { connect, type Client, type Options } from '../src/index.ts'

const INSTRUMENTS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'BTC-USD', 'ETH-USD', 'AAPL', 'GOOGL', 'MSFT', 'NVDA']
const find = (text: string) => INSTRUMENTS.find((id) => id.replace('-', '') === text.toUpperCase().replaceAll(/[-/]/g, ''))
export const FAST = { min: 1, max: 10 }

/** Resolves once the condition holds; the limit is only there to fail with a word instead of hanging. */
export async function until(condition: () => boolean, what = String(condition), patience = 30_000): Promise<void> {
  const end = performance.now() + patience
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export type Stand = Awaited<ReturnType<typeof createStand>>

export async function createStand(options: Partial<GatewayOptions> & { epoch?: string; port?: number; keep?: number } = {}) {
  const { epoch = 'epoch-1', port = 0, keep = 1_000, ...rest } = options
  const plant = createPlant({ epoch, keep: () => keep })
  /** Topics asked for upstream and not yet released. */
  const demanded: string[] = []
  const sockets = new Map<string, { terminate: () => void; pause: () => void }>()
  const clients: Client[] = []
  const deaf = { on: false }
  const desk: Desk = {
    server: 'Tickwire test',
    epoch,
    mode: 'demo',
    resolve: (text) => {
      const instrument = find(text)
      return instrument === undefined ? { ok: false, nearest: ['BTC-USDT'] } : { ok: true, instrument }
    },
    instruments: () => [],
    instrument: () => undefined,
    last: plant.last,
    recent: plant.recent,
    hand: plant.last,
    candles: () => Promise.resolve([]),
    past: () => Promise.resolve({ candles: [] }),
    unlisted: () => [],
    carries: () => true,
    connections: () => []
  }
  const gateway = createGateway({
    plant,
    desk,
    dialects: [native],
    demand: (topic) => {
      const name = `${topic.kind}:${topic.instrument}`
      demanded.push(name)
      return { upstream: 'live', release: () => void demanded.splice(demanded.indexOf(name), 1) }
    },
    clock: Date.now,
    log: SILENT,
    flushEvery: 1,
    wire: (connection, send) => {
      sockets.set(connection.id, connection)
      return (text) => {
        if (!deaf.on) send(text)
      }
    },
    ...rest
  })
  const address = await gateway.listen('127.0.0.1', port)

  return {
    plant,
    gateway,
    demanded,
    deaf,
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    connect(over: Partial<Options> = {}): Client {
      const client = connect({ url: `http://127.0.0.1:${address.port}`, backoff: FAST, ...over })
      clients.push(client)
      return client
    },
    /** Cuts every connection as a network would: no close frame. */
    cut(): void {
      for (const socket of sockets.values()) socket.terminate()
      sockets.clear()
    },
    /** Reads no connection any more, not even its closing. */
    freeze(): void {
      for (const socket of sockets.values()) socket.pause()
    },
    trade(price: number, instrument = 'BTC-USDT'): Published {
      const event: Trade = { type: 'trade', provider: 'kraken', instrument, time: 1, received: 2, price, size: 1, side: 'buy' }
      return plant.publish(`trade:${instrument}`, event, 3)
    },
    quote(bid: number, instrument = 'BTC-USDT'): Published {
      const stamp = { provider: 'kraken', instrument, time: 1, received: 2 }
      return plant.publish(`quote:${instrument}`, { type: 'quote', ...stamp, bid, bidSize: 1, ask: bid + 1, askSize: 1 }, 3)
    },
    topics: () => gateway.connections().flatMap((connection) => connection.topics),
    async close(retryAfterMs = 0): Promise<void> {
      for (const client of clients) client.close()
      await gateway.close(retryAfterMs)
    },
    /** The server alone goes; its clients stay and look for it. */
    die: (retryAfterMs = 0) => gateway.close(retryAfterMs)
  }
}
